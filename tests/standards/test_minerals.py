"""The shipped list of minerals and its class rows."""

from decimal import Decimal
from typing import Any

import pytest

from standards.figures import grade, production_grade, reserve_grade
from standards.rulebook import CONFIDENCES
from standards.terms import ScaleClass, ScaleUnit
from tests.standards.asking import BY_NAME, MINERALS, OPEN, UNDER, mine

ORDINARY = {
    "建筑石料用灰岩", "建筑用白云岩", "建筑用砂岩", "建筑用玄武岩", "建筑用辉绿岩", "建筑用安山岩",
    "建筑用花岗岩", "建筑用凝灰岩", "建筑用大理岩", "片麻岩", "建筑用页岩", "建筑用砂", "砖瓦用砂",
    "砖瓦用粘土", "砖瓦用页岩", "砖瓦用砂岩",
}  # fmt: skip


def test_all_codes_are_there_once():
    assert len(MINERALS) == 89
    assert all(len(code) == 5 and code.isdigit() for code in MINERALS)
    assert MINERALS["32009"].name == "铝土矿"
    assert MINERALS["83907"].name == "建筑石料用灰岩"


def test_ordinary_sand_stone_and_soil():
    found = {mineral.name for mineral in MINERALS.values() if mineral.is_ordinary_sand_stone}
    assert found == ORDINARY
    assert not BY_NAME["水泥用灰岩"].is_ordinary_sand_stone
    assert not BY_NAME["饰面用花岗岩"].is_ordinary_sand_stone


def test_named_lines_of_the_minimum():
    named = {
        mineral.name: mineral.minimum_key
        for mineral in MINERALS.values()
        if mineral.minimum_key not in (None, "quarry") and not mineral.minimum_unclear
    }
    assert named == {
        "铁矿": "iron",
        "铜矿": "copper",
        "铝土矿": "bauxite",
        "冶镁白云岩（镁）": "magnesium_dolomite",
        "金矿": "gold",
        "冶金用白云岩": "magnesium_dolomite",
        "水泥用灰岩": "cement_limestone",
    }


@pytest.mark.parametrize(
    ("name", "unit", "medium", "large"),
    [
        ("铝土矿", "矿石万吨", "500", "2000"),
        ("铜矿", "铜金属万吨", "10", "50"),
        ("金矿", "金金属吨", "5", "20"),
        ("水泥用灰岩", "矿石亿吨", "0.15", "0.8"),
        ("建筑石料用灰岩", "矿石万立方米", "1000", "5000"),
        ("石膏", "矿石万吨", "1000", "3000"),
    ],
)
def test_reserve_rows(name: str, unit: str, medium: str, large: str):
    row = BY_NAME[name].reserve
    assert row is not None
    assert (row.unit, row.medium, row.large) == (unit, Decimal(medium), Decimal(large))


@pytest.mark.parametrize(
    ("name", "unit", "medium", "large"),
    [
        ("铝土矿", ScaleUnit.WAN_T, 30, 100),
        ("金矿", ScaleUnit.WAN_T, 6, 15),
        ("水泥用灰岩", ScaleUnit.WAN_T, 50, 100),
        ("建筑石料用灰岩", ScaleUnit.WAN_M3, 5, 10),
        ("砖瓦用粘土", ScaleUnit.WAN_T, 5, 30),
    ],
)
def test_production_rows(name: str, unit: ScaleUnit, medium: int, large: int):
    row = BY_NAME[name].production
    assert row is not None
    assert (row.unit, row.medium, row.large) == (unit.label, Decimal(medium), Decimal(large))


def test_rows_say_how_sure_they_are():
    for mineral in MINERALS.values():
        for row in (mineral.reserve, mineral.production):
            assert row is None or (row.confidence in CONFIDENCES and row.source)


@pytest.mark.parametrize(
    ("amount", "size"),
    [("499.99", "small"), ("500", "medium"), ("1999.99", "medium"), ("2000", "large")],
)
def test_a_limit_belongs_to_the_higher_class(amount: str, size: str):
    row = BY_NAME["铝土矿"].reserve
    assert row is not None
    assert grade(Decimal(amount), row).size == size


@pytest.mark.parametrize(
    ("stock", "unit", "density", "size"),
    [
        (1000, "矿石万立方米", None, "medium"),
        (2680, "矿石万吨", 2.68, "medium"),
        (2679, "矿石万吨", 2.68, "small"),
        (1.34, "矿石亿吨", 2.68, "large"),
        (2680, "矿石万吨", None, None),
        (9999, "示例单位", 2.68, None),
    ],
)
def test_stocks_are_brought_to_the_unit_of_the_row(
    stock: float, unit: str, density: float | None, size: str | None
):
    stone = mine(
        mineral="建筑石料用灰岩", deposit_stock=stock, deposit_stock_unit=unit, density=density
    )
    assert reserve_grade(stone).size == size


def test_resources_stand_in_for_the_deposit():
    facts = {"mineral": "铝土矿", "stock_unit": ScaleUnit.WAN_T, "measured": 100, "indicated": 200}
    assert reserve_grade(mine(inferred=200, **facts)).size is ScaleClass.MEDIUM
    assert reserve_grade(mine(inferred=199, **facts)).size is ScaleClass.SMALL
    assert reserve_grade(mine(**facts)).size is None


def test_a_class_of_the_plan_stands_in_where_figures_are_missing():
    stated: dict[str, Any] = {"mineral": "铝土矿", "production_class": ScaleClass.LARGE}
    assert production_grade(mine(**stated)).size is ScaleClass.LARGE
    assert production_grade(mine(licensed_scale=10, **stated)).size is ScaleClass.SMALL


def test_differing_scales_of_one_mine_leave_its_class_in_doubt():
    graded = production_grade(mine(mineral="铝土矿", licensed_scale=20, design_scale=30))
    assert (graded.size, graded.doubtful) == (ScaleClass.MEDIUM, True)


def test_iron_by_method():
    for method, size in ((UNDER, "medium"), (OPEN, "small"), (None, None)):
        assert production_grade(mine(mineral="铁矿", method=method, licensed_scale=40)).size == size
