"""Show what belongs to no single part: the desk, jobs, and the probes of an operator."""

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from shuozhou_mines import jobs
from shuozhou_mines.models import Job

SUBJECT_PAGES = {
    "plans.planversion": "plan-version",
    "plans.checkrun": "check-run",
    "supervision.bulletin": "bulletin",
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
    return render(request, "desk.html", {"waiting": []})


@require_GET
def job_page(request: HttpRequest, job_id: int) -> HttpResponse:
    """Show one job of this user's; HTMX asks for the moving part alone."""
    job = _own_job(request, job_id)
    context = {
        "job": job,
        "label": jobs.label_of(job.kind),
        "result_url": _result_url(job),
        "slow": job.state == Job.State.QUEUED and not jobs.queue_reachable(),
    }
    template = "jobs/_progress.html" if request.htmx else "jobs/page.html"  # type: ignore[attr-defined]
    response = render(request, template, context)
    if request.htmx and not job.is_open and context["result_url"]:  # type: ignore[attr-defined]
        response["HX-Redirect"] = str(context["result_url"])
    return response


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
