"""The bulletin to edit: its measures, named fonts and styles, read back from the files."""

import io
import zipfile
from datetime import date

import pytest
from django.urls import reverse
from docx import Document
from docx.oxml.ns import qn
from openpyxl import load_workbook

from supervision import bulletin_actions as bulletins
from supervision.bulletin_word import bulletin_docx
from supervision.bulletin_workbook import annex_workbook
from supervision.content import (
    Annex,
    BulletinContent,
    Column,
    Paragraph,
    Section,
    SubHeading,
    Table,
)
from tests.supervision.quarter import approve, at
from tests.supervision.test_inspections import browser

TABLE = Table(
    "分类进展",
    (Column("县", align="left"), Column("任务", "座", "right"), Column("完成率", "%", "right")),
    (("朔城区", "12", "58.33"), ("=HYPERLINK(1)", "3", "—")),
    ("合计", "15", "+1.50"),
)
CONTENT = BulletinContent(
    head="document", issuing_body="朔州市测试专班办公室", title="关于测试工作进展情况的通报",
    document_number="朔测〔2025〕1号", addressees="各县（市、区）人民政府",
    opening=(Paragraph("现将情况通报如下。"),),
    sections=(
        Section("一、总体进展", (SubHeading("（一）分类"), Paragraph("进\x08展。"), TABLE)),
    ),
    annexes=(Annex("测试进展表", (TABLE,), landscape=True),),
    signed_on=date(2025, 7, 5), signature="朔州市测试专班办公室", note="此件公开发布",
    copies_to="市委、市政府有关领导。", printed_by="朔州市测试专班办公室",
    printed_on=date(2025, 7, 5),
)  # fmt: skip


@pytest.fixture(scope="module")
def word():
    return Document(io.BytesIO(bulletin_docx(CONTENT)))


def twips(length) -> int:
    return round(length / 635)


def test_page_and_grid_are_the_standard_s(word):
    page, wide = word.sections
    assert [twips(side) for side in (
        page.top_margin, page.bottom_margin, page.left_margin, page.right_margin,
    )] == [2098, 1984, 1587, 1474]  # fmt: skip
    assert (twips(page.page_width), twips(page.page_height)) == (11906, 16838)
    assert (twips(wide.page_width), twips(wide.page_height)) == (16838, 11906)
    grid = page._sectPr.find(qn("w:docGrid"))
    assert grid.get(qn("w:type")) == "linesAndChars"
    # 22 lines fill the 225 mm (12756 twips) of the type area.
    line = int(grid.get(qn("w:linePitch")))
    assert 22 * line <= 16838 - 2098 - 1984 < 23 * line
    # 28 characters fill its 156 mm (8845 twips).
    character = 16 + int(grid.get(qn("w:charSpace"))) / 4096
    assert 28 * character * 20 == pytest.approx(11906 - 1587 - 1474, abs=6)


def test_styles_name_the_official_fonts(word):
    named = {
        style.name: (style.element.rPr.rFonts.get(qn("w:eastAsia")), style.font.size.pt)
        for style in word.styles
        if style.name in ("Normal", "Heading 1", "Heading 2", "公文标题", "公文正文", "版记")
    }
    assert named == {
        "Normal": ("仿宋_GB2312", 16), "Heading 1": ("黑体", 16), "Heading 2": ("楷体_GB2312", 16),
        "公文标题": ("方正小标宋简体", 22), "公文正文": ("仿宋_GB2312", 16),
        "版记": ("仿宋_GB2312", 14),
    }  # fmt: skip
    used = {paragraph.style.name for paragraph in word.paragraphs}
    assert {"发文机关标志", "发文字号", "Heading 1", "Heading 2", "公文正文", "版记"} <= used


def test_text_stands_in_order_with_red_head_and_rule(word):
    texts = [paragraph.text for paragraph in word.paragraphs if paragraph.text]
    assert texts[:7] == [
        "朔州市测试专班办公室文件", "朔测〔2025〕1号", "关于测试工作进展情况的通报",
        "各县（市、区）人民政府：", "现将情况通报如下。", "一、总体进展", "（一）分类",
    ]  # fmt: skip
    assert texts[7] == "进展。"
    assert texts[-2:] == [
        "抄送：市委、市政府有关领导。", "朔州市测试专班办公室　　2025年7月5日印发",
    ]  # fmt: skip
    mark = word.paragraphs[0].runs[0]
    assert str(mark.font.color.rgb) == "FF0000"
    number = next(each for each in word.paragraphs if each.text == "朔测〔2025〕1号")
    rule = number._p.pPr.find(qn("w:pBdr")).find(qn("w:bottom"))
    # An eighth of a point each: 0.44 mm.
    assert 0.35 <= int(rule.get(qn("w:sz"))) / 8 * 25.4 / 72 <= 0.5


def test_page_numbers_stand_outside(word):
    section = word.sections[0]
    assert word.settings.odd_and_even_pages_header_footer
    for footer, side in ((section.footer, "right"), (section.even_page_footer, "left")):
        paragraph = footer.paragraphs[0]
        assert paragraph.text.replace(" ", "") == "——"
        assert paragraph._p.pPr.jc.get(qn("w:val")) == side
        assert " PAGE " in [each.text for each in paragraph._p.iter(qn("w:instrText"))]


def test_tables_repeat_their_head(word):
    first = word.tables[0]
    assert [cell.text for cell in first.rows[0].cells] == ["县", "任务\n（座）", "完成率\n（%）"]
    assert first.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
    assert [cell.text for cell in first.rows[-1].cells] == ["合计", "15", "+1.50"]


def test_properties_stand_in_the_order_that_word_wants(word):
    mark = [each.tag.split("}")[1] for each in word.paragraphs[0].runs[0]._r.rPr]
    assert mark.index("w") < mark.index("sz")
    number = next(each for each in word.paragraphs if each.text == "朔测〔2025〕1号")
    assert [each.tag.split("}")[1] for each in number._p.pPr] == ["pStyle", "pBdr"]
    last = next(each for each in reversed(word.paragraphs) if each.text)
    order = [each.tag.split("}")[1] for each in last._p.pPr]
    assert order.index("pBdr") < order.index("ind")


def test_annex_workbook_has_numbers_and_no_formulas():
    content = annex_workbook(CONTENT.annexes[0])
    sheet = load_workbook(io.BytesIO(content))["附件"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert rows == [
        ["县", "任务（座）", "完成率（%）"], ["朔城区", 12, 58.33], ["=HYPERLINK(1)", 3, "—"],
        ["合计", 15, 1.5],
    ]  # fmt: skip
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")


def test_files_go_to_those_who_may_read_the_bulletin(people, client):
    draft = bulletins.draft_bulletin(year=2025, quarter=2, by=people["office"], at=at(7, 5))
    word, annex = (reverse(name, args=[draft.pk]) for name in ("bulletin-word", "bulletin-annex"))
    office = browser(people["office"])
    answer = office.get(word)
    assert answer["Content-Disposition"].startswith("attachment;")
    assert Document(io.BytesIO(answer.content)).core_properties.title == draft.title
    assert office.get(annex).status_code == 200
    assert browser(people["county_clerk"]).get(word).status_code == 404
    assert (client.get(word).status_code, client.get(annex).status_code) == (302, 404)
    approve(draft, people["office"])
    bulletins.issue_bulletin(
        bulletin_id=draft.pk, number=1, issued_on=date(2025, 7, 6), is_public=True,
        by=people["office"],
    )  # fmt: skip
    assert client.get(annex).status_code == 200
