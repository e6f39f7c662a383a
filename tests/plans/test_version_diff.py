"""Test what is said when two versions, or a version and the registry, are set side by side."""

import io
from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from mines.models import Mine
from plans.actions import open_plan
from plans.models import Disposition, MergedArea, PlanVersion
from plans.version_diff import compare, lines
from standards.terms import Verdict
from tests.conftest import SHUOCHENG
from tests.factories import OPENED_AT, make_mine
from tests.plans.areas import box, checked, dispose, make_version, merge, pair_of_mines
from tests.plans.read_versions import read_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def two(counties, people) -> tuple[PlanVersion, PlanVersion]:
    """Make two checked versions: the second merges what the first keeps, and drops a mine."""
    county, clerk = counties[SHUOCHENG], people["county_clerk"]
    one, other = pair_of_mines(county, 1, 112.4)
    third, fourth = (make_mine(county, n, at=(112.5 + n / 100, 39.3)) for n in (3, 4))
    old = make_version(county, clerk, 1)
    for mine in (one, other, third):
        dispose(old, mine, "keep")
    new = make_version(county, clerk, 2)
    merge(new, "Z1", (one, other))
    dispose(new, fourth, "exit")
    for version in (old, new):
        checked(version)
    return old, new


def test_rows_added_gone_and_changed_are_told(two) -> None:
    found = compare(*two)
    told = {
        line.key: (line.kind, [(c.field, c.old, c.new) for c in line.cells]) for line in found.mines
    }
    assert told["SZ-140602-0001"] == (
        "changed",
        [("处置方式", "保留(达标)", "整合重组"), ("整合区", "", "Z1")],
    )
    assert told["SZ-140602-0003"][0] == "gone"
    assert told["SZ-140602-0004"][0] == "added"
    (area,) = found.areas
    assert (area.key, area.kind) == ("Z1", "added")
    assert ("参与整合矿山", "", "测试1号矿、测试2号矿") in [
        (c.field, c.old, c.new) for c in area.cells
    ]


def test_findings_that_appear_and_vanish_are_told(two) -> None:
    found = {(row.rule, row.subject): row for row in compare(*two).findings}
    # A registered mine that the second version does not name.
    missing = found["S-A01", "测试3号矿"]
    assert (missing.before, missing.after) == (None, Verdict.FAIL)
    # The mine that is closed there is no longer missing.
    gone = found["S-A01", "测试4号矿"]
    assert (gone.before, gone.after) == (Verdict.FAIL, None)


def test_a_moved_outline_is_a_change(two) -> None:
    _, new = two
    later = PlanVersion.objects.get(pk=new.pk)
    later.pk, later.number = None, 3
    later.save()
    area = MergedArea.objects.get(version=new)
    area.pk, area.version = None, later
    west, south, east, north = area.outline.extent
    area.outline = box(west, south, east - 0.001, north)
    area.save()
    (line,) = compare(new, later).areas
    assert [cell.field for cell in line.cells if cell.field != "参与整合矿山"] == ["范围"]


def test_the_same_version_has_no_differences(two) -> None:
    assert compare(two[0], two[0]).is_empty


def test_the_number_of_queries_stays(two, django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(9):
        compare(*two)


def test_annex_rows_are_known_by_their_mine(two) -> None:
    old, new = two
    PlanVersion.objects.filter(pk=old.pk).update(
        sheets={"exits": [{"row": 4, "registry_no": "A", "cause": "规模小", "due_on": None}]}
    )
    PlanVersion.objects.filter(pk=new.pk).update(
        sheets={"exits": [{"row": 9, "registry_no": "A", "cause": "枯竭", "due_on": None}]}
    )
    fresh = [PlanVersion.objects.get(pk=version.pk) for version in two]
    (line,) = compare(*fresh).annexes
    assert line.key == "附表4 引导退出 A"
    assert [(c.field, c.old, c.new) for c in line.cells] == [("原因类别", "规模小", "枯竭")]


def test_lines_of_equal_rows_say_nothing() -> None:
    assert list(lines({"a": {"x": "1"}}, {"a": {"x": "1"}})) == []


def test_the_page_and_its_workbook(two, people, client) -> None:
    old, new = two
    client.force_login(people["county_clerk"])
    text = client.get(reverse("version-diff", args=[new.pk])).content.decode()
    assert "第 2 版与第 1 版的差异" in text
    assert "检查结论（" in text
    assert f"/versions/{old.pk}/shapes.json?side=after" in text
    answer = client.get(reverse("version-diff-xlsx", args=[new.pk]) + f"?with={old.pk}")
    book = load_workbook(io.BytesIO(answer.content))
    assert book.sheetnames == ["矿山与处置", "整合区", "其他附表", "检查结论"]
    rows = list(book["矿山与处置"].iter_rows(min_row=3, values_only=True))
    assert ("SZ-140602-0001", "测试1号矿", "修改", "处置方式", "保留(达标)", "整合重组") in rows
    assert client.get(reverse("version-diff-xlsx", args=[new.pk])).status_code == 404


def test_a_version_of_another_plan_is_not_compared(two, counties, people, client) -> None:
    stranger = make_version(counties["140603"], people["other_county_clerk"])
    client.force_login(people["county_clerk"])
    place = reverse("version-diff", args=[two[1].pk])
    assert client.get(f"{place}?with={stranger.pk}").status_code == 404
    assert client.get(reverse("version-diff", args=[stranger.pk])).status_code == 404


def test_the_registry_of_today_is_set_beside_a_version(counties, people, client) -> None:
    county, clerk = counties[SHUOCHENG], people["county_clerk"]
    for number in (1, 2, 3):
        make_mine(county, number)
    plan = open_plan(county_code=SHUOCHENG, by=clerk, at=OPENED_AT)
    version = read_version(plan, clerk)
    client.force_login(clerk)
    place = reverse("version-diff", args=[version.pk]) + "?with=registry"
    assert "与现行台账一致" in client.get(place).content.decode()
    Mine.objects.filter(registry_no="SZ-140602-0001").update(service_life_years=Decimal(3))
    Mine.objects.filter(registry_no="SZ-140602-0002").update(
        removed_on=(OPENED_AT + timedelta(days=1)).date()
    )
    make_mine(county, 4)
    text = client.get(place).content.decode()
    assert "“剩余服务年限（年，不含基建期）”已更新为“3" in text
    assert "对应的矿山已不在台账中" in text
    assert "台账新增了矿山“测试4号矿”" in text
    assert Disposition.objects.filter(version=version).count() == 3
