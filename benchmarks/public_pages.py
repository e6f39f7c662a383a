"""Ask for public pages with 100 published plans and 20,000 mines behind them.

Held to: a notice's page and the map's outlines from memory at no less than 60 % of the requests
per second of an empty Django page, under the same server in the same run.
"""

import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shuozhou_mines.settings")
django.setup()

# ruff: noqa: E402, S603  the settings come before everything that reads them
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from plans.models import CountyPlan, PlanVersion, Round
from publicity.models import Notice, NoticeShape
from taskforce.models import County, User

NOTICES, MINES_EACH, SECONDS, ROUNDS, LEAST = 100, 200, 1.5, 5, 0.6


def main() -> int:
    """Fill a database, measure, and drop it; return 1 when a limit is missed."""
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        call_command("load_fixtures", verbosity=0)
        first = fill()
        return measure(name, f"/notices/{first}/")
    finally:
        connection.close()
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


def fill() -> int:
    """Publish the plans as rows; return the number of the last notice."""
    now, user = timezone.now(), User.objects.create(username="bench", name="bench")
    counties = list(County.objects.all())
    for number in range(NOTICES):
        county = counties[number % len(counties)]
        rounds, _ = Round.objects.get_or_create(
            name=f"第{number // len(counties)}轮",
            defaults={
                "compile_due_on": date(2025, 5, 31),
                "finish_due_on": date(2025, 12, 31),
                "is_open": False,
            },
        )
        plan = CountyPlan.objects.create(
            round=rounds, county=county, state="published", submitted_at=now
        )
        version = PlanVersion.objects.create(plan=plan, number=1, **version_facts(user, now))
        rows = [mine(number, at) for at in range(MINES_EACH)]
        notice = Notice.objects.create(
            plan=plan, version=version, title=f"{county.name}非煤矿山整治整合实施方案公示",
            working_days=7, starts_on=now.date(), ends_at=now + timedelta(days=9),
            content={
                "county": county.name, "county_code": county.pk, "round": rounds.name,
                "version": 1, "counts": {"upgrade": MINES_EACH}, "mines": rows, "areas": [],
                "approval": {
                    "organ": "市政府", "document_number": "示例", "approved_on": "2025-09-02",
                },
            },
            sha256="0" * 64, published_at=now, published_by=user,
        )  # fmt: skip
        NoticeShape.objects.bulk_create(
            NoticeShape(
                notice=notice, kind="mine", name=row["name"], label="upgrade", facts=row,
                outline=square(112 + number / 100, 39 + at / 200),
            )
            for at, row in enumerate(rows)
        )  # fmt: skip
    return notice.pk


def version_facts(user: Any, now: Any) -> dict[str, Any]:
    """Return what a version of a plan needs besides plan and number."""
    return {
        "file": "bench.xlsx", "file_name": "bench.xlsx", "sha256": "0" * 64,
        "uploaded_by": user, "uploaded_at": now, "state": "read",
    }  # fmt: skip


def mine(plan: int, number: int) -> dict[str, Any]:
    """Return one frozen mine."""
    return {
        "registry_no": f"SZ-{plan}-{number:04d}", "name": f"第{number}号采石场", "township": "某乡",
        "holder": "某矿业公司", "licence_no": "C1406002010017130100001", "mineral": "石灰岩",
        "method": "露天", "area_km2": "0.2000", "scale": "60 万吨/年", "disposition": "upgrade",
        "reason": "改造为一个系统。", "area_code": "", "due_on": "2025-12-31",
    }  # fmt: skip


def square(lon: float, lat: float) -> MultiPolygon:
    """Return a square of 400 m."""
    return MultiPolygon(Polygon.from_bbox((lon, lat, lon + 0.004, lat + 0.004)), srid=4490)


def measure(database: str, notice: str) -> int:
    """Ask each address in turns for some rounds; print and compare the medians."""
    port = free_port()
    given = connection.settings_dict
    host = given["HOST"] or given["OPTIONS"].get("host", "")
    login = given["USER"] + (f":{given['PASSWORD']}" if given["PASSWORD"] else "")
    where = f"?host={host}" if host.startswith("/") else ""
    place = f"{'' if where else host}{':' + str(given['PORT']) if given['PORT'] else ''}"
    env = {**os.environ, "DATABASE_URL": f"postgis://{login}@{place}/{database}{where}"}
    server = subprocess.Popen(
        [str(Path(sys.executable).parent / "gunicorn"), "shuozhou_mines.wsgi",
         "-b", f"127.0.0.1:{port}", "-k", "gthread", "--threads", "4", "--log-level", "warning"],
        env=env, start_new_session=True,
    )  # fmt: skip
    try:
        addresses = {"empty": "/livez", "notice": notice, "list": "/notices/"}
        wait_for(port)
        rates: dict[str, list[float]] = {name: [] for name in addresses}
        for address in addresses.values():
            ask(port, address, 0.5)
        for _ in range(ROUNDS):
            for name, address in addresses.items():
                rates[name].append(ask(port, address, SECONDS))
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()
    return verdict({name: statistics.median(found) for name, found in rates.items()})


def verdict(rates: dict[str, float]) -> int:
    """Print the rates; return 1 when one is too low."""
    missed = 0
    for name in ("notice", "list"):
        ratio = rates[name] / rates["empty"]
        missed |= ratio < LEAST
        print(f"{name}: {rates[name]:.0f}/s of {rates['empty']:.0f}/s, {ratio:.2f} (least {LEAST})")
    return int(missed)


def ask(port: int, address: str, seconds: float) -> float:
    """Return the answers per second over one kept connection."""
    link = http.client.HTTPConnection("127.0.0.1", port)
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        link.request("GET", address)
        answer = link.getresponse()
        answer.read()
        assert answer.status == 200, (address, answer.status)
        done += 1
    link.close()
    return done / (time.perf_counter() - start)


def wait_for(port: int) -> None:
    """Wait until the server answers."""
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("the server did not start")


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
