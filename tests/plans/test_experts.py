"""Hold the review by experts: the draw, who sees what and when, the verdict, the revision."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from plans.actions import take_step
from plans.expert_actions import (
    add_expert,
    add_remark,
    answer_revision,
    conclude,
    draw_panel,
    give_stance,
    ranked,
    retire_expert,
    step_aside,
    verdict_of,
)
from plans.models import CountyPlan, Expert, Opinion, Panel, RevisionItem
from plans.review_documents import PAPERS
from plans.waiting import waiting_for
from plans.workflow import State
from shuozhou_mines.errors import Incomplete, NotAllowed, WrongState
from taskforce.models import User
from tests.conftest import SHUOCHENG
from tests.factories import (
    REVIEWED_AT,
    SIGNED_AT,
    add_version,
    answer_as,
    draw,
    make_experts,
    plan_at,
)


@pytest.fixture
def plan(people, counties) -> CountyPlan:
    """Return a plan of 朔城区 that waits for its experts."""
    return plan_at(State.EXPERT_REVIEW, people, counties[SHUOCHENG])


def draw_of(plan: CountyPlan, people: Any, size: int = 3, **more: Any) -> Panel:
    return draw_panel(
        plan_id=plan.pk, size=size, held_on=None, place="", by=people["office"], at=SIGNED_AT,
        **{"set_aside": {}, **more},
    )  # fmt: skip


def sees(plan: CountyPlan, user: Any) -> bool:
    return CountyPlan.objects.visible_to(user).filter(pk=plan.pk).exists()


def remark(plan: CountyPlan, by: Any, **more: Any) -> Any:
    return add_remark(
        plan_id=plan.pk, by=by, at=REVIEWED_AT,
        **{"text": "请补。", "must_change": True, "mine_id": None, "area_id": None, "clause": "",
           **more},
    )  # fmt: skip


# --- the draw ------------------------------------------------------------------------------------


def test_a_draw_can_be_drawn_again(plan, people) -> None:
    experts = make_experts(people, 5)
    panel = draw_of(plan, people)
    numbers = [expert.pk for expert in experts]
    assert panel.order == ranked(numbers, panel.seed)
    assert sorted(panel.order) == numbers
    assert list(panel.members.values_list("expert", "rank")) == [
        (number, at) for at, number in enumerate(panel.order[:3], 1)
    ]
    assert ranked([1, 2, 3, 4, 5], "seed") == ranked([5, 4, 3, 2, 1], "seed")
    assert ranked(range(50), "a") != ranked(range(50), "b")
    with pytest.raises(WrongState, match="专班办公室测试员已经抽取了专家组。请刷新页面。"):
        draw_of(plan, people)


def test_a_panel_is_odd_and_the_pool_large_enough(plan, people) -> None:
    make_experts(people, 4)
    for size in (1, 2, 4, 13):
        with pytest.raises(Incomplete, match=f"应为 3 至 11 人的单数，现在是 {size}。"):
            draw_of(plan, people, size)
    with pytest.raises(Incomplete, match="可抽取的专家只有 4 人，抽不出 5 人。"):
        draw_of(plan, people, 5)
    assert not Panel.objects.exists()


def test_who_has_a_part_in_the_plan_steps_aside(plan, people) -> None:
    experts = make_experts(people, 6)
    Expert.objects.filter(pk=experts[0].pk).update(employer="测试矿业1公司技术部")
    Expert.objects.filter(pk=experts[1].pk).update(employer="朔城区自然资源局")
    retire_expert(expert_id=experts[2].pk, by=people["office"])
    with pytest.raises(Incomplete, match="可抽取的专家只有 2 人"):
        draw_of(plan, people, set_aside={experts[3].pk: "师生关系"})
    panel = draw_of(plan, people)
    assert sorted(panel.order) == [experts[3].pk, experts[4].pk, experts[5].pk]
    assert panel.set_aside == [
        {"expert": experts[0].pk, "why": "工作单位与方案涉及的企业（测试矿业1公司）有关"},
        {"expert": experts[1].pk, "why": "工作单位在编制方案的朔城区"},
    ]


def test_only_the_office_keeps_the_pool(people) -> None:
    given = {"title": "高工", "speciality": "采矿", "employer": "测试院", "at": SIGNED_AT}
    with pytest.raises(NotAllowed, match="只有专班办公室可以维护专家库。"):
        add_expert(user_id=people["expert"].pk, by=people["city_leader"], **given)
    with pytest.raises(Incomplete, match="没有评审专家的角色"):
        add_expert(user_id=people["inspector"].pk, by=people["office"], **given)
    expert = add_expert(user_id=people["expert"].pk, by=people["office"], **given)
    assert add_expert(user_id=people["expert"].pk, by=people["office"], **given) == expert


# --- who sees what, and when ---------------------------------------------------------------------


def test_an_expert_sees_the_plan_only_while_assigned(plan, people, counties) -> None:
    make_experts(people, 5)
    other = plan_at(State.SUBMITTED, people, counties["140603"])
    users = list(User.objects.filter(username__startswith="expert").order_by("pk"))
    assert [sees(plan, user) for user in users] == [False] * 5
    panel = draw_of(plan, people)
    sitting = {member.expert.user for member in panel.sitting()}
    assert {user for user in users if sees(plan, user)} == sitting
    assert not any(sees(other, user) for user in users)
    member = next(iter(sitting))
    client = Client()
    client.force_login(member, "django.contrib.auth.backends.ModelBackend")
    for part in ("overview", "mines", "findings", "panel"):
        page = client.get(reverse("plan", args=[plan.pk]), {"part": part})
        assert page.status_code == 200, part
    assert [line["label"] for line in waiting_for(member)] == ["朔城区方案：评审"]
    # What the experts say is theirs and the office's until they conclude.
    remark(plan, member, text="内部意见一条。")
    clerk = Client()
    clerk.force_login(people["county_clerk"], "django.contrib.auth.backends.ModelBackend")
    for part in ("panel", "way"):
        shown = clerk.get(reverse("plan", args=[plan.pk]), {"part": part}).content.decode()
        assert "内部意见一条。" not in shown
    answer_as(plan, people, "pass")
    assert [sees(plan, user) for user in users] == [False] * 5
    assert client.get(reverse("plan", args=[plan.pk])).status_code == 404
    shown = clerk.get(reverse("plan", args=[plan.pk]), {"part": "panel"}).content.decode()
    assert "内部意见一条。" in shown


def test_who_steps_aside_is_out_and_the_next_of_the_draw_comes_in(plan, people) -> None:
    make_experts(people, 4)
    panel = draw_of(plan, people)
    chair = panel.sitting()[0].expert.user
    fourth = Expert.objects.get(pk=panel.order[3]).user
    assert not sees(plan, fourth)
    with pytest.raises(Incomplete, match="请写明回避的理由。"):
        step_aside(plan_id=plan.pk, why=" ", by=chair, at=REVIEWED_AT)
    step_aside(plan_id=plan.pk, why="曾受聘编制方案", by=chair, at=REVIEWED_AT)
    assert not sees(plan, chair)
    assert sees(plan, fourth)
    assert [member.expert_id for member in panel.sitting()] == panel.order[1:]
    with pytest.raises(NotAllowed, match="只有这份方案的评审专家可以评审"):
        remark(plan, chair)
    second = panel.sitting()[0].expert.user
    with pytest.raises(Incomplete, match="没有可以替补的专家"):
        step_aside(plan_id=plan.pk, why="利害关系", by=second, at=REVIEWED_AT)
    answer_as(plan, people, "pass")  # the second of the draw has the chair now
    plan.refresh_from_db()
    assert plan.state == State.CITY_APPROVAL


# --- remarks and the verdict ---------------------------------------------------------------------


def test_the_verdict_is_the_middle_answer() -> None:
    for stances, verdict in (
        ("pass pass reject", "pass"),
        ("pass change reject", "change"),
        ("reject change reject", "reject"),
        ("pass pass change change change", "change"),
    ):
        assert verdict_of(stances.split()) == verdict


def test_experts_answer_once_and_the_chair_concludes(plan, people) -> None:
    panel = draw(plan, people)
    chair, second, third = (member.expert.user for member in panel.sitting())
    foreign = plan.versions.get().areas.create(code="Z1", name="一区")
    mine = plan.versions.get().dispositions.first().mine
    with pytest.raises(Incomplete, match="请写明意见。"):
        remark(plan, chair, text=" ")
    with pytest.raises(Incomplete, match="这座矿山不在这一版方案里。"):
        remark(plan, chair, mine_id=mine.pk + 999)
    with pytest.raises(Incomplete, match="一条意见只针对一座矿山或一个整合区"):
        remark(plan, chair, mine_id=mine.pk, area_id=foreign.pk)
    assert remark(plan, chair, mine_id=mine.pk, clause="四(二)2").about == "测试1号矿，条款 四(二)2"
    assert remark(plan, chair, area_id=foreign.pk).about == "Z1 一区"

    def answer(by: Any, stance: str, summary: str = "") -> Any:
        return give_stance(plan_id=plan.pk, stance=stance, summary=summary, by=by, at=REVIEWED_AT)

    def end(by: Any, overall: str = "可行。") -> Panel:
        return conclude(
            plan_id=plan.pk, overall=overall, merits="", by=by, at=REVIEWED_AT,
            seen_state="expert_review",
        )  # fmt: skip

    with pytest.raises(Incomplete, match="请先至少写一条必须修改的意见。"):
        answer(second, "change")
    with pytest.raises(Incomplete, match="选“不通过”的，请写明理由。"):
        answer(third, "reject")
    answer(chair, "change")
    with pytest.raises(WrongState, match="你已经提交了评审结论。"):
        answer(chair, "pass")
    with pytest.raises(WrongState, match="不能再加意见。"):
        remark(plan, chair)
    with pytest.raises(Incomplete, match="还有专家没有提交结论：评审专家测试员"):
        end(chair)
    answer(second, "pass")
    answer(third, "reject", "资源不清。")
    with pytest.raises(NotAllowed, match="评审结论由专家组组长评审专家测试员提交。"):
        end(second)
    with pytest.raises(Incomplete, match="请写明总体评价。"):
        end(chair, " ")
    assert end(chair).verdict == "change"
    with pytest.raises(NotAllowed):
        end(chair)
    plan.refresh_from_db()
    assert plan.state == State.REVISING
    assert [item.about for item in RevisionItem.objects.all()] == [
        "测试1号矿，条款 四(二)2", "Z1 一区",
    ]  # fmt: skip


def test_a_rejected_plan_goes_back_to_the_county(plan, people) -> None:
    draw(plan, people)
    answer_as(plan, people, "reject")
    plan.refresh_from_db()
    assert plan.state == State.RETURNED
    with pytest.raises(Incomplete, match="方案被退回后还没有上传新版本。"):
        take_step(
            plan_id=plan.pk, step="hand_over", by=people["county_clerk"], at=REVIEWED_AT,
            seen_state="returned",
        )  # fmt: skip


# --- the revision --------------------------------------------------------------------------------


def test_every_demand_is_answered_before_the_revision_goes_in(plan, people) -> None:
    Opinion.objects.filter(unit__name="市财政局").update(stance="change", text="补资金来源。")
    draw(plan, people)
    answer_as(plan, people, "change")
    clerk, leader, office = (people[name] for name in ("county_clerk", "county_leader", "office"))

    def hand_in() -> CountyPlan:
        return take_step(
            plan_id=plan.pk, step="hand_in_revision", by=leader, at=REVIEWED_AT,
            seen_state="revising",
        )  # fmt: skip

    with pytest.raises(Incomplete, match="评审后还没有上传修改后的版本。"):
        hand_in()
    add_version(plan, people, b"revised", at=REVIEWED_AT)
    with pytest.raises(Incomplete, match="修改说明对照表还有 4 条没有填写修改情况"):
        hand_in()
    items = list(RevisionItem.objects.all())
    assert [(item.source, item.asked) for item in items][-1] == ("市财政局", "补资金来源。")
    with pytest.raises(NotAllowed):
        answer_revision(item_id=items[0].pk, answer="改", page="", by=leader, at=REVIEWED_AT)
    for item in items:
        answer_revision(item_id=item.pk, answer="已改。", page="12", by=clerk, at=REVIEWED_AT)
    hand_in()
    with pytest.raises(WrongState, match="方案现在是“修改复核”，修改说明不能再改。"):
        answer_revision(item_id=items[0].pk, answer="再改", page="", by=clerk, at=REVIEWED_AT)
    take_step(
        plan_id=plan.pk, step="revise_again", by=office, at=REVIEWED_AT, seen_state="recheck",
        note="第 2 条没有改。",
    )  # fmt: skip
    with pytest.raises(Incomplete, match="评审后还没有上传修改后的版本。"):
        hand_in()
    panel = Panel.objects.get()
    for title, make in PAPERS.values():
        assert make(panel).startswith(b"%PDF-"), title
