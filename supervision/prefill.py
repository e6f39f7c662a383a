"""Gather what the portal already knows for the month's reports: targets, plan tasks, last month."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db.models import Count, Q

from plans.models import PlanTask, Target
from supervision.consistency import BatchFigures
from supervision.models import MonthlyReport, ReportRow

Key = tuple[str, str]
"""County code and batch code."""

_SAND = Q(mine__mineral__facts__is_ordinary_sand_stone=True) | Q(mine__mineral__facts__is_clay=True)


@dataclass(frozen=True, slots=True)
class TaskCounts:
    """Count the milestones of a county's plan for one batch."""

    total: int = 0
    done: int = 0
    sand_done: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """Hold what is known on a day, by county and batch."""

    targets: dict[Key, int] = field(default_factory=dict)
    tasks: dict[Key, TaskCounts] = field(default_factory=dict)
    last: dict[Key, ReportRow] = field(default_factory=dict)

    def row(self, county_code: str, kind: str) -> BatchFigures:
        """Return consistent figures to begin a report with."""
        key = (county_code, kind)
        target, tasks, last = self.targets.get(key), self.tasks.get(key), self.last.get(key)
        task = target
        if task is None:
            task = tasks.total if tasks else (last.task if last else 0)
        before = last.done if last else 0
        reached = max(before, tasks.done if tasks else 0)
        done = min(reached, task)
        under_way = min(last.under_way if last else 0, task - done)
        sand = max(last.sand_done if last else 0, tasks.sand_done if tasks else 0)
        note = ""
        if reached > task:
            note = f"系统记录已完成 {reached} 座，超过任务数 {reached - task} 座"
        return BatchFigures(
            task=task,
            done=done,
            done_this_month=max(done - before, 0),
            under_way=under_way,
            not_started=task - done - under_way,
            sand_done=min(sand, done),
            note=note,
        )

    def sources(self, county_code: str, kind: str) -> str:
        """Say in a line where a batch's figures come from."""
        key = (county_code, kind)
        parts = []
        if key in self.targets:
            parts.append(f"省定任务 {self.targets[key]} 座")
        if key in self.tasks:
            tasks = self.tasks[key]
            parts.append(f"方案任务 {tasks.total} 座，已登记完成 {tasks.done} 座")
        if key in self.last:
            parts.append(f"上次报送累计 {self.last[key].done} 座")
        return "；".join(parts) or "系统里还没有这一批的任务，请按实际填写"


def known(county_codes: Iterable[str], month: date) -> Known:
    """Read in three queries what is known at the end of the month for these counties."""
    codes = list(county_codes)
    end = month_end(month)
    targets = (
        Target.objects.filter(county_id__in=codes, valid_from__lte=end)
        .order_by("county_id", "kind", "-valid_from")
        .distinct("county_id", "kind")
    )
    tasks = (
        PlanTask.objects.filter(plan__county_id__in=codes, plan__round__is_open=True)
        .values_list("plan__county_id", "kind")
        .annotate(
            total=Count("pk"),
            done=Count("pk", filter=Q(done_on__lte=end)),
            sand=Count("pk", filter=Q(done_on__lte=end) & _SAND),
        )
        .order_by("plan__county_id", "kind")
    )
    return Known(
        targets={(row.county_id, row.kind): row.number for row in targets},
        tasks={
            (code, kind): TaskCounts(total, done, sand) for code, kind, total, done, sand in tasks
        },
        last=last_rows(codes, month),
    )


def last_rows(county_codes: Iterable[str], month: date) -> dict[Key, ReportRow]:
    """Return the rows of each county's newest submitted report before the month, in one query."""
    newest = (
        MonthlyReport.objects.filter(
            county_id__in=list(county_codes), month__lt=month, state=MonthlyReport.State.SUBMITTED
        )
        .order_by("county_id", "-month", "-version")
        .distinct("county_id")
    )
    rows = ReportRow.objects.filter(report__in=newest).select_related("report").order_by("pk")
    return {(row.report.county_id, row.kind): row for row in rows}


def month_of(day: date) -> date:
    """Return the first day of the day's month."""
    return day.replace(day=1)


def month_end(month: date) -> date:
    """Return the last day of the month."""
    return next_month(month) - timedelta(days=1)


def next_month(month: date) -> date:
    """Return the first day of the month that follows."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)
