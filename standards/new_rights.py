"""Test where new and consolidated rights may lie and how large they must be (S-C01 to S-C09)."""

from collections.abc import Iterator

from standards.facts import AreaFacts, OverlapFacts
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
from standards.terms import Phase

PLACED = (Phase.CONSOLIDATED, Phase.NEW)


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
