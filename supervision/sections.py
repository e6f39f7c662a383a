"""Lay the parts of 督导 side by side as tabs; each person sees those that are theirs."""

from typing import Any

from django.db.models import Q
from django.http import Http404
from django.urls import reverse

from taskforce import permissions
from taskforce.models import County

SECTIONS = (
    ("督导验收", "inspection-list"),
    ("问题", "problem-list"),
    ("验收结论", "acceptance-list"),
    ("计划任务", "task-board"),
    ("调度督办", "dispatch-list"),
)


def may_follow(user: Any) -> bool:
    """Tell whether this user inspects, or reads what is reported, in at least one county."""
    return permissions.can_anywhere(user, "inspect") or permissions.can_anywhere(
        user, "see_reports"
    )


def check_follows(user: Any) -> None:
    """Raise Http404 for those whom supervision does not concern."""
    if not may_follow(user):
        raise Http404


def section_tabs(active: str) -> list[dict[str, Any]]:
    """Return the tabs with the one of this page marked."""
    return [
        {"label": label, "url": reverse(name), "active": name == active, "count": None}
        for label, name in SECTIONS
    ]


def counties_to_follow(user: Any) -> list[County]:
    """Return the counties that this user inspects or whose reports they read, in their order."""
    return list(
        County.objects.filter(
            Q(pk__in=permissions.counties_where(user, "inspect").values("pk"))
            | Q(pk__in=permissions.counties_where(user, "see_reports").values("pk"))
        )
    )
