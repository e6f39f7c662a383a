"""Tell each person which reports, problems and orders wait for them, since and until when."""

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone

from supervision.dispatch_models import DispatchOrder, OrderState
from supervision.inspection_models import Problem
from supervision.inspection_steps import ProblemState
from supervision.models import Bulletin, MonthlyReport, month_name
from supervision.permissions import may_issue
from taskforce import permissions

State = MonthlyReport.State
MOST_LINES = 20


def waiting_for(user: Any) -> list[dict[str, Any]]:
    """Return the desk's lines about reports, bulletins, problems and orders for this user.

    Each is {label, detail, url, since (moment or None), due (day or None), late}.
    """
    return [
        *_own_reports(user),
        *_missing_reports(user),
        *_drafts(user),
        *_problems(user),
        *_orders(user),
    ]


def _own_reports(user: Any) -> list[dict[str, Any]]:
    """Return what the county's people have to fill or to sign."""
    drafting = permissions.counties_where(user, "draft_report").values("pk")
    signing = permissions.counties_where(user, "sign_report").values("pk")
    reports = MonthlyReport.objects.exclude(state=State.SUBMITTED).select_related("county")
    lines = []
    if permissions.can_anywhere(user, "draft_report"):
        wanted = reports.filter(county__in=drafting).order_by("month", "version")
        lines += [_line(report, _to_fill(report)) for report in wanted]
    if permissions.can_anywhere(user, "sign_report"):
        filled = reports.filter(county__in=signing, filled_by__isnull=False)
        lines += [_line(report, "签发报送") for report in filled.order_by("month", "version")]
    return lines


def _to_fill(report: MonthlyReport) -> str:
    if report.state == State.RETURNED:
        return "按退回意见修改"
    if report.version > 1:
        return "填写更正版"
    return "等分管领导签发" if report.filled_by_id else "核对并填写"


def _line(report: MonthlyReport, what: str) -> dict[str, Any]:
    return {
        "label": f"{report.county.name}{month_name(report.month)}月报：{what}",
        "detail": report.return_note or report.get_state_display(),
        "url": reverse("report", args=[report.pk]),
        "since": _moment(report.month),
        "due": report.due_on,
        "late": report.is_late,
    }


def _missing_reports(user: Any) -> list[dict[str, Any]]:
    """Return one line for each month that reports are overdue for, to those who review them."""
    if not permissions.can_anywhere(user, "review_report"):
        return []
    counties = permissions.counties_where(user, "review_report").values("pk")
    overdue = (
        MonthlyReport.objects.filter(
            county__in=counties,
            version=1,
            first_submitted_at__isnull=True,
            due_on__lt=timezone.localdate(),
        )
        .select_related("county")
        .order_by("month", "county__order")
    )
    by_month: dict[Any, list[MonthlyReport]] = {}
    for report in overdue:
        by_month.setdefault(report.month, []).append(report)
    return [
        {
            "label": f"{month_name(month)}月报：{len(late)} 个县（市、区）逾期未报",
            "detail": "、".join(report.county.name for report in late),
            "url": f"{reverse('report-list')}?year={month.year}",
            "since": _moment(late[0].due_on),
            "due": late[0].due_on,
            "late": True,
        }
        for month, late in by_month.items()
    ]


def _drafts(user: Any) -> list[dict[str, Any]]:
    if not may_issue(user):
        return []
    return [
        {
            "label": f"{bulletin.period}通报：核稿并印发",
            "detail": bulletin.get_state_display(),
            "url": reverse("bulletin", args=[bulletin.pk]),
            "since": bulletin.drafted_at,
            "due": None,
            "late": False,
        }
        for bulletin in Bulletin.objects.filter(state=Bulletin.State.DRAFT).order_by("drafted_at")
    ]


def _problems(user: Any) -> list[dict[str, Any]]:
    """Return what a county has to mend, or what its inspectors have to look at again."""
    lines, today = [], timezone.localdate()
    whose = (
        ("draft_report", ("open", "rejected", "escalated"), "整改"),
        ("inspect", (ProblemState.ANSWERED.value,), "复查"),
    )
    for right, states, what in whose:
        if not permissions.can_anywhere(user, right):
            continue
        problems = Problem.objects.filter(
            inspection__county__in=permissions.counties_where(user, right).values("pk"),
            state__in=states,
        ).select_related("inspection__county")
        lines += [
            {
                "label": f"{problem.inspection.county.name}督导问题：{what}",
                "detail": problem.text[:60],
                "url": reverse("problem", args=[problem.pk]),
                "since": _moment(problem.inspection.visited_on),
                "due": problem.due_on,
                "late": problem.is_overdue(today),
            }
            for problem in problems.order_by("due_on", "pk")[:MOST_LINES]
        ]
    return lines


def _orders(user: Any) -> list[dict[str, Any]]:
    """Return the orders that this person's unit has to sign for or to answer."""
    today = timezone.localdate()
    orders = DispatchOrder.objects.for_unit_of(user).filter(
        state__in=(OrderState.SENT, OrderState.RECEIVED)
    )
    return [
        {
            "label": f"督办：{order.dispatch.title}"
            f"（{'签收' if order.state == OrderState.SENT else '反馈'}）",
            "detail": order.get_state_display(),
            "url": reverse("dispatch-order", args=[order.pk]),
            "since": order.dispatch.issued_at,
            "due": order.dispatch.due_on,
            "late": order.dispatch.due_on < today,
        }
        for order in orders.select_related("dispatch").order_by("dispatch__due_on", "pk")
    ]


def _moment(day: Any) -> datetime:
    return timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001
