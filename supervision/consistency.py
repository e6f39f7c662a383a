"""Judge one batch's figures of a monthly report: the sentences a page shows beside the fields."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from standards.terms import Disposition

BATCHES = (Disposition.CLOSE, Disposition.EXIT, Disposition.MERGE, Disposition.UPGRADE)
"""The four batches of part 二, in its order; 保留 is no batch and has no task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFigures:
    """State one batch's figures: counts of mines and, where they jump, the reason."""

    task: int = 0
    done: int = 0
    done_this_month: int = 0
    under_way: int = 0
    not_started: int = 0
    sand_done: int = 0
    note: str = ""


def contradictions(figures: BatchFigures, before: int | None) -> dict[str, str]:
    """Return a sentence for each field that contradicts another; empty when all agree.

    `before` is the cumulative figure of the last submitted report, None when there is none.
    """
    found: dict[str, str] = {}
    parts = figures.done + figures.under_way + figures.not_started
    if figures.done > figures.task:
        found["done"] = (
            f"累计完成 {figures.done} 座，多于任务数 {figures.task} 座。请核对，超额的写进说明。"
        )
    elif parts != figures.task:
        found["not_started"] = (
            f"累计完成 {figures.done}、进行中 {figures.under_way}、未启动 {figures.not_started}，"
            f"合计 {parts} 座，与任务数 {figures.task} 座不符。请使三项之和等于任务数。"
        )
    if figures.done_this_month > figures.done:
        found["done_this_month"] = (
            f"本月新增 {figures.done_this_month} 座，多于累计完成 {figures.done} 座。请核对两个数。"
        )
    if figures.sand_done > figures.done:
        found["sand_done"] = (
            f"其中砂石土类 {figures.sand_done} 座，多于累计完成 {figures.done} 座。请核对两个数。"
        )
    unexplained = _jump(figures, before)
    if unexplained and not figures.note.strip():
        found["note"] = unexplained
    return found


def _jump(figures: BatchFigures, before: int | None) -> str:
    """Say how the cumulative figure differs from what the last report leads to; "" if it agrees."""
    if before is None:
        return ""
    if figures.done < before:
        return f"累计完成由上次报送的 {before} 座减为 {figures.done} 座。请在这里写明原因。"
    gained = figures.done - before
    if gained != figures.done_this_month:
        return (
            f"上次累计 {before} 座、本次累计 {figures.done} 座，相差 {gained} 座，"
            f"而本月新增填的是 {figures.done_this_month} 座。请核对，或在这里写明原因。"
        )
    return ""


def completion_rate(done: int, task: int) -> Decimal | None:
    """Return done of task in per cent, two decimals rounded half up; None without a task."""
    if task == 0:
        return None
    rate = Decimal(done) * 100 / Decimal(task)
    return rate.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
