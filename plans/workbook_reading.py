"""Read a filled plan workbook: every row it gives and every cell that is wrong."""

import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from mines.sheets import (
    CellProblem,
    CellValue,
    Misread,
    Severity,
    Sheet,
    Workbook,
    as_choice,
    as_date,
    as_decimal,
    as_int,
    as_text,
    problem_at,
    shown,
)
from plans.workbook_columns import (
    DISPOSITIONS,
    FIRST_ROW,
    HEAD_ROW,
    META_SHEET,
    NO,
    OPEN,
    SEPARATOR,
    TABLES,
    TEMPLATE_ID,
    TEMPLATE_VERSION,
    YES,
    Column,
    Kind,
    Table,
    facts,
)
from plans.workbook_consistency import check_plan
from plans.workbook_meta import Stamp, canonical, digest, facts_of, stamp_in
from plans.workbook_rows import (
    AreaRow,
    ClosingRow,
    CornerRow,
    DispositionRow,
    ParsedPlan,
    PlanMeta,
    SupplyRow,
    SystemRow,
    TaskRow,
    TemplateMine,
    UpgradeRow,
    ZoneRow,
)

ROWS: Mapping[str, type] = {
    "dispositions": DispositionRow,
    "areas": AreaRow,
    "systems": SystemRow,
    "corners": CornerRow,
    "closings": ClosingRow,
    "exits": ClosingRow,
    "upgrades": UpgradeRow,
    "zones": ZoneRow,
    "supplies": SupplyRow,
    "tasks": TaskRow,
}
UNREAD = (Kind.ORDER, Kind.LOOKUP)
AS_TYPED = (Kind.CODE, Kind.MINE)
DOWNLOAD = "请重新下载本县（市、区）的模板，把已填内容粘贴过去后再上传。"
NOT_TEMPLATE = ("not_template", f"这不是本平台下载的方案模板（缺少校验表）。{DOWNLOAD}")


class Reading:
    """One pass over a workbook, gathering problems as it goes."""

    def __init__(self, minerals: Collection[str]) -> None:
        self.minerals = {plain(mineral): mineral for mineral in minerals}
        self.problems: list[CellProblem] = []
        self.closed: set[tuple[str, str]] = set()

    def at(
        self,
        table: Table,
        name: str,
        row: int,
        misread: Misread,
        found: CellValue = None,
        severity: Severity = "error",
    ) -> None:
        """Note a problem with a cell of a table."""
        if (table.sheet, table.cell(name, row)) in self.closed:
            return
        self.problems.append(
            problem_at(
                table.sheet, row, table.number(name), misread, found, severity, label=table.label
            )
        )

    def close_cells(self) -> None:
        """Say nothing more of cells that could not be read: what follows from that is no news."""
        self.closed = {(one.sheet, one.cell) for one in self.problems if one.severity == "error"}

    def whole(self, sheet: str, code: str, message: str, severity: Severity = "error") -> None:
        """Note a problem with a whole sheet or workbook."""
        self.problems.append(CellProblem(sheet, "", severity, code, message))

    def rows(self, table: Table, sheet: Sheet) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the filled rows of a table with what could be read of them."""
        columns = [
            (number, column)
            for number, column in enumerate(table.columns, start=1)
            if column.kind not in UNREAD and self._head_stands(table, sheet, number, column)
        ]
        for row in range(FIRST_ROW, len(sheet.rows) + 1):
            if all(_is_empty(sheet, row, number) for number, _ in columns):
                continue
            yield (
                row,
                {
                    column.field: self._cell(table, sheet, row, number, column)
                    for number, column in columns
                },
            )

    def hidden(self, table: Table, sheet: Sheet) -> None:
        """Warn of rows, columns and sheets that a reader would not see."""
        if sheet.hidden:
            message = f"工作表“{table.sheet}”被隐藏，其中的内容仍会读取。请取消隐藏后核对。"
            self.whole(table.sheet, "hidden_sheet", message, "warning")
        filled = [row for row in sorted(sheet.hidden_rows) if row >= FIRST_ROW]
        for row in filled:
            if any(value is not None for value in sheet.rows[row - 1]):
                says = "所在的行被隐藏，其中的内容仍会读取。请取消隐藏后核对。"
                first = table.columns[0].field
                self.at(table, first, row, Misread("hidden_row", says, "取消隐藏"), None, "warning")
        for number in sorted(sheet.hidden_columns):
            if number <= len(table.columns):
                says = "所在的列被隐藏，其中的内容仍会读取。请取消隐藏后核对。"
                name = table.columns[number - 1].field
                misread = Misread("hidden_column", says, "取消隐藏")
                self.at(table, name, HEAD_ROW, misread, None, "warning")

    def _head_stands(self, table: Table, sheet: Sheet, number: int, column: Column) -> bool:
        found = sheet.value(HEAD_ROW, number)
        if plain(shown(found)) == plain(column.head):
            return True
        says = f"应为表头“{column.head}”。请恢复表头，或重新下载模板后再填。"
        self.at(table, column.field, HEAD_ROW, Misread("head_changed", says, column.head), found)
        return False

    def _cell(self, table: Table, sheet: Sheet, row: int, number: int, column: Column) -> Any:
        found = sheet.value(row, number)
        fault = sheet.fault(row, number)
        if column.locked:
            if fault:
                self.at(table, column.field, row, fault, found)
            return canonical(column, found)
        read = fault or self.read(column, found)
        if isinstance(read, Misread):
            self.at(table, column.field, row, read, found)
            return () if column.kind is Kind.CHOICES else None
        if read is None and column.required:
            says = f"没有填写“{column.head}”。{column.note or '这一列必填。'}"
            self.at(table, column.field, row, Misread("missing", says, column.head))
        if column.kind is Kind.CHOICES:
            return read or ()
        return None if column.kind is Kind.YES_NO_OPEN and read == OPEN else read

    def read(self, column: Column, value: CellValue) -> Any:
        """Return what a cell says by its column's kind: a value, None or a Misread."""
        if column.kind is Kind.DECIMAL:
            return as_decimal(value, minimum=column.minimum)
        if column.kind is Kind.INTEGER:
            return as_int(value, minimum=0)
        if column.kind is Kind.DATE:
            return as_date(value)
        if column.kind is Kind.CHOICE and column.terms is not None:
            return as_choice(value, column.terms)
        text = as_text(value, longest=column.longest)
        if text is None or isinstance(text, Misread):
            return text
        if column.kind is Kind.CHOICES and column.terms is not None:
            read = [as_choice(part, column.terms) for part in _parts(text)]
            wrong = next((one for one in read if isinstance(one, Misread)), None)
            return wrong or tuple(dict.fromkeys(read))
        if column.kind in (Kind.YES_NO, Kind.YES_NO_OPEN):
            return _yes_or_no(column, text)
        if column.kind is Kind.MINERAL:
            says = "不在矿种目录中。请从下拉列表中选择矿种。"
            return self.minerals.get(plain(text), Misread("unknown_mineral", says, "目录中的矿种"))
        if column.kind in AS_TYPED:
            return plain(text).upper() if column.kind is Kind.CODE else text
        return unicodedata.normalize("NFKC", text) if column.kind is Kind.RAW else text


def read_plan(
    workbook: Workbook,
    *,
    county_code: str,
    registry: Sequence[TemplateMine],
    signing_key: bytes,
    minerals: Collection[str],
) -> ParsedPlan:
    """Return all rows and problems; a workbook that is no template of this county gives one."""
    reading = Reading(minerals)
    meta = workbook.sheet(META_SHEET)
    stamp = stamp_in(meta) if meta else None
    refusal = _refusal(stamp, county_code, signing_key)
    if stamp is None or refusal is not None:
        reading.whole("", *(refusal or NOT_TEMPLATE))
        return ParsedPlan(meta=_meta(stamp, signing_key), problems=reading.problems)
    found: dict[str, list[Any]] = {}
    for table in TABLES:
        sheet = workbook.sheet(table.sheet)
        if sheet is None:
            says = f"缺少工作表“{table.sheet}”。请恢复这张工作表，或重新下载模板后再填。"
            reading.whole(table.sheet, "missing_sheet", says)
            found[table.field] = []
            continue
        reading.hidden(table, sheet)
        rows = list(reading.rows(table, sheet))
        if table is DISPOSITIONS:
            rows = list(_registered(reading, sheet, rows, stamp, registry, signing_key))
        found[table.field] = [_row(table, row, values) for row, values in rows]
    plan = ParsedPlan(meta=_meta(stamp, signing_key), problems=reading.problems, **found)
    reading.close_cells()
    check_plan(plan, reading.at)
    reading.problems.sort(key=_place)
    return plan


def plain(text: str) -> str:
    """Return text for comparing: full-width signs made ordinary, blanks dropped."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def _refusal(stamp: Stamp | None, county_code: str, key: bytes) -> tuple[str, str] | None:
    if stamp is None:
        return NOT_TEMPLATE
    if not stamp.is_genuine(key):
        return "tampered", f"模板的校验信息被改动或已失效，不能接收。{DOWNLOAD}"
    if stamp.template_id != TEMPLATE_ID:
        return "other_template", f"这是另一种用途的模板，不是县级方案模板。{DOWNLOAD}"
    if stamp.template_version != TEMPLATE_VERSION:
        return (
            "old_template",
            f"模板版本 {stamp.template_version} 已停用，现行版本为 {TEMPLATE_VERSION}。{DOWNLOAD}",
        )
    if stamp.county_code != county_code:
        return (
            "other_county",
            f"这是行政区划代码 {stamp.county_code} 的模板，"
            f"不是本县（市、区）（{county_code}）的模板。"
            f"{DOWNLOAD}",
        )
    return None


def _meta(stamp: Stamp | None, key: bytes) -> PlanMeta | None:
    if stamp is None:
        return None
    return PlanMeta(
        template_id=stamp.template_id,
        template_version=stamp.template_version,
        county_code=stamp.county_code,
        round_name=stamp.round_name,
        registry_version=stamp.registry_version,
        registry_nos=tuple(stamp.digests),
        signature_ok=stamp.is_genuine(key),
    )


def _is_empty(sheet: Sheet, row: int, number: int) -> bool:
    value = sheet.value(row, number)
    blank = value is None or (isinstance(value, str) and not value.strip())
    return blank and sheet.fault(row, number) is None


def _parts(text: str) -> list[str]:
    for sign in "，,;；/／ ":
        text = text.replace(sign, SEPARATOR)
    return [part for part in text.split(SEPARATOR) if part]


def _yes_or_no(column: Column, text: str) -> bool | str | Misread:
    if text in (YES, NO):
        return text == YES
    if text == OPEN and column.kind is Kind.YES_NO_OPEN:
        return OPEN
    known = SEPARATOR.join((YES, NO, OPEN) if column.kind is Kind.YES_NO_OPEN else (YES, NO))
    return Misread("unknown_choice", f"不在可选范围内。请从下拉列表中选择：{known}。", known)


def _row(table: Table, row: int, values: Mapping[str, Any]) -> Any:
    """Build the row; a column whose head was changed reads as empty."""
    build = ROWS[table.field]
    names = [one.name for one in fields(build) if one.name != "row"]
    empty = {column.field: () for column in table.columns if column.kind is Kind.CHOICES}
    texts = ("code", "registry_no") if table.field != "corners" else names
    given = {name: values.get(name, empty.get(name)) for name in names}
    for name in texts:
        if name in given and given[name] is None:
            given[name] = ""
    return build(row=row, **given)


def _registered(
    reading: Reading,
    sheet: Sheet,
    rows: Sequence[tuple[int, dict[str, Any]]],
    stamp: Stamp,
    registry: Sequence[TemplateMine],
    key: bytes,
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Compare 附表1 with the template and the registry; yield the rows of registered mines."""
    table = DISPOSITIONS
    if rows and "registry_no" not in rows[0][1]:
        return  # its head was changed, which is said already
    known = {mine.registry_no: mine for mine in registry}
    seen: dict[str, int] = {}
    for row, values in rows:
        number = values.get("registry_no", "")
        if number in seen:
            says = f"与第{seen[number]}行重复。每座矿山只能有一行，请删去一行的内容。"
            reading.at(table, "registry_no", row, Misread("duplicate_mine", says, ""), number)
            continue
        if number not in stamp.digests:
            says = "不是模板中的台账编号。请恢复原来的编号，不要增加行。"
            reading.at(table, "registry_no", row, Misread("unknown_mine", says, ""), number)
            continue
        seen[number] = row
        mine = known.get(number)
        if mine is None:
            says = "对应的矿山已不在台账中，本行不再采用。"
            misread = Misread("gone_mine", says, "")
            reading.at(table, "registry_no", row, misread, number, "warning")
            continue
        _compare(reading, sheet, row, values, mine, stamp.digests[number], key)
        yield row, values
    for number in stamp.digests:
        if number not in seen and number in known:
            says = f"附表1 缺少矿山“{known[number].name}”（{number}）。请恢复这一行。"
            reading.whole(table.sheet, "missing_mine", says)
    for number, mine in known.items():
        if number not in stamp.digests:
            says = f"模板下载后台账新增了矿山“{mine.name}”（{number}），模板中没有。{DOWNLOAD}"
            reading.whole(table.sheet, "new_mine", says)


def _compare(
    reading: Reading,
    sheet: Sheet,
    row: int,
    values: Mapping[str, Any],
    mine: TemplateMine,
    signed: str,
    key: bytes,
) -> None:
    """Name the locked cells that differ from the registry, and who changed them."""
    table = DISPOSITIONS
    written = [values.get(column.field, "") for column in facts()]
    untouched = digest(written, key) == signed
    for column, cell, fact in zip(facts(), written, facts_of(mine), strict=True):
        if cell == fact or column.field not in values:
            continue
        found = sheet.value(row, table.number(column.field))
        if untouched:
            says = f"与现行台账不同：“{column.head}”已更新为“{fact or '空'}”，以台账为准。"
            misread = Misread("registry_changed", says, fact)
            reading.at(table, column.field, row, misread, found, "warning")
        else:
            says = (
                f"是锁定的“{column.head}”，与台账的“{fact or '空'}”不一致。"
                "请恢复台账内容；台账有误的，请先更正台账。"
            )
            reading.at(table, column.field, row, Misread("locked_changed", says, fact), found)


def _place(problem: CellProblem) -> tuple[int, int, int, str]:
    """Order problems as a person reads the workbook: sheet, row, column."""
    names = [table.sheet for table in TABLES]
    sheet = names.index(problem.sheet) if problem.sheet in names else -1
    row = int(problem.cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ") or 0)
    return sheet, row, len(problem.cell), problem.cell
