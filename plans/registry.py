"""Show registry and rulebook as the plan workbook needs them, and make the county's template."""

import hashlib
from decimal import Decimal

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac

from mines.models import Mine, Mineral, StockClass
from plans.models import CountyPlan
from plans.workbook import SERVICE_LIFE, write_template
from plans.workbook_rows import ParsedPlan, TemplateMine
from rulebook.current import current_rulebook
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


def template_key() -> bytes:
    """Return the key that signs the hidden sheet of our templates, and nothing else."""
    return salted_hmac("plans.workbook", "template", algorithm="sha256").digest()


def template_thresholds() -> dict[str, Decimal]:
    """Return today's least scales by mineral name in 万吨/年, and the least service life in years.

    A quarry's scale holds for open pits only, so its key names the method too (四(二)2).
    """
    book = current_rulebook().in_force(timezone.localdate())
    found = {SERVICE_LIFE: book.number("life.min_years")}
    for mineral in Mineral.objects.all():
        rule = mineral.facts.get("seed_rule_key")
        if rule:
            name = f"{mineral.name}|{Method.OPEN_PIT.label}" if rule == "quarry" else mineral.name
            found[name] = book.number(f"scale.min.{rule}")
    return {name: value for name, value in found.items() if value is not None}


def make_template(plan: CountyPlan, *, prefill: ParsedPlan | None = None) -> bytes:
    """Make the workbook that the plan's county fills in, with its registered mines locked in.

    `prefill` holds what is filled in already.
    """
    mines = registry_of(plan.county_id)
    return write_template(
        county_code=plan.county_id,
        county_name=plan.county.name,
        round_name=plan.round.name,
        mines=mines,
        thresholds=template_thresholds(),
        registry_version=registry_version(mines),
        signing_key=template_key(),
        minerals=list(Mineral.objects.values_list("name", flat=True)),
        prefill=prefill,
        demo=settings.DEMO,
    )


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
