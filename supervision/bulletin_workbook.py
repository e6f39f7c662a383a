"""Write the annex of a bulletin as a workbook: figures as numbers, words as text, no formulas."""

import io
import re
from decimal import Decimal
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Border, Font, Side

from supervision.content import Annex, Table

FIGURE = re.compile(r"[+-]?\d+(\.\d+)?")
_THIN = Side(style="thin", color="999999")
BOX = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)


def annex_workbook(annex: Annex) -> bytes:
    """Return a workbook with one sheet for each table of the annex."""
    book = Workbook()
    book.remove(book.worksheets[0])
    tables = [block for block in annex.blocks if isinstance(block, Table)]
    for number, table in enumerate(tables, start=1):
        _sheet(book.create_sheet(f"附件{number}" if len(tables) > 1 else "附件"), annex, table)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _sheet(sheet: Any, annex: Annex, table: Table) -> None:
    width = len(table.columns)
    _text(sheet.cell(1, 1), annex.title)
    sheet.cell(1, 1).font = Font(name="黑体", size=14)
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=width)
    for place, column in enumerate(table.columns, start=1):
        head = f"{column.label}（{column.unit}）" if column.unit else column.label
        _text(sheet.cell(2, place), head)
        sheet.cell(2, place).font = Font(bold=True)
        sheet.cell(2, place).alignment = Alignment(wrap_text=True, horizontal="center")
        sheet.cell(2, place).border = BOX
        sheet.column_dimensions[sheet.cell(2, place).column_letter].width = 12
    rows = [*table.rows, *([table.totals] if table.totals else [])]
    for row, texts in enumerate(rows, start=3):
        for place, (column, text) in enumerate(zip(table.columns, texts, strict=True), start=1):
            cell = sheet.cell(row, place)
            if column.align == "right" and FIGURE.fullmatch(text):
                cell.value = Decimal(text)
                if "." in text:
                    cell.number_format = "0.00"
            else:
                _text(cell, text)
            cell.border = BOX
    sheet.freeze_panes = "B3"


def _text(cell: Any, text: str) -> None:
    """Set words that no spreadsheet takes for a formula."""
    cell.value = ILLEGAL_CHARACTERS_RE.sub("", text)
    cell.data_type = "s"
