"""Layout after consolidation and safety (S-B14, S-D01 to S-D06, S-D16, S-D17, S-D19)."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from standards.facts import NeighbourFacts, RightFacts, SystemFacts
from standards.terms import Disposition, ExtraResource, Method, MineState, ScaleClass
from tests.standards.asking import (
    OPEN,
    UNDER,
    area,
    area_verdicts,
    ask,
    extra,
    mine,
    mine_verdicts,
    plan,
)

L, M, S = ScaleClass.LARGE, ScaleClass.MEDIUM, ScaleClass.SMALL
TWO = (SystemFacts(name="甲"), SystemFacts(name="乙"))


@pytest.mark.parametrize(
    ("reserve", "production", "verdict"),
    [
        (L, L, "pass"),
        (S, L, "pass"),
        (L, M, "review"),
        (M, S, "review"),
        (L, S, "fail"),
        (None, S, "nodata"),
        (L, None, "nodata"),
    ],
)
def test_large_deposits_dug_small(reserve: Any, production: Any, verdict: str):
    facts = {"reserve_class": reserve, "production_class": production}
    assert mine_verdicts("S-D01", **facts) == [verdict]
    assert area_verdicts("S-D01", **facts) == [verdict]


@pytest.mark.parametrize(("years", "hinted"), [(10, False), (10.01, True)])
def test_a_long_life_is_a_hint(years: float, hinted: bool):
    small = mine(
        reserve_class=S,
        production_class=S,
        service_life_years=years,
        life_includes_construction=False,
    )
    [finding] = ask("S-D01", plan(mines=(small,)))
    assert finding.verdict == "pass"
    assert ("提示：服务年限超过小型矿山许可证最长有效期 10 年。" in finding.message) is hinted


def test_one_deposit_dug_by_many():
    assert area_verdicts("S-D02", systems=TWO) == ["review"]
    assert area_verdicts("S-D02", systems=TWO[:1], right_count=1) == ["pass"]
    assert area_verdicts("S-D02", right_count=2) == ["review"]
    assert area_verdicts("S-D02") == ["nodata"]
    assert mine_verdicts("S-D02", systems=TWO) == ["review"]
    assert mine_verdicts("S-D02", systems=TWO[:1], ore_body_ids=("I号",)) == ["pass"]
    assert mine_verdicts("S-D02", systems=TWO[:1]) == ["nodata"]
    assert mine_verdicts("S-D02", systems=TWO, state=MineState.CLOSED) == []


def registered(uscc: str | None) -> RightFacts:
    return RightFacts(key="r9", name="示例邻矿", holder_uscc=uscc, ore_body_ids=("I号",))


@pytest.mark.parametrize(
    ("other", "verdict", "many"),
    [("甲", "pass", "review"), ("乙", "review", "review"), (None, "nodata", "review")],
)
def test_an_existing_ore_body_and_its_holders(other: str | None, verdict: str, many: str):
    own = mine(ore_body_ids=("I号",), holder_uscc="甲", systems=TWO[:1])
    facts = plan(mines=(own,), registered=(registered(other),))
    assert [finding.verdict for finding in ask("S-D03", facts)] == [verdict]
    assert [finding.verdict for finding in ask("S-D02", facts)] == [many]


@pytest.mark.parametrize(
    ("holders", "other", "verdict"),
    [
        (("甲",), "甲", "pass"),
        (("甲",), "乙", "fail"),
        (("甲", "乙"), "甲", "fail"),
        (("甲",), None, "nodata"),
        (None, "甲", "nodata"),
    ],
)
def test_the_holders_of_an_area(holders: Any, other: str | None, verdict: str):
    merged = area(ore_body_ids=("I号",), holder_usccs=holders)
    facts = plan(areas=(merged,), registered=(registered(other),))
    assert [finding.verdict for finding in ask("S-D03", facts)] == [verdict]


@pytest.mark.parametrize(("name", "verdict"), [("甲公司", "nodata"), ("乙公司", "review")])
def test_holders_without_a_code_are_told_apart_by_name_alone(name: str, verdict: str):
    own = mine(ore_body_ids=("I号",), holder_name="甲公司", systems=TWO[:1])
    other = replace(registered(None), holder_name=name)
    found = ask("S-D03", plan(mines=(own,), registered=(other,)))
    assert [finding.verdict for finding in found] == [verdict]


def test_an_ore_body_must_be_known():
    assert area_verdicts("S-D03", holder_usccs=("甲",)) == ["nodata"]
    assert mine_verdicts("S-D03", holder_uscc="甲") == ["nodata"]


def test_ridges_of_existing_mines():
    facts = {"mineral": "建筑石料用灰岩", "method": OPEN}
    assert mine_verdicts("S-D04", is_on_ridge=True, **facts) == ["review"]
    assert mine_verdicts("S-D04", is_on_ridge=False, **facts) == ["pass"]
    assert mine_verdicts("S-D04", **facts) == ["review"]
    assert mine_verdicts("S-D04", mineral="建筑石料用灰岩") == ["nodata"]
    # What terrain suggests changes no verdict.
    assert mine_verdicts("S-D04", ridge_share=Decimal("0.9"), **facts) == ["review"]
    assert mine_verdicts("S-D04", mineral="铝土矿") == []
    assert mine_verdicts("S-D04", state=MineState.CLOSED, **facts) == []


WHOLE = {"has_boundary": True, "elevation_top_m": 1523, "elevation_bottom_m": 1475, "scale": 60}


@pytest.mark.parametrize("absent", sorted(WHOLE))
def test_an_incomplete_area_fails(absent: str):
    assert area_verdicts("S-D05", **WHOLE) == ["pass"]
    facts = {name: value for name, value in WHOLE.items() if name != absent}
    assert area_verdicts("S-D05", **facts) == ["fail"]


def test_heights_stand_the_right_way_up():
    assert area_verdicts("S-D05", **{**WHOLE, "elevation_top_m": 1475}) == ["fail"]


@pytest.mark.parametrize(
    ("gap", "counties", "verdict"),
    [
        (0, ("140602",), "pass"),
        (300, ("140602",), "pass"),
        (300.01, ("140602",), "review"),
        (0, ("140602", "140603"), "review"),
        (None, ("140602",), "nodata"),
    ],
)
def test_merged_mines_lie_together(gap: float | None, counties: tuple[str, ...], verdict: str):
    facts = {"member_keys": ("m1", "m2"), "member_gap_m": gap, "county_codes": counties}
    assert area_verdicts("S-D06", **facts) == [verdict]
    assert area_verdicts("S-D06", member_keys=("m1",)) == ["na"]


HEIGHTS = {
    "elevation_top_m": 1500,
    "old_elevation_top_m": 1500,
    "elevation_bottom_m": 1400,
    "old_elevation_bottom_m": 1400,
}
GAP = ExtraResource.GAP


@pytest.mark.parametrize(
    ("added", "recorded", "verdict"),
    [
        (0, None, "pass"),
        (0.0001, None, "pass"),
        (0.00011, None, "fail"),
        (0.2, 200_000, "pass"),
        (0.2, 199_900, "pass"),
        (0.2, 199_899, "fail"),
        (0.20001, 200_010, "review"),
    ],
)
def test_added_area_needs_records(added: float, recorded: float | None, verdict: str):
    extras = () if recorded is None else (extra(kind=GAP, area_m2=recorded),)
    facts = {"old_area_km2": 1, "added_area_km2": added, "extras": extras, **HEIGHTS}
    assert area_verdicts("S-D16", **facts) == [verdict]


def test_records_without_area_or_kind():
    facts = {"old_area_km2": 1, "added_area_km2": 0.1, **HEIGHTS}
    assert area_verdicts("S-D16", extras=(extra(kind=GAP),), **facts) == ["review"]
    assert area_verdicts("S-D16", extras=(extra(),), **facts) == ["nodata"]
    deep = extra(kind=ExtraResource.DEEP, area_m2=100_000)
    assert area_verdicts("S-D16", extras=(deep,), **facts) == ["fail"]


def test_the_growth_of_the_total_is_the_least_that_was_added():
    assert area_verdicts("S-D16", old_area_km2=1, area_km2=1.1, **HEIGHTS) == ["fail"]
    assert area_verdicts("S-D16", old_area_km2=1, area_km2=1, **HEIGHTS) == ["nodata"]
    hidden = {"old_area_km2": 1, "area_km2": 1.1, "added_area_km2": 0}
    assert area_verdicts("S-D16", **hidden, **HEIGHTS) == ["fail"]


@pytest.mark.parametrize(
    ("field", "height", "kind"),
    [
        ("elevation_top_m", 1501, ExtraResource.UPPER),
        ("elevation_bottom_m", 1399, ExtraResource.DEEP),
    ],
)
def test_extended_heights_need_records(field: str, height: float, kind: ExtraResource):
    facts = {"old_area_km2": 1, "added_area_km2": 0, **HEIGHTS}
    assert area_verdicts("S-D16", **facts) == ["pass"]
    assert area_verdicts("S-D16", **{**facts, field: height}) == ["fail"]
    recorded = {**facts, field: height, "extras": (extra(kind=kind),)}
    assert area_verdicts("S-D16", **recorded) == ["pass"]
    assert area_verdicts("S-D16", **{**facts, f"old_{field}": None}) == ["nodata"]


def test_lead_enterprises():
    members = {"member_keys": ("m1", "m2")}
    assert area_verdicts("S-D17", **members) == ["review"]
    assert area_verdicts("S-D17", lead_enterprise="示例矿业公司", **members) == ["pass"]
    assert area_verdicts("S-D17", member_keys=("m1",)) == []
    lead = area(lead_enterprise="示例矿业公司", lead_key="m1", **members)
    weak = mine("m1", mineral="铝土矿", licensed_scale=20)
    assert [f.verdict for f in ask("S-D17", plan(areas=(lead,), mines=(weak,)))] == ["review"]


VALID = {"safety_licence_no": "(示例)FM安许证字1号", "safety_licence_valid_to": date(2026, 6, 1)}


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({"safety_licence_no": "", "state": MineState.PRODUCING}, "fail"),
        ({"safety_licence_no": "", "state": MineState.SUSPENDED}, "review"),
        ({"safety_licence_no": "", "state": MineState.CONSTRUCTION}, "review"),
        ({"safety_licence_no": ""}, "fail"),
        ({}, "nodata"),
        ({"safety_licence_no": "1"}, "nodata"),
        ({**VALID, "safety_licence_valid_to": date(2025, 5, 31)}, "fail"),
        ({**VALID, "safety_licence_valid_to": date(2025, 6, 1)}, "review"),
        (VALID, "review"),
        ({**VALID, "safety_design_approved": True, "safety_risk_checked": True}, "pass"),
    ],
)
def test_safety_of_mines(facts: dict[str, Any], verdict: str):
    assert mine_verdicts("S-B14", **facts) == [verdict]


def test_safety_of_areas():
    assert area_verdicts("S-B14", safety_design_approved=True) == ["pass"]
    assert area_verdicts("S-B14", safety_design_approved=False) == ["fail"]
    assert area_verdicts("S-B14") == ["review"]


def neighbour(distance: float | None, **facts: Any) -> NeighbourFacts:
    metres = None if distance is None else Decimal(str(distance))
    return NeighbourFacts(key="r9", name="示例邻矿", distance_m=metres, **facts)


QUARRY = {"mineral": "建筑石料用灰岩", "method": OPEN, "scale": 50}


@pytest.mark.parametrize(
    ("distance", "other", "facts", "verdict"),
    [
        (300.01, {"same_holder": False}, {}, "pass"),
        (300, {"same_holder": False}, {}, "fail"),
        (300, {"same_holder": True}, {}, "review"),
        (300, {"same_holder": False}, {"scale": 50.01}, "review"),
        (300, {"same_holder": False}, {"scale": None}, "review"),
        (None, {"same_holder": False}, {}, "nodata"),
        (300, {"same_holder": False}, {"method": None}, "nodata"),
        (300, {"method": UNDER}, {}, "na"),
    ],
)
def test_distance_between_quarries(
    distance: float | None, other: dict[str, Any], facts: dict[str, Any], verdict: str
):
    near = (neighbour(distance, **other),)
    assert area_verdicts("S-D19", neighbours=near, **{**QUARRY, **facts}) == [verdict]


@pytest.mark.parametrize(
    ("distance", "same", "verdict"),
    [(50, False, "pass"), (49.99, False, "fail"), (49.99, None, "review"), (10, True, "na")],
)
def test_pillars_between_underground_mines(distance: float, same: bool | None, verdict: str):
    near = (neighbour(distance, method=Method.UNDERGROUND, same_holder=same),)
    facts = {"mineral": "铝土矿", "method": UNDER, "neighbours": near}
    assert area_verdicts("S-D19", **facts) == [verdict]


def test_distances_not_measured_or_to_members():
    assert area_verdicts("S-D19", **QUARRY) == ["nodata"]
    assert area_verdicts("S-D19", neighbours=(), **QUARRY) == ["na"]
    own = {"neighbours": (neighbour(1, same_holder=False),), "member_keys": ("r9",)}
    assert area_verdicts("S-D19", **own, **QUARRY) == ["na"]


def test_a_mine_kept_beside_its_area_is_no_member():
    kept = mine("m2", ore_body_ids=("I号",), holder_uscc="乙", dispositions=(Disposition.KEEP,))
    merged = area(ore_body_ids=("I号",), holder_usccs=("甲",))
    [finding] = [
        found
        for found in ask("S-D03", plan(areas=(merged,), mines=(kept,)))
        if found.subject_kind == "area"
    ]
    assert finding.verdict == "fail"
