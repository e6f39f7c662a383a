"""Put a finding of a draft before the office: what it sees then, and what it does not."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from plans.models import CountyPlan, Finding, PlanVersion, Ruling, RulingRequest
from taskforce.models import TrailEntry
from taskforce.roles import Role
from tests.conftest import make_person
from tests.factories import SUBMITTED_AT
from tests.plans.areas import checked, make_version, merge, pair_of_mines

NOTE = {"note": "现场已核实，附件见说明。"}


@pytest.fixture
def version(counties, people) -> PlanVersion:
    """Return a draft whose area lacks a scale (S-D05 fails)."""
    version = make_version(counties["140602"], people["county_clerk"])
    mines = pair_of_mines(counties["140602"], 1, 112.4)
    merge(version, "Z1", mines, scale=None, scale_unit="", is_on_ridge=None)
    checked(version, timezone.localdate())
    return version


@pytest.fixture
def sign_in(people) -> Any:
    def enter(name: str) -> Client:
        client = Client()
        client.force_login(people[name])
        return client

    return enter


def finding(version: PlanVersion, rule: str = "S-D05") -> Finding:
    return version.check_runs.first().findings.get(rule=rule, subject_key="Z1")


def test_the_office_sees_this_finding_alone_and_rules_on_it(version, sign_in, people) -> None:
    row, other = finding(version), finding(version, "S-C05")
    office, clerk = sign_in("office"), sign_in("county_clerk")
    assert office.get(reverse("finding", args=[row.pk])).status_code == 404
    assert "提请专班办公室核定" in clerk.get(reverse("finding", args=[row.pk])).content.decode()
    assert clerk.post(reverse("finding-request", args=[row.pk]), NOTE).status_code == 302
    page = office.get(reverse("finding", args=[row.pk]))
    assert page.status_code == 200
    assert "现场已核实，附件见说明。" in page.content.decode()
    assert reverse("plan", args=[version.plan_id]) not in page.content.decode()
    assert office.get(reverse("finding", args=[other.pk])).status_code == 404
    assert office.get(reverse("plan", args=[version.plan_id])).status_code == 404
    desk = office.get(reverse("desk")).content.decode()
    assert "朔城区提请核定：S-D05" in desk
    answer = office.post(
        reverse("finding-rule", args=[row.pk]),
        {"seen": "0", "decision": "accepted", "reason": "可以。", "basis_document": "纪要1号"},
    )
    assert answer.status_code == 302
    second = Client()
    second.force_login(make_person("second_office", Role.OFFICE))
    ruling = Ruling.objects.get()
    assert second.post(reverse("ruling-confirm", args=[ruling.pk])).status_code == 302
    assert "提请核定" not in office.get(reverse("desk")).content.decode()
    assert "可以。" in clerk.get(reverse("finding", args=[row.pk])).content.decode()


def test_a_later_check_of_the_same_finding_stays_visible(version, sign_in) -> None:
    sign_in("county_clerk").post(reverse("finding-request", args=[finding(version).pk]), NOTE)
    checked(version, timezone.localdate())
    office = sign_in("office")
    assert office.get(reverse("finding", args=[finding(version).pk])).status_code == 200
    assert office.get(reverse("finding", args=[finding(version, "S-C05").pk])).status_code == 404


def test_others_see_nothing(version, sign_in) -> None:
    row = finding(version)
    sign_in("county_leader").post(reverse("finding-request", args=[row.pk]), NOTE)
    for name in ("member_unit", "other_county_clerk", "city_leader", "inspector", "expert"):
        assert sign_in(name).get(reverse("finding", args=[row.pk])).status_code == 404


def test_the_second_request_is_told_who_was_faster(version, sign_in) -> None:
    row = finding(version)
    address = reverse("finding-request", args=[row.pk])
    assert sign_in("county_clerk").post(address, NOTE).status_code == 302
    answer = sign_in("county_reviewer").post(address, NOTE)
    assert answer.status_code == 409
    assert "就这一条提请核定，请等专班办公室认定" in answer.content.decode()
    assert RulingRequest.objects.count() == 1
    assert TrailEntry.objects.filter(act="提请核定").count() == 1


def test_a_request_says_why_and_comes_before_submission(version, sign_in) -> None:
    row = finding(version)
    address = reverse("finding-request", args=[row.pk])
    clerk = sign_in("county_clerk")
    answer = clerk.post(address, {"note": " "})
    assert answer.status_code == 422
    assert "请写明情况和希望怎样核定" in answer.content.decode()
    passed = version.check_runs.first().findings.filter(verdict="pass", area__isnull=False).first()
    page = clerk.post(reverse("finding-request", args=[passed.pk]), NOTE)
    assert "才需要核定" in page.content.decode()
    CountyPlan.objects.update(state="submitted", submitted_at=SUBMITTED_AT)
    answer = clerk.post(address, NOTE)
    assert answer.status_code == 409
    assert "不用再提请" in answer.content.decode()
    assert (
        "提请专班办公室核定</button>"
        not in clerk.get(reverse("finding", args=[row.pk])).content.decode()
    )
