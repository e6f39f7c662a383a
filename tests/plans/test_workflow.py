"""Hold the way of a plan: every state, step and person, and what each step leaves behind."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction

from plans import workflow
from plans.actions import (
    lock_plan,
    open_plan,
    receive_version,
    start_adjustment,
    step_on,
    take_step,
)
from plans.approval_actions import record_approval, record_filing, record_reply
from plans.compliance import find, save_run
from plans.expert_actions import answer_revision, conclude, draw_panel, give_stance
from plans.models import CountyPlan, PlanTask, PlanVersion, RevisionItem, StepTaken
from plans.review_actions import give_opinion, pass_over, save_formal_review
from plans.workflow import STEPS, State
from publicity.actions import publish_notice, withdraw_notice
from publicity.issuing import issue_plan
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
    WAYS,
    add_version,
    file_with_province,
    finish_tasks,
    go,
    make_experts,
    make_mine,
    pdf_scan,
    plan_at,
    publish,
    revise,
    tick_all,
    workbook_upload,
)

# Who succeeds with which step in which state. Everybody else of the table of rights below hears
# that the plan is elsewhere; everybody else hears that it is not theirs to do.
CLERKS = {"county_clerk", "county_reviewer"}
UNITS = {"member_unit", "other_member_unit"}
MAY: dict[State, dict[str, set[str]]] = {
    State.DRAFT: {"upload": CLERKS, "hand_over": CLERKS},
    State.COUNTY_REVIEW: {"submit": {"county_leader"}, "send_back": {"county_leader"}},
    State.SUBMITTED: {"receive": {"office"}},
    State.FORMAL_REVIEW: {"check": {"office"}, "return": {"office"}, "accept": {"office"}},
    State.RETURNED: {"upload": CLERKS, "hand_over": CLERKS},
    State.CO_SIGNING: {
        "return": {"office"},
        "opinion": UNITS,
        "pass_over": {"city_leader"},
    },
    State.EXPERT_REVIEW: {"draw": {"office"}},
    State.REVISING: {
        "upload": CLERKS,
        "explain": CLERKS,
        "hand_in_revision": {"county_leader"},
    },
    State.RECHECK: {"confirm_revision": {"office"}, "revise_again": {"office"}},
    State.CITY_APPROVAL: {"endorse": {"city_leader"}, "city_return": {"city_leader"}},
    State.ENDORSED: {"approve": {"office"}},
    State.PROVINCE: {"file": {"office"}},
    State.APPROVED: {"publish": {"office"}, "adjust": CLERKS},
    State.PUBLISHED: {"withdraw": {"office"}, "issue": {"office"}, "adjust": CLERKS},
    State.ISSUED: {"start_acceptance": {"office"}, "adjust": CLERKS},
    State.ACCEPTANCE: {"close": {"office"}, "adjust": CLERKS},
    State.CLOSED: {},
    State.SUPERSEDED: {},
}
HOLDERS = {
    "upload": CLERKS,
    "hand_over": CLERKS,
    "explain": CLERKS,
    "adjust": CLERKS,
    "submit": {"county_leader"},
    "send_back": {"county_leader"},
    "hand_in_revision": {"county_leader"},
    "receive": {"office"},
    "check": {"office"},
    "return": {"office"},
    "accept": {"office"},
    "opinion": UNITS,
    "pass_over": {"city_leader"},
    "invite": {"office"},
    "draw": {"office"},
    "stance": set(),  # granted on the plan, to the experts of its panel alone
    "conclude": set(),
    "confirm_revision": {"office"},
    "revise_again": {"office"},
    "endorse": {"city_leader"},
    "city_return": {"city_leader"},
    "approve": {"office"},
    "file": {"office"},
    "reply": {"office"},
    "publish": {"office"},
    "withdraw": {"office"},
    "issue": {"office"},
    "start_acceptance": {"office"},
    "close": {"office"},
}
PEOPLE = {
    "county_clerk", "county_reviewer", "county_leader", "other_county_clerk",
    "other_county_reviewer", "other_county_leader", "office", "member_unit", "other_member_unit",
    "expert", "inspector", "city_leader", "system_admin", "security_admin", "audit_admin",
}  # fmt: skip
LATER = APPROVED_AT + timedelta(days=21)


def attempt(step: str, plan: CountyPlan, by: Any) -> Any:
    """Take a step as its page would, having seen the state the plan is in."""
    own = ATTEMPTS.get(step)
    if own is not None:
        return own(plan, by)
    return take_step(
        plan_id=plan.pk, step=step, by=by, at=LATER, seen_state=plan.state, note="请补齐。"
    )


def _document(plan: CountyPlan, by: Any, **more: Any) -> dict[str, Any]:
    return {
        "plan_id": plan.pk, "document_number": "示例", "scan": pdf_scan(), "by": by, "at": LATER,
        **more,
    }  # fmt: skip


def _withdraw(plan: CountyPlan, by: Any) -> Any:
    notice = plan.notices.first()
    if notice is not None and notice.withdrawn_at is None:
        return withdraw_notice(notice_id=notice.pk, reason="更正。", by=by, at=LATER)
    return step_on(
        lock_plan(plan.pk), STEPS["withdraw"], by=by, at=LATER, seen_state=plan.state, note="更正。"
    )


def _explain(plan: CountyPlan, by: Any) -> Any:
    item = RevisionItem.objects.filter(panel__version__plan=plan).first()
    if item is not None:
        return answer_revision(item_id=item.pk, answer="已改。", page="3", by=by, at=LATER)
    # Without a demand there is no address; whoever might answer one finds none.
    if by.username in CLERKS:
        raise WrongState("nothing to explain")
    raise NotAllowed("nothing to explain")


DAY, ORGAN = date(2025, 9, 20), "山西省自然资源厅"
ATTEMPTS: dict[str, Any] = {
    "upload": lambda plan, by: receive_version(
        plan_id=plan.pk, upload=workbook_upload(b"more"), by=by, at=LATER
    ),
    "check": lambda plan, by: save_formal_review(plan_id=plan.pk, items={}, by=by, at=LATER),
    "opinion": lambda plan, by: give_opinion(
        plan_id=plan.pk, stance="agree", text="", by=by, at=LATER
    ),
    "pass_over": lambda plan, by: pass_over(
        plan_id=plan.pk, unit_id=Organization.objects.get(name="市公安局").pk, note="不等。",
        by=by, at=LATER,
    ),
    "draw": lambda plan, by: draw_panel(
        plan_id=plan.pk, size=3, set_aside={}, held_on=DAY, place="", by=by, at=LATER
    ),
    "stance": lambda plan, by: give_stance(
        plan_id=plan.pk, stance="pass", summary="", by=by, at=LATER
    ),
    "conclude": lambda plan, by: conclude(
        plan_id=plan.pk, overall="可行。", merits="", by=by, at=LATER, seen_state=plan.state
    ),
    "explain": _explain,
    "adjust": lambda plan, by: start_adjustment(plan_id=plan.pk, why="调整。", by=by, at=LATER),
    "approve": lambda plan, by: record_approval(
        **_document(plan, by, approved_on=DAY, seen_state=plan.state)
    ),
    "file": lambda plan, by: record_filing(**_document(plan, by, dated_on=DAY, organ=ORGAN)),
    "reply": lambda plan, by: record_reply(
        **_document(plan, by, dated_on=DAY, organ=ORGAN, seen_state=plan.state)
    ),
    "publish": lambda plan, by: publish_notice(
        plan_id=plan.pk, working_days=5, starts_on=LATER.date(), by=by, at=LATER,
        seen_state=plan.state,
    ),
    "withdraw": _withdraw,
    "issue": lambda plan, by: issue_plan(
        **_document(plan, by, dated_on=DAY, organ=ORGAN, note="", seen_state=plan.state)
    ),
}  # fmt: skip


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
    make_experts(people)
    plan = plan_at(state, people, counties[SHUOCHENG])
    _make_ready(state, plan, people)
    found = {
        step: {name: outcome_of(step, plan, person) for name, person in people.items()}
        for step in HOLDERS
    }
    # The invitation waits for all the units, the reply for the filing.
    waits = {("co_signing", "invite"): "incomplete", ("province", "reply"): "incomplete"}
    assert found == {
        step: {
            name: "done" if name in MAY[state].get(step, set())
            else waits.get((state.value, step), "wrong state") if name in holders
            else "not allowed"
            for name in PEOPLE
        }
        for step, holders in HOLDERS.items()
    }  # fmt: skip


def _make_ready(state: State, plan: CountyPlan, people: Any) -> None:
    """Bring together what the steps from a state ask for."""
    if state == State.RETURNED:
        add_version(plan, people, b"second", at=RETURNED_AT)
    elif state == State.FORMAL_REVIEW:
        tick_all(plan, people)
    elif state == State.REVISING:
        revise(plan, people)
    elif state == State.ACCEPTANCE:
        finish_tasks(plan, people)


def test_a_person_who_is_shut_out_may_do_nothing(people, counties) -> None:
    plan = plan_at(State.SUBMITTED, people, counties[SHUOCHENG])
    office = people["office"]
    office.is_active = False
    assert outcome_of("receive", plan, office) == "not allowed"


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
    plan = plan_at(State.FORMAL_REVIEW, people, counties[SHUOCHENG])
    for note in ("", "   \n"):
        with pytest.raises(Incomplete, match="退回补正必须写明意见，县（市、区）才知道要改什么。"):
            take_step(
                plan_id=plan.pk, step="return", by=people["office"], at=RETURNED_AT,
                seen_state="formal_review", note=note,
            )  # fmt: skip
    plan.refresh_from_db()
    assert (plan.state, plan.steps.count()) == (State.FORMAL_REVIEW, 3)


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
    steps = plan.steps.values_list("step", "to_state", "by__username", "note")
    assert list(steps) == [
        ("hand_over", "county_review", "county_clerk", ""),
        ("submit", "submitted", "county_leader", ""),
        ("receive", "formal_review", "office", ""),
        ("accept", "co_signing", "office", ""),
        ("invite", "expert_review", "office", ""),
        ("pass", "city_approval", "expert", "总体可行。"),
        ("endorse", "endorsed", "city_leader", ""),
        ("approve", "province", "office", "朔政函〔2025〕9号（示例）"),
        ("reply", "approved", "office", "晋自然资函〔2025〕5号（示例）"),
        ("publish", "published", "office", ""),
    ]
    # Five working days each for the formal review and the units, fifteen for the experts.
    assert dict(plan.steps.exclude(due_on=None).values_list("to_state", "due_on")) == {
        "formal_review": date(2025, 9, 9),
        "co_signing": date(2025, 9, 9),
        "expert_review": date(2025, 9, 23),
    }
    trail = TrailEntry.objects.filter(county=SHUOCHENG).exclude(act="授予角色").order_by("pk")
    assert list(trail.values_list("act", "by__username")) == [
        ("建立方案", "county_clerk"),
        ("上传方案", "county_clerk"),
        ("送县级审定", "county_clerk"),
        ("审定并报送", "county_leader"),
        ("签收", "office"),
        ("形式审查", "office"),
        ("受理并转会签", "office"),
        ("会签", "member_unit"),
        ("转专家评审", "office"),
        ("抽取评审专家", "office"),
        ("专家结论", "expert"),
        *[("专家结论", f"expert_{at}") for at in _other_experts(plan)],
        ("评审通过", "expert"),
        ("市政府同意", "city_leader"),
        ("登记市政府批准", "office"),
        ("登记省级报批", "office"),
        ("登记批复", "office"),
        ("公示", "office"),
        ("公示方案", "office"),
    ]


def _other_experts(plan: CountyPlan) -> list[str]:
    panel = plan.versions.get().panel
    names = [str(member.expert.user.username) for member in panel.sitting()]
    return [name.removeprefix("expert_") for name in names[1:]]


def test_a_refused_step_leaves_nothing(people, counties) -> None:
    plan = plan_at(State.SUBMITTED, people, counties[SHUOCHENG])
    stranger = people["other_county_leader"]
    steps, entries = StepTaken.objects.count(), TrailEntry.objects.count()
    for step in HOLDERS:
        outcome_of(step, plan, stranger)
    plan.refresh_from_db()
    assert plan.state == State.SUBMITTED
    assert (StepTaken.objects.count(), TrailEntry.objects.count()) == (steps, entries)


def test_a_reply_turns_rows_into_tasks(people, counties) -> None:
    plan = plan_at(State.PROVINCE, people, counties[SHUOCHENG], mines=3)
    version = plan.versions.get()
    version.dispositions.filter(mine__registry_no="SZ-140602-0002").update(
        kind="close", due_on=date(2025, 11, 30)
    )
    assert not PlanTask.objects.filter(plan=plan).exists()
    file_with_province(plan, people)
    attempt("reply", plan, people["office"])
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
    for step, who in (("hand_over", "county_clerk"), ("submit", "county_leader")):
        plan = take_step(plan_id=plan.pk, step=step, by=people[who], at=at, seen_state=plan.state)
    return plan


# --- the drawing ---------------------------------------------------------------------------------


def test_documents_say_what_the_code_says() -> None:
    for file, text in documents().items():
        assert file.read_text(encoding="utf-8") == text, f"run manage.py write_docs: {file.name}"


def test_every_step_is_drawn_and_every_state_is_reached() -> None:
    text = (settings.BASE_DIR / "docs" / "workflow.md").read_text(encoding="utf-8")
    assert "    co_signing --> returned: 退回补正\n" in text
    assert "| `withdraw` | 撤回公示 | 公示 | 批复 | `publish_plan` | required |" in text
    reached = {step.to_state for step in STEPS.values()} | {State.DRAFT}
    assert reached == set(State)
    ends = {State.CLOSED, State.SUPERSEDED}
    assert {state for state in State if not workflow.steps_from(state)} == ends
    stations = [state for _, states in workflow.MILESTONES for state in states]
    assert sorted(stations) == sorted(State)


def test_notice_is_made_with_its_step(people, counties) -> None:
    plan = plan_at(State.APPROVED, people, counties[SHUOCHENG])
    notice = publish(plan, people)
    assert notice.plan.state == State.PUBLISHED
    assert plan.steps.last().step == "publish"


# --- adjustment ----------------------------------------------------------------------------------


def test_an_adjustment_goes_the_way_again_and_takes_over_when_published(people, counties) -> None:
    county = counties[SHUOCHENG]
    plan = plan_at(State.PUBLISHED, people, county)
    notice, clerk = Notice.objects.get(), people["county_clerk"]
    done = plan.tasks.get(mine__registry_no="SZ-140602-0001")
    done.done_on, done.evidence = date(2025, 9, 10), "验收通过"
    done.save()
    with pytest.raises(Incomplete, match="请写明为什么调整。"):
        start_adjustment(plan_id=plan.pk, why=" ", by=clerk, at=LATER)
    adjustment = start_adjustment(plan_id=plan.pk, why="范围重划。", by=clerk, at=LATER)
    assert (adjustment.edition, adjustment.state, adjustment.adjusts) == (2, State.DRAFT, plan)
    version = add_version(adjustment, people, b"adjusted")
    version.dispositions.filter(mine__registry_no="SZ-140602-0002").update(
        kind="close", due_on=date(2025, 11, 30)
    )
    save_run(version, find(version, on=date(2025, 9, 2)), job=None)
    for step in WAYS[State.APPROVED].split():
        go(adjustment, step, people)
    plan.refresh_from_db()
    # Until it is published, the plan in force stays in force, public, and holds the tasks.
    assert (plan.state, plan.tasks.count(), adjustment.tasks.count()) == (State.PUBLISHED, 2, 0)
    assert Notice.objects.in_force().get() == notice
    adjustment.refresh_from_db()
    newer = publish(adjustment, people)
    plan.refresh_from_db()
    assert (plan.state, plan.tasks.count()) == (State.SUPERSEDED, 0)
    assert Notice.objects.in_force().get() == newer
    assert (newer.replaces, newer.title) == (
        notice, "朔城区非煤矿山整治整合实施方案（调整）公示",
    )  # fmt: skip
    tasks = adjustment.tasks.order_by("mine__registry_no")
    assert list(tasks.values_list("kind", "due_on", "done_on")) == [
        ("upgrade", date(2025, 12, 31), date(2025, 9, 10)),
        ("close", date(2025, 11, 30), None),
    ]
    with pytest.raises(WrongState, match="方案现在是“已被调整替代”，批复以后、办结以前才能调整。"):
        start_adjustment(plan_id=plan.pk, why="再调。", by=clerk, at=LATER)


def test_a_plan_is_issued_after_its_notice_and_closed_after_its_tasks(people, counties) -> None:
    plan, office = plan_at(State.PUBLISHED, people, counties[SHUOCHENG]), people["office"]

    def issue_it(note: str) -> Any:
        return issue_plan(
            plan_id=plan.pk, document_number="示例", dated_on=date(2025, 9, 3), organ=ORGAN,
            scan=pdf_scan(), note=note, by=office, at=APPROVED_AT + timedelta(days=1),
            seen_state="published",
        )  # fmt: skip

    with pytest.raises(Incomplete, match="公示到 2025-09-10 才结束。确需提前印发的，请在说明里"):
        issue_it(" ")
    assert issue_it("市长批示先行印发。").document_number == "示例"
    assert plan.steps.last().note == "市长批示先行印发。"
    plan.refresh_from_db()
    take_step(plan_id=plan.pk, step="start_acceptance", by=office, at=LATER, seen_state="issued")
    with pytest.raises(Incomplete, match="还有 2 座矿山的任务没有完成：测试1号矿、测试2号矿。"):
        take_step(plan_id=plan.pk, step="close", by=office, at=LATER, seen_state="acceptance")
    finish_tasks(plan, people)
    take_step(plan_id=plan.pk, step="close", by=office, at=LATER, seen_state="acceptance")
    plan.refresh_from_db()
    assert plan.state == State.CLOSED
