"""Turn the corner sheet into boundaries: the clean ones all at once, the others one by one.

A mine whose corners pass every quick test is measured and shaped in arrays; any doubt sends it
through `mines.coordinates.read_text`, which has a sentence for everything that can be wrong.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any

import numpy as np
import shapely

from mines.coordinates import HEADER, read_text, write_text
from mines.readings import Limits, Problem
from mines.rings import (
    ELLIPSOID,
    Boundary,
    area_km2,
    ellipsoidal_area_m2,
    in_km2,
    to_degrees,
    to_lonlat,
)
from mines.workbook_rows import Outline
from mines.workbook_tables import Rows

SRID = 4490
# The fourth decimal of a km² is 100 m²; so near to where it turns, the exact way decides.
DOUBT_M2 = 1.0

Report = Callable[[int, str, Problem], None]
"""Takes row, field and problem."""


@dataclass(frozen=True, slots=True)
class Corners:
    """The corners of one mine, column by column, every cell as text."""

    rows: Sequence[int]
    region: Sequence[str]
    point: Sequence[str]
    x: Sequence[str]
    y: Sequence[str]
    top: Sequence[str]
    bottom: Sequence[str]
    hole: Sequence[str]


def read_corners(rows: Rows, numbers: Sequence[str | None], report: Report) -> dict[str, Outline]:
    """Return the boundaries by mine; `numbers` says whose corner each row is.

    What is wrong is reported at its row and column. A mine with an unreadable corner is not judged
    further: what follows from it is no news.
    """
    limits = Limits()
    test = _quick_test(limits)
    clean: dict[int, list[tuple[str, Corners]]] = {}
    doubtful = []
    for key, corners in _by_mine(rows, numbers):
        zone = test(corners)
        if zone is not None:
            clean.setdefault(zone, []).append((key, corners))
        elif all(corners.x) and all(corners.y):
            doubtful.append((key, corners))
    found: dict[str, Outline] = {}
    for zone, mines in clean.items():
        shaped, crossing = _shape(mines, zone)
        found |= shaped
        doubtful += crossing
    for key, corners in doubtful:
        outline = _read_one(corners, limits, report)
        if outline is not None:
            found[key] = outline
    return found


def _by_mine(rows: Rows, numbers: Sequence[str | None]) -> Iterator[tuple[str, Corners]]:
    """Yield the corners of each mine, which usually stand together."""
    columns = (
        rows.numbers,
        *(rows.column(field) for field in ("region", "point", "x", "y", "top", "bottom", "hole")),
    )
    places: dict[str, list[int]] = {}
    for at, number in enumerate(numbers):
        if number is not None:
            places.setdefault(number, []).append(at)
    for number, own in places.items():
        first, end = own[0], own[-1] + 1
        if end - first == len(own):
            yield number, Corners(*[column[first:end] for column in columns])  # type: ignore[arg-type]
        else:
            yield number, Corners(*[[column[at] for at in own] for column in columns])  # type: ignore[arg-type]


def _quick_test(limits: Limits) -> Callable[[Corners], int | None]:
    """Return a test that gives the zone of corners nothing can be wrong with, else None."""
    northings = re.compile(r"(?:\d{7}(?:\.\d{1,4})?,)+")
    eastings = {zone: re.compile(rf"(?:{zone}\d{{6}}(?:\.\d{{1,4}})?,)+") for zone in limits.zones}
    zone_of = {str(zone): zone for zone in limits.zones}
    numbers = [str(number) for number in range(1, limits.max_points)]
    height = re.compile(r"-?\d{1,5}(\.\d{1,2})?")
    name = re.compile(r"[^\s,，|]*")

    def test(corners: Corners) -> int | None:
        xs, ys, count = corners.x, corners.y, len(corners.rows)
        zone = zone_of.get(ys[0][:2])
        if (
            zone is None
            or not 3 <= count < limits.max_points
            or list(corners.point) != numbers[:count]
            or any(corners.hole)
            or any(corners.top[1:])
            or any(corners.bottom[1:])
            or len(set(corners.region)) > 1
            or not name.fullmatch(corners.region[0])
            or not northings.fullmatch(",".join(xs) + ",")
            or not eastings[zone].fullmatch(",".join(ys) + ",")
            or len(set(zip(xs, ys, strict=True))) < count
        ):
            return None
        # Texts with as many whole digits are in the order of their numbers.
        middle = zone * 1_000_000 + 500_000
        if not limits.x_min <= float(min(xs)) <= float(max(xs)) <= limits.x_max:
            return None
        if max(middle - float(min(ys)), float(max(ys)) - middle) > limits.reach_m:
            return None
        top, bottom = corners.top[0], corners.bottom[0]
        if top or bottom:
            if not height.fullmatch(top) or not height.fullmatch(bottom):
                return None
            if not float(top) > float(bottom):
                return None
        return zone

    return test


def _shape(
    mines: Sequence[tuple[str, Corners]], zone: int
) -> tuple[dict[str, Outline], list[tuple[str, Corners]]]:
    """Return the boundaries of single rings, and the mines whose rings cross themselves."""
    sizes = [len(corners.rows) for _, corners in mines]
    plane = shapely.orient_polygons(_polygons(mines, sizes), exterior_cw=False)
    sound = shapely.is_valid(plane) & (shapely.area(plane) > DOUBT_M2)
    corners_of = shapely.get_coordinates(plane)
    degrees = to_degrees(corners_of, zone)
    rings = np.cumsum([0, *(size + 1 for size in sizes)])
    each = np.arange(len(mines) + 1)
    wholes = shapely.from_ragged_array(
        shapely.GeometryType.MULTIPOLYGON, degrees, (rings, each, each)
    )
    hexes = shapely.to_wkb(shapely.set_srid(wholes, SRID), hex=True, include_srid=True)
    areas = _areas_m2(corners_of, degrees, rings, zone)
    found = {}
    for at, (key, corners) in enumerate(mines):
        if sound[at]:
            area_km2 = _km2(areas[at], plane[at], zone)
            found[key] = Outline(
                _regions_text(corners, zone), hexes[at], area_km2, _source_text(corners)
            )
    return found, [row for row, good in zip(mines, sound, strict=True) if not good]


def _polygons(mines: Sequence[tuple[str, Corners]], sizes: Sequence[int]) -> Any:
    """Return one polygon of the projection plane for each mine, east first."""
    rings = np.cumsum([0, *(size + 1 for size in sizes)])
    easts, norths = (
        np.array(
            [
                float(text)
                for _, corners in mines
                for text in (*getattr(corners, axis), getattr(corners, axis)[0])
            ]
        )
        for axis in ("y", "x")
    )
    each = np.arange(len(mines) + 1)
    return shapely.from_ragged_array(
        shapely.GeometryType.POLYGON, np.column_stack((easts, norths)), (rings, each)
    )


def _areas_m2(plane: Any, degrees: Any, rings: Any, zone: int) -> list[float]:
    """Return the areas on the ellipsoid of counter-clockwise rings of the projection plane.

    At the distance d from the central meridian the projection stretches lengths by cosh(d / R),
    R being the mean radius of curvature there; so the area is the sum over all edges of the
    integral of R tanh(d / R) along the north. For places within 170 km of the meridian this
    agrees with `ellipsoidal_area_m2` to 1e-8 of the area.
    """
    starts, ends = rings[:-1], rings[1:]
    latitudes = np.radians(degrees[starts, 1])
    squeezed = ELLIPSOID.es
    radius = np.repeat(
        ELLIPSOID.a * np.sqrt(1 - squeezed) / (1 - squeezed * np.sin(latitudes) ** 2),
        ends - starts,
    )
    distance = plane[:, 0] - (zone * 1_000_000 + 500_000)
    weight = radius * np.tanh(distance / radius)
    middle = radius[:-1] * np.tanh((distance[:-1] + distance[1:]) / 2 / radius[:-1])
    # Simpson's rule; the step from one ring to the next counts for nothing.
    steps = np.diff(plane[:, 1]) * (weight[:-1] + 4 * middle + weight[1:]) / 6
    steps[ends[:-1] - 1] = 0
    return [abs(float(area)) for area in np.add.reduceat(steps, starts)]


def _km2(square_metres: float, polygon: shapely.Polygon, zone: int) -> str:
    """Return the area as a licence states it; the exact way decides where rounding turns."""
    if abs(square_metres % 100 - 50) < DOUBT_M2 + square_metres * 1e-7:
        return str(in_km2(ellipsoidal_area_m2(polygon, zone)))
    return f"{square_metres / 1_000_000:.4f}"


def _regions_text(corners: Corners, zone: int) -> str:
    """Return what `json.dumps(regions_of_rings(…))` gives for corners that passed the quick test.

    Their texts are digits, points and signs, but for the name.
    """
    name = json.dumps(corners.region[0], ensure_ascii=False)
    top, bottom = (f'"{text}"' if text else "null" for text in (corners.top[0], corners.bottom[0]))
    points = ", ".join(
        [
            f'["{point}", "{x}", "{y}"]'
            for point, x, y in zip(corners.point, corners.x, corners.y, strict=True)
        ]
    )
    return (
        f'[{{"name": {name}, "elevation_top_m": {top}, "elevation_bottom_m": {bottom}, '
        f'"zone": {zone}, "rings": [{{"role": "outer", "points": [{points}]}}]}}]'
    )


def _source_text(corners: Corners) -> str:
    """Return what `write_text` gives for corners that passed the quick test."""
    points = [
        f"{point},{x},{y}, , ,"
        for point, x, y in zip(corners.point, corners.x, corners.y, strict=True)
    ]
    heights = f"{corners.top[0]},{corners.bottom[0]}"
    return "\r\n".join([HEADER, *points, f"*,{heights},{corners.region[0]},1,", ""])


def _read_one(corners: Corners, limits: Limits, report: Report) -> Outline | None:
    text, at_line = _registration_text(corners)
    reading = read_text(text, limits)
    for problem in reading.problems:
        line = problem.line if problem.line is not None else 1
        at = at_line[min(line, len(at_line)) - 1]
        report(corners.rows[at], _field(corners.y[at], problem), problem)
    if not reading.accepted or reading.boundary is None:
        return None
    return outline_of_rings(reading.boundary)


def outline_of_rings(boundary: Boundary) -> Outline:
    """Return the regions, the shape and the area of a boundary that was accepted."""
    ground = shapely.union_all(to_lonlat(boundary))
    parts = [part for part in shapely.get_parts(ground) if isinstance(part, shapely.Polygon)]
    whole = shapely.set_srid(shapely.MultiPolygon(parts), SRID)
    return Outline(
        json.dumps(regions_of_rings(boundary), ensure_ascii=False),
        shapely.to_wkb(whole, hex=True, include_srid=True),
        str(area_km2(boundary)),
        write_text(boundary),
    )


def regions_of_rings(boundary: Boundary) -> list[dict[str, Any]]:
    """Return names, elevations and corner points as given."""
    return [
        {
            "name": region.name,
            "elevation_top_m": _metres(region.elevation_top),
            "elevation_bottom_m": _metres(region.elevation_bottom),
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


def _metres(height: Decimal | None) -> str | None:
    return None if height is None else f"{height:f}"


def _registration_text(corners: Corners) -> tuple[str, list[int]]:
    """Write corners as registration text; the list gives the place of each line's corner."""
    lines: list[str] = []
    at_line: list[int] = []
    heights: dict[str, int] = {}
    ring_of = list(zip(corners.region, corners.hole, strict=True))
    for (region, hole), places in groupby(range(len(ring_of)), key=ring_of.__getitem__):
        ring = list(places)
        for at in ring:
            lines.append(f"{corners.point[at]},{corners.x[at]},{corners.y[at]}, , ,")
            at_line.append(at)
        stated = next((at for at in ring if corners.top[at] or corners.bottom[at]), ring[0])
        stated = heights.setdefault(region, stated)
        flag = -1 if hole else 1
        lines.append(f"*,{corners.top[stated]},{corners.bottom[stated]},{region},{flag},")
        at_line.append(stated)
    return "\n".join(lines), at_line


def _field(easting: str, problem: Problem) -> str:
    if problem.code.startswith("elevation"):
        return "top"
    if problem.code.startswith("numbering"):
        return "point"
    return "y" if problem.found and problem.found in easting else "x"
