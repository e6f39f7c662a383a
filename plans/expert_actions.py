"""Change the review by experts: keep the pool, draw a panel, answer, step aside, conclude.

Every action locks the plan first, so that two people at once get one effect and one sentence.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.contrib.auth.models import Permission
from django.db import transaction

from plans import permissions
from plans.actions import current_version, lock_plan, step_on
from plans.expert_models import Stance
from plans.models import (
    CountyPlan,
    Expert,
    ExpertRemark,
    Opinion,
    Panel,
    PanelMember,
    PlanGrant,
    PlanVersion,
    RevisionItem,
)
from plans.workflow import REVIEW_AS_EXPERT, STEPS, State
from shuozhou_mines.errors import Incomplete, NotAllowed, WrongState
from taskforce import permissions as rights
from taskforce.models import User
from taskforce.trail import record

SMALLEST, LARGEST = 3, 11
VERDICT_STEPS = {Stance.PASS: "pass", Stance.CHANGE: "pass_if_changed", Stance.REJECT: "reject"}
MILDEST_FIRST = [Stance.PASS, Stance.CHANGE, Stance.REJECT]


def ranked(candidates: Sequence[int], seed: str) -> list[int]:
    """Return expert numbers in the order of the draw; the same seed gives the same order."""
    return sorted(
        candidates, key=lambda number: hashlib.sha256(f"{seed}:{number}".encode()).hexdigest()
    )


@transaction.atomic
def add_expert(
    *, user_id: int, title: str, speciality: str, employer: str, by: Any, at: datetime
) -> Expert:
    """Take a person with the expert's role into the pool, or bring their entry up to date.

    Raises NotAllowed, and Incomplete for a person without the role.
    """
    del at
    _check_office(by)
    user = User.objects.select_for_update(of=("self",)).get(pk=user_id)
    if not user.groups.filter(name="expert:city").exists():
        raise Incomplete(f"{user.name}没有评审专家的角色，请系统管理员先授予角色。")
    expert, _ = Expert.objects.update_or_create(
        user=user,
        defaults={
            "title": title.strip(),
            "speciality": speciality.strip(),
            "employer": employer.strip(),
            "is_active": True,
        },
    )
    record("专家入库", by=by, subject=expert)
    return expert


@transaction.atomic
def retire_expert(*, expert_id: int, by: Any) -> Expert:
    """Take an expert out of the pool; panels under way keep theirs. Raises NotAllowed."""
    _check_office(by)
    expert = Expert.objects.select_for_update(of=("self",)).get(pk=expert_id)
    expert.is_active = False
    expert.save(update_fields=["is_active"])
    record("专家出库", by=by, subject=expert)
    return expert


def _check_office(by: Any) -> None:
    if not rights.can_anywhere(by, "review_plan"):
        raise NotAllowed("只有专班办公室可以维护专家库。")


@transaction.atomic
def draw_panel(
    *,
    plan_id: int,
    size: int,
    set_aside: Mapping[int, str],
    held_on: date | None,
    place: str,
    by: Any,
    at: datetime,
    seed: str = "",
) -> Panel:
    """Draw a panel for the current version at random and let its members see the plan.

    `set_aside` names experts who must step aside, with the reason; those who work for a holder or
    lead enterprise of the plan, or for the county, are set aside by the portal. `seed` is made here
    unless given. Raises NotAllowed, WrongState outside the expert review or when a panel has been
    drawn, Incomplete for an even number or too few experts.
    """
    plan = lock_plan(plan_id)
    permissions.check_right(by, "review_plan", plan)
    _must_be_reviewed(plan)
    version = current_version(plan)
    drawn = Panel.objects.filter(version=version).select_related("drawn_by").first()
    if drawn is not None:
        raise WrongState(f"{drawn.drawn_by.name}已经抽取了专家组。请刷新页面。")
    if size % 2 == 0 or not SMALLEST <= size <= LARGEST:
        raise Incomplete(f"专家组人数应为 {SMALLEST} 至 {LARGEST} 人的单数，现在是 {size}。")
    aside = {**conflicts_of(version), **{pk: why for pk, why in set_aside.items() if why.strip()}}
    pool = list(Expert.objects.filter(is_active=True, user__is_active=True))
    eligible = [expert.pk for expert in pool if expert.pk not in aside]
    if len(eligible) < size:
        raise Incomplete(
            f"专家库可抽取的专家只有 {len(eligible)} 人，抽不出 {size} 人。请补充专家库或减少人数。"
        )
    seed = seed or secrets.token_hex(16)
    panel = Panel.objects.create(
        version=version,
        seed=seed,
        size=size,
        order=ranked(eligible, seed),
        set_aside=[{"expert": pk, "why": why} for pk, why in sorted(aside.items())],
        held_on=held_on,
        place=place.strip(),
        drawn_by=by,
        drawn_at=at,
    )
    for rank, expert_id in enumerate(panel.order[:size], 1):
        _seat(panel, plan, expert_id, rank, at=at)
    record("抽取评审专家", by=by, subject=plan, county=plan.county, seed=seed, size=size)
    return panel


def conflicts_of(version: PlanVersion) -> dict[int, str]:
    """Return the experts whose employer has a part in the plan, with the reason in words."""
    plan = version.plan
    parties = {
        name
        for name in (
            *version.dispositions.values_list("mine__holder__name", flat=True),
            *version.areas.values_list("lead_enterprise", flat=True),
        )
        if name
    }
    found = {}
    for expert in Expert.objects.filter(is_active=True):
        party = next((name for name in parties if name in expert.employer), "")
        if party:
            found[expert.pk] = f"工作单位与方案涉及的企业（{party}）有关"
        elif plan.county.name in expert.employer:
            found[expert.pk] = f"工作单位在编制方案的{plan.county.name}"
    return found


def _seat(panel: Panel, plan: CountyPlan, expert_id: int, rank: int, *, at: datetime) -> None:
    member = PanelMember.objects.create(panel=panel, expert_id=expert_id, rank=rank)
    PlanGrant.objects.update_or_create(
        user=member.expert.user,
        permission=_permission(),
        content_object=plan,
        defaults={"starts_at": at, "ends_at": None},
    )


def _permission() -> Permission:
    return Permission.objects.get(
        content_type__app_label="plans", content_type__model="countyplan", codename=REVIEW_AS_EXPERT
    )


def _end_grants(plan: CountyPlan, users: Sequence[int], at: datetime) -> None:
    PlanGrant.objects.filter(content_object=plan, user__in=users, ends_at=None).update(ends_at=at)


@transaction.atomic
def step_aside(*, plan_id: int, why: str, by: Any, at: datetime) -> PanelMember:
    """Let an expert leave a panel with a reason; the next of the draw takes the seat.

    Raises NotAllowed, WrongState outside the review, Incomplete without a reason or when nobody is
    left to take the seat.
    """
    plan = lock_plan(plan_id)
    member = _own_seat(plan, by)
    if not why.strip():
        raise Incomplete("请写明回避的理由。")
    panel = member.panel
    taken = set(panel.members.values_list("expert_id", flat=True))
    following = [number for number in panel.order if number not in taken]
    active = set(Expert.objects.filter(is_active=True).values_list("pk", flat=True))
    successor = next((number for number in following if number in active), None)
    if successor is None:
        raise Incomplete("专家库里没有可以替补的专家，请专班办公室先补充专家库。")
    member.stepped_aside_at, member.stepped_aside_why = at, why.strip()[:200]
    member.save(update_fields=["stepped_aside_at", "stepped_aside_why"])
    _end_grants(plan, [by.pk], at)
    _seat(panel, plan, successor, panel.order.index(successor) + 1, at=at)
    record("评审专家回避", by=by, subject=plan, county=plan.county, reason=why.strip()[:200])
    return member


@transaction.atomic
def add_remark(
    *,
    plan_id: int,
    text: str,
    must_change: bool,
    mine_id: int | None,
    area_id: int | None,
    clause: str,
    by: Any,
    at: datetime,
) -> ExpertRemark:
    """Record what an expert says on the plan, on one mine or area of it, or on a clause.

    Raises NotAllowed, WrongState outside the review or after the expert's own answer, Incomplete
    without words or for a mine or area that is not in the version.
    """
    plan = lock_plan(plan_id)
    member = _own_seat(plan, by)
    if member.stance:
        raise WrongState("你已经提交了评审结论，不能再加意见。")
    if not text.strip():
        raise Incomplete("请写明意见。")
    version = member.panel.version
    if mine_id and not version.dispositions.filter(mine=mine_id).exists():
        raise Incomplete("这座矿山不在这一版方案里。请刷新页面后重选。")
    if area_id and not version.areas.filter(pk=area_id).exists():
        raise Incomplete("这个整合区不在这一版方案里。请刷新页面后重选。")
    if mine_id and area_id:
        raise Incomplete("一条意见只针对一座矿山或一个整合区，请分两条填写。")
    remark = ExpertRemark.objects.create(
        member=member, text=text.strip(), must_change=must_change, mine_id=mine_id,
        area_id=area_id, clause=clause.strip(), at=at,
    )  # fmt: skip
    record("专家意见", by=by, subject=plan, county=plan.county, remark=remark.pk)
    return remark


@transaction.atomic
def give_stance(*, plan_id: int, stance: str, summary: str, by: Any, at: datetime) -> PanelMember:
    """Record an expert's own answer, once.

    Raises NotAllowed, WrongState outside the review or the second time, Incomplete when a change is
    asked for without saying which, or a refusal gives no reason.
    """
    plan = lock_plan(plan_id)
    member = _own_seat(plan, by)
    if member.stance:
        raise WrongState("你已经提交了评审结论。")
    if stance == Stance.CHANGE and not member.remarks.filter(must_change=True).exists():
        raise Incomplete("选“修改后通过”的，请先至少写一条必须修改的意见。")
    if stance == Stance.REJECT and not summary.strip():
        raise Incomplete("选“不通过”的，请写明理由。")
    member.stance, member.summary, member.answered_at = stance, summary.strip(), at
    member.save(update_fields=["stance", "summary", "answered_at"])
    record("专家结论", by=by, subject=plan, county=plan.county, stance=stance)
    return member


def verdict_of(stances: Sequence[str]) -> Stance:
    """Return the middle answer of an odd number of answers: more than half hold it or milder."""
    ordered = sorted((Stance(stance) for stance in stances), key=MILDEST_FIRST.index)
    return ordered[len(ordered) // 2]


@transaction.atomic
def conclude(
    *, plan_id: int, overall: str, merits: str, by: Any, at: datetime, seen_state: str
) -> Panel:
    """Let the chair conclude: the verdict is the middle of all answers, and the plan moves on.

    Raises NotAllowed for anybody but the chair, WrongState, Incomplete while a member has not
    answered or without an overall appraisal.
    """
    plan = lock_plan(plan_id)
    member = _own_seat(plan, by)
    panel = Panel.objects.select_for_update(of=("self",)).get(pk=member.panel_id)
    sitting = list(panel.sitting())
    if sitting[0].pk != member.pk:
        raise NotAllowed(f"评审结论由专家组组长{sitting[0].expert}提交。")
    open_names = [each.expert.user.name for each in sitting if not each.stance]
    if open_names:
        raise Incomplete(f"还有专家没有提交结论：{'、'.join(open_names)}。")
    if not overall.strip():
        raise Incomplete("请写明总体评价。")
    verdict = verdict_of([each.stance for each in sitting])
    step_on(plan, STEPS[VERDICT_STEPS[verdict]], by=by, at=at, seen_state=seen_state, note=overall)
    panel.verdict, panel.overall, panel.merits = verdict, overall.strip(), merits.strip()
    panel.concluded_at = at
    panel.save(update_fields=["verdict", "overall", "merits", "concluded_at"])
    if verdict == Stance.CHANGE:
        RevisionItem.objects.bulk_create(_revisions(panel))
    _end_grants(plan, [each.expert.user_id for each in sitting], at)
    return panel


def _revisions(panel: Panel) -> list[RevisionItem]:
    """Return what the experts want changed, and what the units asked for beside their consent."""
    remarks = ExpertRemark.objects.filter(
        member__panel=panel, member__stepped_aside_at=None, must_change=True
    ).select_related("member__expert__user", "mine", "area")
    asked = [
        RevisionItem(
            panel=panel, source=f"专家 {remark.member.expert}", about=remark.about[:200],
            asked=remark.text,
        )
        for remark in remarks.order_by("member__rank", "pk")
    ]  # fmt: skip
    units = panel.version.opinions.filter(stance=Opinion.Stance.AGREE_IF_CHANGED)
    return asked + [
        RevisionItem(
            panel=panel, source=row.unit.short_name, about="方案全文", asked=row.text
        )
        for row in units.select_related("unit")
    ]  # fmt: skip


@transaction.atomic
def answer_revision(*, item_id: int, answer: str, page: str, by: Any, at: datetime) -> RevisionItem:
    """Record how the county has met one demand, and on which page; may be corrected until sent.

    Raises NotAllowed, WrongState when the plan is not being revised, Incomplete without words.
    """
    plan_id = RevisionItem.objects.values_list("panel__version__plan_id", flat=True).get(pk=item_id)
    plan = lock_plan(plan_id)
    permissions.check_right(by, "draft_plan", plan)
    if plan.state != State.REVISING:
        raise WrongState(f"方案现在是“{plan.get_state_display()}”，修改说明不能再改。")
    if not answer.strip():
        raise Incomplete("请写明怎样修改的；没有采纳的，写明理由。")
    item = RevisionItem.objects.select_for_update(of=("self",)).get(pk=item_id)
    item.answer, item.page = answer.strip(), page.strip()
    item.answered_by, item.answered_at = by, at
    item.save(update_fields=["answer", "page", "answered_by", "answered_at"])
    record("填写修改说明", by=by, subject=plan, county=plan.county, item=item.pk)
    return item


def _must_be_reviewed(plan: CountyPlan) -> None:
    if plan.state != State.EXPERT_REVIEW:
        raise WrongState(f"方案现在是“{plan.get_state_display()}”，不在“专家评审”环节。")


def _own_seat(plan: CountyPlan, by: Any) -> PanelMember:
    """Return the seat of this person on the panel of a locked plan."""
    seat = permissions.seat_of(by, plan)
    if seat is None:
        raise NotAllowed(permissions.WHO[REVIEW_AS_EXPERT])
    _must_be_reviewed(plan)
    return seat
