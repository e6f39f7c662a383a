"""Change meetings: call one, set its agenda, note who came and what was decided, issue minutes."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from shuozhou_mines.errors import Incomplete, WrongState
from shuozhou_mines.jobs import enqueue
from shuozhou_mines.models import Job
from supervision.dispatch_actions import issue_dispatch
from supervision.inspection_models import Problem
from supervision.meeting_models import (
    AgendaItem,
    Attendee,
    Meeting,
    Resolution,
    next_minutes_number,
)
from supervision.meeting_tasks import MINUTES_JOB
from taskforce import permissions
from taskforce.models import Organization
from taskforce.trail import record

ONLY_OFFICE = "只有专班办公室可以组织会议、印发纪要。"


@transaction.atomic
def call_meeting(
    *, title: str, held_on: date, place: str, chair: str, problems: Iterable[Problem], by: Any
) -> Meeting:
    """Call a meeting with the chosen open problems on its agenda (W-14). Raise NotAllowed."""
    permissions.check_city(by, "hold_meeting", ONLY_OFFICE)
    meeting = Meeting.objects.create(
        title=title.strip(), held_on=held_on, place=place.strip(), chair=chair.strip()
    )
    for problem in problems:
        visit = problem.inspection
        where = f"{visit.county.name}{visit.mine.name if visit.mine else ''}"
        text = f"研究{where}督导问题：{problem.text}"
        AgendaItem.objects.create(meeting=meeting, text=_short(text, 200), problem=problem)
    record("筹备会议", by=by, subject=meeting)
    return meeting


@transaction.atomic
def add_agenda(*, meeting_id: int, text: str, by: Any) -> AgendaItem:
    """Add a typed item. Raise NotAllowed, WrongState once the minutes are out."""
    meeting = _prepared(meeting_id, by)
    item = AgendaItem.objects.create(meeting=meeting, text=text.strip())
    record("会议议题", by=by, subject=meeting)
    return item


@transaction.atomic
def note_attendee(
    *, meeting_id: int, unit: Organization, name: str, presence: str, by: Any
) -> Attendee:
    """Note who came for a unit; the same person again changes how they took part.

    Raise NotAllowed, WrongState.
    """
    meeting = _prepared(meeting_id, by)
    attendee, _ = Attendee.objects.update_or_create(
        meeting=meeting, unit=unit, name=name.strip(), defaults={"presence": presence}
    )
    record("会议签到", by=by, subject=meeting, unit=unit.short_name)
    return attendee


@transaction.atomic
def decide(*, meeting_id: int, text: str, unit: Organization, due_on: date, by: Any) -> Resolution:
    """Note a decision with its owner and due day. Raise NotAllowed, WrongState, Incomplete."""
    meeting = _prepared(meeting_id, by)
    if due_on < meeting.held_on:
        raise Incomplete(f"时限 {due_on} 早于会议日期 {meeting.held_on}，请核对。")
    decision = Resolution.objects.create(
        meeting=meeting, text=text.strip(), owner=unit.short_name, unit=unit, due_on=due_on
    )
    record("会议议定", by=by, subject=meeting, unit=unit.short_name)
    return decision


@transaction.atomic
def issue_minutes(*, meeting_id: int, minutes: str, by: Any, at: datetime) -> Meeting:
    """Issue the minutes, send each decision out as a dispatch, and have the PDF printed.

    Raise NotAllowed, WrongState, Incomplete before the meeting, without words or attendance.
    """
    meeting = _prepared(meeting_id, by)
    today = timezone.localdate(at)
    if meeting.held_on > today:
        raise Incomplete(f"会议定在 {meeting.held_on}，开过以后才能印发纪要。")
    if not minutes.strip():
        raise Incomplete("请填写纪要正文。")
    if not meeting.attendees.filter(presence="present").exists():
        raise Incomplete("请先登记出席人员，纪要末尾要列出。")
    meeting.minutes, meeting.number = minutes.strip(), next_minutes_number()
    meeting.issued_on, meeting.state = today, Meeting.State.HELD
    meeting.save()
    for decision in meeting.resolutions.select_related("unit").filter(dispatch=None):
        if decision.unit is None:
            continue
        decision.dispatch = issue_dispatch(
            title=_short(f"落实会议纪要第{meeting.number}期：{decision.text.rstrip('。')}", 80),
            text=decision.text,
            due_on=max(decision.due_on or today, today),
            units=[decision.unit],
            by=by,
            at=at,
        )
        decision.save(update_fields=["dispatch"])
    record("会议纪要印发", by=by, subject=meeting, number=meeting.number)
    _enqueue_pdf(meeting, by)
    return meeting


@transaction.atomic
def print_minutes(*, meeting_id: int, by: Any) -> Job | None:
    """Have the PDF printed again when it is not there. Raise NotAllowed, WrongState."""
    permissions.check_city(by, "hold_meeting", ONLY_OFFICE)
    meeting = Meeting.objects.select_for_update(of=("self",)).get(pk=meeting_id)
    if meeting.state != Meeting.State.HELD:
        raise WrongState("纪要还没有印发，没有可以生成的 PDF。")
    return None if meeting.has_pdf else _enqueue_pdf(meeting, by)


def _enqueue_pdf(meeting: Meeting, by: Any) -> Job:
    ended = (
        Job.objects.about(meeting)
        .filter(kind=MINUTES_JOB)
        .exclude(state__in=(Job.State.QUEUED, Job.State.RUNNING))
    )
    return enqueue(kind=MINUTES_JOB, subject=meeting, key=f"{meeting.pk}:{ended.count()}", by=by)


def _prepared(meeting_id: int, by: Any) -> Meeting:
    permissions.check_city(by, "hold_meeting", ONLY_OFFICE)
    meeting = Meeting.objects.select_for_update(of=("self",)).get(pk=meeting_id)
    if meeting.state != Meeting.State.PREPARED:
        raise WrongState(f"{meeting}的纪要已印发（第{meeting.number}期），不能再改。")
    return meeting


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
