"""Coverage, batches, dormancy and targets (S-A01 to S-A05)."""

from datetime import date

import pytest

from standards.facts import MineralFacts, RightFacts, TargetFacts
from standards.scope import months_before
from standards.terms import Disposition, MineState
from tests.standards.asking import (
    BY_NAME,
    area,
    area_verdicts,
    ask,
    mine,
    mine_verdicts,
    plan,
    plan_verdicts,
)

COAL = MineralFacts(code="0", name="煤", is_coal=True)
UPGRADE = {"dispositions": (Disposition.UPGRADE,), "disposition_reason": "产能核增"}


def right(key: str, mineral: str = "铝土矿") -> RightFacts:
    return RightFacts(key=key, name=f"示例矿{key}", mineral=BY_NAME[mineral])


def test_every_registered_mine_stands_in_the_plan():
    covered = plan(registered=(right("m1"),), mines=(mine(),))
    assert [finding.verdict for finding in ask("S-A01", covered)] == ["pass"]


def test_a_missing_mine_fails_under_its_own_name():
    short = plan(registered=(right("m1"), right("m2")), mines=(mine(),))
    named, whole = ask("S-A01", short)
    assert (named.verdict, named.subject_kind, named.subject_key) == ("fail", "mine", "m2")
    assert named.message == "遗漏矿山：“示例矿m2”没有列入方案。"
    assert (whole.verdict, whole.subject_kind) == ("fail", "plan")
    assert whole.message == "方案遗漏或重复列入 1 座登记在册的非煤矿山。"


def test_a_mine_twice_or_in_two_plans_fails():
    twice = plan(registered=(right("m1"),), mines=(mine(), mine()))
    shared = plan(registered=(right("m1"),), mines=(mine(),), keys_in_other_plans=("m1",))
    other = plan(registered=(right("m1"),), keys_in_other_plans=("m1",))
    assert [finding.verdict for finding in ask("S-A01", twice)] == ["fail", "fail"]
    assert [finding.verdict for finding in ask("S-A01", shared)] == ["fail", "fail"]
    assert [finding.verdict for finding in ask("S-A01", other)] == ["pass"]


def test_coal_stays_outside_and_warm_water_is_put_to_a_person():
    coal = plan(registered=(RightFacts(key="c", mineral=COAL),))
    assert [finding.verdict for finding in ask("S-A01", coal)] == ["na", "pass"]
    warm = plan(registered=(right("w", "地热"),))
    assert [finding.verdict for finding in ask("S-A01", warm)] == ["review", "pass"]


def test_a_planned_mine_that_nobody_registered():
    stray = plan(registered=(), mines=(mine(),))
    assert [finding.verdict for finding in ask("S-A01", stray)] == ["review", "pass"]


def test_without_a_register_nothing_can_be_compared():
    assert plan_verdicts("S-A01", mines=(mine(),)) == ["nodata"]


def test_no_other_rule_is_asked_about_coal():
    assert ask("S-A03", plan(mines=(mine(mineral=COAL),))) == []


def test_sand_stone_mines_come_first():
    assert mine_verdicts("S-A02", mineral="建筑用砂") == ["pass"]
    assert mine_verdicts("S-A02", mineral="铝土矿") == []
    assert mine_verdicts("S-A02") == ["nodata"]
    assert area_verdicts("S-A02", mineral="建筑用砂") == ["pass"]
    kept = {"mineral": "建筑用砂", "dispositions": (Disposition.KEEP,)}
    assert mine_verdicts("S-A02", **kept) == ["review"]
    assert mine_verdicts("S-A02", keep_explanation="保供矿山", **kept) == ["pass"]


@pytest.mark.parametrize(
    ("dispositions", "reason", "verdict"),
    [
        ((), "", "fail"),
        ((Disposition.CLOSE, Disposition.EXIT), "资源枯竭", "fail"),
        ((Disposition.CLOSE,), "", "fail"),
        ((Disposition.CLOSE,), " ", "fail"),
        ((Disposition.CLOSE,), "资源枯竭", "pass"),
        ((Disposition.KEEP,), "全面达标", "pass"),
    ],
)
def test_one_disposition_with_a_reason(
    dispositions: tuple[Disposition, ...], reason: str, verdict: str
):
    facts = {"dispositions": dispositions, "disposition_reason": reason}
    assert mine_verdicts("S-A03", **facts) == [verdict]


def test_dispositions_that_the_facts_contradict():
    assert mine_verdicts("S-A03", is_licensed=False, **UPGRADE) == ["review"]
    assert mine_verdicts("S-A03", licence_no="", **UPGRADE) == ["review"]
    assert mine_verdicts("S-A03", state=MineState.CLOSED, **UPGRADE) == ["review"]
    kept = {"dispositions": (Disposition.KEEP,), "disposition_reason": "全面达标"}
    assert mine_verdicts("S-A03", mineral="铝土矿", licensed_scale=20, **kept) == ["review"]


def test_dispositions_and_areas_agree():
    merge = {"dispositions": (Disposition.MERGE,), "disposition_reason": "同一矿体"}
    assert mine_verdicts("S-A03", **merge) == ["review"]
    joined = plan(mines=(mine(**merge),), areas=(area(member_keys=("m1",)),))
    assert [finding.verdict for finding in ask("S-A03", joined)] == ["pass"]
    stray = plan(mines=(mine(**UPGRADE),), areas=(area(member_keys=("m1",)),))
    assert [finding.verdict for finding in ask("S-A03", stray)] == ["review"]


@pytest.mark.parametrize(
    ("since", "verdict"),
    [(date(2023, 5, 31), "review"), (date(2023, 6, 1), "pass"), (date(2024, 1, 1), "pass")],
)
def test_idle_for_longer_than_the_limit(since: date, verdict: str):
    assert mine_verdicts("S-A04", state=MineState.SUSPENDED, suspended_since=since) == [verdict]
    assert mine_verdicts("S-A04", last_production_on=since) == [verdict]


def test_activity_by_state():
    assert mine_verdicts("S-A04", state=MineState.PRODUCING) == ["pass"]
    assert mine_verdicts("S-A04", state=MineState.CONSTRUCTION) == ["na"]
    assert mine_verdicts("S-A04", state=MineState.SUSPENDED) == ["nodata"]
    assert mine_verdicts("S-A04") == ["nodata"]
    assert mine_verdicts("S-A04", state=MineState.CLOSED) == []


def test_months_end_on_the_last_day_there_is():
    assert months_before(date(2025, 3, 31), 1) == date(2025, 2, 28)
    assert months_before(date(2024, 3, 31), 1) == date(2024, 2, 29)
    assert months_before(date(2025, 1, 15), 24) == date(2023, 1, 15)


@pytest.mark.parametrize(("number", "verdict"), [(1, "pass"), (2, "pass"), (3, "fail")])
def test_provincial_tasks(number: int, verdict: str):
    closing = {"dispositions": (Disposition.CLOSE,)}
    facts = {
        "mines": (mine("m1", **closing), mine("m2", **closing)),
        "targets": (TargetFacts(disposition=Disposition.CLOSE, number=number),),
    }
    assert plan_verdicts("S-A05", **facts) == [verdict]


def test_no_task_on_file():
    assert plan_verdicts("S-A05") == ["nodata"]
