"""Ask every address as every person; docs/permissions.md says what each gets."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.project import addresses

# The columns of the document, with the people who stand for each.
COLUMNS: dict[str, tuple[str, ...]] = {
    "nobody": ("",),
    "clerk": ("county_clerk",),
    "reviewer": ("county_reviewer",),
    "leader": ("county_leader",),
    "other clerk": ("other_county_clerk", "other_county_reviewer"),
    "other leader": ("other_county_leader",),
    "office": ("office",),
    "unit": ("member_unit", "other_member_unit"),
    "expert": ("expert",),
    "inspector": ("inspector",),
    "city": ("city_leader",),
    "admins": ("system_admin", "security_admin", "audit_admin"),
}
BACKEND = "django.contrib.auth.backends.ModelBackend"


@dataclass(frozen=True)
class Row:
    """One line of the matrix: address, method, what it is asked about, and the answers."""

    name: str
    method: str
    on: str
    answers: tuple[tuple[int, ...], ...]

    def __str__(self) -> str:
        return f"{self.method} {self.name} {self.on}".strip()


@cache
def rows() -> tuple[Row, ...]:
    """Read the matrix from the document."""
    text = (settings.BASE_DIR / "docs" / "permissions.md").read_text(encoding="utf-8")
    found = []
    for line in text.splitlines():
        cells = [cell.strip(" `") for cell in line.strip("|").split("|")]
        if len(cells) == 3 + len(COLUMNS) and cells[1] in ("GET", "POST"):
            found.append(Row(cells[0], cells[1], cells[2], tuple(map(_codes, cells[3:]))))
    return tuple(found)


def _codes(cell: str) -> tuple[int, ...]:
    """Return the answer to all people of a column, or one for each of them."""
    return tuple(map(int, cell.split("/")))


def patterns(of: Any = None) -> Iterator[URLPattern]:
    """Yield every address of the site."""
    for each in (of or get_resolver()).url_patterns:
        if isinstance(each, URLResolver):
            yield from patterns(each)
        else:
            yield each


@pytest.fixture
def here(people: Any, counties: Any) -> Any:
    """Return one object of every kind, all of 朔城区."""
    made = addresses.build(people, counties)
    made.urls = {}
    made.clients = {"": Client()}
    for name, person in people.items():
        made.clients[name] = Client()
        made.clients[name].force_login(person, BACKEND)
    return made


def url_of(here: Any, row: Row) -> str:
    """Return the address for the object that the row names."""
    key = row.name, row.on
    if key not in here.urls:
        here.urls[key] = reverse(row.name, args=addresses.arguments(here, *key))
    return str(here.urls[key])


def _send(method: str, client: Client, url: str, data: dict[str, Any]) -> Any:
    return client.post(url, data) if method == "POST" else getattr(client, method.lower())(url)


def ask(here: Any, row: Row, person: str, method: str = "") -> Any:
    """Return the answer that a person gets, and undo what came of it."""
    client = here.clients[person]
    url = url_of(here, row)
    cookies = client.cookies.copy()
    with transaction.atomic():
        method = method or row.method
        data = addresses.posted(here, row.name, row.on) if method == "POST" else {}
        answer = _send(method, client, url, data)
        if answer.streaming:
            b"".join(answer.streaming_content)
        transaction.set_rollback(True)
    client.cookies = cookies
    return answer


def test_every_address_stands_in_the_matrix() -> None:
    named = {str(pattern.name) for pattern in patterns()}
    assert {row.name for row in rows()} == named


@pytest.mark.parametrize("part", range(2))
def test_every_person_gets_what_the_matrix_says(part, here) -> None:
    wrong = []
    for row in rows()[part::2]:
        for (column, people), expected in zip(COLUMNS.items(), row.answers, strict=True):
            for person, code in zip(people, expected * len(people), strict=False):
                got = ask(here, row, person).status_code
                if got != code:
                    wrong.append(f"{row} as {person or column}: {got} instead of {code}")
    assert wrong == []


# --- reading changes nothing ---------------------------------------------------------------------

# Statements may come behind the context that the history sets.
WRITES = re.compile(r'\b(INSERT INTO |UPDATE "|DELETE FROM |COPY |TRUNCATE )')
# Files handed out and what was refused are written down, and that is all that reading writes.


def test_reading_writes_nothing_and_private_pages_are_not_kept(here) -> None:
    for person in ("", "county_clerk", "office"):
        wrote: dict[str, set[str]] = {}
        for row in rows():
            if row.method == "GET":
                url_of(here, row)  # what the address is about may be made only now
                with CaptureQueriesContext(connection) as asked:
                    answer = ask(here, row, person)
                for query in asked.captured_queries:
                    if WRITES.search(query["sql"]):
                        wrote.setdefault(row.name, set()).add(_table(query["sql"]))
                        assert _is_written_down(answer), row
                _check_head(row, answer, is_private=bool(person))
        assert set().union(*wrote.values()) <= {"taskforce_trailentry"}
        assert ("plan-template" in wrote) is bool(person)
        assert ("desk" in wrote) is False


def _is_written_down(answer: Any) -> bool:
    return answer.status_code in (403, 404) or "Content-Disposition" in answer


def _check_head(row: Row, answer: Any, *, is_private: bool) -> None:
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy, row
    assert "unsafe" not in policy, row
    assert answer["X-Content-Type-Options"] == "nosniff", row
    assert answer["Referrer-Policy"] == "same-origin", row
    kept = answer.get("Cache-Control", "")
    if is_private and row.name != "county-shapes":
        assert "private" in kept or "no-store" in kept, (row, kept)


def _table(statement: str) -> str:
    named = re.search(r'(?:INTO|UPDATE|FROM) "?(\w+)', statement)
    return named[1] if named else statement


# --- writing needs a token and the right method --------------------------------------------------


def test_every_post_needs_the_token(here) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(here.people["office"], BACKEND)
    for row in rows():
        if row.method == "POST":
            url = url_of(here, row)
            answer = client.post(url, addresses.posted(here, row.name, row.on))
            assert answer.status_code == 403, row
            assert Client(enforce_csrf_checks=True).post(url).status_code == 403, row


def test_an_address_takes_only_the_methods_of_the_matrix(here) -> None:
    methods: dict[str, set[str]] = {}
    first: dict[str, Row] = {}
    for row in rows():
        methods.setdefault(row.name, set()).add(row.method)
        first.setdefault(row.name, row)
    for name, taken in methods.items():
        for method in {"GET", "POST"} - taken:
            assert ask(here, first[name], "office", method).status_code == 405, (name, method)


def test_what_is_not_asked_for_is_ignored(here) -> None:
    plan, clerk = here.plans["draft"], here.clients["county_clerk"]
    more = {"state": "published", "county": "140603", "number": "9", "submitted_at": "2020-01-01"}
    answer = clerk.post(
        reverse("plan-upload", args=[plan.pk]),
        {**addresses.posted(here, "plan-upload", "draft"), **more, "uploaded_by": "1"},
    )
    assert answer.status_code == 302
    plan.refresh_from_db()
    version = plan.versions.first()
    assert (plan.state, plan.county_id, plan.submitted_at) == ("draft", "140602", None)
    assert (version.number, version.state) == (2, "received")
    assert version.uploaded_by == here.people["county_clerk"]
    unit = here.clients["other_member_unit"]
    unit.post(
        reverse("plan-opinion", args=[here.plans["co_signing"].pk]),
        {"stance": "agree", "text": "", "unit": "1", "by": "1", "version": "1"},
    )
    opinion = here.plans["co_signing"].versions.get().opinions.get()
    assert opinion.unit.name == "市生态环境局"


# --- signing in ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "to"),
    [
        ("/staff/plans/", "/staff/plans/"),
        ("//evil.example/", "/staff/"),
        ("https://evil.example/", "/staff/"),
        ("https:evil.example", "/staff/"),
        ("\\\\evil.example", "/staff/"),
        ("/\\evil.example", "/staff/"),
        ("javascript:alert(1)", "/staff/"),
    ],
)
def test_signing_in_leads_to_our_own_pages_only(people, wanted, to) -> None:
    clerk = people["county_clerk"]
    clerk.set_password("a good long password")
    clerk.save()
    answer = Client().post(
        reverse("sign-in"),
        {"username": clerk.username, "password": "a good long password", "next": wanted},
    )
    assert (answer.status_code, answer["Location"]) == (302, to)


def test_signing_in_gives_a_new_session_and_signing_out_ends_it(people) -> None:
    clerk = people["county_clerk"]
    clerk.set_password("a good long password")
    clerk.save()
    client = Client()
    client.get(reverse("sign-in"))
    typed = {"username": clerk.username, "password": "a good long password"}
    client.post(reverse("sign-in"), typed)
    first = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert client.get(reverse("desk")).status_code == 200
    client.post(reverse("logout"))
    stolen = Client()
    stolen.cookies[settings.SESSION_COOKIE_NAME] = first
    assert stolen.get(reverse("desk")).status_code == 302
    client.post(reverse("sign-in"), typed)
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != first
    # A person who is shut out is out at the next click.
    clerk.is_active = False
    clerk.save()
    assert client.get(reverse("desk")).status_code == 302


def test_wrong_passwords_lock_one_name_from_one_place_only(people) -> None:
    for name in ("county_clerk", "county_leader"):
        people[name].set_password("a good long password")
        people[name].save()
    right = {"password": "a good long password"}
    for _ in range(5):
        Client().post(reverse("sign-in"), {"username": "county_clerk", "password": "wrong"})
    locked = Client().post(reverse("sign-in"), {"username": "county_clerk", **right})
    assert locked.status_code == 429
    other = Client().post(reverse("sign-in"), {"username": "county_leader", **right})
    assert other.status_code == 302
