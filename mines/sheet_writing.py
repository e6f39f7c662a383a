"""Write values that came from data into cells: text stays text, whatever it begins with."""

from datetime import date
from decimal import Decimal
from typing import cast

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.worksheet.worksheet import Worksheet

from standards.terms import Term

YES, NO = "是", "否"
SEPARATOR = "、"


def put(cell: Cell, value: object) -> None:
    """Write a value that came from data; no text can become a formula."""
    if isinstance(value, Term):
        value = value.label
    if isinstance(value, bool):
        value = YES if value else NO
    if isinstance(value, tuple):
        value = SEPARATOR.join(term.label for term in value)
    if isinstance(value, str):
        value = ILLEGAL_CHARACTERS_RE.sub("", value)[:32000]
        if not value:
            return
        cell.value = value
        cell.data_type = "s"
        if value[0] in "=+-@":
            cell.quotePrefix = True
    elif value is None or isinstance(value, (int, Decimal, date)):
        cell.value = value
    else:
        raise TypeError(type(value))


def cell_at(sheet: Worksheet, row: int, column: int) -> Cell:
    """Return a cell that is not hidden under a merged range."""
    return cast(Cell, sheet.cell(row, column))
