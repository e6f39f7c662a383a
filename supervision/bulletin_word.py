"""Write a bulletin as a docx to edit in WPS or Word: the measures and official fonts of GB/T 9704.

The fonts are named, not embedded: the office's machines have them. Charts stand here as their
tables; the drawn ones are in the PDF.
"""

import io
import re
from typing import Any

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt, RGBColor, Twips

from supervision.charts import Chart
from supervision.content import (
    Annex,
    Block,
    BulletinContent,
    Paragraph,
    SubHeading,
    Table,
)
from supervision.makeup import chart_table, chinese_date, set_mark, signature_places
from supervision.typesetting import break_title

SONG, TITLE, FANGSONG, KAITI, HEITI = (
    "宋体", "方正小标宋简体", "仿宋_GB2312", "楷体_GB2312", "黑体",
)  # fmt: skip
TOP, BOTTOM, LEFT, RIGHT = 2098, 1984, 1587, 1474
"""Margins in twips: 37, 35, 28 and 26 mm."""
PAGE_WIDTH, PAGE_HEIGHT = 11906, 16838
LINE = 579
"""22 lines on 225 mm, in twips (28.95 pt)."""
GRID_CHARACTERS = -860
"""28 characters of 16 pt on 156 mm: each is 0.21 pt narrower, in 1/4096 pt."""
FOOTER = 1389
"""The page number stands 7 mm below the type area."""
CHARACTER = 316
RED = RGBColor(0xFF, 0, 0)
LEFT_OUT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

# name: face, size (pt), alignment, first-line indent in characters
STYLES: dict[str, tuple[str, float, str, int]] = {
    "发文机关标志": (TITLE, 42, "center", 0),
    "发文字号": (FANGSONG, 16, "center", 0),
    "公文标题": (TITLE, 22, "center", 0),
    "主送机关": (FANGSONG, 16, "left", 0),
    "公文正文": (FANGSONG, 16, "justify", 2),
    "附件说明": (FANGSONG, 16, "left", 2),
    "署名": (FANGSONG, 16, "left", 0),
    "附注": (FANGSONG, 16, "left", 2),
    "附件标识": (HEITI, 16, "left", 0),
    "表题": (HEITI, 12, "center", 0),
    "表格文字": (FANGSONG, 10.5, "center", 0),
    "版记": (FANGSONG, 14, "left", 0),
}
HEADINGS = {1: HEITI, 2: KAITI, 3: FANGSONG}
ALIGN = {
    "left": WD_ALIGN_PARAGRAPH.LEFT,
    "center": WD_ALIGN_PARAGRAPH.CENTER,
    "right": WD_ALIGN_PARAGRAPH.RIGHT,
    "justify": WD_ALIGN_PARAGRAPH.JUSTIFY,
}


def bulletin_docx(content: BulletinContent) -> bytes:
    """Return the docx of a bulletin's content."""
    document = Document()
    _set_up(document, content)
    _head(document, content)
    _blocks(document, content.opening)
    for section in content.sections:
        if section.heading:
            _add(document, section.heading, "Heading 1")
        _blocks(document, section.blocks)
    _ending(document, content)
    for number, annex in enumerate(content.annexes, start=1):
        _annex(document, annex, number if len(content.annexes) > 1 else 0)
    _colophon(document, content)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _set_up(document: Any, content: BulletinContent) -> None:
    properties = document.core_properties
    properties.title, properties.author = _clean(content.title), content.issuing_body
    properties.language, properties.comments = "zh-CN", ""
    document.settings.odd_and_even_pages_header_footer = True
    normal = document.styles["Normal"]
    _face(normal, FANGSONG, 16)
    _line(normal.paragraph_format)
    for level, face in HEADINGS.items():
        style = document.styles[f"Heading {level}"]
        _face(style, face, 16)
        style.font.bold = False
        style.font.color.rgb = RGBColor(0, 0, 0)
        _line(style.paragraph_format)
        _indent(style, 2)
        style.paragraph_format.keep_with_next = True
    for name, (face, size, align, indent) in STYLES.items():
        style = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style = normal
        style.quick_style = True
        _face(style, face, size)
        style.paragraph_format.alignment = ALIGN[align]
        _indent(style, indent)
        if size != 16:
            style.paragraph_format.line_spacing = Pt(size * 1.4)
            style.paragraph_format.line_spacing_rule = WD_LINE_SPACING.EXACTLY
    _page(document.sections[0])
    _page_numbers(document.sections[0])


def _face(style: Any, face: str, size: float) -> None:
    style.font.name, style.font.size = face, Pt(size)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for name in list(fonts.attrib):
        if name.endswith("Theme"):
            del fonts.attrib[name]
    for name in ("w:ascii", "w:hAnsi", "w:eastAsia", "w:cs"):
        fonts.set(qn(name), face)


def _line(form: Any) -> None:
    form.space_before = form.space_after = Pt(0)
    form.line_spacing = Twips(LINE)
    form.line_spacing_rule = WD_LINE_SPACING.EXACTLY


def _indent(style: Any, characters: int) -> None:
    """Indent the first line by characters, as WPS counts them, with the measure as fallback."""
    style.paragraph_format.first_line_indent = Twips(CHARACTER * characters)
    indent = style.element.get_or_add_pPr().get_or_add_ind()
    indent.set(qn("w:firstLineChars"), str(100 * characters))


def _page(section: Any, *, landscape: bool = False) -> None:
    width, height = Twips(PAGE_WIDTH), Twips(PAGE_HEIGHT)
    top, right, bottom, left = TOP, RIGHT, BOTTOM, LEFT
    if landscape:
        width, height = height, width
        top, right, bottom, left = LEFT, TOP, RIGHT, BOTTOM
    section.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = width, height
    section.top_margin, section.bottom_margin = Twips(top), Twips(bottom)
    section.left_margin, section.right_margin = Twips(left), Twips(right)
    section.footer_distance = Twips(FOOTER if not landscape else RIGHT // 2)
    grid = section._sectPr.find(qn("w:docGrid"))
    if grid is None:
        grid = OxmlElement("w:docGrid")
        section._sectPr.append(grid)
    grid.set(qn("w:type"), "linesAndChars")
    grid.set(qn("w:linePitch"), str(LINE))
    grid.set(qn("w:charSpace"), str(GRID_CHARACTERS))


def _page_numbers(section: Any) -> None:
    """Set — 1 — outside: right on odd pages, left on even ones, one character in."""
    for footer, side in ((section.footer, "right"), (section.even_page_footer, "left")):
        paragraph = footer.paragraphs[0]
        paragraph.alignment = ALIGN[side]
        form = paragraph.paragraph_format
        setattr(form, f"{side}_indent", Twips(280))
        _run(paragraph, "— ", SONG, 14)
        run = _run(paragraph, "", SONG, 14)
        for kind, text in (("begin", ""), ("", " PAGE "), ("end", "")):
            part = OxmlElement("w:fldChar" if kind else "w:instrText")
            if kind:
                part.set(qn("w:fldCharType"), kind)
            else:
                part.text = text
            run._r.append(part)
        _run(paragraph, " —", SONG, 14)


def _run(paragraph: Any, text: str, face: str, size: float) -> Any:
    run = paragraph.add_run(text)
    _face(run_style(run), face, size)
    return run


class run_style:  # noqa: N801
    """Let a run be given its face in the way a style is."""

    def __init__(self, run: Any) -> None:
        self.font, self.element = run.font, run._r


def _add(document: Any, text: str, style: str) -> Any:
    return document.add_paragraph(_clean(text), style=style)


def _clean(text: str) -> str:
    """Leave out the characters that XML has no room for."""
    return LEFT_OUT.sub("", text)


def _head(document: Any, content: BulletinContent) -> None:
    text = content.head_name or content.issuing_body
    mark = set_mark(f"{text}文件" if content.head == "document" else text, size=42)
    for number, line in enumerate(mark.lines):
        paragraph = document.add_paragraph(style="发文机关标志")
        run = paragraph.add_run(line)
        run.font.size, run.font.color.rgb = Pt(round(mark.size * 2) / 2), RED
        scale = OxmlElement("w:w")
        scale.set(qn("w:val"), str(round(mark.scale * 100)))
        run._r.get_or_add_rPr().insert_element_before(scale, "w:kern", "w:position", "w:sz")
        form = paragraph.paragraph_format
        form.line_spacing = Pt(mark.size * 1.25)
        form.space_before = Pt(99.2 if not number else 0)
    number_line = content.document_number or (
        f"第{content.issue_no}期" if content.issue_no is not None else ""
    )
    for _ in range(2):
        _add(document, "", "发文字号")
    paragraph = _add(document, number_line, "发文字号")
    _rule(paragraph, "bottom", eighths=10, space=11, colour="FF0000")
    for _ in range(2):
        _add(document, "", "公文正文")
    title = document.add_paragraph(style="公文标题")
    for number, line in enumerate(break_title(_clean(content.title))):
        if number:
            title.add_run().add_break()
        title.add_run(line)
    _add(document, "", "公文正文")
    if content.addressees:
        _add(document, f"{content.addressees.rstrip('：:')}：", "主送机关")


def _rule(paragraph: Any, side: str, *, eighths: int, space: int, colour: str) -> None:
    borders = paragraph._p.get_or_add_pPr().find(qn("w:pBdr"))
    if borders is None:
        borders = OxmlElement("w:pBdr")
        paragraph._p.get_or_add_pPr().insert_element_before(
            borders, "w:shd", "w:tabs", "w:spacing", "w:ind", "w:jc", "w:rPr"
        )
    rule = OxmlElement(f"w:{side}")
    for name, value in (
        ("val", "single"), ("sz", str(eighths)), ("space", str(space)), ("color", colour),
    ):  # fmt: skip
        rule.set(qn(f"w:{name}"), value)
    borders.append(rule)


def _blocks(document: Any, blocks: tuple[Block, ...]) -> None:
    for block in blocks:
        match block:
            case Paragraph(text):
                _add(document, text, "公文正文")
            case SubHeading(text, level):
                _add(document, text, f"Heading {level}")
            case Table():
                _table(document, block)
            case Chart():
                _table(document, chart_table(block))


def _table(document: Any, table: Table) -> None:
    if table.caption:
        caption = _add(document, table.caption, "表题")
        caption.paragraph_format.keep_with_next = True
    grid = document.add_table(rows=0, cols=len(table.columns), style="Table Grid")
    grid.alignment = WD_TABLE_ALIGNMENT.CENTER
    heads = [
        f"{column.label}\n（{column.unit}）" if column.unit else column.label
        for column in table.columns
    ]
    _row(grid, heads, ["center"] * len(heads), face=HEITI)
    repeat = OxmlElement("w:tblHeader")
    grid.rows[0]._tr.get_or_add_trPr().append(repeat)
    aligns = [column.align for column in table.columns]
    for row in table.rows:
        _row(grid, list(row), aligns)
    if table.totals:
        _row(grid, list(table.totals), aligns, face=HEITI)
    _add(document, "", "表格文字")


def _row(grid: Any, texts: list[str], aligns: list[Any], *, face: str = "") -> None:
    cells = grid.add_row().cells
    for cell, text, align in zip(cells, texts, aligns, strict=True):
        paragraph = cell.paragraphs[0]
        paragraph.style, paragraph.alignment = "表格文字", ALIGN[align]
        for number, line in enumerate(_clean(text).split("\n")):
            run = paragraph.add_run()
            if number:
                run.add_break()
            run.add_text(line)
            if face:
                _face(run_style(run), face, 10.5)


def _ending(document: Any, content: BulletinContent) -> None:
    names = content.attachments or tuple(annex.title for annex in content.annexes)
    if names:
        _add(document, "", "公文正文")
    for number, name in enumerate(names, start=1):
        label = "附件：" if number == 1 else "　　　"
        order = f"{number}．" if len(names) > 1 else ""
        _add(document, f"{label}{order}{name}", "附件说明")
    if content.signature:
        signed_on = chinese_date(content.signed_on)
        places = signature_places(content.signature, signed_on)
        for _ in range(2):
            _add(document, "", "公文正文")
        for text, left in zip((content.signature, signed_on), places, strict=True):
            _add(document, text, "署名").paragraph_format.left_indent = Pt(left)
    if content.note:
        _add(document, f"（{content.note}）", "附注")


def _annex(document: Any, annex: Annex, number: int) -> None:
    section = document.add_section()
    _page(section, landscape=annex.landscape)
    _add(document, f"附件{number or ''}", "附件标识")
    _add(document, "", "公文正文")
    title = document.add_paragraph(style="公文标题")
    for place, line in enumerate(break_title(_clean(annex.title), 30 if annex.landscape else 19)):
        if place:
            title.add_run().add_break()
        title.add_run(line)
    _blocks(document, annex.blocks)


def _colophon(document: Any, content: BulletinContent) -> None:
    """Set 版记 between its rules: thick above and below, a thin one between."""
    if not content.printed_by:
        return
    lines = [f"抄送：{content.copies_to.rstrip('。')}。"] if content.copies_to else []
    day = f"　　{chinese_date(content.printed_on)}印发" if content.printed_on else ""
    lines.append(f"{content.printed_by}{day}")
    for number, line in enumerate(lines):
        paragraph = _add(document, line, "版记")
        form = paragraph.paragraph_format
        form.left_indent = form.right_indent = Twips(280)
        _rule(paragraph, "top", eighths=6 if number else 8, space=1, colour="000000")
        if number == len(lines) - 1:
            _rule(paragraph, "bottom", eighths=8, space=1, colour="000000")
        form.keep_with_next = number < len(lines) - 1
