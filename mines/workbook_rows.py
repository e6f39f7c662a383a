"""Hold what a registry workbook says and what the registry holds, in the same canonical text."""

from dataclasses import dataclass, field
from typing import Any

from mines.sheet_values import CellProblem

System = tuple[str, str, str, str]
"""Name, method, design scale, unit."""

StockRow = tuple[str, str, str, str]
"""Class, amount, unit, as-of day."""


@dataclass
class Outline:
    """One mine's boundary: regions as JSON of `Boundary.regions`, EWKB in hex, km², as text."""

    regions: str
    wkb: str
    area_km2: str
    source_text: str


@dataclass
class MineEntry:
    """One row of 附表1; `fields` holds the columns that the workbook has."""

    row: int
    registry_no: str
    fields: dict[str, str]


@dataclass
class KnownMine:
    """One registered mine; `periods` are (id, from, to), the latest last."""

    id: int
    registry_no: str
    fields: dict[str, str]
    systems: list[System] = field(default_factory=list)
    stocks: list[StockRow] = field(default_factory=list)
    regions: list[dict[str, Any]] | None = None
    periods: list[tuple[int, str, str]] = field(default_factory=list)


@dataclass
class Snapshot:
    """A county's registered mines by number; `mark` changes with any of their values."""

    county_code: str
    county_name: str
    mines: dict[str, KnownMine]
    next_number: int
    mark: str = ""


@dataclass
class ParsedRegistry:
    """Everything a workbook says; lists by registry number exist only where rows were given."""

    mines: list[MineEntry] = field(default_factory=list)
    systems: dict[str, list[System]] = field(default_factory=dict)
    stocks: dict[str, list[StockRow]] = field(default_factory=dict)
    outlines: dict[str, Outline] = field(default_factory=dict)
    problems: list[CellProblem] = field(default_factory=list)

    @property
    def errors(self) -> list[CellProblem]:
        """Return what stands against writing."""
        return [problem for problem in self.problems if problem.severity == "error"]
