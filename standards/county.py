"""Test what a plan does to the county's mines as a whole (S-B15, S-D10 to S-D15, S-D18)."""

from collections.abc import Iterator
from decimal import Decimal

from standards.facts import MineFacts, PlanFacts
from standards.figures import (
    at_least_medium,
    production_grade,
    reserve_grade,
    yearly_scale,
    yearly_scales,
)
from standards.new_rights import grade_figures
from standards.rules import (
    Case,
    Outcome,
    Scope,
    Site,
    exempt,
    failed,
    figure,
    judge,
    lacking,
    leaves,
    limit,
    passed,
    plain,
    rounded,
    rule,
)
from standards.scale import BOTH
from standards.terms import Disposition, MineState, Phase

COUNTY = (Phase.CONSOLIDATED,)
PLAN = (Scope.PLAN,)


def remaining_mines(plan: PlanFacts) -> list[MineFacts]:
    """Return the mines that stay as they are: neither leaving nor merged into an area."""
    merged = {key for area in plan.areas for key in area.member_keys}
    return [
        mine
        for mine in plan.mines
        if not leaves(mine)
        and mine.key not in merged
        and Disposition.MERGE not in mine.dispositions
    ]


def sites_after(plan: PlanFacts) -> list[Site]:
    """Return what is left to mine after consolidation: remaining mines and areas."""
    return [*remaining_mines(plan), *plan.areas]


def without_mineral(plan: PlanFacts) -> list[str]:
    """Return the names of mines and areas whose mineral is not known."""
    sites: tuple[Site, ...] = (*plan.mines, *plan.areas)
    return [site.name or site.key for site in sites if site.mineral is None]


def planned_scale(site: Site) -> Decimal | None:
    """Return the yearly scale in 万吨 after consolidation: the planned one before the present."""
    if isinstance(site, MineFacts) and site.planned_scale is not None:
        planned = MineFacts(
            key=site.key,
            licensed_scale=site.planned_scale,
            licensed_scale_unit=site.planned_scale_unit,
            density=site.density,
        )
        scale = yearly_scale(planned)
        if scale is not None:
            return scale
    return yearly_scale(site)


def consolidated_everywhere(site: Site, case: Case) -> bool:
    """Say whether the mineral is one that must be consolidated wherever it can be."""
    codes = case.book.texts("minerals.consolidate_all") or ()
    return site.mineral is not None and site.mineral.code in codes


@rule("建筑石料用石灰岩储量和规模", phases=(Phase.EXISTING, Phase.CONSOLIDATED), scopes=BOTH)
def building_limestone_size(site: Site, case: Case) -> Iterator[Outcome]:
    """S-B15 四(二)3
    「储量规模、生产规模均应达到国家及省规定的标准」

    Limestone for building stone only. The scale is held to the limit of 露天采石场; for the
    deposit no number is given, so one below medium is put to a person.
    """
    if not consolidated_everywhere(site, case):
        return
    if isinstance(site, MineFacts) and site.state is MineState.CLOSED:
        return
    scales, least = yearly_scales(site), case.number("scale.min.quarry")
    reserve = reserve_grade(site)
    shown = (
        figure("生产规模", "、".join(rounded(scale) for scale in scales) or None, "万吨/年"),
        limit(case.book, "scale.min.quarry"),
        *grade_figures("矿床", reserve),
    )
    if least is not None and scales and max(scales) < least:
        fix = f"通过整合使生产规模不小于 {plain(least)} 万吨/年。"
        yield failed("生产规模没有达到规定标准。", *shown, fix=fix)
    elif not scales or least is None:
        yield lacking("生产规模（万立方米的还需体重）", figures=shown)
    elif min(scales) < least:
        yield judge(
            "几个规模数据分处标准的两侧。", *shown, fix="请核对设计，确定以哪一个规模为准。"
        )
    elif reserve.size is None:
        yield lacking("矿床规模类型（或资源量）", figures=shown)
    elif not at_least_medium(reserve.size) or reserve.doubtful:
        yield judge(
            "储量规模低于中型，或划分数值待核；省定标准的数值没有收录。",
            *shown,
            fix="请按国家及省规定的储量规模标准认定。",
        )
    else:
        yield passed("储量规模和生产规模都达到标准。", *shown)


@rule("砂石土类矿山减少", phases=COUNTY, scopes=PLAN)
def fewer_sand_stone_mines(plan: PlanFacts, case: Case) -> Iterator[Outcome]:
    """S-D10 二(二)
    「有效减少砂石土类矿山数量」

    Counts sand, stone and soil mines before and after: fewer passes, as many is put to a person,
    more fails.
    """
    del case
    gaps = without_mineral(plan)
    if gaps:
        yield lacking(f"{'、'.join(gaps[:5])}等的开采矿种")
        return
    before = sum(_sand_stone(mine) for mine in plan.mines if mine.state is not MineState.CLOSED)
    after = sum(
        _sand_stone(site) * (1 if isinstance(site, MineFacts) else site.right_count or 1)
        for site in sites_after(plan)
        if not (isinstance(site, MineFacts) and site.state is MineState.CLOSED)
    )
    shown = (figure("整合前砂石土矿山", before, "座"), figure("整合后砂石土矿山", after, "座"))
    fix = "通过整合、退出减少砂石土类矿山。"
    if not before and not after:
        yield exempt("本县没有砂石土类矿山。", *shown)
    elif after < before:
        yield passed(f"砂石土类矿山减少 {before - after} 座。", *shown)
    elif after == before:
        yield judge("砂石土类矿山数量没有减少。", *shown, fix=fix)
    else:
        yield failed(f"砂石土类矿山反而增加 {after - before} 座。", *shown, fix=fix)


def _sand_stone(site: Site) -> bool:
    return site.mineral is not None and site.mineral.is_ordinary_sand_stone


@rule("砂石土集中开采区", phases=COUNTY, scopes=PLAN)
def mining_zone(plan: PlanFacts, case: Case) -> Iterator[Outcome]:
    """S-D11 三(三)
    「建立砂石土类矿山集中开采区，全面规范整合提升工作。」
    二(三)
    「建立规模化、产业化、绿色智能化的非煤资源集中开采区和产业园区」

    At least one zone with a boundary, or a statement why there is none; else a person decides.
    """
    del case
    if plan.mining_zones is None and not plan.no_mining_zone_reason:
        yield lacking("集中开采区清单")
        return
    zones = plan.mining_zones or ()
    shown = (figure("集中开采区", "、".join(zone.name for zone in zones) or None),)
    if any(zone.has_boundary for zone in zones):
        yield passed("方案划定了集中开采区。", *shown)
    elif zones:
        yield judge("集中开采区没有划定范围。", *shown, fix="请补充集中开采区的范围坐标。")
    elif plan.no_mining_zone_reason:
        yield passed("没有设置集中开采区，已说明理由。", figure("理由", plan.no_mining_zone_reason))
    else:
        yield judge(
            "没有设置集中开采区，也没有说明理由。", *shown, fix="请设置集中开采区或说明理由。"
        )


@rule("大中型矿山为主体", phases=COUNTY, scopes=PLAN)
def mostly_large(plan: PlanFacts, case: Case) -> Iterator[Outcome]:
    """S-D12 二(二)
    「加快形成“大集团示范引领、大中型矿山为主体”的新格局」

    The share of medium and large mines should rise, by number and by output; else a person
    decides.
    """
    del case
    before = _shares([mine for mine in plan.mines if mine.state is not MineState.CLOSED])
    after = _shares(sites_after(plan))
    if before is None or after is None:
        yield lacking("各矿山和整合区的生产规模及规模类型")
        return
    labels = ("按数量", "按产能")
    shown = [
        figure(f"{when}大中型占比（{label}）", rounded(share * 100), "%")
        for when, shares in (("整合前", before), ("整合后", after))
        for label, share in zip(labels, shares, strict=True)
    ]
    if all(new > old for old, new in zip(before, after, strict=True)):
        yield passed("大中型矿山占比上升。", *shown)
    else:
        yield judge("大中型矿山占比没有上升。", *shown, fix="请说明原因，或调整整合安排。")


def _shares(sites: list[Site] | list[MineFacts]) -> tuple[Decimal, Decimal] | None:
    """Return the share of medium and large sites by number and by yearly scale."""
    number = large_number = 0
    output = large_output = Decimal(0)
    for site in sites:
        large = at_least_medium(production_grade(site).size)
        scale = planned_scale(site)
        if large is None or scale is None:
            return None
        number += 1
        output += scale
        large_number += large
        large_output += scale if large else 0
    if not number or output <= 0:
        return None
    return Decimal(large_number) / number, large_output / output


@rule("建筑石料用石灰岩应整尽整", phases=(Phase.EXISTING,), scopes=(Scope.MINE,))
def consolidate_all(mine: MineFacts, case: Case) -> Iterator[Outcome]:
    """S-D13 四(二)3
    「建筑石料用石灰岩矿应整尽整」

    Every such mine is merged, closed or led out; one that is upgraded or kept is put to a person.
    """
    if case.plan is None or not consolidated_everywhere(mine, case):
        return
    labels = "、".join(disposition.label for disposition in mine.dispositions)
    shown = figure("处置方式", labels or None)
    gone = {Disposition.MERGE, Disposition.CLOSE, Disposition.EXIT}
    if not mine.dispositions:
        yield lacking("处置方式", figures=(shown,))
    elif gone.issuperset(mine.dispositions):
        yield passed("该矿已列入整合重组或退出。", shown)
    else:
        yield judge(
            f"建筑石料用石灰岩矿应整尽整，该矿列入{labels}。",
            shown,
            fix="请说明不能整合的理由，或改列整合重组。",
        )


@rule("严格控制粘土用量", phases=COUNTY, scopes=PLAN)
def less_clay(plan: PlanFacts, case: Case) -> Iterator[Outcome]:
    """S-D14 四(二)3
    「严格控制粘土的使用量，逐步推广利用粉煤灰、煤矸石等作为主要原料制作新型建筑材料
    取代传统粘土实心砖」

    The total scale of clay mines: falling passes, level is put to a person, rising fails.
    """
    del case
    gaps = without_mineral(plan)
    if gaps:
        yield lacking(f"{'、'.join(gaps[:5])}等的开采矿种")
        return
    mines = [mine for mine in plan.mines if mine.mineral and mine.mineral.is_clay]
    after = [site for site in sites_after(plan) if site.mineral and site.mineral.is_clay]
    if not mines and not after:
        yield exempt("本县没有粘土矿山。")
        return
    was = _total([yearly_scale(mine) for mine in mines])
    will = _total([planned_scale(site) for site in after])
    shown = (
        figure("整合前粘土总规模", None if was is None else rounded(was), "万吨/年"),
        figure("整合后粘土总规模", None if will is None else rounded(will), "万吨/年"),
        figure("替代原料", plan.clay_substitute or None),
    )
    fix = "压减粘土矿总规模，并安排粉煤灰、煤矸石等替代原料。"
    if was is None or will is None:
        yield lacking("粘土矿山整合前后的生产规模", figures=shown)
    elif will > was:
        yield failed("粘土矿总规模上升。", *shown, fix=fix)
    elif will == was:
        yield judge("粘土矿总规模没有下降。", *shown, fix=fix)
    else:
        yield passed("粘土矿总规模下降。", *shown)


def _total(scales: list[Decimal | None]) -> Decimal | None:
    known = [scale for scale in scales if scale is not None]
    return sum(known, Decimal(0)) if len(known) == len(scales) else None


@rule("砂石土有序投放", phases=COUNTY, scopes=PLAN)
def orderly_release(plan: PlanFacts, case: Case) -> Iterator[Outcome]:
    """S-D15 四(二)3
    「对于整合后砂石土矿不能满足市场需求，应积极有序投放。」

    Supply below demand without a plan for new rights is put to a person.
    """
    del case
    demand, supply = plan.sand_demand_wan_t, plan.sand_supply_wan_t
    shown = (figure("砂石土年需求", demand, "万吨"), figure("整合后年供应", supply, "万吨"))
    if demand is None or supply is None:
        yield lacking("砂石土供需预测", figures=shown)
    elif supply >= demand:
        yield passed("整合后砂石土供应能够满足需求。", *shown)
    elif plan.has_release_plan:
        yield passed("供应不足，方案安排了有序投放。", *shown)
    else:
        yield judge(
            "整合后砂石土供应不足，没有投放计划。", *shown, fix="请制定砂石土矿业权有序投放计划。"
        )


@rule("分类指导、试点先行", phases=COUNTY, scopes=PLAN)
def pilots(plan: PlanFacts, case: Case) -> Iterator[Outcome]:
    """S-D18 三(三)
    「坚持分类指导、试点先行。」

    Information only: lists the pilots the plan names.
    """
    del case
    if plan.pilots is None:
        yield lacking("试点清单")
    else:
        names = "、".join(plan.pilots) or "方案没有列试点"
        yield exempt("仅供了解，不作判定。", figure("试点", names))
