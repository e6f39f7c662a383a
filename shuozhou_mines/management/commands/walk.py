"""Walk 朔城区's plan through the running site, as each person would in the browser."""

import argparse
import io
import re
import time
from typing import Any

import pikepdf
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from shuozhou_mines.walk import COUNTY, Page, Stumbled, Visitor, read_demo, wait_for
from shuozhou_mines.walk_workbook import fill, spoil

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TEMPLATE_SHEETS = b"xl/worksheets/"


class Command(BaseCommand):
    """Drive the site over HTTP and stop at the first thing that is not as it should be."""

    help = __doc__
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Ask where the site is."""
        parser.add_argument("--url", required=True, help="例如 http://127.0.0.1:8000")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Walk; every line tells what happened and how long it took."""
        started = time.monotonic()
        walk = Walk(options["url"].rstrip("/") + "/", self.stdout.write)
        try:
            walk.all()
        except Stumbled as error:
            raise CommandError(f"走查在此停下：{error}") from error
        self.stdout.write(f"走查完成，全程 {time.monotonic() - started:.1f} 秒。")


class Walk:
    """Take the plan from wherever it stands to the public page, then report and bulletin."""

    def __init__(self, site: str, say: Any) -> None:
        self.site = site
        self.say = say
        demo = read_demo("users.json")
        self.password = demo["password"]
        self.plan_values = read_demo("plan_140602.json")
        self.clock = time.monotonic()

    def told(self, step: str, what: str) -> None:
        """Say what was done since the last line, with its time."""
        now = time.monotonic()
        self.say(f"[{step}] {what}（{now - self.clock:.1f} 秒）")
        self.clock = now

    def person(self, username: str) -> Visitor:
        """Sign a demo person in."""
        visitor = Visitor(self.site, username)
        visitor.sign_in(username, self.password)
        return visitor

    def all(self) -> None:
        """Take every step that is still to be taken."""
        self.clerk = self.person("shuocheng.clerk")
        self.leader = self.person("shuocheng.leader")
        self.office = self.person("office")
        self.told("1/6", "朔城区填报员、分管领导和专班办公室经办人登录")
        plan = self.open_plan()
        self.plan_url = plan.url
        stages = {
            "草稿": self.compile_and_submit,
            "形式审查": self.review,
            "退回补正": self.mend_and_resubmit,
            "成员单位会签": self.co_sign_and_approve,
            "市政府已批准": self.publish,
        }
        while (state := self.state()) != "公示":
            if state not in stages:
                raise Stumbled(f"方案处于没有料到的状态“{state}”。")
            stages[state]()
        self.read_as_public()
        self.file_report()
        self.issue_bulletin()

    # --- the plan ------------------------------------------------------------------------------

    def open_plan(self) -> Page:
        """Open the county's plan of this round, the existing one or a new one."""
        plans = self.clerk.get("/staff/plans/")
        link = re.search(r'href="(/staff/plans/\d+/)"', plans.html)
        if link:
            return self.clerk.get(link[1])
        page = self.clerk.post(plans, f"/staff/plans/open/{COUNTY}/")
        page.must_say("朔城区非煤矿山整治整合实施方案", "草稿")
        return page

    def state(self) -> str:
        """Read from the page where the plan stands."""
        page = self.clerk.get(self.plan_url)
        chip = re.search(r'<h1>.*?class="chip chip-\w+">([^<]+)<', page.html, re.DOTALL)
        if chip is None:
            raise Stumbled(f"页面 {page.url} 上看不到方案状态。")
        return chip[1]

    def compile_and_submit(self) -> None:
        """Download the template, upload it with mistakes, then without, and submit."""
        filled = self.filled_template()
        spoiled, places = spoil(filled)
        page = self.upload(spoiled, "朔城区方案_初稿.xlsx")
        for sheet, cell in places:
            page.must_say(f"{sheet}!{cell}")
        marked = self.clerk.download(page.url + "marked/")
        if TEMPLATE_SHEETS not in marked:
            raise Stumbled("标注错误的工作簿不是 xlsx。")
        self.told("2/6", f"上传有错的工作簿，页面逐格指出 {len(places)} 处错误，并给出标注后的原表")
        page = self.upload(filled, "朔城区方案_改正.xlsx")
        page.must_say("已读入并完成检查")
        findings = self.clerk.get(f"{self.plan_url}?part=findings")
        findings.must_say("依据", "四(二)2", "怎样才符合")
        checked = re.search(r"符合 (\d+) 条，不符合 (\d+) 条", page.words)
        counts = f"符合 {checked[1]} 条、不符合 {checked[2]} 条" if checked else ""
        self.told("3/6", f"上传改正的工作簿，后台逐条检查：{counts}，每条都引用条款原文")
        self.other_county_sees_nothing()
        self.submit()
        self.told("4/6", "分管领导审定并报送；平鲁区的账号看不到这份方案")

    def filled_template(self) -> bytes:
        """Download the county's template and fill it in."""
        template = self.clerk.download(f"{self.plan_url}template/")
        if TEMPLATE_SHEETS not in template:
            raise Stumbled("下载的模板不是 xlsx。")
        return fill(template, self.plan_values)

    def upload(self, workbook: bytes, name: str) -> Page:
        """Upload a workbook as the clerk, and wait on its page until the worker is done."""
        page = self.clerk.get(self.plan_url)
        files = {"workbook": (name, io.BytesIO(workbook), XLSX)}
        version = self.clerk.post(page, "/upload/", files=files)
        return wait_for(
            lambda: self.clerk.get(version.url),
            lambda shown: (
                "progress-queued" not in shown.html and "progress-running" not in shown.html
            ),
            "读入方案",
        )

    def other_county_sees_nothing(self) -> None:
        """Make sure that a draft is hidden from another county by its address too."""
        stranger = self.person("pinglu.clerk")
        if stranger.status_of(self.plan_url) != 404:
            raise Stumbled("平鲁区的账号打开了朔城区的草稿。")

    def submit(self) -> None:
        """Submit as the county's leader."""
        page = self.leader.get(self.plan_url)
        self.leader.post(page, "/steps/submit/").must_say("已办理：审定并报送")

    def review(self) -> None:
        """Return the plan once with a comment; accept it when it comes again."""
        page = self.office.get(self.plan_url)
        if "退回补正（第" not in page.words:
            note = "请补充青石坡整合区夹缝资源的依据。（示例意见）"
            self.office.post(page, "/steps/return/", note=note).must_say("已办理：退回补正", note)
            self.told("4/6", "专班办公室写明意见，退回补正")
            return
        self.office.post(page, "/steps/accept/").must_say("已办理：受理并转会签")
        self.told("4/6", "专班办公室受理，转成员单位会签")

    def mend_and_resubmit(self) -> None:
        """Upload the next version as the comment asks, and submit it again."""
        self.clerk.get(self.plan_url).must_say("请补充青石坡整合区夹缝资源的依据")
        area = self.plan_values["areas"][0]
        area["extra_basis"] += "三矿相距不足300米，躲不开、绕不过（示例）。"
        page = self.upload(self.filled_template(), "朔城区方案_补正.xlsx")
        page.must_say("已读入并完成检查")
        self.submit()
        self.told("4/6", "朔城区按意见上传新版本，再次报送")

    def co_sign_and_approve(self) -> None:
        """Give one member unit's opinion, and record the city government's approval."""
        unit = self.person("unit.emergency")
        page = unit.get(self.plan_url)
        if "本单位会签" in page.words:
            unit.post(page, "/opinion/", stance="agree", text="同意。（示例意见）").must_say(
                "会签意见已提交"
            )
        page = self.office.get(self.plan_url)
        today = timezone.localdate()
        self.office.post(
            page,
            "/approve/",
            document_number=f"朔政函〔{today.year}〕0号（示例）",
            approved_on=today.isoformat(),
        ).must_say("批准文件已登记")
        self.told("4/6", "市应急管理局会签同意，专班办公室登记市政府批准文号")

    def publish(self) -> None:
        """Publish the approved plan as the office."""
        page = self.office.get(self.plan_url)
        link = re.search(r'href="(/staff/notices/new/\d+/)"', page.html)
        if link is None:
            raise Stumbled("方案已批准，但页面上没有“公示”。")
        form = self.office.get(link[1])
        self.office.post(form, link[1]).must_say("方案已公示")
        self.told("5/6", "专班办公室公示方案")

    # --- the public ------------------------------------------------------------------------------

    def read_as_public(self) -> None:
        """Read the notice, its map and its documents without any login."""
        public = Visitor(self.site)
        home = public.get("/")
        link = re.search(r'href="(/notices/\d+/)"', home.html)
        if link is None:
            raise Stumbled("公众首页上没有公示的方案。")
        notice = public.get(link[1])
        notice.must_say("青石坡整合采石场（示例）", "沙塄河乡大涂皋村", "示例数据")
        for side in ("before", "after"):
            shapes = public.get(f"{link[1]}shapes.json?side={side}")
            if '"coordinates"' not in shapes.html:
                raise Stumbled(f"公示地图没有图形（{side}）。")
        shown = wait_for(
            lambda: public.get(link[1]), lambda page: "/documents/" in page.html, "公示文件"
        )
        documents = re.findall(r'href="(/documents/\d+/)"', shown.html)
        sizes = [len(public.download(path)) for path in documents]
        if public.status_of(self.plan_url) not in (302, 404):
            raise Stumbled("没有登录就打开了工作页面。")
        self.told("5/6", f"公众不登录读到公示、地图和 {len(sizes)} 个文件")

    # --- the report and the bulletin -----------------------------------------------------------

    def file_report(self) -> None:
        """Fill this month's report as the clerk, and sign it as the leader."""
        reports = self.clerk.get("/staff/reports/")
        if "/staff/reports/open/" in reports.html:
            report = self.clerk.post(reports, "/staff/reports/open/")
        else:
            month = timezone.localdate().month
            links = re.findall(r'href="(/staff/reports/\d+/)"', reports.html)
            if not links:
                raise Stumbled(f"月报页面上没有 {month} 月的月报。")
            report = self.clerk.get(links[0])  # the newest month comes first
        path = "/" + report.url.split("/", 3)[3]
        if "累计完成 + 进行中" in report.words:
            values = _one_more_done(report.form(path).fields)
            self.clerk.post(report, path, None, **values).must_say("朔城区")
            signing = self.leader.get(path)
            self.leader.post(signing, "/submit/").must_say("已报送")
        self.told("6/6", "朔城区填报当月月报，分管领导签发报送")

    def issue_bulletin(self) -> None:
        """Draft and issue this quarter's bulletin, and open the PDF that the worker made."""
        today = timezone.localdate()
        quarter = (today.month + 2) // 3
        desk = self.office.get("/staff/bulletins/")
        name = f"{today.year}年第{'一二三四'[quarter - 1]}季度"
        link = re.search(rf'href="(/staff/bulletins/\d+/)">{name}', desk.html)
        draft = (
            self.office.get(link[1])
            if link
            else self.office.post(desk, "/staff/bulletins/", quarter=f"{today.year}-{quarter}")
        )
        path = "/" + draft.url.split("/", 3)[3]
        if "/approve/" in draft.html:
            city = self.person("city.leader")
            city.post(city.get(path), "/approve/").must_say("已签批")
            draft = self.office.get(path)
        if "/issue/" in draft.html:
            self.office.post(draft, "/issue/", issued_on=today.isoformat()).must_say("已印发")
        wait_for(lambda: self.office.get(path), lambda page: "打开 PDF" in page.words, "通报 PDF")
        public = Visitor(self.site)
        pdf = public.download(path.replace("/staff", "") + "bulletin.pdf")
        with pikepdf.open(io.BytesIO(pdf)) as document:
            pages = len(document.pages)
        public.get("/bulletins/").must_say(f"{today.year}年")
        self.told("6/6", f"市领导签批、专班办公室印发季通报，后台生成 PDF，共 {pages} 页，打得开")


def _one_more_done(shown: dict[str, str]) -> dict[str, str]:
    """Move one mine of the first batch that has one from 未启动 to 本月新增完成."""
    values = {
        "problems": "示例：夹缝资源论证需专家支持。",
        "next_steps": "示例：完成整合主体签约。",
    }
    for name, number in shown.items():
        kind, _, figure = name.partition("_")
        if figure == "not_started" and number.isdigit() and int(number) > 0:
            values[f"{kind}_not_started"] = str(int(number) - 1)
            for other in ("done", "done_this_month"):
                values[f"{kind}_{other}"] = str(int(shown.get(f"{kind}_{other}") or 0) + 1)
            break
    return values
