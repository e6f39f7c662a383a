"""Take the registry out: the same mines as on screen, words as words, numbers as numbers."""

import csv
import io
import json
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.test import Client

from mines import exports
from mines.models import Holder, Mine
from standards.terms import ScaleUnit
from tests.factories import make_mine

DANGEROUS = ['=HYPERLINK("http://x")', "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1"]


@pytest.fixture
def mines(counties) -> None:
    make_mine(counties["140602"], 1, name="小石场", scale=Decimal(20), at=(112.4, 39.3))
    make_mine(
        counties["140602"],
        2,
        name="大石场",
        scale=Decimal(30),
        unit=ScaleUnit.WAN_M3,
        density=Decimal("2.68"),
    )
    make_mine(counties["140603"], 3, name="平鲁砂矿", mineral="83993")


def _sheet(response: Any) -> Any:
    return openpyxl.load_workbook(io.BytesIO(response.content)).worksheets[0]


def _csv(response: Any) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def _json(response: Any) -> Any:
    return json.loads(b"".join(response.streaming_content))


def test_a_workbook_has_numbers_as_numbers_and_days_as_days(office, mines) -> None:
    response = office.get("/staff/mines/export/xlsx/")
    sheet = _sheet(response)
    head = [cell.value for cell in sheet[1]]
    row = dict(zip(head, sheet[2], strict=True))

    assert sheet.max_row == 4
    assert response["Content-Disposition"].startswith('attachment; filename="mines-')
    assert row["矿山名称"].value == "小石场"
    assert row["设计规模（万吨/年）"].value == 20
    assert row["设计规模（万吨/年）"].data_type == "n"
    assert row["范围面积（km²）"].value == 0.15
    assert row["证到期日"].value.strftime("%Y-%m-%d") == "2027-12-31"
    assert row["采矿许可证号"].value == "C1406002010017130100001"
    second = dict(zip(head, sheet[3], strict=True))
    assert second["设计规模（万吨/年）"].value == 80.4
    assert second["各生产系统设计规模"].value == "一号采场 30 万立方米/年"
    assert second["范围来源"].value == "没有范围"


@pytest.mark.parametrize("kind", ["xlsx", "csv", "geojson"])
def test_files_carry_the_filters_and_only_what_may_be_seen(clerk, office, mines, kind) -> None:
    def names(client: Client, query: str) -> list[str]:
        response = client.get(f"/staff/mines/export/{kind}/?{query}")
        assert response.status_code == 200
        if kind == "xlsx":
            return [row[0].value for row in _sheet(response).iter_rows(min_row=2)]
        if kind == "csv":
            return [row[0] for row in _csv(response)[1:]]
        return [each["properties"]["矿山名称"] for each in _json(response)["features"]]

    assert names(office, "mineral=83993") == ["平鲁砂矿"]
    assert names(office, "q=石场&sort=-name") == ["小石场", "大石场"]
    assert names(clerk, "") == ["小石场", "大石场"]
    assert names(clerk, "q=没有这样") == []


@pytest.mark.parametrize("words", DANGEROUS)
def test_no_cell_becomes_a_formula(office, counties, words) -> None:
    mine = make_mine(counties["140602"], 1)
    Mine.objects.filter(pk=mine.pk).update(name=words, township=words, given_by=words)
    Holder.objects.filter(pk=mine.holder_id).update(name=words)

    sheet = _sheet(office.get("/staff/mines/export/xlsx/"))
    cells = [cell for row in sheet.iter_rows(min_row=2) for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert sheet["A2"].data_type == "s"
    table = _csv(office.get("/staff/mines/export/csv/"))
    said = [word for word in table[1] if word.lstrip("'") == words]
    assert len(said) == 4
    for word in table[1]:
        assert not word.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_characters_that_a_workbook_cannot_hold_are_left_out(office, counties) -> None:
    mine = make_mine(counties["140602"], 1, name="有\x0b控制字符的矿")

    sheet = _sheet(office.get("/staff/mines/export/xlsx/"))

    assert sheet["A2"].value == "有控制字符的矿"
    assert Mine.objects.get(pk=mine.pk).name == "有\x0b控制字符的矿"


def test_geojson_is_valid_and_says_what_is_drawn(office, mines) -> None:
    found = _json(office.get("/staff/mines/export/geojson/"))

    assert found["type"] == "FeatureCollection"
    assert "示意" in found["note"]
    first, second, _ = found["features"]
    assert first["geometry"]["type"] == "MultiPolygon"
    assert first["geometry"]["coordinates"][0][0][0] == [112.4, 39.3]
    assert first["properties"]["范围面积（km²）"] == "0.15"
    assert second["geometry"] is None


def test_a_csv_opens_with_its_mark_and_plain_numbers(office, mines) -> None:
    response = office.get("/staff/mines/export/csv/")
    raw = b"".join(response.streaming_content)

    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))
    row = dict(zip(rows[0], rows[2], strict=True))
    assert row["设计规模（万吨/年）"] == "80.4"
    assert row["体重（吨/立方米）"] == "2.68"
    assert row["开采标高上限（m）"] == "1400"


def test_too_many_rows_and_bad_filters_are_refused_with_a_sentence(
    office, mines, monkeypatch
) -> None:
    monkeypatch.setitem(exports.MOST_ROWS, "xlsx", 2)

    refused = office.get("/staff/mines/export/xlsx/")
    assert refused.status_code == 409
    assert "符合条件的矿山有 3 座，一次最多导出 2 座" in refused.content.decode()
    assert office.get("/staff/mines/export/xlsx/?q=石场").status_code == 200
    unreadable = office.get("/staff/mines/export/csv/?q=石")
    assert unreadable.status_code == 409
    assert "筛选条件有误，没有导出" in unreadable.content.decode()
    assert office.get("/staff/mines/export/pdf/").status_code == 404


def test_a_file_asks_as_often_for_fifty_mines_as_for_one(
    office, counties, django_assert_max_num_queries
) -> None:
    make_mine(counties["140602"], 1)
    with django_assert_max_num_queries(13) as one:
        office.get("/staff/mines/export/xlsx/")
    for number in range(2, 51):
        make_mine(counties["140602"], number)
    with django_assert_max_num_queries(13) as fifty:
        assert _sheet(office.get("/staff/mines/export/xlsx/")).max_row == 51
    assert len(one) == len(fifty)
