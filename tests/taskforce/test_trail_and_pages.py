"""Write acts down with their place, and show outlines and roster."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from taskforce.models import Appointment, Organization, TaskForce, TrailEntry
from taskforce.trail import address_of_request, record
from tests.conftest import SHUOCHENG


def test_an_entry_says_who_when_where_what(people, counties) -> None:
    token = address_of_request.set("192.0.2.7")
    try:
        entry = record(
            "试", by=people["office"], subject=counties[SHUOCHENG], county=counties[SHUOCHENG], n=1
        )
    finally:
        address_of_request.reset(token)
    entry.refresh_from_db()
    assert (entry.by, entry.address, entry.act) == (people["office"], "192.0.2.7", "试")
    assert (entry.subject_type, entry.subject_name) == ("taskforce.county", "朔城区")
    assert (entry.result, entry.detail) == ("done", {"n": 1})
    assert timezone.now() - entry.at < timedelta(minutes=1)


def test_nobody_is_written_down_as_nobody(counties) -> None:
    assert record("试", by=AnonymousUser()).by is None
    assert record("试", by=None).address is None


def test_the_trail_knows_where_a_request_came_from(people, counties) -> None:
    client = Client(REMOTE_ADDR="198.51.100.9")
    client.force_login(people["county_clerk"], "django.contrib.auth.backends.ModelBackend")
    client.post(reverse("plan-open", args=[SHUOCHENG]))
    assert TrailEntry.objects.get(act="建立方案").address == "198.51.100.9"
    assert address_of_request.get() is None


def test_a_header_that_anybody_can_send_moves_no_address(people, counties) -> None:
    client = Client(REMOTE_ADDR="198.51.100.9", headers={"X-Forwarded-For": "203.0.113.1"})
    client.force_login(people["county_clerk"], "django.contrib.auth.backends.ModelBackend")
    client.post(reverse("plan-open", args=[SHUOCHENG]))
    assert TrailEntry.objects.get(act="建立方案").address == "198.51.100.9"


def test_outlines_are_public_and_schematic(ground) -> None:
    answer = Client().get(reverse("county-shapes"))
    features = answer.json()["features"]
    assert sorted(each["properties"]["name"] for each in features) == [
        "右玉县", "山阴县", "平鲁区", "应县", "怀仁市", "朔城区",
    ]  # fmt: skip
    assert {each["geometry"]["type"] for each in features} == {"MultiPolygon"}
    assert answer["Cache-Control"] == "public, max-age=3600"


def test_the_roster_shows_the_posts_of_today(people) -> None:
    city = TaskForce.objects.get(county=None)
    today = timezone.localdate()
    unit = Organization.objects.get(name="市财政局")
    for holder, starts, ends in (
        ("任满者", today - timedelta(days=30), today - timedelta(days=1)),
        ("今日止者", today - timedelta(days=30), today),
        ("今日起者", today, None),
        ("明日起者", today + timedelta(days=1), None),
    ):
        Appointment.objects.create(
            task_force=city, post="成员", holder=holder, organization=unit, starts_on=starts,
            ends_on=ends,
        )  # fmt: skip
    staff = Client()
    staff.force_login(people["inspector"], "django.contrib.auth.backends.ModelBackend")
    for page in (staff.get(reverse("roster")), Client().get(reverse("public-roster"))):
        text = page.content.decode()
        assert "今日止者" in text
        assert "今日起者" in text
        assert "任满者" not in text
        assert "明日起者" not in text
        assert "吴秀玲" in text


@pytest.mark.parametrize("post", ["组长", "常务副组长"])
def test_the_shipped_roster_is_that_of_the_work_plan(ground, post) -> None:
    held = Appointment.objects.on(date(2025, 6, 1)).get(post=post)
    assert held.holder == {"组长": "吴秀玲", "常务副组长": "刘亮"}[post]
