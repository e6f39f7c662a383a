"""The registry workbook from template to registry: preview first, then one transaction."""

import threading
from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
from django.db import connection
from django.utils import timezone
from openpyxl import load_workbook

from mines import actions
from mines.models import Boundary, Holder, Licence, Mine, RegistryUpload
from mines.workbook_columns import MINES
from shuozhou_mines import jobs
from shuozhou_mines.errors import NotAllowed, Refused, WrongState
from shuozhou_mines.models import Job
from taskforce.models import TrailEntry
from tests.conftest import PINGLU, SHUOCHENG
from tests.factories import make_mine
from tests.mines.registry_files import (
    add_corners,
    add_mine,
    add_stock,
    add_system,
    fill,
    own_table,
    saved,
    template,
    upload_file,
)

AT = timezone.make_aware(timezone.datetime(2026, 11, 2, 9, 0))


def send(content, by, *, county=SHUOCHENG, name="台账.xlsx", as_of=date(2026, 10, 31)):
    return actions.receive_upload(
        county_code=county,
        upload=upload_file(content, name),
        as_of=as_of,
        given_by="县自然资源局摸底",
        by=by,
        at=AT,
    )


def work(upload):
    """Do all queued jobs of an upload, and return it as it then is."""
    for job in Job.objects.about(upload).filter(state=Job.State.QUEUED).order_by("pk"):
        jobs.run_job(job.pk)
    upload.refresh_from_db()
    return upload


def read(content, by, **given):
    return work(send(content, by, **given))


def confirm(upload, by, **given):
    values = {"seen_mark": upload.seen_mark, "remove_gone": False, "by": by, "at": AT, **given}
    return work(actions.confirm_upload(upload_id=upload.pk, **values))


def messages_of(upload):
    return [problem["message"] for problem in upload.problems]


@pytest.fixture
def mine(counties):
    return make_mine(counties[SHUOCHENG], 1, name="一号矿", at=(112.45, 39.31))


@pytest.fixture
def clerk(people):
    return people["county_clerk"]


def test_the_template_sent_back_untouched_changes_nothing(mine, counties, clerk):
    upload = read(saved(template(counties[SHUOCHENG])), clerk)
    assert upload.state == "ready"
    assert upload.problems == []
    assert upload.summary["same_count"] == 1
    assert (upload.summary["new_count"], upload.summary["changed_count"]) == (0, 0)
    with pytest.raises(WrongState) as refusal:
        confirm(upload, clerk)
    assert refusal.value.message == "与现行台账完全相同，没有需要写入的内容。"


def test_a_changed_cell_shows_old_and_new_and_is_written_once_confirmed(mine, counties, clerk):
    book = template(counties[SHUOCHENG])
    fill(book, MINES, 1, township="新乡", scale=80, state="停产")
    upload = read(saved(book), clerk)
    assert upload.summary["changed"] == [
        {
            "number": "SZ-140602-0001",
            "name": "一号矿",
            "rows": [
                ["乡镇", "测试乡", "新乡"],
                ["生产状态", "生产", "停产"],
                ["证载生产规模", "60", "80"],
            ],
        }
    ]
    mine.refresh_from_db()
    assert mine.township == "测试乡"
    upload = confirm(upload, clerk)
    assert upload.state == "written"
    mine.refresh_from_db()
    assert (mine.township, mine.state) == ("新乡", "suspended")
    assert (mine.as_of, mine.given_by) == (date(2026, 10, 31), "县自然资源局摸底")
    assert Licence.objects.get(mine=mine).scale == Decimal(80)
    event = Mine.pgh_event_model.objects.filter(pgh_obj_id=mine.pk).latest("pgh_id")
    assert event.pgh_context.metadata["user"] == clerk.pk
    # A row of history for the import, none for each cell.
    assert Mine.pgh_event_model.objects.filter(pgh_obj_id=mine.pk).count() == 2
    entry = TrailEntry.objects.get(act="导入台账")
    assert entry.detail["changed"] == 1


def test_the_same_file_twice_changes_nothing(mine, counties, clerk):
    book = template(counties[SHUOCHENG])
    fill(book, MINES, 1, township="新乡", ore_bodies="K2、K1", uscc="91140600MA0K000011")
    add_mine(book, 2)
    add_corners(book, "新增2号矿")
    add_system(
        book, 2, "新增2号矿", name="东采场", method="露天开采", design_scale=60, unit="万吨/年"
    )
    add_stock(book, 1, "新增2号矿", stock_class="控制资源量", amount=1234.5, unit="万吨")
    content = saved(book)
    first = confirm(read(content, clerk), clerk)
    assert first.state == "written", messages_of(first)
    again = read(content, clerk)
    assert again.state == "ready", messages_of(again)
    assert again.summary["same_count"] == 2
    assert (again.summary["new_count"], again.summary["changed_count"]) == (0, 0)


def test_a_new_mine_comes_with_all_its_rows(counties, clerk):
    book = template(counties[SHUOCHENG])
    add_mine(book, 1, uscc="91140600MA0K000011", safety_licence_no="(晋)FM安许证字〔2024〕1号",
             licence_no=" c１４０６００２009 1271 20047552 ")  # fmt: skip
    add_corners(book, "新增1号矿")
    add_system(
        book, 1, "新增1号矿", name="东采场", method="露天开采", design_scale=60, unit="万吨/年"
    )
    add_stock(book, 1, "新增1号矿", stock_class="控制资源量", amount="１２３４.５", unit="万吨")
    upload = read(saved(book), clerk)
    assert upload.summary["new"] == [["SZ-140602-0001", "新增1号矿"]]
    assert not Mine.objects.exists()
    confirm(upload, clerk)
    mine = Mine.objects.get()
    assert mine.registry_no == "SZ-140602-0001"
    assert mine.holder.uscc == "91140600MA0K000011"
    assert mine.county_id == SHUOCHENG
    assert mine.life_includes_construction is None
    assert mine.safety_licence_no == "(晋)FM安许证字〔2024〕1号"
    licence = mine.licences.get()
    assert (licence.number, licence.is_legacy) == ("C1406002009127120047552", False)
    assert mine.systems.get().design_scale == Decimal(60)
    stock = mine.stocks.get()
    assert (stock.amount, stock.as_of) == (Decimal("1234.5"), date(2026, 10, 31))
    boundary = mine.boundary
    assert boundary.outline.valid
    assert boundary.area_km2 == Decimal("0.1599")
    assert boundary.regions[0]["rings"][0]["points"][0] == ["1", "4350000.00", "37623000.00"]
    assert boundary.regions[0]["elevation_top_m"] == "1400"


def test_a_renewed_licence_is_a_second_period_under_one_number(mine, counties, clerk):
    book = template(counties[SHUOCHENG])
    fill(book, MINES, 1, valid_from=date(2028, 1, 1), valid_to=date(2032, 12, 31))
    confirm(read(saved(book), clerk), clerk)
    periods = list(mine.licences.values_list("number", "valid_from", "valid_to"))
    assert periods == [
        ("C1406002010017130100001", date(2022, 1, 1), date(2027, 12, 31)),
        ("C1406002010017130100001", date(2028, 1, 1), date(2032, 12, 31)),
    ]


def test_mines_missing_from_the_file_leave_only_when_that_is_ticked(mine, counties, clerk):
    make_mine(counties[SHUOCHENG], 2, name="二号矿")
    book = template(counties[SHUOCHENG])
    book[MINES.sheet].delete_rows(5)
    upload = read(saved(book), clerk)
    assert upload.state == "refused"  # the system of the second mine is still listed
    book["生产系统"].delete_rows(5)
    upload = read(saved(book), clerk)
    assert upload.summary["gone"] == [["SZ-140602-0002", "二号矿"]]
    confirm(upload, clerk, remove_gone=True)
    assert Mine.objects.get(name="二号矿").removed_on == date(2026, 10, 31)
    assert Mine.objects.get(name="一号矿").removed_on is None


CELLS = [
    ({"scale": "60万吨"}, "P4",
         "『60万吨』不是数字。"
         "请只填数字 60，单位已在表头。"),
    ({"mineral": "石头"}, "K4",
         "『石头』不在矿种目录中。"
         "请从下拉列表中选择矿种。"),
    ({"name": None}, "D4",
         "没有填写“矿山名称”。"
         "这一列必填。"),
    ({"valid_to": "2024年2月30日"}, "I4",
         "『2024年2月30日』这一天不存在。"
         "请核对年月日，如 2025-12-31。"),
    ({"valid_to": "2020-01-01"}, "I4",
         "『2020-01-01』早于有效期起 2024-01-01。"
         "请核对两个日期。"),
    ({"elevation_top_m": 1200}, "N4",
         "『1200』不高于开采标高止 1300 米。"
         "起为上限，止为下限，请核对。"),
    ({"scale_unit": None}, "Q4",
         "没有填写“规模单位”。"
         "填了规模就要选择万吨/年或万立方米/年。"),
    ({"scale": 0}, "P4",
         "『0』应大于 0。"
         "没有规模的请留空。"),
    ({"uscc": "91140600MA0K000012"}, "F4",
         "『91140600MA0K000012』不是有效的统一社会信用代码（18 位，末位为校验码）。"
         "请照营业执照核对。"),
    ({"licence_no": None}, "G4",
         "没有填写“采矿许可证号”。"
         "填了采矿许可证的内容，证号和有效期起止必须填全。"),
    ({"licence_no": "C14O6022024017130000001"}, "G4",
         "『C14O6022024017130000001』夹有字母 O。"
         "请改为数字 0。"),
    ({"county": "平鲁区"}, "B4",
         "『平鲁区』不是朔城区。"
         "这次只能导入朔城区的矿山，请删去这一行，由所属县（市、区）导入。"),
    ({"area_km2": "0.12345"}, "M4",
         "『0.12345』的小数超过 4 位。"
         "请按 4 位小数填写。"),
    ({"density": 27}, "S4",
         "『27』太大，超出这一列能记录的范围。"
         "请核对数值和单位。"),
    ({"is_on_ridge": "大概"}, "Z4",
         "『大概』不在可选范围内。"
         "请填写“是”或“否”，不清楚时留空。"),
    ({"township": "=1+1"}, "C4",
         "是公式。"
         "请用“选择性粘贴—数值”改成固定的内容。"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "cell", "says"), CELLS, ids=[row[1] for row in CELLS])
def test_a_wrong_cell_is_named_and_nothing_is_written(changes, cell, says, counties, clerk):
    book = template(counties[SHUOCHENG])
    add_mine(book, 1, **changes)
    upload = read(saved(book), clerk)
    assert messages_of(upload) == [f"附表1 非煤矿山基本情况 第4行 {cell} 单元格{says}"]
    assert upload.state == "refused"
    assert not Mine.objects.exists()
    assert not Holder.objects.exists()


CORNER_FILES = [
    (
        lambda book: add_corners(book, "没有这座矿"),
        "第4行 A4 单元格『没有这座矿』在附表1 中没有。请填写附表1 里的台账编号或矿山名称。",
    ),
    (
        lambda book: add_corners(
            book, "新增1号矿", [("4350000", "37623000"), ("4350400", "37623400"),
                              ("4350400", "37623000"), ("4350000", "37623400")]
        ),
        "边界自相交",
    ),
    (
        lambda book: add_corners(
            book, "新增1号矿", [("37623000", "4350000"), ("37623000", "4350400"),
                              ("37623400", "4350400")]
        ),
        "X 与 Y 写反了",
    ),
    (
        lambda book: add_corners(
            book, "新增1号矿", [("4350000", "623000"), ("4350400", "623000"),
                              ("4350400", "623400")]
        ),
        "缺少带号",
    ),
    (
        lambda book: add_corners(
            book, "新增1号矿", [("4350000", "39623000"), ("4350400", "39623000"),
                              ("4350400", "39623400")]
        ),
        "的 Y 坐标带号是 39",
    ),
    (
        lambda book: add_corners(book, "新增1号矿", [("4350000", "37623000")]),
        "只有 1 个不同的拐点",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("draw", "part"), CORNER_FILES, ids=[p for _, p in CORNER_FILES])
def test_wrong_corners_are_named_at_their_cells(draw, part, counties, clerk):
    book = template(counties[SHUOCHENG])
    add_mine(book, 1)
    draw(book)
    upload = read(saved(book), clerk)
    assert upload.state == "refused"
    assert any(part in message for message in messages_of(upload)), messages_of(upload)
    assert {problem["sheet"] for problem in upload.problems} == {"拐点坐标"}
    assert not Boundary.objects.exists()


def test_a_number_of_another_county_is_refused(counties, clerk):
    make_mine(counties[PINGLU], 7)
    book = template(counties[SHUOCHENG])
    add_mine(book, 1, registry_no="SZ-140603-0007")
    upload = read(saved(book), clerk)
    assert messages_of(upload) == [
        "附表1 非煤矿山基本情况 第4行：台账编号“SZ-140603-0007”是平鲁区的矿山，"
        "本县（市、区）不能修改。请核对编号；新增的矿山请把台账编号留空。"
    ]


def test_doubled_rows_are_refused(mine, counties, clerk):
    book = template(counties[SHUOCHENG])
    add_mine(book, 2, registry_no="SZ-140602-0001")
    upload = read(saved(book), clerk)
    assert "与第4行是同一座矿山（SZ-140602-0001）" in messages_of(upload)[0]


def test_a_file_that_is_no_workbook_is_refused_with_its_reason(counties, clerk):
    upload = read(b"hello", clerk)
    assert upload.state == "refused"
    assert len(upload.problems) == 1
    with pytest.raises(Refused) as refusal:
        send(b"", clerk)
    assert refusal.value.message == "这个文件是空的（0 字节）。请重新保存后再上传。"
    with pytest.raises(Refused) as refusal:
        send(b"a", clerk, name="台账.docx")
    assert "请上传 Excel 工作簿" in refusal.value.message


def test_only_those_who_keep_this_countys_registry_may_import(mine, people, counties, clerk):
    content = saved(template(counties[SHUOCHENG]))
    for name in ("other_county_clerk", "county_leader", "member_unit", "city_leader"):
        with pytest.raises(NotAllowed):
            send(content, people[name])
    upload = read(content, clerk)
    with pytest.raises(NotAllowed):
        confirm(upload, people["other_county_clerk"])
    assert read(content, people["office"]).pk == upload.pk


def test_a_registry_changed_meanwhile_is_compared_anew(mine, counties, clerk):
    book = template(counties[SHUOCHENG])
    fill(book, MINES, 1, township="新乡")
    upload = read(saved(book), clerk)
    Mine.objects.filter(pk=mine.pk).update(township="别人改的乡")
    upload = confirm(upload, clerk)
    assert upload.state == "ready"
    assert upload.note.startswith("确认之前，台账已被别人改动，这次没有写入。")
    assert upload.summary["changed"][0]["rows"] == [["乡镇", "别人改的乡", "新乡"]]
    mine.refresh_from_db()
    assert mine.township == "别人改的乡"
    assert confirm(upload, clerk).state == "written"


def test_a_change_between_confirming_and_writing_is_noticed(mine, counties, clerk):
    book = template(counties[SHUOCHENG])
    fill(book, MINES, 1, township="新乡")
    upload = read(saved(book), clerk)
    actions.confirm_upload(
        upload_id=upload.pk, seen_mark=upload.seen_mark, remove_gone=False, by=clerk, at=AT
    )
    Mine.objects.filter(pk=mine.pk).update(township="别人改的乡")
    upload = work(upload)
    assert upload.state == "received"
    assert work(upload).state == "ready"
    mine.refresh_from_db()
    assert mine.township == "别人改的乡"


def test_a_killed_worker_leaves_work_that_the_next_one_finishes(mine, counties, clerk):
    book = template(counties[SHUOCHENG])
    fill(book, MINES, 1, township="新乡")
    upload = send(saved(book), clerk)
    job = Job.objects.about(upload).get()
    jobs.claim(job.pk, at=AT)  # a worker that took the job and died
    Job.objects.filter(pk=job.pk).update(lease_until=AT)
    jobs.run_job(job.pk)
    upload.refresh_from_db()
    assert upload.state == "ready"
    actions.confirm_upload(
        upload_id=upload.pk, seen_mark=upload.seen_mark, remove_gone=False, by=clerk, at=AT
    )
    writing = Job.objects.about(upload).filter(kind="mines.write_upload").get()
    jobs.claim(writing.pk, at=AT)
    Job.objects.filter(pk=writing.pk).update(lease_until=AT)
    jobs.run_job(writing.pk)
    upload.refresh_from_db()
    assert upload.state == "written"
    # Delivered once more, it does nothing.
    Job.objects.filter(pk=writing.pk).update(state="queued", finished_at=None)
    jobs.run_job(writing.pk)
    assert Mine.pgh_event_model.objects.filter(pgh_obj_id=mine.pk).count() == 2


def test_an_upload_can_be_given_up(mine, counties, clerk):
    upload = read(saved(template(counties[SHUOCHENG])), clerk)
    assert actions.drop_upload(upload_id=upload.pk, by=clerk).state == "dropped"
    with pytest.raises(WrongState):
        confirm(RegistryUpload.objects.get(), clerk)


def test_a_table_of_the_countys_own_is_asked_about_once(mine, counties, clerk):
    upload = read(own_table(draw_own_table), clerk)
    assert upload.state == "unmapped"
    guesses = {column["head"]: column["guess"] for column in upload.layout["columns"]}
    assert guesses == {
        "序号": "",
        "矿山名称": "name",
        "采矿权人": "holder",
        "矿种": "mineral",
        "采矿许可证 / 证号": "licence_no",
        "采矿许可证 / 有效期": "validity",
        "面积（公顷）": "area_km2",
        "开采标高（m）": "heights",
        "生产规模（万立方米/年）": "scale",
        "保有资源量（万吨） / 探明": "stock_measured",
        "保有资源量（万吨） / 控制": "stock_indicated",
    }
    upload = work(actions.name_columns(upload_id=upload.pk, fields=chosen(upload), by=clerk, at=AT))
    assert upload.state == "ready", messages_of(upload)
    assert upload.summary["new"] == [["SZ-140602-0002", "二号矿"]]
    assert upload.summary["changed_count"] == 1
    confirm(upload, clerk)
    new = Mine.objects.get(name="二号矿")
    licence = new.licences.get()
    assert licence.area_km2 == Decimal("0.1234")
    assert (licence.valid_from, licence.valid_to) == (date(2024, 1, 1), date(2029, 12, 31))
    assert (licence.elevation_top_m, licence.elevation_bottom_m) == (1400, 1300)
    assert (licence.scale, licence.scale_unit) == (Decimal("30.5"), "wan_m3")
    stocks = dict(new.stocks.values_list("stock_class", "amount"))
    assert stocks == {"measured": Decimal(120), "indicated": Decimal("34.5")}
    # The same heads are not asked about again, and the same table changes nothing.
    again = read(own_table(draw_own_table), clerk, as_of=date(2026, 11, 1))
    assert again.state == "ready"
    assert (again.summary["new_count"], again.summary["changed_count"]) == (0, 0)
    assert again.summary["same_count"] == 2


def draw_own_table(sheet):
    """Title, two rows of heads with merged cells, full-width digits, text numbers, totals."""
    rows = [
        ["朔城区非煤矿山统计表"],
        ["序号", "矿山名称", "采矿权人", "矿种", "采矿许可证", None, "面积（公顷）",
         "开采标高（m）", "生产规模（万立方米/年）", "保有资源量（万吨）", None],
        [None, None, None, None, "证号", "有效期", None, None, None, "探明", "控制"],
        [1, "一号矿", "测试矿业1公司", "建筑石料用灰岩", "c1406002010017130100001",
         "2022年1月1日至2027年12月31日", 20, "1300—1400", "６０", None, None],
        [2, "二号矿", "二号公司", "建筑石料用灰岩", "C1406022024017130000002",
         "2024.1.1-2029.12.31", "12.34", "1400至1300米", "30.5", "1２0", 34.5],
        ["合计", None, None, None, None, None, 32.34, None, 90.5, 120, 34.5],
        ["填表人：某某"],
    ]  # fmt: skip
    for row in rows:
        sheet.append(row)
    for span in ("A1:K1", "A2:A3", "B2:B3", "C2:C3", "D2:D3", "E2:F2", "G2:G3", "H2:H3",
                 "I2:I3", "J2:K2"):  # fmt: skip
        sheet.merge_cells(span)


def chosen(upload):
    return {str(c["number"]): c["guess"] for c in upload.layout["columns"] if c["guess"]}


def test_a_unit_that_cannot_be_converted_is_named_in_the_head(counties, clerk):
    def draw(sheet):
        draw_own_table(sheet)
        sheet["G2"].value = "面积（亩）"

    upload = read(own_table(draw), clerk)
    upload = work(actions.name_columns(upload_id=upload.pk, fields=chosen(upload), by=clerk, at=AT))
    assert upload.state == "refused"
    assert "的单位“亩”不能自动换算" in messages_of(upload)[0]
    assert actions.change_columns(upload_id=upload.pk, by=clerk).state == "unmapped"


def test_columns_must_be_named_once_and_the_mine_at_least(counties, clerk):
    upload = read(own_table(draw_own_table), clerk)
    for fields, part in (
        ({"3": "holder"}, "请选出哪一列是“矿山名称”"),
        ({"2": "name", "3": "name"}, "“矿山名称”选了不止一列"),
        ({"99": "name"}, "对应关系与表格的列不一致"),
    ):
        with pytest.raises(Refused) as refusal:
            actions.name_columns(upload_id=upload.pk, fields=fields, by=clerk, at=AT)
        assert part in refusal.value.message


def test_a_workbook_without_any_mines_is_refused_with_what_to_do(counties, clerk):
    def draw(sheet):
        for row in (
            ["指标", "1-5月", "同比增长"],
            ["固定资产投资", 188006, 4.0],
            ["民间投资", 1, 2],
        ):
            sheet.append(row)

    upload = read(own_table(draw), clerk)
    assert upload.state == "refused"
    assert messages_of(upload)[0].startswith("没有找到矿山表：前 12 行里没有哪一行像表头")
    assert "下载本县模板" in messages_of(upload)[0]


def test_a_new_mine_needs_holder_and_mineral_even_where_the_table_has_no_such_column(
    counties, clerk
):
    def draw(sheet):
        sheet.append(["矿山名称", "采矿许可证号", "有效期起", "有效期止"])
        sheet.append(["甲矿", "C1406022024017130000002", "2024-01-01", "2029-12-31"])

    upload = read(own_table(draw), clerk)
    upload = work(actions.name_columns(upload_id=upload.pk, fields=chosen(upload), by=clerk, at=AT))
    assert upload.state == "refused"
    assert messages_of(upload) == [
        "Sheet 第2行 A2 单元格『甲矿』是新增的矿山，但表中没有“采矿权人”。请补上这一列后再上传。",
        "Sheet 第2行 A2 单元格『甲矿』是新增的矿山，但表中没有“开采矿种”。请补上这一列后再上传。",
    ]


def test_the_pages_show_preview_and_refusal(mine, counties, clerk, client):
    client.force_login(clerk)
    start = client.get("/staff/mines/import/")
    assert "下载朔城区台账模板" in start.text
    content = client.get(f"/staff/mines/import/template/{SHUOCHENG}/").content
    book = load_workbook(BytesIO(content))
    fill(book, MINES, 1, township="新乡")
    sent = client.post(
        "/staff/mines/import/",
        {
            "county": SHUOCHENG,
            "as_of": "2026-10-31",
            "given_by": "摸底",
            "workbook": upload_file(saved(book)),
        },
    )
    upload = RegistryUpload.objects.get()
    page = f"/staff/mines/import/{upload.pk}/"
    assert sent.headers["Location"] == page
    assert "排队中" in client.get(page).text
    work(upload)
    shown = client.get(page)
    assert "<del>测试乡</del>" in shown.text
    assert "<ins>新乡</ins>" in shown.text
    assert client.get(f"{page}progress/").headers["HX-Redirect"] == page
    client.post(
        f"{page}confirm/", {"seen_mark": shown.context["confirm_form"].initial["seen_mark"]}
    )
    work(upload)
    assert "已写入台账" in client.get(page).text
    fill(book, MINES, 1, scale="60万吨")
    bad = read(saved(book), clerk)
    shown = client.get(f"/staff/mines/import/{bad.pk}/")
    assert "附表1 非煤矿山基本情况!P4" in shown.text
    assert client.get(f"{page}file/").getvalue() == saved_file(upload)
    refused = client.post("/staff/mines/import/", {"county": SHUOCHENG})
    assert "请选择要上传的工作簿。" in refused.text


def saved_file(upload):
    with upload.file.open("rb") as file:
        return file.read()


def test_strangers_find_no_import(people, mine, counties, clerk, client):
    upload = read(saved(template(counties[SHUOCHENG])), clerk)
    for name in ("other_county_clerk", "county_leader", "city_leader", "expert", "system_admin"):
        client.force_login(people[name])
        for address in (
            f"/staff/mines/import/{upload.pk}/",
            f"/staff/mines/import/{upload.pk}/file/",
            f"/staff/mines/import/template/{SHUOCHENG}/",
        ):
            assert client.get(address).status_code == 404
        assert client.post(f"/staff/mines/import/{upload.pk}/confirm/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_two_people_confirm_at_once_and_it_is_written_once(people, counties):
    mine = make_mine(counties[SHUOCHENG], 1, name="一号矿")
    book = template(counties[SHUOCHENG])
    fill(book, MINES, 1, township="新乡")
    upload = read(saved(book), people["county_clerk"])
    start = threading.Barrier(2)
    ends = []

    def person(name):
        try:
            start.wait()
            actions.confirm_upload(
                upload_id=upload.pk,
                seen_mark=upload.seen_mark,
                remove_gone=False,
                by=people[name],
                at=AT,
            )
            ends.append("confirmed")
        except WrongState as refusal:
            ends.append(refusal.message)
        finally:
            connection.close()

    threads = [threading.Thread(target=person, args=(n,)) for n in ("county_clerk", "office")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "confirmed" in ends
    # The other one comes while it is being written, or after.
    assert sum(end.startswith("这次导入现在是“") for end in ends) == 1
    writing = Job.objects.about(upload).filter(kind="mines.write_upload")
    assert writing.count() == 1
    work(upload)
    assert Mine.pgh_event_model.objects.filter(pgh_obj_id=mine.pk).count() == 2
