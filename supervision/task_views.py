"""Show plan tasks: a county's board and time line, and one task with its check-list."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET, require_POST

from plans.models import PlanTask
from shuozhou_mines.errors import Incomplete
from supervision import task_actions as actions
from supervision.sections import check_follows, counties_to_follow, section_tabs
from supervision.task_checks import ACCEPTED, checks_of
from supervision.task_forms import ProofForm, ReopenForm
from supervision.task_timeline import Bar, draw_timeline
from taskforce import permissions

MOST_BARS = 80


@require_GET
def task_board(request: HttpRequest) -> HttpResponse:
    """Show a county's tasks as a board and on a time line."""
    check_follows(request.user)
    counties = counties_to_follow(request.user)
    codes = [county.code for county in counties]
    asked = request.GET.get("county", codes[0])
    if asked not in codes:
        raise Http404
    today = timezone.localdate()
    tasks = list(
        PlanTask.objects.filter(plan__county=asked, plan__round__is_open=True)
        .select_related("mine", "plan")
        .annotate(proofs_count=Count("proofs"))
        .order_by("due_on", "mine__registry_no")
    )
    context = {
        "tabs": section_tabs("task-board"),
        "counties": [
            {
                "label": county.name,
                "url": f"?county={county.code}",
                "active": county.code == asked,
                "count": None,
            }
            for county in counties
        ],
        "columns": _columns(tasks, today),
        "timeline": _timeline(tasks, today),
        "left_out": max(len(tasks) - MOST_BARS, 0),
        "figures": _figures(tasks, today),
        "has_tasks": bool(tasks),
    }
    return render(request, "supervision/task_board.html", context)


def _columns(tasks: list[Any], today: date) -> list[dict[str, Any]]:
    columns: list[dict[str, Any]] = [
        {"label": label, "cards": []} for label in ("未启动", "进行中", "已完成")
    ]
    for task in tasks:
        place = 2 if task.done_on else 1 if task.proofs_count else 0
        columns[place]["cards"].append(
            {
                "task": task,
                "late": task.is_late if task.done_on else task.due_on < today,
                "done": task.proofs_count,
                "total": len(checks_of(task.kind)),
            }
        )
    return columns


def _figures(tasks: list[Any], today: date) -> list[dict[str, Any]]:
    done = sum(task.done_on is not None for task in tasks)
    late = sum(task.done_on is None and task.due_on < today for task in tasks)
    return [
        {"label": "任务", "value": len(tasks), "unit": "座"},
        {"label": "已完成", "value": done, "unit": "座"},
        {"label": "逾期未完成", "value": late, "unit": "座", "tone": "alert" if late else ""},
    ]


def _timeline(tasks: list[Any], today: date) -> str:
    if not tasks:
        return ""
    bars = [
        Bar(
            task.mine.name,
            timezone.localdate(task.plan.opened_at),
            task.due_on,
            task.done_on,
        )
        for task in tasks[:MOST_BARS]
    ]
    # Drawn by our own code; the names in it are escaped there.
    return mark_safe(draw_timeline(bars, today))  # noqa: S308


@require_GET
def task_page(request: HttpRequest, task_id: int) -> HttpResponse:
    """Show one task with its check-list."""
    return _page(request, _visible(request, task_id), None, None)


@require_POST
def task_proof(request: HttpRequest, task_id: int, item: str) -> HttpResponse:
    """Record the evidence of one item."""
    task = _visible(request, task_id)
    form = ProofForm(request.POST, auto_id=f"{item}_%s")
    if form.is_valid():
        try:
            actions.prove_item(
                task_id=task.pk, item=item, by=request.user, at=timezone.now(), **form.cleaned_data
            )
        except Incomplete as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, "依据已登记。")
            return redirect("task", task.pk)
    return _page(request, task, (item, form), None)


@require_POST
def task_complete(request: HttpRequest, task_id: int) -> HttpResponse:
    """Complete a task whose items are all proven."""
    task = _visible(request, task_id)
    try:
        actions.complete_task(task_id=task.pk, by=request.user)
    except Incomplete as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "任务已登记完成，会计入本月月报。")
    return redirect("task", task.pk)


@require_POST
def task_reopen(request: HttpRequest, task_id: int) -> HttpResponse:
    """Take a completion back."""
    task = _visible(request, task_id)
    form = ReopenForm(request.POST)
    if not form.is_valid():
        return _page(request, task, None, form)
    actions.reopen_task(task_id=task.pk, note=form.cleaned_data["note"], by=request.user)
    messages.success(request, "完成登记已撤回。")
    return redirect("task", task.pk)


def _visible(request: HttpRequest, task_id: int) -> PlanTask:
    return get_object_or_404(
        PlanTask.objects.filter(plan__county__in=counties_to_follow(request.user))
        .select_related("plan__county", "mine")
        .prefetch_related("proofs__by"),
        pk=task_id,
    )


def _page(
    request: HttpRequest,
    task: PlanTask,
    refused: tuple[str, ProofForm] | None,
    reopen_form: ReopenForm | None,
) -> HttpResponse:
    county = task.plan.county_id
    writes = permissions.can(request.user, "draft_report", county) and task.done_on is None
    proofs = {proof.item: proof for proof in task.proofs.all()}
    days = actions.proven_on(task)
    rows = []
    for check in checks_of(task.kind):
        proof = proofs.get(check.code)
        form = None
        if writes and check.code != ACCEPTED:
            form = ProofForm(
                auto_id=f"{check.code}_%s",
                initial={
                    "done_on": proof.done_on if proof else None,
                    "evidence": proof.evidence if proof else "",
                },
            )
            form.fields["evidence"].help_text = check.hint
            if refused is not None and refused[0] == check.code:
                form = refused[1]
        rows.append(
            {
                "check": check,
                "proof": proof,
                "done_on": days.get(check.code),
                "form": form,
                "is_wrong": bool(form and form.errors),
            }
        )
    if (
        reopen_form is None
        and task.done_on
        and permissions.can(request.user, "review_report", county)
    ):
        reopen_form = ReopenForm()
    missing = sum(row["done_on"] is None for row in rows)
    today = timezone.localdate()
    context = {
        "task": task,
        "rows": rows,
        "writes": writes,
        "missing": missing,
        "overdue": task.done_on is None and task.due_on < today,
        "reopen_form": reopen_form,
    }
    wrong = (refused and refused[1].errors) or (reopen_form and reopen_form.errors)
    return render(request, "supervision/task.html", context, status=422 if wrong else 200)
