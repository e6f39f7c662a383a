"""Reminders by mail: before, on and after the day, once each, to those concerned."""

from datetime import date

import pytest
from django.core import mail

from shuozhou_mines import jobs
from shuozhou_mines.models import Job
from supervision.dispatch_actions import issue_dispatch
from supervision.reminders import REMINDER_JOB, moment_of, remind
from taskforce.models import Organization, User
from tests.conftest import SHUOCHENG
from tests.supervision.quarter import APRIL, at, batch, file_report, open_month, report_of
from tests.supervision.test_inspections import (  # noqa: F401
    found,
    record,
    step,
    team,
    visit,
)

ZERO = batch(0, 0, 0)


@pytest.fixture
def addressed(people):
    """Give everybody an address that says who they are."""
    for name, person in people.items():
        User.objects.filter(pk=person.pk).update(email=f"{name}@example.org")
    return people


def tick(*days) -> None:
    """Let the clock tick twice on each day, and the worker do what came of it."""
    for day in days:
        for _ in range(2):
            remind(day)
        for job in Job.objects.filter(kind=REMINDER_JOB, state="queued").order_by("pk"):
            jobs.run_job(job.pk)


@pytest.mark.parametrize(
    ("day", "moment"),
    [(21, ""), (22, "before"), (24, "before"), (25, "on"), (26, "after"), (32, "after"), (33, "")],
)
def test_moments_lie_around_the_day(day, moment):
    today = date(2025, 4, day) if day <= 30 else date(2025, 5, day - 30)
    assert moment_of(date(2025, 4, 25), today) == moment


def test_report_is_reminded_of_three_times_and_no_more(addressed, counties):
    open_month(APRIL)
    days = [at(4, day) for day in range(20, 31)]
    tick(*days)
    own = [each for each in mail.outbox if "朔城区" in each.subject]
    assert [each.subject for each in own] == [
        "即将到期：朔城区 2025年4月月报", "今天到期：朔城区 2025年4月月报",
        "已经逾期：朔城区 2025年4月月报",
    ]  # fmt: skip
    assert own[0].bcc == [
        "county_clerk@example.org", "county_leader@example.org", "county_reviewer@example.org",
    ]  # fmt: skip
    report = report_of(counties[SHUOCHENG], APRIL)
    assert f"/staff/reports/{report.pk}/" in own[0].body
    tick(at(4, 23))
    assert len([each for each in mail.outbox if "朔城区" in each.subject]) == 3


def test_nobody_is_reminded_of_what_is_done(addressed, counties):
    open_month(APRIL)
    hands = addressed["county_clerk"], addressed["county_leader"]
    remind(at(4, 23))
    file_report(counties[SHUOCHENG], APRIL, hands, at(4, 23), ZERO, ZERO, ZERO, ZERO)
    tick(at(4, 23), at(4, 25), at(4, 26))
    assert [each for each in mail.outbox if "朔城区" in each.subject] == []


def test_problem_and_order_remind_those_who_have_to_act(addressed, visit):  # noqa: F811
    unit = Organization.objects.get(name="市应急管理局")
    issue_dispatch(
        title="核查停产矿山", text="核查。", due_on=date(2025, 7, 10), units=[unit],
        by=addressed["office"], at=at(7, 1),
    )  # fmt: skip
    first = visit.problems.first()
    step(first, "answer", addressed["county_clerk"])
    tick(at(7, 10))
    assert {each.subject: each.bcc for each in mail.outbox} == {
        "今天到期：朔城区督导问题整改：没有警示标志": [
            "county_clerk@example.org", "county_reviewer@example.org",
        ],
        "今天到期：督办：核查停产矿山": ["member_unit@example.org"],
    }  # fmt: skip


def test_a_new_due_day_is_reminded_of_anew(addressed, visit):  # noqa: F811
    problem = visit.problems.first()
    visit.problems.exclude(pk=problem.pk).delete()
    tick(at(7, 10))
    step(problem, "escalate", addressed["office"], on=at(7, 11), due_on=date(2025, 7, 20))
    tick(at(7, 20))
    about = [each.subject for each in mail.outbox if "整改：边坡过陡" in each.subject]
    assert about == ["今天到期：朔城区督导问题整改：边坡过陡"] * 2


def test_no_address_no_job_and_quiet_ticks_ask_little(
    people, counties, django_assert_max_num_queries
):
    assert people.values()
    open_month(APRIL)
    tick(at(4, 25))
    assert Job.objects.filter(kind=REMINDER_JOB).count() == 0
    User.objects.update(email="a@example.org")
    tick(at(4, 25))
    # Three for what is due, one for the jobs, one for each of the four counties without people.
    with django_assert_max_num_queries(8):
        remind(at(4, 25))
