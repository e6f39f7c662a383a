"""Put rings together to regions, and check regions against each other."""

from itertools import combinations

import shapely
from shapely.geometry import Polygon

from mines.coordinate_rows import RawRing
from mines.readings import Limits, Problem, problem
from mines.rings import Region, Ring, Role, plane_polygon

# Corners are written to the centimetre: a hole may touch its outer ring with that error.
ROUNDING_M = 0.02


def assemble(
    rings: list[RawRing], limits: Limits, noun: str, *, mend: bool = True
) -> tuple[tuple[Region, ...], list[Problem], bool]:
    """Return the regions, their problems, and whether the regions are free of them.

    Elevations given upside down are turned when `mend` is set.
    """
    outers = [ring for ring in rings if ring.role is Role.OUTER]
    problems = [found for ring in outers for found in _check_elevations(ring, noun)]
    solved = all(ring.top != ring.bottom or ring.top is None for ring in outers)
    if not outers:
        return (), [_no_outer(rings, noun)], False
    holes_of: list[list[RawRing]] = [[] for _ in outers]
    grounds = [_ground(ring) for ring in outers]
    for hole in (ring for ring in rings if ring.role is Role.HOLE):
        at = next((n for n, ground in enumerate(grounds) if _covers(ground, hole)), None)
        if at is None:
            problems.append(_hole_outside(hole, noun))
            solved = False
        holes_of[-1 if at is None else at].append(hole)
    regions = []
    for outer, holes in zip(outers, holes_of, strict=True):
        problems += [p for hole in holes for p in _check_hole_elevations(outer, hole, noun)]
        region = _region(outer, holes, mend=mend)
        if _is_plain(outer) and all(map(_is_plain, holes)) and not _holes_fit(region):
            problems.append(_holes_overlap(holes, noun))
            solved = False
        regions.append(region)
    overlaps = _check_overlaps(outers, regions, limits, noun)
    problems += overlaps
    return tuple(regions), problems, solved and all(p.severity != "error" for p in overlaps)


def _region(outer: RawRing, holes: list[RawRing], *, mend: bool) -> Region:
    top, bottom = outer.top, outer.bottom
    if mend and top is not None and bottom is not None and top < bottom:
        top, bottom = bottom, top
    rings = [Ring(tuple(outer.points), Role.OUTER)]
    rings += [Ring(tuple(hole.points), Role.HOLE) for hole in holes]
    return Region(outer.name, top, bottom, tuple(rings))


def _polygon(ring: RawRing) -> Polygon:
    return Polygon([(float(p.y), float(p.x)) for p in ring.points])


def _ground(ring: RawRing) -> Polygon:
    return shapely.make_valid(_polygon(ring))


def _is_plain(ring: RawRing) -> bool:
    return bool(_polygon(ring).is_valid)


def _covers(ground: Polygon, hole: RawRing) -> bool:
    return bool(ground.buffer(ROUNDING_M).covers(_ground(hole)))


def _holes_fit(region: Region) -> bool:
    """Tell whether holes lie side by side; a centimetre of shared ground is rounding."""
    parts = [Polygon([(float(p.y), float(p.x)) for p in r.points]) for r in region.rings[1:]]
    if plane_polygon(region).is_valid:
        return True
    return all(a.intersection(b).area < ROUNDING_M for a, b in combinations(parts, 2))


def _place(ring: RawRing, noun: str) -> str:
    name = f"“{ring.name}”" if ring.name else ""
    return f"第 {ring.line} {noun}结束的区域{name}"


def _no_outer(rings: list[RawRing], noun: str) -> Problem:
    return problem(
        "hole_outside",
        "只有扣除区,没有计入面积的区域",
        line=rings[0].line,
        place=_place(rings[0], noun),
        found="标志 -1",
        expected="至少一个标志为 1 的区域",
        fix="请把矿区范围那一圈的标志改为 1",
    )


def _hole_outside(hole: RawRing, noun: str) -> Problem:
    return problem(
        "hole_outside",
        "是扣除区,却不在任何区域之内",
        line=hole.line,
        place=_place(hole, noun),
        found="扣除区在区域之外或越过边界",
        expected="完全落在一个区域之内的扣除区",
        fix="请核对扣除区的坐标,或把标志 -1 改为 1",
    )


def _holes_overlap(holes: list[RawRing], noun: str) -> Problem:
    return problem(
        "holes_overlap",
        "与同一区域的其他扣除区重叠",
        line=holes[-1].line,
        place=_place(holes[-1], noun),
        found="扣除区相互重叠",
        expected="互不重叠的扣除区",
        fix="请把相互重叠的扣除区合成一个",
    )


def _check_elevations(ring: RawRing, noun: str) -> list[Problem]:
    if ring.top is None or ring.bottom is None or ring.top > ring.bottom:
        return []
    turned = ring.top < ring.bottom
    return [
        problem(
            "elevation_order",
            f"的起标高 {ring.top} 米不高于止标高 {ring.bottom} 米",
            line=ring.line,
            place=_place(ring, noun),
            found=f"{ring.top} 至 {ring.bottom} 米",
            expected="起标高(上限)高于止标高(下限)",
            fix="请对调两个标高,或采用旁边对调后的标高" if turned else "请核对标高",
        )
    ]


def _check_hole_elevations(outer: RawRing, hole: RawRing, noun: str) -> list[Problem]:
    heights = {hole.top, hole.bottom} - {None}
    if heights <= {outer.top, outer.bottom}:
        return []
    return [
        problem(
            "hole_elevation",
            f"是扣除区,标高 {hole.top} 至 {hole.bottom} 米与所在区域不同,按整个标高扣除",
            line=hole.line,
            place=_place(hole, noun),
            found=f"{hole.top} 至 {hole.bottom} 米",
            expected=f"{outer.top} 至 {outer.bottom} 米",
            fix="只在部分标高扣除时,请拆成上下几个区域",
            severity="warning",
        )
    ]


def _check_overlaps(
    outers: list[RawRing], regions: list[Region], limits: Limits, noun: str
) -> list[Problem]:
    grounds = [shapely.make_valid(plane_polygon(region)) for region in regions]
    found = []
    pairs = shapely.STRtree(grounds).query(grounds, predicate="intersects").T
    for first, second in sorted((int(a), int(b)) for a, b in pairs if a < b):
        shared = grounds[first].intersection(grounds[second]).area
        if shared <= limits.overlap_m2:
            continue
        stacked = _stacked(regions[first], regions[second])
        found.append(
            problem(
                "regions_stacked" if stacked else "regions_overlap",
                f"与前面第 {outers[first].line} {noun}结束的区域重叠 {shared:.0f} 平方米",
                line=outers[second].line,
                place=_place(outers[second], noun),
                found=f"重叠 {shared:.0f} 平方米",
                expected="互不重叠的区域",
                fix="两区域标高上下分开,面积按投影只计一次,请核对"
                if stacked
                else "请核对两个区域的坐标,扣除区的标志应为 -1",
                severity="warning" if stacked else "error",
            )
        )
    return found


def _stacked(first: Region, second: Region) -> bool:
    """Tell whether one region lies wholly above the other."""
    heights = [first.elevation_bottom, first.elevation_top]
    heights += [second.elevation_bottom, second.elevation_top]
    bottom, top, other_bottom, other_top = heights
    if bottom is None or top is None or other_bottom is None or other_top is None:
        return False
    return bottom >= other_top or other_bottom >= top
