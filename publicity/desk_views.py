"""Let the office publish approved plans and withdraw notices."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from plans.forms import IssueForm
from plans.models import CountyPlan
from plans.workflow import State
from publicity import actions
from publicity.forms import NoticeForm, WithdrawForm
from publicity.issuing import issue_plan
from publicity.models import Notice
from publicity.permissions import for_publishers
from rulebook.current import current_rulebook
from shuozhou_mines.errors import Incomplete, NotAllowed, Refused, WrongState
from taskforce import permissions

DEFAULT_WORKING_DAYS = "publication.working_days"


@require_GET
@for_publishers
def notice_desk(request: HttpRequest) -> HttpResponse:
    """List what is to be published, and the notices so far; nothing here for anybody else."""
    if not permissions.can_anywhere(request.user, "publish_plan"):
        raise Http404
    counties = permissions.counties_where(request.user, "publish_plan")
    ready = CountyPlan.objects.filter(state=State.APPROVED, county__in=counties)
    notices = Notice.objects.public().filter(plan__county__in=counties)
    context = {
        "ready": ready.select_related("county", "round", "approval"),
        "notices": notices.select_related("plan__county", "published_by").defer("content"),
        "now": timezone.now(),
        "withdraw_form": WithdrawForm(),
    }
    return render(request, "publicity/desk.html", context)


@require_http_methods(["GET", "POST"])
def notice_new(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Publish one approved plan."""
    counties = permissions.counties_where(request.user, "publish_plan")
    plans = CountyPlan.objects.visible_to(request.user).filter(county__in=counties)
    plan = get_object_or_404(plans.select_related("county", "round"), pk=plan_id)
    form = NoticeForm(request.POST or None, initial=_initial(plan))
    if request.method == "POST" and form.is_valid():
        try:
            notice = actions.publish_notice(
                plan_id=plan.pk, by=request.user, at=timezone.now(), **form.cleaned_data
            )
        except Incomplete as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, "方案已公示，公众网站现在就能看到。")
            return redirect("notice", notice.pk)
    status = 422 if form.is_bound else 200
    context = {"plan": plan, "form": form, "replaced": actions.corrected_by_next(plan)}
    return render(request, "publicity/new.html", context, status=status)


def _initial(plan: CountyPlan) -> dict[str, object]:
    today = timezone.localdate()
    days = current_rulebook().in_force(today).number(DEFAULT_WORKING_DAYS)
    return {
        "seen_state": plan.state,
        "starts_on": today,
        "working_days": int(days) if days is not None else None,
    }


@require_http_methods(["GET", "POST"])
def plan_issue(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Issue one published plan for implementation."""
    counties = permissions.counties_where(request.user, "publish_plan")
    plans = CountyPlan.objects.visible_to(request.user).filter(county__in=counties)
    plan = get_object_or_404(plans.select_related("county", "round"), pk=plan_id)
    initial = {"seen_state": plan.state, "dated_on": timezone.localdate()}
    form = IssueForm(request.POST or None, request.FILES or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            issue_plan(plan_id=plan.pk, by=request.user, at=timezone.now(), **form.cleaned_data)
        except (NotAllowed, WrongState):
            raise
        except Refused as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, "方案已印发实施。")
            return redirect("plan", plan.pk)
    notice = Notice.objects.in_force().filter(plan=plan).first()
    context = {"plan": plan, "form": form, "notice": notice}
    return render(request, "publicity/issue.html", context, status=422 if form.is_bound else 200)


@require_POST
def notice_withdraw(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Withdraw one notice with a reason that the public reads."""
    counties = permissions.counties_where(request.user, "publish_plan")
    notice = get_object_or_404(Notice.objects.filter(plan__county__in=counties), pk=notice_id)
    form = WithdrawForm(request.POST)
    if form.is_valid():
        actions.withdraw_notice(
            notice_id=notice.pk, reason=form.cleaned_data["reason"], by=request.user,
            at=timezone.now(),
        )  # fmt: skip
        messages.success(request, "公示已撤回，公众网站上标明“已撤回”和原因。")
    else:
        messages.error(request, "撤回公示必须写明原因，原因会对外公开。")
    return redirect("notice-desk")
