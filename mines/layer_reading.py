"""Read control layers: all polygons of a GeoJSON, KML or zipped Shapefile, in CGCS2000 degrees.

Meant for a child process with limits, as `mines.geometry_files` is.
"""

from dataclasses import dataclass

import numpy as np
import shapely

from mines.geometry_files import (
    Drawn,
    drawn_in_geojson,
    drawn_in_kml,
    drawn_in_shapefile_zip,
)
from mines.readings import Limits, Problem, problem
from mines.reference_systems import assumed_warning
from mines.rings import to_degrees
from mines.shapefile_archive import ArchiveLimits

MOST_POINTS = 1_000_000
MOST_BYTES = 40_000_000
UNPACKED_BYTES = 200_000_000
# One piece holds so many corners at most, so that the index finds what lies near.
CORNERS_OF_A_PIECE = 128
KINDS = "GeoJSON、KML 或 Shapefile 压缩包（.zip）"


@dataclass(frozen=True)
class LayerReading:
    """Hold what a file gave: polygons in degrees, or the problem for which it is refused."""

    polygons: tuple[shapely.Polygon, ...] = ()
    problem: Problem | None = None
    warnings: tuple[Problem, ...] = ()


def read_layer(data: bytes) -> LayerReading:
    """Read a layer in whichever form its first bytes show; never raises on bad input."""
    limits = Limits(max_points=MOST_POINTS, max_bytes=MOST_BYTES)
    drawn = _drawn(data, limits)
    if isinstance(drawn, Problem):
        return LayerReading(problem=drawn)
    if drawn.shapes.full:
        return LayerReading(problem=_too_large())
    try:
        return _in_degrees(drawn)
    except (ValueError, shapely.errors.ShapelyError):
        return LayerReading(problem=_broken())


def _drawn(data: bytes, limits: Limits) -> Drawn | Problem:
    head = data[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"PK"):
        archive = ArchiveLimits(max_packed=MOST_BYTES, max_unpacked=UNPACKED_BYTES)
        return drawn_in_shapefile_zip(data, limits, archive)
    if head.startswith(b"{"):
        return drawn_in_geojson(data, limits)
    if head.startswith((b"<?xml", b"<kml")):
        return drawn_in_kml(data, limits)
    return problem(
        "layer_kind", "这个文件不是能读的图层", found="无法识别的内容", expected=KINDS,
        fix="请在制图软件里导出后再上传",
    )  # fmt: skip


def _in_degrees(drawn: Drawn) -> LayerReading:
    """Return the polygons in degrees; what crosses itself is mended, and said."""
    rings = [[ring for ring in shape.rings if len(ring) > 3] for shape in drawn.shapes.found]
    polygons = [shapely.Polygon(parts[0], parts[1:]) for parts in rings if parts]
    if not polygons:
        return LayerReading(problem=_empty())
    zone = drawn.system.zone
    whole = np.array(polygons, dtype=object)
    if zone is not None:
        shift = np.array((0 if drawn.system.prefixed else zone * 1_000_000, 0))
        whole = shapely.transform(whole, lambda places: to_degrees(places + shift, zone))
    west, south, east, north = shapely.total_bounds(whole)
    # A comparison with NaN is false, so that it is refused here too.
    if not (73 <= west <= east <= 136 and 3 <= south <= north <= 54):
        return LayerReading(problem=_elsewhere(west, south))
    crooked = int((~shapely.is_valid(whole)).sum())
    parts = shapely.get_parts(shapely.make_valid(whole)) if crooked else whole
    kept = [part for one in parts for part in shapely.get_parts(one)]
    flat = tuple(part for part in kept if isinstance(part, shapely.Polygon) and part.area > 0)
    notes = [assumed_warning()] if drawn.system.assumed else []
    if crooked:
        notes.append(_mended(crooked))
    if not flat:
        return LayerReading(problem=_empty())
    return LayerReading(flat, warnings=tuple(notes))


def _too_large() -> Problem:
    return problem(
        "layer_too_large", f"图层的拐点超过 {MOST_POINTS // 10_000} 万个",
        expected=f"不超过 {MOST_POINTS // 10_000} 万个", fix="请按县（市、区）分成几个文件上传",
    )  # fmt: skip


def _empty() -> Problem:
    return problem(
        "layer_empty", "文件里没有面状图形", found="没有面", expected="面（Polygon）图层",
        fix="请把图层存成面后再导出",
    )  # fmt: skip


def _broken() -> Problem:
    return problem("layer_broken", "图层中有无法使用的图形", fix="请在制图软件里修复几何后再导出")


def _elsewhere(west: float, south: float) -> Problem:
    return problem(
        "layer_elsewhere", f"图形在 {west:.4f}, {south:.4f} 附近，不是我国的经纬度",
        found=f"{west:.4f}, {south:.4f}", expected="经度 73 至 136、纬度 3 至 54",
        fix="请核对文件的坐标系，经度应写在前面",
    )  # fmt: skip


def _mended(count: int) -> Problem:
    return problem(
        "layer_mended", f"有 {count} 个图形自相交，已按所围范围修复", severity="warning",
        fix="请核对修复后的图形",
    )  # fmt: skip
