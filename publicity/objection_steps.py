"""State the way of an objection as one table; buttons, actions and tests read it.

Clause 六(三): "依法公正解决异议、争议".
"""

from dataclasses import dataclass

from django.db import models


class State(models.TextChoices):
    """Where an objection stands."""

    RECEIVED = "received", "收到"
    ACCEPTED = "accepted", "受理"
    REJECTED = "rejected", "不予受理"
    CHECKING = "checking", "核查"
    ANSWERED = "answered", "答复"
    CLOSED = "closed", "办结"


@dataclass(frozen=True, slots=True)
class Step:
    """Describe one step: its word, from which state to which, and what is written with it.

    `answers` is a step whose words the objector reads; the words of the others stay in the file.
    """

    code: str
    label: str
    from_state: State
    to_state: State
    asks: str = ""
    needs_note: bool = False
    answers: bool = False
    ends: bool = False


STEPS: dict[str, Step] = {
    step.code: step
    for step in (
        Step("accept", "受理", State.RECEIVED, State.ACCEPTED, asks="受理说明（内部）"),
        Step(
            "reject", "不予受理", State.RECEIVED, State.REJECTED,
            asks="不予受理的理由（异议人可见）", needs_note=True, answers=True, ends=True,
        ),
        Step(
            "check", "开始核查", State.ACCEPTED, State.CHECKING, asks="核查安排（内部）",
        ),
        Step(
            "answer", "答复", State.CHECKING, State.ANSWERED,
            asks="答复内容（异议人可见）", needs_note=True, answers=True,
        ),
        Step("close", "办结", State.ANSWERED, State.CLOSED, asks="办结说明（内部）", ends=True),
    )
}  # fmt: skip


def steps_from(state: str) -> list[Step]:
    """Return the steps that lead on from this state, in the table's order."""
    return [step for step in STEPS.values() if step.from_state == state]


def path_of(state: str) -> list[tuple[State, bool]]:
    """Return the states an objection passes through, each with whether it has been reached."""
    if state == State.REJECTED:
        return [(State.RECEIVED, True), (State.REJECTED, True)]
    way = [State.RECEIVED, State.ACCEPTED, State.CHECKING, State.ANSWERED, State.CLOSED]
    reached = way.index(State(state))
    return [(step, at <= reached) for at, step in enumerate(way)]
