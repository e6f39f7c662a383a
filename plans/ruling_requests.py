"""Let a county put a finding of its draft before the office, and the office find it."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from plans.actions import lock_plan
from plans.models import CountyPlan, Finding, Ruling, RulingRequest
from plans.rulings import RULED, is_newest
from shuozhou_mines.errors import Incomplete, NotAllowed, WrongState
from taskforce import permissions as rights
from taskforce.trail import record

ASKERS = ("draft_plan", "confirm_plan")
WHO_REQUESTS = "只有本县（市、区）的编制、审定人员可以提请核定。"


def visible_findings(user: Any) -> QuerySet[Finding]:
    """Return the findings of plans this user may see, and those put before the office."""
    requested = RulingRequest.objects.filter(
        plan=OuterRef("run__version__plan"),
        rule=OuterRef("rule"),
        subject_kind=OuterRef("subject_kind"),
        subject_key=OuterRef("subject_key"),
        plan__county__in=rights.codes_where(user, "review_plan"),
    )
    plans = CountyPlan.objects.visible_to(user)
    return Finding.objects.filter(Q(run__version__plan__in=plans) | Q(Exists(requested)))


def may_request(user: Any, plan: CountyPlan) -> bool:
    """Tell whether this user may put findings of the plan before the office now."""
    return plan.submitted_at is None and any(
        rights.can(user, right, plan.county_id) for right in ASKERS
    )


@transaction.atomic
def request_ruling(*, finding_id: int, note: str, by: Any, at: datetime) -> RulingRequest:
    """Put a finding of a draft before the office.

    Raises NotAllowed, WrongState when the plan is with the office already, the finding is no longer
    the newest or was put before it by somebody else, Incomplete without a note.
    """
    finding = Finding.objects.select_related("run__version").get(pk=finding_id)
    plan = lock_plan(finding.run.version.plan_id)
    if not any(rights.can(by, right, plan.county_id) for right in ASKERS):
        raise NotAllowed(WHO_REQUESTS)
    if plan.submitted_at is not None:
        raise WrongState(
            f"方案现在是“{plan.get_state_display()}”，专班办公室已能看到全部检查结果，不用再提请。"
        )
    if not is_newest(finding.run):
        raise WrongState("这一条已经有新的检查结果。请刷新页面，对最新的检查结果提请核定。")
    if finding.verdict not in RULED:
        raise Incomplete("只有不符合、待研判、缺数据的检查结果才需要核定。")
    if not note.strip():
        raise Incomplete("请写明情况和希望怎样核定，专班办公室才能办理。")
    earlier = requests_about(finding).select_related("by").first()
    if earlier is not None and earlier.finding_id == finding.pk:
        moment = f"{timezone.localtime(earlier.at):%Y-%m-%d %H:%M}"
        raise WrongState(f"{earlier.by.name}已在 {moment} 就这一条提请核定，请等专班办公室认定。")
    request = RulingRequest.objects.create(
        plan=plan, finding=finding, rule=finding.rule, subject_kind=finding.subject_kind,
        subject_key=finding.subject_key, note=note.strip(), by=by, at=at,
    )  # fmt: skip
    record(
        "提请核定", by=by, subject=plan, county=plan.county, rule=finding.rule,
        subject_key=finding.subject_key, request=request.pk,
    )  # fmt: skip
    return request


def requests_about(finding: Finding) -> QuerySet[RulingRequest]:
    """Return the requests on a finding's rule and subject, newest first."""
    return RulingRequest.objects.filter(
        plan=finding.run.version.plan_id,
        rule=finding.rule,
        subject_kind=finding.subject_kind,
        subject_key=finding.subject_key,
    )


def open_requests(user: Any) -> QuerySet[RulingRequest]:
    """Return the requests that wait for this user's office: nobody has ruled since."""
    ruled = Ruling.objects.filter(
        plan=OuterRef("plan"),
        rule=OuterRef("rule"),
        subject_kind=OuterRef("subject_kind"),
        subject_key=OuterRef("subject_key"),
        at__gte=OuterRef("at"),
    )
    return (
        RulingRequest.objects.filter(plan__county__in=rights.codes_where(user, "review_plan"))
        .filter(~Exists(ruled))
        .select_related("plan__county", "finding", "by")
        .order_by("pk")
    )


def waiting_requests(user: Any) -> list[dict[str, Any]]:
    """Return the desk's lines about requests to rule, the oldest first."""
    return [
        {
            "label": f"{row.plan.county.name}提请核定：{row.rule} {row.finding.subject_name}",
            "detail": row.finding.get_verdict_display(),
            "url": reverse("finding", args=[row.finding_id]),
            "since": row.at,
            "due": None,
            "late": False,
        }
        for row in open_requests(user)
    ]
