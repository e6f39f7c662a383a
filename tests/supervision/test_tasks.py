"""Plan tasks: done only with every proof, seen by their county, drawn on a time line."""

from datetime import date

import pytest
from django.urls import reverse
from lxml import etree

from plans.models import PlanTask
from plans.workflow import State
from shuozhou_mines.errors import Incomplete, NotAllowed, WrongState
from standards.terms import Disposition
from supervision import task_actions as actions
from supervision.inspection_models import Inspection
from supervision.prefill import known
from supervision.task_checks import checks_of
from supervision.task_timeline import Bar, draw_timeline
from tests.conftest import PINGLU, SHUOCHENG
from tests.factories import make_mine, plan_at
from tests.supervision.quarter import at
from tests.supervision.test_inspections import browser

ITEMS = ("design", "built", "scale", "filed")


@pytest.fixture
def task(people, counties) -> PlanTask:
    """Return the first of the two tasks of 朔城区's approved plan, both to upgrade a mine."""
    plan_at(State.APPROVED, people, counties[SHUOCHENG])
    return PlanTask.objects.order_by("mine__registry_no").first()


def prove(task, people, *items, on=date(2025, 9, 10)):
    for item in items:
        actions.prove_item(
            task_id=task.pk, item=item, done_on=on, evidence="朔审〔2025〕1号（示例）",
            by=people["county_clerk"], at=at(9, 20),
        )  # fmt: skip


def accept(task, people, conclusion="passed", on=date(2025, 9, 15)):
    Inspection.objects.create(
        county=task.plan.county, mine=task.mine, purpose="accept", visited_on=on,
        acceptance=conclusion, by=people["inspector"],
    )  # fmt: skip


def test_every_disposition_has_a_check_list_that_ends_with_acceptance():
    for kind in Disposition:
        codes = [check.code for check in checks_of(kind)]
        assert codes[-1] == "accepted"
        assert len(set(codes)) == len(codes)
    assert [check.code for check in checks_of("upgrade")] == [*ITEMS, "accepted"]
    assert len(checks_of("close")) == 7


def test_task_is_done_only_with_all_proofs_and_feeds_the_report(task, people):
    with pytest.raises(Incomplete, match="还缺 5 项依据：改造设计通过审查"):
        actions.complete_task(task_id=task.pk, by=people["county_clerk"])
    prove(task, people, *ITEMS)
    with pytest.raises(Incomplete, match="还缺 1 项依据：检查验收通过"):
        actions.complete_task(task_id=task.pk, by=people["county_clerk"])
    accept(task, people)
    done = actions.complete_task(task_id=task.pk, by=people["county_clerk"])
    assert done.done_on == date(2025, 9, 15)
    assert done.evidence == "5 项依据齐全，验收于 2025-09-15 通过"
    counts = known([SHUOCHENG], date(2025, 9, 1)).tasks[SHUOCHENG, "upgrade"]
    assert (counts.total, counts.done) == (2, 1)


def test_newest_acceptance_decides(task, people):
    prove(task, people, *ITEMS)
    accept(task, people)
    accept(task, people, "mend", on=date(2025, 9, 18))
    with pytest.raises(Incomplete, match="检查验收通过"):
        actions.complete_task(task_id=task.pk, by=people["county_clerk"])


def test_proofs_are_refused_when_they_cannot_be(task, people):
    with pytest.raises(Incomplete, match="还没有到"):
        prove(task, people, "built", on=date(2025, 9, 21))
    for item in ("accepted", "unheard"):
        with pytest.raises(Incomplete, match="没有这一条"):
            prove(task, people, item)
    for role in ("other_county_clerk", "office", "inspector", "county_leader"):
        with pytest.raises(NotAllowed, match="只有朔城区的填报员"):
            actions.complete_task(task_id=task.pk, by=people[role])


def test_completion_stands_until_the_office_takes_it_back(task, people):
    prove(task, people, *ITEMS)
    accept(task, people)
    actions.complete_task(task_id=task.pk, by=people["county_clerk"])
    with pytest.raises(WrongState, match="依据不能再改"):
        prove(task, people, "built")
    with pytest.raises(WrongState, match="已在 2025-09-15 登记完成"):
        actions.complete_task(task_id=task.pk, by=people["county_clerk"])
    with pytest.raises(NotAllowed):
        actions.reopen_task(task_id=task.pk, note="误登", by=people["county_clerk"])
    assert actions.reopen_task(task_id=task.pk, note="误登", by=people["office"]).done_on is None


def test_pages_of_tasks(task, people):
    clerk, board = browser(people["county_clerk"]), reverse("task-board")
    page, proof = reverse("task", args=[task.pk]), reverse("task-proof", args=[task.pk, "built"])
    assert "测试1号矿" in clerk.get(board).content.decode()
    assert clerk.post(proof, {"done_on": "", "evidence": ""}).status_code == 422
    clerk.post(proof, {"done_on": "2025-09-10", "evidence": "竣工报告"})
    assert "竣工报告" in clerk.get(page).content.decode()
    assert "还缺 4 项依据" in clerk.get(page).content.decode()
    told = clerk.post(reverse("task-complete", args=[task.pk]), follow=True)
    assert "还缺 4 项依据" in told.content.decode()
    other = browser(people["other_county_clerk"])
    assert other.get(page).status_code == 404
    assert other.get(f"{board}?county={SHUOCHENG}").status_code == 404
    assert other.get(board).status_code == 200
    assert other.post(proof).status_code == 404
    assert browser(people["expert"]).get(board).status_code == 404


def test_board_asks_the_same_few_questions_for_any_number_of_tasks(
    task, people, counties, django_assert_max_num_queries
):
    for number in range(3, 40):
        PlanTask.objects.create(
            plan=task.plan, mine=make_mine(counties[SHUOCHENG], number), kind="close",
            due_on=date(2025, 12, 31),
        )  # fmt: skip
    clerk = browser(people["county_clerk"])
    clerk.get(reverse("task-board"))
    with django_assert_max_num_queries(14):
        clerk.get(reverse("task-board"))
    assert clerk.get(f"{reverse('task-board')}?county={PINGLU}").status_code == 404


def test_bar_of_a_plan_opened_after_its_day_keeps_off_the_names():
    late = Bar("甲矿", date(2026, 9, 1), date(2025, 12, 31), None)
    svg = etree.fromstring(draw_timeline([late], date(2026, 10, 1)))
    path = svg.find("{*}g/{*}path").get("d")
    begin, end = (float(part.split()[0]) for part in path[1:].split("H"))
    assert begin == end >= 190


def test_timeline_tells_done_late_and_ahead_apart():
    bars = [
        Bar("<甲>&矿", date(2025, 9, 1), date(2025, 12, 31), date(2025, 11, 1)),
        Bar("乙矿", date(2025, 9, 1), date(2025, 10, 1), None),
        Bar("丙矿", date(2025, 9, 1), date(2025, 12, 31), None),
    ]
    svg = etree.fromstring(draw_timeline(bars, date(2025, 11, 15)))
    titles = [each.text for each in svg.iter("{*}title")]
    assert titles == [
        "<甲>&矿：2025-11-01 完成", "乙矿：2025-10-01 到期，逾期", "丙矿：2025-12-31 到期",
    ]  # fmt: skip
    assert len(list(svg.iter("{*}rect"))) == 1
    assert [each.get("stroke") for each in svg.iter("{*}circle")] == ["#b3261e", "#0f5c63"]
