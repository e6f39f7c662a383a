"""Where rights may lie and how large they must be (S-C01 to S-C09)."""

from decimal import Decimal
from typing import Any

import pytest

from standards.facts import OpinionFacts, OverlapFacts, ZoneFacts
from standards.terms import (
    Disposition,
    ExplorationStage,
    ExtraResource,
    OpinionOutcome,
    ScaleClass,
    ZoneKind,
)
from tests.standards.asking import (
    OPEN,
    ROWS,
    UNDER,
    area,
    area_verdicts,
    ask,
    extra_verdicts,
    mine,
    plan,
    plan_verdicts,
)

LAYERS = next(row["value"] for row in ROWS if row["key"] == "layers.required")
DEPARTMENTS = next(row["value"] for row in ROWS if row["key"] == "opinions.required")
CLEAR = tuple(
    ZoneFacts(layer=layer, kind=ZoneKind.RED_LINE, area_m2=Decimal(0)) for layer in LAYERS
)


def zone(kind: ZoneKind, square: str | None, **facts: Any) -> ZoneFacts:
    amount = None if square is None else Decimal(square)
    return ZoneFacts(layer=facts.pop("layer", "示例图层"), kind=kind, area_m2=amount, **facts)


@pytest.mark.parametrize(
    ("zones", "facts", "verdict"),
    [
        ((zone(ZoneKind.BLOCK, "500"),), {}, "pass"),
        ((zone(ZoneKind.BLOCK, "1"),), {}, "review"),
        ((zone(ZoneKind.BLOCK, "500"), zone(ZoneKind.FORBIDDEN, "1.01")), {}, "fail"),
        ((zone(ZoneKind.BLOCK, "500"), zone(ZoneKind.FORBIDDEN, "1")), {}, "pass"),
        ((zone(ZoneKind.FORBIDDEN, "9"),), {"plan_adjustment_no": "示例〔2025〕1号"}, "review"),
        ((zone(ZoneKind.BLOCK, "9"), zone(ZoneKind.RESTRICTED, "9")), {}, "review"),
        (None, {"plan_block_no": "CK01"}, "review"),
        (None, {}, "nodata"),
        ((), {}, "nodata"),
    ],
)
def test_mineral_planning(zones: Any, facts: dict[str, Any], verdict: str):
    assert area_verdicts("S-C01", zones=zones, **facts) == [verdict]


def test_an_added_piece_shares_the_layers_of_its_area():
    joined = area(zones=(zone(ZoneKind.FORBIDDEN, "9"),))
    assert extra_verdicts("S-C01", host=joined, kind=ExtraResource.DEEP) == ["fail"]
    assert extra_verdicts("S-C02", host=mine(), kind=ExtraResource.DEEP) == ["nodata"]


def test_every_required_layer_is_clear():
    assert area_verdicts("S-C02", zones=CLEAR) == ["pass"]
    assert area_verdicts("S-C02", zones=CLEAR[1:]) == ["nodata"]
    assert area_verdicts("S-C02") == ["nodata"]


@pytest.mark.parametrize(
    ("kind", "square", "cleared", "verdict"),
    [
        (ZoneKind.RED_LINE, "1.01", None, "fail"),
        (ZoneKind.RED_LINE, "1", None, "pass"),
        (ZoneKind.RED_LINE, None, True, "pass"),
        (ZoneKind.RED_LINE, None, False, "fail"),
        (ZoneKind.RED_LINE, None, None, "nodata"),
        (ZoneKind.RED_LINE, "50", True, "review"),
        (ZoneKind.BUFFER, "50", None, "review"),
    ],
)
def test_one_layer_that_is_touched(
    kind: ZoneKind, square: str | None, cleared: bool | None, verdict: str
):
    touched = zone(kind, square, layer=LAYERS[0], cleared=cleared)
    assert area_verdicts("S-C02", zones=(touched, *CLEAR[1:])) == [verdict]


def test_departments():
    def opinions(last: OpinionOutcome | None) -> tuple[OpinionFacts, ...]:
        agreed = [
            OpinionFacts(department=name, outcome=OpinionOutcome.AGREED) for name in DEPARTMENTS[1:]
        ]
        return (OpinionFacts(department=DEPARTMENTS[0], outcome=last), *agreed)

    verdicts = {
        OpinionOutcome.AGREED: "pass",
        OpinionOutcome.CONDITIONAL: "review",
        OpinionOutcome.REFUSED: "fail",
        OpinionOutcome.SILENT: "nodata",
        None: "nodata",
    }
    for outcome, verdict in verdicts.items():
        assert area_verdicts("S-C03", opinions=opinions(outcome)) == [verdict]
    assert area_verdicts("S-C03") == ["nodata"]


@pytest.mark.parametrize(
    ("mineral", "stage", "verdict"),
    [
        ("建筑石料用灰岩", ExplorationStage.GENERAL, "fail"),
        ("建筑石料用灰岩", ExplorationStage.DETAILED, "pass"),
        ("建筑石料用灰岩", ExplorationStage.FULL, "pass"),
        ("铝土矿", ExplorationStage.DETAILED, "fail"),
        ("铝土矿", ExplorationStage.FULL, "pass"),
        ("石膏", ExplorationStage.DETAILED, "pass"),
        ("石膏", None, "nodata"),
    ],
)
def test_exploration(mineral: str, stage: ExplorationStage | None, verdict: str):
    facts = {"mineral": mineral, "exploration_stage": stage, "is_new_right": True}
    found = area_verdicts("S-C04", exploration_filing_no="示例评备1号", **facts)
    assert found == [verdict]


def test_exploration_of_large_deposits_and_missing_papers():
    facts = {"mineral": "石膏", "exploration_stage": ExplorationStage.DETAILED}
    new = {**facts, "is_new_right": True}
    assert area_verdicts("S-C04", reserve_class=ScaleClass.LARGE, **new) == ["fail"]
    assert area_verdicts("S-C04", **new) == ["nodata"]
    assert area_verdicts("S-C04", is_new_right=False, **facts) == []
    assert area_verdicts("S-C04", **facts) == ["nodata"]


@pytest.mark.parametrize("code", ["S-C05", "S-D04"])
def test_ridges_of_areas(code: str):
    facts = {"mineral": "建筑石料用灰岩", "method": OPEN}
    assert area_verdicts(code, is_on_ridge=True, **facts) == ["fail"]
    assert area_verdicts(code, is_on_ridge=False, **facts) == ["pass"]
    assert area_verdicts(code, **facts) == ["review"]
    assert area_verdicts(code, mineral="建筑石料用灰岩") == ["nodata"]
    assert area_verdicts(code, mineral="建筑石料用灰岩", method=UNDER) == []
    assert area_verdicts(code, mineral="水泥用灰岩", method=OPEN, is_on_ridge=True) == []


def overlap(square: str | None, **facts: Any) -> OverlapFacts:
    amount = None if square is None else Decimal(square)
    return OverlapFacts(key="r9", name="示例邻矿", area_m2=amount, **facts)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ((), "pass"),
        (None, "nodata"),
        ((overlap("1"),), "pass"),
        ((overlap("1.01"),), "fail"),
        ((overlap("800", width_m=Decimal("0.1")),), "pass"),
        ((overlap("800", width_m=Decimal("0.11")),), "fail"),
        ((overlap("800", same_holder=True),), "review"),
        ((overlap("800", exception="油气与固体矿产互不影响协议"),), "review"),
        ((overlap("800", is_replaced=True),), "pass"),
        ((overlap(None),), "nodata"),
        ((overlap(None), overlap("800")), "fail"),
        ((overlap("800", same_holder=True), overlap("800")), "fail"),
    ],
)
def test_overlaps(found: Any, verdict: str):
    assert area_verdicts("S-C06", overlaps=found) == [verdict]
    assert extra_verdicts("S-C06", overlaps=found, kind=ExtraResource.PERIPHERY) == [verdict]


def test_the_official_overlap_check_prevails():
    assert area_verdicts("S-C06", overlaps=(overlap("800"),), overlap_check_clear=True) == ["pass"]
    assert area_verdicts("S-C06", overlaps=(), overlap_check_clear=False) == ["fail"]


def test_one_right_on_an_ore_body():
    assert area_verdicts("S-C07") == ["review"]
    assert area_verdicts("S-C07", ore_body_ids=("I号",)) == ["pass"]
    assert area_verdicts("S-C07", ore_body_ids=("I号",), right_count=2) == ["fail"]
    stated = {"ore_body_ids": ("I号",), "right_count": 2, "not_jointly_minable": "断层分隔"}
    assert area_verdicts("S-C07", **stated) == ["review"]


def test_rights_that_leave_or_merge_do_not_share_an_ore_body():
    body = {"ore_body_ids": ("I号",)}
    merged = area(member_keys=("m1",), **body)
    leaving = mine("m2", dispositions=(Disposition.EXIT,), **body)
    alone = plan(areas=(merged,), mines=(mine("m1", **body), leaving))
    assert [finding.verdict for finding in ask("S-C07", alone)] == ["pass"]
    two = plan(areas=(merged, area("a2", **body)))
    assert [finding.verdict for finding in ask("S-C07", two)] == ["fail", "fail"]


def new(**facts: Any) -> dict[str, Any]:
    return {"mineral": "铝土矿", "is_new_right": True, "deposit_stock_unit": "矿石万吨", **facts}


@pytest.mark.parametrize(
    ("stock", "scale", "verdict"),
    [
        (500, 30, "pass"),
        (2000, 100, "pass"),
        (499, 30, "fail"),
        (500, 29.99, "fail"),
        (None, 30, "nodata"),
        (500, None, "nodata"),
        (499, None, "fail"),
    ],
)
def test_double_control(stock: float | None, scale: float | None, verdict: str):
    assert area_verdicts("S-C08", **new(deposit_stock=stock, scale=scale)) == [verdict]


def test_double_control_is_for_new_rights():
    facts = new(deposit_stock=1, scale=1)
    assert area_verdicts("S-C08", **{**facts, "is_new_right": False}) == []
    assert area_verdicts("S-C08", **{**facts, "is_new_right": None}) == ["nodata"]
    assert area_verdicts("S-C08", **new(mineral=None)) == ["nodata"]


def test_double_control_exceptions():
    small = new(deposit_stock=1, scale=30, small_right_approval_no="示例批复1号")
    assert area_verdicts("S-C08", **small) == ["review"]
    without_row = new(mineral="铁矾土", deposit_stock=500, scale=30)
    assert area_verdicts("S-C08", **without_row) == ["review"]
    superseded = new(mineral="水泥用灰岩", deposit_stock=1, deposit_stock_unit="矿石亿吨", scale=60)
    assert area_verdicts("S-C08", **superseded) == ["review"]
    modest = new(deposit_stock=500, scale=30, reserve_class=ScaleClass.SMALL)
    assert area_verdicts("S-C08", **modest) == ["review"]
    boastful = new(deposit_stock=1, scale=30, reserve_class=ScaleClass.LARGE)
    assert area_verdicts("S-C08", **boastful) == ["fail"]


@pytest.mark.parametrize(
    ("method", "scale", "verdict"),
    [(UNDER, 30, "pass"), (OPEN, 59.99, "fail"), (OPEN, 60, "pass"), (None, 30, "nodata")],
)
def test_iron_is_graded_by_method(method: Any, scale: float, verdict: str):
    facts = new(mineral="铁矿", method=method, scale=scale, is_rich_ore=False)
    stock = {"deposit_stock": 0.1, "deposit_stock_unit": "矿石亿吨"}
    assert area_verdicts("S-C08", **{**facts, **stock}) == [verdict]


def test_iron_of_unknown_richness_is_graded_where_both_rows_agree():
    facts = new(mineral="铁矿", method=UNDER, scale=30, deposit_stock_unit="矿石亿吨")
    assert area_verdicts("S-C08", **{**facts, "deposit_stock": 0.1}) == ["pass"]
    assert area_verdicts("S-C08", **{**facts, "deposit_stock": 0.06}) == ["nodata"]
    assert area_verdicts("S-C08", **{**facts, "deposit_stock": 0.04}) == ["fail"]
    rich = {**facts, "deposit_stock": 0.06, "is_rich_ore": True}
    assert area_verdicts("S-C08", **rich) == ["pass"]


@pytest.mark.parametrize(
    ("new_rights", "leaving", "verdict"),
    [(0, 0, "na"), (1, 0, "review"), (1, 1, "pass"), (1, 2, "pass"), (2, 1, "review")],
)
def test_new_rights_against_rights_given_up(new_rights: int, leaving: int, verdict: str):
    facts = {
        "areas": tuple(area(f"n{number}", is_new_right=True) for number in range(new_rights)),
        "mines": tuple(
            mine(f"m{number}", dispositions=(Disposition.CLOSE,)) for number in range(leaving)
        ),
    }
    assert plan_verdicts("S-C09", **facts) == [verdict]


def test_whether_an_area_is_new_must_be_known():
    assert plan_verdicts("S-C09", areas=(area(),)) == ["nodata"]
