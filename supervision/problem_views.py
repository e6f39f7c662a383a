"""Show problems: who has to mend what by when, and one problem with its way to the end."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from shuozhou_mines.errors import Incomplete, NotAllowed, Refused, WrongState
from supervision.inspection_actions import step_problem
from supervision.inspection_forms import StepForm, any_errors
from supervision.inspection_models import Problem
from supervision.inspection_steps import (
    PROBLEM_STEPS,
    ProblemState,
    Severity,
    problem_steps_from,
)
from supervision.sections import check_follows, section_tabs
from taskforce import permissions

PER_PAGE = 50
TONES = {
    ProblemState.OPEN: "active",
    ProblemState.ANSWERED: "waiting",
    ProblemState.REJECTED: "stopped",
    ProblemState.ESCALATED: "stopped",
    ProblemState.CLOSED: "done",
}
SEVERITY_TONES = {
    Severity.LIGHT: "neutral",
    Severity.SERIOUS: "waiting",
    Severity.GRAVE: "stopped",
}
SHOWN = (
    ("open", "未销号"),
    ("overdue", "逾期"),
    ("answered", "待复查"),
    ("closed", "已销号"),
    ("all", "全部"),
)


@require_GET
def problem_list(request: HttpRequest) -> HttpResponse:
    """List the problems, those due first; the overdue ones have a list of their own."""
    check_follows(request.user)
    today = timezone.localdate()
    visible = Problem.objects.visible_to(request.user)
    shown = request.GET.get("show", "open")
    if shown not in dict(SHOWN):
        shown = "open"
    problems = _which(visible, shown, today).select_related(
        "inspection__county", "inspection__mine"
    )
    page = Paginator(problems.order_by("due_on", "pk"), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "tabs": section_tabs("problem-list"),
        "filters": [
            {
                "label": label,
                "url": f"?show={code}",
                "active": code == shown,
                "count": _which(visible, code, today).count(),
            }
            for code, label in SHOWN
        ],
        "page_obj": page,
        "query": f"show={shown}&",
        "rows": [problem_row(problem, today) for problem in page],
    }
    return render(request, "supervision/problem_list.html", context)


def _which(problems: Any, code: str, today: date) -> QuerySet[Problem]:
    if code == "overdue":
        found: QuerySet[Problem] = problems.overdue(today)
    elif code == "open":
        found = problems.still_open()
    elif code == "all":
        found = problems
    else:
        found = problems.filter(state=code)
    return found


def problem_row(problem: Problem, today: date) -> dict[str, Any]:
    """Return what a list shows of a problem; county and mine should have been joined."""
    visit = problem.inspection
    return {
        "problem": problem,
        "county": visit.county.name,
        "mine": visit.mine.name if visit.mine else "",
        "severity": Severity(problem.severity).label,
        "severity_tone": SEVERITY_TONES[Severity(problem.severity)],
        "state": ProblemState(problem.state).label,
        "tone": TONES[ProblemState(problem.state)],
        "overdue": problem.is_overdue(today),
        "url": reverse("problem", args=[problem.pk]),
    }


@require_GET
def problem(request: HttpRequest, problem_id: int) -> HttpResponse:
    """Show one problem; those whose turn it is get their form."""
    return _page(request, _visible(request, problem_id), None)


@require_POST
def problem_step(request: HttpRequest, problem_id: int, step: str) -> HttpResponse:
    """Take one step with a problem."""
    shown = _visible(request, problem_id)
    if step not in PROBLEM_STEPS:
        raise Http404
    taken = PROBLEM_STEPS[step]
    form = StepForm(request.POST, request.FILES, step=taken)
    if form.is_valid():
        try:
            step_problem(
                problem_id=shown.pk,
                step=step,
                note=form.cleaned_data["note"],
                due_on=form.cleaned_data.get("due_on"),
                photos=form.cleaned_data.get("photos", []),
                by=request.user,
                at=timezone.now(),
            )
        except (NotAllowed, WrongState):
            raise
        except (Incomplete, Refused) as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, f"已办理：{taken.label}。")
            return redirect("problem", shown.pk)
    return _page(request, shown, (step, form))


def _visible(request: HttpRequest, problem_id: int) -> Problem:
    return get_object_or_404(
        Problem.objects.visible_to(request.user).select_related(
            "inspection__county", "inspection__mine", "inspection__team"
        ),
        pk=problem_id,
    )


def _page(
    request: HttpRequest, shown: Problem, refused: tuple[str, StepForm] | None
) -> HttpResponse:
    today, county = timezone.localdate(), shown.inspection.county_id
    steps = []
    for step in problem_steps_from(shown.state):
        if not permissions.can(request.user, step.right, county):
            continue
        form = StepForm(step=step)
        if refused is not None and refused[0] == step.code:
            form = refused[1]
        steps.append(
            {"step": step, "form": form, "url": reverse("problem-step", args=[shown.pk, step.code])}
        )
    context = {
        "row": problem_row(shown, today),
        "problem": shown,
        "visit": shown.inspection,
        "steps": steps,
        "events": _events(shown),
        "waits": "" if steps else _waits(shown),
    }
    return render(
        request,
        "supervision/problem.html",
        context,
        status=422 if refused and any_errors([refused[1]]) else 200,
    )


def _waits(shown: Problem) -> str:
    if shown.state == ProblemState.CLOSED:
        return ""
    if shown.state == ProblemState.ANSWERED:
        return "等督导验收组复查。"
    return f"等{shown.inspection.county.name}报送整改情况。"


def _events(shown: Problem) -> list[dict[str, Any]]:
    events = shown.events.select_related("by__organization").prefetch_related("photos")
    return [
        {
            "at": event.at,
            "who": str(event.by),
            "unit": event.by.organization.short_name if event.by.organization else "",
            "what": PROBLEM_STEPS[event.step].label,
            "note": event.note,
            "tone": {"close": "done", "reject": "stopped", "escalate": "stopped"}.get(
                event.step, ""
            ),
            "photos": list(event.photos.all()),
        }
        for event in events
    ]
