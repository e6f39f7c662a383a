"""Say what one rule found on one subject, so that a person can follow and answer it."""

from dataclasses import dataclass

from standards.terms import Phase, Verdict


@dataclass(frozen=True, slots=True)
class Figure:
    """Show one figure a rule used: what it is, its value as written, its unit, its source."""

    label: str
    value: str
    unit: str = ""
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Hold the outcome of one rule on one subject.

    `subject_kind` is "plan", "mine", "system", "area" or "extra"; `subject_key` is the key of that
    subject in the facts (a system's is its mine's or area's key, "#" and its number from 1).
    `mine_key` and `area_key` name the mine or area the subject belongs to, for grouping.
    `message` and `would_pass` are sentences for the reader; `quote` is literal Work Plan text.
    """

    rule: str
    phase: Phase
    subject_kind: str
    subject_key: str
    subject_name: str
    verdict: Verdict
    message: str
    figures: tuple[Figure, ...] = ()
    would_pass: str = ""
    clause: str = ""
    quote: str = ""
    rule_version: str = "1"
    missing: tuple[str, ...] = ()
    mine_key: str = ""
    area_key: str = ""
