"""Break the trail by force, and see that the chain tells."""

import json
import socket
import threading
from datetime import datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from taskforce.models import TrailCheck, TrailEntry, TrailLink
from taskforce.schedule import send_trail_on, verify_nightly
from taskforce.trail import record
from taskforce.trail_chain import problems_of_chain, ship, verify

BACKEND = "django.contrib.auth.backends.ModelBackend"
SHANGHAI = ZoneInfo("Asia/Shanghai")


def commit() -> None:
    """Do what the database does at a commit."""
    connection.check_constraints()


def by_force(statement: str) -> None:
    """Run a statement as somebody who may switch the triggers off."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("taskforce_trailentry", "taskforce_traillink"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement)
        for table in ("taskforce_trailentry", "taskforce_traillink"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@pytest.fixture
def five(people, counties) -> list[TrailEntry]:
    """Return five entries, chained."""
    made = [record("试", by=people["office"], n=n, words="一\n二") for n in range(5)]
    commit()
    return made


def test_each_entry_gets_the_next_link(five) -> None:
    links = [entry.link for entry in five]
    assert [link.number - links[0].number for link in links] == [0, 1, 2, 3, 4]
    assert len({link.hash for link in links}) == 5
    assert problems_of_chain() == []


def test_an_edit_shows(five) -> None:
    number = five[2].link.number
    for change in ("act = '改'", "address = '192.0.2.1'", "at = at + interval '1 microsecond'",
                   "by_id = NULL", "detail = '{\"n\": 9}'", "result = 'refused'"):  # fmt: skip
        with transaction.atomic():
            by_force(f"UPDATE taskforce_trailentry SET {change} WHERE id = {five[2].pk}")  # noqa: S608
            assert problems_of_chain() == [
                f"第 {number} 环（日志 {five[2].pk}）的内容或校验值被改过。"
            ], change
            transaction.set_rollback(True)


def test_a_missing_entry_a_gap_and_a_forged_link_show(five) -> None:
    second, third = five[1].link.number, five[2].link.number
    cases = {
        f"DELETE FROM taskforce_trailentry WHERE id = {five[1].pk}": [  # noqa: S608
            f"第 {second} 环的日志 {five[1].pk} 不见了。"
        ],
        f"DELETE FROM taskforce_traillink WHERE number = {second}": [  # noqa: S608
            f"第 {third} 环之前缺了一段。", f"日志 {five[1].pk} 没有进链。"
        ],
        # Edited, and its own hash made to fit: the next one no longer fits.
        f"UPDATE taskforce_traillink SET hash = repeat('0', 64) WHERE number = {second}": [  # noqa: S608
            f"第 {second} 环（日志 {five[1].pk}）的内容或校验值被改过。",
            f"第 {third} 环（日志 {five[2].pk}）的内容或校验值被改过。",
        ],
    }  # fmt: skip
    for statement, told in cases.items():
        with transaction.atomic():
            by_force(statement)
            assert problems_of_chain() == told, statement
            transaction.set_rollback(True)


def test_what_is_cut_off_the_end_shows_after_a_check(five) -> None:
    at = timezone.now()
    assert verify(at=at).problems == []
    last = five[4].link.number
    by_force(f"DELETE FROM taskforce_traillink WHERE number = {last}")  # noqa: S608
    by_force(f"DELETE FROM taskforce_trailentry WHERE id = {five[4].pk}")  # noqa: S608
    day = timezone.localtime(at)
    assert problems_of_chain() == [
        f"{day:%Y-%m-%d} 核验时链到第 {last} 环，现在这一环没有了或不同了。"
    ]


def test_links_and_checks_only_grow_and_are_not_made_by_hand(five) -> None:
    verify(at=timezone.now())
    for statement, word in {
        "INSERT INTO taskforce_traillink (number, entry_id, hash) VALUES (99999, 1, 'x')": "insert",
        "UPDATE taskforce_traillink SET hash = 'x'": "update or delete",
        "DELETE FROM taskforce_traillink": "update or delete",
        "UPDATE taskforce_trailcheck SET problems = '[]'": "update or delete",
        "DELETE FROM taskforce_trailcheck": "update or delete",
    }.items():
        with (
            pytest.raises(DatabaseError, match=word),
            transaction.atomic(),
            connection.cursor() as c,
        ):
            c.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_many_at_once_make_one_chain() -> None:
    start = threading.Barrier(4)

    def write() -> None:
        try:
            start.wait()
            for n in range(10):
                with transaction.atomic():
                    record("同时", by=None, n=n)
                    record("又", by=None, n=n)
        finally:
            connection.close()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert TrailEntry.objects.count() == 80
    numbers = list(TrailLink.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(numbers[0], numbers[0] + 80))
    assert problems_of_chain() == []


def test_the_command_says_whether_the_trail_is_whole(five) -> None:
    out = StringIO()
    call_command("verify_trail", stdout=out)
    assert "日志链完好" in out.getvalue()
    by_force(f"UPDATE taskforce_trailentry SET act = '改' WHERE id = {five[0].pk}")  # noqa: S608
    errors = StringIO()
    with pytest.raises(CommandError, match="1 处问题"):
        call_command("verify_trail", stdout=out, stderr=errors)
    assert f"日志 {five[0].pk}" in errors.getvalue()
    assert len(TrailCheck.objects.first().problems) == 1


def test_the_clock_verifies_once_a_night(five, settings) -> None:
    settings.TRAIL_CHECK_HOUR = 3
    night = datetime(2031, 5, 6, 2, 59, tzinfo=SHANGHAI)
    for minutes, checks in ((0, 0), (1, 1), (2, 1), (60, 1), (24 * 60 + 1, 2)):
        verify_nightly(night + timedelta(minutes=minutes))
        assert TrailCheck.objects.filter(checked_at__year=2031).count() == checks, minutes


def test_entries_go_to_the_log_server_once_as_json(five, settings) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        to = settings.TRAIL_SYSLOG = f"udp://127.0.0.1:{server.getsockname()[1]}"
        count = TrailLink.objects.count()
        send_trail_on(timezone.now())
        lines = [server.recv(65535).decode() for _ in range(count)]
        head, _, body = lines[-1].partition(" - portal - trail - ")
        said = json.loads(body)
        assert head.startswith("<110>1 ")
        assert (said["act"], said["by"], said["detail"]["words"]) == ("试", "office", "一\n二")
        assert said["hash"] == five[4].link.hash
        assert not [line for line in lines if "\n" in line]
        assert ship(destination=to, at=timezone.now()) == 0
        record("后来", by=None)
        commit()
        call_command("export_trail", to=to, stdout=StringIO())
        assert '"act":"后来"' in server.recv(65535).decode()
    out = StringIO()
    call_command("export_trail", after=five[3].link.number, stdout=out)
    assert [json.loads(line)["act"] for line in out.getvalue().splitlines()] == ["试", "后来"]


def test_a_log_server_that_is_away_stops_nothing(five, settings) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settings.TRAIL_SYSLOG = f"tcp://127.0.0.1:{closed.getsockname()[1]}"
    send_trail_on(timezone.now())
    with pytest.raises(CommandError, match="其余没有送出"):
        call_command("export_trail", to=settings.TRAIL_SYSLOG)
    with pytest.raises(CommandError, match="neither udp"):
        call_command("export_trail", to="file:///etc/passwd")


# --- what is written down of itself --------------------------------------------------------------


def signed_in(person) -> Client:
    client = Client(REMOTE_ADDR="198.51.100.9")
    client.force_login(person, BACKEND)
    return client


def test_signing_in_and_out_is_written_down_and_what_was_typed_is_not(people) -> None:
    clerk = people["county_clerk"]
    clerk.set_password("a good long password")
    clerk.save()
    client = Client(REMOTE_ADDR="198.51.100.9")
    for typed in ("county_clerk", "my-secret-typed-in-the-wrong-field"):
        client.post(reverse("sign-in"), {"username": typed, "password": "wrong-one"})
    right = {"username": "county_clerk", "password": "a good long password"}
    client.post(reverse("sign-in"), right)
    gone = client.post(reverse("logout"))
    assert gone["Clear-Site-Data"] == '"cache", "storage"'
    written = [
        (e.act, e.result, e.by, e.subject_id, e.address, e.detail.get("account"))
        for e in TrailEntry.objects.exclude(act="授予角色").order_by("pk")
    ]
    assert written == [
        ("登录失败", "refused", None, clerk.pk, "198.51.100.9", "known"),
        ("登录失败", "refused", None, None, "198.51.100.9", "unknown"),
        ("登录", "done", clerk, None, "198.51.100.9", None),
        ("退出登录", "done", clerk, None, "198.51.100.9", None),
    ]
    everything = str(list(TrailEntry.objects.values()))
    for secret in ("a good long password", "wrong-one", "my-secret-typed"):
        assert secret not in everything


def test_refusals_and_downloads_are_written_down_once(people) -> None:
    clerk = signed_in(people["county_clerk"])
    clerk.get("/staff/plans/999999/")
    clerk.get(reverse("mine-export", args=["csv"]))
    clerk.get(reverse("mine-list"))
    clerk.get("/no-such-page-of-the-public/")
    written = [
        (e.act, e.result, e.by, e.detail["path"])
        for e in TrailEntry.objects.exclude(act="授予角色").order_by("pk")
    ]
    assert written == [
        ("查无此页或无权查看", "refused", people["county_clerk"], "/staff/plans/999999/"),
        ("下载文件", "done", people["county_clerk"], "/staff/mines/export/csv/"),
    ]


# --- the page of the audit role ------------------------------------------------------------------


def test_the_audit_role_searches_and_exports(
    people, counties, django_assert_max_num_queries
) -> None:
    record("=1+1", by=people["office"], county=counties["140602"], note="<b>x</b>")
    record("别的事", by=people["county_clerk"], result="refused")
    commit()
    audit = signed_in(people["audit_admin"])
    everything = audit.get(reverse("trail")).content.decode()
    assert "=1+1" in everything
    assert "&lt;b&gt;x&lt;/b&gt;" in everything
    found = audit.get(reverse("trail"), {"result": "refused"}).content.decode()
    assert "别的事" in found
    assert "=1+1" not in found
    for asked, count in (
        ({"county": "140602"}, 2),
        ({"q": "别的"}, 1),
        ({"since": "2999-01-01"}, 0),
    ):
        page = audit.get(reverse("trail"), asked).context["page_obj"]
        assert page.paginator.count == count, asked
    assert audit.get(reverse("trail"), {"since": "x"}).context["page_obj"].paginator.count == 0
    file = audit.get(reverse("trail-export"), {"q": "=1+1"})
    text = b"".join(file.streaming_content).decode("utf-8-sig")
    assert text.splitlines()[0].startswith("序号,时间,操作人")
    assert ",'=1+1," in text
    exported = TrailEntry.objects.get(act="导出日志")
    assert (exported.by, exported.detail["entries"]) == (people["audit_admin"], 1)
    assert audit.get(reverse("trail-export"), {"q": "没有这样的"}).status_code == 409
    for _ in range(60):
        record("多", by=people["office"])
    with django_assert_max_num_queries(8):
        audit.get(reverse("trail"))


def test_a_broken_trail_stands_on_the_page(people, five) -> None:
    by_force(f"UPDATE taskforce_trailentry SET act = '改' WHERE id = {five[0].pk}")  # noqa: S608
    verify(at=timezone.now())
    page = signed_in(people["audit_admin"]).get(reverse("trail")).content.decode()
    assert "核验发现问题" in page
    assert f"日志 {five[0].pk}" in page
