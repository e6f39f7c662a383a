"""Monthly reports: opened once, filled from what is known, consistent, locked, corrected."""

import threading
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection

from mines.models import Mine
from plans.models import CountyPlan, PlanTask, Round, Target
from plans.workflow import State as PlanState
from shuozhou_mines.errors import Incomplete, NotAllowed, WrongState
from supervision import actions
from supervision.consistency import BatchFigures, completion_rate, contradictions
from supervision.demo import load_demo_targets
from supervision.models import MonthlyReport, ReportRow
from supervision.schedule import months_to_open, open_this_month
from supervision.waiting import waiting_for
from taskforce.models import TrailEntry
from tests.conftest import PINGLU, SHUOCHENG, load_ground
from tests.factories import make_mine
from tests.supervision.quarter import (
    APRIL,
    JUNE,
    MAY,
    at,
    batch,
    file_report,
    open_month,
    report_of,
    set_targets,
)

ZERO = batch(0, 0, 0)


@pytest.fixture
def shuocheng(counties):
    return counties[SHUOCHENG]


@pytest.fixture
def hands(people):
    return people["county_clerk"], people["county_leader"]


def test_figures_that_agree_have_no_contradiction():
    figures = batch(5, 2, 1, under_way=1, sand_done=2)
    assert contradictions(figures, 1) == {}


@pytest.mark.parametrize(
    ("figures", "before", "field", "sentence"),
    [
        (
            BatchFigures(task=5, done=6),
            None,
            "done",
            "累计完成 6 座，多于任务数 5 座。请核对，超额的写进说明。",
        ),
        (
            BatchFigures(task=5, done=3, under_way=1),
            None,
            "not_started",
            "累计完成 3、进行中 1、未启动 0，合计 4 座，与任务数 5 座不符。"
            "请使三项之和等于任务数。",
        ),
        (
            batch(5, 2, 3),
            None,
            "done_this_month",
            "本月新增 3 座，多于累计完成 2 座。请核对两个数。",
        ),
        (
            batch(5, 2, 1, sand_done=3),
            None,
            "sand_done",
            "其中砂石土类 3 座，多于累计完成 2 座。请核对两个数。",
        ),
        (
            batch(5, 2, 0),
            3,
            "note",
            "累计完成由上次报送的 3 座减为 2 座。请在这里写明原因。",
        ),
        (
            batch(5, 4, 1),
            2,
            "note",
            "上次累计 2 座、本次累计 4 座，相差 2 座，而本月新增填的是 1 座。"
            "请核对，或在这里写明原因。",
        ),
    ],
)
def test_a_contradiction_is_named_beside_its_field(figures, before, field, sentence):
    assert contradictions(figures, before) == {field: sentence}


def test_a_note_explains_a_fall():
    assert contradictions(batch(5, 2, 0, note="上月误报一座"), 3) == {}


@pytest.mark.parametrize(
    ("done", "task", "rate"),
    [(1, 3, "33.33"), (2, 3, "66.67"), (1, 800, "0.13"), (7, 7, "100.00")],
)
def test_rates_are_rounded_half_up(done, task, rate):
    assert completion_rate(done, task) == Decimal(rate)


def test_a_county_without_task_has_no_rate():
    assert completion_rate(0, 0) is None


def test_opening_fills_from_targets_plan_tasks_and_last_month(shuocheng, hands, people):
    set_targets(shuocheng, 2, 3, 4, 1)
    open_month(APRIL)
    file_report(
        shuocheng, APRIL, hands, at(4, 20),
        batch(2, 1, 1, sand_done=1), batch(3, 0, 0, under_way=2), batch(4, 0, 0), batch(1, 0, 0),
    )  # fmt: skip
    plan = CountyPlan.objects.create(
        round=Round.objects.get(), county=shuocheng, state=PlanState.APPROVED,
        submitted_at=at(4, 1),
    )  # fmt: skip
    mines = [make_mine(shuocheng, n) for n in range(1, 4)]
    for mine, done_on in zip(mines, [date(2025, 4, 9), date(2025, 5, 30), None], strict=True):
        PlanTask.objects.create(
            plan=plan, mine=mine, kind="merge", due_on=date(2025, 12, 31), done_on=done_on,
            evidence="注销通知书" if done_on else "",
        )  # fmt: skip
    open_month(MAY)
    rows = {row.kind: row for row in report_of(shuocheng, MAY).rows.all()}
    shown = {
        kind: (r.task, r.done, r.done_this_month, r.under_way, r.not_started, r.sand_done)
        for kind, r in rows.items()
    }
    assert shown == {
        "close": (2, 1, 0, 0, 1, 1),
        "exit": (3, 0, 0, 2, 1, 0),
        "merge": (4, 2, 2, 0, 2, 2),
        "upgrade": (1, 0, 0, 0, 1, 0),
    }
    assert report_of(shuocheng, MAY).due_on == date(2025, 5, 25)
    assert Mine.objects.get(pk=mines[0].pk).mineral.facts["is_ordinary_sand_stone"] is True


def test_a_plan_that_exceeds_its_task_says_so_in_the_note(shuocheng, people):
    set_targets(shuocheng, 1, 0, 0, 0)
    plan = CountyPlan.objects.create(
        round=Round.objects.get(), county=shuocheng, state=PlanState.APPROVED,
        submitted_at=at(4, 1),
    )  # fmt: skip
    for n in (1, 2):
        PlanTask.objects.create(
            plan=plan, mine=make_mine(shuocheng, n), kind="close", due_on=date(2025, 12, 31),
            done_on=date(2025, 4, 3), evidence="验收单",
        )  # fmt: skip
    open_month(APRIL)
    row = report_of(shuocheng, APRIL).rows.get(kind="close")
    assert (row.task, row.done, row.note) == (1, 1, "系统记录已完成 2 座，超过任务数 1 座")


def test_six_counties_get_one_report_each_however_often_it_ticks(people):
    for _ in range(3):
        open_this_month(at(4, 1))
    assert MonthlyReport.objects.count() == 6
    assert ReportRow.objects.count() == 24
    assert set(MonthlyReport.objects.values_list("due_on", flat=True)) == {date(2025, 4, 25)}


def test_months_missed_while_nothing_ticked_are_opened(people):
    open_this_month(at(4, 1))
    assert months_to_open(JUNE) == [MAY, JUNE]
    open_this_month(at(6, 3))
    assert MonthlyReport.objects.filter(month=MAY).count() == 6
    assert MonthlyReport.objects.filter(month=JUNE).count() == 6


def test_a_clock_set_back_opens_nothing(people):
    open_this_month(at(6, 1))
    open_this_month(at(4, 15))
    assert set(MonthlyReport.objects.values_list("month", flat=True)) == {JUNE}


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_at_once_open_each_report_once(settings):
    settings.DEMO = False
    load_ground()
    start = threading.Barrier(2)
    errors = []

    def tick():
        try:
            start.wait()
            open_this_month(at(4, 1))
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=tick) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert MonthlyReport.objects.count() == 6
    assert ReportRow.objects.count() == 24


def test_a_clerk_opens_the_month_of_the_own_county_only(counties, people):
    opened = actions.open_reports(
        month=APRIL, at=at(4, 2), by=people["county_clerk"], county=counties[SHUOCHENG]
    )
    assert [report.county_id for report in opened] == [SHUOCHENG]
    with pytest.raises(NotAllowed, match="只有平鲁区的填报员可以建立本县"):
        actions.open_reports(
            month=APRIL, at=at(4, 2), by=people["county_clerk"], county=counties[PINGLU]
        )


def test_a_month_that_has_not_begun_cannot_be_opened(people):
    with pytest.raises(WrongState, match="2025年5月还没有开始"):
        actions.open_reports(month=MAY, at=at(4, 30))


def test_a_signed_report_is_locked(shuocheng, hands):
    open_month(APRIL)
    report = file_report(shuocheng, APRIL, hands, at(4, 20), ZERO, ZERO, ZERO, ZERO)
    assert (report.state, report.is_late) == ("submitted", False)
    with pytest.raises(WrongState, match="数据已锁定。要改动请用“更正”"):
        actions.save_report(report_id=report.pk, by=hands[0], rows={}, problems="", next_steps="")
    with pytest.raises(WrongState, match="已由县级分管领导测试员签发报送"):
        actions.submit_report(report_id=report.pk, by=hands[1], at=at(4, 21))


def test_the_day_of_the_first_submission_decides_what_is_late(shuocheng, hands, people):
    open_month(APRIL)
    on_time = file_report(shuocheng, APRIL, hands, at(4, 25), ZERO, ZERO, ZERO, ZERO)
    assert not on_time.is_late
    actions.return_report(report_id=on_time.pk, by=people["office"], note="请补充存在问题")
    again = file_report(shuocheng, APRIL, hands, at(4, 28), ZERO, ZERO, ZERO, ZERO)
    assert not again.is_late
    open_month(MAY)
    assert file_report(shuocheng, MAY, hands, at(5, 26), ZERO, ZERO, ZERO, ZERO).is_late


def test_nobody_signs_figures_that_nobody_confirmed(shuocheng, hands):
    open_month(APRIL)
    with pytest.raises(Incomplete, match="填报员还没有核对并保存本月数据"):
        actions.submit_report(report_id=report_of(shuocheng, APRIL).pk, by=hands[1], at=at(4, 20))


def test_a_fall_without_note_is_refused_and_with_note_accepted(shuocheng, hands):
    set_targets(shuocheng, 5, 0, 0, 0)
    open_month(APRIL)
    file_report(shuocheng, APRIL, hands, at(4, 20), batch(5, 3, 3), ZERO, ZERO, ZERO)
    open_month(MAY)
    with pytest.raises(Incomplete, match="关闭取缔：累计完成由上次报送的 3 座减为 2 座"):
        file_report(shuocheng, MAY, hands, at(5, 20), batch(5, 2, 0), ZERO, ZERO, ZERO)
    noted = batch(5, 2, 0, note="上月误报一座")
    file_report(shuocheng, MAY, hands, at(5, 20), noted, ZERO, ZERO, ZERO)
    assert report_of(shuocheng, MAY).rows.get(kind="close").note == "上月误报一座"


@pytest.mark.parametrize("role", ["county_leader", "office", "other_county_clerk", "city_leader"])
def test_only_the_countys_clerks_fill(shuocheng, people, role):
    open_month(APRIL)
    with pytest.raises(NotAllowed, match="只有朔城区的填报员可以填写这份月报"):
        actions.save_report(
            report_id=report_of(shuocheng, APRIL).pk,
            by=people[role], rows={}, problems="", next_steps="",
        )  # fmt: skip


@pytest.mark.parametrize("role", ["county_clerk", "office", "other_county_leader"])
def test_only_the_countys_leader_signs(shuocheng, people, role):
    open_month(APRIL)
    with pytest.raises(NotAllowed, match="只有朔城区的分管领导可以签发这份月报"):
        actions.submit_report(
            report_id=report_of(shuocheng, APRIL).pk, by=people[role], at=at(4, 2)
        )


def test_the_office_returns_with_a_note_and_only_then_the_county_writes_again(
    shuocheng, hands, people
):
    open_month(APRIL)
    report = file_report(shuocheng, APRIL, hands, at(4, 20), ZERO, ZERO, ZERO, ZERO)
    with pytest.raises(NotAllowed, match="只有专班办公室可以退回月报"):
        actions.return_report(report_id=report.pk, by=people["member_unit"], note="改")
    with pytest.raises(Incomplete, match="请写明退回的原因"):
        actions.return_report(report_id=report.pk, by=people["office"], note="  ")
    actions.return_report(report_id=report.pk, by=people["office"], note="请核对任务数")
    report.refresh_from_db()
    assert (report.state, report.return_note) == ("returned", "请核对任务数")
    again = file_report(shuocheng, APRIL, hands, at(4, 22), ZERO, ZERO, ZERO, ZERO)
    assert (again.pk, again.version, again.return_note) == (report.pk, 1, "")


def test_a_correction_is_a_new_version_and_the_old_one_stands_until_it_is_signed(shuocheng, hands):
    set_targets(shuocheng, 5, 0, 0, 0)
    open_month(APRIL)
    first = file_report(shuocheng, APRIL, hands, at(4, 20), batch(5, 3, 3), ZERO, ZERO, ZERO)
    with pytest.raises(Incomplete, match="请写明更正的原因"):
        actions.correct_report(report_id=first.pk, by=hands[0], reason="")
    second = actions.correct_report(report_id=first.pk, by=hands[0], reason="误报一座")
    assert (second.version, second.state, second.correction_note) == (2, "open", "误报一座")
    assert second.rows.get(kind="close").done == 3
    with pytest.raises(WrongState, match="已经有更正版"):
        actions.correct_report(report_id=first.pk, by=hands[0], reason="再改")
    signed = file_report(shuocheng, APRIL, hands, at(5, 3), batch(5, 2, 2), ZERO, ZERO, ZERO)
    assert (signed.version, signed.is_late) == (2, False)
    first.refresh_from_db()
    assert (first.state, first.rows.get(kind="close").done) == ("submitted", 3)


def test_each_act_leaves_its_trail(shuocheng, hands, people):
    open_month(APRIL)
    report = file_report(shuocheng, APRIL, hands, at(4, 20), ZERO, ZERO, ZERO, ZERO)
    actions.return_report(report_id=report.pk, by=people["office"], note="请核对")
    entries = TrailEntry.objects.filter(subject_id=report.pk, act__startswith="月报")
    acts = list(entries.order_by("pk").values_list("act", "by__username"))
    assert acts == [
        ("月报建立", None),
        ("月报填写", "county_clerk"),
        ("月报签发报送", "county_leader"),
        ("月报退回", "office"),
    ]


def test_demo_targets_are_marked_and_loading_again_keeps_what_the_office_changed(counties):
    load_demo_targets()
    assert Target.objects.filter(is_demo=True, document_number__startswith="示例").count() == 24
    Target.objects.filter(county_id=SHUOCHENG, kind="merge").update(number=9)
    load_demo_targets()
    assert Target.objects.count() == 24
    assert Target.objects.get(county_id=SHUOCHENG, kind="merge").number == 9


def test_the_desk_tells_each_person_what_waits(shuocheng, hands, people):
    open_month(APRIL)
    report = report_of(shuocheng, APRIL)
    labels = {name: [line["label"] for line in waiting_for(user)] for name, user in people.items()}
    assert labels["county_clerk"] == ["朔城区2025年4月月报：核对并填写"]
    assert labels["county_leader"] == []
    assert labels["office"] == ["2025年4月月报：6 个县（市、区）逾期未报"]
    assert labels["city_leader"] == []
    MonthlyReport.objects.filter(pk=report.pk).update(filled_by=hands[0])
    assert [line["label"] for line in waiting_for(hands[1])] == ["朔城区2025年4月月报：签发报送"]
    assert waiting_for(hands[1])[0]["due"] == date(2025, 4, 25)
