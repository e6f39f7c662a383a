"""Read cells into the one canonical text that rows, files and comparisons share.

Numbers lose their trailing noughts, days are ISO, terms and minerals their code, yes is "t" and no
"f", nothing is "". What was read once is remembered, for columns repeat themselves.
"""

import datetime
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from mines.sheet_values import (
    EXACT_DIGITS,
    CellValue,
    Misread,
    as_choice,
    as_date,
    as_decimal,
    as_text,
    shown,
)
from mines.workbook_columns import Column, Kind

Read = str | Misread
Reader = Callable[[CellValue], Read]
ColumnReader = Callable[[Sequence[CellValue]], list[Read]]
YES, NO = "是", "否"
TEXTS = (Kind.TEXT, Kind.CODE, Kind.CORNER)
DAY = r"\d{4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}\s*日?"
TWO_DAYS = re.compile(rf"\D*({DAY})\s*(?:至|到|—+|–|-+|~|～)\s*({DAY})\D*")
TWO_HEIGHTS = re.compile(
    r"(-?\d+(?:\.\d+)?)\s*(?:m|米)?\s*(?:至|到|—+|–|-|~|～)\s*(-?\d+(?:\.\d+)?)\s*(?:m|米)?"
)


def plain(text: str) -> str:
    """Return text for comparing: full-width signs made ordinary, blanks dropped."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def canonical(number: Decimal) -> str:
    """Return a number without trailing noughts: 50, 50.0 and 50.00 are "50"."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class Remembered(dict[CellValue, Read]):
    """Remember what each value of a column was read as."""

    def __init__(self, read: Reader) -> None:
        super().__init__({None: ""})
        self.read = read

    def __missing__(self, value: CellValue) -> Read:
        """Read a value that comes for the first time."""
        found = self[value] = self.read(value)
        return found


def reader_of(
    column: Column, minerals: Mapping[str, str], *, factor: Decimal = Decimal(1)
) -> ColumnReader:
    """Return the function that reads the cells of a column; `minerals` maps plain names to codes.

    `factor` leads from the unit in the head of a county's own table to ours.
    """
    read = _readers(column, minerals, factor)
    remembered = Remembered(read)

    def read_column(cells: Sequence[CellValue]) -> list[Read]:
        kinds = set(map(type, cells))
        if column.kind in TEXTS and kinds <= {str, type(None)} and _is_plain(column, cells):
            return [cell or "" for cell in cells]  # type: ignore[misc]
        if bool in kinds:  # True and 1 are the same to a dictionary
            return [
                read(cell) if cell is True or cell is False else remembered[cell] for cell in cells
            ]
        return list(map(remembered.__getitem__, cells))

    return read_column


def _is_plain(column: Column, texts: Sequence[Any]) -> bool:
    """Tell whether all texts of a column already are as we would write them."""
    together = "".join(filter(None, texts))
    return (
        together.isprintable()
        and " " not in together
        and (column.kind is not Kind.CODE or (together.isascii() and together == together.upper()))
        and max(map(len, filter(None, texts)), default=0) <= column.longest
    )


def _readers(column: Column, minerals: Mapping[str, str], factor: Decimal) -> Reader:
    if column.kind is Kind.DECIMAL:
        return _decimals(column, factor)
    if column.kind is Kind.DATE:
        return _date
    if column.kind is Kind.TERM:
        return lambda value: _term(value, column)
    if column.kind is Kind.YES_NO:
        return _yes_no
    if column.kind is Kind.MINERAL:
        return lambda value: _mineral(value, minerals)
    if column.kind is Kind.PERIOD:
        return _period
    if column.kind is Kind.HEIGHTS:
        return _heights
    if column.kind is Kind.CODE:
        return lambda value: _code(value, column)
    return lambda value: _text(value, column)


def _text(value: CellValue, column: Column) -> Read:
    read = as_text(value, longest=column.longest)
    return read if isinstance(read, Misread) else read or ""


def _code(value: CellValue, column: Column) -> Read:
    read = _text(value, column)
    return read if isinstance(read, Misread) else plain(read).upper()


def _decimals(column: Column, factor: Decimal) -> Reader:
    """Return a reader that tells at once of most numbers that they fit as they are."""
    lowest = float("-inf") if column.minimum is None else float(column.minimum)
    below = float(column.below)

    def read(value: CellValue) -> Read:
        if isinstance(value, float) and factor == 1 and lowest <= value and abs(value) < below:
            text = f"{value:.{EXACT_DIGITS}g}"
            if value and "e" not in text and len(text.partition(".")[2]) <= column.places:
                return text
        return _decimal(value, column, factor)

    return read


def _decimal(value: CellValue, column: Column, factor: Decimal) -> Read:
    number = as_decimal(value, minimum=column.minimum)
    if number is None or isinstance(number, Misread):
        return "" if number is None else number
    number *= factor
    if abs(number) >= column.below:
        return Misread(
            "too_large", "太大，超出这一列能记录的范围。请核对数值和单位。", f"小于{column.below}"
        )
    rounded = round(number, column.places)
    if rounded != number and factor == 1:
        return Misread(
            "too_precise",
            f"的小数超过 {column.places} 位。请按 {column.places} 位小数填写。",
            f"{column.places}位小数",
        )
    return canonical(rounded)


def _date(value: CellValue) -> Read:
    read = as_date(value)
    if isinstance(read, Misread):
        return read
    return "" if read is None else read.isoformat()


def _term(value: CellValue, column: Column) -> Read:
    assert column.terms is not None  # noqa: S101
    read = as_choice(value, column.terms)
    if isinstance(read, Misread):
        return read
    return "" if read is None else read.value


def _yes_no(value: CellValue) -> Read:
    text = plain(shown(value))
    if text in ("", YES, NO):
        return {"": "", YES: "t", NO: "f"}[text]
    return Misread("unknown_choice", "不在可选范围内。请填写“是”或“否”，不清楚时留空。", "是、否")


def _mineral(value: CellValue, minerals: Mapping[str, str]) -> Read:
    text = plain(shown(value, 200))
    if not text:
        return ""
    known = minerals.get(text)
    if known is not None:
        return known
    return Misread("unknown_mineral", "不在矿种目录中。请从下拉列表中选择矿种。", "目录中的矿种")


def _period(value: CellValue) -> Read:
    """Return two ISO days with a slash between them."""
    match = TWO_DAYS.fullmatch(unicodedata.normalize("NFKC", shown(value, 200)))
    if not match:
        if not shown(value):
            return ""
        says = "不是起止日期。请填写如 2020-01-01至2025-01-01。"
        return Misread("not_period", says, "起止日期，如 2020-01-01至2025-01-01")
    days = [as_date(part) for part in match.groups()]
    wrong = next((day for day in days if isinstance(day, Misread)), None)
    return wrong or "/".join(day.isoformat() for day in days if isinstance(day, datetime.date))


def _heights(value: CellValue) -> Read:
    """Return upper and lower elevation with a slash between them, whichever came first."""
    text = plain(shown(value, 200))
    if not text:
        return ""
    match = TWO_HEIGHTS.fullmatch(text)
    if not match:
        says = "不是起止标高。请填写如 1400至1300，单位为米。"
        return Misread("not_heights", says, "起止标高，如 1400至1300")
    low, high = sorted(Decimal(part) for part in match.groups())
    return f"{canonical(high)}/{canonical(low)}"
