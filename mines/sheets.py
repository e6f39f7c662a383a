"""Read uploaded workbooks in a child process that may die without harm.

A workbook is guarded first (sizes, macros, links, far cells), then read, both in the child. Only
plain values come back. What cannot be accepted raises WorkbookRefused with one Chinese sentence.
"""

import datetime
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from mines.child import Broken, Killed, TooSlow, output_of
from mines.sheet_values import (
    CellProblem,
    CellValue,
    Misread,
    Severity,
    as_choice,
    as_date,
    as_decimal,
    as_int,
    as_text,
    column_letters,
    problem_at,
    shown,
)

__all__ = [
    "CellProblem",
    "CellValue",
    "Limits",
    "Misread",
    "Severity",
    "Sheet",
    "Workbook",
    "WorkbookRefused",
    "as_choice",
    "as_date",
    "as_decimal",
    "as_int",
    "as_text",
    "column_letters",
    "problem_at",
    "read_workbook",
    "shown",
]

MIB = 1 << 20
TOO_HEAVY = (
    "too_heavy",
    "读取这个工作簿时超出了内存或时间限制，已停止；请把内容粘贴到新下载的模板后再上传。",
)
UNREADABLE = (
    "unreadable",
    "这个工作簿无法读取；请用 Excel 或 WPS 打开并另存为 .xlsx 后再上传。",
)


class WorkbookRefused(Exception):
    """A workbook that is not read at all; `message` says why and what to do, in one sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Limits:
    """Bounds of one upload; sizes in bytes, times in seconds."""

    file_bytes: int = 30 * MIB
    inflated_bytes: int = 300 * MIB
    members: int = 2000
    sheets: int = 64
    rows: int = 120_000
    columns: int = 256
    cells: int = 4_000_000
    memory_bytes: int = 1024 * MIB
    cpu_seconds: int = 60
    seconds: int = 90


@dataclass(frozen=True)
class Sheet:
    """One sheet: dense rows from A1, and what a person may not see at once.

    Row and column numbers count from 1. `rows[0][0]` is A1; an empty cell is None. Formula cells
    hold their last computed value in `rows` (or None) and are named in `formulas`; error cells
    (#DIV/0! and the like) are None in `rows` and named in `errors`. `merged` holds
    (first row, first column, last row, last column).
    """

    name: str
    rows: list[list[CellValue]] = field(repr=False)
    hidden: bool = False
    formulas: frozenset[tuple[int, int]] = frozenset()
    errors: Mapping[tuple[int, int], str] = field(default_factory=dict)
    merged: tuple[tuple[int, int, int, int], ...] = ()
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()

    def value(self, row: int, column: int) -> CellValue:
        """Return the value at (row, column), None outside of what is written."""
        if not (0 < row <= len(self.rows)):
            return None
        cells = self.rows[row - 1]
        return cells[column - 1] if 0 < column <= len(cells) else None

    def fault(self, row: int, column: int) -> Misread | None:
        """Say why the value of a cell may not be trusted: formula, error or merged cell."""
        if (row, column) in self.errors:
            return Misread(
                "error_cell", f"是错误值 {self.errors[row, column]}。请改成正确的内容。", "正常的值"
            )
        if (row, column) in self.formulas:
            return Misread(
                "formula", "是公式。请用“选择性粘贴—数值”改成固定的内容。", "直接填写的值"
            )
        if (row, column) in self.merged_cells:
            return Misread("merged", "是合并单元格。请取消合并，逐格填写。", "未合并的单元格")
        return None

    @cached_property
    def merged_cells(self) -> frozenset[tuple[int, int]]:
        """Every cell that lies in a merged range, inside of what is written."""
        height = len(self.rows)
        width = max((len(cells) for cells in self.rows), default=0)
        return frozenset(
            (row, column)
            for top, left, bottom, right in self.merged
            for row in range(top, min(bottom, height) + 1)
            for column in range(left, min(right, width) + 1)
        )


@dataclass(frozen=True)
class Workbook:
    """All sheets of a workbook in their order, hidden ones included."""

    sheets: tuple[Sheet, ...]

    def sheet(self, name: str) -> Sheet | None:
        """Return the sheet of this name, None when there is none."""
        return next((sheet for sheet in self.sheets if sheet.name == name), None)


def read_workbook(path: Path, *, limits: Limits = Limits()) -> Workbook:
    """Guard and read a workbook in a child process; raise WorkbookRefused."""
    try:
        size = path.stat().st_size
    except OSError as missing:
        raise WorkbookRefused("missing", "没有找到上传的文件，请重新上传。") from missing
    check_size(size, limits)
    arguments = [str(path.resolve()), json.dumps(asdict(limits))]
    try:
        lines = output_of("mines.sheet_reader", arguments, seconds=limits.seconds)
    except TooSlow as slow:
        raise WorkbookRefused(
            "too_slow", f"读取这个工作簿超过 {limits.seconds} 秒，已停止；请删去无关内容后再上传。"
        ) from slow
    except Killed as killed:
        raise WorkbookRefused(*TOO_HEAVY) from killed
    except Broken as broken:
        raise WorkbookRefused(*UNREADABLE) from broken
    return from_lines(iter(lines.splitlines()))


def check_size(size: int, limits: Limits) -> None:
    """Refuse an empty file and one over the limit."""
    if size == 0:
        raise WorkbookRefused("empty", "文件是空的（0 字节），请重新导出或保存后再上传。")
    if size > limits.file_bytes:
        raise WorkbookRefused(
            "too_large",
            f"文件有 {size / MIB:.1f} MB，超过 {limits.file_bytes // MIB} MB 的上限；"
            "请删去图片和无关的工作表后再上传。",
        )


def from_lines(lines: Iterator[bytes]) -> Workbook:
    """Rebuild a workbook from the lines that the child wrote: a head and the rows, per sheet."""
    sheets: list[Sheet] = []
    for line in lines:
        head = _part(line)
        rows = _part(next(lines))
        if head["special"]:
            rows = [[_from_json(value) for value in row] for row in rows]
        sheets.append(
            Sheet(
                name=head["name"],
                rows=rows,
                hidden=head["hidden"],
                formulas=frozenset((row, column) for row, column in head["formulas"]),
                errors={(row, column): text for row, column, text in head["errors"]},
                merged=tuple((a, b, c, d) for a, b, c, d in head["merged"]),
                hidden_rows=frozenset(head["hidden_rows"]),
                hidden_columns=frozenset(head["hidden_columns"]),
            )
        )
    return Workbook(tuple(sheets))


def _part(line: bytes) -> Any:
    part = json.loads(line)
    if isinstance(part, dict) and "refused" in part:
        raise WorkbookRefused(part["refused"], part["message"])
    return part


def _from_json(value: Any) -> CellValue:
    """Turn {"at": …}, {"on": …} and {"for": …} back into moments, days and spans."""
    if not isinstance(value, dict):
        return value  # type: ignore[no-any-return]
    if "on" in value:
        return datetime.date.fromisoformat(value["on"])
    if "at" in value:
        return datetime.datetime.fromisoformat(value["at"])
    return str(value["for"])
