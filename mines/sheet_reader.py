"""Guard and read one workbook, then write it to standard output: two lines of JSON per sheet.

Run as a child: `python -m mines.sheet_reader <path> <limits as JSON>`. It takes away its own means
to do harm (memory, time, files, network) before it opens the file.
"""

import datetime
import gc
import json
import math
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from mines.child import give_up_powers
from mines.sheet_guard import OLE_MAGIC, Marks, check_extent, check_head, inspect_zip
from mines.sheet_ole import inspect_ole
from mines.sheet_refusals import DAMAGED, many_cells, refuse
from mines.sheets import MIB, TOO_HEAVY, Limits, Workbook, WorkbookRefused, check_size, from_lines

SPECIAL = {bool, datetime.datetime, datetime.date, datetime.time, datetime.timedelta}


def read_here(path: Path, limits: Limits) -> Workbook:
    """Guard and read in this process: for tests and measurements only."""
    return from_lines(iter([line.encode() for line in lines_of(path, limits)]))


def lines_of(path: Path, limits: Limits) -> Iterator[str]:
    """Yield a head line and a line of rows for each sheet; raise WorkbookRefused."""
    check_size(path.stat().st_size, limits)
    with path.open("rb") as file:
        head = file.read(4096)
    check_head(head)
    inspect = inspect_ole if head.startswith(OLE_MAGIC) else inspect_zip
    marks = inspect(path, limits)
    left = limits.inflated_bytes
    for lines in _read(path, marks, limits):
        for line in lines:
            left -= len(line)
            if left < 0:
                raise WorkbookRefused(
                    "too_much_text",
                    f"工作簿的文字超过 {limits.inflated_bytes // MIB} MB；"
                    "请删去重复的长文字后再上传。",
                )
            yield line


def _read(path: Path, marks: list[Marks], limits: Limits) -> Iterator[list[str]]:
    area = 0
    try:
        with path.open("rb") as file:
            book = CalamineWorkbook.from_filelike(file)
            sheets = book.sheets_metadata
            if len(sheets) != len(marks):
                raise refuse(DAMAGED)
            for number, (about, seen) in enumerate(zip(sheets, marks, strict=True)):
                if about.typ == SheetTypeEnum.WorkSheet:
                    sheet = book.get_sheet_by_index(number)
                    area += _area(sheet, limits)
                    if area > limits.cells:
                        raise refuse(many_cells(limits))
                    hidden = about.visible != SheetVisibleEnum.Visible
                    yield _sheet_lines(sheet, seen, hidden, limits)
    except (WorkbookRefused, MemoryError):
        raise
    except BaseException as broken:  # the parser's panics are no Exception
        if isinstance(broken, (KeyboardInterrupt, SystemExit, GeneratorExit)):
            raise
        raise refuse(DAMAGED) from broken


def _area(sheet: CalamineSheet, limits: Limits) -> int:
    """Return how many cells a sheet spans, and refuse one that reaches too far."""
    if sheet.end is None:
        return 0
    last_row, last_column = sheet.end[0] + 1, sheet.end[1] + 1
    check_extent(Marks(last_row, last_column), limits)
    return last_row * last_column


def _sheet_lines(sheet: CalamineSheet, seen: Marks, hidden: bool, limits: Limits) -> list[str]:
    rows: list[list[Any]] = sheet.to_python(skip_empty_area=False)
    kinds = set(map(type, chain.from_iterable(rows)))
    width = max(map(len, rows), default=0)
    line = _rows_line(rows, kinds, seen)
    head = {
        "name": sheet.name,
        "hidden": hidden,
        "special": not kinds.isdisjoint(SPECIAL),
        "formulas": sorted(seen.formulas),
        "errors": [[row, column, text] for (row, column), text in sorted(seen.errors.items())],
        "merged": _merged(sheet, len(rows), width, limits),
        "hidden_rows": sorted(row for row in seen.hidden_rows if row <= len(rows)),
        "hidden_columns": sorted(column for column in seen.hidden_columns if column <= width),
    }
    return [json.dumps(head), line]


def _rows_line(rows: list[list[Any]], kinds: set[type], seen: Marks) -> str:
    """Return the rows as JSON with null for empty cells; what is no number is noted."""
    if kinds.isdisjoint(SPECIAL):
        cells = [[None if cell == "" else cell for cell in row] for row in rows]
    else:
        cells = [[_to_json(cell) for cell in row] for row in rows]
    try:
        return json.dumps(cells, allow_nan=False)
    except ValueError:
        for number, row in enumerate(cells, start=1):
            for column, cell in enumerate(row, start=1):
                if isinstance(cell, float) and not math.isfinite(cell):
                    row[column - 1] = None
                    seen.errors[number, column] = "#NUM!"
        return json.dumps(cells)


def _merged(
    sheet: CalamineSheet, height: int, width: int, limits: Limits
) -> list[tuple[int, int, int, int]]:
    """Return the merged ranges that touch the content, cut to it."""
    ranges = [
        (top + 1, left + 1, min(bottom + 1, height), min(right + 1, width))
        for (top, left), (bottom, right) in sheet.merged_cell_ranges or []
        if top < height and left < width
    ]
    # Ranges that lie on each other cannot come from a spreadsheet program.
    if sum((e - b + 1) * (f - c + 1) for b, c, e, f in ranges) > min(height * width, limits.cells):
        raise refuse(DAMAGED)
    return ranges


def _to_json(value: Any) -> Any:
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return value
    if isinstance(value, datetime.datetime):
        return {"at": value.isoformat()}
    if isinstance(value, datetime.date):
        return {"on": value.isoformat()}
    if isinstance(value, (datetime.time, datetime.timedelta)):
        return {"for": str(value)}
    return value


def main(path: str, limits_json: str) -> None:
    """Write the workbook, or one line that says why not."""
    limits = Limits(**json.loads(limits_json))
    gc.disable()  # millions of cells, no cycles among them, and the end is near
    give_up_powers(memory_bytes=limits.memory_bytes, cpu_seconds=limits.cpu_seconds)
    try:
        for line in lines_of(Path(path), limits):
            sys.stdout.write(line + "\n")
    except WorkbookRefused as refused:
        sys.stdout.write(json.dumps({"refused": refused.code, "message": refused.message}) + "\n")
    except MemoryError:
        sys.stdout.write(json.dumps({"refused": TOO_HEAVY[0], "message": TOO_HEAVY[1]}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
