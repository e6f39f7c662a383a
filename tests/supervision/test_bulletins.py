"""Quarterly bulletins: figures exact against reports, words that survive, one PDF, one number."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from plans.models import CountyPlan, PlanTask, Round
from shuozhou_mines.errors import Incomplete, NotAllowed, WrongState
from shuozhou_mines.jobs import Run, Stopped, claim, finish
from shuozhou_mines.models import Job
from supervision import actions
from supervision import bulletin_actions as bulletins
from supervision.bulletin_content import bulletin_content, content_key
from supervision.bulletins import band_of, compute_figures, quarter_before, quarter_of
from supervision.models import Bulletin
from supervision.sentences import draft_paragraphs
from supervision.tasks import print_bulletin
from supervision.waiting import waiting_for
from taskforce.models import County
from taskforce.roles import Role
from tests.conftest import PINGLU, SHUOCHENG, load_ground, make_people, make_person
from tests.factories import make_mine
from tests.supervision.quarter import (
    APRIL,
    JUNE,
    MAY,
    approve,
    at,
    batch,
    file_report,
    open_month,
    report_of,
    set_targets,
)

ZERO = batch(0, 0, 0)
SHANYIN = "140621"


@pytest.fixture
def hands(counties, people):
    """Return clerk and leader of three counties."""
    return {
        SHUOCHENG: (people["county_clerk"], people["county_leader"]),
        PINGLU: (people["other_county_clerk"], people["other_county_leader"]),
        SHANYIN: (
            make_person("third_clerk", Role.COUNTY_CLERK, counties[SHANYIN]),
            make_person("third_leader", Role.COUNTY_LEADER, counties[SHANYIN]),
        ),
    }


@pytest.fixture
def quarter(counties, hands):
    """File the second quarter: one county ahead, one late and corrected, one silent in June."""
    shuocheng, pinglu, shanyin = counties[SHUOCHENG], counties[PINGLU], counties[SHANYIN]
    set_targets(shuocheng, 1, 2, 0, 0)
    set_targets(pinglu, 0, 0, 3, 0)
    set_targets(shanyin, 0, 0, 3, 4)
    march = date(2025, 3, 1)
    for month in (march, APRIL, MAY, JUNE):
        open_month(month)
    by = hands[SHUOCHENG]
    file_report(shuocheng, march, by, at(3, 20), batch(1, 0, 0), batch(2, 1, 1), ZERO, ZERO)
    file_report(shuocheng, APRIL, by, at(4, 20), batch(1, 1, 1), batch(2, 1, 0), ZERO, ZERO)
    file_report(shuocheng, MAY, by, at(5, 20), batch(1, 1, 0), batch(2, 1, 0), ZERO, ZERO)
    file_report(
        shuocheng, JUNE, by, at(6, 20), batch(1, 1, 0, sand_done=1), batch(2, 2, 1), ZERO, ZERO,
        problems="补偿协议未签。",
    )  # fmt: skip
    by = hands[PINGLU]
    file_report(pinglu, APRIL, by, at(4, 20), ZERO, ZERO, batch(3, 1, 1), ZERO)
    file_report(pinglu, MAY, by, at(5, 27), ZERO, ZERO, batch(3, 2, 1), ZERO)
    wrong = file_report(pinglu, JUNE, by, at(6, 20), ZERO, ZERO, batch(3, 3, 1), ZERO)
    actions.correct_report(report_id=wrong.pk, by=by[0], reason="误报一座")
    file_report(pinglu, JUNE, by, at(7, 2), ZERO, ZERO, batch(3, 2, 0, under_way=1), ZERO)
    by = hands[SHANYIN]
    file_report(shanyin, APRIL, by, at(4, 20), ZERO, ZERO, batch(3, 0, 0), batch(4, 1, 1))
    file_report(shanyin, MAY, by, at(5, 20), ZERO, ZERO, batch(3, 0, 0), batch(4, 2, 1))
    return {"shuocheng": shuocheng, "pinglu": pinglu, "shanyin": shanyin}


def figures_now():
    return compute_figures(year=2025, quarter=2, at=at(7, 5))


def row_of(figures, name):
    return next(row for row in figures["counties"] if row["name"] == name)


def test_city_totals_add_up_the_newest_signed_versions(quarter):
    totals = figures_now()["totals"]
    assert {name: totals[name] for name in ("task", "done", "added", "rate", "band")} == {
        "task": 13, "done": 7, "added": 6, "rate": "53.85", "band": "过半",
    }  # fmt: skip
    assert {kind: row["rate"] for kind, row in totals["batches"].items()} == {
        "close": "100.00", "exit": "100.00", "merge": "33.33", "upgrade": "50.00",
    }  # fmt: skip
    assert totals["sand_done"] == 1
    assert totals["without_report"] == ["应县", "右玉县", "怀仁市"]


def test_counties_are_ranked_in_bands(quarter):
    ranked = [
        (row["rank"], row["name"], row["task"], row["done"], row["added"], row["rate"], row["band"])
        for row in figures_now()["counties"]
    ]
    assert ranked[:3] == [
        (1, "朔城区", 3, 3, 2, "100.00", "提前超额"),
        (2, "平鲁区", 3, 2, 2, "66.67", "过半"),
        (3, "山阴县", 7, 2, 2, "28.57", "低于50%"),
    ]
    assert ranked[3:] == [
        (None, "应县", None, None, None, None, "无数据"),
        (None, "右玉县", None, None, None, None, "无数据"),
        (None, "怀仁市", None, None, None, None, "无数据"),
    ]


@pytest.mark.parametrize(
    ("rate", "band"),
    [("100.00", "提前超额"), ("99.99", "过半"), ("50.00", "过半"), ("49.99", "低于50%"),
     ("0.00", "低于50%")],
)  # fmt: skip
def test_bands_have_exact_edges(rate, band):
    assert band_of(Decimal(rate)) == band


def test_equal_rates_share_a_place(quarter, hands):
    file_report(quarter["shanyin"], JUNE, hands[SHANYIN], at(6, 20),
                ZERO, ZERO, batch(3, 3, 3), batch(4, 4, 2))  # fmt: skip
    places = {row["name"]: row["rank"] for row in figures_now()["counties"]}
    assert (places["朔城区"], places["山阴县"], places["平鲁区"]) == (1, 1, 3)


def test_late_missing_and_corrected_reports_are_told(quarter):
    figures = figures_now()
    states = {
        row["name"]: [entry["state"] for entry in row["reports"]] for row in figures["counties"]
    }
    assert states["朔城区"] == ["on_time", "on_time", "on_time"]
    assert states["平鲁区"] == ["on_time", "late", "on_time"]
    assert states["山阴县"] == ["on_time", "on_time", "missing"]
    assert states["应县"] == ["missing", "missing", "missing"]
    assert row_of(figures, "平鲁区")["corrections"] == 1
    assert figures["reporting"] == {"on_time": 7, "late": 1, "missing": 10}


def test_the_last_quarter_is_compared_by_its_reports(quarter):
    figures = figures_now()
    assert figures["previous"] == {
        "name": "2025年第一季度", "issued": False, "task": 3, "done": 1, "rate": "33.33",
        "rate_change": "20.52",
    }  # fmt: skip
    assert row_of(figures, "朔城区")["rate_before"] == "33.33"
    assert row_of(figures, "朔城区")["rate_change"] == "66.67"
    assert row_of(figures, "平鲁区")["rate_change"] is None


def test_the_last_quarter_is_compared_as_it_was_issued(quarter, people, hands):
    before = bulletins.draft_bulletin(year=2025, quarter=1, by=people["office"], at=at(4, 2))
    approve(before, people["office"])
    bulletins.issue_bulletin(
        bulletin_id=before.pk, number=1, issued_on=date(2025, 4, 3), is_public=True,
        by=people["office"],
    )  # fmt: skip
    march = report_of(quarter["shuocheng"], date(2025, 3, 1))
    clerk, leader = hands[SHUOCHENG]
    actions.correct_report(report_id=march.pk, by=clerk, reason="多报一座")
    file_report(quarter["shuocheng"], date(2025, 3, 1), (clerk, leader), at(4, 9),
                batch(1, 0, 0), batch(2, 0, 0), ZERO, ZERO)  # fmt: skip
    figures = figures_now()
    assert (figures["previous"]["rate"], figures["previous"]["issued"]) == ("33.33", True)


def test_figures_take_at_most_twenty_queries_whatever_the_number_of_reports(quarter):
    with CaptureQueriesContext(connection) as queries:
        figures_now()
    assert len(queries) <= 20
    with CaptureQueriesContext(connection) as of_an_empty_quarter:
        compute_figures(year=2024, quarter=2, at=at(7, 5))
    assert len(of_an_empty_quarter) <= len(queries)


def test_sentences_say_what_the_figures_say(quarter, people):
    draft = bulletins.draft_bulletin(year=2025, quarter=2, by=people["office"], at=at(7, 5))
    text = {paragraph["key"]: paragraph["text"] for paragraph in draft.paragraphs}
    assert draft.title == "关于2025年第二季度全市非煤矿山整治整合工作进展情况的通报"
    assert text["overall"] == (
        "截至2025年6月底，全市整治整合任务13座，累计完成7座，完成率53.85%；本季度新增完成6座，"
        "进行中1座，未启动5座。完成率比2025年第一季度（33.33%）提高20.52个百分点。"
        "其中，山阴县截至5月。应县、右玉县、怀仁市本季度没有已报送的月报，未计入上述数据。"
    )
    assert text["counties"] == (
        "按完成率由高到低依次为：朔城区（100.00%）、平鲁区（66.67%）、山阴县（28.57%）。"
        "其中，提前超额（完成率达到100%）的1个：朔城区；完成率过半的1个：平鲁区；"
        "完成率低于50%的1个：山阴县。"
    )
    assert text["problems"] == (
        "月报报送不够及时。本季度应报18份，按时报送7份，迟报1份（平鲁区5月），"
        "未报10份（山阴县6月，应县4月、5月、6月，右玉县4月、5月、6月，怀仁市4月、5月、6月）。"
    )
    assert text["reported"] == "朔城区反映：补偿协议未签。"
    assert text["next"].splitlines()[0] == (
        "（一）各县（市、区）要对照县级实施方案倒排工期、逐矿落实，确保2025年12月31日前完成省定任务。"
    )


def test_a_quarter_without_reports_is_told_honestly(people):
    draft = bulletins.draft_bulletin(year=2025, quarter=1, by=people["office"], at=at(4, 5))
    text = {paragraph["key"]: paragraph["text"] for paragraph in draft.paragraphs}
    assert text["overall"] == (
        "截至2025年3月底，各县（市、区）均未报送本季度月报，全市进展数据暂缺。"
    )
    assert text["batches"] == ""
    assert bulletin_content(draft).sections[0].heading == "一、总体进展"


def test_a_running_quarter_does_not_claim_its_end(quarter, people):
    """A milestone of next week is not overdue, and June's figures are not those of its end."""
    plan = CountyPlan.objects.create(
        round=Round.objects.get(), county=quarter["shuocheng"], state="approved",
        submitted_at=at(4, 1),
    )  # fmt: skip
    for number, due_on in enumerate((date(2025, 6, 10), date(2025, 6, 28)), start=1):
        PlanTask.objects.create(
            plan=plan, mine=make_mine(quarter["shuocheng"], number), kind="exit", due_on=due_on
        )
    figures = compute_figures(year=2025, quarter=2, at=at(6, 21))
    text = {paragraph["key"]: paragraph["text"] for paragraph in draft_paragraphs(figures)}
    assert text["overall"].startswith("截至2025年6月，全市整治整合任务13座")
    assert row_of(figures, "朔城区")["overdue_tasks"] == 1
    assert row_of(figures, "应县")["reports"][2]["state"] == "not_due"
    assert "二是部分任务超过时限。共1项任务到期未完成（朔城区1）。" in text["problems"]


def test_an_edited_paragraph_survives_a_refresh_and_the_others_follow_the_figures(
    quarter, people, hands
):
    office = people["office"]
    draft = bulletins.draft_bulletin(year=2025, quarter=2, by=office, at=at(7, 5))
    drafted = draft.paragraphs[-1]["drafted"]
    bulletins.edit_paragraph(bulletin_id=draft.pk, key="next", text=" 各县要加快。 \n\n", by=office)
    file_report(quarter["shanyin"], JUNE, hands[SHANYIN], at(7, 6),
                ZERO, ZERO, batch(3, 3, 3), batch(4, 4, 2))  # fmt: skip
    fresh = bulletins.refresh_bulletin(bulletin_id=draft.pk, by=office, at=at(7, 7))
    held = {paragraph["key"]: paragraph for paragraph in fresh.paragraphs}
    assert (held["next"]["text"], held["next"]["edited"]) == ("各县要加快。", True)
    assert held["next"]["drafted"] != drafted
    assert "累计完成12座，完成率92.31%" in held["overall"]["text"]
    back = bulletins.edit_paragraph(
        bulletin_id=draft.pk, key="next", text=held["next"]["drafted"], by=office
    )
    assert back.paragraphs[-1]["edited"] is False


def test_drafting_again_returns_the_draft_untouched(quarter, people):
    office = people["office"]
    draft = bulletins.draft_bulletin(year=2025, quarter=2, by=office, at=at(7, 5))
    bulletins.edit_paragraph(bulletin_id=draft.pk, key="next", text="各县要加快。", by=office)
    again = bulletins.draft_bulletin(year=2025, quarter=2, by=office, at=at(7, 9))
    assert (again.pk, again.paragraphs[-1]["text"]) == (draft.pk, "各县要加快。")


def issue(bulletin, by, number=1, **changes):
    approve(bulletin, by)
    return bulletins.issue_bulletin(
        bulletin_id=bulletin.pk, by=by,
        **{"number": number, "issued_on": date(2025, 7, 10), "is_public": True, **changes},
    )  # fmt: skip


def test_issuing_numbers_locks_and_asks_for_the_pdf(quarter, people):
    office = people["office"]
    draft = bulletins.draft_bulletin(year=2025, quarter=2, by=office, at=at(7, 5))
    issued = issue(draft, office)
    assert (issued.state, issued.document_number, issued.number) == (
        "issued", "朔非煤整治办〔2025〕1号", 1,
    )  # fmt: skip
    job = Job.objects.get(kind="supervision.bulletin_pdf")
    assert (job.subject_id, job.asked_by) == (issued.pk, office)
    for act in (
        lambda: issue(draft, office, 2),
        lambda: bulletins.edit_paragraph(bulletin_id=draft.pk, key="next", text="改", by=office),
        lambda: bulletins.refresh_bulletin(bulletin_id=draft.pk, by=office, at=at(7, 11)),
    ):
        with pytest.raises(WrongState, match="已由专班办公室测试员印发"):
            act()
    with pytest.raises(WrongState, match="不能再拟"):
        bulletins.draft_bulletin(year=2025, quarter=2, by=office, at=at(7, 11))


def test_a_number_is_used_once_a_year_of_issue(quarter, people):
    office = people["office"]
    issue(bulletins.draft_bulletin(year=2025, quarter=1, by=office, at=at(4, 5)), office,
          issued_on=date(2025, 4, 10))  # fmt: skip
    second = bulletins.draft_bulletin(year=2025, quarter=2, by=office, at=at(7, 5))
    with pytest.raises(Incomplete, match="已经用过，下一个可用的是 2 号"):
        issue(second, office)
    assert bulletins.next_number(2025) == 2
    assert bulletins.next_number(2026) == 1
    with pytest.raises(Incomplete, match="印发日期 2025-03-31 早于2025年第二季度"):
        issue(second, office, 2, issued_on=date(2025, 3, 31))


@pytest.mark.parametrize("role", ["county_clerk", "member_unit", "city_leader", "inspector"])
def test_only_the_office_drafts(people, role):
    with pytest.raises(NotAllowed, match="只有专班办公室可以拟写和印发季通报"):
        bulletins.draft_bulletin(year=2025, quarter=1, by=people[role], at=at(4, 5))


def test_a_quarter_that_has_not_begun_cannot_be_drafted(people):
    with pytest.raises(WrongState, match="2025年第三季度还没有开始"):
        bulletins.draft_bulletin(year=2025, quarter=3, by=people["office"], at=at(6, 30))


def stored_files(settings):
    return sorted(path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file())


def work(job):
    """Do a job as the worker does, inside the test's transaction."""
    taken = claim(job.pk, at=timezone.now())
    if taken is not None:
        print_bulletin(Run(taken))
        finish(taken, Job.State.DONE)


def test_the_pdf_job_twice_leaves_one_file(quarter, people, settings):
    office = people["office"]
    draft = bulletins.draft_bulletin(year=2025, quarter=2, by=office, at=at(7, 5))
    job = bulletins.print_bulletin(bulletin_id=draft.pk, by=office)
    assert bulletins.print_bulletin(bulletin_id=draft.pk, by=office).pk == job.pk
    work(job)
    work(job)
    job.refresh_from_db()
    assert (job.state, job.done, job.total) == ("done", 3, 3)
    draft.refresh_from_db()
    files = stored_files(settings)
    assert [path.relative_to(settings.MEDIA_ROOT).as_posix() for path in files] == [draft.pdf.name]
    assert files[0].read_bytes().startswith(b"%PDF-")
    assert draft.pdf_content == content_key(bulletin_content(draft))
    assert bulletins.print_bulletin(bulletin_id=draft.pk, by=office) is None
    Job.objects.filter(pk=job.pk).update(state="queued", finished_at=None)
    work(job)
    assert stored_files(settings) == files


def test_a_changed_text_is_printed_again_in_place_of_the_old_file(quarter, people, settings):
    office = people["office"]
    draft = bulletins.draft_bulletin(year=2025, quarter=2, by=office, at=at(7, 5))
    work(bulletins.print_bulletin(bulletin_id=draft.pk, by=office))
    draft.refresh_from_db()
    first = draft.pdf_sha256
    bulletins.edit_paragraph(bulletin_id=draft.pk, key="next", text="各县要加快。", by=office)
    work(bulletins.print_bulletin(bulletin_id=draft.pk, by=office))
    draft.refresh_from_db()
    assert draft.pdf_sha256 != first
    assert len(stored_files(settings)) == 1


def test_a_lost_file_is_printed_again(quarter, people, settings):
    office = people["office"]
    draft = bulletins.draft_bulletin(year=2025, quarter=2, by=office, at=at(7, 5))
    work(bulletins.print_bulletin(bulletin_id=draft.pk, by=office))
    stored_files(settings)[0].unlink()
    again = bulletins.print_bulletin(bulletin_id=draft.pk, by=office)
    work(again)
    assert len(stored_files(settings)) == 1


def test_a_worker_that_lost_its_lease_leaves_no_file(quarter, people, settings):
    office = people["office"]
    draft = bulletins.draft_bulletin(year=2025, quarter=2, by=office, at=at(7, 5))
    job = bulletins.print_bulletin(bulletin_id=draft.pk, by=office)
    stale = claim(job.pk, at=at(7, 5))
    assert claim(job.pk, at=at(7, 6)) is not None
    with pytest.raises(Stopped):
        print_bulletin(Run(stale))
    assert stored_files(settings) == []


@pytest.mark.django_db(transaction=True)
def test_issuing_takes_the_drafts_pdf_away(settings):
    settings.DEMO = False
    load_ground()
    people = make_people({county.code: county for county in County.objects.all()})
    office = people["office"]
    draft = bulletins.draft_bulletin(year=2025, quarter=2, by=office, at=at(7, 5))
    Bulletin.objects.filter(pk=draft.pk).update(pdf="bulletins/2025/draft.pdf", pdf_sha256="0")
    preview = Path(settings.MEDIA_ROOT) / "bulletins/2025/draft.pdf"
    preview.parent.mkdir(parents=True)
    preview.write_bytes(b"%PDF-draft")
    issued = issue(draft, office)
    assert (issued.pdf.name, issued.has_pdf, preview.exists()) == ("", False, False)


def test_demo_content_is_marked(quarter, people, settings):
    draft = bulletins.draft_bulletin(year=2025, quarter=2, by=people["office"], at=at(7, 5))
    assert bulletin_content(draft).is_demo is False
    settings.DEMO = True
    assert bulletin_content(draft).is_demo is True
    assert bulletin_content(draft).note == "草稿，仅供核稿，未经签发"


def test_drafts_wait_on_the_offices_desk(quarter, people):
    bulletins.draft_bulletin(year=2025, quarter=2, by=people["office"], at=at(7, 5))
    labels = [line["label"] for line in waiting_for(people["office"])]
    assert "2025年第二季度通报：核稿并印发" in labels
    assert not any("通报" in line["label"] for line in waiting_for(people["city_leader"]))


def test_quarters_follow_the_calendar():
    assert quarter_of(date(2025, 3, 31)) == (2025, 1)
    assert quarter_of(date(2025, 4, 1)) == (2025, 2)
    assert quarter_before(2025, 1) == (2024, 4)
    assert quarter_before(2025, 3) == (2025, 2)
