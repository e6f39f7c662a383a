"""Hold the way of a plan: every state, step and person, and what each step leaves behind."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction

from plans import workflow
from plans.actions import (
    give_opinion,
    lock_plan,
    open_plan,
    receive_version,
    record_approval,
    step_on,
    take_step,
)
from plans.compliance import find, save_run
from plans.models import CountyPlan, Opinion, PlanTask, PlanVersion, StepTaken
from plans.workflow import STEPS, State
from publicity.actions import publish_notice, withdraw_notice
from publicity.models import Notice
from shuozhou_mines.errors import Incomplete, NotAllowed, WrongState
from shuozhou_mines.management.commands.write_docs import documents
from taskforce.models import Organization, TrailEntry
from tests.conftest import SHUOCHENG
from tests.factories import (
    APPROVED_AT,
    OPENED_AT,
    RETURNED_AT,
    SUBMITTED_AT,
    add_version,
    make_mine,
    plan_at,
    publish,
    workbook_upload,
)

# Who succeeds with which step in which state. Everybody else of the table of rights below hears
# that the plan is elsewhere; everybody else hears that it is not theirs to do.
MAY = {
    State.DRAFT: {
        "upload": {"county_clerk", "county_reviewer"},
        "submit": {"county_leader"},
    },
    State.SUBMITTED: {
        "return": {"office"},
        "accept": {"office"},
    },
    State.RETURNED: {
        "upload": {"county_clerk", "county_reviewer"},
        "submit": {"county_leader"},
    },
    State.CO_SIGNING: {
        "return": {"office"},
        "opinion": {"member_unit", "other_member_unit"},
        "approve": {"office"},
    },
    State.APPROVED: {
        "publish": {"office"},
    },
    State.PUBLISHED: {
        "withdraw": {"office"},
    },
}
HOLDERS = {
    "upload": {"county_clerk", "county_reviewer"},
    "submit": {"county_leader"},
    "return": {"office"},
    "accept": {"office"},
    "opinion": {"member_unit", "other_member_unit"},
    "approve": {"office"},
    "publish": {"office"},
    "withdraw": {"office"},
}
PEOPLE = {
    "county_clerk", "county_reviewer", "county_leader", "other_county_clerk",
    "other_county_reviewer", "other_county_leader", "office", "member_unit", "other_member_unit",
    "expert", "inspector", "city_leader", "system_admin", "security_admin", "audit_admin",
}  # fmt: skip
LATER = APPROVED_AT + timedelta(days=1)


def attempt(step: str, plan: CountyPlan, by: Any) -> Any:
    """Take a step as its page would, having seen the state the plan is in."""
    notice = plan.notices.first()
    if step == "upload":
        return receive_version(plan_id=plan.pk, upload=workbook_upload(b"more"), by=by, at=LATER)
    if step == "opinion":
        return give_opinion(plan_id=plan.pk, stance="agree", text="", by=by, at=LATER)
    if step == "approve":
        return record_approval(
            plan_id=plan.pk, document_number="朔政函〔2025〕9号（示例）",
            approved_on=date(2025, 9, 3), by=by, at=LATER, seen_state=plan.state,
        )  # fmt: skip
    if step == "publish":
        return publish_notice(
            plan_id=plan.pk, working_days=5, starts_on=date(2025, 9, 3), by=by, at=LATER,
            seen_state=plan.state,
        )  # fmt: skip
    if step == "withdraw" and notice is not None:
        return withdraw_notice(notice_id=notice.pk, reason="更正。", by=by, at=LATER)
    if step == "withdraw":
        return step_on(
            lock_plan(plan.pk), STEPS[step], by=by, at=LATER, seen_state=plan.state, note="更正。"
        )
    return take_step(
        plan_id=plan.pk, step=step, by=by, at=LATER, seen_state=plan.state, note="请补齐。"
    )


def outcome_of(step: str, plan: CountyPlan, by: Any) -> str:
    """Say how an attempt ends, and undo it."""
    with transaction.atomic():
        try:
            attempt(step, plan, by)
        except NotAllowed:
            return "not allowed"
        except WrongState:
            return "wrong state"
        except Incomplete:
            return "incomplete"
        finally:
            transaction.set_rollback(True)
        return "done"


@pytest.mark.parametrize("state", State)
def test_every_person_at_every_step(state, people, counties) -> None:
    assert set(people) == PEOPLE
    plan = plan_at(state, people, counties[SHUOCHENG])
    if state == State.RETURNED:
        add_version(plan, people, b"second", at=RETURNED_AT)
    if state == State.CO_SIGNING:
        # The approval waits for the first opinion; here it has come in from a third unit.
        _opinion_of_a_third_unit(plan, people)
    found = {
        step: {name: outcome_of(step, plan, person) for name, person in people.items()}
        for step in HOLDERS
    }
    assert found == {
        step: {
            name: "done" if name in MAY[state].get(step, set())
            else "wrong state" if name in holders
            else "not allowed"
            for name in PEOPLE
        }
        for step, holders in HOLDERS.items()
    }  # fmt: skip


def _opinion_of_a_third_unit(plan: CountyPlan, people: Any) -> None:
    Opinion.objects.create(
        version=plan.versions.get(), unit=Organization.objects.get(name="市财政局"),
        stance="agree", by=people["office"], at=LATER,
    )  # fmt: skip


def test_a_person_who_is_shut_out_may_do_nothing(people, counties) -> None:
    plan = plan_at(State.SUBMITTED, people, counties[SHUOCHENG])
    office = people["office"]
    office.is_active = False
    assert outcome_of("accept", plan, office) == "not allowed"


# --- what a step asks for ------------------------------------------------------------------------


def test_without_a_version_nothing_is_submitted(people, counties) -> None:
    plan = open_plan(county_code=SHUOCHENG, by=people["county_clerk"], at=OPENED_AT)
    with pytest.raises(Incomplete, match="还没有上传方案。请先下载模板，填好后上传。"):
        _submit(plan, people)


def test_a_version_that_is_being_read_is_not_submitted(people, counties) -> None:
    plan = open_plan(county_code=SHUOCHENG, by=people["county_clerk"], at=OPENED_AT)
    receive_version(
        plan_id=plan.pk, upload=workbook_upload(), by=people["county_clerk"], at=OPENED_AT
    )
    with pytest.raises(Incomplete, match="还不能报送：第1版还在读入和检查，请等它完成。"):
        _submit(plan, people)


def test_a_version_with_errors_is_not_submitted(people, counties) -> None:
    plan = open_plan(county_code=SHUOCHENG, by=people["county_clerk"], at=OPENED_AT)
    version, _ = receive_version(
        plan_id=plan.pk, upload=workbook_upload(), by=people["county_clerk"], at=OPENED_AT
    )
    version.state = PlanVersion.State.REFUSED
    version.problems = [{"severity": "error"}, {"severity": "warning"}, {"severity": "error"}]
    version.save()
    with pytest.raises(Incomplete, match="第1版有 2 处错误，请改正后重新上传"):
        _submit(plan, people)


def test_a_plan_that_leaves_a_mine_out_is_not_submitted(people, counties) -> None:
    county = counties[SHUOCHENG]
    plan = plan_at(State.DRAFT, people, county)
    make_mine(county, 7, name="漏报石料矿")
    PlanVersion.objects.get(plan=plan).check_runs.all().delete()
    with pytest.raises(Incomplete, match="第1版还没有完成标准检查"):
        _submit(plan, people)
    version = add_version(plan, people, b"second")
    version.dispositions.filter(mine__name="漏报石料矿").delete()
    version.check_runs.all().delete()
    save_run(version, find(version, on=date(2025, 9, 2)), job=None)
    with pytest.raises(Incomplete) as refusal:
        _submit(plan, people)
    assert "漏报石料矿" in refusal.value.message
    assert StepTaken.objects.count() == 0


def test_a_return_needs_words(people, counties) -> None:
    plan = plan_at(State.SUBMITTED, people, counties[SHUOCHENG])
    for note in ("", "   \n"):
        with pytest.raises(Incomplete, match="退回补正必须写明意见，县（市、区）才知道要改什么。"):
            take_step(
                plan_id=plan.pk, step="return", by=people["office"], at=RETURNED_AT,
                seen_state="submitted", note=note,
            )  # fmt: skip
    plan.refresh_from_db()
    assert (plan.state, plan.steps.count()) == (State.SUBMITTED, 1)


def test_a_returned_plan_needs_a_new_version(people, counties) -> None:
    plan = plan_at(State.RETURNED, people, counties[SHUOCHENG])
    sentence = "方案被退回后还没有上传新版本。请按退回意见修改后重新上传，再报送。"
    with pytest.raises(Incomplete, match=sentence):
        _submit(plan, people)
    # The same file again is the same version.
    add = receive_version(
        plan_id=plan.pk, upload=workbook_upload(), by=people["county_clerk"], at=RETURNED_AT
    )
    assert add[0].number == 1
    with pytest.raises(Incomplete, match=sentence):
        _submit(plan, people)
    add_version(plan, people, b"second", at=RETURNED_AT)
    _submit(plan, people, at=RETURNED_AT + timedelta(hours=1))
    plan.refresh_from_db()
    assert plan.state == State.SUBMITTED
    assert plan.submitted_at == SUBMITTED_AT  # the first submission counts for the deadline


def test_an_approval_needs_an_opinion(people, counties) -> None:
    plan = plan_at(State.CO_SIGNING, people, counties[SHUOCHENG])
    assert outcome_of("approve", plan, people["office"]) == "incomplete"


def test_steps_with_an_action_of_their_own_are_not_taken_plainly(people, counties) -> None:
    plan = plan_at(State.APPROVED, people, counties[SHUOCHENG])
    with pytest.raises(ValueError, match="publish has an action of its own"):
        take_step(
            plan_id=plan.pk, step="publish", by=people["office"], at=LATER, seen_state="approved"
        )
    assert not Notice.objects.exists()


def test_a_stale_page_tells_who_was_faster(people, counties) -> None:
    plan = plan_at(State.CO_SIGNING, people, counties[SHUOCHENG])
    with pytest.raises(WrongState) as refusal:
        take_step(
            plan_id=plan.pk, step="return", by=people["office"], at=LATER, note="请补。",
            seen_state="submitted",
        )  # fmt: skip
    assert refusal.value.message == (
        "专班办公室测试员已在 2025-09-02 13:00 办理“受理并转会签”，"
        "方案现在是“成员单位会签”。请刷新页面后再看。"
    )


def test_a_stale_page_of_a_plan_without_steps(people, counties) -> None:
    plan = plan_at(State.DRAFT, people, counties[SHUOCHENG])
    with pytest.raises(WrongState, match="方案现在是“草稿”，不能办理这一步。请刷新页面。"):
        take_step(
            plan_id=plan.pk, step="accept", by=people["office"], at=LATER, seen_state="submitted"
        )


# --- what a step leaves behind -------------------------------------------------------------------


def test_each_step_leaves_a_row_and_a_trail_entry(people, counties) -> None:
    plan = plan_at(State.PUBLISHED, people, counties[SHUOCHENG])
    steps = plan.steps.values_list("step", "from_state", "to_state", "by__username", "note")
    assert list(steps) == [
        ("submit", "draft", "submitted", "county_leader", ""),
        ("accept", "submitted", "co_signing", "office", ""),
        ("approve", "co_signing", "approved", "office", "朔政函〔2025〕9号（示例）"),
        ("publish", "approved", "published", "office", ""),
    ]
    trail = TrailEntry.objects.filter(county=SHUOCHENG).exclude(act="授予角色").order_by("pk")
    assert list(trail.values_list("act", "by__username")) == [
        ("建立方案", "county_clerk"),
        ("上传方案", "county_clerk"),
        ("审定并报送", "county_leader"),
        ("受理并转会签", "office"),
        ("会签", "member_unit"),
        ("登记市政府批准", "office"),
        ("公示", "office"),
        ("公示方案", "office"),
    ]


def test_a_refused_step_leaves_nothing(people, counties) -> None:
    plan = plan_at(State.SUBMITTED, people, counties[SHUOCHENG])
    steps, entries = StepTaken.objects.count(), TrailEntry.objects.count()
    for step in HOLDERS:
        outcome_of(step, plan, people["other_county_leader"])
    plan.refresh_from_db()
    assert plan.state == State.SUBMITTED
    assert (StepTaken.objects.count(), TrailEntry.objects.count()) == (steps, entries)


def test_an_approval_turns_rows_into_tasks(people, counties) -> None:
    plan = plan_at(State.CO_SIGNING, people, counties[SHUOCHENG], mines=3)
    version = plan.versions.get()
    version.dispositions.filter(mine__registry_no="SZ-140602-0002").update(
        kind="close", due_on=date(2025, 11, 30)
    )
    give_opinion(plan_id=plan.pk, stance="agree", text="", by=people["member_unit"], at=LATER)
    attempt("approve", plan, people["office"])
    tasks = PlanTask.objects.filter(plan=plan).order_by("mine__registry_no")
    assert list(tasks.values_list("mine__registry_no", "kind", "due_on", "done_on")) == [
        ("SZ-140602-0001", "upgrade", date(2025, 12, 31), None),
        ("SZ-140602-0002", "close", date(2025, 11, 30), None),
        ("SZ-140602-0003", "upgrade", date(2025, 12, 31), None),
    ]
    approval = plan.approval
    assert approval.version == version
    assert approval.organ == "朔州市人民政府"


def _submit(plan: CountyPlan, people: Any, at: Any = SUBMITTED_AT) -> CountyPlan:
    plan.refresh_from_db()
    return take_step(
        plan_id=plan.pk, step="submit", by=people["county_leader"], at=at, seen_state=plan.state
    )


# --- the drawing ---------------------------------------------------------------------------------


def test_documents_say_what_the_code_says() -> None:
    for file, text in documents().items():
        assert file.read_text(encoding="utf-8") == text, f"run manage.py write_docs: {file.name}"


def test_every_step_is_drawn_and_every_state_is_reached() -> None:
    text = (settings.BASE_DIR / "docs" / "workflow.md").read_text(encoding="utf-8")
    assert "    co_signing --> returned: 退回补正\n" in text
    assert "| `withdraw` | 撤回公示 | 公示 | 市政府已批准 | `publish_plan` | required |" in text
    reached = {step.to_state for step in STEPS.values()} | {State.DRAFT}
    assert reached == set(State)
    assert all(workflow.steps_from(state) for state in State)


def test_notice_is_made_with_its_step(people, counties) -> None:
    plan = plan_at(State.APPROVED, people, counties[SHUOCHENG])
    notice = publish(plan, people)
    assert notice.plan.state == State.PUBLISHED
    assert plan.steps.last().step == "publish"
