"""Check rings: closing, doubled corners, numbers, crossings; mend what can be mended.

Each step reports what it finds in the rings as the steps before it left them. A step that cannot
put a problem right marks the check as stuck; then no mended boundary is offered.
"""

import re
from dataclasses import replace

import shapely
from shapely.geometry import LineString, Polygon
from shapely.geometry import Point as Spot

from mines.coordinate_rows import RawBoundary, RawRing, label_numbers
from mines.crossings import part_crossing
from mines.point_checks import Check, add_zone, check_count, check_places, swap_axes
from mines.readings import Limits, Problem, Reading, problem, refused
from mines.region_checks import assemble
from mines.rings import Boundary, Point, renumbered

MOST_PROBLEMS = 50


def check_boundary(raw: RawBoundary, limits: Limits, assume_zone: int | None = None) -> Reading:
    """Return what the raw rings give: as written, their problems, and mended."""
    if any(p.severity == "error" for p in raw.problems):
        return refused(*_first(raw.problems))
    check = Check(raw, limits, assume_zone)
    if not check_count(check):
        return Reading(None, tuple(check.problems))
    swap_axes(check)
    if not add_zone(check):
        return Reading(None, tuple(check.problems))
    placed_as_given = not check.changed
    zone = check_places(check)
    if zone is None:
        return Reading(None, tuple(check.problems))
    given = _as_given(raw, zone, limits) if placed_as_given else None
    for ring in check.rings:
        _close(check, ring)
        _renumber(check, ring)
        _drop_doubles(check, ring)
    hollow = [ring for ring in check.rings if not _has_corners(check, ring)]
    if hollow:
        return Reading(given, tuple(check.problems))
    _uncross(check)
    regions, found, solved = assemble(check.rings, limits, raw.noun)
    changed = check.changed or any(p.code == "elevation_order" for p in found)
    offered = changed and solved and not check.stuck
    mended = Boundary(regions, zone, raw.source_format) if offered else None
    return Reading(given, (*check.problems, *found), mended)


def _first(problems: list[Problem]) -> list[Problem]:
    """Return the first problems, and one that counts the others: nobody reads thousands."""
    more = len(problems) - MOST_PROBLEMS
    if more <= 0:
        return problems
    rest = problem(
        "more_problems",
        f"另有 {more} 处问题没有列出",
        found=f"{more} 处",
        expected="没有问题的坐标表",
        fix="请先改正上面列出的问题再提交",
    )
    return [*problems[:MOST_PROBLEMS], rest]


def _as_given(raw: RawBoundary, zone: int, limits: Limits) -> Boundary | None:
    """Return the rings as written; None when one has too few corners to draw."""
    rings = raw.rings
    if raw.closed:
        rings = [replace(ring, points=_opened(ring.points)) for ring in rings]
    if any(len(ring.points) < 3 for ring in rings):
        return None
    regions, _, _ = assemble(rings, limits, raw.noun, mend=False)
    return Boundary(regions, zone, raw.source_format) if regions else None


def _opened(points: list[Point]) -> list[Point]:
    """Return the points without a repeated first one."""
    again = (points[0].x, points[0].y) == (points[-1].x, points[-1].y)
    return points[:-1] if again and len(points) > 1 else points


def _close(check: Check, ring: RawRing) -> None:
    """Take away a repeated first corner; refuse a first number repeated elsewhere."""
    first, last = ring.points[0], ring.points[-1]
    if len(ring.points) > 1 and (first.x, first.y) == (last.x, last.y):
        ring.points.pop()
        if not check.raw.closed:
            check.changed = True
            check.report(
                "closing_point",
                "重复了本区域的第一个拐点",
                found=f"{last.x_text},{last.y_text}",
                expected="末点之后自动回到第一点,不重复写出",
                fix="请删去这一行,或采用旁边去掉末点的坐标",
                severity="warning",
                **check.place([last]),
            )
    elif len(ring.points) > 3 and _same_number(first, last):
        check.stuck = True
        check.report(
            "unclosed",
            f"又写了第一个点号“{last.number}”,但坐标与第一点不同,环没有闭合",
            found=f"{last.x_text},{last.y_text}",
            expected=f"第一点的坐标 {first.x_text},{first.y_text}",
            fix="请核对这两行哪一行抄错了",
            **check.place([last]),
        )
    elif check.raw.closed:
        check.report(
            "auto_closed",
            "之后没有回到第一点,已自动闭合",
            found=f"{last.x_text},{last.y_text}",
            expected=f"末点与第一点 {first.x_text},{first.y_text} 相同",
            fix="请核对是否漏掉了最后的拐点",
            severity="warning",
            **check.place([last]),
        )


def _same_number(first: Point, last: Point) -> bool:
    number = label_numbers(first.number)
    return bool(number) and number == label_numbers(last.number)


def _drop_doubles(check: Check, ring: RawRing) -> None:
    """Take away corners that stand at the same place as the one before them."""
    kept = ring.points[:1]
    doubled: list[Point] = []
    for point in ring.points[1:]:
        same = (point.x, point.y) == (kept[-1].x, kept[-1].y)
        (doubled if same else kept).append(point)
    if doubled:
        check.changed = True
        ring.points = list(renumbered(kept))
        check.report(
            "doubled_point",
            f"的拐点 {doubled[0].number} 与前一拐点坐标相同",
            found=f"{doubled[0].x_text},{doubled[0].y_text}",
            expected="相邻拐点各在不同位置",
            fix="请删去重复的一行,或采用旁边去重后的坐标",
            **check.place(doubled),
        )


def _renumber(check: Check, ring: RawRing) -> None:
    """Report corner numbers that do not run from 1, and number the ring anew."""
    if any(not label_numbers(p.number) for p in ring.points):
        return
    before = len(check.problems)
    start = label_numbers(ring.points[0].number)[0]
    if start != 1:
        _report_number(
            check,
            "numbering_start",
            ring.points[:1],
            f"的点号从 {start} 开始",
            "每个区域的点号从 1 开始",
            "请核对前面的拐点是否漏抄;没有漏抄时可采用旁边重新编号的坐标",
        )
    due, gaps = start, []
    for last, point in zip([None, *ring.points], ring.points, strict=False):
        numbers = label_numbers(point.number)
        if len(numbers) > 1 and due in numbers:
            _report_number(
                check,
                "numbering_double",
                [point],
                f"的点号“{point.number}”里有两个数",
                f"一个点号 {due}",
                f"请改为 {due},并核对这一行是否合并了两个拐点",
            )
            numbers = [due]
        # A corner written twice, number and all, is reported as doubled.
        twice = last is not None and (last.number, last.x, last.y) == (
            point.number,
            point.x,
            point.y,
        )
        if numbers[-1] != due and not twice:
            gaps.append((point, due))
        due = numbers[-1] + 1
    if gaps:
        point, wanted = gaps[0]
        _report_number(
            check,
            "numbering_gap",
            [point for point, _ in gaps],
            f"的点号 {point.number} 没有接着上一点",
            f"点号 {wanted}",
            "请核对是否漏抄了拐点或抄错了点号",
        )
    if len(check.problems) > before:
        check.changed = True
        ring.points = list(renumbered(ring.points))


def _report_number(
    check: Check, code: str, points: list[Point], what: str, expected: str, fix: str
) -> None:
    check.report(
        code,
        what,
        found=points[0].number,
        expected=expected,
        fix=fix,
        severity="warning",
        **check.place(points),
    )


def _has_corners(check: Check, ring: RawRing) -> bool:
    """Tell whether a ring encloses anything: three corners not on one line."""
    count = len(ring.points)
    where = check.place(ring.points[-1:])
    if count < 3:
        check.report(
            "too_few_points",
            f"所在区域{_quoted(ring.name)}只有 {count} 个不同的拐点",
            found=str(count),
            expected="至少 3 个拐点",
            fix="请补齐这个区域的拐点",
            **where,
        )
        return False
    if _plane(ring).convex_hull.area < 1e-6:
        check.report(
            "no_area",
            f"所在区域{_quoted(ring.name)}的拐点都在一条直线上",
            found="面积为 0",
            expected="围成一块面积的拐点",
            fix="请核对是否抄错了坐标",
            **where,
        )
        return False
    return True


def _uncross(check: Check) -> None:
    """Report rings that cross or touch themselves, and part them at the crossings."""
    parted: list[RawRing] = []
    for ring in check.rings:
        polygon = _plane(ring)
        if polygon.is_valid:
            parted.append(ring)
            continue
        _report_crossing(check, ring, polygon)
        parts = part_crossing(ring, polygon, check.limits.overlap_m2)
        check.stuck |= not parts
        check.changed = True
        parted += parts
    check.rings = parted


def _report_crossing(check: Check, ring: RawRing, polygon: Polygon) -> None:
    found = re.search(r"\[(\S+) (\S+)\]", shapely.is_valid_reason(polygon))
    y, x = (float(found[1]), float(found[2])) if found else (0.0, 0.0)
    edges = _edges_at(ring.points, Spot(y, x))
    sides = " 与 ".join(f"{a.number}—{b.number} 边" for a, b in edges[:2])
    check.report(
        "self_crossing",
        f"起的区域{_quoted(ring.name)}边界自相交:{sides}在 X {x:.2f},Y {y:.2f} 处相交或相接",
        found=f"X {x:.2f},Y {y:.2f}",
        expected="各边互不相交的一圈",
        fix="请核对拐点的顺序和坐标,或核对旁边在交点处断开后的图形与面积",
        **check.place([edges[0][0]] if edges else ring.points[:1]),
    )


def _quoted(name: str) -> str:
    return f"“{name}”" if name else ""


def _plane(ring: RawRing) -> Polygon:
    return Polygon([(float(p.y), float(p.x)) for p in ring.points])


def _edges_at(points: list[Point], spot: Spot) -> list[tuple[Point, Point]]:
    """Return the edges that pass through a place, those without a common corner first."""
    edges = [
        (a, b)
        for a, b in zip(points, [*points[1:], *points[:1]], strict=True)
        if LineString([(float(a.y), float(a.x)), (float(b.y), float(b.x))]).distance(spot) < 1e-3
    ]
    if len(edges) > 2 and edges[0][1] is edges[1][0]:
        edges = [edges[0], *edges[2:], edges[1]]
    return edges
