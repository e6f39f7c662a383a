"""Read the registry piece by piece, with what the facts of its mines need and nothing else."""

from collections.abc import Iterable, Iterator
from typing import Any

from mines.models import Boundary, Licence, Mine, Mineral, OreBody, ProductionSystem, Stock
from taskforce.models import County

CHUNK = 1000


def mine_chunks(
    *, after: int = 0, until: int | None = None, county_code: str | None = None
) -> Iterator[list[Mine]]:
    """Yield the mines of the registry by key, so many at a time, with what their facts read.

    Counties and minerals are shared, and outlines stay in the database: only areas are read.
    """
    counties = {county.pk: county for county in County.objects.defer("outline")}
    minerals = {mineral.pk: mineral for mineral in Mineral.objects.all()}
    bodies = {body.pk: body for body in OreBody.objects.all()}
    while True:
        mines = Mine.objects.in_scope().filter(pk__gt=after)
        if until is not None:
            mines = mines.filter(pk__lte=until)
        if county_code is not None:
            mines = mines.filter(county=county_code)
        chunk = list(mines.select_related("holder").order_by("pk")[:CHUNK])
        if not chunk:
            return
        for mine in chunk:
            known = mine._state.fields_cache
            known["county"], known["mineral"] = counties[mine.county_id], minerals[mine.mineral_id]
        _attach(chunk, bodies)
        yield chunk
        after = chunk[-1].pk


def _attach(chunk: list[Mine], bodies: dict[int, OreBody]) -> None:
    """Put the rows of each mine where its managers look for what was fetched before.

    Django's own prefetch builds a query set for every mine and kind of row; for 100,000 mines that
    takes as long as all the rules together.
    """
    ids = [mine.pk for mine in chunk]
    for name, found in (
        ("stocks", _by_mine(Stock.objects.filter(mine__in=ids).order_by("pk"))),
        ("systems", _by_mine(ProductionSystem.objects.filter(mine__in=ids).order_by("pk"))),
        ("licences", _by_mine(Licence.objects.filter(mine__in=ids).order_by("pk"))),
        ("ore_bodies", _bodies(ids, bodies)),
    ):
        for mine in chunk:
            fetched = vars(mine).setdefault("_prefetched_objects_cache", {})
            fetched[name] = found.get(mine.pk, [])
    boundaries = Boundary.objects.only("mine_id", "area_km2", "is_schematic").filter(mine__in=ids)
    of_mine = {boundary.mine_id: boundary for boundary in boundaries}
    for mine in chunk:
        mine._state.fields_cache["boundary"] = of_mine.get(mine.pk)


def _by_mine(rows: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.mine_id, []).append(row)
    return found


def _bodies(ids: list[int], bodies: dict[int, OreBody]) -> dict[int, list[Any]]:
    links = Mine.ore_bodies.through.objects.filter(mine__in=ids)
    found: dict[int, list[Any]] = {}
    for mine_id, body_id in links.order_by("orebody__code").values_list("mine", "orebody"):
        found.setdefault(mine_id, []).append(bodies[body_id])
    return found
