"""State recorded 核查意见 and layers as facts of the areas they were given for."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from plans.models import CountyPlan, MergedArea
from plans.site_check_models import SiteCheck
from standards.facts import OpinionFacts, ZoneFacts
from standards.terms import OpinionOutcome, ZoneKind

CLEARED = {OpinionOutcome.AGREED: True, OpinionOutcome.REFUSED: False}


def outline_mark(area: MergedArea) -> str:
    """Return the mark of an area's outline; "" without one."""
    return hashlib.sha256(bytes(area.outline.wkb)).hexdigest() if area.outline else ""


def checks_of(plan: CountyPlan, areas: Iterable[MergedArea]) -> dict[str, list[SiteCheck]]:
    """Return by area code the opinions that count: for this very outline, not withdrawn, newest."""
    marks = {area.code: outline_mark(area) for area in areas}
    found: dict[str, dict[str, SiteCheck]] = {}
    rows = SiteCheck.objects.filter(plan=plan, withdrawn_at__isnull=True).order_by("pk")
    for row in rows:
        if marks.get(row.area_code) == row.outline_mark:
            found.setdefault(row.area_code, {})[row.department] = row
    return {code: list(by_department.values()) for code, by_department in found.items()}


def opinion_facts(checks: Iterable[SiteCheck]) -> tuple[OpinionFacts, ...]:
    """Return what each department answered."""
    return tuple(
        OpinionFacts(
            department=row.department, outcome=OpinionOutcome(row.outcome), document=row.document
        )
        for row in checks
    )


def zone_facts(
    met: tuple[ZoneFacts, ...] | None, checks: Iterable[SiteCheck]
) -> tuple[ZoneFacts, ...] | None:
    """Set the opinions beside the layers they speak for; without a layer an opinion stands alone.

    Of several opinions on one layer the one against it counts before a conditional one.
    """
    zones: dict[str, ZoneFacts] = {zone.layer: zone for zone in met or ()}
    spoken: dict[str, list[SiteCheck]] = {}
    for row in checks:
        for name in row.layers:
            spoken.setdefault(name, []).append(row)
    for name, rows in spoken.items():
        row = min(rows, key=lambda each: GRAVITY[OpinionOutcome(each.outcome)])
        outcome = OpinionOutcome(row.outcome)
        zones[name] = replace(
            zones.get(name, ZoneFacts(layer=name, kind=ZoneKind.RED_LINE)),
            document=row.document,
            cleared=CLEARED.get(outcome),
            conditional=outcome is OpinionOutcome.CONDITIONAL,
        )
    return tuple(zones.values()) if zones or met is not None else None


GRAVITY: Mapping[OpinionOutcome, int] = {
    OpinionOutcome.REFUSED: 0,
    OpinionOutcome.CONDITIONAL: 1,
    OpinionOutcome.SILENT: 2,
    OpinionOutcome.AGREED: 3,
}
