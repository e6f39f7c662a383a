"""Register rules, and give each rule what it may look at.

A rule is a function (subject, case) -> outcomes. Its docstring begins with its code, then each
clause it serves with the literal words of the Work Plan in 「」; the registry reads them there, so
that what a reader is shown and what stands beside the code are one text. A rule that does not
concern a subject yields nothing; it yields NA where a reader would ask why.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from standards.facts import AreaFacts, ExtraFacts, MineFacts, PlanFacts, RightFacts
from standards.findings import Figure
from standards.rulebook import KIND_OF_UNIT, InForce
from standards.terms import Disposition, Phase, Verdict

HEADING = re.compile(r"\A(S-[A-H]\d\d)\s")
QUOTATION = re.compile(r"([二三四五六][（(]?[一二三四五六七八]?[)）]?\d?)\s*「(.*?)」", re.DOTALL)


class Scope(StrEnum):
    """What a rule is asked about."""

    PLAN = "plan"
    MINE = "mine"
    AREA = "area"
    EXTRA = "extra"


@dataclass(frozen=True, slots=True)
class Piece:
    """Set an added resource beside the mine or area it is to join."""

    extra: ExtraFacts
    host: MineFacts | AreaFacts


Site = MineFacts | AreaFacts


@dataclass(frozen=True, slots=True)
class Outcome:
    """Say what a rule found, before it is tied to the rule and the subject.

    `system` is the number of the production system from 1, 0 for the subject itself. `key` and
    `name` are given when the finding concerns a mine that is not the subject (a missing one).
    """

    verdict: Verdict
    message: str
    figures: tuple[Figure, ...] = ()
    would_pass: str = ""
    missing: tuple[str, ...] = ()
    system: int = 0
    system_name: str = ""
    key: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Quotation:
    """Hold literal words of the Work Plan with the number of their clause."""

    clause: str
    text: str


Check = Callable[[Any, "Case"], Iterable[Outcome]]


@dataclass(frozen=True, slots=True)
class Rule:
    """Hold one rule of the catalogue; `explanation` is the docstring after the quotations."""

    code: str
    title: str
    quotations: tuple[Quotation, ...]
    phases: tuple[Phase, ...]
    scopes: tuple[Scope, ...]
    check: Check
    explanation: str
    version: str = "1"

    @property
    def clause(self) -> str:
        """Return the number of the first clause quoted."""
        return self.quotations[0].clause

    @property
    def quote(self) -> str:
        """Return the words of the first clause quoted."""
        return self.quotations[0].text


RULES: dict[str, Rule] = {}


def rule(
    title: str, *, phases: tuple[Phase, ...], scopes: tuple[Scope, ...], version: str = "1"
) -> Callable[[Check], Check]:
    """Register the decorated function; its docstring must begin as the module says."""

    def register(check: Check) -> Check:
        text = inspect.cleandoc(check.__doc__ or "")
        heading = HEADING.match(text)
        quotations = tuple(
            Quotation(found[1], _one_line(found[2])) for found in QUOTATION.finditer(text)
        )
        if heading is None or not quotations:
            raise TypeError(f"{check.__module__}.{check.__name__}: no code or quoted clause")
        code = heading[1]
        if code in RULES:
            raise TypeError(f"{code} is registered twice")
        explanation = text[text.rindex("」") + 1 :].strip()
        RULES[code] = Rule(code, title, quotations, phases, scopes, check, explanation, version)
        return check

    return register


def _one_line(text: str) -> str:
    # Chinese text broken over lines has no space at the break.
    return "".join(line.strip() for line in text.splitlines())


@dataclass(slots=True)
class Case:
    """Give rules the rulebook of the day, the plan under test and what follows from it.

    `ore_bodies` maps an ore-body id to the rights of the register that dig it; None means that no
    comparison with other rights was possible.
    """

    book: InForce
    plan: PlanFacts | None = None
    ore_bodies: Mapping[str, tuple[RightFacts, ...]] | None = None
    memo: dict[Any, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.plan is not None and self.ore_bodies is None:
            self.ore_bodies = rights_by_ore_body(self.plan)

    def number(self, key: str) -> Decimal | None:
        """Return a number of the rulebook."""
        return self.book.number(key)

    def mine(self, key: str) -> MineFacts | None:
        """Return a mine of the plan by its key."""
        if self.plan is None:
            return None
        if "mines" not in self.memo:
            self.memo["mines"] = {mine.key: mine for mine in self.plan.mines}
        found: MineFacts | None = self.memo["mines"].get(key)
        return found

    def area_of(self, key: str) -> AreaFacts | None:
        """Return the area that a mine of the plan goes into."""
        if self.plan is None:
            return None
        if "areas" not in self.memo:
            self.memo["areas"] = {
                member: area for area in self.plan.areas for member in area.member_keys
            }
        found: AreaFacts | None = self.memo["areas"].get(key)
        return found


def rights_by_ore_body(plan: PlanFacts) -> dict[str, tuple[RightFacts, ...]]:
    """Group the rights a plan knows of by ore body; a plan's row prevails over the register's."""
    rights = {right.key: right for right in plan.registered or ()}
    for mine in plan.mines:
        known = rights.get(mine.key)
        if mine.ore_body_ids or known is None:
            rights[mine.key] = RightFacts(
                key=mine.key,
                name=mine.name,
                licence_no=mine.licence_no,
                holder_uscc=mine.holder_uscc,
                holder_name=mine.holder_name,
                ore_body_ids=mine.ore_body_ids,
            )
    bodies: dict[str, tuple[RightFacts, ...]] = {}
    for right in rights.values():
        for body in right.ore_body_ids:
            bodies[body] = (*bodies.get(body, ()), right)
    return bodies


LEAVING = frozenset({Disposition.CLOSE, Disposition.EXIT})


def leaves(mine: MineFacts) -> bool:
    """Say whether the plan closes a mine or leads it out."""
    return bool(mine.dispositions) and LEAVING.issuperset(mine.dispositions)


# Outcomes --------------------------------------------------------------------------------------


def passed(message: str, *figures: Figure) -> Outcome:
    """Make a PASS."""
    return Outcome(Verdict.PASS, message, figures)


def failed(message: str, *figures: Figure, fix: str) -> Outcome:
    """Make a FAIL; `fix` says what would pass."""
    return Outcome(Verdict.FAIL, message, figures, fix)


def judge(message: str, *figures: Figure, fix: str) -> Outcome:
    """Make a REVIEW; `fix` says what a person has to settle."""
    return Outcome(Verdict.REVIEW, message, figures, fix)


def lacking(*missing: str, figures: tuple[Figure, ...] = ()) -> Outcome:
    """Make a NODATA that names each missing input."""
    names = "、".join(missing)
    return Outcome(
        Verdict.NODATA, f"缺少{names}，无法判断。", figures, f"请补充{names}后重新检查。", missing
    )


def exempt(message: str, *figures: Figure) -> Outcome:
    """Make an NA that says why the rule does not apply."""
    return Outcome(Verdict.NA, message, figures)


SEVERITY = {
    verdict: place
    for place, verdict in enumerate(
        (Verdict.FAIL, Verdict.REVIEW, Verdict.NODATA, Verdict.PASS, Verdict.NA)
    )
}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict that decides: FAIL, then REVIEW, NODATA, PASS, and NA for none."""
    return min(verdicts, key=SEVERITY.__getitem__, default=Verdict.NA)


def gather(outcomes: Iterable[Outcome], success: str) -> Outcome:
    """Join partial outcomes into one: the worst verdict, its sentences, all figures.

    What is missing besides is said too, so that a REVIEW does not hide it.
    """
    parts = list(outcomes)
    verdict = worst(part.verdict for part in parts)
    figures = tuple(dict.fromkeys(figure for part in parts for figure in part.figures))
    if verdict in (Verdict.PASS, Verdict.NA):
        return Outcome(verdict if parts else Verdict.PASS, success, figures)
    told = [part for part in parts if part.verdict in (verdict, Verdict.NODATA)]
    told.sort(key=lambda part: SEVERITY[part.verdict])
    return Outcome(
        verdict,
        "".join(dict.fromkeys(part.message for part in told)),
        figures,
        "".join(dict.fromkeys(part.would_pass for part in told)),
        tuple(dict.fromkeys(name for part in told for name in part.missing)),
    )


def plain(number: Decimal) -> str:
    """Write a number without exponent and without trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def rounded(number: Decimal, places: int = 2) -> str:
    """Write a computed number with at most `places` decimals."""
    return plain(round(number, places))


def figure(label: str, value: object, unit: str = "", source: str | None = None) -> Figure:
    """Make a figure; None is shown as 未填."""
    if value is None:
        return Figure(label, "未填", unit, source)
    return Figure(label, plain(value) if isinstance(value, Decimal) else str(value), unit, source)


def limit(book: InForce, key: str) -> Figure:
    """Make the figure of a threshold with its source in the rulebook."""
    entry = book.entry(key)
    source = f"{entry.source} {entry.clause}".strip()
    value = "、".join(entry.value) if isinstance(entry.value, tuple) else entry.value
    return figure(entry.title, value, "" if entry.unit in KIND_OF_UNIT else entry.unit, source)
