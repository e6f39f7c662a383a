"""Environment, reclamation and their plans (S-F01 to S-F04)."""

from datetime import date
from typing import Any

import pytest

from standards.facts import AcceptanceFacts
from standards.terms import AcceptanceConclusion, Disposition, MineState
from tests.standards.asking import ask, mine, mine_verdicts, plan, replaced

PASSED = AcceptanceConclusion.PASSED


def record(conclusion: AcceptanceConclusion | None, on: date | None = None) -> AcceptanceFacts:
    return AcceptanceFacts(conclusion=conclusion, accepted_on=on)


@pytest.mark.parametrize(
    ("accepted", "verdict"),
    [
        (record(PASSED, date(2024, 6, 1)), "pass"),
        (record(PASSED, date(2024, 5, 31)), "review"),
        (record(PASSED), "review"),
        (record(AcceptanceConclusion.RECTIFY, date(2025, 1, 1)), "review"),
        (record(AcceptanceConclusion.FAILED, date(2025, 1, 1)), "fail"),
        (record(None), "nodata"),
        (None, "nodata"),
    ],
)
def test_acceptance(accepted: AcceptanceFacts | None, verdict: str):
    assert mine_verdicts("S-F01", acceptance=accepted) == [verdict]


@pytest.mark.parametrize(
    ("chosen", "verdict"),
    [
        (Disposition.CLOSE, "fail"),
        (Disposition.EXIT, "fail"),
        (Disposition.MERGE, "fail"),
        (Disposition.UPGRADE, "nodata"),
        (Disposition.KEEP, "nodata"),
    ],
)
def test_mines_that_change_must_have_been_accepted(chosen: Disposition, verdict: str):
    assert mine_verdicts("S-F01", dispositions=(chosen,)) == [verdict]
    assert mine_verdicts("S-F01", dispositions=(chosen,), acceptance=record(None)) == [verdict]


DONE = {"consolidation_done_on": date(2025, 1, 10)}
DUE = {**DONE, "treatment_plan_due_on": date(2025, 6, 1)}


@pytest.mark.parametrize(
    ("facts", "on", "verdict"),
    [
        ({}, date(2025, 6, 1), "na"),
        (DONE, date(2025, 6, 1), "nodata"),
        ({**DUE, "treatment_plan_filed_on": date(2025, 6, 1)}, date(2025, 7, 1), "pass"),
        ({**DUE, "treatment_plan_filed_on": date(2025, 6, 2)}, date(2025, 7, 1), "fail"),
        (DUE, date(2025, 6, 1), "review"),
        (DUE, date(2025, 6, 2), "fail"),
    ],
)
def test_filing_of_the_treatment_plan(facts: dict[str, Any], on: date, verdict: str):
    assert mine_verdicts("S-F02", on=on, **facts) == [verdict]


def test_a_number_of_days_in_the_rulebook_sets_the_due_day():
    book = replaced(treatment_plan__days=30)
    done = plan(mines=(mine(**DONE),))
    assert ask("S-F02", done, on=date(2025, 2, 9), rulebook=book)[0].verdict == "review"
    assert ask("S-F02", done, on=date(2025, 2, 10), rulebook=book)[0].verdict == "fail"


@pytest.mark.parametrize(
    ("plans", "checks", "verdict"),
    [
        ((2024,), (2024,), "pass"),
        ((2024, 2023), (2024,), "pass"),
        ((2023,), (2024,), "fail"),
        ((2024,), (), "fail"),
        ((), None, "fail"),
        ((2024,), None, "nodata"),
        (None, None, "nodata"),
    ],
)
def test_one_plan_and_one_check_a_year(plans: Any, checks: Any, verdict: str):
    facts = {"annual_plan_years": plans, "annual_check_years": checks}
    for day in (date(2025, 1, 1), date(2025, 12, 31)):
        assert mine_verdicts("S-F03", on=day, **facts) == [verdict]


def test_supervision_begins_with_the_right():
    facts = {"annual_plan_years": (), "annual_check_years": ()}
    assert mine_verdicts("S-F03", licence_valid_from=date(2025, 1, 1), **facts) == ["na"]
    assert mine_verdicts("S-F03", licence_valid_from=date(2024, 12, 31), **facts) == ["fail"]
    assert mine_verdicts("S-F03", state=MineState.CLOSED, **facts) == []


def test_the_fund_is_information():
    assert mine_verdicts("S-F04", fund_balance_wan_yuan=120) == ["na"]
    assert mine_verdicts("S-F04") == []
