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
from plans.forms import AdjustForm, StepForm, UploadForm
from plans.limits import due_of, light_of
from plans.models import CountyPlan, OfficialDocument, PlanVersion, Round, StepTaken
from plans.panel_part import panel_part
from plans.review_part import (
    document_offer,
    documents_part,
    formal_part,
    opinion_form,
    opinions_part,
)
from plans.shapes import version_shapes
from plans.timeline import events_of, way_part
from plans.workflow import IN_FORCE, MILESTONES, STEPS, State, Step
from shuozhou_mines.errors import Incomplete
from standards.terms import Disposition, Verdict
from taskforce import permissions as rights
from taskforce.models import County

TONES = {
    State.DRAFT: "neutral",
    State.RETURNED: "stopped",
    State.REVISING: "stopped",
    State.PUBLISHED: "done",
    State.ISSUED: "done",
    State.CLOSED: "done",
    State.SUPERSEDED: "neutral",
}
WAITING = "waiting"
LIGHTS = {"late": ("逾期", "stopped"), "soon": ("临近", "waiting"), "ample": ("", "")}


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
        .prefetch_related(Prefetch("steps", to_attr="taken"))
    }
    may_draft = {c.code for c in rights.counties_where(request.user, "draft_plan")}
    seen = rights.counties_where(request.user, "see_plans")
    rows = [_list_row(county, plans.get(county.code), county.code in may_draft) for county in seen]
    return render(
        request,
        "plans/list.html",
        {
            "round": current,
            "rows": rows,
            "today": timezone.localdate(),
            "may_review": rights.can_anywhere(request.user, "review_plan"),
        },
    )


def _list_row(county: County, plan: CountyPlan | None, may_draft: bool) -> dict[str, Any]:
    due = None
    if plan is not None:
        taken = plan.taken  # type: ignore[attr-defined]
        due = due_of(plan, taken[-1] if taken else None)
    light, light_tone = LIGHTS.get(light_of(due, timezone.localdate()), ("", ""))
    return {
        "due": due,
        "light": light,
        "light_tone": light_tone,
        "county": county,
        "plan": plan,
        "state": plan.get_state_display() if plan else "尚未报送",
        "tone": tone_of(plan) if plan else "neutral",
        "may_open": may_draft and plan is None,
        "late": plan is not None and _is_late(plan),
    }


def tone_of(plan: CountyPlan) -> str:
    """Return the tone of a plan's state: what is not named waits for somebody."""
    return TONES.get(State(plan.state), WAITING)


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
    plan = visible_plan(request, plan_id)
    return part_page(request, plan, request.GET.get("part", "overview"))


PARTS = {
    "overview": "概况",
    "mines": "矿山与处置",
    "areas": "整合区",
    "findings": "检查结果",
    "formal": "形式审查",
    "opinions": "会签",
    "panel": "专家评审",
    "versions": "版本",
    "way": "办理过程",
}


def visible_plan(request: HttpRequest, plan_id: int) -> CountyPlan:
    """Return a plan that this person may see; raise Http404."""
    plans = CountyPlan.objects.visible_to(request.user).select_related(
        "county", "round", "approval", "adjusts", "adjusted_by"
    )
    steps = StepTaken.objects.select_related("by__organization", "version")
    documents = OfficialDocument.objects.select_related("by__organization")
    plans = plans.prefetch_related(Prefetch("steps", steps), Prefetch("documents", documents))
    return get_object_or_404(plans, pk=plan_id)


def part_page(
    request: HttpRequest, plan: CountyPlan, part: str, *, status: int = 200, **more: Any
) -> HttpResponse:
    """Show one part of a plan; `more` stands in for what the part would load, a typed form say."""
    version = _shown_version(plan)
    context = _frame(request, plan, version, part)
    if version is not None:
        context |= _part_context(request, part, version)
    template = part if part in PARTS else "overview"
    return render(request, f"plans/plan_{template}.html", context | more, status=status)


def _shown_version(plan: CountyPlan) -> PlanVersion | None:
    """Return the newest version; its rows are shown as soon as it has been read."""
    version = plan.versions.select_related("uploaded_by").first()
    if version is not None:
        version.plan = plan
    return version


def _frame(
    request: HttpRequest, plan: CountyPlan, version: PlanVersion | None, part: str
) -> dict[str, Any]:
    """Gather what every part of the plan page shows."""
    offers = permissions.offered_steps(request.user, plan)
    run = version.check_runs.first() if version else None
    steps = list(reversed(plan.steps.all()))
    due = due_of(plan, steps[0] if steps else None)
    light, light_tone = LIGHTS.get(light_of(due, timezone.localdate()), ("", ""))
    may = rights.rights_on(request.user, plan.county_id)
    return {
        "plan": plan,
        "version": version,
        "run": run,
        "verdicts": _verdict_counts(run.counts if run else {}),
        "tone": tone_of(plan),
        "due": due,
        "light": light,
        "light_tone": light_tone,
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
        "opinion_form": opinion_form(request, plan, version),
        "duties": request.user.organization.duties  # type: ignore[union-attr]
        if getattr(request.user, "organization_id", None)
        else "",
        "adjusted_by": _seen_adjustment(request, plan),
        "events": events_of(steps),
        "documents": documents_part(plan),
        "adjust_form": AdjustForm() if _may_adjust(plan, may) else None,
        "publish_url": (
            reverse("notice-new", args=[plan.pk])
            if plan.state == State.APPROVED and "publish_plan" in may
            else ""
        ),
        "issue_url": (
            reverse("plan-issue", args=[plan.pk])
            if plan.state == State.PUBLISHED and "publish_plan" in may
            else ""
        ),
    }


def _seen_adjustment(request: HttpRequest, plan: CountyPlan) -> CountyPlan | None:
    """Return the adjustment of a plan, to those who may see it."""
    adjustment: CountyPlan | None = getattr(plan, "adjusted_by", None)
    if adjustment is None or adjustment.submitted_at is not None:
        return adjustment
    return adjustment if rights.can(request.user, "see_drafts", plan.county_id) else None


def _may_adjust(plan: CountyPlan, may: frozenset[str]) -> bool:
    return plan.state in IN_FORCE and "draft_plan" in may and not hasattr(plan, "adjusted_by")


def _verdict_counts(counts: dict[str, int]) -> list[dict[str, Any]]:
    return [{"verdict": v.value, "count": counts.get(v.value, 0)} for v in Verdict if counts]


def _path(plan: CountyPlan) -> list[dict[str, Any]]:
    """Lay the plan's way out as stations: done, current, to come."""
    current = next(at for at, (_, states) in enumerate(MILESTONES) if plan.state in states)
    return [
        {
            "label": label,
            "mark": "done" if at < current else "current" if at == current else "ahead",
        }
        for at, (label, _) in enumerate(MILESTONES)
    ]


def _offer(plan: CountyPlan, step: Step) -> dict[str, Any]:
    """Describe a step's form; a step that rests on a document has that document's form."""
    if step.code in ("approve", "reply"):
        return {"step": step, **document_offer(plan, step.code)}
    form = None if step.own_action else StepForm(
        initial={"seen_state": plan.state}, auto_id=f"id_{step.code}_%s"
    )  # fmt: skip
    if form is not None and not step.needs_note and step.code not in NOTED:
        form.fields.pop("note")
    url = reverse("plan-step", args=[plan.pk, step.code])
    return {"step": step, "form": form, "url": url, "label": step.label}


# Steps that ask for no note, but where words often help.
NOTED = ("invite", "endorse", "confirm_revision", "close")


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
    if part == "formal":
        return formal_part(request, version)
    if part == "opinions":
        return opinions_part(request, version)
    if part == "panel":
        return panel_part(request, version.plan, version)
    if part == "versions":
        versions = version.plan.versions.select_related("uploaded_by").prefetch_related(
            "check_runs"
        )
        return {"versions": list(versions)}
    if part == "way":
        may = rights.rights_on(request.user, version.plan.county_id)
        return way_part(version.plan) | {"may_take": bool(may & set(permissions.MAY_TAKE))}
    counts = dict(version.dispositions.values_list("kind").annotate(Count("pk")).order_by("kind"))
    return {
        "batches": [
            {"kind": kind.value, "count": counts.get(kind.value, 0)} for kind in Disposition
        ],
        "mines_total": sum(counts.values()),
        "areas_total": version.areas.count(),
        "map": _map(version),
    }


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
    plan = visible_plan(request, plan_id)
    if step not in STEPS or STEPS[step].own_action:
        raise Http404
    form = StepForm(request.POST)
    if not form.is_valid():
        return again(request, plan, str(next(iter(form.errors.values()))[0]))
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
        return again(request, plan, refusal.message)
    messages.success(request, f"已办理：{STEPS[step].label}。")
    return redirect("plan", plan.pk)


@require_POST
def plan_adjust(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Open an adjustment of a plan in force."""
    plan = visible_plan(request, plan_id)
    form = AdjustForm(request.POST)
    if not form.is_valid():
        return part_page(request, plan, "overview", status=422, adjust_form=form)
    adjustment = actions.start_adjustment(
        plan_id=plan.pk, why=form.cleaned_data["why"], by=request.user, at=timezone.now()
    )
    messages.success(request, "已建立调整方案。公示之前，现行方案继续有效。")
    return redirect("plan", adjustment.pk)


def again(request: HttpRequest, plan: CountyPlan, sentence: str) -> HttpResponse:
    """Go back to the plan with the sentence that says what is missing."""
    messages.error(request, sentence)
    return redirect("plan", plan.pk)
