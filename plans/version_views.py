"""Hand out templates, take uploads, and show what became of each version."""

from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_POST

from plans import actions, permissions
from plans.forms import UploadForm
from plans.models import CountyPlan, PlanVersion
from plans.registry import make_template
from plans.tasks import READ_VERSION
from shuozhou_mines.errors import NotAllowed, Refused
from shuozhou_mines.models import Job
from taskforce.trail import record

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PROBLEMS_SHOWN = 500


@require_GET
def plan_template(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Make the county's workbook with its registered mines filled in."""
    plan = get_object_or_404(
        CountyPlan.objects.visible_to(request.user).select_related("county", "round"), pk=plan_id
    )
    permissions.check_right(request.user, "draft_plan", plan)
    content = make_template(plan)
    record("下载方案模板", by=request.user, subject=plan, county=plan.county)
    return _download(
        content, f"{plan.county.name}整治整合方案模板_{timezone.localdate():%Y%m%d}.xlsx"
    )


@require_POST
def plan_upload(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Take a workbook as the plan's next version and go to its page."""
    plan = get_object_or_404(CountyPlan.objects.visible_to(request.user), pk=plan_id)
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, str(next(iter(form.errors.values()))[0]))
        return redirect("plan", plan.pk)
    try:
        version, _ = actions.receive_version(
            plan_id=plan.pk,
            upload=form.cleaned_data["workbook"],
            by=request.user,
            at=timezone.now(),
        )
    except NotAllowed:
        raise
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect("plan", plan.pk)
    return redirect("plan-version", version.pk)


@require_GET
def version_page(request: HttpRequest, version_id: int) -> HttpResponse:
    """Show one version: the work on it, its errors cell by cell, or where its rows are."""
    version = _visible_version(request, version_id)
    job = _reading_of(version)
    run = version.check_runs.first()
    context = {
        "version": version,
        "plan": version.plan,
        "job": job,
        "progress": _progress(version, job)
        if job is not None and _shows_progress(version)
        else None,
        "problems": [
            {**row, "level": row["severity"]} for row in version.problems[:PROBLEMS_SHOWN]
        ],
        "errors_count": len(version.errors),
        "warnings_count": len(version.problems) - len(version.errors),
        "run": run,
        "upload_form": UploadForm() if _may_send_again(request, version, job) else None,
    }
    return render(request, "plans/version.html", context)


def _may_send_again(request: HttpRequest, version: PlanVersion, job: Job | None) -> bool:
    """Tell whether this person may upload now; while a version is being read, they wait."""
    is_read = job is None or not job.is_open or not _shows_progress(version)
    return is_read and permissions.can_upload(request.user, version.plan)


def _reading_of(version: PlanVersion) -> Job | None:
    """Return the newest job that reads the version; checks made later are not meant."""
    return Job.objects.about(version).filter(kind=READ_VERSION).first()


def _shows_progress(version: PlanVersion) -> bool:
    return version.state == PlanVersion.State.RECEIVED


def _progress(version: PlanVersion, job: Job) -> dict[str, Any]:
    return {
        "state": job.state,
        "done": job.done,
        "total": job.total,
        "step": job.step,
        "url": reverse("plan-version-progress", args=[version.pk]),
        "leave": "可以离开本页，读入和检查不会中断；回到方案的“版本”里就能看到结果。",
        "error": job.error,
        "result_url": "",
        "result_label": "",
    }


@require_GET
def version_progress(request: HttpRequest, version_id: int) -> HttpResponse:
    """Answer the moving part of a version's page; when the work is done, ask for the page."""
    version = _visible_version(request, version_id)
    job = _reading_of(version)
    if job is None:
        raise Http404
    response = render(request, "components/progress.html", {"progress": _progress(version, job)})
    if not _shows_progress(version):
        response["HX-Redirect"] = reverse("plan-version", args=[version.pk])
    return response


@require_GET
def version_file(request: HttpRequest, version_id: int) -> FileResponse:
    """Hand back the workbook as it was uploaded."""
    version = _visible_version(request, version_id)
    record("下载方案文件", by=request.user, subject=version, county=version.plan.county)
    return FileResponse(
        version.file.open("rb"), as_attachment=True, filename=version.file_name, content_type=XLSX
    )


@require_GET
def version_marked(request: HttpRequest, version_id: int) -> FileResponse:
    """Hand back the same workbook with every wrong cell marked and commented."""
    version = _visible_version(request, version_id)
    if not version.marked:
        raise Http404
    return FileResponse(
        version.marked.open("rb"),
        as_attachment=True,
        filename=f"有标注_{version.file_name}",
        content_type=XLSX,
    )


def _visible_version(request: HttpRequest, version_id: int) -> PlanVersion:
    versions = PlanVersion.objects.filter(
        plan__in=CountyPlan.objects.visible_to(request.user)
    ).select_related("plan__county", "plan__round", "uploaded_by")
    return get_object_or_404(versions, pk=version_id)


def _download(content: bytes, name: str) -> HttpResponse:
    disposition = content_disposition_header(as_attachment=True, filename=name)
    return HttpResponse(
        content, content_type=XLSX, headers={"Content-Disposition": disposition or "attachment"}
    )
