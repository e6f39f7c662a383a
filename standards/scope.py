"""Test which mines a plan covers and into which batch it puts them (S-A01 to S-A05)."""

from collections import Counter
from collections.abc import Iterator
from datetime import date

from standards.facts import AreaFacts, MineFacts, PlanFacts, RightFacts
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
    rule,
)
from standards.scale import BOTH
from standards.service_life import standing
from standards.terms import Disposition, MineState, Phase, Verdict


@rule("全部非煤矿山纳入方案", phases=(Phase.EXISTING,), scopes=(Scope.PLAN,))
def covers_all_mines(plan: PlanFacts, case: Case) -> Iterator[Outcome]:
    """S-A01 四(一)
    「整治整合范围为全市所有非煤矿山。」

    Every registered non-coal right must stand in exactly one county plan; a missing one and one
    that stands twice fail, each under its own name. Whether geothermal and mineral water count as
    非煤矿山 is not said, so a person decides.
    """
    del case
    if plan.registered is None:
        yield lacking("本县登记在册的矿山清单")
        return
    rows = Counter(mine.key for mine in plan.mines)
    elsewhere = frozenset(plan.keys_in_other_plans)
    missing = 0
    for right in plan.registered:
        outcome = _coverage(right, rows[right.key], right.key in elsewhere)
        if outcome is not None:
            missing += outcome.verdict is Verdict.FAIL
            yield _named(outcome, right.key, right.name)
    known = {right.key for right in plan.registered}
    for mine in plan.mines:
        if mine.key not in known:
            outcome = judge(
                f"方案所列“{mine.name}”不在登记台账中。",
                figure("采矿许可证号", mine.licence_no),
                fix="请核对许可证号；台账遗漏的，先补登台账。",
            )
            yield _named(outcome, mine.key, mine.name)
    shown = (figure("登记矿山", len(plan.registered), "座"), figure("遗漏或重复", missing, "座"))
    if missing:
        yield failed(
            f"方案遗漏或重复列入 {missing} 座登记在册的非煤矿山。",
            *shown,
            fix="把每座登记在册的非煤矿山列入且只列入一个县级方案。",
        )
    else:
        yield passed("登记在册的非煤矿山全部列入方案。", *shown)


def _coverage(right: RightFacts, rows: int, elsewhere: bool) -> Outcome | None:
    shown = figure("采矿许可证号", right.licence_no)
    fix = "把该矿山列入且只列入一个县级方案，并确定处置方式。"
    if right.mineral is not None and right.mineral.is_coal:
        return exempt("煤矿不在整治整合范围内。", shown)
    if rows + elsewhere > 1:
        return failed("同一矿山被重复列入方案。", shown, fix=fix)
    if rows + elsewhere == 1:
        return None
    if right.mineral is not None and right.mineral.is_scope_unclear:
        return judge(
            f"{right.mineral.name}是否属于非煤矿山，工作方案没有写明；该矿未列入方案。",
            shown,
            fix="请认定该矿是否纳入整治整合范围。",
        )
    return failed(f"遗漏矿山：“{right.name}”没有列入方案。", shown, fix=fix)


def _named(outcome: Outcome, key: str, name: str) -> Outcome:
    return Outcome(
        outcome.verdict,
        outcome.message,
        outcome.figures,
        outcome.would_pass,
        outcome.missing,
        key=key,
        name=name,
    )


@rule("砂石土矿山为重点对象", phases=(Phase.EXISTING, Phase.CONSOLIDATED), scopes=BOTH)
def sand_stone_first(site: Site, case: Case) -> Iterator[Outcome]:
    """S-A02 四(一)
    「砂石土矿山为重点整治整合对象。」
    四(二)3
    「砂石土矿山列入重点整合对象」

    Marks a sand, stone or soil mine as a priority. One that is kept as it stands needs an
    explanation; nothing fails.
    """
    del case
    if site.mineral is None:
        yield lacking("开采矿种")
        return
    if not site.mineral.is_ordinary_sand_stone:
        return
    shown = figure("开采矿种", site.mineral.name)
    if isinstance(site, AreaFacts) or Disposition.KEEP not in site.dispositions:
        yield passed("属砂石土矿山，列为重点整治整合对象。", shown)
    elif site.keep_explanation:
        yield passed("属砂石土重点对象，保留现状，已有说明。", shown)
    else:
        yield judge(
            "属砂石土重点对象，方案拟保留现状，但没有说明。",
            shown,
            fix="请在方案中说明该砂石土矿山保留现状的理由。",
        )


@rule("每座矿山一种处置方式", phases=(Phase.EXISTING,), scopes=(Scope.MINE,))
def one_disposition(mine: MineFacts, case: Case) -> Iterator[Outcome]:
    """S-A03 二
    「统筹推进“关闭取缔一批、引导退出一批、整合重组一批、升级改造一批”」

    Each mine has one disposition and a reason; none or two fail. A mine that already meets
    everything may be kept. A disposition that the facts contradict is put to a person.
    """
    if case.plan is None and not mine.dispositions:
        return
    labels = "、".join(disposition.label for disposition in mine.dispositions)
    shown = (figure("处置方式", labels or None), figure("理由", mine.disposition_reason or None))
    chosen = set(mine.dispositions)
    if len(chosen) != 1:
        wrong = "没有确定处置方式" if not chosen else f"同时列了 {len(chosen)} 种处置方式"
        fix = "从关闭取缔、引导退出、整合重组、升级改造中选定一种；已全面达标的选保留。"
        yield failed(f"该矿{wrong}。", *shown, fix=fix)
        return
    if not mine.disposition_reason.strip():
        yield failed("处置方式没有写明理由。", *shown, fix="写明选择该处置方式的理由。")
        return
    conflict = _contradiction(mine, chosen.pop(), case)
    if conflict:
        yield judge(conflict, *shown, fix="请核对处置方式与矿山现状；确需如此的，写明依据。")
    else:
        yield passed(f"处置方式为{labels}，有理由。", *shown)


def _contradiction(mine: MineFacts, disposition: Disposition, case: Case) -> str:
    stays = disposition in (Disposition.UPGRADE, Disposition.KEEP)
    if stays and (mine.is_licensed is False or mine.licence_no == ""):
        return f"该矿没有采矿许可证，却列入{disposition.label}。"
    if stays and mine.state is MineState.CLOSED:
        return f"该矿已经关闭，却列入{disposition.label}。"
    if disposition is Disposition.KEEP and standing(mine, case) is Verdict.FAIL:
        return "该矿达不到最低规模或服务年限，却列入保留。"
    if disposition is Disposition.MERGE and case.plan and case.area_of(mine.key) is None:
        return "该矿列入整合重组，但没有归入任何整合区。"
    if disposition is not Disposition.MERGE and case.area_of(mine.key) is not None:
        return f"该矿归入了整合区，处置方式却是{disposition.label}。"
    return ""


@rule("僵尸企业退出", phases=(Phase.EXISTING,), scopes=(Scope.MINE,))
def dormant(mine: MineFacts, case: Case) -> Iterator[Outcome]:
    """S-A04 二(一)
    「推动“僵尸企业”退出」

    The Work Plan does not define the word: a mine idle for longer than the set number of months
    is suspected, and a person decides.
    """
    months = case.book.whole("dormant.months")
    if mine.state is MineState.CLOSED:
        return
    if months is None:
        yield lacking(case.book.entry("dormant.months").title)
        return
    since = max(filter(None, (mine.suspended_since, mine.last_production_on)), default=None)
    shown = (*_activity(mine), limit(case.book, "dormant.months"))
    if since is not None and months_before(case.book.on, months) > since:
        yield judge(
            f"疑似僵尸企业：自 {since.isoformat()} 起停产已超过 {months} 个月。",
            *shown,
            fix="请核实停产原因；长期停工停产的，引导退出。",
        )
    elif since is not None:
        yield passed(f"停产未超过 {months} 个月。", *shown)
    elif mine.state is MineState.PRODUCING:
        yield passed("矿山正在生产。", *shown)
    elif mine.state in (MineState.CONSTRUCTION, MineState.PREPARING):
        yield exempt("矿山在基建或筹建期，尚未投产。", *shown)
    else:
        yield lacking("最近生产日期或停产起始日期", figures=shown)


def _activity(mine: MineFacts) -> list[Figure]:
    days = (
        ("最近生产日期", mine.last_production_on),
        ("停产起始日期", mine.suspended_since),
        ("采矿许可证有效期止", mine.licence_valid_to),
    )
    shown = [figure(label, day.isoformat()) for label, day in days if day is not None]
    if mine.state is not None:
        shown.insert(0, figure("生产状态", mine.state.label))
    return shown


def months_before(day: date, months: int) -> date:
    """Return the day so many months earlier, the month's last day where it has no such day."""
    years, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    for last in range(day.day, 27, -1):
        try:
            return date(years, month + 1, last)
        except ValueError:
            continue
    return date(years, month + 1, min(day.day, 28))


@rule("完成省定任务", phases=(Phase.CONSOLIDATED,), scopes=(Scope.PLAN,))
def provincial_tasks(plan: PlanFacts, case: Case) -> Iterator[Outcome]:
    """S-A05 二
    「确保完成省人民政府制定的任务」

    For each batch with a target, the plan must hold at least as many mines.
    """
    del case
    if not plan.targets:
        yield lacking("省定任务数")
        return
    planned = Counter(disposition for mine in plan.mines for disposition in set(mine.dispositions))
    shown: list[Figure] = []
    short: list[str] = []
    for target in plan.targets:
        label = target.disposition.label
        number = planned[target.disposition]
        shown.append(figure(f"{label}：任务", target.number, "座", target.source or None))
        shown.append(figure(f"{label}：方案", number, "座"))
        if number < target.number:
            short.append(f"{label}少 {target.number - number} 座")
    if short:
        message = f"方案少于省定任务：{'，'.join(short)}。"
        yield failed(message, *shown, fix="按省定任务数补足各批次的矿山。")
    else:
        yield passed("各批次矿山数不少于省定任务。", *shown)
