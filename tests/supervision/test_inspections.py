"""Visits, their problems and photos: who may record, answer and close, and what is refused."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from shuozhou_mines.errors import Incomplete, NotAllowed, Refused, WrongState
from supervision import inspection_actions as actions
from supervision.inspection_models import Inspection, InspectionTeam, Photo, Problem
from supervision.inspection_photos import check_photos
from supervision.inspection_steps import PROBLEM_STEPS, ProblemState, Severity
from taskforce.models import Organization, TrailEntry
from tests.conftest import PINGLU, SHUOCHENG
from tests.factories import make_mine
from tests.supervision.quarter import at

KEY = UUID("11111111-1111-4111-8111-111111111111")
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"\x01" * 200 + b"\xff\xd9"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\x02" * 60 + b"\x00\x00\x00\x00IEND\xaeB`\x82"


def photo(content: bytes = JPEG, name: str = "../../现场.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def found(text: str = "边坡过陡", due_on: date = date(2025, 7, 10)) -> actions.ProblemFound:
    return actions.ProblemFound(
        text=text,
        severity=Severity.SERIOUS,
        clause="四（二）5",
        measure="分台阶放缓边坡",
        responsible_unit="测试矿业1公司",
        due_on=due_on,
    )


@pytest.fixture
def team(people):
    made = actions.form_team(
        name="第一督导组", starts_on=date(2025, 6, 1), ends_on=date(2027, 12, 31),
        by=people["office"],
    )  # fmt: skip
    actions.add_member(
        team_id=made.pk, name="督导员", home_unit=Organization.objects.get(name="市应急管理局"),
        is_leader=True, user=people["inspector"], by=people["office"],
    )  # fmt: skip
    return made


@pytest.fixture
def visit(team, people, counties):
    return record(team, people, counties[SHUOCHENG], problems=[found(), found("没有警示标志")])


def record(team, people, county, *, problems=(), **changes) -> Inspection:
    facts = {
        "draft_key": KEY, "team_id": team.pk, "county": county, "mine": None, "purpose": "guide",
        "visited_on": date(2025, 6, 20), "place": "沙塄河乡", "conclusion": "看了两处采场。",
        "acceptance": "", "found": problems, "photos": [photo()], "by": people["inspector"],
        "at": at(6, 20),
    }  # fmt: skip
    return actions.record_visit(**{**facts, **changes})


def step(problem, name, by, *, on=None, **more) -> Problem:
    return actions.step_problem(
        problem_id=problem.pk, step=name, note=more.pop("note", "已办理。"), by=by,
        at=on or at(7, 1), **more,
    )  # fmt: skip


def browser(person) -> Client:
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def status(client: Client, page: str) -> int:
    answer = client.get(page)
    if answer.streaming:
        assert b"".join(answer.streaming_content) == JPEG
    return answer.status_code


def test_visit_keeps_problems_and_photos_under_own_names(visit, settings):
    assert visit.problems.count() == 2
    kept = Photo.objects.get()
    assert kept.kind == "jpg"
    assert kept.file.name.startswith("inspections/2025/")
    assert "现场" not in kept.file.name
    assert (settings.MEDIA_ROOT / kept.file.name).read_bytes() == JPEG
    assert TrailEntry.objects.filter(act="督导验收记录", subject_id=visit.pk).count() == 1


def test_draft_sent_twice_is_one_visit(visit, team, people, counties):
    again = record(team, people, counties[SHUOCHENG], problems=[found()])
    assert again.pk == visit.pk
    assert (Inspection.objects.count(), Problem.objects.count()) == (1, 2)


def test_only_team_members_record(team, people, counties):
    with pytest.raises(NotAllowed, match="只有督导验收组"):
        record(team, people, counties[SHUOCHENG], by=people["office"])
    team.members.all().delete()
    with pytest.raises(NotAllowed, match="你不是第一督导组的成员"):
        record(team, people, counties[SHUOCHENG])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"visited_on": date(2025, 6, 21)}, "还没有到"),
        ({"visited_on": date(2025, 5, 31)}, "不在内"),
        ({"purpose": "accept"}, "请选择矿山"),
        ({"acceptance": "passed"}, "督导不下验收结论"),
        ({"problems": [found(due_on=date(2025, 6, 19))]}, "早于到场日期"),
    ],
)
def test_visit_that_contradicts_itself_is_refused(team, people, counties, changes, sentence):
    with pytest.raises(Incomplete, match=sentence):
        record(team, people, counties[SHUOCHENG], **changes)
    assert Inspection.objects.count() == 0


def test_acceptance_names_a_mine_and_a_conclusion(team, people, counties):
    mine = make_mine(counties[SHUOCHENG], 1)
    facts = {"purpose": "accept", "mine": mine}
    with pytest.raises(Incomplete, match="请选择验收结论"):
        record(team, people, counties[SHUOCHENG], **facts)
    with pytest.raises(Incomplete, match="要写明整改的问题"):
        record(team, people, counties[SHUOCHENG], acceptance="mend", **facts)
    with pytest.raises(Incomplete, match="不在平鲁区"):
        record(team, people, counties[PINGLU], acceptance="passed", **facts)
    record(team, people, counties[SHUOCHENG], acceptance="passed", **facts)
    answer = browser(people["county_clerk"]).get(reverse("acceptance-list"))
    assert "测试1号矿" in answer.content.decode()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "空的"),
        (b"<svg onload=alert(1)>", "只收 JPEG 或 PNG"),
        (JPEG[:-2], "没有传完整"),
        (PNG[:-4], "没有传完整"),
        (b"\x00\x00\x00\x18ftypheic" + b"\x00" * 40, "HEIC"),
        (b"\xff\xd8\xff" + b"\x00" * (10 * 1024 * 1024), "超过 10 MB"),
    ],
)
def test_what_is_no_photo_is_refused(content, sentence):
    with pytest.raises(Refused, match=sentence):
        check_photos([photo(content)])


def test_refused_photo_leaves_no_visit_and_no_file(team, people, counties, settings):
    with pytest.raises(Refused):
        record(team, people, counties[SHUOCHENG], photos=[photo(), photo(b"text")])
    assert Inspection.objects.count() == 0
    assert not list(settings.MEDIA_ROOT.rglob("*.jpg"))


def test_same_photo_chosen_twice_is_kept_once(team, people, counties, settings):
    record(team, people, counties[SHUOCHENG], photos=[photo(), photo(), photo(PNG)])
    assert [each.kind for each in Photo.objects.all()] == ["jpg", "png"]
    assert len(list((settings.MEDIA_ROOT / "inspections").rglob("*.jpg"))) == 1


def test_a_clock_ahead_of_ours_says_nothing_about_a_photo(team, people, counties):
    ahead = at(9, 3) + timedelta(days=3000)
    visit = record(team, people, counties[SHUOCHENG], photos=[photo()], taken_at=[ahead])
    assert visit.photos.get().taken_at is None


def test_ten_photos_are_too_many():
    with pytest.raises(Refused, match="最多传 9 张"):
        check_photos([photo()] * 10)


def test_problem_is_answered_rejected_answered_and_closed(visit, people):
    problem = visit.problems.first()
    step(problem, "answer", people["county_clerk"], photos=[photo()])
    step(
        problem, "reject", people["inspector"], note="坡角仍大。", due_on=date(2025, 8, 1)
    )  # fmt: skip
    problem.refresh_from_db()
    assert (problem.state, problem.due_on) == ("rejected", date(2025, 8, 1))
    step(problem, "answer", people["county_clerk"], on=at(7, 20))
    closed = step(problem, "close", people["inspector"], on=at(7, 25), note="复查合格。")
    assert (closed.state, closed.closed_on, closed.closing_note) == (
        "closed", date(2025, 7, 25), "复查合格。",
    )  # fmt: skip
    assert [event.step for event in problem.events.order_by("pk")] == [
        "answer", "reject", "answer", "close",
    ]  # fmt: skip


ALLOWED = {
    ("answer", "open"), ("answer", "rejected"), ("answer", "escalated"),
    ("close", "answered"), ("reject", "answered"),
    ("escalate", "open"), ("escalate", "rejected"),
}  # fmt: skip
TAKEN_BY = {
    "answer": "county_clerk", "close": "inspector", "reject": "inspector", "escalate": "office",
}  # fmt: skip


@pytest.mark.parametrize("name", list(PROBLEM_STEPS))
@pytest.mark.parametrize("state", [each.value for each in ProblemState])
def test_each_step_from_each_state_by_each_role(visit, people, name, state):
    for role in people:
        Problem.objects.all().update(
            state=state,
            closed_on=date(2025, 7, 1) if state == "closed" else None,
            closing_note="合格" if state == "closed" else "",
        )
        problem = visit.problems.first()
        may = role == TAKEN_BY[name] or (name == "answer" and role == "county_reviewer")
        if may and (name, state) in ALLOWED:
            assert step(problem, name, people[role]).state == PROBLEM_STEPS[name].to_state
        else:
            with pytest.raises(WrongState if may else NotAllowed):
                step(problem, name, people[role])


def test_step_without_words_or_with_a_past_day_is_refused(visit, people):
    problem = visit.problems.first()
    with pytest.raises(Incomplete, match="请写明整改情况"):
        step(problem, "answer", people["county_clerk"], note="  ")
    with pytest.raises(Incomplete, match="已经过去"):
        step(problem, "escalate", people["office"], due_on=date(2025, 6, 30))


def test_overdue_begins_on_the_day_after(visit):
    assert Problem.objects.overdue(date(2025, 7, 10)).count() == 0
    assert Problem.objects.overdue(date(2025, 7, 11)).count() == 2


def test_county_sees_only_its_own_problems(visit, people):
    problem = visit.problems.first()
    pages = [
        reverse("problem", args=[problem.pk]),
        reverse("inspection", args=[visit.pk]),
        reverse("inspection-photo", args=[Photo.objects.get().pk]),
    ]
    seen_by = {
        "county_clerk", "county_reviewer", "county_leader", "office", "member_unit",
        "other_member_unit", "inspector", "city_leader",
    }  # fmt: skip
    for role, person in people.items():
        codes = {status(browser(person), page) for page in pages}
        assert codes == {200 if role in seen_by else 404}, role
    other = browser(people["other_county_clerk"])
    assert other.post(reverse("problem-step", args=[problem.pk, "answer"])).status_code == 404
    assert "边坡过陡" not in other.get(reverse("problem-list")).content.decode()
    assert (
        "边坡过陡" in browser(people["county_clerk"]).get(reverse("problem-list")).content.decode()
    )


def test_strangers_find_no_lists(people):
    for page in ("inspection-list", "problem-list", "acceptance-list", "inspection-teams"):
        for role in ("expert", "system_admin"):
            assert browser(people[role]).get(reverse(page)).status_code == 404


def test_visit_is_recorded_through_the_page(team, people, counties):
    InspectionTeam.objects.update(starts_on=timezone.localdate() - timedelta(days=9))
    client = browser(people["inspector"])
    page = reverse("inspection-new", args=[SHUOCHENG])
    assert client.get(page).status_code == 200
    today = timezone.localdate()
    data = {
        "draft_key": str(KEY), "team": team.pk, "purpose": "guide", "visited_on": f"{today}",
        "mine": "", "place": "", "conclusion": "看了采场。", "acceptance": "",
        "photos": [photo(), photo(PNG, "b.png")],
        "problems-TOTAL_FORMS": "3", "problems-INITIAL_FORMS": "0",
        "problems-MIN_NUM_FORMS": "0", "problems-MAX_NUM_FORMS": "20",
        "problems-0-text": "道路没有洒水", "problems-0-severity": "light",
        "problems-0-clause": "四（二）5", "problems-0-measure": "每天洒水",
        "problems-0-responsible_unit": "测试公司", "problems-0-due_on": f"{today}",
        "problems-1-severity": "light", "problems-2-severity": "light",
    }  # fmt: skip
    wrong = client.post(page, {**data, "problems-0-due_on": "", "photos": [photo()]})
    assert wrong.status_code == 422
    assert "道路没有洒水" in wrong.content.decode()
    odd = client.post(page, {**data, "position": "91.5 112.4 10", "photos": [photo()]})
    assert "附上的位置读不出来" in odd.content.decode()
    data |= {"taken_at": "1756800000000 1756800060000", "position": "39.331234 112.432101 12"}
    sent = client.post(page, {**data, "photos": [photo(), photo(PNG, "b.png")]}, follow=True)
    assert "督导验收记录已存。" in sent.content.decode()
    visit = Inspection.objects.get()
    assert (visit.problems.count(), visit.photos.count()) == (1, 2)
    assert "2025-09-02 16:01 拍摄" in sent.content.decode()
    assert "北纬 39.331234°，东经 112.432101°" in sent.content.decode()
    assert "误差约 12 米" in sent.content.decode()
    answer = client.get(reverse("inspection-photo", args=[visit.photos.first().pk]))
    assert b"".join(answer.streaming_content) == JPEG
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_answer_and_closing_through_the_page(visit, people):
    problem = visit.problems.first()
    clerk, inspector = browser(people["county_clerk"]), browser(people["inspector"])
    page = reverse("problem", args=[problem.pk])
    assert "报送整改情况" in clerk.get(page).content.decode()
    assert "等朔城区报送整改情况。" in inspector.get(page).content.decode()
    empty = clerk.post(reverse("problem-step", args=[problem.pk, "answer"]), {"note": ""})
    assert empty.status_code == 422
    bad = clerk.post(
        reverse("problem-step", args=[problem.pk, "answer"]),
        {"note": "已削坡。", "photos": [photo(b"no photo")]},
    )
    assert (bad.status_code, "已削坡。" in bad.content.decode()) == (422, True)
    clerk.post(
        reverse("problem-step", args=[problem.pk, "answer"]),
        {"note": "已削坡。", "photos": [photo()]},
    )
    inspector.post(reverse("problem-step", args=[problem.pk, "close"]), {"note": "合格。"})
    problem.refresh_from_db()
    assert problem.state == "closed"
    late = clerk.post(reverse("problem-step", args=[problem.pk, "answer"]), {"note": "再报。"})
    assert late.status_code == 409


def test_office_forms_a_team_through_the_page(people):
    office = browser(people["office"])
    office.post(
        reverse("inspection-teams"),
        {"name": "验收组", "starts_on": "2026-01-01", "ends_on": "2099-12-31"},
    )
    made = InspectionTeam.objects.get()
    inspector = people["inspector"]
    member = {"user": inspector.pk, "name": "", "home_unit": ""}
    office.post(reverse("inspection-team-member", args=[made.pk]), member)
    assert made.members.get().name == inspector.name
    again = office.post(reverse("inspection-team-member", args=[made.pk]), member)
    assert (again.status_code, "已经在验收组里" in again.content.decode()) == (422, True)
    clerk = browser(people["county_clerk"])
    assert clerk.post(reverse("inspection-teams"), {}).status_code == 404
