"""Templates and filled workbooks of an invented county, for tests."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from io import BytesIO
from pathlib import Path

from openpyxl import Workbook as Book
from openpyxl import load_workbook

from mines.sheet_reader import read_here
from mines.sheets import Limits
from plans.workbook import (
    SERVICE_LIFE,
    ParsedPlan,
    TemplateMine,
    read_plan,
    table_of,
    write_template,
)
from standards.terms import Method, MineState, ScaleUnit

KEY = b"a key only for these tests, 32 b"
COUNTY = "140602"
MINERALS = ("建筑石料用灰岩", "铝土矿", "冶金用白云岩", "建筑用砂")
THRESHOLDS = {
    SERVICE_LIFE: Decimal(5),
    "建筑石料用灰岩|露天开采": Decimal(50),
    "铝土矿": Decimal(30),
}


def mine(number: int, **facts: object) -> TemplateMine:
    """Return one invented mine."""
    made = TemplateMine(
        registry_no=f"SC{number:04}",
        township="示例乡",
        name=f"示例{number}号石料矿",
        holder="示例石料有限公司",
        holder_uscc="",
        licence_no="C1406002009127120047552",
        licence_valid_from=date(2016, 3, 1),
        licence_valid_to=date(2026, 3, 1),
        mineral="建筑石料用灰岩",
        method=Method.OPEN_PIT,
        area_km2=Decimal("0.1234"),
        elevation_top_m=Decimal(1523),
        elevation_bottom_m=Decimal(1475),
        licensed_scale=Decimal(20),
        scale_unit=ScaleUnit.WAN_T,
        design_scale=Decimal("20.5"),
        systems_count=1,
        measured_wan_t=Decimal("100.5"),
        inferred_wan_t=Decimal(30),
        service_life_years=Decimal("6.2"),
        state=MineState.PRODUCING,
    )
    return replace(made, **facts)


MINES = tuple(mine(number) for number in (1, 2, 3, 4))


@cache
def template(
    mines: tuple[TemplateMine, ...] = MINES,
    *,
    county: str = COUNTY,
    registry_version: str = "2025-05-01",
    key: bytes = KEY,
    demo: bool = False,
) -> bytes:
    """Return the template of the invented county."""
    return write_template(
        county_code=county,
        county_name="示例县",
        round_name="2025年第一轮",
        mines=mines,
        thresholds=THRESHOLDS,
        registry_version=registry_version,
        signing_key=key,
        minerals=MINERALS,
        demo=demo,
    )


def refilled(plan: ParsedPlan) -> bytes:
    """Return a new template with this plan in it."""
    return write_template(
        county_code=COUNTY,
        county_name="示例县",
        round_name="2025年第一轮",
        mines=MINES,
        thresholds=THRESHOLDS,
        registry_version="2025-05-01",
        signing_key=KEY,
        minerals=MINERALS,
        prefill=plan,
    )


def edited(content: bytes, edit: Callable[[Book], None]) -> bytes:
    """Return a workbook after a person worked in it."""
    book = load_workbook(BytesIO(content))
    edit(book)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def set_cells(book: Book, table: str, row: int, **values: object) -> None:
    """Type values into the fields of a row."""
    about = table_of(table)
    for name, value in values.items():
        book[about.sheet][about.cell(name, row)] = value


def fill(book: Book) -> None:
    """Fill in a plan without a mistake: two mines merged, one closed, one upgraded."""
    common = {"reason": "示例理由", "due_on": date(2025, 12, 31), "unit": "示例县自然资源局"}
    set_cells(book, "dispositions", 4, disposition="整合重组", area_code="Z1", **common)
    set_cells(book, "dispositions", 5, disposition="整合重组", area_code="Z1", **common)
    set_cells(book, "dispositions", 6, disposition="关闭取缔", **common)
    set_cells(book, "dispositions", 7, disposition="升级改造", person="示例人员", **common)
    set_cells(
        book,
        "areas",
        4,
        code="Z1",
        name="示例整合石料矿",
        lead="示例石料有限公司",
        mineral="建筑石料用灰岩",
        method="露天开采",
        scale=60,
        scale_unit="万吨/年",
        reserve_wan_t="１，２００．５",
        measured_wan_t=900,
        service_life_years=20,
        life_includes_construction="是",
        construction_years=1,
        elevation_top_m=1530,
        elevation_bottom_m=1450,
        area_km2=0.3223,
        extra_resources="夹缝、深部",
        grant_way="公开竞争",
        extra_basis="示例依据",
        on_ridge="否",
        as_new="否",
        leader="示例领导",
        due_on="2025年12月31日",
    )
    set_cells(book, "systems", 4, area_code="Z1", name="一采区", method="露天开采", scale=60)
    points = [("4356115.44", "37623300.83"), (4356115.5, 37623400), ("4356000", "37623350.10")]
    for number, (x, y) in enumerate(points, start=1):
        row = {"area_code": "Z1", "region": "1", "point": number, "x": x, "y": y}
        set_cells(book, "corners", 3 + number, **row)
    set_cells(book, "corners", 4, elevation_top=1530, elevation_bottom="1450")
    set_cells(
        book, "closings", 4, registry_no="SC0003", cause="资源枯竭", unit="示例县政府",
        due_on="2025/12/31",
    )  # fmt: skip
    set_cells(
        book, "upgrades", 4, registry_no="SC0004", content="扩能改造", scale_before_wan_t=20,
        scale_after_wan_t=50, investment_wan_yuan="1,500", due_on="20251231",
    )  # fmt: skip
    set_cells(book, "zones", 4, name="示例集中开采区", place="示例乡", mines_count=3)
    set_cells(book, "supplies", 4, product="碎石", demand_wan_t=300, supply_after_wan_t=320)
    set_cells(book, "tasks", 4, task="签订整合协议", unit="示例县政府", due_on=date(2025, 9, 30))


def parse(
    path: Path,
    content: bytes,
    *,
    registry: Sequence[TemplateMine] = MINES,
    county: str = COUNTY,
) -> ParsedPlan:
    """Store, guard and read a workbook as an upload."""
    path.write_bytes(content)
    return read_plan(
        read_here(path, Limits()),
        county_code=county,
        registry=registry,
        signing_key=KEY,
        minerals=MINERALS,
    )
