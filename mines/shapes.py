"""Turn polygons of geometry files into raw rings in a 3-degree zone, and have them checked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from mines.coordinate_rows import RawBoundary, RawRing
from mines.readings import Limits, Problem, Reading, problem, refused
from mines.reference_systems import System, assumed_warning
from mines.ring_checks import check_boundary
from mines.rings import Point, Role, lonlat_to_plane, zone_of_longitude

Position = tuple[float, float]
FARTHEST = 1e9


@dataclass(frozen=True)
class Shape:
    """Hold one polygon of a file: rings of (east, north), the outer one first."""

    rings: list[list[Position]]
    name: str = ""
    top: Decimal | None = None
    bottom: Decimal | None = None


@dataclass
class Shapes:
    """Collect polygons up to the limit of points; other kinds of geometry are only named."""

    limits: Limits
    found: list[Shape] = field(default_factory=list)
    others: set[str] = field(default_factory=set)
    points: int = 0

    def add(self, shape: Shape) -> None:
        """Take one polygon."""
        self.points += sum(max(len(ring) - 1, 0) for ring in shape.rings)
        self.found.append(shape)

    @property
    def full(self) -> bool:
        """Tell whether there are more points than a boundary may have."""
        return self.points >= self.limits.max_points


def read_shapes(shapes: Shapes, system: System, source_format: str) -> Reading:
    """Return the checked boundary of the polygons of a file."""
    limits = shapes.limits
    if shapes.full:
        return refused(too_many_points(limits, f"至少 {shapes.points} 个"))
    if not any(ring for shape in shapes.found for ring in shape.rings):
        return refused(_no_polygon(shapes.others))
    positions = [p for shape in shapes.found for ring in shape.rings for p in ring]
    wrong = _check_numbers(positions)
    if wrong is not None:
        return refused(wrong)
    if system.zone is not None:
        reading = _check(shapes, system, system.zone, source_format)
    else:
        reading = _read_degrees(shapes, system, positions, source_format)
    if system.assumed and reading.problems[:1] != (assumed_warning(),):
        reading = replace(reading, problems=(assumed_warning(), *reading.problems))
    return reading


def _read_degrees(
    shapes: Shapes, system: System, positions: Sequence[Position], source_format: str
) -> Reading:
    swapped = None
    if all(3 <= east <= 54 and 73 <= north <= 136 for east, north in positions):
        swapped = problem(
            "swapped_lonlat",
            "经度与纬度写反了",
            found=f"{positions[0][0]}, {positions[0][1]}",
            expected="经度在前、纬度在后",
            fix="请对调后重新导出,或采用旁边对调后的图形",
        )
        turned = [
            replace(s, rings=[[(north, east) for east, north in ring] for ring in s.rings])
            for s in shapes.found
        ]
        shapes = replace(shapes, found=turned)
        positions = [(north, east) for east, north in positions]
    zone = _zone(positions, shapes.limits)
    if isinstance(zone, Problem):
        return refused(*([swapped] if swapped else []), zone)
    reading = _check(shapes, system, zone, source_format)
    if swapped is None:
        return reading
    mended = reading.mended or (None if reading.errors else reading.boundary)
    return Reading(None, (swapped, *reading.problems), mended)


def _zone(positions: Sequence[Position], limits: Limits) -> int | Problem:
    """Return the zone in whose middle the polygons lie nearest."""
    out = next((p for p in positions if not (73 <= p[0] <= 136 and 3 <= p[1] <= 54)), None)
    if out is not None:
        return problem(
            "lonlat_range",
            f"的坐标 {out[0]}, {out[1]} 不是我国的经纬度",
            line=positions.index(out) + 1,
            place=f"第 {positions.index(out) + 1} 个点",
            found=f"{out[0]}, {out[1]}",
            expected="经度 73 至 136、纬度 3 至 54(度)",
            fix="请核对文件的坐标系是否注明;直角坐标须带 .prj 或 crs",
        )
    longitudes = [east for east, _ in positions]
    middle = (min(longitudes) + max(longitudes)) / 2
    zone = zone_of_longitude(middle)
    if zone in limits.zones:
        return zone
    return problem(
        "wrong_zone",
        f"图形在东经 {middle:.4f}°,属于 {zone} 带",
        found=f"{zone} 带",
        expected=" 或 ".join(f"{allowed} 带" for allowed in limits.zones),
        fix="请核对坐标是否抄错,或文件是否选错",
    )


def _check(shapes: Shapes, system: System, zone: int, source_format: str) -> Reading:
    raw = RawBoundary(source_format, closed=True, noun="个点")
    place = 0
    for shape in shapes.found:
        for count, ring in enumerate(shape.rings):
            if not ring:
                continue
            role = Role.OUTER if count == 0 else Role.HOLE
            out = RawRing(role=role, name=shape.name, top=shape.top, bottom=shape.bottom)
            for number, (east, north) in enumerate(ring, start=1):
                place += 1
                out.points.append(_point(number, east, north, system, zone, place))
            out.line = place
            raw.rings.append(out)
    return check_boundary(raw, shapes.limits)


def _point(number: int, east: float, north: float, system: System, zone: int, place: int) -> Point:
    if system.zone is None:
        north, east = lonlat_to_plane(east, north, zone)
    elif not system.prefixed:
        east += zone * 1_000_000
    x_text, y_text = _metres(north), _metres(east)
    return Point(str(number), x_text, y_text, Decimal(x_text), Decimal(y_text), place)


def _metres(value: float) -> str:
    """Return metres with 2 to 4 decimals."""
    text = f"{value:.4f}"
    for _ in range(2):
        text = text.removesuffix("0")
    return text


def _check_numbers(positions: Sequence[Position]) -> Problem | None:
    for place, position in enumerate(positions, start=1):
        if all(math.isfinite(value) and abs(value) < FARTHEST for value in position):
            continue
        return problem(
            "not_finite",
            f"的坐标 {position[0]:g}, {position[1]:g} 不是可用的数",
            line=place,
            place=f"第 {place} 个点",
            found=f"{position[0]:g}, {position[1]:g}",
            expected="有限的经纬度或米",
            fix="请检查导出该图形的软件,重新导出",
        )
    return None


def too_many_points(limits: Limits, found: str) -> Problem:
    """Say that a file holds more points than one boundary may have."""
    return problem(
        "too_many_points",
        f"图形共有{found}点",
        found=found,
        expected=f"少于 {limits.max_points} 个",
        fix="请只导出这个矿的矿区范围,不要带其他图层",
    )


def _no_polygon(others: set[str]) -> Problem:
    kinds = "、".join(sorted(others)[:4]) or "空文件"
    return problem(
        "no_polygon",
        f"文件里没有面状图形(只有:{kinds})",
        found=kinds,
        expected="面(Polygon 或 MultiPolygon)",
        fix="请把矿区范围存成面图层再导出",
    )
