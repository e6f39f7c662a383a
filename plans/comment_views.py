"""Show what was said about a plan, and take comments and answers."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from plans import comment_actions
from plans.attachment_forms import AnswerForm, CommentForm
from plans.models import Comment, CountyPlan, PlanVersion
from shuozhou_mines.errors import Incomplete, NotAllowed


@require_http_methods(["GET", "POST"])
def plan_comments(request: HttpRequest, plan_id: int) -> HttpResponse:
    """List a plan's comments, those that wait first; a posted one is added."""
    plans = CountyPlan.objects.visible_to(request.user).select_related("county", "round")
    plan = get_object_or_404(plans, pk=plan_id)
    targets = _targets(plan, request.GET.get("on", ""))
    form = CommentForm(
        request.POST or None, targets=targets, initial={"on": request.GET.get("on", "")}
    )
    status = 200
    if request.method == "POST":
        if not comment_actions.may_comment(request.user, plan):
            raise NotAllowed(comment_actions.WHO_COMMENTS)
        if form.is_valid() and _added(request, plan, form):
            return redirect("plan-comments", plan.pk)
        status = 422
    rows = plan.comments.select_related("by__organization", "answered_by", "plan", "attachment")
    waiting = [row for row in rows if row.answered_at is None and row.withdrawn_at is None]
    closed = [row for row in rows if row.answered_at is not None or row.withdrawn_at is not None]
    context = {
        "plan": plan,
        "waiting": [_row(request.user, row) for row in waiting],
        "closed": [_row(request.user, row) for row in closed],
        "form": form if comment_actions.may_comment(request.user, plan) else None,
    }
    return render(request, "plans/comments.html", context, status=status)


def _targets(plan: CountyPlan, given: str) -> list[Any]:
    """Offer the areas, mines and documents of a plan; a finding comes by its own link."""
    version = plan.versions.filter(state=PlanVersion.State.READ).first()
    areas = version.areas.order_by("code").values_list("code", "name") if version else []
    mines = plan.county.mines.in_scope().order_by("registry_no").values_list("registry_no", "name")
    papers = plan.attachments.filter(withdrawn_at__isnull=True).values_list("pk", "title")
    groups = [
        ("整合区", [(f"area:{code}", f"{code} {name}") for code, name in areas]),
        ("附件", [(f"attachment:{key}", title) for key, title in papers]),
        ("矿山", [(f"mine:{number}", f"{name}（{number}）") for number, name in mines]),
    ]
    if given.startswith("finding:"):
        target = comment_actions.target_of(plan, given)
        if target is not None:
            groups.insert(0, ("检查结果", [(given, target.name)]))
    return [("", "请选择"), *((label, rows) for label, rows in groups if rows)]


def _added(request: HttpRequest, plan: CountyPlan, form: CommentForm) -> bool:
    try:
        comment_actions.add_comment(
            plan_id=plan.pk,
            on=form.target(),
            text=form.cleaned_data["text"],
            by=request.user,
            at=timezone.now(),
        )
    except Incomplete as refusal:
        form.add_error("on", refusal.message)
        return False
    messages.success(request, "意见已提出，答复以前方案不能进入下一步。")
    return True


def _row(user: Any, row: Comment) -> dict[str, Any]:
    is_open = row.answered_at is None and row.withdrawn_at is None
    return {
        "row": row,
        "answer_form": AnswerForm(auto_id=f"id_{row.pk}_%s")
        if is_open and comment_actions.may_answer(user, row)
        else None,
        "may_withdraw": is_open and row.by_id == user.pk,
    }


@require_POST
def comment_answer(request: HttpRequest, comment_id: int) -> HttpResponse:
    """Take an answer to a comment."""
    comment = _visible(request, comment_id)
    try:
        comment_actions.answer_comment(
            comment_id=comment.pk,
            text=request.POST.get("text", ""),
            by=request.user,
            at=timezone.now(),
        )
    except Incomplete as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "已答复。")
    return redirect("plan-comments", comment.plan_id)


@require_POST
def comment_withdraw(request: HttpRequest, comment_id: int) -> HttpResponse:
    """Take one's own comment back."""
    comment = _visible(request, comment_id)
    comment_actions.withdraw_comment(comment_id=comment.pk, by=request.user, at=timezone.now())
    messages.success(request, "意见已撤回。")
    return redirect("plan-comments", comment.plan_id)


def _visible(request: HttpRequest, comment_id: int) -> Comment:
    rows = Comment.objects.filter(plan__in=CountyPlan.objects.visible_to(request.user))
    return get_object_or_404(rows, pk=comment_id)
