"""Time the check of the whole registry with 10,000, 30,000 and 100,000 invented mines.

Held to: 100,000 mines in 60 s by two workers, each within 500 MiB, and time linear in mines. The
mines live in a database of their own that is dropped afterwards; SIZES=1000,3000 tries less.
"""

import io
import os
import resource
import subprocess
import sys
import time
from datetime import date
from decimal import Decimal

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shuozhou_mines.settings")
django.setup()

# ruff: noqa: E402  the settings come before everything that reads them
from django.core.management import call_command
from django.db import connection
from django.test.utils import override_settings
from django.utils import timezone

from mines.check_models import MineCheckRun, MineFinding
from mines.checks import check_part, start_check
from mines.models import Holder, Licence, Mine, OreBody, ProductionSystem, Stock
from shuozhou_mines.jobs import Run, claim, finish
from shuozhou_mines.models import Job
from taskforce.models import County

SIZES = [int(size) for size in os.environ.get("SIZES", "10000,30000,100000").split(",")]
NAME = "portal_bench_registry"
SECONDS, MIB, SLOPE = 60.0, 500.0, 1.3
AT_ONCE = 5000
MINERALS = ("83907", "22001", "22002", "83909")
AS_OF = date(2026, 9, 30)


def main() -> int:
    """Fill, check and measure each size; return 1 when a limit is missed."""
    if len(sys.argv) > 1:
        return work(int(sys.argv[1]))
    made = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        with override_settings(DEMO=False):
            call_command("load_fixtures", verbosity=0, stdout=io.StringIO())
        return judge([measure(size) for size in SIZES])
    finally:
        connection.creation.destroy_test_db(made, verbosity=0)


def measure(size: int) -> tuple[int, float, float]:
    """Return size, seconds and the most memory of a worker in MiB."""
    fill(size)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    MineCheckRun.objects.all().delete()
    run = start_check(reason=MineCheckRun.Reason.REQUEST, on=date(2026, 11, 23), at=timezone.now())
    assert run is not None
    jobs = [part.job_id for part in run.parts.all()]
    env = {**os.environ, "BENCH_DATABASE": connection.settings_dict["NAME"]}
    began = time.monotonic()
    workers = [
        subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "benchmarks.registry_check", str(job)],
            env=env, stdout=subprocess.PIPE, text=True,
        )
        for job in jobs
    ]  # fmt: skip
    told = [worker.communicate()[0].split() for worker in workers]
    peaks, busy = [float(line[0]) for line in told], sum(float(line[1]) for line in told)
    seconds = time.monotonic() - began
    run.refresh_from_db()
    assert run.finished_at is not None
    assert run.mines == size
    found = MineFinding.objects.filter(run=run).count()
    print(
        f"  {size:>7} mines  {seconds:6.1f} s  {seconds / size * 1e6:5.0f} µs each  "
        f"{len(jobs)} workers busy {busy:5.1f} s  {max(peaks):4.0f} MiB  {found} findings",
        flush=True,
    )
    return size, seconds, max(peaks)


def work(job_id: int) -> int:
    """Do one part as a worker does, and print its most memory in MiB and its seconds of work."""
    connection.settings_dict["NAME"] = os.environ["BENCH_DATABASE"]
    job = claim(job_id, at=timezone.now())
    assert job is not None
    check_part(Run(job))
    finish(job, Job.State.DONE)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(used.ru_maxrss / 1024, used.ru_utime + used.ru_stime)
    return 0


def judge(rows: list[tuple[int, float, float]]) -> int:
    """Print each ratio against its limit; return 1 when one is missed."""
    (small, first, _), (size, last, _) = rows[0], rows[-1]
    slope = (last / size) / (first / small)
    ratios = [
        (f"seconds for {size} mines", last, SECONDS),
        ("MiB of a worker", max(row[2] for row in rows), MIB),
        ("time per mine, largest to smallest", slope, SLOPE),
    ]
    for label, value, most in ratios:
        print(f"  {label}: {value:.2f} of {most:.2f} ({value / most:.2f})")
    return int(any(value > most for _, value, most in ratios))


def fill(size: int) -> None:
    """Bring the registry to so many invented mines, one in ten on an ore body with a neighbour."""
    counties = list(County.objects.all())
    have = Mine.objects.count()
    for first in range(have, size, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, size))
        holders = Holder.objects.bulk_create(
            Holder(name=f"示例矿业{number}公司") for number in numbers
        )
        mines = Mine.objects.bulk_create(
            _mine(number, counties[number % len(counties)], holder)
            for number, holder in zip(numbers, holders, strict=True)
        )
        _beside(numbers, mines)


def _mine(number: int, county: County, holder: Holder) -> Mine:
    return Mine(
        registry_no=f"B{number:07d}",
        name=f"示例{number}号矿",
        county=county,
        holder=holder,
        mineral_id=MINERALS[number % len(MINERALS)],
        method="open_pit" if number % 4 else "underground",
        state="producing" if number % 7 else "suspended",
        suspended_since=None if number % 7 else date(2022, 1, 1),
        last_production_on=AS_OF if number % 3 else None,
        service_life_years=Decimal(number % 20 + 1),
        life_includes_construction=False,
        construction_years=Decimal("0.5"),
        recoverable=Decimal(number % 900 + 50),
        density=Decimal("2.65"),
        is_on_ridge=None if number % 5 else False,
        as_of=AS_OF,
        given_by="示例",
        is_demo=True,
    )


def _beside(numbers: range, mines: list[Mine]) -> None:
    pairs = list(zip(numbers, mines, strict=True))
    Licence.objects.bulk_create(
        Licence(
            mine=mine, number=f"B{number:022d}", valid_from=date(2020, 1, 1),
            valid_to=date(2026 + number % 6, 12, 31), area_km2=Decimal("0.2000"),
            scale=Decimal(number % 90 + 5), scale_unit="wan_t",
        )
        for number, mine in pairs
    )  # fmt: skip
    ProductionSystem.objects.bulk_create(
        ProductionSystem(
            mine=mine, name="一号采场", method=mine.method, design_scale=Decimal(number % 90 + 5),
            unit="wan_t",
        )
        for number, mine in pairs
    )  # fmt: skip
    Stock.objects.bulk_create(
        Stock(mine=mine, stock_class=kind, amount=Decimal(number % 3000 + 100), as_of=AS_OF)
        for number, mine in pairs
        for kind in ("measured", "indicated")
    )
    shared = [pair for pair in pairs if pair[0] % 10 == 0]
    bodies = OreBody.objects.bulk_create(
        OreBody(code=f"B{number:07d}") for number, _ in shared[::2]
    )
    Mine.ore_bodies.through.objects.bulk_create(
        Mine.ore_bodies.through(mine=mine, orebody=bodies[place // 2])
        for place, (_, mine) in enumerate(shared)
    )


if __name__ == "__main__":
    raise SystemExit(main())
