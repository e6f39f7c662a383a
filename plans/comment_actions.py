"""Comment on one thing in a plan, and answer; unanswered comments hold the next step."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from plans import permissions
from plans.actions import lock_plan
from plans.models import Attachment, Comment, CountyPlan, Finding, PlanVersion
from plans.workflow import REVIEW_AS_EXPERT
from shuozhou_mines.errors import Incomplete, NotAllowed, WrongState
from taskforce import permissions as rights
from taskforce.trail import record

COMMENTING = ("draft_plan", "confirm_plan", "review_plan", "give_opinion")
COUNTY = ("draft_plan", "confirm_plan")
WHO_COMMENTS = "只有编制、审核、会签、评审这个方案的人可以提意见。"
WHO_ANSWERS = "这条意见由县（市、区）答复；县里自己提的，由同县其他人或专班办公室答复。"


@dataclass(frozen=True, slots=True)
class Target:
    """Name what a comment is about, as its row keeps it."""

    on: str
    name: str
    columns: dict[str, Any]


def may_comment(user: Any, plan: CountyPlan) -> bool:
    """Tell whether this user has a hand in the plan: by the county, or on its panel of experts."""
    return any(rights.can(user, right, plan.county_id) for right in COMMENTING) or (
        permissions.has_right(user, REVIEW_AS_EXPERT, plan)
    )


def may_answer(user: Any, comment: Comment) -> bool:
    """Tell whether the answer is this user's to give."""
    county = comment.plan.county_id
    from_there = any(rights.can(user, right, county) for right in COUNTY)
    if not comment.from_county:
        return from_there
    return comment.by_id != user.pk and (from_there or rights.can(user, "review_plan", county))


def target_of(plan: CountyPlan, words: str) -> Target | None:
    """Read what is meant: mine:number, area:code, finding:id or attachment:id:page."""
    kind, _, key = words.partition(":")
    version = plan.versions.filter(state=PlanVersion.State.READ).first()
    if kind == Comment.On.MINE:
        row = plan.county.mines.filter(registry_no=key).first()
        return Target(kind, row.name, {"mine": row}) if row else None
    if kind == Comment.On.AREA and version is not None:
        area = version.areas.filter(code=key).first()
        return Target(kind, f"{area.code} {area.name}", {"area_code": area.code}) if area else None
    if kind == Comment.On.FINDING and key.isdecimal():
        return _finding(plan, int(key))
    if kind == Comment.On.ATTACHMENT:
        return _page(plan, key)
    return None


def _finding(plan: CountyPlan, key: int) -> Target | None:
    found = Finding.objects.filter(pk=key, run__version__plan=plan).first()
    if found is None:
        return None
    columns = {"finding_rule": found.rule, "finding_subject": found.subject_key[:60]}
    return Target(Comment.On.FINDING, f"{found.rule} {found.subject_name}", columns)


def _page(plan: CountyPlan, key: str) -> Target | None:
    number, _, page = key.partition(":")
    if not number.isdecimal() or (page and not page.isdecimal()):
        return None
    row = Attachment.objects.filter(pk=int(number), plan=plan, withdrawn_at__isnull=True).first()
    if row is None or (page and not 1 <= int(page) <= (row.pages or 0)):
        return None
    name = f"{row.title} 第 {page} 页" if page else row.title
    columns = {"attachment": row, "page": int(page) if page else None}
    return Target(Comment.On.ATTACHMENT, name, columns)


@transaction.atomic
def add_comment(*, plan_id: int, on: str, text: str, by: Any, at: datetime) -> Comment:
    """Write a comment on one thing; raise NotAllowed, Incomplete for nothing known or no words."""
    plan = lock_plan(plan_id)
    if not may_comment(by, plan):
        raise NotAllowed(WHO_COMMENTS)
    target = target_of(plan, on)
    if target is None:
        raise Incomplete("没有找到要提意见的矿山、整合区、检查结果或附件页。请重新选择。")
    if not text.strip():
        raise Incomplete("请写明意见。")
    comment = Comment.objects.create(
        plan=plan,
        version=plan.versions.first(),
        on=target.on,
        subject_name=target.name[:160],
        text=text.strip(),
        by=by,
        at=at,
        from_county=any(rights.can(by, right, plan.county_id) for right in COUNTY),
        **target.columns,
    )
    record("提出意见", by=by, subject=comment, county=plan.county, on=target.on)
    return comment


@transaction.atomic
def answer_comment(*, comment_id: int, text: str, by: Any, at: datetime) -> Comment:
    """Answer a comment once; raise NotAllowed, WrongState when it is closed, Incomplete."""
    comment = _locked(comment_id)
    if not may_answer(by, comment):
        raise NotAllowed(WHO_ANSWERS)
    _refuse_closed(comment)
    if not text.strip():
        raise Incomplete("请写明答复。")
    comment.answer, comment.answered_by, comment.answered_at = text.strip(), by, at
    comment.save(update_fields=["answer", "answered_by", "answered_at"])
    record("答复意见", by=by, subject=comment, county=comment.plan.county)
    return comment


@transaction.atomic
def withdraw_comment(*, comment_id: int, by: Any, at: datetime) -> Comment:
    """Take one's own comment back before it is answered; raise NotAllowed, WrongState."""
    comment = _locked(comment_id)
    if comment.by_id != by.pk:
        raise NotAllowed("只有提出人可以撤回意见。")
    _refuse_closed(comment)
    comment.withdrawn_at = at
    comment.save(update_fields=["withdrawn_at"])
    record("撤回意见", by=by, subject=comment, county=comment.plan.county)
    return comment


def _locked(comment_id: int) -> Comment:
    rows = Comment.objects.select_for_update(of=("self",)).select_related("plan__county")
    return rows.get(pk=comment_id)


def _refuse_closed(comment: Comment) -> None:
    if comment.answered_at is not None:
        raise WrongState("这条意见已经有人答复。请刷新页面。")
    if comment.withdrawn_at is not None:
        raise WrongState("这条意见已经撤回。请刷新页面。")
