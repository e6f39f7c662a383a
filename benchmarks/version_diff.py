"""Time the differences of two versions of 500 mines and 100 areas, findings included.

Held to: under 200 ms, and the page with at most as many queries as for two small versions. The rows
live in a database of their own that is dropped afterwards.
"""

import io
import os
import time
from decimal import Decimal

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shuozhou_mines.settings")
django.setup()

# ruff: noqa: E402  the settings come before everything that reads them
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.core.management import call_command
from django.db import connection, reset_queries
from django.test.utils import CaptureQueriesContext, override_settings

from mines.models import CGCS2000, Holder, Mine, Mineral
from plans.compliance import find, save_run
from plans.models import CheckRun, CountyPlan, Disposition, MergedArea, PlanVersion, Round
from plans.version_diff import compare
from taskforce.models import County, User

MINES, AREAS, SECONDS, TIMES, MOST_QUERIES = 500, 100, 0.2, 5, 9


def main() -> int:
    """Fill, compare and judge; return 1 when a limit is missed."""
    made = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        with override_settings(DEMO=False):
            call_command("load_fixtures", verbosity=0, stdout=io.StringIO())
        old, new = fill()
        return judge(old, new)
    finally:
        connection.creation.destroy_test_db(made, verbosity=0)


def fill() -> tuple[PlanVersion, PlanVersion]:
    """Make two checked versions; in the second every fifth mine and area differs."""
    county = County.objects.get(code="140602")
    clerk = User.objects.create(username="clerk", name="测试")
    holder = Holder.objects.create(name="测试矿业公司")
    mineral = Mineral.objects.get(code="83907")
    mines = [
        Mine.objects.create(
            registry_no=f"SZ-140602-{number:04d}", name=f"测试{number}号矿", county=county,
            holder=holder, mineral=mineral, method="open_pit", state="producing",
            as_of="2026-09-30", given_by="测试",
        )
        for number in range(MINES)
    ]  # fmt: skip
    plan = CountyPlan.objects.create(round=Round.objects.get(is_open=True), county=county)
    versions = []
    for number in (1, 2):
        version = PlanVersion.objects.create(
            plan=plan, number=number, file="none.xlsx", file_name="方案.xlsx",
            sha256=str(number) * 64, uploaded_by=clerk, state=PlanVersion.State.READ,
        )  # fmt: skip
        _rows(version, mines, mineral, second=number == 2)
        checked = find(version, on=plan.round.compile_due_on)
        save_run(version, checked, job=None)
        versions.append(version)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return versions[0], versions[1]


def _rows(version: PlanVersion, mines: list[Mine], mineral: Mineral, *, second: bool) -> None:
    areas = [
        MergedArea.objects.create(
            version=version, code=f"Z{at + 1}", name=f"整合区{at + 1}", mineral=mineral,
            lead_enterprise="测试矿业公司", method="open_pit", scale_unit="wan_t",
            scale=Decimal(70 if second and at % 5 == 0 else 60), outline=_outline(at),
            area_km2="0.6", service_life_years=8, life_includes_construction=False,
        )
        for at in range(AREAS)
    ]  # fmt: skip
    Disposition.objects.bulk_create(
        Disposition(
            version=version, mine=mine, reason="测试。",
            kind="merge" if at < 3 * AREAS else "exit" if second and at % 5 == 0 else "upgrade",
            area=areas[at // 3] if at < 3 * AREAS else None,
        )
        for at, mine in enumerate(mines)
    )  # fmt: skip


def _outline(at: int) -> MultiPolygon:
    west, south = 112 + at % 10 / 50, 39 + at // 10 / 50
    ring = [(west, south), (west, south + 0.01), (west + 0.01, south + 0.01), (west, south)]
    return MultiPolygon(Polygon(ring, srid=CGCS2000), srid=CGCS2000)


def judge(old: PlanVersion, new: PlanVersion) -> int:
    """Compare some times and tell the best."""
    best, difference = None, None
    for _ in range(TIMES):
        start = time.perf_counter()
        difference = compare(old, new)
        seconds = time.perf_counter() - start
        best = seconds if best is None else min(best, seconds)
    assert best is not None
    assert difference is not None
    reset_queries()
    with CaptureQueriesContext(connection) as captured:
        compare(old, new)
    findings = sum(run.findings.count() for run in CheckRun.objects.all())
    print(
        f"  {findings} findings; {len(difference.mines)} mines, {len(difference.areas)} areas and "
        f"{difference.findings_total} findings differ; {len(captured)} queries"
    )
    print(f"version diff, {MINES} mines: {best * 1000:.0f} ms of {SECONDS * 1000:.0f}, "
          f"{best / SECONDS:.2f}")  # fmt: skip
    return 0 if best <= SECONDS and len(captured) <= MOST_QUERIES else 1


if __name__ == "__main__":
    raise SystemExit(main())
