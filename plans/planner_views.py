"""Show what the planner proposes, county by county; people decide what becomes of it."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_POST

from mines.models import Mine
from plans import permissions, planner_drafts, planner_tasks
from plans.models import CountyPlan
from plans.planner_areas import advise
from plans.planner_facts import Limits
from plans.planner_models import (
    PlannerCluster,
    PlannerProposal,
    PlannerRun,
    planning_counties,
)
from plans.planner_parts import Aim
from plans.planner_rows import PartRow, read_part
from plans.planner_shapes import proposal_shapes
from plans.version_edits import newest_read
from rulebook.current import current_rulebook
from shuozhou_mines.errors import NotAllowed, Refused
from standards.terms import Disposition
from taskforce import permissions as rights
from taskforce.models import County

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROWS_PER_PAGE = 50
MERGERS_PER_PAGE = 10
WHO_MAY_RUN = "只有本县（市、区）的编制人员和专班办公室可以计算整合规划。"


@require_GET
def planner_page(request: HttpRequest) -> HttpResponse:
    """Show a county's clusters with the best proposal of each, and the mines that stand alone."""
    counties = _counties(request)
    county = _chosen(request, counties)
    run = PlannerRun.objects.covering(county.code).select_related("job", "county").first()
    done = PlannerRun.objects.covering(county.code).filter(finished_at__isnull=False).first()
    part = "lone" if request.GET.get("part") == "lone" else "clusters"
    rows: Any = []
    if done is not None:
        mines = done.lone.filter(county=county).select_related("mine__mineral", "mine__holder")
        rows = mines if part == "lone" else done.clusters.filter(county=county)
    page = Paginator(rows, ROWS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "county": county,
        "counties": [
            {"label": each.name, "url": f"?county={each.code}", "active": each == county}
            for each in counties
        ],
        "done": done,
        "progress": _progress(run) if run is not None else None,
        "run_buttons": _run_buttons(request, county),
        "part": part,
        "tabs": _tabs(done, county, part),
        "page_obj": page,
        "query": f"county={county.code}&part={part}&",
    }
    return render(request, "plans/planner.html", context)


def _counties(request: HttpRequest) -> list[County]:
    codes = planning_counties(request.user)
    if not codes:
        raise Http404
    return list(County.objects.filter(pk__in=codes).defer("outline").order_by("code"))


def _chosen(request: HttpRequest, counties: list[County]) -> County:
    code = request.GET.get("county") or request.POST.get("county") or counties[0].code
    return next((each for each in counties if each.code == code), None) or _nothing()


def _nothing() -> Any:
    raise Http404


def _tabs(done: PlannerRun | None, county: County, part: str) -> list[dict[str, Any]]:
    if done is None:
        return []
    counts = {
        "clusters": done.clusters.filter(county=county).count(),
        "lone": done.lone.filter(county=county).count(),
    }
    words = {"clusters": "成片矿山", "lone": "单独的矿山"}
    return [
        {
            "label": words[code],
            "url": f"?county={county.code}&part={code}",
            "active": code == part,
            "count": count,
        }
        for code, count in counts.items()
    ]


def _may_run(user: Any, county: County | None) -> bool:
    if county is None:
        codes = [each.code for each in County.objects.only("code")]
        return all(rights.can(user, "review_plan", code) for code in codes)
    return rights.can(user, "draft_plan", county.code) or rights.can(
        user, "review_plan", county.code
    )


def _run_buttons(request: HttpRequest, county: County) -> list[dict[str, Any]]:
    offered = [(county.code, f"计算{county.name}")] if _may_run(request.user, county) else []
    if _may_run(request.user, None):
        offered.append(("all", "计算全市"))
    return [{"scope": scope, "label": label} for scope, label in offered]


def _progress(run: PlannerRun) -> dict[str, Any] | None:
    job = planner_tasks.open_job(run)
    if job is None:
        return None
    return {
        "state": job.state,
        "done": job.done,
        "total": job.total,
        "step": job.step,
        "url": reverse("planner-progress", args=[run.pk]),
        "leave": "可以离开本页，计算不会中断；完成后在本页查看。",
        "error": job.error,
        "result_url": "",
        "result_label": "",
    }


@require_GET
def planner_progress(request: HttpRequest, run_id: int) -> HttpResponse:
    """Answer the moving part of the planner's page; when the work is done, ask for the page."""
    run = get_object_or_404(PlannerRun.objects.select_related("job"), pk=run_id)
    codes = planning_counties(request.user)
    if not codes or (run.county_id is not None and run.county_id not in codes):
        raise Http404
    progress = _progress(run)
    response = render(request, "jobs/_progress.html", {"progress": progress or _ended(run)})
    if progress is None:
        response["HX-Refresh"] = "true"
    return response


def _ended(run: PlannerRun) -> dict[str, Any]:
    return {
        "state": "done",
        "done": 0,
        "total": 0,
        "step": "",
        "url": reverse("planner-progress", args=[run.pk]),
        "leave": "",
        "error": "",
        "result_url": "",
        "result_label": "",
    }


@require_POST
def planner_run(request: HttpRequest) -> HttpResponse:
    """Start a search over a county, or over all."""
    counties = _counties(request)
    everywhere = request.POST.get("scope") == "all"
    county = None if everywhere else _chosen(request, counties)
    if not _may_run(request.user, county):
        raise NotAllowed(WHO_MAY_RUN)
    planner_tasks.start_run(county=county, by=request.user, at=timezone.now())
    messages.success(request, "已经开始计算，完成后显示新的建议。")
    return redirect(f"{reverse('planner')}?county={(county or counties[0]).code}")


# One cluster --------------------------------------------------------------------------------------


@require_GET
def planner_cluster(request: HttpRequest, cluster_id: int) -> HttpResponse:
    """Show the proposals for one cluster, ranked, and what the chosen one changes."""
    cluster = _visible_cluster(request, cluster_id)
    proposals = list(cluster.proposals.all())
    wanted = request.GET.get("proposal", "1")
    chosen = next((each for each in proposals if str(each.rank) == wanted), proposals[0])
    parts = [read_part(row) for row in chosen.parts]
    mergers = [part for part in parts if part.kind is Disposition.MERGE]
    page = Paginator(mergers, MERGERS_PER_PAGE).get_page(request.GET.get("page"))
    first = page.start_index() if page.paginator.count else 1
    on = timezone.localdate()
    advice = advise(list(page), current_rulebook(), on=on, due_on=on, first_code=first)
    context = {
        "cluster": cluster,
        "proposals": [_summary(each, each == chosen) for each in proposals],
        "chosen": chosen,
        "advice": advice,
        "page_obj": page,
        "query": f"proposal={chosen.rank}&",
        "others": _others(parts),
        "map": _map(chosen),
        "taking": _taking(request, cluster, chosen),
    }
    return render(request, "plans/planner_cluster.html", context)


def _visible_cluster(request: HttpRequest, cluster_id: int) -> PlannerCluster:
    rows = PlannerCluster.objects.filter(county__in=planning_counties(request.user))
    return get_object_or_404(rows.select_related("run", "county"), pk=cluster_id)


def _summary(proposal: PlannerProposal, is_chosen: bool) -> dict[str, Any]:
    return {
        "row": proposal,
        "aims": "、".join(Aim(code).label for code in proposal.aims),
        "url": f"?proposal={proposal.rank}",
        "is_chosen": is_chosen,
    }


def _others(parts: list[PartRow]) -> list[dict[str, Any]]:
    """Name the mines that are not merged, with what each can do by itself."""
    singles = {part.mines[0]: part for part in parts if part.kind is not Disposition.MERGE}
    mines = Mine.objects.filter(pk__in=singles).select_related("mineral", "holder")
    return [
        {"mine": mine, "part": singles[mine.pk], "what": _what(singles[mine.pk])}
        for mine in mines.order_by("registry_no")
    ]


def _what(part: PartRow) -> str:
    if part.kind is Disposition.EXIT:
        return "可采储量不够最低规模和服务年限，建议引导退出或关闭取缔。"
    if part.kind is Disposition.UPGRADE:
        way = "核增" if part.is_raised else "调整"
        return f"单独{way}到 {part.scale.normalize():f} 万吨/年可以达标。"
    return "现状达标或待研判，可以保留。"


def _map(proposal: PlannerProposal) -> dict[str, Any]:
    url = reverse("planner-shapes", args=[proposal.pk])
    return {
        "id": "planner-map",
        "label": "整合前和整合后的范围",
        "describedby": "planner-list",
        "features_url": f"{url}?side=before",
        "after_url": f"{url}?side=after",
        "counties_url": reverse("county-shapes"),
        "tiles_url": "",
        "bbox": "",
        "colour_by": "disposition",
        "tall": "",
        "legend": "",
        "note": "整合后的范围由现有矿区和夹缝推画，只供参考；县界为示意。",
    }


def _taking(
    request: HttpRequest, cluster: PlannerCluster, proposal: PlannerProposal
) -> dict[str, Any] | None:
    """Say how this person may take the proposal; None for who does not draft the plan."""
    if not proposal.mergers or not rights.can(request.user, "draft_plan", cluster.county_id):
        return None
    plan = _plan_of(cluster)
    if plan is None or not permissions.can_upload(request.user, plan):
        return {"plan": plan, "version": None, "open": False}
    return {"plan": plan, "version": newest_read(plan), "open": True}


def _plan_of(cluster: PlannerCluster) -> CountyPlan | None:
    plans = CountyPlan.objects.filter(county=cluster.county_id, round__is_open=True)
    return plans.select_related("county", "round").first()


@require_GET
def planner_shapes(request: HttpRequest, proposal_id: int) -> JsonResponse:
    """Answer a proposal's outlines as GeoJSON, before or after."""
    proposal = _visible_proposal(request, proposal_id)
    side = "after" if request.GET.get("side") == "after" else "before"
    near = Limits.of(current_rulebook().in_force(timezone.localdate())).near_m
    return JsonResponse(
        proposal_shapes(proposal, side=side, near_m=near or 0),
        content_type="application/geo+json",
    )


def _visible_proposal(request: HttpRequest, proposal_id: int) -> PlannerProposal:
    rows = PlannerProposal.objects.filter(cluster__county__in=planning_counties(request.user))
    return get_object_or_404(rows.select_related("cluster__county"), pk=proposal_id)


@require_POST
def planner_take(request: HttpRequest, proposal_id: int) -> HttpResponse:
    """Take a proposal into the county's draft: it becomes the next version."""
    proposal = _visible_proposal(request, proposal_id)
    plan = _plan_of(proposal.cluster) or _nothing()
    permissions.check_right(request.user, "draft_plan", plan)
    try:
        version = planner_drafts.take(
            proposal=proposal,
            plan=plan,
            seen_version_id=_number(request.POST.get("seen_version")),
            by=request.user,
            at=timezone.now(),
        )
    except NotAllowed:
        raise
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect("planner-cluster", proposal.cluster_id)
    messages.success(request, f"已把这个建议写成第{version.number}版，正在读入和检查。")
    return redirect("plan-version", version.pk)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 0


@require_GET
def planner_workbook(request: HttpRequest, proposal_id: int) -> HttpResponse:
    """Hand out the county's workbook with the proposal typed in."""
    proposal = _visible_proposal(request, proposal_id)
    plan = _plan_of(proposal.cluster) or _nothing()
    permissions.check_right(request.user, "draft_plan", plan)
    try:
        content = planner_drafts.filled_workbook(proposal, plan, on=timezone.localdate())
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect("planner-cluster", proposal.cluster_id)
    name = f"{plan.county.name}方案_采用整合规划.xlsx"
    disposition = content_disposition_header(as_attachment=True, filename=name)
    return HttpResponse(
        content, content_type=XLSX, headers={"Content-Disposition": disposition or "attachment"}
    )
