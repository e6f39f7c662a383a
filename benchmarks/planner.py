"""Time the consolidation planner over a registry of 100,000 mines, as the worker runs it.

Held to: under 120 s with reading, measuring, searching and saving. The mines lie in clusters of
1 to 30, and in one quarry belt of 2,000 that hang together; MINES=10000 tries less. The rows live
in a database of their own that is dropped afterwards.
"""

import io
import os
import time
from random import Random

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shuozhou_mines.settings")
django.setup()

# ruff: noqa: E402  the settings come before everything that reads them
from django.core.management import call_command
from django.db import connection
from django.test.utils import override_settings
from django.utils import timezone

from plans import planner_tasks
from plans.planner_models import PlannerRun
from shuozhou_mines import jobs
from shuozhou_mines.models import Job
from taskforce.models import User

MINES = int(os.environ.get("MINES", "100000"))
BELT = MINES // 50
SECONDS = 120.0
# Squares of 0.004 degrees, one in each cell of 0.006: 172 m apart from west to east.
STEP, SIDE, WEST, SOUTH, COLUMNS = 0.006, 0.004, 111.0, 38.6, 400
SIZES = (1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 10, 12, 16, 30)

FILL = """
INSERT INTO mines_holder (name, uscc) SELECT '测试矿业' || n, '' FROM generate_series(1, {n}) AS n;
INSERT INTO mines_mine (registry_no, name, county_id, township, holder_id, mineral_id, method,
    state, life_includes_construction, service_life_years, construction_years, recoverable, density,
    safety_licence_no, acceptance, as_of, given_by, is_demo)
SELECT 'SZ-' || lpad(n::text, 6, '0'), '测试' || n || '号矿', '140602', '测试乡',
    (SELECT min(id) FROM mines_holder) + n - 1, (ARRAY['83907', '22001', '83906'])[1 + family],
    'open_pit', 'producing', false, NULL, 0.5, ore, 2.68, '', '', '2026-09-30', '测试', true
FROM planner_cells;
INSERT INTO mines_licence (mine_id, number, number_given, is_legacy, valid_from, valid_to, issuer,
    area_km2, elevation_top_m, elevation_bottom_m, scale, scale_unit)
SELECT mine.id, 'C' || registry_no, '', false, '2022-01-01', '2027-12-31', '', 0.1532, 1400, 1300,
    cell.scale, 'wan_t'
FROM mines_mine AS mine JOIN planner_cells AS cell ON cell.n = substr(registry_no, 4)::int;
INSERT INTO mines_boundary (mine_id, outline, area_km2, regions, source_text, is_schematic, as_of)
SELECT mine.id, ST_Multi(ST_MakeEnvelope(x, y, x + {side}, y + {side}, 4490)), 0.1532, '[]', '',
    false, '2026-09-30'
FROM mines_mine AS mine JOIN planner_cells AS cell ON cell.n = substr(registry_no, 4)::int;
"""
TABLES = ("mine", "licence", "boundary")


def main() -> int:
    """Fill, run and judge; return 1 when the limit is missed."""
    made = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        with override_settings(DEMO=False):
            call_command("load_fixtures", verbosity=0, stdout=io.StringIO())
        fill()
        return measure()
    finally:
        connection.creation.destroy_test_db(made, verbosity=0)


def cells() -> io.StringIO:
    """Lay the mines out: number, place, scale in 万吨/年, ore in 万吨, family of ore.

    A cluster fills cells of a block; blocks lie apart by an empty row and an empty column.
    """
    chance = Random(7)  # noqa: S311
    rows = io.StringIO()
    number = 0

    def put(column: int, row: int, family: int) -> None:
        nonlocal number
        number += 1
        scale, ore = chance.randrange(5, 90), chance.randrange(20, 900)
        x, y = WEST + STEP * column, SOUTH + STEP * row
        rows.write(f"{number},{x:.6f},{y:.6f},{scale},{ore},{family}\n")

    for at in range(BELT):
        put(at % 50, at // 50, 0)
    block, across = 0, COLUMNS // 7
    while number < MINES:
        size = min(SIZES[chance.randrange(len(SIZES))], MINES - number)
        west, south = (block % across) * 7, BELT // 50 + 2 + block // across * 7
        family = chance.randrange(3)
        for at in range(size):
            put(west + at % 6, south + at // 6, family)
        block += 1
    rows.seek(0)
    return rows


def fill() -> None:
    """Make the registry by the database's own means."""
    with connection.cursor() as cursor:
        for table in TABLES:
            # The history of invented rows would double the time to make them.
            cursor.execute(f"ALTER TABLE mines_{table} DISABLE TRIGGER USER")
        cursor.execute(
            "CREATE TABLE planner_cells (n int PRIMARY KEY, x float8, y float8, scale int, "
            "ore int, family int)"
        )
        cursor.copy_expert("COPY planner_cells FROM STDIN WITH (FORMAT csv)", cells())
        cursor.execute(FILL.format(n=MINES, side=SIDE))
        for table in TABLES:
            cursor.execute(f"ALTER TABLE mines_{table} ENABLE TRIGGER USER")
        cursor.execute("VACUUM ANALYZE")
    User.objects.create(username="clerk", name="测试")


def measure() -> int:
    """Run the job as the worker does and tell how long each step took."""
    steps: dict[str, float] = {}
    last = time.perf_counter()

    def note(run: jobs.Run, done: int, total: int, step: str = "") -> None:
        nonlocal last
        report(run, done, total, step)
        now = time.perf_counter()
        steps[step] = steps.get(step, 0) + now - last
        last = now

    report = jobs.Run.report
    jobs.Run.report = note  # type: ignore[method-assign]
    started = time.perf_counter()
    run = planner_tasks.start_run(
        county=None, by=User.objects.get(username="clerk"), at=timezone.now()
    )
    jobs.run_job(run.job_id)
    seconds = time.perf_counter() - started
    job = Job.objects.get(pk=run.job_id)
    assert job.state == Job.State.DONE, job.error
    run = PlannerRun.objects.get(pk=run.pk)
    for step, took in steps.items():
        print(f"  {step}: {took:.1f} s")
    print(f"  {run.figures}")
    print(f"planner, {MINES} mines: {seconds:.1f} s of {SECONDS:.0f} s, {seconds / SECONDS:.2f}")
    return 0 if seconds <= SECONDS else 1


if __name__ == "__main__":
    raise SystemExit(main())
