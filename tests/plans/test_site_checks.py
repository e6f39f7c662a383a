"""Record 核查意见: what they clear, for which outline, who may, and layers beside them."""

from datetime import date
from typing import Any

import pytest
from django.contrib.gis.geos import LineString, MultiPolygon
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from mines.layer_models import Layer, LayerShape
from plans.models import CountyPlan, MergedArea, PlanVersion, SiteCheck
from plans.tasks import CHECK_VERSION
from shuozhou_mines.models import Job
from taskforce.models import TrailEntry
from tests.factories import SUBMITTED_AT
from tests.plans.areas import ON, box, checked, facts_of, make_version, merge, pair_of_mines

REQUIRED = (
    "生态保护红线", "永久基本农田", "城镇开发边界", "自然保护地", "饮用水水源地", "公益林",
    "文物保护单位", "长城", "交通线和河道",
)  # fmt: skip
WEST = 112.4


@pytest.fixture
def version(counties, people) -> PlanVersion:
    version = make_version(counties["140602"], people["county_clerk"])
    merge(version, "Z1", pair_of_mines(counties["140602"], 1, WEST), is_on_ridge=None)
    return version


@pytest.fixture
def clerk(people) -> Client:
    client = Client()
    client.force_login(people["county_clerk"])
    return client


def posted(**changes: Any) -> dict[str, Any]:
    return {
        "area_codes": ["Z1"], "department": "林草", "unit": "朔城区林业局",
        "document_number": "朔林函〔2025〕7号", "signed_on": "2025-09-01", "outcome": "agreed",
        "text": "", "layers": list(REQUIRED), "scan": SimpleUploadedFile("a.pdf", b"%PDF-1.7 x"),
        **changes,
    }  # fmt: skip


def record(client: Client, version: PlanVersion, status: int = 302, **changes: Any) -> str:
    answer = client.post(reverse("plan-site-checks", args=[version.plan_id]), posted(**changes))
    assert answer.status_code == status, answer.content.decode()
    return answer.content.decode()


def verdicts(version: PlanVersion, rule: str) -> tuple[str, str]:
    found = checked(version).findings.get(rule=rule, subject_key="Z1")
    return found.verdict, found.message


def lay(version: PlanVersion, shape: MultiPolygon, kind: str = "red_line") -> Layer:
    layer = Layer.objects.create(
        name="生态保护红线", kind=kind, source="测试", as_of=date(2025, 8, 1), covers=["140602"],
        state="ready", file="none", file_name="a.kml", sha256="0" * 64,
    )  # fmt: skip
    for part in shape:
        LayerShape.objects.create(layer=layer, shape=part)
    return layer


def test_an_opinion_counts_instead_of_every_layer(clerk, version) -> None:
    assert verdicts(version, "S-C02")[0] == "nodata"
    record(clerk, version)
    assert verdicts(version, "S-C02") == ("pass", "不压占各项管控图层。")
    found = checked(version).findings.get(rule="S-C02", subject_key="Z1")
    sources = {figure["value"] for figure in found.figures if figure["label"] == "核查意见"}
    assert sources == {"朔城区林业局，朔林函〔2025〕7号，2025-09-01"}
    assert TrailEntry.objects.filter(act="登记核查意见").count() == 1
    # What was recorded is checked by a job at once.
    assert Job.objects.about(version).filter(kind=CHECK_VERSION).count() == 1


@pytest.mark.parametrize(
    ("outcome", "verdict", "words"),
    [("refused", "fail", "核查意见不同意占用"), ("conditional", "review", "有条件同意")],
)
def test_a_refusal_fails_and_a_condition_is_put_to_a_person(
    clerk, version, outcome: str, verdict: str, words: str
) -> None:
    record(clerk, version, outcome=outcome, text="须避让。")
    assert verdicts(version, "S-C02")[0] == verdict
    assert words in verdicts(version, "S-C02")[1]


def test_layers_fail_pass_and_are_put_to_a_person(clerk, version) -> None:
    record(clerk, version, layers=list(REQUIRED[1:]))
    assert verdicts(version, "S-C02")[0] == "nodata"
    layer = lay(version, box(WEST - 0.01, 39.29, WEST + 0.001, 39.31))
    assert verdicts(version, "S-C02")[0] == "fail"
    Layer.objects.filter(pk=layer.pk).update(kind="buffer")
    assert verdicts(version, "S-C02")[0] == "review"
    Layer.objects.filter(pk=layer.pk).update(kind="red_line")
    # Touching the west side of the area is not lying in it.
    layer.shapes.update(shape=box(WEST - 0.01, 39.29, WEST, 39.31)[0])
    assert verdicts(version, "S-C02")[0] == "pass"


def test_layer_and_opinion_that_differ_are_put_to_a_person(clerk, version) -> None:
    lay(version, box(WEST - 0.01, 39.29, WEST + 0.001, 39.31))
    record(clerk, version)
    verdict, message = verdicts(version, "S-C02")
    assert verdict == "review"
    assert "但核查意见认为不涉及" in message


def test_mineral_planning_is_read_from_layers_as_well(version) -> None:
    assert verdicts(version, "S-C01")[0] == "nodata"
    layer = lay(version, box(WEST - 0.01, 39.29, WEST + 0.02, 39.31), "block")
    assert verdicts(version, "S-C01")[0] == "pass"
    Layer.objects.filter(pk=layer.pk).update(kind="forbidden")
    assert verdicts(version, "S-C01")[0] == "fail"
    layer.shapes.update(shape=box(112.9, 39.29, 112.91, 39.31)[0])
    assert verdicts(version, "S-C01")[0] == "review"


def test_departments_answer_one_by_one(clerk, version) -> None:
    departments = ("自然资源", "生态环境", "应急管理", "林草", "水利", "文旅", "交通")
    for department in departments[:-1]:
        record(clerk, version, department=department, layers=[])
    verdict, message = verdicts(version, "S-C03")
    assert (verdict, "交通" in message, "水利" in message) == ("nodata", True, False)
    record(clerk, version, department="交通", layers=[])
    assert verdicts(version, "S-C03") == ("pass", "相关部门全部同意。")
    # A newer answer of the same department takes the place of the older one.
    record(clerk, version, department="交通", layers=[], outcome="refused", text="距公路太近。")
    assert verdicts(version, "S-C03")[0] == "fail"


def test_an_opinion_holds_for_the_outline_it_was_given_for(clerk, version, people) -> None:
    record(clerk, version)
    county = version.plan.county
    same = make_version(county, people["county_clerk"], number=2)
    area = MergedArea.objects.get(version=version, code="Z1")
    again = MergedArea.objects.create(
        version=same, code="Z1", name="同一范围", mineral=area.mineral, outline=area.outline
    )
    assert [row.department for row in facts_of(same).areas[0].opinions] == ["林草"]
    MergedArea.objects.filter(pk=again.pk).update(outline=box(WEST, 39.3, WEST + 0.02, 39.31))
    assert facts_of(same).areas[0].opinions == ()
    page = clerk.get(reverse("plan-site-checks", args=[version.plan_id])).content.decode()
    assert "不计入：范围已变动，或已有更新的意见" in page


def test_a_withdrawn_opinion_no_longer_counts(clerk, version, people) -> None:
    record(clerk, version)
    row = SiteCheck.objects.get()
    address = reverse("site-check-withdraw", args=[row.pk])
    assert clerk.post(address).status_code == 302
    assert verdicts(version, "S-C02")[0] == "nodata"
    page = clerk.get(reverse("plan-site-checks", args=[version.plan_id])).content.decode()
    assert "县级填报员测试员于" in page
    assert clerk.post(address).status_code == 409


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"outcome": "refused"}, "请写明理由或条件"),
        ({"signed_on": "2999-01-01"}, "出具日期还没有到"),
        ({"area_codes": []}, "请选择核查意见针对的整合区"),
        ({"scan": SimpleUploadedFile("a.pdf", b"MZ program")}, "扫描件请用 PDF、JPG 或 PNG"),
        ({"scan": SimpleUploadedFile("a.pdf", b"")}, "请重新扫描后再上传"),
    ],
)
def test_what_is_missing_is_said_and_nothing_kept(
    clerk, version, changes: dict[str, Any], sentence: str
) -> None:
    page = record(clerk, version, 422, **changes)
    assert sentence in page
    assert "朔城区林业局" in page
    assert not SiteCheck.objects.exists()


def test_the_scan_comes_back_and_the_way_is_closed_after_review(clerk, version, people) -> None:
    record(clerk, version)
    row = SiteCheck.objects.get()
    file = clerk.get(reverse("site-check-file", args=[row.pk]))
    assert b"".join(file.streaming_content) == b"%PDF-1.7 x"
    CountyPlan.objects.update(state="approved", submitted_at=SUBMITTED_AT)
    record(clerk, version, 409)
    page = clerk.get(reverse("plan-site-checks", args=[version.plan_id])).content.decode()
    assert "登记一份核查意见" not in page


def test_the_ridge_hint_reaches_the_finding_and_the_map(clerk, version) -> None:
    area = MergedArea.objects.get(code="Z1")
    west, south, east, north = area.outline.extent
    layer = Layer.objects.create(
        name="高程", kind="terrain", source="测试高程", as_of=date(2025, 8, 1), covers=[],
        state="ready", file="none", file_name="a.tif", sha256="0" * 64, cell_m=30,
        extent=box(west - 1, south - 1, east + 1, north + 1)[0],
    )  # fmt: skip
    before = facts_of(version, ON).areas[0].ridge_share
    assert before == 0
    ridge = LineString((west, north), (east, north), srid=4490)
    LayerShape.objects.create(layer=layer, shape=ridge)
    verdict, message = verdicts(version, "S-C05")
    assert verdict == "review"
    assert "边界有较长一段沿山脊" in message
    found = checked(version).findings.get(rule="S-C05", subject_key="Z1")
    share, least = found.figures
    assert (share["label"], share["unit"], share["source"]) == (
        "边界沿山脊的比例", "%", "测试高程，2025-08-01",
    )  # fmt: skip
    assert 35 < float(share["value"]) < 50
    assert (least["value"], least["unit"]) == ("20", "%")
    run = version.check_runs.first()
    shown = clerk.get(reverse("finding-shapes", args=[run.pk])).json()["features"]
    (hint,) = [each for each in shown if "地形提示" in each["properties"]["name"]]
    assert hint["geometry"]["type"].endswith("LineString")
    assert ["依据", "测试高程，2025-08-01"] in hint["properties"]["facts"]
    MergedArea.objects.update(is_on_ridge=False)
    assert verdicts(version, "S-C05")[0] == "pass"
