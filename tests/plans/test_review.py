"""Hold the review before the experts: check-list, letters of return, units and their limit."""

from datetime import date, timedelta
from typing import Any

import pytest

from plans.actions import take_step
from plans.formal_review import formal_items
from plans.limits import light_of
from plans.models import Comment, CountyPlan, Opinion, PassedOver, Round, StepTaken
from plans.review_actions import give_opinion, pass_over, save_formal_review, set_deadlines
from plans.workflow import State
from shuozhou_mines.errors import Incomplete, NotAllowed, WrongState
from taskforce.models import Organization, OrganizationKind
from tests.conftest import SHUOCHENG
from tests.factories import ACCEPTED_AT, SIGNED_AT, co_sign, plan_at, tick_all

IN_TIME = SIGNED_AT + timedelta(days=7)  # the last of five working days from 2 September
TOO_LATE = SIGNED_AT + timedelta(days=8)


def save(plan: CountyPlan, people: Any, **changes: tuple[str, str]) -> Any:
    """Keep the check-list with everything present but for the changes."""
    items = {rule.code: {"presence": "present", "note": ""} for rule in formal_items()}
    for code, (presence, note) in changes.items():
        items[code.replace("_", "-")] = {"presence": presence, "note": note}
    return save_formal_review(plan_id=plan.pk, items=items, by=people["office"], at=ACCEPTED_AT)


def step(plan: CountyPlan, code: str, by: Any, note: str = "") -> StepTaken:
    """Take a step and return what it left behind."""
    plan.refresh_from_db()
    take_step(plan_id=plan.pk, step=code, by=by, at=SIGNED_AT, seen_state=plan.state, note=note)
    taken = plan.steps.last()
    assert taken is not None
    return taken


def test_the_check_list_is_that_of_the_work_plan() -> None:
    items = formal_items()
    assert [rule.code for rule in items] == [f"S-H{at:02d}" for at in range(1, 14)]
    assert (items[4].title, items[4].clause) == ("历史遗留问题清单", "二(一)")


def test_a_plan_is_accepted_only_with_a_whole_check_list(people, counties) -> None:
    plan, office = plan_at(State.FORMAL_REVIEW, people, counties[SHUOCHENG]), people["office"]
    with pytest.raises(Incomplete, match="形式审查还有 13 项没有结论：S-H01、S-H02"):
        step(plan, "accept", office)
    with pytest.raises(Incomplete, match="S-H05 历史遗留问题清单选了“无”，请写明缺什么。"):
        save(plan, people, S_H05=("absent", " "))
    save(plan, people, S_H01=("", ""), S_H05=("absent", "没有清单"))
    with pytest.raises(Incomplete, match="形式审查还有 1 项没有结论：S-H01。"):
        step(plan, "accept", office)
    save(plan, people, S_H05=("absent", "没有清单"), S_H08=("weak", "缺一块论证"))
    with pytest.raises(Incomplete, match="S-H05 历史遗留问题清单（无）：没有清单。请退回补正"):
        step(plan, "accept", office)
    # What the list found wanting goes into the letter.
    assert step(plan, "return", office, "请按审查意见补正。").note == (
        "请按审查意见补正。\n形式审查：S-H05 历史遗留问题清单（无）：没有清单；"
        "S-H08 新增资源的论证（不充分）：缺一块论证。"
    )
    with pytest.raises(WrongState, match="方案现在是“退回补正”，不在“形式审查”环节。"):
        tick_all(plan, people)


def test_weak_parts_alone_do_not_hold_a_plan_up(people, counties) -> None:
    plan = plan_at(State.FORMAL_REVIEW, people, counties[SHUOCHENG])
    save(plan, people, S_H08=("weak", "缺一块论证"))
    taken = step(plan, "accept", people["office"])
    assert (taken.to_state, taken.due_on) == (State.CO_SIGNING, date(2025, 9, 9))


def test_an_unanswered_comment_holds_the_next_step(people, counties) -> None:
    plan = plan_at(State.FORMAL_REVIEW, people, counties[SHUOCHENG])
    tick_all(plan, people)
    comment = Comment.objects.create(
        plan=plan, on="mine", mine=plan.county.mines.first(), subject_name="测试1号矿",
        text="请核实面积。", by=people["office"],
        at=ACCEPTED_AT, from_county=False,
    )  # fmt: skip
    with pytest.raises(Incomplete, match="还有 1 条意见没有答复（测试1号矿：请核实面积。）"):
        step(plan, "accept", people["office"])
    comment.answer, comment.answered_by, comment.answered_at = (
        "已核实。",
        people["county_clerk"],
        (ACCEPTED_AT),
    )
    comment.save()
    step(plan, "accept", people["office"])


def test_all_nine_units_answer_or_are_passed_over_by_a_leader(people, counties) -> None:
    plan, office = plan_at(State.CO_SIGNING, people, counties[SHUOCHENG]), people["office"]
    with pytest.raises(Incomplete, match="还有 9 个成员单位没有会签：市公安局、市财政局"):
        step(plan, "invite", office)
    co_sign(plan, people)
    police = Organization.objects.get(name="市公安局")
    Opinion.objects.filter(unit=police).delete()
    with pytest.raises(Incomplete, match="还有 1 个成员单位没有会签：市公安局。请催办；逾期"):
        step(plan, "invite", office)

    def without_police(by: Any, at: Any, note: str = "不再等。") -> PassedOver:
        return pass_over(plan_id=plan.pk, unit_id=police.pk, note=note, by=by, at=at)

    with pytest.raises(NotAllowed, match="只有市领导可以审签方案。"):
        without_police(office, TOO_LATE)
    leader = people["city_leader"]
    with pytest.raises(Incomplete, match="市公安局的会签期限还没有到（2025-09-09 截止）"):
        without_police(leader, IN_TIME)
    with pytest.raises(Incomplete, match="请写明批示意见，说明为什么不等这个单位。"):
        without_police(leader, TOO_LATE, " ")
    assert without_police(leader, TOO_LATE).note == "不再等。"
    with pytest.raises(WrongState, match="市公安局已经答复，或已有批示。请刷新页面。"):
        without_police(leader, TOO_LATE)
    step(plan, "invite", office)


def test_a_unit_that_disagrees_is_heard(people, counties) -> None:
    plan, office = plan_at(State.CO_SIGNING, people, counties[SHUOCHENG]), people["office"]
    give_opinion(
        plan_id=plan.pk, stance="disagree", text="距离不足。", by=people["member_unit"],
        at=SIGNED_AT,
    )  # fmt: skip
    version = plan.versions.get()
    Opinion.objects.bulk_create(
        Opinion(version=version, unit=unit, stance="agree", by=office, at=SIGNED_AT)
        for unit in Organization.objects.filter(kind=OrganizationKind.MEMBER_UNIT).exclude(
            name="市应急管理局"
        )
    )
    with pytest.raises(Incomplete, match="市应急管理局不同意。请退回补正，或在意见里写明怎样处理"):
        step(plan, "invite", office)
    assert step(plan, "return", office, "请修改。").note == (
        "请修改。\n会签意见：市应急管理局不同意：距离不足。"
    )


def test_a_leader_of_the_county_sends_a_plan_back_to_its_clerk(people, counties) -> None:
    plan = plan_at(State.COUNTY_REVIEW, people, counties[SHUOCHENG])
    leader, clerk = people["county_leader"], people["county_clerk"]
    with pytest.raises(Incomplete, match="退回修改必须写明意见，填报员才知道要改什么。"):
        step(plan, "send_back", leader)
    assert step(plan, "send_back", leader, "补图。").to_state == State.DRAFT
    # Inside the county the same version may come again.
    assert step(plan, "hand_over", clerk).to_state == State.COUNTY_REVIEW


def test_deadlines_of_a_round_are_set_and_light_up(people) -> None:
    def set_to(first: date, last: date, by: str = "office") -> Round:
        return set_deadlines(
            name="2025年整治整合", compile_due_on=first, finish_due_on=last, by=people[by]
        )

    with pytest.raises(NotAllowed, match="只有专班办公室可以调整本轮期限。"):
        set_to(date(2025, 6, 30), date(2025, 12, 31), by="county_leader")
    with pytest.raises(Incomplete, match="实施截止应晚于方案编制截止。"):
        set_to(date(2025, 6, 30), date(2025, 6, 30))
    assert set_to(date(2025, 6, 30), date(2025, 12, 31)).compile_due_on == date(2025, 6, 30)
    due = date(2025, 6, 30)
    assert [light_of(due, day) for day in (
        date(2025, 6, 22), date(2025, 6, 23), date(2025, 6, 30), date(2025, 7, 1)
    )] == ["ample", "soon", "soon", "late"]  # fmt: skip
    assert light_of(None, due) == ""
