"""Issue a published plan for implementation (印发实施, clause 五(二))."""

from datetime import date, datetime
from typing import Any

from django.utils import timezone

from plans.actions import step_on
from plans.approval_actions import Kind, check_day, keep_document, with_scan
from plans.models import CountyPlan, OfficialDocument
from plans.workflow import STEPS
from publicity.models import Notice, Objection
from shuozhou_mines.errors import Incomplete
from shuozhou_mines.storage import StoredFile


def issue_plan(
    *,
    plan_id: int,
    document_number: str,
    dated_on: date,
    organ: str,
    scan: Any,
    note: str,
    by: Any,
    at: datetime,
    seen_state: str,
) -> OfficialDocument:
    """Record the document that issues a plan: number, day, organ, scan.

    Raises NotAllowed, WrongState, Refused for a bad scan, and Incomplete for a wrong day, while an
    objection is open, or before the end of the notice without a word on why.
    """

    def write(plan: CountyPlan, stored: StoredFile) -> OfficialDocument:
        step_on(plan, STEPS["issue"], by=by, at=at, seen_state=seen_state, note=note)
        check_day(plan, dated_on, at, "印发")
        _check_publicity(plan, note, at)
        return keep_document(
            plan, Kind.ISSUE, stored, document_number, dated_on, organ, by=by, at=at
        )

    return with_scan(plan_id, scan, right="publish_plan", by=by, write=write)


def _check_publicity(plan: CountyPlan, note: str, at: datetime) -> None:
    notice = Notice.objects.in_force().filter(plan=plan).first()
    open_cases = Objection.objects.undecided().filter(notice__plan=plan).count()
    if open_cases:
        raise Incomplete(f"还有 {open_cases} 件异议没有办结。请先办结异议，再印发实施。")
    if notice is not None and notice.ends_at > at and not note.strip():
        raise Incomplete(
            f"公示到 {timezone.localtime(notice.ends_at):%Y-%m-%d} 才结束。"
            "确需提前印发的，请在说明里写明理由和批准人。"
        )
