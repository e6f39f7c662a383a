"""Use the registry as its readers do: list, filters, map, a mine, its changes."""

from datetime import date
from decimal import Decimal

import pghistory
import pytest
from django.test import Client

from mines.models import Boundary, Licence, Mine, OreBody, ProductionSystem, Stock
from standards.terms import MineState, ScaleUnit
from tests.factories import make_mine, square
from tests.mines.conftest import signed_in


def _names(response) -> list[str]:
    return [row["cells"][0]["text"] for row in response.context["table"]["rows"]]


def test_the_list_shows_all_mines_with_totals(office, mines) -> None:
    response = office.get("/staff/mines/")

    assert response.status_code == 200
    assert _names(response) == ["小石场", "大石场", "河湾砂矿", "黑岭铁矿", "平鲁石场"]
    totals = [cell["text"] for cell in response.context["table"]["totals"]]
    assert totals == ["合计 5 座", "", "", "", "", "203.5", "", "", "0.3000"]
    page = response.content.decode()
    assert "53.6" in page  # 20 万立方米 at 2.68
    assert "已到期" in page
    assert "将到期" in page


def test_a_county_sees_its_own_mines_only(clerk, mines) -> None:
    assert "平鲁石场" not in _names(clerk.get("/staff/mines/"))
    assert clerk.get("/staff/mines/SZ-140603-0005/").status_code == 404
    assert clerk.get("/staff/mines/SZ-140603-0005/history/").status_code == 404
    assert clerk.get("/staff/mines/SZ-140603-0005/shapes.json").status_code == 404
    assert clerk.get("/staff/mines/SZ-140602-0001/").status_code == 200
    assert clerk.get("/staff/mines/SZ-999999-0001/").status_code == 404


def test_who_has_no_right_sees_an_empty_list(people, mines) -> None:
    expert = signed_in(people["expert"])

    assert _names(expert.get("/staff/mines/")) == []
    assert expert.get("/staff/mines/SZ-140602-0001/").status_code == 404
    assert Client().get("/staff/mines/").status_code == 302


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("county=140603", ["平鲁石场"]),
        ("mineral=22001", ["黑岭铁矿"]),
        ("group=sand_stone", ["小石场", "大石场", "河湾砂矿", "平鲁石场"]),
        ("group=other", ["黑岭铁矿"]),
        ("method=underground", ["黑岭铁矿"]),
        ("state=suspended", ["黑岭铁矿"]),
        ("licence=expired", ["小石场"]),
        ("licence=30", ["大石场"]),
        ("licence=none", ["河湾砂矿"]),
        ("scale=below", ["小石场"]),
        ("scale=reached", ["大石场", "黑岭铁矿", "平鲁石场"]),
        ("scale=unknown", ["河湾砂矿"]),
        ("q=石场", ["小石场", "大石场", "平鲁石场"]),
        ("q=测试矿业4", ["黑岭铁矿"]),
        ("q=C1406002010017130100005", ["平鲁石场"]),
        ("q=ｓｚ－１４０６０３", ["平鲁石场"]),
        ("bbox=112.39,39.29,112.41,39.31", ["小石场"]),
        ("q=石场&scale=reached&county=140602", ["大石场"]),
        ("q=没有这样的矿", []),
        ("q=%25_", []),
    ],
)
def test_filters_narrow_the_list_and_the_map_alike(office, mines, query, expected) -> None:
    assert _names(office.get(f"/staff/mines/?{query}")) == expected

    features = office.get(f"/staff/mines/shapes.json?{query}").json()["features"]
    assert [each["properties"]["name"] for each in features] == [
        name for name in expected if name in ("小石场", "大石场")
    ]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("q=石", "请至少输入两个字。"),
        ("county=999999", "选择一个有效的选项"),
        ("bbox=1,2,3", "地图范围应是西、南、东、北四个数"),
        ("bbox=nan,1,2,3", "地图范围应是西、南、东、北四个数"),
        ("licence=soon", "soon"),
    ],
)
def test_a_filter_that_cannot_be_read_is_named(office, mines, query, sentence) -> None:
    response = office.get(f"/staff/mines/?{query}")

    assert _names(response) == []
    assert sentence in response.content.decode()
    assert "上面的筛选条件有误" in response.content.decode()


def test_a_county_cannot_filter_by_another_county(clerk, mines) -> None:
    response = clerk.get("/staff/mines/?county=140603")

    assert _names(response) == []
    assert "平鲁区" not in str(response.context["filters"].form["county"])


def test_a_system_below_the_minimum_counts_even_when_the_sum_is_above(office, counties) -> None:
    mine = make_mine(counties["140602"], 1, mineral="32009", scale=Decimal(30))
    ProductionSystem.objects.create(
        mine=mine, name="二号采场", design_scale=Decimal(25), unit=ScaleUnit.WAN_T
    )

    assert len(_names(office.get("/staff/mines/?scale=below"))) == 1
    assert _names(office.get("/staff/mines/?scale=reached")) == []


def test_sorting_keeps_the_filters_and_turns_round(office, mines) -> None:
    response = office.get("/staff/mines/?group=sand_stone&sort=-scale")

    assert _names(response) == ["平鲁石场", "大石场", "小石场", "河湾砂矿"]
    heads = {each["label"]: each for each in response.context["table"]["columns"]}
    assert heads["设计规模"]["sorted"] == "descending"
    assert heads["设计规模"]["sort_url"] == "?group=sand_stone&sort=scale"
    assert _names(office.get("/staff/mines/?sort=ends"))[:2] == ["小石场", "大石场"]
    assert _names(office.get("/staff/mines/?sort=nothing"))[0] == "小石场"


def test_columns_are_chosen(office, mines) -> None:
    response = office.get("/staff/mines/?cols=licence&cols=holder")

    heads = [each["label"] for each in response.context["table"]["columns"]]
    assert heads == ["矿山名称", "采矿权人", "采矿许可证号"]
    assert "C1406002010017130100002" in response.content.decode()


def test_pages_of_fifty_carry_the_filters(office, counties) -> None:
    for number in range(1, 53):
        make_mine(counties["140602"], number)

    response = office.get("/staff/mines/?page=2&method=open_pit&q=")

    assert len(_names(response)) == 2
    assert "共 52 条，第 51–52 条" in response.content.decode()
    assert "?method=open_pit&amp;page=1" in response.content.decode()


def test_an_empty_registry_says_what_comes(office) -> None:
    page = office.get("/staff/mines/").content.decode()

    assert "台账里还没有矿山" in page
    assert "data-map" not in page


def test_the_list_asks_as_often_for_fifty_mines_as_for_one(
    office, counties, django_assert_max_num_queries
) -> None:
    def fill(first: int, last: int) -> None:
        for number in range(first, last):
            mine = make_mine(counties["140602"], number, at=(112.2 + number * 0.005, 39.3))
            mine.ore_bodies.add(OreBody.objects.get_or_create(code=f"K{number}")[0])

    fill(1, 2)
    office.get("/staff/mines/?scale=reached")
    with django_assert_max_num_queries(12) as one:
        office.get("/staff/mines/?scale=reached&licence=&q=测试&sort=scale")
    fill(2, 51)
    with django_assert_max_num_queries(12) as fifty:
        response = office.get("/staff/mines/?scale=reached&licence=&q=测试&sort=scale")
    assert len(_names(response)) == 50
    assert len(one) == len(fifty)


def test_the_page_of_a_mine_tells_what_is_known(office, mines, counties) -> None:
    mine = mines["small"]
    Licence.objects.create(
        mine=mine,
        number="C1406002010017130100001",
        valid_from=date(2015, 1, 1),
        valid_to=date(2020, 12, 31),
        scale=Decimal(100),
        scale_unit=ScaleUnit.WAN_T,
    )
    Stock.objects.create(
        mine=mine, stock_class="indicated", amount=Decimal("1200.50"), as_of=date(2025, 12, 31)
    )
    Boundary.objects.filter(mine=mine).update(is_schematic=True)

    response = office.get("/staff/mines/SZ-140602-0001/")
    page = response.content.decode()

    assert response.status_code == 200
    assert "数据截止 2026-09-30。来源：测试。" in page
    assert "控制资源量" in page
    assert "1200.5" in page
    assert "100 万吨/年" in page
    assert "示意范围的面积" in page
    assert "范围仅为示意，没有拐点坐标。" in page
    periods = response.context["licences"]["periods"]
    assert [period["word"] for period in periods] == ["已到期", "已到期"]
    assert periods[1]["x"] == 0
    assert "未填" in page


def test_a_mine_without_anything_still_has_a_page(office, counties) -> None:
    mine = make_mine(counties["140602"], 1, method="", state="", life=None)
    Licence.objects.filter(mine=mine).delete()
    ProductionSystem.objects.filter(mine=mine).delete()

    page = office.get("/staff/mines/SZ-140602-0001/").content.decode()

    assert "台账里没有这座矿山的采矿许可证" in page
    assert "没有登记独立生产系统" in page
    assert "没有登记分类的资源量、储量" in page
    assert "台账里没有这座矿山的范围" in page


def test_neighbours_are_listed_and_drawn_as_far_as_the_reader_may_see(
    office, clerk, counties
) -> None:
    make_mine(counties["140602"], 1, name="中间的矿", at=(112.4, 39.4))
    make_mine(counties["140602"], 2, name="邻近的矿", at=(112.406, 39.4))
    make_mine(counties["140602"], 3, name="很远的矿", at=(112.45, 39.4))
    make_mine(counties["140603"], 4, name="邻县的矿", at=(112.4, 39.405))

    response = office.get("/staff/mines/SZ-140602-0001/")
    assert [(each["row"].name, each["row"].distance_m) for each in response.context["near"]] == [
        ("邻县的矿", Decimal("111.02")),
        ("邻近的矿", Decimal("172.26")),
    ]
    own = clerk.get("/staff/mines/SZ-140602-0001/")
    assert [each["row"].name for each in own.context["near"]] == ["邻近的矿"]
    assert "邻县的矿" not in own.content.decode()
    drawn = clerk.get("/staff/mines/SZ-140602-0001/shapes.json").json()["features"]
    assert [each["properties"]["name"] for each in drawn] == ["中间的矿", "邻近的矿"]


def test_a_mine_page_asks_as_often_with_many_rows(
    office, counties, django_assert_max_num_queries
) -> None:
    mine = make_mine(counties["140602"], 1, at=(112.4, 39.3))
    office.get("/staff/mines/SZ-140602-0001/")
    with django_assert_max_num_queries(22) as one:
        office.get("/staff/mines/SZ-140602-0001/")
    for number in range(2, 32):
        make_mine(counties["140602"], number, at=(112.4 + number * 0.00001, 39.305))
        ProductionSystem.objects.create(mine=mine, name=f"{number}号系统")
    with django_assert_max_num_queries(22) as many:
        response = office.get("/staff/mines/SZ-140602-0001/")
    assert len(response.context["near"]) == 30
    assert len(one) == len(many)


def test_corner_points_come_out_as_they_went_in(office, counties) -> None:
    mine = make_mine(counties["140602"], 1)
    text = (
        "拐点,X(起标高),Y(止标高)\r\n"
        "1,4356615.440,37623300.83, , ,\r\n2,4356615.44,37623800.83, , ,\r\n"
        "3,4356115.44,37623800.83, , ,\r\n*,1400,1310,一采区,1,\r\n"
    )
    regions = [
        {
            "name": "一采区",
            "elevation_top_m": "1400",
            "elevation_bottom_m": "1310",
            "zone": 37,
            "rings": [
                {
                    "role": "outer",
                    "points": [
                        ["1", "4356615.440", "37623300.83"],
                        ["2", "4356615.44", "37623800.83"],
                        ["3", "4356115.44", "37623800.83"],
                    ],
                }
            ],
        }
    ]
    Boundary.objects.create(
        mine=mine,
        outline=square(112.43, 39.33),
        area_km2=Decimal("0.1250"),
        regions=regions,
        source_text=text,
        as_of=date(2026, 9, 30),
    )

    response = office.get("/staff/mines/SZ-140602-0001/corners.txt")

    assert response.content.decode() == text
    assert "4356615.440" in office.get("/staff/mines/SZ-140602-0001/").content.decode()
    Boundary.objects.update(source_text="")
    assert office.get("/staff/mines/SZ-140602-0001/corners.txt").status_code == 404


def test_changes_are_told_with_old_and_new_value(office, people, counties) -> None:
    mine = make_mine(counties["140602"], 1, name="改名前的矿")
    Licence.objects.filter(mine=mine).update(scale=Decimal("30.5"))
    with pghistory.context(user=people["office"].pk):
        mine.name = "改名后的矿"
        mine.state = MineState.SUSPENDED
        mine.service_life_years = None
        mine.save()

    response = office.get("/staff/mines/SZ-140602-0001/history/")
    told = response.context["page_obj"].object_list

    changed = [each for each in told if not each.is_new]
    assert {each.subject for each in changed} == {
        "矿山",
        "采矿许可证 C1406002010017130100001",
    }
    of_mine = next(each for each in changed if each.subject == "矿山")
    assert of_mine.who == "专班办公室测试员"
    assert [(each.label, each.old, each.new) for each in of_mine.fields] == [
        ("矿山名称", "改名前的矿", "改名后的矿"),
        ("生产状态", "生产", "停产"),
        ("服务年限（年）", "8.5", "未填"),
    ]
    of_licence = next(each for each in changed if each.subject != "矿山")
    assert of_licence.who == ""
    assert [(each.old, each.new) for each in of_licence.fields] == [("60", "30.5")]
    entered = [each for each in told if each.is_new]
    assert {each.subject for each in entered} == {
        "矿山",
        "采矿许可证 C1406002010017130100001",
        "独立生产系统 一号采场",
    }
    page = response.content.decode()
    assert "改名前的矿" in page
    assert "朔城区" in page


def test_a_long_history_is_paged_and_bounded(
    office, counties, django_assert_max_num_queries
) -> None:
    mine = make_mine(counties["140602"], 1)
    for number in range(40):
        Mine.objects.filter(pk=mine.pk).update(township=f"第{number}乡")

    with django_assert_max_num_queries(26):
        response = office.get("/staff/mines/SZ-140602-0001/history/?page=2")

    assert response.context["page_obj"].number == 2
    assert len(response.context["page_obj"].object_list) == 13
