"""Test how mines are laid out after consolidation (S-D01 to S-D06, S-D16, S-D17)."""

from collections.abc import Iterator
from decimal import Decimal

from standards.facts import AreaFacts, MineFacts, RightFacts
from standards.figures import ORDER, production_grade, reserve_grade, service_life, usual_life
from standards.findings import Figure
from standards.new_rights import grade_figures, rights_sharing
from standards.placing import open_ordinary, ridge, ridge_hint
from standards.rules import (
    Case,
    Outcome,
    Scope,
    Site,
    exempt,
    failed,
    figure,
    gather,
    judge,
    lacking,
    limit,
    passed,
    plain,
    rounded,
    rule,
)
from standards.scale import BOTH
from standards.service_life import standing
from standards.terms import ExtraResource, MineState, Phase, Verdict

EXISTING_AND_AREA = (Phase.EXISTING, Phase.CONSOLIDATED)
AREA_ONLY = (Phase.CONSOLIDATED,)
LATERAL = frozenset({ExtraResource.GAP, ExtraResource.PERIPHERY})
M2_PER_KM2 = Decimal(1_000_000)
# Areas are published to 0.0001 km².
HALF_A_DIGIT_M2 = Decimal(50)


def is_closed(site: Site) -> bool:
    """Say whether a mine is closed already, so that nothing about its layout is asked."""
    return isinstance(site, MineFacts) and site.state is MineState.CLOSED


@rule("大矿小开", phases=EXISTING_AND_AREA, scopes=BOTH)
def large_dug_small(site: Site, case: Case) -> Iterator[Outcome]:
    """S-D01 四(二)1
    「基本解决“大矿小开、一矿多开”」

    There is no official measure. A deposit one class above the yearly scale is put to a person,
    two classes above fails; a service life beyond the usual licence term is shown as a hint.
    """
    if is_closed(site):
        return
    reserve, production = reserve_grade(site), production_grade(site)
    shown = [*grade_figures("矿床", reserve), *grade_figures("生产", production)]
    if reserve.size is None or production.size is None:
        gaps = [
            *(["矿床规模类型（或资源量）"] if reserve.size is None else []),
            *(["生产规模类型（或生产规模）"] if production.size is None else []),
        ]
        yield lacking(*gaps, figures=tuple(shown))
        return
    hint = ""
    life, usual = service_life(site), usual_life(case, production.size)
    if life is not None and usual is not None and life > usual:
        shown.append(figure("服务年限", rounded(life), "年"))
        shown.append(limit(case.book, f"life.term_{production.size.value}"))
        hint = f"提示：服务年限超过{production.size.label}矿山许可证最长有效期 {plain(usual)} 年。"
    sizes = f"矿床为{reserve.size.label}、生产规模为{production.size.label}"
    fix = "提高生产规模，使其与矿床规模相当；确有理由的，写明依据。"
    apart = ORDER[reserve.size] - ORDER[production.size]
    if apart <= 0:
        yield passed(f"{sizes}，不属于大矿小开。{hint}", *shown)
    elif apart == 1 or reserve.doubtful or production.doubtful:
        yield judge(f"{sizes}，疑似大矿小开。{hint}", *shown, fix=fix)
    else:
        yield failed(f"{sizes}，属于大矿小开。{hint}", *shown, fix=fix)


@rule("一矿多开", phases=EXISTING_AND_AREA, scopes=BOTH)
def one_dug_by_many(site: Site, case: Case) -> Iterator[Outcome]:
    """S-D02 四(二)1
    「基本解决“大矿小开、一矿多开”」

    More than one production system or right on one ore body or in one area is put to a person;
    more than one holder is the matter of S-D03.
    """
    if is_closed(site):
        return
    shown = [figure("独立生产系统", len(site.systems) or None, "个")]
    if isinstance(site, AreaFacts):
        shown.append(figure("整合后采矿权", site.right_count, "个"))
        many = len(site.systems) > 1 or (site.right_count or 0) > 1
        known = bool(site.systems) or site.right_count is not None
        gap = "独立生产系统清单或整合后采矿权数"
    else:
        others = _others_on_ore_body(site, case)
        shown += [figure("同一矿体的其他采矿权", other.name or other.key) for other in others or ()]
        many = len(site.systems) > 1 or bool(others)
        known = bool(site.systems) and others is not None
        gap = "独立生产系统清单或矿体编号"
    if many:
        yield judge(
            "同一矿体或矿区由多个生产系统或采矿权开采，疑似一矿多开。",
            *shown,
            fix="整合为一个采矿权人、一个采矿权、一个生产系统；确需保留的，写明理由。",
        )
    elif known:
        yield passed("没有一矿多开。", *shown)
    else:
        yield lacking(gap, figures=tuple(shown))


def _others_on_ore_body(mine: MineFacts, case: Case) -> list[RightFacts] | None:
    """Return the other registered rights on a mine's ore bodies; None when not comparable."""
    if not mine.ore_body_ids or case.ore_bodies is None:
        return None
    found = {
        right.key: right
        for body in mine.ore_body_ids
        for right in case.ore_bodies.get(body, ())
        if right.key != mine.key
    }
    return list(found.values())


@rule("同一矿体一个采矿权人", phases=EXISTING_AND_AREA, scopes=BOTH)
def one_holder_per_ore_body(site: Site, case: Case) -> Iterator[Outcome]:
    """S-D03 四(二)1
    「同一个矿体分属2个及以上不同采矿权人开采」

    After consolidation an ore body has one holder; parent and subsidiary count as two here. For
    a mine as it stands it is a problem to be solved, put to a person; so are holders of different
    names of whom a credit code is missing.
    """
    if is_closed(site):
        return
    if isinstance(site, AreaFacts):
        yield _area_holders(site, case)
        return
    others = _others_on_ore_body(site, case)
    if others is None:
        yield lacking("矿体编号或同矿体采矿权的比对结果")
        return
    shown = (
        figure("矿体编号", "、".join(site.ore_body_ids)),
        *(figure(f"“{other.name or other.key}”采矿权人", other.holder_name) for other in others),
    )
    same = [_same_holder(site.holder_uscc, other.holder_uscc) for other in others]
    if False in same:
        yield judge(
            "同一矿体分属不同采矿权人开采。",
            *shown,
            fix="在整合重组中归并为一个采矿权人。",
        )
    elif None in same and any(_differ(site.holder_name, other.holder_name) for other in others):
        yield judge(
            "同一矿体登记在不同名称的采矿权人名下，缺少统一社会信用代码，不能确认是否同一主体。",
            *shown,
            fix="请核对各采矿权人的统一社会信用代码；确属不同采矿权人的，在整合重组中归并。",
        )
    elif None in same:
        yield lacking("同一矿体各采矿权人的统一社会信用代码", figures=shown)
    else:
        yield passed("同一矿体没有分属不同采矿权人。", *shown)


def _differ(one: str | None, other: str | None) -> bool:
    return bool(one and other) and one != other


def _same_holder(one: str | None, other: str | None) -> bool | None:
    return one == other if one and other else None


def _area_holders(area: AreaFacts, case: Case) -> Outcome:
    holders = None if area.holder_usccs is None else set(area.holder_usccs)
    others = rights_sharing(area, case)
    shown = (
        figure("整合后采矿权人", "、".join(sorted(holders)) if holders else None),
        *(figure("同一矿体的其他采矿权", other.name or other.key) for other in others),
    )
    fix = "整合后由一个采矿权人开采同一矿体。"
    foreign = [
        other for other in others if holders and other.holder_uscc not in holders | {None, ""}
    ]
    if (holders and len(holders) > 1) or foreign:
        return failed("整合后同一矿体仍分属不同采矿权人。", *shown, fix=fix)
    if not holders:
        return lacking("整合后采矿权人的统一社会信用代码", figures=shown)
    if any(not other.holder_uscc for other in others):
        return lacking("同一矿体其他采矿权人的统一社会信用代码", figures=shown)
    if not area.ore_body_ids:
        return lacking("矿体编号", figures=shown)
    return passed("整合后同一矿体只有一个采矿权人。", *shown)


@rule("砂石土露天矿山不以山脊划界", phases=EXISTING_AND_AREA, scopes=BOTH)
def ridge_solved(site: Site, case: Case) -> Iterator[Outcome]:
    """S-D04 四(二)1
    「普通建筑用砂石土露天矿山以山脊划界等问题」

    For a mine as it stands a boundary ruled to run along a ridge is a problem to be solved; after
    consolidation it fails.
    """
    if isinstance(site, AreaFacts):
        yield from ridge(site, case)
    elif is_closed(site) or open_ordinary(site) is False:
        return
    elif open_ordinary(site) is None:
        yield lacking("开采矿种和开采方式")
    elif site.is_on_ridge is False:
        yield passed("经认定，现有范围没有以山脊划界。")
    elif site.is_on_ridge:
        yield judge(
            "现有范围以山脊划界，须在整合中解决。", fix="列入整合重组或退出，重新划定边界。"
        )
    else:
        hint, shown = ridge_hint(site, case)
        yield judge(
            f"现有范围是否以山脊划界还没有人认定。{hint}", *shown, fix="请对照地形认定并记录意见。"
        )


@rule("整合区要素齐全", phases=AREA_ONLY, scopes=(Scope.AREA,))
def complete_area(area: AreaFacts, case: Case) -> Iterator[Outcome]:
    """S-D05 四(二)1
    「重新调整划分矿区范围，初步确定开采规模」

    An area without boundary, both elevations and a scale is an incomplete plan and fails.
    """
    del case
    top, bottom = area.elevation_top_m, area.elevation_bottom_m
    gaps = [
        name
        for name, given in (
            ("拐点坐标", area.has_boundary),
            ("开采标高上限", top is not None),
            ("开采标高下限", bottom is not None),
            ("初定生产规模", area.scale is not None and area.scale_unit is not None),
        )
        if not given
    ]
    shown = (
        figure("开采标高上限", top, "米"),
        figure("开采标高下限", bottom, "米"),
        figure("初定生产规模", area.scale, area.scale_unit.label if area.scale_unit else ""),
    )
    if gaps:
        names = "、".join(gaps)
        yield failed(f"整合区缺少{names}。", *shown, fix=f"在方案中补齐{names}。")
    elif top is not None and bottom is not None and top <= bottom:
        fix = "核对开采标高，上限应高于下限。"
        yield failed("开采标高上限不高于下限。", *shown, fix=fix)
    else:
        yield passed("整合区的范围、标高和规模齐全。", *shown)


@rule("就近整合、集中连片", phases=AREA_ONLY, scopes=(Scope.AREA,))
def close_together(area: AreaFacts, case: Case) -> Iterator[Outcome]:
    """S-D06 三(七)
    「坚持就近整合、集中连片。」
    三(七)
    「改变“多、小、散、乱”布局。」

    Merged mines that touch or lie within the distance pass; farther ones, and mines of several
    counties, are put to a person.
    """
    if len(area.member_keys) < 2:
        yield exempt("整合区只涉及一座矿山。")
        return
    most = case.number("layout.adjacent_m")
    gap = area.member_gap_m
    shown = (
        figure("参与整合矿山", len(area.member_keys), "座"),
        figure("矿山之间最大间距", None if gap is None else rounded(gap), "米"),
        limit(case.book, "layout.adjacent_m"),
    )
    if len(set(area.county_codes)) > 1:
        yield judge(
            "参与整合的矿山跨县（市、区）。", *shown, fix="请说明跨县整合的理由和协调安排。"
        )
    elif gap is None or most is None:
        yield lacking("参与整合矿山之间的间距", figures=shown)
    elif gap > most:
        message = f"参与整合的矿山相距 {rounded(gap)} 米，不相邻。"
        yield judge(message, *shown, fix="请说明整合的理由，或改为就近整合。")
    else:
        yield passed("参与整合的矿山相邻或集中连片。", *shown)


@rule("不得变相增扩矿区范围", phases=AREA_ONLY, scopes=(Scope.AREA,))
def no_disguised_growth(area: AreaFacts, case: Case) -> Iterator[Outcome]:
    """S-D16 四(二)4
    「严禁假借整合优化之名，以变更矿区范围形式变相增扩矿区范围。」

    Added area needs records of gap or periphery resources that account for it; a raised top needs
    an upper record, a lowered bottom a deep one. A large share of added area is put to a person.
    """
    parts = [_lateral_growth(area, case)]
    # A kind in other words is known, and none of those that are let in.
    recorded = {extra.kind for extra in area.extras if extra.kind or not extra.kind_text}
    if None in recorded:
        parts = [lacking("新增资源类型")]
        recorded |= {ExtraResource.UPPER, ExtraResource.DEEP}
    top, old_top = area.elevation_top_m, area.old_elevation_top_m
    parts.append(_height(top, old_top, "上限", "上部", ExtraResource.UPPER in recorded))
    bottom, old_bottom = area.elevation_bottom_m, area.old_elevation_bottom_m
    parts.append(_height(bottom, old_bottom, "下限", "深部", ExtraResource.DEEP in recorded))
    yield gather(parts, "没有超出新增资源登记扩大范围或标高。")


def _height(
    new: Decimal | None, old: Decimal | None, end: str, kind: str, recorded: bool
) -> Outcome:
    shown = (figure(f"整合前标高{end}", old, "米"), figure(f"整合后标高{end}", new, "米"))
    if new is None or old is None:
        return lacking(f"整合前后的标高{end}", figures=shown)
    extended = new > old if kind == "上部" else new < old
    if extended and not recorded:
        return failed(
            f"标高{end}由 {plain(old)} 米改为 {plain(new)} 米，没有{kind}资源登记。",
            *shown,
            fix=f"登记{kind}资源及其依据，或恢复原标高{end}。",
        )
    return passed(f"标高{end}没有无依据扩大。", *shown)


def _lateral_growth(area: AreaFacts, case: Case) -> Outcome:
    added, old = _added_m2(area), area.old_area_km2
    tolerance = case.number("added.tolerance_m2") or Decimal(0)
    shown: tuple[Figure, ...] = (
        figure("整合前总面积", old, "平方千米"),
        figure("整合后面积", area.area_km2, "平方千米"),
        figure("新增面积", None if added is None else rounded(added), "平方米"),
    )
    if added is None:
        return lacking("新增面积（或整合前后面积）", figures=shown)
    if added <= tolerance:
        return passed("没有新增面积。", *shown)
    records = [extra.area_m2 for extra in area.extras if extra.kind in LATERAL]
    recorded = sum((record for record in records if record is not None), Decimal(0))
    shown = (*shown, figure("夹缝、周边资源登记面积", rounded(recorded), "平方米"))
    fix = "缩回新增范围，或逐块登记夹缝、周边资源及其依据。"
    if not records:
        return failed("新增了面积，但没有夹缝或周边资源登记。", *shown, fix=fix)
    if None in records:
        return judge("新增资源登记没有填写面积。", *shown, fix="填写每块新增资源的面积后重新核对。")
    if recorded + tolerance < added:
        return failed("新增面积大于登记的夹缝、周边资源面积。", *shown, fix=fix)
    most = case.number("added.review_percent")
    if old is None or old <= 0 or most is None:
        return lacking("整合前总面积", figures=shown)
    percent = added / (old * M2_PER_KM2) * 100
    shown = (
        *shown,
        figure("新增比例", rounded(percent), "%"),
        limit(case.book, "added.review_percent"),
    )
    if percent > most:
        message = f"新增面积占原面积 {rounded(percent)}%，比例较大。"
        return judge(message, *shown, fix="请逐块核实新增资源的必要性。")
    return passed("新增面积都有登记。", *shown)


def _added_m2(area: AreaFacts) -> Decimal | None:
    """Return the added area, never less than the growth of the total.

    The growth alone is a lower bound: ground given up elsewhere hides more, so no growth says
    nothing.
    """
    measured = None if area.added_area_km2 is None else area.added_area_km2 * M2_PER_KM2
    if area.area_km2 is None or area.old_area_km2 is None:
        return measured
    growth = (area.area_km2 - area.old_area_km2) * M2_PER_KM2
    if measured is not None:
        # Each published area is rounded: what measuring finds goes before that.
        return max(measured, growth - HALF_A_DIGIT_M2 * (len(area.member_keys) + 1))
    return growth if growth > 0 else None


@rule("龙头企业带动", phases=AREA_ONLY, scopes=(Scope.AREA,))
def lead_enterprise(area: AreaFacts, case: Case) -> Iterator[Outcome]:
    """S-D17 三(五)
    「坚持龙头带动、提档升级。」

    Each merger names its lead enterprise; a lead that itself fails scale or life is put to a
    person.
    """
    if len(area.member_keys) < 2:
        return
    lead = case.mine(area.lead_key) if area.lead_key else None
    shown = (
        figure("整合主体", area.lead_enterprise),
        figure("主体矿山", lead.name if lead else None),
    )
    if not area.lead_enterprise:
        yield judge("没有写明整合主体。", *shown, fix="在方案中写明整合主体企业。")
    elif lead is not None and standing(lead, case) is Verdict.FAIL:
        yield judge(
            f"整合主体矿山“{lead.name}”达不到最低规模或服务年限。",
            *shown,
            fix="请说明以该矿为整合主体的理由，或更换主体。",
        )
    else:
        yield passed("已写明整合主体。", *shown)
