"""Say what a bulletin, a brief or minutes hold, ready to be set: plain words, no layout."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from supervision.charts import Chart


@dataclass(frozen=True)
class Paragraph:
    """One paragraph of running text, without the indent."""

    text: str


@dataclass(frozen=True)
class SubHeading:
    """A heading below the section's: level 2 is printed in 楷体, level 3 in 仿宋.

    The text carries its own number as printed: （一）…, 1.…
    """

    text: str
    level: Literal[2, 3] = 2


@dataclass(frozen=True)
class Column:
    """A table column; the unit is printed under the label, figures are aligned "right"."""

    label: str
    unit: str = ""
    align: Literal["left", "center", "right"] = "center"


@dataclass(frozen=True)
class Table:
    """A table whose cells are printed as they are given; totals are one more row at the end."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    totals: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError when a row does not fill the columns."""
        for row in (*self.rows, *([self.totals] if self.totals else [])):
            if len(row) != len(self.columns):
                raise ValueError(
                    f"表『{self.caption}』有 {len(self.columns)} 列,其中一行却有 {len(row)} 格。"
                )


Block = Paragraph | SubHeading | Table | Chart
"""What a section may hold; a chart prints with its figures as a table below."""


@dataclass(frozen=True)
class Section:
    """A part of the body; the heading carries its number as printed (一、总体进展), "" for none."""

    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Annex:
    """附件, on pages of its own after the body; landscape for wide tables."""

    title: str
    blocks: tuple[Block, ...]
    landscape: bool = False


@dataclass(frozen=True)
class Attendance:
    """A line of names under the minutes: 出席, 请假, 列席."""

    label: str
    names: str


@dataclass(frozen=True, kw_only=True)
class BulletinContent:
    """All that is printed, finished: nothing is computed or looked up while setting it.

    head: "document" (文件), "brief" (简报) or "minutes" (纪要).
    issuing_body: the office's name; "文件" is set after it in a document's head. A newline fixes
    where a long head breaks.
    head_name: the name in the head of a brief or of minutes (非煤矿山整治整合简报, …会议纪要).
    attachments: names under 附件说明; the titles of the annexes when empty.
    report_to, copies, addressees: also printed at the foot of a brief (报, 共印…份, 发).
    archive: write PDF/A-3b.
    """

    head: Literal["document", "brief", "minutes"]
    issuing_body: str
    title: str
    sections: tuple[Section, ...]
    signed_on: date
    head_name: str = ""
    document_number: str = ""
    issue_no: int | None = None
    total_no: int | None = None
    copy_no: str = ""
    classification: str = ""
    urgency: str = ""
    addressees: str = ""
    opening: tuple[Block, ...] = ()
    attachments: tuple[str, ...] = ()
    annexes: tuple[Annex, ...] = ()
    signature: str = ""
    note: str = ""
    attendance: tuple[Attendance, ...] = ()
    report_to: str = ""
    copies_to: str = ""
    copies: int | None = None
    printed_by: str = ""
    printed_on: date | None = None
    is_demo: bool = False
    archive: bool = False
