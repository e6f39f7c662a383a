"""Time the check of a plan of 500 mines against a register of 100,000 rights.

Held to: under 2 s in the worker with all rules and all results saved, and at most 4 times the bare
spatial questions plus a bulk insert of the results. The rows live in a database of their own that
is dropped afterwards; RIGHTS=10000 tries less.
"""

import io
import os
import time
from collections.abc import Callable
from decimal import Decimal

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shuozhou_mines.settings")
django.setup()

# ruff: noqa: E402  the settings come before everything that reads them
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import override_settings

from mines.models import CGCS2000, Mine
from plans import tasks
from plans.compliance import COPIED, COPY
from plans.models import (
    CheckRun,
    CountyPlan,
    Disposition,
    MergedArea,
    PlanVersion,
    Round,
)
from plans.survey import survey
from shuozhou_mines import jobs
from shuozhou_mines.models import Job
from taskforce.models import County, User

RIGHTS = int(os.environ.get("RIGHTS", "100000"))
MINES, MEMBERS, AREAS = 500, 3, 100
SECONDS, RATIO = 2.0, 4.0
TIMES = 3
COUNTY, ELSEWHERE = "140602", "140623"
# Squares of 0.004 degrees on a grid of 0.006: 172 m apart from west to east.
COLUMNS, STEP, SIDE, WEST, SOUTH = 334, 0.006, 0.004, 111.5, 38.9

FILL = """
INSERT INTO mines_holder (name, uscc) SELECT '测试矿业' || n, '' FROM generate_series(1, {n}) AS n;
INSERT INTO mines_mine (registry_no, name, county_id, township, holder_id, mineral_id, method,
    state, life_includes_construction, service_life_years, construction_years, recoverable, density,
    safety_licence_no, acceptance, as_of, given_by, is_demo)
SELECT 'SZ-' || lpad(n::text, 6, '0'), '测试' || n || '号矿',
    CASE WHEN n % {columns} < 25 AND n / {columns} BETWEEN 100 AND 119 THEN '{county}'
        ELSE '{elsewhere}' END,
    '测试乡', (SELECT min(id) FROM mines_holder) + n - 1,
    (ARRAY['83907', '22001', '83906', '84412'])[1 + n % 4], 'open_pit', 'producing', false,
    3 + n % 20, 0.5, 100 + n % 900, 2.68, 'A' || n, '', '2026-09-30', '测试', true
FROM generate_series(1, {n}) AS n;
INSERT INTO mines_licence (mine_id, number, number_given, is_legacy, valid_from, valid_to, issuer,
    area_km2, elevation_top_m, elevation_bottom_m, scale, scale_unit)
SELECT id, 'C' || registry_no, '', false, '2022-01-01', '2027-12-31', '', 0.1532, 1400, 1300,
    10 + id % 90, 'wan_t'
FROM mines_mine;
INSERT INTO mines_productionsystem (mine_id, name, method, design_scale, unit)
SELECT id, '一号采场', 'open_pit', 10 + id % 90, 'wan_t' FROM mines_mine;
INSERT INTO mines_stock (mine_id, stock_class, amount, unit, as_of)
SELECT id, 'indicated', 100 + id % 900, '万吨', '2026-09-30' FROM mines_mine;
INSERT INTO mines_boundary (mine_id, outline, area_km2, regions, source_text, is_schematic, as_of)
SELECT id, ST_Multi(ST_MakeEnvelope(x, y, x + {side}, y + {side}, 4490)), 0.1532, '[]', '', false,
    '2026-09-30'
FROM (SELECT id, {west} + {step} * (n % {columns}) AS x, {south} + {step} * (n / {columns}) AS y
    FROM (SELECT id, substr(registry_no, 4)::int AS n FROM mines_mine) AS numbered) AS placed;
"""
TABLES = ("mine", "licence", "productionsystem", "stock", "boundary")


def main() -> int:
    """Fill, check and measure; return 1 when a limit is missed."""
    made = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        with override_settings(DEMO=False):
            call_command("load_fixtures", verbosity=0, stdout=io.StringIO())
        version = fill()
        return judge(version)
    finally:
        connection.creation.destroy_test_db(made, verbosity=0)


def fill() -> PlanVersion:
    """Make the register by the database's own means, and the plan of its middle block."""
    given = {
        "n": RIGHTS, "columns": COLUMNS, "county": COUNTY, "elsewhere": ELSEWHERE, "step": STEP,
        "side": SIDE, "west": WEST, "south": SOUTH,
    }  # fmt: skip
    with connection.cursor() as cursor:
        for table in TABLES:
            # The history of invented rows would double the time to make them.
            cursor.execute(f"ALTER TABLE mines_{table} DISABLE TRIGGER USER")
        cursor.execute(FILL.format(**given))
        for table in TABLES:
            cursor.execute(f"ALTER TABLE mines_{table} ENABLE TRIGGER USER")
        cursor.execute("VACUUM ANALYZE")
    return make_plan()


def make_plan() -> PlanVersion:
    """Merge 100 times three mines in a row, keep the others."""
    clerk = User.objects.create(username="clerk", name="测试")
    current = Round.objects.get(is_open=True)
    plan = CountyPlan.objects.create(round=current, county=County.objects.get(code=COUNTY))
    version = PlanVersion.objects.create(
        plan=plan, number=1, file="none.xlsx", file_name="方案.xlsx", sha256="0" * 64,
        uploaded_by=clerk, state=PlanVersion.State.READ,
    )  # fmt: skip
    mines = list(
        Mine.objects.filter(county=COUNTY).select_related("boundary", "holder").order_by("pk")
    )
    assert len(mines) == MINES, len(mines)
    rows: list[tuple[Mine, MergedArea | None]] = []
    areas: list[tuple[list[Mine], str]] = []
    # 25 in a row: five mergers of three, and ten mines that stay.
    for start in range(0, len(mines), 25):
        line = mines[start : start + 25]
        for first in range(0, 15, MEMBERS):
            areas.append((line[first : first + MEMBERS], f"Z{len(areas) + 1}"))
        rows += [(mine, None) for mine in line[15:]]
    for members, code in areas:
        area = MergedArea.objects.create(
            version=version, code=code, name=f"整合区{code}", mineral_id="83907",
            lead_enterprise=members[0].holder.name, method="open_pit", scale=60, scale_unit="wan_t",
            density="2.68", elevation_top_m=1400, elevation_bottom_m=1300, outline=span(members),
            area_km2="0.6129", extra_kinds=["gap"], grant_way="competition", extra_reason="夹缝。",
            is_new_right=False, service_life_years=8, life_includes_construction=False,
        )  # fmt: skip
        rows += [(mine, area) for mine in members]
    Disposition.objects.bulk_create(
        Disposition(
            version=version, mine=mine, kind="merge" if area else "keep", reason="测试。", area=area
        )
        for mine, area in rows
    )
    return version


def span(members: list[Mine]) -> MultiPolygon:
    """Return the rectangle around the members."""
    west, south, _, _ = members[0].boundary.outline.extent
    _, _, east, north = members[-1].boundary.outline.extent
    ring = ((west, south), (west, north), (east, north), (east, south), (west, south))
    return MultiPolygon(Polygon(ring, srid=CGCS2000), srid=CGCS2000)


def judge(version: PlanVersion) -> int:
    """Measure the worker's way and the bare way, and tell both."""
    seconds = best(lambda: in_the_worker(version))
    run = CheckRun.objects.filter(version=version).first()
    assert run is not None
    found = run.findings.count()
    questions, insert = best(lambda: spatial(version)), bare_insert(run)
    ratio = seconds / (questions + insert)
    print(
        f"{Mine.objects.count()} rights, plan of {version.dispositions.count()} mines in "
        f"{version.areas.count()} areas, {found} findings {run.counts}\n"
        f"in the worker {seconds:.2f} s (limit {SECONDS:.0f} s)\n"
        f"bare: spatial questions {questions:.2f} s, insert {insert:.2f} s; "
        f"ratio {ratio:.1f} (limit {RATIO:.0f}); load of the machine {os.getloadavg()[0]:.1f}"
    )
    return int(seconds > SECONDS or ratio > RATIO)


def best(work: Callable[[], object]) -> float:
    """Return the shortest of some runs in seconds."""
    times = []
    for _ in range(TIMES):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def in_the_worker(version: PlanVersion) -> None:
    """Do the job as the worker does it: claim, check, save, finish."""
    job = tasks.queue_check(version, by=None)
    jobs.run_job(job.pk)
    job = Job.objects.get(pk=job.pk)
    assert job.state == Job.State.DONE, job.error


def spatial(version: PlanVersion) -> None:
    """Ask only what the ground answers."""
    areas = list(version.areas.order_by("code"))
    members: dict[str, list[Mine]] = {area.code: [] for area in areas}
    rows = version.dispositions.filter(area__isnull=False)
    for row in rows.select_related("area", "mine__boundary"):
        if row.area is not None:
            members[row.area.code].append(row.mine)
    survey(areas, members, within_m=Decimal(300), tolerance_m2=Decimal(100))


def bare_insert(run: CheckRun) -> float:
    """Copy the same rows in again by bare SQL, and take them out."""
    other = CheckRun.objects.create(version=run.version, checked_on=run.checked_on)
    columns = ", ".join(("%s" if name == "run_id" else name) for name in COPIED)
    rows = io.StringIO()
    with connection.cursor() as cursor:
        asked = f"SELECT {columns} FROM plans_finding WHERE run_id = %s"  # noqa: S608
        select = cursor.mogrify(asked, [other.pk, run.pk]).decode()
        cursor.copy_expert(f"COPY ({select}) TO STDOUT WITH (FORMAT csv)", rows)
        rows.seek(0)
        start = time.perf_counter()
        with transaction.atomic():
            cursor.copy_expert(COPY, rows)
        seconds = time.perf_counter() - start
    other.delete()
    return seconds


if __name__ == "__main__":
    raise SystemExit(main())
