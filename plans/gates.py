"""Say what is still missing before a step; every sentence names it and what to do next."""

from datetime import date

from plans.compliance import REASONS_SHOWN, refuse_outdated, what_blocks_submission
from plans.formal_review import summary, what_is, what_is_open
from plans.models import (
    CountyPlan,
    FormalReview,
    OfficialDocument,
    Opinion,
    Panel,
    PlanVersion,
)
from plans.workflow import Step
from shuozhou_mines.errors import Incomplete
from standards.terms import Presence
from taskforce.models import Organization, OrganizationKind

NAMES_SHOWN = 9
# The steps that have to wait until every comment has been answered.
AFTER_ANSWERS = (
    "hand_over", "submit", "accept", "invite", "hand_in_revision", "confirm_revision",
)  # fmt: skip
SENT_BACK = ("return", "reject", "city_return")


def check_gate(plan: CountyPlan, version: PlanVersion, step: Step, *, on: date, note: str) -> None:
    """Raise Incomplete (Outdated for old findings) when the step has to wait for something."""
    if step.code in AFTER_ANSWERS:
        _comments_answered(plan)
    if step.code in ("hand_over", "submit"):
        _ready_for_submission(version, on=on)
        _answers_a_return(plan, version)
    elif step.code == "hand_in_revision":
        _ready_for_submission(version, on=on)
        _revised(plan, version)
    elif step.code == "accept":
        _formally_in_order(version)
    elif step.code == "invite":
        _co_signed(version, note)
    elif step.code == "reply":
        _filed(plan)
    elif step.code == "close":
        _carried_out(plan)


def note_with_findings(version: PlanVersion, step: Step, note: str) -> str:
    """Return the note of a return, with what the check-list and the units found wanting."""
    if step.code != "return":
        return note
    parts = [note, summary(_review_of(version)), _objections_of_units(version)]
    return "\n".join(part for part in parts if part)


def unanswered_units(version: PlanVersion) -> list[Organization]:
    """Return the member units that have neither answered nor been passed over."""
    units = Organization.objects.filter(kind=OrganizationKind.MEMBER_UNIT)
    return list(
        units.exclude(opinion__version=version).exclude(passedover__version=version).distinct()
    )


def _ready_for_submission(version: PlanVersion, *, on: date) -> None:
    refuse_outdated(version, on=on)
    reasons = what_blocks_submission(version)
    if reasons:
        raise Incomplete("还不能报送：" + "；".join(reasons) + "。")


def _comments_answered(plan: CountyPlan) -> None:
    waiting = list(plan.comments.unanswered().order_by("pk")[:REASONS_SHOWN])
    if waiting:
        more = plan.comments.unanswered().count()
        names = "；".join(f"{row.subject_name}：{row.text[:40]}" for row in waiting)
        raise Incomplete(f"还有 {more} 条意见没有答复（{names}）。请先答复或撤回，再办理这一步。")


def _answers_a_return(plan: CountyPlan, version: PlanVersion) -> None:
    """Refuse a plan that comes back as it went; a step back inside the county asks for nothing."""
    returned = plan.steps.filter(step__in=SENT_BACK).order_by("-pk").first()
    if returned is not None and returned.version_id == version.pk:
        raise Incomplete("方案被退回后还没有上传新版本。请按退回意见修改后重新上传，再报送。")


def _revised(plan: CountyPlan, version: PlanVersion) -> None:
    asked = plan.steps.filter(step__in=("pass_if_changed", "revise_again")).order_by("-pk").first()
    if asked is not None and asked.version_id == version.pk:
        raise Incomplete("评审后还没有上传修改后的版本。请按修改意见修改方案并上传，再送复核。")
    panel = _panel_of(plan)
    open_items = panel.revisions.filter(answer="").count() if panel else 0
    if open_items:
        raise Incomplete(
            f"修改说明对照表还有 {open_items} 条没有填写修改情况，请逐条填写后再送复核。"
        )


def _panel_of(plan: CountyPlan) -> Panel | None:
    return Panel.objects.filter(version__plan=plan).exclude(verdict="").first()


def _formally_in_order(version: PlanVersion) -> None:
    review = _review_of(version)
    missing = what_is_open(review)
    if review is None or missing:
        raise Incomplete(
            f"形式审查还有 {len(missing)} 项没有结论：{'、'.join(missing)}。请逐项填写后再受理。"
        )
    absent = what_is(review, Presence.ABSENT)
    if absent:
        raise Incomplete(f"形式审查有“无”的项目：{'；'.join(absent)}。请退回补正，不能受理。")


def _review_of(version: PlanVersion) -> FormalReview | None:
    return FormalReview.objects.filter(version=version).first()


def _co_signed(version: PlanVersion, note: str) -> None:
    waiting = unanswered_units(version)
    if waiting:
        names = "、".join(unit.short_name for unit in waiting[:NAMES_SHOWN])
        raise Incomplete(
            f"还有 {len(waiting)} 个成员单位没有会签：{names}。"
            "请催办；逾期未答复的，由市领导批示后才能继续。"
        )
    against = _against(version)
    if against and not note:
        raise Incomplete(
            f"{'、'.join(against)}不同意。请退回补正，或在意见里写明怎样处理后再转专家评审。"
        )


def _against(version: PlanVersion) -> list[str]:
    answers = version.opinions.filter(stance=Opinion.Stance.DISAGREE).select_related("unit")
    return [answer.unit.short_name for answer in answers]


def _objections_of_units(version: PlanVersion) -> str:
    answers = version.opinions.exclude(stance=Opinion.Stance.AGREE).select_related("unit")
    said = [
        f"{row.unit.short_name}{row.get_stance_display()}：{_clause(row.text)}" for row in answers
    ]
    return "会签意见：" + "；".join(said) + "。" if said else ""


def _clause(words: str) -> str:
    """Return words without their last full stop, to stand inside a sentence."""
    return words.strip().rstrip("。")


def _filed(plan: CountyPlan) -> None:
    if not plan.documents.filter(kind=OfficialDocument.Kind.FILING).exists():
        raise Incomplete("还没有登记省级报批的文号和日期。请先登记报批文件，再登记批复。")


def _carried_out(plan: CountyPlan) -> None:
    waiting = plan.tasks.filter(done_on=None).select_related("mine")
    names = [task.mine.name for task in waiting[:5]]
    if names:
        more = waiting.count()
        raise Incomplete(
            f"还有 {more} 座矿山的任务没有完成：{'、'.join(names)}"
            f"{'等' if more > len(names) else ''}。任务全部完成并验收后才能办结。"
        )
