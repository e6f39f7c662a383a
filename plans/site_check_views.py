"""Show the 核查意见 of a plan's areas, and take new ones."""

from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from mines.layer_models import Layer
from plans.models import CountyPlan, PlanVersion, SiteCheck
from plans.site_check_actions import (
    check_allowed,
    may_record,
    record_site_check,
    withdraw_site_check,
)
from plans.site_check_forms import SiteCheckForm
from plans.site_checks import checks_of
from rulebook.current import current_rulebook
from shuozhou_mines.errors import NotAllowed, Refused, WrongState
from standards.terms import OpinionOutcome, ZoneKind
from taskforce.trail import record

TONES = {
    OpinionOutcome.AGREED: "done",
    OpinionOutcome.CONDITIONAL: "waiting",
    OpinionOutcome.REFUSED: "stopped",
    OpinionOutcome.SILENT: "neutral",
}


@require_http_methods(["GET", "HEAD", "POST"])
def site_checks(request: HttpRequest, plan_id: int) -> HttpResponse:
    """List the opinions on a plan's areas, say which are missing, and take one."""
    plan = get_object_or_404(
        CountyPlan.objects.visible_to(request.user).select_related("county", "round"), pk=plan_id
    )
    version = plan.versions.first()
    book = current_rulebook().in_force(timezone.localdate())
    departments, layers = _required(book, "opinions.required"), _required(book, "layers.required")
    layers += [name for name in _layer_names() if name not in layers]
    areas = list(version.areas.order_by("code")) if version is not None else []
    form = SiteCheckForm(
        *((request.POST, request.FILES) if request.method == "POST" else ()),
        areas=[(area.code, f"{area.code} {area.name}") for area in areas],
        departments=departments,
        layers=layers,
    )
    if request.method == "POST":
        answer = _take(request, plan, form)
        if answer is not None:
            return answer
    is_read = version is not None and version.state == PlanVersion.State.READ
    context = {
        "plan": plan,
        "form": form if is_read and may_record(request.user, plan) else None,
        "lines": _lines(request, plan, areas),
        "gaps": _gaps(plan, areas, departments),
    }
    return render(request, "plans/site_checks.html", context, status=422 if form.errors else 200)


def _required(book: Any, key: str) -> list[str]:
    entry = book.find(key)
    return list(entry.usable or ()) if entry else []


def _layer_names() -> list[str]:
    control = (ZoneKind.RED_LINE, ZoneKind.BUFFER)
    there = Layer.objects.in_force(timezone.localdate()).filter(kind__in=control)
    return list(there.values_list("name", flat=True))


def _take(request: HttpRequest, plan: CountyPlan, form: SiteCheckForm) -> HttpResponse | None:
    """Record the opinion of a form; None when the form has to be shown again."""
    check_allowed(plan, request.user)
    if not form.is_valid():
        return None
    given = {**form.cleaned_data, "upload": form.cleaned_data["scan"]}
    del given["scan"]
    try:
        record_site_check(plan_id=plan.pk, by=request.user, at=timezone.now(), **given)
    except (NotAllowed, WrongState):
        raise
    except Refused as refusal:
        form.add_error(None, refusal.message)
        return None
    messages.success(request, "核查意见已登记，正在按新的材料重新检查。")
    return redirect("plan-site-checks", plan.pk)


def _lines(request: HttpRequest, plan: CountyPlan, areas: list[Any]) -> list[dict[str, Any]]:
    counting = {row.pk for rows in checks_of(plan, areas).values() for row in rows}
    may = may_record(request.user, plan)
    rows = SiteCheck.objects.filter(plan=plan).select_related("by", "version", "withdrawn_by")
    return [
        {
            "row": row,
            "tone": TONES[OpinionOutcome(row.outcome)] if row.pk in counting else "neutral",
            "counts": row.pk in counting,
            "why_not": _why_not(row),
            "layers": "、".join(row.layers),
            "withdraw_url": (
                reverse("site-check-withdraw", args=[row.pk])
                if may and row.withdrawn_at is None
                else ""
            ),
        }
        for row in rows
    ]


def _why_not(row: SiteCheck) -> str:
    """Say why an opinion that does not count does not."""
    if row.withdrawn_at is not None and row.withdrawn_by is not None:
        return f"{row.withdrawn_by.name}于 {timezone.localtime(row.withdrawn_at):%Y-%m-%d} 撤销"
    return "范围已变动，或已有更新的意见"


def _gaps(plan: CountyPlan, areas: list[Any], departments: list[str]) -> list[dict[str, Any]]:
    """Say of each area whose opinions are still to come."""
    given = checks_of(plan, areas)
    found = []
    for area in areas:
        have = {row.department for row in given.get(area.code, ())}
        missing = [name for name in departments if name not in have]
        found.append({"area": f"{area.code} {area.name}", "missing": "、".join(missing)})
    return found


@require_GET
def site_check_file(request: HttpRequest, check_id: int) -> FileResponse:
    """Hand out the scan of an opinion."""
    row = _visible(request, check_id)
    record("下载核查意见", by=request.user, subject=row.plan, county=row.plan.county, check=row.pk)
    return FileResponse(row.scan.open("rb"), as_attachment=True, filename=row.scan_name)


@require_POST
def site_check_withdraw(request: HttpRequest, check_id: int) -> HttpResponse:
    """Withdraw an opinion."""
    row = _visible(request, check_id)
    withdraw_site_check(check_id=row.pk, by=request.user, at=timezone.now())
    messages.success(request, "核查意见已撤销，正在重新检查。")
    return redirect("plan-site-checks", row.plan_id)


def _visible(request: HttpRequest, check_id: int) -> SiteCheck:
    plans = CountyPlan.objects.visible_to(request.user)
    return get_object_or_404(
        SiteCheck.objects.filter(plan__in=plans).select_related("plan__county"), pk=check_id
    )
