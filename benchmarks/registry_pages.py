"""Ask for pages, tiles and searches of a registry of 100,000 invented mines.

Held to: a filtered list page in at most 12 queries and 60 ms of server time; tiles in at most 1.3
times their bare SQL; a search of two characters under 20 ms in SQL; the neighbours of one mine
within 300 m under 5 ms. The mines live in a database of their own that is dropped afterwards;
MINES=10000 tries less.
"""

import io
import math
import os
import random
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shuozhou_mines.settings")
django.setup()

# ruff: noqa: E402  the settings come before everything that reads them
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.core.management import call_command
from django.db import connection
from django.http import QueryDict
from django.test import Client, RequestFactory
from django.test.utils import override_settings
from django.utils import timezone

from mines.boundaries import neighbours
from mines.filters import MineFilter, in_order
from mines.listed_models import ListedMine
from mines.models import Boundary, Holder, Licence, Mine, ProductionSystem
from mines.tiles import tile_query
from taskforce.actions import grant_role
from taskforce.models import County, User
from taskforce.roles import Role

MINES = int(os.environ.get("MINES", "100000"))
ROUNDS = int(os.environ.get("ROUNDS", "7"))
AT_ONCE = 5000
QUERIES, PAGE_MS, TILE_RATIO, SEARCH_MS, NEAR_MS = 12, 60.0, 1.3, 20.0, 5.0
AS_OF = date(2026, 9, 30)
MINERALS = ("83907", "22001", "22002", "83909", "83993", "32009")
PLACES = "平安城山河石岭沟峪泉台庄堡店岩坪湾塔庙柳杨松榆槐梨桃枣红黄青白黑金银铜玉龙凤虎马牛羊鹿"
KINDS = ("采石场", "砂石厂", "铁矿", "石料厂", "铝土矿", "砂矿")
PAGES = (
    "", "county=140602", "mineral=22001", "group=sand_stone", "group=other", "method=underground",
    "state=suspended", "licence=expired", "licence=30", "licence=365", "licence=none",
    "scale=below", "scale=reached", "scale=unknown", "q=石料", "q=龙凤", "q=虎马岭", "q=矿业",
    "bbox=112,39,112.5,39.5", "sort=name", "sort=-name", "sort=-scale", "sort=ends", "sort=-area",
    "sort=holder", "sort=county", "sort=-life", "page=1000", "sort=name&page=1000",
    "sort=-scale&page=1000", "sort=as_of&page=2000", "sort=state&page=1000",
    "county=140602&mineral=22001&state=producing&method=open_pit&licence=365&scale=reached",
    "q=采石&county=140603&group=sand_stone&scale=below&sort=-ends",
)  # fmt: skip
# Where the mines lie, from the whole province down to a few of them.
TILES = ((6, 52, 24), (7, 104, 48), (8, 207, 97), (9, 415, 195), (10, 831, 390), (11, 1662, 781))
SEARCHES = ("石料", "龙凤", "铁矿", "矿业", "虎马", "07")


def main() -> int:
    """Fill a database, measure, and drop it; return 1 when a limit is missed."""
    made = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        with override_settings(
            DEMO=False,
            ALLOWED_HOSTS=["testserver"],
            CELERY_BROKER_URL="memory://",
            STORAGES={
                "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
                "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
            },
        ):
            call_command("load_fixtures", verbosity=0, stdout=io.StringIO())
            fill(MINES)
            return judge()
    finally:
        connection.creation.destroy_test_db(made, verbosity=0)


def judge() -> int:
    """Print every figure with its limit; return 1 when one is missed."""
    by = User.objects.create(username="bench", name="测量")
    grant_role(to=by, role=Role.OFFICE)
    client = Client()
    client.force_login(by)
    queries, worst = list_pages(client)
    figures = (
        ("queries of a list page, most", float(queries), float(QUERIES)),
        ("server time of a list page, longest, ms", worst, PAGE_MS),
        ("tiles / their bare SQL", tiles(client, by), TILE_RATIO),
        ("search of two characters in SQL, longest, ms", searches(by), SEARCH_MS),
        ("neighbours within 300 m, median, ms", near(), NEAR_MS),
    )
    for label, value, most in figures:
        print(f"  {label}: {value:.2f} of {most:.2f} ({value / most:.2f})")
    return int(any(value > most for _, value, most in figures))


def middle(act: Callable[[], Any]) -> float:
    """Return the median milliseconds of doing something, once warm."""
    act()
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        act()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def list_pages(client: Client) -> tuple[int, float]:
    """Return the most queries and the longest time of all list pages."""
    most, longest = 0, 0.0
    for query in PAGES:
        address = f"/staff/mines/?{query}"
        asked: list[str] = []

        def count_one(execute: Any, sql: str, *rest: Any, asked: list[str] = asked) -> Any:
            asked.append(sql)
            return execute(sql, *rest)

        with connection.execute_wrapper(count_one):
            response = client.get(address)
        if response.status_code != 200:
            raise SystemExit(f"{address} answered {response.status_code}")
        taken = middle(lambda address=address: client.get(address))  # type: ignore[misc]
        counted = re.search(r"共 (\d+) 座", response.content.decode())
        count = counted[1] if counted else "none"
        print(f"  {taken:6.1f} ms {len(asked):3} queries {count:>7}  {query}")
        most, longest = max(most, len(asked)), max(longest, taken)
    return most, longest


def tiles(client: Client, by: User) -> float:
    """Return how much longer the portal takes for all tiles than their SQL alone."""
    whole = bare = 0.0
    mines = ListedMine.objects.visible_to(by)
    for z, x, y in TILES:
        statement, given = tile_query(mines, z=z, x=x, y=y, page_prefix="/staff/mines/")
        sql = middle(lambda s=statement, g=given: fetch(s, g))  # type: ignore[misc]
        address = f"/staff/mines/tiles/{z}/{x}/{y}.mvt"
        size = len(client.get(address).content)
        taken = middle(lambda address=address: client.get(address))  # type: ignore[misc]
        print(f"  {taken:6.1f} ms, bare SQL {sql:6.1f} ms, {size / 1024:6.0f} KiB  {z}/{x}/{y}")
        whole, bare = whole + taken, bare + sql
    return whole / bare


def searches(by: User) -> float:
    """Return the longest time of the first page of a search of two characters, in SQL."""
    longest = 0.0
    request = RequestFactory().get("/staff/mines/")
    request.user = by
    for text in SEARCHES:
        asked = QueryDict(mutable=True)
        asked["q"] = text
        found = in_order(MineFilter(asked, request=request).listed, "")
        statement, given = found.values_list("pk")[:50].query.sql_with_params()
        taken = middle(lambda s=statement, g=given: fetch(s, g))  # type: ignore[misc]
        print(f"  {taken:6.1f} ms {found.count():7} found  {text}")
        longest = max(longest, taken)
    return longest


def near() -> float:
    """Return the median time of asking for the neighbours of one mine."""
    rows = list(Boundary.objects.filter(mine__registry_no__endswith="77").select_related("mine"))
    taken = []
    for row in rows[:50]:
        shapes, own = [("asked", row.outline)], {"asked": [row.mine_id]}
        began = time.perf_counter()
        neighbours(shapes, within_m=Decimal(300), ignoring=own)
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def fetch(statement: str, given: Any) -> Any:
    """Run one statement and take all its rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return cursor.fetchall()


def fill(count: int) -> None:
    """Register so many invented mines of all counties, each with its rows."""
    counties = list(County.objects.order_by("code"))
    chance = random.Random(7)  # noqa: S311
    began = time.perf_counter()
    for first in range(0, count, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, count))
        holders = Holder.objects.bulk_create(
            Holder(name=f"{_place(chance)}矿业{number}公司") for number in numbers[::4]
        )
        mines = Mine.objects.bulk_create(
            _mine(number, counties[number % len(counties)], chance.choice(holders), chance)
            for number in numbers
        )
        _beside(numbers, mines)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    print(f"  {ListedMine.objects.count()} mines in {time.perf_counter() - began:.0f} s")


def _place(chance: random.Random) -> str:
    return "".join(chance.sample(PLACES, 3))


def _mine(number: int, county: County, holder: Holder, chance: random.Random) -> Mine:
    return Mine(
        registry_no=f"SZ-{county.code}-{number:06d}",
        name=f"示例{_place(chance)}{KINDS[number % len(KINDS)]}",
        county=county,
        township=f"{_place(chance)}乡",
        holder=holder,
        mineral_id=MINERALS[number % 11 % len(MINERALS)],
        method="open_pit" if number % 4 else "underground",
        state=("producing", "suspended", "construction", "closed")[number % 13 % 4],
        service_life_years=None if number % 50 == 0 else Decimal(number % 200) / 10,
        density=Decimal("2.65") if number % 3 else None,
        as_of=AS_OF - timedelta(days=number % 90),
        given_by="示例",
        is_demo=True,
    )


def _beside(numbers: range, mines: list[Mine]) -> None:
    pairs = list(zip(numbers, mines, strict=True))
    today = timezone.localdate()
    Licence.objects.bulk_create(
        Licence(
            mine=mine, number=f"C1406{number:018d}", valid_from=date(2015, 1, 1),
            valid_to=today + timedelta(days=number % 3000 - 300), scale=Decimal(number % 90 + 5),
            scale_unit="wan_t",
        )
        for number, mine in pairs
        if number % 40
    )  # fmt: skip
    ProductionSystem.objects.bulk_create(
        ProductionSystem(
            mine=mine, name="一号采场", method=mine.method, design_scale=Decimal(number % 90 + 5),
            unit="wan_m3" if number % 5 == 0 else "wan_t",
        )
        for number, mine in pairs
    )  # fmt: skip
    Boundary.objects.bulk_create(_boundary(number, mine) for number, mine in pairs)


def _boundary(number: int, mine: Mine) -> Boundary:
    """Return a round shape of 8 corners in its own place of a wide grid."""
    row, column = divmod(number, 400)
    corners = list(_ring(110.5 + column * 0.01, 36.5 + row * 0.016))
    return Boundary(
        mine=mine,
        outline=MultiPolygon(Polygon(corners), srid=4490),
        area_km2=Decimal(number % 900 + 20) / 1000,
        as_of=AS_OF,
    )


def _ring(east: float, north: float) -> Iterator[tuple[float, float]]:
    for corner in range(9):
        angle = 2 * math.pi * (corner % 8) / 8
        yield east + 0.004 * math.cos(angle), north + 0.006 * math.sin(angle)


if __name__ == "__main__":
    sys.exit(main())
