"""Ask every rule about a plan or a mine and tie the answers to their subjects."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from standards import (
    county,
    environment,
    extra_resources,
    grants,
    layout,
    new_rights,
    placing,
    plan_content,
    safety,
    scale,
    scope,
    service_life,
)
from standards.facts import AreaFacts, MineFacts, PlanFacts, RightFacts
from standards.findings import Finding
from standards.rulebook import Rulebook
from standards.rules import RULES, Case, Outcome, Piece, Rule, Scope
from standards.terms import Phase

# Importing a group registers its rules.
GROUPS = (
    scope,
    scale,
    service_life,
    safety,
    placing,
    new_rights,
    layout,
    county,
    extra_resources,
    grants,
    environment,
    plan_content,
)

Progress = Callable[[int, int, str], None]


def ordered_rules(only: Collection[str] | None = None) -> tuple[Rule, ...]:
    """Return the registered rules by code; raise KeyError for an unknown code in `only`."""
    codes = sorted(RULES if only is None else only)
    return tuple(RULES[code] for code in codes)


@dataclass(frozen=True, slots=True)
class Subject:
    """Name what a rule is asked about, as a finding names it."""

    scope: Scope
    what: Any
    phase: Phase
    key: str
    name: str
    mine_key: str = ""
    area_key: str = ""


def check(
    plan: PlanFacts,
    rulebook: Rulebook,
    *,
    on: date,
    only: Collection[str] | None = None,
    progress: Progress | None = None,
) -> Iterator[Finding]:
    """Check a county plan against all rules, or `only` some, as of the day `on`.

    `progress` is called before each rule with (rules done, rules in all, title) and once at the
    end. Raise RulebookError when an entry that a rule needs is missing on that day.
    """
    case = Case(rulebook.in_force(on), plan)
    subjects = _subjects(plan)
    rules = ordered_rules(only)
    for done, each in enumerate(rules):
        if progress is not None:
            progress(done, len(rules), each.title)
        for scope_ in each.scopes:
            for subject in subjects[scope_]:
                yield from _ask(each, subject, case)
    if progress is not None:
        progress(len(rules), len(rules), "完成")


def check_mines(
    mines: Iterable[MineFacts],
    rulebook: Rulebook,
    *,
    on: date,
    only: Collection[str] | None = None,
    ore_bodies: Mapping[str, tuple[RightFacts, ...]] | None = None,
) -> Iterator[Finding]:
    """Check registered mines one after the other, outside any plan.

    `ore_bodies` gives the rights of the register by ore-body id, for the rules that compare.
    Memory does not grow with the number of mines.
    """
    case = Case(rulebook.in_force(on), ore_bodies=ore_bodies)
    rules = [each for each in ordered_rules(only) if Scope.MINE in each.scopes]
    pieces = [each for each in ordered_rules(only) if Scope.EXTRA in each.scopes]
    for mine in mines:
        case.memo.clear()
        subject = _mine_subject(mine)
        if subject is None:
            continue
        for each in rules:
            yield from _ask(each, subject, case)
        for piece in _pieces(mine):
            for each in pieces:
                yield from _ask(each, piece, case)


def check_mine(
    mine: MineFacts,
    rulebook: Rulebook,
    *,
    on: date,
    only: Collection[str] | None = None,
    ore_bodies: Mapping[str, tuple[RightFacts, ...]] | None = None,
) -> Iterator[Finding]:
    """Check one registered mine, as check_mines does."""
    return check_mines((mine,), rulebook, on=on, only=only, ore_bodies=ore_bodies)


def _subjects(plan: PlanFacts) -> dict[Scope, list[Subject]]:
    key = plan.key or plan.county_code
    whole = Subject(Scope.PLAN, plan, Phase.CONSOLIDATED, key, plan.county_name)
    mines = [subject for mine in plan.mines if (subject := _mine_subject(mine)) is not None]
    areas = [_area_subject(area) for area in plan.areas]
    hosts: tuple[MineFacts | AreaFacts, ...] = (*plan.mines, *plan.areas)
    extras = [piece for host in hosts for piece in _pieces(host)]
    return {Scope.PLAN: [whole], Scope.MINE: mines, Scope.AREA: areas, Scope.EXTRA: extras}


def _mine_subject(mine: MineFacts) -> Subject | None:
    """Name a mine; None for a coal mine, which no rule but S-A01 concerns."""
    if mine.mineral is not None and mine.mineral.is_coal:
        return None
    return Subject(Scope.MINE, mine, Phase.EXISTING, mine.key, mine.name, mine_key=mine.key)


def _area_subject(area: AreaFacts) -> Subject:
    phase = Phase.NEW if area.is_new_right else Phase.CONSOLIDATED
    return Subject(Scope.AREA, area, phase, area.key, area.name, area_key=area.key)


def _pieces(host: MineFacts | AreaFacts) -> Iterator[Subject]:
    for extra in host.extras:
        mine_key = host.key if isinstance(host, MineFacts) else ""
        area_key = host.key if isinstance(host, AreaFacts) else ""
        name = extra.name or f"{host.name}新增资源"
        piece = Piece(extra, host)
        yield Subject(Scope.EXTRA, piece, Phase.EXTRA, extra.key, name, mine_key, area_key)


def _ask(rule: Rule, subject: Subject, case: Case) -> Iterator[Finding]:
    phase = subject.phase
    if phase not in rule.phases:
        if subject.scope is not Scope.PLAN:
            return
        phase = rule.phases[0]
    for outcome in rule.check(subject.what, case):
        yield _finding(rule, subject, phase, outcome)


def _finding(rule: Rule, subject: Subject, phase: Phase, outcome: Outcome) -> Finding:
    kind, key, name = subject.scope.value, subject.key, subject.name
    mine_key = subject.mine_key
    if outcome.system:
        kind, key = "system", f"{key}#{outcome.system}"
        name = f"{name} {outcome.system_name}"
    elif outcome.key:
        kind, key, name = "mine", outcome.key, outcome.name
        mine_key = outcome.key
    return Finding(
        rule=rule.code,
        phase=phase,
        subject_kind=kind,
        subject_key=key,
        subject_name=name,
        verdict=outcome.verdict,
        message=outcome.message,
        figures=outcome.figures,
        would_pass=outcome.would_pass,
        clause=rule.quotations[0].clause,
        quote=rule.quotations[0].text,
        rule_version=rule.version,
        missing=outcome.missing,
        mine_key=mine_key,
        area_key=subject.area_key,
    )
