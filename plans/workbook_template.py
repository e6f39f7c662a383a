"""Write the county's plan workbook: its mines filled in and locked, the rest ready to be filled."""

from collections.abc import Collection, Mapping, Sequence
from copy import copy
from decimal import Decimal
from io import BytesIO
from typing import Literal

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.workbook.protection import WorkbookProtection
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.page import PageMargins
from openpyxl.worksheet.worksheet import Worksheet

from mines.sheet_writing import cell_at, put
from mines.sheets import column_letters
from plans.workbook_colours import colour_areas, colour_dispositions, colour_systems
from plans.workbook_columns import (
    AREAS,
    DISPOSITIONS,
    FIRST_ROW,
    GUIDE_SHEET,
    HEAD_ROW,
    LAST_ROW,
    LISTS_SHEET,
    META_SHEET,
    NO,
    NOTE_ROW,
    OPEN,
    SERVICE_LIFE,
    SYSTEMS,
    TABLES,
    TEMPLATE_VERSION,
    TITLE_ROW,
    YES,
    Column,
    Kind,
    Table,
)
from plans.workbook_meta import stamp_of
from plans.workbook_rows import ParsedPlan, TemplateMine
from standards.terms import Disposition

FONT = "Microsoft YaHei"
HEAD_FILL = PatternFill("solid", fgColor="0F5C63")
LOCKED_FILL = PatternFill("solid", fgColor="EEF1EF")
LINE = Side(style="thin", color="C9CFCC")
BORDER = Border(left=LINE, right=LINE, top=LINE, bottom=LINE)
WIDEST_PAGE = 230  # characters across a page that can still be read
COMMENT_AUTHOR = "填写说明"
DATE_FORMAT = "yyyy-mm-dd"
FORMATS = {Kind.DATE: DATE_FORMAT, Kind.DECIMAL: "General", Kind.INTEGER: "0"}
DISCRETE = (Kind.DECIMAL, Kind.INTEGER, Kind.DATE, Kind.ORDER)
RANGE_NAMES = {
    "registry_list": DISPOSITIONS.span("registry_no"),
    "area_list": AREAS.span("code"),
}
SELF_CHECKS = (
    ("附表1 台账矿山数（座）", f'=SUMPRODUCT(({DISPOSITIONS.span("registry_no")}<>"")*1)'),
    (
        "尚未选择处置方式的矿山（座）",
        f'=SUMPRODUCT(({DISPOSITIONS.span("registry_no")}<>"")'
        f'*({DISPOSITIONS.span("disposition")}=""))',
    ),
    (
        "整合重组但未填整合区编号的矿山（座）",
        f'=SUMPRODUCT(({DISPOSITIONS.span("disposition")}="{Disposition.MERGE.label}")'
        f'*({DISPOSITIONS.span("area_code")}=""))',
    ),
    ("附表2 整合区数（个）", f'=SUMPRODUCT(({AREAS.span("code")}<>"")*1)'),
)
GUIDE = (
    "一、先填附表1：灰底各列取自矿山台账，已锁定；白底各列逐座填写，每座矿山选择且只选择一种处置方式。",
    "二、处置方式为整合重组的，填写整合区编号，并在附表2 为每个整合区填写一行；"
    "有多个独立生产系统的再填附表2-1。",
    "三、整合区范围填写在“拐点坐标”表，或另外上传坐标文件。",
    "四、关闭取缔、引导退出、升级改造的矿山，分别填写附表3、附表4、附表5。",
    "五、附表6 至附表8 按全县（市、区）填写。",
    "六、单位已在表头，单元格内只填数字；日期填写到日，如 2025-12-31；"
    "没有数据的留空，不要填“/”或“无”。",
    "七、不要合并单元格、不要填公式、不要改动表头和工作表名称。",
    "八、红色表示不满足最低规模、服务年限或前后不一致，黄色表示还没有填；"
    "颜色只作提示，以上传后的核查结果为准。",
)
DEMO_MARK = "（示例数据）"


def write_template(
    *,
    county_code: str,
    county_name: str,
    round_name: str,
    mines: Sequence[TemplateMine],
    thresholds: Mapping[str, Decimal],
    registry_version: str,
    signing_key: bytes,
    minerals: Collection[str] = (),
    prefill: ParsedPlan | None = None,
    demo: bool = False,
) -> bytes:
    """Return the workbook (.xlsx) for one county and round.

    `thresholds`: minimum scale in 万吨/年 by mineral, or by "mineral|method label" where it holds
    for one method only, and SERVICE_LIFE in years. `minerals` are offered in the drop-down;
    without them those of the mines and thresholds are. `prefill` fills the county's columns.
    """
    book = Workbook()
    guide = book.active
    assert isinstance(guide, Worksheet)  # noqa: S101
    guide.title = GUIDE_SHEET
    title = f"{county_name}非煤矿山整治整合实施方案"
    names = minerals or _minerals_of(mines, thresholds)
    for table in TABLES:
        sheet = book.create_sheet(table.sheet)
        rows = _rows_of(table, mines, prefill)
        _write_table(sheet, table, rows, f"{title}{DEMO_MARK if demo else ''}")
    _write_guide(guide, title, round_name, registry_version, demo=demo)
    _write_lists(book, names, thresholds)
    colour_dispositions(book[DISPOSITIONS.sheet], len(mines))
    colour_areas(book[AREAS.sheet], thresholds)
    colour_systems(book[SYSTEMS.sheet])
    stamp = stamp_of(
        county_code=county_code,
        round_name=round_name,
        registry_version=registry_version,
        mines=mines,
        key=signing_key,
    )
    meta = book.create_sheet(META_SHEET)
    for number, (head, text) in enumerate(stamp.rows(signing_key), start=1):
        put(cell_at(meta, number, 1), head)
        put(cell_at(meta, number, 2), text)
    meta.sheet_state = "hidden"
    meta.protection.sheet = True
    book.security = WorkbookProtection(lockStructure=True)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def lookup_formula(table: Table, row: int) -> str:
    """Return the formula that shows the name of the mine of this row."""
    number = DISPOSITIONS.number("name") - DISPOSITIONS.number("registry_no") + 1
    first, last = DISPOSITIONS.letter("registry_no"), DISPOSITIONS.letter("name")
    area = f"'{DISPOSITIONS.sheet}'!${first}${FIRST_ROW}:${last}${LAST_ROW}"
    key = f"${table.cell('registry_no', row)}"
    return f'=IF({key}="","",IFERROR(VLOOKUP({key},{area},{number},FALSE),"台账中没有"))'


def _minerals_of(mines: Sequence[TemplateMine], thresholds: Mapping[str, Decimal]) -> list[str]:
    named = [key.split("|")[0] for key in thresholds if key != SERVICE_LIFE]
    return sorted({*(mine.mineral for mine in mines if mine.mineral), *named})


def _rows_of(
    table: Table, mines: Sequence[TemplateMine], prefill: ParsedPlan | None
) -> list[dict[str, object]]:
    filled = [vars(row) for row in getattr(prefill, table.field)] if prefill else []
    if table is AREAS:
        # In a row that was read, an empty on_ridge means 未判定.
        filled = [
            {**row, "on_ridge": OPEN if row["on_ridge"] is None else row["on_ridge"]}
            for row in filled
        ]
    if table is not DISPOSITIONS:
        return filled
    by_number = {row["registry_no"]: row for row in filled}
    return [{**by_number.get(mine.registry_no, {}), **vars(mine)} for mine in mines]


def _write_table(
    sheet: Worksheet, table: Table, rows: Sequence[Mapping[str, object]], title: str
) -> None:
    put(cell_at(sheet, TITLE_ROW, 1), f"{table.sheet} · {title}")
    sheet.cell(TITLE_ROW, 1).font = Font(FONT, 14, bold=True)
    put(cell_at(sheet, NOTE_ROW, 1), table.note)
    sheet.cell(NOTE_ROW, 1).font = Font(FONT, 9, color="5B6675")
    models = {}
    for number, column in enumerate(table.columns, start=1):
        letter = column_letters(number)
        sheet.column_dimensions[letter].width = column.width
        sheet.column_dimensions[letter].protection = Protection(locked=column.locked)
        _write_head(cell_at(sheet, HEAD_ROW, number), column)
        models[number] = _model(sheet, column, number)
        _validate(sheet, column, letter)
    count = len(rows) + table.blank_rows
    for at in range(count):
        row = FIRST_ROW + at
        given = rows[at] if at < len(rows) else {}
        for number, column in enumerate(table.columns, start=1):
            cell = cell_at(sheet, row, number)
            cell._style = copy(models[number])  # type: ignore[attr-defined]
            if column.kind is Kind.ORDER:
                cell.value = at + 1
            elif column.kind is Kind.LOOKUP:
                cell.value = lookup_formula(table, row)
            else:
                put(cell, given.get(column.field))
    _set_up_page(sheet, table)


def _model(sheet: Worksheet, column: Column, number: int) -> object:
    """Style one cell and return its style, to be shared by the whole column."""
    cell = cell_at(sheet, FIRST_ROW, number)
    cell.font = Font(FONT, 10)
    cell.border = BORDER
    cell.protection = Protection(locked=column.locked)
    cell.alignment = Alignment(
        wrap_text=column.kind in (Kind.TEXT, Kind.LOOKUP),
        vertical="center",
        horizontal="right" if column.kind in DISCRETE else "left",
    )
    cell.number_format = FORMATS.get(column.kind, "General" if column.locked else "@")
    if column.locked:
        cell.fill = LOCKED_FILL
    return cell._style  # type: ignore[attr-defined]


def _write_head(cell: Cell, column: Column) -> None:
    put(cell, column.head.replace("（", "\n（"))  # blanks in heads are not compared
    cell.font = Font(FONT, 10, bold=True, color="FFFFFF")
    cell.fill = HEAD_FILL
    cell.border = BORDER
    cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center")
    words = [column.note] if column.note else []
    if column.required and not column.locked:
        words.append("必填。")
    if words:
        cell.comment = Comment("".join(words), COMMENT_AUTHOR, height=90, width=220)


def _validate(sheet: Worksheet, column: Column, letter: str) -> None:
    """Give the unlocked cells of a column their drop-down or bounds."""
    rule = None if column.locked else _validation(column)
    if rule is None:
        return
    rule.add(f"{letter}{FIRST_ROW}:{letter}{LAST_ROW}")
    rule.showErrorMessage = True
    rule.errorTitle = column.head[:30]
    sheet.add_data_validation(rule)


def _validation(column: Column) -> DataValidation | None:
    lists = {
        Kind.YES_NO: "yes_no_list",
        Kind.YES_NO_OPEN: "ridge_list",
        Kind.MINERAL: "mineral_list",
    }
    lists |= {Kind.MINE: "registry_list"}
    if column.kind in lists or column.terms is not None:
        name = lists.get(column.kind) or f"{column.terms.__name__.lower()}_list"  # type: ignore[union-attr]
        rule = DataValidation("list", formula1=f"={name}", allow_blank=True)
        rule.error = "请从下拉列表中选择。"
        if column.kind is Kind.CHOICES:
            rule.errorStyle = "information"
            rule.error = "多种类型请用顿号分开，如 夹缝、深部。"
        return rule
    if column.kind is Kind.DATE:
        rule = DataValidation("date", "between", "18264", "73050", allow_blank=True)
        rule.error = "请填写到日，如 2025-12-31。"
        return rule
    if column.kind in (Kind.DECIMAL, Kind.INTEGER):
        kind: Literal["decimal", "whole"] = "decimal" if column.kind is Kind.DECIMAL else "whole"
        least = "-10000" if column.minimum is None else str(column.minimum)
        rule = DataValidation(kind, "between", least, "1000000000", allow_blank=True)
        rule.error = "请只填数字，单位已在表头。"
        return rule
    return None


def _set_up_page(sheet: Worksheet, table: Table) -> None:
    keys = {"registry_no": "name", "code": "code", "area_code": "area_code"}
    key = next((keys[column.field] for column in table.columns if column.field in keys), "order")
    sheet.freeze_panes = f"{column_letters(table.number(key) + 1)}{FIRST_ROW}"
    sheet.row_dimensions[HEAD_ROW].height = 45
    sheet.print_title_rows = f"{HEAD_ROW}:{HEAD_ROW}"
    sheet.print_title_cols = f"A:{table.letter(key)}"
    width = sum(column.width for column in table.columns)
    print_on_a4(sheet, pages_wide=-(-width // WIDEST_PAGE))
    sheet.protection.sheet = True
    sheet.protection.formatCells = False
    sheet.protection.formatColumns = False
    sheet.protection.formatRows = False


def print_on_a4(sheet: Worksheet, pages_wide: int = 1) -> None:
    """Set a sheet up for A4 landscape, this many pages wide."""
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToWidth = pages_wide
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True  # type: ignore[union-attr]
    sheet.page_margins = PageMargins(left=0.4, right=0.4, top=0.5, bottom=0.7, footer=0.3)
    sheet.oddFooter.center.text = "&A　第 &P 页 共 &N 页"  # type: ignore[union-attr]


def _write_guide(
    sheet: Worksheet, title: str, round_name: str, registry_version: str, *, demo: bool
) -> None:
    put(sheet["A1"], f"{title}{DEMO_MARK if demo else ''}")
    sheet["A1"].font = Font(FONT, 16, bold=True)
    about = f"轮次：{round_name}　台账版本：{registry_version}　模板版本：{TEMPLATE_VERSION}"
    put(sheet["A2"], about)
    for row, line in enumerate(GUIDE, start=4):
        put(cell_at(sheet, row, 1), line)
        sheet.cell(row, 1).alignment = Alignment(wrap_text=True, vertical="top")
        sheet.cell(row, 1).font = Font(FONT, 11)
        sheet.row_dimensions[row].height = 36
    row = 5 + len(GUIDE)
    put(cell_at(sheet, row, 1), "自检（随填随算）")
    sheet.cell(row, 1).font = Font(FONT, 12, bold=True)
    for at, (text, formula) in enumerate(SELF_CHECKS, start=row + 1):
        put(cell_at(sheet, at, 1), text)
        sheet.cell(at, 2).value = formula
        sheet.cell(at, 2).font = Font(FONT, 11, bold=True)
    sheet.column_dimensions["A"].width = 100
    sheet.column_dimensions["B"].width = 14
    print_on_a4(sheet)
    sheet.protection.sheet = True


def _write_lists(
    book: Workbook, minerals: Collection[str], thresholds: Mapping[str, Decimal]
) -> None:
    """Write what drop-downs and colours look up, on a hidden sheet with named ranges."""
    sheet = book.create_sheet(LISTS_SHEET)
    sheet.sheet_state = "hidden"
    sheet.protection.sheet = True
    lists: dict[str, Sequence[str]] = {
        "mineral_list": list(minerals),
        "yes_no_list": (YES, NO),
        "ridge_list": (YES, NO, OPEN),
    }
    for table in TABLES:
        for column in table.columns:
            if column.terms is not None:
                labels = [term.label for term in column.terms]
                lists[f"{column.terms.__name__.lower()}_list"] = labels
    ranges = dict(RANGE_NAMES)
    for number, (name, words) in enumerate(lists.items(), start=1):
        letter = column_letters(number)
        for row, word in enumerate(words, start=1):
            put(cell_at(sheet, row, number), word)
        ranges[name] = f"'{LISTS_SHEET}'!${letter}$1:${letter}${max(len(words), 1)}"
    first, second = len(lists) + 1, len(lists) + 2
    minima = [(key, value) for key, value in thresholds.items() if key != SERVICE_LIFE]
    for row, (key, value) in enumerate(minima, start=1):
        put(cell_at(sheet, row, first), key)
        put(cell_at(sheet, row, second), value)
    last = max(len(minima), 1)
    ranges["minimum_scale"] = (
        f"'{LISTS_SHEET}'!${column_letters(first)}$1:${column_letters(second)}${last}"
    )
    for name, span in ranges.items():
        book.defined_names[name] = DefinedName(name, attr_text=span)
