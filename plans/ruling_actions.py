"""Change what findings mean: ask for a new check, rule on a finding, confirm another's ruling.

Rulings lock the plan first, so that of two people at once the second is told who was faster.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from plans import tasks
from plans.actions import lock_plan
from plans.models import CountyPlan, Finding, PlanVersion, Ruling
from plans.rulings import RULED, is_newest
from plans.workflow import RULING_OPEN
from shuozhou_mines.errors import Incomplete, NotAllowed, WrongState
from shuozhou_mines.models import Job
from standards.terms import Verdict
from taskforce import permissions as rights
from taskforce.trail import record

MAY_ASK = ("draft_plan", "confirm_plan", "review_plan")
WHO_ASKS = "只有本县（市、区）的编制、审定人员和专班办公室可以要求重新检查。"
WHO_RULES = "只有专班办公室可以对检查结果作出认定。"


def may_ask(user: Any, plan: CountyPlan) -> bool:
    """Tell whether this user may have the plan checked again."""
    return any(rights.can(user, right, plan.county_id) for right in MAY_ASK)


def may_rule(user: Any, plan: CountyPlan) -> bool:
    """Tell whether this user may rule on findings of the plan as it stands."""
    return plan.state in RULING_OPEN and rights.can(user, "review_plan", plan.county_id)


def request_check(*, version_id: int, by: Any) -> Job:
    """Queue a new check of the plan's newest version, or return the one that is under way.

    Raises NotAllowed, and WrongState for a version that is not the newest or was not read.
    """
    version = PlanVersion.objects.select_related("plan__county").get(pk=version_id)
    if not may_ask(by, version.plan):
        raise NotAllowed(WHO_ASKS)
    with transaction.atomic():
        plan = lock_plan(version.plan_id)
        newest = plan.versions.first()
        if newest is None or newest.pk != version.pk:
            raise WrongState("这已经不是最新版本。请打开最新版本，再重新检查。")
        if newest.state != PlanVersion.State.READ:
            raise WrongState(f"第{newest.number}版{newest.get_state_display()}，读入之后才能检查。")
        job = tasks.queue_check(newest, by=by)
        record("重新检查", by=by, subject=newest, county=plan.county)
    return job


@transaction.atomic
def rule_on(
    *,
    finding_id: int,
    decision: str,
    reason: str,
    basis_document: str,
    seen: int,
    by: Any,
    at: datetime,
) -> Ruling:
    """Record what the office decides on a finding; the machine's verdict stays beside it.

    `seen` is the newest ruling on this subject that the person saw, 0 for none. To let a failure
    pass, a second person has to confirm. Raises NotAllowed, WrongState when somebody was faster or
    the findings are no longer the newest, Incomplete without reason and document.
    """
    finding = Finding.objects.select_related("run__version").get(pk=finding_id)
    plan = lock_plan(finding.run.version.plan_id)
    _check_open(plan, finding, by)
    if finding.verdict not in RULED:
        raise Incomplete("只有不符合、待研判、缺数据的检查结果才需要认定。")
    if not reason.strip() or not basis_document.strip():
        raise Incomplete("认定必须写明理由和依据文件，请补充后再提交。")
    newest = _rulings_on(plan, finding).select_related("by").first()
    if (newest.pk if newest else 0) != seen:
        raise WrongState(_who_was_faster(newest))
    ruling = Ruling.objects.create(
        plan=plan,
        finding=finding,
        rule=finding.rule,
        subject_kind=finding.subject_kind,
        subject_key=finding.subject_key,
        basis_hash=finding.basis_hash,
        verdict=finding.verdict,
        decision=decision,
        reason=reason.strip(),
        basis_document=basis_document.strip(),
        by=by,
        at=at,
        needs_confirmation=(finding.verdict == Verdict.FAIL and decision != Ruling.Decision.FAILS),
    )
    _trail("认定检查结果", ruling, plan, by)
    return ruling


@transaction.atomic
def confirm_ruling(*, ruling_id: int, by: Any, at: datetime) -> Ruling:
    """Confirm another person's ruling that lets a failure pass.

    Raises NotAllowed for the person who made it, WrongState when it has been confirmed or replaced
    or rests on findings that are no longer the newest.
    """
    found = Ruling.objects.select_related("finding__run__version").get(pk=ruling_id)
    plan = lock_plan(found.plan_id)
    _check_open(plan, found.finding, by)
    ruling = Ruling.objects.select_for_update(of=("self",)).get(pk=ruling_id)
    if by.pk == ruling.by_id:
        raise NotAllowed("作出认定的人不能自己确认，请由专班办公室的另一人确认。")
    newest = _rulings_on(plan, found.finding).select_related("by").first()
    if newest is None or newest.pk != ruling.pk:
        raise WrongState(_who_was_faster(newest))
    if ruling.is_effective:
        raise WrongState("这条认定已经确认过，不需要再确认。请刷新页面。")
    ruling.confirmed_by, ruling.confirmed_at = by, at
    ruling.save(update_fields=["confirmed_by", "confirmed_at"])
    _trail("确认认定", ruling, plan, by)
    return ruling


def _check_open(plan: CountyPlan, finding: Finding, by: Any) -> None:
    rights.check(by, "review_plan", plan.county_id, WHO_RULES)
    if plan.state not in RULING_OPEN:
        raise WrongState(
            f"方案现在是“{plan.get_state_display()}”，检查结果不能再认定。请看认定记录。"
        )
    if not is_newest(finding.run):
        raise WrongState("这一条已经有新的检查结果。请刷新页面，对最新的检查结果作出认定。")


def _rulings_on(plan: CountyPlan, finding: Finding) -> Any:
    return plan.rulings.filter(
        rule=finding.rule, subject_kind=finding.subject_kind, subject_key=finding.subject_key
    ).order_by("-pk")


def _who_was_faster(ruling: Ruling | None) -> str:
    if ruling is None:
        return "页面上的认定记录已经变化。请刷新页面后再决定。"
    moment = f"{timezone.localtime(ruling.at):%Y-%m-%d %H:%M}"
    return (
        f"{ruling.by.name}已在 {moment} 对这一条作出“{ruling.get_decision_display()}”。"
        "请刷新页面，看过理由后再决定。"
    )


def _trail(act: str, ruling: Ruling, plan: CountyPlan, by: Any) -> None:
    record(
        act,
        by=by,
        subject=plan,
        county=plan.county,
        rule=ruling.rule,
        subject_key=ruling.subject_key,
        verdict=ruling.verdict,
        decision=ruling.decision,
        ruling=ruling.pk,
    )
