"""Write a month's report as a workbook form, and read the filled one back into the page's form."""

import io
import tempfile
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from openpyxl import Workbook as NewWorkbook
from openpyxl.styles import Alignment, Font, PatternFill, Protection

from mines.sheets import (
    CellProblem,
    Limits,
    Misread,
    Sheet,
    WorkbookRefused,
    as_int,
    as_text,
    problem_at,
    read_workbook,
)
from shuozhou_mines.errors import Refused
from supervision.actions import figures_of
from supervision.consistency import BATCHES
from supervision.forms import LABELS, MOST_MINES
from supervision.models import MonthlyReport, month_name

SHEET = "月报"
STAMP_ROW, HEAD_ROW, FIRST_ROW = 2, 4, 5
WORDS = {"problems": "存在问题", "next_steps": "下步措施"}
WORDS_ROW = FIRST_ROW + len(BATCHES) + 1
NOTE_COLUMN = len(LABELS) + 2
LONGEST_WORDS = 4000
LIMITS = Limits(
    file_bytes=2 * 1024 * 1024, inflated_bytes=20 * 1024 * 1024, sheets=8, rows=1000, columns=64,
    cells=20_000, cpu_seconds=10, seconds=20,
)  # fmt: skip
_TYPED = PatternFill("solid", fgColor="F1F7F7")


def stamp_of(report: MonthlyReport) -> str:
    """Return what tells one county's month from another's."""
    return f"{report.county_id} {report.month:%Y-%m}"


def report_form(report: MonthlyReport) -> bytes:
    """Return the form with the figures that are known; figures to type stand on a tinted ground."""
    book = NewWorkbook()
    sheet: Any = book.worksheets[0]
    sheet.title = SHEET
    sheet.cell(1, 1, f"{report.county.name}{month_name(report.month)}月报").font = Font(
        bold=True, size=14
    )
    sheet.cell(STAMP_ROW, 1, "校验（勿改）")
    sheet.cell(STAMP_ROW, 2, stamp_of(report))
    heads = ["处置方式", *(f"{label}（座）" for label in LABELS.values()), "说明"]
    for column, head in enumerate(heads, start=1):
        cell = sheet.cell(HEAD_ROW, column, head)
        cell.font, cell.alignment = Font(bold=True), Alignment(wrap_text=True)
        sheet.column_dimensions[cell.column_letter].width = 14 if column < NOTE_COLUMN else 40
    rows = {row.kind: figures_of(row) for row in report.rows.all()}
    for row, kind in enumerate(BATCHES, start=FIRST_ROW):
        figures = rows[kind.value]
        sheet.cell(row, 1, kind.label)
        for column, name in enumerate(LABELS, start=2):
            _typed(sheet.cell(row, column), getattr(figures, name))
        _typed(sheet.cell(row, NOTE_COLUMN), figures.note)
    for row, (name, label) in enumerate(WORDS.items(), start=WORDS_ROW):
        sheet.cell(row, 1, label)
        _typed(sheet.cell(row, 2), getattr(report, name))
        sheet.cell(row, 2).alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = sheet.cell(FIRST_ROW, 2)
    sheet.protection.sheet = True
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _typed(cell: Any, value: int | str) -> None:
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"
    cell.fill, cell.protection = _TYPED, Protection(locked=False)


def read_report(
    upload: "UploadedFile[bytes]", report: MonthlyReport
) -> tuple[dict[str, str], list[CellProblem]]:
    """Return what the page's form would be sent, and each cell that cannot be read.

    Raise Refused for a file that is no workbook, or another county's or month's form.
    """
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
        for chunk in upload.chunks():
            file.write(chunk)
        file.flush()
        try:
            workbook = read_workbook(Path(file.name), limits=LIMITS)
        except WorkbookRefused as refused:
            raise Refused(refused.message) from refused
    sheet = workbook.sheet(SHEET)
    if sheet is None:
        raise Refused("这不是本平台下载的月报表（缺少“月报”工作表）。请重新下载后填写。")
    stamp = as_text(sheet.value(STAMP_ROW, 2))
    if stamp != stamp_of(report):
        raise Refused(f"这张表不是{report}的。请在本页重新下载，再把内容粘贴过去。")
    return _read(sheet)


def _read(sheet: Sheet) -> tuple[dict[str, str], list[CellProblem]]:
    data: dict[str, str] = {}
    problems: list[CellProblem] = []

    def take(row: int, column: int, value: Any) -> str:
        read = sheet.fault(row, column) or value
        if isinstance(read, Misread):
            problems.append(problem_at(SHEET, row, column, read, sheet.value(row, column)))
            return ""
        return "" if read is None else str(read)

    for row, kind in enumerate(BATCHES, start=FIRST_ROW):
        for column, name in enumerate(LABELS, start=2):
            number = as_int(sheet.value(row, column), minimum=0, maximum=MOST_MINES)
            data[f"{kind.value}_{name}"] = take(row, column, number if number != 0 else "0")
        note = as_text(sheet.value(row, NOTE_COLUMN), longest=200)
        data[f"{kind.value}_note"] = take(row, NOTE_COLUMN, note)
    for row, name in enumerate(WORDS, start=WORDS_ROW):
        words = as_text(sheet.value(row, 2), longest=LONGEST_WORDS, one_line=False)
        data[name] = take(row, 2, words)
    return data, problems
