"""Ask for vector tiles: what is in them, for whom, and that one query draws them."""

from decimal import Decimal

import pytest
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db import connection
from django.test import Client

from mines.listed_models import ListedMine
from mines.models import Boundary, Mine
from mines.tiles import tile, tile_query
from tests.factories import make_mine
from tests.mines.conftest import signed_in

# 112.4 E, 39.3 N lies in this tile of zoom 10.
HERE = (10, 831, 390)


@pytest.fixture
def mines(counties) -> None:
    make_mine(counties["140602"], 1, name="朔城的矿", at=(112.4, 39.3))
    make_mine(counties["140603"], 2, name="平鲁的矿", mineral="83993", at=(112.41, 39.3))


def _tile(client: Client, place=HERE, query: str = "") -> bytes:
    z, x, y = place
    response = client.get(f"/staff/mines/tiles/{z}/{x}/{y}.mvt{query}")
    assert response.status_code == 200
    return response.content


def test_a_tile_holds_the_mines_with_name_state_and_address(people, mines) -> None:
    found = _tile(signed_in(people["office"]))

    assert b"mines" in found
    assert "朔城的矿".encode() in found
    assert "平鲁的矿".encode() in found
    assert b"/staff/mines/SZ-140602-0001/" in found
    assert b"producing" in found


def test_a_county_gets_its_own_mines_only(people, mines) -> None:
    found = _tile(signed_in(people["county_clerk"]))

    assert "朔城的矿".encode() in found
    assert "平鲁的矿".encode() not in found
    assert _tile(signed_in(people["expert"])) == b""


def test_filters_reach_the_tiles(people, mines) -> None:
    found = _tile(signed_in(people["office"]), query="?mineral=83993&scale=unknown&q=平鲁")

    assert "平鲁的矿".encode() in found
    assert "朔城的矿".encode() not in found
    assert _tile(signed_in(people["office"]), query="?q=%25%25") == b""


def test_a_tile_elsewhere_is_empty(people, mines) -> None:
    assert _tile(signed_in(people["office"]), (10, 0, 0)) == b""
    assert b"mines" in _tile(signed_in(people["office"]), (5, 25, 12))


def test_mines_beyond_the_limit_are_left_out_smallest_first(people, mines, monkeypatch) -> None:
    Boundary.objects.filter(mine__name="平鲁的矿").update(area_km2=Decimal("9"))
    monkeypatch.setattr("mines.tiles.MOST_SHAPES", 1)

    found = _tile(signed_in(people["office"]))

    assert "平鲁的矿".encode() in found
    assert "朔城的矿".encode() not in found


@pytest.mark.parametrize("place", [(19, 0, 0), (3, 8, 0), (3, 0, 8)])
def test_a_tile_that_does_not_exist_is_not_found(people, mines, place) -> None:
    z, x, y = place
    client = signed_in(people["office"])

    assert client.get(f"/staff/mines/tiles/{z}/{x}/{y}.mvt").status_code == 404


def test_tiles_stay_in_private_caches(people, mines) -> None:
    z, x, y = HERE
    response = signed_in(people["office"]).get(f"/staff/mines/tiles/{z}/{x}/{y}.mvt")

    assert response["Cache-Control"] == "private, max-age=60"
    assert response["Content-Type"] == "application/vnd.mapbox-vector-tile"
    assert "Cookie" in response["Vary"]


def test_a_tile_seen_before_is_not_sent_again(people, mines) -> None:
    client = signed_in(people["office"])
    z, x, y = HERE
    mark = client.get(f"/staff/mines/tiles/{z}/{x}/{y}.mvt")["ETag"]

    again = client.get(f"/staff/mines/tiles/{z}/{x}/{y}.mvt", headers={"if-none-match": mark})
    assert (again.status_code, again.content) == (304, b"")
    Mine.objects.filter(name="平鲁的矿").update(name="平鲁的新矿")
    again = client.get(f"/staff/mines/tiles/{z}/{x}/{y}.mvt", headers={"if-none-match": mark})
    assert "平鲁的新矿".encode() in again.content


def test_one_query_draws_a_tile(people, mines, django_assert_num_queries) -> None:
    visible = ListedMine.objects.visible_to(people["office"])
    with django_assert_num_queries(1):
        z, x, y = HERE
        assert b"mines" in tile(visible, z=z, x=x, y=y, page_prefix="/staff/mines/")


def test_a_tile_finds_its_shapes_through_the_index(people, counties) -> None:
    first = make_mine(counties["140602"], 1)
    rows = Mine.objects.bulk_create(
        Mine(
            registry_no=f"T-{number}",
            name="矿",
            county=first.county,
            holder=first.holder,
            mineral=first.mineral,
            as_of=first.as_of,
            given_by="测试",
        )
        for number in range(2000)
    )
    Boundary.objects.bulk_create(
        Boundary(
            mine=mine,
            outline=MultiPolygon(
                Polygon.from_bbox(
                    (
                        110 + n % 50 * 0.1,
                        37 + n // 50 * 0.1,
                        110.05 + n % 50 * 0.1,
                        37.05 + n // 50 * 0.1,
                    )
                ),
                srid=4490,
            ),
            area_km2=Decimal(1),
            as_of=mine.as_of,
        )
        for n, mine in enumerate(rows)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE mines_listedshape, mines_listedmine")
        z, x, y = HERE
        mines = ListedMine.objects.visible_to(people["office"])
        statement, given = tile_query(mines, z=z, x=x, y=y, page_prefix="/")
        cursor.execute(f"EXPLAIN {statement}", given)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "mines_listedshape_outline" in plan
    assert "Seq Scan on mines_listedshape" not in plan
