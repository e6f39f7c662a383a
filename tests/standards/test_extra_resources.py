"""Added resources and their grant (S-D07 to S-D09, S-E01 to S-E07)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from standards.facts import ProceedsFacts, SideFacts
from standards.terms import ExtraResource, GrantWay, ScaleClass
from tests.standards.asking import ROWS, area, ask, extra, extra_verdicts, mine, plan

GAP, UPPER, DEEP = ExtraResource.GAP, ExtraResource.UPPER, ExtraResource.DEEP
EDGE = ExtraResource.PERIPHERY
L, M, S = ScaleClass.LARGE, ScaleClass.MEDIUM, ScaleClass.SMALL
AGREED, OPEN_BID = GrantWay.AGREEMENT, GrantWay.COMPETITION
MEDIUM_HOST = area(mineral="铝土矿", reserve_class=M, production_class=M)


@pytest.mark.parametrize(
    ("between", "unavoidable", "verdict"),
    [
        (True, True, "pass"),
        (True, None, "review"),
        (True, False, "fail"),
        (False, True, "fail"),
        (None, True, "nodata"),
    ],
)
def test_gaps_that_cannot_be_avoided(between: bool | None, unavoidable: bool | None, verdict: str):
    facts = {"is_between_members": between, "unavoidable": unavoidable}
    assert extra_verdicts("S-D07", kind=GAP, **facts) == [verdict]
    assert extra_verdicts("S-D07", **facts) == [verdict]
    assert extra_verdicts("S-D07", kind=DEEP, **facts) == []


def test_kinds():
    whole = {"volume": 120, "reason": "避免留设矿柱"}
    for kind in (GAP, UPPER, DEEP, EDGE):
        assert extra_verdicts("S-D08", kind=kind, **whole) == ["pass"]
    assert extra_verdicts("S-D08", kind=GAP) == ["review"]
    assert extra_verdicts("S-D08", kind_text="远处空白区", **whole) == ["fail"]
    assert extra_verdicts("S-D08", **whole) == ["nodata"]


DUE = date(2025, 6, 1)


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        (ProceedsFacts(assessment_no="示例评1号", due_on=DUE), "pass"),
        (ProceedsFacts(assessment_no="示例评1号", due_on=date(2025, 5, 31)), "fail"),
        (ProceedsFacts(due_on=date(2025, 5, 31), paid_on=date(2025, 5, 30)), "pass"),
        (ProceedsFacts(assessment_no="示例评1号"), "nodata"),
        (None, "nodata"),
    ],
)
def test_proceeds(record: ProceedsFacts | None, verdict: str):
    assert extra_verdicts("S-D09", kind=GAP, proceeds=record) == [verdict]
    assert extra_verdicts("S-D09", kind=GAP, host=area(proceeds=record)) == [verdict]
    assert extra_verdicts("S-D09", host=area(proceeds_required=False), proceeds=record) == []


@pytest.mark.parametrize(
    ("reserve", "production", "verdict"),
    [
        (M, M, "pass"),
        (L, M, "pass"),
        (S, S, "fail"),
        (M, S, "review"),
        (M, None, "review"),
        (None, S, "review"),
        (None, None, "nodata"),
    ],
)
def test_size_of_the_host(reserve: Any, production: Any, verdict: str):
    host = area(mineral="铝土矿", reserve_class=reserve, production_class=production)
    facts = {"way": AGREED, "same_ore_body": True, "unfit_for_own_right": True}
    assert extra_verdicts("S-E01", host=host, kind=DEEP, **facts) == [verdict]
    assert extra_verdicts("S-E01", host=host, kind=UPPER, **facts) == [verdict]
    assert extra_verdicts("S-E02", host=host, kind=EDGE, **facts) == [verdict]


def test_deep_and_upper_exceptions():
    stone = area(mineral="建筑石料用灰岩", reserve_class=L, production_class=L)
    unknown = area(reserve_class=L, production_class=L)
    assert extra_verdicts("S-E01", host=stone, kind=DEEP, way=AGREED) == ["fail"]
    assert extra_verdicts("S-E01", host=stone, kind=DEEP, way=OPEN_BID) == []
    assert extra_verdicts("S-E01", host=stone, kind=GAP, way=AGREED) == []
    assert extra_verdicts("S-E01", host=unknown, kind=DEEP, way=AGREED) == ["nodata"]
    assert extra_verdicts("S-E01", host=MEDIUM_HOST, kind=DEEP) == ["nodata"]


@pytest.mark.parametrize(
    ("same_body", "unfit", "way", "verdict"),
    [
        (True, True, AGREED, "pass"),
        (True, True, OPEN_BID, "pass"),
        (False, True, AGREED, "fail"),
        (True, False, AGREED, "fail"),
        (None, True, AGREED, "review"),
        (True, None, AGREED, "review"),
        (True, True, None, "nodata"),
    ],
)
def test_periphery(same_body: Any, unfit: Any, way: Any, verdict: str):
    facts = {"kind": EDGE, "same_ore_body": same_body, "unfit_for_own_right": unfit, "way": way}
    assert extra_verdicts("S-E02", host=MEDIUM_HOST, **facts) == [verdict]


def test_what_is_missing_is_said_beside_what_a_person_must_judge():
    piece = extra(kind=EDGE, same_ore_body=None, unfit_for_own_right=True)
    host = area(mineral="铝土矿", reserve_class=M, production_class=M, extras=(piece,))
    [finding] = ask("S-E02", plan(areas=(host,)))
    assert finding.verdict == "review"
    assert finding.message == (
        "是否属同一矿体向外延伸，还没有专家意见。缺少出让方式（协议或公开竞争），无法判断。"
    )
    assert finding.missing == ("出让方式（协议或公开竞争）",)


def sides(*holders: str | None, size: ScaleClass | None = M) -> tuple[SideFacts, ...]:
    return tuple(
        SideFacts(key=f"r{number}", holder_uscc=holder, reserve_class=size, production_class=size)
        for number, holder in enumerate(holders)
    )


@pytest.mark.parametrize(
    ("metres", "verdict"),
    [
        (299.99, "pass"),
        (300, "pass"),
        (300.01, "review"),
        (330, "review"),
        (330.01, "fail"),
        (None, "nodata"),
    ],
)
def test_distance_of_a_gap(metres: float | None, verdict: str):
    facts = {"kind": GAP, "way": AGREED, "sides": sides("甲", "甲"), "distance_m": metres}
    assert extra_verdicts("S-E03", **facts) == [verdict]


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({"sides": sides("甲", "甲", size=S)}, "fail"),
        ({"sides": sides("甲", "甲", size=None)}, "nodata"),
        ({"sides": sides("甲")}, "nodata"),
        ({"sides": ()}, "nodata"),
        ({"sides": sides("甲", "乙"), "ownership_share": 0.51}, "fail"),
        ({"sides": sides("甲", "乙")}, "nodata"),
        ({"way": None}, "nodata"),
        ({"way": OPEN_BID}, "pass"),
    ],
)
def test_conditions_of_a_gap(facts: dict[str, Any], verdict: str):
    base = {"kind": GAP, "way": AGREED, "sides": sides("甲", "甲"), "distance_m": 295}
    assert extra_verdicts("S-E03", **{**base, **facts}) == [verdict]
    assert extra_verdicts("S-E03", **{**base, **facts, "kind": DEEP}) == []


def test_a_gap_between_merging_holders_is_put_to_a_person():
    piece = {"kind": GAP, "way": AGREED, "distance_m": 295, "ownership_share": 0.51}
    merged = area(member_keys=("r0", "r1"))
    found = extra_verdicts("S-E03", host=merged, sides=sides("甲", "乙"), **piece)
    assert found == ["review"]


WHOLE = {"ownership_share": 1}


@pytest.mark.parametrize(
    ("holders", "facts", "verdict"),
    [
        (("甲", "甲"), {}, "pass"),
        (("甲", "乙"), {"ownership_share": 0.9999}, "fail"),
        (("甲", "乙"), WHOLE, "review"),
        (("甲", "乙"), {**WHOLE, "ownership_extract_on": date(2024, 12, 1)}, "pass"),
        (
            ("甲", "乙"),
            {**WHOLE, "ownership_extract_on": date(2024, 11, 30)},
            "review",
        ),
        (("甲", "乙"), {}, "nodata"),
        (("甲", None), {}, "nodata"),
        (("甲",), {}, "nodata"),
    ],
)
def test_same_subject(holders: tuple[str | None, ...], facts: dict[str, Any], verdict: str):
    assert extra_verdicts("S-E04", kind=GAP, sides=sides(*holders), **facts) == [verdict]
    assert extra_verdicts("S-E04", kind=DEEP, sides=sides(*holders), **facts) == []


def test_an_unclear_reading_of_wholly_owned():
    facts = {"ownership_share": 1, "ownership_extract_on": date(2025, 5, 1)}
    found = extra_verdicts(
        "S-E04", kind=GAP, sides=sides("甲", "乙"), reading_unclear=True, **facts
    )
    assert found == ["review"]


@pytest.mark.parametrize(
    ("way", "verdict"), [(OPEN_BID, "pass"), (AGREED, "review"), (None, "nodata")]
)
@pytest.mark.parametrize("kind", [GAP, EDGE])
def test_sand_stone_is_granted_in_the_open(kind: Any, way: Any, verdict: str):
    host = area(mineral="建筑用砂")
    assert extra_verdicts("S-E05", host=host, kind=kind, way=way) == [verdict]
    assert extra_verdicts("S-E05", host=MEDIUM_HOST, kind=kind, way=way) == []
    assert extra_verdicts("S-E05", host=area(), kind=kind, way=way) == ["nodata"]


def test_sand_stone_by_agreement_is_advised_against():
    host = area(mineral="建筑用砂", extras=(extra(kind=GAP, way=AGREED),))
    [finding] = ask("S-E05", plan(areas=(host,)))
    assert finding.message.endswith("国家规定不适用协议出让，建议不予同意。")


STEPS = {
    "acceptance_notice_on": date(2025, 3, 1),
    "collective_decision_no": "示例纪要1号",
    "result_notice_on": date(2025, 4, 1),
    "government_consent_no": "示例复1号",
}


@pytest.mark.parametrize("absent", [None, *STEPS])
def test_procedure_of_an_agreement(absent: str | None):
    facts = {name: value for name, value in STEPS.items() if name != absent}
    granted = {**facts, "granted_on": date(2025, 5, 1)}
    assert extra_verdicts("S-E06", way=AGREED, **facts) == ["review" if absent else "pass"]
    assert extra_verdicts("S-E06", way=AGREED, **granted) == ["fail" if absent else "pass"]


def test_procedure_is_for_agreements():
    assert extra_verdicts("S-E06", way=OPEN_BID) == []
    assert extra_verdicts("S-E06") == ["nodata"]


def test_items_of_the_notice():
    items = tuple(next(row["value"] for row in ROWS if row["key"] == "notice.items"))
    assert extra_verdicts("S-E07", way=AGREED, notice_items=items) == ["pass"]
    assert extra_verdicts("S-E07", way=AGREED, notice_items=items[1:]) == ["fail"]
    assert extra_verdicts("S-E07", way=AGREED, notice_items=()) == ["fail"]
    assert extra_verdicts("S-E07", way=AGREED) == ["nodata"]
    assert extra_verdicts("S-E07", way=OPEN_BID, notice_items=()) == []


def test_pieces_of_an_existing_mine_are_asked_too():
    piece = extra(kind=DEEP, way=AGREED)
    host = mine(mineral="铝土矿", reserve_class=M, production_class=M, extras=(piece,))
    [finding] = ask("S-E01", plan(mines=(host,)))
    assert (finding.verdict, finding.phase, finding.mine_key) == ("pass", "X", "m1")
    assert finding.figures[-1].value == "协议"
    assert Decimal(finding.rule_version) == 1
