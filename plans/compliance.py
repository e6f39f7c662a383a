"""Check a plan version against the standards: rows to facts, findings to rows."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q

from mines import boundaries
from mines.facts import mine_facts, mineral_facts, right_facts
from mines.models import Mine
from mines.rulebook import current_rulebook
from plans.models import CheckRun, Finding, MergedArea, PlanVersion
from standards import facts, findings
from standards.rulebook import Rulebook
from standards.run import Progress, check
from standards.terms import Disposition, ExtraResource, GrantWay, Method, ScaleUnit, Verdict

# A plan that leaves a registered mine out, or gives one two fates, is no plan yet.
PLAN_RULES_THAT_BLOCK = ("S-A01", "S-A03")


def what_blocks_submission(version: PlanVersion) -> list[str]:
    """Return the reasons why a version may not be submitted, as clauses of a sentence."""
    if version.state == PlanVersion.State.RECEIVED:
        return [f"第{version.number}版还在读入和检查，请等它完成"]
    if version.state == PlanVersion.State.REFUSED:
        return [f"第{version.number}版有 {len(version.errors)} 处错误，请改正后重新上传"]
    run = version.check_runs.first()
    if run is None:
        return [f"第{version.number}版还没有完成标准检查"]
    blocking = run.findings.filter(
        Q(rule__in=PLAN_RULES_THAT_BLOCK) | Q(area__isnull=False), verdict=Verdict.FAIL
    )
    return [f"{row.subject_name}：{row.message.rstrip('。')}" for row in blocking[:5]]


def plan_facts(version: PlanVersion, rulebook: Rulebook, *, on: date) -> facts.PlanFacts:
    """Gather all that the rules may ask about a version, in a fixed number of queries."""
    county = version.plan.county
    registered = list(
        Mine.objects.in_scope().filter(county=county).with_registry_facts().order_by("registry_no")
    )
    areas = list(version.areas.select_related("mineral").order_by("code"))
    rows = list(version.dispositions.select_related("area"))
    by_mine = {row.mine_id: row for row in rows}
    named = [mine for mine in registered if mine.pk in by_mine]
    members: dict[str, list[Mine]] = {area.code: [] for area in areas}
    for mine in named:
        area = by_mine[mine.pk].area
        if area is not None:
            members[area.code].append(mine)
    overlaps = _overlaps(areas, members, rulebook, on=on)
    return facts.PlanFacts(
        key=f"{county.code}-{version.plan.round_id}",
        county_code=county.code,
        county_name=county.name,
        registered=tuple(right_facts(mine) for mine in registered),
        mines=tuple(_with_intention(mine, by_mine[mine.pk]) for mine in named),
        areas=tuple(
            _area_facts(area, members[area.code], overlaps.get(area.code)) for area in areas
        ),
        sand_demand_wan_t=_total(version, "supplies", "demand_wan_t"),
        sand_supply_wan_t=_total(version, "supplies", "supply_after_wan_t"),
    )


def _total(version: PlanVersion, sheet: str, column: str) -> Decimal | None:
    given = [row[column] for row in version.sheets.get(sheet, []) if row.get(column) is not None]
    return sum((Decimal(str(value)) for value in given), Decimal(0)) if given else None


def _with_intention(mine: Mine, row: Any) -> facts.MineFacts:
    """Add to a mine's registry facts what the version intends for it."""
    return replace(
        mine_facts(mine),
        dispositions=(Disposition(row.kind),),
        disposition_reason=row.reason,
        area_key=row.area.code if row.area is not None else None,
        rectification_due_on=row.due_on,
    )


def _overlaps(
    areas: Iterable[MergedArea],
    members: Mapping[str, list[Mine]],
    rulebook: Rulebook,
    *,
    on: date,
) -> dict[str, tuple[facts.OverlapFacts, ...]]:
    """Ask PostGIS once which other rights the areas cover; members' own rights do not count."""
    shapes = [(area.code, area.outline) for area in areas if area.outline is not None]
    if not shapes:
        return {}
    tolerance = rulebook.in_force(on).number("overlap.tolerance_m2") or Decimal(0)
    found = boundaries.overlaps(
        shapes,
        ignoring={code: {mine.pk for mine in mines} for code, mines in members.items()},
        tolerance_m2=tolerance,
    )
    return {
        code: tuple(
            facts.OverlapFacts(
                key=each.registry_no,
                name=each.name,
                licence_no=each.licence_no or None,
                area_m2=each.area_m2,
            )
            for each in found.get(code, ())
        )
        for code, _ in shapes
    }


def _area_facts(
    area: MergedArea,
    members: list[Mine],
    overlaps: tuple[facts.OverlapFacts, ...] | None,
) -> facts.AreaFacts:
    unit = ScaleUnit(area.scale_unit) if area.scale_unit else None
    licences = [mine.licence for mine in members]
    tops = [row.elevation_top_m for row in licences if row and row.elevation_top_m is not None]
    bottoms = [
        row.elevation_bottom_m for row in licences if row and row.elevation_bottom_m is not None
    ]
    outlines = [mine.boundary for mine in members if hasattr(mine, "boundary")]
    return facts.AreaFacts(
        key=area.code,
        name=area.name,
        member_keys=tuple(mine.registry_no for mine in members),
        county_codes=tuple(sorted({mine.county_id for mine in members})),
        is_new_right=area.is_new_right,
        lead_enterprise=area.lead_enterprise or None,
        mineral=mineral_facts(area.mineral) if area.mineral else None,
        method=Method(area.method) if area.method else None,
        systems=_systems(area, unit),
        scale=area.scale,
        scale_unit=unit,
        density=area.density,
        stock_unit=ScaleUnit.WAN_T,
        measured=_stock(area, "measured"),
        indicated=_stock(area, "indicated"),
        inferred=_stock(area, "inferred"),
        recoverable=area.recoverable,
        service_life_years=area.service_life_years,
        life_includes_construction=area.life_includes_construction,
        construction_years=area.construction_years,
        has_boundary=area.outline is not None,
        elevation_top_m=area.elevation_top_m,
        elevation_bottom_m=area.elevation_bottom_m,
        old_elevation_top_m=max(tops, default=None),
        old_elevation_bottom_m=min(bottoms, default=None),
        area_km2=area.area_km2 if area.area_km2 is not None else area.declared_area_km2,
        old_area_km2=(
            sum((row.area_km2 for row in outlines), Decimal(0))
            if outlines and len(outlines) == len(members)
            else None
        ),
        ore_body_ids=tuple(
            sorted({body.code for mine in members for body in mine.ore_bodies.all()})
        ),
        is_on_ridge=area.is_on_ridge,
        overlaps=overlaps,
        extras=_extras(area),
    )


def _systems(area: MergedArea, unit: ScaleUnit | None) -> tuple[facts.SystemFacts, ...]:
    return tuple(
        facts.SystemFacts(
            name=row["name"] or "",
            method=Method(row["method"]) if row.get("method") else None,
            scale=Decimal(row["scale"]) if row.get("scale") else None,
            unit=unit,
            density=area.density,
        )
        for row in area.systems
    )


def _stock(area: MergedArea, key: str) -> Decimal | None:
    value = area.stocks.get(key)
    return None if value is None else Decimal(value)


def _extras(area: MergedArea) -> tuple[facts.ExtraFacts, ...]:
    return tuple(
        facts.ExtraFacts(
            key=f"{area.code}-{kind}",
            name=f"{area.name}{ExtraResource(kind).label}资源",
            kind=ExtraResource(kind),
            reason=area.extra_reason,
            way=GrantWay(area.grant_way) if area.grant_way else None,
        )
        for kind in area.extra_kinds
    )


def find(
    version: PlanVersion, *, on: date, progress: Progress | None = None
) -> list[findings.Finding]:
    """Run every rule on a version and return what they found; writes nothing."""
    rulebook = current_rulebook()
    return list(check(plan_facts(version, rulebook, on=on), rulebook, on=on, progress=progress))


def save_run(
    version: PlanVersion, found: list[findings.Finding], *, job: Any, on: date
) -> CheckRun:
    """Store one run with its findings; earlier runs stay as they are."""
    counts = Counter(each.verdict.value for each in found)
    run = CheckRun.objects.create(
        version=version,
        job=job,
        rulebook_version=current_rulebook().version,
        checked_on=on,
        counts={verdict.value: counts.get(verdict.value, 0) for verdict in Verdict},
    )
    keys = {each.mine_key for each in found if each.mine_key}
    mine_ids = dict(Mine.objects.filter(registry_no__in=keys).values_list("registry_no", "pk"))
    area_ids = dict(version.areas.values_list("code", "pk"))
    Finding.objects.bulk_create(
        (_finding_row(run, each, mine_ids, area_ids) for each in found), batch_size=1000
    )
    return run


def _finding_row(
    run: CheckRun,
    found: findings.Finding,
    mine_ids: Mapping[str, int],
    area_ids: Mapping[str, int],
) -> Finding:
    return Finding(
        run=run,
        rule=found.rule,
        rule_version=found.rule_version,
        phase=found.phase,
        subject_kind=found.subject_kind,
        subject_key=found.subject_key,
        subject_name=found.subject_name[:120],
        mine_id=mine_ids.get(found.mine_key),
        area_id=area_ids.get(found.area_key),
        verdict=found.verdict,
        message=found.message,
        figures=[
            {"label": row.label, "value": row.value, "unit": row.unit, "source": row.source}
            for row in found.figures
        ],
        would_pass=found.would_pass,
        clause=found.clause,
        quote=found.quote,
    )
