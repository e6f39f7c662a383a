"""Ask about a notice; the office answers, and only what it answered is shown."""

from datetime import datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse

from plans.workflow import State
from publicity.models import Notice, Question
from publicity.question_actions import answer_question, ask, decline_question
from shuozhou_mines.errors import Incomplete, NotAllowed, WrongState
from tests.conftest import SHUOCHENG
from tests.factories import SHANGHAI, plan_at

AT = datetime(2025, 9, 4, 10, 0, tzinfo=SHANGHAI)


@pytest.fixture
def notice(people: Any, counties: Any) -> Notice:
    cache.clear()
    plan_at(State.PUBLISHED, people, counties[SHUOCHENG])
    return Notice.objects.get()


def page_of(notice: Notice, client: Any) -> str:
    client.logout()
    return str(client.get(reverse("notice", args=[notice.pk])).content.decode())


def test_a_question_is_shown_once_it_is_answered(notice, people, client) -> None:
    asked = client.post(reverse("question-new", args=[notice.pk]), {"text": "张三问：何时关闭？"})
    assert "问题已收到" in asked.content.decode()
    assert "何时关闭" not in page_of(notice, client)
    question = Question.objects.get()
    client.force_login(people["office"])
    typed = {"public_text": "何时关闭？", "answer": "2025年12月底前。"}
    assert client.post(reverse("question", args=[question.pk]), typed).status_code == 302
    page = page_of(notice, client)
    assert "问：何时关闭？" in page
    assert "答：2025年12月底前。" in page
    assert "张三" not in page


def test_a_declined_question_stays_inside(notice, people, client) -> None:
    question = ask(notice_id=notice.pk, text="无关的广告内容", at=AT)
    client.force_login(people["office"])
    client.post(reverse("question-decline", args=[question.pk]))
    question.refresh_from_db()
    assert question.state == "declined"
    assert "无关的广告内容" not in page_of(notice, client)


def test_what_is_public_is_not_declined(notice, people) -> None:
    question = ask(notice_id=notice.pk, text="何时关闭？", at=AT)
    answer_question(
        question_id=question.pk,
        public_text="何时关闭？",
        answer="年底。",
        by=people["office"],
        at=AT,
    )
    with pytest.raises(WrongState):
        decline_question(question_id=question.pk, by=people["office"])


def test_others_answer_nothing(notice, people, client) -> None:
    question = ask(notice_id=notice.pk, text="何时关闭？", at=AT)
    client.force_login(people["county_leader"])
    assert client.get(reverse("question", args=[question.pk])).status_code == 404
    with pytest.raises(NotAllowed):
        answer_question(
            question_id=question.pk, public_text="a", answer="b", by=people["county_leader"], at=AT
        )
    with pytest.raises(Incomplete):
        answer_question(
            question_id=question.pk, public_text="a", answer=" ", by=people["office"], at=AT
        )


def test_many_questions_are_stopped(notice, client, settings) -> None:
    settings.QUESTIONS_PER_HOUR = 1
    place = reverse("question-new", args=[notice.pk])
    client.post(place, {"text": "第一个问题？"})
    refused = client.post(place, {"text": "第二个问题？"})
    assert refused.status_code == 422
    assert "次数太多" in refused.content.decode()
