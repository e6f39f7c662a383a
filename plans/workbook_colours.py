"""Colour the cells that fail a standard, or contradict each other, while nobody is online."""

from collections.abc import Mapping
from decimal import Decimal

from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import PatternFill
from openpyxl.worksheet.worksheet import Worksheet

from plans.workbook_columns import (
    AREAS,
    DISPOSITIONS,
    FIRST_ROW,
    LAST_ROW,
    SERVICE_LIFE,
    SYSTEMS,
    YES,
    Table,
)
from standards.terms import Disposition, ScaleUnit

RED = PatternFill("solid", bgColor="F6C9C5")
AMBER = PatternFill("solid", bgColor="FBE6C2")


def _too_small(mineral: str, method: str, scale: str, factor: str) -> str:
    """Return the formula: is this scale, in 万吨/年, under the minimum of the mineral?"""
    least = (
        f'IFERROR(VLOOKUP({mineral}&"|"&{method},minimum_scale,2,FALSE),'
        f"IFERROR(VLOOKUP({mineral},minimum_scale,2,FALSE),-1))"
    )
    return f"AND(ISNUMBER({scale}),{scale}*{factor}<{least})"


def _colour(sheet: Worksheet, table: Table, name: str, formula: str, fill: PatternFill) -> None:
    letter = table.letter(name)
    span = f"{letter}{FIRST_ROW}:{letter}{LAST_ROW}"
    sheet.conditional_formatting.add(span, FormulaRule([formula], fill=fill, stopIfTrue=True))  # type: ignore[no-untyped-call]


def colour_dispositions(sheet: Worksheet, count: int) -> None:
    """Redden licensed scales under the minimum, lost or stray area codes; show what is empty."""
    table = DISPOSITIONS
    at = {column.field: f"${table.letter(column.field)}{FIRST_ROW}" for column in table.columns}
    merged = f'{at["disposition"]}="{Disposition.MERGE.label}"'
    # A licensed figure in cubic metres says nothing without a density.
    factor = f'IF({at["scale_unit"]}="{ScaleUnit.WAN_T.label}",1,1E9)'
    small = _too_small(at["mineral"], at["method"], at["licensed_scale"], factor)
    _colour(sheet, table, "licensed_scale", small, RED)
    lost = f'AND({merged},{at["area_code"]}="")'
    stray = f'AND({at["area_code"]}<>"",COUNTIF(area_list,{at["area_code"]})=0)'
    _colour(sheet, table, "area_code", f"OR({lost},{stray})", RED)
    _colour(sheet, table, "area_code", f'AND({at["area_code"]}<>"",NOT({merged}))', RED)
    if count:
        for name in ("disposition", "reason"):
            empty = f'AND({at["registry_no"]}<>"",{at[name]}="")'
            _colour(sheet, table, name, empty, AMBER)


def colour_areas(sheet: Worksheet, thresholds: Mapping[str, Decimal]) -> None:
    """Redden scales, service lives and heights that fail; show what is empty."""
    table = AREAS
    at = {column.field: f"${table.letter(column.field)}{FIRST_ROW}" for column in table.columns}
    density = at["density_t_m3"]
    factor = (
        f'IF({at["scale_unit"]}="{ScaleUnit.WAN_M3.label}",IF(ISNUMBER({density}),{density},1E9),1)'
    )
    small = _too_small(at["mineral"], at["method"], at["scale"], factor)
    _colour(sheet, table, "scale", small, RED)
    if SERVICE_LIFE in thresholds:
        built = at["construction_years"]
        less = f'IF({at["life_includes_construction"]}="{YES}",IF(ISNUMBER({built}),{built},0),0)'
        life = at["service_life_years"]
        short = f"AND(ISNUMBER({life}),ROUND({life}-{less},6)<{thresholds[SERVICE_LIFE]:f})"
        _colour(sheet, table, "service_life_years", short, RED)
    members = f"COUNTIF({DISPOSITIONS.span('area_code')},{at['code']})"
    _colour(sheet, table, "code", f'AND({at["code"]}<>"",{members}=0)', RED)
    top, bottom = at["elevation_top_m"], at["elevation_bottom_m"]
    order = f"AND(ISNUMBER({top}),ISNUMBER({bottom}),{top}<={bottom})"
    _colour(sheet, table, "elevation_bottom_m", order, RED)
    for column in table.columns:
        if column.required and column.field != "code":
            empty = f'AND({at["code"]}<>"",{at[column.field]}="")'
            _colour(sheet, table, column.field, empty, AMBER)


def colour_systems(sheet: Worksheet) -> None:
    """Redden production systems under the minimum of their area's mineral."""
    table = SYSTEMS
    at = {column.field: f"${table.letter(column.field)}{FIRST_ROW}" for column in table.columns}
    first, last = AREAS.letter("code"), AREAS.letter("density_t_m3")
    areas = f"'{AREAS.sheet}'!${first}${FIRST_ROW}:${last}${LAST_ROW}"

    def of_area(name: str) -> str:
        number = AREAS.number(name) - AREAS.number("code") + 1
        return f'IFERROR(VLOOKUP({at["area_code"]},{areas},{number},FALSE),"")'

    unit, density = of_area("scale_unit"), of_area("density_t_m3")
    factor = f'IF({unit}="{ScaleUnit.WAN_M3.label}",IF(ISNUMBER({density}),{density},1E9),1)'
    small = _too_small(of_area("mineral"), at["method"], at["scale"], factor)
    _colour(sheet, table, "scale", small, RED)
    stray = f'AND({at["area_code"]}<>"",COUNTIF(area_list,{at["area_code"]})=0)'
    _colour(sheet, table, "area_code", stray, RED)
