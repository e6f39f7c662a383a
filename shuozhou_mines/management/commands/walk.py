"""Walk 朔城区's plan through the running site, as each person would in the browser."""

import argparse
import io
import re
import time
from collections.abc import Callable
from typing import Any

import pikepdf
import requests
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
        stages: dict[str, Callable[[], object]] = {
            "草稿": self.compile_and_hand_over,
            "县级审定": self.submit,
            "已报送": lambda: self.take(self.office, "receive", "签收"),
            "形式审查": self.review,
            "退回补正": self.mend_and_hand_over,
            "成员单位会签": self.co_sign,
            "专家评审": self.judge,
            "评审后修改": self.revise,
            "修改复核": lambda: self.take(self.office, "confirm_revision", "复核通过"),
            "市政府批准": self.endorse,
            "市政府已同意": self.approve,
            "省级报批": self.file_and_record_reply,
            "批复": self.publish,
            "公示": self.issue,
            "印发实施": lambda: self.take(self.office, "start_acceptance", "组织验收"),
        }
        while (state := self.state()) != "验收":
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

    def compile_and_hand_over(self) -> None:
        """Download the template, upload it with mistakes, then without, and hand it over."""
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
        self.take(self.clerk, "hand_over", "送县级审定")
        self.told("4/6", "送县级审定；平鲁区的账号看不到这份方案")

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

    def take(self, who: Visitor, step: str, label: str, **fields: str) -> Page:
        """Take a plain step as somebody, and make sure that it was taken."""
        page = who.get(self.plan_url)
        answer = who.post(page, f"/steps/{step}/", None, **fields)
        answer.must_say(f"已办理：{label}")
        return answer

    def submit(self) -> None:
        """Confirm and submit as the county's leader."""
        self.take(self.leader, "submit", "审定并报送")
        self.told("4/6", "朔城区分管领导审定并报送")

    def review(self) -> None:
        """Return the plan once with a comment; the second time tick the check-list and accept."""
        page = self.office.get(self.plan_url)
        if "退回补正（第" not in page.words:
            note = "请补充青石坡整合区夹缝资源的依据。（示例意见）"
            self.take(self.office, "return", "退回补正", note=note).must_say(note)
            self.told("4/6", "专班办公室签收、写明意见，退回补正")
            return
        part = self.office.get(f"{self.plan_url}?part=formal")
        names = sorted(set(re.findall(r'name="(S-H\d\d-presence)"', part.html)))
        ticks = dict.fromkeys(names, "present")
        self.office.post(part, "/formal/", None, **ticks).must_say("形式审查已保存")
        self.take(self.office, "accept", "受理并转会签")
        self.told("4/6", f"专班办公室形式审查 {len(names)} 项，受理，转成员单位会签")

    def mend_and_hand_over(self) -> None:
        """Upload the next version as the comment asks, and hand it over again."""
        self.clerk.get(self.plan_url).must_say("请补充青石坡整合区夹缝资源的依据")
        self.mend("三矿相距不足300米，躲不开、绕不过（示例）。", "朔城区方案_补正.xlsx")
        self.take(self.clerk, "hand_over", "送县级审定")
        self.told("4/6", "朔城区按意见上传新版本，再次送审定")

    def mend(self, words: str, name: str) -> None:
        """Upload the workbook with some more words on the first merged area."""
        self.plan_values["areas"][0]["extra_basis"] += words
        self.upload(self.filled_template(), name).must_say("已读入并完成检查")

    def co_sign(self) -> None:
        """Let every member unit answer, and pass the plan on to the experts."""
        people = [row["username"] for row in read_demo("users.json")["users"]]
        for name in (name for name in people if name.startswith("unit.")):
            unit = self.person(name)
            page = unit.get(self.plan_url)
            if "本单位会签" in page.words:
                unit.post(page, "/opinion/", stance="agree", text="同意。（示例意见）").must_say(
                    "会签意见已提交"
                )
        self.take(self.office, "invite", "转专家评审")
        self.told("4/6", "九个成员单位按职责会签，转专家评审")

    def judge(self) -> None:
        """Draw a panel at random; its members answer, and the chair concludes."""
        path = f"{self.plan_url}?part=panel"
        page = self.office.get(path)
        if "/panel/draw/" in page.html:
            self.office.post(page, "/panel/draw/", size="3", place="示例会议室").must_say("专家组")
        names = [row["username"] for row in read_demo("experts.json")["experts"]]
        experts = [self.person(name) for name in names]
        drawn = [who for who in experts if who.status_of(self.plan_url) == requests.codes.ok]
        for at, expert in enumerate(drawn):
            page = expert.get(path)
            if at < 2 and "/panel/remark/" in page.html:
                expert.post(
                    page,
                    "/panel/remark/",
                    text="补充治理措施。（示例意见）",
                    clause="四(二)5",
                    must_change="on",
                ).must_say("意见已记下")
            if "/panel/stance/" in page.html:
                stance = "change" if at < 2 else "pass"
                expert.post(page, "/panel/stance/", stance=stance, summary="").must_say("已提交")
        for expert in drawn:
            page = expert.get(path)
            if "/panel/conclude/" in page.html:
                expert.post(page, "/panel/conclude/", overall="方案总体可行。（示例）").must_say(
                    "评审结论已提交"
                )
                break  # from now on the plan is out of the experts' sight
        self.told("4/6", f"随机抽取 {len(drawn)} 位专家评审，组长提交结论：{self.state()}")

    def revise(self) -> None:
        """Answer every demand of the experts, upload the revised version and hand it in."""
        path = f"{self.plan_url}?part=panel"
        items = sorted(set(re.findall(r'action="(/staff/plans/revisions/\d+/)"',
                                      self.clerk.get(path).html)))  # fmt: skip
        for item in items:
            self.clerk.post(self.clerk.get(path), item, answer="已补充。（示例）", on_page="12")
        self.mend("（按评审意见补充，示例）", "朔城区方案_修改.xlsx")
        self.take(self.leader, "hand_in_revision", "送修改复核")
        self.told("4/6", f"朔城区逐条填写 {len(items)} 条修改说明，上传修改版，送复核")

    def endorse(self) -> None:
        """Let the city's leader agree."""
        self.take(self.person("city.leader"), "endorse", "市政府同意")
        self.told("4/6", "市领导审签同意")

    def approve(self) -> None:
        """Record the city government's approval with its scan."""
        today = timezone.localdate()
        self.document(
            "/approve/", "批准文件已登记", document_number=f"朔政函〔{today.year}〕0号（示例）",
            approved_on=today.isoformat(),
        )  # fmt: skip
        self.told("4/6", "专班办公室登记市政府批准文号，附扫描件")

    def file_and_record_reply(self) -> None:
        """Record the filing with the province, then its reply."""
        today, organ = timezone.localdate().isoformat(), "山西省自然资源厅"
        if "/documents/filing/" in self.office.get(self.plan_url).html:
            self.document("/documents/filing/", "省级报批已登记", document_number="报0号（示例）",
                          dated_on=today, organ=organ)  # fmt: skip
        self.document("/documents/reply/", "批复已登记", document_number="复0号（示例）",
                      dated_on=today, organ=organ)  # fmt: skip
        self.told("4/6", "登记省级报批和批复，方案的每座矿山成为任务")

    def document(self, action: str, done: str, **fields: str) -> None:
        """Record a document from the plan's page, with its scan."""
        scan = {"scan": ("示例.pdf", io.BytesIO(b"%PDF-1.7\n%%EOF\n"), "application/pdf")}
        page = self.office.get(self.plan_url)
        self.office.post(page, action, files=scan, **fields).must_say(done)

    def issue(self) -> None:
        """Issue the plan; the demo does not wait for the end of the notice and says so."""
        page = self.office.get(self.plan_url)
        link = re.search(r'href="(/staff/notices/issue/\d+/)"', page.html)
        if link is None:
            raise Stumbled("方案已公示，但页面上没有“印发实施”。")
        scan = {"scan": ("示例.pdf", io.BytesIO(b"%PDF-1.7\n%%EOF\n"), "application/pdf")}
        form = self.office.get(link[1])
        self.office.post(
            form, link[1], files=scan, document_number="朔政办发0号（示例）",
            organ="朔州市人民政府办公室", note="演示站点不等公示期满。（示例）",
        ).must_say("方案已印发实施")  # fmt: skip
        self.told("5/6", "方案印发实施")

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
