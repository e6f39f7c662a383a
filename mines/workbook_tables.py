"""Read the tables of a workbook column by column, and gather every cell that is wrong."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, zip_longest
from typing import cast

from mines.sheet_values import CellProblem, CellValue, Misread, Severity, problem_at, shown
from mines.sheets import Sheet
from mines.workbook_cells import ColumnReader, plain, reader_of
from mines.workbook_columns import FIRST_ROW, HEAD_ROW, Column, Table
from mines.workbook_rows import Snapshot

Place = tuple[int, int]
"""Row and column of a cell, from 1."""


@dataclass(frozen=True)
class Rows:
    """The filled rows of a table: their numbers, and by field their canonical texts."""

    numbers: Sequence[int]
    texts: Mapping[str, Sequence[str]]

    def column(self, field: str) -> Sequence[str]:
        """Return the texts of a field; empty ones when the table has no such column."""
        return self.texts.get(field) or [""] * len(self.numbers)

    def __iter__(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield row by row (row number, field → text)."""
        for number, texts in zip(self.numbers, zip(*self.texts.values(), strict=True), strict=True):
            yield number, dict(zip(self.texts, texts, strict=True))


class Reading:
    """One pass over a workbook, gathering problems as it goes."""

    def __init__(self, snapshot: Snapshot, minerals: Mapping[str, str]) -> None:
        self.snapshot = snapshot
        self.minerals = minerals
        self.problems: list[CellProblem] = []
        self.said: set[tuple[str, int, int]] = set()

    def at(
        self,
        sheet: str,
        row: int,
        column: int,
        misread: Misread,
        found: CellValue = None,
        severity: Severity = "error",
    ) -> None:
        """Note a problem with a cell; what follows from one is no news."""
        if (sheet, row, column) in self.said:
            return
        if severity == "error":
            self.said.add((sheet, row, column))
        self.problems.append(problem_at(sheet, row, column, misread, found, severity))

    def whole(self, sheet: str, code: str, message: str, severity: Severity = "error") -> None:
        """Note a problem with a whole sheet or workbook."""
        self.problems.append(CellProblem(sheet, "", severity, code, message))

    def rows(self, table: Table, sheet: Sheet) -> Rows:
        """Return the filled rows of a sheet of our template."""
        columns = []
        for number, column in enumerate(table.columns, start=1):
            found = sheet.value(HEAD_ROW, number)
            if plain(shown(found)) == plain(column.head):
                columns.append((number, column, reader_of(column, self.minerals)))
            else:
                says = f"应为表头“{column.head}”。请恢复表头，或重新下载模板后再填。"
                misread = Misread("head_changed", says, column.head)
                self.at(sheet.name, HEAD_ROW, number, misread, found)
        return self.read_rows(sheet, columns, FIRST_ROW)

    def read_rows(
        self, sheet: Sheet, columns: Sequence[tuple[int, Column, ColumnReader]], first: int
    ) -> Rows:
        """Return the rows below `first` that are not empty; wrong cells are noted and empty."""
        height = max(len(sheet.rows) - first + 1, 0)
        cells = list(zip_longest(*sheet.rows[first - 1 :]))
        nothing = (None,) * height
        read = [
            read(cells[number - 1] if number <= len(cells) else nothing)
            for number, _, read in columns
        ]
        filled = list(map(any, zip(*read, strict=True))) if read else [False] * height
        faulty = self._faults(sheet, columns, first)
        for row, _ in faulty:
            filled[row - first] = True
        wrong = dict(faulty)
        for (number, column, _), texts in zip(columns, read, strict=True):
            for at, misread in _misreads(column, texts, filled):
                wrong.setdefault((first + at, number), misread)
        for (row, number), misread in sorted(wrong.items(), key=lambda item: item[0]):
            self.at(sheet.name, row, number, misread, sheet.value(row, number))
        return Rows(
            list(compress(range(first, first + height), filled)),
            {
                column.field: _readable(texts if all(filled) else list(compress(texts, filled)))
                for (_, column, _), texts in zip(columns, read, strict=True)
            },
        )

    @staticmethod
    def _faults(
        sheet: Sheet, columns: Sequence[tuple[int, Column, ColumnReader]], first: int
    ) -> dict[Place, Misread]:
        """Return the cells of these columns whose values may not be trusted."""
        ours = {number for number, _, _ in columns}
        suspect = sheet.errors.keys() | sheet.formulas | sheet.merged_cells
        found = {
            (row, number): sheet.fault(row, number)
            for row, number in suspect
            if first <= row <= len(sheet.rows) and number in ours
        }
        return {place: fault for place, fault in found.items() if fault is not None}


def _readable(texts: list[str | Misread]) -> list[str]:
    """Return the texts of a column, empty where a cell could not be read."""
    if Misread in set(map(type, texts)):
        return ["" if isinstance(text, Misread) else text for text in texts]
    return cast(list[str], texts)


def _misreads(
    column: Column, texts: Sequence[str | Misread], filled: Sequence[bool]
) -> Iterator[tuple[int, Misread]]:
    """Yield place and reason of every cell that could not be read or is missing."""
    if Misread in set(map(type, texts)):
        yield from ((at, text) for at, text in enumerate(texts) if isinstance(text, Misread))
    if column.required and "" in texts:
        missing = Misread(
            "missing",
            f"没有填写“{column.head}”。{column.note or '这一列必填。'}",
            column.head,
        )
        yield from ((at, missing) for at, text in enumerate(texts) if not text and filled[at])
