"""Make a registry workbook of any size: invented mines with boundaries, all cells clean.

python -m benchmarks._make_registry 10000 registry.xlsx [--corners 8]
"""

import argparse
import math
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

from mines.sheets import column_letters
from mines.workbook_columns import CORNERS, FIRST_ROW, HEAD_ROW, MINES, STOCKS, SYSTEMS, Table

COUNTY_CODE, COUNTY_NAME = "140602", "朔城区"
MINERAL = "建筑石料用灰岩"
COLUMNS = 200  # mines stand on a grid, this many in a row


def mine_rows(count: int, seed: int = 7) -> Iterator[dict[str, object]]:
    """Yield the mines; their figures differ as real ones do, their days and words repeat."""
    chance = random.Random(seed)  # noqa: S311
    for number in range(1, count + 1):
        yield {
            "registry_no": f"SZ-{COUNTY_CODE}-{number:06d}",
            "county": COUNTY_NAME,
            "township": f"测试{number % 12}乡",
            "name": f"测试{number}号矿",
            "holder": f"测试矿业{number % (count // 2 + 1)}公司",
            "licence_no": f"C140602202401713{number:07d}",
            "valid_from": f"{2020 + number % 5}-01-01",
            "valid_to": f"{2027 + number % 5}-12-31",
            "issuer": "朔州市规划和自然资源局",
            "mineral": MINERAL,
            "method": "露天开采",
            "area_km2": round(chance.uniform(0.02, 0.9), 4),
            "elevation_top_m": 1300 + number % 200,
            "elevation_bottom_m": 1200 + number % 80,
            "scale": round(chance.uniform(5, 200), 2),
            "scale_unit": "万吨/年",
            "recoverable": round(chance.uniform(50, 5000), 4),
            "density": 2.7,
            "service_life_years": round(chance.uniform(1, 30), 2),
            "life_includes_construction": "否",
            "construction_years": 0.5,
            "state": ("生产", "停产", "基建")[number % 3],
            "is_on_ridge": "否",
        }


def corner_rows(count: int, corners: int) -> Iterator[dict[str, object]]:
    """Yield the corners of each mine: a round shape in its own square of the grid."""
    for number in range(1, count + 1):
        north = 4_310_000 + (number // COLUMNS) * 250
        east = 37_520_000 + (number % COLUMNS) * 600
        for point in range(corners):
            angle = -2 * math.pi * point / corners
            row: dict[str, object] = {
                "key": f"SZ-{COUNTY_CODE}-{number:06d}",
                "region": "1",
                "point": str(point + 1),
                "x": f"{north + 100 * math.sin(angle) + number % 7:.2f}",
                "y": f"{east + 180 * math.cos(angle) + number % 11:.2f}",
            }
            if point == 0:
                row |= {"top": str(1300 + number % 200), "bottom": str(1200 + number % 80)}
            yield row


def system_rows(count: int) -> Iterator[dict[str, object]]:
    """Yield one production system for each mine."""
    for number in range(1, count + 1):
        yield {
            "key": f"SZ-{COUNTY_CODE}-{number:06d}",
            "name": "一号采场",
            "method": "露天开采",
            "design_scale": 10 + number % 90,
            "unit": "万吨/年",
        }


def stock_rows(count: int) -> Iterator[dict[str, object]]:
    """Yield one stock for each mine."""
    for number in range(1, count + 1):
        yield {
            "key": f"SZ-{COUNTY_CODE}-{number:06d}",
            "stock_class": "控制资源量",
            "amount": 100 + number % 900,
            "unit": "万吨",
            "as_of": "2026-10-31",
        }


def write(path: Path, count: int, corners: int = 8) -> None:
    """Write the workbook by hand, for speed: plain XML with inline strings."""
    sheets: list[tuple[Table, Iterator[dict[str, object]]]] = [
        (MINES, mine_rows(count)),
        (CORNERS, corner_rows(count, corners)),
        (SYSTEMS, system_rows(count)),
        (STOCKS, stock_rows(count)),
    ]
    strings: dict[str, int] = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("[Content_Types].xml", _content_types(len(sheets)))
        archive.writestr("_rels/.rels", RELS)
        archive.writestr("xl/workbook.xml", _workbook([table.sheet for table, _ in sheets]))
        archive.writestr("xl/_rels/workbook.xml.rels", _workbook_rels(len(sheets)))
        for number, (table, rows) in enumerate(sheets, start=1):
            with archive.open(f"xl/worksheets/sheet{number}.xml", "w") as file:
                file.write(f'{HEAD}<worksheet xmlns="{MAIN}"><sheetData>'.encode())
                heads: dict[str, object] = {c.field: c.head for c in table.columns}
                file.write(_row(table, HEAD_ROW, heads, strings).encode())
                for row, values in enumerate(rows, start=FIRST_ROW):
                    file.write(_row(table, row, values, strings).encode())
                file.write(b"</sheetData></worksheet>")
        items = "".join(f"<si><t>{escape(text)}</t></si>" for text in strings)
        archive.writestr("xl/sharedStrings.xml", f'{HEAD}<sst xmlns="{MAIN}">{items}</sst>')


def _row(table: Table, row: int, values: dict[str, object], strings: dict[str, int]) -> str:
    cells = []
    for number, column in enumerate(table.columns, start=1):
        value = values.get(column.field)
        if value is None:
            continue
        place = f"{column_letters(number)}{row}"
        if isinstance(value, str):
            at = strings.setdefault(value, len(strings))
            cells.append(f'<c r="{place}" t="s"><v>{at}</v></c>')
        else:
            cells.append(f'<c r="{place}"><v>{value}</v></c>')
    return f'<row r="{row}">{"".join(cells)}</row>'


HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
SHEET_ML = "application/vnd.openxmlformats-officedocument.spreadsheetml"
RELS = (
    f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    "</Relationships>"
)


def _content_types(sheets: int) -> str:
    parts = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{SHEET_ML}.worksheet+xml"/>'
        for n in range(1, sheets + 1)
    )
    return (
        f'{HEAD}<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{SHEET_ML}.sheet.main+xml"/>{parts}'
        '<Override PartName="/xl/sharedStrings.xml" '
        f'ContentType="{SHEET_ML}.sharedStrings+xml"/></Types>'
    )


def _workbook(names: list[str]) -> str:
    sheets = "".join(
        f'<sheet name="{escape(name)}" sheetId="{n}" r:id="rId{n}"/>'
        for n, name in enumerate(names, start=1)
    )
    return f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{sheets}</sheets></workbook>'


def _workbook_rels(sheets: int) -> str:
    parts = "".join(
        f'<Relationship Id="rId{n}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, sheets + 1)
    )
    strings = f'<Relationship Id="s" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
    return f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">{parts}{strings}</Relationships>'


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("path", type=Path)
    parser.add_argument("--corners", type=int, default=8)
    given = parser.parse_args()
    write(given.path, given.count, given.corners)
