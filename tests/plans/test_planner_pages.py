"""Test the planner from the registry to the county's draft, through its pages and its job."""

import json
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from mines.boundaries import gaps_within
from mines.models import Licence, Mine, OreBody
from plans.actions import open_plan
from plans.models import Disposition
from plans.planner_models import PlannerCluster, PlannerLone, PlannerRun
from plans.planner_pairs import near_pairs
from plans.planner_tasks import start_run
from shuozhou_mines import jobs
from shuozhou_mines.models import Job
from tests.conftest import PINGLU, SHUOCHENG
from tests.factories import OPENED_AT, make_mine
from tests.plans.read_versions import read_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def three(counties) -> list[Mine]:
    """Make two small mines 172.5 m apart, and one far away whose ore is too little."""
    county = counties[SHUOCHENG]
    return [
        make_mine(county, 1, scale=Decimal(30), life=Decimal(8), at=(112.400, 39.3)),
        make_mine(county, 2, scale=Decimal(25), life=Decimal(8), at=(112.406, 39.3)),
        make_mine(county, 3, scale=Decimal(10), life=Decimal(6), at=(112.500, 39.3)),
    ]


def run_for(county, by) -> PlannerRun:
    run = start_run(county=county, by=by, at=timezone.now())
    jobs.run_job(run.job_id)
    run.refresh_from_db()
    assert run.finished_at is not None, Job.objects.get(pk=run.job_id).error
    return run


def test_near_mines_are_proposed_and_the_far_one_is_named(three, counties, people, client) -> None:
    client.force_login(people["county_clerk"])
    answer = client.post(reverse("planner-run"), {"county": SHUOCHENG, "scope": SHUOCHENG})
    assert answer.status_code == 302
    jobs.run_job(PlannerRun.objects.get().job_id)
    cluster = PlannerCluster.objects.get()
    assert (cluster.mines, cluster.failing, cluster.saved) == (2, 2, 2)
    best = cluster.proposals.get(rank=1)
    assert (best.saved, best.leaving, best.rights, best.mergers) == (2, 0, 1, 1)
    assert best.parts[0]["scale"] == "55"
    assert best.parts[0]["ore"] == "440"
    assert 172 < Decimal(best.parts[0]["gap_m"]) < 173
    assert list(PlannerLone.objects.values_list("mine__name", "kind")) == [("测试3号矿", "exit")]
    text = client.get(reverse("planner")).content.decode()
    assert "可以达标 2 座，仍须退出或关闭 1 座" in text
    assert "测试3号矿" in client.get(reverse("planner") + "?part=lone").content.decode()


def test_the_cluster_says_what_is_cured_and_by_which_clause(three, counties, people, client):
    run_for(counties[SHUOCHENG], people["county_clerk"])
    client.force_login(people["county_clerk"])
    text = client.get(
        reverse("planner-cluster", args=[PlannerCluster.objects.get().pk])
    ).content.decode()
    cured = text[text.index("可以解决") : text.index("还要由人认定")]
    assert "S-B07 露天采石场最低生产规模" in cured
    assert "规模 55 万吨/年，达到最低生产规模 50 万吨/年" in cured
    assert "依据 三（六）" in text
    assert "由人决定" in text


def test_before_and_after_are_drawn(three, counties, people, client) -> None:
    run_for(counties[SHUOCHENG], people["county_clerk"])
    client.force_login(people["county_clerk"])
    place = reverse("planner-shapes", args=[PlannerCluster.objects.get().proposals.first().pk])
    before, after = (
        json.loads(client.get(f"{place}?side={side}").content) for side in ("", "after")
    )
    assert len(before["features"]) == 2
    (merged,) = after["features"]
    assert merged["geometry"]["type"] == "MultiPolygon"
    assert len(merged["geometry"]["coordinates"]) == 1
    assert merged["properties"]["facts"] == [
        ["规模", "55 万吨/年"], ["服务年限", "8.00 年"], ["夹缝", "1 处"],
    ]  # fmt: skip


def test_one_click_makes_the_next_version(three, counties, people, client) -> None:
    clerk = people["county_clerk"]
    run_for(counties[SHUOCHENG], clerk)
    plan = open_plan(county_code=SHUOCHENG, by=clerk, at=OPENED_AT)
    first = read_version(plan, clerk)
    proposal = PlannerCluster.objects.get().proposals.get(rank=1)
    client.force_login(clerk)
    cluster_page = reverse("planner-cluster", args=[proposal.cluster_id])
    assert "采用到草案" in client.get(cluster_page).content.decode()
    place = reverse("planner-take", args=[proposal.pk])
    answer = client.post(place, {"seen_version": first.pk})
    second = plan.versions.first()
    assert answer.headers["Location"] == reverse("plan-version", args=[second.pk])
    assert (second.number, len(second.sha256)) == (2, 64)
    jobs.run_job(Job.objects.about(second).get().pk)
    second.refresh_from_db()
    assert second.errors == []
    area = second.areas.get()
    assert (area.code, area.scale, area.mineral.name) == ("Z1", Decimal(55), "建筑石料用灰岩")
    assert area.area_km2 == area.declared_area_km2
    assert Decimal("0.37") < area.area_km2 < Decimal("0.40")
    assert list(second.dispositions.order_by("mine").values_list("kind", "area__code")) == [
        ("merge", "Z1"), ("merge", "Z1"), ("exit", None),
    ]  # fmt: skip
    # A second click on the same page changes nothing, and says why.
    answer = client.post(place, {"seen_version": first.pk}, follow=True)
    assert "方案已经有第2版，这次修改没有采用" in answer.content.decode()
    assert plan.versions.count() == 2


def test_without_a_version_the_filled_workbook_is_handed_out(three, counties, people, client):
    clerk = people["county_clerk"]
    run_for(counties[SHUOCHENG], clerk)
    open_plan(county_code=SHUOCHENG, by=clerk, at=OPENED_AT)
    proposal = PlannerCluster.objects.get().proposals.get(rank=1)
    client.force_login(clerk)
    text = client.get(reverse("planner-cluster", args=[proposal.cluster_id])).content.decode()
    assert "下载填好的工作簿" in text
    assert "采用到草案" not in text
    answer = client.get(reverse("planner-workbook", args=[proposal.pk]))
    assert answer.content[:2] == b"PK"
    answer = client.post(reverse("planner-take", args=[proposal.pk]), {"seen_version": ""})
    assert not Disposition.objects.exists()


def test_mines_without_figures_are_left_to_people(counties, people) -> None:
    county = counties[SHUOCHENG]
    make_mine(county, 1, scale=None, unit="", at=(112.4, 39.3))
    make_mine(county, 2, mineral="84412", at=(112.405, 39.3))
    run_for(county, people["county_clerk"])
    assert list(PlannerLone.objects.values_list("kind", "reason")) == [
        ("", "缺少生产规模（万立方米的还需体重）、可采储量或服务年限"),
        ("", "缺少砖瓦用粘土的最低生产规模（标准库）"),
    ]


def test_one_ore_body_ties_mines_that_lie_apart(counties, people) -> None:
    county = counties[SHUOCHENG]
    body = OreBody.objects.create(code="OB-1")
    for number, west in ((1, 112.40), (2, 112.45)):
        make_mine(county, number, scale=Decimal(30), at=(west, 39.3)).ore_bodies.add(body)
    run_for(county, people["county_clerk"])
    assert PlannerCluster.objects.get().proposals.get(rank=1).mergers == 1


def test_neighbours_in_another_county_are_not_merged(counties, people) -> None:
    make_mine(counties[SHUOCHENG], 1, scale=Decimal(30), at=(112.400, 39.3))
    make_mine(counties[PINGLU], 1, scale=Decimal(30), at=(112.405, 39.3))
    run_for(None, people["office"])
    assert PlannerCluster.objects.count() == 0
    assert list(PlannerLone.objects.values_list("kind", flat=True)) == ["upgrade", "upgrade"]


def test_a_second_run_waits_for_the_first(three, counties, people, client) -> None:
    client.force_login(people["office"])
    for _ in range(2):
        answer = client.post(reverse("planner-run"), {"scope": "all"})
    assert answer.status_code == 409
    assert PlannerRun.objects.count() == 1


def test_a_county_sees_its_own_clusters_alone(three, counties, people, client) -> None:
    run_for(None, people["office"])
    cluster = PlannerCluster.objects.get()
    client.force_login(people["other_county_clerk"])
    assert client.get(reverse("planner-cluster", args=[cluster.pk])).status_code == 404
    assert client.get(reverse("planner") + f"?county={SHUOCHENG}").status_code == 404
    assert client.post(reverse("planner-run"), {"scope": "all"}).status_code == 403


def test_a_run_is_the_same_twice(three, counties, people) -> None:
    Licence.objects.filter(mine=three[0]).update(scale=Decimal(28))
    first = run_for(counties[SHUOCHENG], people["county_clerk"])
    second = run_for(counties[SHUOCHENG], people["county_clerk"])
    assert first.figures == second.figures


def test_distances_are_those_on_the_ellipsoid(counties) -> None:
    """0.0034 degrees of longitude at 39.3° are 293.2 m; 0.0035 are 301.9 m, beyond the limit."""
    county = counties[SHUOCHENG]
    first = make_mine(county, 1, at=(112.400, 39.3))
    near, far, touching = (
        make_mine(county, number, at=(west, 39.3))
        for number, west in ((2, 112.4074), (3, 112.3925), (4, 112.404))
    )
    keys = [mine.pk for mine in (first, near, far, touching)]
    found = near_pairs(keys, {"83907": "quarry"}, within_m=Decimal(300))
    asked = gaps_within({"all": keys})["all"]
    exact = {(gap.first_id, gap.second_id): gap.distance_m for gap in asked}
    assert {(one, other) for one, other, _ in found} == {
        pair for pair, distance in exact.items() if distance <= 300
    }
    assert (first.pk, far.pk) not in {(one, other) for one, other, _ in found}
    assert all(
        abs(Decimal(tenths) / 10 - exact[one, other]) <= Decimal("0.15")
        for one, other, tenths in found
    )
