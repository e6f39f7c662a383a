"""State what is known about a mine, a consolidated area and a county plan.

Facts are frozen and hold no behaviour. `None` means "not known" and leads to NODATA, never to a
pass; for a tuple that a person or a spatial query fills in, `None` is "not looked at" and `()` is
"looked at, there is none". A text number such as `safety_licence_no` is `""` when there is none.

Units are in the names (`_m`, `_m2`, `_km2`, `_years`); production figures carry a ScaleUnit. Ore
stocks (resources, reserves) share one unit per subject, `stock_unit`, read without the "/年".
Shares and rates are fractions: 0.05 is five per cent.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from standards.terms import (
    AcceptanceConclusion,
    Disposition,
    ExplorationStage,
    ExtraResource,
    GrantWay,
    Method,
    MineState,
    OpinionOutcome,
    Presence,
    RectificationWay,
    ScaleClass,
    ScaleUnit,
    ZoneKind,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRow:
    """Hold one row of a national table of size classes; `large` and `medium` are lower limits."""

    unit: str
    large: Decimal | None = None
    medium: Decimal | None = None
    confidence: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MineralFacts:
    """Describe a mineral as the rules need it.

    `minimum_key` names the mineral in the list of 四(二)2 (bauxite, iron, copper, gold,
    cement_limestone, magnesium_dolomite, quarry) and is None for 其他矿种.
    """

    code: str
    name: str
    minimum_key: str | None = None
    is_ordinary_sand_stone: bool = False
    is_metal: bool = False
    is_quarry_stone: bool = False
    is_clay: bool = False
    is_coal: bool = False
    is_scope_unclear: bool = False
    minimum_unclear: str = ""
    reserve: ClassRow | None = None
    reserve_rich: ClassRow | None = None
    production: ClassRow | None = None
    production_open_pit: ClassRow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemFacts:
    """Describe one 独立生产系统: a pit or adit with its own haulage, ventilation and power."""

    name: str = ""
    method: Method | None = None
    scale: Decimal | None = None
    unit: ScaleUnit | None = None
    density: Decimal | None = None
    design_scale: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RightFacts:
    """Identify a mining right of the register, whether or not a plan names it."""

    key: str
    name: str = ""
    county_code: str | None = None
    licence_no: str | None = None
    licence_valid_to: date | None = None
    mineral: MineralFacts | None = None
    holder_uscc: str | None = None
    holder_name: str | None = None
    ore_body_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlapFacts:
    """Report that a boundary covers part of another right in vertical projection."""

    key: str
    name: str = ""
    licence_no: str | None = None
    area_m2: Decimal | None = None
    width_m: Decimal | None = None
    same_holder: bool | None = None
    is_replaced: bool = False
    exception: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighbourFacts:
    """Report the shortest distance to a neighbouring right, boundary to boundary."""

    key: str
    name: str = ""
    distance_m: Decimal | None = None
    method: Method | None = None
    same_holder: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneFacts:
    """Report how a boundary meets one planning or control layer.

    A signed 核查意见 has `cleared` it, or refused; `conditional` is its 有条件同意.
    """

    layer: str
    kind: ZoneKind
    area_m2: Decimal | None = None
    document: str = ""
    cleared: bool | None = None
    conditional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionFacts:
    """Record the 核查意见 of one department; `outcome` None means it is still to come."""

    department: str
    outcome: OpinionOutcome | None = None
    document: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProceedsFacts:
    """Record the 矿业权出让收益 of an area or an added piece."""

    assessment_no: str | None = None
    amount_wan_yuan: Decimal | None = None
    due_on: date | None = None
    paid_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SideFacts:
    """Describe one of the two rights beside a gap."""

    key: str
    name: str = ""
    holder_uscc: str | None = None
    holder_name: str | None = None
    reserve_class: ScaleClass | None = None
    production_class: ScaleClass | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraFacts:
    """Describe one piece of added resource with its evidence (三(六), 四(二)4).

    `ownership_share` is the share of the chain that ties the two holders together (1 = wholly
    owned); `ownership_extract_on` the day of the registry extract that proves it.
    """

    key: str
    name: str = ""
    kind: ExtraResource | None = None
    kind_text: str = ""
    area_m2: Decimal | None = None
    volume: Decimal | None = None
    reason: str = ""
    overlaps: tuple[OverlapFacts, ...] | None = None
    way: GrantWay | None = None
    is_between_members: bool | None = None
    unavoidable: bool | None = None
    same_ore_body: bool | None = None
    unfit_for_own_right: bool | None = None
    distance_m: Decimal | None = None
    sides: tuple[SideFacts, ...] = ()
    ownership_share: Decimal | None = None
    ownership_extract_on: date | None = None
    reading_unclear: bool = False
    acceptance_notice_on: date | None = None
    collective_decision_no: str | None = None
    result_notice_on: date | None = None
    government_consent_no: str | None = None
    granted_on: date | None = None
    notice_items: tuple[str, ...] | None = None
    proceeds: ProceedsFacts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptanceFacts:
    """Record the county's acceptance of environment and reclamation work (四(二)5)."""

    conclusion: AcceptanceConclusion | None = None
    accepted_on: date | None = None
    area_ha: Decimal | None = None
    document: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MineFacts:
    """Describe a mine as it stands, with what the plan intends for it."""

    key: str
    name: str = ""
    county_code: str | None = None
    # licence
    is_licensed: bool | None = None
    licence_no: str | None = None
    licence_valid_from: date | None = None
    licence_valid_to: date | None = None
    holder_uscc: str | None = None
    holder_name: str | None = None
    # what is dug and how
    mineral: MineralFacts | None = None
    method: Method | None = None
    state: MineState | None = None
    systems: tuple[SystemFacts, ...] = ()
    licensed_scale: Decimal | None = None
    licensed_scale_unit: ScaleUnit | None = None
    design_scale: Decimal | None = None
    design_scale_unit: ScaleUnit | None = None
    actual_output: Decimal | None = None
    density: Decimal | None = None
    sells_aggregate: bool | None = None
    is_quarry: bool | None = None
    is_rich_ore: bool | None = None
    area_km2: Decimal | None = None
    # stocks, in stock_unit; deposit_stock in the unit of the national table
    stock_unit: ScaleUnit | None = None
    measured: Decimal | None = None
    indicated: Decimal | None = None
    inferred: Decimal | None = None
    proved: Decimal | None = None
    probable: Decimal | None = None
    recoverable: Decimal | None = None
    design_loss: Decimal | None = None
    recovery_rate: Decimal | None = None
    dilution_rate: Decimal | None = None
    spare_factor: Decimal | None = None
    deposit_stock: Decimal | None = None
    deposit_stock_unit: str | None = None
    reserve_class: ScaleClass | None = None
    production_class: ScaleClass | None = None
    # service life as stated by the design
    service_life_years: Decimal | None = None
    life_includes_construction: bool | None = None
    construction_years: Decimal | None = None
    # layout
    ore_body_ids: tuple[str, ...] = ()
    is_on_ridge: bool | None = None
    ridge_share: Decimal | None = None
    ridge_source: str = ""
    # activity, money
    last_production_on: date | None = None
    suspended_since: date | None = None
    expected_revenue_wan_yuan: Decimal | None = None
    ecological_cost_wan_yuan: Decimal | None = None
    # safety
    safety_licence_no: str | None = None
    safety_licence_valid_to: date | None = None
    safety_design_approved: bool | None = None
    safety_risk_checked: bool | None = None
    # environment
    acceptance: AcceptanceFacts | None = None
    consolidation_done_on: date | None = None
    treatment_plan_filed_on: date | None = None
    treatment_plan_filing_no: str | None = None
    treatment_plan_due_on: date | None = None
    annual_plan_years: tuple[int, ...] | None = None
    annual_check_years: tuple[int, ...] | None = None
    fund_balance_wan_yuan: Decimal | None = None
    fund_drawn_wan_yuan: Decimal | None = None
    # what the plan intends
    dispositions: tuple[Disposition, ...] = ()
    disposition_reason: str = ""
    keep_explanation: str = ""
    area_key: str | None = None
    planned_scale: Decimal | None = None
    planned_scale_unit: ScaleUnit | None = None
    rectification_way: RectificationWay | None = None
    rectification_due_on: date | None = None
    rectification_done_on: date | None = None
    holder_opinion: OpinionOutcome | None = None
    consultation_record: str = ""
    extras: tuple[ExtraFacts, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaFacts:
    """Describe a consolidated area or a newly set right as the plan proposes it.

    `is_new_right` decides between phase N (True) and phase C (False); None runs as C, and the
    tests that only new rights face answer NODATA.
    """

    key: str
    name: str = ""
    member_keys: tuple[str, ...] = ()
    county_codes: tuple[str, ...] = ()
    is_new_right: bool | None = None
    lead_enterprise: str | None = None
    lead_key: str | None = None
    holder_usccs: tuple[str, ...] | None = None
    right_count: int | None = None
    # what will be dug and how
    mineral: MineralFacts | None = None
    method: Method | None = None
    systems: tuple[SystemFacts, ...] = ()
    scale: Decimal | None = None
    scale_unit: ScaleUnit | None = None
    density: Decimal | None = None
    sells_aggregate: bool | None = None
    is_quarry: bool | None = None
    is_rich_ore: bool | None = None
    # stocks, as in MineFacts
    stock_unit: ScaleUnit | None = None
    measured: Decimal | None = None
    indicated: Decimal | None = None
    inferred: Decimal | None = None
    proved: Decimal | None = None
    probable: Decimal | None = None
    recoverable: Decimal | None = None
    design_loss: Decimal | None = None
    recovery_rate: Decimal | None = None
    dilution_rate: Decimal | None = None
    spare_factor: Decimal | None = None
    deposit_stock: Decimal | None = None
    deposit_stock_unit: str | None = None
    reserve_class: ScaleClass | None = None
    production_class: ScaleClass | None = None
    service_life_years: Decimal | None = None
    life_includes_construction: bool | None = None
    construction_years: Decimal | None = None
    # layout
    has_boundary: bool | None = None
    elevation_top_m: Decimal | None = None
    elevation_bottom_m: Decimal | None = None
    old_elevation_top_m: Decimal | None = None
    old_elevation_bottom_m: Decimal | None = None
    area_km2: Decimal | None = None
    old_area_km2: Decimal | None = None
    added_area_km2: Decimal | None = None
    relinquished_area_km2: Decimal | None = None
    member_gap_m: Decimal | None = None
    ore_body_ids: tuple[str, ...] = ()
    not_jointly_minable: str = ""
    is_on_ridge: bool | None = None
    ridge_share: Decimal | None = None
    ridge_source: str = ""
    overlaps: tuple[OverlapFacts, ...] | None = None
    overlap_check_no: str | None = None
    overlap_check_clear: bool | None = None
    neighbours: tuple[NeighbourFacts, ...] | None = None
    zones: tuple[ZoneFacts, ...] | None = None
    extras: tuple[ExtraFacts, ...] = ()
    # papers
    plan_block_no: str | None = None
    plan_adjustment_no: str | None = None
    opinions: tuple[OpinionFacts, ...] = ()
    exploration_stage: ExplorationStage | None = None
    exploration_filing_no: str | None = None
    small_right_approval_no: str | None = None
    proceeds: ProceedsFacts | None = None
    proceeds_required: bool = True
    expected_revenue_wan_yuan: Decimal | None = None
    ecological_cost_wan_yuan: Decimal | None = None
    safety_design_approved: bool | None = None
    is_done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFacts:
    """Hold one task of 省人民政府制定的任务: how many mines of a batch the county must treat."""

    disposition: Disposition
    number: int
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentFacts:
    """Record whether the plan holds one part of the check-list; `item` is the rule code."""

    item: str
    presence: Presence | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneOfMiningFacts:
    """Name one 砂石土集中开采区 or industrial park of the plan."""

    name: str
    has_boundary: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFacts:
    """Describe one county plan: the register it must cover, its mines and its areas."""

    key: str = ""
    county_code: str
    county_name: str = ""
    registered: tuple[RightFacts, ...] | None = None
    keys_in_other_plans: tuple[str, ...] = ()
    mines: tuple[MineFacts, ...] = ()
    areas: tuple[AreaFacts, ...] = ()
    targets: tuple[TargetFacts, ...] | None = None
    mining_zones: tuple[ZoneOfMiningFacts, ...] | None = None
    no_mining_zone_reason: str = ""
    sand_demand_wan_t: Decimal | None = None
    sand_supply_wan_t: Decimal | None = None
    has_release_plan: bool | None = None
    clay_substitute: str = ""
    pilots: tuple[str, ...] | None = None
    contents: tuple[ContentFacts, ...] = ()
