"""Record the documents that move a plan on: approval, filing, reply, issue; each with its scan."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone

from plans import permissions
from plans.actions import current_version, lock_plan, step_on
from plans.models import Approval, CountyPlan, OfficialDocument, PlanTask
from plans.scans import keep_scan
from plans.workflow import STEPS, State
from shuozhou_mines.errors import Incomplete, WrongState
from shuozhou_mines.storage import StoredFile, discard
from taskforce.trail import record

Kind = OfficialDocument.Kind
Row = TypeVar("Row")


def record_approval(
    *,
    plan_id: int,
    document_number: str,
    approved_on: date,
    scan: Any,
    by: Any,
    at: datetime,
    seen_state: str,
) -> Approval:
    """Record the city government's approval: number, day and scan.

    Raises NotAllowed, WrongState, Refused for a bad scan, and Incomplete for an approval dated in
    the future or before the submission.
    """

    def write(plan: CountyPlan, stored: StoredFile) -> Approval:
        step_on(plan, STEPS["approve"], by=by, at=at, seen_state=seen_state, note=document_number)
        check_day(plan, approved_on, at, "批准")
        return Approval.objects.create(
            plan=plan,
            version=current_version(plan),
            document_number=document_number.strip(),
            approved_on=approved_on,
            scan=stored.name,
            scan_sha256=stored.sha256,
            by=by,
            at=at,
        )

    return with_scan(plan_id, scan, right="approve_plan", by=by, write=write)


def record_filing(
    *,
    plan_id: int,
    document_number: str,
    dated_on: date,
    organ: str,
    scan: Any,
    by: Any,
    at: datetime,
) -> OfficialDocument:
    """Record the 报批 to the province: number, day, to which organ, scan; the plan stays there.

    Raises NotAllowed, WrongState when it is not at the province or has been filed, Refused for a
    bad scan, Incomplete for a wrong day.
    """

    def write(plan: CountyPlan, stored: StoredFile) -> OfficialDocument:
        if plan.state != State.PROVINCE:
            raise WrongState(f"方案现在是“{plan.get_state_display()}”，不在“省级报批”环节。")
        filed = plan.documents.filter(kind=Kind.FILING).first()
        if filed is not None:
            raise WrongState(f"{filed.by.name}已经登记了报批文件 {filed.document_number}。")
        check_day(plan, dated_on, at, "报批")
        document = keep_document(
            plan, Kind.FILING, stored, document_number, dated_on, organ, by=by, at=at
        )
        record("登记省级报批", by=by, subject=plan, county=plan.county, number=document_number)
        return document

    return with_scan(plan_id, scan, right="approve_plan", by=by, write=write)


def record_reply(
    *,
    plan_id: int,
    document_number: str,
    dated_on: date,
    organ: str,
    scan: Any,
    by: Any,
    at: datetime,
    seen_state: str,
) -> OfficialDocument:
    """Record the reply (批复) and turn the plan's rows into tasks (五(二)).

    An adjustment's rows become tasks when it takes over. Raises NotAllowed, WrongState, Refused for
    a bad scan, Incomplete for a wrong day or before the filing.
    """

    def write(plan: CountyPlan, stored: StoredFile) -> OfficialDocument:
        step_on(plan, STEPS["reply"], by=by, at=at, seen_state=seen_state, note=document_number)
        check_day(plan, dated_on, at, "批复")
        document = keep_document(
            plan, Kind.REPLY, stored, document_number, dated_on, organ, by=by, at=at
        )
        if plan.adjusts_id is None:
            make_tasks(plan)
        return document

    return with_scan(plan_id, scan, right="approve_plan", by=by, write=write)


def take_over(plan: CountyPlan, *, by: Any, at: datetime) -> CountyPlan | None:
    """Let a locked adjustment take the place of the plan it adjusts, with its tasks.

    What has been proven stays proven; a mine with another disposition starts anew. Returns the plan
    that was replaced, None when this is no adjustment.
    """
    if plan.adjusts_id is None:
        return None
    earlier = lock_plan(plan.adjusts_id)
    if earlier.state == State.SUPERSEDED:
        return earlier
    step_on(
        earlier, STEPS["supersede"], by=by, at=at, seen_state=earlier.state, note=plan.adjusts_why
    )
    rows = {row.mine_id: row for row in current_version(plan).dispositions.all()}
    for task in earlier.tasks.all():
        row = rows.pop(task.mine_id, None)
        if row is None:
            continue
        if task.kind != row.kind:
            task.kind, task.done_on, task.evidence = row.kind, None, ""
        task.due_on = row.due_on or plan.round.finish_due_on
        task.plan = plan
        task.save(update_fields=["plan", "kind", "done_on", "evidence", "due_on"])
    make_tasks(plan, only=set(rows))
    return earlier


def make_tasks(plan: CountyPlan, only: set[int] | None = None) -> None:
    """Make a task of every row of the current version, or of the rows of some mines."""
    PlanTask.objects.bulk_create(
        PlanTask(
            plan=plan,
            mine_id=row.mine_id,
            kind=row.kind,
            due_on=row.due_on or plan.round.finish_due_on,
        )
        for row in current_version(plan).dispositions.all()
        if only is None or row.mine_id in only
    )


def with_scan(
    plan_id: int,
    scan: Any,
    *,
    right: str,
    by: Any,
    write: Callable[[CountyPlan, StoredFile], Row],
) -> Row:
    """Store a scan and write what it proves under the plan's lock; a refusal leaves no file."""
    permissions.check_right(by, right, CountyPlan.objects.get(pk=plan_id))
    stored = keep_scan(scan)
    try:
        with transaction.atomic():
            return write(lock_plan(plan_id), stored)
    except BaseException:
        discard(stored)
        raise


def keep_document(
    plan: CountyPlan,
    kind: OfficialDocument.Kind,
    stored: StoredFile,
    document_number: str,
    dated_on: date,
    organ: str,
    *,
    by: Any,
    at: datetime,
) -> OfficialDocument:
    """Write one document of a locked plan."""
    return OfficialDocument.objects.create(
        plan=plan,
        kind=kind,
        document_number=document_number.strip(),
        dated_on=dated_on,
        organ=organ.strip(),
        scan=stored.name,
        scan_sha256=stored.sha256,
        by=by,
        at=at,
    )


def check_day(plan: CountyPlan, day: date, at: datetime, what: str) -> None:
    """Raise Incomplete for a day after today or before the plan was submitted."""
    if day > timezone.localdate(at):
        raise Incomplete(f"{what}日期不能晚于今天。")
    if plan.submitted_at is not None and day < timezone.localdate(plan.submitted_at):
        raise Incomplete(f"{what}日期不能早于方案报送的日期。")
