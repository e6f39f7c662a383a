"""Write the mines on screen into files; every cell of words is text, never a formula."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.gis.db.models.functions import AsGeoJSON
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill

from mines.columns import FILE_COLUMNS, Column, Value, plain
from mines.models import Mine, MineQuerySet

# Read at once while a file is written; keeps memory the same for any number of mines.
CHUNK = 500
MOST_ROWS = {"xlsx": 10_000, "csv": 100_000, "geojson": 20_000}

# A spreadsheet takes what begins so for a formula when it opens a text file.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
NOTE = "示例数据不是真实矿山；“示意”范围不是实测边界。"


def xlsx(mines: MineQuerySet) -> bytes:
    """Return a workbook with one sheet, units in the head, numbers as numbers."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("矿山台账")
    sheet.freeze_panes = "B2"
    for index, column in enumerate(FILE_COLUMNS):
        letter = _letter(index)
        sheet.column_dimensions[letter].width = 36 if column.key in WIDE else 16
    sheet.append([_head(sheet, column) for column in FILE_COLUMNS])
    for mine in _in_chunks(mines):
        sheet.append([_cell(sheet, column.value(mine)) for column in FILE_COLUMNS])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


WIDE = {"name", "holder", "licence", "systems", "given_by"}


def _letter(index: int) -> str:
    first, second = divmod(index, 26)
    return (chr(64 + first) if first else "") + chr(65 + second)


def _head(sheet: Any, column: Column) -> Any:
    cell = WriteOnlyCell(sheet, value=title(column))
    cell.font = Font(bold=True)
    cell.fill = PatternFill("solid", fgColor="EEF1EF")
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell


def _cell(sheet: Any, value: Value) -> Any:
    cell: Any = WriteOnlyCell(sheet)
    cell.value = ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value
    if isinstance(value, str):
        cell.data_type = "s"
    elif isinstance(value, date):
        cell.number_format = "yyyy-mm-dd"
    return cell


def title(column: Column) -> str:
    """Return a column's head with its unit."""
    return f"{column.label}（{column.unit}）" if column.unit else column.label


def csv_lines(mines: MineQuerySet) -> Iterator[str]:
    """Yield the lines of a CSV file in UTF-8 with a mark that spreadsheets know."""
    line = io.StringIO()
    writer = csv.writer(line)

    def taken() -> str:
        text = line.getvalue()
        line.seek(0)
        line.truncate()
        return text

    line.write("\ufeff")
    writer.writerow([title(column) for column in FILE_COLUMNS])
    yield taken()
    for mine in _in_chunks(mines):
        writer.writerow([_word(column.value(mine)) for column in FILE_COLUMNS])
        yield taken()


def _word(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return plain(value)
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def geojson_parts(mines: MineQuerySet) -> Iterator[str]:
    """Yield a FeatureCollection in degrees of CGCS2000; a mine without boundary has no shape."""
    yield json.dumps({"note": NOTE}, ensure_ascii=False)[:-1]
    yield ', "type": "FeatureCollection", "features": ['
    first = True
    for mine in _in_chunks(mines.annotate(shape=AsGeoJSON("boundary__outline", precision=7))):
        yield ("" if first else ",\n") + _feature(mine)
        first = False
    yield "]}"


def _feature(mine: Mine) -> str:
    properties = {title(column): _plain_word(column.value(mine)) for column in FILE_COLUMNS}
    shape = getattr(mine, "shape", None) or "null"
    words = json.dumps(properties, ensure_ascii=False)
    return f'{{"type": "Feature", "geometry": {shape}, "properties": {words}}}'


def _plain_word(value: Value) -> str | None:
    if isinstance(value, Decimal):
        return plain(value)
    return None if value is None else str(value)


def _in_chunks(mines: MineQuerySet) -> Iterable[Mine]:
    return mines.with_registry_facts().select_related("standing").iterator(chunk_size=CHUNK)
