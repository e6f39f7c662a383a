"""Give every page its frame: navigation by the Work Plan's parts, the reader's name, the footer."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from taskforce import permissions
from taskforce.models import Message


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the staff navigation: shown to those who hold one of the rights."""

    label: str
    url_name: str
    icon: str
    rights: tuple[str, ...] = ()
    city_rights: tuple[str, ...] = ()


STAFF_PLACES = (
    Place("工作台", "desk", "desk"),
    Place("台账", "mine-list", "ledger", ("see_mines",)),
    Place("方案", "plan-list", "plan", ("see_plans", "see_drafts")),
    Place("规划", "planner", "plan", ("see_drafts", "review_plan")),
    Place("公示", "notice-desk", "notice", ("publish_plan",)),
    Place("月报", "report-list", "report", ("see_reports", "draft_report")),
    Place("督导", "inspection-list", "inspect", ("inspect", "see_reports")),
    Place("会议", "meeting-list", "meeting", (), ("see_city", "hold_meeting")),
    Place("通报", "bulletin-desk", "bulletin", (), ("see_city", "issue_bulletin")),
    Place("专班", "roster", "team", ("see_mines",)),
    Place("检查", "registry-checks", "check", ("see_mines",)),
    Place("标准库", "rulebook", "system", (), ("manage_rulebook",)),
    Place("账号", "account-list", "team", (), ("manage_accounts", "manage_rights", "read_trail")),
    Place("日志", "trail", "system", (), ("read_trail",)),
    Place("任务", "job-list", "check"),
)

PUBLIC_PLACES = (
    ("首页", "public-home"),
    ("方案公示", "notice-list"),
    ("矿山地图", "public-map"),
    ("出让信息", "transfer-list"),
    ("季通报", "bulletin-list"),
    ("标准与依据", "standards"),
    ("专班", "public-roster"),
    ("数据开放", "open-data"),
)


def portal(request: HttpRequest) -> dict[str, Any]:
    """Return `portal` for the templates; error pages may come without a user."""
    user = getattr(request, "user", None)
    context: dict[str, Any] = {
        "demo": settings.DEMO,
        "footer": settings.SITE_FOOTER,
        "public_nav": [
            {"label": label, "url": url, "active": _is_active(request, url)}
            for label, name in PUBLIC_PLACES
            if (url := _url(name))
        ],
        "home_url": _url("public-home") or "/",
        "sign_in_url": _url("sign-in"),
        "desk_url": "",
        "nav": [],
        "county_switch": [],
        "user_name": "",
        "role_names": [],
        "unread": 0,
        "notices_url": "",
        "search_url": "",
        "account_url": "",
        "map_approval": settings.SITE_FOOTER["map_approval"],
    }
    if user is not None and user.is_authenticated:
        context.update(_staff_frame(request, user))
    return {"portal": context}


def _staff_frame(request: HttpRequest, user: Any) -> dict[str, Any]:
    nav = [
        {
            "label": place.label,
            "url": url,
            "icon": place.icon,
            "active": _is_active(request, url),
            "badge": "",
        }
        for place in STAFF_PLACES
        if _may_see(user, place) and (url := _url(place.url_name))
    ]
    return {
        "nav": nav,
        "home_url": _url("desk") or "/",
        "desk_url": _url("desk"),
        "user_name": user.name or user.username,
        "account_url": _url("my-account"),
        "role_names": role_names(user),
        "unread": Message.objects.unread(user).count(),
        "notices_url": _url("messages"),
        "search_url": (_url("mine-list") if permissions.can_anywhere(user, "see_mines") else ""),
    }


def role_names(user: Any) -> list[str]:
    """Return the user's roles in words, with the place each is held for; kept for the request."""
    names: list[str] | None = getattr(user, "_role_names", None)
    if names is None:
        names = [f"{role.label}" for role, _ in permissions.roles_of(user)]
        if user.organization_id:
            names.append(user.organization.short_name)
        user._role_names = names
    return names


def _may_see(user: Any, place: Place) -> bool:
    if not place.rights and not place.city_rights:
        return True
    return any(permissions.can_anywhere(user, right) for right in place.rights) or any(
        permissions.can_city(user, right) for right in place.city_rights
    )


def _url(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _is_active(request: HttpRequest, url: str) -> bool:
    """Tell whether the page lies under this entry; the two roots match only themselves."""
    if url in ("/", _url("desk")):
        return request.path == url
    return request.path.startswith(url)
