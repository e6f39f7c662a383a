"""Derive the figures that several rules share: tonnes, service life, size classes.

Every function answers None where an input is missing or makes no sense, and never raises.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from standards.facts import AreaFacts, ClassRow, MineFacts, SystemFacts
from standards.rules import Case, Site
from standards.terms import Method, ScaleClass, ScaleUnit

ORDER = {ScaleClass.SMALL: 0, ScaleClass.MEDIUM: 1, ScaleClass.LARGE: 2}
OPEN_METHODS = frozenset({Method.OPEN_PIT, Method.COMBINED})
# One 亿 is 10,000 万.
WAN_PER_YI = Decimal(10000)
# 矿石万吨 or 矿石万立方米: which unit of mass or volume a table row counts ore in.
ORE_UNITS = {
    "矿石万吨": (ScaleUnit.WAN_T, Decimal(1)),
    "矿石亿吨": (ScaleUnit.WAN_T, WAN_PER_YI),
    "矿石万立方米": (ScaleUnit.WAN_M3, Decimal(1)),
    "矿石亿立方米": (ScaleUnit.WAN_M3, WAN_PER_YI),
}


def convert(
    amount: Decimal | None,
    unit: ScaleUnit | None,
    density: Decimal | None,
    wanted: ScaleUnit = ScaleUnit.WAN_T,
) -> Decimal | None:
    """Convert between 万吨 and 万立方米 with a density in t/m³."""
    if amount is None or unit is None:
        return None
    if unit is wanted:
        return amount
    if density is None or density <= 0:
        return None
    return amount * density if wanted is ScaleUnit.WAN_T else amount / density


def systems_of(site: Site) -> tuple[SystemFacts, ...]:
    """Return the production systems, one that stands for the whole site when none is listed."""
    return site.systems or (whole_site(site),)


def whole_site(site: Site) -> SystemFacts:
    """Read the site's own figures as one production system."""
    if isinstance(site, MineFacts):
        return SystemFacts(
            method=site.method,
            scale=site.licensed_scale,
            unit=site.licensed_scale_unit,
            density=site.density,
        )
    return SystemFacts(
        method=site.method, scale=site.scale, unit=site.scale_unit, density=site.density
    )


def system_scale(
    site: Site, system: SystemFacts, wanted: ScaleUnit = ScaleUnit.WAN_T
) -> Decimal | None:
    """Return a system's yearly scale; its site's density helps where it has none."""
    return convert(system.scale, system.unit, system.density or site.density, wanted)


def stated_scales(site: Site) -> tuple[tuple[str, Decimal | None, ScaleUnit | None], ...]:
    """Return the site's own scale figures as (label, amount, unit), given ones only."""
    if isinstance(site, AreaFacts):
        return () if site.scale is None else (("初定生产规模", site.scale, site.scale_unit),)
    pairs = (
        ("证载生产规模", site.licensed_scale, site.licensed_scale_unit),
        ("设计生产规模", site.design_scale, site.design_scale_unit),
    )
    return tuple(pair for pair in pairs if pair[1] is not None)


def yearly_scales(site: Site, wanted: ScaleUnit = ScaleUnit.WAN_T) -> list[Decimal]:
    """Return the usable figures for the yearly scale of the whole site, the best one first.

    The design fixes what a mine may really raise, so it goes before the licence, and the sum over
    the systems comes last.
    """
    found = [
        scale
        for _, amount, unit in reversed(stated_scales(site))
        if (scale := convert(amount, unit, site.density, wanted)) is not None
    ]
    parts = [system_scale(site, system, wanted) for system in site.systems]
    known = [part for part in parts if part is not None]
    if known and len(known) == len(parts):
        found.append(sum(known, Decimal(0)))
    return list(dict.fromkeys(found))


def yearly_scale(site: Site, wanted: ScaleUnit = ScaleUnit.WAN_T) -> Decimal | None:
    """Return the best figure for the yearly scale of the whole site."""
    return next(iter(yearly_scales(site, wanted)), None)


# Service life ----------------------------------------------------------------------------------


def recoverable_ores(site: Site) -> list[Decimal]:
    """Return the usable figures for recoverable ore in 万吨: as stated, proved plus probable."""
    reserve = None
    if site.proved is not None and site.probable is not None:
        reserve = site.proved + site.probable
    ores = (convert(ore, site.stock_unit, site.density) for ore in (site.recoverable, reserve))
    return [ore for ore in ores if ore is not None]


def recoverable_ore(site: Site) -> Decimal | None:
    """Return the best figure for recoverable ore in 万吨."""
    return next(iter(recoverable_ores(site)), None)


def minable_resource(site: Site, inferred_factor: Decimal | None) -> Decimal | None:
    """Estimate recoverable ore in 万吨 from resource classes; inferred counts by a factor."""
    known = (site.measured, site.indicated, site.inferred)
    if inferred_factor is None or site.recovery_rate is None or None in known:
        return None
    measured, indicated, inferred = (amount or Decimal(0) for amount in known)
    left = measured + indicated + inferred * inferred_factor - (site.design_loss or Decimal(0))
    return convert(max(left, Decimal(0)) * site.recovery_rate, site.stock_unit, site.density)


@dataclass(frozen=True, slots=True)
class Span:
    """Bound a service life in years; a bound of None is open."""

    least: Decimal | None
    most: Decimal | None


UNKNOWN = Span(None, None)


def computed_lives(site: Site) -> list[Span]:
    """Compute the service life from every usable pair of ore and scale, the best pair first."""
    return [
        span
        for ore in recoverable_ores(site)
        for scale in yearly_scales(site)
        if (span := life_from_ore(site, ore, scale)) is not UNKNOWN
    ]


def life_from_ore(site: Site, ore: Decimal | None, scale: Decimal | None) -> Span:
    """Compute Q / A, with dilution for metals and a spare factor for the rest.

    A metal's life without a dilution rate is known from below only, since dilution lengthens it.
    """
    if ore is None or scale is None or scale <= 0 or ore < 0:
        return UNKNOWN
    years = ore / scale
    dilution = site.dilution_rate
    if dilution is not None and 0 <= dilution < 1 and (site.mineral is None or metal(site)):
        years = years / (1 - dilution)
        return Span(years, years)
    if site.mineral is None or metal(site):
        return Span(years, None)
    if site.spare_factor is not None and site.spare_factor >= 1:
        years = years / site.spare_factor
    return Span(years, years)


def metal(site: Site) -> bool:
    """Say whether the site digs a metal ore."""
    return site.mineral is not None and site.mineral.is_metal


def stated_life(site: Site) -> Span:
    """Bound the stated life without the construction period, as far as the document says."""
    years = site.service_life_years
    if years is None or years < 0:
        return UNKNOWN
    building = site.construction_years
    if building is not None and building < 0:
        building = None
    if site.life_includes_construction is False:
        return Span(years, years)
    without = None if building is None else max(years - building, Decimal(0))
    if site.life_includes_construction:
        return Span(without, years if without is None else without)
    return Span(without, years)


def service_life(site: Site) -> Decimal | None:
    """Return the life in years when it is exactly known, stated before computed."""
    for span in (stated_life(site), *computed_lives(site)):
        if span.least is not None and span.least == span.most:
            return span.least
    return None


# Size classes ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Grade:
    """Hold a size class with the amount, unit and row it was read from.

    `doubtful` marks a row of the national tables that is superseded or known by hearsay, a class
    that the plan itself states to be smaller, and scale figures that differ in class.
    """

    size: ScaleClass | None
    amount: Decimal | None = None
    unit: str = ""
    row: ClassRow | None = None
    doubtful: bool = False


NOT_GRADED = Grade(None)


def grade(amount: Decimal, row: ClassRow) -> Grade:
    """Read the class of an amount from a row; the limits belong to the higher class."""
    doubtful = row.confidence == "hearsay"
    if row.large is not None and amount >= row.large:
        return Grade(ScaleClass.LARGE, amount, row.unit, row, doubtful)
    if row.medium is None:
        return Grade(None, amount, row.unit, row, doubtful)
    size = ScaleClass.MEDIUM if amount >= row.medium else ScaleClass.SMALL
    return Grade(size, amount, row.unit, row, doubtful)


def production_grade(site: Site) -> Grade:
    """Grade the yearly scale; a class stated in the plan stands in for a missing figure."""
    rows = _production_rows(site)
    return _settle([_production_by_row(site, row) for row in rows], site.production_class)


def _production_rows(site: Site) -> tuple[ClassRow, ...]:
    mineral = site.mineral
    if mineral is None or mineral.production is None:
        return ()
    if mineral.production_open_pit is None or site.method is Method.UNDERGROUND:
        return (mineral.production,)
    if site.method in OPEN_METHODS:
        return (mineral.production_open_pit,)
    return (mineral.production, mineral.production_open_pit)


def _production_by_row(site: Site, row: ClassRow) -> Grade:
    unit = next((unit for unit in ScaleUnit if unit.label == row.unit), None)
    grades = [] if unit is None else [grade(scale, row) for scale in yearly_scales(site, unit)]
    if not grades:
        return NOT_GRADED
    # Licence, design and the sum of the systems may fall into different classes.
    same = len({found.size for found in grades}) == 1
    return grades[0] if same else replace(grades[0], doubtful=True)


def _settle(grades: list[Grade], stated: ScaleClass | None) -> Grade:
    """Return the class on which all rows in question agree, else the one the plan states.

    Two rows are in question where the method or the richness of an iron ore is not known.
    """
    sizes = {found.size for found in grades}
    if len(sizes) != 1 or None in sizes:
        return Grade(stated) if stated else NOT_GRADED
    found = grades[0]
    if stated and found.size and ORDER[stated] < ORDER[found.size]:
        return replace(found, doubtful=True)
    return found


def reserve_grade(site: Site) -> Grade:
    """Grade the deposit; a class stated in the plan stands in for a missing figure."""
    rows = _reserve_rows(site)
    return _settle([_reserve_by_row(site, row) for row in rows], site.reserve_class)


def _reserve_rows(site: Site) -> tuple[ClassRow, ...]:
    mineral = site.mineral
    if mineral is None or mineral.reserve is None:
        return ()
    if mineral.reserve_rich is None or site.is_rich_ore is False:
        return (mineral.reserve,)
    if site.is_rich_ore:
        return (mineral.reserve_rich,)
    return (mineral.reserve, mineral.reserve_rich)


def _reserve_by_row(site: Site, row: ClassRow) -> Grade:
    amount = deposit_stock(site, row.unit)
    return NOT_GRADED if amount is None else grade(amount, row)


def deposit_stock(site: Site, unit: str) -> Decimal | None:
    """Return the deposit's stock in a table unit: as stated, or the sum of the resources."""
    if site.deposit_stock is not None:
        if site.deposit_stock_unit == unit:
            return site.deposit_stock
        found = _ore_in(site.deposit_stock, site.deposit_stock_unit or "", unit, site.density)
        if found is not None:
            return found
    known = (site.measured, site.indicated, site.inferred)
    if unit not in ORE_UNITS or None in known:
        return None
    wanted, size = ORE_UNITS[unit]
    total = sum((amount or Decimal(0) for amount in known), Decimal(0))
    ore = convert(total, site.stock_unit, site.density, wanted)
    return None if ore is None else ore / size


def _ore_in(amount: Decimal, given: str, unit: str, density: Decimal | None) -> Decimal | None:
    if given not in ORE_UNITS or unit not in ORE_UNITS:
        return None
    given_unit, given_size = ORE_UNITS[given]
    wanted, size = ORE_UNITS[unit]
    ore = convert(amount * given_size, given_unit, density, wanted)
    return None if ore is None else ore / size


def at_least_medium(size: ScaleClass | None) -> bool | None:
    """Say whether a class is 中型及以上; None when it is unknown."""
    return None if size is None else ORDER[size] >= ORDER[ScaleClass.MEDIUM]


def is_open_quarry(site: Site) -> bool | None:
    """Say whether a site is an 露天采石场; a person's ruling goes before mineral and method."""
    if site.is_quarry is not None:
        return site.is_quarry
    if site.mineral is None:
        return None
    if site.mineral.minimum_key != "quarry":
        return False
    return None if site.method is None else site.method in OPEN_METHODS


def usual_life(case: Case, size: ScaleClass | None) -> Decimal | None:
    """Return the life beyond which a mine of this class digs its deposit too slowly."""
    return None if size is None else case.number(f"life.term_{size.value}")
