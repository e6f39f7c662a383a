"""Walk the product as people do, in a real browser with a real worker behind it."""

import io
import re
from typing import Any

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect

from plans.workbook_columns import DISPOSITIONS, FIRST_ROW
from tests.browser.conftest import PHONE
from tests.browser.site import Site


def test_walk_reaches_the_end_and_may_be_walked_again(walked: str, site: Site) -> None:
    assert "走查完成" in walked.splitlines()[-1]
    for step in ("[1/6]", "[2/6]", "[3/6]", "[4/6]", "[5/6]", "[6/6]"):
        assert step in walked
    again = site.manage("walk", "--url", site.url)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "走查完成" in again.stdout.splitlines()[-1]


def test_county_mends_its_workbook_and_office_returns_it(visitors: Any, site: Site) -> None:
    clerk = visitors("pinglu.clerk")
    clerk.page.goto("/staff/plans/")
    clerk.page.get_by_role("button", name="建立本轮方案").click()
    expect(clerk.page.get_by_role("heading", level=1)).to_contain_text("平鲁区")
    with clerk.page.expect_download() as download:
        clerk.page.get_by_role("link", name="下载本县模板").click()
    template = download.value.path().read_bytes()

    _upload(clerk.page, template, "平鲁区_没填.xlsx")
    expect(clerk.page.get_by_role("alert")).to_contain_text("处错误")
    mine_rows = clerk.page.get_by_text("没有填写“处置方式”")
    assert mine_rows.count() > 0
    with clerk.page.expect_download() as marked:
        clerk.page.get_by_role("link", name="下载标注错误的工作簿").click()
    assert "核查结果" in load_workbook(io.BytesIO(marked.value.path().read_bytes())).sheetnames

    _upload(clerk.page, _all_kept(template), "平鲁区_已填.xlsx")
    expect(clerk.page.get_by_text("已读入并完成检查。")).to_be_visible(timeout=60_000)
    clerk.page.get_by_role("link", name="看检查结果").click()
    expect(clerk.page.locator("dt", has_text="依据").first).to_be_visible()

    clerk.page.goto("/staff/plans/")
    clerk.page.get_by_role("link", name="平鲁区").first.click()
    clerk.page.get_by_role("button", name="送县级审定").click()
    expect(clerk.page.get_by_text("已办理：送县级审定。")).to_be_visible()

    leader = visitors("pinglu.leader")
    leader.page.goto("/staff/")
    leader.page.get_by_role("link", name=re.compile("平鲁区方案")).click()
    leader.page.get_by_role("button", name="审定并报送").click()
    expect(leader.page.get_by_text("已办理：审定并报送。")).to_be_visible()

    office = visitors("office")
    office.page.goto("/staff/")
    office.page.get_by_role("link", name=re.compile("平鲁区方案")).click()
    office.page.get_by_role("button", name="签收").click()
    expect(office.page.get_by_text("已办理：签收。")).to_be_visible()
    office.page.get_by_label("意见").first.fill("请补充三座矿山的责任单位。")
    office.page.get_by_role("button", name="退回补正").click()
    expect(office.page.get_by_text("已办理：退回补正。")).to_be_visible()

    clerk.page.goto("/staff/")
    expect(clerk.page.get_by_text("按退回意见修改后重新上传")).to_be_visible()
    clerk.page.get_by_role("link", name=re.compile("平鲁区方案")).click()
    expect(clerk.page.get_by_text("请补充三座矿山的责任单位。")).to_be_visible()


@pytest.mark.usefixtures("walked")
def test_citizen_reads_the_notice_on_a_phone(visitors: Any) -> None:
    citizen = visitors(viewport=PHONE)
    citizen.page.goto("/")
    citizen.page.get_by_role("link", name="朔城区非煤矿山整治整合实施方案公示").first.click()
    expect(citizen.page.get_by_role("heading", level=1)).to_contain_text("朔城区")
    expect(citizen.page.get_by_text("青石坡整合采石场").first).to_be_visible()
    canvas = citizen.page.locator(".map canvas").first
    expect(canvas).to_be_visible()
    assert not citizen.is_wider_than_the_window()
    with citizen.page.expect_download() as download:
        citizen.page.get_by_role("link", name="矿山与处置、整合区（xlsx）").click()
    sheet = load_workbook(io.BytesIO(download.value.path().read_bytes()))["矿山与处置"]
    assert sheet.max_row == 13


@pytest.mark.usefixtures("walked")
@pytest.mark.parametrize(
    ("who", "paths"),
    [
        ("", ["/", "/notices/", "/map/", "/transfers/", "/bulletins/", "/standards/",
              "/task-force/", "/open-data/", "/sign-in/"]),
        ("shuocheng.clerk", ["/staff/", "/staff/mines/", "/staff/mines/SZ-140602-0004/",
                             "/staff/plans/", "/staff/reports/", "/staff/jobs/", "/staff/roster/"]),
        ("office", ["/staff/", "/staff/notices/", "/staff/bulletins/", "/staff/reports/"]),
    ],
    ids=["public", "clerk", "office"],
)  # fmt: skip
def test_pages_are_accessible_and_fit_the_window(visitors: Any, who: str, paths: list[str]) -> None:
    visitor = visitors(who)
    faults = {path: visitor.faults_of(path) for path in paths}
    assert {path: found for path, found in faults.items() if found} == {}


@pytest.mark.usefixtures("walked")
def test_parts_of_a_plan_are_accessible(visitors: Any) -> None:
    clerk = visitors("shuocheng.clerk")
    clerk.page.goto("/staff/plans/")
    clerk.page.get_by_role("link", name="朔城区").first.click()
    address = clerk.page.url.split("?")[0]
    parts = ("overview", "mines", "areas", "findings", "formal", "opinions", "panel", "versions",
             "way")  # fmt: skip
    faults = {part: clerk.faults_of(f"{address}?part={part}") for part in parts}
    assert {part: found for part, found in faults.items() if found} == {}


def _upload(page: Any, content: bytes, name: str) -> None:
    page.locator("input[type=file]").set_input_files(
        {
            "name": name,
            "mimeType": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "buffer": content,
        }
    )
    page.get_by_role("button", name="上传并检查").click()
    page.wait_for_url("**/versions/**")


def _all_kept(template: bytes) -> bytes:
    """Fill the template with 保留 for every mine."""
    book = load_workbook(io.BytesIO(template))
    sheet = book[DISPOSITIONS.sheet]
    for row in range(FIRST_ROW, sheet.max_row + 1):
        if sheet[DISPOSITIONS.cell("registry_no", row)].value:
            sheet[DISPOSITIONS.cell("disposition", row)].value = "保留(达标)"
            sheet[DISPOSITIONS.cell("reason", row)].value = "达标，继续生产（示例）"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
