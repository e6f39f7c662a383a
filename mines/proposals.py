"""Ask how proposed outlines lie to each other, and where the ground lies that they add.

Shapes are (key, geometry) pairs in CGCS2000 degrees, lengths metres and areas square metres, as in
mines/boundaries.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import shapely
from django.contrib.gis.geos import GEOSGeometry
from django.db import connection
from shapely.geometry.base import BaseGeometry

from mines.boundaries import ASKED, AddedPiece, Shapes
from mines.models import CGCS2000

AMONG = """
, box AS MATERIALIZED (
    SELECT key, shape, %(within)s / 110500.0 AS up,
        %(within)s / (110500.0 * cos(radians(greatest(abs(ST_YMin(shape)), abs(ST_YMax(shape)))
            + %(within)s / 110500.0))) AS side
    FROM asked
)
SELECT one.key, other.key, away.distance, common.area, ST_Perimeter(common.shape::geography)
FROM box AS one
JOIN box AS other ON other.key > one.key AND other.shape && ST_Expand(one.shape, one.side, one.up)
CROSS JOIN LATERAL (
    SELECT CASE WHEN ST_Intersects(one.shape, other.shape) THEN 0
        ELSE ST_Distance(one.shape::geography, other.shape::geography) END AS distance
) AS away
CROSS JOIN LATERAL (
    SELECT shape, ST_Area(ST_Segmentize(shape, 0.0002)::geography) AS area
    FROM ST_CollectionExtract(ST_Intersection(one.shape, other.shape), 3) AS cut(shape)
) AS common
WHERE away.distance <= %(within)s
ORDER BY one.key, other.key
"""

# A metre in degrees: parts nearer than this lie at a side.
AT_A_SIDE = 1e-5


@dataclass(frozen=True, slots=True)
class Relation:
    """Say how far another outline is and how much ground it shares; `width_m` is a mean."""

    key: str
    distance_m: Decimal
    area_m2: Decimal
    width_m: Decimal


@dataclass(frozen=True, slots=True)
class GroundPart:
    """Hold added ground that lies between two members (ids), or around them (None)."""

    sides: tuple[int, int] | None
    area_m2: Decimal
    shape: GEOSGeometry


def among(shapes: Shapes, *, within_m: Decimal) -> dict[str, list[Relation]]:
    """Return by key the other given outlines that share ground or lie within a distance."""
    found: dict[str, list[Relation]] = {key: [] for key, _ in shapes}
    if len(shapes) < 2:
        return found
    given: dict[str, Any] = {
        "keys": [key for key, _ in shapes],
        "shapes": [bytes(shape.wkb) for _, shape in shapes],
        "ignored_keys": [],
        "ignored_ids": [],
        "within": within_m,
    }
    with connection.cursor() as cursor:
        cursor.execute(ASKED + AMONG, given)
        rows = cursor.fetchall()
    for one, other, distance, area, perimeter in rows:
        width = 2 * area / perimeter if perimeter else 0.0
        measures = (_rounded(distance), _rounded(area), _rounded(width))
        found[one].append(Relation(other, *measures))
        found[other].append(Relation(one, *measures))
    return found


def parts_of(
    pieces: Sequence[AddedPiece],
    members: Mapping[int, GEOSGeometry],
    pairs: Sequence[tuple[int, int]],
) -> list[GroundPart]:
    """Divide added pieces into ground between two members and ground around them.

    A part lies between two members when it is within the convex hull of both and touches both.
    `pairs` says which members are looked at together, the nearest first: ground that lies between
    several pairs goes to the first.
    """
    outlines = {key: _plain(shape) for key, shape in members.items()}
    found: list[GroundPart] = []
    for piece in pieces:
        whole = _plain(piece.shape)
        rest = whole
        for pair in pairs:
            inside = _between(rest, outlines[pair[0]], outlines[pair[1]])
            if not inside.is_empty:
                found.append(_part(inside, pair, piece, whole))
                rest = rest.difference(inside)
        if rest.area > 0:
            found.append(_part(rest, None, piece, whole))
    return found


def united(parts: Sequence[GroundPart]) -> GEOSGeometry:
    """Return the ground of several parts as one geometry."""
    return _given_back(shapely.union_all([_plain(part.shape) for part in parts]))


def _between(ground: BaseGeometry, one: BaseGeometry, other: BaseGeometry) -> BaseGeometry:
    inside = ground.intersection(shapely.union_all([one, other]).convex_hull)
    polygons = [
        part
        for part in shapely.get_parts(inside)
        if part.area > 0 and part.distance(one) < AT_A_SIDE and part.distance(other) < AT_A_SIDE
    ]
    return shapely.union_all(polygons)


def _part(
    ground: BaseGeometry, sides: tuple[int, int] | None, piece: AddedPiece, whole: BaseGeometry
) -> GroundPart:
    # Within one piece, shares in square degrees are shares in square metres.
    area = piece.area_m2 * Decimal(repr(ground.area / whole.area))
    return GroundPart(sides, area.quantize(Decimal("0.01")), _given_back(ground))


def _plain(shape: GEOSGeometry) -> BaseGeometry:
    return shapely.from_wkb(bytes(shape.wkb))


def _given_back(shape: BaseGeometry) -> GEOSGeometry:
    return GEOSGeometry(memoryview(shapely.to_wkb(shape)), srid=CGCS2000)


def _rounded(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(Decimal("0.001"))
