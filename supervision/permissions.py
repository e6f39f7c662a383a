"""Say who may see and who may issue bulletins; reports ask the rights on their county."""

from typing import Any

from taskforce import permissions


def may_read_desk(user: Any) -> bool:
    """Tell whether this user sees drafts: whoever looks after the whole city."""
    return permissions.can_city(user, "see_city") or permissions.can_city(user, "issue_bulletin")


def may_issue(user: Any) -> bool:
    """Tell whether this user drafts and issues bulletins."""
    return permissions.can_city(user, "issue_bulletin")


def may_approve(user: Any) -> bool:
    """Tell whether this user approves bulletins in person: the city's leaders."""
    return permissions.can_city(user, "approve_bulletin")


def check_issue(user: Any) -> None:
    """Raise NotAllowed unless this user drafts and issues bulletins."""
    permissions.check_city(user, "issue_bulletin", "只有专班办公室可以拟写和印发季通报。")
