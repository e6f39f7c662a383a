"""State the rows of a plan version, the registry and the ground as facts for the standards.

The number of queries does not depend on how many mines and areas there are. What nobody has
entered stays None, so that rules answer NODATA and never guess.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import OuterRef, Subquery

from mines.facts import mine_facts, right_facts
from mines.layer_questions import RidgeHint, along_ridges, zones_met
from mines.models import Holder, Mine
from plans.area_facts import AreaBasis, area_facts
from plans.models import Disposition, MergedArea, PlanVersion, Target
from plans.site_checks import checks_of
from plans.survey import boundary_of, survey
from standards import facts
from standards.placing import open_ordinary
from standards.rulebook import InForce, Rulebook
from standards.terms import Disposition as Kind
from standards.terms import MineState, ScaleUnit

# The materials that 四(二)3 names to take the place of clay.
CLAY_SUBSTITUTES = ("粉煤灰", "煤矸石")
PILOT = "试点"


@dataclass(frozen=True, slots=True)
class Rows:
    """Hold the rows of one version that facts are made of."""

    registered: list[Mine]
    areas: list[MergedArea]
    by_mine: Mapping[int, Disposition]
    members: Mapping[str, list[Mine]]


def plan_facts(version: PlanVersion, rulebook: Rulebook, *, on: date) -> facts.PlanFacts:
    """Gather all that the rules may ask about a version, in a fixed number of queries."""
    book = rulebook.in_force(on)
    rows = _rows(version)
    county = version.plan.county
    mines = _with_ridges(
        {
            mine.pk: _with_intention(mine, rows.by_mine[mine.pk], version.sheets)
            for mine in rows.registered
            if mine.pk in rows.by_mine
        },
        rows,
        book,
    )
    zones = version.sheets.get("zones", [])
    supplies = version.sheets.get("supplies", [])
    return facts.PlanFacts(
        key=f"{county.code}-{version.plan.round_id}",
        county_code=county.code,
        county_name=county.name,
        registered=tuple(right_facts(mine) for mine in rows.registered),
        keys_in_other_plans=_keys_in_other_plans(version),
        mines=tuple(mines.values()),
        areas=_areas(version, rows, mines, book),
        targets=_targets(county.code, on=on),
        mining_zones=tuple(
            facts.ZoneOfMiningFacts(name=row["name"]) for row in zones if row.get("name")
        ),
        no_mining_zone_reason="；".join(
            row["remark"] for row in zones if row.get("remark") and not row.get("name")
        ),
        sand_demand_wan_t=_total(supplies, "demand_wan_t"),
        sand_supply_wan_t=_total(supplies, "supply_after_wan_t"),
        has_release_plan=any(row.get("release_plan") for row in supplies) if supplies else None,
        clay_substitute=next(iter(_mentions(version.sheets, *CLAY_SUBSTITUTES)), ""),
        pilots=_pilots(version.sheets),
    )


def _rows(version: PlanVersion) -> Rows:
    registered = list(
        Mine.objects.in_scope()
        .filter(county=version.plan.county_id)
        .with_registry_facts()
        .select_related("holder__parent")
        .order_by("registry_no")
    )
    areas = list(version.areas.select_related("mineral").order_by("code"))
    by_mine = {row.mine_id: row for row in version.dispositions.select_related("area")}
    members: dict[str, list[Mine]] = {area.code: [] for area in areas}
    for mine in registered:
        row = by_mine.get(mine.pk)
        if row is not None and row.area is not None:
            members[row.area.code].append(mine)
    return Rows(registered, areas, by_mine, members)


def near_ridges(shapes: Sequence[tuple[str, Any]], book: InForce) -> dict[str, RidgeHint]:
    """Ask the terrain; nothing without a model, or while the rulebook does not say how near."""
    entry = book.find("ridge.near_m")
    near = entry.usable if entry else None
    return along_ridges(shapes, near_m=near, on=book.on) if isinstance(near, Decimal) else {}


def _with_ridges(
    mines: dict[int, facts.MineFacts], rows: Rows, book: InForce
) -> dict[int, facts.MineFacts]:
    """Add what the terrain suggests to the mines that 三(四) concerns and nobody has ruled on."""
    asked = [
        (known.key, boundary.outline)
        for mine in rows.registered
        if (known := mines.get(mine.pk)) is not None
        and known.is_on_ridge is None
        and open_ordinary(known)
        and (boundary := boundary_of(mine)) is not None
    ]
    hints = near_ridges(asked, book)
    return {
        pk: replace(known, ridge_share=hint.share, ridge_source=hint.source)
        if (hint := hints.get(known.key))
        else known
        for pk, known in mines.items()
    }


def _areas(
    version: PlanVersion, rows: Rows, mines: Mapping[int, facts.MineFacts], book: InForce
) -> tuple[facts.AreaFacts, ...]:
    quarries, pillar = book.number("safety.quarry_gap_m"), book.number("safety.pillar_m")
    measured = survey(
        rows.areas,
        rows.members,
        within_m=max(quarries or Decimal(0), pillar or Decimal(0)),
        tolerance_m2=book.number("added.tolerance_m2") or Decimal(0),
    )
    shapes = [(area.code, area.outline) for area in rows.areas if area.outline is not None]
    basis = AreaBasis(
        zones=zones_met(shapes, county_code=version.plan.county_id, on=book.on),
        ridges=near_ridges(shapes, book),
        checks=checks_of(version.plan, rows.areas),
        survey=measured,
        members=rows.members,
        mines=mines,
        kinds={pk: Kind(row.kind) for pk, row in rows.by_mine.items()},
        names={area.code: area for area in rows.areas},
        leads=_leads(rows.areas),
        registered={mine.pk: mine for mine in rows.registered},
        unplaced=_unplaced(rows),
    )
    return tuple(area_facts(area, basis) for area in rows.areas)


def _unplaced(rows: Rows) -> int:
    """Count the working mines outside all mergers that have no boundary at all."""
    merged = {mine.pk for mines in rows.members.values() for mine in mines}
    return sum(
        getattr(mine, "boundary", None) is None
        for mine in rows.registered
        if mine.pk not in merged and mine.state != MineState.CLOSED
    )


def _leads(areas: Sequence[MergedArea]) -> dict[str, Holder]:
    """Return the registered holders by name that lead a merger; a name held twice names nobody."""
    found: dict[str, list[Holder]] = {}
    for holder in Holder.objects.filter(name__in={area.lead_enterprise for area in areas}):
        found.setdefault(holder.name, []).append(holder)
    return {name: holders[0] for name, holders in found.items() if len(holders) == 1}


def _with_intention(mine: Mine, row: Disposition, sheets: Mapping[str, Any]) -> facts.MineFacts:
    """Add to a mine's registry facts what the version intends for it."""
    kind = Kind(row.kind)
    planned = next(
        (
            upgrade["scale_after_wan_t"]
            for upgrade in sheets.get("upgrades", [])
            if upgrade.get("registry_no") == mine.registry_no and upgrade.get("scale_after_wan_t")
        ),
        None,
    )
    return replace(
        mine_facts(mine),
        dispositions=(kind,),
        disposition_reason=row.reason,
        keep_explanation=row.reason if kind is Kind.KEEP else "",
        area_key=row.area.code if row.area is not None else None,
        planned_scale=Decimal(planned) if planned else None,
        planned_scale_unit=ScaleUnit.WAN_T if planned else None,
        rectification_due_on=row.due_on,
    )


def _keys_in_other_plans(version: PlanVersion) -> tuple[str, ...]:
    """Return the county's mines that the newest version of another county's plan names too."""
    newest = PlanVersion.objects.filter(
        plan=OuterRef("version__plan"), state=PlanVersion.State.READ
    ).order_by("-number")
    found = (
        Disposition.objects.filter(
            version__plan__round=version.plan.round_id,
            mine__county=version.plan.county_id,
            version=Subquery(newest.values("pk")[:1]),
        )
        .exclude(version__plan__county=version.plan.county_id)
        .order_by("mine__registry_no")
    )
    return tuple(found.values_list("mine__registry_no", flat=True))


def _targets(county_code: str, *, on: date) -> tuple[facts.TargetFacts, ...] | None:
    """Return the tasks in force, of each batch the newest; None when none were entered."""
    rows = Target.objects.filter(county=county_code, valid_from__lte=on).order_by("valid_from")
    newest = {row.kind: row for row in rows}
    return (
        tuple(
            facts.TargetFacts(
                disposition=Kind(kind),
                number=newest[kind].number,
                source=newest[kind].document_number,
            )
            for kind in sorted(newest)
        )
        or None
    )


def _total(rows: Sequence[Mapping[str, Any]], column: str) -> Decimal | None:
    given = [row[column] for row in rows if row.get(column) is not None]
    return sum((Decimal(str(value)) for value in given), Decimal(0)) if given else None


def _mentions(sheets: Mapping[str, Any], *words: str) -> list[str]:
    """Return the cells of the attached tables that hold one of the words."""
    cells = (
        str(row.get(column) or "")
        for sheet in ("tasks", "upgrades", "zones")
        for row in sheets.get(sheet, [])
        for column in ("task", "content", "name", "remark")
    )
    return [cell for cell in cells if any(word in cell for word in words)]


def _pilots(sheets: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return what the plan calls a pilot; None when it lists no tasks and no zones at all."""
    if not sheets.get("tasks") and not sheets.get("zones"):
        return None
    return tuple(dict.fromkeys(_mentions(sheets, PILOT)))
