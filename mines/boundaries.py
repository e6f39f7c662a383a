"""Ask PostGIS how boundaries lie to each other: one set-based query for a whole plan.

Shapes come in as (key, geometry) pairs in CGCS2000 degrees, from whatever row holds them, and the
answers go out by key, so that no other part of the portal has to be known here. Lengths are metres
and areas square metres on the ellipsoid. Rights that have left the registry are not asked.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import shapely
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon
from django.db import connection

from mines import rings
from mines.models import CGCS2000, Boundary, Mine

Shapes = Sequence[tuple[str, GEOSGeometry]]

# Stands before each question on given shapes. Edges are straight in degrees, where shapes are cut;
# areas are taken with a corner every 0.0002 degrees (20 m), else the bend of long geodesic edges
# makes square metres out of slivers.
ASKED = """
WITH asked AS MATERIALIZED (
    SELECT key, ST_SetSRID(ST_GeomFromWKB(wkb), 4490) AS shape
    FROM unnest(%(keys)s::text[], %(shapes)s::bytea[]) AS given(key, wkb)
), ignored AS MATERIALIZED (
    SELECT key, mine_id FROM unnest(%(ignored_keys)s::text[], %(ignored_ids)s::bigint[])
        AS given(key, mine_id)
)
"""

OVERLAPS = """
SELECT asked.key, mine.id, mine.registry_no, mine.name, mine.county_id, mine.holder_id,
    coalesce(licence.number, ''), boundary.is_schematic,
    common.area, ST_Perimeter(common.shape::geography)
FROM asked
JOIN mines_boundary AS boundary ON boundary.outline && asked.shape
    AND ST_Intersects(boundary.outline, asked.shape)
JOIN mines_mine AS mine ON mine.id = boundary.mine_id AND mine.removed_on IS NULL
CROSS JOIN LATERAL (
    SELECT shape, ST_Area(ST_Segmentize(shape, 0.0002)::geography) AS area
    FROM ST_CollectionExtract(ST_Intersection(boundary.outline, asked.shape), 3) AS cut(shape)
) AS common
LEFT JOIN LATERAL (
    SELECT number FROM mines_licence WHERE mine_id = mine.id ORDER BY valid_to DESC LIMIT 1
) AS licence ON true
WHERE common.area > greatest(%(tolerance)s, 0.005)
    AND NOT EXISTS (
        SELECT FROM ignored WHERE ignored.key = asked.key AND ignored.mine_id = mine.id
    )
ORDER BY asked.key, mine.registry_no
"""

# The metre count of a degree is taken a little too low, so that the box holds the whole circle.
NEIGHBOURS = """
, box AS MATERIALIZED (
    SELECT key, shape, %(within)s / 110500.0 AS up,
        %(within)s / (110500.0 * cos(radians(greatest(abs(ST_YMin(shape)), abs(ST_YMax(shape)))
            + %(within)s / 110500.0))) AS side
    FROM asked
)
SELECT box.key, mine.id, mine.registry_no, mine.name, mine.county_id, mine.holder_id,
    mine.method, boundary.is_schematic,
    away.distance
FROM box
JOIN mines_boundary AS boundary ON boundary.outline && ST_Expand(box.shape, box.side, box.up)
JOIN mines_mine AS mine ON mine.id = boundary.mine_id AND mine.removed_on IS NULL
CROSS JOIN LATERAL (
    SELECT CASE WHEN ST_Intersects(boundary.outline, box.shape) THEN 0
        ELSE ST_Distance(boundary.outline::geography, box.shape::geography) END AS distance
) AS away
WHERE away.distance <= %(within)s
    AND NOT EXISTS (
        SELECT FROM ignored WHERE ignored.key = box.key AND ignored.mine_id = mine.id
    )
ORDER BY box.key, away.distance, mine.registry_no
"""

GAPS = """
WITH member AS MATERIALIZED (
    SELECT given.key, boundary.mine_id, boundary.outline
    FROM unnest(%(keys)s::text[], %(ids)s::bigint[]) AS given(key, mine_id)
    JOIN mines_boundary AS boundary ON boundary.mine_id = given.mine_id
)
SELECT one.key, one.mine_id, other.mine_id,
    CASE WHEN ST_Intersects(one.outline, other.outline) THEN 0
        ELSE ST_Distance(one.outline::geography, other.outline::geography) END
FROM member AS one
JOIN member AS other ON other.key = one.key AND other.mine_id > one.mine_id
ORDER BY one.key, one.mine_id, other.mine_id
"""

COUNTIES = """
SELECT asked.key, county.code, county.name,
    common.area,
    common.area / ST_Area(ST_Segmentize(asked.shape, 0.0002)::geography)
FROM asked
JOIN taskforce_county AS county ON county.outline && asked.shape
CROSS JOIN LATERAL (
    SELECT ST_Area(ST_Segmentize(shape, 0.0002)::geography) AS area
    FROM ST_CollectionExtract(ST_Intersection(county.outline, asked.shape), 3) AS cut(shape)
) AS common
WHERE common.area > 0.005
ORDER BY asked.key, common.area DESC, county.code
"""

# On a grid of a tenth of a millimetre, so that shared edges leave no hairs behind.
ADDED = """
, old AS MATERIALIZED (
    SELECT given.key, ST_Union(ST_SetSRID(ST_GeomFromWKB(given.wkb), 4490), 1e-9) AS shape
    FROM unnest(%(old_keys)s::text[], %(old_shapes)s::bytea[]) AS given(key, wkb)
    GROUP BY given.key
)
SELECT asked.key, ST_AsBinary(piece.geom), measured.area
FROM asked
LEFT JOIN old ON old.key = asked.key
CROSS JOIN LATERAL ST_Dump(
    CASE WHEN old.shape IS NULL THEN asked.shape
        ELSE ST_CollectionExtract(ST_Difference(asked.shape, old.shape, 1e-9), 3) END
) AS piece
CROSS JOIN LATERAL (
    SELECT ST_Area(ST_Segmentize(piece.geom, 0.0002)::geography) AS area
) AS measured
WHERE measured.area > %(tolerance)s
ORDER BY asked.key, measured.area DESC
"""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Report a registered right whose ground a shape covers in part.

    `width_m` is the mean width of the common ground, small for a sliver along a shared edge.
    """

    mine_id: int
    registry_no: str
    name: str
    county_code: str
    holder_id: int
    licence_no: str
    is_schematic: bool
    area_m2: Decimal
    width_m: Decimal


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Report a registered right near a shape; a distance of 0 is touching or overlapping."""

    mine_id: int
    registry_no: str
    name: str
    county_code: str
    holder_id: int
    method: str
    is_schematic: bool
    distance_m: Decimal


@dataclass(frozen=True, slots=True)
class Gap:
    """Hold the shortest distance between two members of a group."""

    first_id: int
    second_id: int
    distance_m: Decimal


@dataclass(frozen=True, slots=True)
class CountyShare:
    """Say how much of a shape lies in a county; `share` is a fraction."""

    code: str
    name: str
    area_m2: Decimal
    share: Decimal


@dataclass(frozen=True, slots=True)
class AddedPiece:
    """Hold one connected piece of ground that a new outline adds to the old ones."""

    shape: GEOSGeometry
    area_m2: Decimal


def overlaps(
    shapes: Shapes,
    *,
    ignoring: Mapping[str, Iterable[int]] | None = None,
    tolerance_m2: Decimal = Decimal(0),
) -> dict[str, list[Overlap]]:
    """Return by key which registered rights a shape covers by more than the tolerance.

    The vertical projection counts, whatever the heights; touching is not overlapping, nor is what
    rounds to 0.00 m², the noise of a shared edge that came from two zones. `ignoring` names
    by key the mines (ids) that do not count, such as those that a merger replaces.
    """
    found: dict[str, list[Overlap]] = {key: [] for key, _ in shapes}
    given = _given(shapes, ignoring) | {"tolerance": tolerance_m2}
    for key, *row, area, perimeter in rows_of(ASKED + OVERLAPS, given, shapes):
        width = 2 * area / perimeter if perimeter else 0.0
        measures = (metres(area, "0.01"), metres(width, "0.001"))
        found[key].append(Overlap(*(*row, *measures)))
    return found


def neighbours(
    shapes: Shapes,
    *,
    within_m: Decimal,
    ignoring: Mapping[str, Iterable[int]] | None = None,
) -> dict[str, list[Neighbour]]:
    """Return by key the registered rights at most `within_m` metres away, nearest first."""
    found: dict[str, list[Neighbour]] = {key: [] for key, _ in shapes}
    given = _given(shapes, ignoring) | {"within": within_m}
    for key, *row, distance in rows_of(ASKED + NEIGHBOURS, given, shapes):
        found[key].append(Neighbour(*(*row, metres(distance, "0.01"))))
    return found


def gaps_within(groups: Mapping[str, Iterable[int]]) -> dict[str, list[Gap]]:
    """Return by key the distance of every two mines (ids) of a group that have boundaries."""
    found: dict[str, list[Gap]] = {key: [] for key in groups}
    pairs = [(key, mine_id) for key, members in groups.items() for mine_id in members]
    given = {"keys": [key for key, _ in pairs], "ids": [mine_id for _, mine_id in pairs]}
    for key, first, second, distance in rows_of(GAPS, given, pairs):
        found[key].append(Gap(first, second, metres(distance, "0.01")))
    return found


def widest_step(gaps: Iterable[Gap]) -> Decimal | None:
    """Return the widest gap to be crossed when each member is joined to the nearest of the rest.

    None for fewer than two members with boundaries.
    """
    group_of: dict[int, set[int]] = {}
    widest = None
    for gap in sorted(gaps, key=lambda each: each.distance_m):
        one = group_of.setdefault(gap.first_id, {gap.first_id})
        other = group_of.setdefault(gap.second_id, {gap.second_id})
        if one is not other:
            one |= other
            group_of.update(dict.fromkeys(other, one))
            widest = gap.distance_m
    return widest


def counties_touched(shapes: Shapes) -> dict[str, list[CountyShare]]:
    """Return by key the counties that a shape lies in, the largest part first."""
    found: dict[str, list[CountyShare]] = {key: [] for key, _ in shapes}
    for key, code, name, area, share in rows_of(ASKED + COUNTIES, _given(shapes, None), shapes):
        part = CountyShare(code, name, metres(area, "0.01"), metres(share, "0.000001"))
        found[key].append(part)
    return found


def added_pieces(
    shapes: Shapes,
    olds: Mapping[str, Iterable[GEOSGeometry]],
    *,
    tolerance_m2: Decimal = Decimal(0),
) -> dict[str, list[AddedPiece]]:
    """Return by key the pieces of a new outline that none of its old outlines held."""
    pairs = [(key, old) for key, rows in olds.items() for old in rows]
    given = _given(shapes, None) | {
        "old_keys": [key for key, _ in pairs],
        "old_shapes": [bytes(old.wkb) for _, old in pairs],
        "tolerance": tolerance_m2,
    }
    found: dict[str, list[AddedPiece]] = {key: [] for key, _ in shapes}
    for key, wkb, area in rows_of(ASKED + ADDED, given, shapes):
        piece = GEOSGeometry(memoryview(wkb), srid=CGCS2000)
        found[key].append(AddedPiece(piece, metres(area, "0.01")))
    return found


def _given(shapes: Shapes, ignoring: Mapping[str, Iterable[int]] | None) -> dict[str, Any]:
    pairs = [(key, mine_id) for key, ids in (ignoring or {}).items() for mine_id in ids]
    return {
        "keys": [key for key, _ in shapes],
        "shapes": [bytes(shape.wkb) for _, shape in shapes],
        "ignored_keys": [key for key, _ in pairs],
        "ignored_ids": [mine_id for _, mine_id in pairs],
    }


def asked(sql: str, shapes: Shapes, **given: Any) -> list[tuple[Any, ...]]:
    """Return the rows that a question on shapes, standing after ASKED, answers."""
    return rows_of(sql, _given(shapes, None) | given, shapes)


def rows_of(sql: str, given: dict[str, Any], asked: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a question; none when nothing is asked."""
    if not asked:
        return []
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def metres(value: float, step: str) -> Decimal:
    """Return a measure rounded to the step."""
    return Decimal(repr(value)).quantize(Decimal(step))


def outline_of(boundary: rings.Boundary) -> MultiPolygon:
    """Return the ground that the regions of a boundary cover; regions one above another unite."""
    ground = shapely.union_all(rings.to_lonlat(boundary))
    shape = GEOSGeometry(memoryview(shapely.to_wkb(ground)), srid=CGCS2000)
    return shape if isinstance(shape, MultiPolygon) else MultiPolygon(shape, srid=CGCS2000)


def regions_of(boundary: rings.Boundary) -> list[dict[str, Any]]:
    """Return what `Boundary.regions` keeps: names, elevations and corner points as given."""
    return [
        {
            "name": region.name,
            "elevation_top_m": _text(region.elevation_top),
            "elevation_bottom_m": _text(region.elevation_bottom),
            "zone": boundary.zone,
            "rings": [
                {
                    "role": ring.role.value,
                    "points": [[point.number, point.x_text, point.y_text] for point in ring.points],
                }
                for ring in region.rings
            ],
        }
        for region in boundary.regions
    ]


def rings_of(row: Boundary) -> rings.Boundary | None:
    """Return the corner points of a stored boundary; None when none were given, only drawn."""
    if not row.regions or not row.source_text:
        return None
    return rings.Boundary(
        regions=tuple(
            rings.Region(
                name=region["name"],
                elevation_top=_number(region["elevation_top_m"]),
                elevation_bottom=_number(region["elevation_bottom_m"]),
                rings=tuple(_ring(ring) for ring in region["rings"]),
            )
            for region in row.regions
        ),
        zone=row.regions[0]["zone"],
        source_format="registry",
    )


def _ring(given: dict[str, Any]) -> rings.Ring:
    points = tuple(
        rings.Point(number, x, y, Decimal(x), Decimal(y), line)
        for line, (number, x, y) in enumerate(given["points"], start=1)
    )
    return rings.Ring(points, rings.Role(given["role"]))


def boundary_row(
    mine: Mine,
    boundary: rings.Boundary,
    *,
    source_text: str,
    as_of: date,
    is_schematic: bool = False,
) -> Boundary:
    """Return the unsaved row of a mine's boundary with its computed area."""
    return Boundary(
        mine=mine,
        outline=outline_of(boundary),
        area_km2=rings.area_km2(boundary),
        regions=regions_of(boundary),
        source_text=source_text,
        is_schematic=is_schematic,
        as_of=as_of,
    )


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _text(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"
