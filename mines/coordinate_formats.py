"""Read the three fixed coordinate texts: registration rows, XY keys, land parcels."""

import re
from decimal import Decimal

from mines.coordinate_rows import (
    CONVERSION,
    RawBoundary,
    RawRing,
    add_point,
    plain,
    read_elevation,
)
from mines.readings import Problem, problem
from mines.rings import Role

XY_KEY = re.compile(r"\s*XY\s*\d+\s*[=＝]", re.IGNORECASE)
STAR = re.compile(r"\s*[*＊]\s*[,，\t]")
ROW_COUNT = re.compile(r"总行数\s*=\s*(\d{1,6})")


def read_registration_rows(text: str) -> RawBoundary:
    """Read `n,X,Y` rows, each ring ended by `*,top,bottom,name,flag` (1 counted, -1 hole)."""
    raw = RawBoundary("registration")
    rows = [(n, line) for n, line in enumerate(text.split("\n"), 1)]
    _read_rows(raw, rows)
    return raw


def read_xy_keys(text: str) -> RawBoundary:
    """Read `XY001=1,X,Y` rows, each ring ended by `XY005=标高,top,bottom,name,flag`."""
    raw = RawBoundary("xy_keys")
    rows = []
    for n, line in enumerate(text.split("\n"), 1):
        key = XY_KEY.match(line)
        if key:
            rows.append((n, re.sub(r"^\s*标高", "*", line[key.end() :])))
    _read_rows(raw, rows)
    stated = ROW_COUNT.search(plain(text))
    if stated and int(stated[1]) != len(rows):
        raw.problems.append(
            problem(
                "row_count",
                f"文件头写明共 {stated[1]} 行坐标与标高,实际读到 {len(rows)} 行",
                found=str(len(rows)),
                expected=f"{stated[1]} 行",
                fix="请核对是否漏抄或多抄了拐点",
                severity="warning",
            )
        )
    return raw


def _read_rows(raw: RawBoundary, rows: list[tuple[int, str]]) -> None:
    ring = RawRing(line=rows[0][0] if rows else 1)
    for number, line in rows:
        cells = re.split(r"[,，\t]", line)
        values = [plain(cell) for cell in cells]
        if values[0] == "*":
            _end_ring(raw, ring, cells, number)
            ring = RawRing(line=number + 1)
        elif len(values) >= 3 and any(re.search(r"\d|\*|nan|inf", v, re.I) for v in values[:3]):
            add_point(raw, ring, values[0], values[1], values[2], number)
        elif re.search(r"\d{5}", plain(line)):
            raw.problems.append(
                problem(
                    "row_incomplete",
                    f"“{plain(line)[:40]}”不是完整的拐点行",
                    line=number,
                    found=plain(line)[:40],
                    expected="“点号,X,Y”三项",
                    fix="请补齐缺少的一项,各项之间用逗号分开",
                )
            )
    if ring.points:
        raw.rings.append(ring)
        raw.problems.append(
            problem(
                "missing_star",
                "最后一个区域没有以“*”行结束,按到此为止读取",
                line=ring.points[-1].line,
                found="无“*”行",
                expected="“*,起标高,止标高,名称,1,”",
                fix="请确认拐点没有被截断,并补上标高",
                severity="warning",
            )
        )


def _end_ring(raw: RawBoundary, ring: RawRing, cells: list[str], line: int) -> None:
    cells = [*cells, "", "", "", ""]
    top, bottom = read_elevation(cells[1], line), read_elevation(cells[2], line)
    raw.problems += [value for value in (top, bottom) if isinstance(value, Problem)]
    ring.top = top if isinstance(top, Decimal) else None
    ring.bottom = bottom if isinstance(bottom, Decimal) else None
    ring.name, ring.line = cells[3].strip(), line
    flag = plain(cells[4])
    if flag not in ("", "1", "+1", "-1"):
        raw.problems.append(
            problem(
                "unknown_flag",
                f"末尾的标志“{flag[:12]}”无法识别",
                line=line,
                found=flag[:12],
                expected="1(计入面积)或 -1(扣除)",
                fix="请改为 1 或 -1",
            )
        )
    ring.role = Role.HOLE if flag == "-1" else Role.OUTER
    if ring.points:
        raw.rings.append(ring)
    elif not raw.problems:
        raw.problems.append(
            problem(
                "empty_region",
                "的“*”行前面没有拐点",
                line=line,
                found="0 个拐点",
                expected="至少 3 个拐点行",
                fix="请补上这个区域的拐点,或删去这一行",
            )
        )


def read_land_parcels(text: str) -> RawBoundary:
    """Read `[属性描述]` and `[地块坐标]`: a head ending in @, then `J1,ring number,X,Y` rows.

    Ring number 1 is the outer ring of a parcel, higher numbers are its holes.
    """
    raw = RawBoundary("land_parcels", closed=True)
    rings: dict[str, RawRing] = {}
    name, stated, head_line, read = "", 0, 0, 0
    for number, line in enumerate(text.split("\n"), 1):
        values = [plain(cell) for cell in re.split(r"[,，\t]", line)]
        if "=" in plain(line) and not rings and not head_line:
            _read_attribute(raw, plain(line), number)
        elif values[-1] == "@" or (len(values) > 4 and "@" in values[4:]):
            _check_count(raw, stated, read, head_line)
            rings, read, head_line = {}, 0, number
            name = values[3] if len(values) > 3 else ""
            stated = int(values[0]) if re.fullmatch(r"\d{1,6}", values[0]) else 0
        elif len(values) >= 4 and head_line:
            if values[1] not in rings:
                role = Role.HOLE if rings else Role.OUTER
                rings[values[1]] = RawRing(role=role, name=name, line=number)
                raw.rings.append(rings[values[1]])
            add_point(raw, rings[values[1]], values[0], values[2], values[3], number)
            read += 1
        elif re.search(r"\d{5}", plain(line)):
            raw.problems.append(
                problem(
                    "row_incomplete",
                    f"“{plain(line)[:40]}”不是完整的拐点行",
                    line=number,
                    found=plain(line)[:40],
                    expected="以“@”结尾的地块行,其后各行为“点号,圈号,X,Y”",
                    fix="请补齐缺少的内容",
                )
            )
    _check_count(raw, stated, read, head_line)
    raw.rings = [ring for ring in raw.rings if ring.points]
    return raw


def _read_attribute(raw: RawBoundary, line: str, number: int) -> None:
    key, _, value = (part.strip() for part in line.partition("="))
    accepted = {
        "坐标系": (r".*2000.*", "datum_unknown", "2000国家大地坐标系", CONVERSION),
        "几度分带": (r"3|3度|三度|", "zone_width", "3(3 度分带)", "请换算为 3 度带坐标后再提交"),
        "投影类型": (r"高斯.*|", "projection", "高斯克吕格", "请换算为高斯-克吕格投影"),
        "计量单位": (r"米|m|", "unit", "米", "请换算为以米为单位的坐标"),
    }
    if key == "带号" and re.fullmatch(r"\d{1,2}", value):
        raw.zone = int(value)
    elif key in accepted:
        pattern, code, expected, fix = accepted[key]
        if not re.fullmatch(pattern, value):
            raw.problems.append(
                problem(
                    code,
                    f"“{key}”写的是“{value[:24]}”",
                    line=number,
                    found=value[:24],
                    expected=expected,
                    fix=fix,
                )
            )


def _check_count(raw: RawBoundary, stated: int, read: int, line: int) -> None:
    if stated and stated != read:
        raw.problems.append(
            problem(
                "row_count",
                f"写明这一地块有 {stated} 个点,实际读到 {read} 个",
                line=line,
                found=str(read),
                expected=f"{stated} 个",
                fix="请核对是否漏抄或多抄了拐点",
                severity="warning",
            )
        )
