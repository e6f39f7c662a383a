"""Tell each person which plans wait for them, since when and until when."""

from typing import Any

from django.db.models import Exists, Max, OuterRef, Subquery
from django.urls import reverse
from django.utils import timezone

from plans import permissions
from plans.models import CountyPlan, Opinion, PlanVersion
from plans.ruling_requests import waiting_requests
from plans.workflow import State


def waiting_for(user: Any) -> list[dict[str, Any]]:
    """Return the desk's lines about plans for this user, oldest first."""
    newest = PlanVersion.objects.filter(plan=OuterRef("pk")).order_by("-number")
    unit = getattr(user, "organization_id", None)
    plans = (
        CountyPlan.objects.visible_to(user)
        .exclude(state=State.PUBLISHED)
        .select_related("county", "round")
        .annotate(
            moved_at=Max("steps__at"),
            newest_id=Subquery(newest.values("pk")[:1]),
            newest_state=Subquery(newest.values("state")[:1]),
        )
        .annotate(answered=Exists(Opinion.objects.filter(version=OuterRef("newest_id"), unit=unit)))
        .order_by("opened_at")
    )
    lines = [_line(user, plan) for plan in plans]
    return [*(line for line in lines if line is not None), *waiting_requests(user)]


def _line(user: Any, plan: CountyPlan) -> dict[str, Any] | None:
    label = _what_to_do(user, plan)
    if not label:
        return None
    due = plan.round.compile_due_on
    return {
        "label": f"{plan.county.name}方案：{label}",
        "detail": plan.get_state_display(),
        "url": reverse("plan", args=[plan.pk]),
        "since": plan.moved_at or plan.opened_at,  # type: ignore[attr-defined]
        "due": due,
        "late": timezone.localdate() > due,
    }


def _what_to_do(user: Any, plan: CountyPlan) -> str:
    if plan.state == State.RETURNED and permissions.can_upload(user, plan):
        return "按退回意见修改后重新上传"
    if permissions.can_upload(user, plan):
        return "编制并上传方案"
    if plan.state == State.CO_SIGNING and permissions.can_give_opinion(user, plan):
        return "" if plan.answered else "会签"  # type: ignore[attr-defined]
    primary = [step for step in permissions.offered_steps(user, plan) if step.primary]
    if not primary or plan.newest_state != PlanVersion.State.READ:  # type: ignore[attr-defined]
        return ""
    return primary[0].label
