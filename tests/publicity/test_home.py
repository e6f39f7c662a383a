"""Show how far the city is: by batch and county, against the province's tasks, with its tables."""

import re
from datetime import date
from typing import Any

import pytest
from django.urls import reverse

from plans.models import PlanTask, Target
from plans.workflow import State
from publicity.models import Notice
from tests.conftest import PINGLU, SHUOCHENG
from tests.factories import plan_at


@pytest.fixture
def published(people: Any, counties: Any) -> Notice:
    """Return 朔城区's notice of three mines, one of them done; 平鲁区 has only a draft."""
    plan = plan_at(State.PUBLISHED, people, counties[SHUOCHENG], mines=3)
    plan_at(State.DRAFT, people, counties[PINGLU])
    for county, number in ((SHUOCHENG, 4), (PINGLU, 6)):
        Target.objects.create(
            county=counties[county], kind="upgrade", number=number,
            document_number="省文〔2025〕1号",
            valid_from=date(2025, 1, 1),
        )  # fmt: skip
    done = PlanTask.objects.filter(plan=plan).order_by("pk").first()
    assert done is not None
    PlanTask.objects.filter(pk=done.pk).update(done_on=date(2025, 9, 3), evidence="验收意见")
    return Notice.objects.get()


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def row_of(html: str, county: str) -> list[str]:
    """Return the cells of a county's row as text."""
    table = html[html.index('id="by-county"') :]
    row = re.search(rf"<tr[^>]*><th[^>]*>{county}</th>.*?</tr>", table, re.S)
    assert row is not None
    return [words(cell).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", row.group(), re.S)]


def test_counties_stand_against_the_provinces_tasks(published, client) -> None:
    html = client.get(reverse("public-home")).content.decode()
    assert row_of(html, "朔城区") == [
        "已公示 ：朔城区", "0／–", "0／–", "0／–", "1／4", "1／4", "25%",
    ]  # fmt: skip
    assert row_of(html, "平鲁区") == ["未公示", "0／–", "0／–", "0／–", "0／6", "0／6", "0%"]
    assert row_of(html, "应县") == ["未公示", "0／–", "0／–", "0／–", "0／–", "0／–", "–"]
    assert row_of(html, "全市") == ["1 份", "0／–", "0／–", "0／–", "1／10", "1／10", "10%"]
    assert "省定任务依据省文〔2025〕1号" in words(html)
    assert "占省定任务 10%" in words(html)


def test_the_chart_is_a_table_too(published, client) -> None:
    html = client.get(reverse("public-home")).content.decode()
    chart = html[html.index('class="chart-table"') : html.index("</table>")]
    upgrade = words(chart[chart.index("升级改造") :])
    assert re.findall(r"省定任务 (\d+) 方案纳入 (\d+) 已完成 (\d+)", upgrade) == [("10", "3", "1")]


def test_without_tasks_nothing_is_made_up(ground, client) -> None:
    html = client.get(reverse("public-home")).content.decode()
    assert "省定任务尚未公布" in words(html)
    assert "还没有公示的方案" in words(html)
    assert "%" not in row_of(html, "全市")[-1]


def test_the_map_counts_both_sides(published, client) -> None:
    context = client.get(reverse("public-map")).context
    assert context["map"]["counts"] == '{"before": {"upgrade": 3}, "after": {"upgrade": 3}}'
    west, south, east, north = map(float, context["map"]["bbox"].split(","))
    assert 112 < west < east < 113
    assert 39 < south < north < 40
    assert context["map"]["features_url"] == "/map/tiles/before/{z}/{x}/{y}.mvt"


def test_a_notice_sums_up_its_findings_and_gives_reasons(published, client) -> None:
    found = published.content["findings"]
    assert found["counts"]["pass"] == sum(rule["pass"] for rule in found["rules"])
    assert {"code", "title", "clause", "pass", "fail", "review", "nodata", "na"} == set(
        found["rules"][0]
    )
    page = words(client.get(reverse("notice", args=[published.pk])).content.decode())
    assert "检查结果摘要" in page
    assert "改造为一个系统。" in page
    assert f"符合 {found['counts']['pass']} 条" in page
