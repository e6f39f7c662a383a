"""Crawl every address that anybody may read, and look for what must stay inside."""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.apps import apps
from django.core.cache import cache
from django.db import DatabaseError, connection, models, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mines.models import Mine
from plans.workflow import State
from publicity.models import Notice
from publicity.objection_actions import receive_objection
from publicity.packages import pack
from publicity.question_actions import answer_question
from publicity.urls import urlpatterns
from shuozhou_mines.jobs import run_job
from shuozhou_mines.models import Job
from tests.conftest import PINGLU
from tests.factories import SHANGHAI, make_mine, plan_at
from tests.project.addresses import build

AT = datetime(2025, 9, 4, 10, 0, tzinfo=SHANGHAI)
SECRETS = ("机密异议人", "13899990001", "机密地址", "机密异议内容", "机密草稿矿")
# The fields that are public as they stand; every other text of every other row stays inside, and
# what a notice says is frozen, so that even names of mines in the registry may not show.
PUBLIC = {
    "taskforce.County": ("name",),
    "taskforce.Appointment": ("post", "holder", "title"),
    "publicity.Notice": ("title", "sha256", "withdrawn_reason"),
    "publicity.NoticeShape": ("name", "label"),
    "publicity.PublicDocument": ("title", "file_name", "content_type", "sha256"),
    "publicity.TransferNotice": ("title", "source"),
    "publicity.Question": ("public_text", "answer"),
    "publicity.Appearance": ("url",),
    "supervision.Bulletin": ("title", "document_number"),
    "plans.Target": ("document_number",),
}
OURS = ("taskforce", "rulebook", "mines", "plans", "publicity", "supervision", "shuozhou_mines")
MOST_QUERIES = 14
START = (
    "public-home", "public-map", "notice-list", "transfer-list", "standards", "public-roster",
    "open-data", "bulletin-list", "api-root", "api-notices", "api-mines", "api-areas",
    "api-shapes", "api-transfers", "notice-feed", "public-shapes", "objection-look-up",
    "county-shapes", "sign-in", "about",
)  # fmt: skip
# The whole world, and 朔城区 near enough for the cards of its mines.
TILES = ("0/0/0", "11/1664/780", "11/1663/780", "11/1664/781")


@dataclass
class Seen:
    """Hold one answer of the crawl: its status, its body, and how many queries it took."""

    status: int
    body: bytes
    queries: int


@pytest.fixture
def planted(people: Any, counties: Any) -> tuple[Notice, dict[str, str]]:
    """Return a notice, and each planted secret with the place where it stands."""
    cache.clear()
    here = build(people, counties)
    notice = here.notice
    run_job(Job.objects.get(kind="publicity.documents", subject_id=notice.pk).pk)
    make_mine(counties[PINGLU], 9, name="机密草稿矿", at=(112.2, 39.5))
    plan_at(State.SUBMITTED, people, counties[PINGLU])
    receive_objection(
        notice_id=notice.pk, subject="机密异议内容", text="机密异议内容", files=(), at=AT,
        identity={"kind": "person", "name": "机密异议人", "phone": "13899990001",
                  "address": "机密地址"},
    )  # fmt: skip
    secrets = dict(_plant())
    answer_question(
        question_id=here.question.pk, public_text="何时关闭？", answer="年底。",
        by=people["office"], at=AT,
    )  # fmt: skip
    return notice, {secret: secret for secret in SECRETS} | secrets


def _plant() -> Iterator[tuple[str, str]]:
    """Write a secret into every text that is not public, wherever the database lets us."""
    for number, (model, field) in enumerate(_inside()):
        secret = f"密{number:08}"
        try:
            with transaction.atomic():
                if model._base_manager.update(**{field.name: secret}):
                    yield secret, f"{model._meta.label}.{field.name}"
        except DatabaseError:
            continue  # a constraint holds what may stand there: nothing secret can


def _inside() -> Iterator[tuple[Any, Any]]:
    for model in (found for label in OURS for found in apps.get_app_config(label).get_models()):
        public = PUBLIC.get(model._meta.label, ())
        for field in () if model._meta.proxy else model._meta.concrete_fields:
            if field.name not in public and _is_free_text(field):
                yield model, field


def _is_free_text(field: Any) -> bool:
    return (
        isinstance(field, models.CharField | models.TextField)
        and not field.choices
        and not field.unique
        and (field.max_length or 99) >= 9
        and field.name not in ("username", "password", "receipt_number")
    )


def links_of(text: str, base: str) -> Iterator[str]:
    """Return the addresses on our own site that a body leads to."""
    for target in re.findall(r'(?:href|src|data-[a-z-]*url)="([^"]+)"|"(http[^"]+)"', text):
        link = urljoin(base, (target[0] or target[1]).replace("&amp;", "&"))
        parts = urlsplit(link)
        if parts.netloc in ("", "testserver", "127.0.0.1:8000") and parts.path.startswith("/"):
            address = parts.path + (f"?{parts.query}" if parts.query else "")
            tiled = "{z}/{x}/{y}" in address
            yield from (
                (address.replace("{z}/{x}/{y}", zxy) for zxy in TILES) if tiled else [address]
            )


def crawl(client: Any) -> dict[str, Seen]:
    """Return what each address answers; static files are left out."""
    waiting = [reverse(name) for name in START]
    seen: dict[str, Seen] = {}
    while waiting:
        address = waiting.pop()
        if address in seen or address.startswith("/static/"):
            continue
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(address)
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert answer.status_code in (200, 302, 304, 404, 405), address
        seen[address] = Seen(answer.status_code, body, len(queries))
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


def test_nothing_that_is_not_public_is_found_anywhere(planted, people, client) -> None:
    notice, secrets = planted
    assert len(secrets) > 60
    assert Mine.objects.filter(name__startswith="密").exists()
    secrets |= {person.name: "staff" for person in people.values()}
    seen = crawl(client)
    assert len(seen) > 40
    for part in ("/documents/", "/map/tiles/after/", "/api/public/v1/notices/", "/bulletins/"):
        assert any(address.startswith(part) and seen[address].body for address in seen), part
    bodies = {address: words_of(answer.body) for address, answer in seen.items()}
    bodies["package"] = words_of(pack(notice))
    found = {
        (place, address)
        for secret, place in secrets.items()
        for address, words in bodies.items()
        if secret in words
    }
    assert found == set()
    over = {
        address: answer.queries for address, answer in seen.items() if answer.queries > MOST_QUERIES
    }
    assert over == {}
    for address, words in bodies.items():
        if words.lstrip().startswith("<!doctype html>") and address != "package":
            _works_without_scripts(address, words)


def _works_without_scripts(address: str, page: str) -> None:
    assert not re.search(r"<script(?![^>]*\bsrc=)", page), address
    assert not re.search(r'\son[a-z]+="|\sstyle="', page), address
    assert 'href="#main"' in page or "sign-in" in address, address
    assert "portal/print" in page, address


def test_work_addresses_send_strangers_to_sign_in(ground, client) -> None:
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
