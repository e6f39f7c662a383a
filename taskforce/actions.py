"""Change who may do what: give and take roles."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from guardian.shortcuts import assign_perm, get_perms, remove_perm

from taskforce.models import County, User
from taskforce.roles import ADMINISTRATORS, RIGHTS, Role
from taskforce.trail import record


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
def grant_role(*, to: User, role: Role, county: County | None = None, by: Any = None) -> None:
    """Give a person a role; raise ValueError when county and role do not belong together.

    The three administrators' roles exclude each other and every business role (三员分立).
    """
    if RIGHTS[role].of_one_county is not (county is not None):
        raise ValueError(f"{role} and county {county} do not go together")
    held = {Role(name.partition(":")[0]) for name in to.groups.values_list("name", flat=True)}
    others = held - {role}
    if others and (role in ADMINISTRATORS or others & set(ADMINISTRATORS)):
        raise ValueError("an administrator's role excludes every other role")
    to.groups.add(group_of(role, county))
    record("授予角色", by=by, subject=to, county=county, role=role.value)
