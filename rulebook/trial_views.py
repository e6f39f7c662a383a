"""Show one trial of a draft: how far it is, then whose verdict would flip."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from rulebook.models import WhatIf
from rulebook.views import keeper
from shuozhou_mines import jobs
from shuozhou_mines.models import Job
from standards.rules import RULES
from standards.terms import Verdict

ROWS_PER_PAGE = 50


@require_GET
def what_if_page(request: HttpRequest, trial_id: int) -> HttpResponse:
    """Show a trial; HTMX asks for its progress alone."""
    keeper(request)
    trial = _trial(trial_id)
    if request.htmx:  # type: ignore[attr-defined]
        response = render(request, "jobs/_progress.html", {"progress": _progress(trial)})
        if trial.job is None or not trial.job.is_open:
            response["HX-Refresh"] = "true"
        return response
    chosen = request.GET.get("turn", "")
    flips = trial.flips.all()
    turns = _turns(trial, chosen)
    before, _, after = chosen.partition("-")
    if after:
        flips = flips.filter(before=before, after=after)
    page = Paginator(flips, ROWS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "trial": trial,
        "is_old": trial.version.changed_at != trial.draft_as_of,
        "progress": _progress(trial),
        "cancel_url": reverse("rulebook-what-if-cancel", args=[trial.pk]) if _open(trial) else "",
        "turns": turns,
        "rows": [{"flip": flip, "rule": RULES.get(flip.rule)} for flip in page],
        "page_obj": page,
        "query": f"turn={chosen}&" if after else "",
    }
    return render(request, "rulebook/what_if.html", context)


def _trial(trial_id: int) -> WhatIf:
    trials = WhatIf.objects.select_related("version", "against", "job")
    return get_object_or_404(trials, pk=trial_id)


def _open(trial: WhatIf) -> bool:
    return trial.job is not None and trial.job.is_open


def _turns(trial: WhatIf, chosen: str) -> list[dict[str, Any]]:
    """Return one tab for each pair of verdicts, with its count."""
    counted = trial.flips.values("before", "after").annotate(count=Count("pk")).order_by("-count")
    tabs = [
        {
            "label": f"{Verdict(row['before']).label} → {Verdict(row['after']).label}",
            "url": f"?turn={row['before']}-{row['after']}",
            "active": chosen == f"{row['before']}-{row['after']}",
            "count": row["count"],
        }
        for row in counted
    ]
    total = sum(tab["count"] for tab in tabs)
    return [{"label": "全部", "url": "?", "active": not chosen, "count": total}, *tabs]


def _progress(trial: WhatIf) -> dict[str, object]:
    job = trial.job
    if job is None:
        state = Job.State.DONE if trial.finished_at else Job.State.FAILED
        return _box(str(state), 0, 0, "", "", trial)
    return _box(str(job.state), job.done, job.total, job.step, job.error, trial)


def _box(
    state: str, done: int, total: int, step: str, error: str, trial: WhatIf
) -> dict[str, object]:
    return {
        "state": state,
        "done": done,
        "total": total,
        "step": step,
        "url": reverse("rulebook-what-if", args=[trial.pk]),
        "leave": "可以离开本页，试算不会中断；结果留在草案的差异页里。",
        "error": error,
        "result_url": "",
        "result_label": "",
    }


@require_POST
def what_if_cancel(request: HttpRequest, trial_id: int) -> HttpResponse:
    """Cancel a trial that is still running; nothing it has found is kept for a decision."""
    keeper(request)
    trial = _trial(trial_id)
    if trial.job is not None:
        jobs.cancel(trial.job)
    return redirect("rulebook-what-if", trial_id=trial.pk)
