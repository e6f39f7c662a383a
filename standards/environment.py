"""Test environment, reclamation and their plans (S-F01 to S-F04)."""

from collections.abc import Iterator
from datetime import date, timedelta

from standards.facts import MineFacts
from standards.rules import (
    Case,
    Outcome,
    Scope,
    exempt,
    failed,
    figure,
    judge,
    lacking,
    limit,
    passed,
    rule,
)
from standards.scope import months_before
from standards.terms import AcceptanceConclusion, Disposition, MineState, Phase

EXISTING = (Phase.EXISTING,)
MINE = (Scope.MINE,)
# Mines that change hands or end must be accepted before they do.
MUST_BE_ACCEPTED = frozenset({Disposition.CLOSE, Disposition.EXIT, Disposition.MERGE})


@rule("环境保护与土地复垦验收", phases=EXISTING, scopes=MINE)
def accepted_by_county(mine: MineFacts, case: Case) -> Iterator[Outcome]:
    """S-F01 四(二)5
    「非煤矿山需全部履行矿山环境保护与土地复垦及监测义务,并经所在县级主管部门验收通过。」

    Accepted within the last cycle passes. Without a record, mines that close, leave or merge fail
    and others are NODATA. 限期整改 and an old acceptance are put to a person.
    """
    record = mine.acceptance
    conclusion = record.conclusion if record else None
    accepted_on = record.accepted_on if record else None
    shown = (
        figure("验收结论", conclusion.label if conclusion else None),
        figure("验收日期", accepted_on.isoformat() if accepted_on else None),
        figure("验收文件", record.document or None if record else None),
    )
    fix = "履行环境保护、土地复垦和监测义务，经县级主管部门验收通过。"
    months = case.book.whole("acceptance.months")
    if conclusion is AcceptanceConclusion.FAILED:
        yield failed("县级验收没有通过。", *shown, fix=fix)
    elif conclusion is None and MUST_BE_ACCEPTED & set(mine.dispositions):
        yield failed("没有县级验收结论，不能关闭、退出或整合。", *shown, fix=fix)
    elif conclusion is None:
        yield lacking("县级验收结论", figures=shown)
    elif conclusion is AcceptanceConclusion.RECTIFY:
        yield judge("验收结论为限期整改。", *shown, fix="整改后重新验收。")
    elif accepted_on is None or months is None:
        yield judge("验收通过，但没有填写日期。", *shown, fix="填写验收日期。")
    elif accepted_on < months_before(case.book.on, months):
        yield judge(
            f"验收已超过 {months} 个月。",
            *shown,
            limit(case.book, "acceptance.months"),
            fix="请核实年度义务履行情况，必要时重新验收。",
        )
    else:
        yield passed("县级主管部门验收通过。", *shown)


@rule("开发治理方案审查备案", phases=EXISTING, scopes=MINE)
def treatment_plan_filed(mine: MineFacts, case: Case) -> Iterator[Outcome]:
    """S-F02 四(二)5
    「整治整合完成后,要在规定时间内完成《矿山开发治理方案》的审查备案工作」

    The Work Plan gives no number of days: the due day is written per mine or follows from the
    rulebook; without either the rule is NODATA.
    """
    done, filed = mine.consolidation_done_on, mine.treatment_plan_filed_on
    if done is None and filed is None and mine.treatment_plan_due_on is None:
        yield exempt("整治整合尚未完成，暂不要求备案。")
        return
    due = _filing_due(mine, case)
    shown = (
        figure("整治整合完成日期", done.isoformat() if done else None),
        figure("备案期限", due.isoformat() if due else None),
        figure("备案日期", filed.isoformat() if filed else None),
        figure("备案号", mine.treatment_plan_filing_no or None),
    )
    fix = "在规定时间内完成《矿山开发治理方案》审查备案。"
    if due is None:
        yield lacking("《矿山开发治理方案》备案期限", figures=shown)
    elif filed is not None and filed <= due:
        yield passed("已按期完成审查备案。", *shown)
    elif filed is not None:
        yield failed("备案日期晚于规定期限。", *shown, fix=fix)
    elif case.book.on > due:
        yield failed("超过期限仍没有完成审查备案。", *shown, fix=fix)
    else:
        yield judge("备案期限未到，尚未备案。", *shown, fix=fix)


def _filing_due(mine: MineFacts, case: Case) -> date | None:
    if mine.treatment_plan_due_on is not None:
        return mine.treatment_plan_due_on
    days = case.book.whole("treatment_plan.days")
    if days is None or mine.consolidation_done_on is None:
        return None
    return mine.consolidation_done_on + timedelta(days=days)


@rule("年度计划和监督", phases=EXISTING, scopes=MINE)
def yearly_supervision(mine: MineFacts, case: Case) -> Iterator[Outcome]:
    """S-F03 四(二)5
    「由所在县级主管部门严格按照《矿山开发治理方案》及年度计划监督非煤矿山全部履行
    矿山环境保护与土地复垦义务」

    For the last full year there must be one yearly plan and one check by the county; a missing
    one fails from the first day of the next year.
    """
    year = case.book.on.year - 1
    started = mine.treatment_plan_filed_on or mine.licence_valid_from
    if mine.state is MineState.CLOSED:
        return
    if started is not None and started.year > year:
        yield exempt(f"{year} 年尚无年度计划要求。")
        return
    plans, checks = mine.annual_plan_years, mine.annual_check_years
    shown = (
        figure("年度计划", _years(plans)),
        figure("县级监督检查", _years(checks)),
    )
    absent = [
        name
        for name, years in (("年度计划", plans), ("县级监督检查记录", checks))
        if years is not None and year not in years
    ]
    unknown = [
        name for name, years in (("年度计划", plans), ("县级监督检查记录", checks)) if years is None
    ]
    if absent:
        names = "、".join(absent)
        yield failed(f"{year} 年没有{names}。", *shown, fix=f"补齐 {year} 年的{names}。")
    elif unknown:
        yield lacking(*(f"{year} 年{name}" for name in unknown), figures=shown)
    else:
        yield passed(f"{year} 年有年度计划和监督检查。", *shown)


def _years(years: tuple[int, ...] | None) -> str | None:
    if years is None:
        return None
    return "、".join(str(year) for year in sorted(years)) or "没有"


@rule("环境治理恢复基金", phases=EXISTING, scopes=MINE)
def restoration_fund(mine: MineFacts, case: Case) -> Iterator[Outcome]:
    """S-F04 四(二)5
    「非煤矿山需全部履行矿山环境保护与土地复垦及监测义务」

    Information only: shows the fund where it is known. The Work Plan says nothing of money.
    """
    del case
    balance, drawn = mine.fund_balance_wan_yuan, mine.fund_drawn_wan_yuan
    if balance is not None or drawn is not None:
        yield exempt(
            "仅供了解，不作判定。",
            figure("基金余额", balance, "万元"),
            figure("已提取使用", drawn, "万元"),
        )
