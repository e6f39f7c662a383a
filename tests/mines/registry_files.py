"""Make registry workbooks for tests: from the template, or as counties draw up their own."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook, load_workbook

from mines.models import Mineral
from mines.registry_state import snapshot_of
from mines.workbook import write_registry
from mines.workbook_columns import CORNERS, FIRST_ROW, MINES, STOCKS, SYSTEMS, Table
from taskforce.models import County

# A square of 400 m in zone 37, near 朔城区.
SQUARE = (
    ("4350000.00", "37623000.00"),
    ("4350400.00", "37623000.00"),
    ("4350400.00", "37623400.00"),
    ("4350000.00", "37623400.00"),
)


def template(county: County) -> Any:
    """Return the county's template as an openpyxl workbook."""
    content = write_registry(snapshot_of(county), dict(Mineral.objects.values_list("code", "name")))
    return load_workbook(BytesIO(content))


def saved(book: Any) -> bytes:
    """Return a workbook as the bytes of a file."""
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def fill(book: Any, table: Table, row: int, **values: Any) -> None:
    """Write values by field into a row, the first row of mines being 1."""
    sheet = book[table.sheet]
    for field, value in values.items():
        sheet.cell(FIRST_ROW + row - 1, table.positions[field]).value = value


def add_mine(book: Any, row: int, **changes: Any) -> None:
    """Write a complete new mine into a row of 附表1."""
    values = {
        "name": f"新增{row}号矿",
        "holder": f"新增{row}公司",
        "licence_no": f"C140602202401713{row:07d}",
        "valid_from": "2024-01-01",
        "valid_to": "2029-12-31",
        "mineral": "建筑石料用灰岩",
        "method": "露天开采",
        "area_km2": 0.16,
        "elevation_top_m": 1400,
        "elevation_bottom_m": 1300,
        "scale": 60,
        "scale_unit": "万吨/年",
        "state": "生产",
        **changes,
    }
    fill(book, MINES, row, **values)


def add_corners(book: Any, key: str, points: Any = SQUARE, *, first: int = 1) -> None:
    """Write a ring into the corner sheet."""
    for at, (x, y) in enumerate(points):
        heights = {"top": "1400", "bottom": "1300"} if at == 0 else {}
        fill(book, CORNERS, first + at, key=key, point=str(at + 1), x=x, y=y, **heights)


def add_system(book: Any, row: int, key: str, **values: Any) -> None:
    """Write a production system."""
    fill(book, SYSTEMS, row, key=key, **values)


def add_stock(book: Any, row: int, key: str, **values: Any) -> None:
    """Write a stock."""
    fill(book, STOCKS, row, key=key, **values)


def own_table(draw: Callable[[Any], None]) -> bytes:
    """Return a workbook with one sheet that `draw` fills."""
    book = Workbook()
    draw(book.active)
    return saved(book)


def upload_file(content: bytes, name: str = "台账.xlsx") -> SimpleUploadedFile:
    """Return what a browser sends."""
    return SimpleUploadedFile(name, content)
