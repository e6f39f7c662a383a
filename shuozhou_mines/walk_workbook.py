"""Fill the county's template as a clerk would, once with mistakes and once without."""

import io
from typing import Any

from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from plans.workbook_columns import AREAS, CORNERS, DISPOSITIONS, FIRST_ROW, TABLES, Table

# (table, row key, field, what is typed, what the page must say about it)
MISTAKES = (
    (DISPOSITIONS, "SZ-140602-0007", "disposition", None),
    (DISPOSITIONS, "SZ-140602-0008", "disposition", "关停"),
    (DISPOSITIONS, "SZ-140602-0005", "area_code", None),
    (DISPOSITIONS, "SZ-140602-0009", "due_on", "2026年底"),
    (AREAS, "Z1", "scale", "60万吨"),
    (CORNERS, "2", "y", "600023.70"),
)


def fill(template: bytes, plan: dict[str, Any]) -> bytes:
    """Return the template with the plan's values typed into the county's cells."""
    book = load_workbook(io.BytesIO(template))
    for table in TABLES:
        sheet = book[table.sheet]
        if table is DISPOSITIONS:
            _fill_dispositions(sheet, plan["dispositions"])
        else:
            _fill_rows(sheet, table, plan.get(table.field, []))
    return _saved(book)


def spoil(filled: bytes) -> tuple[bytes, list[tuple[str, str]]]:
    """Return the workbook with six mistakes, and their places as (sheet, cell)."""
    book = load_workbook(io.BytesIO(filled))
    places = []
    for table, key, field, typed in MISTAKES:
        sheet = book[table.sheet]
        cell = table.cell(field, _row_of(sheet, table, key))
        sheet[cell].value = typed
        places.append((table.sheet, cell))
    return _saved(book), places


def _fill_dispositions(sheet: Worksheet, rows: dict[str, dict[str, Any]]) -> None:
    for line in range(FIRST_ROW, sheet.max_row + 1):
        registry_no = sheet[DISPOSITIONS.cell("registry_no", line)].value
        for field, value in rows.get(str(registry_no), {}).items():
            sheet[DISPOSITIONS.cell(field, line)].value = value


def _fill_rows(sheet: Worksheet, table: Table, rows: list[dict[str, Any]]) -> None:
    for line, row in enumerate(rows, FIRST_ROW):
        for field, value in row.items():
            sheet[table.cell(field, line)].value = value


def _row_of(sheet: Worksheet, table: Table, key: str) -> int:
    """Return the row whose registry number, area code or point number is the key."""
    field = {DISPOSITIONS.field: "registry_no", AREAS.field: "code"}.get(table.field, "point")
    for line in range(FIRST_ROW, sheet.max_row + 1):
        if str(sheet[table.cell(field, line)].value) == key:
            return line
    raise KeyError(f"{table.sheet}: {key}")


def _saved(book: Any) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
