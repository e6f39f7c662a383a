"""Say what a workbook would change in a county's registry; plain data, nothing is written."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mines.workbook_columns import HEADS, LICENCE_FIELDS, MAPPED, Kind, StockKind
from mines.workbook_rows import (
    KnownMine,
    MineEntry,
    Outline,
    ParsedRegistry,
    Snapshot,
    StockRow,
    System,
)
from standards.terms import Method, ScaleUnit

COLUMNS = {column.field: column for column in MAPPED}
EMPTY = "空"
OF_LICENCE = frozenset(LICENCE_FIELDS)


@dataclass
class MineChange:
    """What happens to one mine; `id` is None for a new one.

    `fields` are those of the mine's own row as they will be; `ore_bodies` is among them only when
    it changes. `shown` are (what, old, new) in words. `licence` says how the
    licence row changes: "" not at all, "add" a period, "edit" the latest one.
    """

    registry_no: str
    name: str
    row: int
    id: int | None = None
    fields: dict[str, str] = field(default_factory=dict)
    shown: list[tuple[str, str, str]] = field(default_factory=list)
    licence: str = ""
    licence_id: int | None = None
    licence_fields: dict[str, str] = field(default_factory=dict)
    systems: list[System] | None = None
    stocks: list[StockRow] | None = None
    outline: dict[str, Any] | None = None


@dataclass
class Changes:
    """All that a workbook changes; `gone` are (number, name) of mines it does not list."""

    mines: list[MineChange] = field(default_factory=list)
    gone: list[tuple[str, str]] = field(default_factory=list)
    same: int = 0

    @property
    def new(self) -> list[MineChange]:
        """Return the mines that are not in the registry yet."""
        return [change for change in self.mines if change.id is None]

    @property
    def changed(self) -> list[MineChange]:
        """Return the registered mines of which something changes."""
        return [change for change in self.mines if change.id is not None]


def changes_between(
    parsed: ParsedRegistry, snapshot: Snapshot, mineral_names: Mapping[str, str]
) -> Changes:
    """Return what a workbook without errors changes."""
    found = Changes()
    listed = set()
    for entry in parsed.mines:
        listed.add(entry.registry_no)
        known = snapshot.mines.get(entry.registry_no)
        change = _change(entry, known, parsed, mineral_names) if known else _new(entry, parsed)
        if change is None:
            found.same += 1
        else:
            found.mines.append(change)
    found.gone = [
        (number, mine.fields["name"])
        for number, mine in snapshot.mines.items()
        if number not in listed
    ]
    return found


def _new(entry: MineEntry, parsed: ParsedRegistry) -> MineChange:
    number, given = entry.registry_no, entry.fields
    change = MineChange(number, given.get("name", ""), entry.row)
    change.fields = {name: value for name, value in given.items() if name not in OF_LICENCE}
    if given.get("licence_no"):
        change.licence = "add"
        change.licence_fields = {name: given.get(name, "") for name in LICENCE_FIELDS}
    change.systems = parsed.systems.get(number)
    change.stocks = parsed.stocks.get(number)
    outline = parsed.outlines.get(number)
    change.outline = None if outline is None else vars(outline)
    return change


def _change(
    entry: MineEntry, known: KnownMine, parsed: ParsedRegistry, minerals: Mapping[str, str]
) -> MineChange | None:
    merged = {**known.fields, **entry.fields}
    _keep_what_emptiness_cannot_take(known, merged)
    changed = {name: text for name, text in merged.items() if text != known.fields.get(name, "")}
    number = entry.registry_no
    systems = parsed.systems.get(number)
    if systems is not None and sorted(systems) == sorted(known.systems):
        systems = None
    stocks = parsed.stocks.get(number)
    if stocks is not None and sorted(stocks) == sorted(known.stocks):
        stocks = None
    outline = parsed.outlines.get(number)
    if outline is not None and known.regions and _same(outline.regions, known.regions):
        outline = None
    if not changed and systems is None and stocks is None and outline is None:
        return None
    change = MineChange(number, merged["name"], entry.row, known.id)
    change.fields = {name: value for name, value in merged.items() if name not in OF_LICENCE}
    if "ore_bodies" not in changed:
        del change.fields["ore_bodies"]
    _plan_licence(change, known, changed, merged)
    change.systems, change.stocks = systems, stocks
    change.outline = None if outline is None else vars(outline)
    change.shown = _shown(known, changed, change, outline, minerals)
    return change


def _keep_what_emptiness_cannot_take(known: KnownMine, merged: dict[str, str]) -> None:
    """An emptied cell takes neither a holder's code nor a licence period from the registry."""
    if not merged.get("uscc") and merged.get("holder") == known.fields["holder"]:
        merged["uscc"] = known.fields["uscc"]
    if not merged.get("licence_no"):
        merged |= {name: known.fields[name] for name in LICENCE_FIELDS}


def _plan_licence(
    change: MineChange,
    known: KnownMine,
    changed: Mapping[str, str],
    merged: Mapping[str, str],
) -> None:
    """A period that begins after the latest one has ended is a new one; else that is corrected."""
    if not any(name in changed for name in LICENCE_FIELDS) or not merged.get("licence_no"):
        return
    change.licence_fields = {name: merged.get(name, "") for name in LICENCE_FIELDS}
    latest = known.periods[-1] if known.periods else None
    if latest is None or merged["valid_from"] > latest[2]:
        change.licence = "add"
    else:
        change.licence, change.licence_id = "edit", latest[0]


def overlapping_period(change: MineChange, known: KnownMine) -> tuple[str, str] | None:
    """Return an earlier period of the mine that the corrected one would run into."""
    if change.licence != "edit":
        return None
    start, end = change.licence_fields["valid_from"], change.licence_fields["valid_to"]
    for period_id, valid_from, valid_to in known.periods:
        if period_id != change.licence_id and start < valid_to and valid_from < end:
            return valid_from, valid_to
    return None


def _same(given: str, known: list[dict[str, Any]]) -> bool:
    """Tell whether two boundaries have the same corners and heights; names do not matter."""
    return _essence(json.loads(given)) == _essence(known)


def _essence(regions: list[dict[str, Any]]) -> list[Any]:
    return [
        (
            _height(region.get("elevation_top_m")),
            _height(region.get("elevation_bottom_m")),
            [
                (ring.get("role"), [tuple(point[1:3]) for point in ring.get("points", ())])
                for ring in region.get("rings", ())
            ],
        )
        for region in regions
    ]


def _height(text: Any) -> float | None:
    return None if text in (None, "") else float(text)


def _shown(
    known: KnownMine,
    changed: Mapping[str, str],
    change: MineChange,
    outline: Outline | None,
    minerals: Mapping[str, str],
) -> list[tuple[str, str, str]]:
    rows = [
        (
            HEADS[name],
            in_words(name, known.fields.get(name, ""), minerals),
            in_words(name, value, minerals),
        )
        for name, value in changed.items()
    ]
    if change.licence == "add":
        rows.append(("采矿许可证", "", "新增一段有效期，原有的保留"))
    if change.systems is not None:
        rows.append(("生产系统", _systems(known.systems), _systems(change.systems)))
    if change.stocks is not None:
        rows.append(("资源储量", _stocks(known.stocks), _stocks(change.stocks)))
    if outline is not None:
        old, new = _count_corners(known.regions), _count_corners(json.loads(outline.regions))
        rows.append(("矿区范围", old, f"{new}，{outline.area_km2} km²"))
    return rows


def _count_corners(regions: list[dict[str, Any]] | None) -> str:
    if not regions:
        return "没有拐点"
    count = sum(len(ring["points"]) for region in regions for ring in region.get("rings", ()))
    return f"{count} 个拐点"


def in_words(name: str, value: str, minerals: Mapping[str, str]) -> str:
    """Return a canonical value as a reader would write it."""
    column = COLUMNS.get(name)
    if not value:
        return EMPTY
    if column is not None and column.terms is not None:
        return column.terms(value).label
    if column is not None and column.kind is Kind.YES_NO:
        return "是" if value == "t" else "否"
    if column is not None and column.kind is Kind.MINERAL:
        return minerals.get(value, value)
    return value


def _systems(systems: Any) -> str:
    words = []
    for name, method, scale, unit in systems:
        parts = [
            Method(method).label if method else "",
            scale and f"{scale} {ScaleUnit(unit).label}",
        ]
        words.append(" ".join([name, *(part for part in parts if part)]))
    return "；".join(words) or EMPTY


def _stocks(stocks: Any) -> str:
    return (
        "；".join(
            f"{StockKind(kind).label} {amount} {unit}（{day}）"
            for kind, amount, unit, day in stocks
        )
        or EMPTY
    )
