"""A trial of a draft rulebook: exactly the flips, no check touched, one result after a death."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from mines.check_models import MineCheckRun
from plans import what_if
from plans.models import CheckRun
from plans.workflow import State
from rulebook.actions import edit_entry, start_draft, try_draft
from rulebook.models import WhatIf
from shuozhou_mines.jobs import Run, cancel, claim, run_job
from shuozhou_mines.models import Job
from tests.conftest import PINGLU, SHUOCHENG
from tests.factories import make_mine, plan_at

AT = datetime(2026, 11, 20, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
ON = date(2026, 11, 20)
RULE = "S-B07"


def draft_with(people, value: str):
    draft = start_draft(by=people["office"], at=AT)
    entry = draft.entries.get(key="scale.min.quarry")
    edit_entry(
        number=draft.number, entry_id=entry.pk, seen=entry.entered_at, by=people["office"], at=AT,
        changes={
            "value": value, "source": "某文件", "clause": "一", "confidence": "certain",
            "note": "", "valid_from": None, "valid_to": None,
        },
    )  # fmt: skip
    draft.refresh_from_db()
    return draft


@pytest.fixture
def three(counties):
    """Make quarries of 20, 40 and 60 万吨/年; 50 is the least today."""
    for number, scale in ((1, 20), (2, 40), (3, 60)):
        make_mine(counties[SHUOCHENG], number, scale=Decimal(scale))


def tried(draft, people) -> WhatIf:
    trial = try_draft(number=draft.number, on=ON, by=people["office"])
    run_job(trial.job_id)
    trial.refresh_from_db()
    assert trial.finished_at is not None
    return trial


def flips(trial: WhatIf, rule: str = RULE) -> list[tuple[str, str, str, str]]:
    rows = trial.flips.filter(rule=rule).order_by("mine_key")
    return list(rows.values_list("place", "mine_key", "before", "after"))


def test_lower_minimum_turns_exactly_the_mine_between(people, three) -> None:
    trial = tried(draft_with(people, "30"), people)
    assert (trial.mines, trial.plans) == (3, 0)
    assert flips(trial) == [("registry", "SZ-140602-0002", "fail", "pass")]
    turned = set(trial.flips.values_list("mine_key", flat=True))
    assert turned == {"SZ-140602-0002"}
    assert ("S-B12", "fail", "pass") in trial.flips.values_list("rule", "before", "after")


def test_higher_minimum_turns_the_one_that_passed(people, three) -> None:
    trial = tried(draft_with(people, "61"), people)
    assert flips(trial) == [("registry", "SZ-140602-0003", "pass", "fail")]


def test_same_minimum_turns_nothing(people, three) -> None:
    assert tried(draft_with(people, "50"), people).flips.count() == 0


def test_plans_are_tried_by_their_newest_version(people, counties) -> None:
    make_mine(counties[SHUOCHENG], 1, scale=Decimal(40))
    plan = plan_at(State.SUBMITTED, people, counties[SHUOCHENG], mines=1)
    checks = CheckRun.objects.count()
    trial = tried(draft_with(people, "30"), people)
    assert trial.plans == 1
    assert flips(trial) == [
        ("plan", "SZ-140602-0001", "fail", "pass"),
        ("registry", "SZ-140602-0001", "fail", "pass"),
    ] or flips(trial) == [
        ("registry", "SZ-140602-0001", "fail", "pass"),
        ("plan", "SZ-140602-0001", "fail", "pass"),
    ]
    version = plan.versions.get()
    assert set(trial.flips.filter(place="plan").values_list("plan_version", flat=True)) == {
        version.pk
    }
    assert CheckRun.objects.count() == checks
    assert MineCheckRun.objects.count() == 0


class Killed(Exception):
    """Stand for the worker's death between two steps."""


def test_killed_trial_has_one_result(people, three) -> None:
    draft = draft_with(people, "30")
    trial = try_draft(number=draft.number, on=ON, by=people["office"])

    class Dying(Run):
        def report(self, done: int, total: int, step: str = "") -> None:
            super().report(done, total, step)
            if done:
                raise Killed

    job = claim(trial.job_id, at=AT)
    assert job is not None
    with pytest.raises(Killed):
        what_if.try_rulebook(Dying(job))
    assert trial.flips.exists()
    Job.objects.filter(pk=trial.job_id).update(lease_until=AT)
    run_job(trial.job_id)
    assert flips(trial) == [("registry", "SZ-140602-0002", "fail", "pass")]


def test_asking_again_is_the_same_trial_until_the_draft_changes(people, three) -> None:
    draft = draft_with(people, "30")
    first = try_draft(number=draft.number, on=ON, by=people["office"])
    assert try_draft(number=draft.number, on=ON, by=people["office"]) == first
    assert first.job is not None
    cancel(first.job)
    assert try_draft(number=draft.number, on=ON, by=people["office"]) != first


def test_trial_is_shown_on_its_page(people, three, client, counties) -> None:
    make_mine(counties[PINGLU], 4, scale=Decimal(45))
    trial = tried(draft_with(people, "30"), people)
    client.force_login(people["office"], backend="django.contrib.auth.backends.ModelBackend")
    url = reverse("rulebook-what-if", args=[trial.pk])
    page = client.get(url, {"turn": "fail-pass"}).content.decode()
    assert "试算了 4 座矿山和 0 份方案的现行版本。" in page
    assert "测试2号矿" in page
    assert "测试4号矿" in page
    assert "测试1号矿" not in page
    client.force_login(people["county_leader"], backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(url).status_code == 404
    assert client.post(reverse("rulebook-try", args=[2])).status_code == 404
