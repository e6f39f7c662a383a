"""Read a county's registry in the canonical text that workbooks are compared in."""

from decimal import Decimal
from typing import Any

from django.db import connection

from mines.models import Boundary, Licence, Mine, ProductionSystem, Stock
from mines.workbook_cells import canonical
from mines.workbook_rows import KnownMine, Snapshot
from taskforce.models import County

MINE_FIELDS = (
    "township",
    "name",
    "method",
    "recoverable",
    "density",
    "service_life_years",
    "life_includes_construction",
    "construction_years",
    "state",
    "suspended_since",
    "last_production_on",
    "is_on_ridge",
    "safety_licence_no",
    "safety_licence_valid_to",
    "accepted_on",
    "acceptance",
)
LICENCE_COLUMNS = {
    "licence_no": "number",
    "valid_from": "valid_from",
    "valid_to": "valid_to",
    "issuer": "issuer",
    "area_km2": "area_km2",
    "elevation_top_m": "elevation_top_m",
    "elevation_bottom_m": "elevation_bottom_m",
    "scale": "scale",
    "scale_unit": "scale_unit",
}

# One text for all a county's registry holds; rows that belong to no mine there do not count.
MARK = """
SELECT md5(concat_ws('|',
    (SELECT md5(string_agg(row::text, '|' ORDER BY id)) FROM mines_mine AS row
        WHERE county_id = %(county)s),
    (SELECT md5(string_agg(holder.id || holder.name || holder.uscc, '|' ORDER BY holder.id))
        FROM mines_holder AS holder
        WHERE id IN (SELECT holder_id FROM mines_mine WHERE county_id = %(county)s)),
    {children}
))
"""
CHILD = """(SELECT md5(string_agg(row::text, '|' ORDER BY row.id)) FROM {table} AS row
        JOIN mines_mine ON mines_mine.id = row.mine_id WHERE mines_mine.county_id = %(county)s)"""
CHILDREN = (
    "mines_licence",
    "mines_productionsystem",
    "mines_stock",
    "mines_boundary",
    "mines_mine_ore_bodies",
)


def mark_of(county_code: str) -> str:
    """Return a mark that changes with any value of the county's registry."""
    children = ", ".join(CHILD.format(table=table) for table in CHILDREN)
    with connection.cursor() as cursor:
        cursor.execute(MARK.format(children=children), {"county": county_code})
        return str(cursor.fetchone()[0])


def snapshot_of(county: County) -> Snapshot:
    """Return the county's registered mines in a fixed number of queries."""
    mines = {
        row["id"]: _known(row)
        for row in Mine.objects.in_scope()
        .filter(county=county)
        .order_by("pk")
        .values(
            "id",
            "registry_no",
            *MINE_FIELDS,
            "mineral_id",
            "holder__name",
            "holder__uscc",
        )
    }
    _add_licences(county, mines)
    _add_rest(county, mines)
    return Snapshot(
        county_code=county.code,
        county_name=county.name,
        mines={mine.registry_no: mine for mine in mines.values()},
        next_number=_next_number(county.code),
        mark=mark_of(county.code),
    )


def numbers_elsewhere(numbers: list[str], county: County) -> dict[str, str]:
    """Return which of these numbers are taken: by another county's mine, or by one that left."""
    taken = Mine.objects.filter(registry_no__in=numbers).select_related("county")
    return {
        mine.registry_no: mine.county.name if mine.county_id != county.code else ""
        for mine in taken
        if mine.county_id != county.code or mine.removed_on is not None
    }


def text_of(value: Any) -> str:
    """Return a stored value in its canonical text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, Decimal):
        return canonical(value)
    return str(value)


def _known(row: dict[str, Any]) -> KnownMine:
    fields = {name: text_of(row[name]) for name in MINE_FIELDS}
    fields |= {
        "mineral": row["mineral_id"],
        "holder": row["holder__name"],
        "uscc": row["holder__uscc"],
        "ore_bodies": "",
        **dict.fromkeys(LICENCE_COLUMNS, ""),
    }
    return KnownMine(row["id"], row["registry_no"], fields)


def _add_licences(county: County, mines: dict[int, KnownMine]) -> None:
    """Give each mine the figures of its latest period, and the days of all of them."""
    periods = (
        Licence.objects.filter(mine__county=county)
        .order_by("valid_to", "pk")
        .values("id", "mine_id", *LICENCE_COLUMNS.values())
    )
    for row in periods:
        mine = mines.get(row["mine_id"])
        if mine is None:
            continue
        mine.periods.append((row["id"], str(row["valid_from"]), str(row["valid_to"])))
        mine.fields |= {field: text_of(row[column]) for field, column in LICENCE_COLUMNS.items()}


def _add_rest(county: County, mines: dict[int, KnownMine]) -> None:
    mine_rows = {"mine__county": county}
    for mine_id, *system in (
        ProductionSystem.objects.filter(**mine_rows)
        .order_by("pk")
        .values_list("mine_id", "name", "method", "design_scale", "unit")
    ):
        if mine_id in mines:
            name, method, scale, unit = map(text_of, system)
            mines[mine_id].systems.append((name, method, scale, unit))
    for mine_id, *stock in (
        Stock.objects.filter(**mine_rows)
        .order_by("pk")
        .values_list("mine_id", "stock_class", "amount", "unit", "as_of")
    ):
        if mine_id in mines:
            kind, amount, unit, day = map(text_of, stock)
            mines[mine_id].stocks.append((kind, amount, unit, day))
    for mine_id, regions in Boundary.objects.filter(**mine_rows).values_list("mine_id", "regions"):
        if mine_id in mines:
            mines[mine_id].regions = regions
    bodies: dict[int, list[str]] = {}
    for mine_id, code in Mine.ore_bodies.through.objects.filter(**mine_rows).values_list(
        "mine_id", "orebody__code"
    ):
        bodies.setdefault(mine_id, []).append(code)
    for mine_id, codes in bodies.items():
        if mine_id in mines:
            mines[mine_id].fields["ore_bodies"] = "、".join(sorted(codes))


def _next_number(county_code: str) -> int:
    """Return the first running number above all that this county ever gave."""
    prefix = f"SZ-{county_code}-"
    numbers = Mine.objects.filter(registry_no__startswith=prefix).values_list(
        "registry_no", flat=True
    )
    tails = [number.removeprefix(prefix) for number in numbers]
    return max((int(tail) for tail in tails if tail.isdecimal()), default=0) + 1
