"""No input crashes a rule, and more data never turns FAIL into NODATA."""

from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from standards.facts import AreaFacts, ExtraFacts, MineFacts, MineralFacts, PlanFacts
from standards.findings import Finding
from standards.run import check, check_mine
from tests.standards.asking import MINERALS, RULEBOOK

AMOUNTS = st.decimals(min_value=-5, max_value=5000, places=3)
MINERAL = st.sampled_from(sorted(MINERALS)).map(MINERALS.__getitem__)
COAL = MineralFacts(code="0", name="煤", is_coal=True)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    Decimal: AMOUNTS,
    str: st.sampled_from(["", "甲", "乙", "I号", "m1", "91140600MA0SAMPLE1"]),
    date: st.dates(date(2020, 1, 1), date(2030, 12, 31)),
    int: st.integers(0, 2030),
    bool: st.booleans(),
    NoneType: st.none(),
    MineralFacts: st.one_of(MINERAL, st.just(COAL)),
}
DAYS = PLAIN[date]


def drawn(hint: Any) -> st.SearchStrategy[Any]:
    """Draw a value of a field's type, None included where the type allows it."""
    if get_origin(hint) is UnionType:
        return st.one_of([drawn(part) for part in get_args(hint)])
    if get_origin(hint) is tuple:
        return st.lists(drawn(get_args(hint)[0]), max_size=2).map(tuple)
    if hint in PLAIN:
        return PLAIN[hint]
    return st.sampled_from(list(hint)) if issubclass(hint, StrEnum) else anything(hint)


def anything(kind: type, **fixed: Any) -> st.SearchStrategy[Any]:
    """Draw facts with any mixture of known and unknown fields."""
    hints = get_type_hints(kind)
    parts = {
        field.name: fixed[field.name] if field.name in fixed else drawn(hints[field.name])
        for field in fields(kind)
    }
    return st.builds(kind, **parts)


MINES = anything(MineFacts)
AREAS = anything(AreaFacts)
EXTRAS = anything(ExtraFacts)
PLANS = anything(PlanFacts)

EXAMPLES = 100

SLOW = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@SLOW
@given(PLANS, DAYS)
def test_no_plan_crashes_a_rule(plan: PlanFacts, on: date):
    for finding in check(plan, RULEBOOK, on=on):
        assert finding.message
        assert finding.missing or finding.verdict != "nodata"
        assert bool(finding.would_pass) == (finding.verdict in ("fail", "review", "nodata"))


def without(facts: Any, name: str) -> Any:
    """Return facts with one field emptied, as if nobody had filled it in."""
    default = next(field.default for field in fields(facts) if field.name == name)
    return replace(facts, **{name: default})


def worst_by_rule(found: list[Finding]) -> dict[str, set[str]]:
    """Return the verdicts of each rule."""
    verdicts: dict[str, set[str]] = {}
    for finding in found:
        verdicts.setdefault(finding.rule, set()).add(finding.verdict.value)
    return verdicts


def no_failure_is_lost(less: list[Finding], more: list[Finding]) -> None:
    """Check that no rule that failed on less data only lacks data on more."""
    later = worst_by_rule(more)
    for rule, verdicts in worst_by_rule(less).items():
        if "fail" in verdicts:
            assert later.get(rule) != {"nodata"}, rule


# A person's ruling which minimum applies, and records that cure a failure, are no missing data.
NOT_DATA = {"key", "name", "is_quarry", "extras"}
OPTIONAL_OF_MINE = sorted({field.name for field in fields(MineFacts)} - NOT_DATA)
OPTIONAL_OF_AREA = sorted({field.name for field in fields(AreaFacts)} - NOT_DATA)
OPTIONAL_OF_EXTRA = sorted({field.name for field in fields(ExtraFacts)} - NOT_DATA)


@settings(SLOW, max_examples=EXAMPLES)
@given(MINES, st.sampled_from(OPTIONAL_OF_MINE), DAYS)
def test_more_data_on_a_mine_never_turns_fail_into_nodata(mine: MineFacts, name: str, on: date):
    assume(getattr(mine, name) is not None)
    less = list(check_mine(without(mine, name), RULEBOOK, on=on))
    no_failure_is_lost(less, list(check_mine(mine, RULEBOOK, on=on)))


@settings(SLOW, max_examples=EXAMPLES)
@given(AREAS, st.sampled_from(OPTIONAL_OF_AREA), DAYS)
def test_more_data_on_an_area_never_turns_fail_into_nodata(area: AreaFacts, name: str, on: date):
    assume(getattr(area, name) is not None)
    before = PlanFacts(county_code="140602", areas=(without(area, name),))
    after = PlanFacts(county_code="140602", areas=(area,))
    no_failure_is_lost(list(check(before, RULEBOOK, on=on)), list(check(after, RULEBOOK, on=on)))


@settings(SLOW, max_examples=EXAMPLES)
@given(EXTRAS, AREAS, st.sampled_from(OPTIONAL_OF_EXTRA), DAYS)
def test_more_data_on_an_extra_never_turns_fail_into_nodata(
    extra: ExtraFacts, area: AreaFacts, name: str, on: date
):
    assume(getattr(extra, name) is not None)
    before = PlanFacts(county_code="140602", areas=(replace(area, extras=(without(extra, name),)),))
    after = PlanFacts(county_code="140602", areas=(replace(area, extras=(extra,)),))
    no_failure_is_lost(list(check(before, RULEBOOK, on=on)), list(check(after, RULEBOOK, on=on)))
