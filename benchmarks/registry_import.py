"""Import a clean registry workbook, confirm included, against reading it and one bulk COPY.

Held to: at most 3 times the seconds of python-calamine reading the same file plus one COPY of all
its rows as text, a fifth of what django-import-export takes for the first sheet alone, and less
than 300 MiB of the reading child at 100,000 rows. The mines live in a database of their own that
is dropped afterwards; MINES=1000 ROUNDS=1 tries less.
"""

import io
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shuozhou_mines.settings")
django.setup()

# ruff: noqa: E402  the settings come before everything that reads them
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test.utils import override_settings
from django.utils import timezone
from import_export.resources import ModelResource
from python_calamine import CalamineWorkbook
from tablib import Dataset

from benchmarks._make_registry import write
from mines import actions
from mines.models import Holder, Mine, Mineral
from mines.workbook_columns import HEAD_ROW
from mines.workbook_columns import MINES as MINES_SHEET
from shuozhou_mines import jobs
from shuozhou_mines.models import Job
from taskforce.actions import grant_role
from taskforce.models import County, User
from taskforce.roles import Role

MINES = int(os.environ.get("MINES", "10000"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
LIMIT_RATIO = 3.0
LIMIT_MIB = 300
LEAST_ADVANTAGE = 5.0
MEMORY_ROWS = 100_000


def baseline(path: Path) -> float:
    """Return the seconds of python-calamine reading every sheet, and one COPY of all its rows."""
    with connection.cursor() as cursor:
        columns = ", ".join(f"c{n} text" for n in range(40))
        cursor.execute(f"CREATE TEMPORARY TABLE bench_rows ({columns})")
    started = time.perf_counter()
    book = CalamineWorkbook.from_path(str(path))
    lines = io.StringIO()
    for name in book.sheet_names:
        for row in book.get_sheet_by_name(name).to_python(skip_empty_area=False):
            cells = [str(cell) if cell != "" else "\\N" for cell in row]
            cells += ["\\N"] * (40 - len(cells))
            lines.write("\t".join(cells) + "\n")
    lines.seek(0)
    with connection.cursor() as cursor:
        cursor.cursor.copy_expert("COPY bench_rows FROM STDIN", lines)
    seconds = time.perf_counter() - started
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bench_rows")
    return seconds


class Clock(dict[str, float]):
    """Keep the seconds of named parts."""

    def time(self, name: str, act: Callable[[], Any]) -> Any:
        """Do something and keep how long it took."""
        started = time.perf_counter()
        answer = act()
        self[name] = time.perf_counter() - started
        return answer


def whole_import(path: Path, by: Any) -> Clock:
    """Return the seconds of upload, reading with preview, and confirmed writing."""
    clock = Clock()
    now = timezone.now()
    content = path.read_bytes()

    def work(kind: str) -> None:
        job = Job.objects.about(upload).get(kind=kind)
        jobs.run_job(job.pk)
        upload.refresh_from_db()

    upload = clock.time(
        "upload",
        lambda: actions.receive_upload(
            county_code="140602",
            upload=SimpleUploadedFile("bench.xlsx", content),
            as_of=date(2026, 10, 31),
            given_by="测量",
            by=by,
            at=now,
        ),
    )
    clock.time("read and preview", lambda: work("mines.read_upload"))
    if upload.state != "ready":
        raise SystemExit(f"not ready: {upload.problems[:3]}")
    clock.time(
        "confirm",
        lambda: actions.confirm_upload(
            upload_id=upload.pk, seen_mark=upload.seen_mark, remove_gone=False, by=by, at=now
        ),
    )
    clock.time("write", lambda: work("mines.write_upload"))
    if upload.state != "written":
        raise SystemExit(f"not written: {upload.state}")
    print(f"  {Mine.objects.filter(county_id='140602').count()} mines written")
    return clock


class MineResource(ModelResource):
    """Import mines as django-import-export does when nothing is set."""

    class Meta:
        model = Mine
        import_id_fields = ("registry_no",)
        fields = (
            "registry_no", "name", "county", "township", "holder", "mineral", "recoverable",
            "density", "service_life_years", "construction_years", "as_of", "given_by",
        )  # fmt: skip


def import_with_library(path: Path) -> float:
    """Return the seconds of django-import-export for the first sheet, one pass, no preview.

    Its holders are there beforehand; licences, systems, stocks and boundaries are left out.
    """
    minerals = {name: code for code, name in Mineral.objects.values_list("code", "name")}
    started = time.perf_counter()
    sheet = Dataset().load(path.read_bytes(), "xlsx", headers=False)
    names = [column.field for column in MINES_SHEET.columns]
    rows = [dict(zip(names, row, strict=False)) for row in sheet[HEAD_ROW:]]
    holders = {name: Holder(name=name) for name in dict.fromkeys(row["holder"] for row in rows)}
    Holder.objects.bulk_create(holders.values())
    given = {"county": "140602", "as_of": "2026-10-31", "given_by": "测量"}
    data = Dataset(headers=list(MineResource.Meta.fields))
    for row in rows:
        known = {"holder": holders[row["holder"]].pk, "mineral": minerals[row["mineral"]]}
        whole = {**row, **known, **given}
        data.append([whole[name] for name in MineResource.Meta.fields])
    result = MineResource().import_data(data, raise_errors=True)
    seconds = time.perf_counter() - started
    assert result.totals["new"] == len(rows)
    return seconds


def child_peak_mib(path: Path) -> float:
    """Return the peak memory of the reading child alone; stop when the workbook is refused."""
    code = (
        "import sys, resource, subprocess, json\n"
        "from dataclasses import asdict\n"
        "from mines.sheets import Limits\n"
        "child = subprocess.run([sys.executable, '-B', '-m', 'mines.sheet_reader', sys.argv[1],"
        " json.dumps(asdict(Limits()))], stdout=subprocess.PIPE, check=True)\n"
        "assert b'refused' not in child.stdout[:200], child.stdout\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    answer = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    return int(answer.stdout) / 1024


def clean_up() -> None:
    """Take away what the import wrote, history included."""
    tables = (
        "mines_mine_ore_bodies", "mines_boundary", "mines_stock", "mines_productionsystem",
        "mines_licence", "mines_mine", "mines_registryupload", "mines_boundaryevent",
        "mines_stockevent", "mines_productionsystemevent", "mines_licenceevent", "mines_mineevent",
        "mines_holder", "shuozhou_mines_job", "mines_listedmine", "mines_listedshape",
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
        cursor.execute("VACUUM ANALYZE mines_mine")


def main() -> int:
    """Measure and print; return 1 when a limit is missed."""
    # Nothing here is to be published to a queue: the jobs are run in this process.
    with (
        override_settings(DEMO=False, MEDIA_ROOT=tempfile.mkdtemp(), CELERY_BROKER_URL="memory://"),
        tempfile.TemporaryDirectory() as folder,
    ):
        made = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            call_command("load_fixtures", verbosity=0, stdout=io.StringIO())
            return measure(Path(folder) / "registry.xlsx")
        finally:
            connection.creation.destroy_test_db(made, verbosity=0)


def measure(path: Path) -> int:
    """Print the ratio and the memory, each with its limit."""
    county = County.objects.get(pk="140602")
    by = User.objects.create(username="bench", name="测量")
    grant_role(to=by, role=Role.COUNTY_CLERK, county=county)
    write(path, MINES)
    print(f"{MINES} mines, {path.stat().st_size / 2**20:.1f} MiB")
    ratios, totals = [], []
    for _ in range(ROUNDS):
        bare = baseline(path)
        clock = whole_import(path, by)
        total = sum(clock.values())
        ratios.append(total / bare)
        parts = ", ".join(f"{name} {seconds:.2f}" for name, seconds in clock.items())
        print(f"  bare {bare:.2f} s; import {total:.2f} s ({parts}): {total / bare:.2f} x")
        clean_up()
        totals.append(total)
    ratio = min(ratios)
    print(f"import / (calamine + COPY): {ratio:.2f} (limit {LIMIT_RATIO})")
    library = import_with_library(path)
    clean_up()
    advantage = library / min(totals)
    print(
        f"django-import-export: {library:.2f} s, {advantage:.2f} x ours (least {LEAST_ADVANTAGE})"
    )
    worker = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak of the importing worker at {MINES} mines: {worker:.0f} MiB")
    # A mine has a row of its own, eight corners, a system and a stock.
    write(path, MEMORY_ROWS // 11 + 1)
    peak = child_peak_mib(path)
    print(f"reading child at {MEMORY_ROWS} rows: {peak:.0f} MiB (limit {LIMIT_MIB})")
    return int(ratio > LIMIT_RATIO or advantage < LEAST_ADVANTAGE or peak > LIMIT_MIB)


if __name__ == "__main__":
    sys.exit(main())
