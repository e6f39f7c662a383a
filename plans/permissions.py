"""Say who may do what to a plan; the sentence is the same on the button and on the refusal."""

from typing import Any

from plans.models import CountyPlan
from plans.workflow import Step, accepts_upload, steps_from
from taskforce import permissions
from taskforce.models import OrganizationKind

WHO = {
    "confirm_plan": "只有本县（市、区）分管领导可以审定并报送方案。",
    "review_plan": "只有专班办公室可以审查方案。",
    "approve_plan": "只有专班办公室可以登记批准文件。",
    "publish_plan": "只有专班办公室可以公示方案。",
    "draft_plan": "只有本县（市、区）的填报员和审核人可以编制方案。",
    "give_opinion": "只有成员单位可以会签方案。",
}


def check_right(user: Any, right: str, plan: CountyPlan) -> None:
    """Raise NotAllowed unless this user holds the right on the plan's county."""
    permissions.check(user, right, plan.county_id, WHO[right])


def offered_steps(user: Any, plan: CountyPlan) -> list[Step]:
    """Return the steps that lead on from here and are this user's to take."""
    return [
        step for step in steps_from(plan.state) if permissions.can(user, step.right, plan.county_id)
    ]


def can_upload(user: Any, plan: CountyPlan) -> bool:
    """Tell whether this user may upload a version now."""
    return accepts_upload(plan.state) and permissions.can(user, "draft_plan", plan.county_id)


def can_give_opinion(user: Any, plan: CountyPlan) -> bool:
    """Tell whether this user answers for a member unit (会签)."""
    unit = getattr(user, "organization", None)
    return (
        unit is not None
        and unit.kind == OrganizationKind.MEMBER_UNIT
        and permissions.can(user, "give_opinion", plan.county_id)
    )
