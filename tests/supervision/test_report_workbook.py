"""The monthly report as a workbook: given out filled in, read back, refused with the cell named."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import load_workbook

from supervision.report_workbook import report_form
from tests.conftest import PINGLU, SHUOCHENG
from tests.supervision.quarter import APRIL, MAY, at, batch, file_report, open_month, report_of
from tests.supervision.quarter import set_targets as targets
from tests.supervision.test_inspections import browser

ZERO = batch(0, 0, 0)


@pytest.fixture
def april(counties):
    targets(counties[SHUOCHENG], 0, 0, 5, 0)
    open_month(APRIL)
    return report_of(counties[SHUOCHENG], APRIL)


def filled(report, **cells) -> SimpleUploadedFile:
    book = load_workbook(io.BytesIO(report_form(report)))
    for place, value in cells.items():
        book["月报"][place] = value
    out = io.BytesIO()
    book.save(out)
    return SimpleUploadedFile("月报.xlsx", out.getvalue())


def send(person, report, upload):
    page = reverse("report-upload", args=[report.pk])
    return browser(person).post(page, {"workbook": upload}, follow=True)


def test_form_comes_with_what_is_known(april, people):
    answer = browser(people["county_clerk"]).get(reverse("report-file", args=[april.pk]))
    sheet = load_workbook(io.BytesIO(answer.content))["月报"]
    assert sheet["A1"].value == "朔城区2025年4月月报"
    assert [cell.value for cell in sheet[7]][:7] == ["整合重组", 5, 0, 0, 0, 5, 0]
    assert sheet["C7"].protection.locked is False
    assert sheet["A7"].protection.locked is True


def test_filled_form_is_saved(april, people):
    upload = filled(april, C7=2, D7="２", E7=1, F7=2, B10="道路不畅。", B11="五月修通。")
    assert "已保存" in send(people["county_clerk"], april, upload).content.decode()
    april.refresh_from_db()
    row = april.rows.get(kind="merge")
    assert (row.task, row.done, row.done_this_month, row.under_way, row.not_started) == (
        5, 2, 2, 1, 2,
    )  # fmt: skip
    assert (april.problems, april.next_steps) == ("道路不畅。", "五月修通。")
    assert april.filled_by == people["county_clerk"]


def test_cells_that_cannot_be_read_are_named_and_the_rest_is_kept(april, people):
    upload = filled(april, C7="两座", E7="=1+1", B10="道路不畅。")
    answer = send(people["county_clerk"], april, upload)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "月报 第7行 C7 单元格『两座』不是数字" in page
    assert "第7行 E7 单元格" in page
    assert "是公式" in page
    assert "道路不畅。" in page
    april.refresh_from_db()
    assert april.filled_by is None


def test_figures_that_contradict_come_back_into_the_page(april, people):
    answer = send(people["county_clerk"], april, filled(april, C7=9))
    assert answer.status_code == 422
    assert "累计完成 9 座，多于任务数 5 座" in answer.content.decode()


def test_other_forms_and_files_are_refused(april, people, counties):
    other = report_of(counties[PINGLU], APRIL)
    open_month(MAY)
    for report in (other, report_of(counties[SHUOCHENG], MAY)):
        answer = send(people["county_clerk"], april, filled(report))
        assert answer.status_code == 422
        assert "这张表不是朔城区 2025年4月月报的" in answer.content.decode()
    answer = send(people["county_clerk"], april, SimpleUploadedFile("a.xlsx", b"no workbook"))
    assert answer.status_code == 422
    assert april.rows.get(kind="merge").done == 0


def test_only_who_fills_an_open_report_gets_the_form(april, people):
    page = reverse("report-file", args=[april.pk])
    for role in ("county_leader", "other_county_clerk", "office", "expert"):
        assert browser(people[role]).get(page).status_code == 404
    hands = people["county_clerk"], people["county_leader"]
    file_report(april.county, APRIL, hands, at(4, 20), ZERO, ZERO, batch(5, 2, 2), ZERO)
    assert browser(people["county_clerk"]).get(page).status_code == 404
