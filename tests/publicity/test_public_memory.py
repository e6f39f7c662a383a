"""Answer the public from memory: in the visitor's encoding, with marks, and never too old."""

import gzip
from datetime import timedelta
from typing import Any

import brotli
import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from plans.models import PlanTask
from plans.workflow import State
from publicity import caching
from publicity.actions import withdraw_notice
from publicity.editions import PublicEdition
from publicity.models import Notice
from publicity.question_actions import answer_question, ask
from taskforce.models import Appointment
from tests.conftest import SHUOCHENG
from tests.factories import plan_at

NOW = timezone.now()


@pytest.fixture
def notice(people: Any, counties: Any) -> Notice:
    """Return a notice that ends in three days."""
    plan_at(State.PUBLISHED, people, counties[SHUOCHENG], mines=3)
    Notice.objects.update(ends_at=timezone.now() + timedelta(days=3))
    return Notice.objects.get()


@pytest.fixture
def url(notice: Notice) -> str:
    return reverse("notice", args=[notice.pk])


def mark() -> Any:
    return PublicEdition.objects.get().mark


def test_bodies_come_as_the_visitor_takes_them(url, client) -> None:
    plain = client.get(url)
    brotlied = client.get(url, headers={"Accept-Encoding": "gzip, deflate, br"})
    zipped = client.get(url, headers={"Accept-Encoding": "gzip"})
    refused = client.get(url, headers={"Accept-Encoding": "br;q=0, gzip;q=0"})
    assert brotlied["Content-Encoding"] == "br"
    assert brotli.decompress(brotlied.content) == plain.content
    assert zipped["Content-Encoding"] == "gzip"
    assert gzip.decompress(zipped.content) == plain.content
    assert "Content-Encoding" not in refused
    assert len({answer["ETag"] for answer in (plain, brotlied, zipped)}) == 3
    assert refused["ETag"] == plain["ETag"]
    for answer in (plain, brotlied, zipped):
        assert answer["Vary"] == "Accept-Encoding, Cookie"
        assert answer["Cache-Control"] == "no-cache"
        assert int(answer["Content-Length"]) == len(answer.content)
        assert "default-src 'none'" in answer["Content-Security-Policy"]
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin"


def test_marks_of_every_spelling_are_known(url, client) -> None:
    tag = client.get(url)["ETag"]
    for spelled in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = client.get(url, headers={"If-None-Match": spelled})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer["ETag"] == tag
        assert answer["Vary"] == "Accept-Encoding, Cookie"
    assert client.get(url, headers={"If-None-Match": '"other"'}).status_code == 200


def test_dates_are_told_once_they_are_sure(url, client) -> None:
    assert "Last-Modified" not in client.get(url)  # it changed only just now
    PublicEdition.objects.update(changed_at=timezone.now() - timedelta(minutes=5))
    caching.memory.clear()
    when = client.get(url)["Last-Modified"]
    assert client.get(url, headers={"If-Modified-Since": when}).status_code == 304
    early = "Mon, 01 Sep 2025 00:00:00 GMT"
    assert client.get(url, headers={"If-Modified-Since": early}).status_code == 200
    # The mark decides where both are given.
    both = {"If-Modified-Since": when, "If-None-Match": '"other"'}
    assert client.get(url, headers=both).status_code == 200


def test_heads_are_answered_alike(url, client) -> None:
    assert client.head(url).status_code == 200
    assert client.head(url)["ETag"] == client.get(url)["ETag"]


def test_a_remembered_page_asks_the_database_once(url, client, django_assert_num_queries) -> None:
    client.get(url)
    with django_assert_num_queries(1):
        client.get(url, headers={"Accept-Encoding": "br"})
    with django_assert_num_queries(0):
        client.get(reverse("livez"))


def test_every_change_of_what_is_shown_draws_a_new_mark(notice, people) -> None:
    seen = [mark()]

    def has_moved() -> bool:
        seen.append(mark())
        return len(set(seen)) == len(seen)

    question = ask(notice_id=notice.pk, text="何时关闭矿山？", at=NOW)
    assert not has_moved()  # nobody sees it yet
    seen.pop()
    answer_question(
        question_id=question.pk, public_text="何时关闭？", answer="年底。", by=people["office"],
        at=NOW,
    )  # fmt: skip
    assert has_moved()
    PlanTask.objects.update(done_on=NOW.date(), evidence="验收意见")
    assert has_moved()
    Appointment.objects.filter(holder="刘亮").update(holder="李明")
    assert has_moved()
    withdraw_notice(notice_id=notice.pk, reason="有误。", by=people["office"], at=NOW)
    assert has_moved()


def test_who_holds_a_post_shows_at_once(ground, client) -> None:
    page = reverse("public-roster")
    assert "刘亮" in client.get(page).content.decode()
    Appointment.objects.filter(holder="刘亮").update(holder="王新")
    assert "王新" in client.get(page).content.decode()
    assert "刘亮" not in client.get(page).content.decode()


def test_the_clock_alone_ends_a_notice(url, client, monkeypatch) -> None:
    assert "公示中" in client.get(url).content.decode()
    later = timezone.now() + timedelta(days=4)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert "公示期已满" in client.get(url).content.decode()


def test_strangers_parameters_are_not_remembered(url, client, django_assert_max_num_queries):
    for query in ("?x=1", "?page=1&x=2", "?page=" + "9" * 50):
        assert client.get(url + query).status_code == 200
    assert caching.memory.find(("http", "testserver", url, "x=1", False)) is None
    client.get(url)
    assert caching.memory.find(("http", None, url, "", False)) or caching.memory.find(
        ("http", "testserver", url, "", False)
    )


def test_the_memory_has_an_end(url, client, monkeypatch) -> None:
    monkeypatch.setattr(caching, "MOST_BYTES", 1)
    assert client.get(url).status_code == 200
    assert client.get(url).status_code == 200


def test_who_has_a_session_is_asked_about(url, client, people) -> None:
    client.get(url)
    staff = Client()
    staff.force_login(people["office"])
    page = staff.get(url)
    assert "进入工作平台" in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert "进入工作平台" not in client.get(url).content.decode()


def test_a_page_is_answered_while_redis_is_away(url, client, settings) -> None:
    settings.REDIS_URL = settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    first = client.get(url)
    assert first.status_code == client.get(url).status_code == 200
    Notice.objects.update(withdrawn_at=NOW, withdrawn_reason="队列不通时撤回。")
    assert "队列不通时撤回。" in client.get(url).content.decode()


def test_what_was_rolled_back_was_never_remembered(url, client) -> None:
    before = client.get(url)["ETag"]
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT a")
        Notice.objects.update(withdrawn_at=NOW, withdrawn_reason="撤回又取消。")
        assert "撤回又取消。" in client.get(url).content.decode()
        cursor.execute("ROLLBACK TO SAVEPOINT a")
    assert client.get(url)["ETag"] == before


def test_tiles_hold_the_published_shapes(notice, client, people) -> None:
    tile = reverse("public-tiles", args=["before", 0, 0, 0])
    assert "测试1号矿".encode() in client.get(tile).content
    assert client.get(tile)["Content-Type"] == "application/vnd.mapbox-vector-tile"
    for wrong in (["side", 0, 0, 0], ["before", 0, 1, 0], ["after", 19, 0, 0]):
        assert client.get(reverse("public-tiles", args=wrong)).status_code == 404
    withdraw_notice(notice_id=notice.pk, reason="有误。", by=people["office"], at=NOW)
    assert client.get(tile).content == b""
