"""Test the last small corrections: a page changes one row, and the next version holds it."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from plans.actions import open_plan
from plans.models import PlanVersion
from plans.planner_models import PlannerCluster
from plans.planner_tasks import start_run
from shuozhou_mines import jobs
from shuozhou_mines.models import Job
from tests.conftest import SHUOCHENG
from tests.factories import OPENED_AT, make_mine
from tests.plans.read_versions import read_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan(counties, people, client):
    """Have a plan whose version leads three mines out, and the clerk signed in."""
    for number, west in ((1, 112.400), (2, 112.406), (3, 112.500)):
        make_mine(counties[SHUOCHENG], number, scale=Decimal(30), at=(west, 39.3))
    plan = open_plan(county_code=SHUOCHENG, by=people["county_clerk"], at=OPENED_AT)
    read_version(plan, people["county_clerk"])
    client.force_login(people["county_clerk"])
    return plan


def read_newest(plan) -> PlanVersion:
    version = plan.versions.first()
    jobs.run_job(Job.objects.about(version).get().pk)
    version.refresh_from_db()
    assert version.errors == []
    return version


def change(client, plan, seen: PlanVersion, **changes):
    given = {
        "seen_version": seen.pk, "disposition": "upgrade", "reason": "储量充足，改造提升。",
        "area_code": "", "due_on": "2027-06-30", "unit": "县自然资源局", "person": "", "remark": "",
    }  # fmt: skip
    place = reverse("edit-disposition", args=[plan.pk, "SZ-140602-0003"])
    return client.post(place, given | changes)


def test_one_disposition_is_changed_and_the_rest_stays(plan, client) -> None:
    first = plan.versions.first()
    page = client.get(reverse("plan", args=[plan.pk]) + "?part=mines").content.decode()
    place = reverse("edit-disposition", args=[plan.pk, "SZ-140602-0003"])
    assert place in page
    form = client.get(place).content.decode()
    assert "规模不足。" in form
    assert 'value="2027-12-31"' in form
    answer = change(client, plan, first)
    second = read_newest(plan)
    assert answer.headers["Location"] == reverse("plan-version", args=[second.pk])
    assert list(second.dispositions.order_by("mine").values_list("kind", "reason", "due_on")) == [
        ("exit", "规模不足。", date(2027, 12, 31)),
        ("exit", "规模不足。", date(2027, 12, 31)),
        ("upgrade", "储量充足，改造提升。", date(2027, 6, 30)),
    ]
    assert [row["registry_no"] for row in second.sheets["upgrades"]] == ["SZ-140602-0003"]
    assert [row["registry_no"] for row in second.sheets["exits"]] == [
        "SZ-140602-0001", "SZ-140602-0002",
    ]  # fmt: skip
    assert first.dispositions.filter(kind="exit").count() == 3


def test_who_saw_an_older_version_is_told(plan, client) -> None:
    first = plan.versions.first()
    change(client, plan, first)
    assert change(client, plan, first, reason="另一个理由。").status_code == 409
    read_newest(plan)
    answer = change(client, plan, first, reason="另一个理由。")
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "方案已经有第2版，这次修改没有采用" in text
    assert "另一个理由。" in text
    assert plan.versions.count() == 2


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"disposition": "merge"}, "整合重组的矿山必须选择整合区"),
        ({"due_on": ""}, "没有完成时限"),
        ({"reason": ""}, "处置理由"),
    ],
)
def test_what_is_missing_is_told_and_nothing_is_made(changes, sentence, plan, client) -> None:
    answer = change(client, plan, plan.versions.first(), **changes)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert plan.versions.count() == 1


def test_an_areas_figures_are_changed(plan, counties, people, client) -> None:
    run = start_run(county=counties[SHUOCHENG], by=people["county_clerk"], at=OPENED_AT)
    jobs.run_job(run.job_id)
    proposal = PlannerCluster.objects.get().proposals.get(rank=1)
    seen = {"seen_version": plan.versions.first().pk}
    client.post(reverse("planner-take", args=[proposal.pk]), seen)
    second = read_newest(plan)
    place = reverse("edit-area", args=[plan.pk, "Z1"])
    shown = client.get(place).context["form"].initial
    given = {name: "" if value is None else value for name, value in shown.items()}
    client.post(place, given | {"scale": "65", "construction_years": "1", "leader": "测试人"})
    third = read_newest(plan)
    old, new = second.areas.get(), third.areas.get()
    assert (old.scale, new.scale, new.construction_years) == (Decimal(60), Decimal(65), Decimal(1))
    assert (new.responsible, new.systems[0]["scale"]) == ("测试人", "65")
    assert old.outline.equals_exact(new.outline)


def test_only_who_drafts_edits(plan, people, client) -> None:
    client.force_login(people["county_leader"])
    assert change(client, plan, plan.versions.first()).status_code == 403
    client.force_login(people["other_county_clerk"])
    assert change(client, plan, plan.versions.first()).status_code == 404


def test_an_empty_form_comes_back_with_what_is_missing(plan, client) -> None:
    place = reverse("edit-disposition", args=[plan.pk, "SZ-140602-0003"])
    answer = client.post(place)
    assert answer.status_code == 422
    assert "处置理由" in answer.content.decode()
