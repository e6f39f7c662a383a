"""Read a registry workbook made from the template: its rows, and every cell that is wrong."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from stdnum.cn import uscc

from mines.readings import Problem
from mines.sheets import CellProblem, Misread, Severity, Workbook, problem_at, shown
from mines.workbook_cells import plain
from mines.workbook_columns import (
    CORNERS,
    HEAD_ROW,
    HEADS,
    LICENCE_FIELDS,
    LICENCE_NO_LENGTH,
    MINES,
    STOCKS,
    SYSTEMS,
    Table,
)
from mines.workbook_corners import read_corners
from mines.workbook_rows import MineEntry, ParsedRegistry, Snapshot
from mines.workbook_tables import Reading, Rows

NEW_NUMBER = re.compile(r"C\d{6}(19|20)\d{2}(0[1-9]|1[0-2])\d{10}")


def read_registry(
    workbook: Workbook, *, snapshot: Snapshot, minerals: Mapping[str, str], as_of: str
) -> ParsedRegistry:
    """Return all rows and problems of a workbook that has our sheets.

    `minerals` maps plain names to codes; `as_of` is the ISO day for stocks without one.
    """
    reading = Reading(snapshot, minerals)
    parsed = ParsedRegistry()
    sheet = workbook.sheet(MINES.sheet)
    if sheet is None:
        reading.whole(
            MINES.sheet,
            "missing_sheet",
            f"缺少工作表“{MINES.sheet}”。请恢复这张工作表，或重新下载模板后再填。",
        )
        parsed.problems = reading.problems
        return parsed
    rows = reading.rows(MINES, sheet)
    parsed.mines = settle(reading, sheet.name, rows, lambda field: MINES.positions.get(field, 0))
    keys = _Keys(parsed.mines, snapshot)
    _read_systems(reading, workbook, keys, parsed)
    _read_stocks(reading, workbook, keys, parsed, as_of)
    _read_boundaries(reading, workbook, keys, parsed)
    parsed.problems = reading.problems
    return parsed


def is_template(workbook: Workbook) -> bool:
    """Tell whether the workbook has our first sheet under our heads."""
    sheet = workbook.sheet(MINES.sheet)
    if sheet is None:
        return False
    heads = {plain(shown(sheet.value(HEAD_ROW, at))) for at in range(1, len(MINES.columns) + 1)}
    ours = {plain(column.head) for column in MINES.columns}
    return len(heads & ours) > len(ours) // 2


def settle(
    reading: Reading,
    sheet: str,
    rows: Iterable[tuple[int, dict[str, str]]],
    position: Callable[[str], int],
) -> list[MineEntry]:
    """Give every row its registry number, and hold it to what a mine must satisfy."""
    snapshot = reading.snapshot
    by_licence: dict[str, str] = {}
    by_name: dict[str, list[str]] = {}
    for known in snapshot.mines.values():
        if known.fields["licence_no"]:
            by_licence[known.fields["licence_no"]] = known.registry_no
        by_name.setdefault(plain(known.fields["name"]), []).append(known.registry_no)
    entries: list[MineEntry] = []
    seen: dict[str, int] = {}
    next_number = snapshot.next_number
    county = plain(snapshot.county_name)

    def say(
        row: int, field: str, misread: Misread, found: str, severity: Severity = "error"
    ) -> None:
        reading.at(sheet, row, position(field) or position("name") or 1, misread, found, severity)

    for row, fields in rows:
        given_county = fields.pop("county", "")
        if given_county and plain(given_county) != county:
            says = (
                f"不是{snapshot.county_name}。这次只能导入{snapshot.county_name}的矿山，"
                "请删去这一行，由所属县（市、区）导入。"
            )
            say(row, "county", Misread("other_county", says, snapshot.county_name), given_county)
            continue
        _check_licence_no(row, fields, say)
        if fields.get("ore_bodies"):
            codes = {code for code in re.split(r"[、,，;；\s]+", fields["ore_bodies"]) if code}
            fields["ore_bodies"] = "、".join(sorted(codes))
        number = fields.pop("registry_no", "")
        if not number:
            number = (
                by_licence.get(fields.get("licence_no", ""), "") if fields.get("licence_no") else ""
            )
            named = by_name.get(plain(fields.get("name", "")), [])
            if not number and len(named) == 1:
                number = named[0]
        if not number:
            number = f"SZ-{snapshot.county_code}-{next_number:04d}"
            next_number += 1
        if number in seen:
            says = f"与第{seen[number]}行是同一座矿山（{number}）。每座矿山只能有一行，请删去一行。"
            say(row, "registry_no", Misread("duplicate_mine", says, "每座矿山一行"), number)
            continue
        seen[number] = row
        known_mine = snapshot.mines.get(number)
        merged = {**known_mine.fields, **fields} if known_mine else fields
        if known_mine is None:
            _check_new(reading, sheet, row, fields, position)
        _check_mine(row, merged, say)
        entries.append(MineEntry(row, number, fields))
    if not entries and not reading.problems:
        reading.whole(sheet, "no_mines", f"工作表“{sheet}”里没有矿山。请每座矿山填写一行后再上传。")
    return entries


def _check_new(
    reading: Reading,
    sheet: str,
    row: int,
    fields: Mapping[str, str],
    position: Callable[[str], int],
) -> None:
    """A new mine needs what every mine must have, even where the table has no such column."""
    for column in MINES.columns:
        if column.required and column.field not in fields:
            says = f"是新增的矿山，但表中没有“{column.head}”。请补上这一列后再上传。"
            misread = Misread("new_needs", says, column.head)
            place = position("name") or 1
            found = fields.get("name", "")
            reading.problems.append(problem_at(sheet, row, place, misread, found))


def _check_licence_no(row: int, fields: dict[str, str], say: Callable[..., None]) -> None:
    number = fields.get("licence_no", "")
    if not number or NEW_NUMBER.fullmatch(number):
        return
    if re.fullmatch(r"\d{22}", number) and NEW_NUMBER.fullmatch(f"C{number}"):
        says = f"缺少开头的字母 C，已按 C{number} 读取。请核对。"
        say(row, "licence_no", Misread("licence_c", says, f"C{number}"), number, "warning")
        fields["licence_no"] = f"C{number}"
    elif len(number) > LICENCE_NO_LENGTH:
        says = f"有 {len(number)} 个字，超过 {LICENCE_NO_LENGTH} 个字。请只填一个证号。"
        say(row, "licence_no", Misread("licence_long", says, "一个证号"), number)
    elif re.fullmatch(r"C[\dO]{22}", number):
        says = "夹有字母 O。请改为数字 0。"
        say(row, "licence_no", Misread("licence_letter", says, number.replace("O", "0")), number)
    elif number.startswith("C"):
        says = "不是 C 加 22 位数字，按旧证号记录。请核对是否漏写或多写了数字。"
        say(row, "licence_no", Misread("licence_form", says, "C 加 22 位数字"), number, "warning")


@lru_cache(maxsize=65536)
def _is_uscc(code: str) -> bool:
    return bool(uscc.is_valid(code))


def _check_mine(row: int, mine: dict[str, str], say: Callable[..., None]) -> None:
    """Check what lies between the cells of one row."""
    code = mine.get("uscc", "")
    if code and not _is_uscc(code):
        says = "不是有效的统一社会信用代码（18 位，末位为校验码）。请照营业执照核对。"
        say(row, "uscc", Misread("bad_uscc", says, "18 位、校验码正确的代码"), code)
    if any(mine.get(field) for field in LICENCE_FIELDS):
        for field in ("licence_no", "valid_from", "valid_to"):
            if not mine.get(field):
                head = HEADS[field]
                says = f"没有填写“{head}”。填了采矿许可证的内容，证号和有效期起止必须填全。"
                say(row, field, Misread("licence_incomplete", says, head), "")
    start, end = mine.get("valid_from", ""), mine.get("valid_to", "")
    if start and end and end < start:
        says = f"早于有效期起 {start}。请核对两个日期。"
        say(row, "valid_to", Misread("ends_before_start", says, f"不早于 {start}"), end)
    top, bottom = mine.get("elevation_top_m", ""), mine.get("elevation_bottom_m", "")
    if top and bottom and float(top) <= float(bottom):
        says = f"不高于开采标高止 {bottom} 米。起为上限，止为下限，请核对。"
        say(row, "elevation_top_m", Misread("top_below_bottom", says, f"大于 {bottom}"), top)
    _check_scale(row, "scale", mine.get("scale", ""), "scale_unit", mine.get("scale_unit"), say)
    density = mine.get("density", "")
    if density and not 0 < float(density) < 10:
        says = "不合理，应大于 0 且小于 10 吨/立方米。请核对数值和单位。"
        say(row, "density", Misread("density", says, "0 到 10 之间"), density)


def _check_scale(
    row: int, field: str, scale: str, unit_field: str, unit: str | None, say: Callable[..., None]
) -> None:
    if scale and not float(scale) > 0:
        says = "应大于 0。没有规模的请留空。"
        say(row, field, Misread("scale_zero", says, "大于 0"), scale)
    elif scale and not unit:
        says = f"没有填写“{HEADS[unit_field]}”。填了规模就要选择万吨/年或万立方米/年。"
        say(row, unit_field, Misread("unit_missing", says, "万吨/年、万立方米/年"), "")


class _Keys:
    """Find the mine that a row of another sheet means by its number or name."""

    def __init__(self, mines: list[MineEntry], snapshot: Snapshot) -> None:
        self.by_key: dict[str, str | None] = {}
        for entry in mines:
            known = snapshot.mines.get(entry.registry_no)
            name = plain(entry.fields.get("name") or (known.fields["name"] if known else ""))
            self.by_key[name] = None if name in self.by_key else entry.registry_no
        for entry in mines:
            self.by_key[entry.registry_no] = entry.registry_no

    def find(self, reading: Reading, table: Table, rows: Rows) -> list[str | None]:
        """Return the registry number that each row means, and report the rows that mean none."""
        keys = rows.column("key")
        found = {key: self._number(key) for key in set(keys)}
        if None in found.values():
            for row, key in zip(rows.numbers, keys, strict=True):
                if key and found[key] is None:
                    self._report(reading, table, row, key)
        return [found[key] for key in keys]

    def _number(self, key: str) -> str | None:
        text = plain(key)
        return self.by_key.get(text) or self.by_key.get(text.upper())

    def _report(self, reading: Reading, table: Table, row: int, key: str) -> None:
        is_known = plain(key) in self.by_key
        says = (
            "在附表1 中对应不止一座矿山。请改填台账编号。"
            if is_known
            else "在附表1 中没有。请填写附表1 里的台账编号或矿山名称。"
        )
        code = "key_unclear" if is_known else "key_unknown"
        reading.at(table.sheet, row, 1, Misread(code, says, "附表1 的台账编号或矿山名称"), key)


def _read_systems(
    reading: Reading, workbook: Workbook, keys: _Keys, parsed: ParsedRegistry
) -> None:
    sheet = workbook.sheet(SYSTEMS.sheet)
    if sheet is None:
        return

    def say(row: int, field: str, misread: Misread, found: str) -> None:
        reading.at(SYSTEMS.sheet, row, SYSTEMS.positions[field], misread, found)

    rows = reading.rows(SYSTEMS, sheet)
    fields = [rows.column(field) for field in ("name", "method", "design_scale", "unit")]
    numbers = keys.find(reading, SYSTEMS, rows)
    for row, number, system in zip(rows.numbers, numbers, zip(*fields, strict=True), strict=True):
        if number is None:
            continue
        name, _, scale, unit = system
        _check_scale(row, "design_scale", scale, "unit", unit, say)
        systems = parsed.systems.setdefault(number, [])
        if any(name == each[0] for each in systems):
            says = "与同一矿山的另一个生产系统同名。请改名或删去重复的一行。"
            say(row, "name", Misread("duplicate_system", says, "不重复的系统名称"), name)
            continue
        systems.append(system)


def _read_stocks(
    reading: Reading, workbook: Workbook, keys: _Keys, parsed: ParsedRegistry, as_of: str
) -> None:
    sheet = workbook.sheet(STOCKS.sheet)
    if sheet is None:
        return
    rows = reading.rows(STOCKS, sheet)
    fields = [rows.column(field) for field in ("stock_class", "amount", "unit", "as_of")]
    numbers = keys.find(reading, STOCKS, rows)
    for row, number, stock in zip(rows.numbers, numbers, zip(*fields, strict=True), strict=True):
        kind, amount, unit, day = stock
        if number is None or not kind:
            continue
        stocks = parsed.stocks.setdefault(number, [])
        if any(kind == each[0] for each in stocks):
            says = "同一矿山的这一类已经填过。每类资源量、储量只填一行，请删去重复的一行。"
            misread = Misread("duplicate_stock", says, "每类一行")
            reading.at(STOCKS.sheet, row, STOCKS.positions["stock_class"], misread, kind)
            continue
        stocks.append((kind, amount, unit, day or as_of))


def _read_boundaries(
    reading: Reading, workbook: Workbook, keys: _Keys, parsed: ParsedRegistry
) -> None:
    sheet = workbook.sheet(CORNERS.sheet)
    if sheet is None:
        return
    rows = reading.rows(CORNERS, sheet)
    numbers = keys.find(reading, CORNERS, rows)
    wrong = {problem.cell for problem in reading.problems if problem.sheet == CORNERS.sheet}

    def report(row: int, field: str, problem: Problem) -> None:
        cell = CORNERS.cell(field, row)
        if cell in wrong:
            return
        message = f"{CORNERS.sheet} 第{row}行 {cell} 单元格：{problem.message}"
        reading.problems.append(
            CellProblem(
                CORNERS.sheet,
                cell,
                problem.severity,
                problem.code,
                message,
                problem.found,
                problem.expected,
            )
        )

    parsed.outlines = read_corners(rows, numbers, report)
