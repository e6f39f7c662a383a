"""Let the office draw panels, the experts answer, and the county explain its changes."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from plans import expert_actions, permissions
from plans.expert_forms import (
    AsideForm,
    ConcludeForm,
    DrawForm,
    ExpertForm,
    RemarkForm,
    RevisionForm,
    StanceForm,
)
from plans.models import CountyPlan, Expert, Panel, RevisionItem
from plans.panel_part import FORMS
from plans.review_documents import PAPERS
from plans.review_views import part_of
from plans.views import again, part_page, visible_plan
from plans.workflow import REVIEW_AS_EXPERT, State
from shuozhou_mines.errors import Incomplete, Refused
from taskforce import permissions as rights
from taskforce.trail import record


def _seen(request: HttpRequest, plan_id: int, right: str) -> CountyPlan:
    """Return a plan this person sees; raise NotAllowed with its sentence when not theirs to do."""
    plan = visible_plan(request, plan_id)
    permissions.check_right(request.user, right, plan)
    return plan


@require_POST
def panel_draw(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Draw the panel."""
    plan = _seen(request, plan_id, "review_plan")
    form = DrawForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            expert_actions.draw_panel(
                plan_id=plan.pk,
                size=given["size"],
                set_aside={expert.pk: given["why"] for expert in given["aside"]},
                held_on=given["held_on"],
                place=given["place"],
                by=request.user,
                at=timezone.now(),
            )
        except Incomplete as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, "专家组已抽取，专家现在可以看到这份方案。")
            return redirect(part_of(plan, "panel"))
    return part_page(request, plan, "panel", status=422, draw_form=form)


@require_POST
def panel_remark(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Take one remark of an expert."""
    plan = visible_plan(request, plan_id)
    form = RemarkForm(_version(plan), request.POST, auto_id="remark_%s")
    if form.is_valid():
        try:
            expert_actions.add_remark(
                plan_id=plan.pk, by=request.user, at=timezone.now(), **form.remark()
            )
        except Incomplete as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, "意见已记下。")
            return redirect(part_of(plan, "panel"))
    return _again(request, plan, "remark", form)


@require_POST
def panel_stance(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Take an expert's own answer."""
    plan = visible_plan(request, plan_id)
    form = StanceForm(request.POST, auto_id="stance_%s")
    if form.is_valid():
        try:
            expert_actions.give_stance(
                plan_id=plan.pk, by=request.user, at=timezone.now(), **form.cleaned_data
            )
        except Incomplete as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, "评审结论已提交。")
            return redirect(part_of(plan, "panel"))
    return _again(request, plan, "stance", form)


@require_POST
def panel_aside(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Let an expert step aside; from then on the plan is out of their sight."""
    plan = visible_plan(request, plan_id)
    form = AsideForm(request.POST, auto_id="aside_%s")
    if form.is_valid():
        try:
            expert_actions.step_aside(
                plan_id=plan.pk, why=form.cleaned_data["why"], by=request.user, at=timezone.now()
            )
        except Incomplete as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, "已登记回避，由下一位专家替补。")
            return redirect("desk")
    return _again(request, plan, "aside", form)


@require_POST
def panel_conclude(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Let the chair conclude the review."""
    plan = visible_plan(request, plan_id)
    form = ConcludeForm(request.POST)
    if form.is_valid():
        try:
            panel = expert_actions.conclude(
                plan_id=plan.pk, by=request.user, at=timezone.now(), **form.cleaned_data
            )
        except Incomplete as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, f"评审结论已提交：{panel.get_verdict_display()}。")
            return redirect("desk")
    return _again(request, plan, "conclude", form)


def _again(request: HttpRequest, plan: CountyPlan, name: str, form: Any) -> HttpResponse:
    """Show the panel's part again with what was typed."""
    permissions.check_right(request.user, REVIEW_AS_EXPERT, plan)
    return part_page(request, plan, "panel", status=422, forms=dict.fromkeys(FORMS) | {name: form})


def _version(plan: CountyPlan) -> Any:
    version = plan.versions.first()
    if version is None:
        raise Http404
    return version


@require_POST
def revision_answer(request: HttpRequest, item_id: int) -> HttpResponse:
    """Take how the county met one demand."""
    items = RevisionItem.objects.filter(
        panel__version__plan__in=CountyPlan.objects.visible_to(request.user)
    )
    item = get_object_or_404(items.select_related("panel__version"), pk=item_id)
    plan = visible_plan(request, item.panel.version.plan_id)
    form = RevisionForm(request.POST)
    if not form.is_valid():
        return again(request, plan, str(next(iter(form.errors.values()))[0]))
    try:
        expert_actions.answer_revision(
            item_id=item.pk,
            answer=form.cleaned_data["answer"],
            page=form.cleaned_data["on_page"],
            by=request.user,
            at=timezone.now(),
        )
    except Incomplete as refusal:
        return again(request, plan, refusal.message)
    messages.success(request, "修改情况已保存。")
    return redirect(part_of(plan, "panel"))


@require_GET
def panel_paper(request: HttpRequest, panel_id: int, paper: str) -> HttpResponse:
    """Print the panel's 评审意见书, or the 修改说明对照表."""
    panels = Panel.objects.filter(version__plan__in=CountyPlan.objects.visible_to(request.user))
    panel = get_object_or_404(
        panels.select_related("version__plan__county", "version__plan__round"), pk=panel_id
    )
    if paper not in PAPERS or not panel.verdict:
        raise Http404
    plan = panel.version.plan
    title, make = PAPERS[paper]
    try:
        content = make(panel)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect(part_of(plan, "panel"))
    record(f"打印{title}", by=request.user, subject=plan, county=plan.county)
    return pdf_answer(content, f"{plan.county.name}方案{title}.pdf")


def pdf_answer(content: bytes, name: str) -> HttpResponse:
    """Hand out a PDF under a name."""
    disposition = content_disposition_header(as_attachment=True, filename=name)
    return HttpResponse(
        content,
        content_type="application/pdf",
        headers={"Content-Disposition": disposition or "attachment"},
    )


@require_http_methods(["GET", "POST"])
def expert_pool(request: HttpRequest) -> HttpResponse:
    """Keep the pool of experts."""
    if not rights.can_anywhere(request.user, "review_plan"):
        raise Http404
    form = ExpertForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            expert_actions.add_expert(
                user_id=given["user"].pk, title=given["title"], speciality=given["speciality"],
                employer=given["employer"], by=request.user, at=timezone.now(),
            )  # fmt: skip
        except Incomplete as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, "专家库已更新。")
            return redirect("expert-pool")
    experts = Expert.objects.select_related("user")
    under_way = CountyPlan.objects.filter(state=State.EXPERT_REVIEW).select_related("county")
    context = {"form": form, "experts": experts, "plans": under_way}
    return render(request, "plans/experts.html", context, status=422 if form.is_bound else 200)


@require_POST
def expert_retire(request: HttpRequest, expert_id: int) -> HttpResponse:
    """Take an expert out of the pool."""
    if not rights.can_anywhere(request.user, "review_plan"):
        raise Http404
    get_object_or_404(Expert, pk=expert_id)
    expert = expert_actions.retire_expert(expert_id=expert_id, by=request.user)
    messages.success(request, f"{expert}已出库。")
    return redirect("expert-pool")
