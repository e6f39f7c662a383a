"""Walk a quarter's reports by the actions, as people do, with figures written in the test."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from plans.models import Target
from supervision import actions, bulletin_actions
from supervision.bulletin_content import bulletin_content, content_key
from supervision.consistency import BATCHES, BatchFigures
from supervision.models import Bulletin, MonthlyReport
from taskforce.models import County

ZONE = ZoneInfo("Asia/Shanghai")
APRIL, MAY, JUNE = date(2025, 4, 1), date(2025, 5, 1), date(2025, 6, 1)


def at(month: int, day: int, year: int = 2025) -> datetime:
    """Return ten in the morning of a day in Shuozhou."""
    return datetime(year, month, day, 10, tzinfo=ZONE)


def set_targets(county: County, *numbers: int) -> None:
    """Set the province's tasks for the four batches, in their order."""
    for kind, number in zip(BATCHES, numbers, strict=True):
        Target.objects.create(
            county=county,
            kind=kind.value,
            number=number,
            document_number="测试文号1号",
            valid_from=date(2025, 1, 1),
        )


def approve(bulletin: Bulletin, by: Any) -> None:
    """Have what a draft says now approved on paper, as the office enters it."""
    bulletin.refresh_from_db()
    bulletin_actions.approve_bulletin(
        bulletin_id=bulletin.pk,
        content=content_key(bulletin_content(bulletin)),
        approver="市领导",
        approved_on=date(2025, 4, 1),
        by=by,
        at=at(12, 31),
    )


def open_month(month: date) -> None:
    """Open a month's reports as the clock does."""
    actions.open_reports(month=month, at=at(month.month, 1, month.year))


def report_of(county: County, month: date) -> MonthlyReport:
    """Return a county's newest report of a month."""
    return MonthlyReport.objects.filter(county=county, month=month).latest("version")


def batch(task: int, done: int, added: int, **more: Any) -> BatchFigures:
    """Return figures whose rest has not been started."""
    under_way = more.pop("under_way", 0)
    return BatchFigures(
        task=task,
        done=done,
        done_this_month=added,
        under_way=under_way,
        not_started=task - done - under_way,
        **more,
    )


def file_report(
    county: County,
    month: date,
    by: tuple[Any, Any],
    on: datetime,
    *rows: BatchFigures,
    **words: str,
) -> MonthlyReport:
    """Fill and sign a report; `by` are the clerk and the leader, `rows` the four batches."""
    report = report_of(county, month)
    actions.save_report(
        report_id=report.pk,
        by=by[0],
        rows={kind.value: row for kind, row in zip(BATCHES, rows, strict=True)},
        problems=words.get("problems", ""),
        next_steps=words.get("next_steps", ""),
    )
    return actions.submit_report(report_id=report.pk, by=by[1], at=on)
