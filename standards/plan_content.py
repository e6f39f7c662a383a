"""Test that a plan holds the parts it must have, and that the rules are confirmed (S-G, S-H).

No number decides these: the formal reviewer ticks each part as present, weak or absent.
"""

from collections.abc import Iterator

from standards.facts import MineFacts, PlanFacts
from standards.rules import (
    Case,
    Outcome,
    Scope,
    exempt,
    failed,
    figure,
    judge,
    lacking,
    passed,
    rule,
)
from standards.terms import Disposition, OpinionOutcome, Phase, Presence

PHASES = (Phase.CONSOLIDATED,)
PLAN = (Scope.PLAN,)


@rule("按最新文件执行", phases=PHASES, scopes=PLAN)
def newest_documents(plan: PlanFacts, case: Case) -> Iterator[Outcome]:
    """S-G01 四(二)6
    「未尽事宜按照国家、省最新文件规定办理。」

    Tells how many entries of the rulebook in force are without a confirmed source; while there
    are any, a person keeps watch. Rules that need such an entry answer NODATA or REVIEW.
    """
    del plan
    entries = case.book.entries()
    open_entries = [entry for entry in entries if entry.usable is None]
    shown = (
        figure("规则簿有效条目", len(entries), "条"),
        figure("数值或出处待确认", len(open_entries), "条"),
    )
    if open_entries:
        yield judge(
            f"规则簿还有 {len(open_entries)} 条数值或出处待确认，相关规则暂不作判定。",
            *shown,
            fix="请核对国家、省最新文件，补录数值和出处并经第二人批准。",
        )
    else:
        yield passed("规则簿各条目都有确认的数值和出处。", *shown)


@rule("采矿权人意见", phases=(Phase.EXISTING,), scopes=(Scope.MINE,))
def holder_heard(mine: MineFacts, case: Case) -> Iterator[Outcome]:
    """S-G02 六(三)
    「要兼顾各方合法权益」

    Shows the holder's opinion for a mine that closes, leaves or merges. Nothing passes or fails:
    agreement is for information, a refusal is put to a person, no opinion is NODATA.
    """
    changed = {Disposition.CLOSE, Disposition.EXIT, Disposition.MERGE} & set(mine.dispositions)
    if case.plan is None or not changed:
        return
    opinion = mine.holder_opinion
    shown = (
        figure("采矿权人意见", opinion.label if opinion else None),
        figure("协商记录", mine.consultation_record or None),
    )
    if opinion is None:
        yield lacking("采矿权人意见", figures=shown)
    elif opinion is OpinionOutcome.AGREED:
        yield exempt("采矿权人同意；仅供了解，不作判定。", *shown)
    else:
        yield judge(
            f"采矿权人{opinion.label}。", *shown, fix="请协商并记录处理意见，依法保护各方权益。"
        )


def part(plan: PlanFacts, code: str, wanted: str) -> Iterator[Outcome]:
    """Judge by the reviewer's tick whether a plan holds a part."""
    ticks = [content for content in plan.contents if content.item == code]
    presence = ticks[-1].presence if ticks else None
    note = ticks[-1].note if ticks else ""
    shown = (figure("审查结论", presence.label if presence else None), figure("说明", note or None))
    fix = f"在方案中补充{wanted}。"
    if presence is None:
        yield lacking(f"形式审查结论（{wanted}）", figures=shown)
    elif presence is Presence.PRESENT:
        yield passed(f"方案有{wanted}。", *shown)
    elif presence is Presence.WEAK:
        yield judge(f"方案的{wanted}不充分。", *shown, fix=fix)
    else:
        yield failed(f"方案没有{wanted}。", *shown, fix=fix)


@rule("分步实施安排", phases=PHASES, scopes=PLAN)
def schedule(plan: PlanFacts, case: Case) -> Iterator[Outcome]:
    """S-H01 三(二)
    「按照方案有计划、分步骤开展整合工作」

    Steps and dates per mine; they feed the task list.
    """
    del case
    return part(plan, "S-H01", "逐矿的实施步骤和时间安排")


@rule("现状、市场、生态、安全四方面", phases=PHASES, scopes=PLAN)
def four_considerations(plan: PlanFacts, case: Case) -> Iterator[Outcome]:
    """S-H02 三(二)
    「综合考虑开采现状、市场需求、生态环境、安全生产等因素」

    Four chapters: present state, market demand, ecology, safety.
    """
    del case
    return part(plan, "S-H02", "开采现状、市场需求、生态环境、安全生产四个方面的分析")


@rule("编制依据和规划符合性", phases=PHASES, scopes=PLAN)
def basis(plan: PlanFacts, case: Case) -> Iterator[Outcome]:
    """S-H03 三(二)
    「根据矿产资源规划及相关产业政策，科学编制整治整合实施方案」

    Basis of the plan and its conformity with the three levels of mineral planning.
    """
    del case
    return part(plan, "S-H03", "编制依据和与省、市、县级矿产资源总体规划的符合性说明")


@rule("分区域、分矿种安排", phases=PHASES, scopes=PLAN)
def by_area_and_mineral(plan: PlanFacts, case: Case) -> Iterator[Outcome]:
    """S-H04 三(三)
    「统筹非煤资源禀赋，分区域、分矿种开展非煤矿山整合试点工作」

    A breakdown by area and by mineral, and the pilots.
    """
    del case
    return part(plan, "S-H04", "分区域、分矿种的安排和试点清单")


@rule("历史遗留问题清单", phases=PHASES, scopes=PLAN)
def legacy(plan: PlanFacts, case: Case) -> Iterator[Outcome]:
    """S-H05 二(一)
    「积极化解非煤矿山历史遗留问题，有效激活存量资源」

    A list of legacy problems with who answers for each and the way out.
    """
    del case
    return part(plan, "S-H05", "历史遗留问题清单、责任单位和解决办法")


@rule("产业链和供应保障", phases=PHASES, scopes=PLAN)
def supply(plan: PlanFacts, case: Case) -> Iterator[Outcome]:
    """S-H06 二(三)
    「延伸产业链条，增强企业核心竞争力，持续稳定扩大我市初级矿产品的供应」

    A supply forecast, and processing or an industrial park.
    """
    del case
    return part(plan, "S-H06", "供应预测和加工、产业园区安排")


@rule("企业联合重组和集中度", phases=PHASES, scopes=PLAN)
def concentration(plan: PlanFacts, case: Case) -> Iterator[Outcome]:
    """S-H07 三(五)
    「鼓励上下游企业联合重组，推动产业结构调整和升级，提高产业集中度」

    Merger intentions, and concentration before and after.
    """
    del case
    return part(plan, "S-H07", "联合重组意向和整合前后的产业集中度")


@rule("新增资源的论证", phases=PHASES, scopes=PLAN)
def extra_grounds(plan: PlanFacts, case: Case) -> Iterator[Outcome]:
    """S-H08 三(六)
    「根据开采条件、经济合理性和矿体总体开发的要求，纳入资源整合范围」

    Grounds for each piece of added resource.
    """
    del case
    return part(plan, "S-H08", "每块新增资源的开采条件、经济合理性论证")


@rule("整合区的地质和开采论证", phases=PHASES, scopes=PLAN)
def geology(plan: PlanFacts, case: Case) -> Iterator[Outcome]:
    """S-H09 三(七)
    「根据地质条件、开采方案及其他利于开发的必要因素开展整合」

    Geological and mining grounds for each merged area.
    """
    del case
    return part(plan, "S-H09", "每个整合区的地质条件和开采方案论证")


@rule("权益保障和社会稳定", phases=PHASES, scopes=PLAN)
def rights_and_stability(plan: PlanFacts, case: Case) -> Iterator[Outcome]:
    """S-H10 三(八)
    「依法保护采矿权人权益，保障矿产资源国家所有权益，积极稳妥推进，维护社会稳定」

    Compensation, state proceeds, and an assessment of risks to stability.
    """
    del case
    return part(plan, "S-H10", "补偿安排、出让收益和社会稳定风险评估")


@rule("绿色和智能化目标", phases=PHASES, scopes=PLAN)
def green_and_smart(plan: PlanFacts, case: Case) -> Iterator[Outcome]:
    """S-H11 四(二)1
    「实现关小改中建大，规模化、集约化、绿色化、智能化发展」

    Targets for green and intelligent mining per mine.
    """
    del case
    return part(plan, "S-H11", "逐矿的绿色矿山和智能化建设目标")


@rule("分工和整合协议", phases=PHASES, scopes=PLAN)
def division(plan: PlanFacts, case: Case) -> Iterator[Outcome]:
    """S-H12 三(一)
    「非煤资源整合坚持政府引导、部门联动、企业配合和市场运作相结合」

    Division of labour, and agreements between enterprises.
    """
    del case
    return part(plan, "S-H12", "部门分工和企业整合协议")


@rule("保供矿山", phases=PHASES, scopes=PLAN)
def supply_mines(plan: PlanFacts, case: Case) -> Iterator[Outcome]:
    """S-H13 二(二)
    「在提高重点矿山保障民生需求能力的基础上，有效减少砂石土类矿山数量」

    The mines named to guarantee supply.
    """
    del case
    return part(plan, "S-H13", "保障民生需求的重点矿山名单")
