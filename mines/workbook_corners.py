"""Turn the corner sheet into boundaries: the clean ones all at once, the others one by one.

A mine whose corners pass every quick test is measured and shaped in arrays; any doubt sends it
through `mines.coordinates.read_text`, which has a sentence for everything that can be wrong.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any

import numpy as np
import shapely
from pyproj import Transformer

from mines.coordinates import read_text, write_text
from mines.readings import Limits, Problem
from mines.rings import (
    ELLIPSOID,
    Boundary,
    area_km2,
    ellipsoidal_area_m2,
    epsg_of_zone,
    in_km2,
    to_lonlat,
)
from mines.workbook_rows import Outline

SRID = 4490
# Straight edges of the plane, cut at this step, follow the ellipsoid to a hundredth of a m².
STEP_M = 200.0
# The fourth decimal of a km² is 100 m²; so near to where it turns, the exact way decides.
DOUBT_M2 = 1.0


@dataclass(frozen=True, slots=True)
class Corner:
    """One row of the corner sheet, every cell as text."""

    row: int
    region: str
    point: str
    x: str
    y: str
    top: str
    bottom: str
    hole: str


Report = Callable[[Corner, str, Problem], None]


def read_corners(mines: dict[str, list[Corner]], report: Report) -> dict[str, Outline]:
    """Return the boundaries by mine; what is wrong is reported at its corner and column."""
    limits = Limits()
    clean: dict[int, list[tuple[str, list[Corner]]]] = {}
    doubtful = []
    test = _quick_test(limits)
    for key, corners in mines.items():
        zone = test(corners)
        if zone is None:
            doubtful.append((key, corners))
        else:
            clean.setdefault(zone, []).append((key, corners))
    found: dict[str, Outline] = {}
    for zone, rows in clean.items():
        shaped, crossing = _shape(rows, zone)
        found |= shaped
        doubtful += crossing
    for key, corners in doubtful:
        outline = _read_one(corners, limits, report)
        if outline is not None:
            found[key] = outline
    return found


def _quick_test(limits: Limits) -> Callable[[list[Corner]], int | None]:
    """Return a test that gives the zone of corners nothing can be wrong with, else None."""
    northings = re.compile(r"(?:\d{7}(?:\.\d{1,4})?,)+")
    eastings = {zone: re.compile(rf"(?:{zone}\d{{6}}(?:\.\d{{1,4}})?,)+") for zone in limits.zones}
    numbers = [str(number) for number in range(1, limits.max_points)]
    height = re.compile(r"-?\d{1,5}(\.\d{1,2})?")

    def test(corners: list[Corner]) -> int | None:
        first = corners[0]
        count = len(corners)
        if not 3 <= count < limits.max_points:
            return None
        if [corner.point for corner in corners] != numbers[:count]:
            return None
        if any(corner.region != first.region or corner.hole for corner in corners):
            return None
        xs = [corner.x for corner in corners]
        ys = [corner.y for corner in corners]
        zone = next((zone for zone in limits.zones if first.y.startswith(str(zone))), None)
        if zone is None or not northings.fullmatch(",".join(xs) + ","):
            return None
        if not eastings[zone].fullmatch(",".join(ys) + ","):
            return None
        if len(set(zip(xs, ys, strict=True))) < count:
            return None
        middle = zone * 1_000_000 + 500_000
        if not all(limits.x_min <= float(x) <= limits.x_max for x in xs):
            return None
        if not all(abs(float(y) - middle) <= limits.reach_m for y in ys):
            return None
        if any(corner.top or corner.bottom for corner in corners[1:]):
            return None
        if first.top or first.bottom:
            if not height.fullmatch(first.top) or not height.fullmatch(first.bottom):
                return None
            if not float(first.top) > float(first.bottom):
                return None
        return zone

    return test


def _shape(
    rows: Sequence[tuple[str, list[Corner]]], zone: int
) -> tuple[dict[str, Outline], list[tuple[str, list[Corner]]]]:
    """Return the boundaries of single rings, and the rows whose rings cross themselves."""
    sizes = [len(corners) + 1 for _, corners in rows]
    places = np.array(
        [
            (float(corner.y), float(corner.x))
            for _, corners in rows
            for corner in (*corners, corners[0])
        ]
    )
    rings = shapely.linearrings(places, indices=np.repeat(np.arange(len(rows)), sizes))
    plane = shapely.polygons(rings)
    sound = shapely.is_valid(plane) & (shapely.area(plane) > DOUBT_M2)
    to_degrees = Transformer.from_crs(epsg_of_zone(zone), SRID, always_xy=True).transform
    degrees = shapely.orient_polygons(
        shapely.transform(plane, to_degrees, interleaved=False), exterior_cw=False
    )
    wholes = shapely.set_srid(shapely.multipolygons(degrees, indices=np.arange(len(rows))), SRID)
    hexes = shapely.to_wkb(wholes, hex=True, include_srid=True)
    areas = _areas(plane, to_degrees)
    found = {}
    for at, (key, corners) in enumerate(rows):
        if sound[at]:
            found[key] = Outline(
                [_region(corners, zone)], str(hexes[at]), _km2(areas[at], plane[at], zone)
            )
    return found, [row for row, good in zip(rows, sound, strict=True) if not good]


def _areas(plane: Any, to_degrees: Any) -> list[float]:
    """Return ellipsoidal areas in m² of plane polygons without holes."""
    cut = shapely.segmentize(shapely.get_exterior_ring(plane), STEP_M)
    coordinates, owners = shapely.get_coordinates(cut, return_index=True)
    longitudes, latitudes = to_degrees(coordinates[:, 0], coordinates[:, 1])
    ends = np.flatnonzero(np.diff(owners)) + 1
    return [
        abs(ELLIPSOID.polygon_area_perimeter(longitude, latitude)[0])
        for longitude, latitude in zip(
            np.split(longitudes, ends), np.split(latitudes, ends), strict=True
        )
    ]


def _km2(square_metres: float, polygon: shapely.Polygon, zone: int) -> str:
    """Return the area as a licence states it; the exact way decides where rounding turns."""
    if abs(square_metres % 100 - 50) < DOUBT_M2:
        square_metres = ellipsoidal_area_m2(polygon, zone)
    return str(in_km2(square_metres))


def _region(corners: list[Corner], zone: int) -> dict[str, Any]:
    first = corners[0]
    return {
        "name": first.region,
        "elevation_top_m": first.top or None,
        "elevation_bottom_m": first.bottom or None,
        "zone": zone,
        "rings": [
            {"role": "outer", "points": [[corner.point, corner.x, corner.y] for corner in corners]}
        ],
    }


def _read_one(corners: list[Corner], limits: Limits, report: Report) -> Outline | None:
    text, at_line = _registration_text(corners)
    reading = read_text(text, limits)
    for problem in reading.problems:
        line = problem.line if problem.line is not None else 1
        corner = at_line[min(line, len(at_line)) - 1]
        report(corner, _field(corner, problem), problem)
    if not reading.accepted or reading.boundary is None:
        return None
    return outline_of_rings(reading.boundary)


def outline_of_rings(boundary: Boundary) -> Outline:
    """Return the regions, the shape and the area of a boundary that was accepted."""
    ground = shapely.union_all(to_lonlat(boundary))
    parts = [part for part in shapely.get_parts(ground) if isinstance(part, shapely.Polygon)]
    whole = shapely.set_srid(shapely.MultiPolygon(parts), SRID)
    return Outline(
        regions_of_rings(boundary),
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


def _registration_text(corners: Sequence[Corner]) -> tuple[str, list[Corner]]:
    """Write corners as registration text; the list gives the corner of each line."""
    lines: list[str] = []
    at_line: list[Corner] = []
    heights: dict[str, Corner] = {}
    for (region, hole), ring in groupby(corners, key=lambda corner: (corner.region, corner.hole)):
        points = list(ring)
        for corner in points:
            lines.append(f"{corner.point},{corner.x},{corner.y}, , ,")
            at_line.append(corner)
        stated = next((c for c in points if c.top or c.bottom), points[0])
        stated = heights.setdefault(region, stated)
        flag = -1 if hole else 1
        lines.append(f"*,{stated.top},{stated.bottom},{region},{flag},")
        at_line.append(stated)
    return "\n".join(lines), at_line


def _field(corner: Corner, problem: Problem) -> str:
    if problem.code.startswith("elevation"):
        return "top"
    if problem.code.startswith("numbering"):
        return "point"
    return "y" if problem.found and problem.found in corner.y else "x"
