"""Test which resources a consolidation may take in (S-D07 to S-D09, S-E01 to S-E05)."""

from collections.abc import Iterator

from standards.facts import AreaFacts, ExtraFacts, ProceedsFacts, SideFacts
from standards.figures import Grade, at_least_medium, production_grade, reserve_grade
from standards.findings import Figure
from standards.new_rights import grade_figures
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
    plain,
    rounded,
    rule,
)
from standards.scope import months_before
from standards.terms import ExtraResource, GrantWay, Phase, Verdict

EXTRA = (Phase.EXTRA,)
PIECE = (Scope.EXTRA,)
VERTICAL = frozenset({ExtraResource.UPPER, ExtraResource.DEEP})


@rule("夹缝资源限于躲不开、绕不过", phases=EXTRA, scopes=PIECE)
def unavoidable_gap(piece: Piece, case: Case) -> Iterator[Outcome]:
    """S-D07 三(六)
    「整合未设置矿业权区域资源仅限于躲不开、绕不过的相邻矿山之间的夹缝资源」

    A gap must lie between two of the merged mines; whether it cannot be avoided is an expert's
    statement. A piece that lies elsewhere and is no upper, deep or periphery resource fails.
    """
    del case
    extra = piece.extra
    if extra.kind is not None and extra.kind is not ExtraResource.GAP:
        return
    between = {True: "位于两矿之间", False: "不在两矿之间", None: None}[extra.is_between_members]
    stated = {True: "躲不开、绕不过", False: "可以避开", None: None}[extra.unavoidable]
    shown = (figure("位置", between), figure("专家意见", stated))
    fix = "只把躲不开、绕不过的相邻矿山夹缝资源纳入整合，并附专家意见。"
    if extra.is_between_members is False:
        yield failed("该地块不在相邻整合矿山之间，不属于夹缝资源。", *shown, fix=fix)
    elif extra.unavoidable is False:
        yield failed("专家意见认为该夹缝资源可以避开。", *shown, fix=fix)
    elif extra.is_between_members is None:
        yield lacking("该地块是否位于相邻整合矿山之间", figures=shown)
    elif extra.unavoidable is None:
        yield judge("该地块位于两矿之间，是否躲不开、绕不过待认定。", *shown, fix=fix)
    else:
        yield passed("属于躲不开、绕不过的夹缝资源。", *shown)


@rule("新增资源类型", phases=EXTRA, scopes=PIECE)
def allowed_kind(piece: Piece, case: Case) -> Iterator[Outcome]:
    """S-D08 三(六)
    「批采标高上部、深部资源、矿区周边不宜再单独设立矿业权的空白资源」

    Only gap, upper, deep and periphery resources may be taken in, each with an amount and a
    reason.
    """
    del case
    extra = piece.extra
    kind = extra.kind.label if extra.kind else extra.kind_text or None
    shown = (
        figure("新增资源类型", kind),
        figure("新增资源量", extra.volume),
        figure("理由", extra.reason or None),
    )
    fix = "新增资源限于夹缝、上部、深部、周边空白四类，并写明资源量和理由。"
    if extra.kind is None and extra.kind_text:
        yield failed(f"“{extra.kind_text}”不是可以纳入整合的资源类型。", *shown, fix=fix)
    elif extra.kind is None:
        yield lacking("新增资源类型", figures=shown)
    elif extra.volume is None or not extra.reason:
        yield judge("新增资源没有写全资源量和理由。", *shown, fix=fix)
    else:
        yield passed(f"新增资源类型为{kind}。", *shown)


@rule("矿业权出让收益", phases=EXTRA, scopes=PIECE)
def proceeds_settled(piece: Piece, case: Case) -> Iterator[Outcome]:
    """S-D09 三(六)
    「纳入资源整合范围，并按规定处置矿业权出让收益。」

    An assessment must be on record before the area is done; proceeds past their due day and
    unpaid fail. The portal computes no amounts.
    """
    host = piece.host
    records = [record for record in (piece.extra.proceeds,) if record is not None]
    if isinstance(host, AreaFacts):
        if not host.proceeds_required:
            return
        records += [host.proceeds] if host.proceeds is not None else []
    shown = tuple(shown for record in records for shown in _proceeds_figures(record))
    overdue = [
        record
        for record in records
        if record.paid_on is None and record.due_on is not None and record.due_on < case.book.on
    ]
    if overdue:
        fix = "按规定缴清矿业权出让收益。"
        yield failed("出让收益已过缴款期限，没有缴纳记录。", *shown, fix=fix)
    elif any(record.paid_on is not None for record in records):
        yield passed("已缴纳出让收益。", *shown)
    elif any(record.assessment_no and record.due_on for record in records):
        yield passed("出让收益已评估，缴款期限未到。", *shown)
    else:
        yield lacking("出让收益评估文号和缴款计划", figures=shown)


def _proceeds_figures(record: ProceedsFacts) -> tuple[Figure, ...]:
    return (
        figure("评估文号", record.assessment_no),
        figure("出让收益", record.amount_wan_yuan, "万元"),
        figure("缴款期限", record.due_on.isoformat() if record.due_on else None),
        figure("缴款日期", record.paid_on.isoformat() if record.paid_on else None),
    )


# Grants (四(二)4) --------------------------------------------------------------------------------


def size_outcome(name: str, reserve: Grade, production: Grade) -> Outcome:
    """Judge whether a mine is 大中型: both classes pass, both small fail, else a person decides."""
    shown = (*grade_figures("矿床", reserve), *grade_figures("生产", production))
    sizes = {at_least_medium(reserve.size), at_least_medium(production.size)}
    fix = f"“{name}”的矿床规模和生产规模达到中型及以上。"
    if sizes == {None}:
        return lacking(f"“{name}”的矿床规模和生产规模类型", figures=shown)
    if reserve.doubtful or production.doubtful:
        return judge(f"“{name}”的规模类型前后不一，或划分数值待核。", *shown, fix=fix)
    if sizes == {True}:
        return passed(f"“{name}”为大中型矿山。", *shown)
    if sizes == {False}:
        return failed(f"“{name}”为小型矿山。", *shown, fix=fix)
    message = f"“{name}”的矿床规模和生产规模不能同时确认为中型及以上。"
    return judge(message, *shown, fix="请补充数据或认定该矿是否属于大中型矿山。")


def host_size(piece: Piece) -> Outcome:
    """Judge the size of the mine or area that a piece is to join."""
    host = piece.host
    return size_outcome(host.name or host.key, reserve_grade(host), production_grade(host))


def way_outcome(extra: ExtraFacts) -> Outcome:
    """Ask for the way of grant, which must be stated."""
    if extra.way is None:
        return lacking("出让方式（协议或公开竞争）")
    return passed(f"出让方式为{extra.way.label}。", figure("出让方式", extra.way.label))


@rule("协议出让深部、上部资源", phases=EXTRA, scopes=PIECE)
def deep_or_upper(piece: Piece, case: Case) -> Iterator[Outcome]:
    """S-E01 四(二)4
    「对大中型矿山以及整合重组后达到大中型规模的矿山,可协议出让已设采矿权深部或上部资源,
    但普通建筑用砂石土类矿产除外。」

    Grants by agreement only. Ordinary sand, stone and soil fail, and so does a mine small in
    both classes; one class alone is put to a person.
    """
    del case
    extra, mineral = piece.extra, piece.host.mineral
    if extra.kind not in VERTICAL or extra.way is GrantWay.COMPETITION:
        return
    parts = [host_size(piece), way_outcome(extra)]
    if mineral is None:
        parts.append(lacking("开采矿种"))
    elif mineral.is_ordinary_sand_stone and extra.way is GrantWay.AGREEMENT:
        parts.append(
            failed(
                "普通建筑用砂石土类矿产不得协议出让深部或上部资源。",
                figure("开采矿种", mineral.name),
                fix="改为公开竞争方式出让。",
            )
        )
    yield gather(parts, "大中型矿山的深部或上部资源，可以协议出让。")


@rule("周边零星资源", phases=EXTRA, scopes=PIECE)
def periphery(piece: Piece, case: Case) -> Iterator[Outcome]:
    """S-E02 四(二)4
    「大中型矿山周边（属同一矿体向外延伸情形）不宜单独设置矿业权的零星资源」

    The mine is medium or large, the piece continues its ore body and does not suit a right of
    its own, and the way of grant is stated. Missing expert statements are put to a person.
    """
    del case
    extra = piece.extra
    if extra.kind is not ExtraResource.PERIPHERY:
        return
    parts = [host_size(piece), way_outcome(extra)]
    statements = (
        (extra.same_ore_body, "属同一矿体向外延伸"),
        (extra.unfit_for_own_right, "不宜单独设置矿业权"),
    )
    for answer, words in statements:
        fix = f"请附专家意见，说明该资源{words}。"
        if answer is False:
            parts.append(failed(f"专家意见认为该资源不{words.removeprefix('不')}。", fix=fix))
        elif answer is None:
            parts.append(judge(f"是否{words}，还没有专家意见。", fix=fix))
        else:
            parts.append(passed(f"{words}。", figure("专家意见", words)))
    yield gather(parts, "大中型矿山周边的零星资源，符合出让条件。")


def _side_size(side: SideFacts) -> Outcome:
    name = side.name or side.key
    return size_outcome(name, Grade(side.reserve_class), Grade(side.production_class))


@rule("300米左右夹缝资源", phases=EXTRA, scopes=PIECE)
def gap(piece: Piece, case: Case) -> Iterator[Outcome]:
    """S-E03 四(二)4
    「相邻矿业权（仅限中型以上矿山）之间距离300米左右的夹缝资源，可以采取公开竞争或
    协议方式出让矿业权。」

    Both neighbours are medium or larger and one subject, the way is stated, and the distance is
    within the limit; a little more is put to a person because of 左右. Where different holders
    merge into one area, 三(六) lets the gap in, so that too is put to a person.
    """
    extra = piece.extra
    if extra.kind is not ExtraResource.GAP:
        return
    parts = [_distance(extra, case), way_outcome(extra)]
    if len(extra.sides) < 2:
        parts.append(lacking("夹缝两侧的矿业权"))
    parts += [_side_size(side) for side in extra.sides]
    subject = same_subject(extra, case)
    merged = isinstance(piece.host, AreaFacts) and len(extra.sides) >= 2
    if merged and subject.verdict is Verdict.FAIL and _within(piece):
        subject = judge(
            "夹缝两侧矿业权人不是同一主体，但同属一个整合区。",
            *subject.figures,
            fix="请按三（六）认定是否属于躲不开、绕不过的夹缝资源，并确定出让方式。",
        )
    parts.append(subject)
    yield gather(parts, "属于可以出让的夹缝资源。")


def _within(piece: Piece) -> bool:
    host = piece.host
    return isinstance(host, AreaFacts) and all(
        side.key in host.member_keys for side in piece.extra.sides
    )


def _distance(extra: ExtraFacts, case: Case) -> Outcome:
    most, review = case.number("gap.max_m"), case.number("gap.review_m")
    if extra.distance_m is None or most is None:
        return lacking("相邻矿业权之间的最短距离")
    shown = (
        figure("相邻矿业权最短距离", rounded(extra.distance_m), "米"),
        limit(case.book, "gap.max_m"),
        limit(case.book, "gap.review_m"),
    )
    message = f"相邻矿业权相距 {rounded(extra.distance_m)} 米"
    fix = f"夹缝资源两侧矿业权的距离在 {plain(most)} 米左右。"
    if extra.distance_m <= most:
        return passed(f"{message}，在规定距离以内。", *shown)
    if review is None or extra.distance_m <= review:
        return judge(f"{message}，是否属于“300米左右”待认定。", *shown, fix=fix)
    return failed(f"{message}，明显超出规定距离。", *shown, fix=fix)


def same_subject(extra: ExtraFacts, case: Case) -> Outcome:
    """Judge whether the two neighbours of a gap belong to one subject."""
    codes = [side.holder_uscc for side in extra.sides[:2]]
    full, months = (
        case.number("ownership.full_percent"),
        case.book.whole("ownership.extract_months"),
    )
    share = None if extra.ownership_share is None else extra.ownership_share * 100
    extract = extra.ownership_extract_on
    shown = (
        *(figure(f"“{side.name or side.key}”采矿权人", side.holder_name) for side in extra.sides),
        figure("持股比例", None if share is None else rounded(share, 4), "%"),
        figure("股权登记查询日期", extract.isoformat() if extract else None),
    )
    fix = "两侧为同一矿业权人，或为全资母子公司并附股权登记查询件。"
    if len(codes) < 2:
        return lacking("夹缝两侧的矿业权人", figures=shown)
    if codes[0] and codes[0] == codes[1]:
        return passed("两侧为同一矿业权人。", *shown)
    if share is None or full is None:
        return lacking("两侧矿业权人是否同一主体的证明", figures=shown)
    if share < full:
        return failed("两侧矿业权人之间不是全资关系。", *shown, fix=fix)
    if extract is None or months is None or extract < months_before(case.book.on, months):
        return judge("股权登记查询件缺失或已超过有效时长。", *shown, fix="请重新查询股权登记。")
    if extra.reading_unclear:
        return judge("是否属于“全资母子公司”的情形待认定。", *shown, fix=fix)
    return passed("两侧为全资关系的同一主体。", *shown)


@rule("同一主体证明", phases=EXTRA, scopes=PIECE)
def subject_proven(piece: Piece, case: Case) -> Iterator[Outcome]:
    """S-E04 四(二)4
    「属同一主体（同一矿业权人，母公司的全资子公司或全资母子公司）」

    The same credit code, or wholly owned with a recent registry extract; a share below the whole
    fails, an old extract or an unclear reading is put to a person.
    """
    if piece.extra.kind is ExtraResource.GAP:
        yield same_subject(piece.extra, case)


@rule("砂石土夹缝、周边资源出让方式", phases=EXTRA, scopes=PIECE)
def sand_stone_way(piece: Piece, case: Case) -> Iterator[Outcome]:
    """S-E05 四(二)4
    「可以采取公开竞争或协议方式出让矿业权」
    四(二)6
    「未尽事宜按照国家、省最新文件规定办理。」

    For ordinary sand, stone and soil, open competition passes. Agreement is put to a person:
    national rules exclude these minerals from every grant by agreement, the Work Plan repeats
    that for deep and upper resources only.
    """
    del case
    extra, mineral = piece.extra, piece.host.mineral
    if extra.kind not in (ExtraResource.GAP, ExtraResource.PERIPHERY):
        return
    if mineral is None:
        yield lacking("开采矿种")
    elif not mineral.is_ordinary_sand_stone:
        return
    elif extra.way is None:
        yield lacking("出让方式（协议或公开竞争）")
    elif extra.way is GrantWay.COMPETITION:
        yield passed("以公开竞争方式出让。", figure("出让方式", extra.way.label))
    else:
        yield judge(
            "普通建筑用砂石土拟协议出让；国家规定不适用协议出让，建议不予同意。",
            figure("开采矿种", mineral.name),
            figure("出让方式", extra.way.label, "", "自然资规〔2023〕6号"),
            fix="改为公开竞争方式出让；坚持协议出让的，写明依据。",
        )
