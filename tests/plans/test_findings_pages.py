"""Read the findings on their pages: filters, counts, one finding in full, the map, the files."""

import io
import json
from decimal import Decimal
from typing import Any

import pdfplumber
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from mines.models import Mine
from plans import finding_exports
from plans.models import CountyPlan, Finding, Ruling
from plans.ruling_actions import confirm_ruling, rule_on
from shuozhou_mines import jobs
from shuozhou_mines.models import Job
from taskforce.models import User
from taskforce.roles import Role
from tests.conftest import make_person
from tests.factories import SUBMITTED_AT, make_mine
from tests.plans.areas import checked, dispose, make_version, merge, pair_of_mines


@pytest.fixture
def version(counties, people):
    """Return a submitted version: an area without scale, a small mine and one that is kept."""
    county = counties["140602"]
    version = make_version(county, people["county_clerk"])
    merge(version, "Z1", pair_of_mines(county, 1, 112.4), scale=None, scale_unit="",
          extra_kinds=["gap"], is_on_ridge=None)  # fmt: skip
    small = make_mine(county, 3, name="=HYPERLINK(1)矿", at=(112.5, 39.3), scale=Decimal(20))
    dispose(version, small, "keep")
    plan = CountyPlan.objects.filter(pk=version.plan_id)
    plan.update(state="submitted", submitted_at=SUBMITTED_AT)
    checked(version, timezone.localdate())
    return version


@pytest.fixture
def run(version: Any) -> Any:
    return version.check_runs.get()


@pytest.fixture
def office(client: Any, people: Any) -> Any:
    client.force_login(people["office"])
    return client


def part(version, **query: str) -> str:
    words = "&".join(f"{name}={value}" for name, value in query.items())
    return f"{reverse('plan', args=[version.plan_id])}?part=findings&{words}"


def shown(client: Client, version, **query: str) -> list[Finding]:
    page = client.get(part(version, **query))
    assert page.status_code == 200
    return list(page.context["page"].object_list)


def ruling_data(**changes: str) -> dict[str, str]:
    return {
        "seen": "0", "decision": "accepted", "reason": "以初步设计为准。",
        "basis_document": "专班会议纪要〔2025〕3号", **changes,
    }  # fmt: skip


# --- the list -------------------------------------------------------------------------------------


def test_what_matters_comes_first(office, version) -> None:
    verdicts = [row.verdict for row in shown(office, version)]
    assert verdicts[0] == "fail"
    assert set(verdicts) <= {"fail", "review"}
    assert verdicts == sorted(verdicts)  # fail before review


def test_tabs_count_what_they_show(office, version, run) -> None:
    page = office.get(part(version))
    tabs = {tab["label"]: tab["count"] for tab in page.context["verdict_tabs"]}
    assert tabs["不符合"] == run.counts["fail"] == run.findings.filter(verdict="fail").count()
    assert tabs["缺数据"] == run.counts["nodata"]
    assert tabs["待处理"] == run.counts["fail"] + run.counts["review"]
    assert tabs["全部"] == run.findings.count()
    for tab in page.context["verdict_tabs"]:
        listed = office.get(tab["url"]).context["page"].paginator.count
        assert listed == tab["count"], tab


@pytest.mark.parametrize(
    ("query", "rules"),
    [
        ({"rule": "S-D05"}, {"S-D05"}),
        ({"rule": "S-XXX", "verdict": "fail"}, None),
        ({"area": "Z1", "rule": "S-D04"}, {"S-D04"}),
        ({"mine": "SZ-140602-0003", "rule": "S-B07"}, {"S-B07"}),
        ({"q": "整合区缺少"}, {"S-D05"}),
    ],
)
def test_filters_narrow_the_list(office, version, query, rules) -> None:
    found = shown(office, version, **query)
    assert found
    if rules:
        assert {row.rule for row in found} == rules
    if "mine" in query:
        assert {row.mine and row.mine.registry_no for row in found} == {"SZ-140602-0003"}


def test_the_page_takes_the_same_queries_whatever_its_size(office, version, counties) -> None:
    counts = []
    for more in (0, 40):
        for number in range(10, 10 + more):
            dispose(version, make_mine(counties["140602"], number), "keep")
        checked(version, timezone.localdate())
        with CaptureQueriesContext(connection) as queries:
            assert office.get(part(version)).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_outdated_findings_say_so(office, version) -> None:
    assert "已过期" not in office.get(part(version)).content.decode()
    Mine.objects.filter(registry_no="SZ-140602-0003").update(service_life_years=2)
    text = office.get(part(version)).content.decode()
    assert "已过期" in text
    assert "台账或省定任务有变动，下面的结果可能已经不对" in text


def test_earlier_checks_can_be_read(office, version, run) -> None:
    later = checked(version, timezone.localdate())
    page = office.get(part(version))
    assert page.context["shown_run"] == later
    assert "历次检查" in page.content.decode()
    earlier = office.get(part(version, run=str(run.pk)))
    assert earlier.context["shown_run"] == run
    assert "这是较早的一次检查" in earlier.content.decode()


# --- checking again -------------------------------------------------------------------------------


def test_a_check_is_asked_for_and_watched(office, version) -> None:
    asked = office.post(reverse("plan-check", args=[version.pk]))
    assert asked.url == f"/staff/plans/{version.plan_id}/?part=findings"
    text = office.get(asked.url).content.decode()
    assert "排队中" in text
    assert "取消检查" in text
    assert ">重新检查</button>" not in text
    progress = reverse("plan-check-progress", args=[version.pk])
    assert "HX-Redirect" not in office.get(progress)
    jobs.run_job(Job.objects.about(version).get().pk)
    assert office.get(progress)["HX-Redirect"] == asked.url
    assert version.check_runs.count() == 2
    assert ">重新检查</button>" in office.get(asked.url).content.decode()


def test_readers_are_not_offered_a_check(client, people, version) -> None:
    client.force_login(people["member_unit"])
    assert "重新检查</button>" not in client.get(part(version)).content.decode()
    assert client.post(reverse("plan-check", args=[version.pk])).status_code == 403


# --- one finding ----------------------------------------------------------------------------------


def test_a_finding_shows_its_clause_figures_and_remedy(office, run) -> None:
    row = run.findings.get(rule="S-B07", mine__registry_no="SZ-140602-0003")
    text = office.get(reverse("finding", args=[row.pk])).content.decode()
    assert "50万吨／年露天采石场" in text
    assert "工作方案 四(二)2" in text
    assert "20 万吨/年" in text
    assert "怎样才符合" in text
    assert "还没有人对这一条作出认定" in text


def test_the_office_rules_and_another_confirms(office, people, client, run) -> None:
    row = run.findings.get(rule="S-D05")
    url = reverse("finding", args=[row.pk])
    answer = office.post(reverse("finding-rule", args=[row.pk]), ruling_data(), follow=True)
    text = answer.content.decode()
    assert "已作出认定：接受偏差，等专班办公室的另一人确认后生效。" in text
    assert "待第二人确认" in text
    assert "确认这条认定" not in text
    client.force_login(make_person("second_office", Role.OFFICE))
    assert "确认这条认定" in client.get(url).content.decode()
    ruling = Ruling.objects.get()
    confirmed = client.post(reverse("ruling-confirm", args=[ruling.pk]), follow=True)
    assert "认定已经确认，现在生效。" in confirmed.content.decode()
    ruling.refresh_from_db()
    assert ruling.confirmed_by == User.objects.get(username="second_office")


def test_a_ruling_without_words_comes_back(office, run) -> None:
    row = run.findings.get(rule="S-D05")
    answer = office.post(
        reverse("finding-rule", args=[row.pk]), ruling_data(reason="", basis_document="")
    )
    assert answer.status_code == 422
    assert "请写明理由，县（市、区）和评审人员都会看到。" in answer.content.decode()
    assert not Ruling.objects.exists()


def test_a_second_ruling_from_a_stale_page_is_refused(office, client, run) -> None:
    row = run.findings.get(rule="S-D04", subject_kind="area")
    office.post(reverse("finding-rule", args=[row.pk]), ruling_data(decision="meets"))
    client.force_login(make_person("second_office", Role.OFFICE))
    answer = client.post(reverse("finding-rule", args=[row.pk]), ruling_data(decision="fails"))
    assert answer.status_code == 409
    assert "专班办公室测试员已在" in answer.content.decode()
    assert Ruling.objects.get().decision == "meets"


def test_a_settled_finding_leaves_the_list_of_things_to_do(office, people, version, run) -> None:
    row = run.findings.get(rule="S-D04", subject_kind="area")
    assert row in shown(office, version, rule="S-D04")
    rule_on(
        finding_id=row.pk, decision="meets", reason="已踏勘。", basis_document="踏勘记录", seen=0,
        by=people["office"], at=SUBMITTED_AT,
    )  # fmt: skip
    assert row not in shown(office, version, rule="S-D04")
    assert row in shown(office, version, rule="S-D04", verdict="review")
    checked(version, timezone.localdate())
    text = office.get(part(version, rule="S-D04", verdict="review")).content.decode()
    assert "沿用第1版的认定" in text


def test_strangers_see_nothing(client, people, version, run) -> None:
    row = run.findings.first()
    addresses = [
        reverse("finding", args=[row.pk]),
        reverse("finding-shapes", args=[run.pk]),
        reverse("findings-xlsx", args=[run.pk]),
        reverse("findings-pdf", args=[run.pk]),
        reverse("plan-check-progress", args=[version.pk]),
    ]
    CountyPlan.objects.filter(pk=version.plan_id).update(state="draft", submitted_at=None)
    client.force_login(people["other_county_clerk"])
    for address in addresses:
        assert client.get(address).status_code == 404, address
    assert client.post(reverse("finding-rule", args=[row.pk]), ruling_data()).status_code == 404
    assert client.post(reverse("plan-check", args=[version.pk])).status_code == 404


# --- map and files --------------------------------------------------------------------------------


def test_the_map_holds_the_worst_verdict_of_each(office, people, run) -> None:
    url = reverse("finding-shapes", args=[run.pk])

    def verdict_of(name: str) -> str:
        features = json.loads(office.get(url).content)["features"]
        return next(
            str(row["properties"]["verdict"])
            for row in features
            if row["properties"]["name"] == name
        )

    assert verdict_of("Z1 测试整合Z1") == "fail"
    assert verdict_of("=HYPERLINK(1)矿") == "fail"
    failing = run.findings.filter(area__code="Z1", verdict="fail")
    second = make_person("second_office", Role.OFFICE)
    for row in failing:
        ruling = rule_on(
            finding_id=row.pk, decision="accepted", reason="同意。", basis_document="纪要", seen=0,
            by=people["office"], at=SUBMITTED_AT,
        )  # fmt: skip
        confirm_ruling(ruling_id=ruling.pk, by=second, at=SUBMITTED_AT)
    assert verdict_of("Z1 测试整合Z1") == "review"


def test_the_workbook_holds_what_is_on_screen_and_no_formula(office, run) -> None:
    query = "?verdict=all&mine=SZ-140602-0003"
    answer = office.get(reverse("findings-xlsx", args=[run.pk]) + query)
    sheet = load_workbook(io.BytesIO(answer.content))["检查结果"]
    assert [cell.value for cell in sheet[2]][:4] == ["结论", "规则", "对象", "说明"]
    rows = list(sheet.iter_rows(min_row=3))
    assert len(rows) == run.findings.filter(mine__registry_no="SZ-140602-0003").count()
    assert {cell.data_type for row in rows for cell in row if cell.value} == {"s"}
    assert "=HYPERLINK(1)矿" in {row[2].value for row in rows}
    assert rows[0][0].value == "不符合"


def test_the_pdf_can_be_read(office, run) -> None:
    answer = office.get(reverse("findings-pdf", args=[run.pk]) + "?verdict=fail")
    assert answer["Content-Type"] == "application/pdf"
    with pdfplumber.open(io.BytesIO(answer.content)) as document:
        text = "".join(page.extract_text() for page in document.pages)
    assert "整合区缺少初定生产规模" in text
    assert "S-B07" in text
    assert f"共{run.counts['fail']}条" in text.replace(" ", "")


def test_too_much_for_paper_is_refused_in_a_sentence(office, run, monkeypatch) -> None:
    monkeypatch.setattr(finding_exports, "MOST_ON_PAPER", 3)
    answer = office.get(reverse("findings-pdf", args=[run.pk]) + "?verdict=all", follow=True)
    assert "请先按结论、规则、矿山或整合区筛选，或者导出 Excel 表。" in answer.content.decode()
