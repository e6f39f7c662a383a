"""Open what the clock opens: each month's reports, once, whoever ticks and however often."""

from datetime import date, datetime

from django.db.models import Max
from django.utils import timezone

from shuozhou_mines.jobs import on_tick

# Imported for what they register with the worker and its clock.
from supervision import meeting_tasks as meeting_tasks
from supervision import reminders as reminders
from supervision.actions import open_reports
from supervision.models import MonthlyReport
from supervision.prefill import month_of, next_month
from taskforce.models import County

MOST_MONTHS_TO_CATCH_UP = 12


@on_tick
def open_this_month(at: datetime) -> None:
    """Open the reports of this month and of those missed while nothing ticked.

    Nothing happens when all are there already, or when the clock has been set back.
    """
    for month in months_to_open(month_of(timezone.localdate(at))):
        open_reports(month=month, at=at)


def months_to_open(this_month: date) -> list[date]:
    """Return the months whose reports are not all open yet, in order; two queries."""
    months = MonthlyReport.objects.filter(version=1)
    newest = months.aggregate(newest=Max("month"))["newest"]
    if newest is None:
        return [this_month]
    missed = []
    month = next_month(newest)
    while month <= this_month:
        missed.append(month)
        month = next_month(month)
    if missed:
        return missed[-MOST_MONTHS_TO_CATCH_UP:]
    complete = months.filter(month=this_month).count() >= County.objects.count()
    return [] if complete or this_month < newest else [this_month]
