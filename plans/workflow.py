"""State the way of a county plan as one table; buttons, tests and the diagram read it.

Clauses 五(一), 五(二), 六(三): the county compiles and submits; the office, the member units and a
panel of experts review; the city government approves and files with the province; the plan is made
public, issued, carried out and accepted.
"""

from dataclasses import dataclass

from standards.terms import Term


class State(Term):
    """Where a plan stands."""

    DRAFT = "draft", "草稿"
    COUNTY_REVIEW = "county_review", "县级审定"
    SUBMITTED = "submitted", "已报送"
    FORMAL_REVIEW = "formal_review", "形式审查"
    RETURNED = "returned", "退回补正"
    CO_SIGNING = "co_signing", "成员单位会签"
    EXPERT_REVIEW = "expert_review", "专家评审"
    REVISING = "revising", "评审后修改"
    RECHECK = "recheck", "修改复核"
    CITY_APPROVAL = "city_approval", "市政府批准"
    ENDORSED = "endorsed", "市政府已同意"
    PROVINCE = "province", "省级报批"
    APPROVED = "approved", "批复"
    PUBLISHED = "published", "公示"
    ISSUED = "issued", "印发实施"
    ACCEPTANCE = "acceptance", "验收"
    CLOSED = "closed", "办结"
    SUPERSEDED = "superseded", "已被调整替代"


REVIEW_AS_EXPERT = "review_as_expert"
"""The one right that is granted on a plan itself: to the experts of its panel, for a time."""


@dataclass(frozen=True, slots=True)
class Step:
    """Describe one step: its word, from which states, to which, by whose right, with what.

    A step with `own_action` leaves more behind than the step itself (a verdict, a document, a
    notice), so that it is taken through the action that writes both. `needs_note` is the sentence
    that a person reads who gave none.
    """

    code: str
    label: str
    from_states: tuple[State, ...]
    to_state: State
    right: str
    needs_note: str = ""
    primary: bool = False
    own_action: bool = False


_CHANGE_WHAT = "必须写明意见，县（市、区）才知道要改什么。"
IN_FORCE = (State.APPROVED, State.PUBLISHED, State.ISSUED, State.ACCEPTANCE)

STEPS: dict[str, Step] = {
    step.code: step
    for step in (
        Step(
            "hand_over", "送县级审定", (State.DRAFT, State.RETURNED), State.COUNTY_REVIEW,
            right="draft_plan", primary=True,
        ),
        Step(
            "submit", "审定并报送", (State.COUNTY_REVIEW,), State.SUBMITTED,
            right="confirm_plan", primary=True,
        ),
        Step(
            "send_back", "退回修改", (State.COUNTY_REVIEW,), State.DRAFT,
            right="confirm_plan", needs_note="退回修改必须写明意见，填报员才知道要改什么。",
        ),
        Step(
            "receive", "签收", (State.SUBMITTED,), State.FORMAL_REVIEW,
            right="review_plan", primary=True,
        ),
        Step(
            "accept", "受理并转会签", (State.FORMAL_REVIEW,), State.CO_SIGNING,
            right="review_plan", primary=True,
        ),
        Step(
            "return", "退回补正", (State.FORMAL_REVIEW, State.CO_SIGNING), State.RETURNED,
            right="review_plan", needs_note="退回补正" + _CHANGE_WHAT,
        ),
        Step(
            "invite", "转专家评审", (State.CO_SIGNING,), State.EXPERT_REVIEW,
            right="review_plan", primary=True,
        ),
        Step(
            "pass", "评审通过", (State.EXPERT_REVIEW,), State.CITY_APPROVAL,
            right=REVIEW_AS_EXPERT, own_action=True,
        ),
        Step(
            "pass_if_changed", "评审修改后通过", (State.EXPERT_REVIEW,), State.REVISING,
            right=REVIEW_AS_EXPERT, own_action=True,
        ),
        Step(
            "reject", "评审不通过", (State.EXPERT_REVIEW,), State.RETURNED,
            right=REVIEW_AS_EXPERT, own_action=True,
        ),
        Step(
            "hand_in_revision", "送修改复核", (State.REVISING,), State.RECHECK,
            right="confirm_plan", primary=True,
        ),
        Step(
            "confirm_revision", "复核通过", (State.RECHECK,), State.CITY_APPROVAL,
            right="review_plan", primary=True,
        ),
        Step(
            "revise_again", "复核退改", (State.RECHECK,), State.REVISING,
            right="review_plan", needs_note="复核退改" + _CHANGE_WHAT,
        ),
        Step(
            "endorse", "市政府同意", (State.CITY_APPROVAL,), State.ENDORSED,
            right="endorse_plan", primary=True,
        ),
        Step(
            "city_return", "市政府退回", (State.CITY_APPROVAL,), State.RETURNED,
            right="endorse_plan", needs_note="市政府退回" + _CHANGE_WHAT,
        ),
        Step(
            "approve", "登记市政府批准", (State.ENDORSED,), State.PROVINCE,
            right="approve_plan", primary=True, own_action=True,
        ),
        Step(
            "reply", "登记批复", (State.PROVINCE,), State.APPROVED,
            right="approve_plan", primary=True, own_action=True,
        ),
        Step(
            "publish", "公示", (State.APPROVED,), State.PUBLISHED,
            right="publish_plan", primary=True, own_action=True,
        ),
        Step(
            "withdraw", "撤回公示", (State.PUBLISHED,), State.APPROVED,
            right="publish_plan", needs_note="撤回公示必须写明原因。", own_action=True,
        ),
        Step(
            "issue", "印发实施", (State.PUBLISHED,), State.ISSUED,
            right="publish_plan", primary=True, own_action=True,
        ),
        Step(
            "start_acceptance", "组织验收", (State.ISSUED,), State.ACCEPTANCE,
            right="review_plan", primary=True,
        ),
        Step(
            "close", "办结", (State.ACCEPTANCE,), State.CLOSED,
            right="review_plan", primary=True,
        ),
        Step(
            "supersede", "由调整方案替代",
            (State.PUBLISHED, State.ISSUED, State.ACCEPTANCE, State.APPROVED), State.SUPERSEDED,
            right="publish_plan", own_action=True,
        ),
    )
}  # fmt: skip

LIMITS: dict[State, str] = {
    State.FORMAL_REVIEW: "review.formal_working_days",
    State.CO_SIGNING: "review.unit_working_days",
    State.EXPERT_REVIEW: "review.expert_working_days",
    State.RECHECK: "review.recheck_working_days",
}
"""The states that last a limited number of working days, with the rulebook's key."""

UPLOAD_STATES = (State.DRAFT, State.RETURNED, State.REVISING)
# The county has the plan and has not yet sent it in, again or for the first time.
WITH_COUNTY = (State.DRAFT, State.COUNTY_REVIEW, State.RETURNED, State.REVISING)
UNDER_WAY = tuple(state for state in State if state not in (*IN_FORCE, State.CLOSED,
                                                            State.SUPERSEDED))  # fmt: skip
RULING_OPEN = (
    State.DRAFT, State.COUNTY_REVIEW, State.SUBMITTED, State.FORMAL_REVIEW, State.RETURNED,
    State.CO_SIGNING, State.EXPERT_REVIEW, State.REVISING, State.RECHECK,
)  # fmt: skip

MILESTONES: tuple[tuple[str, tuple[State, ...]], ...] = (
    ("县级编制", (State.DRAFT, State.RETURNED)),
    ("县级审定", (State.COUNTY_REVIEW,)),
    ("形式审查", (State.SUBMITTED, State.FORMAL_REVIEW)),
    ("成员单位会签", (State.CO_SIGNING,)),
    ("专家评审", (State.EXPERT_REVIEW, State.REVISING, State.RECHECK)),
    ("市政府批准", (State.CITY_APPROVAL, State.ENDORSED)),
    ("省级报批", (State.PROVINCE,)),
    ("公示", (State.APPROVED, State.PUBLISHED)),
    ("印发实施", (State.ISSUED,)),
    ("验收办结", (State.ACCEPTANCE, State.CLOSED, State.SUPERSEDED)),
)
"""The way as a person sees it on the plan's page: ten stations, each with its states."""


def steps_from(state: str) -> list[Step]:
    """Return the steps that lead on from this state, in the table's order."""
    return [step for step in STEPS.values() if state in step.from_states]


def accepts_upload(state: str) -> bool:
    """Tell whether the county may upload a new version in this state."""
    return state in UPLOAD_STATES


def diagram() -> str:
    """Return the way of a plan as a mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.DRAFT.value}"]
    lines += [f"    {state.value}: {state.label}" for state in State]
    for step in STEPS.values():
        lines += [
            f"    {state.value} --> {step.to_state.value}: {step.label}"
            for state in step.from_states
        ]
    lines += [f"    {state.value} --> [*]" for state in (State.CLOSED, State.SUPERSEDED)]
    return "\n".join(lines)


def step_table() -> str:
    """Return the steps as a table: from where to where, by which right, with a note or not."""
    rows = [
        "| step | word | from | to | right | note |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    rows += [
        f"| `{step.code}` | {step.label} | {_words(step.from_states)} | {step.to_state.label} "
        f"| `{step.right}` | {'required' if step.needs_note else 'optional'} |"
        for step in STEPS.values()
    ]
    return "\n".join(rows)


def _words(states: tuple[State, ...]) -> str:
    return "、".join(state.label for state in states)


def document() -> str:
    """Return the whole of docs/workflow.md."""
    return f"""# The way of a county plan

Generated by `manage.py write_docs` from `plans/workflow.py`; do not edit by hand.

```mermaid
{diagram()}
```

{step_table()}

The county uploads new versions in {_words(UPLOAD_STATES)}; member units answer in
{State.CO_SIGNING.label}. Who holds a right is said in `taskforce/roles.py`; what each person
gets to see at each address in [permissions.md](permissions.md). `{REVIEW_AS_EXPERT}` is granted on
the plan itself, to the experts of its panel and only while the review lasts.

After {
        State.APPROVED.label
    } the county may open an adjustment (调整): a plan of its own that names the
one it adjusts and goes the same way from {State.DRAFT.label}. The plan in force stays in force, and
public, until the adjustment is made public; then it is {State.SUPERSEDED.label}.

Limits in working days stand in the rulebook: {
        ", ".join(f"{state.label} `{key}`" for state, key in LIMITS.items())
    }. Late is shown, it stops nothing.
"""
