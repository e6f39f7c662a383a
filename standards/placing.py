"""Test where new and consolidated rights may lie (S-C01 to S-C03, S-C05, S-C06)."""

from collections.abc import Iterator
from decimal import Decimal

from standards.facts import AreaFacts, MineFacts, OverlapFacts, ZoneFacts
from standards.figures import OPEN_METHODS
from standards.findings import Figure
from standards.rules import (
    Case,
    Outcome,
    Piece,
    Scope,
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
from standards.terms import OpinionOutcome, Phase, ZoneKind

PLACED = (Phase.CONSOLIDATED, Phase.NEW)


def zones_of(subject: AreaFacts | Piece) -> tuple[ZoneFacts, ...] | None:
    """Return the layers an area or an added piece was laid over; a piece shares its area's."""
    place = subject.host if isinstance(subject, Piece) else subject
    return place.zones if isinstance(place, AreaFacts) else None


@rule(
    "符合矿产资源规划",
    phases=(Phase.CONSOLIDATED, Phase.NEW, Phase.EXTRA),
    scopes=(Scope.AREA, Scope.EXTRA),
)
def mineral_planning(subject: AreaFacts | Piece, case: Case) -> Iterator[Outcome]:
    """S-C01 三(四)
    「新设采矿权要严格按照矿产资源规划、国土空间规划和用途管制要求」
    二(一)
    「按照《朔州市国土空间规划（2021-2025年）》《朔州市矿产资源总体规划（2021-2025年）》要求，
    把好资源配置关。」

    Inside a named mining block passes, in a forbidden zone fails, unless a plan adjustment is
    attached; then, and in a restricted zone, a person decides.
    """
    place = subject.host if isinstance(subject, Piece) else subject
    zones = zones_of(subject)
    block = place.plan_block_no if isinstance(place, AreaFacts) else None
    adjustment = place.plan_adjustment_no if isinstance(place, AreaFacts) else None
    shown = (figure("规划区块编号", block), figure("规划调整文号", adjustment))
    kinds = (ZoneKind.BLOCK, ZoneKind.FORBIDDEN, ZoneKind.RESTRICTED)
    planning = [zone for zone in zones or () if zone.kind in kinds]
    met = {zone.kind: zone for zone in planning if _meets(zone, case)}
    figures = (*shown, *(_zone_figure(zone) for zone in met.values()))
    if ZoneKind.FORBIDDEN in met and not adjustment:
        yield failed(
            f"范围压占{met[ZoneKind.FORBIDDEN].layer}。",
            *figures,
            fix="调整范围避开规划禁止开采区，或附上规划调整的批准文件。",
        )
    elif ZoneKind.FORBIDDEN in met or ZoneKind.RESTRICTED in met:
        yield judge(
            "范围涉及规划禁止或限制开采区。",
            *figures,
            fix="请核对规划调整文件或限制开采的条件，作出认定。",
        )
    elif ZoneKind.BLOCK in met:
        yield passed(f"范围位于规划区块“{met[ZoneKind.BLOCK].layer}”内。", *figures)
    elif not planning and not block:
        yield lacking("矿产资源规划图层或规划区块编号", figures=figures)
    elif not planning:
        yield judge(
            "只填了规划区块编号，没有与规划图层比对。", *figures, fix="请核对规划区块的范围。"
        )
    else:
        yield judge(
            "范围不在规划确定的开采区块内。", *figures, fix="请调整范围，或附规划调整文件。"
        )


def _meets(zone: ZoneFacts, case: Case) -> bool:
    tolerance = case.number("zone.tolerance_m2") or Decimal(0)
    return zone.area_m2 is not None and zone.area_m2 > tolerance


def _zone_figure(zone: ZoneFacts) -> Figure:
    area = None if zone.area_m2 is None else rounded(zone.area_m2)
    return figure(f"与“{zone.layer}”重叠面积", area, "平方米", zone.document or None)


@rule(
    "符合国土空间规划和用途管制",
    phases=(Phase.CONSOLIDATED, Phase.NEW, Phase.EXTRA),
    scopes=(Scope.AREA, Scope.EXTRA),
)
def control_layers(subject: AreaFacts | Piece, case: Case) -> Iterator[Outcome]:
    """S-C02 三(四)
    「新设采矿权要严格按照矿产资源规划、国土空间规划和用途管制要求」

    Each required layer must be laid over the range, or a signed opinion stand in for it. Touching
    a red line fails, a buffer is put to a person, a layer without either is NODATA.
    """
    zones = zones_of(subject) or ()
    required = case.book.texts("layers.required") or ()
    control = [zone for zone in zones if zone.kind in (ZoneKind.RED_LINE, ZoneKind.BUFFER)]
    answered = {
        zone.layer
        for zone in control
        if zone.area_m2 is not None or zone.cleared is not None or zone.conditional
    }
    open_layers = [layer for layer in required if layer not in answered]
    parts = [_control(zone, case) for zone in control]
    if open_layers or not required:
        names = "、".join(open_layers) or "必须核查的管控图层清单"
        parts.append(lacking(f"{names}的套合结果或核查意见"))
    yield gather(parts, "不压占各项管控图层。")


def _control(zone: ZoneFacts, case: Case) -> Outcome:
    shown = (_zone_figure(zone), figure("核查意见", zone.document or None))
    fix = f"调整范围避开“{zone.layer}”。"
    if zone.cleared is False:
        return failed(f"核查意见不同意占用“{zone.layer}”。", *shown, fix=fix)
    if zone.conditional:
        message = f"核查意见有条件同意涉及“{zone.layer}”。"
        return judge(message, *shown, fix="请核对条件是否已经落实，作出认定。")
    if zone.area_m2 is None and not zone.cleared:
        return lacking(f"“{zone.layer}”的套合结果或核查意见")
    if not _meets(zone, case):
        return passed(f"不压占“{zone.layer}”。", *shown)
    if zone.kind is ZoneKind.BUFFER:
        return judge(f"位于“{zone.layer}”缓冲区内。", *shown, fix="请核对管控要求，作出认定。")
    if zone.cleared:
        message = f"图层显示压占“{zone.layer}”，但核查意见认为不涉及。"
        return judge(message, *shown, fix="请核对图层与核查意见，作出认定。")
    return failed(f"压占“{zone.layer}”。", *shown, fix=fix)


@rule("相关部门核查", phases=PLACED, scopes=(Scope.AREA,))
def department_opinions(area: AreaFacts, case: Case) -> Iterator[Outcome]:
    """S-C03 三(四)
    「并经相关部门核查，科学合理设置矿山。」

    Every required department must agree; one refusal fails, a condition is put to a person, an
    opinion still to come is NODATA.
    """
    required = case.book.texts("opinions.required") or ()
    given = {opinion.department: opinion for opinion in area.opinions}
    answers = {name: given[name].outcome for name in given}
    pending = [name for name in required if answers.get(name) in (None, OpinionOutcome.SILENT)]
    refused = [name for name, answer in answers.items() if answer is OpinionOutcome.REFUSED]
    bound = [name for name, answer in answers.items() if answer is OpinionOutcome.CONDITIONAL]
    shown = tuple(
        figure(name, answer.label if answer else None, "", given[name].document or None)
        for name, answer in answers.items()
    )
    if refused:
        message = f"{'、'.join(refused)}部门不同意。"
        yield failed(message, *shown, fix="按核查意见修改后重新征求意见。")
    elif pending or not required:
        yield lacking(f"{'、'.join(pending) or '必须出具意见的部门清单'}的核查意见", figures=shown)
    elif bound:
        message = f"{'、'.join(bound)}部门有条件同意。"
        yield judge(message, *shown, fix="请核对条件是否已经落实。")
    else:
        yield passed("相关部门全部同意。", *shown)


@rule("新设和整合范围不以山脊划界", phases=PLACED, scopes=(Scope.AREA,))
def not_along_ridge(area: AreaFacts, case: Case) -> Iterator[Outcome]:
    """S-C05 三(四)
    「普通建筑用砂石土露天矿山不得以山脊划界。」

    Only ordinary sand, stone and soil dug in the open. A person rules whether the boundary runs
    along a ridge; terrain gives no more than a hint.
    """
    yield from ridge(area, case)


def ridge(area: AreaFacts, case: Case) -> Iterator[Outcome]:
    """Judge a proposed boundary by the ruling on ridges."""
    concerned = open_ordinary(area)
    if concerned is None:
        yield lacking("开采矿种和开采方式")
    elif not concerned:
        return
    elif area.is_on_ridge is None:
        hint, shown = ridge_hint(area, case)
        yield judge(
            f"是否以山脊划界还没有人认定。{hint}",
            *shown,
            fix="请评审人员对照地形认定边界是否沿山脊，并记录意见。",
        )
    elif area.is_on_ridge:
        yield failed(
            "经认定，范围以山脊划界。", figure("认定", "以山脊划界"), fix="重新划定边界，避开山脊。"
        )
    else:
        yield passed("经认定，范围没有以山脊划界。", figure("认定", "没有以山脊划界"))


def ridge_hint(site: MineFacts | AreaFacts, case: Case) -> tuple[str, tuple[Figure, ...]]:
    """Return what terrain suggests, as a sentence and figures; nothing without a model."""
    if site.ridge_share is None:
        return "", ()
    least = case.book.find("ridge.hint_share")
    share = figure(
        "边界沿山脊的比例", rounded(site.ridge_share * 100, 1), "%", site.ridge_source or None
    )
    shown = (share, limit(case.book, "ridge.hint_share")) if least else (share,)
    floor = least.usable if least else None
    if isinstance(floor, Decimal) and site.ridge_share * 100 >= floor:
        return "地形提示：边界有较长一段沿山脊，请重点核对。", shown
    return "地形提示：边界没有较长的一段沿山脊。", shown


def open_ordinary(site: MineFacts | AreaFacts) -> bool | None:
    """Say whether a site is a 普通建筑用砂石土露天矿山; None when mineral or method is missing."""
    if site.mineral is not None and not site.mineral.is_ordinary_sand_stone:
        return False
    if site.method is not None and site.method not in OPEN_METHODS:
        return False
    return None if site.mineral is None or site.method is None else True


@rule(
    "不与已设采矿权重叠",
    phases=(Phase.CONSOLIDATED, Phase.NEW, Phase.EXTRA),
    scopes=(Scope.AREA, Scope.EXTRA),
)
def no_overlap(subject: AreaFacts | Piece, case: Case) -> Iterator[Outcome]:
    """S-C06 三(四)
    「除符合规定的情形外，新设采矿权范围不得与已设采矿权垂直投影范围重叠」

    The projection counts, whatever the heights. Rights that the same consolidation replaces are
    left out; so are slivers within the tolerances. An overlap with a right of the same holder, or
    with a stated exception, is put to a person. The result of the ministry's own check prevails.
    """
    place = subject.extra if isinstance(subject, Piece) else subject
    if isinstance(place, AreaFacts) and place.overlap_check_clear is not None:
        shown = figure("矿业权空间查重编号", place.overlap_check_no)
        if place.overlap_check_clear:
            yield passed("矿业权空间查重结果为不重叠，以该结果为准。", shown)
        else:
            yield failed(
                "矿业权空间查重结果为重叠，以该结果为准。",
                shown,
                fix="调整范围后重新申请矿业权空间查重。",
            )
    elif place.overlaps is None:
        yield lacking("与已设采矿权的空间比对结果")
    else:
        others = [overlap for overlap in place.overlaps if not overlap.is_replaced]
        yield gather(
            (_overlap(overlap, case) for overlap in others), "与其他已设采矿权的垂直投影不重叠。"
        )


def _overlap(overlap: OverlapFacts, case: Case) -> Outcome:
    area, width = overlap.area_m2, overlap.width_m
    area_limit = case.number("overlap.tolerance_m2")
    width_limit = case.number("overlap.tolerance_width_m")
    name = overlap.name or overlap.licence_no or overlap.key
    if area is None:
        return lacking(f"与“{name}”的重叠面积")
    shown = (
        figure(f"与“{name}”重叠面积", rounded(area), "平方米"),
        figure("采矿许可证号", overlap.licence_no),
        limit(case.book, "overlap.tolerance_m2"),
    )
    sliver = width is not None and width_limit is not None and width <= width_limit
    if area <= (area_limit or 0) or sliver:
        return passed(f"与“{name}”只有测量误差以内的重叠。", *shown)
    amount = f"与“{name}”的垂直投影重叠 {rounded(area)} 平方米"
    if overlap.exception:
        return judge(
            f"{amount}，已说明属于“{overlap.exception}”。",
            *shown,
            fix="请认定该重叠是否属于符合规定的情形，并附依据。",
        )
    if overlap.same_holder:
        return judge(
            f"{amount}，两者为同一矿业权人。",
            *shown,
            fix="请认定是否属于符合规定的情形，或把该矿一并纳入整合。",
        )
    return failed(f"{amount}。", *shown, fix=f"调整范围，不与“{name}”的垂直投影重叠。")
