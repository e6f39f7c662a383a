"""The county's mines as a whole (S-B15, S-D10 to S-D15, S-D18)."""

from decimal import Decimal
from typing import Any

import pytest

from standards.facts import ZoneOfMiningFacts
from standards.terms import Disposition, MineState, ScaleClass, ScaleUnit
from tests.standards.asking import area, mine, mine_verdicts, plan_verdicts

CLOSE = (Disposition.CLOSE,)
MERGE = (Disposition.MERGE,)
UPGRADE = (Disposition.UPGRADE,)
STONE = "建筑石料用灰岩"


@pytest.mark.parametrize(
    ("scale", "stock", "verdict"),
    [
        (50, 1000, "pass"),
        (60, 5000, "pass"),
        (49.99, 1000, "fail"),
        (49.99, None, "fail"),
        (50, 999, "review"),
        (50, None, "nodata"),
        (None, 1000, "nodata"),
    ],
)
def test_building_limestone(scale: float | None, stock: float | None, verdict: str):
    facts = {"licensed_scale": scale, "deposit_stock": stock, "deposit_stock_unit": "矿石万立方米"}
    assert mine_verdicts("S-B15", mineral=STONE, **facts) == [verdict]


def test_building_limestone_only():
    assert mine_verdicts("S-B15", mineral="水泥用灰岩", licensed_scale=1) == []
    assert mine_verdicts("S-B15", mineral=STONE, state=MineState.CLOSED) == []
    assert mine_verdicts("S-B15", mineral=STONE, licensed_scale=40, design_scale=60) == ["review"]


def stones(*dispositions: tuple[Disposition, ...]) -> tuple[Any, ...]:
    return tuple(
        mine(f"m{number}", mineral=STONE, dispositions=chosen)
        for number, chosen in enumerate(dispositions)
    )


def test_fewer_sand_stone_mines():
    merged = area(mineral=STONE, member_keys=("m0", "m1"))
    assert plan_verdicts("S-D10", mines=stones(MERGE, MERGE), areas=(merged,)) == ["pass"]
    assert plan_verdicts("S-D10", mines=stones(CLOSE, UPGRADE)) == ["pass"]
    assert plan_verdicts("S-D10", mines=stones(UPGRADE, UPGRADE)) == ["review"]
    fresh = (area(mineral=STONE), area("a2", mineral=STONE))
    assert plan_verdicts("S-D10", mines=stones(CLOSE), areas=fresh) == ["fail"]
    assert plan_verdicts("S-D10", mines=(mine(mineral="铝土矿"),)) == ["na"]
    assert plan_verdicts("S-D10", mines=(mine(),)) == ["nodata"]


def test_mining_zones():
    drawn = ZoneOfMiningFacts(name="示例集中开采区", has_boundary=True)
    named = ZoneOfMiningFacts(name="示例集中开采区")
    assert plan_verdicts("S-D11", mining_zones=(drawn,)) == ["pass"]
    assert plan_verdicts("S-D11", mining_zones=(named,)) == ["review"]
    assert plan_verdicts("S-D11", mining_zones=()) == ["review"]
    assert plan_verdicts("S-D11", mining_zones=(), no_mining_zone_reason="只有一座矿山") == ["pass"]
    assert plan_verdicts("S-D11") == ["nodata"]


def sized(key: str, size: ScaleClass | None, scale: float, chosen: Any = UPGRADE) -> Any:
    return mine(key, production_class=size, licensed_scale=scale, dispositions=chosen)


def test_large_and_medium_mines_gain():
    small = sized("m1", ScaleClass.SMALL, 10, CLOSE)
    large = sized("m2", ScaleClass.LARGE, 100)
    assert plan_verdicts("S-D12", mines=(small, large)) == ["pass"]
    kept = sized("m1", ScaleClass.SMALL, 10)
    assert plan_verdicts("S-D12", mines=(kept, large)) == ["review"]
    unknown = sized("m1", None, 10, CLOSE)
    assert plan_verdicts("S-D12", mines=(unknown, large)) == ["nodata"]
    assert plan_verdicts("S-D12") == ["nodata"]


@pytest.mark.parametrize(
    ("chosen", "verdict"),
    [
        (MERGE, "pass"),
        (CLOSE, "pass"),
        ((Disposition.EXIT,), "pass"),
        (UPGRADE, "review"),
        ((Disposition.KEEP,), "review"),
        ((), "nodata"),
    ],
)
def test_building_limestone_is_consolidated(chosen: tuple[Disposition, ...], verdict: str):
    assert mine_verdicts("S-D13", mineral=STONE, dispositions=chosen) == [verdict]
    assert mine_verdicts("S-D13", mineral="水泥用灰岩", dispositions=chosen) == []


@pytest.mark.parametrize(
    ("planned", "verdict"), [(9, "pass"), (10, "review"), (11, "fail"), (None, "review")]
)
def test_less_clay(planned: float | None, verdict: str):
    pit = mine(mineral="砖瓦用粘土", licensed_scale=10, planned_scale=planned)
    assert plan_verdicts("S-D14", mines=(pit,)) == [verdict]


def test_clay_without_figures():
    assert plan_verdicts("S-D14", mines=(mine(mineral="砖瓦用粘土"),)) == ["nodata"]
    assert plan_verdicts("S-D14", mines=(mine(),)) == ["nodata"]
    assert plan_verdicts("S-D14", mines=(mine(mineral="铝土矿"),)) == ["na"]
    volume = mine(
        mineral="砖瓦用粘土",
        licensed_scale=10,
        planned_scale=5,
        planned_scale_unit=ScaleUnit.WAN_M3,
    )
    assert plan_verdicts("S-D14", mines=(volume,)) == ["review"]


@pytest.mark.parametrize(
    ("supply", "release", "verdict"),
    [
        ("100", None, "pass"),
        ("99.9", True, "pass"),
        ("99.9", False, "review"),
        (None, True, "nodata"),
    ],
)
def test_orderly_release(supply: str | None, release: bool | None, verdict: str):
    facts = {
        "sand_demand_wan_t": Decimal(100),
        "sand_supply_wan_t": Decimal(supply) if supply else None,
        "has_release_plan": release,
    }
    assert plan_verdicts("S-D15", **facts) == [verdict]


def test_pilots_are_information():
    assert plan_verdicts("S-D18", pilots=("示例试点区",)) == ["na"]
    assert plan_verdicts("S-D18", pilots=()) == ["na"]
    assert plan_verdicts("S-D18") == ["nodata"]
