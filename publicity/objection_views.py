"""Let anyone object to a notice and follow the case; nothing of it is kept in caches."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from publicity.downloads import download
from publicity.limits import TooMany, count, visitor
from publicity.models import Notice, Objection
from publicity.objection_actions import WORKING_DAYS, is_the_objectors, receive_objection
from publicity.objection_forms import LookUpForm, ObjectionForm
from publicity.objection_steps import path_of
from publicity.puzzle import is_solved, new_puzzle
from rulebook.current import current_rulebook
from shuozhou_mines.errors import WrongState

FOLLOWED = "objection"
FOLLOWED_FOR = timedelta(minutes=30)
UNSOLVED = (
    "没有通过自动校验：可能是页面停留太久，或这一小时内未启用脚本的提交太多。"
    "内容已保留，请重新提交一次；选好的附件要再选一次。"
)


@login_not_required
@never_cache
@require_GET
def puzzle(_request: HttpRequest) -> JsonResponse:
    """Hand out a puzzle for the browser."""
    return JsonResponse(new_puzzle())


def is_let_in(request: HttpRequest) -> bool:
    """Tell whether a posted form may pass: the puzzle is solved, or few come without scripts."""
    answer = request.POST.get("puzzle", "")
    if answer:
        return is_solved(answer)
    try:
        count("without-puzzle", most=settings.WITHOUT_PUZZLE_PER_HOUR)
    except TooMany:
        return False
    return True


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def objection_new(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Take an objection to one notice."""
    notice = get_object_or_404(Notice, pk=notice_id)
    form = ObjectionForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        objection = _receive(request, notice, form)
        if objection is not None:
            _follow(request, objection)
            return redirect("objection-case")
    context = {
        "notice": notice,
        "form": form,
        "puzzle_url": reverse("puzzle"),
        "late": timezone.now() > notice.ends_at,
        "working_days": _working_days(),
        "kept_days": settings.OBJECTION_KEPT_DAYS,
    }
    status = 422 if form.is_bound else 200
    return render(request, "publicity/objection_new.html", context, status=status)


def _receive(request: HttpRequest, notice: Notice, form: ObjectionForm) -> Objection | None:
    if not is_let_in(request):
        form.add_error(None, UNSOLVED)
        return None
    try:
        count("objection", most=settings.OBJECTIONS_PER_HOUR, who=visitor())
        return receive_objection(
            notice_id=notice.pk,
            subject=form.cleaned_data["subject"],
            text=form.cleaned_data["text"],
            identity=form.identity(),
            files=form.cleaned_data["attachments"],
            at=timezone.now(),
        )
    except (TooMany, WrongState) as refusal:
        form.add_error(None, refusal.message)
    except OSError:
        form.add_error(None, "附件暂时存不下，异议没有提交。请稍后再试，或先不附材料提交。")
    return None


def _working_days() -> int | None:
    days = current_rulebook().in_force(timezone.localdate()).number(WORKING_DAYS)
    return int(days) if days else None


def _follow(request: HttpRequest, objection: Objection) -> None:
    """Remember in the session which case this visitor may read, for half an hour."""
    request.session[FOLLOWED] = [objection.pk, timezone.now().timestamp()]
    request.session.set_expiry(FOLLOWED_FOR)


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def objection_look_up(request: HttpRequest) -> HttpResponse:
    """Ask for receipt number and the telephone's last digits; then show the case."""
    form = LookUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        objection = _found(form)
        if objection is not None:
            _follow(request, objection)
            return redirect("objection-case")
    status = 422 if form.is_bound else 200
    return render(request, "publicity/objection_look_up.html", {"form": form}, status=status)


def _found(form: LookUpForm) -> Objection | None:
    number = form.cleaned_data["number"]
    try:
        # By visitor against guessing many numbers, by number against guessing its digits.
        count("look-up", most=settings.LOOKUPS_PER_HOUR, who=visitor())
        count("look-up-number", most=settings.LOOKUPS_PER_HOUR, who=number)
    except TooMany as refusal:
        form.add_error(None, refusal.message)
        return None
    objection = Objection.objects.filter(receipt_number=number).first()
    if objection is None or not is_the_objectors(objection, form.cleaned_data["last_four"]):
        form.add_error(
            None, "没有找到：请核对回执编号和电话后四位。身份信息到期删除后也不能再查询。"
        )
        return None
    return objection


def _followed(request: HttpRequest) -> Objection:
    pk, since = request.session.get(FOLLOWED, (None, 0))
    if pk is None or timezone.now().timestamp() - since > FOLLOWED_FOR.total_seconds():
        raise Http404
    return get_object_or_404(Objection.objects.select_related("notice"), pk=pk)


@login_not_required
@never_cache
@require_GET
def objection_case(request: HttpRequest) -> HttpResponse:
    """Show the case that this visitor has just proved to know."""
    try:
        objection = _followed(request)
    except Http404:
        return redirect("objection-look-up")
    context = {"objection": objection, "notice": objection.notice, **case_context(objection)}
    return render(request, "publicity/objection_case.html", context)


def case_context(objection: Objection) -> dict[str, Any]:
    """Return how far a case is, for the objector as for the office."""
    today = timezone.localdate()
    return {
        "path": path_of(objection.state),
        "is_overdue": objection.is_overdue(today),
        "steps": [step for step in objection.steps.all() if step.step != "forget"],
    }


@login_not_required
@never_cache
@require_GET
def objection_reply(request: HttpRequest) -> HttpResponse | FileResponse:
    """Hand the objector the reply as PDF."""
    return reply_file(request, _followed(request))


def reply_file(request: HttpRequest, objection: Objection) -> HttpResponse | FileResponse:
    """Return the reply as a download; 404 until it is printed."""
    if not objection.reply:
        raise Http404
    name = f"异议答复-{objection.receipt_number}.pdf"
    return download(request, objection.reply, name=name, content_type="application/pdf")


@login_not_required
@never_cache
@require_POST
def objection_leave(request: HttpRequest) -> HttpResponse:
    """Forget in this browser which case was read."""
    request.session.pop(FOLLOWED, None)
    return redirect("objection-look-up")
