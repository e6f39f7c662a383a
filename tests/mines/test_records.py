"""Add to a mine's file, see it on its page and in its history; findings and holder beside it."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from mines.checks import start_check
from mines.models import Holder, Licence, Mine
from mines.record_models import MineDocument, YearOutput
from shuozhou_mines import jobs
from taskforce.models import TrailEntry
from tests.factories import OPENED_AT, make_mine
from tests.mines.conftest import signed_in

PAGE = "/staff/mines/SZ-140602-0001/"
SOURCE = {"as_of": "2026-01-31", "given_by": "县自然资源局"}


@pytest.fixture
def mine(counties) -> Mine:
    """Return a mine with 60 万吨/年 licensed and designed."""
    return make_mine(counties["140602"], 1, density=Decimal("2.5"))


def test_output_is_added_corrected_and_set_beside_licence_and_design(clerk, mine) -> None:
    for amount in ("70.5", "72"):
        sent = {"year": "2025", "amount": amount, "unit": "wan_t", **SOURCE}
        assert clerk.post(f"{PAGE}records/outputs/", sent).status_code == 302
    YearOutput.objects.create(
        mine=mine, year=2024, amount=12, unit="wan_m3", as_of=date(2026, 1, 31), given_by="县"
    )

    shown = clerk.get(PAGE).context["production"]

    assert (shown["licensed"], shown["design"]) == ("60 万吨/年", "60 万吨/年")
    assert [
        (row["year"], row["amount"], row["share"], row["is_over"]) for row in shown["years"]
    ] == [
        (2025, "72", "120%", True),
        (2024, "12", "50%", False),
    ]
    acts = TrailEntry.objects.order_by("pk").values_list("act", flat=True)
    assert list(acts)[-2:] == ["补充矿山资料", "更正矿山资料"]
    told = clerk.get(f"{PAGE}history/").context["page_obj"].object_list
    changed = next(each for each in told if each.subject == "年度产量 2025 年" and not each.is_new)
    assert [(each.old, each.new) for each in changed.fields] == [("70.5", "72")]


@pytest.mark.parametrize(
    ("kind", "sent", "seen"),
    [
        ("acceptances",
         {"accepted_on": "2025-06-01", "conclusion": "passed", "area_ha": "12.5"}, "12.5"),
        ("treatment_plans",
         {"filing_no": "朔自然资备〔2025〕7号", "filed_on": "2025-06-01", "due_on": "2025-05-01"},
         "超过时限"),
        ("treatment_checks",
         {"year": "2025", "checked_on": "2025-11-01", "conclusion": "rectify"}, "限期整改"),
        ("right_events",
         {"kind": "transfer", "happened_on": "2025-03-01", "to_holder": "新持有人公司"},
         "新持有人公司"),
    ],
)  # fmt: skip
def test_each_kind_of_record_is_taken_and_shown(clerk, mine, kind, sent, seen) -> None:
    assert clerk.get(f"{PAGE}records/{kind}/").status_code == 200
    assert clerk.post(f"{PAGE}records/{kind}/", {**sent, **SOURCE}).status_code == 302

    assert seen in clerk.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("kind", "sent", "said"),
    [
        ("outputs", {"year": "2025", "amount": "-1", "unit": "wan_t"}, "实际产量不能是负数。"),
        ("outputs", {"year": "25", "amount": "1", "unit": "wan_t"}, "年份应写四位数字"),
        ("outputs", {"year": "2025", "amount": "1", "unit": "wan_t", "as_of": "2999-01-01"},
         "数据截止日期还没有到"),
        ("right_events", {"kind": "transfer", "happened_on": "2025-03-01", "way": "agreement"},
         "只有出让事项才填写出让方式。"),
    ],
)  # fmt: skip
def test_a_record_that_contradicts_itself_is_not_taken(clerk, mine, kind, sent, said) -> None:
    answer = clerk.post(f"{PAGE}records/{kind}/", {**SOURCE, **sent})

    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not TrailEntry.objects.filter(act="补充矿山资料").exists()


def test_who_may_not_edit_reads_only(people, mine) -> None:
    leader = signed_in(people["county_leader"])

    assert "登记年度产量" not in leader.get(PAGE).content.decode()
    assert leader.get(f"{PAGE}records/outputs/").status_code == 403
    assert leader.get(f"{PAGE}records/nothing/").status_code == 404


def test_a_paper_is_kept_once_and_handed_out_to_who_sees_the_mine(people, clerk, mine) -> None:
    def send(name: str, content: bytes) -> object:
        given = {"kind": "design", "title": "初步设计", **SOURCE}
        upload = SimpleUploadedFile(name, content)
        return clerk.post(f"{PAGE}records/documents/", {**given, "upload": upload})

    assert send("设计.pdf", b"%PDF-1.7").status_code == 302
    row = MineDocument.objects.get()
    got = clerk.get(f"{PAGE}documents/{row.pk}/")
    assert b"".join(got.streaming_content) == b"%PDF-1.7"
    assert got["Content-Disposition"].startswith("attachment")
    assert "初步设计" in clerk.get(PAGE).content.decode()
    stranger = signed_in(people["other_county_clerk"])
    assert stranger.get(f"{PAGE}documents/{row.pk}/").status_code == 404
    for name, content, said in (
        ("设计.pdf", b"%PDF-1.7", "这份文件已经在这座矿山的资料里。"),
        ("设计.exe", b"MZ", "请上传 PDF、图片"),
        ("空.pdf", b"", "这个文件是空的（0 字节）。"),
    ):
        refused = send(name, content)
        assert refused.status_code == 400
        assert said in refused.content.decode()
    assert MineDocument.objects.count() == 1


def test_the_holders_parents_are_named_with_their_shares(clerk, mine) -> None:
    top = Holder.objects.create(name="集团公司", uscc="91140600MA0GXAAA15")
    middle = Holder.objects.create(name="中间公司", parent=top, parent_share=Decimal("0.51"))
    Holder.objects.filter(pk=mine.holder_id).update(parent=middle, parent_share=1)
    Holder.objects.filter(pk=top.pk).update(parent=middle)

    chain = clerk.get(PAGE).context["chain"]

    assert [(each["name"], each["share"]) for each in chain] == [
        ("中间公司", "持股 100%"),
        ("集团公司", "持股 51%"),
    ]


def test_classes_say_limits_and_source(clerk, mine) -> None:
    figures = {each["label"]: each for each in clerk.get(PAGE).context["figures"]}

    assert figures["生产规模"]["value"] == "大型"
    assert "大型 ≥ 10，中型 ≥ 5 万立方米/年" in figures["生产规模"]["note"]
    assert "国土资发〔2004〕208号" in figures["生产规模"]["note"]


def test_findings_stand_on_the_page_and_narrow_list_and_columns(office, counties) -> None:
    make_mine(counties["140602"], 1, name="小矿", scale=Decimal(30))
    make_mine(counties["140602"], 2, name="大矿", scale=Decimal(60))
    assert office.get(PAGE).context["findings"]["none"].startswith("全市台账还没有检查过")
    run = start_check(reason="request", on=date(2026, 10, 1), at=OPENED_AT)
    for part in run.parts.all():
        jobs.run_job(part.job_id)
    late = make_mine(counties["140602"], 3, name="新矿", scale=Decimal(60))

    found = office.get(PAGE).context["findings"]["rows"]

    assert found[0]["verdict"] == "fail"
    assert "四(二)2" in found[0]["clause"]
    assert "露天采石场" in found[0]["quote"]
    fail = office.get("/staff/mines/?findings=fail&cols=findings")
    assert [row["cells"][0]["text"] for row in fail.context["table"]["rows"]] == ["小矿"]
    assert "不符合" in fail.content.decode()
    others = {
        row["cells"][0]["text"]
        for verdict in ("review", "nodata", "pass")
        for row in office.get(f"/staff/mines/?findings={verdict}").context["table"]["rows"]
    }
    assert others == {"大矿"}
    page = office.get(f"/staff/mines/{late.registry_no}/")
    assert "在最近一次检查之后才进入台账" in page.context["findings"]["none"]


def test_totals_follow_every_change(office, counties) -> None:
    def count(query: str = "") -> str:
        return str(office.get(f"/staff/mines/?{query}").context["table"]["totals"][0]["text"])

    first = make_mine(counties["140602"], 1, at=(112.4, 39.3))
    assert count() == "合计 1 座"
    make_mine(counties["140602"], 2, name="第二座")
    assert (count(), count("q=二座"), count("bbox=112.3,39.2,112.5,39.4")) == (
        "合计 2 座", "合计 1 座", "合计 1 座",
    )  # fmt: skip
    Mine.objects.filter(pk=first.pk).update(name="改名的第二座")
    assert count("q=二座") == "合计 2 座"
    Mine.objects.filter(pk=first.pk).update(removed_on=date(2026, 10, 1))
    assert (count(), count("q=二座")) == ("合计 1 座", "合计 1 座")
    Licence.objects.all().delete()
    assert count("licence=none") == "合计 1 座"
