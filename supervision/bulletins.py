"""Compute a quarter's figures from the submitted monthly reports, in a fixed number of queries.

The figures are plain JSON, frozen with the bulletin: rates are texts with two decimals, days are
ISO texts, and each county names the report its cumulative figures were read from.
"""

from collections import Counter, defaultdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max
from django.utils import timezone

from plans.models import CheckRun, Finding, PlanTask, Round, Target
from standards.terms import Verdict
from supervision.consistency import BATCHES, completion_rate
from supervision.models import Bulletin, MonthlyReport, Problem
from supervision.prefill import month_end
from taskforce.models import County

Figures = dict[str, Any]

AHEAD, MORE_THAN_HALF, BELOW_HALF, NO_REPORT = "提前超额", "过半", "低于50%", "无数据"
COUNTED = ("task", "done", "added", "under_way", "not_started", "sand_done")
ON_TIME, LATE, RETURNED, MISSING, NOT_DUE = "on_time", "late", "returned", "missing", "not_due"
REPORT_WORDS = {
    ON_TIME: "按时",
    LATE: "迟报",
    RETURNED: "退回未再报",
    MISSING: "未报",
    NOT_DUE: "未到期",
}


def months_of(year: int, quarter: int) -> list[date]:
    """Return the first days of the quarter's three months."""
    return [date(year, 3 * quarter - 2 + i, 1) for i in range(3)]


def quarter_before(year: int, quarter: int) -> tuple[int, int]:
    """Return the year and number of the quarter before."""
    return (year, quarter - 1) if quarter > 1 else (year - 1, 4)


def quarter_of(day: date) -> tuple[int, int]:
    """Return the year and number of the quarter that a day lies in."""
    return day.year, (day.month + 2) // 3


def quarter_name(year: int, quarter: int) -> str:
    """Return a quarter in words: 2025年第二季度."""
    return f"{year}年第{'一二三四'[quarter - 1]}季度"


def compute_figures(*, year: int, quarter: int, at: datetime) -> Figures:
    """Return all figures of a quarter's bulletin as they stand at a moment."""
    months = months_of(year, quarter)
    end = month_end(months[-1])
    counties = list(County.objects.all())
    reports = _reports(months)
    targets = _targets(end)
    before = _previous(*quarter_before(year, quarter))
    today = timezone.localdate(at)
    after_the_fact = _supervision_counts(min(end, today))
    rows = [
        _county(county, months, reports[county.code], targets, before, at) | after_the_fact(county)
        for county in counties
    ]
    _rank(rows)
    totals = _totals(rows)
    as_of = max((row["as_of"] for row in rows if row["as_of"]), default=min(end, today).isoformat())
    finish = Round.objects.filter(is_open=True).values_list("finish_due_on", flat=True).first()
    return {
        "year": year,
        "quarter": quarter,
        "months": [month.isoformat() for month in months],
        "ends_on": end.isoformat(),
        "as_of": as_of,
        "as_of_words": _month_words(as_of, today),
        "computed_at": at.isoformat(),
        "finish_due_on": finish.isoformat() if finish else None,
        "counties": rows,
        "totals": totals,
        "previous": _comparison(before, totals),
        "reporting": dict(Counter(entry["state"] for row in rows for entry in row["reports"])),
        "sources": sources_of(year, quarter, reports),
    }


def sources_of(
    year: int, quarter: int, reports: dict[str, list[MonthlyReport]] | None = None
) -> list[list[Any]]:
    """Name the submitted reports behind the figures, so that a later one can be noticed."""
    if reports is None:
        found = MonthlyReport.objects.filter(month__in=months_of(year, quarter))
        rows: list[MonthlyReport] = list(found)
    else:
        rows = [report for of_county in reports.values() for report in of_county]
    return sorted(
        [report.pk, report.submitted_at.isoformat()]
        for report in rows
        if report.is_locked and report.submitted_at
    )


def band_of(rate: Decimal | None) -> str:
    """Return the band of progress for a completion rate in per cent."""
    if rate is None:
        return NO_REPORT
    if rate >= 100:
        return AHEAD
    return MORE_THAN_HALF if rate >= 50 else BELOW_HALF


def _reports(months: list[date]) -> dict[str, list[MonthlyReport]]:
    """Return every version of the months' reports by county, oldest first, with their rows."""
    found: dict[str, list[MonthlyReport]] = defaultdict(list)
    reports = (
        MonthlyReport.objects.filter(month__in=months)
        .prefetch_related("rows")
        .order_by("month", "version")
    )
    for report in reports:
        found[report.county_id].append(report)
    return found


def _targets(day: date) -> dict[tuple[str, str], int]:
    rows = (
        Target.objects.filter(valid_from__lte=day)
        .order_by("county_id", "kind", "-valid_from")
        .distinct("county_id", "kind")
    )
    return {(row.county_id, row.kind): row.number for row in rows}


def _county(
    county: County,
    months: list[date],
    reports: list[MonthlyReport],
    targets: dict[tuple[str, str], int],
    before: Figures | None,
    at: datetime,
) -> Figures:
    """Return one county's figures; without a submitted report only the tasks are known."""
    standing = {report.month: report for report in reports if report.is_locked}
    newest = standing[max(standing)] if standing else None
    batches = {
        kind.value: _batch(
            kind.value, newest, list(standing.values()), targets.get((county.code, kind.value))
        )
        for kind in BATCHES
    }
    row = {
        "code": county.code,
        "name": county.name,
        "report_id": newest.pk if newest else None,
        "as_of": month_end(newest.month).isoformat() if newest else None,
        "batches": batches,
        "reports": [
            _reporting(month, [report for report in reports if report.month == month], at)
            for month in months
        ],
        "problems": newest.problems if newest else "",
        **_sums(list(batches.values())),
    }
    row["corrections"] = sum(report.version > 1 for report in standing.values())
    earlier = (before or {}).get("counties", {}).get(county.code)
    row["rate_before"] = earlier["rate"] if earlier else None
    row["rate_change"] = _change(row["rate"], row["rate_before"])
    row["fell"] = bool(earlier and newest and row["done"] < earlier["done"])
    return row


def _batch(
    kind: str, newest: MonthlyReport | None, standing: list[MonthlyReport], target: int | None
) -> Figures:
    if newest is None:
        return dict.fromkeys(COUNTED) | {"task": target, "rate": None}
    rows = {row.kind: row for row in newest.rows.all()}
    added = sum(
        row.done_this_month for report in standing for row in report.rows.all() if row.kind == kind
    )
    last = rows[kind]
    figures = {
        "task": last.task,
        "done": last.done,
        "added": added,
        "under_way": last.under_way,
        "not_started": last.not_started,
        "sand_done": last.sand_done,
    }
    return figures | {"rate": _text(completion_rate(last.done, last.task))}


def _sums(parts: list[Figures]) -> Figures:
    """Add up the parts that have figures; None where none has."""
    sums: Figures = {}
    for name in COUNTED:
        known = [part[name] for part in parts if part[name] is not None]
        sums[name] = sum(known) if known else None
    done, task = sums["done"], sums["task"]
    rate = completion_rate(done, task) if done is not None and task is not None else None
    return sums | {"rate": _text(rate), "band": band_of(rate)}


def _totals(rows: list[Figures]) -> Figures:
    """Add up the counties that reported; the others are named, not guessed."""
    reported = [row for row in rows if row["report_id"] is not None]
    batches = {
        kind.value: _sums([row["batches"][kind.value] for row in reported]) for kind in BATCHES
    }
    return {
        **_sums(reported),
        "batches": batches,
        "without_report": [row["name"] for row in rows if row["report_id"] is None],
    }


def _reporting(month: date, versions: list[MonthlyReport], at: datetime) -> Figures:
    """Tell whether a month's report came, and when."""
    first = versions[0] if versions else None
    newest = next((report for report in reversed(versions) if report.is_locked), None)
    sent = first.first_submitted_at if first else None
    return {
        "month": month.isoformat(),
        "state": _reporting_state(month, first, newest, timezone.localdate(at)),
        "sent_on": timezone.localdate(sent).isoformat() if sent else None,
        "due_on": first.due_on.isoformat() if first else None,
        "version": newest.version if newest else None,
        "report_id": newest.pk if newest else None,
    }


def _reporting_state(
    month: date, first: MonthlyReport | None, newest: MonthlyReport | None, today: date
) -> str:
    if newest is not None:
        return LATE if newest.is_late else ON_TIME
    if first is not None and first.state == MonthlyReport.State.RETURNED:
        return RETURNED
    return NOT_DUE if today <= (first.due_on if first else month_end(month)) else MISSING


def _rank(rows: list[Figures]) -> None:
    """Number the counties by rate, the highest first; equal rates share a place."""
    rates = sorted((Decimal(row["rate"]) for row in rows if row["rate"] is not None), reverse=True)
    for row in rows:
        row["rank"] = rates.index(Decimal(row["rate"])) + 1 if row["rate"] is not None else None
    last = len(rows) + 1
    rows.sort(key=lambda row: row["rank"] or last)


def _previous(year: int, quarter: int) -> Figures | None:
    """Return the quarter before: as issued when there is a bulletin, else from its reports."""
    issued = Bulletin.objects.filter(
        year=year, quarter=quarter, state=Bulletin.State.ISSUED
    ).first()
    name = quarter_name(year, quarter)
    if issued is not None:
        frozen = issued.figures
        counties = {row["code"]: row for row in frozen["counties"] if row["done"] is not None}
        return {"name": name, "issued": True, "counties": counties, "totals": frozen["totals"]}
    counties = {}
    for code, versions in _reports(months_of(year, quarter)).items():
        standing = [report for report in versions if report.is_locked]
        if standing:
            batches = [_batch(kind.value, standing[-1], [], None) for kind in BATCHES]
            counties[code] = _sums(batches)
    if not counties:
        return None
    totals = _sums(list(counties.values()))
    return {"name": name, "issued": False, "counties": counties, "totals": totals}


def _comparison(before: Figures | None, totals: Figures) -> Figures | None:
    if before is None:
        return None
    earlier = before["totals"]
    return {
        "name": before["name"],
        "issued": before["issued"],
        "task": earlier["task"],
        "done": earlier["done"],
        "rate": earlier["rate"],
        "rate_change": _change(totals["rate"], earlier["rate"]),
    }


def _supervision_counts(day: date) -> Any:
    """Return a function that gives a county's overdue tasks, failing mines and open problems."""
    overdue = dict(
        PlanTask.objects.filter(done_on__isnull=True, due_on__lte=day)
        .values_list("plan__county_id")
        .annotate(n=Count("pk"))
        .order_by("plan__county_id")
    )
    newest_runs = (
        CheckRun.objects.filter(version__plan__submitted_at__isnull=False)
        .values("version__plan_id")
        .annotate(newest=Max("pk"))
        .values("newest")
    )
    failing = dict(
        Finding.objects.filter(run__in=newest_runs, verdict=Verdict.FAIL, mine__isnull=False)
        .values_list("run__version__plan__county_id")
        .annotate(n=Count("mine", distinct=True))
        .order_by("run__version__plan__county_id")
    )
    open_problems = dict(
        Problem.objects.filter(closed_on__isnull=True, inspection__visited_on__lte=day)
        .values_list("inspection__county_id")
        .annotate(n=Count("pk"))
        .order_by("inspection__county_id")
    )

    def of(county: County) -> Figures:
        return {
            "overdue_tasks": overdue.get(county.code, 0),
            "failing_mines": failing.get(county.code, 0),
            "open_problems": open_problems.get(county.code, 0),
        }

    return of


def _month_words(as_of: str, today: date) -> str:
    """Return 2025年6月底, or 2025年6月 while the month is still running."""
    day = date.fromisoformat(as_of)
    return f"{day.year}年{day.month}月{'底' if day <= today else ''}"


def _change(now: str | None, before: str | None) -> str | None:
    """Return the difference of two rates in percentage points, None when one is missing."""
    return None if now is None or before is None else str(Decimal(now) - Decimal(before))


def _text(rate: Decimal | None) -> str | None:
    return None if rate is None else str(rate)
