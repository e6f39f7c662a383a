"""Part a ring that crosses itself into rings that do not."""

from dataclasses import replace
from decimal import Decimal

import shapely
from shapely.geometry import Polygon

from mines.coordinate_rows import RawRing
from mines.rings import Point, Role

CENT = Decimal("0.01")


def part_crossing(ring: RawRing, polygon: Polygon, least_m2: float) -> list[RawRing]:
    """Return the rings that enclose the ground of a ring which crosses itself.

    Given corners keep their text; crossings become new corners with 2 decimals. Parts below
    `least_m2` are dropped.
    """
    known = {(float(p.y), float(p.x)): p for p in reversed(ring.points)}
    whole = shapely.make_valid(polygon)
    parts = [
        part
        for part in shapely.get_parts(whole)
        if isinstance(part, Polygon) and part.area >= least_m2
    ]
    other = Role.OUTER if ring.role is Role.HOLE else Role.HOLE
    rings = []
    for count, part in enumerate(parts, start=1):
        name = f"{ring.name}-{count}".lstrip("-") if len(parts) > 1 else ring.name
        outer = replace(ring, name=name, points=_corners(part.exterior, known, ring.line))
        rings.append(outer)
        # A hole appears where the line runs around ground twice, in opposite directions.
        rings += [
            replace(outer, role=other, points=_corners(hole, known, ring.line))
            for hole in part.interiors
        ]
    return rings


def _corners(
    line: shapely.LinearRing, known: dict[tuple[float, float], Point], source_line: int
) -> list[Point]:
    points = []
    for number, (east, north) in enumerate(list(line.coords)[:-1], start=1):
        given = known.get((east, north))
        if given is None:
            x, y = Decimal(repr(north)).quantize(CENT), Decimal(repr(east)).quantize(CENT)
            given = Point(str(number), f"{x:f}", f"{y:f}", x, y, source_line)
        points.append(replace(given, number=str(number)))
    return points
