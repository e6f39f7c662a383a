"""Change reports: open a month's, fill, sign, return, correct. Each refuses in a sentence."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from rulebook.current import current_rulebook
from shuozhou_mines.errors import Incomplete, WrongState
from supervision.consistency import BATCHES, BatchFigures, contradictions
from supervision.models import MonthlyReport, ReportRow, month_name
from supervision.prefill import known, last_rows, month_end
from taskforce import permissions
from taskforce.models import County
from taskforce.trail import record

State = MonthlyReport.State


def due_day(month: date) -> date:
    """Return the day by which a month's report is due: the rulebook's, else the site's setting."""
    entry = current_rulebook().in_force(month).find("report.due_day")
    known_day = entry.usable if entry is not None else None
    day = int(str(known_day)) if known_day is not None else settings.REPORT_DUE_DAY
    return month.replace(day=min(day, month_end(month).day))


@transaction.atomic
def open_reports(
    *, month: date, at: datetime, by: Any = None, county: County | None = None
) -> list[MonthlyReport]:
    """Open the month's report of each county, or of one, filled with what is known (W-11).

    Repeatable: returns only the reports that were not there. `by` is the person who asks, None for
    the clock. Raise NotAllowed when that person does not draft the county's reports, WrongState for
    a month that has not begun.
    """
    counties = [county] if county is not None else list(County.objects.all())
    if by is not None:
        for each in counties:
            permissions.check(
                by,
                "draft_report",
                each.code,
                f"只有{each.name}的填报员可以建立本县（市、区）月报。",
            )
    month = month.replace(day=1)
    if month > timezone.localdate(at):
        raise WrongState(f"{month_name(month)}还没有开始，到 {month:%Y-%m-%d} 才能填报。")
    there = set(
        MonthlyReport.objects.filter(month=month, version=1).values_list("county_id", flat=True)
    )
    missing = [each for each in counties if each.code not in there]
    if not missing:
        return []
    facts = known([each.code for each in missing], month)
    opened = []
    for each in missing:
        report, made = MonthlyReport.objects.get_or_create(
            county=each, month=month, version=1, defaults={"due_on": due_day(month)}
        )
        if made:
            ReportRow.objects.bulk_create(
                ReportRow(report=report, kind=kind.value, **asdict(facts.row(each.code, kind)))
                for kind in BATCHES
            )
            record("月报建立", by=by, subject=report, county=each)
            opened.append(report)
    return opened


@transaction.atomic
def save_report(
    *,
    report_id: int,
    by: Any,
    rows: Mapping[str, BatchFigures],
    problems: str,
    next_steps: str,
    seen: int | None = None,
) -> MonthlyReport:
    """Store the county's figures and words.

    seen: how often the report had been saved when this person opened it; None overwrites.
    Raise NotAllowed, WrongState when the report is locked, Incomplete when figures contradict or a
    colleague has saved in between.
    """
    report = _locked(report_id)
    permissions.check(
        by, "draft_report", report.county_id, f"只有{report.county.name}的填报员可以填写这份月报。"
    )
    _check_open(report)
    if seen is not None and seen != report.times_saved:
        raise Incomplete(
            f"你打开之后，{report.filled_by}保存过这份月报，你填的还没有存下。"
            "请与同事核对；再按一次“保存”，就用你填的替换。"
        )
    _check_figures(report, rows)
    for row in report.rows.all():
        for name, value in asdict(rows[row.kind]).items():
            setattr(row, name, value)
        row.save()
    report.problems, report.next_steps, report.filled_by = problems, next_steps, by
    report.times_saved += 1
    report.save(update_fields=["problems", "next_steps", "filled_by", "times_saved"])
    record("月报填写", by=by, subject=report, county=report.county, version=report.version)
    return report


@transaction.atomic
def submit_report(*, report_id: int, by: Any, at: datetime) -> MonthlyReport:
    """Sign the report and hand it to the office; from now on it is locked.

    Raise NotAllowed, WrongState, and Incomplete when nobody has confirmed the figures yet or they
    contradict each other or the last report.
    """
    report = _locked(report_id)
    permissions.check(
        by, "sign_report", report.county_id, f"只有{report.county.name}的分管领导可以签发这份月报。"
    )
    _check_open(report)
    if report.filled_by_id is None:
        raise Incomplete("填报员还没有核对并保存本月数据，请填报员保存后再签发。")
    _check_figures(report, {row.kind: figures_of(row) for row in report.rows.all()})
    report.state = State.SUBMITTED
    report.submitted_by, report.submitted_at = by, at
    report.first_submitted_at = report.first_submitted_at or at
    report.return_note = ""
    report.save()
    record(
        "月报签发报送",
        by=by,
        subject=report,
        county=report.county,
        version=report.version,
        late=report.is_late,
    )
    return report


@transaction.atomic
def return_report(*, report_id: int, by: Any, note: str) -> MonthlyReport:
    """Send a submitted report back with what is to be changed; the county may write again.

    Raise NotAllowed, WrongState, Incomplete without a note.
    """
    report = _locked(report_id)
    permissions.check(by, "review_report", report.county_id, "只有专班办公室可以退回月报。")
    if not report.is_locked:
        raise WrongState(f"{report}现在是“{report.get_state_display()}”，不能退回。请刷新页面。")
    _check_newest(report)
    if not note.strip():
        raise Incomplete("请写明退回的原因和要改的内容，县（市、区）才知道怎样修改。")
    report.state = State.RETURNED
    report.return_note = note.strip()
    report.save(update_fields=["state", "return_note"])
    record("月报退回", by=by, subject=report, county=report.county, note=report.return_note)
    return report


@transaction.atomic
def correct_report(*, report_id: int, by: Any, reason: str) -> MonthlyReport:
    """Open the next version of a submitted report; the submitted one stands until it is signed.

    Raise NotAllowed, WrongState when it is not the newest submitted version, Incomplete without a
    reason.
    """
    report = _locked(report_id)
    permissions.check(
        by, "draft_report", report.county_id, f"只有{report.county.name}的填报员可以更正这份月报。"
    )
    if not report.is_locked:
        raise WrongState("这份月报还没有报送，可以直接修改，不用更正。")
    _check_newest(report)
    if not reason.strip():
        raise Incomplete("请写明更正的原因；更正版会注明它。")
    corrected = MonthlyReport.objects.create(
        county=report.county,
        month=report.month,
        version=report.version + 1,
        due_on=report.due_on,
        problems=report.problems,
        next_steps=report.next_steps,
        first_submitted_at=report.first_submitted_at,
        correction_note=reason.strip(),
    )
    ReportRow.objects.bulk_create(
        ReportRow(report=corrected, kind=row.kind, **asdict(figures_of(row)))
        for row in report.rows.all()
    )
    record(
        "月报更正", by=by, subject=corrected, county=report.county, reason=corrected.correction_note
    )
    return corrected


def figures_of(row: ReportRow) -> BatchFigures:
    """Return a row's figures as the consistency rules read them."""
    return BatchFigures(
        task=row.task,
        done=row.done,
        done_this_month=row.done_this_month,
        under_way=row.under_way,
        not_started=row.not_started,
        sand_done=row.sand_done,
        note=row.note,
    )


def _locked(report_id: int) -> MonthlyReport:
    return (
        MonthlyReport.objects.select_for_update(of=("self",))
        .select_related("county")
        .get(pk=report_id)
    )


def _check_open(report: MonthlyReport) -> None:
    if report.is_locked:
        raise WrongState(
            f"{report}已由{report.submitted_by}签发报送，数据已锁定。要改动请用“更正”。"
        )


def _check_newest(report: MonthlyReport) -> None:
    later = MonthlyReport.objects.filter(
        county_id=report.county_id, month=report.month, version__gt=report.version
    )
    if later.exists():
        raise WrongState(f"{report}已经有更正版，请打开最新的一版办理。")


def _check_figures(report: MonthlyReport, rows: Mapping[str, BatchFigures]) -> None:
    last = last_rows([report.county_id], report.month)
    for kind in BATCHES:
        if kind.value not in rows:
            raise Incomplete(f"缺少“{kind.label}”一行，请补齐后再保存。")
        before = last.get((report.county_id, kind.value))
        wrong = contradictions(rows[kind.value], before.done if before else None)
        if wrong:
            raise Incomplete(f"{kind.label}：{next(iter(wrong.values()))}")
