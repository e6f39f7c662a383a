"""What a plan workbook holds, as plain rows: the mines it shows and the lines a county filled in.

`row` is the row number in the sheet, from 1. A cell that could not be read is None in its row and
named in ParsedPlan.problems. Scales are per year in the unit beside them; reserves in 万吨.
"""

import datetime
from dataclasses import dataclass, field
from decimal import Decimal

from mines.sheets import CellProblem
from standards.terms import Disposition, ExtraResource, GrantWay, Method, MineState, ScaleUnit


@dataclass(frozen=True)
class TemplateMine:
    """One registered mine as the template shows it; the county cannot change these cells."""

    registry_no: str
    township: str
    name: str
    holder: str
    holder_uscc: str = ""
    licence_no: str = ""
    licence_valid_from: datetime.date | None = None
    licence_valid_to: datetime.date | None = None
    mineral: str = ""
    method: Method | None = None
    area_km2: Decimal | None = None
    elevation_top_m: Decimal | None = None
    elevation_bottom_m: Decimal | None = None
    licensed_scale: Decimal | None = None
    scale_unit: ScaleUnit | None = None
    design_scale: Decimal | None = None
    systems_count: int | None = None
    measured_wan_t: Decimal | None = None
    indicated_wan_t: Decimal | None = None
    inferred_wan_t: Decimal | None = None
    service_life_years: Decimal | None = None
    state: MineState | None = None


@dataclass(frozen=True)
class DispositionRow:
    """附表1: what becomes of one registered mine."""

    row: int
    registry_no: str
    disposition: Disposition | None
    reason: str | None
    area_code: str | None
    due_on: datetime.date | None
    unit: str | None
    person: str | None
    remark: str | None


@dataclass(frozen=True)
class AreaRow:
    """附表2: one merged area."""

    row: int
    code: str
    name: str | None
    lead: str | None
    mineral: str | None
    method: Method | None
    scale: Decimal | None
    scale_unit: ScaleUnit | None
    density_t_m3: Decimal | None
    reserve_wan_t: Decimal | None
    measured_wan_t: Decimal | None
    indicated_wan_t: Decimal | None
    inferred_wan_t: Decimal | None
    service_life_years: Decimal | None
    life_includes_construction: bool | None
    construction_years: Decimal | None
    elevation_top_m: Decimal | None
    elevation_bottom_m: Decimal | None
    area_km2: Decimal | None
    extra_resources: tuple[ExtraResource, ...]
    grant_way: GrantWay | None
    extra_basis: str | None
    on_ridge: bool | None
    """True 是, False 否, None 未判定."""
    as_new: bool | None
    leader: str | None
    due_on: datetime.date | None
    remark: str | None


@dataclass(frozen=True)
class SystemRow:
    """附表2-1: one independent production system of a merged area; scale in the area's unit."""

    row: int
    area_code: str | None
    name: str | None
    method: Method | None
    scale: Decimal | None


@dataclass(frozen=True)
class CornerRow:
    """拐点坐标: one corner point, everything as the text that was typed."""

    row: int
    area_code: str
    region: str
    point: str
    x: str
    y: str
    elevation_top: str
    elevation_bottom: str


@dataclass(frozen=True)
class ClosingRow:
    """附表3 or 附表4: how one mine is closed, or led to leave."""

    row: int
    registry_no: str
    cause: str | None
    basis: str | None
    measure: str | None
    debts: str | None
    unit: str | None
    due_on: datetime.date | None
    notice_no: str | None


@dataclass(frozen=True)
class UpgradeRow:
    """附表5: how one mine is upgraded; scales in 万吨/年, investment in 万元."""

    row: int
    registry_no: str
    content: str | None
    scale_before_wan_t: Decimal | None
    scale_after_wan_t: Decimal | None
    investment_wan_yuan: Decimal | None
    unit: str | None
    due_on: datetime.date | None
    remark: str | None


@dataclass(frozen=True)
class ZoneRow:
    """附表6: one concentrated mining zone or industrial park."""

    row: int
    name: str | None
    place: str | None
    minerals: str | None
    mines_count: int | None
    area_km2: Decimal | None
    scale_wan_t: Decimal | None
    content: str | None
    unit: str | None
    due_on: datetime.date | None
    remark: str | None


@dataclass(frozen=True)
class SupplyRow:
    """附表7: demand and supply of sand and stone of one kind, 万吨/年."""

    row: int
    product: str | None
    demand_wan_t: Decimal | None
    supply_before_wan_t: Decimal | None
    supply_after_wan_t: Decimal | None
    release_plan: str | None
    remark: str | None


@dataclass(frozen=True)
class TaskRow:
    """附表8: one task with who does it until when."""

    row: int
    task: str | None
    content: str | None
    unit: str | None
    person: str | None
    starts_on: datetime.date | None
    due_on: datetime.date | None
    remark: str | None


@dataclass(frozen=True)
class PlanMeta:
    """What the hidden signed sheet says about the template that was filled in."""

    template_id: str
    template_version: str
    county_code: str
    round_name: str
    registry_version: str
    registry_nos: tuple[str, ...]
    signature_ok: bool


@dataclass(frozen=True)
class ParsedPlan:
    """All rows of a plan workbook and everything that is wrong with it."""

    meta: PlanMeta | None = None
    dispositions: list[DispositionRow] = field(default_factory=list)
    areas: list[AreaRow] = field(default_factory=list)
    systems: list[SystemRow] = field(default_factory=list)
    corners: list[CornerRow] = field(default_factory=list)
    closings: list[ClosingRow] = field(default_factory=list)
    exits: list[ClosingRow] = field(default_factory=list)
    upgrades: list[UpgradeRow] = field(default_factory=list)
    zones: list[ZoneRow] = field(default_factory=list)
    supplies: list[SupplyRow] = field(default_factory=list)
    tasks: list[TaskRow] = field(default_factory=list)
    problems: list[CellProblem] = field(default_factory=list)

    @property
    def errors(self) -> list[CellProblem]:
        """The problems that must be mended before the workbook is taken."""
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def warnings(self) -> list[CellProblem]:
        """The problems that travel with the plan."""
        return [problem for problem in self.problems if problem.severity == "warning"]
