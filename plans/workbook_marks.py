"""Hand the same workbook back with its wrong cells marked, and a first sheet that lists them."""

import re
import zipfile
from collections.abc import Iterable, Sequence
from copy import copy
from io import BytesIO
from pathlib import Path
from typing import cast

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from mines.sheet_writing import cell_at, put
from mines.sheets import CellProblem, WorkbookRefused
from plans.workbook_columns import (
    FIRST_ROW,
    GUIDE_SHEET,
    MARKS_SHEET,
    RESULT_SHEET,
    TABLES,
    Kind,
)
from plans.workbook_template import (
    BORDER,
    FONT,
    HEAD_FILL,
    SELF_CHECKS,
    lookup_formula,
    print_on_a4,
)

MOST_CELLS = 400_000  # more than any plan has; beyond it openpyxl would need too much memory
CELL_TAG = re.compile(rb"<(?:[\w.-]+:)?c[\s/>]")
ADDRESS = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
AUTHOR = "方案核查"
FILLS = {
    "error": PatternFill("solid", fgColor="F6C9C5"),
    "warning": PatternFill("solid", fgColor="FBE6C2"),
}
WORDS = {"error": "错误", "warning": "提醒"}
HEADS = (
    ("序号", 6),
    ("级别", 8),
    ("工作表", 28),
    ("单元格", 10),
    ("问题", 70),
    ("填写内容", 28),
    ("应为", 28),
)
LIST_FROM = 5


def annotate(path: Path, problems: Sequence[CellProblem]) -> bytes:
    """Return the workbook with the problems marked; earlier marks are taken away first.

    Rows keep their order. Formulas other than the template's own become text. Raise
    WorkbookRefused for what cannot be marked: the old .xls format and workbooks far too large.
    """
    _check_size(path)
    book = load_workbook(path)
    _take_away_marks(book)
    _disarm_formulas(book)
    marked = _mark_cells(book, problems)
    _write_marks(book, marked)
    _write_result(book, problems)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def _check_size(path: Path) -> None:
    if not zipfile.is_zipfile(path):
        raise WorkbookRefused(
            "old_format", "只有 .xlsx 工作簿能带标注退回；请另存为 .xlsx 后重新上传。"
        )
    cells = 0
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as part:
                while piece := part.read(1 << 20):
                    cells += len(CELL_TAG.findall(piece))
            if cells > MOST_CELLS:
                raise WorkbookRefused(
                    "too_large_to_mark",
                    "工作簿带格式的单元格过多，无法标注；请把数据粘贴到新下载的模板后再上传。",
                )


def _mark_cells(
    book: Workbook, problems: Iterable[CellProblem]
) -> list[tuple[str, str, str, str, str]]:
    """Colour and comment; return what the cells looked like before."""
    by_cell: dict[tuple[str, str], list[CellProblem]] = {}
    for problem in problems:
        if problem.sheet in book.sheetnames and ADDRESS.fullmatch(problem.cell):
            by_cell.setdefault((problem.sheet, problem.cell), []).append(problem)
    before = []
    for (sheet, address), found in by_cell.items():
        cell = book[sheet][address]
        if not isinstance(cell, Cell):
            continue  # covered by a merged range: the list names it
        old = cell.comment
        fill = cell.fill
        before.append(
            (
                sheet,
                address,
                f"{fill.fill_type or ''}|{fill.fgColor.rgb or ''}",
                old.text if old else "",
                (old.author or "") if old else "",
            )
        )
        worst = "error" if any(one.severity == "error" for one in found) else "warning"
        cell.fill = copy(FILLS[worst])
        words = "\n".join(f"【{WORDS[one.severity]}】{one.message}" for one in found)
        cell.comment = Comment(words, AUTHOR, height=140, width=320)
    return before


def _take_away_marks(book: Workbook) -> None:
    if MARKS_SHEET in book.sheetnames:
        for row in book[MARKS_SHEET].iter_rows(values_only=True):
            sheet, address, fill, text, author = (str(part or "") for part in (*row, *[""] * 5)[:5])
            if sheet not in book.sheetnames or not ADDRESS.fullmatch(address):
                continue
            cell = book[sheet][address]
            if not isinstance(cell, Cell):
                continue
            kind, _, colour = fill.partition("|")
            plain = kind != "solid" or not re.fullmatch(r"[0-9A-F]{8}", colour)
            cell.fill = PatternFill() if plain else PatternFill("solid", fgColor=colour)
            cell.comment = Comment(text, author or "") if text else None
        del book[MARKS_SHEET]
    if RESULT_SHEET in book.sheetnames:
        del book[RESULT_SHEET]


def _disarm_formulas(book: Workbook) -> None:
    """Turn every formula that the template did not write into text."""
    ours = {(GUIDE_SHEET, formula) for _, formula in SELF_CHECKS}
    for table in TABLES:
        for column in table.columns:
            if column.kind is Kind.LOOKUP and table.sheet in book.sheetnames:
                rows = range(FIRST_ROW, book[table.sheet].max_row + 1)
                ours |= {(table.sheet, lookup_formula(table, row)) for row in rows}
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f" and (sheet.title, cell.value) not in ours:
                    text = cell.value if isinstance(cell.value, str) else "=公式"
                    put(cast(Cell, cell), text)


def _write_marks(book: Workbook, marked: Sequence[tuple[str, str, str, str, str]]) -> None:
    """Keep on a hidden sheet what the marked cells looked like, for the next time."""
    sheet = book.create_sheet(MARKS_SHEET)
    sheet.sheet_state = "hidden"
    for row, parts in enumerate(marked, start=1):
        for column, part in enumerate(parts, start=1):
            put(cell_at(sheet, row, column), part)


def _write_result(book: Workbook, problems: Sequence[CellProblem]) -> None:
    sheet = book.create_sheet(RESULT_SHEET, 0)
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    put(cell_at(sheet, 1, 1), RESULT_SHEET)
    cell_at(sheet, 1, 1).font = Font(FONT, 16, bold=True)
    put(cell_at(sheet, 2, 1), _verdict(errors, warnings))
    for number, (head, width) in enumerate(HEADS, start=1):
        cell = cell_at(sheet, LIST_FROM - 1, number)
        put(cell, head)
        cell.font = Font(FONT, 10, bold=True, color="FFFFFF")
        cell.fill = copy(HEAD_FILL)
        cell.border = BORDER
        sheet.column_dimensions[cell.column_letter].width = width
    for row, problem in enumerate(problems, start=LIST_FROM):
        _write_line(sheet, row, problem, linked=problem.sheet in book.sheetnames)
    sheet.freeze_panes = f"A{LIST_FROM}"
    print_on_a4(sheet)
    for other in book.worksheets:
        other.sheet_view.tabSelected = other is sheet
    book.active = 0


def _verdict(errors: int, warnings: int) -> str:
    if errors:
        return (
            f"错误 {errors} 处，提醒 {warnings} 处。请改正标红的单元格后重新上传本工作簿；"
            "提醒不影响上传。"
        )
    if warnings:
        return f"没有错误，提醒 {warnings} 处。请核对标黄的单元格。"
    return "没有发现问题。"


def _write_line(sheet: Worksheet, row: int, problem: CellProblem, *, linked: bool) -> None:
    parts = (
        row - LIST_FROM + 1,
        WORDS[problem.severity],
        problem.sheet,
        problem.cell,
        problem.message,
        problem.found,
        problem.expected,
    )
    for number, part in enumerate(parts, start=1):
        cell = cell_at(sheet, row, number)
        put(cell, part)
        cell.font = Font(FONT, 10)
        cell.border = BORDER
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    cell_at(sheet, row, 2).fill = copy(FILLS[problem.severity])
    if linked and ADDRESS.fullmatch(problem.cell):
        cell = cell_at(sheet, row, 4)
        place = f"'{problem.sheet}'!{problem.cell}"
        cell.hyperlink = Hyperlink(ref=cell.coordinate, location=place)
        cell.font = Font(FONT, 10, underline="single", color="0F5C63")
