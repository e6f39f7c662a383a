"""Check corners one by one: axes, zone prefix, digits, ranges; mend axes and prefix."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from mines.coordinate_rows import RawBoundary
from mines.readings import Limits, list_places, problem
from mines.rings import FIRST_ZONE, LAST_ZONE, Point, point_to_lonlat


class Check:
    """Carry the rings through the checks, mended as far as they went.

    `changed` tells that something was mended, `stuck` that something cannot be.
    """

    def __init__(self, raw: RawBoundary, limits: Limits, assume_zone: int | None) -> None:
        self.raw = raw
        self.limits = limits
        self.problems = list(raw.problems)
        self.rings = [replace(ring, points=list(ring.points)) for ring in raw.rings]
        self.assume_zone = assume_zone if assume_zone is not None else raw.zone
        self.stuck = False
        self.changed = False

    def report(self, code: str, what: str, **details: object) -> None:
        """Add a problem; keywords as for `readings.problem`."""
        self.problems.append(problem(code, what, **details))  # type: ignore[arg-type]

    def place(self, points: Iterable[Point]) -> dict[str, object]:
        """Return the keywords that name the places of these points in a message."""
        lines = [point.line for point in points]
        return {"line": lines[0], "place": list_places(lines, self.raw.noun)}


def _whole_digits(value: Decimal) -> int:
    return len(str(abs(int(value))))


def _zone_prefix(value: Decimal) -> int | None:
    """Return the zone an easting of 8 whole digits carries, of 3 or of 6 degrees."""
    zone = int(value) // 1_000_000
    return zone if _whole_digits(value) == 8 and 13 <= zone <= LAST_ZONE else None


def _is_swapped(point: Point) -> bool:
    northing_in_y = _whole_digits(point.y) == 7 and point.y > 0
    return northing_in_y and (_zone_prefix(point.x) is not None or _whole_digits(point.x) == 6)


def check_count(check: Check) -> bool:
    count = sum(len(ring.points) for ring in check.rings)
    if not count:
        check.report(
            "nothing_found",
            "没有找到拐点坐标",
            found="0 个拐点",
            expected="登记格式(点号,X,Y 与“*”行)、XY001= 格式、[地块坐标] 格式,或拐点表",
            fix="请把拐点表连同点号、X、Y 三列一起复制过来",
        )
    elif count >= check.limits.max_points:
        check.report(
            "too_many_points",
            f"共有 {count} 个拐点",
            found=str(count),
            expected=f"少于 {check.limits.max_points} 个",
            fix="请删去直线上多余的点,或确认没有把等高线等其他图层一起导出",
        )
    return 0 < count < check.limits.max_points


def swap_axes(check: Check) -> None:
    points = [p for ring in check.rings for p in ring.points if _is_swapped(p)]
    if not points:
        return
    first = points[0]
    check.report(
        "swapped_axes",
        f"的 X 与 Y 写反了:X 为 {first.x_text},Y 为 {first.y_text}",
        found=f"X {first.x_text},Y {first.y_text}",
        expected="X 为北坐标(7 位),Y 为东坐标(带号加 6 位)",
        fix="请对调这两列,或采用旁边对调后的坐标",
        **check.place(points),
    )
    for ring in check.rings:
        ring.points = [
            replace(p, x_text=p.y_text, y_text=p.x_text, x=p.y, y=p.x) if _is_swapped(p) else p
            for p in ring.points
        ]
    check.changed = True


def add_zone(check: Check) -> bool:
    """Put the zone in front of bare eastings where it is known; tell whether all have one."""
    bare = [p for r in check.rings for p in r.points if _whole_digits(p.y) <= 6 and p.y > 0]
    if not bare:
        return True
    zones = check.limits.zones if check.assume_zone is None else (check.assume_zone,)
    first = bare[0]
    choices = []
    for zone in zones:
        y_text = _prefixed(first.y_text, zone)
        longitude, _ = point_to_lonlat(first.x, Decimal(y_text), zone)
        choices.append(f"{zone} 带 {y_text}(东经 {longitude:.4f}°)")
    check.report(
        "missing_zone",
        f"的 Y“{first.y_text}”缺少带号",
        found=first.y_text,
        expected="带号加 6 位的 8 位整数,可能是 " + " 或 ".join(choices),
        fix="请按矿山所在经度选定带号" if len(zones) > 1 else "请核对后采用补上带号的坐标",
        **check.place(bare),
    )
    if len(zones) > 1:
        return False
    for ring in check.rings:
        ring.points = [_with_zone(p, zones[0]) for p in ring.points]
    check.changed = True
    return True


def _with_zone(point: Point, zone: int) -> Point:
    if _whole_digits(point.y) > 6 or point.y <= 0:
        return point
    text = _prefixed(point.y_text, zone)
    return replace(point, y_text=text, y=Decimal(text))


def check_places(check: Check) -> int | None:
    """Check digits, zones and ranges; return the zone when all corners can be drawn."""
    points = [p for ring in check.rings for p in ring.points]
    shapeless = [p for p in points if _zone_prefix(p.y) is None]
    if shapeless:
        check.stuck = True
        check.report(
            "y_digits",
            f"的 Y“{shapeless[0].y_text}”位数不对",
            found=shapeless[0].y_text,
            expected="带号加 6 位的 8 位整数,如 37623300.83",
            fix="请核对是否多写或少写了数字",
            **check.place(shapeless),
        )
    by_zone: dict[int, list[Point]] = {}
    for point in points:
        by_zone.setdefault(_zone_prefix(point.y) or 0, []).append(point)
    zones = [zone for zone in by_zone if zone]
    for zone in zones:
        if zone not in check.limits.zones:
            _report_zone(check, zone, by_zone[zone])
    if len(zones) > 1:
        check.stuck = True
        fewest = min(zones, key=lambda zone: len(by_zone[zone]))
        check.report(
            "mixed_zones",
            f"的带号是 {fewest},与其余拐点的带号不同",
            found="、".join(str(zone) for zone in sorted(zones)) + " 带",
            expected="全部拐点用同一个带号",
            fix="请把全部拐点换算到同一带后再提交",
            **check.place(by_zone[fewest]),
        )
    if check.raw.zone is not None and zones and zones != [check.raw.zone]:
        check.stuck = True
        check.report(
            "zone_mismatch",
            f"文件头写明带号 {check.raw.zone},而 Y 坐标以 {zones[0]} 开头",
            found=f"{zones[0]} 带",
            expected=f"{check.raw.zone} 带",
            fix="请核对带号与坐标哪一个写错了",
        )
    reach = _check_ranges(check, points)
    drawable = not shapeless and reach and len(zones) == 1
    return zones[0] if drawable and zones[0] >= FIRST_ZONE else None


def _report_zone(check: Check, zone: int, points: list[Point]) -> None:
    check.stuck = True
    six = "(这是 6 度带的带号,登记坐标用 3 度带)" if zone < FIRST_ZONE else ""
    check.report(
        "wrong_zone",
        f"的 Y 坐标带号是 {zone}{six}",
        found=f"{zone} 带",
        expected=" 或 ".join(f"{allowed} 带" for allowed in check.limits.zones),
        fix="请核对 Y 的前两位,或把坐标换算到本市所在的 3 度带",
        **check.place(points),
    )


def _check_ranges(check: Check, points: list[Point]) -> bool:
    """Report northings and eastings out of range; tell whether all can be projected."""
    low, high, reach = check.limits.x_min, check.limits.x_max, check.limits.reach_m
    out = [p for p in points if not low <= p.x <= high]
    if out:
        check.stuck = True
        check.report(
            "x_range",
            f"的 X“{out[0].x_text}”不在本地范围内",
            found=out[0].x_text,
            expected=f"{low} 至 {high} 之间的北坐标(米)",
            fix="请核对是否抄错了前几位数字",
            **check.place(out),
        )
    far = [p for p in points if _zone_prefix(p.y) and abs(p.y % 1_000_000 - 500_000) > reach]
    if far:
        check.stuck = True
        check.report(
            "y_range",
            f"的 Y“{far[0].y_text}”离本带中央子午线超过 {reach // 1000} 千米",
            found=far[0].y_text,
            expected=f"带号后的 6 位在 {500_000 - reach} 至 {500_000 + reach} 之间",
            fix="请核对带号后的数字,或改用相邻带的坐标",
            **check.place(far),
        )
    return all(0 < p.x < 10_000_000 for p in points)


def _prefixed(y_text: str, zone: int) -> str:
    whole, dot, decimals = y_text.lstrip("+").partition(".")
    return f"{zone}{whole.lstrip('0').zfill(6)}{dot}{decimals}"
