"""Show the registry as the plan workbook needs it, with a mark of its state."""

import hashlib
from decimal import Decimal

from mines.models import Mine, StockClass
from plans.workbook_rows import TemplateMine
from standards.terms import Method, MineState, ScaleUnit


def registry_of(county_code: str) -> list[TemplateMine]:
    """Return the county's registered mines in registry order, in a fixed number of queries."""
    mines = (
        Mine.objects.in_scope()
        .filter(county_id=county_code)
        .with_registry_facts()
        .order_by("registry_no")
    )
    return [_template_mine(mine) for mine in mines]


def registry_version(rows: list[TemplateMine]) -> str:
    """Return a short mark that changes whenever a fact the template shows changes."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(repr(row).encode())
    return digest.hexdigest()[:16]


def _template_mine(mine: Mine) -> TemplateMine:
    licence = mine.licence
    stocks = {row.stock_class: row.amount for row in mine.stocks.all()}
    systems = list(mine.systems.all())
    units = {row.unit for row in systems if row.design_scale is not None}
    unit = licence.scale_unit if licence and licence.scale_unit else "".join(sorted(units)[:1])
    design = (
        sum((row.design_scale or Decimal(0) for row in systems), Decimal(0))
        if len(units) == 1
        else None
    )
    boundary = getattr(mine, "boundary", None)
    area = licence.area_km2 if licence else None
    return TemplateMine(
        registry_no=mine.registry_no,
        township=mine.township,
        name=mine.name,
        holder=mine.holder.name,
        holder_uscc=mine.holder.uscc,
        licence_no=licence.number if licence else "",
        licence_valid_from=licence.valid_from if licence else None,
        licence_valid_to=licence.valid_to if licence else None,
        mineral=mine.mineral.name,
        method=Method(mine.method) if mine.method else None,
        area_km2=area if area is not None else (boundary.area_km2 if boundary else None),
        elevation_top_m=licence.elevation_top_m if licence else None,
        elevation_bottom_m=licence.elevation_bottom_m if licence else None,
        licensed_scale=licence.scale if licence else None,
        scale_unit=ScaleUnit(unit) if unit else None,
        design_scale=design or None,
        systems_count=len(systems) or None,
        measured_wan_t=stocks.get(StockClass.MEASURED),
        indicated_wan_t=stocks.get(StockClass.INDICATED),
        inferred_wan_t=stocks.get(StockClass.INFERRED),
        service_life_years=mine.service_life_years,
        state=MineState(mine.state) if mine.state else None,
    )
