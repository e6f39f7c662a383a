"""Show what the standards found on a plan, and take the office's rulings."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_POST

from plans import finding_exports, ruling_actions, ruling_requests
from plans.compliance import why_outdated
from plans.finding_forms import FindingFilterForm, RequestForm, RulingForm
from plans.finding_lists import BY_GRAVITY, TO_DO, card, chosen_findings, ruling_line
from plans.finding_shapes import run_shapes
from plans.models import CheckRun, CountyPlan, Finding, PlanVersion, Ruling
from plans.rulings import RULED, is_newest, rulings_of, subject_of, with_rulings
from plans.tasks import CHECK_VERSION
from shuozhou_mines.errors import Incomplete, Refused
from shuozhou_mines.models import Job
from standards.rules import RULES
from standards.terms import Verdict
from taskforce.trail import record

FINDINGS_PER_PAGE = 20
EARLIER_SHOWN = 10
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def findings_part(request: HttpRequest, version: PlanVersion) -> dict[str, Any]:
    """Gather what the findings part of a plan's page shows: one run, filtered, gravest first."""
    runs = list(version.check_runs.all()[:EARLIER_SHOWN])
    wanted = request.GET.get("run", "")
    shown = next((run for run in runs if str(run.pk) == wanted), runs[0] if runs else None)
    job = Job.objects.about(version).filter(kind=CHECK_VERSION).first()
    context = {
        "shown_run": shown,
        "runs": [_run_line(run, shown) for run in runs],
        "check_button": _check_button(request, version, job),
        "check_progress": _progress(version, job) if job is not None and job.is_open else None,
        "check_failed": job.error if job is not None and job.state == Job.State.FAILED else "",
        "cancel_url": (
            reverse("job-cancel", args=[job.pk])
            if job is not None and job.is_open and job.asked_by_id == request.user.pk
            else ""
        ),
        "outdated": "",
        "is_newest": False,
    }
    if shown is None:
        return context
    is_first = shown.pk == runs[0].pk
    context["is_newest"] = is_first
    context["outdated"] = why_outdated(shown, on=timezone.localdate()) if is_first else ""
    return context | _listed(request, version, shown)


def _listed(request: HttpRequest, version: PlanVersion, run: CheckRun) -> dict[str, Any]:
    """Filter and page the findings of one run; a fixed number of queries."""
    form = _filter_form(request, run)
    chosen = form.chosen()
    verdict = request.GET.get("verdict", TO_DO)
    rulings = rulings_of(version.plan)
    narrowed = chosen_findings(run, chosen)
    rows = chosen_findings(run, chosen, verdict=verdict, rulings=rulings)
    page = Paginator(rows.order_by(BY_GRAVITY, "pk"), FINDINGS_PER_PAGE).get_page(
        request.GET.get("page")
    )
    kept = {"part": "findings", **chosen}
    if request.GET.get("run"):
        kept["run"] = str(run.pk)
    files = urlencode({**chosen, "verdict": verdict})
    here = reverse("plan", args=[version.plan_id])
    return {
        "page": page,
        "findings": [card(row) for row in with_rulings(page.object_list, rulings)],
        "filter_form": form,
        "verdict": verdict,
        "kept_run": kept.get("run", ""),
        "verdict_tabs": _tabs(here, kept, verdict, narrowed, run, rulings, chosen),
        "query": urlencode({**kept, "verdict": verdict}) + "&",
        "xlsx_url": f"{reverse('findings-xlsx', args=[run.pk])}?{files}",
        "pdf_url": f"{reverse('findings-pdf', args=[run.pk])}?{files}",
        "map": _map(run),
    }


def _tabs(
    here: str,
    kept: dict[str, str],
    shown: str,
    narrowed: QuerySet[Finding],
    run: CheckRun,
    rulings: Any,
    chosen: dict[str, str],
) -> list[dict[str, Any]]:
    counts = dict(narrowed.values_list("verdict").annotate(Count("pk")).order_by())
    to_do = chosen_findings(run, chosen, verdict=TO_DO, rulings=rulings).count()
    tabs = [("待处理", TO_DO, to_do)]
    tabs += [(each.label, each.value, counts.get(each.value, 0)) for each in _VERDICTS]
    tabs.append(("全部", "all", sum(counts.values())))
    return [
        {
            "label": label,
            "url": f"{here}?{urlencode({**kept, 'verdict': code})}",
            "active": code == shown,
            "count": count,
        }
        for label, code, count in tabs
    ]


_VERDICTS = (Verdict.FAIL, Verdict.REVIEW, Verdict.NODATA, Verdict.PASS, Verdict.NA)


def _filter_form(request: HttpRequest, run: CheckRun) -> FindingFilterForm:
    codes = run.findings.values_list("rule", flat=True).distinct().order_by("rule")
    mines = (
        run.findings.filter(mine__isnull=False)
        .values_list("mine__registry_no", "mine__name")
        .distinct()
        .order_by("mine__registry_no")
    )
    areas = run.version.areas.values_list("code", "name").order_by("code")
    return FindingFilterForm(
        request.GET,
        rules=[(code, f"{code} {RULES[code].title}") for code in codes if code in RULES],
        mines=[(number, name) for number, name in mines],
        areas=[(code, f"{code} {name}") for code, name in areas],
    )


def _run_line(run: CheckRun, shown: CheckRun | None) -> dict[str, Any]:
    moment = f"{timezone.localtime(run.finished_at):%Y-%m-%d %H:%M}"
    return {
        "label": f"{moment} 的检查，标准库 {run.rulebook_version}",
        "url": f"{reverse('plan', args=[run.version.plan_id])}?part=findings&run={run.pk}",
        "shown": shown is not None and run.pk == shown.pk,
        "counts": run.counts,
    }


def _check_button(
    request: HttpRequest, version: PlanVersion, job: Job | None
) -> list[dict[str, Any]]:
    if version.state != PlanVersion.State.READ:
        return []
    if not ruling_actions.may_ask(request.user, version.plan):
        return []
    if job is not None and job.is_open:
        return []
    return [
        {
            "label": "重新检查",
            "url": reverse("plan-check", args=[version.pk]),
            "method": "post",
            "enabled": True,
            "why_not": "",
            "kind": "secondary",
            "confirm": "",
            "icon": "",
        }
    ]


def _progress(version: PlanVersion, job: Job) -> dict[str, Any]:
    return {
        "state": job.state,
        "done": job.done,
        "total": job.total,
        "step": job.step,
        "url": reverse("plan-check-progress", args=[version.pk]),
        "leave": "可以离开本页，检查不会中断；原来的检查结果一直保留。",
        "error": job.error,
        "result_url": "",
        "result_label": "",
    }


def _map(run: CheckRun) -> dict[str, Any]:
    return {
        "id": "findings-map",
        "label": "矿山和整合区，按最差结论着色",
        "describedby": "findings-list",
        "features_url": reverse("finding-shapes", args=[run.pk]),
        "after_url": "",
        "counties_url": reverse("county-shapes"),
        "tiles_url": "",
        "bbox": "",
        "colour_by": "verdict",
        "tall": "",
        "legend": "",
        "note": "按最差结论着色，有效的人工认定已计入。县界为示意。",
    }


@require_POST
def plan_check(request: HttpRequest, version_id: int) -> HttpResponse:
    """Have a version checked again."""
    version = _visible_version(request, version_id)
    ruling_actions.request_check(version_id=version.pk, by=request.user)
    messages.success(request, "已经安排重新检查，完成后显示新的结果。")
    return redirect(_part(version.plan_id))


@require_GET
def plan_check_progress(request: HttpRequest, version_id: int) -> HttpResponse:
    """Answer how far the check is; when it is over, ask for the page."""
    version = _visible_version(request, version_id)
    job = get_object_or_404(Job.objects.about(version).filter(kind=CHECK_VERSION)[:1])
    progress = _progress(version, job)
    response = render(request, "components/progress.html", {"progress": progress})
    if not job.is_open:
        response["HX-Redirect"] = _part(version.plan_id)
    return response


@require_GET
def finding_page(request: HttpRequest, finding_id: int) -> HttpResponse:
    """Show one finding in full, with its rulings and what earlier checks found."""
    finding = _visible_finding(request, finding_id)
    return _finding(request, finding, None)


@require_POST
def finding_rule(request: HttpRequest, finding_id: int) -> HttpResponse:
    """Take the office's ruling on a finding."""
    finding = _visible_finding(request, finding_id)
    form = RulingForm(request.POST)
    if not form.is_valid():
        return _finding(request, finding, form, status=422)
    try:
        ruling = ruling_actions.rule_on(
            finding_id=finding.pk, by=request.user, at=timezone.now(), **form.cleaned_data
        )
    except Incomplete as refusal:
        form.add_error(None, refusal.message)
        return _finding(request, finding, form, status=422)
    waits = "，等专班办公室的另一人确认后生效" if ruling.needs_confirmation else ""
    messages.success(request, f"已作出认定：{ruling.get_decision_display()}{waits}。")
    return redirect("finding", finding.pk)


@require_POST
def ruling_confirm(request: HttpRequest, ruling_id: int) -> HttpResponse:
    """Confirm another person's ruling."""
    visible = ruling_requests.visible_findings(request.user)
    ruling = get_object_or_404(Ruling.objects.filter(finding__in=visible), pk=ruling_id)
    ruling_actions.confirm_ruling(ruling_id=ruling.pk, by=request.user, at=timezone.now())
    messages.success(request, "认定已经确认，现在生效。")
    return redirect("finding", ruling.finding_id)


@require_POST
def finding_request(request: HttpRequest, finding_id: int) -> HttpResponse:
    """Put a finding of a draft before the office."""
    finding = _visible_finding(request, finding_id)
    asked = RequestForm(request.POST)
    if not asked.is_valid():
        return _finding(request, finding, None, asked=asked, status=422)
    ruling_requests.request_ruling(
        finding_id=finding.pk, note=asked.cleaned_data["note"], by=request.user, at=timezone.now()
    )
    messages.success(request, "已提请专班办公室核定；专班办公室现在能看到这一条检查结果。")
    return redirect("finding", finding.pk)


def _finding(
    request: HttpRequest,
    finding: Finding,
    form: RulingForm | None,
    *,
    asked: RequestForm | None = None,
    status: int = 200,
) -> HttpResponse:
    run = finding.run
    plan = run.version.plan
    rulings = rulings_of(plan)
    history = rulings.get(subject_of(finding), [])
    (ruled,) = with_rulings([finding], rulings)
    newest = is_newest(run)
    may_rule = newest and ruling_actions.may_rule(request.user, plan)
    if form is None and may_rule and finding.verdict in RULED:
        form = RulingForm(initial={"seen": history[0].pk if history else 0})
    requests = list(ruling_requests.requests_about(finding).select_related("by"))
    may_request = newest and not any(row.finding_id == finding.pk for row in requests)
    if asked is None and may_request and finding.verdict in RULED:
        asked = RequestForm() if ruling_requests.may_request(request.user, plan) else None
    rule = RULES.get(finding.rule)
    waiting = ruled.ruling is not None and not ruled.ruling.is_effective
    context = {
        "finding": {**card(ruled), "actions": []},
        "row": finding,
        "run": run,
        "version": run.version,
        "plan": plan,
        "is_newest": newest,
        "sees_plan": CountyPlan.objects.visible_to(request.user).filter(pk=plan.pk).exists(),
        "requests": requests,
        "request_form": asked,
        "title": rule.title if rule else finding.rule,
        "quotations": rule.quotations if rule else (),
        "history": [ruling_line(each, finding) for each in history],
        "lapsed": ruled.lapsed is not None,
        "form": form if may_rule else None,
        "confirm_url": (
            reverse("ruling-confirm", args=[ruled.ruling.pk])
            if may_rule and waiting and ruled.ruling and ruled.ruling.by_id != request.user.pk
            else ""
        ),
        "earlier": _earlier(finding),
    }
    return render(request, "plans/finding.html", context, status=status)


def _earlier(finding: Finding) -> list[Finding]:
    """Return what earlier checks of the plan found by the same rule on the same subject."""
    return list(
        Finding.objects.filter(
            run__version__plan=finding.run.version.plan_id,
            rule=finding.rule,
            subject_kind=finding.subject_kind,
            subject_key=finding.subject_key,
        )
        .exclude(pk=finding.pk)
        .select_related("run__version")
        .order_by("-pk")[:EARLIER_SHOWN]
    )


@require_GET
def finding_shapes(request: HttpRequest, run_id: int) -> JsonResponse:
    """Answer the outlines of a run's mines and areas with the worst verdict of each."""
    run = _visible_run(request, run_id)
    return JsonResponse(
        run_shapes(run), encoder=DjangoJSONEncoder, content_type="application/geo+json"
    )


@require_GET
def findings_xlsx(request: HttpRequest, run_id: int) -> HttpResponse:
    """Hand out the findings on screen as a workbook."""
    return _file(request, run_id, "xlsx")


@require_GET
def findings_pdf(request: HttpRequest, run_id: int) -> HttpResponse:
    """Hand out the findings on screen as PDF."""
    return _file(request, run_id, "pdf")


def _file(request: HttpRequest, run_id: int, kind: str) -> HttpResponse:
    run = _visible_run(request, run_id)
    chosen = _filter_form(request, run).chosen()
    verdict = request.GET.get("verdict", TO_DO)
    rulings = rulings_of(run.version.plan)
    rows = chosen_findings(run, chosen, verdict=verdict, rulings=rulings)
    listed = with_rulings(rows.order_by(BY_GRAVITY, "pk"), rulings)
    try:
        content = finding_exports.EXPORTS[kind](run, listed)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect(_part(run.version.plan_id))
    record(f"导出检查结果（{kind}）", by=request.user, subject=run.version.plan,
           county=run.version.plan.county, rows=len(listed))  # fmt: skip
    name = f"{run.version.plan.county.name}方案第{run.version.number}版检查结果.{kind}"
    return HttpResponse(
        content,
        content_type=XLSX if kind == "xlsx" else "application/pdf",
        headers={
            "Content-Disposition": content_disposition_header(as_attachment=True, filename=name)
            or "attachment"
        },
    )


def _part(plan_id: int) -> str:
    return f"{reverse('plan', args=[plan_id])}?part=findings"


def _visible_version(request: HttpRequest, version_id: int) -> PlanVersion:
    versions = PlanVersion.objects.filter(plan__in=CountyPlan.objects.visible_to(request.user))
    return get_object_or_404(versions.select_related("plan__county"), pk=version_id)


def _visible_run(request: HttpRequest, run_id: int) -> CheckRun:
    runs = CheckRun.objects.filter(version__plan__in=CountyPlan.objects.visible_to(request.user))
    return get_object_or_404(
        runs.select_related("version__plan__county", "version__plan__round"), pk=run_id
    )


def _visible_finding(request: HttpRequest, finding_id: int) -> Finding:
    return get_object_or_404(
        ruling_requests.visible_findings(request.user).select_related(
            "run__version__plan__county", "run__version__plan__round", "mine", "area"
        ),
        pk=finding_id,
    )
