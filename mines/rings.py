"""Hold boundaries as rings of corner points and measure them on CGCS2000.

Chinese survey convention: X is north, Y is east and carries the number of its 3-degree
Gauss-Krüger zone in front ("37623300.83" is zone 37). Geometry libraries take east first, so
plane polygons here are (Y, X) and geographic ones (longitude, latitude), EPSG 4490.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from pyproj import Geod, Transformer
from pyproj.network import set_network_enabled  # type: ignore[attr-defined]
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.polygon import orient

from standards.terms import Verdict

# Transformations between CGCS2000 systems need no grids; nothing here may ask the network.
set_network_enabled(active=False)

ELLIPSOID = Geod(a=6378137, rf=298.257222101)
FIRST_ZONE, LAST_ZONE = 25, 45

# Straight edges of the projection plane are curved on the ellipsoid; at this step the area no
# longer changes in the second decimal of a square metre.
STEP_M = 20.0
MOST_STEPS = 40_000


class Role(StrEnum):
    """What a ring does to its region: bound it, or cut a hole into it."""

    OUTER = "outer"
    HOLE = "hole"


@dataclass(frozen=True)
class Point:
    """Keep one corner point as it was written and as numbers.

    `x` is north and `y` east with zone prefix, in metres; `line` is the 1-based line of the text,
    or the 1-based position of the point in a geometry file.
    """

    number: str
    x_text: str
    y_text: str
    x: Decimal
    y: Decimal
    line: int


@dataclass(frozen=True)
class Ring:
    """List corner points in order; the first point is not repeated at the end."""

    points: tuple[Point, ...]
    role: Role = Role.OUTER


@dataclass(frozen=True)
class Region:
    """Describe one part of a boundary: one outer ring first, then its holes.

    Elevations are metres of the 1985 national height datum.
    """

    name: str
    elevation_top: Decimal | None
    elevation_bottom: Decimal | None
    rings: tuple[Ring, ...]


@dataclass(frozen=True)
class Boundary:
    """Hold the regions of one right, all in the same 3-degree zone."""

    regions: tuple[Region, ...]
    zone: int
    source_format: str

    @property
    def elevation_top(self) -> Decimal | None:
        """Return the highest upper elevation of the regions, as a licence states it."""
        return max(
            (r.elevation_top for r in self.regions if r.elevation_top is not None), default=None
        )

    @property
    def elevation_bottom(self) -> Decimal | None:
        """Return the lowest lower elevation of the regions."""
        return min(
            (r.elevation_bottom for r in self.regions if r.elevation_bottom is not None),
            default=None,
        )

    @property
    def point_count(self) -> int:
        """Count the corner points of all rings."""
        return sum(len(ring.points) for region in self.regions for ring in region.rings)


@dataclass(frozen=True)
class AreaComparison:
    """Set a declared area beside the computed one; all in km²."""

    declared: Decimal | None
    computed: Decimal
    difference: Decimal | None
    tolerance: Decimal | None
    verdict: Verdict


@dataclass(frozen=True)
class RingDrawing:
    """Give what a page needs to draw one ring: a closed line and its labels in degrees."""

    line: tuple[tuple[float, float], ...]
    labels: tuple[tuple[str, float, float], ...]


def epsg_of_zone(zone: int) -> int:
    """Return the EPSG code of CGCS2000 / 3-degree Gauss-Krüger with zone prefix; 25 to 45."""
    if not FIRST_ZONE <= zone <= LAST_ZONE:
        raise ValueError(f"no 3-degree zone {zone}")
    return 4513 + zone - FIRST_ZONE


def zone_of_longitude(longitude: float) -> int:
    """Return the 3-degree zone whose central meridian is nearest."""
    return int((longitude + 1.5) // 3)


@lru_cache(maxsize=64)
def _to_degrees(zone: int) -> Transformer:
    return Transformer.from_crs(epsg_of_zone(zone), 4490, always_xy=True)


@lru_cache(maxsize=64)
def _to_plane(zone: int) -> Transformer:
    return Transformer.from_crs(4490, epsg_of_zone(zone), always_xy=True)


def point_to_lonlat(x: Decimal | float, y: Decimal | float, zone: int) -> tuple[float, float]:
    """Return (longitude, latitude) of a northing and an easting with zone prefix."""
    longitude, latitude = _to_degrees(zone).transform(float(y), float(x))
    return float(longitude), float(latitude)


def lonlat_to_plane(longitude: float, latitude: float, zone: int) -> tuple[float, float]:
    """Return (x north, y east with zone prefix) in metres."""
    y, x = _to_plane(zone).transform(longitude, latitude)
    return float(x), float(y)


def to_degrees(positions: Any, zone: int) -> Any:
    """Return (longitude, latitude) rows of (east with zone prefix, north) rows in metres."""
    longitudes, latitudes = _to_degrees(zone).transform(positions[:, 0], positions[:, 1])
    return np.column_stack((longitudes, latitudes))


def plane_polygon(region: Region) -> Polygon:
    """Return the region as a polygon of the projection plane, east first, in metres."""
    rings = [[(float(p.y), float(p.x)) for p in ring.points] for ring in region.rings]
    return Polygon(rings[0], rings[1:])


def to_lonlat(boundary: Boundary) -> list[Polygon]:
    """Return one polygon per region in CGCS2000 degrees (EPSG 4490), longitude first.

    Outer rings run counter-clockwise. A ring that crosses itself stays so, for drawing.
    """
    return [
        orient(_in_degrees(plane_polygon(region), boundary.zone)) for region in boundary.regions
    ]


def _in_degrees(shape: shapely.Geometry, zone: int) -> shapely.Geometry:
    transform = _to_degrees(zone).transform
    return shapely.transform(shape, transform, interleaved=False)


def ellipsoidal_area_m2(shape: Polygon | MultiPolygon, zone: int) -> float:
    """Return the area on the CGCS2000 ellipsoid of a polygon of the projection plane, in m².

    Takes the place of TD/T 1055-2019 Annex D, with which it agrees to 0.02 m². Like the formula,
    it gives for a ring that crosses itself the difference of its loops.
    """
    if shape.is_empty:
        return 0.0
    step = max(STEP_M, shape.length / MOST_STEPS)
    total = 0.0
    for part in getattr(shape, "geoms", [shape]):
        total += _enclosed_m2(part.exterior, step, zone)
        total -= sum(_enclosed_m2(hole, step, zone) for hole in part.interiors)
    return total


def _enclosed_m2(ring: shapely.LinearRing, step: float, zone: int) -> float:
    longitudes, latitudes = _in_degrees(shapely.segmentize(ring, step), zone).coords.xy
    area, _ = ELLIPSOID.polygon_area_perimeter(longitudes, latitudes)
    return abs(float(area))


def boundary_area_m2(boundary: Boundary) -> float:
    """Return the ellipsoidal area of all regions in m²; ground below two regions counts once."""
    polygons = [plane_polygon(region) for region in boundary.regions]
    if len(polygons) > 1 and all(polygon.is_valid for polygon in polygons):
        merged = shapely.union_all(polygons)
        if isinstance(merged, Polygon | MultiPolygon):
            return ellipsoidal_area_m2(merged, boundary.zone)
    return sum(ellipsoidal_area_m2(polygon, boundary.zone) for polygon in polygons)


def area_km2(boundary: Boundary) -> Decimal:
    """Return the ellipsoidal area in km², rounded half up to 4 decimals as a licence states it."""
    return in_km2(boundary_area_m2(boundary))


def in_km2(square_metres: float) -> Decimal:
    """Return square metres as km² with 4 decimals, rounded half up."""
    return (Decimal(repr(square_metres)) / 1_000_000).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def compare_area(
    declared: Decimal | None,
    computed: Decimal,
    *,
    tolerance_km2: Decimal,
    tolerance_ratio: Decimal,
) -> AreaComparison:
    """Judge a declared area against the computed one; both in km².

    Agrees when they differ by at most the larger of `tolerance_km2` and `tolerance_ratio` times
    the computed area. Without a declared area the verdict is NODATA.
    """
    if declared is None:
        return AreaComparison(None, computed, None, None, Verdict.NODATA)
    difference = declared - computed
    tolerance = max(tolerance_km2, tolerance_ratio * computed)
    verdict = Verdict.PASS if abs(difference) <= tolerance else Verdict.REVIEW
    return AreaComparison(declared, computed, difference, tolerance, verdict)


def explain_ring(points: Sequence[Point], zone: int) -> RingDrawing:
    """Return the closed line and the numbered corners of a ring in degrees, for drawing."""
    corners = [point_to_lonlat(p.x, p.y, zone) for p in points]
    labels = tuple((p.number, *corner) for p, corner in zip(points, corners, strict=True))
    return RingDrawing(line=(*corners, *corners[:1]), labels=labels)


def renumbered(points: Sequence[Point]) -> tuple[Point, ...]:
    """Return the points numbered from 1."""
    return tuple(replace(point, number=str(n)) for n, point in enumerate(points, start=1))
