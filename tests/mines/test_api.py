"""Read the registry through the interface for programs."""

from typing import Any

import pytest
from django.test import Client

from mines.models import Licence, Mine
from taskforce.models import TrailEntry
from tests.mines.conftest import signed_in

ONE = "/api/mines/SZ-140602-0001/"
NEW = {
    "registry_no": "SZ-140602-0099",
    "county": "140602",
    "name": "新登记的矿",
    "holder": {"name": "新登记公司", "uscc": "91140600MA0GXAAA15"},
    "mineral": "83907",
    "method": "open_pit",
    "as_of": "2026-10-31",
    "given_by": "市专班办公室",
    "licences": [
        {"number": "C1406002026107130000099", "valid_from": "2026-01-01", "valid_to": "2030-12-31",
         "scale": "60", "scale_unit": "wan_t"}
    ],
    "systems": [{"name": "一号采场", "design_scale": "60", "unit": "wan_t"}],
    "outputs": [{"year": 2025, "amount": "41.5", "unit": "wan_t"}],
}  # fmt: skip


def _send(client: Client, method: str, url: str, data: Any, mark: str = "") -> Any:
    head = {"if-match": mark} if mark else {}
    return getattr(client, method)(url, data, content_type="application/json", headers=head)


@pytest.mark.urls("mines.api")
def test_the_api_lists_and_shows_what_the_caller_may_see(people, mines) -> None:
    clerk, office = (signed_in(people[role]) for role in ("county_clerk", "office"))

    found = office.get("/mines/?scale=reached&sort=-no").json()
    assert found["count"] == 3
    assert [row["registry_no"] for row in found["results"]] == [
        "SZ-140603-0005",
        "SZ-140602-0004",
        "SZ-140602-0002",
    ]
    assert found["results"][0]["systems"] == [
        {"name": "一号采场", "method": "open_pit", "design_scale": "20.000", "unit": "wan_m3"}
    ]
    assert clerk.get("/mines/").json()["count"] == 4
    assert clerk.get("/mines/SZ-140603-0005/").status_code == 404
    one = clerk.get("/mines/SZ-140602-0001/").json()
    assert one["area_km2"] == "0.1500"
    assert one["boundary"]["geometry"]["type"] == "MultiPolygon"
    assert clerk.get("/mines/SZ-140602-0003/").json()["boundary"] is None


@pytest.mark.urls("mines.api")
def test_the_api_pages_boxes_and_names_what_it_cannot_read(
    people, mines, django_assert_max_num_queries
) -> None:
    office = signed_in(people["office"])

    assert len(office.get("/mines/?page_size=2").json()["results"]) == 2
    inside = office.get("/mines/?bbox=112.49,39.29,112.51,39.31").json()["results"]
    assert [row["name"] for row in inside] == ["大石场"]
    refused = office.get("/mines/?bbox=here")
    assert refused.status_code == 400
    assert "地图范围应是" in refused.json()["bbox"][0]
    assert Client().get("/mines/").status_code in (302, 401, 403)
    assert office.put("/mines/SZ-140602-0001/").status_code == 405
    assert office.delete("/mines/SZ-140602-0001/").status_code == 405
    with django_assert_max_num_queries(12):
        office.get("/mines/")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=石场&county=140602", 2),
        ("mineral=22001", 1),
        ("holder=矿业4", 1),
        ("days=30", 1),
        ("size=small&mineral=22001", 0),
        ("size=medium&mineral=22001", 1),
        ("findings=fail", 0),
        ("licence=none", 1),
    ],
)
def test_the_api_takes_the_filters_of_the_list(people, mines, query, found) -> None:
    assert signed_in(people["office"]).get(f"/api/mines/?{query}").json()["count"] == found


def test_a_reader_is_spared_what_he_has(people, mines) -> None:
    office = signed_in(people["office"])
    for address in ("/api/mines/", ONE):
        mark = office.get(address)["ETag"]
        again = office.get(address, headers={"if-none-match": mark})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", mark)
    Mine.objects.filter(pk=mines["small"].pk).update(township="改过的乡")
    assert office.get(ONE, headers={"if-none-match": mark}).status_code == 200


def test_the_office_registers_a_mine_with_its_parts(people, counties) -> None:
    office = signed_in(people["office"])

    made = _send(office, "post", "/api/mines/", NEW)

    assert made.status_code == 201, made.json()
    assert made["Location"] == "http://testserver/api/mines/SZ-140602-0099/"
    found = office.get("/api/mines/SZ-140602-0099/")
    assert found["ETag"] == made["ETag"]
    assert found.json()["holder_uscc"] == "91140600MA0GXAAA15"
    assert found.json()["outputs"] == [
        {"year": 2025, "amount": "41.5000", "unit": "wan_t", "as_of": "2026-10-31",
         "given_by": "市专班办公室"}
    ]  # fmt: skip
    assert office.get("/api/mines/?q=新登记").json()["count"] == 1
    entry = TrailEntry.objects.latest("pk")
    assert (entry.act, entry.subject_name) == ("登记矿山", "新登记的矿")
    twice = _send(office, "post", "/api/mines/", NEW)
    assert twice.status_code == 400
    assert "registry_no" in twice.json()


def test_a_change_needs_what_was_read(people, mines) -> None:
    office = signed_in(people["office"])
    mark = office.get(ONE)["ETag"]
    change = {"state": "suspended", "suspended_since": "2026-05-01"}

    unread = _send(office, "patch", ONE, change)
    assert unread.status_code == 428
    assert "If-Match" in unread.json()["detail"]
    done = _send(office, "patch", ONE, change, mark)
    assert done.status_code == 200
    assert done.json()["state"] == "suspended"
    stale = _send(office, "patch", ONE, {"state": "closed"}, mark)
    assert stale.status_code == 412
    assert stale.json()["detail"].startswith("这座矿山在你读取之后已被改过。")
    assert _send(office, "patch", ONE, {"state": "closed"}, done["ETag"]).status_code == 200
    entry = TrailEntry.objects.latest("pk")
    assert (entry.act, entry.detail["fields"]) == ("修改台账", ["state"])


def test_a_part_that_is_given_replaces_its_rows(people, mines) -> None:
    office = signed_in(people["office"])
    given = {
        "licences": [
            {"number": "C1", "valid_from": "2015-01-01", "valid_to": "2019-12-31"},
            {"number": "C1", "valid_from": "2020-01-01", "valid_to": "2029-12-31"},
        ],
        "outputs": [{"year": 2024, "amount": 12, "unit": "wan_t"}],
    }
    done = _send(office, "patch", ONE, given, office.get(ONE)["ETag"])

    assert done.status_code == 200, done.json()
    kept = Licence.objects.filter(mine=mines["small"]).values_list("valid_from__year", flat=True)
    assert sorted(kept) == [2015, 2020]
    assert len(done.json()["systems"]) == 1
    given["licences"][0]["valid_to"] = "2020-06-30"
    refused = _send(office, "patch", ONE, given, done["ETag"])
    assert refused.status_code == 409
    assert "同一矿山的两段许可证有效期不能重叠。" in refused.json()["detail"]
    assert sorted(kept.all()) == [2015, 2020]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"colour": "red"}, "这个字段不认识"),
        ({"county": "140603"}, "这个字段不认识"),
        ({"state": "asleep"}, "asleep"),
        ({"density": "-1"}, "体重应大于 0"),
        ({"holder": {"name": "某公司", "uscc": "91140600MA0GXAAA16"}}, "统一社会信用代码"),
        ({"outputs": [{"year": 2024, "amount": 1, "unit": "wan_t"}] * 2}, "有两行是同一项"),
    ],
)
def test_what_contradicts_is_refused_and_nothing_written(people, mines, change, said) -> None:
    office = signed_in(people["office"])
    refused = _send(office, "patch", ONE, change, office.get(ONE)["ETag"])

    assert refused.status_code in (400, 409)
    assert said in refused.content.decode()
    assert not TrailEntry.objects.filter(act="修改台账").exists()


def test_only_the_office_writes_and_strangers_find_nothing(people, mines) -> None:
    for name in ("county_clerk", "county_leader", "member_unit", "inspector", "city_leader"):
        client = signed_in(people[name])
        assert client.get(ONE).status_code == 200, name
        assert _send(client, "post", "/api/mines/", NEW).status_code == 403, name
        refused = _send(client, "patch", ONE, {"state": "closed"}, client.get(ONE)["ETag"])
        assert refused.status_code == 403, name
        assert "只对市专班办公室开放" in refused.json()["detail"]
    other = signed_in(people["other_county_clerk"])
    assert other.get(ONE).status_code == 404
    assert _send(other, "patch", ONE, {"state": "closed"}, '"x"').status_code == 404
    assert other.get("/api/mines/").json()["count"] == 1


def test_a_mine_taken_out_of_the_registry_is_gone(people, mines) -> None:
    office = signed_in(people["office"])
    gone = _send(office, "patch", ONE, {"removed_on": "2026-11-01"}, office.get(ONE)["ETag"])

    assert gone.json()["removed_on"] == "2026-11-01"
    assert office.get(ONE).status_code == 404


def test_the_description_names_filters_marks_and_answers(people, ground) -> None:
    told = signed_in(people["office"]).get("/api/schema/?format=json").json()["paths"]

    read, one = told["/api/mines/"]["get"], told["/api/mines/{registry_no}/"]
    named = {each["name"] for each in read["parameters"]}
    assert {"q", "county", "bbox", "findings", "size", "sort", "page", "page_size"} <= named
    assert set(one["patch"]["responses"]) == {"200", "400", "403", "404", "409", "412", "428"}
    assert any(
        each["name"] == "If-Match" and each["required"] for each in one["patch"]["parameters"]
    )
