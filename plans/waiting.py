"""Tell each person which plans wait for them, since when and until when."""

from typing import Any

from django.db.models import Exists, Max, OuterRef, Prefetch, Q, Subquery
from django.urls import reverse
from django.utils import timezone

from plans import permissions
from plans.limits import due_of, light_of
from plans.models import CountyPlan, Opinion, Panel, PanelMember, PlanVersion, StepTaken
from plans.ruling_requests import waiting_requests
from plans.workflow import State
from taskforce.models import Organization, OrganizationKind

RESTING = (State.ISSUED, State.CLOSED, State.SUPERSEDED)


def waiting_for(user: Any) -> list[dict[str, Any]]:
    """Return the desk's lines about plans for this user, oldest first."""
    newest = PlanVersion.objects.filter(plan=OuterRef("pk")).order_by("-number")
    unit = getattr(user, "organization_id", None)
    seats = PanelMember.objects.filter(
        panel__version__plan=OuterRef("pk"), expert__user=user.pk, stepped_aside_at=None
    )
    plans = (
        CountyPlan.objects.visible_to(user)
        .exclude(state__in=RESTING)
        .select_related("county", "round")
        .prefetch_related(Prefetch("steps", StepTaken.objects.order_by("pk"), to_attr="taken"))
        .annotate(
            moved_at=Max("steps__at"),
            newest_id=Subquery(newest.values("pk")[:1]),
            newest_state=Subquery(newest.values("state")[:1]),
        )
        .annotate(
            answered=Exists(Opinion.objects.filter(version=OuterRef("newest_id"), unit=unit)),
            drawn=Exists(Panel.objects.filter(version=OuterRef("newest_id"))),
            seated=Exists(seats.filter(stance="")),
            all_answered=~Exists(
                PanelMember.objects.filter(
                    panel__version=OuterRef("newest_id"), stepped_aside_at=None, stance=""
                )
            ),
            chairs=Subquery(
                PanelMember.objects.filter(
                    panel__version=OuterRef("newest_id"), stepped_aside_at=None
                )
                .order_by("rank")
                .values("expert__user")[:1]
            ),
            unanswered=_units_without_answer(),
        )
        .order_by("opened_at")
    )
    lines = [_line(user, plan) for plan in plans]
    return [*(line for line in lines if line is not None), *waiting_requests(user)]


def _units_without_answer() -> Exists:
    """Tell whether a member unit has neither answered nor been passed over."""
    said = Organization.objects.filter(
        Q(opinion__version=OuterRef(OuterRef("newest_id")))
        | Q(passedover__version=OuterRef(OuterRef("newest_id")))
    )
    units = Organization.objects.filter(kind=OrganizationKind.MEMBER_UNIT)
    return Exists(units.exclude(pk__in=said.values("pk")))


def _line(user: Any, plan: Any) -> dict[str, Any] | None:
    last = plan.taken[-1] if plan.taken else None
    due = due_of(plan, last)
    label, part = _what_to_do(user, plan, light_of(due, timezone.localdate()))
    if not label:
        return None
    url = reverse("plan", args=[plan.pk])
    adjusted = "调整" if plan.adjusts_id else ""
    light = light_of(due, timezone.localdate())
    return {
        "label": f"{plan.county.name}{adjusted}方案：{label}",
        "detail": plan.get_state_display(),
        "url": f"{url}?part={part}" if part else url,
        "since": plan.moved_at or plan.opened_at,
        "due": due,
        "late": light == "late",
        "soon": light == "soon",
    }


def _what_to_do(user: Any, plan: Any, light: str) -> tuple[str, str]:
    """Return what this person has to do next and on which part of the page; "" for nothing."""
    with_county = _in_the_county(user, plan)
    if with_county:
        return with_county
    if plan.state == State.CO_SIGNING:
        return _in_co_signing(user, plan, light)
    if plan.state == State.EXPERT_REVIEW:
        return _in_expert_review(user, plan)
    primary = [step for step in permissions.offered_steps(user, plan) if step.primary]
    if not primary or plan.newest_state != PlanVersion.State.READ:
        return "", ""
    if plan.state == State.FORMAL_REVIEW:
        return "形式审查", "formal"
    if plan.state == State.PROVINCE:
        return "登记省级报批和批复", ""
    return primary[0].label, ""


def _in_the_county(user: Any, plan: Any) -> tuple[str, str] | None:
    if not permissions.can_upload(user, plan):
        return None
    if plan.state == State.REVISING:
        return "按评审意见修改，填写修改说明", "panel"
    if plan.state == State.RETURNED:
        return "按退回意见修改后重新上传", ""
    return "编制并上传方案", ""


def _in_co_signing(user: Any, plan: Any, light: str) -> tuple[str, str]:
    if permissions.can_give_opinion(user, plan):
        return ("", "") if plan.answered else ("会签", "opinions")
    if permissions.has_right(user, "review_plan", plan):
        return ("催办会签", "opinions") if plan.unanswered else ("转专家评审", "")
    if light == "late" and plan.unanswered and permissions.has_right(user, "endorse_plan", plan):
        return "批示逾期未会签的单位", "opinions"
    return "", ""


def _in_expert_review(user: Any, plan: Any) -> tuple[str, str]:
    if permissions.has_right(user, "review_plan", plan):
        return ("", "") if plan.drawn else ("抽取评审专家", "panel")
    if plan.seated:
        return "评审", "panel"
    if plan.chairs == user.pk and plan.all_answered:
        return "提交评审结论", "panel"
    return "", ""
