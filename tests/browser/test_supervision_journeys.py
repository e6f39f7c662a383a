"""Walk a visit from the site to the closing of its problems, and a meeting to its orders."""

import re
import time
from datetime import date, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.browser.site import Site

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"\x01" * 200 + b"\xff\xd9"
WHERE = "山阴县"


def photo(name: str = "现场.jpg") -> dict[str, Any]:
    return {"name": name, "mimeType": "image/jpeg", "buffer": JPEG}


def form_team(office: Any) -> None:
    """Let the office form a team that is at work today, with the inspector in it."""
    page = office.page
    page.goto("/staff/supervision/teams/")
    page.get_by_label("名称").fill("第一督导组（示例）")
    page.get_by_label("起", exact=True).fill("2025-01-01")
    page.get_by_label("止", exact=True).fill("2099-12-31")
    page.get_by_role("button", name="组建").click()
    page.locator("summary", has_text="加入成员").click()
    page.get_by_label("账号").select_option(label="督导组成员（示例）")
    page.get_by_role("button", name="加入", exact=True).click()
    expect(page.get_by_text("已加入第一督导组（示例）")).to_be_visible()


def fill_problem(page: Page, number: int, text: str, due_on: date) -> None:
    block = page.locator("details.problem-block").nth(number)
    if block.get_attribute("open") is None:
        block.locator("summary").click()
    block.get_by_label("问题").fill(text)
    block.get_by_label("依据条款").fill("四（二）5")
    block.get_by_label("整改措施").fill("限期整改（示例）")
    block.get_by_label("责任单位").fill("示例矿业公司")
    block.get_by_label("整改时限").fill(due_on.isoformat())


def wait_for_photos(page: Page, number: int) -> None:
    """Wait until the draft's photos are back; the page's policy lets nothing poll inside it."""
    deadline = time.monotonic() + 20
    count = "() => document.querySelector('input[type=file]').files.length"
    while page.evaluate(count) != number:
        assert time.monotonic() < deadline
        page.wait_for_timeout(100)


def step(visitor: Any, label: str, button: str, words: str) -> None:
    visitor.page.get_by_label(label).fill(words)
    visitor.page.get_by_role("button", name=button).click()
    expect(visitor.page.get_by_text(f"已办理：{button}。")).to_be_visible()


def check_pages(visitors: Any, who: str, paths: list[str]) -> None:
    """Scan pages and measure them, on the office's screen and on a phone."""
    visitor = visitors(who)
    faults = {path: visitor.faults_of(path) for path in paths}
    assert {path: found for path, found in faults.items() if found} == {}


def test_visit_goes_to_the_closing_and_a_meeting_follows(visitors: Any, site: Site) -> None:
    office = visitors("office")
    form_team(office)

    # On site, on a phone: the line drops, the record stays, and is sent later.
    inspector = visitors("inspector", viewport=PHONE)
    page = inspector.page
    page.goto("/staff/supervision/")
    page.get_by_role("link", name=WHERE).click()
    today = date.today()  # noqa: DTZ011
    page.get_by_label("日期").fill((today - timedelta(days=3)).isoformat())
    page.get_by_label("检查情况").fill("抽查两处采场（示例）。")
    page.get_by_label("现场照片").set_input_files([photo()])
    fill_problem(page, 0, "边坡过陡（示例）", today + timedelta(days=20))
    fill_problem(page, 1, "没有警示标志（示例）", today - timedelta(days=1))
    page.context.set_offline(True)
    page.get_by_role("button", name=re.compile("存入并发给")).click()
    expect(page.get_by_text("现在没有网络")).to_be_visible()
    page.context.set_offline(False)
    page.reload()
    expect(page.get_by_text("已恢复本机上没有报送的草稿")).to_be_visible()
    expect(page.get_by_label("检查情况")).to_have_value("抽查两处采场（示例）。")
    assert not inspector.is_wider_than_the_window()
    wait_for_photos(page, 1)
    page.get_by_role("button", name=re.compile("存入并发给")).click()
    expect(page.get_by_text("督导验收记录已存。")).to_be_visible()
    expect(page.locator(".photos img")).to_have_count(1)
    visit = page.url.split("?")[0]
    assert page.evaluate("localStorage.length") == 0

    # The county answers one; the group closes it; the other is overdue and escalated.
    clerk = site.manage("shell", "-c", COUNTY_CLERK)
    assert clerk.returncode == 0, clerk.stderr
    county = visitors("shanyin.clerk")
    county.page.goto("/staff/")
    county.page.get_by_role("row", name=re.compile("边坡过陡")).get_by_role("link").click()
    county.page.get_by_label("照片").set_input_files([photo("整改.jpg")])
    step(county, "整改情况", "报送整改情况", "已削坡减载（示例）。")
    page.goto("/staff/")
    page.get_by_role("row", name=re.compile("边坡过陡")).get_by_role("link").click()
    step(inspector, "复查情况与销号依据", "销号", "复查合格（示例）。")
    office.page.goto("/staff/supervision/problems/?show=overdue")
    office.page.get_by_role("link", name="没有警示标志（示例）").click()
    problem = office.page.url
    step(office, "督办要求", "升级督办", "十日内设置（示例）。")

    # A meeting takes up the open problem; its decision becomes an order to the county.
    page = office.page
    page.goto("/staff/meetings/")
    page.get_by_label("名称").fill("专题会（示例）")
    page.get_by_label("日期").fill(today.isoformat())
    page.get_by_label("没有警示标志（示例）").check()
    page.get_by_role("button", name="建立会议").click()
    expect(page.get_by_text(f"研究{WHERE}督导问题：没有警示标志（示例）")).to_be_visible()
    meeting = page.url
    page.locator("summary", has_text="登记到会").click()
    page.get_by_label("单位", exact=True).first.select_option(label="市应急管理局")
    page.get_by_role("button", name="登记", exact=True).click()
    expect(page.get_by_text("已登记。")).to_be_visible()
    page.locator("summary", has_text="加议定事项").click()
    page.locator("#decision_text").fill("补设警示标志（示例）。")
    page.locator("#decision_unit").select_option(label=f"{WHERE}人民政府")
    page.locator("#decision_due_on").fill((today + timedelta(days=10)).isoformat())
    page.get_by_role("button", name="加入", exact=True).last.click()
    expect(page.get_by_text("议定事项已记下")).to_be_visible()
    page.get_by_label("纪要正文").fill("会议听取了汇报（示例）。")
    page.get_by_role("button", name="印发纪要").click()
    page.get_by_role("button", name="确定").click()
    expect(page.get_by_text("督办：待签收")).to_be_visible()
    expect(page.get_by_role("link", name="打开纪要 PDF")).to_be_visible(timeout=60_000)

    county.page.goto("/staff/")
    county.page.get_by_role("link", name=re.compile("落实会议纪要第1期")).click()
    order = county.page.url
    county.page.get_by_role("button", name="签收").click()
    step(county, "办理情况", "反馈", "已补设（示例）。")

    paths = [
        "/staff/supervision/", "/staff/supervision/teams/", visit, "/staff/supervision/problems/",
        problem, "/staff/supervision/acceptances/", "/staff/supervision/orders/?show=all",
        "/staff/supervision/orders/new/", order, "/staff/meetings/", meeting,
    ]  # fmt: skip
    check_pages(visitors, "office", [path.removeprefix(site.url) for path in paths])
    check_pages(visitors, "inspector", ["/staff/supervision/visits/new/140621/"])


COUNTY_CLERK = """
from django.conf import settings
from shuozhou_mines.walk import read_demo
from taskforce.actions import grant_role
from taskforce.models import County, Organization, User
from taskforce.roles import Role
county = County.objects.get(pk="140621")
user = User.objects.create(username="shanyin.clerk", name="山阴县填报员（示例）", is_demo=True,
                           organization=Organization.objects.get(county=county))
user.set_password(read_demo("users.json")["password"])
user.save()
grant_role(to=user, role=Role.COUNTY_CLERK, county=county)
"""


@pytest.mark.usefixtures("walked")
def test_tasks_of_an_approved_plan_are_proven_item_by_item(visitors: Any) -> None:
    clerk = visitors("shuocheng.clerk")
    page = clerk.page
    page.goto("/staff/supervision/tasks/")
    expect(page.get_by_role("heading", name="时间表")).to_be_visible()
    page.locator(".board-card a").first.click()
    expect(page.get_by_role("button", name="登记完成")).to_be_disabled()
    task = page.url
    page.get_by_text("登记依据").first.click()
    page.get_by_label("完成日期").first.fill("2025-09-10")
    page.get_by_label("依据", exact=True).first.fill("公告文号（示例）")
    page.get_by_role("button", name="保存依据").first.click()
    expect(page.get_by_text("依据已登记。")).to_be_visible()
    paths = ["/staff/supervision/tasks/", task.removeprefix(clerk.site.url)]
    check_pages(visitors, "shuocheng.clerk", paths)
