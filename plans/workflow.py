"""State the way of a county plan as one table; buttons, tests and the diagram read it.

Clauses 五(一), 五(二), 六(三): the county compiles and submits, the office and the member units
review, the city government approves, the plan is made public.
"""

from dataclasses import dataclass

from standards.terms import Term


class State(Term):
    """Where a plan stands."""

    DRAFT = "draft", "草稿"
    SUBMITTED = "submitted", "形式审查"
    RETURNED = "returned", "退回补正"
    CO_SIGNING = "co_signing", "成员单位会签"
    APPROVED = "approved", "市政府已批准"
    PUBLISHED = "published", "公示"


@dataclass(frozen=True, slots=True)
class Step:
    """Describe one step: its word, from which states, to which, by whose right, with what."""

    code: str
    label: str
    from_states: tuple[State, ...]
    to_state: State
    right: str
    needs_note: bool = False
    primary: bool = False
    waits: str = ""


STEPS: dict[str, Step] = {
    step.code: step
    for step in (
        Step(
            "submit", "审定并报送", (State.DRAFT, State.RETURNED), State.SUBMITTED,
            right="confirm_plan", primary=True, waits="县（市、区）审定后报送",
        ),
        Step(
            "return", "退回补正", (State.SUBMITTED, State.CO_SIGNING), State.RETURNED,
            right="review_plan", needs_note=True, waits="",
        ),
        Step(
            "accept", "受理并转会签", (State.SUBMITTED,), State.CO_SIGNING,
            right="review_plan", primary=True, waits="专班办公室形式审查",
        ),
        Step(
            "approve", "登记市政府批准", (State.CO_SIGNING,), State.APPROVED,
            right="approve_plan", primary=True, waits="成员单位会签，市政府批准",
        ),
        Step(
            "publish", "公示", (State.APPROVED,), State.PUBLISHED,
            right="publish_plan", primary=True, waits="专班办公室公示",
        ),
        Step(
            "withdraw", "撤回公示", (State.PUBLISHED,), State.APPROVED,
            right="publish_plan", needs_note=True,
        ),
    )
}  # fmt: skip


def steps_from(state: str) -> list[Step]:
    """Return the steps that lead on from this state, in the table's order."""
    return [step for step in STEPS.values() if state in step.from_states]


def accepts_upload(state: str) -> bool:
    """Tell whether the county may upload a new version in this state."""
    return state in (State.DRAFT, State.RETURNED)
