"""Say who keeps the rulebook: the office proposes, and a second person of it approves."""

from typing import Any

from rulebook.models import RulebookVersion
from taskforce.permissions import can_city, check_city

RIGHT = "manage_rulebook"


def may_keep(user: Any) -> bool:
    """Tell whether this person may read drafts, edit them and approve those of others."""
    return can_city(user, RIGHT)


def check_may_keep(user: Any) -> None:
    """Raise NotAllowed unless this person keeps the rulebook."""
    check_city(user, RIGHT, "只有专班办公室可以维护标准库。需要修改时请向专班办公室提出。")


def why_not_approve(user: Any, version: RulebookVersion) -> str:
    """Return why this person may not approve the draft; "" when they may."""
    if not may_keep(user):
        return "只有专班办公室可以批准标准库。"
    if version.drafted_by_id == user.pk:
        return "这份草案由你起草，须由另一位同志批准。"
    mine = version.entries.filter(entered_by=user.pk, entered_at__gte=version.drafted_at)
    if mine.exists():
        return "你修改过这份草案的条目，须由没有参与修改的另一位同志批准。"
    return ""
