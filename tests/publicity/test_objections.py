"""Object to a notice, follow the case, handle it, and forget whose it was."""

import base64
import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import altcha
import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from plans.models import CountyPlan
from plans.workflow import State as PlanState
from publicity import objection_actions as actions
from publicity.limits import TooMany, count
from publicity.models import Notice, Objection, ObjectionFile
from publicity.objection_steps import STEPS, State
from publicity.puzzle import is_solved, new_puzzle
from publicity.receipts import new_receipt_number, tidy
from publicity.schedule import tend_objections
from publicity.sealing import NotReadable, keys, seal, unseal
from publicity.uploads import kind_of
from shuozhou_mines.errors import Incomplete, NotAllowed, WrongState
from shuozhou_mines.jobs import run_job
from shuozhou_mines.models import Job
from taskforce.models import TrailEntry
from tests.conftest import SHUOCHENG
from tests.factories import SHANGHAI, WAYS, add_version, go, plan_at, publish

IN_TIME = datetime(2025, 9, 4, 10, 0, tzinfo=SHANGHAI)
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40 + b"IEND\xaeB`\x82"
WHO = {"kind": "person", "name": "示例异议人", "phone": "138-0000-4321", "address": "示例路1号"}
TYPED = {**WHO, "subject": "一号矿的处置方式", "text": "与现状不符。", "agreed": "on"}


@pytest.fixture
def notice(people: Any, counties: Any) -> Notice:
    plan_at(PlanState.PUBLISHED, people, counties[SHUOCHENG])
    return Notice.objects.get()


def receive(notice: Notice, at: datetime = IN_TIME, files: Any = ()) -> Objection:
    return actions.receive_objection(
        notice_id=notice.pk, subject="一号矿的处置方式", text="与现状不符。", identity=WHO,
        files=files, at=at,
    )  # fmt: skip


def lead(objection: Objection, to: State, by: Any) -> Objection:
    for step in ("accept", "check", "answer", "close"):
        if objection.state == to:
            break
        objection = actions.take_objection_step(
            objection_id=objection.pk, step=step, by=by, at=IN_TIME + timedelta(hours=1),
            seen_state=objection.state, note="经核查，公示内容无误。", upheld=False,
        )  # fmt: skip
    return objection


# --- taking in -----------------------------------------------------------------------------------


def test_an_objection_has_fifteen_working_days(notice) -> None:
    objection = receive(notice)
    assert objection.state == "received"
    # 15 working days after Thursday 4 September 2025; the make-up Sunday comes later.
    assert objection.due_on == date(2025, 9, 25)
    assert [step.label for step in objection.steps.all()] == ["收到"]


def test_the_last_moment_counts_and_the_next_is_late(notice) -> None:
    assert receive(notice, at=notice.ends_at).state == "received"
    late = receive(notice, at=notice.ends_at + timedelta(seconds=1))
    assert late.state == "rejected"
    assert late.is_late
    assert "已于 2025-09-10 18:00 截止" in late.answer
    assert "不予受理" in late.answer
    assert late.closed_at == notice.ends_at + timedelta(seconds=1)


def test_a_withdrawn_notice_takes_none(notice) -> None:
    Notice.objects.update(withdrawn_at=IN_TIME, withdrawn_reason="更正")
    with pytest.raises(WrongState, match="已经撤回"):
        receive(notice)
    assert not ObjectionFile.objects.exists()


def test_whose_it_is_stands_nowhere_in_the_clear(notice, settings) -> None:
    objection = receive(notice, files=[(".pdf", PDF)])
    raw = bytes(Objection.objects.get().identity_sealed)
    assert "示例异议人".encode() not in raw
    assert b"4321" not in raw
    stored = settings.MEDIA_ROOT / objection.files.get().file.name
    assert PDF not in stored.read_bytes()
    trail = str(list(TrailEntry.objects.values()))
    assert "示例异议人" not in trail
    assert "4321" not in trail


# --- the pages of the public ---------------------------------------------------------------------


@pytest.fixture
def open_notice(notice: Notice) -> Notice:
    notice.ends_at = timezone.now() + timedelta(days=3)
    notice.save(update_fields=["ends_at"])
    return notice


def solved() -> str:
    puzzle = new_puzzle()
    found = altcha.solve_challenge(puzzle["challenge"], puzzle["salt"], "SHA-256", 60_000)
    assert found is not None
    answer = {
        "algorithm": "SHA-256", "challenge": puzzle["challenge"], "number": found.number,
        "salt": puzzle["salt"], "signature": puzzle["signature"],
    }  # fmt: skip
    return base64.b64encode(json.dumps(answer).encode()).decode()


def post(notice: Notice, client: Client, **changes: Any) -> Any:
    return client.post(reverse("objection-new", args=[notice.pk]), {**TYPED, **changes})


def test_anyone_objects_and_follows_the_case(open_notice, client) -> None:
    answer = post(
        open_notice, client, puzzle=solved(), attachments=[SimpleUploadedFile("x.exe", PDF)]
    )
    assert answer.status_code == 302
    objection = Objection.objects.get()
    assert objection.files.get().suffix == ".pdf"
    case = client.get(answer["Location"])
    assert objection.receipt_number in case.content.decode()
    assert "no-store" in case["Cache-Control"]
    assert "示例异议人" not in case.content.decode()

    other = Client()
    assert other.get(reverse("objection-case"))["Location"] == reverse("objection-look-up")
    typed = {"number": objection.receipt_number.lower().replace("-", " "), "last_four": "4321"}
    assert other.post(reverse("objection-look-up"), typed).status_code == 302
    assert "办理期限" in other.get(reverse("objection-case")).content.decode()
    other.post(reverse("objection-leave"))
    assert other.get(reverse("objection-case")).status_code == 302


def test_wrong_digits_find_nothing(open_notice, client) -> None:
    number = receive(open_notice).receipt_number
    answer = client.post(reverse("objection-look-up"), {"number": number, "last_four": "0000"})
    assert answer.status_code == 422
    assert "没有找到" in answer.content.decode()


def test_guessing_digits_ends(open_notice, client, settings) -> None:
    settings.LOOKUPS_PER_HOUR = 3
    number = receive(open_notice).receipt_number
    for _ in range(3):
        client.post(reverse("objection-look-up"), {"number": number, "last_four": "0000"})
    answer = client.post(reverse("objection-look-up"), {"number": number, "last_four": "4321"})
    assert "次数太多" in answer.content.decode()


def test_a_puzzle_counts_once_however_it_is_spelled(ground) -> None:
    answer = solved()
    facts = json.loads(base64.b64decode(answer))
    again = base64.b64encode(json.dumps({"took": 1, **facts}).encode()).decode()
    assert is_solved(answer)
    assert not is_solved(answer)
    assert not is_solved(again)


@pytest.mark.parametrize("answer", ["x", "e30=", "W10=", "bnVsbA==", "A" * 3000])
def test_what_is_no_answer_is_refused(answer, ground) -> None:
    assert not is_solved(answer)


def test_few_come_without_scripts(open_notice, client, settings) -> None:
    settings.WITHOUT_PUZZLE_PER_HOUR = 1
    assert post(open_notice, client).status_code == 302
    refused = post(open_notice, client)
    assert refused.status_code == 422
    assert "没有通过自动校验" in refused.content.decode()
    assert "与现状不符。" in refused.content.decode()


def test_a_flood_is_stopped(open_notice, client, settings) -> None:
    settings.OBJECTIONS_PER_HOUR = 2
    answers = [post(open_notice, client).status_code for _ in range(3)]
    assert answers == [302, 302, 422]
    assert Objection.objects.count() == 2


def test_a_full_count_says_when_to_come_again(ground) -> None:
    count("test", most=1, who="a")
    count("test", most=1, who="b")
    with pytest.raises(TooMany, match="一小时后再试"):
        count("test", most=1, who="a")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"MZ" + b"0" * 50, "不是完整的 PDF、JPG 或 PNG"),
        (PDF[:20], "不是完整的 PDF、JPG 或 PNG"),
        (b"<svg onload=alert(1)>", "不是完整的 PDF、JPG 或 PNG"),
        (b"%PDF-" + b"0" * (20 * 1024 * 1024), "20.0 MB，超过了 10 MB"),
    ],
)
def test_bad_attachments_are_named(content, sentence, open_notice, client) -> None:
    answer = post(open_notice, client, attachments=[SimpleUploadedFile("a.pdf", content)])
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Objection.objects.exists()


def test_six_attachments_are_too_many(open_notice, client) -> None:
    files = [SimpleUploadedFile(f"{n}.pdf", PDF) for n in range(6)]
    assert (
        "最多附 5 个文件，这里有 6 个"
        in post(open_notice, client, attachments=files).content.decode()
    )


def test_scripts_in_the_text_stay_text(open_notice, client, people) -> None:
    post(open_notice, client, subject="<img src=x onerror=alert(1)>", text="<script>1</script>")
    client.force_login(people["office"])
    page = client.get(reverse("objection", args=[Objection.objects.get().pk])).content.decode()
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "<script>1" not in page


@pytest.mark.parametrize("missing", ["name", "phone", "subject", "text", "agreed"])
def test_what_is_needed_is_asked_for(missing, open_notice, client) -> None:
    answer = post(open_notice, client, **{missing: ""})
    assert answer.status_code == 422
    assert not Objection.objects.exists()


def test_posted_state_and_answer_are_ignored(open_notice, client) -> None:
    post(open_notice, client, state="closed", answer="成立", upheld="1", is_late="1")
    objection = Objection.objects.get()
    assert (objection.state, objection.answer, objection.upheld) == ("received", "", None)


# --- handling ------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("step", list(STEPS))
def test_every_step_from_every_state(state, step, notice, people) -> None:
    objection = receive(notice)
    Objection.objects.update(state=state)
    leads = {
        ("received", "accept"): "accepted", ("received", "reject"): "rejected",
        ("accepted", "check"): "checking", ("checking", "answer"): "answered",
        ("answered", "close"): "closed",
    }  # fmt: skip

    def go() -> Objection:
        return actions.take_objection_step(
            objection_id=objection.pk, step=step, by=people["office"], at=IN_TIME,
            seen_state=state, note="说明。", upheld=False,
        )  # fmt: skip

    if (state.value, step) in leads:
        assert go().state == leads[state.value, step]
    else:
        with pytest.raises(WrongState):
            go()


@pytest.mark.parametrize("role", ["county_leader", "county_clerk", "member_unit", "city_leader"])
def test_only_the_office_handles(role, notice, people, client) -> None:
    objection = receive(notice, files=[(".pdf", PDF)])
    with pytest.raises(NotAllowed):
        actions.take_objection_step(
            objection_id=objection.pk, step="accept", by=people[role], at=IN_TIME,
            seen_state="received",
        )  # fmt: skip
    client.force_login(people[role])
    assert client.get(reverse("objection", args=[objection.pk])).status_code == 404
    assert client.post(reverse("objection-identity", args=[objection.pk])).status_code == 404
    file = objection.files.get()
    place = reverse("objection-attachment", args=[objection.pk, file.pk])
    assert client.post(place).status_code == 404


def test_each_look_at_the_identity_is_kept(notice, people, client) -> None:
    objection = receive(notice, files=[(".png", PNG)])
    client.force_login(people["office"])
    page = client.get(reverse("objection", args=[objection.pk])).content.decode()
    assert "示例异议人" not in page
    shown = client.post(reverse("objection-identity", args=[objection.pk])).content.decode()
    assert "示例异议人" in shown
    place = reverse("objection-attachment", args=[objection.pk, objection.files.get().pk])
    file = client.post(place)
    assert file.content == PNG
    assert file["Content-Disposition"].startswith("attachment")
    looks = TrailEntry.objects.filter(by=people["office"], act__startswith="查看异议")
    assert sorted(looks.values_list("act", flat=True)) == ["查看异议人身份", "查看异议附件"]


def test_an_answer_needs_words_and_a_decision(notice, people) -> None:
    objection = lead(receive(notice), State.CHECKING, people["office"])
    for words, upheld in (("", False), ("答复。", None)):
        with pytest.raises(Incomplete):
            actions.take_objection_step(
                objection_id=objection.pk, step="answer", by=people["office"], at=IN_TIME,
                seen_state="checking", note=words, upheld=upheld,
            )  # fmt: skip


def test_an_upheld_objection_sends_the_plan_into_adjustment(notice, people, client) -> None:
    objection = lead(receive(notice), State.CHECKING, people["office"])
    client.force_login(people["office"])
    place = reverse("objection-step", args=[objection.pk, "answer"])
    typed = {"seen_state": "checking", "upheld": "yes", "note": "异议成立，予以更正。"}
    refused = client.post(place, {**typed, "withdrawal": ""})
    assert refused.status_code == 422
    assert "请写明撤回原因" in refused.content.decode()
    notice.refresh_from_db()
    assert notice.withdrawn_at is None
    done = client.post(place, {**typed, "withdrawal": "一号矿的处置方式有误，更正后重新公示。"})
    assert done.status_code == 302
    notice.refresh_from_db()
    assert notice.withdrawn_reason == "一号矿的处置方式有误，更正后重新公示。"
    assert notice.plan.state == PlanState.APPROVED
    assert Objection.objects.get().upheld is True
    adjustment = CountyPlan.objects.get(adjusts=notice.plan)
    assert adjustment.state == PlanState.DRAFT
    assert adjustment.adjusts_why == (
        f"异议 {objection.receipt_number} 成立：一号矿的处置方式有误，更正后重新公示。"
    )
    with pytest.raises(Incomplete, match="请先调整方案，再公示调整后的方案"):
        publish(notice.plan, people)


def test_a_second_upheld_objection_goes_with_the_same_adjustment(notice, people) -> None:
    first, second = receive(notice), receive(notice)
    for objection in (first, second):
        lead(objection, State.CHECKING, people["office"])
        actions.take_objection_step(
            objection_id=objection.pk, step="answer", by=people["office"], at=IN_TIME,
            seen_state="checking", note="成立。", upheld=True, withdrawal="范围有误。",
        )  # fmt: skip
    assert CountyPlan.objects.filter(adjusts=notice.plan).count() == 1
    assert Objection.objects.filter(upheld=True).count() == 2


def test_an_issued_plan_stays_issued_while_it_is_adjusted(notice, people, client) -> None:
    CountyPlan.objects.filter(pk=notice.plan_id).update(state=PlanState.ISSUED)
    objection = lead(receive(notice), State.CHECKING, people["office"])
    actions.take_objection_step(
        objection_id=objection.pk, step="answer", by=people["office"], at=IN_TIME,
        seen_state="checking", note="成立。", upheld=True, withdrawal="范围有误。",
    )  # fmt: skip
    notice.refresh_from_db()
    assert notice.withdrawn_reason == "范围有误。"
    assert CountyPlan.objects.get(pk=notice.plan_id).state == PlanState.ISSUED
    assert CountyPlan.objects.get(adjusts=notice.plan).state == PlanState.DRAFT
    assert TrailEntry.objects.filter(act="撤回公示").count() == 1


def test_the_adjusted_plan_names_the_notice_that_was_objected_to(notice, people) -> None:
    objection = lead(receive(notice), State.CHECKING, people["office"])
    actions.take_objection_step(
        objection_id=objection.pk, step="answer", by=people["office"], at=IN_TIME,
        seen_state="checking", note="成立。", upheld=True, withdrawal="范围有误。",
    )  # fmt: skip
    adjustment = CountyPlan.objects.get(adjusts=notice.plan)
    add_version(adjustment, people)
    for step in WAYS[PlanState.PUBLISHED].split():
        go(adjustment, step, people)
    again = Notice.objects.in_force().get()
    assert again.replaces == notice
    assert again.plan == adjustment


def test_the_reply_is_printed_and_names_nobody(notice, people, client, tmp_path) -> None:
    import pdfplumber

    objection = lead(receive(notice), State.ANSWERED, people["office"])
    run_job(Job.objects.get(kind="publicity.reply").pk)
    objection.refresh_from_db()
    with pdfplumber.open(objection.reply.path) as pdf:
        text = "".join(page.extract_text() for page in pdf.pages)
    assert "异议答复书" in text
    assert objection.receipt_number in text
    assert "经核查，公示内容无误。" in text
    assert "示例异议人" not in text
    client.force_login(people["office"])
    answer = client.get(reverse("objection-desk-reply", args=[objection.pk]))
    assert answer["Content-Type"] == "application/pdf"
    answer.close()


def test_a_refusal_is_printed_as_such(notice, people) -> None:
    receive(notice, at=notice.ends_at + timedelta(minutes=1))
    run_job(Job.objects.get(kind="publicity.reply").pk)
    assert str(Objection.objects.get().reply.name).endswith(".pdf")


# --- keys and forgetting -------------------------------------------------------------------------


def key(name: str, byte: bytes) -> str:
    return f"{name}:{base64.b64encode(byte * 32).decode()}"


def test_a_new_key_seals_and_the_old_one_still_opens(settings) -> None:
    settings.IDENTITY_KEYS = [key("k1", b"1")]
    old = seal(b"secret", about="A")
    settings.IDENTITY_KEYS = [key("k2", b"2"), key("k1", b"1")]
    assert unseal(old, about="A") == b"secret"
    assert seal(b"secret", about="A").startswith(b"k2\0")
    with pytest.raises(NotReadable, match="改动"):
        unseal(old, about="B")
    with pytest.raises(NotReadable, match="改动"):
        unseal(old[:-1] + b"x", about="A")
    settings.IDENTITY_KEYS = [key("k2", b"2")]
    with pytest.raises(NotReadable, match="密钥"):
        unseal(old, about="A")


def test_all_is_sealed_anew_after_a_change_of_keys(
    notice, settings, django_capture_on_commit_callbacks
) -> None:
    settings.IDENTITY_KEYS = [key("k1", b"1")]
    objection = receive(notice, files=[(".pdf", PDF)])
    settings.IDENTITY_KEYS = [key("k2", b"2"), key("k1", b"1")]
    old = objection.files.get().file.path
    with django_capture_on_commit_callbacks(execute=True):
        assert actions.seal_anew() == 1
    assert actions.seal_anew() == 0
    settings.IDENTITY_KEYS = [key("k2", b"2")]
    objection.refresh_from_db()
    assert actions.identity_of(objection) == WHO
    with objection.files.get().file.open("rb") as sealed:
        assert unseal(sealed.read(), about=objection.receipt_number) == PDF
    assert not Path(old).exists()


def test_without_a_key_the_portal_does_not_start(settings) -> None:
    from publicity.checks import identity_keys

    settings.IDENTITY_KEYS = []
    assert [error.id for error in identity_keys()] == ["publicity.E001"]
    settings.IDENTITY_KEYS = ["k1:c2hvcnQ="]
    assert [error.id for error in identity_keys()] == ["publicity.E001"]
    settings.IDENTITY_KEYS = [key("k1", b"1")]
    assert identity_keys() == []
    assert list(keys()) == ["k1"]


def test_whose_it_was_is_forgotten_in_time(
    notice, people, settings, django_capture_on_commit_callbacks
) -> None:
    settings.OBJECTION_KEPT_DAYS = 30
    objection = lead(receive(notice, files=[(".pdf", PDF)]), State.CLOSED, people["office"])
    place = objection.files.get().file.path
    assert objection.closed_at is not None
    tend_objections(objection.closed_at + timedelta(days=30))
    objection.refresh_from_db()
    assert objection.identity_deleted_at is None
    with django_capture_on_commit_callbacks(execute=True):
        tend_objections(objection.closed_at + timedelta(days=30, seconds=1))
    objection = Objection.objects.get()
    assert bytes(objection.identity_sealed) == b""
    assert objection.identity_deleted_at is not None
    assert not objection.files.exists()
    assert not Path(place).exists()
    assert not actions.is_the_objectors(objection, "4321")
    with pytest.raises(WrongState, match="已经删除"):
        actions.look_at_identity(objection=objection, by=people["office"])
    assert objection.text == "与现状不符。"


# --- small things --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "kind"), [(PDF, ".pdf"), (PNG, ".png"), (b"\xff\xd8\xff0\xff\xd9", ".jpg"),
                          (b"PK\x03\x04", None), (b"", None)]
)  # fmt: skip
def test_files_are_known_by_content(content, kind) -> None:
    assert kind_of(content) == kind


def test_receipt_numbers_are_read_however_they_are_typed() -> None:
    number = new_receipt_number(IN_TIME.date())
    assert number.startswith("YY250904-")
    assert tidy(f" {number.lower().replace('-', ' ')} ") == number
    assert tidy("YY250904") == ""


@pytest.fixture(autouse=True)
def _nothing_counted(ground: None) -> None:
    cache.clear()
