"""Write a county's registry workbook: its mines filled in, drop-downs and units in place."""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from mines.sheet_writing import NO, YES, cell_at, put
from mines.sheets import column_letters
from mines.workbook_columns import (
    CORNERS,
    FIRST_ROW,
    GUIDE_SHEET,
    HEAD_ROW,
    LISTS_SHEET,
    MINES,
    NOTE_ROW,
    STOCKS,
    SYSTEMS,
    TABLES,
    TITLE_ROW,
    Column,
    Kind,
    Table,
)
from mines.workbook_rows import KnownMine, Snapshot

FONT = "Microsoft YaHei"
HEAD_FILL = PatternFill("solid", fgColor="0F5C63")
LINE = Side(style="thin", color="C9CFCC")
BORDER = Border(left=LINE, right=LINE, top=LINE, bottom=LINE)
LAST_ROW = 20_000  # drop-downs reach this far
FORMATS = {Kind.DATE: "yyyy-mm-dd", Kind.DECIMAL: "General"}
GUIDE = (
    "一、附表1 每座矿山一行，已填入台账现有的内容；直接在上面修改，新增矿山接着往下填。",
    "二、台账编号不要改动；新增矿山的台账编号留空，系统自动编号。",
    "三、拐点坐标、生产系统、资源储量各在自己的工作表里，用台账编号或矿山名称与附表1 对应。",
    "四、单位已在表头，单元格内只填数字；日期填写到日，如 2025-12-31；没有数据的留空。",
    "五、不要合并单元格、不要填公式、不要改动表头和工作表名称。",
    "六、上传后先列出逐项变更，确认以后才写入台账；表中删去的矿山不会自动移出台账。",
    "七、涉密信息不得填写。",
)


def write_registry(snapshot: Snapshot, minerals: Mapping[str, str], *, demo: bool = False) -> bytes:
    """Return the workbook (.xlsx); `minerals` maps codes to names."""
    book = Workbook()
    guide = book.active
    assert isinstance(guide, Worksheet)  # noqa: S101
    guide.title = GUIDE_SHEET
    title = f"{snapshot.county_name}非煤矿山台账{'（示例数据）' if demo else ''}"
    put(cell_at(guide, 1, 1), title)
    guide["A1"].font = Font(FONT, 16, bold=True)
    for row, line in enumerate(GUIDE, start=3):
        put(cell_at(guide, row, 1), line)
        guide.cell(row, 1).font = Font(FONT, 11)
        guide.cell(row, 1).alignment = Alignment(wrap_text=True, vertical="top")
    guide.column_dimensions["A"].width = 100
    rows = rows_of(snapshot)
    for table in TABLES:
        _write_table(book.create_sheet(table.sheet), table, rows[table.key], title, minerals)
    _write_lists(book, sorted(minerals.values()))
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def rows_of(snapshot: Snapshot) -> dict[str, list[dict[str, str]]]:
    """Return the rows of every sheet in canonical text."""
    rows: dict[str, list[dict[str, str]]] = {table.key: [] for table in TABLES}
    for mine in snapshot.mines.values():
        number = mine.registry_no
        county = {"registry_no": number, "county": snapshot.county_name}
        rows[MINES.key].append(county | mine.fields)
        rows[SYSTEMS.key] += (
            dict(zip(SYSTEMS.positions, (number, *system), strict=True)) for system in mine.systems
        )
        rows[STOCKS.key] += (
            dict(zip(STOCKS.positions, (number, *stock), strict=True)) for stock in mine.stocks
        )
        rows[CORNERS.key] += _corners(mine)
    return rows


def _corners(mine: KnownMine) -> Iterable[dict[str, str]]:
    regions = mine.regions or []
    for at, region in enumerate(regions, start=1):
        # Two regions without names must not run into one.
        name = region.get("name") or (str(at) if len(regions) > 1 else "")
        heights = [region.get("elevation_top_m") or "", region.get("elevation_bottom_m") or ""]
        for ring_at, ring in enumerate(region.get("rings", ())):
            for number, (_, x, y) in enumerate(ring["points"], start=1):
                yield {
                    "key": mine.registry_no,
                    "region": name,
                    "point": str(number),
                    "x": x,
                    "y": y,
                    "top": heights[0] if number == 1 and ring_at == 0 else "",
                    "bottom": heights[1] if number == 1 and ring_at == 0 else "",
                    "hole": str(ring_at) if ring.get("role") == "hole" else "",
                }


def cell_value(column: Column, text: str, minerals: Mapping[str, str]) -> object:
    """Return a canonical text as the value a cell should hold."""
    if not text:
        return None
    if column.kind is Kind.DECIMAL:
        return Decimal(text)
    if column.kind is Kind.DATE:
        return date.fromisoformat(text)
    if column.terms is not None:
        return column.terms(text).label
    if column.kind is Kind.YES_NO:
        return YES if text == "t" else NO
    if column.kind is Kind.MINERAL:
        return minerals.get(text, text)
    return text


def _write_table(
    sheet: Worksheet,
    table: Table,
    rows: Sequence[Mapping[str, str]],
    title: str,
    minerals: Mapping[str, str],
) -> None:
    put(cell_at(sheet, TITLE_ROW, 1), f"{table.sheet} · {title}")
    sheet.cell(TITLE_ROW, 1).font = Font(FONT, 14, bold=True)
    put(cell_at(sheet, NOTE_ROW, 1), table.note)
    sheet.cell(NOTE_ROW, 1).font = Font(FONT, 9, color="5B6675")
    styles = []
    for number, column in enumerate(table.columns, start=1):
        sheet.column_dimensions[column_letters(number)].width = column.width
        _write_head(sheet, number, column)
        _validate(sheet, number, column)
        styles.append(_style(sheet, number, column))
    for at in range(len(rows) + table.blank_rows):
        given = rows[at] if at < len(rows) else {}
        for number, column in enumerate(table.columns, start=1):
            cell = cell_at(sheet, FIRST_ROW + at, number)
            cell._style = copy(styles[number - 1])  # type: ignore[attr-defined]
            put(cell, cell_value(column, given.get(column.field, ""), minerals))
    key = "name" if table is MINES else "key"
    sheet.freeze_panes = f"{column_letters(table.positions[key] + 1)}{FIRST_ROW}"
    sheet.row_dimensions[HEAD_ROW].height = 45
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.orientation = "landscape"
    sheet.print_title_rows = f"{HEAD_ROW}:{HEAD_ROW}"


def _write_head(sheet: Worksheet, number: int, column: Column) -> None:
    cell = cell_at(sheet, HEAD_ROW, number)
    put(cell, column.head)
    cell.font = Font(FONT, 10, bold=True, color="FFFFFF")
    cell.fill = HEAD_FILL
    cell.border = BORDER
    cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center")
    note = f"{column.note}{'必填。' if column.required else ''}"
    if note:
        cell.comment = Comment(note, "填写说明", height=90, width=220)


def _style(sheet: Worksheet, number: int, column: Column) -> Any:
    """Style one cell and return its style, to be shared by the whole column."""
    cell = cell_at(sheet, FIRST_ROW, number)
    cell.font = Font(FONT, 10)
    cell.border = BORDER
    right = column.kind in (Kind.DECIMAL, Kind.DATE)
    cell.alignment = Alignment(vertical="center", horizontal="right" if right else "left")
    cell.number_format = FORMATS.get(column.kind, "@")
    return cell._style  # type: ignore[attr-defined]


def _validate(sheet: Worksheet, number: int, column: Column) -> None:
    """Give a column its drop-down or bounds."""
    if column.kind is Kind.MINERAL or column.kind is Kind.YES_NO or column.terms is not None:
        rule = DataValidation("list", formula1=f"={_list_name(column)}", allow_blank=True)
        rule.error = "请从下拉列表中选择。"
    elif column.kind is Kind.DATE:
        rule = DataValidation("date", "between", "18264", "73050", allow_blank=True)
        rule.error = "请填写到日，如 2025-12-31。"
    elif column.kind is Kind.DECIMAL:
        least = "-100000" if column.minimum is None else str(column.minimum)
        rule = DataValidation("decimal", "between", least, str(column.below), allow_blank=True)
        rule.error = "请只填数字，单位已在表头。"
    else:
        return
    letter = column_letters(number)
    rule.add(f"{letter}{FIRST_ROW}:{letter}{LAST_ROW}")
    rule.showErrorMessage = True
    rule.errorTitle = column.head[:30]
    sheet.add_data_validation(rule)


def _list_name(column: Column) -> str:
    if column.kind is Kind.MINERAL:
        return "mineral_list"
    return "yes_no_list" if column.terms is None else f"{column.terms.__name__.lower()}_list"


def _write_lists(book: Workbook, minerals: Sequence[str]) -> None:
    """Write what the drop-downs look up, on a hidden sheet with named ranges."""
    sheet = book.create_sheet(LISTS_SHEET)
    sheet.sheet_state = "hidden"
    lists: dict[str, Sequence[str]] = {"mineral_list": minerals, "yes_no_list": (YES, NO)}
    for table in TABLES:
        for column in table.columns:
            if column.terms is not None:
                lists[_list_name(column)] = [term.label for term in column.terms]
    for number, (name, words) in enumerate(lists.items(), start=1):
        letter = column_letters(number)
        for row, word in enumerate(words, start=1):
            put(cell_at(sheet, row, number), word)
        span = f"'{LISTS_SHEET}'!${letter}$1:${letter}${max(len(words), 1)}"
        book.defined_names[name] = DefinedName(name, attr_text=span)
