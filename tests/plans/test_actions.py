"""Hold what the actions on plans ask, refuse and write, also when two people act at once."""

import re
import threading
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from plans.actions import open_plan, receive_version, start_adjustment, take_step
from plans.approval_actions import record_approval, record_filing, record_reply
from plans.expert_actions import draw_panel
from plans.models import Approval, CountyPlan, Opinion, PlanTask, PlanVersion, Round
from plans.review_actions import give_opinion
from plans.workflow import State
from publicity.actions import publish_notice, withdraw_notice
from publicity.models import Notice
from shuozhou_mines.errors import Incomplete, NotAllowed, Refused, WrongState
from shuozhou_mines.models import Job
from taskforce.models import County, Organization
from taskforce.roles import Role
from tests.conftest import PINGLU, SHUOCHENG, make_people, make_person
from tests.factories import (
    ACCEPTED_AT,
    APPROVED_AT,
    OPENED_AT,
    PUBLISHED_AT,
    RETURNED_AT,
    SIGNED_AT,
    SUBMITTED_AT,
    add_version,
    answer_as,
    co_sign,
    make_experts,
    pdf_scan,
    plan_at,
    tick_all,
    workbook_upload,
)

LATER = APPROVED_AT + timedelta(days=1)


@pytest.fixture
def draft(people, counties) -> CountyPlan:
    """Return an open plan of 朔城区 without a version."""
    return open_plan(county_code=SHUOCHENG, by=people["county_clerk"], at=OPENED_AT)


def stored_files() -> list[str]:
    """Return the files under MEDIA_ROOT."""
    root = Path(settings.MEDIA_ROOT)
    return sorted(str(file.relative_to(root)) for file in root.rglob("*") if file.is_file())


# --- opening -------------------------------------------------------------------------------------


def test_a_county_has_one_plan_in_a_round(people, draft) -> None:
    again = open_plan(county_code=SHUOCHENG, by=people["county_reviewer"], at=LATER)
    assert again == draft
    assert (again.opened_at, again.state) == (OPENED_AT, State.DRAFT)


def test_only_drafters_of_the_county_open_its_plan(people) -> None:
    for name in ("county_leader", "other_county_clerk", "office", "city_leader", "system_admin"):
        with pytest.raises(NotAllowed, match="只有本县（市、区）的填报员和审核人可以编制方案。"):
            open_plan(county_code=SHUOCHENG, by=people[name], at=OPENED_AT)
    assert not CountyPlan.objects.exists()


def test_without_a_round_no_plan_is_opened(people) -> None:
    Round.objects.update(is_open=False)
    with pytest.raises(Incomplete, match="目前没有进行中的轮次。"):
        open_plan(county_code=SHUOCHENG, by=people["county_clerk"], at=OPENED_AT)


# --- uploading -----------------------------------------------------------------------------------


def test_an_upload_is_stored_by_hash_and_queued(people, draft) -> None:
    version, job_id = receive_version(
        plan_id=draft.pk, upload=workbook_upload(b"abc", "../朔城区 方案.XLSX"),
        by=people["county_clerk"], at=OPENED_AT,
    )  # fmt: skip
    assert (version.number, version.state, version.file_name) == (1, "received", "朔城区 方案.XLSX")
    assert version.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert stored_files() == [version.file.name]
    assert version.file.name.startswith("plans/")
    assert version.file.name.endswith(".xlsx")
    job = Job.objects.get(pk=job_id)
    assert (job.kind, job.subject_type, job.subject_id, job.state, job.asked_by_id) == (
        "plans.read_version", "plans.planversion", version.pk, "queued", people["county_clerk"].pk,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("方案.pdf", b"x", "请上传 Excel 工作簿（.xlsx）。WPS 表格请先“另存为”xlsx 格式。"),
        ("方案", b"x", "请上传 Excel 工作簿（.xlsx）。"),
        ("方案.xlsm", b"x", "请上传 Excel 工作簿（.xlsx）。"),
        ("方案.xlsx", b"", "这个文件是空的（0 字节）。请重新保存后再上传。"),
        ("方案.xlsx", b"x" * 1025, "文件超过 0 MB。请删去图片等附带内容后再上传。"),
    ],
)
def test_what_is_no_workbook_is_refused(people, draft, settings, name, content, sentence) -> None:
    settings.MAX_WORKBOOK_BYTES = 1024
    with pytest.raises(Refused) as refusal:
        receive_version(
            plan_id=draft.pk, upload=workbook_upload(content, name), by=people["county_clerk"],
            at=OPENED_AT,
        )  # fmt: skip
    assert refusal.value.message.startswith(sentence)
    assert (PlanVersion.objects.count(), Job.objects.count(), stored_files()) == (0, 0, [])


def test_the_same_file_sent_twice_is_one_version(people, draft) -> None:
    first, job = receive_version(
        plan_id=draft.pk, upload=workbook_upload(), by=people["county_clerk"], at=OPENED_AT
    )
    second, same_job = receive_version(
        plan_id=draft.pk, upload=workbook_upload(name="又一份.xlsx"), by=people["county_reviewer"],
        at=LATER,
    )  # fmt: skip
    assert (second, same_job) == (first, job)
    assert stored_files() == [first.file.name]
    third, _ = receive_version(
        plan_id=draft.pk, upload=workbook_upload(b"other"), by=people["county_clerk"], at=LATER
    )
    fourth, _ = receive_version(
        plan_id=draft.pk, upload=workbook_upload(), by=people["county_clerk"], at=LATER
    )
    assert [third.number, fourth.number] == [2, 3]  # not twice in a row: somebody went back


def test_a_version_whose_reading_broke_off_is_read_when_sent_again(people, draft) -> None:
    for ending in (Job.State.FAILED, Job.State.CANCELLED):
        version, job_id = receive_version(
            plan_id=draft.pk, upload=workbook_upload(), by=people["county_clerk"], at=OPENED_AT
        )
        Job.objects.filter(pk=job_id).update(state=ending, finished_at=OPENED_AT)
    same, job_id = receive_version(
        plan_id=draft.pk, upload=workbook_upload(), by=people["county_clerk"], at=LATER
    )
    assert (same, same.number) == (version, 1)
    assert Job.objects.get(pk=job_id).state == Job.State.QUEUED
    assert Job.objects.about(version).count() == 3


def test_a_plan_with_the_office_takes_no_upload_and_keeps_no_file(people, counties) -> None:
    plan = plan_at(State.SUBMITTED, people, counties[SHUOCHENG])
    before = stored_files()
    with pytest.raises(WrongState, match="方案现在是“已报送”，不能再上传新版本。"):
        receive_version(
            plan_id=plan.pk, upload=workbook_upload(b"late"), by=people["county_clerk"], at=LATER
        )
    assert stored_files() == before
    assert plan.versions.count() == 1


def test_a_full_disk_leaves_neither_row_nor_stub(people, draft) -> None:
    class FullDisk:
        name, size = "方案.xlsx", 3

        def chunks(self) -> Any:
            yield b"abc"
            raise OSError(28, "No space left on device")

    with pytest.raises(Refused, match="服务器磁盘已满，文件没有存下。请稍后再传"):
        receive_version(
            plan_id=draft.pk, upload=FullDisk(), by=people["county_clerk"], at=OPENED_AT
        )
    assert (PlanVersion.objects.count(), stored_files()) == (0, [])


# --- co-signing ----------------------------------------------------------------------------------


def _opinion(plan: CountyPlan, by: Any, stance: str = "agree", text: str = "") -> Opinion:
    return give_opinion(plan_id=plan.pk, stance=stance, text=text, by=by, at=SIGNED_AT)


def test_a_unit_answers_once_for_each_version(people, counties) -> None:
    plan = plan_at(State.CO_SIGNING, people, counties[SHUOCHENG])
    colleague = make_person("colleague", Role.MEMBER_UNIT)
    opinion = _opinion(plan, people["member_unit"], "disagree", "  安全距离不足。 ")
    assert (opinion.text, opinion.unit.name) == ("安全距离不足。", "市应急管理局")
    with pytest.raises(WrongState, match="本单位已经对这一版方案提交了会签意见。"):
        _opinion(plan, colleague)
    assert _opinion(plan, people["other_member_unit"]).unit.name == "市生态环境局"
    office, leader = people["office"], people["county_leader"]
    take_step(
        plan_id=plan.pk, step="return", by=office, at=LATER, note="见会签意见。",
        seen_state="co_signing",
    )  # fmt: skip
    add_version(plan, people, b"second", at=LATER)
    clerk = people["county_clerk"]
    take_step(plan_id=plan.pk, step="hand_over", by=clerk, at=LATER, seen_state="returned")
    take_step(plan_id=plan.pk, step="submit", by=leader, at=LATER, seen_state="county_review")
    take_step(plan_id=plan.pk, step="receive", by=office, at=LATER, seen_state="submitted")
    tick_all(plan, people)
    take_step(plan_id=plan.pk, step="accept", by=office, at=LATER, seen_state="formal_review")
    assert _opinion(plan, colleague).version.number == 2
    assert list(Opinion.objects.order_by("pk").values_list("version__number", "stance")) == [
        (1, "disagree"), (1, "agree"), (2, "agree"),
    ]  # fmt: skip


@pytest.mark.parametrize("stance", ["disagree", "change"])
def test_a_unit_that_does_not_agree_says_why(people, counties, stance) -> None:
    plan = plan_at(State.CO_SIGNING, people, counties[SHUOCHENG])
    with pytest.raises(Incomplete, match="不同意或修改后同意的，请写明理由或修改要求。"):
        _opinion(plan, people["member_unit"], stance, " \n ")


def test_a_person_of_no_member_unit_gives_no_opinion(people, counties) -> None:
    plan = plan_at(State.CO_SIGNING, people, counties[SHUOCHENG])
    stray = make_person("stray", Role.MEMBER_UNIT)
    bodies = [None, Organization.objects.get(county=SHUOCHENG), people["office"].organization]
    for stray.organization in bodies:
        with pytest.raises(NotAllowed, match="只有成员单位可以会签方案。"):
            _opinion(plan, stray)


# --- approval ------------------------------------------------------------------------------------


def _approve(plan: CountyPlan, by: Any, on: date, seen: str = "endorsed") -> Approval:
    return record_approval(
        plan_id=plan.pk, document_number=" 朔政函〔2025〕9号（示例） ", approved_on=on, by=by,
        scan=pdf_scan(), at=APPROVED_AT, seen_state=seen,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("day", "sentence"),
    [
        (date(2025, 9, 3), "批准日期不能晚于今天。"),
        (date(2025, 9, 1), "批准日期不能早于方案报送的日期。"),
    ],
)
def test_an_approval_lies_between_submission_and_today(people, counties, day, sentence) -> None:
    plan = plan_at(State.ENDORSED, people, counties[SHUOCHENG])
    files = stored_files()
    with pytest.raises(Incomplete, match=sentence):
        _approve(plan, people["office"], day)
    plan.refresh_from_db()
    assert (plan.state, plan.steps.count()) == (State.ENDORSED, 7)
    assert stored_files() == files  # nor is the scan kept
    # Whose step it is comes before what is wrong with it.
    with pytest.raises(NotAllowed, match="只有专班办公室可以登记批准文件。"):
        _approve(plan, people["city_leader"], day)
    assert _approve(plan, people["office"], date(2025, 9, 2)).document_number == (
        "朔政函〔2025〕9号（示例）"
    )


def test_days_are_counted_by_the_local_calendar(people, counties) -> None:
    plan = plan_at(State.ENDORSED, people, counties[SHUOCHENG])
    # 23:30 of 2 September in UTC is the morning of the 3rd here.
    at = OPENED_AT.replace(day=3, hour=7, minute=30)
    record_approval(
        plan_id=plan.pk, document_number="示例", approved_on=date(2025, 9, 3), by=people["office"],
        scan=pdf_scan(), at=at, seen_state="endorsed",
    )  # fmt: skip
    assert Approval.objects.get(plan=plan).approved_on == date(2025, 9, 3)


# --- two people at once --------------------------------------------------------------------------


def at_once(*attempts: Callable[[], Any]) -> tuple[list[Any], list[str]]:
    """Start all attempts together, each with a connection of its own.

    Returns what the successful ones gave, and the sentences of the refused ones.
    """
    gate = threading.Barrier(len(attempts))
    done: list[Any] = []
    refused: list[str] = []
    odd: list[BaseException] = []

    def go(attempt: Callable[[], Any]) -> None:
        try:
            gate.wait(10)
            done.append(attempt())
        except Refused as refusal:
            refused.append(refusal.message)
        except BaseException as error:
            odd.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=(attempt,)) for attempt in attempts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert odd == []
    return done, refused


def both(people: Sequence[Any], step: Callable[[Any], Any]) -> tuple[list[Any], list[str]]:
    """Let two people take the same step at once."""
    first, second = people
    return at_once(lambda: step(first), lambda: step(second))


@pytest.mark.django_db(transaction=True)
def test_of_two_people_at_once_one_acts_and_the_other_is_told(ground) -> None:
    counties = {county.code: county for county in County.objects.all()}
    people = make_people(counties)
    clerks = [people["county_clerk"], people["county_reviewer"]]
    leaders = [people["county_leader"], make_person("b", Role.COUNTY_LEADER, counties[SHUOCHENG])]
    office = [people["office"], make_person("second_office", Role.OFFICE)]
    unit = [people["member_unit"], make_person("second_unit", Role.MEMBER_UNIT)]
    faster = r"测试员已在 2025-09-02 \d\d:00 办理“{}”，方案现在是“{}”。请刷新页面后再看。"

    opened, refused = both(clerks, lambda by: open_plan(county_code=SHUOCHENG, by=by, at=OPENED_AT))
    assert (len({plan.pk for plan in opened}), refused) == (1, [])
    plan = plan_at(State.DRAFT, people, counties[SHUOCHENG])

    def step(code: str, seen: str, at: Any) -> Callable[[Any], Any]:
        return lambda by: take_step(plan_id=plan.pk, step=code, by=by, at=at, seen_state=seen)

    leader = [people["city_leader"], make_person("second_city", Role.CITY_LEADER)]
    _one_acts(both(clerks, step("hand_over", "draft", SUBMITTED_AT)),
              faster.format("送县级审定", "县级审定"))  # fmt: skip
    _one_acts(both(leaders, step("submit", "county_review", SUBMITTED_AT)),
              faster.format("审定并报送", "已报送"))  # fmt: skip
    _one_acts(both(office, step("receive", "submitted", ACCEPTED_AT)),
              faster.format("签收", "形式审查"))  # fmt: skip
    tick_all(plan, people)
    _one_acts(both(office, step("accept", "formal_review", ACCEPTED_AT)),
              faster.format("受理并转会签", "成员单位会签"))  # fmt: skip
    _one_acts(both(unit, lambda by: _opinion(plan, by)), "本单位已经对这一版方案提交了会签意见。")
    Opinion.objects.all().delete()
    co_sign(plan, people)
    _one_acts(both(office, step("invite", "co_signing", SIGNED_AT)),
              faster.format("转专家评审", "专家评审"))  # fmt: skip
    make_experts(people)
    _one_acts(both(office, lambda by: draw_panel(
        plan_id=plan.pk, size=3, set_aside={}, held_on=None, place="", by=by, at=SIGNED_AT)),
        "测试员已经抽取了专家组。请刷新页面。")  # fmt: skip
    answer_as(plan, people, "pass")
    _one_acts(both(leader, step("endorse", "city_approval", SIGNED_AT)),
              faster.format("市政府同意", "市政府已同意"))  # fmt: skip
    _one_acts(both(office, lambda by: _approve(plan, by, date(2025, 9, 2))),
              faster.format("登记市政府批准", "省级报批"))  # fmt: skip
    _one_acts(both(office, lambda by: record_filing(
        plan_id=plan.pk, document_number="报1", dated_on=date(2025, 9, 2), organ="省厅",
        scan=pdf_scan(), by=by, at=APPROVED_AT)), "已经登记了报批文件 报1。")  # fmt: skip
    _one_acts(both(office, lambda by: record_reply(
        plan_id=plan.pk, document_number="复1", dated_on=date(2025, 9, 2), organ="省厅",
        scan=pdf_scan(), by=by, at=APPROVED_AT, seen_state="province")),
        faster.format("登记批复", "批复"))  # fmt: skip
    _one_acts(both(clerks, lambda by: start_adjustment(
        plan_id=plan.pk, why="调整。", by=by, at=LATER)), "这份方案已经建立了调整方案")  # fmt: skip
    _one_acts(both(office, lambda by: _publish(plan, by)), faster.format("公示", "公示"))
    notice = Notice.objects.get()
    _one_acts(both(office, lambda by: _withdraw(notice, by)), "这份公示已经撤回。")

    taken = list(plan.steps.values_list("step", flat=True))
    assert taken == [
        "hand_over", "submit", "receive", "accept", "invite", "pass", "endorse", "approve",
        "reply", "publish", "withdraw",
    ]  # fmt: skip
    assert (Opinion.objects.count(), Approval.objects.count(), PlanTask.objects.count()) == (
        9,
        1,
        2,
    )
    scans = [name for name in stored_files() if name.startswith("scans/")]
    assert len(scans) == 3  # those of the slower person are gone

    # Back from the office, the same file reaches the server twice at once.
    other = open_plan(county_code=PINGLU, by=people["other_county_clerk"], at=OPENED_AT)
    uploads, refused = both(
        [people["other_county_clerk"], people["other_county_reviewer"]],
        lambda by: receive_version(
            plan_id=other.pk, upload=workbook_upload(), by=by, at=RETURNED_AT
        ),
    )
    assert refused == []
    assert len({version.pk for version, _ in uploads}) == 1
    assert len({job for _, job in uploads}) == 1
    assert other.versions.count() == 1
    assert len([name for name in stored_files() if name.startswith("plans/")]) == 2


def _one_acts(answers: tuple[list[Any], list[str]], sentence: str) -> None:
    done, refused = answers
    assert (len(done), len(refused)) == (1, 1)
    assert re.search(sentence, refused[0]), refused[0]


def _publish(plan: CountyPlan, by: Any) -> Notice:
    return publish_notice(
        plan_id=plan.pk, working_days=5, starts_on=date(2025, 9, 3), by=by, at=PUBLISHED_AT,
        seen_state="approved",
    )  # fmt: skip


def _withdraw(notice: Notice, by: Any) -> Notice:
    return withdraw_notice(notice_id=notice.pk, reason="更正。", by=by, at=LATER)
