"""Write what tables repeat a hundred times without asking a template for every cell."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django import template
from django.core.paginator import Page
from django.template.loader import render_to_string
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

NOTHING = '<span class="muted">–</span>'
Cell = Mapping[str, Any]


@register.simple_tag
def table_rows(rows: Iterable[Mapping[str, Any]]) -> SafeString:
    """Write the rows of components/table.html, which says what a cell may hold."""
    marks = _Marks()
    return mark_safe("\n".join(_row(row["cells"], marks) for row in rows))  # noqa: S308


def _row(cells: Iterable[Cell], marks: "_Marks") -> str:
    each = iter(cells)
    head = next(each)
    return f'<tr><th scope="row">{_words(head)}</th>{"".join(_rest(each, marks))}</tr>'


def _rest(cells: Iterator[Cell], marks: "_Marks") -> Iterator[str]:
    for cell in cells:
        kind = ' class="num"' if cell.get("num") else ' class="muted"' if cell.get("muted") else ""
        yield f"<td{kind}>{marks.of(cell) or _words(cell) or NOTHING}</td>"


def _words(cell: Cell) -> str:
    """Return the text of a cell, as a link when it leads somewhere; "" for nothing."""
    text = cell.get("text")
    said = "" if text is None else conditional_escape(text)
    url = cell.get("url")
    return f'<a href="{conditional_escape(url)}">{said}</a>' if url else said


class _Marks:
    """Draw verdicts, dispositions and chips by their components, each kind of them once."""

    def __init__(self) -> None:
        self._drawn: dict[tuple[str, Any, Any], str] = {}

    def of(self, cell: Cell) -> str:
        """Return the mark that stands in place of plain text, or ""."""
        if cell.get("verdict"):
            return self._draw("verdict", cell["verdict"])
        if cell.get("disposition"):
            return self._draw("disposition", cell["disposition"])
        if cell.get("tone"):
            return self._draw("chip", cell["tone"], cell["text"])
        return ""

    def _draw(self, name: str, code: str, label: str = "") -> str:
        key = (name, code, label)
        if key not in self._drawn:
            given = {"label": label, "tone": code} if label else {name: code, "count": None}
            self._drawn[key] = render_to_string(f"components/{name}.html", given).strip()
        return self._drawn[key]


@register.simple_tag
def page_numbers(page: Page[Any]) -> list[int | None]:
    """Return the pages to offer: the ends, two on either side of this one; None is a gap."""
    offered = page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1)
    return [number if isinstance(number, int) else None for number in offered]
