"""Take what reviewers type: check-list, opinions, a leader's word, official documents."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from plans import approval_actions, review_actions
from plans.formal_review import formal_items
from plans.forms import ApprovalForm, DocumentForm, OpinionForm, PassOverForm, RoundForm
from plans.models import CountyPlan, OfficialDocument, Round
from plans.review_part import formal_part
from plans.scans import type_of
from plans.views import again, part_page, visible_plan
from shuozhou_mines.errors import Incomplete, NotAllowed, Refused, WrongState
from taskforce import permissions as rights
from taskforce.trail import record


@require_POST
def plan_formal(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Keep the formal check-list as it was ticked."""
    plan = visible_plan(request, plan_id)
    items = {
        rule.code: {
            "presence": request.POST.get(f"{rule.code}-presence", ""),
            "note": request.POST.get(f"{rule.code}-note", ""),
        }
        for rule in formal_items()
    }
    try:
        review = review_actions.save_formal_review(
            plan_id=plan.pk, items=items, by=request.user, at=timezone.now()
        )
    except Incomplete as refusal:
        messages.error(request, refusal.message)
        version = plan.versions.latest("number")
        version.plan = plan
        typed = formal_part(request, version, typed=items)
        return part_page(request, plan, "formal", status=422, **typed)
    left = len(formal_items()) - len(review.items)
    messages.success(request, "形式审查已保存。" + (f"还有 {left} 项没有结论。" if left else ""))
    return redirect(part_of(plan, "formal"))


@require_POST
def plan_opinion(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Take a member unit's opinion on the current version."""
    plan = visible_plan(request, plan_id)
    form = OpinionForm(request.POST)
    if not form.is_valid():
        return part_page(request, plan, "opinions", status=422, opinion_form=form)
    review_actions.give_opinion(
        plan_id=plan.pk, by=request.user, at=timezone.now(), **form.cleaned_data
    )
    messages.success(request, "会签意见已提交。")
    return redirect(part_of(plan, "opinions"))


@require_POST
def plan_pass_over(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Take a leader's word on a unit that has not answered in time."""
    plan = visible_plan(request, plan_id)
    form = PassOverForm(request.POST)
    if not form.is_valid():
        return again(request, plan, "请写明批示意见，说明为什么不等这个单位。")
    try:
        passed = review_actions.pass_over(
            plan_id=plan.pk,
            unit_id=form.cleaned_data["unit"],
            note=form.cleaned_data["note"],
            by=request.user,
            at=timezone.now(),
        )
    except Incomplete as refusal:
        return again(request, plan, refusal.message)
    messages.success(request, f"已批示：不再等{passed.unit.name}。")
    return redirect(part_of(plan, "opinions"))


@require_POST
def plan_approve(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Record the city government's approval."""
    plan = visible_plan(request, plan_id)
    return _document(
        request,
        plan,
        ApprovalForm(request.POST, request.FILES),
        lambda typed: approval_actions.record_approval(
            plan_id=plan.pk, by=request.user, at=timezone.now(), **typed
        ),
        "批准文件已登记，请登记省级报批。",
    )


@require_POST
def plan_document(request: HttpRequest, plan_id: int, kind: str) -> HttpResponse:
    """Record the filing with the province, or its reply."""
    plan = visible_plan(request, plan_id)
    form = DocumentForm(request.POST, request.FILES)
    at = timezone.now()
    if kind == OfficialDocument.Kind.FILING:
        form.fields.pop("seen_state")
        return _document(
            request,
            plan,
            form,
            lambda typed: approval_actions.record_filing(
                plan_id=plan.pk, by=request.user, at=at, **typed
            ),
            "省级报批已登记，收到批复后再来登记。",
        )
    if kind != OfficialDocument.Kind.REPLY:
        raise Http404
    return _document(
        request,
        plan,
        form,
        lambda typed: approval_actions.record_reply(
            plan_id=plan.pk, by=request.user, at=at, **typed
        ),
        "批复已登记，方案可以公示。",
    )


def _document(
    request: HttpRequest,
    plan: CountyPlan,
    form: forms.Form,
    act: Callable[[dict[str, Any]], Any],
    done: str,
) -> HttpResponse:
    """Record a document from its form; a refusal keeps what was typed on the page."""
    if not form.is_valid():
        return again(request, plan, str(next(iter(form.errors.values()))[0]))
    try:
        act(form.cleaned_data)
    except (NotAllowed, WrongState):
        raise
    except Refused as refusal:
        return again(request, plan, refusal.message)
    messages.success(request, done)
    return redirect("plan", plan.pk)


@require_GET
def plan_scan(request: HttpRequest, plan_id: int, kind: str) -> FileResponse:
    """Hand out the scan of an official document."""
    plan = visible_plan(request, plan_id)
    if kind == "approval":
        row: Any = getattr(plan, "approval", None)
        number = row.document_number if row else ""
    else:
        row = plan.documents.filter(kind=kind).first()
        number = row.document_number if row else ""
    if row is None or not row.scan:
        raise Http404
    record("下载批准文件扫描件", by=request.user, subject=plan, county=plan.county, kind=kind)
    suffix = row.scan.name.rpartition(".")[2]
    return FileResponse(
        row.scan.open("rb"),
        as_attachment=True,
        filename=f"{plan.county.name}_{number}.{suffix}",
        content_type=type_of(row.scan.name),
    )


@require_http_methods(["GET", "POST"])
def round_page(request: HttpRequest) -> HttpResponse:
    """Let the office set the deadlines of the open round."""
    if not rights.can_anywhere(request.user, "review_plan"):
        raise Http404
    current = get_object_or_404(Round, is_open=True)
    form = RoundForm(
        request.POST or None,
        initial={name: getattr(current, name) for name in RoundForm.base_fields},
    )
    if request.method == "POST" and form.is_valid():
        try:
            review_actions.set_deadlines(by=request.user, **form.cleaned_data)
        except Incomplete as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, "本轮期限已保存。")
            return redirect("plan-list")
    status = 422 if form.is_bound else 200
    return render(request, "plans/round.html", {"round": current, "form": form}, status=status)


def part_of(plan: CountyPlan, part: str) -> str:
    """Return the address of one part of a plan's page."""
    return f"{reverse('plan', args=[plan.pk])}?part={part}"
