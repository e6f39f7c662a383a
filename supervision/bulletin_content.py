"""Lay a bulletin's figures and paragraphs out as blocks, the same for the page and the PDF."""

import hashlib
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone

from supervision.bulletins import AHEAD, REPORT_WORDS, Figures, quarter_name
from supervision.charts import Chart, Series
from supervision.consistency import BATCHES
from supervision.content import (
    Annex,
    Block,
    BulletinContent,
    Column,
    Paragraph,
    Section,
    Table,
)
from supervision.models import Bulletin

ISSUING_BODY = "朔州市非煤行业管理及综合整治整合工作专班办公室"
BRIEF_NAME = "朔州市非煤矿山整治整合简报"


def title_of(year: int, quarter: int) -> str:
    """Return the title of a quarter's bulletin."""
    return f"关于{quarter_name(year, quarter)}全市非煤矿山整治整合工作进展情况的通报"


def document_number(year: int, number: int, head: str = Bulletin.Head.DOCUMENT) -> str:
    """Return the number for the year of issue: the office's own series, or the brief's."""
    if head == Bulletin.Head.BRIEF:
        return f"{year}年第{number}期"
    return f"朔非煤整治办〔{year}〕{number}号"


def bulletin_content(bulletin: Bulletin) -> BulletinContent:
    """Return all that is printed of a bulletin, issued or draft."""
    issued = bulletin.state == Bulletin.State.ISSUED
    note = "此件公开发布" if bulletin.is_public else "此件不公开"
    sections = sections_of(bulletin)
    return BulletinContent(
        head="brief" if bulletin.head == Bulletin.Head.BRIEF else "document",
        head_name=BRIEF_NAME,
        issuing_body=ISSUING_BODY,
        title=bulletin.title,
        document_number=bulletin.document_number,
        addressees=bulletin.addressees,
        opening=sections[0].blocks,
        sections=sections[1:],
        annexes=(annex_of(bulletin.figures),),
        signed_on=bulletin.issued_on or timezone.localdate(bulletin.drafted_at),
        signature=ISSUING_BODY,
        note=note if issued else "草稿，仅供核稿，未经签发",
        copies_to=bulletin.copies_to,
        copies=bulletin.copies,
        printed_by=ISSUING_BODY,
        printed_on=bulletin.issued_on,
        is_demo=settings.DEMO,
        archive=issued,
    )


def content_key(content: BulletinContent) -> str:
    """Return a mark that changes whenever anything printed changes."""
    return hashlib.sha256(repr(content).encode()).hexdigest()


def sections_of(bulletin: Bulletin) -> tuple[Section, ...]:
    """Return the sections in order; the first one has no heading and opens the text."""
    sections: list[tuple[str, list[Block]]] = [("", [])]
    for paragraph in bulletin.paragraphs:
        if paragraph["heading"]:
            sections.append((paragraph["heading"], []))
        blocks = sections[-1][1]
        blocks.extend(Paragraph(line) for line in paragraph["text"].splitlines() if line.strip())
        blocks.extend(figures_after(paragraph["key"], bulletin.figures))
    return tuple(Section(heading, tuple(blocks)) for heading, blocks in sections)


def figures_after(key: str, figures: Figures) -> tuple[Block, ...]:
    """Return the tables and charts that follow a paragraph."""
    if key == "batches" and figures["totals"]["done"] is not None:
        return (batch_table(figures), batch_chart(figures))
    if key == "counties" and figures["totals"]["done"] is not None:
        return (ranking_table(figures), ranking_chart(figures))
    if key == "problems":
        return (reporting_table(figures),)
    return ()


def batch_table(figures: Figures) -> Table:
    """Return the city's figures for each batch."""
    totals = figures["totals"]
    rows = tuple((kind.label, *_cells(totals["batches"][kind.value])) for kind in BATCHES)
    return Table(
        caption=f"全市整治整合分类进展（截至{figures['as_of_words']}）",
        columns=(
            Column("处置方式", align="left"),
            Column("任务数", "座", "right"),
            Column("累计完成", "座", "right"),
            Column("本季新增", "座", "right"),
            Column("进行中", "座", "right"),
            Column("未启动", "座", "right"),
            Column("砂石土类完成", "座", "right"),
            Column("完成率", "%", "right"),
        ),
        rows=rows,
        totals=("合计", *_cells(totals)),
    )


def batch_chart(figures: Figures) -> Chart:
    """Draw task and completion of each batch."""
    batches = [figures["totals"]["batches"][kind.value] for kind in BATCHES]
    return Chart(
        kind="grouped",
        title="四个一批任务与累计完成",
        categories=tuple(kind.label for kind in BATCHES),
        series=(
            Series("任务数", tuple(batch["task"] for batch in batches)),
            Series("累计完成", tuple(batch["done"] for batch in batches)),
        ),
        unit="座",
    )


def ranking_table(figures: Figures) -> Table:
    """Return the counties by completion rate with their bands."""
    rows = tuple(
        (
            _word(row["rank"]),
            row["name"],
            _word(row["task"]),
            _word(row["done"]),
            _word(row["added"]),
            _word(row["rate"]),
            _word(row["rate_before"]),
            _signed(row["rate_change"]),
            row["band"],
        )
        for row in figures["counties"]
    )
    totals, before = figures["totals"], figures["previous"]
    return Table(
        caption=f"各县（市、区）完成率排名（“{AHEAD}”指完成率达到100%）",
        columns=(
            Column("名次"),
            Column("县（市、区）", align="left"),
            Column("任务数", "座", "right"),
            Column("累计完成", "座", "right"),
            Column("本季新增", "座", "right"),
            Column("完成率", "%", "right"),
            Column("上季完成率", "%", "right"),
            Column("升降", "百分点", "right"),
            Column("进度"),
        ),
        rows=rows,
        totals=(
            "",
            "合计",
            _word(totals["task"]),
            _word(totals["done"]),
            _word(totals["added"]),
            _word(totals["rate"]),
            _word(before["rate"] if before else None),
            _signed(before["rate_change"] if before else None),
            totals["band"],
        ),
    )


def ranking_chart(figures: Figures) -> Chart:
    """Draw the counties' completion rates in the order of the ranking."""
    rows = figures["counties"]
    return Chart(
        kind="bar",
        title="各县（市、区）完成率",
        categories=tuple(row["name"] for row in rows),
        series=(Series("完成率", tuple(_rate(row["rate"]) for row in rows)),),
        unit="%",
    )


def reporting_table(figures: Figures) -> Table:
    """Return how each county reported in each month."""
    months = [date.fromisoformat(text) for text in figures["months"]]
    return Table(
        caption="月报报送情况",
        columns=(
            Column("县（市、区）", align="left"),
            *(Column(f"{month.month}月") for month in months),
        ),
        rows=tuple(
            (row["name"], *(_reporting(entry) for entry in row["reports"]))
            for row in figures["counties"]
        ),
    )


def annex_of(figures: Figures) -> Annex:
    """Return the table of counties by batch, on a landscape page."""
    columns = [Column("县（市、区）", align="left")]
    for kind in BATCHES:
        columns += [
            Column(f"{kind.label}任务", "座", "right"),
            Column("完成", "座", "right"),
            Column("完成率", "%", "right"),
        ]
    table = Table(
        caption="",
        columns=tuple(columns),
        rows=tuple(_by_batch(row["name"], row["batches"]) for row in figures["counties"]),
        totals=_by_batch("合计", figures["totals"]["batches"]),
    )
    name = quarter_name(figures["year"], figures["quarter"])
    return Annex(f"{name}各县（市、区）整治整合分类进展表", (table,), landscape=True)


def _by_batch(name: str, batches: Figures) -> tuple[str, ...]:
    cells = [name]
    for kind in BATCHES:
        cells += [_word(batches[kind.value][column]) for column in ("task", "done", "rate")]
    return tuple(cells)


def _cells(figures: Figures) -> tuple[str, ...]:
    names = ("task", "done", "added", "under_way", "not_started", "sand_done", "rate")
    return tuple(_word(figures[name]) for name in names)


def _reporting(entry: Figures) -> str:
    word = REPORT_WORDS[entry["state"]]
    if entry["version"] and entry["version"] > 1:
        return f"{word}，已更正"
    return word


def _word(value: Any) -> str:
    return "—" if value is None else str(value)


def _signed(change: str | None) -> str:
    if change is None:
        return "—"
    return change if change.startswith("-") or Decimal(change) == 0 else f"+{change}"


def _rate(rate: str | None) -> Decimal | None:
    return None if rate is None else Decimal(rate)
