"""Test how far explored, how large and how many new rights must be (S-C04, S-C07 to S-C09)."""

from collections.abc import Iterator

from standards.facts import AreaFacts, PlanFacts, RightFacts
from standards.figures import Grade, at_least_medium, production_grade, reserve_grade
from standards.findings import Figure
from standards.placing import PLACED
from standards.rules import (
    Case,
    Outcome,
    Scope,
    exempt,
    failed,
    figure,
    judge,
    lacking,
    leaves,
    passed,
    rounded,
    rule,
)
from standards.terms import ExplorationStage, Phase, ScaleClass

STAGES = {stage.value: place for place, stage in enumerate(ExplorationStage)}
STAGE_LABELS = dict(ExplorationStage.choices())
NEW_OR_NOT = "是否按新设矿业权管理"


@rule("勘查达到规定程度", phases=(Phase.CONSOLIDATED, Phase.NEW), scopes=(Scope.AREA,))
def exploration(area: AreaFacts, case: Case) -> Iterator[Outcome]:
    """S-C04 三(四)
    「矿产资源勘查应达到规定程度」

    New rights only. Which stage is asked depends on the mineral and the size of the deposit; the
    report must have been reviewed and filed.
    """
    if area.is_new_right is False:
        return
    if area.is_new_right is None:
        yield lacking(NEW_OR_NOT)
        return
    if area.mineral is None:
        yield lacking("开采矿种")
        return
    key = _stage_key(area)
    code = case.book.text(key)
    stage = area.exploration_stage
    shown = (
        figure("勘查程度", stage.label if stage else None),
        figure("评审备案文号", area.exploration_filing_no),
    )
    if code not in STAGES:
        yield lacking(case.book.entry(key).title, figures=shown)
        return
    wanted = STAGE_LABELS[code]
    asked = figure(case.book.entry(key).title, wanted)
    if stage is not None and STAGES[stage.value] < STAGES[code]:
        message = f"勘查程度为{stage.label}，没有达到{wanted}。"
        yield failed(message, *shown, asked, fix=f"补充勘查，达到{wanted}程度。")
    elif stage is None:
        yield lacking("勘查程度", figures=(*shown, asked))
    elif not area.exploration_filing_no:
        yield lacking("资源储量评审备案文号", figures=(*shown, asked))
    else:
        yield passed(f"勘查程度为{stage.label}，达到规定程度。", *shown, asked)


def _stage_key(area: AreaFacts) -> str:
    mineral = area.mineral
    if mineral is not None and mineral.is_ordinary_sand_stone:
        return "exploration.ordinary"
    if mineral is not None and mineral.is_metal:
        return "exploration.metal"
    # A deposit that the plan itself calls large is held to that.
    large = ScaleClass.LARGE in (reserve_grade(area).size, area.reserve_class)
    return "exploration.large" if large else "exploration.other"


@rule("同一矿体一个采矿权", phases=PLACED, scopes=(Scope.AREA,))
def one_right_per_ore_body(area: AreaFacts, case: Case) -> Iterator[Outcome]:
    """S-C07 三(四)
    「可集中开发的同一矿体不得设立2个以上采矿权。」

    以上 includes the number itself, so one ore body bears at most one right, whoever holds it.
    Without ore-body numbers, or where an expert states that joint mining is not possible, a
    person decides.
    """
    if not area.ore_body_ids:
        yield judge(
            "没有矿体编号，不能比对同一矿体上的采矿权。", fix="请依据储量报告填写矿体编号。"
        )
        return
    others = rights_sharing(area, case)
    shown = (
        figure("矿体编号", "、".join(area.ore_body_ids)),
        *(figure("同一矿体的其他采矿权", other.name or other.key) for other in others),
    )
    if not others and (area.right_count or 1) <= 1:
        yield passed("同一矿体只设一个采矿权。", *shown)
    elif area.not_jointly_minable:
        yield judge(
            f"同一矿体设有两个以上采矿权，专家意见为不可集中开发：{area.not_jointly_minable}",
            *shown,
            fix="请认定该矿体是否属于可集中开发。",
        )
    else:
        yield failed(
            "同一矿体设有两个以上采矿权。",
            *shown,
            fix="把同一矿体的采矿权整合为一个；不可集中开发的，附专家意见。",
        )


def rights_sharing(area: AreaFacts, case: Case) -> list[RightFacts]:
    """Return the rights that would stay beside an area on one of its ore bodies.

    Members of the area and mines that close or leave do not stay; members of another area are
    represented by that area.
    """
    found: dict[str, RightFacts] = {}
    for body in area.ore_body_ids:
        for right in (case.ore_bodies or {}).get(body, ()):
            mine = case.mine(right.key)
            stays = right.key not in area.member_keys and case.area_of(right.key) is None
            if stays and (mine is None or not leaves(mine)):
                found[right.key] = right
    for other in case.plan.areas if case.plan else ():
        if other.key != area.key and set(other.ore_body_ids) & set(area.ore_body_ids):
            holders = other.holder_usccs or ()
            found[other.key] = RightFacts(
                key=other.key, name=other.name, holder_uscc=holders[0] if holders else None
            )
    return list(found.values())


@rule("新设矿业权“双控”", phases=PLACED, scopes=(Scope.AREA,))
def double_control(area: AreaFacts, case: Case) -> Iterator[Outcome]:
    """S-C08 三(四)
    「新设矿业权实行“双控”标准，即矿床规模和生产规模都要达到中型及以上。」

    New rights only. Deposit and yearly scale are both read from the national tables and must both
    be medium or larger. A mineral without a row, a row known to be superseded, and a small right
    approved for major works or livelihood are put to a person.
    """
    del case
    if area.is_new_right is False:
        return
    if area.is_new_right is None:
        yield lacking(NEW_OR_NOT)
        return
    if area.mineral is None:
        yield lacking("开采矿种")
        return
    reserve, production = reserve_grade(area), production_grade(area)
    shown = (*grade_figures("矿床", reserve), *grade_figures("生产", production))
    fix = "矿床规模和生产规模都达到中型及以上。"
    small = [
        name
        for name, found in (("矿床规模", reserve), ("生产规模", production))
        if at_least_medium(found.size) is False and not found.doubtful
    ]
    unknown = [
        name
        for name, found in (("矿床规模数据", reserve), ("生产规模数据", production))
        if found.size is None
    ]
    if small and area.small_right_approval_no:
        yield judge(
            f"{'、'.join(small)}未达中型，附有小型矿业权批准文件。",
            *shown,
            figure("批准文号", area.small_right_approval_no),
            fix="请认定是否属于重大基础设施或偏远山区民生工程需要。",
        )
    elif small:
        yield failed(f"{'、'.join(small)}没有达到中型。", *shown, fix=fix)
    elif _without_rows(area, reserve, production):
        yield judge(
            f"国家规模划分表没有{area.mineral.name}的可用数值。",
            *shown,
            fix="请参照同行业相近用途的矿种认定矿床规模和生产规模。",
        )
    elif reserve.doubtful or production.doubtful:
        yield judge(
            "方案所填规模类型与计算不一致，或划分表的数值待核，不能直接判定。",
            *shown,
            fix="请按现行标准核对矿床规模和生产规模是否达到中型。",
        )
    elif unknown:
        yield lacking(*unknown, figures=shown)
    else:
        yield passed("矿床规模和生产规模都达到中型及以上。", *shown)


def _without_rows(area: AreaFacts, reserve: Grade, production: Grade) -> bool:
    no_reserve = area.mineral is not None and area.mineral.reserve is None
    no_production = area.mineral is not None and area.mineral.production is None
    return (no_reserve and reserve.size is None) or (no_production and production.size is None)


def grade_figures(name: str, found: Grade) -> tuple[Figure, ...]:
    """Show a size class with the amount and the medium limit it was read from."""
    size = figure(f"{name}规模类型", found.size.label if found.size else None)
    if found.row is None or found.amount is None:
        return (size,)
    row = found.row
    return (
        figure(f"{name}规模", rounded(found.amount, 4), found.unit),
        figure(f"{name}规模中型下限", row.medium, row.unit, row.source),
        size,
    )


@rule("严格控制新设数量", phases=(Phase.NEW,), scopes=(Scope.PLAN,))
def fewer_rights(plan: PlanFacts, case: Case) -> Iterator[Outcome]:
    """S-C09 二(一)
    「严格增量资源审批出让，积极化解非煤矿山历史遗留问题，有效激活存量资源」

    More new rights than rights given up in the county are put to a person.
    """
    del case
    if any(area.is_new_right is None for area in plan.areas):
        yield lacking(f"整合区{NEW_OR_NOT}")
        return
    new = sum(area.right_count or 1 for area in plan.areas if area.is_new_right)
    kept = sum(area.right_count or 1 for area in plan.areas if not area.is_new_right)
    merged = sum(len(area.member_keys) for area in plan.areas)
    removed = sum(leaves(mine) for mine in plan.mines) + merged - kept
    shown = (figure("新设采矿权", new, "个"), figure("减少采矿权", removed, "个"))
    if not new:
        yield exempt("方案没有新设采矿权。", *shown)
    elif new > removed:
        yield judge(
            f"新设 {new} 个采矿权，多于减少的 {removed} 个。",
            *shown,
            fix="请说明新设的必要性；按规定矿山总数只减不增。",
        )
    else:
        yield passed("新设采矿权不多于减少的采矿权。", *shown)
