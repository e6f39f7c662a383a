"""Hold the thresholds, periods, deadlines and lists of the rules, each with its source and term.

A rulebook is read once from parsed JSON and never changes. Entries of one key follow each other in
time; the entry whose term covers a day is the one in force on it. An entry without a value, or one
known by hearsay only, answers None, so that rules say NODATA or REVIEW instead of guessing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any

KIND_OF_UNIT = {"日期": "date", "清单": "list", "文本": "text"}
CONFIDENCES = ("certain", "high", "medium", "hearsay")
FIELDS = ("key", "value", "unit", "title", "source", "confidence")

Value = Decimal | date | str | tuple[str, ...]


class RulebookError(ValueError):
    """Report an entry that is missing or cannot be read; the text is meant for the editor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Hold one value of the rulebook with the days it is in force (both included)."""

    key: str
    value: Value | None
    unit: str
    title: str
    valid_from: date | None = None
    valid_to: date | None = None
    source: str = ""
    clause: str = ""
    confidence: str = "certain"
    note: str = ""

    @property
    def usable(self) -> Value | None:
        """Return the value a rule may decide on: None when absent or known by hearsay only."""
        return None if self.confidence == "hearsay" else self.value

    def covers(self, day: date) -> bool:
        """Say whether the entry is in force on a day."""
        after_start = self.valid_from is None or self.valid_from <= day
        return after_start and (self.valid_to is None or day <= self.valid_to)


class InForce:
    """Answer for the entries in force on one day; `on` is that day."""

    __slots__ = ("_entries", "on")

    def __init__(self, entries: Mapping[str, Entry], on: date) -> None:
        self._entries = entries
        self.on = on

    def entry(self, key: str) -> Entry:
        """Return the entry in force; raise RulebookError when there is none."""
        try:
            return self._entries[key]
        except KeyError:
            message = f"规则簿里没有 {self.on.isoformat()} 有效的条目“{key}”，请先补录。"
            raise RulebookError(message) from None

    def find(self, key: str) -> Entry | None:
        """Return the entry in force, or None where the rulebook may well have none."""
        return self._entries.get(key)

    def entries(self) -> tuple[Entry, ...]:
        """Return all entries in force."""
        return tuple(self._entries.values())

    def number(self, key: str) -> Decimal | None:
        """Return a number, None when it is not known well enough to decide on."""
        value = self.entry(key).usable
        if value is None or isinstance(value, Decimal):
            return value
        raise RulebookError(f"规则簿条目“{key}”应当是数字。")

    def whole(self, key: str) -> int | None:
        """Return a whole number such as a count of days or months."""
        value = self.number(key)
        return None if value is None else int(value)

    def day(self, key: str) -> date | None:
        """Return a date such as a deadline."""
        value = self.entry(key).usable
        if value is None or isinstance(value, date):
            return value
        raise RulebookError(f"规则簿条目“{key}”应当是日期。")

    def text(self, key: str) -> str | None:
        """Return a text such as the code of an exploration stage."""
        value = self.entry(key).usable
        if value is None or isinstance(value, str):
            return value
        raise RulebookError(f"规则簿条目“{key}”应当是文本。")

    def texts(self, key: str) -> tuple[str, ...] | None:
        """Return a list such as the departments that must be asked."""
        value = self.entry(key).usable
        if value is None or isinstance(value, tuple):
            return value
        raise RulebookError(f"规则簿条目“{key}”应当是清单。")


@dataclass(frozen=True, eq=False)
class Rulebook:
    """Hold all entries, past and coming; build it with `Rulebook.load`."""

    entries: tuple[Entry, ...]
    version: str = ""

    @classmethod
    def load(cls, rows: Iterable[Mapping[str, Any]], version: str = "") -> "Rulebook":
        """Read parsed JSON rows; raise RulebookError naming the first row that is wrong."""
        entries = tuple(read_entry(row, place) for place, row in enumerate(rows, start=1))
        _refuse_overlapping_terms(entries)
        return cls(entries, version)

    def in_force(self, on: date) -> InForce:
        """Return the entries in force on a day."""
        return InForce({entry.key: entry for entry in self.entries if entry.covers(on)}, on)

    def entry(self, key: str, *, on: date) -> Entry:
        """Return one entry in force on a day; raise RulebookError when there is none."""
        return self.in_force(on).entry(key)

    def number(self, key: str, *, on: date) -> Decimal | None:
        """Return a number in force on a day, as InForce.number does."""
        return self.in_force(on).number(key)

    def day(self, key: str, *, on: date) -> date | None:
        """Return a date in force on a day, as InForce.day does."""
        return self.in_force(on).day(key)

    def text(self, key: str, *, on: date) -> str | None:
        """Return a text in force on a day, as InForce.text does."""
        return self.in_force(on).text(key)

    def texts(self, key: str, *, on: date) -> tuple[str, ...] | None:
        """Return a list in force on a day, as InForce.texts does."""
        return self.in_force(on).texts(key)


def read_entry(row: Mapping[str, Any], place: int = 0) -> Entry:
    """Read one JSON row; the unit 日期, 清单 or 文本 says how to read the value."""
    name = f"规则簿第 {place} 条" if place else "规则簿条目"
    for field in FIELDS:
        if field not in row:
            raise RulebookError(f"{name}缺少字段“{field}”。")
    key = row["key"]
    if not isinstance(key, str) or not key:
        raise RulebookError(f"{name}的“key”应当是非空文本。")
    if row["confidence"] not in CONFIDENCES:
        allowed = "、".join(CONFIDENCES)
        raise RulebookError(f"规则簿条目“{key}”的可信度应当是 {allowed} 之一。")
    entry = Entry(
        key=key,
        value=_read_value(key, row["value"], row["unit"]),
        unit=row["unit"],
        title=row["title"],
        valid_from=_read_day(key, row.get("valid_from")),
        valid_to=_read_day(key, row.get("valid_to")),
        source=row["source"] or "",
        clause=row.get("clause") or "",
        confidence=row["confidence"],
        note=row.get("note") or "",
    )
    if entry.valid_from and entry.valid_to and entry.valid_to < entry.valid_from:
        raise RulebookError(f"规则簿条目“{key}”的失效日期早于生效日期。")
    return entry


def _read_value(key: str, value: Any, unit: str) -> Value | None:
    if value is None:
        return None
    match KIND_OF_UNIT.get(unit, "number"):
        case "date":
            return _read_day(key, value)
        case "list":
            if isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
                return tuple(value)
            raise RulebookError(f"规则簿条目“{key}”的值应当是文本清单。")
        case "text":
            if isinstance(value, str):
                return value
            raise RulebookError(f"规则簿条目“{key}”的值应当是文本。")
    return _read_number(key, value)


def _read_number(key: str, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise RulebookError(f"规则簿条目“{key}”的值应当是数字。")
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise RulebookError(f"规则簿条目“{key}”的值“{value}”不是数字。") from None
    if not number.is_finite() or number < 0:
        raise RulebookError(f"规则簿条目“{key}”的值应当是不小于 0 的数字。")
    return number


def _read_day(key: str, value: Any) -> date | None:
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        message = f"规则簿条目“{key}”的日期“{value}”不对，请写成 2025-12-31 的样子。"
        raise RulebookError(message) from None


def _refuse_overlapping_terms(entries: tuple[Entry, ...]) -> None:
    by_key: dict[str, list[Entry]] = {}
    for entry in entries:
        by_key.setdefault(entry.key, []).append(entry)
    for key, terms in by_key.items():
        terms.sort(key=lambda entry: entry.valid_from or date.min)
        for earlier, later in pairwise(terms):
            if earlier.valid_to is None or (later.valid_from or date.min) <= earlier.valid_to:
                raise RulebookError(
                    f"规则簿条目“{key}”有两条在同一天有效，请先给前一条写失效日期。"
                )
