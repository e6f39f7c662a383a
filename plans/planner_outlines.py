"""Draw the outline of a proposed merger: its mines, and the gaps between neighbours among them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import shapely
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon
from shapely.geometry.base import BaseGeometry

from mines import boundaries
from mines.models import CGCS2000, Boundary, Mine
from mines.rings import ellipsoidal_area_m2, in_km2, lonlat_to_plane, zone_of_longitude
from plans.survey import boundary_of
from plans.workbook_rows import CornerRow

# A metre in degrees: ground nearer than this lies at a side. A tenth of a millimetre: the grid.
AT_A_SIDE, GRID = 1e-5, 1e-9
FINEST_M = 0.05


@dataclass(frozen=True, slots=True)
class Drawn:
    """Hold the outline of a merger and the pairs of mines (ids) whose gap it takes in."""

    shape: MultiPolygon
    gaps: tuple[tuple[int, int], ...]


def draw(
    mergers: Mapping[str, Sequence[Mine]], *, near_m: Decimal
) -> tuple[dict[str, Drawn], dict[str, list[boundaries.Gap]]]:
    """Return by code the outlines of mergers, and how far their mines lie apart.

    A merger with a mine that has no true outline is not drawn.
    """
    placed = {
        code: mines
        for code, mines in mergers.items()
        if all(boundary_of(mine) is not None for mine in mines)
    }
    gaps = boundaries.gaps_within(
        {code: [mine.pk for mine in rows] for code, rows in placed.items()}
    )
    drawn = {
        code: _draw(mines, _steps(gaps[code], near_m), _strangers(mines))
        for code, mines in placed.items()
    }
    return drawn, gaps


def _steps(gaps: Iterable[boundaries.Gap], near_m: Decimal) -> list[tuple[int, int]]:
    """Return the pairs to be joined so that all hang together, but for those far apart."""
    group: dict[int, int] = {}

    def find(key: int) -> int:
        while group.setdefault(key, key) != key:
            key = group[key]
        return key

    found = []
    for gap in sorted(gaps, key=lambda each: each.distance_m):
        one, other = find(gap.first_id), find(gap.second_id)
        if one != other:
            group[other] = one
            if 0 < gap.distance_m <= near_m:
                found.append((gap.first_id, gap.second_id))
    return found


def _strangers(mines: Sequence[Mine]) -> list[BaseGeometry]:
    """Return the outlines of other rights around the mines; their ground is never taken."""
    hull = shapely.union_all([_plain(mine.boundary.outline) for mine in mines]).envelope
    box = GEOSGeometry(memoryview(shapely.to_wkb(hull)), srid=CGCS2000)
    rows = Boundary.objects.filter(outline__bboverlaps=box, mine__removed_on__isnull=True)
    others = rows.exclude(mine__in=[mine.pk for mine in mines]).order_by("pk")
    return [_plain(shape) for shape in others.values_list("outline", flat=True)]


def _draw(
    mines: Sequence[Mine], steps: Sequence[tuple[int, int]], strangers: Sequence[BaseGeometry]
) -> Drawn:
    shapes = {mine.pk: _plain(mine.boundary.outline) for mine in mines}
    ground = shapely.union_all(list(shapes.values()), grid_size=GRID)
    barred = shapely.union_all([ground, *strangers], grid_size=GRID)
    taken = []
    for pair in steps:
        one, other = (shapes[key] for key in pair)
        hull = shapely.union_all([one, other]).convex_hull
        between = shapely.difference(hull, barred, grid_size=GRID)
        pieces = [
            piece
            for piece in shapely.get_parts(between)
            if piece.area > 0
            and piece.distance(one) < AT_A_SIDE
            and piece.distance(other) < AT_A_SIDE
        ]
        if pieces:
            taken.append(pair)
            ground = shapely.union_all([ground, *pieces], grid_size=GRID)
            barred = shapely.union_all([barred, *pieces], grid_size=GRID)
    polygons = [part for part in shapely.get_parts(ground) if part.geom_type == "Polygon"]
    whole = shapely.normalize(shapely.MultiPolygon(polygons))
    shape = GEOSGeometry(memoryview(shapely.to_wkb(whole)), srid=CGCS2000)
    assert isinstance(shape, MultiPolygon)  # noqa: S101  made of polygons
    return Drawn(shape, tuple(taken))


def area_km2(shape: MultiPolygon) -> Decimal:
    """Return the ellipsoidal area of an outline, as a licence states it."""
    whole = _plain(shape)
    zone = zone_of_longitude(whole.centroid.x)
    return in_km2(ellipsoidal_area_m2(_in_plane(whole, zone), zone))


def _in_plane(shape: BaseGeometry, zone: int) -> BaseGeometry:
    """Return a shape in metres of a zone, the easting first as it is drawn."""

    def to_plane(degrees: Any) -> Any:
        points = (lonlat_to_plane(longitude, latitude, zone) for longitude, latitude in degrees)
        return [(y, x) for x, y in points]

    return shapely.transform(shape, to_plane)


def corner_rows(
    code: str, shape: MultiPolygon, *, top: Decimal | None, bottom: Decimal | None, first_row: int
) -> list[CornerRow]:
    """Return the corner points of an outline as the workbook's sheet holds them.

    A polygon with a hole is cut into polygons without one, as the sheet has no word for holes.
    """
    whole = _plain(shape)
    zone = zone_of_longitude(whole.centroid.x)
    rows: list[CornerRow] = []
    for region, polygon in enumerate(_without_holes(whole), 1):
        for point, (y, x) in enumerate(_corners(_in_plane(polygon, zone)), 1):
            rows.append(
                CornerRow(
                    row=first_row + len(rows),
                    area_code=code,
                    region=str(region),
                    point=str(point),
                    x=f"{x:.2f}",
                    y=f"{y:.2f}",
                    elevation_top=f"{top:f}" if top is not None and point == 1 else "",
                    elevation_bottom=f"{bottom:f}" if bottom is not None and point == 1 else "",
                )
            )
    return rows


def _corners(polygon: BaseGeometry) -> list[tuple[float, float]]:
    """Return the corners of a polygon in metres, clockwise, the first one not given twice.

    Corners that a pen could not set apart are left out.
    """
    plain = shapely.simplify(polygon, FINEST_M)
    ring = shapely.geometry.polygon.orient(plain, -1).exterior.coords
    return list(ring)[:-1]


def _without_holes(shape: BaseGeometry) -> list[BaseGeometry]:
    found: list[BaseGeometry] = []
    left = list(shapely.get_parts(shape))
    while left:
        polygon = left.pop(0)
        if not polygon.interiors:
            found.append(polygon)
            continue
        west, south, east, north = polygon.bounds
        middle = polygon.interiors[0].centroid.x
        for half in ((west, middle), (middle, east)):
            cut = shapely.intersection(polygon, shapely.box(half[0], south, half[1], north))
            left += [part for part in shapely.get_parts(cut) if part.geom_type == "Polygon"]
    return found


def _plain(shape: GEOSGeometry) -> BaseGeometry:
    return shapely.from_wkb(bytes(shape.wkb))
