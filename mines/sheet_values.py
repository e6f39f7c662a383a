"""Turn what a person typed into a cell into a value, or say what is wrong with it. Never guess.

Each `as_…` returns the value, None for an empty cell, or a Misread whose `says` continues the
sentence “… 单元格『50万』”.
"""

import datetime
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeVar

from standards.terms import Term

CellValue = None | str | bool | int | float | datetime.date | datetime.datetime
Severity = Literal["error", "warning"]
AnyTerm = TypeVar("AnyTerm", bound=Term)

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?")
GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
LEADING_NUMBER = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*([^\d\s.,/~\-—–至].*)")
DATE = re.compile(r"(\d{4})\s*([-/.年])\s*(\d{1,2})\s*([-/.月])\s*(\d{1,2})\s*日?")
COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
DASHES = str.maketrans({"−": "-", "–": "-", "—": "-", "﹣": "-"})
EXACT_DIGITS = 15  # a spreadsheet keeps no more of a number


@dataclass(frozen=True)
class Misread:
    """Why a cell could not be taken; `says` is the rest of a sentence that names the cell."""

    code: str
    says: str
    expected: str


@dataclass(frozen=True)
class CellProblem:
    """One thing wrong in a workbook, as the page, the list and the marked copy show it.

    `cell` is like "D7", or "" when the problem belongs to the whole sheet or workbook.
    """

    sheet: str
    cell: str
    severity: Severity
    code: str
    message: str
    found: str = ""
    expected: str = ""


def problem_at(
    sheet: str,
    row: int,
    column: int,
    misread: Misread,
    found: CellValue,
    severity: Severity = "error",
    *,
    label: str = "",
) -> CellProblem:
    """Name the cell in the sentence: 附表2 第7行 D7 单元格『50万』不是数字。…

    `label` is a shorter name of the sheet for the sentence.
    """
    cell = f"{column_letters(column)}{row}"
    quoted = f"『{shown(found)}』" if found not in (None, "") else ""
    message = f"{label or sheet} 第{row}行 {cell} 单元格{quoted}{misread.says}"
    return CellProblem(sheet, cell, severity, misread.code, message, shown(found), misread.expected)


def column_letters(column: int) -> str:
    """Return the letters of a column number that counts from 1."""
    letters = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def shown(value: CellValue, longest: int = 60) -> str:
    """Return a value as a reader would write it, cut to `longest` characters."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return f"{_exact(value):f}"
    text = " ".join(str(value).split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def as_text(value: CellValue, *, longest: int = 500, one_line: bool = True) -> str | Misread | None:
    """Return text with its outer blanks gone, runs of blanks as one, and nothing else changed.

    Letters and digits keep their width: a name stays as it was typed. A number is taken only
    when all its digits survived.
    """
    if value is None:
        return None
    if isinstance(value, bool):
        return Misread("not_text", "是逻辑值，不是文字。请直接填写文字。", "文字")
    if isinstance(value, (int, float)):
        exact = _exact(value)
        if len(exact.as_tuple().digits) >= EXACT_DIGITS and abs(exact) >= 10**EXACT_DIGITS:
            return Misread(
                "digits_lost",
                "超过15位，已被表格软件当作数字截断。请把单元格设为文本格式后重新填写。",
                "文本格式的编号",
            )
        return f"{exact:f}"
    if isinstance(value, datetime.date):
        return Misread("not_text", "是日期，不是文字。请把单元格设为文本格式后填写。", "文字")
    lines = [" ".join(line.split()) for line in value.splitlines()]
    text = (" " if one_line else "\n").join(line for line in lines if line)
    text = "".join(letter for letter in text if letter == "\n" or letter.isprintable())
    if len(text) > longest:
        return Misread(
            "too_long",
            f"有 {len(text)} 个字，超过 {longest} 个字。请精简。",
            f"不超过{longest}个字",
        )
    return text or None


def as_decimal(
    value: CellValue,
    *,
    minimum: Decimal | None = None,
    maximum: Decimal | None = None,
    places: int | None = None,
) -> Decimal | Misread | None:
    """Return a number; text numbers, full-width digits and 1,234 are the same number."""
    number = _number(value)
    if number is None or isinstance(number, Misread):
        return number
    if minimum is not None and number < minimum:
        return Misread("too_small", f"小于 {minimum}。请核对数值和单位。", f"不小于{minimum}")
    if maximum is not None and number > maximum:
        return Misread("too_large", f"大于 {maximum}。请核对数值和单位。", f"不大于{maximum}")
    if places is not None and number != round(number, places):
        return Misread(
            "too_precise", f"的小数超过 {places} 位。请按 {places} 位小数填写。", f"{places}位小数"
        )
    return number


def as_int(
    value: CellValue, *, minimum: int | None = None, maximum: int | None = None
) -> int | Misread | None:
    """Return a whole number."""
    number = as_decimal(
        value,
        minimum=None if minimum is None else Decimal(minimum),
        maximum=None if maximum is None else Decimal(maximum),
    )
    if number is None or isinstance(number, Misread):
        return number
    if number != number.to_integral_value():
        return Misread("not_whole", "不是整数。请填写整数。", "整数")
    return int(number)


def as_date(value: CellValue) -> datetime.date | Misread | None:
    """Return a day; 2025-12-31, 2025/12/31, 2025.12.31, 2025年12月31日, 20251231 are the same."""
    expected = "日期，如 2025-12-31"
    if isinstance(value, datetime.datetime):
        return value.date()
    if value is None or isinstance(value, datetime.date):
        return value
    if isinstance(value, bool):
        return Misread("not_date", "不是日期。请填写完整日期，如 2025-12-31。", expected)
    text = _plain(shown(value))
    if not text:
        return None
    match = DATE.fullmatch(text) or COMPACT_DATE.fullmatch(text)
    if not match:
        return Misread("not_date", "不是完整的日期。请填写到年月日，如 2025-12-31。", expected)
    parts = [int(part) for part in match.groups() if part.isdecimal()]
    try:
        day = datetime.date(*parts)
    except ValueError:
        return Misread("no_such_day", "这一天不存在。请核对年月日，如 2025-12-31。", expected)
    if not 1949 <= day.year <= 2100:
        return Misread("far_date", "的年份不合理。请核对年月日，如 2025-12-31。", expected)
    return day


def as_choice(value: CellValue, terms: type[AnyTerm]) -> AnyTerm | Misread | None:
    """Return the term with this label; brackets and dashes of either width are the same."""
    text = as_text(value)
    if text is None or isinstance(text, Misread):
        return text
    labels = {_plain(term.label): term for term in terms}
    found = labels.get(_plain(text))
    if found is not None:
        return found
    known = "、".join(term.label for term in terms)
    return Misread("unknown_choice", f"不在可选范围内。请从下拉列表中选择：{known}。", known)


def _number(value: CellValue) -> Decimal | Misread | None:
    expected = "数字"
    if value is None:
        return None
    if isinstance(value, bool):
        return Misread("not_number", "是逻辑值，不是数字。请只填数字。", expected)
    if isinstance(value, (int, float)):
        return _exact(value)
    if isinstance(value, datetime.date):
        return Misread(
            "date_not_number", "被设置成了日期格式。请把单元格改为数值格式后重新填写。", expected
        )
    text = _plain(value)
    if not text:
        return None
    if GROUPED.fullmatch(text):
        text = text.replace(",", "")
    if NUMBER.fullmatch(text):
        return _exact(Decimal(text))
    unit = LEADING_NUMBER.fullmatch(text)
    if unit and not any(letter.isdigit() for letter in unit.group(2)):
        return Misread(
            "not_number", f"不是数字。请只填数字 {unit.group(1)}，单位已在表头。", expected
        )
    if text in {"/", "-", "--", "无", "无数据", "不详"}:
        return Misread("not_number", "不是数字。没有数据时请留空。", expected)
    return Misread("not_number", "不是数字。请只填一个数字，单位已在表头。", expected)


def _exact(value: int | float | Decimal) -> Decimal:
    """Return the number that the spreadsheet shows, without the noise of binary fractions."""
    if isinstance(value, float):
        value = Decimal(f"{value:.{EXACT_DIGITS}g}")
    number = Decimal(value)
    if number == number.to_integral_value() and abs(number) < Decimal(10) ** 30:
        return number.quantize(Decimal(1)) if abs(number) < Decimal(10) ** 27 else number
    return number.normalize()


def _plain(text: str) -> str:
    """Make full-width signs ordinary and drop blanks: for comparing and counting only."""
    return "".join(unicodedata.normalize("NFKC", text).translate(DASHES).split())
