"""Publish an approved plan, and withdraw a notice that was wrong."""

from datetime import date, datetime, time
from typing import Any

from django.db import transaction
from django.utils import timezone

from plans.actions import lock_plan, step_on
from plans.approval_actions import take_over
from plans.models import CountyPlan, PlanVersion
from plans.permissions import check_right
from plans.workflow import STEPS, State
from publicity import tasks
from publicity.freezing import freeze, hash_of
from publicity.models import Notice, NoticeShape, Objection
from shuozhou_mines import jobs
from shuozhou_mines.errors import Incomplete, WrongState
from standards.terms import Disposition
from taskforce.trail import record
from taskforce.working_days import last_working_day

CLOSING_TIME = time(18, 0)


@transaction.atomic
def publish_notice(
    *,
    plan_id: int,
    working_days: int,
    starts_on: date,
    by: Any,
    at: datetime,
    seen_state: str,
) -> Notice:
    """Freeze the approved version and show it to the public for some working days (六(三)).

    The first day does not count. After a withdrawal it is a correction that names the old notice.
    Raises NotAllowed, WrongState when the plan is not approved, and Incomplete for a start before
    today or a plan that an upheld objection has sent into adjustment.
    """
    plan = lock_plan(plan_id)
    step_on(plan, STEPS["publish"], by=by, at=at, seen_state=seen_state)
    if Objection.objects.filter(notice__plan=plan, upheld=True).exists():
        raise Incomplete("对这份方案的异议已经认定成立：请先调整方案，再公示调整后的方案。")
    adjusted = _end_notice_of_adjusted(take_over(plan, by=by, at=at), at=at)
    if starts_on < timezone.localdate(at):
        raise Incomplete("公示开始日期不能早于今天。")
    version = PlanVersion.objects.select_related("plan__county", "plan__round").get(
        pk=plan.approval.version_id
    )
    content = freeze(version)
    replaced = corrected_by_next(plan) or adjusted
    last_day = last_working_day(starts_on, working_days)
    notice = Notice.objects.create(
        plan=plan,
        version=version,
        replaces=replaced,
        title=f"{plan.county.name}非煤矿山整治整合实施方案{_kind_of(plan, replaced)}公示",
        working_days=working_days,
        starts_on=starts_on,
        ends_at=timezone.make_aware(datetime.combine(last_day, CLOSING_TIME)),
        content=content,
        sha256=hash_of(content),
        published_at=at,
        published_by=by,
    )
    _freeze_shapes(notice, version)
    record("公示方案", by=by, subject=notice, county=plan.county, sha256=notice.sha256)
    jobs.enqueue(kind=tasks.DOCUMENTS, subject=notice, key=str(notice.pk), by=by)
    return notice


def _kind_of(plan: CountyPlan, replaced: Notice | None) -> str:
    if replaced is not None and replaced.plan_id == plan.pk:
        return "更正"
    return "（调整）" if plan.adjusts_id else ""


def _end_notice_of_adjusted(earlier: CountyPlan | None, *, at: datetime) -> Notice | None:
    """Withdraw the notice of a plan that an adjustment replaces; it stays visible as replaced.

    Where an upheld objection has withdrawn it before, that is the one replaced.
    """
    if earlier is None:
        return None
    notice = Notice.objects.in_force().filter(plan=earlier).first()
    if notice is None:
        return corrected_by_next(earlier)
    notice.withdrawn_at, notice.withdrawn_reason = at, "方案已经调整，以调整后的公示为准。"
    notice.save(update_fields=["withdrawn_at", "withdrawn_reason"])
    return notice


def corrected_by_next(plan: CountyPlan) -> Notice | None:
    """Return the last withdrawn notice, which the next one corrects; each is corrected once."""
    return plan.notices.filter(withdrawn_at__isnull=False, replaced_by__isnull=True).first()


def _freeze_shapes(notice: Notice, version: PlanVersion) -> None:
    """Copy the outlines as they are on this day; later changes of the registry do not show."""
    facts = {row["registry_no"]: row for row in notice.content["mines"]}
    mines = version.dispositions.filter(mine__boundary__isnull=False).select_related(
        "mine__boundary"
    )
    shapes = [
        NoticeShape(
            notice=notice,
            kind="mine",
            name=row.mine.name,
            label=row.kind,
            facts=facts[row.mine.registry_no],
            outline=row.mine.boundary.outline,
        )
        for row in mines
    ]
    areas = {row["code"]: row for row in notice.content["areas"]}
    shapes += [
        NoticeShape(
            notice=notice,
            kind="area",
            name=f"{area.code} {area.name}",
            label=Disposition.MERGE.value,
            facts=areas[area.code],
            outline=area.outline,  # type: ignore[misc]  # filtered: it is there
        )
        for area in version.areas.filter(outline__isnull=False)
    ]
    NoticeShape.objects.bulk_create(shapes)


@transaction.atomic
def withdraw_notice(
    *, notice_id: int, reason: str, by: Any, at: datetime, adjusting: bool = False
) -> Notice:
    """Withdraw a notice; it stays visible as withdrawn, and the plan may be published anew.

    A plan that has been issued meanwhile stays so: its notice goes only when it is `adjusting`.

    Raises NotAllowed, WrongState when it has been withdrawn before, Incomplete without a reason.
    """
    plan = lock_plan(Notice.objects.values_list("plan_id", flat=True).get(pk=notice_id))
    notice = Notice.objects.select_for_update(of=("self",)).get(pk=notice_id)
    check_right(by, "publish_plan", plan)
    if notice.withdrawn_at is not None:
        raise WrongState("这份公示已经撤回。")
    if not reason.strip():
        raise Incomplete("撤回公示必须写明原因，原因会对外公开。")
    notice.withdrawn_at = at
    notice.withdrawn_reason = reason.strip()
    notice.save(update_fields=["withdrawn_at", "withdrawn_reason"])
    if adjusting and plan.state != State.PUBLISHED:
        record("撤回公示", by=by, subject=notice, county=plan.county, reason=reason.strip())
    else:
        step_on(plan, STEPS["withdraw"], by=by, at=at, seen_state=plan.state, note=reason)
    return notice
