"""Say who may do what: rights are granted to role groups on counties, and asked only here."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import Q, QuerySet, TextField, Value
from django.db.models.functions import Cast

from shuozhou_mines.errors import NotAllowed
from taskforce.models import County, CountyGroupObjectPermission, CountyUserObjectPermission
from taskforce.roles import Role


@dataclass(frozen=True, slots=True)
class Rights:
    """Hold all that one person may do: rights by county code, city-wide rights, role groups."""

    on_county: dict[str, frozenset[str]]
    city_wide: frozenset[str]
    groups: tuple[str, ...]


NO_RIGHTS = Rights({}, frozenset(), ())


def rights_of(user: Any) -> Rights:
    """Return all rights of a user, read in one query and kept on the user for the request."""
    if not user.is_authenticated or not user.is_active:
        return NO_RIGHTS
    known: Rights | None = getattr(user, "_rights", None)
    if known is None:
        known = user._rights = _read_rights(user)
    return known


def _read_rights(user: Any) -> Rights:
    on_county: dict[str, set[str]] = {}
    city_wide: set[str] = set()
    groups: list[str] = []
    for place, name in _held_groups(user).union(
        _held_on_counties(CountyGroupObjectPermission.objects.filter(group__user=user)),
        _held_on_counties(CountyUserObjectPermission.objects.filter(user=user)),
        _held_city_wide(user),
        all=True,
    ):
        if place == GROUP:
            groups.append(name)
        elif place == CITY:
            city_wide.add(name)
        else:
            on_county.setdefault(place, set()).add(name)
    return Rights(
        {code: frozenset(names) for code, names in on_county.items()},
        frozenset(city_wide),
        tuple(sorted(groups)),
    )


# What stands where the rows of a county's rights have its code.
GROUP, CITY = "group", "city"


def _held_groups(user: Any) -> Any:
    return Group.objects.filter(user=user).order_by().values_list(_word(GROUP), "name")


def _held_on_counties(rows: QuerySet[Any]) -> Any:
    return rows.values_list(Cast("content_object_id", TextField()), "permission__codename")


def _held_city_wide(user: Any) -> Any:
    held = Permission.objects.filter(content_type__app_label="taskforce").order_by()
    if not user.is_superuser:
        held = held.filter(Q(group__user=user) | Q(user=user))
    return held.values_list(_word(CITY), "codename")


def _word(text: str) -> Any:
    return Value(text, output_field=TextField())


def counties_where(user: Any, right: str) -> QuerySet[County]:
    """Return the counties on which this user holds the right; none for a stranger."""
    return County.objects.filter(pk__in=codes_where(user, right))


def codes_where(user: Any, right: str) -> list[str]:
    """Return the codes of the counties on which this user holds the right."""
    return sorted(code for code, held in rights_of(user).on_county.items() if right in held)


def rights_on(user: Any, county_code: str) -> frozenset[str]:
    """Return the codenames this user holds on one county."""
    return rights_of(user).on_county.get(county_code, frozenset())


def can(user: Any, right: str, county_code: str) -> bool:
    """Tell whether this user holds the right on this county."""
    return right in rights_on(user, county_code)


def can_anywhere(user: Any, right: str) -> bool:
    """Tell whether this user holds the right on at least one county."""
    return any(right in held for held in rights_of(user).on_county.values())


def check(user: Any, right: str, county_code: str, sentence: str) -> None:
    """Raise NotAllowed with the sentence unless this user holds the right on this county."""
    if not can(user, right, county_code):
        raise NotAllowed(sentence)


def can_city(user: Any, right: str) -> bool:
    """Tell whether this user holds a city-wide right such as `issue_bulletin`."""
    return right in rights_of(user).city_wide


def check_city(user: Any, right: str, sentence: str) -> None:
    """Raise NotAllowed with the sentence unless this user holds the city-wide right."""
    if not can_city(user, right):
        raise NotAllowed(sentence)


def roles_of(user: Any) -> list[tuple[Role, str | None]]:
    """Return the user's roles with the county code each is held for; None means the whole city."""
    found = []
    for name in rights_of(user).groups:
        code, _, place = name.partition(":")
        found.append((Role(code), None if place == "city" else place))
    return found
