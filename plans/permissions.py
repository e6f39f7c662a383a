"""Say who may do what to a plan; the sentence is the same on the button and on the refusal."""

from typing import Any

from django.utils import timezone

from plans.expert_models import PanelMember, PlanGrant
from plans.models import CountyPlan
from plans.workflow import REVIEW_AS_EXPERT, Step, accepts_upload, steps_from
from shuozhou_mines.errors import NotAllowed
from taskforce import permissions
from taskforce.models import OrganizationKind

WHO = {
    "confirm_plan": "只有本县（市、区）分管领导可以审定并报送方案。",
    "review_plan": "只有专班办公室可以审查方案。",
    "endorse_plan": "只有市领导可以审签方案。",
    "approve_plan": "只有专班办公室可以登记批准文件。",
    "publish_plan": "只有专班办公室可以公示方案。",
    "draft_plan": "只有本县（市、区）的填报员和审核人可以编制方案。",
    "give_opinion": "只有成员单位可以会签方案。",
    REVIEW_AS_EXPERT: "只有这份方案的评审专家可以评审，结论由专家组组长提交。",
}

# Who may take the whole file of a plan away: those who compile, confirm, review and endorse it.
MAY_TAKE = ("draft_plan", "confirm_plan", "review_plan", "endorse_plan")


def has_right(user: Any, right: str, plan: CountyPlan) -> bool:
    """Tell whether this user holds a right on the plan: by its county, or granted on the plan."""
    if right == REVIEW_AS_EXPERT:
        return PlanGrant.objects.in_force(user, at=timezone.now()).filter(
            content_object=plan
        ).exists()  # fmt: skip
    return permissions.can(user, right, plan.county_id)


def check_right(user: Any, right: str, plan: CountyPlan) -> None:
    """Raise NotAllowed unless this user holds the right on the plan."""
    if not has_right(user, right, plan):
        raise NotAllowed(WHO[right])


def offered_steps(user: Any, plan: CountyPlan) -> list[Step]:
    """Return the steps that lead on from here and are this user's to take by a county right."""
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


def seat_of(user: Any, plan: CountyPlan) -> PanelMember | None:
    """Return the seat from which this user reviews the plan now, with its panel; else None."""
    if not user.is_authenticated or not has_right(user, REVIEW_AS_EXPERT, plan):
        return None
    seats = PanelMember.objects.filter(
        panel__version__plan=plan, expert__user=user.pk, stepped_aside_at=None
    )
    return seats.select_related("panel__version", "expert__user").order_by("-pk").first()
