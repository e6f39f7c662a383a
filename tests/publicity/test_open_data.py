"""Read the public data: pages, versions, marks, feed, grants; right at once after each change."""

import json
from datetime import date, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.core.cache import cache
from django.urls import reverse

from plans.workflow import State
from publicity.actions import withdraw_notice
from publicity.demo import load_demo_transfers
from publicity.models import Notice, TransferNotice
from publicity.transfer_actions import publish_transfer, withdraw_transfer
from shuozhou_mines.errors import Incomplete, NotAllowed
from shuozhou_mines.jobs import run_job
from shuozhou_mines.models import Job
from tests.conftest import SHUOCHENG
from tests.factories import SHANGHAI, plan_at, publish

AT = datetime(2025, 9, 4, 10, 0, tzinfo=SHANGHAI)


@pytest.fixture
def notice(people: Any, counties: Any) -> Notice:
    cache.clear()
    plan_at(State.PUBLISHED, people, counties[SHUOCHENG], mines=3)
    return Notice.objects.get()


def read(client: Any, name: str, query: str = "", **headers: str) -> Any:
    return client.get(reverse(name) + query, headers=headers)


def test_answers_say_version_licence_and_day(notice, client) -> None:
    facts = read(client, "api-notices").json()
    assert facts["schema_version"] == "1.0"
    assert "请注明来源" in facts["licence"]
    assert date.fromisoformat(facts["as_of"])
    assert facts["results"][0]["sha256"] == notice.sha256
    assert facts["results"][0]["ends_at"] == "2025-09-10T18:00:00+08:00"


def test_mines_come_in_pages(notice, client) -> None:
    first = read(client, "api-mines", "?page_size=2").json()
    assert (first["count"], first["pages"], len(first["results"])) == (3, 2, 2)
    assert first["next"].endswith("/api/public/v1/mines/?page=2&page_size=2")
    second = read(client, "api-mines", "?page_size=2&page=2").json()
    assert second["next"] is None
    assert [row["name"] for row in first["results"] + second["results"]] == [
        "测试1号矿", "测试2号矿", "测试3号矿",
    ]  # fmt: skip
    assert set(first["results"][0]) == {
        "notice_id", "county_code", "registry_no", "name", "township", "holder", "licence_no",
        "mineral", "method", "area_km2", "scale", "disposition", "reason", "area_code", "due_on",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "status"), [("?page=x", 400), ("?page_size=x", 400), ("?page=9", 404)]
)
def test_wrong_pages_are_said_so(query, status, notice, client) -> None:
    answer = read(client, "api-mines", query)
    assert answer.status_code == status
    assert "detail" in answer.json()


def test_one_notice_and_its_shapes(notice, client) -> None:
    content = client.get(reverse("api-notice", args=[notice.pk])).json()["content"]
    assert content == notice.content
    shapes = read(client, "api-shapes")
    assert shapes["Content-Type"] == "application/geo+json"
    assert len(shapes.json()["features"]) == 3


def test_the_geojson_file_is_what_is_published(notice, client) -> None:
    run_job(Job.objects.get(kind="publicity.documents").pk)
    document = notice.documents.get(content_type="application/geo+json")
    with document.file.open("rb") as file:
        names = [row["properties"]["name"] for row in json.load(file)["features"]]
    assert names == ["测试1号矿", "测试2号矿", "测试3号矿"]


def test_the_interface_only_reads(notice, client) -> None:
    assert client.post(reverse("api-notices")).status_code == 405
    assert client.delete(reverse("api-notice", args=[notice.pk])).status_code == 405


def test_marks_are_right_at_once(notice, people, client) -> None:
    addresses = [
        reverse(name)
        for name in ("public-home", "notice-list", "public-map", "api-notices", "notice-feed")
    ]
    addresses.append(reverse("notice", args=[notice.pk]))
    tags = {address: client.get(address)["ETag"] for address in addresses}
    for address, tag in tags.items():
        assert client.get(address)["ETag"] == tag
        again = client.get(address, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
    withdraw_notice(notice_id=notice.pk, reason="范围有误", by=people["office"], at=AT)
    for address, tag in tags.items():
        answer = client.get(address, headers={"If-None-Match": tag})
        assert answer.status_code == 200
        assert answer["ETag"] != tag
    assert "范围有误" in client.get(reverse("notice", args=[notice.pk])).content.decode()
    assert read(client, "api-mines").json()["count"] == 0
    notice.plan.refresh_from_db()
    publish(notice.plan, people)
    assert read(client, "api-mines").json()["count"] == 3


def test_what_is_remembered_costs_one_query(notice, client, django_assert_num_queries) -> None:
    client.get(reverse("public-home"))
    with django_assert_num_queries(1):
        client.get(reverse("public-home"))


def test_large_type_is_remembered_apart(notice, client) -> None:
    plain = client.get(reverse("public-home")).content.decode()
    large = client.get(reverse("public-home") + "?large=1").content.decode()
    client.cookies["large"] = "1"
    by_cookie = client.get(reverse("public-home")).content.decode()
    assert 'class="large"' not in plain
    assert 'class="large"' in large
    assert 'class="large"' in by_cookie


def test_what_staff_see_is_not_remembered(notice, people, client) -> None:
    client.force_login(people["office"])
    page = client.get(reverse("public-home"))
    assert "no-store" in page["Cache-Control"]
    client.logout()
    assert "进入工作平台" not in client.get(reverse("public-home")).content.decode()


def test_the_feed_tells_of_a_withdrawal(notice, people, client) -> None:
    withdraw_notice(notice_id=notice.pk, reason="范围有误", by=people["office"], at=AT)
    answer = read(client, "notice-feed")
    assert answer["Content-Type"] == "application/atom+xml"
    root = ElementTree.fromstring(answer.content)  # noqa: S314 - our own answer
    space = {"a": "http://www.w3.org/2005/Atom"}
    assert str(root.findtext("a:entry/a:title", namespaces=space)).endswith("（已撤回）")
    assert root.findtext("a:entry/a:summary", namespaces=space) == "已撤回：范围有误"


# --- grants --------------------------------------------------------------------------------------

FULL = {
    "grantee": "某公司", "project": "某矿", "location": "某村", "corners": "1,2", "area_km2": "0.5",
    "elevation": "1400米至1300米", "mineral": "建筑用砂", "scale": "50 万吨/年",
    "reason": "同一主体相邻矿业权之间的夹缝资源", "objection": "书面向专班办公室提出",
}  # fmt: skip


def grant(people: Any, by: str = "office", **changes: Any) -> TransferNotice:
    return publish_transfer(
        **{
            "kind": "agreement", "county_code": SHUOCHENG, "title": "某矿协议出让", "facts": FULL,
            "source": "示例", "published_on": date(2025, 9, 4), "by": people[by], "at": AT,
            **changes,
        }
    )  # fmt: skip


def test_a_grant_is_shown_and_taken_back(people, client) -> None:
    row = grant(people)
    assert "某矿协议出让" in read(client, "transfer-list").content.decode()
    assert read(client, "api-transfers").json()["results"][0]["facts"]["grantee"] == "某公司"
    withdraw_transfer(transfer_id=row.pk, by=people["office"], at=AT + timedelta(hours=1))
    assert "某矿协议出让" not in read(client, "transfer-list").content.decode()
    assert read(client, "api-transfers").json()["count"] == 0


def test_an_agreement_says_all_that_it_must(people) -> None:
    with pytest.raises(Incomplete, match=r"还缺：范围坐标.*、异议方式和途径"):
        grant(people, facts={**FULL, "corners": "", "objection": " "})
    assert grant(people, kind="listing", facts={"grantee": "某公司"}).facts == {"grantee": "某公司"}


def test_counties_publish_no_grants(people, client) -> None:
    with pytest.raises(NotAllowed):
        grant(people, by="county_leader")
    row = grant(people)
    client.force_login(people["county_leader"])
    assert client.post(reverse("transfer-withdraw", args=[row.pk])).status_code == 404
    assert "发布一条" not in read(client, "transfer-desk").content.decode()


def test_the_office_types_a_grant(people, client) -> None:
    client.force_login(people["office"])
    typed = {"kind": "listing", "county": SHUOCHENG, "title": "某矿挂牌", "source": "示例",
             "published_on": "2025-09-04", "grantee": "某公司"}  # fmt: skip
    assert client.post(reverse("transfer-desk"), typed).status_code == 302
    assert TransferNotice.objects.get().facts == {"grantee": "某公司"}


def test_published_results_of_sand_rights_are_loaded_once(ground) -> None:
    # 朔城区自然资源局, 采矿权挂牌出让交易结果公示, as reported in the press.
    load_demo_transfers()
    load_demo_transfers()
    rows = {row.facts["project"]: row for row in TransferNotice.objects.all()}
    assert len(rows) == 3
    third = rows["朔城区沙塄河乡大涂皋村建筑用砂采矿权三号矿区"]
    assert (third.facts["area_km2"], third.facts["price"]) == ("0.142", "740 万元")
    assert "转录自公开报道" in third.source
