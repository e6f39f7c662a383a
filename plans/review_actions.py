"""Change what reviewers leave on a version: check-list, a unit's opinion, a leader's word.

Every action locks the plan first, so that two people at once get one effect and one sentence.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from plans import permissions
from plans.actions import current_version, lock_plan
from plans.formal_review import formal_items
from plans.gates import unanswered_units
from plans.models import CountyPlan, FormalReview, Opinion, PassedOver, Round
from plans.workflow import State
from shuozhou_mines.errors import Incomplete, NotAllowed, WrongState
from standards.terms import Presence
from taskforce import permissions as rights
from taskforce.models import Organization
from taskforce.trail import record

NOTE_LENGTH = 500


@transaction.atomic
def save_formal_review(
    *, plan_id: int, items: Mapping[str, Mapping[str, str]], by: Any, at: datetime
) -> FormalReview:
    """Keep the check-list of the current version; an item may stay open for now.

    Raises NotAllowed, WrongState outside the formal review, Incomplete for 不充分 or 无 without a
    note, so that the county reads what is wanting.
    """
    plan = lock_plan(plan_id)
    permissions.check_right(by, "review_plan", plan)
    _must_be(plan, State.FORMAL_REVIEW)
    kept = {}
    for rule in formal_items():
        item = items.get(rule.code, {})
        presence, note = item.get("presence", ""), item.get("note", "").strip()[:NOTE_LENGTH]
        if presence in (Presence.WEAK, Presence.ABSENT) and not note:
            label = Presence(presence).label
            raise Incomplete(f"{rule.code} {rule.title}选了“{label}”，请写明缺什么。")
        if presence in set(Presence):
            kept[rule.code] = {"presence": presence, "note": note}
    review, _ = FormalReview.objects.update_or_create(
        version=current_version(plan), defaults={"items": kept, "by": by, "at": at}
    )
    record("形式审查", by=by, subject=plan, county=plan.county, items=len(kept))
    return review


@transaction.atomic
def give_opinion(*, plan_id: int, stance: str, text: str, by: Any, at: datetime) -> Opinion:
    """Record the answer of the person's member unit on the current version.

    Raises NotAllowed, WrongState outside 会签 or when the unit has answered, Incomplete when a
    refusal gives no reason.
    """
    plan = lock_plan(plan_id)
    permissions.check_right(by, "give_opinion", plan)
    if not permissions.can_give_opinion(by, plan):
        raise NotAllowed(permissions.WHO["give_opinion"])
    _must_be(plan, State.CO_SIGNING)
    if stance != Opinion.Stance.AGREE and not text.strip():
        raise Incomplete("不同意或修改后同意的，请写明理由或修改要求。")
    version = current_version(plan)
    try:
        with transaction.atomic():
            opinion = Opinion.objects.create(
                version=version,
                unit=by.organization,
                stance=stance,
                text=text.strip(),
                by=by,
                at=at,
            )
    except IntegrityError as error:
        raise WrongState("本单位已经对这一版方案提交了会签意见。") from error
    record("会签", by=by, subject=plan, county=plan.county, stance=stance, version=version.number)
    return opinion


@transaction.atomic
def pass_over(*, plan_id: int, unit_id: int, note: str, by: Any, at: datetime) -> PassedOver:
    """Let the way go on without a unit that has not answered in time, on a leader's word.

    Raises NotAllowed, WrongState outside 会签 or when the unit has answered, Incomplete before the
    limit has passed or without a note.
    """
    plan = lock_plan(plan_id)
    permissions.check_right(by, "endorse_plan", plan)
    _must_be(plan, State.CO_SIGNING)
    version = current_version(plan)
    unit = Organization.objects.get(pk=unit_id)
    if unit not in unanswered_units(version):
        raise WrongState(f"{unit.name}已经答复，或已有批示。请刷新页面。")
    due_on = co_signing_due_on(plan)
    if due_on is None or timezone.localdate(at) <= due_on:
        until = f"（{due_on} 截止）" if due_on else ""
        raise Incomplete(f"{unit.name}的会签期限还没有到{until}，到期未答复的才能批示。")
    if not note.strip():
        raise Incomplete("请写明批示意见，说明为什么不等这个单位。")
    passed = PassedOver.objects.create(version=version, unit=unit, note=note.strip(), by=by, at=at)
    record("逾期未会签批示", by=by, subject=plan, county=plan.county, unit=unit.name)
    return passed


def co_signing_due_on(plan: CountyPlan) -> Any:
    """Return the last day of the co-signing that is under way; None without a limit."""
    opened = plan.steps.filter(to_state=State.CO_SIGNING).order_by("-pk").first()
    return opened.due_on if opened else None


def _must_be(plan: CountyPlan, state: State) -> None:
    if plan.state != state:
        raise WrongState(f"方案现在是“{plan.get_state_display()}”，不在“{state.label}”环节。")


@transaction.atomic
def set_deadlines(*, name: str, compile_due_on: date, finish_due_on: date, by: Any) -> Round:
    """Set name and deadlines of the open round (clauses 五(一), 五(二)).

    Raises NotAllowed, Incomplete without an open round, for a name that is taken or when the end
    lies before the compilation.
    """
    if not rights.can_anywhere(by, "review_plan"):
        raise NotAllowed("只有专班办公室可以调整本轮期限。")
    current = Round.objects.select_for_update(of=("self",)).filter(is_open=True).first()
    if current is None:
        raise Incomplete("目前没有进行中的轮次。")
    if finish_due_on <= compile_due_on:
        raise Incomplete("实施截止应晚于方案编制截止。")
    if Round.objects.exclude(pk=current.pk).filter(name=name.strip()).exists():
        raise Incomplete("已经有同名的轮次，请换一个名称。")
    before = [str(current.compile_due_on), str(current.finish_due_on)]
    current.name = name.strip()
    current.compile_due_on, current.finish_due_on = compile_due_on, finish_due_on
    current.save(update_fields=["name", "compile_due_on", "finish_due_on"])
    after = [str(compile_due_on), str(finish_due_on)]
    record("调整本轮期限", by=by, subject=current, before=before, after=after)
    return current
