"""Ask single rules about facts built in a line, against the rulebook and minerals that ship.

Parameters are Any where callers spread mixed facts over them.
"""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from standards.facts import AreaFacts, ExtraFacts, MineFacts, PlanFacts
from standards.findings import Finding
from standards.minerals import load_minerals
from standards.rulebook import Rulebook
from standards.run import check
from standards.terms import Method, ScaleUnit

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
ROWS: list[dict[str, Any]] = json.loads((FIXTURES / "rulebook.json").read_text("utf-8"))
RULEBOOK = Rulebook.load(ROWS)
MINERALS = load_minerals(json.loads((FIXTURES / "minerals.json").read_text("utf-8")))
BY_NAME = {mineral.name: mineral for mineral in MINERALS.values()}
TODAY = date(2025, 6, 1)
COUNTY = "140602"


def amounts(facts: dict[str, Any]) -> dict[str, Any]:
    """Turn plain numbers into Decimals and mineral names into facts; fill a scale's unit."""
    built = {
        name: Decimal(str(value))
        if isinstance(value, int | float) and not isinstance(value, bool) and name != "right_count"
        else value
        for name, value in facts.items()
    }
    mineral = facts.get("mineral")
    if isinstance(mineral, str):
        built["mineral"] = BY_NAME[mineral]
    for name in ("licensed_scale", "design_scale", "planned_scale", "scale"):
        if name in built:
            built.setdefault(f"{name}_unit", ScaleUnit.WAN_T)
    return built


def mine(key: Any = "m1", **facts: Any) -> MineFacts:
    """Build a mine."""
    return MineFacts(key=key, **{"name": f"示例矿{key}", **amounts(facts)})


def area(key: Any = "a1", **facts: Any) -> AreaFacts:
    """Build a consolidated area."""
    return AreaFacts(key=key, **{"name": f"示例整合区{key}", **amounts(facts)})


def extra(key: Any = "x1", **facts: Any) -> ExtraFacts:
    """Build an added resource."""
    return ExtraFacts(key=key, **{"name": f"示例资源{key}", **amounts(facts)})


def plan(**facts: Any) -> PlanFacts:
    """Build a county plan."""
    return PlanFacts(county_code=COUNTY, county_name="朔城区", **facts)


def replaced(**values: Any) -> Rulebook:
    """Build the rulebook with other values for some keys (dots written as __)."""
    wanted = {key.replace("__", "."): value for key, value in values.items()}
    rows = [{**row, "value": wanted.get(row["key"], row["value"])} for row in ROWS]
    for row in rows:
        if row["key"] in wanted:
            row["confidence"] = "certain"
    return Rulebook.load(rows)


def ask(
    code: str, facts: PlanFacts, *, on: date = TODAY, rulebook: Rulebook = RULEBOOK
) -> list[Finding]:
    """Return the findings of one rule on a plan."""
    return list(check(facts, rulebook, on=on, only={code}))


def mine_verdicts(code: str, *, on: Any = TODAY, **facts: Any) -> list[str]:
    """Return the verdicts of one rule on a plan of one mine."""
    found = ask(code, plan(mines=(mine(**facts),)), on=on)
    return [finding.verdict.value for finding in found]


def area_verdicts(code: str, *, on: Any = TODAY, **facts: Any) -> list[str]:
    """Return the verdicts of one rule on a plan of one area."""
    found = ask(code, plan(areas=(area(**facts),)), on=on)
    return [finding.verdict.value for finding in found]


def extra_verdicts(code: str, *, on: Any = TODAY, host: Any = None, **facts: Any) -> list[str]:
    """Return the verdicts of one rule on an added resource of an area or mine."""
    piece = extra(**facts)
    if isinstance(host, MineFacts):
        joined = plan(mines=(with_extra(host, piece),))
    else:
        joined = plan(areas=(with_extra(host or area(), piece),))
    found = ask(code, joined, on=on)
    return [finding.verdict.value for finding in found if finding.subject_kind == "extra"]


def with_extra(host: Any, piece: ExtraFacts) -> Any:
    """Return a host with one more added resource."""
    return replace(host, extras=(*host.extras, piece))


def plan_verdicts(code: str, *, on: Any = TODAY, **facts: Any) -> list[str]:
    """Return the verdicts of one rule on a plan as a whole."""
    found = ask(code, plan(**facts), on=on)
    return [finding.verdict.value for finding in found if finding.subject_kind == "plan"]


OPEN = Method.OPEN_PIT
UNDER = Method.UNDERGROUND
