"""Test service life, the deadline for scale and life, and exhaustion (S-B10 to S-B13)."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from standards.facts import MineFacts
from standards.figures import (
    Span,
    computed_lives,
    life_from_ore,
    minable_resource,
    recoverable_ore,
    recoverable_ores,
    stated_life,
    yearly_scale,
    yearly_scales,
)
from standards.findings import Figure
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
    limit,
    passed,
    plain,
    rounded,
    rule,
    worst,
)
from standards.scale import ANY_SITE, BOTH, scale_outcomes
from standards.terms import Disposition, MineState, Phase, RectificationWay, Verdict

# What a disposition means for a mine below the minimum, when no way is written down.
WAY_OF_DISPOSITION = {
    Disposition.MERGE: RectificationWay.CONSOLIDATE,
    Disposition.UPGRADE: RectificationWay.RAISE,
    Disposition.CLOSE: RectificationWay.LEAVE,
    Disposition.EXIT: RectificationWay.LEAVE,
}


def _side(span: Span, floor: Decimal) -> Verdict | None:
    if span.least is not None and span.least >= floor:
        return Verdict.PASS
    if span.most is not None and span.most < floor:
        return Verdict.FAIL
    return None


def _sides(spans: list[Span], floor: Decimal) -> set[Verdict]:
    return {side for span in spans if (side := _side(span, floor)) is not None}


def life_outcome(site: Site, case: Case) -> Outcome:
    """Test the service life of a site once."""
    key = ("life", id(site))
    if key not in case.memo:
        case.memo[key] = _life(site, case)
    found: Outcome = case.memo[key]
    return found


def _life(site: Site, case: Case) -> Outcome:
    if isinstance(site, MineFacts) and site.state is MineState.CLOSED:
        return exempt("矿山已关闭，不再适用最低服务年限。")
    floor = case.number("life.min_years")
    if floor is None:
        return lacking(case.book.entry("life.min_years").title)
    stated = stated_life(site)
    computed = computed_lives(site)
    sides = _sides([stated, *computed], floor)
    shown = (*_life_figures(site, stated, computed), limit(case.book, "life.min_years"))
    standard = f"{plain(floor)} 年（不含基建期）"
    if len(sides) == 2:
        return judge(
            f"设计所写服务年限与按储量、规模计算的年限分处 {standard} 的两侧。",
            *shown,
            fix="请核对可采储量、生产规模和基建期，确定以哪一个年限为准。",
        )
    if sides == {Verdict.PASS}:
        return passed(f"服务年限不少于 {standard}。", *shown)
    if sides == {Verdict.FAIL}:
        return failed(
            f"服务年限少于 {standard}。",
            *shown,
            fix=f"增加可采储量或调整规模，使服务年限（不含基建期）不少于 {plain(floor)} 年。",
        )
    return _life_from_resources(site, case, floor, shown)


def _life_from_resources(
    site: Site, case: Case, floor: Decimal, shown: tuple[Figure, ...]
) -> Outcome:
    ore = minable_resource(site, case.number("life.inferred_factor"))
    span = life_from_ore(site, ore, yearly_scale(site))
    if span.least is None:
        return lacking(*_life_gaps(site), figures=shown)
    side = "不少于" if span.least >= floor else "可能少于"
    return judge(
        f"只有资源量，按推断资源量折减估算约 {rounded(span.least)} 年，{side}标准。",
        *shown,
        limit(case.book, "life.inferred_factor"),
        fix="请提交可采储量或开发利用设计中的服务年限（不含基建期）。",
    )


def _life_gaps(site: Site) -> list[str]:
    gaps = []
    if site.service_life_years is not None:
        if site.life_includes_construction is None:
            gaps.append("服务年限是否含基建期")
        if site.construction_years is None:
            gaps.append("基建期年数")
        return gaps or ["可采储量"]
    if recoverable_ore(site) is None:
        gaps.append("服务年限或可采储量")
    if yearly_scale(site) is None:
        gaps.append("生产规模及单位（万立方米的还需体重）")
    if not gaps:
        gaps.append("开采矿种" if site.mineral is None else "废石混入率")
    return gaps


def _life_figures(site: Site, stated: Span, computed: list[Span]) -> list[Figure]:
    figures = []
    if site.service_life_years is not None:
        includes = {True: "含基建期", False: "不含基建期", None: "是否含基建期未写明"}
        words = includes[site.life_includes_construction]
        figures.append(figure(f"设计服务年限（{words}）", site.service_life_years, "年"))
        if site.life_includes_construction is not False:
            figures.append(figure("基建期", site.construction_years, "年"))
        if stated.least is not None and stated.least != site.service_life_years:
            figures.append(figure("扣除基建期后", stated.least, "年"))
    if computed:
        ores = "、".join(rounded(ore) for ore in dict.fromkeys(recoverable_ores(site)))
        scales = "、".join(rounded(scale) for scale in dict.fromkeys(yearly_scales(site)))
        figures.append(figure("可采储量", ores, "万吨"))
        figures.append(figure("年生产规模", scales, "万吨/年"))
        if site.dilution_rate is not None:
            figures.append(figure("废石混入率", site.dilution_rate))
        if site.spare_factor is not None:
            figures.append(figure("储量备用系数", site.spare_factor))
    for span in dict.fromkeys(computed):
        label = "计算服务年限" if span.most is not None else "计算服务年限（不低于）"
        figures.append(figure(label, rounded(span.least or Decimal(0)), "年"))
    return figures


@rule("最低服务年限", phases=ANY_SITE, scopes=BOTH)
def service_life_rule(site: Site, case: Case) -> Iterator[Outcome]:
    """S-B10 四(二)2
    「以上矿种新改扩建后服务年限不少于5年（不含基建期）。」

    The construction period is taken off a stated life that includes it. Beside it the life is
    computed: recoverable ore over yearly scale, lengthened by dilution for metals and shortened
    by a spare factor for the rest. When only resource classes are known, inferred ore is counted
    by a factor and a person decides. 其他矿种 are held to the same life.
    """
    yield life_outcome(site, case)


def standing(mine: MineFacts, case: Case) -> Verdict:
    """Return the worst verdict on scale and life of a mine."""
    _, outcomes = scale_outcomes(mine, case)
    return worst([*(outcome.verdict for outcome in outcomes), life_outcome(mine, case).verdict])


@rule("限期达到最低规模和服务年限", phases=(Phase.EXISTING,), scopes=(Scope.MINE,))
def reach_by_deadline(mine: MineFacts, case: Case) -> Iterator[Outcome]:
    """S-B11 四(二)2
    「自2025年起，现有金属非金属矿山达不到上述最低生产规模和服务年限的，应通过资源整合、
    产能核增等方式，于2025年年底前达到上述规定要求」

    A mine that fails scale or life needs a way and a planned day not after the deadline; then a
    person follows it up. Without them, or once the deadline is past, it fails. The way is read
    from the disposition where none is written.
    """
    state = standing(mine, case)
    deadline = case.book.day("deadline.reach_minimum")
    if mine.state is MineState.CLOSED:
        yield exempt("矿山已关闭，不再要求限期达标。")
    elif deadline is None:
        yield lacking(case.book.entry("deadline.reach_minimum").title)
    elif state is Verdict.FAIL:
        yield _failing(mine, case)
    elif state is Verdict.NODATA:
        yield lacking("最低生产规模或服务年限的检查结果（见 S-B01 至 S-B10）")
    elif state is Verdict.REVIEW:
        yield judge(
            "最低生产规模或服务年限还待研判，暂不能确定是否需要整改。",
            fix="请先对 S-B01 至 S-B10 的待研判事项作出认定。",
        )
    elif mine.rectification_done_on is not None and mine.rectification_done_on > deadline:
        yield judge(
            f"矿山已达到最低规模和服务年限，但完成日期晚于 {deadline.isoformat()}。",
            figure("完成日期", mine.rectification_done_on.isoformat()),
            limit(case.book, "deadline.reach_minimum"),
            fix="请说明逾期完成的原因和处理意见。",
        )
    else:
        yield passed("矿山已达到最低生产规模和服务年限。")


def _failing(mine: MineFacts, case: Case) -> Outcome:
    deadline = case.book.day("deadline.reach_minimum")
    way = mine.rectification_way
    if way is None and len(mine.dispositions) == 1:
        way = WAY_OF_DISPOSITION.get(mine.dispositions[0])
    due = mine.rectification_due_on
    shown = (
        figure("整改方式", way.label if way else None),
        figure("计划完成日期", due.isoformat() if due else None),
        limit(case.book, "deadline.reach_minimum"),
    )
    fix = "请写明资源整合、产能核增或退出的方式，并把完成日期定在期限之内。"
    if deadline is not None and case.book.on > deadline:
        message = f"期限 {deadline.isoformat()} 已过，矿山仍未达到最低规模或服务年限。"
        return failed(message, *shown, fix="完成整改，使规模和服务年限经复核达标。")
    if way is None or due is None:
        return failed("矿山达不到最低规模或服务年限，且没有整改方式或计划日期。", *shown, fix=fix)
    if deadline is None or due > deadline:
        return failed(f"计划完成日期 {due.isoformat()} 晚于规定期限。", *shown, fix=fix)
    if case.book.on > due:
        message = f"已过计划完成日期 {due.isoformat()}，矿山仍未达标。"
    else:
        message = f"矿山正在整改（{way.label}），计划 {due.isoformat()} 前完成。"
    return judge(message, *shown, fix="完成整改并复核规模和服务年限。")


@rule("逾期未达标不再延续", phases=(Phase.EXISTING,), scopes=(Scope.MINE,))
def no_renewal(mine: MineFacts, case: Case) -> Iterator[Outcome]:
    """S-B12 四(二)2
    「未达到的，一律不再延期采矿许可证。」

    After the deadline a mine that still fails is listed 不予延续. Before it, a failing mine is
    warned of, by steps as its licence nears its end. The portal advises; the licence authority
    decides.
    """
    state = standing(mine, case)
    deadline = case.book.day("deadline.reach_minimum")
    if mine.state is MineState.CLOSED:
        yield exempt("矿山已关闭，不涉及许可证延续。")
    elif deadline is None:
        yield lacking(case.book.entry("deadline.reach_minimum").title)
    elif state is Verdict.FAIL:
        yield _renewal(mine, case)
    elif state is Verdict.NODATA:
        yield lacking("最低生产规模或服务年限的检查结果（见 S-B01 至 S-B10）")
    elif state is Verdict.REVIEW:
        yield judge(
            "最低生产规模或服务年限还待研判，延续意见待定。",
            fix="请先对 S-B01 至 S-B10 的待研判事项作出认定。",
        )
    else:
        yield passed("矿山达标，不因最低规模和服务年限影响许可证延续。")


def _renewal(mine: MineFacts, case: Case) -> Outcome:
    book = case.book
    deadline = book.day("deadline.reach_minimum")
    ends = mine.licence_valid_to
    shown = [
        figure("采矿许可证有效期止", ends.isoformat() if ends else None),
        limit(book, "deadline.reach_minimum"),
    ]
    fix = "在期限前通过资源整合、产能核增等方式达到最低规模和服务年限。"
    if deadline is not None and book.on > deadline:
        return failed("不予延续：期限已过，矿山仍未达到最低规模或服务年限。", *shown, fix=fix)
    if ends is None:
        return judge("矿山不达标，期限后将不予延续；许可证有效期未填。", *shown, fix=fix)
    if ends < book.on:
        return judge("矿山不达标，且采矿许可证已到期。", *shown, fix=fix)
    left = (ends - book.on).days
    shown.append(figure("距许可证到期", left, "天"))
    for step in ("licence.warning_days_3", "licence.warning_days_2", "licence.warning_days_1"):
        days = book.whole(step)
        if days is not None and ends - book.on <= timedelta(days=days):
            shown.append(limit(book, step))
            message = f"预警：矿山不达标，采矿许可证 {left} 天后到期（{days} 天内）。"
            return judge(message, *shown, fix=fix)
    return judge("矿山不达标，期限前未达到的，将不予延续采矿许可证。", *shown, fix=fix)


@rule("资源枯竭与生态成本", phases=ANY_SITE, scopes=BOTH)
def exhaustion(site: Site, case: Case) -> Iterator[Outcome]:
    """S-B13 四(二)2
    「对于矿区资源已经枯竭、开采收益不足支付生态成本的，原则上不再设置矿业权。」

    No ore left, or less than a year of it, is one flag; revenue below the ecological cost is the
    other. One flag is put to a person, both fail, and 原则上 leaves room for a reasoned exception.
    """
    if isinstance(site, MineFacts) and site.state is MineState.CLOSED:
        return
    exhausted, shown = _exhausted(site, case)
    revenue, cost = site.expected_revenue_wan_yuan, site.ecological_cost_wan_yuan
    losing = None if revenue is None or cost is None else revenue < cost
    figures = (
        *shown,
        figure("预期开采收益", revenue, "万元"),
        figure("生态成本", cost, "万元"),
    )
    fix = "请评估剩余资源、开采收益和生态成本；确需保留的，写明理由和依据。"
    if exhausted and losing:
        yield failed("矿区资源接近枯竭，且开采收益不足支付生态成本。", *figures, fix=fix)
    elif exhausted:
        yield judge("矿区资源接近枯竭。", *figures, fix=fix)
    elif losing:
        yield judge("开采收益不足支付生态成本。", *figures, fix=fix)
    elif exhausted is None or losing is None:
        gaps = [
            *(["剩余可采储量或服务年限"] if exhausted is None else []),
            *(["预期开采收益和生态成本"] if losing is None else []),
        ]
        yield lacking(*gaps, figures=figures)
    else:
        yield passed("资源未枯竭，开采收益能够支付生态成本。", *figures)


def _exhausted(site: Site, case: Case) -> tuple[bool | None, list[Figure]]:
    floor = case.number("life.exhausted_years")
    ore = recoverable_ore(site)
    if ore is not None and ore <= 0:
        return True, [figure("可采储量", ore, "万吨")]
    if floor is None:
        return None, []
    stated, computed = stated_life(site), computed_lives(site)
    sides = _sides([stated, *computed], floor)
    shown = [*_life_figures(site, stated, computed), limit(case.book, "life.exhausted_years")]
    if not sides:
        return None, shown
    return Verdict.FAIL in sides, shown
