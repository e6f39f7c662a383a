"""State one proposed area as facts: what it will be, what it replaces, what lies around it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from mines import boundaries
from mines.facts import area_of, mineral_facts
from mines.layer_questions import RidgeHint
from mines.models import Holder, Mine
from plans.models import MergedArea, SiteCheck
from plans.site_checks import opinion_facts, zone_facts
from plans.survey import AddedPart, Survey, is_drawn_for_show
from standards import facts
from standards.figures import Grade, production_grade, reserve_grade
from standards.terms import (
    Disposition,
    ExtraResource,
    GrantWay,
    Method,
    ScaleClass,
    ScaleUnit,
)

M2_PER_KM2 = Decimal(1_000_000)
LEAVING = (Disposition.CLOSE, Disposition.EXIT)
NOT_NAMED = "方案没有登记的新增地块"
VERTICAL = (ExtraResource.UPPER, ExtraResource.DEEP)


@dataclass(frozen=True, slots=True)
class AreaBasis:
    """Hold what the facts of every area of a version are made from; mines by id, areas by code.

    `unplaced` counts the working mines of the county that no outline can be laid against.
    """

    survey: Survey
    members: Mapping[str, list[Mine]]
    mines: Mapping[int, facts.MineFacts]
    kinds: Mapping[int, Disposition]
    names: Mapping[str, MergedArea]
    leads: Mapping[str, Holder]
    registered: Mapping[int, Mine]
    unplaced: int
    zones: Mapping[str, tuple[facts.ZoneFacts, ...]]
    ridges: Mapping[str, RidgeHint]
    checks: Mapping[str, list[SiteCheck]]


def area_facts(area: MergedArea, basis: AreaBasis) -> facts.AreaFacts:
    """Return the facts of one area; None wherever nothing is known."""
    members = basis.members[area.code]
    unit = ScaleUnit(area.scale_unit) if area.scale_unit else None
    lead = basis.leads.get(area.lead_enterprise)
    old_areas = [known for mine in members if (known := area_of(mine)) is not None]
    old_area = sum(old_areas, Decimal(0)) if members and len(old_areas) == len(members) else None
    new_area = area.area_km2 if area.area_km2 is not None else area.declared_area_km2
    added = basis.survey.added_m2.get(area.code)
    top, bottom = _old_heights(members)
    ridge, checks = basis.ridges.get(area.code), basis.checks.get(area.code, [])
    return facts.AreaFacts(
        key=area.code,
        name=area.name,
        member_keys=tuple(mine.registry_no for mine in members),
        county_codes=_counties(area, members, basis.survey),
        is_new_right=area.is_new_right,
        lead_enterprise=area.lead_enterprise or None,
        lead_key=_lead_key(lead, members),
        holder_usccs=(lead.uscc,) if lead is not None and lead.uscc else None,
        right_count=1,
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
        old_elevation_top_m=top,
        old_elevation_bottom_m=bottom,
        area_km2=new_area,
        old_area_km2=old_area,
        added_area_km2=None if added is None else added / M2_PER_KM2,
        relinquished_area_km2=_relinquished(old_area, new_area, added),
        member_gap_m=boundaries.widest_step(basis.survey.gaps.get(area.code, ())),
        ore_body_ids=tuple(
            sorted({body.code for mine in members for body in mine.ore_bodies.all()})
        ),
        is_on_ridge=area.is_on_ridge,
        ridge_share=ridge.share if ridge else None,
        ridge_source=ridge.source if ridge else "",
        zones=zone_facts(basis.zones.get(area.code), checks),
        opinions=opinion_facts(checks),
        overlaps=_area_overlaps(area, basis, lead),
        neighbours=_neighbours(area, basis, lead),
        extras=tuple(_extras(area, basis, lead)),
    )


# What is there now ------------------------------------------------------------------------------


def _old_heights(members: list[Mine]) -> tuple[Decimal | None, Decimal | None]:
    """Return the highest top and lowest bottom; None unless every member's licence states one."""
    licences = [mine.licence for mine in members]
    tops = [row.elevation_top_m for row in licences if row and row.elevation_top_m is not None]
    bottoms = [
        row.elevation_bottom_m for row in licences if row and row.elevation_bottom_m is not None
    ]
    return (
        max(tops) if tops and len(tops) == len(members) else None,
        min(bottoms) if bottoms and len(bottoms) == len(members) else None,
    )


def _relinquished(
    old: Decimal | None, new: Decimal | None, added_m2: Decimal | None
) -> Decimal | None:
    """Return the old ground that the new outline leaves out, in km² to the published digit."""
    if old is None or new is None or added_m2 is None:
        return None
    left = old - (new - added_m2 / M2_PER_KM2)
    return max(left, Decimal(0)).quantize(Decimal("0.0001"))


def _counties(area: MergedArea, members: list[Mine], survey: Survey) -> tuple[str, ...]:
    """Return the members' counties, and the one in which most of the new outline lies.

    County lines are drawn for show, so that a strip across one says nothing.
    """
    shares = survey.counties.get(area.code, [])
    return tuple(
        sorted({mine.county_id for mine in members} | {share.code for share in shares[:1]})
    )


def _lead_key(lead: Holder | None, members: list[Mine]) -> str | None:
    if lead is None:
        return None
    return next((mine.registry_no for mine in members if mine.holder_id == lead.pk), None)


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


# What lies around -------------------------------------------------------------------------------


def _area_overlaps(
    area: MergedArea, basis: AreaBasis, lead: Holder | None
) -> tuple[facts.OverlapFacts, ...] | None:
    """Return the rights and the plan's other areas that share ground with this one."""
    found = _overlaps(area.code, basis, lead)
    if found is None:
        return None
    others = [
        facts.OverlapFacts(
            key=relation.key,
            name=f"{relation.key} {basis.names[relation.key].name}",
            area_m2=relation.area_m2,
            width_m=relation.width_m,
            same_holder=_same_lead(area, basis.names[relation.key]),
        )
        for relation in basis.survey.among.get(area.code, ())
        if relation.area_m2 > 0
    ]
    return (*found, *others)


def _overlaps(
    key: str, basis: AreaBasis, lead: Holder | None
) -> tuple[facts.OverlapFacts, ...] | None:
    rows = basis.survey.overlaps.get(key)
    if rows is None:
        return None
    found = [
        facts.OverlapFacts(
            key=row.registry_no,
            name=row.name,
            licence_no=row.licence_no or None,
            # A drawn outline shows the place, not how much of it is covered.
            area_m2=None if _drawn(row, basis) else row.area_m2,
            width_m=None if _drawn(row, basis) else row.width_m,
            same_holder=None if lead is None else row.holder_id == lead.pk,
            is_replaced=basis.kinds.get(row.mine_id) is Disposition.MERGE,
            exception=_leaves(row.mine_id, basis),
        )
        for row in rows
    ]
    if basis.unplaced:
        name = f"台账中没有范围坐标的 {basis.unplaced} 座矿山"
        found.append(facts.OverlapFacts(key="", name=name))
    return tuple(found)


def _drawn(row: boundaries.Overlap | boundaries.Neighbour, basis: AreaBasis) -> bool:
    mine = basis.registered.get(row.mine_id)
    return row.is_schematic if mine is None else is_drawn_for_show(mine)


def _leaves(mine_id: int, basis: AreaBasis) -> str:
    kind = basis.kinds.get(mine_id)
    return f"本方案列入{kind.label}的矿山" if kind in LEAVING and kind is not None else ""


def _same_lead(one: MergedArea, other: MergedArea) -> bool | None:
    if not one.lead_enterprise or not other.lead_enterprise:
        return None
    return one.lead_enterprise == other.lead_enterprise


def _neighbours(
    area: MergedArea, basis: AreaBasis, lead: Holder | None
) -> tuple[facts.NeighbourFacts, ...] | None:
    """Return what will be next to the area: rights that stay, and the plan's other areas."""
    rows = basis.survey.neighbours.get(area.code)
    if rows is None:
        return None
    going = (*LEAVING, Disposition.MERGE)
    found = [
        facts.NeighbourFacts(
            key=row.registry_no,
            name=row.name,
            distance_m=None if _drawn(row, basis) else row.distance_m,
            method=Method(row.method) if row.method else None,
            same_holder=None if lead is None else row.holder_id == lead.pk,
        )
        for row in rows
        if basis.kinds.get(row.mine_id) not in going
    ]
    found += [
        facts.NeighbourFacts(
            key=relation.key,
            name=f"{relation.key} {basis.names[relation.key].name}",
            distance_m=relation.distance_m,
            method=Method(method) if (method := basis.names[relation.key].method) else None,
            same_holder=_same_lead(area, basis.names[relation.key]),
        )
        for relation in basis.survey.among.get(area.code, ())
    ]
    return tuple(found)


# What is added ----------------------------------------------------------------------------------


def _extras(area: MergedArea, basis: AreaBasis, lead: Holder | None) -> list[facts.ExtraFacts]:
    """Set the kinds of added resource that the plan names beside the ground it really adds.

    Each gap between two members is a piece of its own. Ground of a kind that the plan does not
    name is a piece without a kind.
    """
    named = [ExtraResource(kind) for kind in area.extra_kinds]
    parts = basis.survey.parts.get(area.code)
    if parts is None:
        return [_extra(area, kind, f"{area.code}-{kind}", kind.label) for kind in named]
    found = []
    for part in parts:
        kind = ExtraResource.GAP if part.sides else ExtraResource.PERIPHERY
        found.append(_measured(area, part, kind if kind in named else None, basis, lead))
    gaps, around = [part for part in parts if part.sides], [p for p in parts if not p.sides]
    for kind in named:
        if kind is ExtraResource.GAP and not gaps:
            place = False if around else None
            found.append(_extra(area, kind, f"{area.code}-{kind}", kind.label, between=place))
        elif kind in VERTICAL or (kind is ExtraResource.PERIPHERY and not around):
            found.append(_extra(area, kind, f"{area.code}-{kind}", kind.label))
    return found


def _extra(
    area: MergedArea,
    kind: ExtraResource,
    key: str,
    label: str,
    *,
    between: bool | None = None,
) -> facts.ExtraFacts:
    return facts.ExtraFacts(
        key=key,
        name=f"{area.name}{label}资源",
        kind=kind,
        reason=area.extra_reason,
        is_between_members=between,
        way=GrantWay(area.grant_way) if area.grant_way else None,
    )


def _measured(
    area: MergedArea,
    part: AddedPart,
    kind: ExtraResource | None,
    basis: AreaBasis,
    lead: Holder | None,
) -> facts.ExtraFacts:
    sides = [basis.registered[pk] for pk in part.sides or ()]
    place = "与".join(mine.name for mine in sides) + "之间" if sides else "周边"
    return facts.ExtraFacts(
        key=part.key,
        name=f"{area.code} {place}新增地块",
        kind=kind,
        kind_text="" if kind else NOT_NAMED,
        area_m2=part.area_m2,
        reason=area.extra_reason,
        overlaps=_overlaps(part.key, basis, lead),
        way=GrantWay(area.grant_way) if area.grant_way else None,
        is_between_members=bool(sides),
        distance_m=_distance(area.code, part, basis.survey),
        sides=tuple(_side(mine, basis.mines[mine.pk]) for mine in sides),
        ownership_share=_tie(sides[0].holder, sides[1].holder) if len(sides) == 2 else None,
    )


def _distance(code: str, part: AddedPart, survey: Survey) -> Decimal | None:
    return next(
        (
            gap.distance_m
            for gap in survey.gaps.get(code, ())
            if part.sides == (gap.first_id, gap.second_id)
        ),
        None,
    )


def _side(mine: Mine, known: facts.MineFacts) -> facts.SideFacts:
    return facts.SideFacts(
        key=mine.registry_no,
        name=mine.name,
        holder_uscc=mine.holder.uscc or None,
        holder_name=mine.holder.name,
        reserve_class=_sure(reserve_grade(known)),
        production_class=_sure(production_grade(known)),
    )


def _sure(grade: Grade) -> ScaleClass | None:
    return None if grade.doubtful else grade.size


def _tie(one: Holder, other: Holder) -> Decimal | None:
    """Return the share by which one holder owns the other, or a third one both (四(二)4)."""
    if one.parent_id == other.pk:
        return one.parent_share
    if other.parent_id == one.pk:
        return other.parent_share
    if one.parent_id is None or one.parent_id != other.parent_id:
        return None
    if one.parent_share is None or other.parent_share is None:
        return None
    return min(one.parent_share, other.parent_share)
