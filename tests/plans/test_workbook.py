"""The plan workbook from template to rows and back, in its good cases."""

import subprocess
import time
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
from openpyxl import load_workbook

from mines.sheets import CellProblem, WorkbookRefused, read_workbook
from plans.workbook import TABLES, annotate, read_plan, table_of
from standards.terms import Disposition, ExtraResource, GrantWay, Method, ScaleUnit
from tests.plans.plan_workbooks import (
    COUNTY,
    KEY,
    MINERALS,
    MINES,
    edited,
    fill,
    mine,
    parse,
    refilled,
    set_cells,
    template,
)


@pytest.fixture(name="path")
def _path(tmp_path):
    return tmp_path / "plan.xlsx"


def test_what_is_filled_in_is_read_back(path):
    plan = parse(path, edited(template(), fill))
    assert plan.problems == []
    assert [row.disposition for row in plan.dispositions] == [
        Disposition.MERGE,
        Disposition.MERGE,
        Disposition.CLOSE,
        Disposition.UPGRADE,
    ]
    first, last = plan.dispositions[0], plan.dispositions[-1]
    assert (first.row, first.registry_no, first.area_code) == (4, "SC0001", "Z1")
    assert (last.reason, last.person, last.due_on) == ("示例理由", "示例人员", date(2025, 12, 31))
    area = plan.areas[0]
    assert area.code == "Z1"
    assert area.mineral == "建筑石料用灰岩"
    assert area.method is Method.OPEN_PIT
    assert (area.scale, area.scale_unit) == (Decimal(60), ScaleUnit.WAN_T)
    assert area.reserve_wan_t == Decimal("1200.5")
    assert area.indicated_wan_t is None
    assert (area.life_includes_construction, area.construction_years) == (True, Decimal(1))
    assert area.area_km2 == Decimal("0.3223")
    assert area.extra_resources == (ExtraResource.GAP, ExtraResource.DEEP)
    assert area.grant_way is GrantWay.COMPETITION
    assert (area.on_ridge, area.as_new) == (False, False)
    assert area.due_on == date(2025, 12, 31)
    assert [(row.area_code, row.scale) for row in plan.systems] == [("Z1", Decimal(60))]
    assert [(row.point, row.x, row.y) for row in plan.corners] == [
        ("1", "4356115.44", "37623300.83"),
        ("2", "4356115.5", "37623400"),
        ("3", "4356000", "37623350.10"),
    ]
    assert (plan.corners[0].elevation_top, plan.corners[0].elevation_bottom) == ("1530", "1450")
    assert [(row.registry_no, row.cause) for row in plan.closings] == [("SC0003", "资源枯竭")]
    assert plan.exits == []
    assert plan.upgrades[0].investment_wan_yuan == Decimal(1500)
    assert plan.zones[0].mines_count == 3
    assert plan.supplies[0].supply_after_wan_t == Decimal(320)
    assert plan.tasks[0].due_on == date(2025, 9, 30)


def test_the_hidden_sheet_says_what_the_template_was_made_from(path):
    meta = parse(path, template()).meta
    assert meta.signature_ok
    assert (meta.county_code, meta.round_name) == (COUNTY, "2025年第一轮")
    assert (meta.template_version, meta.registry_version) == ("1", "2025-05-01")
    assert meta.registry_nos == ("SC0001", "SC0002", "SC0003", "SC0004")


def test_a_plan_fills_the_next_template(path):
    plan = parse(path, edited(template(), fill))
    again = parse(path, refilled(plan))
    assert again == plan


def test_an_undecided_ridge_survives_the_next_template(path):
    def undecide(book):
        fill(book)
        set_cells(book, "areas", 4, on_ridge="未判定")

    plan = parse(path, edited(template(), undecide))
    assert plan.problems == []
    assert plan.areas[0].on_ridge is None
    assert parse(path, refilled(plan)) == plan


def test_an_untouched_template_asks_for_each_mine(path):
    plan = parse(path, template())
    assert Counter(problem.code for problem in plan.problems) == {"missing": 8}
    assert plan.problems[0].message == (
        "附表1 第4行 X4 单元格没有填写“处置方式”。每座矿山选择且只选择一种。"
    )


def test_the_template_locks_facts_and_opens_the_rest():
    book = load_workbook(BytesIO(template()))
    sheet = book[table_of("dispositions").sheet]
    assert sheet.protection.sheet
    table = table_of("dispositions")
    assert sheet[table.cell("name", 4)].value == "示例1号石料矿"
    assert sheet[table.cell("name", 4)].protection.locked
    assert not sheet[table.cell("disposition", 4)].protection.locked
    assert not sheet.column_dimensions[table.letter("disposition")].protection.locked
    assert sheet.freeze_panes == "E4"
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert book["_meta"].sheet_state == "hidden"
    assert book["_lists"].sheet_state == "hidden"
    assert book.security.lockStructure
    rules = {str(rule.sqref): rule.formula1 for rule in sheet.data_validations.dataValidation}
    assert rules["X4:X3000"] == "=disposition_list"
    areas = book[table_of("areas").sheet]
    kinds = {rule.type for rule in areas.data_validations.dataValidation}
    assert kinds == {"list", "decimal", "date"}
    assert areas["B3"].comment.text == "自编，不得重复，如 Z1。必填。"


def test_each_sheet_has_the_heads_of_its_table():
    book = load_workbook(BytesIO(template()))
    for table in TABLES:
        heads = [cell.value.replace("\n", "") for cell in book[table.sheet][3]]
        assert heads == [column.head for column in table.columns]
        assert len(set(heads)) == len(heads)


def test_a_demonstration_is_marked_on_every_sheet():
    book = load_workbook(BytesIO(template(demo=True)))
    for table in TABLES:
        assert book[table.sheet]["A1"].value.endswith("（示例数据）")
    assert book["填表说明"]["A1"].value.endswith("（示例数据）")
    plain = load_workbook(BytesIO(template()))
    assert "示例数据" not in plain["填表说明"]["A1"].value


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r="])
def test_no_data_becomes_a_formula(path, start):
    text = f'{start}HYPERLINK("http://a","b")'
    mines = (mine(1, name=text, holder=text),)
    content = template(mines)
    book = load_workbook(BytesIO(content))
    for name in ("name", "holder"):
        cell = book[table_of("dispositions").sheet][table_of("dispositions").cell(name, 4)]
        assert cell.data_type == "s"
    problems = parse(path, content, registry=mines).problems
    assert {problem.code for problem in problems} == {"missing"}


def test_letters_that_xml_cannot_hold_are_left_out():
    book = load_workbook(BytesIO(template((mine(1, name="示例\x00一\x0b矿"),))))
    assert book[table_of("dispositions").sheet]["D4"].value == "示例一矿"


def test_libreoffice_shows_names_checks_and_sums(tmp_path):
    (tmp_path / "plan.xlsx").write_bytes(edited(template(demo=True), fill))
    subprocess.run(
        ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/office",
         "--convert-to", "pdf", "--outdir", str(tmp_path), str(tmp_path / "plan.xlsx")],
        check=True, capture_output=True, timeout=100,
    )  # fmt: skip
    text = subprocess.run(
        ["pdftotext", "-layout", str(tmp_path / "plan.pdf"), "-"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    lines = [line.split() for line in text.splitlines()]
    assert ["附表1", "台账矿山数（座）", "4"] in lines
    assert ["尚未选择处置方式的矿山（座）", "0"] in lines
    assert ["附表2", "整合区数（个）", "1"] in lines
    closing = next(line for line in lines if line[:2] == ["1", "SC0003"] and "资源枯竭" in line)
    assert closing[2] == "示例3号石料矿"
    assert "Err:" not in text
    assert "#NAME?" not in text
    assert "_meta" not in text


def test_marks_are_made_and_taken_away_again(path):
    def spoil(book):
        fill(book)
        set_cells(book, "areas", 4, scale="50万", mineral="石头")

    plan = parse(path, edited(template(), spoil))
    assert [problem.cell for problem in plan.problems] == ["E4", "G4"]
    marked = annotate(path, plan.problems)
    book = load_workbook(BytesIO(marked))
    assert book.sheetnames[0] == "核查结果"
    result = book["核查结果"]
    assert result["A2"].value == (
        "错误 2 处，提醒 0 处。请改正标红的单元格后重新上传本工作簿；提醒不影响上传。"
    )
    assert result["E6"].value == (
        "附表2 第4行 G4 单元格『50万』不是数字。请只填数字 50，单位已在表头。"
    )
    assert result["D6"].hyperlink.location == "'附表2 整合重组方案'!G4"
    assert result["F6"].value == "50万"
    cell = book["附表2 整合重组方案"]["G4"]
    assert cell.fill.fgColor.rgb == "00F6C9C5"
    assert "请只填数字 50" in cell.comment.text
    assert book["附表2 整合重组方案"]["B3"].comment.text == "自编，不得重复，如 Z1。必填。"

    # The same mistakes again: the marks do not pile up.
    again = parse(path, marked)
    assert again.problems == plan.problems
    twice = load_workbook(BytesIO(annotate(path, again.problems)))
    assert twice.sheetnames == book.sheetnames
    assert twice["附表2 整合重组方案"]["G4"].comment.text == cell.comment.text

    def mend(book):
        set_cells(book, "areas", 4, scale=60, mineral="建筑石料用灰岩")

    mended = parse(path, edited(marked, mend))
    assert mended.problems == []
    assert mended.areas[0].scale == Decimal(60)
    clean = load_workbook(BytesIO(annotate(path, [])))
    assert clean["附表2 整合重组方案"]["G4"].fill.fill_type is None
    assert clean["附表2 整合重组方案"]["G4"].comment is None
    assert clean["核查结果"]["A2"].value == "没有发现问题。"


def test_a_comment_of_the_county_comes_back_when_the_mark_goes(path):
    from openpyxl.comments import Comment

    def remark(book):
        fill(book)
        cell = book["附表2 整合重组方案"]["G4"]
        cell.value = "50万"
        cell.comment = Comment("县里的批注", "县里")

    plan = parse(path, edited(template(), remark))
    path.write_bytes(annotate(path, plan.problems))
    book = load_workbook(BytesIO(annotate(path, [])))
    assert book["附表2 整合重组方案"]["G4"].comment.text == "县里的批注"


def test_a_locked_cell_gets_its_grey_back(path):
    problem = CellProblem("附表1 非煤矿山基本情况与处置", "D4", "warning", "x", "示例。", "", "")
    path.write_bytes(template())
    path.write_bytes(annotate(path, [problem]))
    marked = load_workbook(path)[problem.sheet]["D4"]
    assert marked.fill.fgColor.rgb == "00FBE6C2"
    book = load_workbook(BytesIO(annotate(path, [])))
    assert book[problem.sheet]["D4"].fill.fgColor.rgb == "00EEF1EF"


def test_marked_copies_keep_no_formula_of_the_county(path):
    def sly(book):
        fill(book)
        set_cells(book, "areas", 4, scale="=cmd|' /C calc'!A0", remark='=HYPERLINK("http://a")')
        book.create_sheet("县里的表")["A1"] = "=1+1"

    plan = parse(path, edited(template(), sly))
    assert {problem.code for problem in plan.problems} == {"formula"}
    book = load_workbook(BytesIO(annotate(path, plan.problems)))
    formulas = {
        sheet.title
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    }
    assert formulas == {"填表说明", "附表3 关闭取缔", "附表4 引导退出", "附表5 升级改造"}
    assert book["县里的表"]["A1"].value == "=1+1"
    assert book["县里的表"]["A1"].data_type == "s"


def test_what_was_typed_cannot_become_a_formula_in_the_result(path):
    path.write_bytes(template())
    problem = CellProblem("附表8 任务分解", "B4", "error", "x", "=1+1", "=2+2", "@x")
    result = load_workbook(BytesIO(annotate(path, [problem])))["核查结果"]
    assert [result[place].data_type for place in ("E5", "F5", "G5")] == ["s", "s", "s"]


def test_what_cannot_be_marked_is_refused(path):
    path.write_bytes(b"\xd0\xcf\x11\xe0")
    with pytest.raises(WorkbookRefused) as caught:
        annotate(path, [])
    assert caught.value.code == "old_format"


def test_a_file_saved_by_the_child_reader_and_in_process_reads_the_same(path):
    here = parse(path, edited(template(), fill))
    there = read_plan(
        read_workbook(path), county_code=COUNTY, registry=MINES, signing_key=KEY, minerals=MINERALS
    )
    assert there == here


def test_five_hundred_mines_take_seconds(path):
    mines = tuple(mine(number) for number in range(1, 501))
    started = time.perf_counter()
    content = template(mines)
    written = time.perf_counter() - started

    def decide(book):
        for row in range(4, 504):
            set_cells(book, "dispositions", row, disposition="保留（达标）", reason="示例理由")

    path.write_bytes(edited(content, decide))
    started = time.perf_counter()
    plan = read_plan(
        read_workbook(path), county_code=COUNTY, registry=mines, signing_key=KEY, minerals=MINERALS
    )
    read = time.perf_counter() - started
    print(f"template {written:.2f} s, guard + read + parse {read:.2f} s")  # noqa: T201
    assert plan.problems == []
    assert len(plan.dispositions) == 500
    assert written < 2
    assert read < 3


def test_registry_changes_since_the_download_are_listed(path):
    content = edited(template(), fill)
    changed = [replace(MINES[0], licensed_scale=Decimal(30)), *MINES[1:]]
    plan = parse(path, content, registry=changed)
    assert [(p.severity, p.code, p.cell, p.found, p.expected) for p in plan.problems] == [
        ("warning", "registry_changed", "O4", "20", "30")
    ]
    assert len(plan.dispositions) == 4
    plan = parse(path, content, registry=[*MINES, mine(5)])
    assert [(p.severity, p.code) for p in plan.problems] == [("error", "new_mine")]
    assert "示例5号石料矿" in plan.problems[0].message
    plan = parse(path, content, registry=MINES[:3])
    assert [(p.severity, p.code, p.cell) for p in plan.problems] == [
        ("warning", "gone_mine", "B7"),
        ("error", "unknown_mine", "B4"),
    ]
    assert len(plan.dispositions) == 3
