"""State registry rows as the facts that the standards judge.

Reads prefetched rows only (`Mine.objects.with_registry_facts()`), never the database.
"""

from collections.abc import Iterable
from decimal import Decimal

from mines.models import Licence, Mine, Mineral, ProductionSystem, Stock, StockClass
from standards.facts import AcceptanceFacts, MineFacts, MineralFacts, RightFacts, SystemFacts
from standards.figures import convert
from standards.minerals import read_mineral
from standards.terms import AcceptanceConclusion, Method, MineState, ScaleUnit

# A mineral without a row in the national tables is 其他矿种 with unknown classes.
UNKNOWN_MINERAL = {
    "seed_rule_key": None,
    "is_ordinary_sand_stone": False,
    "is_metal": False,
    "is_quarry_stone": False,
    "is_clay": False,
    "reserve": None,
    "production": None,
}
STOCK_UNITS = {"万吨": ScaleUnit.WAN_T, "万立方米": ScaleUnit.WAN_M3}


def mineral_facts(mineral: Mineral) -> MineralFacts:
    """Return the mineral with its flags and class tables; read once for each row object."""
    known: MineralFacts | None = mineral.__dict__.get("_as_facts")
    if known is None:
        known = read_mineral(
            {**UNKNOWN_MINERAL, **mineral.facts, "code": mineral.code, "name": mineral.name}
        )
        mineral.__dict__["_as_facts"] = known
    return known


def right_facts(mine: Mine) -> RightFacts:
    """Return what identifies the right of a registered mine."""
    licence = mine.licence
    return RightFacts(
        key=mine.registry_no,
        name=mine.name,
        county_code=mine.county_id,
        licence_no=licence.number if licence else None,
        licence_valid_to=licence.valid_to if licence else None,
        mineral=mineral_facts(mine.mineral),
        holder_uscc=mine.holder.uscc or None,
        holder_name=mine.holder.name,
        ore_body_ids=_ore_bodies(mine),
    )


def mine_facts(mine: Mine) -> MineFacts:
    """Return a registered mine as it stands, before any plan; its key is the registry number.

    Recoverable ore is 万吨. Stocks follow in 万吨 when a density allows it; a class in a unit that
    cannot be brought to the others' is left out, so that it reads as unknown.
    """
    licence = mine.licence
    unit, stocks = _stocks(mine.stocks.all(), mine)
    return MineFacts(
        key=mine.registry_no,
        name=mine.name,
        county_code=mine.county_id,
        # Without a licence row nobody has looked yet; that is not the same as having none.
        is_licensed=True if licence else None,
        licence_no=licence.number if licence else None,
        licence_valid_from=licence.valid_from if licence else None,
        licence_valid_to=licence.valid_to if licence else None,
        holder_uscc=mine.holder.uscc or None,
        holder_name=mine.holder.name,
        mineral=mineral_facts(mine.mineral),
        method=method_of(mine),
        state=MineState(mine.state) if mine.state else None,
        systems=tuple(_system(system) for system in mine.systems.all()),
        licensed_scale=licence.scale if licence else None,
        licensed_scale_unit=_unit(licence),
        density=mine.density,
        area_km2=area_of(mine),
        stock_unit=unit,
        recoverable=mine.recoverable,
        measured=stocks.get(StockClass.MEASURED),
        indicated=stocks.get(StockClass.INDICATED),
        inferred=stocks.get(StockClass.INFERRED),
        proved=stocks.get(StockClass.PROVED),
        probable=stocks.get(StockClass.PROBABLE),
        service_life_years=mine.service_life_years,
        life_includes_construction=mine.life_includes_construction,
        construction_years=mine.construction_years,
        ore_body_ids=_ore_bodies(mine),
        is_on_ridge=mine.is_on_ridge,
        last_production_on=mine.last_production_on,
        suspended_since=mine.suspended_since,
        # A blank number has not been looked up yet; it does not say that there is none.
        safety_licence_no=mine.safety_licence_no or None,
        safety_licence_valid_to=mine.safety_licence_valid_to,
        acceptance=_acceptance(mine),
    )


def method_of(mine: Mine) -> Method | None:
    """Return how the mine is dug, or None when the registry does not say."""
    return Method(mine.method) if mine.method else None


def area_of(mine: Mine) -> Decimal | None:
    """Return the computed area in km²; a drawn outline says nothing about the real one."""
    boundary = getattr(mine, "boundary", None)
    if boundary is not None and not boundary.is_schematic:
        computed: Decimal = boundary.area_km2
        return computed
    licence = mine.licence
    return licence.area_km2 if licence else None


def _ore_bodies(mine: Mine) -> tuple[str, ...]:
    return tuple(body.code for body in mine.ore_bodies.all())


def _unit(licence: Licence | None) -> ScaleUnit | None:
    return ScaleUnit(licence.scale_unit) if licence and licence.scale_unit else None


def _system(system: ProductionSystem) -> SystemFacts:
    """Read a system; the design scale is the one figure that the registry keeps for it."""
    return SystemFacts(
        name=system.name,
        method=Method(system.method) if system.method else None,
        scale=system.design_scale,
        unit=ScaleUnit(system.unit) if system.unit else None,
    )


def _stocks(rows: Iterable[Stock], mine: Mine) -> tuple[ScaleUnit, dict[str, Decimal]]:
    known = [(row, STOCK_UNITS[row.unit]) for row in rows if row.unit in STOCK_UNITS]
    only_volumes = bool(known) and all(unit is ScaleUnit.WAN_M3 for _, unit in known)
    wanted = ScaleUnit.WAN_M3 if only_volumes and mine.recoverable is None else ScaleUnit.WAN_T
    found = {}
    for row, unit in known:
        amount = convert(row.amount, unit, mine.density, wanted)
        if amount is not None:
            found[row.stock_class] = amount
    return wanted, found


def _acceptance(mine: Mine) -> AcceptanceFacts | None:
    if not mine.accepted_on and not mine.acceptance:
        return None
    conclusion = (
        AcceptanceConclusion(mine.acceptance)
        if mine.acceptance in list(AcceptanceConclusion)
        else None
    )
    return AcceptanceFacts(conclusion=conclusion, accepted_on=mine.accepted_on)
