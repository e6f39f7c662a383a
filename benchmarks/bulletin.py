"""Set a bulletin of about 20 pages, compute its figures, and show 117 counties × 12 months.

Held to: the PDF in at most 1.3 × the time of bare WeasyPrint on the finished page source; figures
in at most 20 queries; the overview of reports in under 100 ms of server time.
"""

import io
import os
import statistics
import time
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shuozhou_mines.settings")
django.setup()

# ruff: noqa: E402  the settings come before everything that reads them
import pikepdf
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from weasyprint import HTML

from supervision.bulletins import compute_figures
from supervision.charts import Chart, Series
from supervision.consistency import BATCHES
from supervision.content import (
    Annex,
    BulletinContent,
    Column,
    Paragraph,
    Section,
    SubHeading,
    Table,
)
from supervision.documents import bulletin_html, render_bulletin
from supervision.models import MonthlyReport, ReportRow
from taskforce.actions import write_rights
from taskforce.models import County, User

MOST_RATIO, MOST_QUERIES, MOST_SECONDS = 1.3, 20, 0.1
ROUNDS, COUNTIES, ANNEX_ROWS, PARAGRAPHS = 3, 117, 300, 60
NAMES = ("朔城区", "平鲁区", "山阴县", "应县", "右玉县", "怀仁市")
SENTENCE = (
    "各县（市、区）要对照省定任务，逐矿倒排工期、压实责任，按时完成关闭取缔、引导退出、"
    "整合重组和升级改造各项工作，对逾期未完成的逐项说明原因和下步措施。"
)
NOW = datetime(2025, 7, 5, 10, tzinfo=ZoneInfo("Asia/Shanghai"))


def main() -> int:
    """Measure on a database of its own; return 1 when a limit is missed."""
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        call_command("load_fixtures", verbosity=0)
        return max(measure_figures(), measure_overview(), measure_pdf())
    finally:
        connection.close()
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


def measure_pdf() -> int:
    """Compare our PDF with the bare printer's, in turns."""
    content = long_bulletin()
    html = bulletin_html(content)
    ours, bare = [], []
    pdf = render_bulletin(content)
    for _ in range(ROUNDS):
        ours.append(seconds(lambda: render_bulletin(content)))
        bare.append(seconds(lambda: HTML(string=html).write_pdf(pdf_tags=True)))
    with pikepdf.open(io.BytesIO(pdf)) as document:
        pages = len(document.pages)
    ratio = statistics.median(ours) / statistics.median(bare)
    print(
        f"bulletin: {pages} pages, {statistics.median(ours):.2f} s, "
        f"{ratio:.2f} × bare WeasyPrint (limit {MOST_RATIO})"
    )
    return int(ratio > MOST_RATIO)


def measure_figures() -> int:
    """Count the queries of a quarter's figures."""
    for month in (4, 5, 6):
        _reports(list(County.objects.all()), date(2025, month, 1))
    with CaptureQueriesContext(connection) as asked:
        compute_figures(year=2025, quarter=2, at=NOW)
    print(f"figures: {len(asked)} queries (limit {MOST_QUERIES})")
    return int(len(asked) > MOST_QUERIES)


def measure_overview() -> int:
    """Time the page of all counties' reports of a year, in this process."""
    have = County.objects.count()
    County.objects.bulk_create(
        County(code=f"99{number:04d}", name=f"测试{number}县", order=100 + number)
        for number in range(COUNTIES - have)
    )
    write_rights()
    counties = list(County.objects.all())
    for month in range(1, 13):
        _reports(counties, date(2025, month, 1))
    person = User.objects.create(username="overview", name="测量")
    person.groups.add(Group.objects.get(name="office:city"))
    client = Client(SERVER_NAME="localhost")
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    page = f"{reverse('report-list')}?year=2025"
    answer = client.get(page)
    assert answer.status_code == 200
    assert answer.content.decode().count("测试") >= COUNTIES - have
    taken = statistics.median(seconds(lambda: client.get(page)) for _ in range(5))
    print(
        f"overview: {COUNTIES} counties × 12 months in {taken * 1000:.0f} ms "
        f"(limit {MOST_SECONDS * 1000:.0f} ms)"
    )
    return int(taken > MOST_SECONDS)


def _reports(counties: list[County], month: date) -> None:
    person, _ = User.objects.get_or_create(username="reporter", name="填报")
    missing = [
        county
        for county in counties
        if not MonthlyReport.objects.filter(county=county, month=month).exists()
    ]
    reports = MonthlyReport.objects.bulk_create(
        MonthlyReport(
            county=county, month=month, due_on=month.replace(day=25), state="submitted",
            filled_by=person, submitted_by=person, submitted_at=NOW, first_submitted_at=NOW,
        )
        for county in missing
    )  # fmt: skip
    ReportRow.objects.bulk_create(
        ReportRow(report=report, kind=kind.value, task=10, done=month.month // 2,
                  not_started=10 - month.month // 2)
        for report in reports
        for kind in BATCHES
    )  # fmt: skip


def long_bulletin() -> BulletinContent:
    """Return a bulletin with six counties, four charts and an annex of 300 rows."""
    columns = (Column("县（市、区）", align="left"), Column("任务数", "座", "right"),
               Column("累计完成", "座", "right"), Column("完成率", "%", "right"))  # fmt: skip
    rows = tuple((name, "12", str(n), f"{n / 12 * 100:.2f}") for n, name in enumerate(NAMES, 3))
    table = Table("各县（市、区）进展", columns, rows, ("合计", "72", "33", "45.83"))
    figures = tuple(Decimal(n) for n in range(3, 9))
    charts = tuple(
        Chart("bar", f"{kind.label}完成率", NAMES, (Series("完成率", figures),), "%")
        for kind in BATCHES
    )
    sections = tuple(
        Section(
            f"{numeral}、{kind.label}",
            (
                SubHeading("（一）进展"),
                *(Paragraph(SENTENCE) for _ in range(PARAGRAPHS // 4)),
                table,
                chart,
            ),
        )
        for numeral, kind, chart in zip("一二三四", BATCHES, charts, strict=True)
    )
    annex_rows = tuple(
        (NAMES[n % 6], f"SZ-140602-{n:04d}", f"测试{n}号建筑石料用灰岩矿", "整合重组", "进行中")
        for n in range(ANNEX_ROWS)
    )
    annex_columns = (Column("县（市、区）", align="left"), Column("编号"),
                     Column("矿山", align="left"), Column("处置方式"), Column("状态"))  # fmt: skip
    return BulletinContent(
        head="document",
        issuing_body="朔州市非煤行业管理及综合整治整合工作专班办公室",
        title="关于2025年第二季度全市非煤矿山整治整合工作进展情况的通报",
        document_number="朔非煤整治办〔2025〕1号",
        addressees="各县（市、区）人民政府，专班各成员单位",
        opening=(Paragraph(SENTENCE),),
        sections=sections,
        annexes=(Annex("逐矿进展表", (Table("", annex_columns, annex_rows),)),),
        signed_on=NOW.date(),
        signature="朔州市非煤行业管理及综合整治整合工作专班办公室",
    )


def seconds(work: Callable[[], object]) -> float:
    """Return how long the work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    raise SystemExit(main())
