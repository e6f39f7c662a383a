"""Change what visits leave behind: teams, records, problems and their way to the end."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone

from mines.models import Mine
from shuozhou_mines.errors import Incomplete, NotAllowed, WrongState
from supervision.dispatch_actions import issue_dispatch
from supervision.inspection_models import (
    Inspection,
    InspectionTeam,
    Problem,
    ProblemEvent,
    TeamMember,
)
from supervision.inspection_photos import check_photos, keep_photos
from supervision.inspection_steps import PROBLEM_STEPS, Conclusion, ProblemState, Severity
from taskforce import permissions
from taskforce.models import County, Organization, User
from taskforce.trail import record

ONLY_OFFICE = "只有专班办公室可以抽调人员、组建督导验收组。"
ONLY_INSPECTORS = "只有督导验收组可以记录督导和验收。"
NOT_IN_TEAM = "你不是{team}的成员。请选择你所在的组，或请专班办公室把你加入这个组。"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemFound:
    """What a visit says of one problem."""

    text: str
    severity: Severity
    clause: str
    measure: str
    responsible_unit: str
    due_on: date


@dataclass(frozen=True, slots=True)
class Position:
    """Where the phone was: degrees, and how many metres it may be off."""

    latitude: Decimal
    longitude: Decimal
    accuracy_m: int


@transaction.atomic
def form_team(*, name: str, starts_on: date, ends_on: date, by: Any) -> InspectionTeam:
    """Form a team for a period. Raise NotAllowed, Incomplete for a period that ends first."""
    permissions.check_city(by, "keep_roster", ONLY_OFFICE)
    if ends_on < starts_on:
        raise Incomplete("截止日期不能早于起始日期。")
    try:
        with transaction.atomic():
            team = InspectionTeam.objects.create(name=name, starts_on=starts_on, ends_on=ends_on)
    except IntegrityError:
        raise Incomplete(f"{starts_on} 起已经有“{name}”，请换一个名称。") from None
    record("组建督导验收组", by=by, subject=team)
    return team


@transaction.atomic
def add_member(
    *,
    team_id: int,
    name: str,
    home_unit: Organization | None,
    is_leader: bool,
    user: User | None,
    by: Any,
) -> TeamMember:
    """Take a person into a team. Raise NotAllowed, Incomplete when the account is in it already."""
    permissions.check_city(by, "keep_roster", ONLY_OFFICE)
    team = InspectionTeam.objects.select_for_update(of=("self",)).get(pk=team_id)
    if user is not None and team.members.filter(user=user).exists():
        raise Incomplete(f"{user}已经在{team}里。")
    member = TeamMember.objects.create(
        team=team, name=name, home_unit=home_unit, is_leader=is_leader, user=user
    )
    record("加入督导验收组", by=by, subject=team, member=member.pk)
    return member


@transaction.atomic
def record_visit(
    *,
    draft_key: UUID,
    team_id: int,
    county: County,
    mine: Mine | None,
    purpose: str,
    visited_on: date,
    place: str,
    conclusion: str,
    acceptance: str,
    found: Sequence[ProblemFound],
    photos: Iterable["UploadedFile[bytes]"],
    by: Any,
    at: datetime,
    taken_at: Sequence[datetime] = (),
    position: Position | None = None,
) -> Inspection:
    """Record a visit with its problems and photos; the same draft sent twice is one visit (W-13).

    taken_at: when each photo was taken. position: only when the inspector chose to give it.
    Raise NotAllowed for people outside the team, Incomplete for a day outside the team's period or
    in the future, an acceptance without a mine, a due day before the visit; Refused for photos.
    """
    permissions.check(by, "inspect", county.code, ONLY_INSPECTORS)
    team = InspectionTeam.objects.select_for_update(of=("self",)).get(pk=team_id)
    if not team.members.filter(user=by.pk).exists():
        raise NotAllowed(NOT_IN_TEAM.format(team=team))
    there = Inspection.objects.filter(draft_key=draft_key, by=by.pk).first()
    if there is not None:
        return there
    _check_visit(team, county, mine, purpose, visited_on, acceptance, found, at)
    chosen = list(photos)
    check_photos(chosen)
    visit = Inspection.objects.create(
        draft_key=draft_key,
        team=team,
        county=county,
        mine=mine,
        purpose=purpose,
        visited_on=visited_on,
        place=place,
        conclusion=conclusion,
        acceptance=acceptance,
        recorded_at=at,
        by=by,
        **({} if position is None else asdict(position)),
    )
    for each in found:
        _add(visit, each)
    keep_photos(chosen, inspection=visit, by=by, at=at, taken_at=taken_at)
    record("督导验收记录", by=by, subject=visit, county=county, problems=len(found))
    return visit


def _check_visit(
    team: InspectionTeam,
    county: County,
    mine: Mine | None,
    purpose: str,
    visited_on: date,
    acceptance: str,
    found: Sequence[ProblemFound],
    at: datetime,
) -> None:
    if visited_on > timezone.localdate(at):
        raise Incomplete(f"日期 {visited_on} 还没有到，请填实际到场的日期。")
    if not team.is_at_work(visited_on):
        raise Incomplete(
            f"{team}的期限是 {team.starts_on} 至 {team.ends_on}，{visited_on} 不在内。"
        )
    if mine is not None and mine.county_id != county.code:
        raise Incomplete(f"{mine.name}不在{county.name}，请核对矿山或县（市、区）。")
    if purpose == "accept" and mine is None:
        raise Incomplete("验收是对一座矿山的，请选择矿山。")
    if purpose == "accept" and not acceptance:
        raise Incomplete("请选择验收结论：通过、限期整改或不通过。")
    if purpose != "accept" and acceptance:
        raise Incomplete("督导不下验收结论。要验收的，类别请选“验收”。")
    if acceptance == Conclusion.MEND and not found:
        raise Incomplete("“限期整改”要写明整改的问题和时限。")
    for each in found:
        if each.due_on < visited_on:
            raise Incomplete(f"整改时限 {each.due_on} 早于到场日期 {visited_on}，请核对。")


@transaction.atomic
def add_problem(*, inspection_id: int, found: ProblemFound, by: Any, at: datetime) -> Problem:
    """Add one more problem to a visit. Raise NotAllowed, Incomplete."""
    visit = (
        Inspection.objects.select_for_update(of=("self",))
        .select_related("county")
        .get(pk=inspection_id)
    )
    permissions.check(by, "inspect", visit.county_id, ONLY_INSPECTORS)
    if visit.team is None or not visit.team.members.filter(user=by.pk).exists():
        raise NotAllowed(NOT_IN_TEAM.format(team=visit.team or "这次督导的组"))
    if found.due_on < visit.visited_on:
        raise Incomplete(f"整改时限 {found.due_on} 早于到场日期 {visit.visited_on}，请核对。")
    problem = _add(visit, found)
    record("督导问题补记", by=by, subject=problem, county=visit.county, on=str(at.date()))
    return problem


def _add(visit: Inspection, found: ProblemFound) -> Problem:
    return Problem.objects.create(
        inspection=visit,
        text=found.text,
        severity=found.severity,
        clause=found.clause,
        measure=found.measure,
        responsible_unit=found.responsible_unit,
        due_on=found.due_on,
    )


@transaction.atomic
def step_problem(
    *,
    problem_id: int,
    step: str,
    note: str,
    by: Any,
    at: datetime,
    due_on: date | None = None,
    photos: Iterable["UploadedFile[bytes]"] = (),
) -> Problem:
    """Bring a problem one step on: answer, close (销号), reject, escalate.

    Raise NotAllowed, WrongState when somebody was faster, Incomplete without words or with a new
    due day in the past, Refused for photos.
    """
    taken = PROBLEM_STEPS[step]
    problem = (
        Problem.objects.select_for_update(of=("self",))
        .select_related("inspection__county")
        .get(pk=problem_id)
    )
    visit, today = problem.inspection, timezone.localdate(at)
    permissions.check(by, taken.right, visit.county_id, taken.who)
    if problem.state not in taken.from_states:
        raise WrongState(
            f"这个问题现在是“{problem.get_state_display()}”，不能“{taken.label}”。请刷新页面。"
        )
    if not note.strip():
        raise Incomplete(f"请写明{taken.note_label}。")
    if due_on is not None and taken.sets_due:
        if due_on < today:
            raise Incomplete(f"新的整改时限 {due_on} 已经过去，请填今天或以后的日期。")
        problem.due_on = due_on
    chosen = list(photos) if taken.takes_photos else []
    check_photos(chosen)
    problem.state = taken.to_state
    if taken.to_state == ProblemState.CLOSED:
        problem.closed_on, problem.closing_note = today, note.strip()
    problem.save(update_fields=["state", "due_on", "closed_on", "closing_note"])
    event = ProblemEvent.objects.create(problem=problem, step=step, note=note.strip(), by=by, at=at)
    keep_photos(chosen, inspection=visit, event=event, by=by, at=at)
    if taken.to_state == ProblemState.ESCALATED:
        _dispatch(problem, note.strip(), by=by, at=at)
    record(f"问题{taken.label}", by=by, subject=problem, county=visit.county)
    return problem


def _dispatch(problem: Problem, note: str, *, by: Any, at: datetime) -> None:
    """Send the county an order for a problem that is taken up as a 督办."""
    visit, today = problem.inspection, timezone.localdate(at)
    issue_dispatch(
        title=f"督办整改：{visit}"[:80],
        text=f"{note}\n问题：{problem.text}",
        due_on=max(problem.due_on or today, today),
        units=Organization.objects.filter(county=visit.county_id),
        by=by,
        at=at,
        problem=problem,
    )
