"""Gather what the plan's page shows of the formal review, the units' answers and the documents."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from plans import permissions
from plans.formal_review import formal_items
from plans.forms import ApprovalForm, DocumentForm, OpinionForm, PassOverForm
from plans.limits import light_of
from plans.models import CountyPlan, FormalReview, OfficialDocument, Opinion, PlanVersion
from plans.workflow import State
from standards.terms import Presence
from taskforce.models import Organization, OrganizationKind

TONES = {Opinion.Stance.AGREE: "done", Opinion.Stance.DISAGREE: "stopped"}


def formal_part(
    request: HttpRequest, version: PlanVersion, typed: Mapping[str, Mapping[str, str]] | None = None
) -> dict[str, Any]:
    """Return the check-list with its conclusions; `typed` is shown in their place.

    After the formal review the last check-list stays in sight, whatever is uploaded later.
    """
    reviews = FormalReview.objects.filter(version__plan=version.plan_id)
    if version.plan.state == State.FORMAL_REVIEW:
        reviews = reviews.filter(version=version)
    review = reviews.select_related("by", "version").order_by("-version__number").first()
    kept = typed if typed is not None else review.items if review else {}
    plan = version.plan
    return {
        "review": review,
        "items": [
            {
                "rule": rule,
                "presence": kept.get(rule.code, {}).get("presence", ""),
                "note": kept.get(rule.code, {}).get("note", ""),
            }
            for rule in formal_items()
        ],
        "presences": list(Presence),
        "may_review": plan.state == State.FORMAL_REVIEW
        and permissions.has_right(request.user, "review_plan", plan),
    }


def opinions_part(request: HttpRequest, version: PlanVersion) -> dict[str, Any]:
    """Set each member unit beside its answer on the version that was last sent to them."""
    plan = version.plan
    opened = next(
        (step for step in reversed(plan.steps.all()) if step.to_state == State.CO_SIGNING), None
    )
    asked = opened.version if opened and opened.version else version
    given = {row.unit_id: row for row in asked.opinions.select_related("by")}
    passed = {row.unit_id: row for row in asked.passed_over.select_related("by")}
    due = opened.due_on if opened else None
    today = timezone.localdate()
    may_pass = plan.state == State.CO_SIGNING and permissions.has_right(
        request.user, "endorse_plan", plan
    )
    return {
        "answers": [
            _answer(unit, given.get(unit.pk), passed.get(unit.pk), due, today, may_pass)
            for unit in Organization.objects.filter(kind=OrganizationKind.MEMBER_UNIT)
        ],
        "due": due,
        "asked": asked,
        "pass_over_url": reverse("plan-pass-over", args=[plan.pk]),
    }


def _answer(
    unit: Organization,
    opinion: Opinion | None,
    passed: Any,
    due: date | None,
    today: date,
    may_pass: bool,
) -> dict[str, Any]:
    late = opinion is None and passed is None and light_of(due, today) == "late"
    return {
        "unit": unit,
        "opinion": opinion,
        "passed": passed,
        "late": late,
        "tone": TONES.get(Opinion.Stance(opinion.stance), "waiting") if opinion else "neutral",
        "form": PassOverForm(initial={"unit": unit.pk}, auto_id=f"id_{unit.pk}_%s")
        if late and may_pass
        else None,
    }


def opinion_form(
    request: HttpRequest, plan: CountyPlan, version: PlanVersion | None
) -> OpinionForm | None:
    """Return the form for the answer of this person's unit, while it is still wanted."""
    if plan.state != State.CO_SIGNING or version is None:
        return None
    if not permissions.can_give_opinion(request.user, plan):
        return None
    answered = version.opinions.filter(unit__user=request.user.pk).exists()
    return None if answered else OpinionForm()


def documents_part(plan: CountyPlan) -> list[dict[str, Any]]:
    """Return the official documents of a plan in their order, with the address of each scan."""
    approval: Any = getattr(plan, "approval", None)
    rows: list[Any] = [approval] if approval else []
    rows += list(plan.documents.all())
    return [
        {
            "label": "市政府批准" if row is approval else row.get_kind_display(),
            "organ": row.organ,
            "number": row.document_number,
            "day": row.approved_on if row is approval else row.dated_on,
            "url": reverse("plan-scan", args=[plan.pk, "approval" if row is approval else row.kind])
            if row.scan
            else "",
        }
        for row in rows
    ]


def document_offer(plan: CountyPlan, step_code: str) -> dict[str, Any]:
    """Return form, heading and address for recording the document that a step rests on."""
    initial = {"seen_state": plan.state}
    if step_code == "approve":
        return {"form": ApprovalForm(initial=initial), "label": "登记市政府批准",
                "url": reverse("plan-approve", args=[plan.pk])}  # fmt: skip
    filed = any(row.kind == OfficialDocument.Kind.FILING for row in plan.documents.all())
    kind = OfficialDocument.Kind.REPLY if filed else OfficialDocument.Kind.FILING
    return {
        "form": DocumentForm(initial=initial),
        "label": "登记批复" if filed else "登记省级报批",
        "url": reverse("plan-document", args=[plan.pk, kind.value]),
    }
