"""Workbooks of every kind: what is read, what is refused and with which sentence."""

import datetime
import io
import os
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import defusedxml
import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mines.sheet_reader import read_here
from mines.sheets import (
    Limits,
    Misread,
    Workbook,
    WorkbookRefused,
    as_choice,
    as_date,
    as_decimal,
    as_int,
    as_text,
    column_letters,
    problem_at,
    read_workbook,
)
from standards.terms import Disposition, Method
from tests.mines.odd_files import biff, good_xlsx, ole, repacked, with_sheet, write_bomb

SAMPLE_XLS = Path(__file__).with_name("sample.xls")


def refused(path: Path) -> WorkbookRefused:
    """Read in the child, expect a refusal, and see that this process can still read."""
    me = os.getpid()
    with pytest.raises(WorkbookRefused) as caught:
        read_workbook(path)
    assert os.getpid() == me
    assert re.fullmatch(r"[^\n]*[一-鿿][^\n]*。", caught.value.message)
    return caught.value


def relation(kind: str, mode: str = "") -> Callable[[bytes], bytes]:
    base = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
    added = f'<Relationship Id="rId99" Type="{base}{kind}" Target="a.bin"{mode}/></Relationships>'
    return lambda part: part.replace(b"</Relationships>", added.encode())


def test_reads_an_ordinary_workbook(tmp_path):
    path = tmp_path / "ordinary.xlsx"
    path.write_bytes(good_xlsx())
    book = read_workbook(path)
    assert [sheet.name for sheet in book.sheets] == ["矿山"]
    assert book.sheets[0].rows == [["矿山名称", "生产规模(万吨/年)"], ["示例一矿", 50]]
    assert book.sheet("没有") is None
    assert book.sheets[0].value(2, 2) == 50
    assert book.sheets[0].value(99, 2) is None
    assert book.sheets[0].value(0, 1) is None


def test_an_extension_does_not_matter(tmp_path):
    path = tmp_path / "stored-under-a-made-name"
    path.write_bytes(good_xlsx())
    assert read_workbook(path).sheets[0].rows[1] == ["示例一矿", 50]


def test_reads_the_old_format_with_all_that_is_hidden_in_it():
    book = read_workbook(SAMPLE_XLS)
    mines, hidden = book.sheets
    assert mines.rows[1] == ["示例一矿", 50, datetime.date(2025, 12, 31), 100, None]
    assert mines.rows[2][:2] == ["示例二矿", "３０"]
    assert mines.formulas == {(2, 4), (2, 5)}
    assert mines.errors == {(2, 5): "#DIV/0!"}
    assert mines.merged == ((4, 1, 4, 2),)
    assert mines.hidden_rows == {3}
    assert mines.hidden_columns == {3}
    assert not mines.hidden
    assert hidden.hidden
    assert hidden.rows == [[None, None], [None, 1.5]]


def test_reports_what_a_reader_would_not_see(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["公式", "错误", "布尔", "时刻", "时间", "文字数字"])
    moment = datetime.datetime(2025, 1, 2, 3, 4)  # noqa: DTZ001
    sheet.append(["=1+1", "#N/A", True, moment, datetime.time(3, 4), "５０"])
    sheet["B2"].data_type = "e"
    sheet.merge_cells("A3:C4")
    sheet["A3"] = "合计"
    sheet.row_dimensions[2].hidden = True
    sheet.column_dimensions["B"].hidden = True
    book.create_sheet("藏").sheet_state = "veryHidden"
    path = tmp_path / "seen.xlsx"
    book.save(path)
    first, second = read_workbook(path).sheets
    assert first.rows[1] == [None, None, True, moment, "03:04:00", "５０"]
    assert first.formulas == {(2, 1)}
    assert first.errors == {(2, 2): "#N/A"}
    assert first.hidden_rows == {2}
    assert first.hidden_columns == {2}
    assert second.hidden
    assert first.fault(2, 1).code == "formula"
    assert first.fault(2, 2).says.startswith("是错误值 #N/A。")
    assert first.fault(3, 2).code == "merged"
    assert first.fault(1, 1) is None


def test_blank_rows_and_columns_keep_their_places(tmp_path):
    path = tmp_path / "offset.xlsx"
    path.write_bytes(with_sheet('<sheetData><row r="3"><c r="C3"><v>7</v></c></row></sheetData>'))
    assert read_workbook(path).sheets[0].value(3, 3) == 7


@pytest.mark.parametrize("dimension", ["A1", "A1:B2", "A1:XFD1048576"])
def test_a_lying_dimension_loses_no_row(tmp_path, dimension):
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(1, 501))
    path = tmp_path / "lying.xlsx"
    path.write_bytes(with_sheet(f'<dimension ref="{dimension}"/><sheetData>{rows}</sheetData>'))
    assert read_workbook(path).sheets[0].rows == [[n] for n in range(1, 501)]


def test_far_cells_that_are_only_coloured_do_no_harm(tmp_path):
    data = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576" s="0"/></row>'
    path = tmp_path / "coloured.xlsx"
    path.write_bytes(with_sheet(f"<sheetData>{data}</sheetData>"))
    assert read_workbook(path).sheets[0].rows == [[1]]


def test_infinite_numbers_are_error_cells(tmp_path):
    data = '<row r="1"><c r="A1"><v>NaN</v></c><c r="B1"><v>1e999</v></c></row>'
    path = tmp_path / "nan.xlsx"
    path.write_bytes(with_sheet(f"<sheetData>{data}</sheetData>"))
    sheet = read_workbook(path).sheets[0]
    assert sheet.rows == [[None, None]]
    assert sheet.errors == {(1, 1): "#NUM!", (1, 2): "#NUM!"}


FAR = '<sheetData><row r="1"><c r="A1"><v>1</v></c></row>{}</sheetData>'
DOCTYPE = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
MAIN_NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
MAIN = "xl/workbook.xml"
BOOK_RELATIONS = "xl/_rels/workbook.xml.rels"
SHEET = "xl/worksheets/sheet1.xml"


def external_relations() -> bytes:
    return relation("oleLink", ' TargetMode="External"')(
        b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        b"</Relationships>"
    )


CORPUS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "zero bytes": ("empty", lambda: b""),
    "truncated": ("damaged", lambda: good_xlsx()[:-400]),
    "only a head": ("damaged", lambda: good_xlsx()[:100]),
    "empty zip": ("damaged", lambda: b"PK\x05\x06" + bytes(18)),
    "csv renamed": ("text_file", lambda: "矿山名称,规模\n示例一矿,50\n".encode("gb18030")),
    "csv renamed, utf-8": ("text_file", lambda: "\ufeff矿山名称,规模\n示例,50\n".encode()),
    "web page renamed": ("web_page", lambda: b"<html><table><tr><td>1</td></tr></table></html>"),
    "xml spreadsheet 2003": ("web_page", lambda: b'<?xml version="1.0"?><Workbook/>'),
    "pdf renamed": ("pdf", lambda: b"%PDF-1.7\n"),
    "picture": ("not_workbook", lambda: b"\x89PNG\r\n\x1a\n" + bytes(100)),
    "docx renamed": ("word", lambda: repacked(good_xlsx(), add={"word/document.xml": b"<w/>"})),
    "pptx renamed": ("slides", lambda: repacked(good_xlsx(), add={"ppt/slides/a.xml": b"<p/>"})),
    "plain zip": ("archive", lambda: repacked(good_xlsx(), rename={"_rels/.rels": "a"})),
    "xlsb": ("xlsb", lambda: repacked(good_xlsx(), add={"xl/workbook.bin": b"\x83\x01"})),
    "macro": ("macro", lambda: repacked(good_xlsx(), add={"xl/vbaProject.bin": b"1"})),
    "macro under another name": (
        "macro",
        lambda: repacked(
            good_xlsx(),
            add={"xl/theme.bin": ole({"dir": b"1"}, storages=("VBA",))},
        ),
    ),
    "macro by relation": (
        "macro",
        lambda: repacked(good_xlsx(), change={BOOK_RELATIONS: relation("vbaProject")}),
    ),
    "macro by content type": (
        "macro",
        lambda: repacked(
            good_xlsx(),
            change={
                "[Content_Types].xml": lambda part: part.replace(
                    b"spreadsheetml.sheet.main", b"ms-excel.sheet.macroEnabled.main"
                )
            },
        ),
    ),
    "excel 4 macro sheet": (
        "macro",
        lambda: repacked(good_xlsx(), add={"xl/macrosheets/sheet1.xml": b"<x/>"}),
    ),
    "external link": (
        "external_link",
        lambda: repacked(good_xlsx(), add={"xl/externalLinks/externalLink1.xml": b"<x/>"}),
    ),
    "external relation": (
        "external_link",
        lambda: repacked(
            good_xlsx(), add={"xl/worksheets/_rels/sheet1.xml.rels": external_relations()}
        ),
    ),
    "data connection": (
        "external_link",
        lambda: repacked(good_xlsx(), add={"xl/connections.xml": b"<x/>"}),
    ),
    "embedded document": (
        "embedded",
        lambda: repacked(good_xlsx(), add={"xl/embeddings/a.docx": b"1"}),
    ),
    "nested zip": ("embedded", lambda: repacked(good_xlsx(), add={"xl/a.bin": good_xlsx()})),
    "ole object under another name": (
        "embedded",
        lambda: repacked(good_xlsx(), add={"xl/a.bin": ole({"Contents": b"1"})}),
    ),
    "doctype": (
        "dtd",
        lambda: repacked(
            good_xlsx(), change={SHEET: lambda part: DOCTYPE + part.partition(b"?>")[2]}
        ),
    ),
    "entity in the workbook part": (
        "dtd",
        lambda: repacked(good_xlsx(), change={MAIN: lambda part: DOCTYPE + part}),
    ),
    "utf-16 part": (
        "damaged",
        lambda: repacked(good_xlsx(), change={SHEET: lambda part: part.decode().encode("utf-16")}),
    ),
    "far cell": (
        "far_cell",
        lambda: with_sheet(FAR.format('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')),
    ),
    "far cell written oddly": (
        "far_cell",
        lambda: with_sheet(
            FAR.format("<row r='1048576'><c  s = '0' r = 'XFD1048576' ><v>1</v></c></row>")
        ),
    ),
    "far cell hidden by a character reference": (
        "no_addresses",
        lambda: with_sheet(FAR.format('<row r="1048576"><c r="&#88;FD1048576"><v>1</v></c></row>')),
    ),
    "no addresses": (
        "no_addresses",
        lambda: with_sheet("<sheetData><row><c><v>1</v></c></row></sheetData>"),
    ),
    "too wide and too long": (
        "many_cells",
        lambda: with_sheet(FAR.format('<row r="100000"><c r="CV100000"><v>1</v></c></row>')),
    ),
    "not xml": ("damaged", lambda: repacked(good_xlsx(), change={SHEET: lambda part: b"\x00\x01"})),
    "broken xml": (
        "damaged",
        lambda: repacked(good_xlsx(), change={MAIN: lambda part: part[: len(part) // 2]}),
    ),
    "sheet missing": ("damaged", lambda: repacked(good_xlsx(), rename={SHEET: "xl/lost.xml"})),
    "many members": (
        "many_members",
        lambda: repacked(good_xlsx(), add={f"xl/media/{n}.png": b"" for n in range(2001)}),
    ),
    "password on xlsx": (
        "password",
        lambda: ole({"EncryptionInfo": b"1", "EncryptedPackage": b"1"}),
    ),
    "password on xls": ("password", lambda: ole({"Workbook": biff((0x002F, bytes(6)))})),
    "macro in xls": (
        "macro",
        lambda: ole({"Workbook": biff()}, storages=("_VBA_PROJECT_CUR",)),
    ),
    "macro sheet in xls": (
        "macro",
        lambda: ole({"Workbook": biff((0x0085, b"\0\0\0\0\0\x01\x01\0a"))}),
    ),
    "external book in xls": (
        "external_link",
        lambda: ole({"Workbook": biff((0x01AE, b"\x01\0\x05\0\0a.xls"))}),
    ),
    "doc renamed": ("word", lambda: ole({"WordDocument": b"1"})),
    "another ole file": ("not_workbook", lambda: ole({"Catalog": b"1"})),
    "xls without sheets": ("damaged", lambda: ole({"Workbook": biff()})),
    "xls cut off": ("damaged", lambda: SAMPLE_XLS.read_bytes()[:2000]),
    "only an ole head": ("damaged", lambda: SAMPLE_XLS.read_bytes()[:60]),
}


@pytest.mark.parametrize("name", CORPUS)
def test_refuses_with_one_sentence(tmp_path, name):
    code, make = CORPUS[name]
    path = tmp_path / "upload.xlsx"
    path.write_bytes(make())
    assert refused(path).code == code


def test_refuses_two_parts_of_one_name(tmp_path):
    path = tmp_path / "doubled.xlsx"
    path.write_bytes(good_xlsx())
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr(SHEET, "<worksheet/>")
    assert refused(path).code == "damaged"


def test_refuses_zip_encryption(tmp_path):
    content = bytearray(good_xlsx())
    for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        found = content.find(magic)
        while found >= 0:
            content[found + at] |= 1
            found = content.find(magic, found + 4)
    path = tmp_path / "encrypted.xlsx"
    path.write_bytes(content)
    assert refused(path).code == "password"


def test_refuses_a_missing_file(tmp_path):
    assert refused(tmp_path / "nothing.xlsx").code == "missing"


def test_refuses_a_hundred_megabytes_without_opening_them(tmp_path):
    path = tmp_path / "large.xlsx"
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    started = time.monotonic()
    assert refused(path).message.startswith("文件有 100.0 MB，超过 30 MB 的上限")
    assert time.monotonic() - started < 0.5


PEAK = """
import re, sys
from pathlib import Path
from mines.sheet_reader import lines_of
from mines.sheets import Limits, WorkbookRefused
try:
    list(lines_of(Path(sys.argv[1]), Limits()))
except WorkbookRefused as refusal:
    peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())
    print(refusal.code, peak.group(1))
"""


def test_a_bomb_is_refused_at_once_and_in_little_memory(tmp_path):
    path = tmp_path / "bomb.xlsx"
    write_bomb(path, 400)
    assert path.stat().st_size < 600_000
    assert refused(path).code == "bomb"
    started = time.monotonic()
    measured = subprocess.run(
        [sys.executable, "-c", PEAK, str(path)], capture_output=True, text=True, check=True
    )
    assert time.monotonic() - started < 2
    code, peak_kib = measured.stdout.split()
    assert code == "bomb"
    assert int(peak_kib) < 100 * 1024


def test_a_slow_read_is_stopped(tmp_path):
    path = tmp_path / "good.xlsx"
    path.write_bytes(good_xlsx())
    with pytest.raises(WorkbookRefused) as caught:
        read_workbook(path, limits=Limits(seconds=0))
    assert caught.value.code == "too_slow"


def test_a_starved_child_is_survived(tmp_path):
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(1, 20_001))
    path = tmp_path / "good.xlsx"
    path.write_bytes(with_sheet(f"<sheetData>{rows}</sheetData>"))
    with pytest.raises(WorkbookRefused) as caught:
        read_workbook(path, limits=Limits(memory_bytes=1 << 20))
    assert caught.value.code in {"too_heavy", "unreadable"}


def test_text_that_swells_is_stopped(tmp_path):
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 1001))
    shared = f"<sst xmlns='{MAIN_NAMESPACE}'><si><t>{'长' * 1000}</t></si></sst>".encode()
    path = tmp_path / "swell.xlsx"
    path.write_bytes(
        repacked(
            with_sheet(f"<sheetData>{rows}</sheetData>"),
            add={"xl/sharedStrings.xml": shared},
            change={BOOK_RELATIONS: relation("sharedStrings")},
        )
    )
    limits = Limits(inflated_bytes=500_000)
    with pytest.raises(WorkbookRefused) as caught:
        read_workbook(path, limits=limits)
    assert caught.value.code == "too_much_text"


def test_xml_of_small_parts_is_read_without_entities():
    assert openpyxl.DEFUSEDXML is True
    assert defusedxml.__version__ >= "0.7.1"


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    flips=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(1, 255)), min_size=1, max_size=8)
)
@pytest.mark.parametrize("content", [good_xlsx(), SAMPLE_XLS.read_bytes()], ids=["xlsx", "xls"])
def test_flipped_bytes_give_a_workbook_or_a_refusal(tmp_path, content, flips):
    flipped = bytearray(content)
    for place, mask in flips:
        flipped[place % len(flipped)] ^= mask
    path = tmp_path / "flipped"
    path.write_bytes(flipped)
    try:
        read = read_here(path, Limits())
    except WorkbookRefused:
        return
    assert isinstance(read, Workbook)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("  ", None),
        (50, "50"),
        (50.0, "50"),
        (0.1 + 0.2, "0.3"),
        (2.68, "2.68"),
        ("５０．５", "50.5"),
        (" 50 ", "50"),
        ("1,234.5", "1234.5"),
        ("12,345,678", "12345678"),
        ("−３", "-3"),
        ("1e3", "1000"),
    ],
)
def test_numbers(value, expected):
    number = as_decimal(value)
    assert number == (None if expected is None else Decimal(expected))
    assert number is None or str(number) == expected


@pytest.mark.parametrize(
    ("value", "code", "says"),
    [
        ("50万", "not_number", "不是数字。请只填数字 50，单位已在表头。"),
        ("５０万吨／年", "not_number", "不是数字。请只填数字 50，单位已在表头。"),
        ("约50", "not_number", "不是数字。请只填一个数字，单位已在表头。"),
        ("30-50", "not_number", "不是数字。请只填一个数字，单位已在表头。"),
        ("1,23", "not_number", "不是数字。请只填一个数字，单位已在表头。"),
        ("—", "not_number", "不是数字。没有数据时请留空。"),
        ("nan", "not_number", "不是数字。请只填一个数字，单位已在表头。"),
        ("Infinity", "not_number", "不是数字。请只填一个数字，单位已在表头。"),
        (True, "not_number", "是逻辑值，不是数字。请只填数字。"),
        (
            datetime.date(1900, 2, 19),
            "date_not_number",
            "被设置成了日期格式。请把单元格改为数值格式后重新填写。",
        ),
    ],
)
def test_what_is_no_number(value, code, says):
    misread = as_decimal(value)
    assert isinstance(misread, Misread)
    assert (misread.code, misread.says) == (code, says)


def test_bounds_of_numbers():
    assert as_decimal(-1, minimum=Decimal(0)).code == "too_small"
    assert as_decimal(5, maximum=Decimal(4)).code == "too_large"
    assert as_decimal("0.12345", places=4).code == "too_precise"
    assert as_decimal("0.1234", places=4) == Decimal("0.1234")
    assert as_int("３") == 3
    assert as_int(3.5).code == "not_whole"
    assert as_int("x").code == "not_number"
    assert as_int(-1, minimum=0).code == "too_small"


@pytest.mark.parametrize(
    "value",
    [
        datetime.date(2025, 12, 31),
        datetime.datetime(2025, 12, 31),  # noqa: DTZ001
        "2025-12-31",
        "2025/12/31",
        "2025.12.31",
        "2025年12月31日",
        "２０２５－１２－３１",
        20251231,
        "20251231",
    ],
)
def test_days(value):
    assert as_date(value) == datetime.date(2025, 12, 31)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("2025年底", "not_date"),
        ("2025-12", "not_date"),
        (46022, "not_date"),
        ("2025-02-30", "no_such_day"),
        ("1025-12-31", "far_date"),
        ("31/12/2025", "not_date"),
        (True, "not_date"),
    ],
)
def test_what_is_no_day(value, code):
    assert as_date(value).code == code


def test_words():
    assert as_text("  示例\u3000一矿 \n") == "示例 一矿"
    assert as_text("第一行\r\n第二行", one_line=False) == "第一行\n第二行"
    assert as_text(1406000510001) == "1406000510001"
    assert as_text(1.4060022009127e22).code == "digits_lost"
    assert as_text("长" * 501).code == "too_long"
    assert as_text("零宽\u200b字") == "零宽字"
    assert as_text(True).code == "not_text"
    assert as_text(datetime.date(2025, 1, 1)).code == "not_text"
    assert as_text("") is None


def test_choices_are_the_words_of_the_plan():
    assert as_choice("整合重组", Disposition) is Disposition.MERGE
    assert as_choice(" 保留（达标） ", Disposition) is Disposition.KEEP
    assert as_choice("露天—地下联合开采", Method) is Method.COMBINED
    assert as_choice(None, Disposition) is None
    misread = as_choice("关闭", Disposition)
    assert misread.code == "unknown_choice"
    assert misread.expected == "关闭取缔、引导退出、整合重组、升级改造、保留(达标)"


def test_a_problem_names_its_cell():
    problem = problem_at("附表2", 7, 4, as_decimal("50万"), "50万")
    assert problem.message == (
        "附表2 第7行 D7 单元格『50万』不是数字。请只填数字 50，单位已在表头。"
    )
    assert (problem.cell, problem.found, problem.severity) == ("D7", "50万", "error")
    assert column_letters(28) == "AB"


def test_a_hundred_thousand_rows_are_read_within_their_limits(tmp_path):
    rows = "".join(
        f'<row r="{n}">'
        + "".join(f'<c r="{letter}{n}"><v>{n}.5</v></c>' for letter in "ABCDEFGH")
        + "</row>"
        for n in range(1, 100_001)
    )
    path = tmp_path / "long.xlsx"
    path.write_bytes(with_sheet(f"<sheetData>{rows}</sheetData>"))
    started = time.monotonic()
    sheet = read_workbook(path).sheets[0]
    assert time.monotonic() - started < 30
    assert len(sheet.rows) == 100_000
    assert sheet.rows[-1] == [100_000.5] * 8


def test_reads_from_memory_of_a_book_saved_by_openpyxl():
    book = openpyxl.load_workbook(io.BytesIO(good_xlsx()))
    assert book.active["B2"].value == 50
