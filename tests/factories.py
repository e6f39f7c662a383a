"""Make plausible rows for tests; every function takes what matters and fills in the rest."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.gis.geos import MultiPolygon, Polygon

from mines.models import CGCS2000, Boundary, Holder, Licence, Mine, Mineral, ProductionSystem
from standards.terms import Method, MineState, ScaleUnit
from taskforce.models import County

LIMESTONE = "83907"


def square(lon: float, lat: float, side: float = 0.004) -> MultiPolygon:
    """Return a square of `side` degrees with its south-west corner at (lon, lat)."""
    ring = (
        (lon, lat), (lon, lat + side), (lon + side, lat + side), (lon + side, lat), (lon, lat),
    )  # fmt: skip
    return MultiPolygon(Polygon(ring, srid=CGCS2000), srid=CGCS2000)


def make_mine(
    county: County,
    number: int,
    *,
    name: str = "",
    mineral: str = LIMESTONE,
    scale: Decimal | None = Decimal(60),
    unit: ScaleUnit = ScaleUnit.WAN_T,
    life: Decimal | None = Decimal("8.5"),
    at: tuple[float, float] | None = None,
    **changes: Any,
) -> Mine:
    """Make a registered mine with one licence period and one production system."""
    holder, _ = Holder.objects.get_or_create(name=f"测试矿业{number}公司")
    mine = Mine.objects.create(
        registry_no=f"SZ-{county.code}-{number:04d}",
        name=name or f"测试{number}号矿",
        county=county,
        holder=changes.pop("holder", holder),
        mineral=Mineral.objects.get(pk=mineral),
        **{
            "township": "测试乡",
            "method": Method.OPEN_PIT,
            "state": MineState.PRODUCING,
            "service_life_years": life,
            "life_includes_construction": False,
            "construction_years": Decimal("0.5"),
            "as_of": date(2026, 9, 30),
            "given_by": "测试",
            **changes,
        },
    )
    Licence.objects.create(
        mine=mine,
        number=f"C14060020100171301{number:05d}",
        valid_from=date(2022, 1, 1),
        valid_to=date(2027, 12, 31),
        issuer="朔州市规划和自然资源局",
        area_km2=Decimal("0.2000"),
        elevation_top_m=Decimal(1400),
        elevation_bottom_m=Decimal(1300),
        scale=scale,
        scale_unit=unit,
    )
    ProductionSystem.objects.create(
        mine=mine, name="一号采场", method=mine.method, design_scale=scale, unit=unit
    )
    if at is not None:
        Boundary.objects.create(
            mine=mine,
            outline=square(*at),
            area_km2=Decimal("0.1500"),
            regions=[],
            as_of=date(2026, 9, 30),
        )
    return mine
