"""Minimum scale: at, below and above each limit, and each exception (S-B01 to S-B09)."""

from decimal import Decimal

import pytest

from standards.facts import SystemFacts
from standards.terms import MineState, ScaleUnit
from tests.standards.asking import (
    OPEN,
    UNDER,
    area_verdicts,
    ask,
    mine,
    mine_verdicts,
    plan,
    replaced,
)

LIMITS = [
    ("S-B01", "铝土矿", "29.99", "30", "30.01"),
    ("S-B02", "铁矿", "29.99", "30", "30.01"),
    ("S-B03", "铜矿", "29.99", "30", "30.01"),
    ("S-B04", "金矿", "9.99", "10", "10.01"),
    ("S-B05", "水泥用灰岩", "29.99", "30", "30.01"),
    ("S-B06", "冶金用白云岩", "9.99", "10", "10.01"),
    ("S-B07", "建筑石料用灰岩", "49.99", "50", "50.01"),
]


@pytest.mark.parametrize(("code", "mineral", "below", "at", "above"), LIMITS)
def test_limits(code: str, mineral: str, below: str, at: str, above: str):
    for scale, verdict in ((below, "fail"), (at, "pass"), (above, "pass")):
        facts = {"mineral": mineral, "method": OPEN}
        assert mine_verdicts(code, licensed_scale=Decimal(scale), **facts) == [verdict]
        assert area_verdicts(code, scale=Decimal(scale), **facts) == [verdict]
        new = area_verdicts(code, scale=Decimal(scale), is_new_right=True, **facts)
        assert new == [verdict]


@pytest.mark.parametrize(("code", "mineral"), [row[:2] for row in LIMITS])
def test_without_a_scale_there_is_no_verdict(code: str, mineral: str):
    assert mine_verdicts(code, mineral=mineral, method=OPEN) == ["nodata"]


@pytest.mark.parametrize(("code", "mineral"), [row[:2] for row in LIMITS])
def test_a_rule_is_silent_on_other_minerals(code: str, mineral: str):
    other = "铜矿" if mineral != "铜矿" else "金矿"
    assert mine_verdicts(code, mineral=other, licensed_scale=1) == []


def test_without_a_mineral_the_minimum_is_unknown():
    assert mine_verdicts("S-B08", licensed_scale=100) == ["nodata"]


def test_a_finding_shows_clause_figures_and_what_would_pass():
    [finding] = ask("S-B01", plan(mines=(mine(mineral="铝土矿", licensed_scale=20),)))
    assert finding.clause == "四(二)2"
    assert finding.quote == "停止审批新改扩建后独立生产系统生产规模小于30万吨／年铝土矿"
    assert finding.message == (
        "独立生产系统（按单一系统计）规模 20 万吨/年，低于最低生产规模 30 万吨/年。"
    )
    assert finding.would_pass == "把生产规模提高到每个独立生产系统不小于 30 万吨/年。"
    shown = [(figure.label, figure.value, figure.unit) for figure in finding.figures]
    assert shown == [
        ("证载生产规模", "20", "万吨/年"),
        ("独立生产系统", "按单一系统计", ""),
        ("铝土矿独立生产系统最低生产规模", "30", "万吨/年"),
    ]
    assert finding.figures[2].source == (
        "《朔州市加强非煤矿山行业管理进一步推动非煤矿山整治整合工作方案》 四(二)2"
    )


def test_volume_needs_a_density():
    facts = {
        "mineral": "建筑石料用灰岩",
        "method": OPEN,
        "licensed_scale": 20,
        "licensed_scale_unit": ScaleUnit.WAN_M3,
    }
    assert mine_verdicts("S-B07", **facts) == ["nodata"]
    assert mine_verdicts("S-B07", density=2.68, **facts) == ["pass"]
    assert mine_verdicts("S-B07", density=2.49, **facts) == ["fail"]


def test_a_scale_without_unit_is_not_used():
    facts = {"mineral": "铝土矿", "licensed_scale": 300, "licensed_scale_unit": None}
    assert mine_verdicts("S-B01", **facts) == ["nodata"]


def test_licence_and_design_on_different_sides_are_put_to_a_person():
    facts = {"mineral": "铝土矿", "licensed_scale": 35}
    assert mine_verdicts("S-B01", design_scale=40, **facts) == ["pass"]
    assert mine_verdicts("S-B01", design_scale=25, **facts) == ["review"]
    assert mine_verdicts("S-B01", mineral="铝土矿", licensed_scale=20, design_scale=25) == ["fail"]


def test_a_system_without_scale_cannot_be_larger_than_its_mine():
    systems = (SystemFacts(name="一号"), SystemFacts(name="二号"))
    assert mine_verdicts("S-B01", mineral="铝土矿", licensed_scale=20, systems=systems) == [
        "fail",
        "fail",
    ]
    assert mine_verdicts("S-B01", mineral="铝土矿", licensed_scale=60, systems=systems) == [
        "nodata",
        "nodata",
    ]


def test_a_system_larger_than_its_mine_is_put_to_a_person():
    systems = tuple(
        SystemFacts(name=name, scale=Decimal(35), unit=ScaleUnit.WAN_T) for name in ("甲", "乙")
    )
    facts = {"mineral": "铝土矿", "systems": systems}
    assert mine_verdicts("S-B01", licensed_scale=20, **facts) == ["review", "review"]


def test_placer_gold_is_not_named():
    assert mine_verdicts("S-B04", mineral="砂金矿", licensed_scale=10) == ["review"]


def test_dolomite_without_a_use_is_put_to_a_person():
    assert mine_verdicts("S-B06", mineral="白云岩", licensed_scale=100) == ["review"]


def test_cement_limestone_that_sells_aggregate_below_the_quarry_limit():
    facts = {"mineral": "水泥用灰岩", "method": OPEN, "sells_aggregate": True}
    assert mine_verdicts("S-B05", licensed_scale=49.99, **facts) == ["review"]
    assert mine_verdicts("S-B05", licensed_scale=50, **facts) == ["pass"]
    assert mine_verdicts("S-B05", licensed_scale=29, **facts) == ["fail"]


def test_quarry_rule_needs_the_method():
    facts = {"mineral": "建筑用花岗岩", "licensed_scale": 60}
    assert mine_verdicts("S-B07", **facts) == ["nodata"]
    assert mine_verdicts("S-B07", method=OPEN, **facts) == ["pass"]
    assert mine_verdicts("S-B07", method=UNDER, **facts) == []
    assert mine_verdicts("S-B08", method=UNDER, **facts) == ["nodata"]


@pytest.mark.parametrize("mineral", ["饰面用花岗岩", "制灰用灰岩", "熔剂用石灰岩", "石英岩"])
def test_stone_of_doubtful_use_is_put_to_a_person(mineral: str):
    facts = {"mineral": mineral, "method": OPEN, "licensed_scale": 10}
    assert mine_verdicts("S-B07", **facts) == ["review"]
    assert mine_verdicts("S-B07", is_quarry=True, **facts) == ["fail"]
    assert mine_verdicts("S-B08", is_quarry=False, **facts) == ["nodata"]


def test_sand_and_clay_pits_are_no_quarries():
    for mineral in ("建筑用砂", "砖瓦用粘土", "砖瓦用页岩"):
        facts = {"mineral": mineral, "method": OPEN, "licensed_scale": 10}
        assert mine_verdicts("S-B07", **facts) == []
        assert mine_verdicts("S-B08", **facts) == ["nodata"]


def test_other_minerals_follow_the_provincial_minimum_once_it_is_entered():
    book = replaced(scale__min__other__83520=10)
    for scale, verdict in (("9.99", "fail"), ("10", "pass"), ("11", "pass")):
        gypsum = mine(mineral="石膏", licensed_scale=Decimal(scale))
        [finding] = ask("S-B08", plan(mines=(gypsum,)), rulebook=book)
        assert finding.verdict == verdict


def test_closed_mines_are_past_the_minimum():
    facts = {"mineral": "铝土矿", "licensed_scale": 1, "state": MineState.CLOSED}
    assert mine_verdicts("S-B01", **facts) == ["na"]


def test_production_systems_are_to_be_listed():
    systems = (SystemFacts(name="主斜井"), SystemFacts(name="二号坑"))
    assert mine_verdicts("S-B09", systems=systems) == ["pass"]
    assert mine_verdicts("S-B09") == ["nodata"]
    assert mine_verdicts("S-B09", state=MineState.CLOSED) == []
