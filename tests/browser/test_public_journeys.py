"""Walk the public's way: read on a phone, object, follow the case, get the reply."""

import re
import time
from typing import Any

import pytest

from tests.browser.conftest import PHONE

PAGES = (
    "/", "/notices/", "/map/", "/transfers/", "/standards/", "/task-force/", "/open-data/",
    "/objections/", "/bulletins/", "/about/",
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
    page.get_by_role("link", name="提出异议").first.click()
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
    office.page.wait_for_url(re.compile(r"/staff/objections/\d+/"))
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
    page.get_by_role("link", name="提出异议").first.click()
    page.get_by_label("姓名或单位名称").fill("示例异议人")
    page.get_by_label("联系电话").fill("13800004321")
    page.get_by_label("异议事项").fill("没有脚本")
    page.get_by_label("事实和理由").fill("与现状不符。")
    page.get_by_label("我已阅读个人信息说明").check()
    page.get_by_role("button", name="提交异议").click()
    page.wait_for_url("**/objections/case/")
    context.close()


def test_without_scripts_all_but_the_map_can_be_read(site, walked, visitors, chromium) -> None:
    path = notice_path(visitors().page)
    context = chromium.new_context(base_url=site.url, java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    for address in (*PAGES, path, f"{path}ask/"):
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200
        assert page.locator("main h1").is_visible(), address
    page.goto(path)
    page.get_by_role("rowheader", name="朔城区黑驼岭铁矿（示例）").wait_for()
    page.get_by_role("link", name="长者模式").click()
    assert "large" in str(page.locator("html").get_attribute("class"))
    context.close()


def test_by_keyboard_alone(site, walked, visitors) -> None:
    page = visitors().page
    path = notice_path(page)
    page.goto("/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.id") == "main"
    page.goto(path)
    page.locator("[data-map][data-ready]").wait_for()
    page.locator("[data-map]").focus()
    page.keyboard.press("n")
    page.locator(".map-card h3").wait_for()
    page.keyboard.press("Escape")
    slider = page.get_by_role("slider", name="前后对照")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    assert slider.get_attribute("aria-valuetext") == "整合前占 99%，整合后占 1%"
    page.keyboard.press("Home")
    assert slider.get_attribute("aria-valuetext") == "只看整合后"
    assert page.get_by_role("button", name="整合后").get_attribute("aria-pressed") == "true"
    page.get_by_role("link", name="提出异议").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/object/")
    page.get_by_label("姓名或单位名称").focus()
    page.keyboard.type("示例")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.name") == "phone"


def test_pages_reflow_at_twice_their_size_and_in_large_type(site, walked, visitors) -> None:
    # A window of 1366 px at 200 %, and a phone of 320 px (WCAG 1.4.4 and 1.4.10).
    visitor = visitors()
    path = notice_path(visitor.page)
    wide = []
    for width, height in ((683, 384), (320, 640)):
        visitor.page.set_viewport_size({"width": width, "height": height})
        for address in (*PAGES, path, f"{path}object/", f"{path}?large=1", "/?large=1"):
            visitor.page.goto(address)
            if visitor.is_wider_than_the_window():
                wide.append((width, address))
    assert wide == []
    visitor.page.goto("/")
    visitor.page.get_by_role("link", name="长者模式").click()
    visitor.page.goto("/notices/")
    assert "large" in str(visitor.page.locator("html").get_attribute("class"))
    visitor.page.get_by_role("link", name="标准模式").click()


def test_on_paper_there_is_no_navigation(site, walked, visitors) -> None:
    page = visitors().page
    page.goto(notice_path(page))
    page.emulate_media(media="print")
    assert not page.locator(".public-nav").is_visible()
    assert not page.locator(".page-actions").is_visible()
    assert page.get_by_role("heading", level=1).is_visible()
    assert page.pdf().startswith(b"%PDF-")


@pytest.mark.parametrize("where", ["/", "/notices/", "/map/", "notice"])
def test_the_first_view_is_under_one_megabyte(where, site, walked, visitors) -> None:
    page = visitors(viewport=PHONE).page
    sizes: list[int] = []
    address = notice_path(page) if where == "notice" else where
    page.context.clear_cookies()
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    session.on("Network.loadingFinished", lambda told: sizes.append(told["encodedDataLength"]))
    page.goto(address, wait_until="networkidle")
    assert 10_000 < sum(sizes) < 1_000_000


# A notice of its own for the journey that takes it from the public's sight.
ANOTHER_NOTICE = """
from publicity.models import Notice
notice = Notice.objects.in_force().select_related("plan", "version").order_by("pk").first()
plan, version = notice.plan, notice.version
plan.pk, plan.county_id = None, "140681"
plan.save()
version.pk, version.plan = None, plan
version.save()
notice.pk, notice.plan, notice.version, notice.replaces = None, plan, version, None
notice.title = "怀仁市非煤矿山整治整合实施方案公示"
notice.content |= {"county": "怀仁市", "county_code": "140681"}
notice.save()
print("notice", notice.pk)
"""


def test_an_upheld_objection_withdraws_the_notice_and_opens_an_adjustment(
    site, walked, visitors
) -> None:
    made = site.manage("shell", "-v0", "-c", ANOTHER_NOTICE)
    path = f"/notices/{made.stdout.split()[-1]}/"
    citizen = visitors(viewport=PHONE).page
    citizen.goto(path)
    citizen.get_by_text("公示中").first.wait_for()
    citizen.get_by_role("link", name="提出异议").first.click()
    citizen.get_by_label("姓名或单位名称").fill("示例异议人")
    citizen.get_by_label("联系电话").fill("13800004321")
    citizen.get_by_label("异议事项").fill("整合区面积")
    citizen.get_by_label("事实和理由").fill("整合区面积与实地不符。")
    citizen.get_by_label("我已阅读个人信息说明").check()
    citizen.get_by_text("校验已完成").wait_for()
    citizen.get_by_role("button", name="提交异议").click()
    citizen.wait_for_url("**/objections/case/")
    number = citizen.get_by_role("heading", level=1).inner_text().split()[-1]

    office = visitors("office").page
    office.goto("/staff/objections/")
    office.get_by_role("link", name=number).click()
    office.get_by_role("button", name="受理", exact=True).click()
    office.get_by_role("button", name="开始核查").click()
    office.get_by_label("异议成立").check()
    office.get_by_label("答复内容").fill("异议成立，面积予以更正。")
    office.get_by_label("撤回公示的原因").fill("整合区面积有误，更正后重新公示。")
    office.get_by_role("button", name="答复", exact=True).click()
    office.get_by_text("异议成立，公示已撤回，方案已转入调整").wait_for()

    citizen.reload()
    citizen.get_by_text("异议成立，面积予以更正。").wait_for()
    citizen.goto(path)  # at once: no page is given out from before
    citizen.get_by_text("整合区面积有误，更正后重新公示。").wait_for()
    assert citizen.get_by_role("link", name="提出异议").count() == 0
    plans = site.manage(
        "shell", "-v0", "-c",
        "from plans.models import CountyPlan;"
        "print(CountyPlan.objects.get(county='140681', edition=2).adjusts_why)",
    )  # fmt: skip
    assert plans.stdout.strip() == f"异议 {number} 成立：整合区面积有误，更正后重新公示。"
