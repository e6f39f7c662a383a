"""Show monthly reports: who reported when, and one report to read, fill, sign or send back."""

from collections import defaultdict
from datetime import date
from typing import Any

from django.contrib import messages
from django.db.models import Max, Min
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuozhou_mines.errors import Incomplete, Refused
from supervision import actions
from supervision.consistency import BATCHES, completion_rate
from supervision.forms import CorrectForm, ReportFileForm, ReportForm, ReturnForm
from supervision.models import MonthlyReport, month_name
from supervision.prefill import known, month_of
from supervision.report_workbook import read_report, report_form
from taskforce import permissions
from taskforce.models import County, TrailEntry

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
State = MonthlyReport.State
TONES = {State.OPEN: "active", State.SUBMITTED: "done", State.RETURNED: "stopped"}
CELL_FIELDS = (
    "county", "month", "version", "state", "due_on", "filled_by", "first_submitted_at",
)  # fmt: skip
COLUMNS = ("task", "done", "done_this_month", "under_way", "not_started", "sand_done")


@require_GET
def report_list(request: HttpRequest) -> HttpResponse:
    """Show every county's reports of a year as a matrix; late ones are marked for all to see."""
    today = timezone.localdate()
    counties = list(permissions.counties_where(request.user, "see_reports").order_by("order"))
    year = _year(request, today)
    months = [date(year, n, 1) for n in range(12, 0, -1) if date(year, n, 1) <= today]
    found = MonthlyReport.objects.filter(county__in=counties, month__year=year)
    versions: dict[tuple[str, date], list[MonthlyReport]] = defaultdict(list)
    for report in found.only(*CELL_FIELDS).order_by("month", "version"):
        versions[report.county_id, report.month].append(report)
    rows = [
        {
            "county": county.name,
            "cells": _cells(request.user, county, [versions[county.code, m] for m in months]),
        }
        for county in counties
    ]
    submitted = [
        sum(any(report.is_locked for report in versions[county.code, m]) for county in counties)
        for m in months
    ]
    context = {
        "rows": rows,
        "report_url": reverse("report-list"),
        "months": months,
        "year": year,
        "years": _years(year, today),
        "submitted": submitted,
        "counties_count": len(counties),
        "buttons": _open_buttons(request.user, counties, versions, month_of(today)),
    }
    return render(request, "supervision/report_list.html", context)


@require_POST
def report_open(request: HttpRequest) -> HttpResponse:
    """Open this month's report of the person's county when the clock has not done it."""
    drafting = permissions.counties_where(request.user, "draft_report")
    county = get_object_or_404(drafting, pk=request.POST.get("county", ""))
    now = timezone.now()
    month = month_of(timezone.localdate(now))
    actions.open_reports(month=month, at=now, by=request.user, county=county)
    report = MonthlyReport.objects.filter(county=county, month=month).latest("version")
    return redirect("report", report.pk)


@require_http_methods(["GET", "POST"])
def report(request: HttpRequest, report_id: int) -> HttpResponse:
    """Show one report; who fills it gets the form, everybody else the table."""
    shown = _visible(request, report_id)
    if request.method == "GET":
        return _page(request, shown)
    facts = known([shown.county_id], shown.month)
    form = ReportForm(request.POST, report=shown, facts=facts)
    return _save(request, shown, form) if form.is_valid() else _page(request, shown, form=form)


@require_GET
def report_file(request: HttpRequest, report_id: int) -> HttpResponse:
    """Send the month's form as a workbook to those who fill it."""
    shown = _to_fill(request, report_id)
    name = f"{shown.county.name}{month_name(shown.month)}月报.xlsx"
    disposition = content_disposition_header(as_attachment=True, filename=name)
    headers = {"Content-Disposition": str(disposition)}
    return HttpResponse(report_form(shown), content_type=XLSX, headers=headers)


@require_POST
def report_upload(request: HttpRequest, report_id: int) -> HttpResponse:
    """Fill the page's form from the workbook and save it; what is wrong comes back to be mended."""
    shown = _to_fill(request, report_id)
    file_form = ReportFileForm(request.POST, request.FILES, auto_id="file_%s")
    if not file_form.is_valid():
        return _page(request, shown, file_form=file_form)
    try:
        data, problems = read_report(file_form.cleaned_data["workbook"], shown)
    except Refused as refusal:
        file_form.add_error("workbook", refusal.message)
        return _page(request, shown, file_form=file_form)
    form = ReportForm(data, report=shown, facts=known([shown.county_id], shown.month))
    if not problems and form.is_valid():
        return _save(request, shown, form)
    for problem in problems:
        form.add_error(None, problem.message)
    return _page(request, shown, form=form)


def _to_fill(request: HttpRequest, report_id: int) -> MonthlyReport:
    """Return a report that this person fills and that is still open."""
    shown = _visible(request, report_id)
    if shown.is_locked or not permissions.can(request.user, "draft_report", shown.county_id):
        raise Http404
    return shown


def _save(request: HttpRequest, shown: MonthlyReport, form: ReportForm) -> HttpResponse:
    try:
        actions.save_report(
            report_id=shown.pk,
            by=request.user,
            rows=form.figures(),
            problems=form.cleaned_data["problems"],
            next_steps=form.cleaned_data["next_steps"],
            seen=form.cleaned_data["seen"],
        )
    except Incomplete as refusal:
        form.add_error(None, refusal.message)
        shown.refresh_from_db(fields=["times_saved"])
        return _page(request, shown, form=form)
    messages.success(request, "已保存，等分管领导签发。")
    return redirect("report", shown.pk)


@require_POST
def report_submit(request: HttpRequest, report_id: int) -> HttpResponse:
    """Sign the report and hand it in."""
    shown = _visible(request, report_id)
    try:
        sent = actions.submit_report(report_id=shown.pk, by=request.user, at=timezone.now())
    except Incomplete as refusal:
        messages.error(request, refusal.message)
    else:
        late = "（已过截止日，记为迟报）" if sent.is_late else ""
        messages.success(request, f"已签发并报送专班办公室{late}，数据已锁定。")
    return redirect("report", shown.pk)


@require_POST
def report_return(request: HttpRequest, report_id: int) -> HttpResponse:
    """Send a submitted report back to its county."""
    shown = _visible(request, report_id)
    form = ReturnForm(request.POST, auto_id="return_%s")
    if not form.is_valid():
        return _page(request, shown, return_form=form)
    actions.return_report(report_id=shown.pk, by=request.user, note=form.cleaned_data["note"])
    messages.success(request, f"{shown}已退回，{shown.county.name}修改后会重新报送。")
    return redirect(f"{reverse('report-list')}?year={shown.month.year}")


@require_POST
def report_correct(request: HttpRequest, report_id: int) -> HttpResponse:
    """Open the next version of a submitted report."""
    shown = _visible(request, report_id)
    form = CorrectForm(request.POST, auto_id="correct_%s")
    if not form.is_valid():
        return _page(request, shown, correct_form=form)
    corrected = actions.correct_report(
        report_id=shown.pk, by=request.user, reason=form.cleaned_data["reason"]
    )
    messages.success(request, f"第{corrected.version}版已建立，请更正后由分管领导签发。")
    return redirect("report", corrected.pk)


def _visible(request: HttpRequest, report_id: int) -> MonthlyReport:
    reports = MonthlyReport.objects.visible_to(request.user).select_related(
        "county", "filled_by", "submitted_by"
    )
    return get_object_or_404(reports.prefetch_related("rows"), pk=report_id)


def _page(
    request: HttpRequest,
    shown: MonthlyReport,
    *,
    form: ReportForm | None = None,
    file_form: Form | None = None,
    return_form: Form | None = None,
    correct_form: Form | None = None,
) -> HttpResponse:
    user, code = request.user, shown.county_id
    versions = list(
        MonthlyReport.objects.visible_to(user)
        .filter(county_id=code, month=shown.month)
        .order_by("version")
    )
    newest = versions[-1].pk == shown.pk
    drafts = permissions.can(user, "draft_report", code)
    if drafts and not shown.is_locked and form is None:
        form = ReportForm(report=shown, facts=known([code], shown.month))
    if drafts and not shown.is_locked and file_form is None:
        file_form = ReportFileForm(auto_id="file_%s")
    if newest and shown.is_locked and return_form is None:
        reviews = permissions.can(user, "review_report", code)
        return_form = ReturnForm(auto_id="return_%s") if reviews else None
    if newest and shown.is_locked and correct_form is None and drafts:
        correct_form = CorrectForm(auto_id="correct_%s")
    context = {
        "report": shown,
        "month": month_name(shown.month),
        "state_label": shown.get_state_display(),
        "tone": TONES[State(shown.state)],
        "form": form,
        "file_form": file_form,
        "return_form": return_form,
        "correct_form": correct_form,
        "table": _table(shown),
        "buttons": _sign_button(user, shown),
        "versions": _versions(versions, shown),
        "events": _events(shown),
    }
    shown_forms = (form, file_form, return_form, correct_form)
    status = 422 if any(f is not None and f.errors for f in shown_forms) else 200
    return render(request, "supervision/report.html", context, status=status)


def _sign_button(user: Any, shown: MonthlyReport) -> list[dict[str, Any]]:
    if shown.is_locked or not permissions.can(user, "sign_report", shown.county_id):
        return []
    return [
        {
            "label": "签发并报送",
            "url": reverse("report-submit", args=[shown.pk]),
            "method": "post",
            "kind": "primary",
            "enabled": shown.filled_by_id is not None,
            "why_not": "填报员还没有核对并保存本月数据",
            "confirm": "签发后数据锁定，改动须另出更正版。确定签发并报送专班办公室？",
            "icon": "",
        }
    ]


def _table(shown: MonthlyReport) -> dict[str, Any]:
    """Return the figures of a report as the table to read."""
    rows = {row.kind: row for row in shown.rows.all()}
    sums = {name: sum(getattr(row, name) for row in rows.values()) for name in COLUMNS}
    return {
        "rows": [
            {
                "kind": kind.value,
                "figures": [getattr(rows[kind.value], name) for name in COLUMNS],
                "rate": completion_rate(rows[kind.value].done, rows[kind.value].task),
                "note": rows[kind.value].note,
            }
            for kind in BATCHES
            if kind.value in rows
        ],
        "totals": [sums[name] for name in COLUMNS],
        "rate": completion_rate(sums["done"], sums["task"]),
    }


def _versions(versions: list[MonthlyReport], shown: MonthlyReport) -> list[dict[str, Any]]:
    return [
        {
            "label": f"第{each.version}版{'（更正）' if each.version > 1 else ''}",
            "state": each.get_state_display(),
            "note": each.correction_note,
            "url": reverse("report", args=[each.pk]),
            "is_shown": each.pk == shown.pk,
        }
        for each in reversed(versions)
    ]


def _events(shown: MonthlyReport) -> list[dict[str, Any]]:
    entries = (
        TrailEntry.objects.filter(
            subject_type=shown._meta.label_lower, subject_id=shown.pk, result="done"
        )
        .select_related("by__organization")
        .order_by("-pk")[:20]
    )
    return [
        {
            "at": entry.at,
            "who": str(entry.by) if entry.by else "系统",
            "unit": entry.by.organization.short_name if entry.by and entry.by.organization else "",
            "what": entry.act,
            "note": entry.detail.get("note") or entry.detail.get("reason") or "",
            "tone": "stopped" if entry.act == "月报退回" else "",
        }
        for entry in entries
    ]


def _cells(user: Any, county: County, months: list[list[MonthlyReport]]) -> list[dict[str, Any]]:
    """Return one county's months; what is the same for all is asked once."""
    own = permissions.can(user, "draft_report", county.code) or permissions.can(
        user, "sign_report", county.code
    )
    return [_cell(versions, own=own) for versions in months]


def _cell(versions: list[MonthlyReport], *, own: bool) -> dict[str, Any]:
    """Return one month: its word, and the version to link to that this user may read."""
    if not versions:
        return {"word": "", "tone": "", "report_id": None, "sent": False}
    newest = versions[-1]
    sent = [report for report in versions if report.is_locked]
    shown = newest if own else (sent[-1] if sent else None)
    word, tone = _word(newest, bool(sent))
    return {
        "word": word,
        "tone": tone,
        "report_id": shown.pk if shown else None,
        "sent": bool(sent),
    }


def _word(newest: MonthlyReport, was_sent: bool) -> tuple[str, str]:
    if newest.is_locked:
        word = "迟报" if newest.is_late else "已报"
        return (f"{word}·更正" if newest.version > 1 else word), (
            "waiting" if newest.is_late else "done"
        )
    if newest.state == State.RETURNED:
        return "退回", "stopped"
    if was_sent:
        return "更正中", "active"
    if newest.is_late:
        return "逾期", "stopped"
    return ("待签发", "waiting") if newest.filled_by_id else ("填报中", "active")


def _open_buttons(
    user: Any, counties: list[County], versions: Any, month: date
) -> list[dict[str, Any]]:
    """Offer to open this month's report where the clock has not."""
    return [
        {"label": f"建立{month_name(month)}月报", "county": county.code, "name": county.name}
        for county in counties
        if permissions.can(user, "draft_report", county.code)
        and not MonthlyReport.objects.filter(county=county, month=month).exists()
        and not versions.get((county.code, month))
    ]


def _year(request: HttpRequest, today: date) -> int:
    asked = request.GET.get("year", "")
    return int(asked) if asked.isdigit() and 2000 <= int(asked) <= today.year else today.year


def _years(shown: int, today: date) -> list[dict[str, Any]]:
    span = MonthlyReport.objects.aggregate(first=Min("month"), last=Max("month"))
    first = min(span["first"].year if span["first"] else today.year, shown)
    return [
        {"label": f"{year}年", "url": f"?year={year}", "active": year == shown, "count": None}
        for year in range(today.year, first - 1, -1)
    ]
