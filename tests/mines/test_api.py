"""Read the registry through the interface for programs."""

import pytest
from django.test import Client

from tests.mines.conftest import signed_in


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
    assert office.post("/mines/", {"name": "新矿"}).status_code == 405
    with django_assert_max_num_queries(12):
        office.get("/mines/")
