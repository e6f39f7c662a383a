"""Keep the rows of the list right, and find them through their indexes."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import RequestFactory

from mines.filters import MineFilter, in_order
from mines.listed_models import ListedMine, ListedShape
from mines.models import Boundary, Holder, Licence, Mine, Mineral, ProductionSystem
from standards.terms import ScaleUnit
from taskforce.models import County
from tests.factories import make_mine


def _row(number: str) -> ListedMine:
    return ListedMine.objects.get(registry_no=number)


def test_a_row_follows_everything_it_is_made_of(counties) -> None:
    mine = make_mine(counties["140602"], 1, name="小石场", scale=Decimal(20), at=(112.4, 39.3))
    number = mine.registry_no

    ProductionSystem.objects.create(
        mine=mine, name="二号采场", design_scale=Decimal("5.5"), unit=ScaleUnit.WAN_M3
    )
    Mine.objects.filter(pk=mine.pk).update(density=Decimal("2.000"), name="ＡＢ石场")
    Licence.objects.create(
        mine=mine,
        number="C9999",
        valid_from=date(2050, 1, 1),
        valid_to=date(2051, 12, 31),
    )
    Holder.objects.filter(pk=mine.holder_id).update(name="改名公司")
    Boundary.objects.filter(mine=mine).update(area_km2=Decimal("0.7000"))
    Mineral.objects.filter(pk=mine.mineral_id).update(facts={"seed_rule_key": "iron"})
    County.objects.filter(pk="140602").update(order=99)

    row = _row(number)
    assert (row.name, row.holder, row.licence_ends) == ("ＡＢ石场", "改名公司", date(2051, 12, 31))
    assert (row.scale_wan_t, row.least_scale) == (Decimal(31), Decimal(11))
    assert (row.area_km2, row.minimum_key, row.county_order) == (Decimal("0.7000"), "iron", 99)
    assert row.words.splitlines()[:2] == ["ab石场", "改名公司"]
    assert {"ab", "b石", "石场", "c9"} <= set(row.bigrams)
    assert "场改" not in row.bigrams

    mine.systems.update(unit="", design_scale=None)
    mine.licences.all().delete()
    mine.refresh_from_db()
    mine.boundary.delete()
    row = _row(number)
    assert (row.scale_wan_t, row.least_scale, row.licence_ends, row.area_km2) == (None,) * 4
    assert not ListedShape.objects.filter(mine=mine).exists()


def test_a_mine_taken_out_leaves_the_list_and_may_come_back(counties) -> None:
    mine = make_mine(counties["140602"], 1)

    Mine.objects.filter(pk=mine.pk).update(removed_on=date(2026, 1, 1))
    assert not ListedMine.objects.exists()
    Mine.objects.filter(pk=mine.pk).update(removed_on=None)
    assert ListedMine.objects.count() == 1
    mine.delete()
    assert not ListedMine.objects.exists()


def test_a_shape_is_kept_in_metres_of_the_web(counties) -> None:
    mine = make_mine(counties["140602"], 1, at=(112.4, 39.3))

    shape = ListedShape.objects.get(mine=mine)
    west, south, _, _ = shape.outline.extent
    assert shape.outline.srid == 3857
    assert (round(west), round(south)) == (12512311, 4764736)


@pytest.fixture
def many(counties) -> None:
    """Register 2,000 mines of six counties; one in a hundred is called 龙凤."""
    first = make_mine(counties["140602"], 1)
    places = sorted(counties)
    Mine.objects.bulk_create(
        Mine(
            registry_no=f"T-{number:04d}",
            name=f"{'龙凤' if number % 100 == 0 else '平安'}{number}号矿",
            county_id=places[number % 6],
            holder=first.holder,
            mineral=first.mineral,
            service_life_years=Decimal(number % 30),
            as_of=first.as_of,
            given_by="测试",
        )
        for number in range(2000)
    )
    with connection.cursor() as cursor:
        # What a vacuum does once the rows are committed.
        cursor.execute("SELECT gin_clean_pending_list('listed_bigrams')")
        cursor.execute("ANALYZE mines_listedmine")


def _plan(user: Any, query: str) -> str:
    request = RequestFactory().get("/")
    request.user = user
    given = QueryDict(query)
    rows = in_order(MineFilter(given, request=request).listed, given.get("sort", ""))
    return str(rows.values_list("pk")[:50].explain())


INDEX_OF = {
    "": "listed_no",
    "sort=name": "listed_name",
    "sort=-name": "listed_name",
    "sort=ends": "listed_ends",
    "sort=scale": "listed_scale",
    "sort=area": "listed_area",
    "q=龙凤": "listed_bigrams",
}


def test_a_page_is_found_through_an_index(people, many) -> None:
    plans = {query: _plan(people["office"], query) for query in INDEX_OF}
    assert {query: index for query, index in INDEX_OF.items() if index not in plans[query]} == {}
    assert [query for query, plan in plans.items() if "Seq Scan" in plan] == []


def test_words_of_two_and_more_characters_are_found_where_they_stand(people, many) -> None:
    request = RequestFactory().get("/")
    request.user = people["office"]

    def found(text: str) -> int:
        return MineFilter(QueryDict(f"q={text}"), request=request).listed.count()

    assert [found(text) for text in ("龙凤", "龙凤100号", "凤龙", "凤100", "龙凤 号矿")] == [
        20, 1, 0, 2, 0
    ]  # fmt: skip
