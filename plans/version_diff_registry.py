"""Say what has changed in the registry since a version's template was made."""

from dataclasses import dataclass

from plans.models import PlanVersion
from plans.version_edits import rows_of

KINDS = {
    "new_mine": "added",
    "missing_mine": "added",
    "gone_mine": "gone",
    "registry_changed": "changed",
    "locked_changed": "changed",
}


@dataclass(frozen=True, slots=True)
class RegistryChange:
    """Hold one thing that the registry says otherwise now; old is the version's, new today's."""

    kind: str
    cell: str
    message: str
    old: str
    new: str


def registry_changes(version: PlanVersion) -> list[RegistryChange]:
    """Compare a version's file with the registry of today; raise Incomplete when unreadable."""
    return [
        RegistryChange(
            KINDS[problem.code], problem.cell, problem.message, problem.found, problem.expected
        )
        for problem in rows_of(version).problems
        if problem.code in KINDS
    ]
