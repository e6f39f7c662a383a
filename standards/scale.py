"""Test the minimum production scale of every 独立生产系统 (S-B01 to S-B09)."""

from collections.abc import Iterator
from decimal import Decimal

from standards.facts import MineFacts, SystemFacts
from standards.figures import convert, is_open_quarry, stated_scales, systems_of, yearly_scale
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
)
from standards.terms import MineState, Phase, Verdict

BOTH = (Scope.MINE, Scope.AREA)
ANY_SITE = (Phase.EXISTING, Phase.CONSOLIDATED, Phase.NEW)

# The rules of the seven named minerals, by the mineral's key.
NAMED = {
    "bauxite": "S-B01",
    "iron": "S-B02",
    "copper": "S-B03",
    "gold": "S-B04",
    "cement_limestone": "S-B05",
    "magnesium_dolomite": "S-B06",
    "quarry": "S-B07",
}
OTHER = "S-B08"


def governing_rule(site: Site) -> str:
    """Return the code of the one rule that sets the minimum for a site.

    The line for a named mineral goes before the line for 露天采石场.
    """
    mineral = site.mineral
    key = mineral.minimum_key if mineral is not None else None
    if key is not None and key != "quarry":
        return NAMED[key]
    if key is None and not site.is_quarry:
        return OTHER
    return OTHER if is_open_quarry(site) is False else NAMED["quarry"]


def floor_key(site: Site) -> str:
    """Return the key of the rulebook under which a site's least scale stands."""
    mineral = site.mineral
    if governing_rule(site) == OTHER and mineral is not None:
        return f"scale.min.other.{mineral.code}"
    key = mineral.minimum_key if mineral is not None else None
    return f"scale.min.{key or 'quarry'}"


def scale_outcomes(site: Site, case: Case) -> tuple[str, tuple[Outcome, ...]]:
    """Return the governing rule of a site and its outcomes, worked out once per site."""
    key = ("scale", id(site))
    if key not in case.memo:
        code = governing_rule(site)
        case.memo[key] = (code, tuple(_test(site, case, code)))
    found: tuple[str, tuple[Outcome, ...]] = case.memo[key]
    return found


def _test(site: Site, case: Case, code: str) -> Iterator[Outcome]:
    mineral = site.mineral
    if isinstance(site, MineFacts) and site.state is MineState.CLOSED:
        yield exempt("矿山已关闭，不再适用最低生产规模。")
        return
    if mineral is None:
        yield lacking("开采矿种")
        return
    if code == NAMED["quarry"] and is_open_quarry(site) is None:
        yield lacking("开采方式", figures=(figure("开采矿种", mineral.name),))
        return
    if code != OTHER and mineral.minimum_unclear and not site.is_quarry:
        yield judge(
            mineral.minimum_unclear,
            figure("开采矿种", mineral.name),
            fix="请由评审人员认定适用哪一条最低规模，并在台账里写明具体矿种或用途。",
        )
        return
    key = floor_key(site)
    if code == OTHER:
        entry = case.book.find(key)
        if entry is None or entry.usable is None:
            yield lacking(
                f"《山西省矿产资源总体规划》规定的{mineral.name}最低生产建设规模",
                figures=(figure("开采矿种", mineral.name),),
            )
            return
    floor = case.number(key)
    if floor is None:
        yield lacking(case.book.entry(key).title)
        return
    for number, system in enumerate(systems_of(site), start=1):
        yield _test_system(site, system, number, floor, limit(case.book, key))


def _test_system(
    site: Site, system: SystemFacts, number: int, floor: Decimal, floor_figure: Figure
) -> Outcome:
    listed = bool(site.systems)
    tonnes, figures, missing = _tonnes(site, system, listed)
    name = (system.name or f"系统{number}") if listed else ""
    shown = (*figures, floor_figure)
    outcome = _compare(site, name, tonnes, missing, floor, shown)
    if not listed:
        return outcome
    return Outcome(
        outcome.verdict,
        outcome.message,
        outcome.figures,
        outcome.would_pass,
        outcome.missing,
        number,
        name,
    )


def _tonnes(
    site: Site, system: SystemFacts, listed: bool
) -> tuple[list[Decimal], list[Figure], list[str]]:
    """Return the scales of one system in 万吨/年, how they came about, and what is missing."""
    given = list(stated_scales(site)) if len(site.systems) < 2 else []
    if listed:
        given[:0] = [
            (label, amount, system.unit)
            for label, amount in (("系统规模", system.scale), ("系统设计规模", system.design_scale))
            if amount is not None
        ]
    density = system.density or site.density
    tonnes: list[Decimal] = []
    figures: list[Figure] = []
    missing: list[str] = []
    for label, amount, unit in given:
        figures.append(figure(label, amount, unit.label if unit else ""))
        converted = convert(amount, unit, density)
        if converted is not None:
            tonnes.append(converted)
            if converted != amount:
                figures.append(figure("体重", density, "吨/立方米"))
                figures.append(figure(f"{label}折算", rounded(converted), "万吨/年"))
        elif unit is None:
            missing.append(f"{label}的单位")
        else:
            missing.append("体重（用于把万立方米折算为万吨）")
    if not given:
        missing.append("系统生产规模" if listed else "生产规模")
    if not listed:
        figures.append(figure("独立生产系统", "按单一系统计"))
    return tonnes, figures, list(dict.fromkeys(missing))


def _compare(
    site: Site,
    name: str,
    tonnes: list[Decimal],
    missing: list[str],
    floor: Decimal,
    shown: tuple[Figure, ...],
) -> Outcome:
    who = f"独立生产系统“{name}”" if name else "独立生产系统（按单一系统计）"
    standard = f"最低生产规模 {plain(floor)} 万吨/年"
    fix = f"把生产规模提高到每个独立生产系统不小于 {plain(floor)} 万吨/年。"
    if tonnes and max(tonnes) < floor:
        amounts = "、".join(dict.fromkeys(rounded(amount) for amount in tonnes))
        return failed(f"{who}规模 {amounts} 万吨/年，低于{standard}。", *shown, fix=fix)
    whole = yearly_scale(site) if name else None
    if tonnes and (min(tonnes) < floor or (whole is not None and whole < floor)):
        return judge(
            f"{who}的几个规模数据（或全矿规模）分处{standard}的两侧，不能同时采信。",
            *shown,
            fix="请核对初步设计或安全设施设计，确定以哪一个规模为准。",
        )
    if missing:
        # No system can be larger than the whole.
        if whole is not None and whole < floor:
            message = f"全矿规模 {rounded(whole)} 万吨/年，已低于单个系统的{standard}。"
            return failed(message, *shown, fix=fix)
        return lacking(*missing, figures=shown)
    return passed(f"{who}规模 {rounded(min(tonnes))} 万吨/年，达到{standard}。", *shown)


def _governed(site: Site, case: Case, code: str) -> Iterator[Outcome]:
    governing, outcomes = scale_outcomes(site, case)
    if governing == code:
        yield from outcomes


@rule("铝土矿最低生产规模", phases=ANY_SITE, scopes=BOTH)
def bauxite_scale(site: Site, case: Case) -> Iterator[Outcome]:
    """S-B01 四(二)2
    「停止审批新改扩建后独立生产系统生产规模小于30万吨／年铝土矿」

    Each system must reach the scale; a scale equal to the limit passes. In 万立方米 it is turned
    into tonnes with the density. For an existing mine, licence and design are both looked at, and
    a person decides when they fall on different sides.
    """
    return _governed(site, case, "S-B01")


@rule("铁矿最低生产规模", phases=ANY_SITE, scopes=BOTH)
def iron_scale(site: Site, case: Case) -> Iterator[Outcome]:
    """S-B02 四(二)2
    「停止审批新改扩建后独立生产系统生产规模小于30万吨／年铝土矿、30万吨／年铁矿」

    As S-B01, open pit and underground alike.
    """
    return _governed(site, case, "S-B02")


@rule("铜矿最低生产规模", phases=ANY_SITE, scopes=BOTH)
def copper_scale(site: Site, case: Case) -> Iterator[Outcome]:
    """S-B03 四(二)2
    「停止审批新改扩建后独立生产系统生产规模小于30万吨／年铝土矿、30万吨／年铁矿、
    30万吨／年铜矿」

    As S-B01.
    """
    return _governed(site, case, "S-B03")


@rule("金矿最低生产规模", phases=ANY_SITE, scopes=BOTH)
def gold_scale(site: Site, case: Case) -> Iterator[Outcome]:
    """S-B04 四(二)2
    「停止审批新改扩建后独立生产系统生产规模小于30万吨／年铝土矿、30万吨／年铁矿、
    30万吨／年铜矿、10万吨／年金矿」

    As S-B01, in tonnes of ore. Placer gold is not named, so a person decides.
    """
    return _governed(site, case, "S-B04")


@rule("水泥用灰岩最低生产规模", phases=ANY_SITE, scopes=BOTH)
def cement_limestone_scale(site: Site, case: Case) -> Iterator[Outcome]:
    """S-B05 四(二)2
    「停止审批新改扩建后独立生产系统生产规模小于30万吨／年铝土矿、30万吨／年铁矿、
    30万吨／年铜矿、10万吨／年金矿、30万吨／年水泥用灰岩矿」

    As S-B01, also for open pits: the named mineral goes before 露天采石场. A mine that sells
    aggregate too and stays below the limit of a quarry is put to a person.
    """
    quarry = case.number("scale.min.quarry")
    for outcome in _governed(site, case, "S-B05"):
        scale = yearly_scale(site)
        small = quarry is not None and scale is not None and scale < quarry
        if outcome.verdict is Verdict.PASS and site.sells_aggregate and small:
            yield judge(
                "水泥用灰岩规模达标，但矿山兼售建筑石料，规模低于露天采石场的标准。",
                *outcome.figures,
                limit(case.book, "scale.min.quarry"),
                fix="请认定该矿是否同时属于露天采石场；属于的，按露天采石场的标准执行。",
            )
        else:
            yield outcome


@rule("冶镁白云岩最低生产规模", phases=ANY_SITE, scopes=BOTH)
def magnesium_dolomite_scale(site: Site, case: Case) -> Iterator[Outcome]:
    """S-B06 四(二)2
    「停止审批新改扩建后独立生产系统生产规模小于30万吨／年铝土矿、30万吨／年铁矿、
    30万吨／年铜矿、10万吨／年金矿、30万吨／年水泥用灰岩矿、10万吨／年冶镁白云岩矿」

    As S-B01. Dolomite whose use is not stated is put to a person.
    """
    return _governed(site, case, "S-B06")


@rule("露天采石场最低生产规模", phases=ANY_SITE, scopes=BOTH)
def quarry_scale(site: Site, case: Case) -> Iterator[Outcome]:
    """S-B07 四(二)2
    「停止审批新改扩建后独立生产系统生产规模小于30万吨／年铝土矿、30万吨／年铁矿、
    30万吨／年铜矿、10万吨／年金矿、30万吨／年水泥用灰岩矿、10万吨／年冶镁白云岩矿、
    50万吨／年露天采石场。」

    As S-B01, for building stone dug in the open. The Work Plan does not define 露天采石场: for
    dimension stone, limestone for lime or flux, and quartzite a person decides.
    """
    return _governed(site, case, "S-B07")


@rule("其他矿种最低生产规模", phases=ANY_SITE, scopes=BOTH)
def other_scale(site: Site, case: Case) -> Iterator[Outcome]:
    """S-B08 四(二)2
    「其他矿种最低生产建设规模按照《山西省矿产资源总体规划》执行。」

    As S-B01, with the provincial minimum of the mineral from the rulebook; NODATA until it has
    been entered there with its source.
    """
    return _governed(site, case, "S-B08")


@rule("独立生产系统登记", phases=ANY_SITE, scopes=BOTH)
def system_register(site: Site, case: Case) -> Iterator[Outcome]:
    """S-B09 四(二)2
    「停止审批新改扩建后独立生产系统生产规模小于」

    The scale is tested per system, so each system must be listed. Where none is, the site counts
    as one system and the list is asked for.
    """
    del case
    if isinstance(site, MineFacts) and site.state is MineState.CLOSED:
        return
    if not site.systems:
        yield lacking("独立生产系统清单（暂按单一系统计）")
        return
    names = "、".join(
        system.name or f"系统{number}" for number, system in enumerate(site.systems, 1)
    )
    yield passed(
        f"已登记 {len(site.systems)} 个独立生产系统，逐个检查规模。", figure("独立生产系统", names)
    )
