"""Read drawn charts back: figures, hatches, titles, and nothing that a strict page refuses."""

from decimal import Decimal
from xml.etree import ElementTree

import pytest

from supervision.charts import Chart, Series, figure, render_chart_svg, scale_steps

SVG = "{http://www.w3.org/2000/svg}"
BATCHES = ("关闭取缔", "引导退出", "整合重组", "升级改造")
COUNTIES = ("朔城区", "平鲁区", "山阴县", "应县", "右玉县", "怀仁市")


def drawn(chart: Chart) -> ElementTree.Element:
    return ElementTree.fromstring(render_chart_svg(chart))  # noqa: S314 - our own drawing


def bars_of(svg: ElementTree.Element) -> list[ElementTree.Element]:
    return [r for r in svg.findall(f"{SVG}rect") if float(r.get("height")) != 13]


def by_batch() -> Chart:
    return Chart("bar", "四个批次任务数", BATCHES, (Series("任务", (12, 9, 41, 24)),), "座")


def by_county() -> Chart:
    series = tuple(Series(name, tuple(range(k, k + 6))) for k, name in enumerate(BATCHES))
    return Chart("grouped", "各县任务数", COUNTIES, series, "座")


def over_months() -> Chart:
    series = (
        Series("朔城区", (Decimal("20.5"), Decimal("31.0"), None)),
        Series("应县", (10, 20, 30)),
    )
    return Chart("line", "完成率走势", ("4月", "5月", "6月"), series, "%")


def test_bars_are_as_tall_as_their_figures():
    heights = [float(bar.get("height")) for bar in bars_of(drawn(by_batch()))]
    assert [height / heights[0] for height in heights] == pytest.approx(
        [1, 9 / 12, 41 / 12, 2], rel=0.002
    )


def test_each_bar_carries_its_figure():
    printed = [text.text for text in drawn(by_batch()).iter(f"{SVG}text")]
    assert [text for text in printed if text in ("12", "9", "41", "24")] == ["12", "9", "41", "24"]
    assert "单位：座" in printed
    assert set(BATCHES) <= set(printed)


def test_four_batches_wear_four_hatches_that_differ_in_grey():
    for chart in (by_batch(), by_county()):
        svg = drawn(chart)
        patterns = {p.get("id"): p for p in svg.iter(f"{SVG}pattern")}
        shapes = [[child.tag.removeprefix(SVG) for child in p] for p in patterns.values()]
        assert shapes == [["rect", "path"], ["rect", "path"], ["rect", "circle"]]
        strokes = [p[1].get("d") for p in patterns.values() if p[1].tag == f"{SVG}path"]
        assert len(set(strokes)) == 2
        fills = {bar.get("fill") for bar in bars_of(svg)}
        assert fills == {"#7a1f2b", *(f"url(#{key})" for key in patterns)}


def test_grouped_chart_draws_every_figure_and_names_its_series():
    svg = drawn(by_county())
    assert len(bars_of(svg)) == 24
    printed = [text.text for text in svg.iter(f"{SVG}text")]
    assert set(BATCHES) <= set(printed)


def test_line_leaves_a_gap_where_a_figure_is_missing():
    svg = drawn(over_months())
    paths = [p.get("d") for p in svg.findall(f"{SVG}path") if p.get("stroke-width") == "2"]
    assert [path.count("M") + path.count("L") for path in paths[:2]] == [2, 3]
    dashes = {p.get("stroke-dasharray") for p in svg.findall(f"{SVG}path")} - {None}
    assert dashes == {"none", "9 5"}


def test_screen_reader_hears_title_and_figures():
    svg = drawn(over_months())
    title, description = svg.find(f"{SVG}title"), svg.find(f"{SVG}desc")
    assert svg.get("role") == "img"
    assert svg.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert title.text == "完成率走势"
    assert description.text == (
        "单位：%。朔城区：4月20.5，5月31.0，6月—；应县：4月10，5月20，6月30。"
    )


@pytest.mark.parametrize("chart", [by_batch(), by_county(), over_months()], ids=lambda c: c.kind)
def test_nothing_in_the_drawing_needs_more_than_a_strict_page_allows(chart):
    for element in drawn(chart).iter():
        assert element.tag.removeprefix(SVG) not in ("script", "style", "foreignObject", "image")
        assert not [a for a in element.attrib if a == "style" or a.startswith("on") or "href" in a]


def test_two_charts_on_a_page_do_not_share_names():
    names = [{e.get("id") for e in drawn(c).iter()} - {None} for c in (by_batch(), by_county())]
    assert names[0]
    assert names[0] & names[1] == set()


def test_words_from_users_stay_words():
    chart = Chart("bar", "<script>", ('"&<',), (Series("a", (1,)),), "")
    svg = drawn(chart)
    assert svg.find(f"{SVG}title").text == "<script>"
    assert not list(svg.iter(f"{SVG}script"))


def test_table_puts_few_categories_across_and_many_down():
    assert by_batch().figures() == (("", *BATCHES), ("任务", "12", "9", "41", "24"))
    months = tuple(f"{i}月" for i in range(1, 13))
    chart = Chart("line", "x", months, (Series("应县", tuple(range(12))),), "%")
    assert chart.figures()[:2] == (("", "应县"), ("1月", "0"))


@pytest.mark.parametrize(
    ("lowest", "highest", "steps"),
    [
        (9, 41, [0, 10, 20, 30, 40, 50]),
        (0, 0, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 100, [0, 20, 40, 60, 80, 100]),
        (-5, 5, [-6, -4, -2, 0, 2, 4, 6]),
        (0, 0.3223, [0, 0.1, 0.2, 0.3, 0.4]),
    ],
)
def test_scale_is_round_and_covers_the_figures(lowest, highest, steps):
    assert scale_steps(lowest, highest) == pytest.approx(steps)


def test_figures_print_as_people_write_them():
    printed = [figure(v) for v in (None, 3, 0.5, 66.3, Decimal("0.3223"), Decimal("1E+2"))]
    assert printed == ["—", "3", "0.5", "66.3", "0.3223", "100"]


def test_uneven_series_are_refused_by_name():
    with pytest.raises(ValueError, match="系列『完成』有 1 个数,而类别有 2 个"):
        Chart("grouped", "x", ("a", "b"), (Series("完成", (1,)),), "座")
    with pytest.raises(ValueError, match="没有数据"):
        Chart("bar", "x", (), (), "座")
