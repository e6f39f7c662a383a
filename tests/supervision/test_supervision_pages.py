"""Pages of reports and bulletins: who sees what, what a mistake looks like, what is public."""

from datetime import date
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings as configured
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from shuozhou_mines.jobs import Run, claim, finish
from shuozhou_mines.models import Job
from supervision import actions
from supervision import bulletin_actions as bulletins
from supervision.consistency import BATCHES
from supervision.models import Bulletin, MonthlyReport
from supervision.prefill import month_of
from supervision.tasks import print_bulletin
from tests.conftest import PINGLU, SHUOCHENG
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
NUMBERS = ("task", "done", "done_this_month", "under_way", "not_started", "sand_done")


@pytest.fixture
def signed_in(people):
    """Return a function that gives a browser in which a role's person has signed in."""

    def sign_in(role):
        client = Client()
        client.force_login(people[role], backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in


@pytest.fixture
def april(counties):
    """Return the April report of 朔城区, five mines to merge."""
    set_targets(counties[SHUOCHENG], 0, 0, 5, 0)
    open_month(APRIL)
    return report_of(counties[SHUOCHENG], APRIL)


@pytest.fixture
def filed(april, people):
    """Return the April report of 朔城区 as it was signed."""
    by = people["county_clerk"], people["county_leader"]
    return file_report(april.county, APRIL, by, at(4, 20), ZERO, ZERO, batch(5, 2, 2), ZERO)


@pytest.fixture
def draft(filed, people):
    """Return a draft of the second quarter's bulletin."""
    return bulletins.draft_bulletin(year=2025, quarter=2, by=people["office"], at=at(7, 5))


def typed(report, **changes):
    """Return what the browser sends for a report's form."""
    data = {"problems": "", "next_steps": ""}
    for row in report.rows.all():
        data |= {f"{row.kind}_{name}": str(getattr(row, name)) for name in NUMBERS}
        data[f"{row.kind}_note"] = row.note
    return data | changes


def text_of(response):
    return response.content.decode()


# --- monthly reports ---------------------------------------------------------------------------


def test_a_county_sees_its_own_row_and_the_office_sees_six(april, signed_in):
    url = reverse("report-list") + "?year=2025"
    county = text_of(signed_in("county_clerk").get(url))
    assert county.count('<th scope="row">') == 1
    assert "朔城区" in county
    assert "平鲁区" not in county.split("<table", 1)[1]
    office = text_of(signed_in("office").get(url))
    assert office.count('<th scope="row">') == 7
    assert "平鲁区" in office


def test_late_reports_are_marked_for_everybody(april, counties, people, signed_in):
    by = people["other_county_clerk"], people["other_county_leader"]
    file_report(counties[PINGLU], APRIL, by, at(4, 26), ZERO, ZERO, ZERO, ZERO)
    url = reverse("report-list") + "?year=2025"
    for role in ("office", "member_unit", "city_leader"):
        matrix = text_of(signed_in(role).get(url)).split("<tbody>", 1)[1].split("</tbody>", 1)[0]
        assert matrix.count("逾期") == 5
        assert matrix.count("迟报") == 1
    assert "逾期" in text_of(signed_in("county_clerk").get(url))


def test_the_office_reads_a_report_only_once_it_is_signed(april, people, signed_in):
    url = reverse("report", args=[april.pk])
    office = signed_in("office")
    assert office.get(url).status_code == 404
    assert url not in text_of(office.get(reverse("report-list") + "?year=2025"))
    by = people["county_clerk"], people["county_leader"]
    file_report(april.county, APRIL, by, at(4, 20), ZERO, ZERO, batch(5, 2, 2), ZERO)
    page = text_of(office.get(url))
    assert "40.00" in page
    assert "退回修改" in page


@pytest.mark.parametrize(
    "role", ["other_county_clerk", "other_county_leader", "expert", "inspector"]
)
def test_another_countys_report_does_not_exist_for_strangers(filed, signed_in, role):
    client = signed_in(role)
    assert client.get(reverse("report", args=[filed.pk])).status_code == 404
    for name in ("report", "report-submit", "report-return", "report-correct"):
        assert client.post(reverse(name, args=[filed.pk])).status_code == 404


def test_a_visitor_is_sent_to_sign_in(april):
    response = Client().get(reverse("report", args=[april.pk]))
    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in/")


def test_the_second_of_two_colleagues_is_told_and_loses_nothing(april, people, signed_in):
    url = reverse("report", args=[april.pk])
    clerk, reviewer = signed_in("county_clerk"), signed_in("county_reviewer")
    first = typed(april, problems="先存的", seen="0")
    second = typed(april, problems="后存的", seen="0")
    assert clerk.post(url, first).status_code == 302
    told = reviewer.post(url, second)
    assert told.status_code == 422
    assert f"你打开之后，{people['county_clerk']}保存过这份月报" in text_of(told)
    assert "后存的" in text_of(told)
    assert '<input type="hidden" name="seen" value="1">' in text_of(told)
    april.refresh_from_db()
    assert april.problems == "先存的"
    assert reviewer.post(url, second | {"seen": "1"}).status_code == 302
    april.refresh_from_db()
    assert (april.problems, april.times_saved) == ("后存的", 2)


def test_mistakes_are_named_beside_the_fields_and_nothing_typed_is_lost(april, signed_in):
    response = signed_in("county_clerk").post(
        reverse("report", args=[april.pk]),
        typed(
            april, merge_done="3", merge_done_this_month="4", merge_not_started="1",
            close_done="两座", problems="补偿协议未签。",
        ),
    )  # fmt: skip
    page = text_of(response)
    assert response.status_code == 422
    assert "累计完成 3、进行中 0、未启动 1，合计 4 座，与任务数 5 座不符" in page
    assert "本月新增 4 座，多于累计完成 3 座" in page
    assert "请只填整数，单位“座”已在框里。" in page
    assert 'href="#id_merge_not_started_field"' in page
    assert 'value="两座"' in page
    assert "补偿协议未签。" in page
    april.refresh_from_db()
    assert april.filled_by is None


def test_a_fall_asks_for_a_note_and_takes_it(filed, people, signed_in):
    open_month(MAY)
    may = report_of(filed.county, MAY)
    client = signed_in("county_clerk")
    url = reverse("report", args=[may.pk])
    fallen = typed(may, merge_done="1", merge_not_started="4")
    response = client.post(url, fallen)
    assert "累计完成由上次报送的 2 座减为 1 座。请在这里写明原因。" in text_of(response)
    response = client.post(url, fallen | {"merge_note": "上月误报一座"})
    assert response.status_code == 302
    assert may.rows.get(kind="merge").done == 1


def test_the_provinces_task_cannot_be_typed_over(april, signed_in):
    signed_in("county_clerk").post(
        reverse("report", args=[april.pk]),
        typed(april, merge_task="1", merge_done="1", merge_not_started="4"),
    )
    row = april.rows.get(kind="merge")
    assert (row.task, row.done) == (5, 1)


def test_clerk_saves_leader_signs_office_returns_county_corrects(april, people, signed_in):
    clerk, leader, office = (signed_in(r) for r in ("county_clerk", "county_leader", "office"))
    url = reverse("report", args=[april.pk])
    assert "填报员还没有核对并保存本月数据" in text_of(leader.get(url))
    clerk.post(url, typed(april, merge_done="2", merge_done_this_month="2", merge_not_started="3"))
    assert "数据已锁定" in text_of(
        leader.post(reverse("report-submit", args=[april.pk]), follow=True)
    )
    assert "<form" not in text_of(leader.get(url)).split('id="main"', 1)[1]
    empty = office.post(reverse("report-return", args=[april.pk]), {"note": ""})
    assert empty.status_code == 422
    assert "请写明退回的原因和要改的内容。" in text_of(empty)
    office.post(reverse("report-return", args=[april.pk]), {"note": "请补充存在问题"})
    assert "请补充存在问题" in text_of(clerk.get(url))
    clerk.post(url, typed(april, merge_done="2", merge_done_this_month="2", merge_not_started="3"))
    leader.post(reverse("report-submit", args=[april.pk]))
    corrected = clerk.post(
        reverse("report-correct", args=[april.pk]), {"reason": "误报一座"}, follow=True
    )
    page = text_of(corrected)
    assert "第2版，更正原因：" in page
    assert "误报一座" in page
    assert "更正版" in page
    assert report_of(april.county, APRIL).version == 2


def test_a_clerk_opens_this_months_report_when_the_clock_has_not(counties, signed_in):
    client = signed_in("county_clerk")
    month = month_of(timezone.localdate())
    label = f"建立{month.year}年{month.month}月月报"
    assert label in text_of(client.get(reverse("report-list")))
    assert label not in text_of(signed_in("office").get(reverse("report-list")))
    response = client.post(reverse("report-open"), {"county": SHUOCHENG})
    report = MonthlyReport.objects.get(county_id=SHUOCHENG, month=month)
    assert response["Location"] == reverse("report", args=[report.pk])
    assert label not in text_of(client.get(reverse("report-list")))
    again = client.post(reverse("report-open"), {"county": SHUOCHENG})
    assert again["Location"] == response["Location"]
    assert client.post(reverse("report-open"), {"county": PINGLU}).status_code == 404


def count_queries(client, url):
    client.get(url)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


def test_the_matrix_takes_as_many_queries_for_one_month_as_for_twelve(april, signed_in):
    office = signed_in("office")
    url = reverse("report-list") + "?year=2025"
    few = count_queries(office, url)
    for month in range(5, 13):
        open_month(date(2025, month, 1))
    assert count_queries(office, url) == few
    assert few <= 15


# --- bulletins ---------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["county_clerk", "county_leader", "expert", "audit_admin"])
def test_drafts_do_not_exist_for_people_without_the_citys_rights(draft, signed_in, role):
    client = signed_in(role)
    for url in (
        reverse("bulletin-desk"),
        reverse("bulletin", args=[draft.pk]),
        reverse("public-bulletin", args=[draft.pk]),
        reverse("bulletin-pdf", args=[draft.pk]),
    ):
        assert client.get(url).status_code == 404
    assert client.post(reverse("bulletin-issue", args=[draft.pk])).status_code == 404


def test_a_draft_does_not_exist_for_the_public(draft):
    client = Client()
    assert client.get(reverse("public-bulletin", args=[draft.pk])).status_code == 404
    assert client.get(reverse("bulletin-pdf", args=[draft.pk])).status_code == 404
    assert draft.title not in text_of(client.get(reverse("bulletin-list")))
    assert client.get(reverse("bulletin-desk")).status_code == 302


def test_readers_of_the_city_see_the_draft_without_its_forms(draft, signed_in):
    page = text_of(signed_in("city_leader").get(reverse("bulletin", args=[draft.pk])))
    assert "朔城区（40.00%）" in page
    assert "修改这一段" not in page
    assert "印发后在公众网站公开" not in page


def test_the_office_drafts_a_quarter_from_the_desk(filed, signed_in):
    year, quarter = timezone.localdate().year, (timezone.localdate().month + 2) // 3
    office = signed_in("office")
    response = office.post(reverse("bulletin-desk"), {"quarter": f"{year}-{quarter}"})
    made = Bulletin.objects.get()
    assert (made.year, made.quarter) == (year, quarter)
    assert response["Location"] == reverse("bulletin", args=[made.pk])
    assert made.period in text_of(office.get(reverse("bulletin-desk")))
    refused = office.post(reverse("bulletin-desk"), {"quarter": "1999-9"})
    assert refused.status_code == 200
    assert Bulletin.objects.count() == 1


def test_paragraph_by_paragraph_the_office_edits_and_takes_back(draft, signed_in):
    office = signed_in("office")
    url = reverse("bulletin-paragraph", args=[draft.pk, "next"])
    response = office.post(url, {"text": "各县要加快进度。"})
    assert response["Location"] == reverse("bulletin", args=[draft.pk]) + "#p-next"
    office.post(reverse("bulletin-refresh", args=[draft.pk]))
    page = text_of(office.get(reverse("bulletin", args=[draft.pk])))
    assert "各县要加快进度。" in page
    assert "已改写" in page
    assert "改回系统拟的文字" in page
    office.post(url, {"text": "各县要加快进度。", "restore": "1"})
    draft.refresh_from_db()
    assert draft.paragraphs[-1]["edited"] is False


def test_the_page_shows_tables_charts_and_where_each_figure_comes_from(draft, filed, signed_in):
    page = text_of(signed_in("office").get(reverse("bulletin", args=[draft.pk])))
    assert page.count("<svg xmlns=") == 2
    assert "全市整治整合分类进展（截至2025年4月底）" in page
    assert reverse("report", args=[filed.pk]) in page


def test_the_page_warns_when_reports_have_changed_since(draft, filed, people, signed_in):
    office = signed_in("office")
    url = reverse("bulletin", args=[draft.pk])
    assert "拟稿后月报有变化" not in text_of(office.get(url))
    actions.return_report(report_id=filed.pk, by=people["office"], note="请核对")
    assert "拟稿后月报有变化" in text_of(office.get(url))
    office.post(reverse("bulletin-refresh", args=[draft.pk]))
    assert "拟稿后月报有变化" not in text_of(office.get(url))


def test_a_taken_number_is_refused_on_the_page(draft, people, signed_in):
    other = bulletins.draft_bulletin(year=2025, quarter=1, by=people["office"], at=at(4, 5))
    approve(other, people["office"])
    bulletins.issue_bulletin(
        bulletin_id=other.pk, number=1, issued_on=date(2025, 4, 10), is_public=True,
        by=people["office"],
    )  # fmt: skip
    approve(draft, people["office"])
    response = signed_in("office").post(
        reverse("bulletin-issue", args=[draft.pk]), {"number": "1", "issued_on": "2025-07-10"}
    )
    assert response.status_code == 422
    assert "已经用过，下一个可用的是 2 号" in text_of(response)


def test_printing_shows_progress_then_the_pdf(draft, signed_in):
    office = signed_in("office")
    url = reverse("bulletin", args=[draft.pk])
    office.post(reverse("bulletin-print", args=[draft.pk]))
    job = Job.objects.get()
    page = text_of(office.get(url))
    assert reverse("job", args=[job.pk]) in page
    assert "打开 PDF" not in page
    work(job)
    assert "打开 PDF" in text_of(office.get(url))
    preview, body = read(office, draft)
    assert body.startswith(b"%PDF-")
    assert quote("（草稿）.pdf") in preview["Content-Disposition"]
    assert preview["Cache-Control"] == "no-store, private"


def test_a_leader_approves_what_was_read_and_nothing_else(draft, people, signed_in):
    office, leader = signed_in("office"), signed_in("city_leader")
    page, number = reverse("bulletin", args=[draft.pk]), {"number": "3", "issued_on": "2099-07-10"}
    refused = office.post(reverse("bulletin-issue", args=[draft.pk]), number)
    assert refused.status_code == 422
    assert "还没有领导签批" in text_of(refused)
    read_then = leader.get(page).context["content"]
    office.post(
        reverse("bulletin-layout", args=[draft.pk]),
        {"head": "brief", "addressees": "各县（市、区）人民政府", "copies_to": "", "copies": "60"},
    )
    approve_url = reverse("bulletin-approve", args=[draft.pk])
    assert leader.post(approve_url, {"content": read_then}).status_code == 409
    assert leader.post(approve_url, {"content": leader.get(page).context["content"]}).url == page
    shown = text_of(office.get(page))
    assert "已签批" in shown
    assert str(people["city_leader"]) in shown
    # A word changed after the approval asks for a new one.
    office.post(reverse("bulletin-paragraph", args=[draft.pk, "next"]), {"text": "再加一句。"})
    assert "须重新签批" in text_of(office.get(page))
    refused = office.post(reverse("bulletin-issue", args=[draft.pk]), number)
    assert "请重新送签" in text_of(refused)
    on_paper = {"content": office.get(page).context["content"], "approver": "分管副市长"}
    later = office.post(approve_url, {**on_paper, "approved_on": "2099-07-10"})
    assert (later.status_code, "还没有到" in text_of(later)) == (422, True)
    office.post(approve_url, {**on_paper, "approved_on": "2025-07-08"})
    early = office.post(
        reverse("bulletin-issue", args=[draft.pk]), {**number, "issued_on": "2025-07-07"}
    )
    assert "早于签批日期" in text_of(early)
    office.post(reverse("bulletin-issue", args=[draft.pk]), {**number, "issued_on": "2025-07-10"})
    draft.refresh_from_db()
    assert (draft.document_number, draft.approver) == ("2025年第3期", "分管副市长")


def test_an_issued_bulletin_is_public_with_its_pdf(draft, people, signed_in):
    office = signed_in("office")
    approve(draft, people["office"])
    office.post(
        reverse("bulletin-issue", args=[draft.pk]),
        {"number": "3", "issued_on": "2025-07-10", "is_public": "on"},
    )
    public = Client()
    page = text_of(public.get(reverse("public-bulletin", args=[draft.pk])))
    assert "朔非煤整治办〔2025〕3号" in page
    assert "PDF 正在生成" in page
    assert draft.title in text_of(public.get(reverse("bulletin-list")))
    assert public.get(reverse("bulletin-pdf", args=[draft.pk])).status_code == 404
    work(Job.objects.get())
    answer, body = read(public, draft)
    draft.refresh_from_db()
    assert body == (Path(configured.MEDIA_ROOT) / str(draft.pdf.name)).read_bytes()
    assert answer["Content-Type"] == "application/pdf"
    assert answer["ETag"] == f'"{draft.pdf_sha256}"'
    name = quote(f"{draft.title}.pdf")
    assert answer["Content-Disposition"] == f"inline; filename*=utf-8''{name}"
    assert answer["Cache-Control"] == "public, no-cache"
    again = public.get(
        reverse("bulletin-pdf", args=[draft.pk]), headers={"If-None-Match": answer["ETag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert public.head(reverse("public-bulletin", args=[draft.pk])).status_code == 200


def test_an_internal_bulletin_stays_internal(draft, people, signed_in):
    approve(draft, people["office"])
    bulletins.issue_bulletin(
        bulletin_id=draft.pk, number=1, issued_on=date(2025, 7, 10), is_public=False,
        by=people["office"],
    )  # fmt: skip
    work(Job.objects.get())
    for client in (Client(), signed_in("county_clerk")):
        assert client.get(reverse("public-bulletin", args=[draft.pk])).status_code == 404
        assert client.get(reverse("bulletin-pdf", args=[draft.pk])).status_code == 404
    assert read(signed_in("city_leader"), draft)[0].status_code == 200


@pytest.mark.parametrize("is_demo", [True, False])
def test_pages_of_a_demonstration_say_so(draft, people, settings, is_demo):
    approve(draft, people["office"])
    bulletins.issue_bulletin(
        bulletin_id=draft.pk, number=1, issued_on=date(2025, 7, 10), is_public=True,
        by=people["office"],
    )  # fmt: skip
    settings.DEMO = is_demo
    page = text_of(Client().get(reverse("public-bulletin", args=[draft.pk])))
    assert ("示例：数据为虚构，不是真实通报" in page) is is_demo


def test_words_of_users_stay_words(draft, people, signed_in):
    bulletins.edit_paragraph(
        bulletin_id=draft.pk, key="next", text="<script>alert(1)</script>", by=people["office"]
    )
    page = text_of(signed_in("office").get(reverse("bulletin", args=[draft.pk])))
    assert "<script>alert(1)</script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_lists_and_pages_of_bulletins_take_the_same_queries_for_one_and_for_four(
    draft, people, signed_in
):
    office = signed_in("office")
    urls = [
        reverse("bulletin-desk"),
        reverse("bulletin-list"),
        reverse("bulletin", args=[draft.pk]),
    ]
    few = [count_queries(office, url) for url in urls]
    for quarter in (1, 3, 4):
        made = bulletins.draft_bulletin(
            year=2025, quarter=quarter, by=people["office"], at=at(1, 5, 2026)
        )
        approve(made, people["office"])
        bulletins.issue_bulletin(
            bulletin_id=made.pk, number=quarter, issued_on=date(2026, 1, 5), is_public=True,
            by=people["office"],
        )  # fmt: skip
    for month in (MAY, JUNE):
        open_month(month)
    assert [count_queries(office, url) for url in urls] == few
    assert max(few) <= 15


def work(job):
    """Do a job as the worker does, inside the test's transaction."""
    taken = claim(job.pk, at=timezone.now())
    print_bulletin(Run(taken))
    finish(taken, Job.State.DONE)


def read(client, bulletin):
    """Return the answer with the PDF, and its bytes; reading to the end closes the file."""
    answer = client.get(reverse("bulletin-pdf", args=[bulletin.pk]))
    return answer, answer.getvalue()


def test_a_report_holds_the_four_batches_in_the_plans_order(april):
    assert [row.kind for row in april.rows.all()] == [kind.value for kind in BATCHES]
