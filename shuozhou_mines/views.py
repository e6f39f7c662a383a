"""Show what belongs to no single part: the desk, jobs, and the probes of an operator."""

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from plans import waiting as plans_waiting
from shuozhou_mines import jobs
from shuozhou_mines.models import Job
from supervision import waiting as reports_waiting

SUBJECT_PAGES = {
    "plans.countyplan": "plan",
    "plans.planversion": "plan-version",
    "publicity.notice": "notice",
    "supervision.bulletin": "bulletin",
    "supervision.meeting": "meeting",
    "rulebook.whatif": "rulebook-what-if",
}


@login_not_required
@require_GET
def livez(_request: HttpRequest) -> HttpResponse:
    """Answer while the web process is alive, whatever its servers do."""
    return HttpResponse("ok", content_type="text/plain; charset=utf-8")


@login_not_required
@require_GET
def readyz(_request: HttpRequest) -> JsonResponse:
    """Answer 200 when pages can be served; the queue is reported but does not decide."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    cache.get("readyz")
    return JsonResponse({"database": True, "queue": jobs.queue_reachable()})


@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """Show what waits for this person, since when and until when, one click away."""
    waiting = [*plans_waiting.waiting_for(request.user), *reports_waiting.waiting_for(request.user)]
    return render(request, "desk.html", {"waiting": waiting})


@require_GET
def job_page(request: HttpRequest, job_id: int) -> HttpResponse:
    """Show one job of this user's; HTMX asks for the moving part alone."""
    job = _own_job(request, job_id)
    result_url = _result_url(job)
    context = {"label": jobs.label_of(job.kind), "progress": _progress(job, result_url)}
    template = "jobs/_progress.html" if request.htmx else "jobs/page.html"  # type: ignore[attr-defined]
    response = render(request, template, context)
    if request.htmx and not job.is_open and result_url:  # type: ignore[attr-defined]
        response["HX-Redirect"] = result_url
    return response


def _progress(job: Job, result_url: str) -> dict[str, object]:
    """Describe a job as components/progress.html reads it."""
    leave = ""
    if job.state == Job.State.QUEUED and not jobs.queue_reachable():
        leave = "任务队列暂时连不上；已保存的请求不会丢，恢复后自动处理。"
    return {
        "state": job.state,
        "done": job.done,
        "total": job.total,
        "step": job.step,
        "url": reverse("job", args=[job.pk]),
        "leave": leave or "可以离开本页，处理不会中断；结果列在“任务”里。",
        "error": job.error,
        "result_url": result_url,
        "result_label": "查看结果",
    }


@require_GET
def job_list(request: HttpRequest) -> HttpResponse:
    """List the jobs this user asked for, newest first."""
    rows = [
        {"job": job, "label": jobs.label_of(job.kind)}
        for job in Job.objects.filter(asked_by=request.user.pk)[:50]
    ]
    return render(request, "jobs/list.html", {"rows": rows})


@require_POST
def job_cancel(request: HttpRequest, job_id: int) -> HttpResponse:
    """Cancel one open job of this user's."""
    job = _own_job(request, job_id)
    jobs.cancel(job)
    return HttpResponse(status=303, headers={"Location": reverse("job", args=[job.pk])})


def _own_job(request: HttpRequest, job_id: int) -> Job:
    job = Job.objects.filter(pk=job_id, asked_by=request.user.pk).first()
    if job is None:
        raise Http404
    return job


def _result_url(job: Job) -> str:
    name = SUBJECT_PAGES.get(job.subject_type)
    return reverse(name, args=[job.subject_id]) if name else ""
