"""Lay out a bulletin's content by GB/T 9704-2012: lines, positions and sizes for the template."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from supervision.charts import Chart, render_chart_svg
from supervision.content import (
    Annex,
    Block,
    BulletinContent,
    Column,
    Paragraph,
    SubHeading,
    Table,
)
from supervision.document_fonts import FANGSONG, HEITI, KAITI, SONGTI, TITLE_SONG, Face, Font
from supervision.typesetting import (
    AREA_WIDTH_MM,
    CHARACTER_MM,
    LINE_MM,
    MM,
    Line,
    break_title,
    set_lines,
)

AREA = AREA_WIDTH_MM * MM
CHARACTER = CHARACTER_MM * MM
LINE = LINE_MM * MM
BODY, FOOT, TITLE = 16.0, 14.0, 22.0
"""Sizes 三号, 四号 and 二号 (points)."""

WIDE_AREA = 225.0 * MM
CELL_SIZE = 10.5
CELL_EDGES, SHORT_CELL, UNIT_SCALE = 0.9, 8.0, 9 / 10.5
"""Padding of a cell, what counts as a short one (em of its text), the unit line's size."""

HEAD_TOP_MM = 35.0
RULE_GAP_MM = 4.0
RULE_MM = 0.45
PAGE_NUMBER_MM = 7.0
BRIEF_RULE_MM = 62.0
"""A brief's red rule closes the upper third of the sheet: 99 mm below its edge."""

MARK_SIZE, NARROWEST_MARK = 42.0, 0.62
LONGEST_MARK_LINE = 16
BRIEF_MARK_SIZE = 60.0


@dataclass(frozen=True)
class Mark:
    """The red head's lines, drawn at `size` points and narrowed to `scale`."""

    lines: tuple[str, ...]
    size: float
    scale: float
    top: float
    height: float


@dataclass(frozen=True)
class SetText:
    """A paragraph or heading ready to print."""

    kind: str
    lines: tuple[Line, ...]
    label: str


@dataclass(frozen=True)
class SetEntry:
    """Names set after a label, whose width (points) later lines are indented by."""

    label: str
    label_width: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class SetTable:
    """A table ready to print; columns carry their share of the width in per cent."""

    kind: str
    number: str
    caption: str
    columns: tuple[tuple[Column, str], ...]
    rows: tuple[tuple[tuple[str, str], ...], ...]
    totals: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class SetChart:
    """A drawn chart with its table."""

    kind: str
    number: str
    caption: str
    svg: str
    table: SetTable


@dataclass(frozen=True)
class SetAnnex:
    """An annex; `number` is printed after 附件 when there are several."""

    number: str
    title_lines: tuple[str, ...]
    blocks: tuple[SetText | SetTable | SetChart, ...]
    landscape: bool


class Numbering:
    """Count the figures and tables of one document as they are printed."""

    def __init__(self) -> None:
        self.charts = 0
        self.tables = 0

    def next_chart(self) -> str:
        """Return 图1, 图2 …"""
        self.charts += 1
        return f"图{self.charts}"

    def next_table(self) -> str:
        """Return 表1, 表2 …"""
        self.tables += 1
        return f"表{self.tables}"


def set_mark(text: str, *, size: float, longest: int = LONGEST_MARK_LINE) -> Mark:
    """Return the red head, as large and as wide as fits the type area, its ink at the top."""
    font = TITLE_SONG.font
    lines = break_title(text, longest)
    widest = max(font.advance(line) for line in lines)
    if widest * size > AREA:
        size = max(AREA / widest, min(size, AREA / widest / NARROWEST_MARK))
        size = min(size, MARK_SIZE if len(lines) == 1 else 36.0)
    scale = min(1.0, AREA / (widest * size))
    pitch = 1.25
    ink_top = font.baseline(pitch) - font.ink(lines[0])[0]
    return Mark(lines, size, scale, ink_top * size, pitch * size * len(lines))


def set_text(
    text: str, kind: str, face: Face, *, indent: float = 2, width: float = AREA
) -> SetText:
    """Return body text of 三号 with its first line indented by so many characters."""
    lines = set_lines(
        text,
        face.font,
        size=BODY,
        width=width,
        first_indent=indent * CHARACTER,
        grid=CHARACTER,
    )
    return SetText(kind, lines, text)


def set_blocks(
    blocks: Iterable[Block], numbering: Numbering, area: float = AREA
) -> Iterator[SetText | SetTable | SetChart]:
    """Yield the blocks ready to print, in order."""
    for block in blocks:
        match block:
            case Paragraph(text):
                yield set_text(text, "paragraph", FANGSONG, width=area)
            case SubHeading(text, 2):
                yield set_text(text, "heading-2", KAITI, width=area)
            case SubHeading(text):
                yield set_text(text, "heading-3", FANGSONG, width=area)
            case Table():
                yield set_table(block, numbering.next_table() if block.caption else "", area)
            case Chart():
                number = numbering.next_chart()
                table = set_table(chart_table(block), "", area)
                yield SetChart("chart", number, block.title, render_chart_svg(block), table)


def set_table(table: Table, number: str, area: float = AREA) -> SetTable:
    """Return the table with columns as wide as their cells want, in an area so wide (points)."""
    shares = column_shares(table, area / CELL_SIZE)
    columns = tuple(
        (column, f"{100 * share:.3f}%") for column, share in zip(table.columns, shares, strict=True)
    )
    aligns = [column.align for column in table.columns]

    def cells_of(row: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        return tuple(zip(row, aligns, strict=True))

    return SetTable(
        "table",
        number,
        table.caption,
        columns,
        tuple(cells_of(row) for row in table.rows),
        cells_of(table.totals) if table.totals else (),
    )


def column_shares(table: Table, room: float) -> tuple[float, ...]:
    """Return the columns' shares of the room (em of cell text).

    Short cells keep to one line; columns of long ones share what is left by the root of their need.
    """
    font = FANGSONG.font
    rows = (*table.rows, *([table.totals] if table.totals else []))
    needs = []
    for i, column in enumerate(table.columns):
        longest = max((font.advance(row[i]) for row in rows), default=2.0)
        label, unit = font.advance(column.label), (font.advance(column.unit) + 2) * UNIT_SCALE
        head = label if label <= 4 else max(4.0, label / 2)
        needs.append(max(longest, head, unit if column.unit else 0.0) + CELL_EDGES)
    if sum(needs) <= room:
        return tuple(need / sum(needs) for need in needs)
    firm = [need if need <= SHORT_CELL else 0.0 for need in needs]
    left = room - sum(firm)
    loose = [need**0.5 if need > SHORT_CELL else 0.0 for need in needs]
    if not sum(loose) or left < SHORT_CELL * sum(1 for share in loose if share) * 0.6:
        return tuple(need**0.5 / sum(need**0.5 for need in needs) for need in needs)
    return tuple(
        (fixed + left * share / sum(loose)) / room for fixed, share in zip(firm, loose, strict=True)
    )


def chart_table(chart: Chart) -> Table:
    """Return the figures of a chart as the table that is printed with it."""
    head, *rows = chart.figures()
    columns = tuple(Column(label, "", "right") for label in head[1:])
    unit = f"单位：{chart.unit}" if chart.unit else "项目"
    return Table(chart.title, (Column(unit), *columns), tuple(rows))


def attachment_lines(content: BulletinContent) -> tuple[tuple[str, tuple[Line, ...]], ...]:
    """Return number and name lines of 附件说明, set beside 附件： (indent 2) and the numbers."""
    names = content.attachments or tuple(annex.title for annex in content.annexes)
    names = tuple(name.replace("\n", "") for name in names)
    several = len(names) > 1
    width = AREA - (5 + (1.5 if several else 0)) * CHARACTER
    return tuple(
        (f"{i}." if several else "", set_text(name, "", FANGSONG, indent=0, width=width).lines)
        for i, name in enumerate(names, start=1)
    )


def set_annexes(content: BulletinContent, numbering: Numbering) -> tuple[SetAnnex, ...]:
    """Return the annexes, numbered when there are several."""
    several = len(content.annexes) > 1

    def set_annex(annex: Annex, number: int) -> SetAnnex:
        return SetAnnex(
            str(number) if several else "",
            break_title(annex.title, 30 if annex.landscape else 19),
            tuple(set_blocks(annex.blocks, numbering, WIDE_AREA if annex.landscape else AREA)),
            annex.landscape,
        )

    return tuple(set_annex(annex, i) for i, annex in enumerate(content.annexes, start=1))


def chinese_date(day: date) -> str:
    """Return 2026年7月3日: Arabic figures without leading zeros."""
    return f"{day.year}年{day.month}月{day.day}日"


def signature_places(signature: str, day: str) -> tuple[float, float]:
    """Return the left edges (points) of the signature and of the date, unsealed.

    The signature keeps 2 characters from the right and the date begins 2 characters after it; a
    date too long for that keeps 2 from the right itself, and the signature moves left.
    """
    font = FANGSONG.font
    width, day_width = (_run(font, text) for text in (signature, day))
    left = AREA - 2 * CHARACTER - width
    if left + 2 * CHARACTER + day_width > AREA - 2 * CHARACTER:
        left = AREA - 4 * CHARACTER - day_width
    return max(0.0, left), max(0.0, left) + 2 * CHARACTER


def _run(font: Font, text: str) -> float:
    return font.advance(text) * BODY + (CHARACTER - BODY) * len(text)


def foot_lines(label: str, names: str) -> SetEntry:
    """Return one entry of the colophon (四号), set after its label and between 1 character."""
    font = FANGSONG.font
    label_width = font.advance(label) * FOOT
    width = AREA - 2 * FOOT - label_width
    lines = set_lines(names.rstrip("。") + "。", font, size=FOOT, width=width)
    return SetEntry(label, f"{label_width:.3f}pt", lines)


def lines_beside(text: str, beside: str, size: float) -> tuple[Line, ...]:
    """Return the lines of an office's name that leave room for the date at the right."""
    font = FANGSONG.font
    edge = FOOT if size == FOOT else CHARACTER
    width = AREA - 2 * edge - (font.advance(beside) + 1) * size
    return set_lines(text, font, size=size, width=width)


def set_labelled(label: str, names: str) -> SetEntry:
    """Return names (三号) set after a label in 黑体, later lines below the first name."""
    label = label.rstrip("：") + "："
    label_width = HEITI.font.advance(label) * BODY
    width = AREA - 2 * CHARACTER - label_width
    lines = set_lines(names, FANGSONG.font, size=BODY, width=width, grid=CHARACTER)
    return SetEntry(label, f"{label_width:.3f}pt", lines)


def page_number_top(size: float = FOOT) -> float:
    """Return the padding (points) that puts the dashes' middle 7 mm below the type area."""
    font = SONGTI.font
    top, bottom = font.ink("—")
    return PAGE_NUMBER_MM * MM - (font.baseline(1.0) - (top + bottom) / 2) * size


def turned_number_edge(size: float = FOOT) -> float:
    """Return how far (points) a turned number's line keeps from the type area, dashes at 7 mm."""
    font = SONGTI.font
    top, bottom = font.ink("—")
    return PAGE_NUMBER_MM * MM - (font.baseline(1.0) - (top + bottom) / 2 - 0.5) * size


def baseline_shift(face: Face) -> float:
    """Return how far (points) a heading in another face is moved to stand on the body's grid."""
    box = LINE / BODY
    return (FANGSONG.font.baseline(box) - face.font.baseline(box)) * BODY


def number_to_rule(number: str) -> float:
    """Return the gap (points) from the line box of 文号 that puts the rule 4 mm below its ink."""
    font = FANGSONG.font
    box = LINE / BODY
    below = box - font.baseline(box) + font.ink(number or "号")[1]
    return RULE_GAP_MM * MM - below * BODY
