"""Use the pages of plans as their people do: what each sees, types, and is told."""

from collections.abc import Iterable
from io import BytesIO
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from plans.actions import open_plan, take_step
from plans.models import (
    CheckRun,
    CountyPlan,
    Disposition,
    Finding,
    MergedArea,
    PlanVersion,
    Round,
)
from plans.review_actions import give_opinion
from plans.waiting import waiting_for
from plans.workflow import STEPS, State
from shuozhou_mines.models import Job
from tests.conftest import SHUOCHENG
from tests.factories import (
    HANDED_OVER_AT,
    OPENED_AT,
    SIGNED_AT,
    SUBMITTED_AT,
    add_version,
    make_mine,
    pdf_scan,
    plan_at,
    square,
)

PARTS = (
    "overview", "mines", "areas", "findings", "formal", "opinions", "panel", "versions", "way",
)  # fmt: skip


@pytest.fixture
def signed_in(people) -> Any:
    """Return a function that gives a browser in which a person has signed in."""

    def sign_in(name: str) -> Client:
        client = Client()
        client.force_login(people[name], "django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in


def page(client: Client, plan: CountyPlan, part: str = "overview") -> str:
    answer = client.get(reverse("plan", args=[plan.pk]), {"part": part})
    assert answer.status_code == 200
    return answer.content.decode()


def said(answer: Any) -> list[str]:
    """Return the newest of the sentences that wait for the next page."""
    return [str(message) for message in get_messages(answer.wsgi_request)][-1:]


# --- what is offered to whom ---------------------------------------------------------------------

OFFERED: dict[State, dict[str, set[str]]] = {
    State.DRAFT: {"county_clerk": {"upload", "hand_over"}},
    State.COUNTY_REVIEW: {"county_leader": {"submit", "send_back"}},
    State.SUBMITTED: {"office": {"receive"}},
    State.FORMAL_REVIEW: {"office": {"accept", "return"}},
    State.RETURNED: {"county_clerk": {"upload", "hand_over"}},
    State.CO_SIGNING: {
        "office": {"invite", "return"}, "member_unit": {"opinion"},
        "other_member_unit": {"opinion"},
    },
    State.EXPERT_REVIEW: {},
    State.REVISING: {"county_clerk": {"upload"}, "county_leader": {"hand_in_revision"}},
    State.RECHECK: {"office": {"confirm_revision", "revise_again"}},
    State.CITY_APPROVAL: {"city_leader": {"endorse", "city_return"}},
    State.ENDORSED: {"office": {"approve"}},
    State.PROVINCE: {"office": {"file"}},
    State.APPROVED: {"office": {"publish"}, "county_clerk": {"adjust"}},
    State.PUBLISHED: {"office": {"issue"}, "county_clerk": {"adjust"}},
    State.ISSUED: {"office": {"start_acceptance"}, "county_clerk": {"adjust"}},
    State.ACCEPTANCE: {"office": {"close"}, "county_clerk": {"adjust"}},
    State.CLOSED: {},
    State.SUPERSEDED: {},
}  # fmt: skip


@pytest.mark.parametrize("state", State)
def test_each_person_is_offered_their_own_steps(state, people, counties, signed_in) -> None:
    plan = plan_at(state, people, counties[SHUOCHENG])
    addresses = {
        "upload": reverse("plan-upload", args=[plan.pk]),
        "opinion": reverse("plan-opinion", args=[plan.pk]),
        "approve": reverse("plan-approve", args=[plan.pk]),
        "file": reverse("plan-document", args=[plan.pk, "filing"]),
        "reply": reverse("plan-document", args=[plan.pk, "reply"]),
        "adjust": reverse("plan-adjust", args=[plan.pk]),
        "publish": reverse("notice-new", args=[plan.pk]),
        "issue": reverse("plan-issue", args=[plan.pk]),
        **{
            code: reverse("plan-step", args=[plan.pk, code])
            for code, step in STEPS.items()
            if not step.own_action
        },
    }
    found = {}
    for name in ("county_clerk", "county_reviewer", "county_leader", "office", "member_unit",
                 "other_member_unit", "inspector", "city_leader"):  # fmt: skip
        answer = signed_in(name).get(reverse("plan", args=[plan.pk]))
        if answer.status_code == 200:
            text = answer.content.decode()
            found[name] = {step for step, url in addresses.items() if f'"{url}"' in text}
    expected = OFFERED[state]
    clerks = {"county_clerk", "county_reviewer"}
    for name, offered in found.items():
        twin = clerks if name in clerks else {name}
        assert offered == next((expected[each] for each in twin if each in expected), set()), name


def test_the_desk_names_what_waits_and_forgets_what_is_done(people, counties, signed_in) -> None:
    plan = plan_at(State.CO_SIGNING, people, counties[SHUOCHENG])

    def waiting(name: str) -> list[str]:
        answer = signed_in(name).get(reverse("desk"))
        return [line["label"] for line in answer.context["waiting"] if "方案" in line["label"]]

    assert waiting("member_unit") == waiting("other_member_unit") == ["朔城区方案：会签"]
    assert waiting("office") == ["朔城区方案：催办会签"]
    assert waiting("county_clerk") == []
    # The limit of five working days is long over; only a leader's word goes on without a unit.
    assert waiting("city_leader") == ["朔城区方案：批示逾期未会签的单位"]
    give_opinion(plan_id=plan.pk, stance="agree", text="", by=people["member_unit"], at=SIGNED_AT)
    assert waiting("member_unit") == []
    assert waiting("other_member_unit") == ["朔城区方案：会签"]


def test_the_desk_of_a_county(people, counties, signed_in) -> None:
    open_plan(county_code=SHUOCHENG, by=people["county_clerk"], at=OPENED_AT)

    def lines(name: str) -> list[str]:
        answer = signed_in(name).get(reverse("desk"))
        return [line["label"] for line in answer.context["waiting"] if "方案" in line["label"]]

    assert lines("county_clerk") == ["朔城区方案：编制并上传方案"]
    assert lines("county_leader") == []  # there is nothing to confirm yet
    plan = plan_at(State.DRAFT, people, counties[SHUOCHENG])
    assert lines("county_leader") == []
    take_step(plan_id=plan.pk, step="hand_over", by=people["county_clerk"], at=HANDED_OVER_AT,
              seen_state="draft")  # fmt: skip
    assert lines("county_clerk") == []
    assert lines("county_leader") == ["朔城区方案：审定并报送"]
    assert lines("other_county_leader") == lines("office") == []
    plan_at_returned(plan, people)
    assert lines("county_reviewer") == ["朔城区方案：按退回意见修改后重新上传"]


def plan_at_returned(plan: CountyPlan, people: Any) -> None:
    """Submit a plan that its leader has before them, and return it."""
    for step, who, seen in (("submit", "county_leader", "county_review"),
                            ("receive", "office", "submitted"),
                            ("return", "office", "formal_review")):  # fmt: skip
        take_step(plan_id=plan.pk, step=step, by=people[who], at=SUBMITTED_AT, seen_state=seen,
                  note="补。")  # fmt: skip


# What waits at the desk of whom in each state; everybody else's is empty.
DESKS: dict[State, dict[str, str]] = {
    State.COUNTY_REVIEW: {"county_leader": "审定并报送"},
    State.SUBMITTED: {"office": "签收"},
    State.FORMAL_REVIEW: {"office": "形式审查"},
    State.EXPERT_REVIEW: {"office": "抽取评审专家"},
    State.REVISING: {
        "county_clerk": "按评审意见修改，填写修改说明",
        "county_reviewer": "按评审意见修改，填写修改说明",
        "county_leader": "送修改复核",
    },
    State.RECHECK: {"office": "复核通过"},
    State.CITY_APPROVAL: {"city_leader": "市政府同意"},
    State.ENDORSED: {"office": "登记市政府批准"},
    State.PROVINCE: {"office": "登记省级报批和批复"},
    State.APPROVED: {"office": "公示"},
    State.PUBLISHED: {"office": "印发实施"},
    State.ISSUED: {},
    State.ACCEPTANCE: {"office": "办结"},
    State.CLOSED: {},
}


@pytest.mark.parametrize("state", DESKS)
def test_every_state_waits_at_the_right_desk(state, people, counties) -> None:
    plan_at(state, people, counties[SHUOCHENG])
    found = {
        name: [line["label"] for line in waiting_for(person)] for name, person in people.items()
    }
    assert {name: lines for name, lines in found.items() if lines} == {
        name: [f"朔城区方案：{label}"] for name, label in DESKS[state].items()
    }


def test_the_list_shows_every_county_and_who_is_late(people, counties, signed_in) -> None:
    plan = plan_at(State.SUBMITTED, people, counties[SHUOCHENG])
    rows = signed_in("office").get(reverse("plan-list")).context["rows"]
    assert [(row["county"].name, row["state"]) for row in rows][:2] == [
        ("朔城区", "已报送"), ("平鲁区", "尚未报送"),
    ]  # fmt: skip
    assert rows[0]["late"] is True
    # Half past midnight of 1 June here is still 31 May in UTC; it is late all the same.
    CountyPlan.objects.filter(pk=plan.pk).update(
        submitted_at=OPENED_AT.replace(month=6, day=1, hour=0, minute=30)
    )
    assert signed_in("office").get(reverse("plan-list")).context["rows"][0]["late"] is True
    CountyPlan.objects.filter(pk=plan.pk).update(
        submitted_at=OPENED_AT.replace(month=5, day=31, hour=23, minute=30)
    )
    assert signed_in("office").get(reverse("plan-list")).context["rows"][0]["late"] is False
    own = signed_in("county_clerk").get(reverse("plan-list")).context["rows"]
    assert [row["county"].name for row in own] == ["朔城区"]
    Round.objects.update(is_open=False)
    assert "目前没有进行中的轮次" in signed_in("office").get(reverse("plan-list")).content.decode()


# --- taking steps --------------------------------------------------------------------------------


def test_a_county_opens_uploads_and_submits(people, counties, signed_in) -> None:
    clerk, leader = signed_in("county_clerk"), signed_in("county_leader")
    opened = clerk.post(reverse("plan-open", args=[SHUOCHENG]))
    plan = CountyPlan.objects.get()
    assert (opened.status_code, opened["Location"]) == (302, reverse("plan", args=[plan.pk]))
    hand_over = reverse("plan-step", args=[plan.pk, "hand_over"])
    empty = clerk.post(hand_over, {"seen_state": "draft"})
    assert said(empty) == ["还没有上传方案。请先下载模板，填好后上传。"]
    make_mine(counties[SHUOCHENG], 1)
    add_version(plan, people)
    assert said(clerk.post(hand_over, {"seen_state": "draft"})) == ["已办理：送县级审定。"]
    submit = reverse("plan-step", args=[plan.pk, "submit"])
    done = leader.post(submit, {"seen_state": "county_review"})
    assert said(done) == ["已办理：审定并报送。"]
    text = page(leader, plan)
    assert "已报送" in text
    assert "审定并报送（第1版）" in text


def test_a_return_without_words_is_told_in_place(people, counties, signed_in) -> None:
    plan = plan_at(State.FORMAL_REVIEW, people, counties[SHUOCHENG])
    office, url = signed_in("office"), reverse("plan-step", args=[plan.pk, "return"])
    answer = office.post(url, {"seen_state": "formal_review", "note": " "})
    assert said(answer) == ["退回补正必须写明意见，县（市、区）才知道要改什么。"]
    office.post(url, {"seen_state": "formal_review", "note": "<b>请补图</b>"})
    text = page(signed_in("county_clerk"), plan)
    assert "&lt;b&gt;请补图&lt;/b&gt;" in text
    assert "<b>请补图" not in text


def test_a_stale_page_gets_409_and_the_name_of_the_faster_one(people, counties, signed_in) -> None:
    plan = plan_at(State.CO_SIGNING, people, counties[SHUOCHENG])
    answer = signed_in("office").post(
        reverse("plan-step", args=[plan.pk, "accept"]), {"seen_state": "submitted"}
    )
    assert answer.status_code == 409
    assert "专班办公室测试员已在 2025-09-02 13:00 办理“受理并转会签”" in answer.content.decode()


@pytest.mark.parametrize("step", ["approve", "publish", "withdraw", "delete", "SUBMIT"])
def test_only_plain_steps_of_the_table_have_an_address(step, people, counties, signed_in) -> None:
    plan = plan_at(State.CO_SIGNING, people, counties[SHUOCHENG])
    answer = signed_in("office").post(
        reverse("plan-step", args=[plan.pk, step]), {"seen_state": "co_signing", "note": "x"}
    )
    assert answer.status_code == 404


def test_a_step_without_the_state_that_was_seen_is_not_taken(people, counties, signed_in) -> None:
    plan = plan_at(State.SUBMITTED, people, counties[SHUOCHENG])
    answer = signed_in("office").post(reverse("plan-step", args=[plan.pk, "receive"]), {})
    plan.refresh_from_db()
    assert (answer.status_code, plan.state) == (302, State.SUBMITTED)


def test_a_unit_that_disagrees_without_words_keeps_its_form(people, counties, signed_in) -> None:
    plan = plan_at(State.CO_SIGNING, people, counties[SHUOCHENG])
    unit, url = signed_in("member_unit"), reverse("plan-opinion", args=[plan.pk])
    answer = unit.post(url, {"stance": "disagree", "text": ""})
    assert answer.status_code == 422
    assert "不同意或修改后同意的，请写明理由或修改要求。" in answer.content.decode()
    assert unit.post(url, {"stance": "disagree", "text": "距离不足。"}).status_code == 302
    text = page(unit, plan, "opinions")
    assert "距离不足。" in text
    assert f'"{url}"' not in text  # the form is gone
    assert unit.post(url, {"stance": "agree", "text": ""}).status_code == 409


def test_an_approval_is_typed_with_number_day_and_scan(people, counties, signed_in) -> None:
    plan = plan_at(State.ENDORSED, people, counties[SHUOCHENG])
    office, url = signed_in("office"), reverse("plan-approve", args=[plan.pk])
    typed = {"seen_state": "endorsed", "document_number": "示例", "approved_on": "2025年9月3日"}

    def sent(**more: Any) -> Any:
        return office.post(url, {**typed, "scan": pdf_scan(), **more})

    assert said(sent()) == ["请按 2026-05-30 的样子填写日期。"]
    assert said(office.post(url, typed | {"approved_on": "2025-09-03"})) == ["请附文件的扫描件。"]
    torn = SimpleUploadedFile("批文.pdf", b"%PDF-1.7 torn")
    assert said(sent(approved_on="2025-09-03", scan=torn)) == [
        "扫描件不是完整的 PDF、JPG 或 PNG 文件。请重新扫描或导出后再传。"
    ]
    assert said(sent(approved_on="2999-01-01")) == ["批准日期不能晚于今天。"]
    assert said(sent(approved_on="2025-09-03")) == ["批准文件已登记，请登记省级报批。"]
    text = page(office, plan)
    assert "2025-09-03" in text
    scan = office.get(reverse("plan-scan", args=[plan.pk, "approval"]))
    assert scan["Content-Type"] == "application/pdf"
    assert b"".join(scan.streaming_content).startswith(b"%PDF-1.7")


# --- files ---------------------------------------------------------------------------------------


def test_the_template_is_the_countys_own(people, counties, signed_in) -> None:
    make_mine(counties[SHUOCHENG], 1, name="大涂皋村建筑用砂矿")
    plan = open_plan(county_code=SHUOCHENG, by=people["county_clerk"], at=OPENED_AT)
    answer = signed_in("county_clerk").get(reverse("plan-template", args=[plan.pk]))
    assert "filename*=utf-8''" in answer["Content-Disposition"]
    book = load_workbook(BytesIO(answer.content))
    cells = {cell.value for sheet in book for line in sheet.iter_rows() for cell in line}
    assert "大涂皋村建筑用砂矿" in cells
    refused = signed_in("county_leader").get(reverse("plan-template", args=[plan.pk]))
    assert refused.status_code == 403
    assert "只有本县（市、区）的填报员和审核人可以编制方案。" in refused.content.decode()


def test_uploads_are_told_what_is_wrong_or_go_to_their_version(people, counties, signed_in) -> None:
    plan = open_plan(county_code=SHUOCHENG, by=people["county_clerk"], at=OPENED_AT)
    clerk, url = signed_in("county_clerk"), reverse("plan-upload", args=[plan.pk])
    assert said(clerk.post(url, {})) == ["请选择要上传的工作簿。"]
    wrong = SimpleUploadedFile("方案.docx", b"x")
    assert said(clerk.post(url, {"workbook": wrong})) == [
        "请上传 Excel 工作簿（.xlsx）。WPS 表格请先“另存为”xlsx 格式。"
    ]
    for _ in range(2):
        answer = clerk.post(url, {"workbook": SimpleUploadedFile("方案.xlsx", b"same")})
        version = PlanVersion.objects.get()
        assert answer["Location"] == reverse("plan-version", args=[version.pk])
    text = clerk.get(answer["Location"]).content.decode()
    assert "排队中" in text
    assert f'hx-get="{reverse("plan-version-progress", args=[version.pk])}"' in text
    handed_back = clerk.get(reverse("plan-version-file", args=[version.pk]))
    assert b"".join(handed_back.streaming_content) == b"same"
    assert "attachment" in handed_back["Content-Disposition"]


def test_a_version_follows_its_reading_and_nothing_else(people, counties, signed_in) -> None:
    plan = plan_at(State.DRAFT, people, counties[SHUOCHENG])
    version, clerk = plan.versions.get(), signed_in("county_clerk")
    Job.objects.create(
        kind="plans.check_version", idempotency_key="later", subject_type="plans.planversion",
        subject_id=version.pk,
    )  # fmt: skip
    moving = clerk.get(reverse("plan-version-progress", args=[version.pk]))
    assert moving["HX-Redirect"] == reverse("plan-version", args=[version.pk])
    PlanVersion.objects.update(state="received")
    Job.objects.filter(kind="plans.read_version").update(
        state="failed", finished_at=OPENED_AT, error="处理时出了意外。"
    )
    text = clerk.get(reverse("plan-version", args=[version.pk])).content.decode()
    assert "没有完成。" in text
    assert "处理时出了意外。" in text


def test_a_version_whose_reading_broke_off_can_be_sent_again(people, counties, signed_in) -> None:
    plan = open_plan(county_code=SHUOCHENG, by=people["county_clerk"], at=OPENED_AT)
    clerk, url = signed_in("county_clerk"), reverse("plan-upload", args=[plan.pk])
    clerk.post(url, {"workbook": SimpleUploadedFile("方案.xlsx", b"same")})
    version = PlanVersion.objects.get()
    Job.objects.update(state="failed", finished_at=OPENED_AT, error="处理时出了意外。")
    text = clerk.get(reverse("plan-version", args=[version.pk])).content.decode()
    assert f'action="{url}"' in text
    clerk.post(url, {"workbook": SimpleUploadedFile("方案.xlsx", b"same")})
    assert list(Job.objects.order_by("pk").values_list("state", flat=True)) == ["failed", "queued"]


# --- how much a page asks of the database --------------------------------------------------------


@pytest.mark.parametrize("part", PARTS)
def test_a_page_asks_no_more_for_fifty_rows(part, people, counties, signed_in) -> None:
    county = counties[SHUOCHENG]
    plan = plan_at(State.CO_SIGNING, people, county, mines=1)
    version, office = plan.versions.get(), signed_in("office")

    def questions() -> int:
        page(office, plan, part)  # what is read once for each process has been read
        with CaptureQueriesContext(connection) as asked:
            page(office, plan, part)
        return len(asked)

    _fill(version, county, people, [2, 3])
    with_one = questions()
    _fill(version, county, people, range(4, 51))
    assert questions() <= with_one
    assert with_one <= 15 + (FINDINGS_ASK_MORE if part == "findings" else 0)


# The newest findings are held against the registry as it is now, and filtered by what is in them.
FINDINGS_ASK_MORE = 30


def _fill(version: PlanVersion, county: Any, people: Any, numbers: Iterable[int]) -> None:
    run = version.check_runs.get()
    for number in numbers:
        mine = make_mine(county, number)
        area = MergedArea.objects.create(
            version=version, code=f"Z{number}", name=f"{number}区", outline=square(112.4, 39.3)
        )
        Disposition.objects.create(version=version, mine=mine, kind="merge", area=area)
        Finding.objects.create(
            run=run, rule="S-B01", rule_version="1", phase="E", subject_kind="mine",
            subject_key=mine.registry_no, subject_name=mine.name, mine=mine, area=area,
            verdict="fail", message="不符合。", clause="四(二)2", quote="……", basis_hash="",
        )  # fmt: skip
        older = PlanVersion.objects.create(
            plan=version.plan, number=number, state="refused", file="x", file_name="x.xlsx",
            sha256=f"{number:064d}", uploaded_by=people["county_clerk"],
        )  # fmt: skip
        CheckRun.objects.create(version=older, rulebook_version="第1版", checked_on=OPENED_AT)
    PlanVersion.objects.filter(pk=version.pk).update(number=99)


@pytest.mark.parametrize("name", ["plan-list", "desk", "job-list", "notice-desk", "roster"])
def test_a_list_asks_no_more_for_many_rows(name, people, counties, signed_in) -> None:
    office = signed_in("office")

    def questions() -> int:
        assert office.get(reverse(name)).status_code == 200
        with CaptureQueriesContext(connection) as asked:
            office.get(reverse(name))
        return len(asked)

    plan_at(State.APPROVED, people, counties[SHUOCHENG])
    _job(people, 0)
    with_one = questions()
    for number in range(50):
        _job(people, number + 1)
    closed = [
        Round.objects.create(
            name=f"往年{number}", compile_due_on=OPENED_AT, finish_due_on=OPENED_AT, is_open=False
        )
        for number in range(50)
    ]
    CountyPlan.objects.bulk_create(
        CountyPlan(round=each, county=counties[SHUOCHENG], state="submitted",
                   submitted_at=SUBMITTED_AT) for each in closed
    )  # fmt: skip
    assert questions() <= with_one <= 15


def _job(people: Any, number: int) -> None:
    Job.objects.create(
        kind="plans.read_version", idempotency_key=f"{number}", subject_type="plans.planversion",
        subject_id=number, asked_by=people["office"],
    )  # fmt: skip
