"""State the way of a problem found on a visit as one table: answered, re-checked, closed.

Clause 六(四): the groups point out what is wrong and what to do, the county mends it, the group
looks again; what stays undone the office takes up as a 督办.
"""

from dataclasses import dataclass

from standards.terms import Term


class ProblemState(Term):
    """Where a problem stands."""

    OPEN = "open", "待整改"
    ANSWERED = "answered", "待复查"
    REJECTED = "rejected", "复查未通过"
    ESCALATED = "escalated", "升级督办"
    CLOSED = "closed", "已销号"


class Severity(Term):
    """How grave a problem is."""

    LIGHT = "light", "一般"
    SERIOUS = "serious", "较重"
    GRAVE = "grave", "重大"


class Conclusion(Term):
    """What an acceptance visit concludes for a mine (S-F01)."""

    PASSED = "passed", "通过"
    MEND = "mend", "限期整改"
    FAILED = "failed", "不通过"


@dataclass(frozen=True, slots=True)
class ProblemStep:
    """Describe one step: its word, from which states, to which, by whose right."""

    code: str
    label: str
    from_states: tuple[ProblemState, ...]
    to_state: ProblemState
    right: str
    who: str
    note_label: str
    takes_photos: bool = False
    sets_due: bool = False
    kind: str = "primary"


_S = ProblemState
PROBLEM_STEPS: dict[str, ProblemStep] = {
    step.code: step
    for step in (
        ProblemStep(
            "answer", "报送整改情况", (_S.OPEN, _S.REJECTED, _S.ESCALATED), _S.ANSWERED,
            right="draft_report", who="只有本县（市、区）的填报员可以报送整改情况。",
            note_label="整改情况", takes_photos=True,
        ),
        ProblemStep(
            "close", "销号", (_S.ANSWERED,), _S.CLOSED,
            right="inspect", who="只有督导验收组可以复查销号。",
            note_label="复查情况与销号依据", takes_photos=True,
        ),
        ProblemStep(
            "reject", "复查未通过", (_S.ANSWERED,), _S.REJECTED,
            right="inspect", who="只有督导验收组可以复查。",
            note_label="还差什么", takes_photos=True, sets_due=True, kind="danger",
        ),
        ProblemStep(
            "escalate", "升级督办", (_S.OPEN, _S.REJECTED), _S.ESCALATED,
            right="review_report", who="只有专班办公室可以升级督办。",
            note_label="督办要求", sets_due=True, kind="danger",
        ),
    )
}  # fmt: skip


def problem_steps_from(state: str) -> list[ProblemStep]:
    """Return the steps that lead on from this state, in the table's order."""
    return [step for step in PROBLEM_STEPS.values() if state in step.from_states]
