"""Take in a question, answer it in public, or decline to publish it (释疑解惑, clause 六(三))."""

from datetime import datetime
from typing import Any

from django.db import transaction

from publicity.models import Notice, Question
from shuozhou_mines.errors import Incomplete, WrongState
from taskforce.permissions import check
from taskforce.trail import record

NOT_YOURS = "提问由发布公示的专班办公室答复；你没有这个县（市、区）的公示权限。"


@transaction.atomic
def ask(*, notice_id: int, text: str, at: datetime) -> Question:
    """Keep a question until the office has answered it; nothing about the person is kept."""
    notice = Notice.objects.select_related("plan__county").get(pk=notice_id)
    question = Question.objects.create(notice=notice, text=text, public_text=text, asked_at=at)
    record("收到提问", by=None, subject=question, county=notice.plan.county)
    return question


@transaction.atomic
def answer_question(
    *, question_id: int, public_text: str, answer: str, by: Any, at: datetime
) -> Question:
    """Publish a question with its answer; done again, it corrects both.

    Raises NotAllowed, and Incomplete without words.
    """
    question = _locked(question_id, by)
    if not public_text.strip() or not answer.strip():
        raise Incomplete("公开的问题和答复都要写。")
    question.public_text, question.answer = public_text.strip(), answer.strip()
    question.state, question.answered_at, question.answered_by = Question.State.PUBLISHED, at, by
    question.save()
    record("答复提问", by=by, subject=question, county=question.notice.plan.county)
    return question


@transaction.atomic
def decline_question(*, question_id: int, by: Any) -> Question:
    """Leave a question unpublished; raises NotAllowed, WrongState once it has been published."""
    question = _locked(question_id, by)
    if question.state == Question.State.PUBLISHED:
        raise WrongState("这个问题已经公开答复；要更正，请修改答复。")
    question.state = Question.State.DECLINED
    question.save(update_fields=["state"])
    record("不公开提问", by=by, subject=question, county=question.notice.plan.county)
    return question


def _locked(question_id: int, by: Any) -> Question:
    question = Question.objects.select_for_update(of=("self",)).get(pk=question_id)
    check(by, "publish_plan", question.notice.plan.county_id, NOT_YOURS)
    return question
