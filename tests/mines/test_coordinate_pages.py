"""Corner points on pages: read in a child, drawn given and mended, accepted into the registry."""

import json
from datetime import date
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from mines import actions
from mines.coordinates import read_text
from mines.geometry_uploads import read_safely
from mines.models import Boundary
from shuozhou_mines.errors import WrongState
from tests.conftest import PINGLU, SHUOCHENG
from tests.factories import make_mine

GOOD = "\n".join(
    [
        "1,4350000.00,37623000.00, , ,",
        "2,4350400.00,37623000.00, , ,",
        "3,4350400.00,37623500.00, , ,",
        "4,4350000.00,37623500.00, , ,",
        "*,1400,1300,主采区,1,",
    ]
)
SWAPPED = "\n".join(
    ["1,37623000,4350000", "2,37623000,4350400", "3,37623500,4350400", "4,37623500,4350000"]
)
CROSSED = "\n".join(
    ["1,4350000,37623000", "2,4350400,37623500", "3,4350400,37623000", "4,4350000,37623500"]
)


@pytest.fixture
def mine(counties):
    return make_mine(counties[SHUOCHENG], 1, name="一号矿")


@pytest.fixture
def clerk(people, client):
    client.force_login(people["county_clerk"])
    return people["county_clerk"]


def page_of(mine):
    return f"/staff/mines/{mine.registry_no}/coordinates/"


def accept(client, mine, choice, **changes):
    form = choice["form"].initial
    values = {
        "text": form["text"],
        "source": form["source"],
        "seen": form["seen"],
        "as_of": "2026-10-31",
        "given_by": "采矿许可证",
        **changes,
    }
    return client.post(f"{page_of(mine)}accept/", values)


def test_a_child_reads_what_this_process_would_read():
    for text in (GOOD, SWAPPED, CROSSED, "没有坐标"):
        assert read_safely(text.encode()) == read_text(text)


def test_a_child_that_is_stopped_gives_a_sentence(monkeypatch):
    monkeypatch.setattr("mines.geometry_uploads.SECONDS", 0.01)
    (problem,) = read_safely(GOOD.encode()).problems
    assert problem.code == "too_heavy"
    assert "已停止" in problem.message


def test_good_corners_are_shown_and_written_only_when_accepted(client, clerk, mine):
    response = client.post(page_of(mine), {"text": GOOD})
    result = response.context["result"]
    (choice,) = result["choices"]
    assert choice["area"] == Decimal("0.1999")
    assert choice["judged"]["verdict"] == "pass"
    assert "没有发现问题" in response.text
    assert not Boundary.objects.exists()
    response = accept(client, mine, choice)
    assert response.headers["Location"] == f"/staff/mines/{mine.registry_no}/"
    boundary = Boundary.objects.get(mine=mine)
    assert boundary.area_km2 == Decimal("0.1999")
    assert boundary.source_text == GOOD
    assert boundary.regions[0]["name"] == "主采区"
    assert boundary.as_of == date(2026, 10, 31)
    mine.refresh_from_db()
    assert mine.given_by == "采矿许可证"


def test_an_area_far_from_the_licence_is_to_be_judged(client, clerk, mine):
    mine.licences.update(area_km2=Decimal("0.2500"))
    (choice,) = client.post(page_of(mine), {"text": GOOD}).context["result"]["choices"]
    assert choice["judged"]["verdict"] == "review"
    assert choice["judged"]["difference"] == "+0.0501"


def test_swapped_axes_offer_the_mended_ring_beside_the_given(client, clerk, mine):
    response = client.post(page_of(mine), {"text": SWAPPED})
    (mended,) = response.context["result"]["choices"]
    assert mended["label"] == "修正后的"
    assert "X 与 Y 写反了" in response.text
    assert "第 1、2、3 行等 4 处" in response.text
    accept(client, mine, mended)
    boundary = Boundary.objects.get(mine=mine)
    assert boundary.area_km2 == Decimal("0.1999")
    assert boundary.source_text == SWAPPED
    assert boundary.regions[0]["rings"][0]["points"][0] == ["1", "4350000", "37623000"]


def test_a_crossed_ring_is_drawn_twice_and_only_the_mended_can_be_taken(client, clerk, mine):
    response = client.post(page_of(mine), {"text": CROSSED})
    given, mended = response.context["result"]["choices"]
    assert given["form"] is None
    assert mended["form"] is not None
    assert response.text.count("<svg viewBox") == 2
    assert "边界自相交" in response.text


def test_a_forged_boundary_with_errors_is_not_written(client, clerk, mine):
    (choice,) = client.post(page_of(mine), {"text": GOOD}).context["result"]["choices"]
    response = accept(client, mine, choice, text=CROSSED)
    assert response.headers["Location"] == page_of(mine)
    assert not Boundary.objects.exists()


def test_two_people_do_not_overwrite_each_other(client, clerk, mine):
    (choice,) = client.post(page_of(mine), {"text": GOOD}).context["result"]["choices"]
    accept(client, mine, choice)
    reading = read_text(GOOD)
    with pytest.raises(WrongState) as refusal:
        actions.set_boundary(
            mine_id=mine.pk,
            boundary=reading.boundary,
            source_text=GOOD,
            as_of=date(2026, 10, 31),
            given_by="别人",
            seen="",
            by=clerk,
        )
    assert "刚刚被别人改过" in refusal.value.message
    assert Boundary.pgh_event_model.objects.filter(mine=mine).count() == 1


def test_files_are_read_and_refused_with_a_sentence(client, clerk, mine):
    geojson = {
        "type": "Polygon",
        "coordinates": [
            [[112.42, 39.27], [112.43, 39.27], [112.43, 39.28], [112.42, 39.28], [112.42, 39.27]]
        ],
    }
    file = SimpleUploadedFile("范围.geojson", json.dumps(geojson).encode())
    (choice,) = client.post(page_of(mine), {"file": file}).context["result"]["choices"]
    assert choice["area"] == Decimal("0.9580")
    empty = SimpleUploadedFile("空.txt", b"")
    response = client.post(page_of(mine), {"file": empty})
    assert "这个文件是空的（0 字节）" in response.text
    response = client.post(page_of(mine), {})
    assert "请粘贴拐点坐标，或选择一个坐标文件。" in response.text


def test_strangers_do_not_find_the_page(client, people, mine):
    for name in ("other_county_clerk", "county_leader", "member_unit", "expert", "system_admin"):
        client.force_login(people[name])
        assert client.get(page_of(mine)).status_code == 404
        assert client.post(f"{page_of(mine)}accept/", {}).status_code == 404


def test_the_tool_measures_and_names_overlaps_and_neighbours_one_may_see(client, people, counties):
    near = make_mine(counties[SHUOCHENG], 1, name="重叠矿", at=(112.4283, 39.2767))
    make_mine(counties[PINGLU], 2, name="别县的矿", at=(112.4283, 39.2767))
    client.force_login(people["county_clerk"])
    response = client.post("/staff/mines/coordinates/", {"text": GOOD})
    result = response.context["result"]
    assert (result["area"], result["zone"], result["points"]) == (Decimal("0.1999"), 37, 4)
    assert [row.name for row in result["overlaps"]] == [near.name]
    assert [each["gap"] for each in result["neighbours"]] == ["相接或重叠"]
    assert "别县的矿" not in response.text
    client.force_login(people["office"])
    response = client.post("/staff/mines/coordinates/", {"text": GOOD})
    assert [row.name for row in response.context["result"]["overlaps"]] == ["重叠矿", "别县的矿"]


def test_the_tool_hands_out_text_and_geojson(client, clerk, counties):
    response = client.post("/staff/mines/coordinates/", {"text": GOOD})
    text = response.context["result"]["text"]
    written = client.post("/staff/mines/coordinates/text/", {"text": text})
    assert written.content.decode().splitlines()[1] == "1,4350000.00,37623000.00, , ,"
    assert "attachment" in written.headers["Content-Disposition"]
    geojson = client.post("/staff/mines/coordinates/geojson/", {"text": text}).json()
    assert geojson["features"][0]["properties"] == {"area_km2": "0.1999"}
    assert geojson["features"][0]["geometry"]["type"] == "MultiPolygon"


def test_the_tool_is_for_those_who_may_see_a_registry(client, people):
    client.force_login(people["expert"])
    assert client.get("/staff/mines/coordinates/").status_code == 404
    client.logout()
    assert client.get("/staff/mines/coordinates/").status_code == 302
