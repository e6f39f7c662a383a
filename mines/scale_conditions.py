"""Say in the database's words how a mine's scale stands to the minimum and to the class tables."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from django.db.models import F, Q, Value
from django.utils import timezone

from mines.facts import mineral_facts
from mines.models import Mineral
from rulebook.current import current_rulebook
from standards.facts import ClassRow, MineralFacts
from standards.terms import Method, ScaleClass, ScaleUnit

# The minimum of a quarry is one for open pits; some class tables have a row for them.
OPEN_METHODS = (Method.OPEN_PIT, Method.COMBINED)
MINIMUM_KEYS = (
    "bauxite",
    "iron",
    "copper",
    "gold",
    "cement_limestone",
    "magnesium_dolomite",
    "quarry",
)
UNITS = (ScaleUnit.WAN_T.label, ScaleUnit.WAN_M3.label)
NOBODY = Q(pk__in=[])


def _floors() -> dict[str, Decimal]:
    book = current_rulebook().in_force(timezone.localdate())
    numbers = {key: book.number(f"scale.min.{key}") for key in MINIMUM_KEYS}
    return {key: number for key, number in numbers.items() if number is not None}


def _governed(key: str) -> Q:
    """Select the mines whose minimum is the one of `key` beyond doubt."""
    chosen = Q(minimum_key=key)
    return chosen & Q(method__in=OPEN_METHODS) if key == "quarry" else chosen


def below_and_governed() -> tuple[Q, Q]:
    """Select the mines with a system below its minimum, and those that have a minimum at all.

    Looks at the design scale alone (四(二)2); the standards also weigh the licence.
    """
    below = governed = NOBODY
    for key, floor in _floors().items():
        governed |= _governed(key)
        below |= _governed(key) & Q(least_scale__lt=floor)
    return below, governed


def of_class(size: ScaleClass) -> Q:
    """Select the mines whose design scales together are of a class of the national table.

    Minerals without a certain row there are of no class.
    """
    alike: dict[tuple[ClassRow, Q], list[str]] = {}
    for mineral in Mineral.objects.all():
        for row, methods in _rows_of(mineral_facts(mineral)):
            limits = replace(row, confidence="", source="")
            alike.setdefault((limits, methods), []).append(mineral.code)
    found = NOBODY
    for (row, methods), codes in alike.items():
        found |= Q(mineral__in=codes) & methods & _between(row, size)
    return found


def _rows_of(mineral: MineralFacts) -> Iterator[tuple[ClassRow, Q]]:
    """Yield the rows that grade a mineral, each with the methods that it is for."""
    usual, open_pit = mineral.production, mineral.production_open_pit
    if open_pit is None:
        found = [(usual, Q())]
    else:  # without a method nobody knows which of the two it is
        by_method = Q(method__in=OPEN_METHODS)
        found = [(usual, Q(method=Method.UNDERGROUND)), (open_pit, by_method)]
    for row, methods in found:
        if row is not None and row.unit in UNITS and row.confidence != "hearsay":
            yield row, methods


def _between(row: ClassRow, size: ScaleClass) -> Q:
    if row.medium is None or row.large is None:
        return NOBODY
    per = F("mine__density") if row.unit == ScaleUnit.WAN_M3.label else Value(Decimal(1))
    if size is ScaleClass.LARGE:
        return Q(scale_wan_t__gte=per * row.large)
    if size is ScaleClass.SMALL:
        return Q(scale_wan_t__lt=per * row.medium)
    return Q(scale_wan_t__gte=per * row.medium, scale_wan_t__lt=per * row.large)
