"""Check the rows of a plan workbook against each other: areas, members, annexes, corners."""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Protocol

from mines.sheets import CellValue, Misread, Severity, as_decimal
from plans.workbook_columns import (
    AREAS,
    CORNERS,
    DETAIL_OF,
    DISPOSITIONS,
    SYSTEMS,
    Table,
)
from plans.workbook_rows import AreaRow, DispositionRow, ParsedPlan
from standards.terms import Disposition, ScaleUnit


class Note(Protocol):
    """Take down a problem with a cell of a table."""

    def __call__(
        self,
        table: Table,
        name: str,
        row: int,
        misread: Misread,
        found: CellValue = None,
        severity: Severity = "error",
    ) -> None:
        """Note the problem."""


def check_plan(plan: ParsedPlan, note: Note) -> None:
    """Note everything in which two rows, or two cells of one row, do not fit together."""
    areas = _areas_by_code(plan.areas, note)
    for row in plan.dispositions:
        _check_disposition(row, areas, note)
    members = Counter(row.area_code for row in plan.dispositions if row.area_code)
    for area in plan.areas:
        _check_area(area, members[area.code], note)
    _check_systems(plan, areas, note)
    _check_corners(plan, areas, note)
    for table, disposition in DETAIL_OF:
        _check_details(plan, table, disposition, note)


def _areas_by_code(areas: Iterable[AreaRow], note: Note) -> dict[str, AreaRow]:
    found: dict[str, AreaRow] = {}
    for area in areas:
        first = found.setdefault(area.code, area) if area.code else area
        if first is not area:
            says = f"与第{first.row}行重复。每个整合区只能有一行，请改用另一个编号。"
            note(AREAS, "code", area.row, Misread("duplicate_area", says, ""), area.code)
    return found


def _check_disposition(row: DispositionRow, areas: Mapping[str, AreaRow], note: Note) -> None:
    table = DISPOSITIONS
    merged = row.disposition is Disposition.MERGE
    if merged and not row.area_code:
        says = "没有填写整合区编号。处置方式为整合重组的矿山必须填写，如 Z1。"
        note(table, "area_code", row.row, Misread("merge_without_area", says, "整合区编号"))
    if row.area_code and row.disposition and not merged:
        says = f"不应填写：处置方式是“{row.disposition.label}”，只有整合重组才有整合区。"
        misread = Misread("area_without_merge", says, "留空")
        note(table, "area_code", row.row, misread, row.area_code)
    elif row.area_code and row.area_code not in areas:
        says = "在附表2 中没有。请在附表2 填写这个整合区，或更正编号。"
        misread = Misread("unknown_area", says, "附表2 的整合区编号")
        note(table, "area_code", row.row, misread, row.area_code)
    if row.disposition and row.disposition is not Disposition.KEEP and row.due_on is None:
        says = "没有完成时限。请填写到日，如 2025-12-31。"
        note(table, "due_on", row.row, Misread("missing_due", says, "日期"))


def _check_area(area: AreaRow, members: int, note: Note) -> None:
    def wrong(name: str, code: str, says: str, expected: str = "", found: CellValue = None) -> None:
        note(AREAS, name, area.row, Misread(code, says, expected), found)

    if area.code and not members:
        says = "没有参与整合的矿山。请在附表1 把参与整合的矿山填上这个编号。"
        wrong("code", "area_without_member", says, "至少一座矿山", area.code)
    if area.scale_unit is ScaleUnit.WAN_M3 and area.density_t_m3 is None:
        says = "没有填写体重。规模单位为万立方米/年时，须填写体重才能折算成吨。"
        wrong("density_t_m3", "missing_density", says, "数字")
    if area.density_t_m3 is not None and area.density_t_m3 == 0:
        wrong("density_t_m3", "zero_density", "不能为 0。请填写实测体重。", "大于0的数", 0)
    if area.life_includes_construction and area.construction_years is None:
        says = "没有填写基建期。服务年限含基建期时，须填写基建期年数。"
        wrong("construction_years", "missing_construction", says, "数字")
    top, bottom = area.elevation_top_m, area.elevation_bottom_m
    if top is not None and bottom is not None and top <= bottom:
        says = f"不低于标高起 {top}。标高由高到低填写，止标高应小于起标高。"
        wrong("elevation_bottom_m", "elevation_order", says, f"小于{top}", float(bottom))
    if area.extra_resources:
        if area.grant_way is None:
            says = "没有选择出让方式。有新增资源时必填。"
            wrong("grant_way", "missing_grant", says, "协议、公开竞争")
        if area.extra_basis is None:
            says = "没有填写新增依据。有新增资源时必填。"
            wrong("extra_basis", "missing_basis", says, "依据")
    elif area.grant_way is not None:
        says = "填写了出让方式，但没有选择新增资源类型。请补填新增资源类型，或清空出让方式。"
        wrong("extra_resources", "grant_without_extra", says, "新增资源类型")


def _check_systems(plan: ParsedPlan, areas: Mapping[str, AreaRow], note: Note) -> None:
    sums: dict[str, Decimal] = {}
    for system in plan.systems:
        if system.area_code and system.area_code not in areas:
            says = "在附表2 中没有。请在附表2 填写这个整合区，或更正编号。"
            misread = Misread("unknown_area", says, "附表2 的整合区编号")
            note(SYSTEMS, "area_code", system.row, misread, system.area_code)
        elif system.area_code and system.scale is not None:
            sums[system.area_code] = sums.get(system.area_code, Decimal(0)) + system.scale
    for code, total in sums.items():
        area = areas[code]
        if area.scale is not None and area.scale != total:
            says = f"与附表2-1 各独立生产系统规模之和 {total} 不一致。请核对。"
            misread = Misread("systems_differ", says, f"{total}")
            note(AREAS, "scale", area.row, misread, float(area.scale), "warning")


def _check_corners(plan: ParsedPlan, areas: Mapping[str, AreaRow], note: Note) -> None:
    """Numbers must be numbers; whether they make a ring is judged where geometry is."""
    told: set[str] = set()
    for corner in plan.corners:
        code = corner.area_code
        if code and code not in areas and code not in told:
            told.add(code)
            says = "在附表2 中没有。请在附表2 填写这个整合区，或更正编号。"
            misread = Misread("unknown_area", says, "附表2 的整合区编号")
            note(CORNERS, "area_code", corner.row, misread, code)
        for name in ("x", "y", "elevation_top", "elevation_bottom"):
            text = getattr(corner, name)
            read = as_decimal(text)
            if isinstance(read, Misread):
                note(CORNERS, name, corner.row, read, text)
    given = {corner.area_code for corner in plan.corners}
    for code, area in areas.items():
        if plan.corners and code not in given:
            says = "在“拐点坐标”表中没有拐点。请补填，或另外上传坐标文件。"
            misread = Misread("no_corners", says, "拐点坐标")
            note(AREAS, "code", area.row, misread, code, "warning")


def _check_details(plan: ParsedPlan, table: Table, disposition: Disposition, note: Note) -> None:
    chosen = {row.registry_no: row for row in plan.dispositions}
    seen: dict[str, int] = {}
    for detail in getattr(plan, table.field):
        number = detail.registry_no
        if not number:
            continue
        found = chosen.get(number)
        if number in seen:
            says = f"与第{seen[number]}行重复。每座矿山只能有一行。"
            note(table, "registry_no", detail.row, Misread("duplicate_mine", says, ""), number)
        elif found is None:
            says = "不是附表1 中的台账编号。请从下拉列表中选择。"
            note(table, "registry_no", detail.row, Misread("unknown_mine", says, ""), number)
        elif found.disposition is not None and found.disposition is not disposition:
            says = (
                f"在附表1 第{found.row}行的处置方式是“{found.disposition.label}”，"
                f"不是“{disposition.label}”。请改成一致。"
            )
            misread = Misread("disposition_mismatch", says, disposition.label)
            note(table, "registry_no", detail.row, misread, number)
        seen.setdefault(number, detail.row)
    for number, row in chosen.items():
        if row.disposition is disposition and number not in seen:
            says = (
                f"是“{disposition.label}”，但{table.label}中没有这座矿山。请在{table.label}补填。"
            )
            misread = Misread("missing_detail", says, table.sheet)
            note(DISPOSITIONS, "disposition", row.row, misread, disposition.label, "warning")
