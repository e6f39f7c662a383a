"""State a version as facts: neighbours, overlaps, added ground, targets, and what stays unknown."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mines.demo import load_demo_mines
from mines.models import Boundary, Mine
from plans.models import PlanVersion, Target
from standards.facts import TargetFacts, ZoneOfMiningFacts
from standards.terms import Disposition, ExtraResource, ScaleUnit, Verdict
from tests.factories import make_mine
from tests.plans.areas import (
    GAP,
    SIDE,
    SOUTH,
    box,
    checked,
    dispose,
    facts_of,
    make_version,
    merge,
    pair_of_mines,
    redraw,
    registered_holder,
)

WEST = 112.4
NORTH = SOUTH + SIDE
EAST = WEST + 2 * SIDE + GAP


@pytest.fixture
def county(counties):
    return counties["140602"]


@pytest.fixture
def pair(county):
    return pair_of_mines(county, 1, WEST)


@pytest.fixture
def version(county, people):
    return make_version(county, people["county_clerk"])


def only_area(version: PlanVersion) -> Any:
    (area,) = facts_of(version).areas
    return area


def verdicts(version, rule: str) -> list[str]:
    return sorted(checked(version).findings.filter(rule=rule).values_list("verdict", flat=True))


# --- added ground ------------------------------------------------------------


def test_ground_between_two_members_is_a_gap(version, pair) -> None:
    merge(version, "Z1", pair, extra_kinds=["gap"], grant_way="competition", extra_reason="夹缝。")
    area = only_area(version)
    # 0.002° × 0.004° at 39.3° north: 172.5 m × 444.1 m.
    assert area.added_area_km2 == pytest.approx(Decimal("0.076617"), abs=Decimal("0.00002"))
    assert area.member_gap_m == pytest.approx(Decimal("172.5"), abs=Decimal("0.1"))
    (piece,) = area.extras
    assert (piece.key, piece.kind, piece.is_between_members) == ("Z1-gap-1", "gap", True)
    assert piece.area_m2 == pytest.approx(Decimal("76617"), abs=Decimal(20))
    assert piece.distance_m == area.member_gap_m
    assert [side.key for side in piece.sides] == ["SZ-140602-0001", "SZ-140602-0002"]
    assert [side.production_class for side in piece.sides] == [None, None]  # no density
    assert piece.overlaps == ()
    assert piece.name == "Z1 测试1号矿与测试2号矿之间新增地块"


def test_ground_around_the_members_is_periphery(version, pair) -> None:
    outline = box(WEST, SOUTH, EAST, NORTH + 0.001)
    merge(version, "Z1", pair, outline=outline, extra_kinds=["gap", "periphery"])
    gap, around = sorted(only_area(version).extras, key=lambda piece: piece.key, reverse=True)
    assert (gap.kind, gap.is_between_members) == (ExtraResource.GAP, True)
    assert (around.key, around.kind) == ("Z1-around", ExtraResource.PERIPHERY)
    assert around.is_between_members is False
    assert around.sides == ()
    # 0.01° × 0.001°: 862.6 m × 111.0 m.
    assert around.area_m2 == pytest.approx(Decimal("95770"), abs=Decimal(40))


def test_ground_that_the_plan_does_not_name_has_no_kind_and_fails(version, pair) -> None:
    merge(version, "Z1", pair, outline=box(WEST, SOUTH, EAST, NORTH + 0.001), extra_kinds=["gap"])
    around = next(piece for piece in only_area(version).extras if piece.key == "Z1-around")
    assert (around.kind, around.is_between_members) == (None, False)
    run = checked(version)
    assert run.findings.get(rule="S-D07", subject_key="Z1-around").verdict == "fail"
    assert run.findings.get(rule="S-D16").verdict == "fail"
    assert run.findings.get(rule="S-D08", subject_key="Z1-around").message == (
        "“方案没有登记的新增地块”不是可以纳入整合的资源类型。"
    )


def test_a_merger_that_adds_nothing_has_no_pieces(version, pair) -> None:
    first, second = pair
    outline = first.boundary.outline.union(second.boundary.outline)
    merge(version, "Z1", pair, outline=outline)
    area = only_area(version)
    assert (area.added_area_km2, area.extras) == (Decimal(0), ())


def test_relinquished_ground_is_what_the_new_outline_leaves_out(version, pair) -> None:
    Boundary.objects.update(area_km2=Decimal("0.1532"))
    outline = box(WEST, SOUTH, EAST, SOUTH + SIDE / 2)
    merge(version, "Z1", pair, outline=outline, area_km2=Decimal("0.1916"))
    area = only_area(version)
    # Both lose their northern half; half of the gap is added.
    assert area.relinquished_area_km2 == pytest.approx(Decimal("0.1531"), abs=Decimal("0.0002"))
    assert area.old_area_km2 == Decimal("0.3064")


def test_a_member_without_a_true_boundary_leaves_added_ground_unknown(version, pair) -> None:
    Boundary.objects.filter(mine=pair[1]).update(is_schematic=True)
    merge(version, "Z1", pair, extra_kinds=["gap"])
    area = only_area(version)
    assert (area.added_area_km2, area.member_gap_m) == (None, None)
    (piece,) = area.extras
    assert (piece.kind, piece.area_m2, piece.is_between_members) == ("gap", None, None)
    assert verdicts(version, "S-D06") == ["nodata"]


def test_three_in_a_row_have_two_gaps(county, version, pair) -> None:
    third = make_mine(county, 3, at=(WEST + 2 * (SIDE + GAP), SOUTH))
    merge(version, "Z1", (*pair, third), extra_kinds=["gap"])
    pieces = only_area(version).extras
    sides = [[side.key[-1] for side in piece.sides] for piece in pieces]
    assert sides == [["1", "2"], ["2", "3"]]


def test_heights_are_those_of_all_members(version, pair) -> None:
    merge(version, "Z1", pair, elevation_bottom_m=Decimal(1250))
    area = only_area(version)
    assert (area.old_elevation_top_m, area.old_elevation_bottom_m) == (1400, 1300)
    assert "标高下限由 1300 米改为 1250 米" in checked(version).findings.get(rule="S-D16").message
    pair[0].licences.update(elevation_bottom_m=None)
    assert only_area(version).old_elevation_bottom_m is None


# --- what lies around ------------------------------------------------------------


def test_an_overlap_with_a_right_that_stays_fails(county, version, pair) -> None:
    other = make_mine(county, 3, at=(EAST - 0.001, SOUTH))
    dispose(version, other, "keep")
    merge(version, "Z1", pair)
    (overlap,) = only_area(version).overlaps
    assert (overlap.key, overlap.same_holder, overlap.exception) == ("SZ-140602-0003", False, "")
    assert overlap.licence_no == "C1406002010017130100003"
    assert overlap.area_m2 == pytest.approx(Decimal("38308"), abs=Decimal(15))
    assert overlap.width_m == pytest.approx(Decimal("72.2"), abs=Decimal("0.5"))
    assert "fail" in verdicts(version, "S-C06")


def test_an_overlap_with_a_right_that_is_closed_is_put_to_a_person(county, version, pair) -> None:
    dispose(version, make_mine(county, 3, at=(EAST - 0.001, SOUTH)), "close")
    merge(version, "Z1", pair)
    (overlap,) = only_area(version).overlaps
    assert overlap.exception == "本方案列入关闭取缔的矿山"
    area = checked(version).findings.get(rule="S-C06", subject_kind="area")
    assert area.verdict == "review"


def test_touching_is_no_overlap_but_a_neighbour(county, version, pair) -> None:
    other = make_mine(county, 3, at=(EAST, SOUTH))
    dispose(version, other, "keep")
    merge(version, "Z1", pair)
    area = only_area(version)
    assert area.overlaps == ()
    (neighbour,) = area.neighbours
    assert (neighbour.key, neighbour.distance_m) == ("SZ-140602-0003", 0)
    assert neighbour.same_holder is False


def test_a_neighbour_beyond_the_safety_distance_is_not_named(county, version, pair) -> None:
    # 0.003° are 258.8 m, 0.004° are 345.0 m.
    dispose(version, make_mine(county, 3, at=(EAST + 0.003, SOUTH)), "keep")
    dispose(version, make_mine(county, 4, at=(WEST - SIDE - 0.004, SOUTH)), "keep")
    merge(version, "Z1", pair)
    (neighbour,) = only_area(version).neighbours
    assert neighbour.distance_m == pytest.approx(Decimal("258.8"), abs=Decimal("0.2"))
    assert verdicts(version, "S-D19") == ["review"]


def test_mines_that_leave_are_no_neighbours(county, version, pair) -> None:
    dispose(version, make_mine(county, 3, at=(EAST + 0.001, SOUTH)), "exit")
    merge(version, "Z1", pair)
    assert only_area(version).neighbours == ()


def test_two_areas_of_one_plan_must_not_share_ground(county, version, pair) -> None:
    others = pair_of_mines(county, 3, EAST + 0.001)
    merge(version, "Z1", pair, outline=box(WEST, SOUTH, EAST + 0.002, NORTH))
    merge(version, "Z2", others)
    areas: Any = facts_of(version).areas
    one, two = areas
    assert [overlap.key for overlap in one.overlaps if not overlap.is_replaced] == ["Z2"]
    assert [overlap.key for overlap in two.overlaps] == ["Z1"]
    assert one.overlaps[-1].area_m2 == pytest.approx(Decimal("38308"), abs=Decimal(15))
    assert [neighbour.key for neighbour in one.neighbours] == ["Z2"]
    found = checked(version).findings.filter(rule="S-C06", subject_kind="area", verdict="fail")
    assert found.count() == 2


def test_a_right_without_coordinates_cannot_be_ruled_out(county, version, pair) -> None:
    dispose(version, make_mine(county, 3), "keep")
    merge(version, "Z1", pair)
    (overlap,) = only_area(version).overlaps
    assert (overlap.name, overlap.area_m2) == ("台账中没有范围坐标的 1 座矿山", None)
    assert checked(version).findings.get(rule="S-C06", subject_kind="area").verdict == "nodata"


def test_an_area_without_outline_has_unknown_surroundings(version, pair) -> None:
    merge(version, "Z1", pair, outline=None)
    area = only_area(version)
    assert (area.overlaps, area.neighbours, area.has_boundary) == (None, None, False)
    assert area.added_area_km2 is None


def test_an_area_mostly_in_another_county_is_told(counties, version, pair) -> None:
    # A point well inside 平鲁区.
    for mine, west in zip(pair, (112.2, 112.206), strict=True):
        redraw(mine, box(west, 39.6, west + SIDE, 39.604))
    merge(version, "Z1", pair, outline=box(112.2, 39.6, 112.21, 39.604))
    assert only_area(version).county_codes == ("140602", "140603")


# --- who ------------------------------------------------------------


def test_the_lead_is_found_among_the_members(version, pair) -> None:
    registered_holder(pair[0], "91140600MA0K000011")
    merge(version, "Z1", pair)
    area = only_area(version)
    assert area.lead_key == "SZ-140602-0001"
    assert area.holder_usccs == ("91140600MA0K000011",)


def test_a_lead_that_nobody_registered_stays_unknown(version, pair) -> None:
    merge(version, "Z1", pair, lead_enterprise="新设公司")
    area = only_area(version)
    assert (area.lead_enterprise, area.lead_key, area.holder_usccs) == ("新设公司", None, None)


def test_a_wholly_owned_subsidiary_is_tied(version, pair) -> None:
    first, second = pair
    second.holder.parent, second.holder.parent_share = first.holder, Decimal(1)
    second.holder.save()
    merge(version, "Z1", pair, extra_kinds=["gap"])
    assert only_area(version).extras[0].ownership_share == 1


# --- the county ------------------------------------------------------------


def test_targets_are_the_newest_in_force(county, version) -> None:
    rows = (
        ("close", 2, date(2025, 1, 1)),
        ("close", 3, date(2025, 6, 1)),
        ("merge", 4, date(2025, 12, 1)),
    )
    for kind, number, day in rows:
        Target.objects.create(
            county=county,
            kind=kind,
            number=number,
            document_number="晋测〔2025〕1号",
            valid_from=day,
        )
    assert facts_of(version).targets == (
        TargetFacts(disposition=Disposition.CLOSE, number=3, source="晋测〔2025〕1号"),
    )
    assert verdicts(version, "S-A05") == ["fail"]


def test_without_targets_nothing_is_decided(version) -> None:
    assert facts_of(version).targets is None
    assert verdicts(version, "S-A05") == ["nodata"]


def test_attached_tables_become_facts(version) -> None:
    version.sheets = {
        "zones": [{"name": "神头集中开采区"}, {"name": None, "remark": "其余乡镇资源零散。"}],
        "supplies": [
            {"demand_wan_t": "120.5", "supply_after_wan_t": "80", "release_plan": None},
            {"demand_wan_t": "30", "supply_after_wan_t": "20.25", "release_plan": "投放一宗。"},
        ],
        "tasks": [
            {"task": "粘土替代", "content": "推广煤矸石烧结砖"},
            {"task": "神头试点", "content": ""},
        ],
    }
    version.save()
    facts = facts_of(version)
    assert facts.mining_zones == (ZoneOfMiningFacts(name="神头集中开采区"),)
    assert facts.no_mining_zone_reason == "其余乡镇资源零散。"
    assert (facts.sand_demand_wan_t, facts.sand_supply_wan_t) == (
        Decimal("150.5"), Decimal("100.25"),
    )  # fmt: skip
    assert facts.has_release_plan is True
    assert facts.clay_substitute == "推广煤矸石烧结砖"
    assert facts.pilots == ("神头试点",)
    assert facts.contents == ()


def test_empty_tables_say_nothing(version) -> None:
    facts = facts_of(version)
    assert (facts.mining_zones, facts.sand_demand_wan_t, facts.has_release_plan) == ((), None, None)
    assert (facts.clay_substitute, facts.pilots) == ("", None)


def test_an_upgrade_has_its_planned_scale(county, version) -> None:
    mine = make_mine(county, 1, scale=Decimal(20))
    dispose(version, mine, "upgrade")
    version.sheets = {"upgrades": [{"registry_no": mine.registry_no, "scale_after_wan_t": "60"}]}
    version.save()
    (known,) = facts_of(version).mines
    assert (known.planned_scale, known.planned_scale_unit) == (Decimal(60), ScaleUnit.WAN_T)


def test_a_mine_in_another_countys_plan_is_told(counties, people, version, county) -> None:
    mine = make_mine(county, 1)
    other = make_version(counties["140603"], people["other_county_clerk"])
    dispose(other, mine, "keep")
    assert facts_of(version).keys_in_other_plans == ("SZ-140602-0001",)
    # Only the newest version counts.
    make_version(counties["140603"], people["other_county_clerk"], number=2)
    assert facts_of(version).keys_in_other_plans == ()


# --- what nobody has published ------------------------------------------------------------


@pytest.mark.parametrize("kind", ["keep", "upgrade"])
def test_the_published_sand_rights_fail_for_nothing_that_is_unknown(version, kind) -> None:
    load_demo_mines()
    real = Mine.objects.filter(is_demo=False, county="140602")
    assert real.count() == 3
    for mine in real:
        dispose(version, mine, kind)
    found = checked(version, date(2026, 11, 23)).findings.filter(mine__in=real)
    assert {row.verdict for row in found} >= {Verdict.PASS, Verdict.NODATA}
    assert [(row.rule, row.message) for row in found if row.verdict == Verdict.FAIL] == []
    safety = found.filter(rule="S-B14").values_list("verdict", flat=True)
    assert list(safety) == ["nodata"] * 3


def test_equal_scales_are_written_once(county, version) -> None:
    dispose(version, make_mine(county, 1, scale=Decimal(20)), "keep")
    assert checked(version).findings.get(rule="S-B07").message == (
        "独立生产系统“一号采场”规模 20 万吨/年，低于最低生产规模 50 万吨/年。"
    )


# --- how many queries ------------------------------------------------------------


def test_two_and_fifty_areas_take_the_same_queries(county, people) -> None:
    counts = []
    for number, size in ((1, 2), (2, 50)):
        version = make_version(county, people["county_clerk"], number=number)
        for index in range(size):
            mines = Mine.objects.filter(registry_no__endswith=f"{2 * index + 1:04d}").first()
            pair = (
                (mines, Mine.objects.get(registry_no__endswith=f"{2 * index + 2:04d}"))
                if mines
                else pair_of_mines(county, 2 * index + 1, 112.2 + 0.012 * (index % 25))
            )
            if index >= 25 and not mines:
                for mine in pair:
                    west = mine.boundary.outline.extent[0]
                    redraw(mine, box(west, SOUTH + 0.01, west + SIDE, NORTH + 0.01))
            outline = pair[0].boundary.outline.envelope.union(pair[1].boundary.outline.envelope)
            merge(version, f"Z{index}", pair, outline=outline)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            facts = facts_of(version)
        assert len(facts.areas) == size
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 22
