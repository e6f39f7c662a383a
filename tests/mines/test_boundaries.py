"""Ask how boundaries lie to each other: constructed squares, real pairs, two thousand rows."""

import json
from datetime import date
from decimal import Decimal

import pytest
import shapely.geometry
from django.conf import settings
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon, Polygon
from django.db import connection

from mines import boundaries
from mines.boundaries import (
    Gap,
    added_pieces,
    boundary_row,
    counties_touched,
    gaps_within,
    neighbours,
    overlaps,
    widest_step,
)
from mines.coordinates import read_text
from mines.models import CGCS2000, Boundary, Holder, Licence, Mine
from tests.factories import make_mine, square

REAL_PAIRS = (
    settings.BASE_DIR.parent / "shared/data/boundaries/gem_coal_mine_boundaries_shanxi.geojson"
)
WITHIN_300 = Decimal(300)


@pytest.fixture
def shuocheng(counties):
    return counties["140602"]


@pytest.fixture
def row_of_mines(shuocheng):
    """Place mines of 0.004 degrees from west to east.

    1 and 2 share an edge; between 2 and 3 lie 0.002 degrees (172.51 m); 4 is a kilometre away.
    """
    return [
        make_mine(shuocheng, number, at=(longitude, 39.3))
        for number, longitude in enumerate((112.4, 112.404, 112.41, 112.426), start=1)
    ]


def test_a_shape_overlaps_what_it_covers_and_not_what_it_touches(row_of_mines) -> None:
    shape = square(112.408, 39.3)

    found = overlaps([("Z1", shape)])["Z1"]

    assert [each.registry_no for each in found] == ["SZ-140602-0003"]
    third = found[0]
    assert third.area_m2 == pytest.approx(Decimal("76610.8"), abs=Decimal("0.1"))
    assert third.width_m == pytest.approx(Decimal("124.23"), abs=Decimal("0.1"))
    assert third.licence_no == "C1406002010017130100003"
    assert third.county_code == "140602"


def test_no_boundary_overlaps_its_neighbour_across_a_shared_edge(row_of_mines) -> None:
    mines = row_of_mines
    shapes = [(mine.registry_no, mine.boundary.outline) for mine in mines]
    own = {mine.registry_no: [mine.pk] for mine in mines}

    found = overlaps(shapes, ignoring=own)

    assert found == {mine.registry_no: [] for mine in mines}


def test_rights_that_a_merger_replaces_are_left_out(row_of_mines) -> None:
    first, second, third, _ = row_of_mines
    shape = square(112.4, 39.3, 0.012)

    found = overlaps(
        [("Z1", shape), ("Z2", shape)], ignoring={"Z1": [first.pk, second.pk], "Z2": [third.pk]}
    )

    assert [each.mine_id for each in found["Z1"]] == [third.pk]
    assert [each.mine_id for each in found["Z2"]] == [first.pk, second.pk]


def test_slivers_within_the_tolerance_do_not_count(row_of_mines) -> None:
    # 0.0000001 degrees are 9 mm, along an edge of 444 m.
    shape = square(112.4140001 - 0.0000002, 39.3)

    found = overlaps([("Z1", shape)])["Z1"]
    assert [each.registry_no for each in found] == ["SZ-140602-0003"]
    assert Decimal("3") < found[0].area_m2 < Decimal("5")
    assert found[0].width_m < Decimal("0.01")
    assert overlaps([("Z1", shape)], tolerance_m2=Decimal(5)) == {"Z1": []}


def test_a_right_that_left_the_registry_is_not_asked(row_of_mines) -> None:
    Mine.objects.filter(registry_no="SZ-140602-0003").update(removed_on=date(2026, 1, 1))

    assert overlaps([("Z1", square(112.41, 39.3))]) == {"Z1": []}


def test_nothing_asked_is_nothing_found(db, django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        assert overlaps([]) == {}
        assert neighbours([], within_m=WITHIN_300) == {}
        assert gaps_within({}) == {}


def test_a_whole_plan_is_one_query(row_of_mines, django_assert_num_queries) -> None:
    shapes = [(mine.registry_no, mine.boundary.outline) for mine in row_of_mines]

    with django_assert_num_queries(1):
        overlaps(shapes)
    with django_assert_num_queries(1):
        neighbours(shapes, within_m=WITHIN_300)


def test_neighbours_come_nearest_first_with_their_distance(row_of_mines) -> None:
    second = row_of_mines[1]

    found = neighbours(
        [("2", second.boundary.outline)], within_m=WITHIN_300, ignoring={"2": [second.pk]}
    )["2"]

    assert [(each.registry_no, each.distance_m) for each in found] == [
        ("SZ-140602-0001", Decimal("0.00")),
        ("SZ-140602-0003", Decimal("172.51")),
    ]


def test_the_search_box_holds_the_whole_distance_in_every_direction(shuocheng) -> None:
    # The gaps are 0.00345 degrees of longitude and 0.00269 of latitude: 297.58 m and 298.65 m.
    around = [(112.39255, 39.3), (112.40745, 39.3), (112.4, 39.29331), (112.4, 39.30669)]
    for number, place in enumerate(around, start=1):
        make_mine(shuocheng, number, at=place)

    found = neighbours([("Z1", square(112.4, 39.3))], within_m=WITHIN_300)["Z1"]

    assert sorted(each.distance_m for each in found) == [
        Decimal("297.58"),
        Decimal("297.58"),
        Decimal("298.65"),
        Decimal("298.65"),
    ]


def test_gaps_within_a_group_and_the_widest_step(row_of_mines) -> None:
    first, second, third, fourth = (mine.pk for mine in row_of_mines)

    found = gaps_within({"Z1": [third, first, second], "Z2": [fourth]})

    assert found["Z1"] == [
        Gap(first, second, Decimal("0.00")),
        Gap(first, third, Decimal("517.53")),
        Gap(second, third, Decimal("172.51")),
    ]
    assert found["Z2"] == []
    assert widest_step(found["Z1"]) == Decimal("172.51")
    assert widest_step([]) is None


def test_counties_touched_with_their_shares(counties) -> None:
    # The shared border of 朔城区 and 山阴县 runs through (112.75, 39.32) here.
    shape = square(112.735, 39.32, 0.03)

    found = counties_touched([("Z1", shape)])["Z1"]

    assert [part.code for part in found] == ["140621", "140602"]
    assert sum(part.share for part in found) == pytest.approx(Decimal(1), abs=Decimal("0.00001"))
    assert counties_touched([("far", square(120, 30))]) == {"far": []}


def test_added_pieces_are_what_no_old_outline_held(row_of_mines) -> None:
    first, second, third, _ = row_of_mines
    olds = [mine.boundary.outline for mine in (first, second, third)]
    new = MultiPolygon(
        Polygon.from_bbox((112.4, 39.3, 112.414, 39.304)), srid=CGCS2000
    )  # closes the gap between 2 and 3

    pieces = added_pieces([("Z1", new)], {"Z1": olds}, tolerance_m2=Decimal(1))["Z1"]

    assert len(pieces) == 1
    assert pieces[0].area_m2 == pytest.approx(Decimal("76610.8"), abs=Decimal("0.1"))
    assert pieces[0].shape.extent == pytest.approx((112.408, 39.3, 112.41, 39.304))
    assert len(added_pieces([("Z1", new)], {})["Z1"]) == 1
    assert added_pieces([("Z1", olds[0])], {"Z1": olds}) == {"Z1": []}


def test_the_row_of_a_read_text_keeps_points_as_given(shuocheng) -> None:
    text = (
        "拐点,X(起标高),Y(止标高)\r\n"
        "1,4356615.440,37623300.83, , ,\r\n2,4356615.44,37623800.83, , ,\r\n"
        "3,4356115.44,37623800.83, , ,\r\n4,4356115.44,37623300.83, , ,\r\n"
        "*,1400,1310,一采区,1,\r\n"
    )
    boundary = read_text(text.encode()).boundary
    assert boundary is not None
    mine = make_mine(shuocheng, 1)

    boundary_row(mine, boundary, source_text=text, as_of=date(2026, 9, 30)).save()

    row = Boundary.objects.get(mine=mine)
    assert row.area_km2 == Decimal("0.2499")
    assert row.outline.valid
    assert row.regions == [
        {
            "name": "一采区",
            "elevation_top_m": "1400",
            "elevation_bottom_m": "1310",
            "zone": 37,
            "rings": [
                {
                    "role": "outer",
                    "points": [
                        ["1", "4356615.440", "37623300.83"],
                        ["2", "4356615.44", "37623800.83"],
                        ["3", "4356115.44", "37623800.83"],
                        ["4", "4356115.44", "37623300.83"],
                    ],
                }
            ],
        }
    ]


def _fill(county, shapes: list[MultiPolygon]) -> list[Mine]:
    holder, _ = Holder.objects.get_or_create(name="测试矿业公司")
    mines = Mine.objects.bulk_create(
        Mine(
            registry_no=f"T-{number:05d}",
            name=f"测试{number}号矿",
            county=county,
            holder=holder,
            mineral_id="83907",
            as_of=date(2026, 9, 30),
            given_by="测试",
        )
        for number in range(len(shapes))
    )
    Boundary.objects.bulk_create(
        Boundary(mine=mine, outline=shape, area_km2=Decimal("0.1"), as_of=date(2026, 9, 30))
        for mine, shape in zip(mines, shapes, strict=True)
    )
    return mines


def test_two_thousand_boundaries_are_asked_through_the_index(shuocheng) -> None:
    mines = _fill(
        shuocheng,
        [square(112 + x * 0.01, 39 + y * 0.01) for x in range(50) for y in range(40)],
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE mines_boundary, mines_mine")
    shapes = [("Z1", square(112.1, 39.1, 0.012)), ("Z2", square(112.3, 39.3))]
    given = {
        "keys": [key for key, _ in shapes],
        "shapes": [bytes(shape.wkb) for _, shape in shapes],
        "ignored_keys": ["Z1"],
        "ignored_ids": [mines[0].pk],
        "tolerance": Decimal(1),
        "within": WITHIN_300,
    }

    for question in (boundaries.OVERLAPS, boundaries.NEIGHBOURS):
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN " + boundaries.ASKED + question, given)
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "Index Scan using mines_boundary_outline" in plan
        assert "Seq Scan on mines_boundary" not in plan
    assert len(overlaps(shapes, tolerance_m2=Decimal(1))["Z1"]) == 4


@pytest.mark.skipif(
    not REAL_PAIRS.exists(),
    reason="实测边界另行取得，不随代码发布；构造的同类情形由本文件其他测试覆盖",
)
def test_real_boundaries_give_their_known_pairs(shuocheng) -> None:
    features = json.loads(REAL_PAIRS.read_text(encoding="utf-8"))["features"]
    shapes = [
        GEOSGeometry(memoryview(shapely.to_wkb(shapely.geometry.shape(feature["geometry"]))))
        for feature in features
        if feature["geometry"]["type"] != "Point"
    ]
    mines = _fill(shuocheng, [MultiPolygon(shape, srid=CGCS2000) for shape in shapes])
    asked = [(str(mine.pk), shape) for mine, shape in zip(mines, shapes, strict=True)]
    own = {str(mine.pk): [mine.pk] for mine in mines}

    covered = {
        frozenset((key, str(each.mine_id)))
        for key, found in overlaps(asked, ignoring=own, tolerance_m2=Decimal(1)).items()
        for each in found
        if each.width_m > Decimal("0.1")  # one pair shares a hair of 2.93 m² on 58 m
    }
    near = {
        frozenset((key, str(each.mine_id))): each.distance_m
        for key, found in neighbours(asked, ignoring=own, within_m=WITHIN_300).items()
        for each in found
    }

    assert len(mines) == 57
    assert len(covered) == 20
    assert len([pair for pair, distance in near.items() if distance == 0]) - len(covered) == 4
    assert len([distance for distance in near.values() if distance > 0]) == 14


def test_the_licence_named_in_an_overlap_is_the_latest(row_of_mines) -> None:
    first = row_of_mines[0]
    Licence.objects.create(
        mine=first,
        number="C1406002010017130199999",
        valid_from=date(2028, 1, 1),
        valid_to=date(2032, 12, 31),
    )

    found = overlaps([("Z1", square(112.398, 39.3))])["Z1"]

    assert [each.licence_no for each in found] == ["C1406002010017130199999"]
