"""Load the mines of the demo city: three published rights of 朔城区, all others invented."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction

from mines.boundaries import boundary_row
from mines.coordinates import write_text
from mines.models import Boundary, Holder, Licence, Mine, OreBody, ProductionSystem, Stock
from mines.rings import Boundary as Rings
from mines.rings import Point, Region, Ring

FIXTURE = settings.BASE_DIR / "fixtures" / "demo" / "mines.json"

PLAIN = (
    "registry_no",
    "name",
    "township",
    "method",
    "state",
    "life_includes_construction",
    "is_on_ridge",
    "safety_licence_no",
    "acceptance",
    "given_by",
    "is_demo",
)
DAYS = ("suspended_since", "last_production_on", "safety_licence_valid_to", "accepted_on", "as_of")
NUMBERS = ("service_life_years", "construction_years", "recoverable", "density")


@transaction.atomic
def load_demo_mines() -> int:
    """Add the demo mines that are not there yet and return how many were added.

    A mine that is already registered stays as people have left it. The minerals and the counties
    have to be loaded before.
    """
    given = json.loads(FIXTURE.read_text(encoding="utf-8"))
    known = set(Mine.objects.values_list("registry_no", flat=True))
    rows = [row for row in given["mines"] if row["registry_no"] not in known]
    holders = _holders(rows)
    _tie_holders(given["holders"], holders)
    bodies = _ore_bodies(rows)
    for row in rows:
        _add_mine(row, holders[row["holder"]], bodies)
    return len(rows)


def _holders(rows: list[dict[str, Any]]) -> dict[str, Holder]:
    """Return the holders by name; a mine added later may belong to one that is there already."""
    names = dict.fromkeys(row["holder"] for row in rows)
    found = {holder.name: holder for holder in Holder.objects.filter(name__in=names)}
    for name in names:
        if name not in found:
            found[name] = Holder.objects.create(name=name)
    return found


def _tie_holders(ties: list[dict[str, str]], holders: dict[str, Holder]) -> None:
    for tie in ties:
        holder, parent = holders.get(tie["name"]), holders.get(tie["parent"])
        if holder and parent and holder.parent is None:
            holder.parent, holder.parent_share = parent, Decimal(tie["parent_share"])
            holder.save(update_fields=["parent", "parent_share"])


def _ore_bodies(rows: list[dict[str, Any]]) -> dict[str, OreBody]:
    codes = {code for row in rows for code in row.get("ore_bodies", ())}
    OreBody.objects.bulk_create([OreBody(code=code) for code in codes], ignore_conflicts=True)
    return {body.code: body for body in OreBody.objects.filter(code__in=codes)}


def _add_mine(row: dict[str, Any], holder: Holder, bodies: dict[str, OreBody]) -> None:
    mine = Mine(county_id=row["county"], mineral_id=row["mineral"], holder=holder)
    _fill(mine, row)
    mine.save()
    mine.ore_bodies.set(bodies[code] for code in row.get("ore_bodies", ()))
    ProductionSystem.objects.bulk_create(
        ProductionSystem(
            mine=mine,
            name=system["name"],
            method=system["method"],
            design_scale=Decimal(system["design_scale"]),
            unit=system["unit"],
        )
        for system in row["systems"]
    )
    Licence.objects.bulk_create(_licence(mine, period) for period in row["licences"])
    Stock.objects.bulk_create(
        Stock(
            mine=mine,
            stock_class=stock["stock_class"],
            amount=Decimal(stock["amount"]),
            unit=stock["unit"],
            as_of=date.fromisoformat(stock["as_of"]),
        )
        for stock in row["stocks"]
    )
    _boundary(mine, row["boundary"]).save()


def _fill(mine: Mine, row: dict[str, Any]) -> None:
    for name in PLAIN:
        if name in row:
            setattr(mine, name, row[name])
    for name in DAYS:
        if name in row:
            setattr(mine, name, date.fromisoformat(row[name]))
    for name in NUMBERS:
        if name in row:
            setattr(mine, name, Decimal(row[name]))


def _licence(mine: Mine, period: dict[str, str]) -> Licence:
    return Licence(
        mine=mine,
        number=period["number"],
        valid_from=date.fromisoformat(period["valid_from"]),
        valid_to=date.fromisoformat(period["valid_to"]),
        issuer=period["issuer"],
        area_km2=Decimal(period["area_km2"]),
        elevation_top_m=Decimal(period["elevation_top_m"]),
        elevation_bottom_m=Decimal(period["elevation_bottom_m"]),
        scale=Decimal(period["scale"]),
        scale_unit=period["scale_unit"],
    )


def _boundary(mine: Mine, given: dict[str, Any]) -> Boundary:
    rings = Rings(
        regions=tuple(_region(region) for region in given["regions"]),
        zone=given["zone"],
        source_format="demo",
    )
    # Nobody published corner points for the real rights: theirs are drawn, not given.
    return boundary_row(
        mine,
        rings,
        source_text=write_text(rings) if mine.is_demo else "",
        as_of=mine.as_of,
        is_schematic=given["is_schematic"],
    )


def _region(given: dict[str, Any]) -> Region:
    points = tuple(
        Point(str(n), x, y, Decimal(x), Decimal(y), n)
        for n, (x, y) in enumerate(given["points"], start=1)
    )
    return Region(
        name=given["name"],
        elevation_top=_number(given["elevation_top"]),
        elevation_bottom=_number(given["elevation_bottom"]),
        rings=(Ring(points),),
    )


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
