"""Remind by mail before, on and after the day on which something is due, once each time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.mail import EmailMessage
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from shuozhou_mines.jobs import Run, enqueue, handles, on_tick
from shuozhou_mines.models import Job
from supervision.dispatch_models import DispatchOrder
from supervision.inspection_models import Problem
from supervision.models import MonthlyReport
from taskforce.models import CountyGroupObjectPermission, User
from taskforce.roles import RIGHTS

REMINDER_JOB = "supervision.reminder"
DAYS_BEFORE, DAYS_AFTER = 3, 7
"""How long before its day a thing is first reminded of, and how late a reminder still helps."""
WORDS = {"before": "即将到期", "on": "今天到期", "after": "已经逾期"}
_OPEN_PROBLEM = ("open", "rejected", "escalated")


@dataclass(frozen=True, slots=True)
class Due:
    """One thing that is due: its row, its name, its day, its page and who is told."""

    subject: models.Model
    name: str
    due_on: date
    url: str
    to: tuple[str, ...]


def moment_of(due_on: date, today: date) -> str:
    """Return before, on or after; "" while it is early, or too late to be of use."""
    if today == due_on:
        return "on"
    if due_on - timedelta(days=DAYS_BEFORE) <= today < due_on:
        return "before"
    return "after" if due_on < today <= due_on + timedelta(days=DAYS_AFTER) else ""


@on_tick
def remind(at: datetime) -> None:
    """Queue the reminders of the day that have not been queued; repeatable."""
    today = timezone.localdate(at)
    wanted = {}
    for row in _rows_due(today):
        due_on = _due_on(row)
        moment = moment_of(due_on, today) if due_on is not None else ""
        if moment:
            wanted[f"{row._meta.label_lower}:{row.pk}:{due_on}:{moment}"] = (row, moment)
    keys = [f"{REMINDER_JOB}:{key}" for key in wanted]
    there = set(
        Job.objects.filter(idempotency_key__in=keys).values_list("idempotency_key", flat=True)
    )
    # Asked once for each county and unit, however many things are due there.
    told: dict[tuple[str, object], bool] = {}
    for key, (row, moment) in wanted.items():
        if f"{REMINDER_JOB}:{key}" in there:
            continue
        whose = _whose(row)
        if whose not in told:
            told[whose] = bool(due_of(row).to)
        if told[whose]:
            enqueue(kind=REMINDER_JOB, subject=row, key=key, arguments={"moment": moment})


def _rows_due(today: date) -> Iterable[models.Model]:
    """Return what is open and due about now, in three queries."""
    span = (today - timedelta(days=DAYS_AFTER), today + timedelta(days=DAYS_BEFORE))
    yield from (
        MonthlyReport.objects.filter(first_submitted_at=None, version=1, due_on__range=span)
        .select_related("county")
        .order_by("pk")
    )
    yield from (
        Problem.objects.filter(state__in=_OPEN_PROBLEM, due_on__range=span)
        .select_related("inspection__county")
        .order_by("pk")
    )
    yield from (
        DispatchOrder.objects.filter(state__in=("sent", "received"), dispatch__due_on__range=span)
        .select_related("dispatch", "unit")
        .order_by("pk")
    )


def _due_on(row: models.Model) -> date | None:
    if isinstance(row, DispatchOrder):
        return row.dispatch.due_on
    assert isinstance(row, MonthlyReport | Problem)  # noqa: S101
    return row.due_on


def _whose(row: models.Model) -> tuple[str, object]:
    """Return the kind of row with the county or unit that it waits for."""
    if isinstance(row, MonthlyReport):
        return "report", row.county_id
    if isinstance(row, Problem):
        return "problem", row.inspection.county_id
    assert isinstance(row, DispatchOrder)  # noqa: S101
    return "order", row.unit_id


def due_of(row: models.Model) -> Due:
    """Return what is said of a row, and to whom."""
    if isinstance(row, MonthlyReport):
        to = _people_with(row.county_id, ("draft_report", "sign_report"))
        return Due(row, str(row), row.due_on, reverse("report", args=[row.pk]), to)
    if isinstance(row, Problem):
        assert row.due_on is not None  # noqa: S101
        county = row.inspection.county
        to = _people_with(county.code, ("draft_report",))
        name = f"{county.name}督导问题整改：{row}"
        return Due(row, name, row.due_on, reverse("problem", args=[row.pk]), to)
    assert isinstance(row, DispatchOrder)  # noqa: S101
    to = _addresses(User.objects.filter(organization=row.unit_id, groups__in=_groups_that_answer()))
    url = reverse("dispatch-order", args=[row.pk])
    return Due(row, f"督办：{row.dispatch.title}", row.dispatch.due_on, url, to)


def _people_with(county_code: str, rights: tuple[str, ...]) -> tuple[str, ...]:
    holding = CountyGroupObjectPermission.objects.filter(
        content_object=county_code, permission__codename__in=rights
    )
    return _addresses(User.objects.filter(groups__in=holding.values("group")))


def _groups_that_answer() -> Any:
    answering = {"give_opinion", "draft_report", "sign_report"}
    named = Q(pk__in=[])
    for role, rights in RIGHTS.items():
        if answering & set(rights.on_county):
            named |= Q(name__startswith=f"{role.value}:")
    return Group.objects.filter(named)


def _addresses(users: Any) -> tuple[str, ...]:
    found = users.filter(is_active=True).exclude(email="").values_list("email", flat=True)
    return tuple(found.order_by("email").distinct())


@handles(REMINDER_JOB, "发送到期提醒")
def send_reminder(run: Run) -> None:
    """Send one mail to all concerned, unless the thing has been done meanwhile."""
    if run.job.arguments.get("sent"):
        return
    row = _row_of(run.job)
    if row is None:
        run.report(1, 1, "已经办理，不再提醒")
        return
    due = due_of(row)
    moment = WORDS[run.job.arguments["moment"]]
    message = EmailMessage(
        subject=f"{moment}：{' '.join(due.name.split())}",
        body=(
            f"{due.name}，{due.due_on} 截止，{moment}。\n请打开办理：{settings.SITE_URL}{due.url}\n"
        ),
        to=[settings.DEFAULT_FROM_EMAIL],
        bcc=list(due.to),
    )
    message.send()
    # Written at once: a worker that dies from here on does not remind a second time.
    Job.objects.filter(pk=run.job.pk).update(arguments={**run.job.arguments, "sent": True})
    run.report(1, 1, f"已发给 {len(due.to)} 人")


def _row_of(job: Job) -> models.Model | None:
    """Return the row if it still waits for somebody."""
    if job.subject_type == MonthlyReport._meta.label_lower:
        return MonthlyReport.objects.filter(pk=job.subject_id, first_submitted_at=None).first()
    if job.subject_type == Problem._meta.label_lower:
        return Problem.objects.filter(pk=job.subject_id, state__in=_OPEN_PROBLEM).first()
    return DispatchOrder.objects.filter(pk=job.subject_id, state__in=("sent", "received")).first()
