"""Parts a plan must hold, the rulebook's state, and the holders' opinions (S-G, S-H)."""

from typing import Any

import pytest

from standards.facts import ContentFacts
from standards.rulebook import Rulebook
from standards.terms import Disposition, OpinionOutcome, Presence
from tests.standards.asking import ROWS, ask, mine_verdicts, plan, plan_verdicts

PARTS = [f"S-H{number:02}" for number in range(1, 14)]


@pytest.mark.parametrize("code", PARTS)
def test_parts_of_the_plan(code: str):
    verdicts = {
        Presence.PRESENT: "pass",
        Presence.WEAK: "review",
        Presence.ABSENT: "fail",
        None: "nodata",
    }
    for presence, verdict in verdicts.items():
        ticked = (ContentFacts(item=code, presence=presence),)
        assert plan_verdicts(code, contents=ticked) == [verdict]
    assert plan_verdicts(code) == ["nodata"]


def test_a_tick_of_one_part_says_nothing_of_another():
    ticked = (ContentFacts(item="S-H01", presence=Presence.PRESENT),)
    assert plan_verdicts("S-H02", contents=ticked) == ["nodata"]


def test_entries_without_a_confirmed_source_are_counted():
    [finding] = ask("S-G01", plan())
    assert finding.verdict == "review"
    confirmed = Rulebook.load([row for row in ROWS if row["confidence"] != "hearsay"])
    [finding] = ask("S-G01", plan(), rulebook=confirmed)
    assert finding.verdict == "pass"


@pytest.mark.parametrize(
    ("opinion", "verdict"),
    [
        (OpinionOutcome.AGREED, "na"),
        (OpinionOutcome.REFUSED, "review"),
        (OpinionOutcome.SILENT, "review"),
        (OpinionOutcome.CONDITIONAL, "review"),
        (None, "nodata"),
    ],
)
def test_opinions_of_holders(opinion: Any, verdict: str):
    closing = (Disposition.CLOSE,)
    assert mine_verdicts("S-G02", dispositions=closing, holder_opinion=opinion) == [verdict]
    assert mine_verdicts("S-G02", holder_opinion=opinion) == []
