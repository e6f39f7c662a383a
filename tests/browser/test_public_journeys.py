"""Walk the public's way: read on a phone, object, follow the case, get the reply."""

import re
import time
from typing import Any

from tests.browser.conftest import PHONE

PAGES = (
    "/", "/notices/", "/map/", "/transfers/", "/standards/", "/task-force/", "/open-data/",
    "/objections/",
)  # fmt: skip


def notice_path(page: Any) -> str:
    page.goto("/notices/")
    link = page.get_by_role("link", name=re.compile("朔城区.*公示")).first
    return str(link.get_attribute("href"))


def test_object_on_a_phone_follow_and_get_the_reply(site, walked, visitors, downloads) -> None:
    citizen = visitors(viewport=PHONE)
    page = citizen.page
    path = notice_path(page)
    page.goto(path)
    page.get_by_role("link", name="提出异议").click()
    page.get_by_label("姓名或单位名称").fill("示例异议人")
    page.get_by_label("联系电话").fill("13800004321")
    page.get_by_label("异议事项").fill("一处矿山的处置方式")
    page.get_by_label("事实和理由").fill("与现状不符。<img src=x onerror=alert(1)>")
    page.get_by_label("我已阅读个人信息说明").check()
    page.get_by_text("校验已完成").wait_for()
    page.get_by_role("button", name="提交异议").click()
    page.wait_for_url("**/objections/case/")
    heading = page.get_by_role("heading", level=1).inner_text()
    number = heading.split()[-1]
    assert re.fullmatch(r"YY\d{6}-\w{4}-\w{4}", number)
    assert not citizen.is_wider_than_the_window()
    assert citizen.scan() == []

    office = visitors("office")
    office.page.goto("/staff/objections/")
    office.page.get_by_role("link", name=number).click()
    assert "示例异议人" not in office.page.content()
    assert office.scan() == []
    office.page.get_by_role("button", name="查看身份信息").click()
    office.page.get_by_text("示例异议人").wait_for()
    office.page.goto("/staff/objections/")
    office.page.get_by_role("link", name=number).click()
    office.page.get_by_role("button", name="受理", exact=True).click()
    office.page.get_by_role("button", name="开始核查").click()
    office.page.get_by_label("异议不成立").check()
    office.page.get_by_label("答复内容").fill("经现场核查，处置方式与方案一致。")
    office.page.get_by_role("button", name="答复", exact=True).click()
    office.page.get_by_role("button", name="办结").click()
    office.page.get_by_text("已办结").first.wait_for()

    page.get_by_role("button", name="结束查询").click()
    page.get_by_label("回执编号").fill(number.lower())
    page.get_by_label("电话后四位").fill("4321")
    page.get_by_role("button", name="查询").click()
    page.get_by_text("经现场核查，处置方式与方案一致。").wait_for()
    link = page.get_by_role("link", name="下载答复书")
    deadline = time.monotonic() + 60
    while not link.count() and time.monotonic() < deadline:
        page.wait_for_timeout(1000)
        page.reload()
    with page.expect_download() as download:
        link.click()
    file = downloads / "reply.pdf"
    download.value.save_as(file)
    assert file.read_bytes().startswith(b"%PDF-")


def test_a_question_is_asked_and_answered(site, walked, visitors) -> None:
    citizen = visitors(viewport=PHONE)
    path = notice_path(citizen.page)
    citizen.page.goto(f"{path}ask/")
    citizen.page.get_by_label("你的问题").fill("整合区什么时候开工？")
    citizen.page.get_by_text("校验已完成").wait_for()
    assert not citizen.is_wider_than_the_window()
    citizen.page.get_by_role("button", name="提交问题").click()
    citizen.page.get_by_role("heading", name="问题已收到").wait_for()
    office = visitors("office")
    office.page.goto("/staff/questions/")
    office.page.get_by_role("link", name="整合区什么时候开工？").click()
    office.page.get_by_label("答复（对外公开）").fill("按方案的完成时限推进。")
    office.page.get_by_role("button", name="公开答复").click()
    citizen.page.goto(path)
    citizen.page.get_by_text("答：按方案的完成时限推进。").wait_for()


def test_public_pages_fit_and_are_for_everyone(site, walked, visitors) -> None:
    visitor = visitors()
    path = notice_path(visitor.page)
    addresses = (*PAGES, path, f"{path}object/", f"{path}ask/", "/?large=1")
    faults = {address: visitor.faults_of(address) for address in addresses}
    assert {address: found for address, found in faults.items() if found} == {}


def test_desks_of_the_office_are_for_everyone(site, walked, visitors) -> None:
    office = visitors("office")
    desks = ("notices", "objections", "questions", "transfers")
    faults = {desk: office.faults_of(f"/staff/{desk}/") for desk in desks}
    assert {desk: found for desk, found in faults.items() if found} == {}


def test_without_scripts_one_can_object(site, walked, chromium) -> None:
    context = chromium.new_context(base_url=site.url, java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    page.goto("/notices/")
    page.get_by_role("link", name=re.compile("朔城区.*公示")).first.click()
    page.get_by_role("link", name="提出异议").click()
    page.get_by_label("姓名或单位名称").fill("示例异议人")
    page.get_by_label("联系电话").fill("13800004321")
    page.get_by_label("异议事项").fill("没有脚本")
    page.get_by_label("事实和理由").fill("与现状不符。")
    page.get_by_label("我已阅读个人信息说明").check()
    page.get_by_role("button", name="提交异议").click()
    page.wait_for_url("**/objections/case/")
    context.close()


def test_the_first_view_is_under_one_megabyte(site, walked, visitors) -> None:
    page = visitors(viewport=PHONE).page
    sizes: list[int] = []
    page.on("response", lambda answer: sizes.append(int(answer.headers.get("content-length", 0))))
    page.goto("/notices/", wait_until="networkidle")
    assert sum(sizes) < 1_000_000
