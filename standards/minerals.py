"""Read the list of minerals into facts: flags, and the rows of the national class tables."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from standards.facts import ClassRow, MineralFacts


def load_minerals(rows: Iterable[Mapping[str, Any]]) -> dict[str, MineralFacts]:
    """Read parsed JSON rows into facts by mineral code; raise KeyError for a missing field."""
    return {row["code"]: read_mineral(row) for row in rows}


def read_mineral(row: Mapping[str, Any]) -> MineralFacts:
    """Read one mineral; optional flags count as False."""
    return MineralFacts(
        code=row["code"],
        name=row["name"],
        minimum_key=row["seed_rule_key"],
        is_ordinary_sand_stone=row["is_ordinary_sand_stone"],
        is_metal=row["is_metal"],
        is_quarry_stone=row["is_quarry_stone"],
        is_clay=row["is_clay"],
        is_coal=row.get("is_coal", False),
        is_scope_unclear=row.get("is_scope_unclear", False),
        minimum_unclear=row.get("minimum_unclear", ""),
        reserve=_class_row(row["reserve"]),
        reserve_rich=_class_row(row.get("reserve_rich")),
        production=_class_row(row["production"]),
        production_open_pit=_class_row(row.get("production_open_pit")),
    )


def _class_row(row: Mapping[str, Any] | None) -> ClassRow | None:
    if row is None:
        return None
    return ClassRow(
        unit=row["unit"],
        large=_number(row["large"]),
        medium=_number(row["medium"]),
        confidence=row["confidence"],
        source=row["source"],
    )


def _number(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))
