"""Show plans, and let each person take the steps that are theirs."""

from typing import Any

from django.contrib import messages
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Count, Prefetch
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from plans import actions, permissions
from plans.finding_views import findings_part
from plans.forms import ApprovalForm, OpinionForm, StepForm, UploadForm
from plans.models import CountyPlan, Opinion, PlanVersion, Round
from plans.shapes import version_shapes
from plans.workflow import STEPS, State, Step
from shuozhou_mines.errors import Incomplete
from standards.terms import Disposition, Verdict
from taskforce import permissions as rights
from taskforce.models import County, Organization, OrganizationKind

TONES = {
    State.DRAFT: "neutral",
    State.SUBMITTED: "waiting",
    State.RETURNED: "stopped",
    State.CO_SIGNING: "active",
    State.APPROVED: "active",
    State.PUBLISHED: "done",
}
PATH = (State.DRAFT, State.SUBMITTED, State.CO_SIGNING, State.APPROVED, State.PUBLISHED)


@require_GET
def plan_list(request: HttpRequest) -> HttpResponse:
    """List the counties' plans of the current round with where each stands."""
    current = Round.objects.filter(is_open=True).first()
    plans = {
        plan.county_id: plan
        for plan in CountyPlan.objects.visible_to(request.user)
        .filter(round=current)
        .select_related("county", "round")
        .annotate(versions_count=Count("versions"))
    }
    may_draft = {c.code for c in rights.counties_where(request.user, "draft_plan")}
    seen = rights.counties_where(request.user, "see_plans")
    rows = [_list_row(county, plans.get(county.code), county.code in may_draft) for county in seen]
    return render(
        request,
        "plans/list.html",
        {"round": current, "rows": rows, "today": timezone.localdate()},
    )


def _list_row(county: County, plan: CountyPlan | None, may_draft: bool) -> dict[str, Any]:
    return {
        "county": county,
        "plan": plan,
        "state": plan.get_state_display() if plan else "尚未报送",
        "tone": TONES[State(plan.state)] if plan else "neutral",
        "may_open": may_draft and plan is None,
        "late": plan is not None and _is_late(plan),
    }


def _is_late(plan: CountyPlan) -> bool:
    """Tell whether the first submission came after the round's day, by the local calendar."""
    first = plan.submitted_at
    return first is not None and timezone.localdate(first) > plan.round.compile_due_on


@require_POST
def plan_open(request: HttpRequest, county_code: str) -> HttpResponse:
    """Open this round's plan of a county."""
    county = get_object_or_404(rights.counties_where(request.user, "see_drafts"), pk=county_code)
    plan = actions.open_plan(county_code=county.code, by=request.user, at=timezone.now())
    return redirect("plan", plan.pk)


@require_GET
def plan_page(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Show one plan: where it stands, what it holds, what waits for this person."""
    plan = _visible_plan(request, plan_id)
    part = request.GET.get("part", "overview")
    version = _shown_version(plan)
    context = _frame(request, plan, version, part)
    if version is not None:
        context |= _part_context(request, part, version)
    template = part if part in PARTS else "overview"
    return render(request, f"plans/plan_{template}.html", context)


PARTS = {
    "overview": "概况",
    "mines": "矿山与处置",
    "areas": "整合区",
    "findings": "检查结果",
    "opinions": "会签",
    "versions": "版本",
}


def _visible_plan(request: HttpRequest, plan_id: int) -> CountyPlan:
    plans = CountyPlan.objects.visible_to(request.user).select_related("county", "round")
    return get_object_or_404(plans, pk=plan_id)


def _shown_version(plan: CountyPlan) -> PlanVersion | None:
    """Return the newest version; its rows are shown as soon as it has been read."""
    return plan.versions.select_related("uploaded_by").first()


def _frame(
    request: HttpRequest, plan: CountyPlan, version: PlanVersion | None, part: str
) -> dict[str, Any]:
    """Gather what every part of the plan page shows."""
    offers = permissions.offered_steps(request.user, plan)
    run = version.check_runs.first() if version else None
    return {
        "plan": plan,
        "version": version,
        "run": run,
        "verdicts": _verdict_counts(run.counts if run else {}),
        "tone": TONES[State(plan.state)],
        "path": _path(plan),
        "tabs": [
            {
                "label": label,
                "url": f"{reverse('plan', args=[plan.pk])}?part={code}",
                "active": code == part,
                "count": None,
            }
            for code, label in PARTS.items()
        ],
        "offers": [_offer(plan, step) for step in offers],
        "upload_form": UploadForm() if permissions.can_upload(request.user, plan) else None,
        "opinion_form": _opinion_form(request, plan, version),
        "events": _events(plan),
        "approval": getattr(plan, "approval", None),
        "publish_url": (
            reverse("notice-new", args=[plan.pk])
            if plan.state == State.APPROVED
            and rights.can(request.user, "publish_plan", plan.county_id)
            else ""
        ),
    }


def _verdict_counts(counts: dict[str, int]) -> list[dict[str, Any]]:
    return [{"verdict": v.value, "count": counts.get(v.value, 0)} for v in Verdict if counts]


def _path(plan: CountyPlan) -> list[dict[str, Any]]:
    """Lay the plan's way out as steps: done, current, to come."""
    current = PATH.index(State.DRAFT if plan.state == State.RETURNED else State(plan.state))
    return [
        {
            "label": State(state).label,
            "mark": "done" if at < current else "current" if at == current else "ahead",
        }
        for at, state in enumerate(PATH)
    ]


def _offer(plan: CountyPlan, step: Step) -> dict[str, Any]:
    """Describe a step's form; the approval and the notice have forms of their own."""
    form: Any = None
    if step.code == "approve":
        form = ApprovalForm(initial={"seen_state": plan.state})
    elif not step.own_action:
        form = StepForm(initial={"seen_state": plan.state})
        if not step.needs_note:
            form.fields.pop("note")
    url = "plan-approve" if step.code == "approve" else "plan-step"
    args = [plan.pk] if step.code == "approve" else [plan.pk, step.code]
    return {"step": step, "form": form, "url": reverse(url, args=args)}


def _opinion_form(
    request: HttpRequest, plan: CountyPlan, version: PlanVersion | None
) -> OpinionForm | None:
    if plan.state != State.CO_SIGNING or version is None:
        return None
    if not permissions.can_give_opinion(request.user, plan):
        return None
    answered = version.opinions.filter(unit__user=request.user.pk).exists()
    return None if answered else OpinionForm()


def _events(plan: CountyPlan) -> list[dict[str, Any]]:
    steps = plan.steps.select_related("by__organization", "version").order_by("-pk")
    return [
        {
            "at": step.at,
            "who": step.by.name,
            "unit": step.by.organization.short_name if step.by.organization else "",
            "what": STEPS[step.step].label
            + (f"（第{step.version.number}版）" if step.version else ""),
            "note": step.note,
            "tone": "stopped" if step.step == "return" else "done",
        }
        for step in steps
    ]


def _part_context(request: HttpRequest, part: str, version: PlanVersion) -> dict[str, Any]:
    """Load what one part shows, in a fixed number of queries."""
    if part == "mines":
        rows = version.dispositions.select_related("mine__mineral", "mine__holder", "area")
        return {"rows": list(rows)}
    if part == "areas":
        members = Prefetch("members__mine")
        return {"areas": list(version.areas.select_related("mineral").prefetch_related(members))}
    if part == "findings":
        return findings_part(request, version)
    if part == "opinions":
        return {"answers": _answers(version)}
    if part == "versions":
        versions = version.plan.versions.select_related("uploaded_by").prefetch_related(
            "check_runs"
        )
        return {"versions": list(versions)}
    counts = dict(version.dispositions.values_list("kind").annotate(Count("pk")).order_by("kind"))
    return {
        "batches": [
            {"kind": kind.value, "count": counts.get(kind.value, 0)} for kind in Disposition
        ],
        "mines_total": sum(counts.values()),
        "areas_total": version.areas.count(),
        "map": _map(version),
    }


def _answers(version: PlanVersion) -> list[dict[str, Any]]:
    """Set each member unit beside its answer; one without an answer is shown as such."""
    given = {row.unit_id: row for row in version.opinions.select_related("by")}
    units = Organization.objects.filter(kind=OrganizationKind.MEMBER_UNIT)
    tones = {Opinion.Stance.AGREE: "done", Opinion.Stance.DISAGREE: "stopped"}
    return [
        {
            "unit": unit,
            "opinion": given.get(unit.pk),
            "tone": tones.get(Opinion.Stance(given[unit.pk].stance), "waiting")
            if unit.pk in given
            else "neutral",
        }
        for unit in units
    ]


def _map(version: PlanVersion) -> dict[str, Any]:
    shapes = reverse("plan-shapes", args=[version.pk])
    return {
        "id": "plan-map",
        "label": "现状与整合后的矿区范围",
        "describedby": "plan-map-list",
        "features_url": f"{shapes}?side=before",
        "after_url": f"{shapes}?side=after",
        "counties_url": reverse("county-shapes"),
        "tiles_url": "",
        "bbox": "",
        "colour_by": "disposition",
        "tall": "",
        "legend": "",
        "note": "县界为示意，矿区范围按 CGCS2000 坐标绘制。",
    }


@require_GET
def plan_shapes(request: HttpRequest, version_id: int) -> JsonResponse:
    """Answer a version's outlines as GeoJSON: the mines as they are, or the areas to be."""
    versions = PlanVersion.objects.filter(plan__in=CountyPlan.objects.visible_to(request.user))
    version = get_object_or_404(versions.select_related("plan"), pk=version_id)
    side = "after" if request.GET.get("side") == "after" else "before"
    return JsonResponse(
        version_shapes(version, side=side),
        encoder=DjangoJSONEncoder,
        content_type="application/geo+json",
    )


@require_POST
def plan_step(request: HttpRequest, plan_id: int, step: str) -> HttpResponse:
    """Take one step of the table on a plan."""
    plan = _visible_plan(request, plan_id)
    if step not in STEPS or STEPS[step].own_action:
        raise Http404
    form = StepForm(request.POST)
    if not form.is_valid():
        return _again(request, plan, str(next(iter(form.errors.values()))[0]))
    try:
        actions.take_step(
            plan_id=plan.pk,
            step=step,
            by=request.user,
            at=timezone.now(),
            seen_state=form.cleaned_data["seen_state"],
            note=form.cleaned_data["note"],
        )
    except Incomplete as refusal:
        return _again(request, plan, refusal.message)
    messages.success(request, f"已办理：{STEPS[step].label}。")
    return redirect("plan", plan.pk)


@require_POST
def plan_opinion(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Take a member unit's opinion on the current version."""
    plan = _visible_plan(request, plan_id)
    form = OpinionForm(request.POST)
    if not form.is_valid():
        context = _frame(request, plan, _shown_version(plan), "opinions")
        context |= {"opinion_form": form, "answers": []}
        version = context["version"]
        if version is not None:
            context["answers"] = _answers(version)
        return render(request, "plans/plan_opinions.html", context, status=422)
    actions.give_opinion(plan_id=plan.pk, by=request.user, at=timezone.now(), **form.cleaned_data)
    messages.success(request, "会签意见已提交。")
    return redirect(f"{reverse('plan', args=[plan.pk])}?part=opinions")


@require_POST
def plan_approve(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Record the city government's approval."""
    plan = _visible_plan(request, plan_id)
    form = ApprovalForm(request.POST)
    if not form.is_valid():
        return _again(request, plan, str(next(iter(form.errors.values()))[0]))
    try:
        actions.record_approval(
            plan_id=plan.pk, by=request.user, at=timezone.now(), **form.cleaned_data
        )
    except Incomplete as refusal:
        return _again(request, plan, refusal.message)
    messages.success(request, "批准文件已登记，方案可以公示。")
    return redirect("plan", plan.pk)


def _again(request: HttpRequest, plan: CountyPlan, sentence: str) -> HttpResponse:
    """Go back to the plan with the sentence that says what is missing."""
    messages.error(request, sentence)
    return redirect("plan", plan.pk)
