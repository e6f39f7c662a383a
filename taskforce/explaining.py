"""Explain why a person can see or do something: right, place, role, who gave it, until when."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from taskforce.models import County, RoleGrant, User
from taskforce.permissions import rights_of
from taskforce.roles import RIGHTS, Role


@dataclass(frozen=True, slots=True)
class Reason:
    """Say in words where one right comes from; `grant` is None when no record explains it."""

    right: str
    place: str
    role: str
    grant: RoleGrant | None


def explain(user: User, *, on: date, county: str = "", right: str = "") -> list[Reason]:
    """Return the reason of each right that this person really holds, by place and right.

    It starts from what is held, not from what was granted: a right without a grant shows too.
    """
    held = rights_of(User.objects.get(pk=user.pk))
    grants = list(user.grants.in_force(on).select_related("county", "given_by"))
    names = dict(County.objects.values_list("code", "name"))
    words = dict(County._meta.permissions)
    found = [
        _reason(code, (names[place], place), words, grants)
        for place in names
        if not county or place == county
        for code in sorted(held.on_county.get(place, frozenset()))
        if not right or code == right
    ]
    if not county:
        city_words = dict(User._meta.permissions)
        found += [
            _reason(code, ("全市", None), city_words, grants)
            for code in sorted(held.city_wide)
            if not right or code == right
        ]
    return _together(found, len(names))


def _together(found: list[Reason], counties: int) -> list[Reason]:
    """Put the places of the same right by the same grant into one row, in their order."""
    places: dict[tuple[str, str, Any], list[str]] = {}
    for each in found:
        grant = each.grant.pk if each.grant is not None else None
        places.setdefault((each.right, each.role, grant), []).append(each.place)
    grants = {each.grant.pk: each.grant for each in found if each.grant is not None}
    return [
        Reason(right, _named(at, counties), role, grants.get(pk))
        for (right, role, pk), at in places.items()
    ]


def _named(places: list[str], counties: int) -> str:
    return "全部县（市、区）" if len(places) == counties else "、".join(places)


def _reason(
    code: str, where: tuple[str, str | None], words: dict[str, Any], grants: list[RoleGrant]
) -> Reason:
    place, county = where
    for grant in grants:
        rights = RIGHTS[Role(grant.role)]
        city_wide = {name.partition(".")[2] for name in rights.city_wide}
        if county is None and code in city_wide:
            return Reason(words[code], place, grant.get_role_display(), grant)
        if county is not None and code in rights.on_county and grant.county_id in (None, county):
            return Reason(words[code], place, grant.get_role_display(), grant)
    return Reason(words.get(code, code), place, "没有对应的授权记录，请安全管理员核查", None)
