"""Ask for public pages with 100 published plans and 20,000 mines behind them.

Held to: the home page, a notice's page, the list and map tiles at no less than 60 % of the requests
per second of an empty Django page, under the same server in the same run, each asked as browsers
ask; staff pages at no more than 500 ms (95 of 100) while readers ask as fast as they can.
"""

import http.client
import math
import multiprocessing
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
from urllib.parse import quote

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shuozhou_mines.settings")
django.setup()

# ruff: noqa: E402, S603  the settings come before everything that reads them
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from benchmarks import registry_pages
from plans.models import CountyPlan, PlanVersion, Round
from publicity.models import Notice, NoticeShape
from taskforce.actions import grant_role
from taskforce.models import County, User
from taskforce.roles import Role

NOTICES, MINES_EACH, SECONDS, ROUNDS, LEAST = 100, 200, 1.0, 5, 0.6
# Readers at once, how long they ask, and how long staff may wait meanwhile (hardening, promises).
READERS, LOAD_SECONDS, STAFF_MS = 8, 12.0, 500.0
AS_BROWSERS = {"Accept-Encoding": "gzip, deflate, br"}
STAFF_PAGES = ("/staff/", "/staff/mines/", "/staff/mines/?q=石料&sort=-scale", "/staff/plans/",
               "/staff/notices/")  # fmt: skip


def main() -> int:
    """Fill a database, measure, and drop it; return 1 when a limit is missed."""
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        call_command("load_fixtures", verbosity=0)
        registry_pages.fill(NOTICES * MINES_EACH)
        last = fill()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        return measure(name, last)
    finally:
        connection.close()
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


def fill() -> int:
    """Publish the plans as rows; return the number of the last notice."""
    now, user = timezone.now(), User.objects.create(username="bench", name="bench")
    grant_role(to=user, role=Role.OFFICE)
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


def tile_of(zoom: int, lon: float, lat: float) -> str:
    """Return the address of the tile over a place."""
    x = int((lon + 180) / 360 * 2**zoom)
    y = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**zoom)
    return f"/map/tiles/before/{zoom}/{x}/{y}.mvt"


def measure(database: str, notice: int) -> int:
    """Ask each address in turns for some rounds; print and compare the medians."""
    addresses = {
        "empty": "/livez", "home": "/", "notice": f"/notices/{notice}/", "list": "/notices/",
        "tile of a county": tile_of(10, 112.5, 39.5),
        "tile of some mines": tile_of(12, 112.5, 39.5),
    }  # fmt: skip
    port = free_port()
    with_one = serve(database, port, "--workers", "1", "--threads", "4")
    try:
        wait_for(port)
        rates: dict[str, list[float]] = {name: [] for name in addresses}
        for address in addresses.values():
            ask(port, address, 0.3)
        for _ in range(ROUNDS):
            for name, address in addresses.items():
                rates[name].append(ask(port, address, SECONDS))
    finally:
        stop(with_one)
    missed = verdict({name: statistics.median(found) for name, found in rates.items()})
    port = free_port()
    as_deployed = serve(database, port, "--workers", "2", "--threads", "8")
    try:
        wait_for(port)
        return missed | staff_under_load(port, [*addresses.values()][1:])
    finally:
        stop(as_deployed)


def serve(database: str, port: int, *words: str) -> "subprocess.Popen[bytes]":
    """Start the portal's web server on the benchmark's database."""
    given = connection.settings_dict
    host = given["HOST"] or given["OPTIONS"].get("host", "")
    login = given["USER"] + (f":{given['PASSWORD']}" if given["PASSWORD"] else "")
    where = f"?host={host}" if host.startswith("/") else ""
    place = f"{'' if where else host}{':' + str(given['PORT']) if given['PORT'] else ''}"
    env = {**os.environ, "DATABASE_URL": f"postgis://{login}@{place}/{database}{where}"}
    return subprocess.Popen(
        [str(Path(sys.executable).parent / "gunicorn"), "shuozhou_mines.wsgi",
         "-b", f"127.0.0.1:{port}", "-k", "gthread", *words, "--log-level", "warning",
         "--no-control-socket"],
        env=env, start_new_session=True,
    )  # fmt: skip


def stop(server: "subprocess.Popen[bytes]") -> None:
    """Stop a server and wait for its end."""
    os.killpg(server.pid, signal.SIGTERM)
    server.wait()


def staff_under_load(port: int, addresses: list[str]) -> int:
    """Measure staff pages alone and beside readers; return 1 when they take too long."""
    client = Client()
    client.force_login(User.objects.get(username="bench"))
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    waits(port, cookies, 2.0)
    quiet = waits(port, cookies, 4.0)
    context = multiprocessing.get_context("fork")
    asked = context.Value("i", 0)
    readers = [
        context.Process(target=read_on, args=(port, addresses, asked, LOAD_SECONDS + 1))
        for _ in range(READERS)
    ]
    for reader in readers:
        reader.start()
    time.sleep(0.5)
    busy = waits(port, cookies, LOAD_SECONDS - 1)
    for reader in readers:
        reader.join()
    print(
        f"  public answers meanwhile: {asked.value / (LOAD_SECONDS + 1):.0f}/s, {READERS} readers"
    )
    print(f"  staff page, 95 of 100, alone: {quiet:.0f} ms")
    print(f"  staff page, 95 of 100, under load: {busy:.0f} ms of {STAFF_MS:.0f}"
          f" ({busy / STAFF_MS:.2f})")  # fmt: skip
    return int(busy > STAFF_MS)


def read_on(port: int, addresses: list[str], asked: Any, seconds: float) -> None:
    """Ask for public addresses in turn, one after the other without a pause."""
    done = 0
    start = time.perf_counter()
    link = http.client.HTTPConnection("127.0.0.1", port)
    while time.perf_counter() - start < seconds:
        link.request("GET", addresses[done % len(addresses)], headers=AS_BROWSERS)
        link.getresponse().read()
        done += 1
    with asked.get_lock():
        asked.value += done
    os._exit(0)  # the parent's connection to the database is not ours to close


def waits(port: int, cookies: str, seconds: float) -> float:
    """Return the milliseconds within which 95 of 100 staff pages came."""
    link = http.client.HTTPConnection("127.0.0.1", port)
    taken: list[float] = []
    pages: dict[str, list[float]] = {address: [] for address in STAFF_PAGES}
    start = time.perf_counter()
    while time.perf_counter() - start < seconds or len(taken) < 40:
        address = STAFF_PAGES[len(taken) % len(STAFF_PAGES)]
        began = time.perf_counter()
        headers = {**AS_BROWSERS, "Cookie": cookies}
        link.request("GET", quote(address, safe="/?=&"), headers=headers)
        answer = link.getresponse()
        answer.read()
        assert answer.status == 200, (address, answer.status)
        taken.append((time.perf_counter() - began) * 1000)
        pages[address].append(taken[-1])
    link.close()
    for address, found in pages.items():
        print(f"    {address}: {statistics.median(found):.0f} ms in the middle")
    return statistics.quantiles(taken, n=20)[-1]


def verdict(rates: dict[str, float]) -> int:
    """Print the rates; return 1 when one is too low."""
    missed = 0
    print(f"  empty page: {rates['empty']:.0f}/s")
    for name, rate in rates.items():
        if name == "empty":
            continue
        ratio = rate / rates["empty"]
        missed |= ratio < LEAST
        print(f"  {name}: {rate:.0f}/s, {ratio:.2f} of the empty page (least {LEAST})")
    return int(missed)


def ask(port: int, address: str, seconds: float) -> float:
    """Return the answers per second over one kept connection."""
    link = http.client.HTTPConnection("127.0.0.1", port)
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        link.request("GET", address, headers=AS_BROWSERS)
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
