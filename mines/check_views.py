"""Show what the newest check of the registry found: by rule, and in the lists that follow."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from mines import check_lists
from mines.check_lists import EXPIRING, LISTS, CheckList, Row
from mines.check_models import MineCheckRun
from mines.checks import request_check, under_way
from rulebook.models import RulebookVersion
from shuozhou_mines import jobs
from shuozhou_mines.errors import Incomplete
from shuozhou_mines.models import Job
from standards.rules import RULES
from standards.terms import Verdict
from taskforce.models import County, User
from taskforce.permissions import can_anywhere, can_city, counties_where

ROWS_PER_PAGE = 50
RUNS_SHOWN = 10
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHOWN = (Verdict.FAIL, Verdict.REVIEW, Verdict.NODATA)


def reader(request: HttpRequest) -> User:
    """Return the person when they may see mines; a stranger finds nothing here."""
    if not isinstance(request.user, User) or not can_anywhere(request.user, "see_mines"):
        raise Http404
    return request.user


def _newest() -> MineCheckRun:
    run = MineCheckRun.objects.newest_finished()
    if run is None:
        raise Incomplete("全市台账还没有检查过。每天会自动检查一次，专班办公室也可以马上发起。")
    return run


@require_GET
def checks_page(request: HttpRequest) -> HttpResponse:
    """Show the newest check: its lists, its findings by rule, and the runs before it."""
    user = reader(request)
    run, running = MineCheckRun.objects.newest_finished(), under_way()
    sizes = check_lists.list_sizes(run, user) if run else {}
    context = {
        "run": run,
        "progress": _progress(running) if running else None,
        "lists": [
            {
                "label": kind.title, "value": sizes[kind.kind], "unit": "座",
                "note": f"规则 {kind.rule}" if kind.rule else "", "tone": "",
                "url": reverse("registry-list", args=[kind.kind]),
            }
            for kind in LISTS.values()
        ] if run else [],
        "rules": _rules(run, user) if run else [],
        "runs": MineCheckRun.objects.select_related("rulebook", "asked_by")[:RUNS_SHOWN],
        "is_old": run is not None and run.rulebook.state == RulebookVersion.State.RETIRED,
        "buttons": _buttons(user, running),
    }  # fmt: skip
    return render(request, "mines/checks.html", context)


def _rules(run: MineCheckRun, user: User) -> list[dict[str, Any]]:
    counted = check_lists.counts_by_rule(run, user)
    return [
        {
            "code": code,
            "title": RULES[code].title if code in RULES else "",
            "url": reverse("registry-rule", args=[code]),
            "counts": [numbers.get(verdict.value, 0) for verdict in SHOWN],
        }
        for code, numbers in sorted(counted.items())
    ]


def _buttons(user: User, running: MineCheckRun | None) -> list[dict[str, Any]]:
    if not can_city(user, "manage_rulebook"):
        return []
    return [
        {
            "label": "检查全市台账", "url": reverse("registry-check"), "method": "post",
            "enabled": running is None, "why_not": "检查正在进行。" if running else "",
            "kind": "primary", "confirm": "", "icon": "",
        }
    ]  # fmt: skip


def _progress(run: MineCheckRun) -> dict[str, object]:
    """Add up the parts of a run as components/progress.html reads them."""
    sums = run.parts.aggregate(done=Sum("checked"), total=Sum("mines"))
    open_jobs = Job.objects.filter(mine_check__run=run)
    states = set(open_jobs.values_list("state", flat=True))
    state = Job.State.QUEUED if states == {Job.State.QUEUED} else Job.State.RUNNING
    waits = state == Job.State.QUEUED and not jobs.queue_reachable()
    return {
        "state": str(state),
        "done": sums["done"] or 0,
        "total": sums["total"] or 0,
        "step": f"{run.get_reason_display()}，标准库{run.rulebook}",
        "url": reverse("registry-check-progress", args=[run.pk]),
        "leave": (
            "任务队列暂时连不上；已保存的请求不会丢，恢复后自动处理。"
            if waits
            else "可以离开本页，检查不会中断；完成后本页显示新的结果。"
        ),
        "error": "",
        "result_url": "",
        "result_label": "",
    }


@require_GET
def check_progress(request: HttpRequest, run_id: int) -> HttpResponse:
    """Answer the progress of a run for HTMX; the page is loaded anew once it has ended."""
    reader(request)
    running = under_way()
    if running is None or running.pk != run_id:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "jobs/_progress.html", {"progress": _progress(running)})


@require_POST
def check_start(request: HttpRequest) -> HttpResponse:
    """Start a check of the whole registry."""
    user = reader(request)
    request_check(by=user, on=timezone.localdate(), at=timezone.now())
    messages.success(request, "已开始检查全市台账。")
    return redirect("registry-checks")


@require_POST
def check_cancel(request: HttpRequest) -> HttpResponse:
    """Cancel the check that is under way; the newest finished one stays as it is."""
    user = reader(request)
    if not can_city(user, "manage_rulebook"):
        raise Http404
    running = under_way()
    for part in running.parts.select_related("job") if running else ():
        if part.job is not None:
            jobs.cancel(part.job)
    messages.success(request, "检查已取消，以前的结果不变。")
    return redirect("registry-checks")


def _kind(name: str) -> CheckList:
    try:
        return LISTS[name]
    except KeyError:
        raise Http404 from None


def _county(request: HttpRequest, user: User) -> str:
    code = request.GET.get("county", "")
    return code if counties_where(user, "see_mines").filter(pk=code).exists() else ""


@require_GET
def list_page(request: HttpRequest, kind: str) -> HttpResponse:
    """Show one list of the newest check."""
    user, wanted, run = reader(request), _kind(kind), _newest()
    county = _county(request, user)
    items = check_lists.listed(run, wanted, user, county=county)
    page = Paginator(items, ROWS_PER_PAGE).get_page(request.GET.get("page"))
    query = f"county={county}&" if county else ""
    context = {
        "kind": wanted,
        "run": run,
        "table": _table(wanted.title, check_lists.rows_of(run, wanted, page)),
        "page_obj": page,
        "query": query,
        "counties": _counties(user),
        "county": county,
        "steps": _steps(run, user) if kind == EXPIRING else [],
        "quote": RULES[wanted.rule] if wanted.rule else None,
        "buttons": [_export(kind, query, page.paginator.count)],
    }
    return render(request, "mines/checks_list.html", context)


def _steps(run: MineCheckRun, user: User) -> list[dict[str, Any]]:
    """Count the failing mines whose licence ends within each step of the warning."""
    return [
        {
            "label": f"{days} 天内到期",
            "value": check_lists.expiring(run, user, within=days).count(),
            "unit": "座", "note": "", "tone": "", "url": "",
        }
        for days in check_lists.warning_days(run)
    ]  # fmt: skip


def _counties(user: User) -> list[County]:
    return list(counties_where(user, "see_mines").order_by("order"))


def _export(kind: str, query: str, count: int) -> dict[str, Any]:
    fits = 0 < count <= check_lists.MOST_ROWS
    why = "" if fits else "清单是空的。" if not count else "太长，请先选一个县（市、区）。"
    url = f"{reverse('registry-list-export', args=[kind])}?{query}".rstrip("?&")
    return {
        "label": "导出 Excel", "url": url, "method": "get", "enabled": fits, "why_not": why,
        "kind": "secondary", "confirm": "", "icon": "download",
    }  # fmt: skip


def _table(caption: str, rows: list[Row]) -> dict[str, Any]:
    columns = ("矿山", "县（市、区）", "采矿权人", "矿种", "许可证有效期止", "结论", "说明")
    return {
        "caption": caption,
        "columns": [{"label": label} for label in columns],
        "rows": [
            {
                "cells": [
                    {"text": row.mine.name, "url": reverse("mine", args=[row.mine.registry_no])},
                    {"text": row.mine.county.name},
                    {"text": row.mine.holder.name},
                    {"text": row.mine.mineral.name},
                    {"text": _ends(row)},
                    {"verdict": row.verdict},
                    {"text": row.message},
                ]
            }
            for row in rows
        ],
        "empty": {"title": "清单是空的", "text": "最近一次检查没有发现这种情况。"},
    }


def _ends(row: Row) -> str:
    ends = row.ends_on.isoformat() if row.ends_on else ""
    return f"{ends}（{row.note}）" if row.note else ends


@require_GET
def list_export(request: HttpRequest, kind: str) -> HttpResponse:
    """Hand out one list as a workbook."""
    user, wanted, run = reader(request), _kind(kind), _newest()
    items = check_lists.listed(run, wanted, user, county=_county(request, user))
    content = check_lists.xlsx(run, wanted, items[: check_lists.MOST_ROWS])
    return HttpResponse(
        content,
        content_type=XLSX,
        headers={"Content-Disposition": f'attachment; filename="{kind}-{run.checked_on}.xlsx"'},
    )


@require_GET
def rule_page(request: HttpRequest, code: str) -> HttpResponse:
    """Show the findings of one rule in the newest check, by verdict."""
    user, run = reader(request), _newest()
    counted = check_lists.counts_by_rule(run, user).get(code)
    if counted is None:
        raise Http404
    present = [verdict for verdict in SHOWN if counted.get(verdict.value)]
    asked = request.GET.get("verdict", "")
    chosen = next((each for each in present if each.value == asked), present[0])
    county = _county(request, user)
    as_stated = run.rules.get(code, {"title": "", "clause": "", "quote": "", "version": ""})
    wanted = CheckList(code, as_stated["title"], code, (chosen,), "")
    items = check_lists.listed(run, wanted, user, county=county)
    page = Paginator(items, ROWS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "code": code,
        "run": run,
        "rule": as_stated,
        "tabs": [
            {
                "label": verdict.label, "url": f"?verdict={verdict.value}",
                "active": verdict is chosen, "count": counted[verdict.value],
            }
            for verdict in present
        ],
        "verdict": chosen.value,
        "counties": _counties(user),
        "county": county,
        "table": _table(code, check_lists.rows_of(run, wanted, page)),
        "page_obj": page,
        "query": f"verdict={chosen.value}&" + (f"county={county}&" if county else ""),
    }  # fmt: skip
    return render(request, "mines/checks_rule.html", context)
