"""Test documents and comments of a plan through their pages."""

import io
from pathlib import Path

import pikepdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from pikepdf import Array, Dictionary, Name

from plans.comment_models import unanswered_comments
from plans.models import Attachment, Comment, Finding
from plans.workflow import State
from taskforce.models import TrailEntry
from tests.conftest import SHUOCHENG
from tests.factories import plan_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan(people, counties):
    return plan_at(State.DRAFT, people, counties[SHUOCHENG])


def a_pdf(*, active: bool = False) -> bytes:
    document = pikepdf.new()
    document.add_blank_page()
    if active:
        document.Root.OpenAction = Dictionary(S=Name.JavaScript, JS="app.alert(1)")
        document.pages[0].Annots = Array([])
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def send(client, plan, content: bytes, name: str = "../../请示.exe", **changes):
    given = {"subject": "request", "title": "关于报送方案的请示"} | changes
    return client.post(
        reverse("plan-attachments", args=[plan.pk]),
        given | {"document": SimpleUploadedFile(name, content)},
    )


def test_a_document_is_cleaned_named_by_the_server_and_handed_back(plan, people, client, settings):
    client.force_login(people["county_clerk"])
    assert send(client, plan, a_pdf(active=True)).status_code == 302
    row = Attachment.objects.get()
    assert (row.file_name, row.content_type, row.pages) == ("请示.pdf", "application/pdf", 1)
    assert row.removed == {"打开时执行的动作": 1}
    stored = Path(row.file.path)
    assert stored.parent == Path(settings.MEDIA_ROOT) / "attachments"
    assert b"JavaScript" not in stored.read_bytes()
    page = client.get(reverse("plan-attachments", args=[plan.pk])).content.decode()
    assert "已去除：打开时执行的动作 1 处" in page
    answer = client.get(reverse("attachment-file", args=[row.pk]))
    assert b"".join(answer.streaming_content) == stored.read_bytes()
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert TrailEntry.objects.filter(act="下载附件", by=people["county_clerk"]).count() == 1


def test_the_same_file_twice_is_one_document(plan, people, client) -> None:
    client.force_login(people["county_clerk"])
    content = a_pdf()
    for _ in range(2):
        send(client, plan, content)
    assert Attachment.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "这个文件是空的"),
        (b"MZ program", "只收 PDF、Word"),
        (b"x" * (20 * 1024 * 1024 + 1), "文件超过 20 MB"),
    ],
    ids=["empty", "program", "large"],
)
def test_a_refused_file_is_told_beside_the_field(content, sentence, plan, people, client) -> None:
    client.force_login(people["county_clerk"])
    answer = send(client, plan, content)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert sentence in text
    assert "关于报送方案的请示" in text
    assert not Attachment.objects.exists()


def test_a_draft_and_its_documents_are_not_open_to_others(plan, people, client) -> None:
    client.force_login(people["county_clerk"])
    send(client, plan, a_pdf())
    place = reverse("attachment-file", args=[Attachment.objects.get().pk])
    for stranger in ("office", "other_county_clerk", "member_unit"):
        client.force_login(people[stranger])
        assert client.get(place).status_code == 404
    client.force_login(people["county_leader"])
    assert send(client, plan, a_pdf()).status_code == 403


def test_a_document_taken_down_stays_on_record_alone(plan, people, client) -> None:
    client.force_login(people["county_clerk"])
    send(client, plan, a_pdf())
    row = Attachment.objects.get()
    place = reverse("attachment-withdraw", args=[row.pk])
    assert client.post(place).status_code == 302
    assert client.post(place).status_code == 404
    assert client.get(reverse("attachment-file", args=[row.pk])).status_code == 404
    page = client.get(reverse("plan-attachments", args=[plan.pk])).content.decode()
    assert "县级填报员测试员于" in page


def comment(client, plan, on: str, text: str = "请核对坐标。", **changes):
    place = reverse("plan-comments", args=[plan.pk])
    return client.post(f"{place}?on={on}", {"on": on, "text": text} | changes)


def test_a_comment_waits_until_the_county_answers(plan, people, client) -> None:
    type(plan).objects.filter(pk=plan.pk).update(state=State.SUBMITTED, submitted_at=plan.opened_at)
    client.force_login(people["office"])
    finding = Finding.objects.filter(run__version__plan=plan, rule="S-B10").first()
    for on in ("mine:SZ-140602-0001", f"finding:{finding.pk}"):
        assert comment(client, plan, on).status_code == 302
    assert unanswered_comments(plan) == 2
    first = Comment.objects.get(on="mine")
    assert (first.subject_name, first.from_county) == ("测试1号矿", False)
    about = Comment.objects.get(on="finding")
    assert (about.finding_rule, about.finding_subject) == (finding.rule, finding.subject_key)
    answer = reverse("comment-answer", args=[first.pk])
    assert client.post(answer, {"text": "好。"}).status_code == 403
    client.force_login(people["county_clerk"])
    page = client.get(reverse("plan-comments", args=[plan.pk])).content.decode()
    assert "还有 2 条没有答复，答复以前方案不能进入下一步" in page
    assert client.post(answer, {"text": " "}).status_code == 302
    assert unanswered_comments(plan) == 2
    client.post(answer, {"text": "已按实测坐标更正。"})
    assert unanswered_comments(plan) == 1
    assert client.post(answer, {"text": "再答一次"}).status_code == 409


def test_a_comment_hangs_on_a_page_of_a_document(plan, people, client) -> None:
    client.force_login(people["county_clerk"])
    send(client, plan, a_pdf())
    key = Attachment.objects.get().pk
    assert comment(client, plan, f"attachment:{key}", page="1").status_code == 302
    assert Comment.objects.get().subject_name == "关于报送方案的请示 第 1 页"
    answer = comment(client, plan, f"attachment:{key}", page="2")
    assert answer.status_code == 422
    assert "没有找到要提意见的" in answer.content.decode()


def test_ones_own_comment_is_answered_by_another_or_taken_back(plan, people, client) -> None:
    client.force_login(people["county_clerk"])
    comment(client, plan, "mine:SZ-140602-0001")
    comment(client, plan, "mine:SZ-140602-0002")
    one, other = Comment.objects.order_by("pk")
    place = reverse("comment-answer", args=[one.pk])
    assert client.post(place, {"text": "好。"}).status_code == 403
    assert client.post(reverse("comment-withdraw", args=[other.pk])).status_code == 302
    client.force_login(people["county_leader"])
    assert client.post(place, {"text": "同意更正。"}).status_code == 302
    assert unanswered_comments(plan) == 0


def test_readers_do_not_comment(plan, people, client) -> None:
    type(plan).objects.filter(pk=plan.pk).update(state=State.SUBMITTED, submitted_at=plan.opened_at)
    client.force_login(people["inspector"])
    assert client.get(reverse("plan-comments", args=[plan.pk])).status_code == 200
    assert comment(client, plan, "mine:SZ-140602-0001").status_code == 403


def test_a_mine_of_another_county_cannot_be_meant(plan, people, client) -> None:
    client.force_login(people["county_clerk"])
    assert comment(client, plan, "mine:SZ-140603-0001").status_code == 422
    assert not Comment.objects.exists()
