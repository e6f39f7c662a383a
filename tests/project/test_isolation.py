"""Seed script, formulas and canaries; look for them wherever they could come out."""

import contextlib
import csv
import io
import socket
import threading
from typing import Any

import openpyxl
import pytest
from django.apps import apps
from django.db import DatabaseError, models, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from shuozhou_mines.printing import write_pdf
from tests.project import addresses
from tests.project.test_permission_matrix import BACKEND, Row, ask, rows

PARTS = ("taskforce", "rulebook", "mines", "plans", "publicity", "supervision")
# Both at once: a tag for pages, and a formula's first character for tables.
SEED = "=1+<img src=x onerror=a()>"
# Fields that hold codes, names of files, or marks of our own, never what a person typed.
OURS = {
    "code", "registry_no", "role", "kind", "state", "file", "scan", "marked", "pdf", "reply",
    "sha256", "digest", "suffix", "content_type", "username", "password", "signature", "hash",
    "rule", "subject_kind", "subject_key", "basis_hash", "verdict", "decision", "receipt_no",
    "coordinate_kind", "credit_code", "uscc", "clause", "key", "url", "path", "lock_reason",
}  # fmt: skip


@pytest.fixture
def seeded(people: Any, counties: Any) -> Any:
    """Return one object of each kind, with the seed in every text that a person could type."""
    made = addresses.build(people, counties)
    made.urls, made.clients = {}, {"": Client()}
    for name in ("county_clerk", "office", "inspector", "security_admin", "audit_admin"):
        made.clients[name] = Client()
        made.clients[name].force_login(people[name], BACKEND)
    made.seeded = [
        f"{model._meta.label}.{field.name}"
        for part in PARTS
        for model in apps.get_app_config(part).get_models()
        if model._meta.managed and not model._meta.proxy
        for field in model._meta.concrete_fields
        if _is_typed(field) and _seed(model, field)
    ]
    return made


def _is_typed(field: Any) -> bool:
    if not isinstance(field, models.CharField | models.TextField) or field.choices:
        return False
    if isinstance(field, models.FileField) or field.primary_key or field.unique:
        return False
    roomy = field.max_length is None or field.max_length >= len(SEED)
    return roomy and field.name not in OURS


def _seed(model: Any, field: Any) -> bool:
    """Write the seed past all forms; False where the database itself refuses it."""
    try:
        with transaction.atomic():
            return bool(model._base_manager.update(**{field.name: SEED}))
    except DatabaseError:
        return False


def test_what_people_type_comes_out_as_text_everywhere(seeded) -> None:
    assert len(seeded.seeded) >= 40
    assert {"mines.Mine.name", "plans.Opinion.text", "taskforce.RoleGrant.reason"} & set(
        seeded.seeded
    )
    shown, wrong, tables = 0, [], 0
    for row in rows():
        if row.method != "GET":
            continue
        for person in seeded.clients:
            answer = ask(seeded, row, person)
            if answer.status_code != 200:
                continue
            kind = answer["Content-Type"].partition(";")[0]
            if kind == "text/html":
                shown += "onerror=a()" in (text := answer.content.decode())
                if "<img src=x" in text:
                    wrong.append(f"{row} as {person}: raw tag")
            elif "spreadsheet" in kind or kind == "text/csv":
                tables += 1
                wrong += [f"{row} as {person}: {cell}" for cell in _formulas(answer, kind)]
            else:
                _check_other(row, answer, kind, wrong)
    assert wrong == []
    assert shown >= 25
    assert tables >= 3


def _check_other(row: Row, answer: Any, kind: str, wrong: list[str]) -> None:
    """What no browser shows as a page may carry the text, if it says so."""
    if answer["X-Content-Type-Options"] != "nosniff" or kind.endswith("/xhtml+xml"):
        wrong.append(f"{row}: {kind}")


def _formulas(answer: Any, kind: str) -> list[str]:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if kind == "text/csv":
        cells = [
            cell for line in csv.reader(io.StringIO(body.decode("utf-8-sig"))) for cell in line
        ]
        return [cell for cell in cells if cell.startswith(("=", "@", "\t", "\r"))]
    try:
        book = openpyxl.load_workbook(io.BytesIO(body))
    except Exception:  # a file of the test that is no workbook carries nothing
        return []
    return [
        f"{sheet.title}!{cell.coordinate}"
        for sheet in book
        for line in sheet.iter_rows()
        for cell in line
        if cell.data_type == "f" and SEED in str(cell.value)
    ]


# --- documents fetch nothing ---------------------------------------------------------------------


def test_a_document_reads_neither_network_nor_files() -> None:
    calls: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        place = f"http://127.0.0.1:{server.getsockname()[1]}"

        def listen() -> None:
            with contextlib.suppress(TimeoutError):
                calls.append(server.accept())

        listener = threading.Thread(target=listen)
        listener.start()
        pdf = write_pdf(
            f"<link rel=stylesheet href={place}/a.css><img src={place}/b.png><p>plain</p>"
            "<img src=file:///etc/passwd><object data=file:///etc/passwd></object>"
            f"<style>@import url({place}/c.css); p {{ background: url({place}/d.png) }}</style>"
            "<link rel=attachment href=file:///etc/passwd>"
        )
        listener.join()
    assert pdf.startswith(b"%PDF")
    assert calls == []
    assert b"root:" not in pdf


# --- nothing secret in the logs ------------------------------------------------------------------

CANARY = "canary-3f9c1e-secret"


def _break(_request: HttpRequest) -> HttpResponse:
    password = CANARY  # noqa: F841  a local that a careless log would print
    raise RuntimeError("broken for the test")


urlpatterns = [path("staff/break/", _break), path("", include("shuozhou_mines.urls"))]


def test_no_secret_and_no_second_line_in_the_logs(people, settings, caplog, capsys) -> None:
    settings.ROOT_URLCONF = "tests.project.test_isolation"
    client = Client(raise_request_exception=False, headers={"Authorization": f"Token {CANARY}"})
    client.cookies["other"] = CANARY
    client.post("/sign-in/", {"username": "office", "password": CANARY})
    client.force_login(people["office"], BACKEND)
    broken = client.post("/staff/break/", {"password": CANARY, "phone": CANARY})
    assert broken.status_code == 500
    assert CANARY not in broken.content.decode()
    client.get("/staff/no\r\nERROR forged line/")
    formatted = "\n".join(caplog.handler.format(each) for each in caplog.records)
    said = formatted + capsys.readouterr().err
    assert "broken for the test" in said
    assert CANARY not in said
    assert "\nERROR forged line" not in said


# --- what nobody may steer -----------------------------------------------------------------------


def test_a_forged_host_is_refused(people) -> None:
    assert Client(headers={"Host": "evil.example"}).get("/sign-in/").status_code == 400
    assert Client(headers={"X-Forwarded-Host": "evil.example"}).get("/sign-in/").status_code == 200


def test_more_fields_than_asked_for_make_nobody_more(people, counties) -> None:
    admin = Client()
    admin.force_login(people["system_admin"], BACKEND)
    more = {"is_superuser": "1", "is_active": "0", "is_demo": "1", "groups": "1", "role": "office"}
    admin.post("/staff/accounts/new/", {"username": "new.one", "name": "新人", **more})
    made = type(people["office"]).objects.get(username="new.one")
    assert (made.is_superuser, made.is_active, made.is_demo) == (False, True, False)
    assert (made.groups.count(), made.grants.count()) == (0, 0)
    security = Client()
    security.force_login(people["security_admin"], BACKEND)
    typed = {"role": "expert", "starts_on": "2025-09-01", "reason": "x"}
    security.post(
        f"/staff/accounts/{made.pk}/roles/",
        {**typed, "given_by": "1", "user": str(people["office"].pk), "applied_at": "2020-01-01"},
    )
    grant = made.grants.get()
    assert (grant.given_by, grant.user) == (people["security_admin"], made)


def test_a_parameter_given_twice_and_odd_numbers_do_no_harm(people) -> None:
    audit = Client()
    audit.force_login(people["audit_admin"], BACKEND)
    for query in ("page=1&page=x", "page=-1", "page=99999999999999999999", "county=%27",
                  "since=2025-13-45", "result=x", "address=999"):  # fmt: skip
        assert audit.get(f"/staff/trail/?{query}").status_code == 200, query
        assert audit.get(f"/staff/accounts/?{query}").status_code == 200, query
    for address in (
        "/staff/accounts/?q=%00",
        "/staff/mines/?q=a%00b",
        "/staff/plans/%00/",
        "/?q=%00",
    ):
        assert audit.get(address).status_code == 400, address
