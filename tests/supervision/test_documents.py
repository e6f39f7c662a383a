"""Measure printed bulletins in the PDF itself against GB/T 9704-2012."""

import io
import socket
import threading
from collections import defaultdict
from datetime import date
from itertools import pairwise

import pdfplumber
import pikepdf
import pytest

from supervision.charts import Chart, Series
from supervision.content import (
    Annex,
    Attendance,
    BulletinContent,
    Column,
    Paragraph,
    Section,
    SubHeading,
    Table,
)
from supervision.documents import MissingCharacters, bulletin_html, render_bulletin, write_pdf

MM = 72 / 25.4
OFFICE = "朔州市非煤行业管理及综合整治整合工作专班办公室"
COUNTIES = ("朔城区", "平鲁区", "山阴县", "应县", "右玉县", "怀仁市")
PLAIN = "各县市区人民政府要切实压实属地责任倒排工期挂图作战确保各项任务按期完成并及时报送" * 8
MIXED = (
    "截至2026年6月30日，纳入范围的非煤矿山共计86座，其中关闭取缔12座、引导退出9座、整合重组41座、"
    "升级改造24座；完成率66.3%，较上季度提高11.5个百分点（详见附件），“两不误”要求落实较好。"
)


def long_bulletin() -> BulletinContent:
    """Return a bulletin with text pages, a table, a chart, and an upright and a wide annex."""
    table = Table(
        "各县（市、区）任务完成情况",
        (Column("县（市、区）"), Column("任务数", "座", "right"), Column("完成率", "%", "right")),
        tuple((county, str(10 + i), f"{50 + i}.0") for i, county in enumerate(COUNTIES)),
        ("合计", "75", "52.7"),
    )
    chart = Chart("grouped", "任务与完成对比", COUNTIES, (Series("任务", (9,) * 6),), "座")
    columns = (Column("序号"), Column("矿山名称", align="left"), Column("规模", "万吨/年", "right"))
    rows = tuple((str(i), f"示例砂矿{i}号", "50") for i in range(1, 61))
    return BulletinContent(
        head="document",
        issuing_body=OFFICE,
        document_number="朔非煤整治办〔2026〕1号",
        copy_no="000001",
        classification="秘密★1年",
        urgency="特急",
        title="关于2026年第二季度全市非煤矿山整治整合工作进展情况的通报",
        addressees="各县（市、区）人民政府，专班各成员单位",
        sections=(
            Section(
                "一、总体进展",
                (Paragraph(MIXED), SubHeading("（一）分批次进展"), *[Paragraph(PLAIN)] * 4),
            ),
            Section("二、各县（市、区）进展", (table, SubHeading("1.走势", 3), chart)),
            Section("三、下步要求", (Paragraph(MIXED),)),
        ),
        annexes=(
            Annex("任务明细表", (Table("", columns, rows),)),
            Annex("宽表", (Table("任务明细", columns, rows),), landscape=True),
        ),
        signature="专班办公室",
        signed_on=date(2026, 7, 3),
        note="此件公开发布",
        copies_to="市委办公室，市人大常委会办公室，市政府办公室，市政协办公室",
        printed_by=OFFICE,
        printed_on=date(2026, 7, 3),
        is_demo=True,
    )


def short_bulletin(**changes) -> BulletinContent:
    """Return a bulletin of one page."""
    fields = {
        "head": "document",
        "issuing_body": "朔州市非煤整治整合专班",
        "document_number": "朔非煤整治办〔2026〕12号",
        "title": "关于报送季度情况的通知",
        "addressees": "各县（市、区）专班",
        "sections": (Section("", (Paragraph("请于7月10日前报送。"),)),),
        "signature": "专班办公室",
        "signed_on": date(2026, 7, 3),
        "copies_to": "市政府办公室",
        "printed_by": "市规划和自然资源局",
        "printed_on": date(2026, 7, 3),
    }
    return BulletinContent(**(fields | changes))


class Printed:
    """A rendered document, opened to be measured; all distances in mm from the sheet's top left."""

    def __init__(self, content: BulletinContent) -> None:
        self.bytes = render_bulletin(content)
        self.pdf = pdfplumber.open(io.BytesIO(self.bytes))
        self.pages = self.pdf.pages

    def lines(self, number: int) -> list[list[dict]]:
        """Return the upright lines of characters of a page, from its top."""
        page = self.pages[number - 1]
        found = defaultdict(list)
        for character in page.chars:
            if character["upright"]:
                found[round(character["matrix"][5], 1)].append(character)
        return [sorted(found[y], key=lambda c: c["x0"]) for y in sorted(found, reverse=True)]

    def line(self, number: int, start: str) -> list[dict]:
        """Return the one line of a page that begins so."""
        (line,) = [line for line in self.lines(number) if text_of(line).startswith(start)]
        return line

    def baseline(self, number: int, line: list[dict]) -> float:
        """Return the distance of a line's baseline from the top of its sheet."""
        return (float(self.pages[number - 1].height) - line[0]["matrix"][5]) / MM

    def rules(self, number: int) -> list[tuple[float, float, float, float]]:
        """Return left, top, right, bottom of the rules as wide as the type area."""
        boxes = [
            tuple(box[side] / MM for side in ("x0", "top", "x1", "bottom"))
            for box in self.pages[number - 1].rects
        ]
        return sorted((box for box in boxes if box[2] - box[0] > 150), key=lambda box: box[1])

    def ink_rows(self, number: int, *, top: float, bottom: float, red: bool) -> tuple[float, float]:
        """Return the first and last row of ink between two heights, drawn at 300 dpi."""
        image = self.pages[number - 1].to_image(resolution=300).original.convert("RGB")
        scale = 300 / 25.4
        rows = []
        for y in range(int(top * scale), int(bottom * scale)):
            strip = image.crop((0, y, image.width, y + 1)).getcolors(100000)
            for _, (r, g, b) in strip:
                if (r > 150 and g < 110 and b < 110) if red else max(r, g, b) < 110:
                    rows.append(y / scale)
                    break
        return rows[0], rows[-1]


def text_of(line: list[dict]) -> str:
    return "".join(character["text"] for character in line)


@pytest.fixture(scope="module")
def bulletin():
    printed = Printed(long_bulletin())
    yield printed
    printed.pdf.close()


@pytest.fixture(scope="module")
def notice():
    printed = Printed(short_bulletin())
    yield printed
    printed.pdf.close()


def test_sheets_are_a4_and_text_keeps_to_the_type_area(bulletin):
    for number, page in enumerate(bulletin.pages, start=1):
        upright = page.height > page.width
        size = (210, 297) if upright else (297, 210)
        assert (page.width / MM, page.height / MM) == pytest.approx(size, abs=0.1)
        if not upright:
            continue
        inside = [line for line in bulletin.lines(number) if bulletin.baseline(number, line) > 30]
        body = [line for line in inside if bulletin.baseline(number, line) < 262]
        assert min(line[0]["x0"] for line in body) / MM >= 27.9
        assert max(line[-1]["x1"] for line in body) / MM <= 184.5


def test_full_page_holds_22_lines_of_28_characters(bulletin):
    number = 2
    lines = [line for line in bulletin.lines(number) if 37 < bulletin.baseline(number, line) < 262]
    assert len(lines) == 22
    baselines = [bulletin.baseline(number, line) for line in lines]
    pitches = [b - a for a, b in pairwise(baselines)]
    assert pitches == pytest.approx([225 / 22] * 21, abs=0.1)
    full = [line for line in lines if len(line) == 28]
    assert len(full) >= 12
    for line in full:
        assert line[0]["x0"] / MM == pytest.approx(28, abs=0.2)
        assert line[-1]["x1"] / MM == pytest.approx(184, abs=0.3)


def test_body_is_set_in_16_points_indented_by_two_characters(bulletin):
    first = bulletin.line(1, "截至2026年")
    assert {round(character["size"], 1) for character in first} == {16.0}
    assert first[0]["x0"] / MM == pytest.approx(28 + 2 * 156 / 28, abs=0.2)


def test_headings_wear_their_faces(bulletin):
    faces = {}
    for number in range(1, 6):
        for line in bulletin.lines(number):
            faces.setdefault(text_of(line)[:4], line[0]["fontname"].split("+")[1])
    assert faces["一、总体"] in ("Noto-Sans-CJK-SC-Bold", "SimHei")
    assert faces["（一）分"] in ("AR-PL-KaitiM-GB", "KaiTi_GB2312", "KaiTi")
    assert faces["1.走势"] == faces["截至20"]


def test_red_head_begins_35_mm_below_the_type_area(bulletin):
    top, _ = bulletin.ink_rows(1, top=60, bottom=125, red=True)
    assert top == pytest.approx(37 + 35, abs=0.5)
    head = [line for line in bulletin.lines(1) if 72 < bulletin.baseline(1, line) < 110]
    assert "".join(text_of(line) for line in head) == f"{OFFICE}文件"
    assert {c["non_stroking_color"] for line in head for c in line} == {(0.901961, 0.0, 0.070588)}
    for line in head:
        middle = (line[0]["x0"] + line[-1]["x1"]) / 2 / MM
        assert middle == pytest.approx(28 + 78, abs=0.5)


def test_copy_number_secrecy_and_urgency_stand_in_the_first_three_lines(bulletin):
    lines = bulletin.lines(1)[1:4]
    assert [text_of(line) for line in lines] == ["000001", "秘密★1年", "特急"]
    assert [round(line[0]["x0"] / MM, 1) for line in lines] == [28.0, 28.0, 28.0]
    assert [line[0]["size"] for line in lines] == pytest.approx([16, 16, 16], abs=0.2)


def test_red_rule_lies_4_mm_below_the_number(bulletin, notice):
    for printed in (bulletin, notice):
        left, top, right, bottom = printed.rules(1)[0]
        assert right - left == pytest.approx(156, abs=0.1)
        assert 0.35 <= bottom - top <= 0.5
        baseline = printed.baseline(1, printed.line(1, "朔非煤整治办〔2026〕1"))
        _, ink = printed.ink_rows(1, top=baseline - 4, bottom=top - 0.2, red=False)
        assert top - ink == pytest.approx(4, abs=0.5)


def test_number_stands_two_empty_lines_below_the_head(bulletin):
    _, head_bottom = bulletin.ink_rows(1, top=60, bottom=125, red=True)
    number = bulletin.baseline(1, bulletin.line(1, "朔非煤整治办〔2026〕1号"))
    assert 2 * 225 / 22 < number - head_bottom < 3.5 * 225 / 22


def test_title_is_centred_in_22_points_and_makes_a_trapezoid(bulletin):
    upper = bulletin.line(1, "关于2026年第二季度")
    lower = bulletin.line(1, "整治整合工作进展")
    assert text_of(upper) == "关于2026年第二季度全市非煤矿山"
    assert text_of(lower) == "整治整合工作进展情况的通报"
    for line in (upper, lower):
        assert line[0]["size"] == pytest.approx(22, abs=0.2)
        assert (line[0]["x0"] + line[-1]["x1"]) / 2 / MM == pytest.approx(106, abs=0.5)


def test_addressees_stand_flush_left_and_end_in_a_colon(bulletin):
    line = bulletin.line(1, "各县（市、区）人民政府")
    assert text_of(line) == "各县（市、区）人民政府，专班各成员单位："
    assert line[0]["x0"] / MM == pytest.approx(28, abs=0.2)


def page_with(printed: Printed, start: str) -> int:
    """Return the page on which a line begins so."""
    numbers = [
        number
        for number in range(1, len(printed.pages) + 1)
        if any(text_of(line).startswith(start) for line in printed.lines(number))
    ]
    return numbers[0]


def test_unsealed_signature_keeps_two_characters_and_the_date_begins_two_later(notice):
    name, day = notice.line(1, "专班办公室"), notice.line(1, "2026年7月3日")
    # The date is the longer one: it keeps two characters from the right itself.
    assert (184 - day[-1]["x1"] / MM) == pytest.approx(2 * 156 / 28, abs=0.5)
    assert (day[0]["x0"] - name[0]["x0"]) / MM == pytest.approx(2 * 156 / 28, abs=0.2)


def test_long_signature_keeps_two_characters_from_the_right():
    printed = Printed(short_bulletin(signature=OFFICE))
    name, day = printed.line(1, "朔州市非煤行业"), printed.line(1, "2026年7月3日")
    assert (184 - name[-1]["x1"] / MM) == pytest.approx(2 * 156 / 28, abs=0.5)
    assert (day[0]["x0"] - name[0]["x0"]) / MM == pytest.approx(2 * 156 / 28, abs=0.2)
    printed.pdf.close()


def test_attachments_and_note_are_indented_by_two_characters(bulletin):
    number = page_with(bulletin, "附件：1.")
    for start in ("附件：1.任务明细表", "（此件公开发布）"):
        line = bulletin.line(number, start)
        assert line[0]["x0"] / MM == pytest.approx(28 + 2 * 156 / 28, abs=0.2)
    # The page of the signature carries a line of the body too, never the signature alone.
    body = [line for line in bulletin.lines(number) if 30 < bulletin.baseline(number, line) < 60]
    assert body
    assert not text_of(body[0]).startswith("附件")
    first, second = bulletin.line(number, "附件：1."), bulletin.line(number, "2.宽表")
    assert second[0]["x0"] == pytest.approx(first[3]["x0"], abs=0.2)


def test_annex_begins_a_page_with_its_word_and_title(bulletin):
    number = page_with(bulletin, "附件1")
    lines = bulletin.lines(number)[1:3]
    assert [text_of(line) for line in lines] == ["附件1", "任务明细表"]
    assert lines[0][0]["x0"] / MM == pytest.approx(28, abs=0.2)
    assert bulletin.baseline(number, lines[0]) == pytest.approx(37 + 7.5, abs=0.5)
    assert lines[1][0]["size"] == pytest.approx(22, abs=0.2)


def test_annex_table_repeats_its_head_on_each_page(bulletin):
    first = page_with(bulletin, "附件1")
    heads = [
        any(text_of(line).startswith("序号") for line in bulletin.lines(number))
        for number in (first, first + 1)
    ]
    assert heads == [True, True]


def test_page_numbers_stand_outside_7_mm_below_the_type_area(bulletin):
    for number in (1, 2, 3, 4):
        line = bulletin.line(number, f"— {number} —")
        assert line[0]["size"] == pytest.approx(14, abs=0.2)
        if number % 2:
            assert 184 - line[-1]["x1"] / MM == pytest.approx(14 / MM, abs=0.5)
        else:
            assert line[0]["x0"] / MM - 28 == pytest.approx(14 / MM, abs=0.5)
        image = bulletin.pages[number - 1].to_image(resolution=300).original.convert("L")
        scale = 300 / 25.4
        middle = (line[0]["x0"] + line[0]["x1"]) / 2 / MM * scale
        dash = [
            y / scale
            for y in range(int(263 * scale), int(280 * scale))
            if image.getpixel((int(middle), y)) < 110
        ]
        assert sum(dash) / len(dash) == pytest.approx(262 + 7, abs=0.5)


def test_wide_annex_turns_the_sheet_and_keeps_the_number_at_the_foot(bulletin):
    wide = [page for page in bulletin.pages if page.width > page.height]
    assert len(wide) >= 2
    for page in wide[:2]:
        number = [character for character in page.chars if not character["upright"]]
        assert "".join(c["text"] for c in number) == f"— {page.page_number} —"
        # The foot of the sheet is the left edge here: 7 mm beside the type area (35 mm in).
        scale = 300 / 25.4
        image = page.to_image(resolution=300).original.convert("L")
        middle = (number[0]["top"] + number[0]["bottom"]) / 2 / MM * scale
        dash = [
            x / scale
            for x in range(int(20 * scale), int(34 * scale))
            if image.getpixel((x, int(middle))) < 110
        ]
        assert sum(dash) / len(dash) == pytest.approx(35 - 7, abs=0.5)
        outer = max(c["bottom"] for c in number), min(c["top"] for c in number)
        if page.page_number % 2:
            assert 210 - 26 - outer[0] / MM == pytest.approx(14 / MM, abs=0.5)
        else:
            assert outer[1] / MM - 28 == pytest.approx(14 / MM, abs=0.5)


def test_colophon_closes_the_last_page(bulletin, notice):
    for printed in (bulletin, notice):
        number = len(printed.pages)
        rules = printed.rules(number)[-3:]
        thickness = [bottom - top for _, top, _, bottom in rules]
        assert thickness == pytest.approx([0.35, 0.25, 0.35], abs=0.02)
        assert [right - left for left, _, right, _ in rules] == pytest.approx([156] * 3, abs=0.1)
        assert rules[-1][3] == pytest.approx(262, abs=0.2)
        copies = printed.line(number, "抄送：")
        assert copies[0]["size"] == pytest.approx(14, abs=0.2)
        assert copies[0]["x0"] / MM == pytest.approx(28 + 14 / MM, abs=0.2)
        assert any(text_of(line).endswith("2026年7月3日印发") for line in printed.lines(number))
    assert text_of(notice.line(1, "抄送：")) == "抄送：市政府办公室。"
    assert len(notice.pages) == 1


def test_demo_mark_stands_on_each_page_outside_the_type_area(bulletin, notice):
    for page in bulletin.pages:
        marks = [c for c in page.chars if c["text"] in "示例" and c["size"] < 11]
        top = [c for c in marks if c["bottom"] / MM < 36]
        assert "".join(c["text"] for c in top).startswith("示例")
    assert "示例" not in notice.pages[0].extract_text()


def test_no_character_is_missing(bulletin):
    printed = "".join(c["text"] for page in bulletin.pages for c in page.chars)
    wanted = OFFICE + PLAIN + MIXED + "".join(COUNTIES) + "秘密★〔〕（）—示例砂矿号万吨/年%"
    assert set(wanted) - set(printed) == set()
    assert "cid:" not in printed
    with pikepdf.open(io.BytesIO(bulletin.bytes)) as pdf:
        for page in pdf.pages:
            for instruction in pikepdf.parse_content_stream(page, "Tj TJ"):
                for part in instruction.operands:
                    pieces = part if isinstance(part, pikepdf.Array) else [part]
                    codes = b"".join(bytes(p) for p in pieces if isinstance(p, pikepdf.String))
                    assert b"\0\0" not in [codes[i : i + 2] for i in range(0, len(codes), 2)]


def test_all_fonts_are_embedded(bulletin):
    with pikepdf.open(io.BytesIO(bulletin.bytes)) as pdf:
        fonts = [
            font.DescendantFonts[0].FontDescriptor
            for page in pdf.pages
            for font in page.Resources.Font.values()
        ]
        assert fonts
        assert all("/FontFile3" in font or "/FontFile2" in font for font in fonts)


def test_outline_and_tags_lead_through_the_document(bulletin):
    with pikepdf.open(io.BytesIO(bulletin.bytes)) as pdf:
        assert pdf.Root.MarkInfo.Marked
        with pdf.open_outline() as outline:
            title = outline.root[0]
            assert title.title == "关于2026年第二季度全市非煤矿山整治整合工作进展情况的通报"
            assert [item.title for item in title.children][:3] == [
                "一、总体进展",
                "二、各县（市、区）进展",
                "三、下步要求",
            ]


def test_character_that_no_font_has_is_refused_with_a_sentence():
    with pytest.raises(MissingCharacters, match="字体里没有这些字：\U0002ceb0。请安装"):
        render_bulletin(short_bulletin(opening=(Paragraph("矿主姓\U0002ceb0。"),)))


def test_same_content_gives_the_same_bytes(notice):
    assert render_bulletin(short_bulletin()) == notice.bytes


def test_archive_copy_is_pdf_a_3b():
    with pikepdf.open(io.BytesIO(render_bulletin(short_bulletin(archive=True)))) as pdf:
        with pdf.open_metadata() as metadata:
            assert metadata.pdfa_status == "3B"
        assert pdf.docinfo["/Title"] == "关于报送季度情况的通知"
        assert str(pdf.docinfo["/CreationDate"]).startswith("D:20260703")


def test_brief_head_fills_the_upper_third():
    content = short_bulletin(
        head="brief",
        head_name="非煤矿山整治整合简报",
        document_number="",
        issue_no=3,
        total_no=9,
        report_to="市政府领导",
        copies=60,
    )
    printed = Printed(content)
    left, top, right, bottom = printed.rules(1)[0]
    assert top == pytest.approx(99, abs=0.5)
    assert (right - left, bottom - top) == pytest.approx((156, 0.45), abs=0.05)
    text = [text_of(line) for line in printed.lines(1)]
    assert text[:3] == [
        "非煤矿山整治整合简报",
        "第3期（总第9期）",
        "朔州市非煤整治整合专班2026年7月3日",
    ]
    assert "报：市政府领导。" in text
    assert "送：市政府办公室。" in text
    assert "发：各县（市、区）专班。" in text
    assert "（共印60份）" in text
    printed.pdf.close()


def test_minutes_carry_their_name_at_35_mm_and_the_attendance():
    content = short_bulletin(
        head="minutes",
        head_name="专班办公室会议纪要",
        document_number="〔2026〕3号",
        signature="",
        attendance=(Attendance("出席", "市应急管理局、市公安局"), Attendance("请假", "市税务局")),
    )
    printed = Printed(content)
    top, _ = printed.ink_rows(1, top=60, bottom=100, red=True)
    assert top == pytest.approx(72, abs=0.5)
    present = printed.line(1, "出席：")
    assert text_of(present) == "出席：市应急管理局、市公安局"
    assert present[0]["x0"] / MM == pytest.approx(28 + 2 * 156 / 28, abs=0.2)
    assert present[0]["fontname"] != present[3]["fontname"]
    assert not any("人民政府" in text_of(line) for line in printed.lines(1))
    printed.pdf.close()


def test_markup_in_content_is_printed_as_text():
    html = bulletin_html(
        short_bulletin(
            title="<img src=x>通知",
            opening=(Paragraph("<script>alert(1)</script>"),),
            note="</style><link rel=stylesheet href=file:///etc/passwd>",
        )
    )
    assert "<script" not in html
    assert "<img" not in html
    assert "<link" not in html


def test_nothing_is_fetched_from_network_or_disk(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("CANARY-7731")
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        done = threading.Event()

        def listen() -> None:
            while not done.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                asked.append(1)
                connection.close()

        listener = threading.Thread(target=listen)
        listener.start()
        http, disk = f"http://127.0.0.1:{port}/a", secret.as_uri()
        pdf = write_pdf(
            f'<html lang="zh-CN"><link rel=stylesheet href="{http}">'
            f'<link rel=attachment href="{disk}">'
            f'<style>@import url("{http}"); body {{ background: url({http}) }}'
            f"@font-face {{ font-family: x; src: url({disk}) }}</style>"
            f'<img alt=a src="{http}"><img alt=b src="{disk}"><object data="{disk}"></object>'
            f'<svg width="9" height="9"><image href="{http}" width="9" height="9"/>'
            f'<use href="{disk}#a"/></svg><p>正文</p></html>'
        )
        done.set()
        listener.join()
    assert asked == []
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert len(opened.attachments) == 0
        streams = [
            bytes(item.read_bytes())
            for item in opened.objects
            if isinstance(item, pikepdf.Stream) and item.get("/Subtype") != "/Image"
        ]
    assert not any(b"CANARY-7731" in stream for stream in streams)
