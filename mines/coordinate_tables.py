"""Read corner points from a pasted table: tabs, spaces, commas or pipes, also a cell per line.

Tables copied from notices lose their row ends, carry two column groups side by side, and have
area and elevation sentences between their blocks.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from mines.coordinate_rows import (
    MASKED,
    NOT_FINITE,
    NUMBER,
    SCIENTIFIC,
    THOUSANDS,
    RawBoundary,
    RawRing,
    add_point,
    label_numbers,
    plain,
)
from mines.readings import problem

Kind = Literal["coordinate", "label", "x_head", "y_head", "block", "degrees", "broken", "other"]

ELEVATIONS = re.compile(
    r"(?:标高|深度|由|自)[^0-9+\-]{0,6}([+-]?\d{1,5}(?:\.\d{1,4})?)\s*(?:米|m)?\s*"
    r"(?:至|到|~|-|—|–)+\s*([+-]?\d{1,5}(?:\.\d{1,4})?)",
    re.IGNORECASE,
)
PART = "(?:矿段|采区|区块|块段|地块|矿体|井田|区域)"
BLOCK = re.compile(rf"[一二三四五六七八九十]{{1,3}}|[\w()()]{{1,20}}{PART}|{PART}[\w]{{1,4}}[::]?")
NAMED = re.compile(rf"[\w()()]{{0,20}}?{PART}")
LABEL = re.compile(r"[^\d\s.+-]{0,6}-?\d{1,5}([\s、/]+[^\d\s.]{0,3}\d{1,5})?[#号]?")
DEGREES = re.compile(r"\d\s?(°|度\s?\d{1,2}\s?[分′'])")
AREA = re.compile(r"面积.{0,6}\d")
LONGEST_CELL = 100
PAIR = re.compile(r"\d{6,8}(?:\.\d*)?[\s,;|]+[^\d]{0,3}\d{6,8}(?:\.|\b)")
BROKEN = re.compile(r"\d{6,8}\.\d|\d{1,3},\d{3}\.\d")
X_HEAD = re.compile(r"X(?![A-Za-z]).{0,12}|[纵北].{0,6}", re.IGNORECASE)
Y_HEAD = re.compile(r"Y(?![A-Za-z]).{0,12}|[横东].{0,6}", re.IGNORECASE)


@dataclass(frozen=True)
class Cell:
    """Hold one cell of the table with its line and what it seems to be."""

    kind: Kind
    text: str
    line: int


def read_table(text: str) -> RawBoundary:
    """Read the corner points of a pasted table, block by block."""
    raw = RawBoundary("table")
    blocks = _Blocks(raw)
    cells: list[Cell] = []
    for number, line in enumerate(text.split("\n"), 1):
        sentence = plain(line)
        elevations = ELEVATIONS.search(sentence)
        if PAIR.search(sentence) or not (elevations or AREA.search(sentence)):
            cells += _cells(sentence, number)
            if elevations:
                blocks.overall = _heights(elevations)
        else:
            blocks.read(cells)
            cells = []
            blocks.end_with(sentence.strip("|, "), elevations)
    blocks.read(cells)
    blocks.finish()
    return raw


def _heights(match: re.Match[str]) -> tuple[Decimal, Decimal]:
    return Decimal(match[1]), Decimal(match[2])


def _cells(line: str, number: int) -> Iterator[Cell]:
    for part in _split(line):
        text = re.sub(r"^[XxYy]\s*[=:]\s*|(?<=\d)\s*(m|米)$", "", part.strip().strip("\"'"))
        if THOUSANDS.fullmatch(text):
            text = text.replace(",", "")
        if text:
            yield Cell(_kind(text), text, number)


def _split(text: str) -> list[str]:
    """Split at the coarsest separator there is, and its parts again where they hold numbers."""
    if THOUSANDS.fullmatch(text.strip(" \"'")):
        return [text]
    for separator in ("|", "\t", ";", ","):
        if separator in text:
            return [cell for part in text.split(separator) for cell in _split(part)]
    words = text.split()
    # "13 14" is one badly typed label; a space beside a coordinate separates.
    return words if any(_kind(word) in ("coordinate", "broken") for word in words) else [text]


def _kind(text: str) -> Kind:
    if len(text) > LONGEST_CELL:
        return "other"
    if NUMBER.fullmatch(text):
        whole, _, decimals = text.lstrip("+-").partition(".")
        if len(whole) >= 6:
            return "coordinate"
        if decimals:
            return "degrees" if len(decimals) >= 3 and 3 <= abs(float(text)) <= 136 else "other"
    masked = MASKED.fullmatch(text) and (re.search(r"\d{2}", text) or "**" in text)
    if NOT_FINITE.fullmatch(text) or SCIENTIFIC.fullmatch(text) or masked:
        return "coordinate"
    if LABEL.fullmatch(text):
        return "label"
    if DEGREES.search(text):
        return "degrees"
    if BROKEN.search(text):
        return "broken"
    if X_HEAD.fullmatch(text):
        return "x_head"
    if Y_HEAD.fullmatch(text):
        return "y_head"
    return "block" if BLOCK.fullmatch(text) else "other"


class _Blocks:
    """Gather points into rings while the text goes from block to block."""

    def __init__(self, raw: RawBoundary) -> None:
        self.raw = raw
        self.ring = RawRing()
        self.overall: tuple[Decimal, Decimal] | None = None
        self.degrees_line = 0
        self.y_first: bool | None = None

    def read(self, cells: list[Cell]) -> None:
        """Take every pair of coordinates with the labels right before it."""
        labels: list[Cell] = []
        at = 0
        while at < len(cells):
            cell = cells[at]
            if cell.kind == "label":
                labels.append(cell)
                at += 1
                continue
            if cell.kind == "coordinate" and _kind_at(cells, at + 1) == "coordinate":
                after = cells[at + 2].text if _kind_at(cells, at + 2) == "label" else ""
                self._add(_label(labels, cell.line), cell, cells[at + 1], after)
                at += 1
            else:
                self._note(cell)
            labels = []
            at += 1

    def _note(self, cell: Cell) -> None:
        if cell.kind in ("coordinate", "broken"):
            self.raw.problems.append(
                problem(
                    "row_incomplete",
                    f"“{cell.text[:40]}”不能与另一个坐标配成一点",
                    line=cell.line,
                    found=cell.text[:40],
                    expected="每点一个 X 和一个 Y,都只含数字",
                    fix="请补齐缺少的一格;与坐标无关的数字请删去",
                )
            )
        elif cell.kind == "block":
            self._start(cell.text)
        elif cell.kind == "degrees":
            self.degrees_line = self.degrees_line or cell.line
        elif cell.kind in ("x_head", "y_head") and self.y_first is None:
            self.y_first = cell.kind == "y_head"

    def _add(self, label: str, first: Cell, second: Cell, after: str) -> None:
        """Add a corner; a number that begins again begins a new ring, or closes this one."""
        x, y = (second, first) if self.y_first else (first, second)
        points, number = self.ring.points, label_numbers(label)
        same = bool(points) and (points[0].x_text, points[0].y_text) == (x.text, y.text)
        again = bool(points) and bool(number) and number == label_numbers(points[0].number)
        goes_on = again and label_numbers(after) == [number[-1] + 1]
        if goes_on and not same:
            self._start()
        shown = label or str(len(self.ring.points) + 1)
        add_point(self.raw, self.ring, shown, x.text, y.text, first.line)
        if same and (again or not label):
            self._start()

    def end_with(self, sentence: str, elevations: re.Match[str] | None) -> None:
        """Take name and elevations from the sentence below a block, or above all blocks."""
        heights = _heights(elevations) if elevations else None
        if self.ring.points:
            named = NAMED.match(sentence)
            self.ring.name = named.group() if named else self.ring.name
            if heights:
                self.ring.top, self.ring.bottom = heights
            self._start()
        elif heights and self.raw.rings and self.raw.rings[-1].top is None:
            self.raw.rings[-1].top, self.raw.rings[-1].bottom = heights
        else:
            self.overall = heights or self.overall

    def _start(self, name: str = "") -> None:
        """End the ring being gathered, if it has points, and begin one with this name."""
        if self.ring.points:
            self.ring.line = self.ring.points[-1].line
            self._go_down_columns()
            self.raw.rings.append(self.ring)
            self.ring = RawRing()
        self.ring.name = name or self.ring.name

    def _go_down_columns(self) -> None:
        """Put corners of column groups side by side (1 4, 2 5, 3) into the order of numbers."""
        points = self.ring.points
        numbers = [n for point in points for n in label_numbers(point.number)]
        ordered = sorted(numbers)
        if len(numbers) != len(points) or numbers == ordered or len(points) < 3:
            return
        height = numbers[1] - numbers[0]
        if height < 2 or ordered != list(range(numbers[0], numbers[0] + len(numbers))):
            return
        columns = [ordered[at : at + height] for at in range(0, len(ordered), height)]
        across = [column[row] for row in range(height) for column in columns if row < len(column)]
        if numbers == across:
            points.sort(key=lambda point: label_numbers(point.number))

    def finish(self) -> None:
        """End the last ring; give elevations stated for the whole to rings without their own."""
        self._start()
        if self.overall and all(ring.top is None for ring in self.raw.rings):
            for ring in self.raw.rings:
                ring.top, ring.bottom = self.overall
        if self.degrees_line and not self.raw.rings:
            self.raw.problems.append(
                problem(
                    "degrees",
                    "给的是经纬度",
                    line=self.degrees_line,
                    found="经纬度",
                    expected="以米为单位的直角坐标(X 为 7 位,Y 为带号加 6 位)",
                    fix="请提交直角坐标,或用 GeoJSON、KML 上传经纬度",
                )
            )


def _kind_at(cells: list[Cell], at: int) -> Kind | None:
    return cells[at].kind if at < len(cells) else None


def _label(labels: list[Cell], line: int) -> str:
    """Return the label of a corner: "13 14" when two running numbers stand before it."""
    beside = [cell.text for cell in labels if cell.line == line]
    if len(beside) > 1 and all(text.isdecimal() for text in beside[-2:]):
        first, second = int(beside[-2]), int(beside[-1])
        if second == first + 1:
            return f"{first} {second}"
    return labels[-1].text if labels else ""
