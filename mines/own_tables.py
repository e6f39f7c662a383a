"""Read a table of a county's own making, once somebody has said what its columns are.

Heads may take several rows and be merged, carry units in brackets, stand below a title; values may
be merged downwards, written full-width or as text; totals and footnotes stand among the rows.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from mines.sheets import CellValue, Misread, Sheet, Workbook, shown
from mines.workbook_cells import plain, reader_of
from mines.workbook_columns import MAPPED, VOLUME_UNITS, Column, StockKind
from mines.workbook_reading import settle
from mines.workbook_rows import ParsedRegistry, Snapshot, StockRow, System
from mines.workbook_tables import Reading
from standards.terms import ScaleUnit

COLUMNS = {column.field: column for column in MAPPED}
DEEPEST_HEAD = 12
MOST_HEAD_ROWS = 3
LEAST_KNOWN_HEADS = 3
BRACKETS = re.compile(r"[（(\[【]([^）)\]】]*)[）)\]】]")
TOTAL = re.compile(r"(本页|全县|全区|全市)?(合计|总计|小计|共计).*")
FOOTNOTE = re.compile(r"(注|备注|说明|填表|制表|审核|填报|单位负责).*")
SYSTEM_NAME = "独立生产系统"
NOT_FOUND = (
    "没有找到矿山表：前 12 行里没有哪一行像表头（至少要有矿山名称，以及采矿权人、矿种、许可证号等"
    "列中的两列）。请核对是否选错了文件；也可以下载本县模板，把内容粘贴过去后再上传。"
)


def layout_of(workbook: Workbook) -> dict[str, Any] | None:
    """Return where the table of mines stands and what its columns seem to be; None without one."""
    best: tuple[tuple[int, int], dict[str, Any]] | None = None
    for sheet in workbook.sheets:
        if sheet.hidden:
            continue
        for first in range(1, min(DEEPEST_HEAD, len(sheet.rows)) + 1):
            for last in range(first, min(first + MOST_HEAD_ROWS, len(sheet.rows))):
                heads = _heads(sheet, first, last)
                guesses = _guesses(heads)
                score = (len(set(guesses.values())), _depth(sheet, first, last))
                if "name" in guesses.values() and (best is None or score > best[0]):
                    best = (score, _layout(sheet, first, last, heads, guesses))
    if best is None or best[0][0] < LEAST_KNOWN_HEADS:
        return None
    return best[1]


def _depth(sheet: Sheet, first: int, last: int) -> int:
    """Prefer all rows of heads, but not a title, which is one text over the whole width."""
    texts = {plain(value) for value in sheet.rows[first - 1] if isinstance(value, str)}
    return last - first if len(texts - {""}) > 1 else first - last


def _layout(
    sheet: Sheet, first: int, last: int, heads: dict[int, list[str]], guesses: dict[int, str]
) -> dict[str, Any]:
    columns = [
        {
            "number": number,
            "head": " / ".join(parts),
            "sample": _sample(sheet, last, number),
            "guess": guesses.get(number, ""),
        }
        for number, parts in heads.items()
    ]
    text = "|".join(f"{column['number']}:{plain(str(column['head']))}" for column in columns)
    return {
        "sheet": sheet.name,
        "first": first,
        "last": last,
        "columns": columns,
        "signature": hashlib.sha256(text.encode()).hexdigest(),
    }


def _heads(sheet: Sheet, first: int, last: int) -> dict[int, list[str]]:
    """Return for each column with a head its parts from top to bottom, merged ones filled in."""
    width = max((len(cells) for cells in sheet.rows[first - 1 : last]), default=0)
    spread = _spread(sheet, first, last)
    found = {}
    for number in range(1, width + 1):
        parts: list[str] = []
        for row in range(first, last + 1):
            value = spread.get((row, number), sheet.value(row, number))
            text = shown(value, 60) if isinstance(value, str) else ""
            if text and text not in parts:
                parts.append(text)
        if parts:
            found[number] = parts
    return found


def _spread(sheet: Sheet, first: int, last: int) -> dict[tuple[int, int], CellValue]:
    """Return what merged cells of these rows show."""
    found: dict[tuple[int, int], CellValue] = {}
    for top, left, bottom, right in sheet.merged:
        if bottom < first or top > last:
            continue
        value = sheet.value(top, left)
        for row in range(max(top, first), min(bottom, last) + 1):
            for column in range(left, right + 1):
                found[row, column] = value
    return found


def _guesses(heads: dict[int, list[str]]) -> dict[int, str]:
    """Return the field that each head seems to mean; no field twice."""
    names: dict[str, str] = {}
    for column in MAPPED:
        for name in (column.head, *column.aliases):
            names.setdefault(plain(BRACKETS.sub("", name)), column.field)
    found: dict[int, str] = {}
    for number, parts in heads.items():
        bare = [plain(BRACKETS.sub("", part)) for part in parts]
        for words in ("".join(bare[-2:]), "".join(bare), bare[-1]):
            field = names.get(words)
            if field and field not in found.values():
                found[number] = field
                break
    return found


def _sample(sheet: Sheet, last: int, number: int) -> str:
    values = (sheet.value(row, number) for row in range(last + 1, len(sheet.rows) + 1))
    return next((shown(value, 30) for value in values if shown(value)), "")


def read_own_table(
    workbook: Workbook,
    layout: Mapping[str, Any],
    fields: Mapping[str, str],
    *,
    snapshot: Snapshot,
    minerals: Mapping[str, str],
    as_of: str,
) -> ParsedRegistry:
    """Return rows and problems; `fields` gives the field of each column number (as text)."""
    reading = Reading(snapshot, minerals)
    parsed = ParsedRegistry()
    sheet = workbook.sheet(str(layout["sheet"]))
    assert sheet is not None  # noqa: S101  # the layout was made from this very file
    heads = {int(column["number"]): str(column["head"]) for column in layout["columns"]}
    columns = []
    volumes = False
    for text, field in fields.items():
        number, column = int(text), COLUMNS[field]
        factor, unit = _factor(reading, sheet.name, layout["last"], number, column, heads[number])
        if field == "scale":
            volumes = unit in VOLUME_UNITS
        columns.append((number, column, reader_of(column, minerals, factor=factor)))
    positions = {field: int(text) for text, field in fields.items()}
    table = _without_totals(sheet, int(layout["last"]))
    rows = list(reading.read_rows(table, columns, int(layout["last"]) + 1))
    extras = {}
    for row, values in rows:
        extras[row] = _split(values, "scale" in positions, "scale_unit" in positions, volumes)
    parsed.mines = settle(reading, sheet.name, rows, lambda field: positions.get(field, 0))
    for entry in parsed.mines:
        known = snapshot.mines.get(entry.registry_no)
        stocks = _stocks(extras[entry.row], known.stocks if known else [], as_of)
        if stocks is not None:
            parsed.stocks[entry.registry_no] = stocks
        unit = entry.fields.get("scale_unit") or (known.fields["scale_unit"] if known else "")
        systems = _systems(extras[entry.row], known.systems if known else [], unit)
        if systems is not None:
            parsed.systems[entry.registry_no] = systems
    parsed.problems = reading.problems
    return parsed


def _factor(
    reading: Reading, sheet: str, row: int, number: int, column: Column, head: str
) -> tuple[Decimal, str]:
    """Return what leads from the unit in a head to ours, and that unit; 1 without one."""
    if not column.units:
        return Decimal(1), ""
    ours = {plain(name).lower(): (factor, name) for name, factor in column.units}
    for given in BRACKETS.findall(head):
        found = ours.get(plain(given).lower())
        if found:
            return found
        if re.search(r"亩|吨|米|公顷|方|km|m", given):
            known = "、".join(name for name, _ in column.units)
            says = f"的单位“{given}”不能自动换算。请换算成以下单位之一并改写表头：{known}。"
            reading.at(sheet, row, number, Misread("head_unit", says, known), head)
    return Decimal(1), ""


def _without_totals(sheet: Sheet, last: int) -> Sheet:
    """Return the sheet with merged values filled in, and totals and footnotes emptied."""
    rows = [list(cells) for cells in sheet.rows]
    for top, left, bottom, _ in sheet.merged:
        if top <= last:
            continue
        for row in range(top, bottom + 1):
            if row <= len(rows) and left <= len(rows[row - 1]):
                rows[row - 1][left - 1] = sheet.value(top, left)
    for number, cells in enumerate(rows[last:], start=last + 1):
        texts = [plain(value) for value in cells if isinstance(value, str) and value.strip()]
        filled = sum(value is not None for value in sheet.rows[number - 1])
        is_total = any(TOTAL.fullmatch(text) for text in texts[:3])
        is_note = bool(texts) and FOOTNOTE.fullmatch(texts[0]) is not None and filled <= 3
        if is_total or is_note:
            rows[number - 1] = []
    # A sum or a look-up in a county's own table is taken by the value it shows.
    return replace(sheet, rows=rows, merged=(), formulas=frozenset())


def _split(
    values: dict[str, str], has_scale: bool, has_unit: bool, volumes: bool
) -> dict[str, str]:
    """Take joined cells apart, and return what belongs on other sheets."""
    period = values.pop("validity", None)
    if period is not None:
        start, _, end = period.partition("/")
        values.setdefault("valid_from", start)
        values.setdefault("valid_to", end)
    heights = values.pop("heights", None)
    if heights is not None:
        top, _, bottom = heights.partition("/")
        values.setdefault("elevation_top_m", top)
        values.setdefault("elevation_bottom_m", bottom)
    if has_scale and not has_unit:
        unit = ScaleUnit.WAN_M3 if volumes else ScaleUnit.WAN_T
        values["scale_unit"] = unit.value if values.get("scale") else ""
    apart = [name for name in values if name.startswith("stock_") or name == "design_scale"]
    return {name: values.pop(name) for name in apart}


def _stocks(extra: dict[str, str], known: list[StockRow], as_of: str) -> list[StockRow] | None:
    given = {
        kind.value: extra[f"stock_{kind.value}"]
        for kind in StockKind
        if extra.get(f"stock_{kind.value}")
    }
    if not given:
        return None
    held = {row[0]: row for row in known}
    rows = dict(held)
    for kind, amount in given.items():
        old = held.get(kind)
        same = old is not None and (old[1], old[2]) == (amount, "万吨")
        rows[kind] = old if same and old is not None else (kind, amount, "万吨", as_of)
    return list(rows.values())


def _systems(extra: dict[str, str], known: list[System], unit: str) -> list[System] | None:
    """One design scale is that of the only system; where there are several it says too little."""
    scale = extra.get("design_scale", "")
    if not scale or len(known) > 1:
        return None
    name, method = (known[0][0], known[0][1]) if known else (SYSTEM_NAME, "")
    return [(name, method, scale, unit or ScaleUnit.WAN_T.value)]


def fields_offered() -> list[tuple[str, str]]:
    """Return (field, head) of everything a column may be, in the order of our template."""
    return [(column.field, column.head) for column in MAPPED]
