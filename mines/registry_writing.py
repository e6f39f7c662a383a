"""Write changes into the registry in sets: one COPY or one UPDATE for each table, no row alone.

Callers hold the transaction and the lock; the triggers that keep history see every row.
"""

import io
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from mines.models import Holder, OreBody
from mines.registry_changes import MineChange
from mines.registry_state import LICENCE_COLUMNS, MINE_FIELDS
from mines.workbook_reading import NEW_NUMBER

NULLS = {
    "recoverable",
    "density",
    "service_life_years",
    "life_includes_construction",
    "construction_years",
    "suspended_since",
    "last_production_on",
    "is_on_ridge",
    "safety_licence_valid_to",
    "accepted_on",
    "area_km2",
    "elevation_top_m",
    "elevation_bottom_m",
    "scale",
    "design_scale",
}
"""Columns where nothing is NULL; in all others it is the empty text."""

ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
NULL = None


def write_changes(
    changes: Sequence[MineChange], *, county_code: str, as_of: str, given_by: str
) -> None:
    """Write new and changed mines with all that belongs to them.

    The mines come last, so that the list takes up each new one once, with all its rows; that they
    are there is asked for at the end of the transaction.
    """
    holders = _holders(changes)
    new = [change for change in changes if change.id is None]
    changed = [change for change in changes if change.id is not None]
    ids = dict(zip((c.registry_no for c in new), _next_ids("mines_mine", len(new)), strict=True))
    ids |= {change.registry_no: change.id for change in changed if change.id is not None}
    _write_licences(changes, ids)
    _write_systems(changes, ids)
    _write_stocks(changes, ids)
    _write_boundaries(changes, ids, as_of)
    _write_ore_bodies(changes, ids)
    _add_mines(new, ids, holders, (county_code, as_of, given_by))
    _update_mines(changed, holders, as_of, given_by)


def _add_mines(
    new: Sequence[MineChange],
    ids: dict[str, int],
    holders: dict[tuple[str, str], int],
    source: tuple[str, str, str],
) -> None:
    """Write the rows of new mines; `source` is county, as-of day and who gave the data."""
    copy(
        "mines_mine",
        (
            "id",
            "registry_no",
            "holder_id",
            "mineral_id",
            *MINE_FIELDS,
            "county_id",
            "as_of",
            "given_by",
            "is_demo",
        ),
        (
            (
                ids[change.registry_no],
                change.registry_no,
                holders[_holder_key(change.fields)],
                change.fields["mineral"],
                *(_value(name, change.fields.get(name, "")) for name in MINE_FIELDS),
                *source,
                "f",
            )
            for change in new
        ),
    )


def copy(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Send rows to a table in one COPY; None is NULL. Returns how many."""
    lines = []
    for row in rows:
        cells = []
        for value in row:
            if value is None:
                cells.append("\\N")
            else:
                text = value if value.__class__ is str else str(value)
                if "\\" in text or not text.isprintable():
                    text = text.translate(ESCAPES)
                cells.append(text)
        lines.append("\t".join(cells))
    if not lines:
        return 0
    names = ", ".join(f'"{name}"' for name in columns)
    data = io.StringIO("\n".join(lines) + "\n")
    with connection.cursor() as cursor:
        cursor.cursor.copy_expert(f'COPY "{table}" ({names}) FROM STDIN', data)
    return len(lines)


def update(table: str, key: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Change rows of a table in one UPDATE; each row is the key and one value for each column."""
    rows = list(rows)
    if not rows or not columns:
        return
    given = f"given_{table}"
    names = ", ".join(f'"{name}"' for name in (key, *columns))
    sets = ", ".join(f'"{name}" = given."{name}"' for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(f'DROP TABLE IF EXISTS "{given}"')
        cursor.execute(
            f'CREATE TEMPORARY TABLE "{given}" ON COMMIT DROP AS '  # noqa: S608
            f'SELECT {names} FROM "{table}" WITH NO DATA'
        )
    copy(given, (key, *columns), rows)
    with connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE "{table}" SET {sets} FROM "{given}" AS given '  # noqa: S608
            f'WHERE "{table}"."{key}" = given."{key}"'
        )


def _value(name: str, text: str) -> str | None:
    return None if not text and name in NULLS else text


def _next_ids(table: str, count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [table, count],
        )
        return [row[0] for row in cursor.fetchall()]


def _holder_key(fields: dict[str, str]) -> tuple[str, str]:
    return fields.get("holder", ""), fields.get("uscc", "")


def _holders(changes: Sequence[MineChange]) -> dict[tuple[str, str], int]:
    """Return the holder's id for each (name, code) named by a change; add those unknown.

    A code tells holders apart; without one the name does. A known holder without a code takes
    the code that comes with its name.
    """
    wanted = {_holder_key(change.fields) for change in changes if change.fields.get("holder")}
    if not wanted:
        return {}
    names = {name for name, _ in wanted}
    codes = {code for _, code in wanted if code}
    by_name: dict[str, list[Holder]] = {}
    by_code: dict[str, Holder] = {}
    for holder in Holder.objects.filter(name__in=names).order_by("pk").select_for_update():
        by_name.setdefault(holder.name, []).append(holder)
    for holder in Holder.objects.filter(uscc__in=codes).order_by("pk").select_for_update():
        by_code[holder.uscc] = holder
    found: dict[tuple[str, str], int] = {}
    missing: dict[tuple[str, str], None] = {}
    coming: set[str] = set()
    for name, code in sorted(wanted, key=lambda pair: (pair[0], not pair[1])):
        same_name = by_name.get(name, [])
        bare = next((holder for holder in same_name if not holder.uscc), None)
        holder_here = by_code.get(code) if code else (bare or (same_name[0] if same_name else None))
        if holder_here is None and code and bare is not None:
            bare.uscc = code
            bare.save(update_fields=["uscc"])
            by_code[code] = holder_here = bare
        if holder_here is not None:
            found[name, code] = holder_here.pk
        elif not code and name in coming:
            continue  # the holder of this name comes with its code from another row
        else:
            missing[name, code] = None
            coming.add(name)
    ids = _next_ids("mines_holder", len(missing))
    fresh = dict(zip(missing, ids, strict=True))
    copy("mines_holder", ("id", "name", "uscc"), ((ids, *key) for key, ids in fresh.items()))
    first_of_name: dict[str, int] = {}
    for (name, _), holder_id in fresh.items():
        first_of_name.setdefault(name, holder_id)
    return {key: found.get(key) or fresh.get(key) or first_of_name[key[0]] for key in wanted}


def _update_mines(
    changed: Sequence[MineChange],
    holders: dict[tuple[str, str], int],
    as_of: str,
    given_by: str,
) -> None:
    """Write the rows of all changed mines in one go, so that history has one entry for each."""
    update(
        "mines_mine",
        "id",
        ("holder_id", "mineral_id", *MINE_FIELDS, "as_of", "given_by"),
        (
            (
                change.id,
                holders[_holder_key(change.fields)],
                change.fields["mineral"],
                *(_value(name, change.fields[name]) for name in MINE_FIELDS),
                as_of,
                given_by,
            )
            for change in changed
        ),
    )


def _write_licences(changes: Sequence[MineChange], ids: dict[str, int]) -> None:
    columns = (*LICENCE_COLUMNS.values(), "number_given", "is_legacy")

    def values(change: MineChange) -> list[str | None]:
        given = change.licence_fields
        number = given["licence_no"]
        row = [_value(name, given[name]) for name in LICENCE_COLUMNS]
        return [*row, "", "f" if NEW_NUMBER.fullmatch(number) else "t"]

    copy(
        "mines_licence",
        ("mine_id", *columns),
        ((ids[c.registry_no], *values(c)) for c in changes if c.licence == "add"),
    )
    update(
        "mines_licence",
        "id",
        columns,
        ((c.licence_id, *values(c)) for c in changes if c.licence == "edit"),
    )


def _delete_of(table: str, mine_ids: list[int]) -> None:
    if mine_ids:
        with connection.cursor() as cursor:
            cursor.execute(
                f'DELETE FROM "{table}" WHERE mine_id = ANY(%s)',  # noqa: S608
                [mine_ids],
            )


def _write_systems(changes: Sequence[MineChange], ids: dict[str, int]) -> None:
    given = [change for change in changes if change.systems is not None]
    _delete_of("mines_productionsystem", [c.id for c in given if c.id is not None])
    copy(
        "mines_productionsystem",
        ("mine_id", "name", "method", "design_scale", "unit"),
        (
            (ids[change.registry_no], name, method, scale or NULL, unit)
            for change in given
            for name, method, scale, unit in change.systems or ()
        ),
    )


def _write_stocks(changes: Sequence[MineChange], ids: dict[str, int]) -> None:
    given = [change for change in changes if change.stocks is not None]
    _delete_of("mines_stock", [c.id for c in given if c.id is not None])
    copy(
        "mines_stock",
        ("mine_id", "stock_class", "amount", "unit", "as_of"),
        ((ids[change.registry_no], *stock) for change in given for stock in change.stocks or ()),
    )


def _write_boundaries(changes: Sequence[MineChange], ids: dict[str, int], as_of: str) -> None:
    given = [change for change in changes if change.outline is not None]
    columns = ("outline", "area_km2", "regions", "source_text", "is_schematic", "as_of")
    held: set[int] = set()
    known = [c.id for c in given if c.id is not None]
    if known:
        with connection.cursor() as cursor:
            cursor.execute("SELECT mine_id FROM mines_boundary WHERE mine_id = ANY(%s)", [known])
            held = {row[0] for row in cursor.fetchall()}

    def values(change: MineChange) -> tuple[Any, ...]:
        outline = change.outline or {}
        return (
            ids[change.registry_no],
            outline["wkb"],
            outline["area_km2"],
            outline["regions"],
            outline["source_text"],
            "f",
            as_of,
        )

    copy(
        "mines_boundary",
        ("mine_id", *columns),
        (values(change) for change in given if change.id not in held),
    )
    update(
        "mines_boundary",
        "mine_id",
        columns,
        (values(change) for change in given if change.id in held),
    )


def _write_ore_bodies(changes: Sequence[MineChange], ids: dict[str, int]) -> None:
    given = [
        (change, [code for code in change.fields["ore_bodies"].split("、") if code])
        for change in changes
        if "ore_bodies" in change.fields
    ]
    codes = {code for _, listed in given for code in listed}
    OreBody.objects.bulk_create(
        [OreBody(code=code) for code in sorted(codes)], ignore_conflicts=True
    )
    body_ids = dict(OreBody.objects.filter(code__in=codes).values_list("code", "pk"))
    _delete_of("mines_mine_ore_bodies", [c.id for c, _ in given if c.id is not None])
    copy(
        "mines_mine_ore_bodies",
        ("mine_id", "orebody_id"),
        (
            (ids[change.registry_no], body_ids[code])
            for change, listed in given
            for code in dict.fromkeys(listed)
        ),
    )
