"""Service life, the deadline, renewal and exhaustion (S-B10 to S-B13)."""

from datetime import date
from decimal import Decimal

import pytest

from standards.terms import Disposition, MineState, RectificationWay, ScaleUnit
from tests.standards.asking import ask, mine, mine_verdicts, plan

BEFORE = date(2025, 12, 31)
AFTER = date(2026, 1, 1)
SMALL = {
    "mineral": "铝土矿",
    "licensed_scale": 20,
    "service_life_years": 8,
    "life_includes_construction": False,
}
LARGE = {**SMALL, "licensed_scale": 30}


@pytest.mark.parametrize(("years", "verdict"), [(4.99, "fail"), (5, "pass"), (5.01, "pass")])
def test_stated_life(years: float, verdict: str):
    facts = {"service_life_years": years, "life_includes_construction": False}
    assert mine_verdicts("S-B10", **facts) == [verdict]


@pytest.mark.parametrize(
    ("years", "building", "verdict"),
    [(10.77, 1, "pass"), (6, 1, "pass"), (5.99, 1, "fail"), (4, None, "fail"), (6, None, "nodata")],
)
def test_the_construction_period_is_taken_off(years: float, building: float | None, verdict: str):
    facts = {"service_life_years": years, "life_includes_construction": True}
    assert mine_verdicts("S-B10", construction_years=building, **facts) == [verdict]


@pytest.mark.parametrize(
    ("years", "building", "verdict"),
    [(4, None, "fail"), (6, 1, "pass"), (5.5, 1, "nodata"), (9, None, "nodata")],
)
def test_a_life_that_may_include_construction(years: float, building: float | None, verdict: str):
    assert mine_verdicts("S-B10", service_life_years=years, construction_years=building) == [
        verdict
    ]


def test_stone_is_computed_with_a_spare_factor():
    facts = {
        "mineral": "建筑石料用灰岩",
        "licensed_scale": 50,
        "stock_unit": ScaleUnit.WAN_T,
    }
    assert mine_verdicts("S-B10", recoverable=250, **facts) == ["pass"]
    assert mine_verdicts("S-B10", recoverable=249, **facts) == ["fail"]
    assert mine_verdicts("S-B10", recoverable=299, spare_factor=1.2, **facts) == ["fail"]
    assert mine_verdicts("S-B10", recoverable=300, spare_factor=1.2, **facts) == ["pass"]


def test_metal_is_computed_with_dilution():
    facts = {"mineral": "铝土矿", "licensed_scale": 30, "stock_unit": ScaleUnit.WAN_T}
    assert mine_verdicts("S-B10", recoverable=150, **facts) == ["pass"]
    assert mine_verdicts("S-B10", recoverable=135, **facts) == ["nodata"]
    assert mine_verdicts("S-B10", recoverable=135, dilution_rate=0.1, **facts) == ["pass"]
    assert mine_verdicts("S-B10", recoverable=134, dilution_rate=0.1, **facts) == ["fail"]


def test_proved_and_probable_reserve_stand_in_for_recoverable_ore():
    facts = {"mineral": "石膏", "licensed_scale": 10, "stock_unit": ScaleUnit.WAN_T}
    assert mine_verdicts("S-B10", proved=30, probable=20, **facts) == ["pass"]
    assert mine_verdicts("S-B10", proved=30, probable=19, **facts) == ["fail"]
    assert mine_verdicts("S-B10", proved=30, **facts) == ["nodata"]


def test_volumes_are_weighed():
    facts = {
        "mineral": "建筑石料用灰岩",
        "licensed_scale": 50,
        "stock_unit": ScaleUnit.WAN_M3,
        "recoverable": 100,
    }
    assert mine_verdicts("S-B10", **facts) == ["nodata"]
    assert mine_verdicts("S-B10", density=2.5, **facts) == ["pass"]


def test_resources_alone_are_put_to_a_person():
    facts = {
        "mineral": "石膏",
        "licensed_scale": 10,
        "stock_unit": ScaleUnit.WAN_T,
        "measured": 20,
        "indicated": 30,
        "inferred": 40,
        "recovery_rate": 0.5,
    }
    [finding] = ask("S-B10", plan(mines=(mine(**facts),)))
    assert finding.verdict == "review"
    assert finding.message == "只有资源量，按推断资源量折减估算约 4.1 年，可能少于标准。"
    del facts["recovery_rate"]
    assert mine_verdicts("S-B10", **facts) == ["nodata"]


def test_stated_and_computed_lives_that_disagree_are_put_to_a_person():
    facts = {
        "mineral": "石膏",
        "licensed_scale": 10,
        "stock_unit": ScaleUnit.WAN_T,
        "recoverable": 40,
        "service_life_years": 6,
        "life_includes_construction": False,
    }
    assert mine_verdicts("S-B10", **facts) == ["review"]


def test_nothing_known_of_life():
    assert mine_verdicts("S-B10") == ["nodata"]
    assert mine_verdicts("S-B10", state=MineState.CLOSED) == ["na"]


@pytest.mark.parametrize(
    ("way", "due", "on", "verdict"),
    [
        (RectificationWay.RAISE, date(2025, 12, 31), BEFORE, "review"),
        (RectificationWay.CONSOLIDATE, date(2026, 1, 1), BEFORE, "fail"),
        (None, date(2025, 12, 31), BEFORE, "fail"),
        (RectificationWay.RAISE, None, BEFORE, "fail"),
        (RectificationWay.RAISE, date(2025, 12, 31), AFTER, "fail"),
        (RectificationWay.LEAVE, date(2025, 9, 30), BEFORE, "review"),
    ],
)
def test_a_failing_mine_needs_a_way_and_a_day(
    way: RectificationWay | None, due: date | None, on: date, verdict: str
):
    facts = {**SMALL, "rectification_way": way, "rectification_due_on": due}
    assert mine_verdicts("S-B11", on=on, **facts) == [verdict]


def test_the_way_is_read_from_the_disposition():
    facts = {**SMALL, "rectification_due_on": date(2025, 12, 1)}
    merged = {**facts, "dispositions": (Disposition.MERGE,)}
    kept = {**facts, "dispositions": (Disposition.KEEP,)}
    assert mine_verdicts("S-B11", **merged) == ["review"]
    assert mine_verdicts("S-B11", **kept) == ["fail"]


def test_a_mine_that_reaches_the_minimum():
    assert mine_verdicts("S-B11", **LARGE) == ["pass"]
    in_time = {**LARGE, "rectification_done_on": date(2025, 12, 31)}
    late = {**LARGE, "rectification_done_on": date(2026, 1, 1)}
    assert mine_verdicts("S-B11", on=date(2026, 2, 1), **in_time) == ["pass"]
    assert mine_verdicts("S-B11", on=date(2026, 2, 1), **late) == ["review"]


def test_deadline_rules_without_a_verdict_on_scale_or_life():
    for code in ("S-B11", "S-B12"):
        assert mine_verdicts(code, mineral="铝土矿", licensed_scale=30) == ["nodata"]
        assert mine_verdicts(code, **{**LARGE, "mineral": "白云岩"}) == ["review"]
        assert mine_verdicts(code, **{**SMALL, "state": MineState.CLOSED}) == ["na"]


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        (date(2025, 6, 30), "（30 天内）"),
        (date(2025, 7, 1), "（30 天内）"),
        (date(2025, 7, 2), "（60 天内）"),
        (date(2025, 8, 1), "（90 天内）"),
        (date(2025, 8, 30), "（90 天内）"),
        (date(2025, 8, 31), "期限前未达到的，将不予延续采矿许可证。"),
        (date(2025, 5, 31), "且采矿许可证已到期。"),
        (None, "许可证有效期未填。"),
    ],
)
def test_licences_of_failing_mines_are_warned_of_by_steps(ends: date | None, words: str):
    [finding] = ask("S-B12", plan(mines=(mine(**SMALL, licence_valid_to=ends),)))
    assert finding.verdict == "review"
    assert words in finding.message


def test_renewal_of_a_mine_that_reaches_the_minimum():
    assert mine_verdicts("S-B12", on=AFTER, **LARGE) == ["pass"]
    assert mine_verdicts("S-B12", on=AFTER, **SMALL) == ["fail"]
    assert mine_verdicts("S-B12", on=BEFORE, **SMALL) == ["review"]


@pytest.mark.parametrize(
    ("life", "revenue", "cost", "verdict"),
    [
        ("0.9", "10", "20", "fail"),
        ("0.9", "20", "20", "review"),
        ("0.9", None, None, "review"),
        ("1", "10", "20", "review"),
        ("1", "20", "20", "pass"),
        ("1", None, "20", "nodata"),
        (None, "30", "20", "nodata"),
        (None, "10", "20", "review"),
    ],
)
def test_exhausted_ore_and_ecological_cost(
    life: str | None, revenue: str | None, cost: str | None, verdict: str
):
    facts = {
        "service_life_years": Decimal(life) if life else None,
        "life_includes_construction": False,
        "expected_revenue_wan_yuan": Decimal(revenue) if revenue else None,
        "ecological_cost_wan_yuan": Decimal(cost) if cost else None,
    }
    assert mine_verdicts("S-B13", **facts) == [verdict]


def test_no_ore_left():
    assert mine_verdicts("S-B13", recoverable=0, stock_unit=ScaleUnit.WAN_T) == ["review"]
    assert mine_verdicts("S-B13", state=MineState.CLOSED) == []
