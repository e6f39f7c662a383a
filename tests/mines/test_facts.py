"""State rows as facts, and load the demo city's mines."""

import json
import re
from datetime import date
from decimal import Decimal

import pytest
from django.conf import settings

from mines.boundaries import counties_touched, gaps_within, neighbours, overlaps
from mines.demo import load_demo_mines
from mines.facts import mine_facts, mineral_facts, right_facts
from mines.models import Boundary, Holder, Licence, Mine, Mineral, OreBody, ProductionSystem, Stock
from standards.facts import AcceptanceFacts, MineFacts, SystemFacts
from standards.terms import AcceptanceConclusion, Method, MineState, ScaleUnit
from tests.factories import make_mine

GIVEN = json.loads(
    (settings.BASE_DIR / "fixtures" / "demo" / "mines.json").read_text(encoding="utf-8")
)["mines"]


@pytest.fixture
def shuocheng(counties):
    return counties["140602"]


@pytest.fixture
def demo_mines(counties):
    """Load the demo mines and return them by registry number."""
    assert load_demo_mines() == 62
    return {mine.registry_no: mine for mine in Mine.objects.with_registry_facts()}


def _loaded(mine: Mine) -> Mine:
    return Mine.objects.with_registry_facts().get(pk=mine.pk)


def test_a_full_row_becomes_facts(shuocheng) -> None:
    mine = make_mine(
        shuocheng,
        7,
        scale=Decimal(20),
        at=(112.4, 39.3),
        density=Decimal("2.68"),
        recoverable=Decimal("130.5"),
        is_on_ridge=True,
        last_production_on=date(2026, 9, 1),
        safety_licence_no="晋朔安许7号",
        safety_licence_valid_to=date(2027, 1, 1),
        accepted_on=date(2026, 5, 1),
        acceptance="passed",
    )
    mine.ore_bodies.add(OreBody.objects.create(code="K1"))
    Stock.objects.create(
        mine=mine, stock_class="indicated", amount=Decimal("50"), as_of=date(2025, 12, 31)
    )
    Holder.objects.filter(pk=mine.holder_id).update(uscc="91140600MA0K000011")

    facts = mine_facts(_loaded(mine))

    assert facts == MineFacts(
        key="SZ-140602-0007",
        name="测试7号矿",
        county_code="140602",
        is_licensed=True,
        licence_no="C1406002010017130100007",
        licence_valid_from=date(2022, 1, 1),
        licence_valid_to=date(2027, 12, 31),
        holder_uscc="91140600MA0K000011",
        holder_name="测试矿业7公司",
        mineral=mineral_facts(Mineral.objects.get(pk="83907")),
        method=Method.OPEN_PIT,
        state=MineState.PRODUCING,
        systems=(
            SystemFacts(
                name="一号采场",
                method=Method.OPEN_PIT,
                scale=Decimal("20.000"),
                unit=ScaleUnit.WAN_T,
            ),
        ),
        licensed_scale=Decimal("20.000"),
        licensed_scale_unit=ScaleUnit.WAN_T,
        density=Decimal("2.68"),
        area_km2=Decimal("0.1500"),
        stock_unit=ScaleUnit.WAN_T,
        indicated=Decimal("50.0000"),
        recoverable=Decimal("130.5"),
        service_life_years=Decimal("8.5"),
        life_includes_construction=False,
        construction_years=Decimal("0.5"),
        ore_body_ids=("K1",),
        is_on_ridge=True,
        last_production_on=date(2026, 9, 1),
        safety_licence_no="晋朔安许7号",
        safety_licence_valid_to=date(2027, 1, 1),
        acceptance=AcceptanceFacts(
            conclusion=AcceptanceConclusion.PASSED, accepted_on=date(2026, 5, 1)
        ),
    )


def test_what_is_not_filled_in_stays_unknown(shuocheng) -> None:
    mine = Mine.objects.create(
        registry_no="SZ-140602-0009",
        name="只有名字的矿",
        county=shuocheng,
        holder=Holder.objects.create(name="测试"),
        mineral_id="83993",
        as_of=date(2026, 9, 30),
        given_by="测试",
    )

    facts = mine_facts(_loaded(mine))

    assert facts.is_licensed is None
    assert facts.licence_no is None
    assert facts.method is None
    assert facts.state is None
    assert facts.systems == ()
    assert facts.area_km2 is None
    assert facts.recoverable is None
    assert facts.acceptance is None
    assert facts.holder_uscc is None


def test_the_licence_that_ends_last_speaks(shuocheng) -> None:
    mine = make_mine(shuocheng, 1)
    Licence.objects.create(
        mine=mine,
        number="C1406002010017130100001",
        valid_from=date(2028, 1, 1),
        valid_to=date(2033, 12, 31),
        scale=Decimal(60),
        scale_unit="wan_m3",
    )

    facts = mine_facts(_loaded(mine))

    assert facts.licence_valid_to == date(2033, 12, 31)
    assert facts.licensed_scale_unit is ScaleUnit.WAN_M3
    assert right_facts(_loaded(mine)).licence_valid_to == date(2033, 12, 31)


@pytest.mark.parametrize(
    ("density", "recoverable", "unit", "indicated"),
    [
        (Decimal("2.5"), Decimal(400), ScaleUnit.WAN_T, Decimal(250)),
        (None, Decimal(400), ScaleUnit.WAN_T, None),
        (None, None, ScaleUnit.WAN_M3, Decimal(100)),
    ],
)
def test_stocks_share_one_unit(shuocheng, density, recoverable, unit, indicated) -> None:
    mine = make_mine(shuocheng, 1, density=density, recoverable=recoverable)
    Stock.objects.create(
        mine=mine,
        stock_class="indicated",
        amount=Decimal(100),
        unit="万立方米",
        as_of=date(2025, 12, 31),
    )

    facts = mine_facts(_loaded(mine))

    assert facts.stock_unit is unit
    assert facts.indicated == indicated


def test_fifty_mines_become_facts_without_a_query(shuocheng, django_assert_num_queries) -> None:
    for number in range(1, 51):
        make_mine(shuocheng, number, at=(112.3 + number * 0.005, 39.3))

    with django_assert_num_queries(5):
        mines = list(Mine.objects.with_registry_facts())
    with django_assert_num_queries(0):
        assert len([mine_facts(mine) for mine in mines]) == 50
        assert len([right_facts(mine) for mine in mines]) == 50


def test_a_mineral_keeps_its_flags_and_tables(ground) -> None:
    limestone = mineral_facts(Mineral.objects.get(pk="83907"))
    iron = mineral_facts(Mineral.objects.get(pk="22001"))
    blank = mineral_facts(Mineral(code="99999", name="未列矿种"))

    assert (limestone.minimum_key, limestone.is_ordinary_sand_stone) == ("quarry", True)
    assert (iron.minimum_key, iron.is_metal) == ("iron", True)
    assert iron.production_open_pit is not None
    assert iron.production_open_pit.medium == Decimal(60)
    assert (blank.name, blank.minimum_key, blank.production) == ("未列矿种", None, None)


def test_the_demo_city_is_whole(demo_mines) -> None:
    assert {
        county: len([mine for mine in demo_mines.values() if mine.county_id == county])
        for county in ("140602", "140603", "140621", "140622", "140623", "140681")
    } == {"140602": 12, "140603": 11, "140621": 10, "140622": 9, "140623": 10, "140681": 10}
    for mine in demo_mines.values():
        mine.full_clean()
        mine.boundary.full_clean()
        mine_facts(mine)


def test_invented_mines_say_so_and_real_ones_name_their_source(demo_mines) -> None:
    real = [mine for mine in demo_mines.values() if not mine.is_demo]
    assert [mine.registry_no for mine in real] == [
        "SZ-140602-0001",
        "SZ-140602-0002",
        "SZ-140602-0003",
    ]
    for mine in demo_mines.values():
        assert mine.holder.uscc == ""
        if mine.is_demo:
            assert mine.name.endswith("（示例）")
            assert mine.holder.name.endswith("（示例）")
            assert mine.given_by == "示例数据"


def test_the_real_rights_carry_the_published_figures_and_nothing_else(demo_mines) -> None:
    """Figures of 《朔州市采矿权挂牌出让交易结果公示》 of 朔州市朔城区自然资源局."""
    third = demo_mines["SZ-140602-0003"]
    facts = mine_facts(third)

    assert third.name == "朔城区沙塄河乡大涂皋村建筑用砂采矿权三号矿区"
    assert third.holder.name == "太原市大涂皋沙石开采有限公司"
    assert "朔城区自然资源局" in third.given_by
    assert "资源储量161.97万吨" in third.given_by
    assert [system.scale for system in facts.systems] == [Decimal("20.000")]
    assert facts.service_life_years == Decimal("8.10")
    assert facts.life_includes_construction is None
    assert facts.licence_no is None
    assert facts.measured is None
    assert facts.recoverable is None
    assert facts.area_km2 is None
    assert third.boundary.is_schematic
    assert third.boundary.source_text == ""
    assert third.boundary.area_km2 == Decimal("0.1420")
    assert demo_mines["SZ-140602-0001"].boundary.area_km2 == Decimal("0.5080")
    assert demo_mines["SZ-140602-0002"].boundary.area_km2 == Decimal("0.3110")


def test_invented_licence_numbers_have_the_form_and_a_serial_of_nobody(demo_mines) -> None:
    numbers = set(Licence.objects.values_list("number", flat=True))

    assert len(numbers) == 59
    for number in numbers:
        assert re.fullmatch(r"C140600(19|20)\d{2}(0[1-9]|1[0-2])9990{5}\d{2}", number)


def test_demo_boundaries_lie_apart_and_inside_their_counties(demo_mines) -> None:
    shapes = [(mine.registry_no, mine.boundary.outline) for mine in demo_mines.values()]
    own = {mine.registry_no: [mine.pk] for mine in demo_mines.values()}

    assert not any(overlaps(shapes, ignoring=own).values())
    for registry_no, parts in counties_touched(shapes).items():
        assert [part.code for part in parts] == [demo_mines[registry_no].county_id]


def test_the_quarries_to_be_merged_are_neighbours_on_one_ore_body(demo_mines) -> None:
    cluster = [demo_mines[f"SZ-140602-{number:04d}"] for number in (4, 5, 6)]

    assert {body.code for mine in cluster for body in mine.ore_bodies.all()} == {
        "示例-灰岩-朔城-01"
    }
    gaps = gaps_within({"Z1": [mine.pk for mine in cluster]})["Z1"]
    assert [gap.distance_m for gap in gaps] == [
        Decimal("120.00"),
        Decimal("238.79"),
        Decimal("275.54"),
    ]
    near = neighbours([("4", cluster[0].boundary.outline)], within_m=Decimal(300))["4"]
    assert len(near) == 3


def test_the_demo_offers_what_the_checks_look_for(demo_mines) -> None:
    facts = [mine_facts(mine) for mine in demo_mines.values()]

    assert {one.state for one in facts} >= set(MineState) - {MineState.HALTED}
    assert [one.key for one in facts if len(one.systems) == 2] == [
        "SZ-140602-0010",
        "SZ-140621-0006",
    ]
    assert len([one for one in facts if one.licensed_scale_unit is ScaleUnit.WAN_M3]) == 4
    lives = [one.service_life_years for one in facts if one.service_life_years is not None]
    assert (min(lives), max(lives)) == (Decimal("3.20"), Decimal("18.00"))
    expired = [
        one.key
        for one in facts
        if one.licence_valid_to and one.licence_valid_to < date(2026, 9, 30)
    ]
    assert "SZ-140602-0009" in expired


def test_loading_again_changes_nothing_that_people_have_changed(demo_mines) -> None:
    mine = demo_mines["SZ-140602-0004"]
    mine.township = "改过的乡镇"
    mine.save()
    ProductionSystem.objects.filter(mine=mine).delete()

    assert load_demo_mines() == 0

    mine.refresh_from_db()
    assert mine.township == "改过的乡镇"
    assert not mine.systems.exists()
    assert Mine.objects.count() == len(GIVEN)
    assert Boundary.objects.count() == 62


def test_a_demo_mine_that_is_missing_comes_back_alone(demo_mines) -> None:
    holders = Holder.objects.count()
    demo_mines["SZ-140681-0004"].delete()

    assert load_demo_mines() == 1

    mine = Mine.objects.get(registry_no="SZ-140681-0004")
    assert mine.holder.parent is not None
    assert mine.holder.parent.name == "怀仁市吴岭高岭土一矿业有限公司（示例）"
    assert Holder.objects.count() == holders
