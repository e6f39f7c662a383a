"""Choose what the public may see of a plan, field by field, and freeze it."""

import hashlib
import json
from collections import Counter, defaultdict
from typing import Any

from plans.models import PlanVersion
from plans.rulings import rulings_of, with_rulings
from standards.run import ordered_rules
from standards.terms import Disposition, Verdict

# Levels of a field: what is not listed here stays inside.
PUBLIC_MINE_FIELDS = (
    "registry_no", "name", "township", "holder", "licence_no", "mineral", "method", "area_km2",
    "scale", "disposition", "reason", "area_code", "due_on",
)  # fmt: skip
PUBLIC_AREA_FIELDS = (
    "code", "name", "lead_enterprise", "members", "mineral", "method", "scale",
    "service_life_years", "area_km2", "elevation", "due_on",
)  # fmt: skip


def freeze(version: PlanVersion) -> dict[str, Any]:
    """Return the public content of a version as plain JSON values; queries do not grow with it."""
    rows = version.dispositions.select_related(
        "mine__mineral", "mine__holder", "mine__boundary", "area"
    ).prefetch_related("mine__licences", "mine__systems")
    mines = [_mine(row) for row in rows]
    areas = version.areas.select_related("mineral").prefetch_related("members__mine")
    counts = {kind.value: 0 for kind in Disposition}
    for row in mines:
        counts[row["disposition"]] += 1
    approval = version.plan.approval
    return {
        "county": version.plan.county.name,
        "county_code": version.plan.county_id,
        "round": version.plan.round.name,
        "version": version.number,
        "approval": {
            "organ": approval.organ,
            "document_number": approval.document_number,
            "approved_on": approval.approved_on.isoformat(),
        },
        "counts": counts,
        "mines": mines,
        "areas": [_area(area) for area in areas],
        "findings": _findings(version),
    }


def _findings(version: PlanVersion) -> dict[str, Any]:
    """Sum up the checks by rule as they count after rulings; whom a rule found stays inside."""
    run = version.check_runs.first()
    if run is None:
        return {}
    found = run.findings.only("run", "rule", "subject_kind", "subject_key", "verdict", "basis_hash")
    by_rule: dict[str, Counter[str]] = defaultdict(Counter)
    for row in with_rulings(found, rulings_of(version.plan)):
        by_rule[row.finding.rule][row.verdict.value] += 1
    rules = [
        {
            "code": rule.code,
            "title": rule.title,
            "clause": "、".join(quotation.clause for quotation in rule.quotations),
            **{verdict.value: by_rule[rule.code][verdict.value] for verdict in Verdict},
        }
        for rule in ordered_rules()
        if rule.code in by_rule
    ]
    return {
        "checked_on": run.checked_on.isoformat(),
        "rulebook": run.rulebook_version,
        "counts": {verdict.value: sum(r[verdict.value] for r in rules) for verdict in Verdict},
        "rules": rules,
    }


def hash_of(content: dict[str, Any]) -> str:
    """Return the SHA-256 of a frozen content in its one canonical spelling."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _mine(row: Any) -> dict[str, Any]:
    mine, licence = row.mine, row.mine.licence
    boundary = getattr(mine, "boundary", None)
    area = licence.area_km2 if licence else None
    facts = {
        "registry_no": mine.registry_no,
        "name": mine.name,
        "township": mine.township,
        "holder": mine.holder.name,
        "licence_no": licence.number if licence else "",
        "mineral": mine.mineral.name,
        "method": mine.get_method_display(),
        "area_km2": str(area if area is not None else boundary.area_km2 if boundary else ""),
        "scale": _scale(mine, licence),
        "disposition": row.kind,
        "reason": row.reason,
        "area_code": row.area.code if row.area else "",
        "due_on": row.due_on.isoformat() if row.due_on else "",
    }
    return {name: facts[name] for name in PUBLIC_MINE_FIELDS}


def _scale(mine: Any, licence: Any) -> str:
    """Write the licensed scale, or the design scales of the systems where no licence states one."""
    if licence is not None and licence.scale is not None:
        return f"{licence.scale.normalize():f} {licence.get_scale_unit_display()}"
    designed = [row for row in mine.systems.all() if row.design_scale is not None]
    return "、".join(
        f"{row.design_scale.normalize():f} {row.get_unit_display()}" for row in designed
    )


def _area(area: Any) -> dict[str, Any]:
    top, bottom = area.elevation_top_m, area.elevation_bottom_m
    scale = f"{area.scale.normalize():f} {area.get_scale_unit_display()}" if area.scale else ""
    facts = {
        "code": area.code,
        "name": area.name,
        "lead_enterprise": area.lead_enterprise,
        "members": [member.mine.name for member in area.members.all()],
        "mineral": area.mineral.name if area.mineral else "",
        "method": area.get_method_display(),
        "scale": scale,
        "service_life_years": (
            f"{area.service_life_years.normalize():f}" if area.service_life_years else ""
        ),
        "area_km2": str(area.area_km2 if area.area_km2 is not None else ""),
        "elevation": f"{top}米至{bottom}米" if top is not None and bottom is not None else "",
        "due_on": area.due_on.isoformat() if area.due_on else "",
    }
    return {name: facts[name] for name in PUBLIC_AREA_FIELDS}
