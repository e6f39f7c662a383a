"""Test what safety law adds to the Work Plan (S-B14, S-D19)."""

from collections.abc import Iterator

from standards.facts import AreaFacts, MineFacts, NeighbourFacts
from standards.figures import is_open_quarry, yearly_scale
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
    rounded,
    rule,
)
from standards.scale import BOTH
from standards.terms import Method, MineState, Phase

# A mine in these states need not hold a valid safety licence yet or still.
IDLE = frozenset(
    {MineState.SUSPENDED, MineState.HALTED, MineState.CONSTRUCTION, MineState.PREPARING}
)
DEEP_METHODS = frozenset({Method.UNDERGROUND, Method.COMBINED})


@rule("安全标准", phases=(Phase.EXISTING, Phase.CONSOLIDATED), scopes=BOTH)
def safety_standard(site: Site, case: Case) -> Iterator[Outcome]:
    """S-B14 四(二)1
    「最低生产建设规模和安全标准达到国家及我省规定」

    A working mine without a valid safety licence fails; an idle one or one under construction is
    put to a person. The rest is for the emergency bureau: it passes once that has confirmed the
    design and the risks.
    """
    if isinstance(site, AreaFacts):
        yield _area_safety(site)
    elif site.state is MineState.CLOSED:
        return
    else:
        yield _mine_safety(site, case)


def _mine_safety(mine: MineFacts, case: Case) -> Outcome:
    ends = mine.safety_licence_valid_to
    shown = (
        figure("安全生产许可证", mine.safety_licence_no or None),
        figure("有效期止", ends.isoformat() if ends else None),
        figure("生产状态", mine.state.label if mine.state else None),
    )
    absent = mine.safety_licence_no == ""
    expired = ends is not None and ends < case.book.on
    if absent or expired:
        wrong = "没有安全生产许可证" if absent else "安全生产许可证已过期"
        if mine.state in IDLE:
            return judge(
                f"矿山{wrong}，现未生产。", *shown, fix="复产前须取得有效的安全生产许可证。"
            )
        fix = "取得有效的安全生产许可证，或如实登记停产、基建状态。"
        return failed(f"矿山{wrong}。", *shown, fix=fix)
    if mine.safety_licence_no is None or ends is None:
        return lacking("安全生产许可证号和有效期", figures=shown)
    if mine.safety_design_approved and mine.safety_risk_checked:
        return passed("安全生产许可证有效，应急管理部门已确认设计和风险。", *shown)
    return judge(
        "安全生产许可证有效，安全设施设计和风险等级待应急管理部门确认。",
        *shown,
        fix="请应急管理部门核对安全设施设计批复、风险等级和最近检查结论。",
    )


def _area_safety(area: AreaFacts) -> Outcome:
    answers = {True: "已通过", False: "未通过", None: None}
    shown = figure("安全设施设计审查", answers[area.safety_design_approved])
    fix = "请应急管理部门审查整合后的安全设施设计。"
    if area.safety_design_approved:
        return passed("整合后的安全设施设计已经审查通过。", shown)
    if area.safety_design_approved is False:
        return failed("整合后的安全设施设计没有通过审查。", shown, fix=fix)
    return judge("整合后的安全标准待应急管理部门研判。", shown, fix=fix)


@rule("相邻矿山安全距离", phases=(Phase.CONSOLIDATED, Phase.NEW), scopes=(Scope.AREA,))
def safety_distance(area: AreaFacts, case: Case) -> Iterator[Outcome]:
    """S-D19 四(二)6
    「未尽事宜按照国家、省最新文件规定办理。」
    四(二)1
    「最低生产建设规模和安全标准达到国家及我省规定」

    Small quarries must lie farther than the limit from each other, boundary to boundary;
    underground mines of different holders keep a pillar between them. The distances come from
    national safety rules.
    """
    if area.neighbours is None:
        yield lacking("与相邻采矿权的距离")
        return
    parts = [
        outcome
        for neighbour in area.neighbours
        if neighbour.key not in area.member_keys
        for outcome in (_quarry_gap(area, neighbour, case), _pillar(area, neighbour, case))
        if outcome is not None
    ]
    yield (
        gather(parts, "与相邻矿山的距离符合要求。")
        if parts
        else exempt("没有须保持距离的相邻矿山。")
    )


def _quarry_gap(area: AreaFacts, neighbour: NeighbourFacts, case: Case) -> Outcome | None:
    quarry = is_open_quarry(area)
    if quarry is False or neighbour.method is Method.UNDERGROUND:
        return None
    least, most_scale = case.number("safety.quarry_gap_m"), case.number("safety.quarry_scale")
    distance = neighbour.distance_m
    if distance is None or least is None or most_scale is None:
        return lacking(f"与“{neighbour.name}”的距离")
    shown = (
        figure(f"与“{neighbour.name}”的距离", rounded(distance), "米"),
        limit(case.book, "safety.quarry_gap_m"),
    )
    if distance > least:
        return passed(f"与“{neighbour.name}”的距离符合要求。", *shown)
    if quarry is None:
        return lacking("开采矿种和开采方式")
    scale = yearly_scale(area)
    message = f"与“{neighbour.name}”相距 {rounded(distance)} 米，没有大于采石场最小距离。"
    if scale is not None and scale <= most_scale and neighbour.same_holder is False:
        return failed(message, *shown, fix=f"调整范围，或与“{neighbour.name}”整合。")
    fix = "请核对采石场规模、相邻矿业权人和地形，认定是否适用最小距离。"
    return judge(message, *shown, limit(case.book, "safety.quarry_scale"), fix=fix)


def _pillar(area: AreaFacts, neighbour: NeighbourFacts, case: Case) -> Outcome | None:
    if area.method not in DEEP_METHODS or neighbour.method in (None, Method.OPEN_PIT):
        return None
    if neighbour.same_holder:
        return None
    least, distance = case.number("safety.pillar_m"), neighbour.distance_m
    if distance is None or least is None:
        return lacking(f"与“{neighbour.name}”的距离")
    shown = (
        figure(f"与“{neighbour.name}”的距离", rounded(distance), "米"),
        limit(case.book, "safety.pillar_m"),
    )
    if distance >= least:
        return passed(f"与“{neighbour.name}”之间留足保安矿（岩）柱。", *shown)
    message = f"与“{neighbour.name}”相距 {rounded(distance)} 米，保安矿（岩）柱不足。"
    if neighbour.same_holder is None:
        return judge(message, *shown, fix="请核对两矿是否为同一矿业权人。")
    return failed(message, *shown, fix="调整范围，留足保安矿（岩）柱。")
