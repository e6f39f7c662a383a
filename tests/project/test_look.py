"""Hold the look to its promises: one vocabulary, readable colours, nothing inline."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from standards.terms import Disposition, MineState, Verdict

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static" / "portal"
PAGES = sorted(path for path in (ROOT / "templates").rglob("*.html") if "pdf" not in path.parts)


def show(name: str, **context: Any) -> str:
    return render_to_string(f"components/{name}.html", context)


class _Attributes(HTMLParser):
    """Collect (tag, attribute, value) of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(tag, name, value or "") for name, value in attrs]


@pytest.mark.parametrize("verdict", list(Verdict))
def test_verdict_wears_the_word_of_the_vocabulary_and_a_mark(verdict: Verdict) -> None:
    badge = show("verdict", verdict=verdict, count=None)
    assert verdict.label in badge
    mark = {"pass": "✓", "fail": "✕", "review": "?", "nodata": "…", "na": "–"}[verdict.value]
    assert f">{mark}<" in badge


@pytest.mark.parametrize("kind", list(Disposition))
def test_disposition_wears_the_word_and_its_own_pattern(kind: Disposition) -> None:
    badge = show("disposition", disposition=kind, count=None)
    assert kind.label in badge
    assert f"url(#fill-{kind.value})" in badge
    assert f'id="fill-{kind.value}"' in show("patterns")


@pytest.mark.parametrize("vocabulary", [Disposition, MineState, Verdict])
def test_map_knows_every_code_and_word(vocabulary: Any) -> None:
    script = (STATIC / "map_fills.js").read_text(encoding="utf-8")
    for term in vocabulary:
        assert f'code: "{term.value}", label: "{term.label}"' in script


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def tokens() -> dict[str, str]:
    text = (STATIC / "tokens.css").read_text(encoding="utf-8").split("html.large")[0]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", text))


@pytest.mark.parametrize(
    ("text", "under"),
    [
        *((ink, ground) for ink in ("ink", "ink-muted") for ground in ("paper", "ground")),
        *((ink, ground) for ink in ("primary", "accent") for ground in ("paper", "ground")),
        *((verdict, "paper") for verdict in ("pass", "fail", "review", "nodata", "na")),
        *((f"{v}", f"{v}-wash") for v in ("fail", "review", "nodata")),
        ("primary-dark", "primary-wash"),
        ("paper", "primary"),
    ],
)
def test_text_is_readable_on_its_ground(text: str, under: str) -> None:
    colours = tokens()
    assert contrast(colours[text], colours[under]) >= 4.5


@pytest.mark.parametrize("edge", ["line-strong", "exit", "upgrade", "keep"])
def test_edges_that_mean_something_can_be_seen(edge: str) -> None:
    assert contrast(tokens()[edge], tokens()["paper"]) >= 3


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_templates_hold_nothing_inline(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"\{% comment %\}.*?\{% endcomment %\}", "", text, flags=re.DOTALL)
    text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", "", text)
    parser = _Attributes()
    parser.feed(text)
    for tag, name, value in parser.found:
        assert name != "style", f"{tag} has a style attribute"
        assert not name.startswith("on"), f"{tag} has the handler {name}"
        assert not value.lower().startswith("javascript:"), f"{tag} runs a script"
    assert "<style" not in text
    assert not re.search(r"<script(?![^>]*\ssrc=)", text), "a script must come from a file"


@pytest.mark.parametrize("code", ["413", "429", "500", "503"])
def test_pages_for_a_broken_house_need_no_templates(code: str) -> None:
    """The web server copies these; they must not depend on anything that runs."""
    page = (ROOT / "templates" / f"{code}.html").read_text(encoding="utf-8")
    assert "{%" not in page
    assert "{{" not in page
    for sheet in re.findall(r'href="/static/portal/([^"]+)"', page):
        assert (STATIC / sheet).is_file()


@pytest.mark.parametrize("code", ["400", "403", "403_csrf", "404"])
def test_refusing_pages_render_without_request_or_database(code: str) -> None:
    page = render_to_string(f"{code}.html")
    assert "操作失败" not in page
    assert '<main class="plain-main is-wide"' in page


def test_button_that_may_not_be_pressed_says_why() -> None:
    buttons = [
        {
            "label": "公示",
            "url": "/x/",
            "method": "post",
            "enabled": False,
            "why_not": "市政府批准以后才能公示。",
            "kind": "primary",
        }
    ]
    html = show("buttons", buttons=buttons)
    assert "disabled" in html
    assert "市政府批准以后才能公示。" in html
    assert "<form" not in html


class _Report(forms.Form):
    capacity = forms.CharField(
        label="生产规模", widget=forms.TextInput(attrs={"unit": "万吨/年", "inputmode": "decimal"})
    )
    way = forms.ChoiceField(label="开采方式", choices=[("a", "露天开采")], widget=forms.RadioSelect)
    note = forms.CharField(label="说明", required=False, help_text="写明依据。")

    def clean_capacity(self) -> str:
        raise forms.ValidationError("『五十』不是数字，请只填数字。")


def test_form_keeps_what_was_typed_and_links_each_error_to_its_field() -> None:
    html = show("form", form=_Report({"capacity": "五十", "note": "甲"}))
    assert 'value="五十"' in html
    assert '<a href="#id_capacity_field">生产规模</a>：『五十』不是数字，请只填数字。' in html
    assert '<a href="#id_way_field">开采方式</a>' in html
    for target in re.findall(r'href="#([^"]+)"', html):
        assert f'id="{target}"' in html
    assert '<span class="control-unit">万吨/年</span>' in html
    for described in re.findall(r'aria-describedby="([^"]+)"', html):
        for part in described.split():
            assert f'id="{part}"' in html


@pytest.mark.parametrize(
    ("state", "asks_again"),
    [("queued", True), ("running", True), ("done", False), ("failed", False), ("cancelled", False)],
)
def test_progress_asks_again_only_until_it_has_ended(state: str, asks_again: bool) -> None:
    progress = {"state": state, "done": 3, "total": 9, "step": "核对第 3 表", "url": "/p/"}
    html = show("progress", progress=progress)
    assert ("hx-get" in html) is asks_again
    if asks_again:
        assert '<progress max="9" value="3"' in html


def test_pages_show_their_neighbours_and_both_ends() -> None:
    page = Paginator(range(500), 50).get_page(5)
    html = show("pagination", page_obj=page, query="county=140602&")
    shown = re.findall(r"page=(\d+)\"(?: aria-current=\"page\")?>(\d+)<", html)
    assert [number for number, _ in shown] == ["1", "2", "3", "4", "5", "6", "7", "10"]
    assert "共 500 条，第 201–250 条" in html


def test_one_page_needs_no_page_numbers() -> None:
    page = Paginator(range(3), 50).get_page(1)
    assert "<nav" not in show("pagination", page_obj=page, query="")


def test_moment_is_told_exactly_beside_the_words() -> None:
    at = datetime(2025, 5, 30, 10, 0, tzinfo=UTC)
    html = show("time", at=at, kind="due", relative="3 个工作日内")
    assert "3 个工作日内" in html
    assert "2025-05-30 18:00 截止" in html


def test_bars_carry_their_figures_and_show_a_gap_as_a_gap() -> None:
    chart = {
        "caption": "进度",
        "unit": "座",
        "max": 40,
        "series": [{"label": "计划", "fill": "plan"}, {"label": "关闭取缔", "fill": "close"}],
        "rows": [{"label": "朔城区", "values": [30, None]}],
    }
    html = show("bar_chart", chart=chart)
    assert 'width="75%"' in html
    assert 'width="0%"' in html
    assert ">缺</span>" in html


def test_text_from_workbooks_is_escaped_in_problems() -> None:
    problems = [{"sheet": "<b>表</b>", "cell": "D7", "found": "<img src=x>", "message": "不对"}]
    html = show("cell_problems", problems=problems)
    assert "<img" not in html
    assert "&lt;img src=x&gt;" in html
    assert "&lt;b&gt;表&lt;/b&gt;!D7" in html


@pytest.mark.django_db
@pytest.mark.usefixtures("ground")
def test_a_day_that_is_known_stands_in_its_field(people) -> None:
    office = Client()
    office.force_login(people["office"], "django.contrib.auth.backends.ModelBackend")
    page = office.get(reverse("plan-round")).content.decode()
    # The browser shows nothing for a day that is written any other way.
    assert re.search(r'<input type="date" name="compile_due_on" value="2025-05-31"', page)
