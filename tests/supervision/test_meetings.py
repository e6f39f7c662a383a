"""Meetings: agenda from open problems, attendance, minutes as 纪要, decisions that are followed."""

import io
from datetime import date, timedelta

import pdfplumber
import pytest
from django.urls import reverse
from django.utils import timezone

from shuozhou_mines.errors import Incomplete, NotAllowed, WrongState
from shuozhou_mines.jobs import Run, claim
from shuozhou_mines.models import Job
from supervision import meeting_actions as actions
from supervision.dispatch_models import DispatchOrder
from supervision.meeting_models import Meeting
from supervision.meeting_tasks import print_minutes
from taskforce.models import Organization
from tests.conftest import SHUOCHENG
from tests.supervision.quarter import at
from tests.supervision.test_inspections import (  # noqa: F401
    browser,
    found,
    record,
    team,
    visit,
)


@pytest.fixture
def meeting(visit, people):  # noqa: F811
    """Return a meeting on both problems of a visit, with one unit there and one decision."""
    made = actions.call_meeting(
        title="第三次成员单位会议", held_on=date(2025, 7, 3), place="市政府三楼会议室",
        chair="办公室主任", problems=visit.problems.all(), by=people["office"],
    )  # fmt: skip
    unit = Organization.objects.get(name="市应急管理局")
    actions.note_attendee(
        meeting_id=made.pk, unit=unit, name="", presence="present", by=people["office"]
    )
    county = Organization.objects.get(county=SHUOCHENG)
    actions.decide(
        meeting_id=made.pk, text="七月底前完成边坡治理。", unit=county, due_on=date(2025, 7, 31),
        by=people["office"],
    )  # fmt: skip
    return made


def issue(meeting, by, *, minutes="会议听取了情况汇报。", on=None) -> Meeting:
    return actions.issue_minutes(meeting_id=meeting.pk, minutes=minutes, by=by, at=on or at(7, 4))


def test_agenda_comes_from_open_problems(meeting):
    assert [item.text for item in meeting.agenda.all()] == [
        "研究朔城区督导问题：边坡过陡", "研究朔城区督导问题：没有警示标志",
    ]  # fmt: skip


def test_decisions_become_orders_when_the_minutes_are_issued(meeting, people):
    assert DispatchOrder.objects.count() == 0
    issued = issue(meeting, people["office"])
    assert (issued.state, issued.number, issued.issued_on) == ("held", 1, date(2025, 7, 4))
    order = DispatchOrder.objects.get()
    assert order.unit.county_id == SHUOCHENG
    assert order.dispatch.title == "落实会议纪要第1期：七月底前完成边坡治理"
    assert order.dispatch.due_on == date(2025, 7, 31)
    with pytest.raises(WrongState, match="第1期"):
        issue(meeting, people["office"])
    with pytest.raises(WrongState, match="不能再改"):
        actions.add_agenda(meeting_id=meeting.pk, text="又一项", by=people["office"])


def test_minutes_want_a_meeting_that_was_held_words_and_attendance(meeting, people):
    with pytest.raises(Incomplete, match="开过以后"):
        issue(meeting, people["office"], on=at(7, 2))
    with pytest.raises(Incomplete, match="请填写纪要正文"):
        issue(meeting, people["office"], minutes=" ")
    meeting.attendees.all().delete()
    with pytest.raises(Incomplete, match="出席人员"):
        issue(meeting, people["office"])
    with pytest.raises(NotAllowed, match="只有专班办公室"):
        issue(meeting, people["member_unit"])


def test_minutes_are_printed_once_in_the_layout_of_minutes(meeting, people):
    issue(meeting, people["office"])
    job = Job.objects.get(kind="supervision.minutes_pdf")
    taken = claim(job.pk, at=timezone.now())
    print_minutes(Run(taken))
    meeting.refresh_from_db()
    name = meeting.pdf.name
    with pdfplumber.open(io.BytesIO(meeting.pdf.read())) as pdf:
        text = "".join(page.extract_text() or "" for page in pdf.pages).replace("\n", "")
    meeting.pdf.close()
    for words in (
        "会议纪要", "第1期", "一、会议议题", "边坡过陡", "二、会议情况", "三、议定事项",
        "出席：", "市应急管理局",
    ):  # fmt: skip
        assert words in text
    print_minutes(Run(taken))
    meeting.refresh_from_db()
    assert meeting.pdf.name == name


def test_meetings_are_for_the_city_s_people(meeting, people):
    pages = reverse("meeting-list"), reverse("meeting", args=[meeting.pk])
    seen_by = {"office", "member_unit", "other_member_unit", "city_leader"}
    for role, person in people.items():
        codes = {browser(person).get(page).status_code for page in pages}
        assert codes == {200 if role in seen_by else 404}, role
    post = reverse("meeting-part", args=[meeting.pk, "agenda"])
    assert browser(people["member_unit"]).post(post, {"text": "议题"}).status_code == 404


def test_meeting_is_held_through_the_pages(visit, people):  # noqa: F811
    office = browser(people["office"])
    yesterday = timezone.localdate() - timedelta(days=1)
    answer = office.post(
        reverse("meeting-list"),
        {"title": "专题会", "held_on": f"{yesterday}", "problems": [visit.problems.first().pk]},
    )
    meeting = Meeting.objects.get()
    assert answer["Location"] == reverse("meeting", args=[meeting.pk])
    unit = Organization.objects.get(name="市财政局")

    def send(part, **data):
        return office.post(reverse("meeting-part", args=[meeting.pk, part]), data).status_code

    assert send("agenda", text="补充议题") == 302
    assert send("minutes", minutes="讨论。") == 422
    assert send("attendee", unit=unit.pk, name="", presence="present") == 302
    assert send("decision", text="拨付资金", unit=unit.pk, due_on="2000-01-01") == 422
    assert send("decision", text="拨付资金", unit=unit.pk, due_on="2099-01-01") == 302
    assert send("minutes", minutes="讨论。") == 302
    page = office.get(reverse("meeting", args=[meeting.pk])).content.decode()
    assert "督办：待签收" in page
    assert "纪要第1期" in page
