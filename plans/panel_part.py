"""Gather what the plan's page shows of the review by experts, and which forms this person gets."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from plans import permissions
from plans.expert_forms import (
    AsideForm,
    ConcludeForm,
    DrawForm,
    RemarkForm,
    RevisionForm,
    StanceForm,
)
from plans.models import CountyPlan, Expert, ExpertRemark, Panel, PanelMember, PlanVersion
from plans.workflow import State
from rulebook.current import current_rulebook

FORMS = ("remark", "stance", "aside", "conclude")


def panel_of(plan: CountyPlan, version: PlanVersion) -> Panel | None:
    """Return the panel of the version, or the newest one of the plan before it was revised."""
    panels = Panel.objects.filter(version__plan=plan, version__number__lte=version.number)
    return panels.select_related("version", "drawn_by").order_by("-version__number").first()


def panel_part(request: HttpRequest, plan: CountyPlan, version: PlanVersion) -> dict[str, Any]:
    """Return draw, members, remarks, verdict and revisions, with this person's forms."""
    panel = panel_of(plan, version)
    reviewing = plan.state == State.EXPERT_REVIEW
    if panel is not None and reviewing and panel.version_id != version.pk:
        panel = None
    office = permissions.has_right(request.user, "review_plan", plan)
    seat = permissions.seat_of(request.user, plan) if reviewing else None
    context: dict[str, Any] = {
        "panel": panel,
        "draw_form": _draw_form() if office and reviewing and panel is None else None,
        "reviewing": reviewing,
        "members": [],
        "remarks": [],
        "revisions": [],
        "chair": None,
        "order": [],
        "set_aside": [],
        "seat": seat,
        "forms": dict.fromkeys(FORMS),
        # What experts say is theirs and the office's until the panel has concluded.
        "is_open": panel is not None and (office or seat is not None or bool(panel.verdict)),
    }
    if panel is None or not context["is_open"]:
        return context
    members = list(panel.members.select_related("expert__user"))
    sitting = [member for member in members if member.stepped_aside_at is None]
    names = {expert.pk: str(expert) for expert in Expert.objects.select_related("user")}
    return context | {
        "members": members,
        "chair": sitting[0] if sitting else None,
        "order": [names.get(number, str(number)) for number in panel.order],
        "set_aside": [
            {"name": names.get(row["expert"], ""), "why": row["why"]} for row in panel.set_aside
        ],
        "remarks": list(
            ExpertRemark.objects.filter(member__panel=panel)
            .select_related("member__expert__user", "mine", "area")
            .order_by("member__rank", "pk")
        ),
        "forms": dict.fromkeys(FORMS) | _forms_of_seat(seat, sitting, version, plan),
        "revisions": _revisions(request, panel, plan),
    }


def _draw_form() -> DrawForm:
    size = current_rulebook().in_force(timezone.localdate()).find("review.experts")
    return DrawForm(
        initial={
            "size": int(str(size.usable)) if size and size.usable else None,
            "held_on": timezone.localdate(),
        }
    )


def _forms_of_seat(
    seat: PanelMember | None, sitting: list[PanelMember], version: PlanVersion, plan: CountyPlan
) -> dict[str, Any]:
    if seat is None:
        return {}
    if not seat.stance:
        return {
            "remark": RemarkForm(version, auto_id="remark_%s"),
            "stance": StanceForm(auto_id="stance_%s"),
            "aside": AsideForm(auto_id="aside_%s"),
        }
    is_chair = sitting[0].pk == seat.pk
    if is_chair and all(member.stance for member in sitting):
        return {"conclude": ConcludeForm(initial={"seen_state": plan.state})}
    return {}


def _revisions(request: HttpRequest, panel: Panel, plan: CountyPlan) -> list[dict[str, Any]]:
    may_answer = plan.state == State.REVISING and permissions.has_right(
        request.user, "draft_plan", plan
    )
    return [
        {
            "item": item,
            "form": RevisionForm(
                initial={"answer": item.answer, "on_page": item.page}, auto_id=f"id_{item.pk}_%s"
            )
            if may_answer
            else None,
        }
        for item in panel.revisions.select_related("answered_by")
    ]
