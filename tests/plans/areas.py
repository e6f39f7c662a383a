"""Lay out a county whose mines merge in pairs, so that every spatial fact has a known value."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.gis.geos import MultiPolygon, Polygon

from mines.models import CGCS2000, Boundary, Holder, Mine
from plans.compliance import find, save_run
from plans.facts import plan_facts
from plans.models import CheckRun, CountyPlan, Disposition, MergedArea, PlanVersion, Round
from rulebook.current import current_rulebook
from standards.facts import PlanFacts
from taskforce.models import County, User
from tests.factories import make_mine

ON = date(2025, 9, 2)
SOUTH = 39.3
SIDE = 0.004
# 0.002 degrees of longitude at 39.3° north are 172.5 m.
GAP = 0.002


def box(west: float, south: float, east: float, north: float) -> MultiPolygon:
    """Return a rectangle between longitudes and latitudes."""
    ring = ((west, south), (west, north), (east, north), (east, south), (west, south))
    return MultiPolygon(Polygon(ring, srid=CGCS2000), srid=CGCS2000)


def pair_of_mines(county: County, number: int, west: float) -> tuple[Mine, Mine]:
    """Make two square mines with a gap of 172.5 m between them, the first one to the west."""
    return (
        make_mine(county, number, at=(west, SOUTH)),
        make_mine(county, number + 1, at=(west + SIDE + GAP, SOUTH)),
    )


def make_version(county: County, by: User, number: int = 1) -> PlanVersion:
    """Make an empty version that has been read."""
    current = Round.objects.get(is_open=True)
    plan, _ = CountyPlan.objects.get_or_create(round=current, county=county)
    return PlanVersion.objects.create(
        plan=plan, number=number, file="plans/none.xlsx", file_name="方案.xlsx", sha256="0" * 64,
        uploaded_by=by, state=PlanVersion.State.READ,
    )  # fmt: skip


def merge(version: PlanVersion, code: str, mines: tuple[Mine, ...], **changes: Any) -> MergedArea:
    """Merge mines into an area; its outline spans them from west to east unless given."""
    west = min(mine.boundary.outline.extent[0] for mine in mines if hasattr(mine, "boundary"))
    east = max(mine.boundary.outline.extent[2] for mine in mines if hasattr(mine, "boundary"))
    area = MergedArea.objects.create(
        version=version,
        code=code,
        **{
            "name": f"测试整合{code}",
            "lead_enterprise": mines[0].holder.name,
            "mineral": mines[0].mineral,
            "method": "open_pit",
            "scale": Decimal(60),
            "scale_unit": "wan_t",
            "elevation_top_m": Decimal(1400),
            "elevation_bottom_m": Decimal(1300),
            "outline": box(west, SOUTH, east, SOUTH + SIDE),
            "is_new_right": False,
            **changes,
        },
    )
    for mine in mines:
        dispose(version, mine, "merge", area)
    return area


def dispose(
    version: PlanVersion, mine: Mine, kind: str, area: MergedArea | None = None
) -> Disposition:
    """Give a mine its disposition."""
    return Disposition.objects.create(
        version=version, mine=mine, kind=kind, reason="测试理由。", area=area
    )


def facts_of(version: PlanVersion, on: date = ON) -> PlanFacts:
    """Gather the facts of a version."""
    fresh = PlanVersion.objects.select_related("plan__county").get(pk=version.pk)
    return plan_facts(fresh, current_rulebook(), on=on)


def checked(version: PlanVersion, on: date = ON) -> CheckRun:
    """Run all rules on a version and keep the result."""
    fresh = PlanVersion.objects.select_related("plan__county").get(pk=version.pk)
    return save_run(fresh, find(fresh, on=on), job=None)


def registered_holder(mine: Mine, uscc: str) -> Holder:
    """Give a mine's holder a credit code."""
    Holder.objects.filter(pk=mine.holder_id).update(uscc=uscc)
    mine.holder.refresh_from_db()
    return mine.holder


def redraw(mine: Mine, outline: MultiPolygon) -> None:
    """Move a mine's boundary."""
    Boundary.objects.filter(mine=mine).update(outline=outline)
    mine.refresh_from_db()
