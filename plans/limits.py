"""Say until when a plan may stay where it is, and how a day looks from today."""

from datetime import date, timedelta

from plans.models import CountyPlan, StepTaken
from plans.workflow import LIMITS, WITH_COUNTY, State
from rulebook.current import current_rulebook
from taskforce.working_days import last_working_day

DAYS_OF_WARNING = 7
AFTER_APPROVAL = (State.ISSUED, State.ACCEPTANCE)


def limit_of(state: State, start: date) -> date | None:
    """Return the last day of a state entered on a day; None where the rulebook sets no limit."""
    key = LIMITS.get(state)
    entry = current_rulebook().in_force(start).find(key) if key else None
    days = entry.usable if entry else None
    return last_working_day(start, int(str(days))) if days else None


def due_of(plan: CountyPlan, last: StepTaken | None) -> date | None:
    """Return until when the plan should leave its state: its own limit, or the round's day."""
    if last is not None and last.due_on is not None:
        return last.due_on
    if plan.state in AFTER_APPROVAL:
        return plan.round.finish_due_on
    return plan.round.compile_due_on if plan.state in WITH_COUNTY and plan.edition == 1 else None


def light_of(due: date | None, today: date) -> str:
    """Return late, soon or ample; "" without a day. Late is a light, it stops nothing."""
    if due is None:
        return ""
    if today > due:
        return "late"
    return "soon" if due - today <= timedelta(days=DAYS_OF_WARNING) else "ample"
