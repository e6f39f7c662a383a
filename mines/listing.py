"""Add up, order and page through the mines that filters leave, each through a fitting index."""

from decimal import Decimal
from typing import Any, TypedDict

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Count, F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from mines.check_models import MineStanding
from mines.filters import MAY_BE_UNKNOWN, SORTS
from mines.listed_changes import ListedChange
from mines.listed_models import ListedMineQuerySet
from mines.models import Licence

# So few are found first and then put in order; among more, a page is met soon on an ordered way.
FEW = 2_000
FEW_BY_WORDS = 25_000


class Totals(TypedDict):
    """Hold how many mines there are and their sums; None while nothing of them is known."""

    count: int
    area: Decimal | None
    scale: Decimal | None


# Totals that this process has worked out, by the state of the registry and by what was asked.
_worked_out: dict[tuple[Any, ...], Totals] = {}
MOST_KEPT = 500


def totals_of(rows: ListedMineQuerySet) -> Totals:
    """Count the rows, add up their km² and 万吨/年; asked once for each state of the list."""
    try:
        asked = rows.order_by().query.sql_with_params()
    except EmptyResultSet:
        return {"count": 0, "area": None, "scale": None}
    # The state is read first: totals are never older than the state that they are kept under.
    key = (connection.alias, ListedChange.objects.state(), *asked)
    if key not in _worked_out:
        if len(_worked_out) >= MOST_KEPT:
            _worked_out.clear()
        _worked_out[key] = _added_up(rows)
    return _worked_out[key]


def _added_up(rows: ListedMineQuerySet) -> Totals:
    found: Totals = rows.order_by().aggregate(  # type: ignore[assignment]
        count=Count("*"), area=Sum("area_km2"), scale=Sum("scale_wan_t")
    )
    return found


def keys_in_order(
    rows: ListedMineQuerySet,
    sort: str,
    *,
    count: int,
    start: int,
    size: int,
    by_words: bool = False,
) -> list[int]:
    """Return the mines at so many places from `start` of all `count` rows, in the order of `sort`.

    What is not known stands last either way, as in `filters.in_order`.
    """
    column = SORTS.get(sort.removeprefix("-"), "registry_no")
    is_turned = sort.startswith("-") and sort[1:] in SORTS
    stop = min(start + size, count)
    fenced = count <= (FEW_BY_WORDS if by_words else FEW)
    if is_turned and column in MAY_BE_UNKNOWN:
        return _known_first(rows, column, start, stop, fenced=fenced)
    if start > count // 2:  # nearer from the other end
        keys = _keys(rows, column, not is_turned, count - stop, count - start, fenced=fenced)
        return keys[::-1]
    return _keys(rows, column, is_turned, start, stop, fenced=fenced)


def _known_first(
    rows: ListedMineQuerySet, column: str, start: int, stop: int, *, fenced: bool
) -> list[int]:
    """Return places in falling order; an index read backwards has the unknown in front."""
    known = rows.filter(**{f"{column}__isnull": False})
    keys = _keys(known, column, True, start, stop, fenced=fenced)
    missing = stop - start - len(keys)
    if missing:
        first = 0 if keys else start - known.order_by().count()
        unknown = rows.filter(**{f"{column}__isnull": True})
        keys += _keys(unknown, "registry_no", True, first, first + missing, fenced=fenced)
    return keys


def _keys(
    rows: ListedMineQuerySet, column: str, is_turned: bool, start: int, stop: int, *, fenced: bool
) -> list[int]:
    columns = [F(name) for name in dict.fromkeys((column, "registry_no"))]
    # No index is in the order of such an expression, so that the rows are found by the filters.
    by: list[Any] = [Coalesce(each, each) if fenced else each for each in columns]
    ordered = rows.order_by(*(each.desc() if is_turned else each.asc() for each in by))
    return list(ordered.values_list("pk", flat=True)[start:stop])


def rows_at(rows: ListedMineQuerySet, keys: list[int], paths: list[str]) -> list[dict[str, Any]]:
    """Return what `paths` lead to for these mines, in this order."""
    if "licence_no" in paths:
        periods = Licence.objects.filter(mine=OuterRef("pk")).order_by("-valid_to")
        rows = rows.annotate(licence_no=Subquery(periods.values("number")[:1]))
    if "verdict" in paths:
        standing = MineStanding.objects.filter(mine=OuterRef("pk"))
        rows = rows.annotate(verdict=Subquery(standing.values("verdict")))
    found = {row["pk"]: row for row in rows.filter(pk__in=keys).order_by().values("pk", *paths)}
    return [found[key] for key in keys if key in found]
