"""Show meetings: the list, one meeting with agenda, attendance, decisions and minutes."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuozhou_mines.errors import Incomplete
from shuozhou_mines.models import Job
from supervision import meeting_actions as actions
from supervision.dispatch_forms import (
    AgendaForm,
    AttendeeForm,
    DecisionForm,
    MeetingForm,
    MinutesForm,
)
from supervision.inspection_models import Problem
from supervision.meeting_models import Meeting
from supervision.meeting_tasks import MINUTES_JOB
from taskforce import permissions

PARTS: dict[str, tuple[type[forms.Form], str]] = {
    "agenda": (AgendaForm, "议题已加入。"),
    "attendee": (AttendeeForm, "已登记。"),
    "decision": (DecisionForm, "议定事项已记下，印发纪要时下发督办。"),
    "minutes": (MinutesForm, "纪要已印发，议定事项已下发督办。正在生成 PDF。"),
}


def _may_read(user: Any) -> bool:
    return permissions.can_city(user, "see_city") or permissions.can_city(user, "hold_meeting")


@require_http_methods(["GET", "POST"])
def meeting_list(request: HttpRequest) -> HttpResponse:
    """List the meetings; the office calls the next one."""
    if not _may_read(request.user):
        raise Http404
    calls = permissions.can_city(request.user, "hold_meeting")
    form = None
    if calls:
        problems = (
            Problem.objects.visible_to(request.user)
            .still_open()
            .select_related("inspection")
            .order_by("due_on", "pk")
        )
        form = MeetingForm(request.POST if request.method == "POST" else None, problems=problems)
    if request.method == "POST":
        if form is None:
            raise Http404
        if form.is_valid():
            made = actions.call_meeting(by=request.user, **form.cleaned_data)
            messages.success(request, "会议已建立，请补充议题。")
            return redirect("meeting", made.pk)
    context = {"meetings": Meeting.objects.order_by("-held_on", "-pk"), "form": form}
    status = 422 if form is not None and form.errors else 200
    return render(request, "supervision/meeting_list.html", context, status=status)


@require_GET
def meeting(request: HttpRequest, meeting_id: int) -> HttpResponse:
    """Show one meeting."""
    return _page(request, _visible(request, meeting_id), None)


@require_POST
def meeting_part(request: HttpRequest, meeting_id: int, part: str) -> HttpResponse:
    """Add an agenda item, an attendee, a decision, or issue the minutes."""
    shown = _visible(request, meeting_id)
    if part not in PARTS or not permissions.can_city(request.user, "hold_meeting"):
        raise Http404
    make, sentence = PARTS[part]
    form = make(request.POST, auto_id=f"{part}_%s")
    if form.is_valid():
        try:
            _act(part, shown.pk, request.user, form.cleaned_data)
        except Incomplete as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, sentence)
            return redirect("meeting", shown.pk)
    return _page(request, shown, (part, form))


def _act(part: str, meeting_id: int, by: Any, facts: dict[str, Any]) -> None:
    if part == "agenda":
        actions.add_agenda(meeting_id=meeting_id, by=by, **facts)
    elif part == "attendee":
        actions.note_attendee(meeting_id=meeting_id, by=by, **facts)
    elif part == "decision":
        actions.decide(meeting_id=meeting_id, by=by, **facts)
    else:
        actions.issue_minutes(meeting_id=meeting_id, by=by, at=timezone.now(), **facts)


@require_POST
def meeting_print(request: HttpRequest, meeting_id: int) -> HttpResponse:
    """Have the PDF of the minutes printed again."""
    shown = _visible(request, meeting_id)
    actions.print_minutes(meeting_id=shown.pk, by=request.user)
    return redirect("meeting", shown.pk)


@require_GET
def minutes_pdf(request: HttpRequest, meeting_id: int) -> FileResponse:
    """Send the printed minutes."""
    shown = _visible(request, meeting_id)
    if not shown.has_pdf:
        raise Http404
    return FileResponse(
        shown.pdf.open("rb"),
        content_type="application/pdf",
        filename=f"会议纪要第{shown.number}期.pdf",
    )


def _visible(request: HttpRequest, meeting_id: int) -> Meeting:
    if not _may_read(request.user):
        raise Http404
    return get_object_or_404(Meeting, pk=meeting_id)


def _page(
    request: HttpRequest, shown: Meeting, refused: tuple[str, forms.Form] | None
) -> HttpResponse:
    edits = shown.state == Meeting.State.PREPARED and permissions.can_city(
        request.user, "hold_meeting"
    )
    shown_forms: dict[str, Any] = dict.fromkeys(PARTS)
    if edits:
        shown_forms = {part: make(auto_id=f"{part}_%s") for part, (make, _) in PARTS.items()}
        if refused is not None:
            shown_forms[refused[0]] = refused[1]
    context = {
        "meeting": shown,
        "tone": "done" if shown.state == Meeting.State.HELD else "active",
        "agenda": shown.agenda.select_related("problem"),
        "attendees": shown.attendees.select_related("unit"),
        "decisions": shown.resolutions.select_related("unit", "dispatch").prefetch_related(
            "dispatch__orders"
        ),
        "parts": shown_forms,
        "wrong": {part: refused is not None and refused[0] == part for part in PARTS},
        "progress": _progress(request.user, shown),
        "reprints": shown.state == Meeting.State.HELD
        and not shown.has_pdf
        and permissions.can_city(request.user, "hold_meeting"),
    }
    status = 422 if refused and refused[1].errors else 200
    return render(request, "supervision/meeting.html", context, status=status)


def _progress(user: Any, shown: Meeting) -> dict[str, Any] | None:
    job = Job.objects.about(shown).filter(kind=MINUTES_JOB).first()
    if job is None or shown.has_pdf or job.asked_by_id != user.pk:
        return None
    return {
        "state": job.state,
        "done": job.done,
        "total": job.total,
        "step": job.step,
        "url": reverse("job", args=[job.pk]),
        "error": job.error,
        "leave": "可以离开本页，生成不会中断；完成后本页会出现 PDF。",
        "result_url": "",
    }
