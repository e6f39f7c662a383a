"""State which role brings which rights; the table that grants and explanations are made from."""

from dataclasses import dataclass

from standards.terms import Term


class Role(Term):
    """Roles of the task force (domain: who does what under parts 五 and 六)."""

    COUNTY_CLERK = "county_clerk", "县级填报员"
    COUNTY_REVIEWER = "county_reviewer", "县级审核人"
    COUNTY_LEADER = "county_leader", "县级分管领导"
    OFFICE = "office", "专班办公室"
    MEMBER_UNIT = "member_unit", "成员单位"
    EXPERT = "expert", "评审专家"
    INSPECTOR = "inspector", "督导验收组"
    CITY_LEADER = "city_leader", "市领导"
    SYSTEM_ADMIN = "system_admin", "系统管理员"
    SECURITY_ADMIN = "security_admin", "安全管理员"
    AUDIT_ADMIN = "audit_admin", "审计管理员"


@dataclass(frozen=True, slots=True)
class Rights:
    """Rights of a role: codenames on counties, and city-wide ones as app_label.codename."""

    on_county: tuple[str, ...] = ()
    city_wide: tuple[str, ...] = ()
    of_one_county: bool = False


_COUNTY_READING = ("see_mines", "see_drafts", "see_plans", "see_reports")
_CITY_READING = ("see_mines", "see_plans", "see_reports")

RIGHTS: dict[Role, Rights] = {
    Role.COUNTY_CLERK: Rights(
        (*_COUNTY_READING, "edit_mines", "draft_plan", "draft_report"), of_one_county=True
    ),
    Role.COUNTY_REVIEWER: Rights(
        (*_COUNTY_READING, "edit_mines", "draft_plan", "draft_report"), of_one_county=True
    ),
    Role.COUNTY_LEADER: Rights(
        (*_COUNTY_READING, "confirm_plan", "sign_report"), of_one_county=True
    ),
    Role.OFFICE: Rights(
        (*_CITY_READING, "edit_mines", "review_plan", "approve_plan", "publish_plan",
         "review_report"),
        (
            "taskforce.keep_roster", "taskforce.issue_bulletin", "taskforce.hold_meeting",
            "taskforce.see_city", "taskforce.manage_rulebook", "taskforce.manage_layers",
        ),
    ),
    Role.MEMBER_UNIT: Rights((*_CITY_READING, "give_opinion"), ("taskforce.see_city",)),
    Role.EXPERT: Rights(),
    Role.INSPECTOR: Rights(("see_mines", "see_plans", "inspect")),
    Role.CITY_LEADER: Rights(
        (*_CITY_READING, "endorse_plan"), ("taskforce.see_city", "taskforce.approve_bulletin")
    ),
    Role.SYSTEM_ADMIN: Rights((), ("taskforce.manage_accounts",)),
    Role.SECURITY_ADMIN: Rights((), ("taskforce.manage_rights",)),
    Role.AUDIT_ADMIN: Rights((), ("taskforce.read_trail",)),
}  # fmt: skip

ADMINISTRATORS = (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN)
