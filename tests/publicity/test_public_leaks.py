"""Crawl every address that anybody may read, and look for what must stay inside."""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mines.models import Mine
from plans.actions import give_opinion
from plans.models import PlanVersion
from plans.workflow import State
from publicity.models import Notice
from publicity.objection_actions import receive_objection
from publicity.packages import pack
from publicity.question_actions import answer_question, ask
from publicity.urls import urlpatterns
from shuozhou_mines.jobs import run_job
from shuozhou_mines.models import Job
from tests.conftest import PINGLU, SHUOCHENG
from tests.factories import SHANGHAI, make_mine, plan_at

AT = datetime(2025, 9, 4, 10, 0, tzinfo=SHANGHAI)
# Each stands in a field that is not public.
SECRETS = (
    "机密异议人", "13899990001", "机密地址", "机密异议内容", "机密原问题", "机密草稿矿",
    "机密会签意见", "机密填报人", "机密检查依据", "机密撤换",
)  # fmt: skip
MOST_QUERIES = 14
START = (
    "public-home", "public-map", "notice-list", "transfer-list", "standards", "public-roster",
    "open-data", "bulletin-list", "api-root", "api-notices", "api-mines", "api-areas",
    "api-shapes", "api-transfers", "notice-feed", "public-shapes", "objection-look-up",
    "county-shapes", "sign-in",
)  # fmt: skip


@pytest.fixture
def planted(people: Any, counties: Any) -> Notice:
    cache.clear()
    plan = plan_at(State.CO_SIGNING, people, counties[SHUOCHENG])
    give_opinion(
        plan_id=plan.pk, stance="agree", text="机密会签意见", by=people["other_member_unit"], at=AT
    )
    from tests.factories import approve, publish

    give_opinion(plan_id=plan.pk, stance="agree", text="", by=people["member_unit"], at=AT)
    approve(plan, people)
    plan.refresh_from_db()
    notice = publish(plan, people)
    run_job(Job.objects.get(kind="publicity.documents").pk)
    Mine.objects.filter(county=counties[SHUOCHENG]).update(given_by="机密填报人")
    PlanVersion.objects.update(file_name="机密撤换.xlsx")
    make_mine(counties[PINGLU], 9, name="机密草稿矿", at=(112.2, 39.5))
    plan_at(State.SUBMITTED, people, counties[PINGLU])
    receive_objection(
        notice_id=notice.pk, subject="机密异议内容", text="机密异议内容", files=(), at=AT,
        identity={"kind": "person", "name": "机密异议人", "phone": "13899990001",
                  "address": "机密地址"},
    )  # fmt: skip
    question = ask(notice_id=notice.pk, text="机密原问题：何时关闭？", at=AT)
    answer_question(
        question_id=question.pk,
        public_text="何时关闭？",
        answer="年底。",
        by=people["office"],
        at=AT,
    )
    return notice


def links_of(text: str, base: str) -> Iterator[str]:
    for target in re.findall(r'(?:href|src|data-[a-z-]*url)="([^"]+)"|"(http[^"]+)"', text):
        link = urljoin(base, (target[0] or target[1]).replace("&amp;", "&"))
        parts = urlsplit(link)
        if parts.netloc in ("", "testserver", "127.0.0.1:8000") and parts.path.startswith("/"):
            yield parts.path + (f"?{parts.query}" if parts.query else "")


def crawl(client: Any) -> dict[str, tuple[bytes, int]]:
    """Return body and number of queries by address; static files are left out."""
    waiting = [reverse(name) for name in START]
    seen: dict[str, tuple[bytes, int]] = {}
    while waiting:
        address = waiting.pop()
        if address in seen or address.startswith("/static/"):
            continue
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = client.get(address)
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert answer.status_code in (200, 302, 304, 404, 405), address
        seen[address] = (body, len(queries))
        if answer.status_code == 302:
            waiting.append(answer["Location"])
        elif "zip" not in answer["Content-Type"] and "spreadsheet" not in answer["Content-Type"]:
            waiting.extend(links_of(body.decode(errors="replace"), address))
    return seen


def words_of(body: bytes) -> str:
    """Return what a body says; a workbook or package is opened."""
    if not body.startswith(b"PK"):
        return body.decode(errors="replace")
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return "".join(archive.read(name).decode(errors="replace") for name in archive.namelist())


def test_nothing_that_is_not_public_is_found_anywhere(planted, client) -> None:
    seen = crawl(client)
    assert len(seen) > 30
    assert any(address.startswith("/documents/") for address in seen)
    found = {
        (secret, address)
        for address, (body, _) in seen.items()
        for secret in SECRETS
        if secret in words_of(body)
    }
    assert found == set()


def test_the_package_holds_nothing_either(planted, people) -> None:
    words = words_of(pack(planted))
    assert [secret for secret in SECRETS if secret in words] == []
    assert people["office"].name not in words


def test_no_name_of_staff_is_public(planted, people, client) -> None:
    names = {person.name for person in people.values()}
    found = {
        (name, address)
        for address, (body, _) in crawl(client).items()
        for name in names
        if name in words_of(body)
    }
    assert found == set()


def test_no_page_is_over_its_query_budget(planted, client) -> None:
    over = {
        address: queries
        for address, (_, queries) in crawl(client).items()
        if queries > MOST_QUERIES
    }
    assert over == {}


def test_every_public_page_works_without_scripts(planted, client) -> None:
    for address, (body, _) in crawl(client).items():
        page = body.decode(errors="replace")
        if not page.lstrip().startswith("<!doctype html>"):
            continue
        assert not re.search(r"<script(?![^>]*\bsrc=)", page), address
        assert not re.search(r'\son[a-z]+="|\sstyle="', page), address
        assert 'href="#main"' in page or "sign-in" in address, address
        assert "portal/print" in page, address


def test_work_addresses_send_strangers_to_sign_in(planted, client) -> None:
    for name in ("objection-desk", "question-desk", "transfer-desk", "notice-desk"):
        answer = client.get(reverse(name))
        assert answer.status_code == 302
        assert answer["Location"].startswith("/sign-in/")


def test_the_crawl_knows_every_public_address() -> None:
    """A public list that the crawl does not start from would not be searched."""
    plain = {
        pattern.name
        for pattern in urlpatterns
        if "<" not in str(pattern.pattern) and not str(pattern.pattern).startswith("staff/")
    }
    unlinked = {"puzzle", "objection-case", "objection-reply", "objection-leave"}
    assert plain - set(START) - unlinked == set()
