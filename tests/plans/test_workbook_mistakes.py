"""Filled workbooks with mistakes: each is named by its cell, none is guessed away."""

from datetime import date
from decimal import Decimal

import pytest

from plans.workbook import table_of
from tests.plans.plan_workbooks import edited, fill, mine, parse, set_cells, template


def typed(table, row, **values):
    """Return an edit that types values into a good plan."""
    return lambda book: set_cells(book, table, row, **values)


def sheet_of(book, table):
    return book[table_of(table).sheet]


def merge(book):
    sheet_of(book, "areas").merge_cells("C4:D4")


def hide_row(book):
    sheet_of(book, "areas").row_dimensions[4].hidden = True


def hide_column(book):
    sheet_of(book, "areas").column_dimensions["G"].hidden = True


def hide_sheet(book):
    sheet_of(book, "areas").sheet_state = "hidden"


def error_cell(book):
    cell = sheet_of(book, "areas")["G4"]
    cell.value = "#DIV/0!"
    cell.data_type = "e"


def change_head(book):
    sheet_of(book, "areas")["G3"] = "生产规模（吨）"


def change_key_head(book):
    sheet_of(book, "dispositions")["B3"] = "编号"


def remove_sheet(book):
    del book[table_of("tasks").sheet]


def copy_mine(book):
    sheet = sheet_of(book, "dispositions")
    for column in range(1, 31):
        sheet.cell(8, column).value = sheet.cell(4, column).value


def clear_mine(book):
    sheet = sheet_of(book, "dispositions")
    for column in range(1, 31):
        sheet.cell(5, column).value = None


def add_second_area(book):
    sheet = sheet_of(book, "areas")
    for column in range(1, 28):
        sheet.cell(5, column).value = sheet.cell(4, column).value


# name: (edit after the good filling, [(severity, code, sheet label, cell)], words of the first)
CASES = {
    "unit in the number": (
        typed("areas", 4, scale="60万"),
        [("error", "not_number", "附表2", "G4")],
        "附表2 第4行 G4 单元格『60万』不是数字。请只填数字 60，单位已在表头。",
    ),
    "negative number": (
        typed("areas", 4, area_km2=-1),
        [("error", "too_small", "附表2", "S4")],
        "附表2 第4行 S4 单元格『-1』小于 0。请核对数值和单位。",
    ),
    "date in a number": (
        typed("areas", 4, measured_wan_t=date(1902, 6, 18)),
        [("error", "date_not_number", "附表2", "K4")],
        "附表2 第4行 K4 单元格『1902-06-18』被设置成了日期格式。请把单元格改为数值格式后重新填写。",
    ),
    "half a date": (
        typed("areas", 4, due_on="2025年底"),
        [("error", "not_date", "附表2", "Z4")],
        "附表2 第4行 Z4 单元格『2025年底』不是完整的日期。请填写到年月日，如 2025-12-31。",
    ),
    "no such day": (
        typed("tasks", 4, due_on="2025-02-30"),
        [("error", "no_such_day", "附表8", "G4")],
        "附表8 第4行 G4 单元格『2025-02-30』这一天不存在。请核对年月日，如 2025-12-31。",
    ),
    "unknown disposition": (
        typed("dispositions", 6, disposition="关停"),
        [("error", "unknown_choice", "附表1", "X6")],
        "附表1 第6行 X6 单元格『关停』不在可选范围内。"
        "请从下拉列表中选择：关闭取缔、引导退出、整合重组、升级改造、保留(达标)。",
    ),
    "no disposition": (
        typed("dispositions", 6, disposition=None),
        [("error", "missing", "附表1", "X6")],
        "附表1 第6行 X6 单元格没有填写“处置方式”。每座矿山选择且只选择一种。",
    ),
    "no deadline": (
        typed("dispositions", 6, due_on=None),
        [("error", "missing_due", "附表1", "AA6")],
        "附表1 第6行 AA6 单元格没有完成时限。请填写到日，如 2025-12-31。",
    ),
    "merged without area": (
        typed("dispositions", 5, area_code=None),
        [("error", "merge_without_area", "附表1", "Z5")],
        "附表1 第5行 Z5 单元格没有填写整合区编号。处置方式为整合重组的矿山必须填写，如 Z1。",
    ),
    "closed with area": (
        typed("dispositions", 6, area_code="Z1"),
        [("error", "area_without_merge", "附表1", "Z6")],
        "附表1 第6行 Z6 单元格『Z1』不应填写：处置方式是“关闭取缔”，只有整合重组才有整合区。",
    ),
    "area not in the second annex": (
        typed("dispositions", 5, area_code="Z9"),
        [("error", "unknown_area", "附表1", "Z5")],
        "附表1 第5行 Z5 单元格『Z9』在附表2 中没有。请在附表2 填写这个整合区，或更正编号。",
    ),
    "area without member": (
        typed("areas", 4, code="Z2"),
        [
            ("error", "unknown_area", "附表1", "Z4"),
            ("error", "unknown_area", "附表1", "Z5"),
            ("error", "area_without_member", "附表2", "B4"),
            ("warning", "no_corners", "附表2", "B4"),
            ("error", "unknown_area", "附表2-1", "B4"),
            ("error", "unknown_area", "拐点坐标", "A4"),
        ],
        "附表1 第4行 Z4 单元格『Z1』在附表2 中没有。请在附表2 填写这个整合区，或更正编号。",
    ),
    "one area twice": (
        add_second_area,
        [("error", "duplicate_area", "附表2", "B5")],
        "附表2 第5行 B5 单元格『Z1』与第4行重复。每个整合区只能有一行，请改用另一个编号。",
    ),
    "unknown mineral": (
        typed("areas", 4, mineral="石灰石"),
        [("error", "unknown_mineral", "附表2", "E4")],
        "附表2 第4行 E4 单元格『石灰石』不在矿种目录中。请从下拉列表中选择矿种。",
    ),
    "unknown method": (
        typed("areas", 4, method="露天"),
        [("error", "unknown_choice", "附表2", "F4")],
        "附表2 第4行 F4 单元格『露天』不在可选范围内。"
        "请从下拉列表中选择：露天开采、地下开采、露天-地下联合开采。",
    ),
    "ridge not answered": (
        typed("areas", 4, on_ridge="不清楚"),
        [("error", "unknown_choice", "附表2", "W4")],
        "附表2 第4行 W4 单元格『不清楚』不在可选范围内。请从下拉列表中选择：是、否、未判定。",
    ),
    "unknown extra resource": (
        typed("areas", 4, extra_resources="夹缝、侧面"),
        [("error", "unknown_choice", "附表2", "T4")],
        "附表2 第4行 T4 单元格『夹缝、侧面』不在可选范围内。"
        "请从下拉列表中选择：夹缝、上部、深部、周边空白。",
    ),
    "extra resource without a way and a basis": (
        typed("areas", 4, grant_way=None, extra_basis=None),
        [
            ("error", "missing_grant", "附表2", "U4"),
            ("error", "missing_basis", "附表2", "V4"),
        ],
        "附表2 第4行 U4 单元格没有选择出让方式。有新增资源时必填。",
    ),
    "way without extra resource": (
        typed("areas", 4, extra_resources=None),
        [("error", "grant_without_extra", "附表2", "T4")],
        "附表2 第4行 T4 单元格填写了出让方式，但没有选择新增资源类型。"
        "请补填新增资源类型，或清空出让方式。",
    ),
    "cubic metres without density": (
        typed("areas", 4, scale_unit="万立方米/年"),
        [("error", "missing_density", "附表2", "I4")],
        "附表2 第4行 I4 单元格没有填写体重。规模单位为万立方米/年时，须填写体重才能折算成吨。",
    ),
    "construction not given": (
        typed("areas", 4, construction_years=None),
        [("error", "missing_construction", "附表2", "P4")],
        "附表2 第4行 P4 单元格没有填写基建期。服务年限含基建期时，须填写基建期年数。",
    ),
    "heights upside down": (
        typed("areas", 4, elevation_top_m=1450, elevation_bottom_m=1530),
        [("error", "elevation_order", "附表2", "R4")],
        "附表2 第4行 R4 单元格『1530』不低于标高起 1450。标高由高到低填写，止标高应小于起标高。",
    ),
    "required cell empty": (
        typed("areas", 4, lead=None),
        [("error", "missing", "附表2", "D4")],
        "附表2 第4行 D4 单元格没有填写“整合主体”。整合后的采矿权人。",
    ),
    "systems do not add up": (
        typed("systems", 4, scale=40),
        [("warning", "systems_differ", "附表2", "G4")],
        "附表2 第4行 G4 单元格『60』与附表2-1 各独立生产系统规模之和 40 不一致。请核对。",
    ),
    "masked digits": (
        typed("corners", 5, x="43561**.50"),
        [("error", "not_number", "拐点坐标", "D5")],
        "拐点坐标 第5行 D5 单元格『43561**.50』不是数字。请只填一个数字，单位已在表头。",
    ),
    "corner without Y": (
        typed("corners", 5, y=None),
        [("error", "missing", "拐点坐标", "E5")],
        "拐点坐标 第5行 E5 单元格没有填写“Y（横坐标，m）”。东向，含带号 37 或 38。",
    ),
    "closing of a mine that stays": (
        typed("closings", 4, registry_no="SC0004"),
        [
            ("warning", "missing_detail", "附表1", "X6"),
            ("error", "disposition_mismatch", "附表3", "B4"),
        ],
        "附表1 第6行 X6 单元格『关闭取缔』是“关闭取缔”，但附表3中没有这座矿山。请在附表3补填。",
    ),
    "closing of an unknown mine": (
        typed("closings", 5, registry_no="SC9999", cause="其他", due_on="2025-12-31"),
        [("error", "unknown_mine", "附表3", "B5")],
        "附表3 第5行 B5 单元格『SC9999』不是附表1 中的台账编号。请从下拉列表中选择。",
    ),
    "closing named twice": (
        typed("closings", 5, registry_no="SC0003", cause="其他", due_on="2025-12-31"),
        [("error", "duplicate_mine", "附表3", "B5")],
        "附表3 第5行 B5 单元格『SC0003』与第4行重复。每座矿山只能有一行。",
    ),
    "locked name changed": (
        typed("dispositions", 4, name="示例新名矿"),
        [("error", "locked_changed", "附表1", "D4")],
        "附表1 第4行 D4 单元格『示例新名矿』是锁定的“矿山名称”，与台账的“示例1号石料矿”不一致。"
        "请恢复台账内容；台账有误的，请先更正台账。",
    ),
    "locked scale changed": (
        typed("dispositions", 4, licensed_scale=50),
        [("error", "locked_changed", "附表1", "O4")],
        "附表1 第4行 O4 单元格『50』是锁定的“证载生产规模”，与台账的“20”不一致。"
        "请恢复台账内容；台账有误的，请先更正台账。",
    ),
    "registry number changed": (
        typed("dispositions", 5, registry_no="SC0007"),
        [
            ("error", "missing_mine", "附表1", ""),
            ("error", "unknown_mine", "附表1", "B5"),
        ],
        "附表1 缺少矿山“示例2号石料矿”（SC0002）。请恢复这一行。",
    ),
    "mine row gone": (
        clear_mine,
        [("error", "missing_mine", "附表1", "")],
        "附表1 缺少矿山“示例2号石料矿”（SC0002）。请恢复这一行。",
    ),
    "mine row twice": (
        copy_mine,
        [("error", "duplicate_mine", "附表1", "B8")],
        "附表1 第8行 B8 单元格『SC0001』与第4行重复。每座矿山只能有一行，请删去一行的内容。",
    ),
    "formula": (
        typed("areas", 4, scale="=30+30"),
        [("error", "formula", "附表2", "G4")],
        "附表2 第4行 G4 单元格是公式。请用“选择性粘贴—数值”改成固定的内容。",
    ),
    "error value": (
        error_cell,
        [("error", "error_cell", "附表2", "G4")],
        "附表2 第4行 G4 单元格是错误值 #DIV/0!。请改成正确的内容。",
    ),
    "merged cells": (
        merge,
        [("error", "merged", "附表2", "C4"), ("error", "merged", "附表2", "D4")],
        "附表2 第4行 C4 单元格『示例整合石料矿』是合并单元格。请取消合并，逐格填写。",
    ),
    "hidden row": (
        hide_row,
        [("warning", "hidden_row", "附表2", "A4")],
        "附表2 第4行 A4 单元格所在的行被隐藏，其中的内容仍会读取。请取消隐藏后核对。",
    ),
    "hidden column": (
        hide_column,
        [("warning", "hidden_column", "附表2", "G3")],
        "附表2 第3行 G3 单元格所在的列被隐藏，其中的内容仍会读取。请取消隐藏后核对。",
    ),
    "hidden sheet": (
        hide_sheet,
        [("warning", "hidden_sheet", "附表2", "")],
        "工作表“附表2 整合重组方案”被隐藏，其中的内容仍会读取。请取消隐藏后核对。",
    ),
    "head changed": (
        change_head,
        [("error", "head_changed", "附表2", "G3")],
        "附表2 第3行 G3 单元格『生产规模（吨）』应为表头“初定生产规模”。"
        "请恢复表头，或重新下载模板后再填。",
    ),
    "sheet removed": (
        remove_sheet,
        [("error", "missing_sheet", "附表8", "")],
        "缺少工作表“附表8 任务分解”。请恢复这张工作表，或重新下载模板后再填。",
    ),
    "number lost its digits": (
        typed("closings", 4, notice_no=1406002009127120047552),
        [("error", "digits_lost", "附表3", "J4")],
        "附表3 第4行 J4 单元格『1406002009127120000000』超过15位，已被表格软件当作数字截断。"
        "请把单元格设为文本格式后重新填写。",
    ),
    "half a mine": (
        typed("zones", 4, mines_count=2.5),
        [("error", "not_whole", "附表6", "E4")],
        "附表6 第4行 E4 单元格『2.5』不是整数。请填写整数。",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_each_mistake_is_named_by_its_cell(tmp_path, name):
    edit, expected, words = CASES[name]

    def spoil(book):
        fill(book)
        edit(book)

    plan = parse(tmp_path / "plan.xlsx", edited(template(), spoil))
    found = [
        (problem.severity, problem.code, problem.sheet.split()[0], problem.cell)
        for problem in plan.problems
    ]
    assert found == expected
    assert plan.problems[0].message == words
    assert all(problem.message.endswith("。") for problem in plan.problems)


def test_a_changed_key_head_is_said_once(tmp_path):
    def spoil(book):
        fill(book)
        change_key_head(book)

    plan = parse(tmp_path / "plan.xlsx", edited(template(), spoil))
    assert plan.dispositions == []
    assert ("head_changed", "B3") in [(one.code, one.cell) for one in plan.problems]
    assert "missing_mine" not in {one.code for one in plan.problems}


def forget_meta(book):
    del book["_meta"]


def change_county(book):
    book["_meta"]["B3"] = "140603"


def change_signature(book):
    book["_meta"]["B6"] = "0" * 64


def change_list(book):
    book["_meta"]["A9"] = "SC0009"


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (
            lambda: edited(template(), forget_meta),
            "not_template",
            "这不是本平台下载的方案模板（缺少校验表）。",
        ),
        (lambda: edited(template(), change_county), "tampered", "模板的校验信息被改动或已失效"),
        (lambda: edited(template(), change_signature), "tampered", "模板的校验信息被改动或已失效"),
        (lambda: edited(template(), change_list), "tampered", "模板的校验信息被改动或已失效"),
        (lambda: template(key=b"another key"), "tampered", "模板的校验信息被改动或已失效"),
        (
            lambda: template(county="140681"),
            "other_county",
            "这是行政区划代码 140681 的模板，不是本县（市、区）（140602）的模板。",
        ),
    ],
)
def test_a_workbook_that_is_not_ours_gives_one_sentence(tmp_path, content, code, words):
    plan = parse(tmp_path / "plan.xlsx", content())
    assert [(problem.code, problem.severity) for problem in plan.problems] == [(code, "error")]
    assert plan.problems[0].message.startswith(words)
    assert plan.problems[0].message.endswith(
        "请重新下载本县（市、区）的模板，把已填内容粘贴过去后再上传。"
    )
    assert plan.dispositions == []


def test_an_old_template_is_refused_with_its_version(tmp_path, monkeypatch):
    old = template()
    monkeypatch.setattr("plans.workbook_reading.TEMPLATE_VERSION", "2")
    plan = parse(tmp_path / "plan.xlsx", old)
    assert [problem.code for problem in plan.problems] == ["old_template"]
    assert plan.problems[0].message.startswith("模板版本 1 已停用，现行版本为 2。")


def test_a_home_made_table_is_not_a_template(tmp_path):
    from tests.mines.odd_files import good_xlsx

    plan = parse(tmp_path / "plan.xlsx", good_xlsx())
    assert [problem.code for problem in plan.problems] == ["not_template"]
    assert plan.meta is None


def test_codes_of_either_width_are_the_same_area(tmp_path):
    def type_wide(book):
        fill(book)
        set_cells(book, "dispositions", 4, area_code=" ｚ１ ")

    plan = parse(tmp_path / "plan.xlsx", edited(template(), type_wide))
    assert plan.problems == []
    assert plan.dispositions[0].area_code == "Z1"


def test_a_county_without_mines_can_hand_in_an_empty_plan(tmp_path):
    plan = parse(tmp_path / "plan.xlsx", template(()), registry=())
    assert plan.problems == []


def test_the_longest_names_survive(tmp_path):
    long = "朔城区沙塄河乡大涂皋村建筑用砂采矿权三号矿区" * 4
    mines = (mine(1, name=long, holder="示例 <&>\"' 公司"),)
    plan = parse(tmp_path / "plan.xlsx", template(mines), registry=mines)
    assert {problem.code for problem in plan.problems} == {"missing"}


def test_trailing_noughts_are_no_change_of_a_locked_cell(tmp_path):
    facts = {"area_km2": Decimal("0.1000"), "licensed_scale": Decimal("20.00")}
    mines = (mine(1, **facts),)
    plan = parse(tmp_path / "plan.xlsx", template(mines), registry=mines)
    assert {problem.code for problem in plan.problems} == {"missing"}
    same = (mine(1, area_km2=Decimal("0.1"), licensed_scale=Decimal(20)),)
    plan = parse(tmp_path / "plan.xlsx", template(mines), registry=same)
    assert {problem.code for problem in plan.problems} == {"missing"}
