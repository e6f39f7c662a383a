"""Change who may do what: give roles from a day to a day, take them back, write the table."""

from datetime import date, datetime
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from guardian.shortcuts import assign_perm, get_perms, remove_perm

from shuozhou_mines.errors import Incomplete, WrongState
from taskforce.models import Appointment, County, RoleGrant, User
from taskforce.permissions import check_city
from taskforce.roles import ADMINISTRATORS, RIGHTS, Role
from taskforce.trail import record

_APART = "三员分立：系统、安全、审计管理员只能担任这一个角色，不能兼任其他角色。请先收回其他角色。"
_ONLY_SECURITY = "只有安全管理员可以授予和收回角色。"


def group_of(role: Role, county: County | None) -> Group:
    """Return the group that holds a role for one county, or for the whole city."""
    place = county.code if county is not None else "city"
    group, _ = Group.objects.get_or_create(name=f"{role}:{place}")
    return group


@transaction.atomic
def write_rights() -> None:
    """Make every role's group hold exactly the rights of the table; repeatable."""
    counties = list(County.objects.all())
    for role, rights in RIGHTS.items():
        if rights.of_one_county:
            for county in counties:
                _hold_on_county(group_of(role, county), rights.on_county, county)
        else:
            group = group_of(role, None)
            for county in counties:
                _hold_on_county(group, rights.on_county, county)
            wanted = [name.partition(".") for name in rights.city_wide]
            group.permissions.set(
                Permission.objects.filter(
                    content_type__app_label="taskforce", codename__in=[name for *_, name in wanted]
                )
            )


def _hold_on_county(group: Group, wanted: tuple[str, ...], county: County) -> None:
    held = set(get_perms(group, county))
    for codename in set(wanted) - held:
        assign_perm(codename, group, county)
    for codename in held - set(wanted):
        remove_perm(codename, group, county)


@transaction.atomic
def grant_role(
    *,
    to: User,
    role: Role,
    county: County | None = None,
    by: Any = None,
    starts_on: date | None = None,
    ends_on: date | None = None,
    appointment: Appointment | None = None,
    reason: str = "",
    at: datetime | None = None,
) -> RoleGrant:
    """Give a person a role from today or a later day on; `by` is None for the command line.

    Raises NotAllowed, Incomplete when role, county and days do not go together, and WrongState
    for a role that is held already, or where 三员 would meet another role.
    """
    at = at or timezone.now()
    today = timezone.localdate(at)
    if by is not None:
        check_city(by, "manage_rights", _ONLY_SECURITY)
    person = User.objects.select_for_update(of=("self",), no_key=True).get(pk=to.pk)
    grant = RoleGrant(
        user=person, role=role.value, county=county, appointment=appointment, reason=reason,
        starts_on=max(starts_on or today, today), ends_on=ends_on, given_by=by, given_at=at,
    )  # fmt: skip
    _must_stand_apart(person, role)
    try:
        grant.validate_constraints()
    except ValidationError as error:
        raise Incomplete(" ".join(error.messages)) from error
    grant.save()
    record(
        "授予角色", by=by, subject=person, county=county, role=role.value,
        **_days(grant),
    )  # fmt: skip
    if grant.starts_on <= today:
        _apply(grant, at)
    return grant


def _must_stand_apart(person: User, role: Role) -> None:
    others = {Role(held) for held in person.grants.open().values_list("role", flat=True)} - {role}
    if others and (role in ADMINISTRATORS or others & set(ADMINISTRATORS)):
        raise WrongState(_APART)


def _days(grant: RoleGrant) -> dict[str, Any]:
    """Return the days for the trail; an unlimited role from today on needs none."""
    return {"until": grant.ends_on.isoformat()} if grant.ends_on else {}


def _apply(grant: RoleGrant, at: datetime) -> None:
    grant.user.groups.add(group_of(Role(grant.role), grant.county))
    grant.applied_at = at
    grant.save(update_fields=["applied_at"])


@transaction.atomic
def withdraw_role(*, grant_id: int, by: Any, reason: str, at: datetime) -> None:
    """End a role at once. Raises NotAllowed, WrongState and, for one's own role, Incomplete."""
    check_city(by, "manage_rights", _ONLY_SECURITY)
    grant = _locked(grant_id)
    if grant.ended_at is not None:
        raise WrongState("这项授权已经终止。")
    if grant.user_id == by.pk:
        raise Incomplete("不能收回自己的授权，请由另一位安全管理员办理。")
    end(grant, by=by, at=at)
    record(
        "收回角色", by=by, subject=grant.user, county=grant.county, role=grant.role, reason=reason
    )


def _locked(grant_id: int) -> RoleGrant:
    rows = RoleGrant.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("user", "county").get(pk=grant_id)


def end(grant: RoleGrant, *, by: Any, at: datetime) -> None:
    """End a grant that the caller has locked, and take the rights away with it."""
    grant.user.groups.remove(group_of(Role(grant.role), grant.county))
    grant.ended_at, grant.ended_by = at, by
    grant.save(update_fields=["ended_at", "ended_by"])


@transaction.atomic
def follow_the_days(*, at: datetime) -> int:
    """Begin and end roles whose day has come, or whose post was left; repeatable.

    Returns how many roles began or ended.
    """
    today = timezone.localdate(at)
    rows = RoleGrant.objects.open().select_for_update(of=("self",), no_key=True, skip_locked=True)
    rows = rows.select_related("user", "county").order_by("pk")
    left = Q(appointment__ends_on__lt=today) | Q(ends_on__lt=today)
    ended, begun = list(rows.filter(left)), []
    for grant in ended:
        end(grant, by=None, at=at)
        record("角色到期", by=None, subject=grant.user, county=grant.county, role=grant.role)
    for grant in rows.filter(applied_at=None, starts_on__lte=today).exclude(pk__in=[
        grant.pk for grant in ended
    ]):  # fmt: skip
        _apply(grant, at)
        begun.append(grant)
        record("角色生效", by=None, subject=grant.user, county=grant.county, role=grant.role)
    return len(ended) + len(begun)
