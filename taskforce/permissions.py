"""Say who may do what: rights are granted to role groups on counties, and asked only here."""

from typing import Any

from django.contrib.auth.models import Group
from django.db.models import QuerySet
from guardian.shortcuts import get_objects_for_user

from shuozhou_mines.errors import NotAllowed
from taskforce.models import County, CountyGroupObjectPermission
from taskforce.roles import Role


def counties_where(user: Any, right: str) -> QuerySet[County]:
    """Return the counties on which this user holds the right; none for a stranger."""
    if not user.is_authenticated or not user.is_active:
        return County.objects.none()
    found: QuerySet[County] = get_objects_for_user(
        user, f"taskforce.{right}", klass=County, with_superuser=False, accept_global_perms=False
    )
    return found


def rights_on(user: Any, county_code: str) -> frozenset[str]:
    """Return the codenames this user holds on one county; kept on the user for the request."""
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    return _rights_by_county(user).get(county_code, frozenset())


def _rights_by_county(user: Any) -> dict[str, frozenset[str]]:
    """Read all county rights of a user in one query and remember them on the user object."""
    known: dict[str, frozenset[str]] | None = getattr(user, "_rights_by_county", None)
    if known is None:
        found: dict[str, set[str]] = {}
        rows = CountyGroupObjectPermission.objects.filter(group__user=user).values_list(
            "content_object_id", "permission__codename"
        )
        for county_code, codename in rows:
            found.setdefault(county_code, set()).add(codename)
        known = {code: frozenset(names) for code, names in found.items()}
        user._rights_by_county = known
    return known


def can(user: Any, right: str, county_code: str) -> bool:
    """Tell whether this user holds the right on this county."""
    return right in rights_on(user, county_code)


def can_anywhere(user: Any, right: str) -> bool:
    """Tell whether this user holds the right on at least one county."""
    if not user.is_authenticated or not user.is_active:
        return False
    return any(right in rights for rights in _rights_by_county(user).values())


def check(user: Any, right: str, county_code: str, sentence: str) -> None:
    """Raise NotAllowed with the sentence unless this user holds the right on this county."""
    if not can(user, right, county_code):
        raise NotAllowed(sentence)


def can_city(user: Any, right: str) -> bool:
    """Tell whether this user holds a city-wide right such as `issue_bulletin`."""
    return bool(user.is_authenticated and user.is_active and user.has_perm(f"taskforce.{right}"))


def check_city(user: Any, right: str, sentence: str) -> None:
    """Raise NotAllowed with the sentence unless this user holds the city-wide right."""
    if not can_city(user, right):
        raise NotAllowed(sentence)


def roles_of(user: Any) -> list[tuple[Role, str | None]]:
    """Return the user's roles with the county code each is held for; None means the whole city."""
    found = []
    for name in Group.objects.filter(user=user).order_by("name").values_list("name", flat=True):
        code, _, place = name.partition(":")
        found.append((Role(code), None if place == "city" else place))
    return found
