"""Read which proofs each kind of plan task needs before it counts as done (W-21)."""

import json
from dataclasses import dataclass
from functools import cache

from django.conf import settings

ACCEPTED = "accepted"
"""The proof that a passing acceptance visit gives by itself."""


@dataclass(frozen=True, slots=True)
class Check:
    """One proof: its code, what is to be done, and what to write as evidence."""

    code: str
    label: str
    hint: str


@cache
def _all_checks() -> dict[str, tuple[Check, ...]]:
    path = settings.BASE_DIR / "fixtures" / "task_checks.json"
    shipped = json.loads(path.read_text(encoding="utf-8"))
    shipped.pop("note")
    return {kind: tuple(Check(**check) for check in checks) for kind, checks in shipped.items()}


def checks_of(kind: str) -> tuple[Check, ...]:
    """Return the proofs that a task of this disposition needs, in their order."""
    return _all_checks()[kind]
