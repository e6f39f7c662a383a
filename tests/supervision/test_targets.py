"""Enter the province's tasks as the office does, and read them as everybody does."""

import re
from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from plans.models import Target
from supervision.consistency import BATCHES
from tests.conftest import PINGLU, SHUOCHENG
from tests.supervision.quarter import APRIL, at, batch, file_report, open_month, set_targets

ZERO = batch(0, 0, 0)
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def signed_in(people):
    """Return a function that gives a browser in which a role's person has signed in."""

    def sign_in(role):
        client = Client()
        client.force_login(people[role], BACKEND)
        return client

    return sign_in


def typed(counties, number, **changes):
    """Return what the browser sends: the same number everywhere, but for the changes."""
    data = {"document_number": "晋测〔2025〕1号", "valid_from": "2025-03-01"}
    data |= {f"{code}_{kind.value}": str(number) for code in counties for kind in BATCHES}
    return data | changes


def row_of(page, name):
    """Return the cells of a county's row in the first table."""
    row = re.search(rf"<tr>\s*<th scope=\"row\">{name}</th>(.*?)</tr>", page, re.DOTALL)
    return re.findall(r"<td[^>]*>([^<]*)</td>", row[1])


def test_only_what_differs_is_entered_and_the_old_stays(counties, signed_in):
    office, url = signed_in("office"), reverse("target-list")
    assert office.post(url, typed(counties, 2)).status_code == 302
    assert Target.objects.count() == 24
    again = office.post(url, typed(counties, 2, valid_from="2025-06-01"))
    assert again.status_code == 422
    assert "没有需要登记的" in again.content.decode()
    raised = typed(counties, 2, valid_from="2025-06-01", document_number="晋测〔2025〕2号")
    assert office.post(url, raised | {f"{PINGLU}_merge": "5"}).status_code == 302
    rows = Target.objects.filter(county=PINGLU, kind="merge").order_by("valid_from")
    assert list(rows.values_list("number", "document_number", "valid_from")) == [
        (2, "晋测〔2025〕1号", date(2025, 3, 1)),
        (5, "晋测〔2025〕2号", date(2025, 6, 1)),
    ]
    assert Target.objects.count() == 25
    taken = office.post(url, raised | {f"{PINGLU}_merge": "6"})
    assert "调整的任务请填以后的日期" in taken.content.decode()
    assert "晋测〔2025〕2号" in signed_in("county_clerk").get(url).content.decode()


def test_the_table_sets_done_against_the_task(counties, people, signed_in):
    set_targets(counties[SHUOCHENG], 0, 0, 5, 1)
    open_month(APRIL)
    by = people["county_clerk"], people["county_leader"]
    file_report(
        counties[SHUOCHENG], APRIL, by, at(4, 20), ZERO, ZERO, batch(5, 4, 4), batch(1, 0, 0)
    )
    page = signed_in("city_leader").get(reverse("target-list")).content.decode()
    assert row_of(page, "朔城区") == ["6", "–", "4", "66.67", "过半"]
    assert row_of(page, "平鲁区") == ["–", "–", "–", "–", "–"]


@pytest.mark.parametrize("role", ["county_leader", "member_unit", "city_leader"])
def test_others_read_and_do_not_enter(counties, signed_in, role):
    client, url = signed_in(role), reverse("target-list")
    assert "登记新下达的任务" not in client.get(url).content.decode()
    assert client.post(url, typed(counties, 2)).status_code == 403
    assert not Target.objects.exists()


def test_what_is_wrong_is_named_and_nothing_is_entered(counties, signed_in):
    answer = signed_in("office").post(
        reverse("target-list"),
        typed(counties, 2, document_number="", **{f"{SHUOCHENG}_close": "-1"}),
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "请填写下达任务的文号" in page
    assert "朔城区 关闭取缔</a>：不能是负数" in page
    assert not Target.objects.exists()
