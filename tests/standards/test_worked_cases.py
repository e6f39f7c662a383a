"""The worked cases that the rules were drawn up with, in their order."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from standards.facts import OverlapFacts, SideFacts, SystemFacts
from standards.figures import production_grade
from standards.terms import (
    ExtraResource,
    GrantWay,
    ScaleClass,
    ScaleUnit,
)
from tests.standards.asking import (
    BY_NAME,
    OPEN,
    area,
    area_verdicts,
    ask,
    extra_verdicts,
    mine,
    mine_verdicts,
    plan,
)

MEDIUM = ScaleClass.MEDIUM
FIVE_YEARS = {"service_life_years": 5, "life_includes_construction": False}


def test_bauxite_at_the_limit_passes():
    facts = {"mineral": "铝土矿", "licensed_scale": 30, **FIVE_YEARS}
    assert mine_verdicts("S-B01", **facts) == ["pass"]
    assert mine_verdicts("S-B10", **facts) == ["pass"]


def test_bauxite_just_below_the_limit_fails():
    assert mine_verdicts("S-B01", mineral="铝土矿", licensed_scale=29.99) == ["fail"]


def test_new_gold_right_with_a_small_deposit():
    facts = {
        "mineral": "金矿",
        "scale": 10,
        "is_new_right": True,
        "deposit_stock": 4,
        "deposit_stock_unit": "金金属吨",
    }
    assert area_verdicts("S-B04", **facts) == ["pass"]
    [finding] = ask("S-C08", plan(areas=(area(**facts),)))
    assert finding.verdict == "fail"
    assert finding.message == "矿床规模没有达到中型。"


def test_new_cement_limestone_right_below_the_medium_class():
    facts = {"mineral": "水泥用灰岩", "scale": 30, "is_new_right": True}
    assert area_verdicts("S-B05", **facts) == ["pass"]
    [finding] = ask("S-C08", plan(areas=(area(**facts),)))
    assert (finding.verdict, finding.message) == ("fail", "生产规模没有达到中型。")


def test_new_open_iron_right_below_the_medium_class():
    facts = {"mineral": "铁矿", "method": OPEN, "scale": 40, "is_new_right": True}
    assert area_verdicts("S-B02", **facts) == ["pass"]
    [finding] = ask("S-C08", plan(areas=(area(**facts),)))
    assert (finding.verdict, finding.message) == ("fail", "生产规模没有达到中型。")


def test_dolomite_with_too_short_a_life_is_warned_of():
    facts = {
        "mineral": "冶金用白云岩",
        "licensed_scale": 10,
        "service_life_years": 4.9,
        "life_includes_construction": False,
    }
    assert mine_verdicts("S-B06", **facts) == ["pass"]
    assert mine_verdicts("S-B10", **facts) == ["fail"]
    assert mine_verdicts("S-B11", **facts) == ["fail"]
    assert mine_verdicts("S-B12", **facts) == ["review"]


def test_quarry_at_the_limit_is_large_by_volume():
    quarry = mine(mineral="建筑石料用灰岩", method=OPEN, licensed_scale=50, density=2.68)
    [finding] = ask("S-B07", plan(mines=(quarry,)))
    assert finding.verdict == "pass"
    graded = production_grade(quarry)
    assert graded.size is ScaleClass.LARGE
    assert round(graded.amount or Decimal(0), 2) == Decimal("18.66")


def test_each_pit_of_a_licence_is_tested_alone():
    pits = tuple(
        SystemFacts(name=name, scale=Decimal(scale), unit=ScaleUnit.WAN_T)
        for name, scale in (("一号坑", 30), ("二号坑", 25))
    )
    found = ask("S-B01", plan(mines=(mine(mineral="铝土矿", licensed_scale=55, systems=pits),)))
    assert [(finding.subject_key, finding.verdict) for finding in found] == [
        ("m1#1", "pass"),
        ("m1#2", "fail"),
    ]
    assert found[1].subject_name == "示例矿m1 二号坑"


def test_gypsum_has_no_provincial_minimum_on_file():
    assert mine_verdicts("S-B08", mineral="石膏", licensed_scale=20) == ["nodata"]


def test_overlap_with_another_holder_fails_whatever_the_height():
    overlap = OverlapFacts(key="r9", name="示例邻矿", area_m2=Decimal(800), same_holder=False)
    assert area_verdicts("S-C06", overlaps=(overlap,)) == ["fail"]


def test_two_licences_of_one_holder_on_one_ore_body():
    merged = area(ore_body_ids=("I号",), holder_usccs=("91140600MA0SAMPLE1",))
    other = mine("m2", ore_body_ids=("I号",), holder_uscc="91140600MA0SAMPLE1")
    both = plan(areas=(merged,), mines=(other,))
    assert [finding.verdict for finding in ask("S-C07", both)] == ["fail"]
    assert {finding.verdict for finding in ask("S-D03", both)} == {"pass"}


def test_gap_between_two_medium_mines_of_one_holder():
    sides = tuple(
        SideFacts(
            key=key, holder_uscc="91140600MA0SAMPLE1", reserve_class=MEDIUM, production_class=MEDIUM
        )
        for key in ("r1", "r2")
    )
    facts = {"kind": ExtraResource.GAP, "way": GrantWay.AGREEMENT, "sides": sides}
    assert extra_verdicts("S-E03", distance_m=295, **facts) == ["pass"]
    assert extra_verdicts("S-E03", distance_m=315, **facts) == ["review"]
    assert extra_verdicts("S-E03", distance_m=420, **facts) == ["fail"]


def test_sand_stone_gap_by_agreement_is_put_to_a_person():
    facts = {"kind": ExtraResource.GAP, "way": GrantWay.AGREEMENT, "distance_m": 300}
    host = area(mineral="建筑石料用灰岩")
    assert extra_verdicts("S-E05", host=host, **facts) == ["review"]


def test_deep_bauxite_of_a_medium_mine_may_be_granted_by_agreement():
    facts = {"kind": ExtraResource.DEEP, "way": GrantWay.AGREEMENT}
    medium = mine(
        mineral="铝土矿",
        licensed_scale=30,
        deposit_stock=500,
        deposit_stock_unit="矿石万吨",
    )
    assert extra_verdicts("S-E01", host=medium, **facts) == ["pass"]
    stone = replace(medium, mineral=BY_NAME["建筑石料用灰岩"])
    assert extra_verdicts("S-E01", host=stone, **facts) == ["fail"]


def test_a_quarter_more_area_without_records_fails():
    assert area_verdicts("S-D16", old_area_km2=1, area_km2=1.25, added_area_km2=0.25) == ["fail"]


def test_failing_mine_as_its_licence_and_the_deadline_near():
    facts = {
        "mineral": "铝土矿",
        "licensed_scale": 20,
        "licence_valid_to": date(2026, 1, 15),
    }
    assert mine_verdicts("S-B11", on=date(2025, 12, 1), **facts) == ["fail"]
    before = ask("S-B12", plan(mines=(mine(**facts),)), on=date(2025, 12, 1))
    assert before[0].verdict == "review"
    assert before[0].message == "预警：矿山不达标，采矿许可证 45 天后到期（60 天内）。"
    after = ask("S-B12", plan(mines=(mine(**facts),)), on=date(2026, 1, 1))
    assert after[0].verdict == "fail"
    assert after[0].message == "不予延续：期限已过，矿山仍未达到最低规模或服务年限。"
