"""Hand out the story of a plan and its whole dossier."""

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from plans.dossier import queue_dossier
from plans.expert_views import pdf_answer
from plans.models import CountyPlan, Dossier
from plans.permissions import MAY_TAKE
from plans.review_documents import story_paper
from plans.review_views import part_of
from plans.views import visible_plan
from shuozhou_mines.errors import NotAllowed, Refused
from taskforce import permissions as rights
from taskforce.trail import record


@require_GET
def plan_story(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Print who did what on a plan."""
    plan = visible_plan(request, plan_id)
    _check_may_take(request, plan)
    try:
        content = story_paper(plan)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect(part_of(plan, "way"))
    record("打印办理过程", by=request.user, subject=plan, county=plan.county)
    return pdf_answer(content, f"{plan.county.name}方案办理过程.pdf")


@require_POST
def dossier_new(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Ask for the whole dossier of a plan; the job's page leads back here."""
    plan = visible_plan(request, plan_id)
    _check_may_take(request, plan)
    job = queue_dossier(plan, by=request.user)
    record("整理方案档案", by=request.user, subject=plan, county=plan.county)
    if job.asked_by_id != request.user.pk:
        messages.info(request, "别人刚要求整理这份档案，完成后在这里下载。")
        return redirect(part_of(plan, "way"))
    return redirect("job", job.pk)


@require_GET
def dossier_file(request: HttpRequest, plan_id: int) -> FileResponse:
    """Hand out the newest dossier of a plan."""
    plan = visible_plan(request, plan_id)
    _check_may_take(request, plan)
    dossier = Dossier.objects.filter(plan=plan).first()
    if dossier is None:
        raise Http404
    record("下载方案档案", by=request.user, subject=plan, county=plan.county, sha256=dossier.sha256)
    return FileResponse(
        dossier.file.open("rb"),
        as_attachment=True,
        filename=f"{plan.county.name}方案档案_{dossier.made_at:%Y%m%d%H%M}.zip",
        content_type="application/zip",
    )


def _check_may_take(request: HttpRequest, plan: CountyPlan) -> None:
    if not any(rights.can(request.user, right, plan.county_id) for right in MAY_TAKE):
        raise NotAllowed("只有编制、审定、审查和审签方案的人员可以打印过程、下载档案。")
