"""Draw a county's plan tasks on a time line: when each is due, when it was done, where today is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape

ROW, HEAD, LEFT, WIDTH, RIGHT = 24, 26, 190, 640, 14
INK, MUTED, LINE = "#1b2430", "#5b6675", "#dfe3e1"
DONE, LATE, AHEAD, TODAY = "#2f7d4f", "#b3261e", "#0f5c63", "#a15c00"
LONGEST_NAME = 13


@dataclass(frozen=True, slots=True)
class Bar:
    """One task: the mine's name, when it began, is due and was done."""

    name: str
    begun_on: date
    due_on: date
    done_on: date | None


def draw_timeline(bars: Sequence[Bar], today: date) -> str:
    """Return an SVG; a done task ends in a square, an open one in a circle, a late one in red."""
    first = min([_begin(bar) for bar in bars] + [today]).replace(day=1)
    last = max([bar.done_on or bar.due_on for bar in bars] + [bar.due_on for bar in bars] + [today])
    last += timedelta(days=15)
    days = max((last - first).days, 1)
    height = HEAD + ROW * len(bars) + 8

    def x(day: date) -> float:
        return round(LEFT + WIDTH * (day - first).days / days, 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + RIGHT} {height}" '
        f'width="{LEFT + WIDTH + RIGHT}" height="{height}" role="img" '
        f'aria-label="计划任务时间表，共 {len(bars)} 项" font-size="12">'
    ]
    for month in _months(first, last):
        at = x(month)
        parts.append(
            f'<path d="M{at} {HEAD - 6}V{height}" stroke="{LINE}"/>'
            f'<text x="{at + 3}" y="14" fill="{MUTED}">{month:%Y-%m}</text>'
        )
    for number, bar in enumerate(bars):
        parts.append(_row(bar, HEAD + ROW * number + ROW / 2, x, today))
    at = x(today)
    parts.append(f'<path d="M{at} {HEAD - 6}V{height}" stroke="{TODAY}" stroke-dasharray="3 3"/>')
    return "".join([*parts, "</svg>"])


def _begin(bar: Bar) -> date:
    """Return where the bar begins; a plan may be opened after a task's day."""
    return min(bar.begun_on, bar.due_on, bar.done_on or bar.due_on)


def _row(bar: Bar, y: float, x: Callable[[date], float], today: date) -> str:
    end = bar.done_on or bar.due_on
    late = end > bar.due_on or (bar.done_on is None and bar.due_on < today)
    colour = LATE if late else DONE if bar.done_on else AHEAD
    name = bar.name if len(bar.name) <= LONGEST_NAME else f"{bar.name[: LONGEST_NAME - 1]}…"
    state = f"{bar.done_on} 完成" if bar.done_on else f"{bar.due_on} 到期"
    dash = "" if bar.done_on else ' stroke-dasharray="6 3"'
    mark = (
        f'<rect x="{x(end) - 5}" y="{y - 5}" width="10" height="10" fill="{colour}"/>'
        if bar.done_on
        else f'<circle cx="{x(end)}" cy="{y}" r="5" fill="#fff" stroke="{colour}" '
        'stroke-width="2"/>'
    )
    return (
        f"<g><title>{escape(bar.name)}：{state}{'，逾期' if late else ''}</title>"
        f'<text x="0" y="{y + 4}" fill="{INK}">{escape(name)}</text>'
        f'<path d="M{x(_begin(bar))} {y}H{x(end)}" stroke="{colour}" stroke-width="3"{dash}/>'
        f"{mark}</g>"
    )


def _months(first: date, last: date) -> list[date]:
    """Return first days of months to mark: all of them, or each quarter's on a long line."""
    found, month = [], first
    while month <= last:
        found.append(month)
        month = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
    step = 1 + len(found) // 10
    return found[::step]
