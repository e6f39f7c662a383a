"""Text forms of corner points: what is read, and that what is written is read back."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mines.coordinates import Limits, Role, read_text, write_text
from mines.rings import area_km2, ellipsoidal_area_m2, plane_polygon
from tests.mines.published_rings import GUANSHANTOU, REGISTRATION, XIAXIAN, XIAXIAN_ROWS
from tests.mines.readings import as_given, as_mended, codes

ANYWHERE = Limits(zones=tuple(range(25, 46)), x_min=1_000_000, x_max=6_000_000)
SQUARE = """\
1,4356115.44,37623300.83
2,4357115.44,37623300.83
3,4357115.44,37624300.83
4,4356115.44,37624300.83
"""


def test_registration_text_gives_its_published_area():
    reading = read_text(REGISTRATION, ANYWHERE)
    assert reading.problems == ()
    assert reading.accepted
    assert reading.mended is None
    boundary = as_given(reading)
    assert boundary.zone == 41
    assert boundary.source_format == "registration"
    first, second = boundary.regions
    assert (first.name, first.elevation_top, first.elevation_bottom) == (
        "金藏采区",
        Decimal("229.5"),
        Decimal("70"),
    )
    assert (second.name, second.elevation_top, second.elevation_bottom) == (
        "远东采区",
        Decimal("363"),
        Decimal("10"),
    )
    assert [len(region.rings[0].points) for region in boundary.regions] == [8, 11]
    assert (boundary.elevation_top, boundary.elevation_bottom) == (Decimal("363"), Decimal("10"))
    assert boundary.point_count == 19
    areas = [ellipsoidal_area_m2(plane_polygon(region), 41) for region in boundary.regions]
    assert areas == [pytest.approx(204_127.5, abs=0.1), pytest.approx(864_350.5, abs=0.1)]
    assert area_km2(boundary) == Decimal("1.0685")


def test_notice_with_a_cell_per_line_gives_its_published_area():
    reading = read_text(XIAXIAN, ANYWHERE)
    assert codes(reading) == ["numbering_double"]
    assert reading.accepted
    assert area_km2(as_given(reading)) == Decimal("0.3223")
    region = as_given(reading).regions[0]
    assert (region.elevation_top, region.elevation_bottom) == (Decimal("725.92"), Decimal("545"))
    assert region.rings[0].points[12].number == "13 14"
    numbers = [point.number for point in as_mended(reading).regions[0].rings[0].points]
    assert numbers == [str(n) for n in range(1, 16)]


@pytest.mark.parametrize("separator", ["\t", " ", ",", "|", "\uff0c", ";", " | ", "  "])
def test_separators_of_a_pasted_table(separator):
    rows = [separator.join(row) for row in XIAXIAN_ROWS]
    table = "\r\n".join([separator.join(("点号", "X", "Y")), *rows])
    reading = read_text(table, ANYWHERE)
    assert codes(reading) == ["numbering_double"]
    assert area_km2(as_given(reading)) == Decimal("0.3223")


def test_two_column_groups_side_by_side_are_read_by_their_numbers():
    reading = read_text(GUANSHANTOU, ANYWHERE)
    assert codes(reading) == ["numbering_start", "numbering_start"]
    assert reading.accepted
    regions = as_given(reading).regions
    assert [region.name for region in regions] == ["一矿段", "二矿段", "三矿段"]
    assert [[p.number for p in region.rings[0].points] for region in regions] == [
        ["J1", "J2", "J3", "J4", "J5"],
        ["J6", "J7", "J8", "J9", "J10"],
        ["J11", "J12", "J13", "J14", "J15", "J16"],
    ]
    heights = [(region.elevation_top, region.elevation_bottom) for region in regions]
    assert heights == [
        (Decimal("77.00"), Decimal("9.50")),
        (Decimal("21.60"), Decimal("3.94")),
        (Decimal("28.90"), Decimal("5.47")),
    ]


def test_blocks_of_the_notice_give_their_published_areas():
    """The notice of 2019 gives plane areas: 17269, 1586 and 2653 m²."""
    regions = as_given(read_text(GUANSHANTOU, ANYWHERE)).regions
    plane = [plane_polygon(region).area for region in regions]
    assert plane == [
        pytest.approx(17269, abs=1),
        pytest.approx(1586, abs=0.5),
        pytest.approx(2653, abs=0.5),
    ]
    square_km = [round(ellipsoidal_area_m2(plane_polygon(r), 41) / 1e6, 4) for r in regions]
    assert square_km == [0.0173, 0.0016, 0.0027]


def test_row_by_row_columns_side_by_side():
    table = (
        "点号\tX\tY\t点号\tX\tY\n"
        "1\t4356115.44\t37623300.83\t3\t4357115.44\t37624300.83\n"
        "2\t4357115.44\t37623300.83\t4\t4356115.44\t37624300.83\n"
    )
    reading = read_text(table)
    assert reading.problems == ()
    assert area_km2(as_given(reading)) == Decimal("0.9996")


def test_header_that_names_east_first_is_followed():
    rows = [line.split(",") for line in SQUARE.split()]
    table = "点号,Y(东),X(北)\n" + "\n".join(f"{n},{y},{x}" for n, x, y in rows)
    reading = read_text(table)
    assert reading.problems == ()
    assert as_given(reading).regions[0].rings[0].points[0].x_text == "4356115.44"


def test_table_without_corner_numbers_is_numbered_in_order():
    table = "\n".join(line.partition(",")[2] for line in SQUARE.split())
    points = as_given(read_text(table)).regions[0].rings[0].points
    assert [point.number for point in points] == ["1", "2", "3", "4"]


def test_numbers_beginning_again_begin_another_region():
    second = SQUARE.replace("37623", "37633").replace("37624", "37634")
    reading = read_text(SQUARE + second)
    assert reading.problems == ()
    assert len(as_given(reading).regions) == 2


def test_cells_as_spreadsheets_paste_them():
    table = (
        '"1"\t"4,356,115.44"\t37623300.83m\n'
        "X=4357115.44 Y=37623300.83\n"
        "3 4357115.44 37624300.83 1500.5"
    )
    points = as_given(read_text(table)).regions[0].rings[0].points
    assert [(p.x_text, p.y_text) for p in points] == [
        ("4356115.44", "37623300.83"),
        ("4357115.44", "37623300.83"),
        ("4357115.44", "37624300.83"),
    ]


def test_elevations_stated_above_the_table_hold_for_all_regions():
    region = as_given(read_text("由+1523米至+1475米标高\n" + SQUARE)).regions[0]
    assert (region.elevation_top, region.elevation_bottom) == (Decimal("1523"), Decimal("1475"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(encoding, line_end):
    data = REGISTRATION.replace("\n", line_end).encode(encoding)
    reading = read_text(data, ANYWHERE)
    assert as_given(reading).regions[0].name == "金藏采区"
    assert as_given(reading).regions[1].rings[0].points[0].line == 11


def test_full_width_characters_are_read():
    wide = {ord(c): ord(c) + 0xFEE0 for c in "0123456789.,*"}
    reading = read_text(REGISTRATION.translate(wide), ANYWHERE)
    assert reading.problems == ()
    assert area_km2(as_given(reading)) == Decimal("1.0685")


def test_hole_belongs_to_the_region_around_it():
    text = (
        SQUARE
        + "*,1500,1400,东采区,1,\n"
        + "1,4356315.44,37623500.83\n2,4356815.44,37623500.83\n"
        + "3,4356815.44,37624000.83\n4,4356315.44,37624000.83\n*,1500,1400,,-1,\n"
    )
    reading = read_text(text)
    assert reading.problems == ()
    (region,) = as_given(reading).regions
    assert [ring.role for ring in region.rings] == [Role.OUTER, Role.HOLE]
    assert area_km2(as_given(reading)) == Decimal("0.7497")


def test_older_text_with_xy_keys():
    text = (
        "[登记项目]\n矿山名称=示例矿\n矿区范围拐点坐标与标高的总行数= 5\n"
        "XY001=1,4356115.44,37623300.83\nXY002=2,4357115.44,37623300.83\n"
        "XY003=3,4357115.44,37624300.83\nXY004=4,4356115.44,37624300.83\n"
        "XY005=标高,1520,1400,,1\n"
    )
    reading = read_text(text.encode("gbk"))
    assert reading.problems == ()
    assert as_given(reading).source_format == "xy_keys"
    assert as_given(reading).regions[0].elevation_top == Decimal("1520")
    assert as_given(reading).regions[0].rings[0].points[3].line == 7
    assert area_km2(as_given(reading)) == Decimal("0.9996")


PARCEL = """\
[属性描述]
坐标系=2000国家大地坐标系
几度分带=3
投影类型=高斯克吕格
计量单位=米
带号=37
精度=0.001
转换参数=,,,,,,
[地块坐标]
10,100.0,1,示例地块,面,,采矿用地,,@
J1,1,4356115.44,37623300.83
J2,1,4357115.44,37623300.83
J3,1,4357115.44,37624300.83
J4,1,4356115.44,37624300.83
J1,1,4356115.44,37623300.83
J5,2,4356315.44,37623500.83
J6,2,4356815.44,37623500.83
J7,2,4356815.44,37624000.83
J8,2,4356315.44,37624000.83
J5,2,4356315.44,37623500.83
"""


def test_land_parcel_text_with_a_hole():
    reading = read_text(PARCEL)
    assert codes(reading) == ["numbering_start"]
    (region,) = as_given(reading).regions
    assert region.name == "示例地块"
    assert [len(ring.points) for ring in region.rings] == [4, 4]
    assert area_km2(as_given(reading)) == Decimal("0.7497")


def test_land_parcel_zone_of_the_head_is_put_before_bare_eastings():
    reading = read_text(PARCEL.replace(",37623", ",623").replace(",37624", ",624"))
    assert codes(reading)[0] == "missing_zone"
    assert as_mended(reading).regions[0].rings[0].points[0].y_text == "37623300.83"


def test_chosen_zone_is_put_before_bare_eastings():
    text = SQUARE.replace(",37623", ",623").replace(",37624", ",624")
    for zone, first in ((37, "37623300.83"), (38, "38623300.83")):
        reading = read_text(text, assume_zone=zone)
        assert codes(reading) == ["missing_zone"]
        assert as_mended(reading).zone == zone
        assert as_mended(reading).regions[0].rings[0].points[0].y_text == first


def test_written_text_is_the_registration_form():
    boundary = as_given(read_text(SQUARE + "*,1500,1400,东采区,1,\n"))
    assert write_text(boundary) == (
        "拐点,X(起标高),Y(止标高)\r\n"
        "1,4356115.44,37623300.83, , ,\r\n"
        "2,4357115.44,37623300.83, , ,\r\n"
        "3,4357115.44,37624300.83, , ,\r\n"
        "4,4356115.44,37624300.83, , ,\r\n"
        "*,1500,1400,东采区,1,\r\n"
    )


@pytest.mark.parametrize("text", [REGISTRATION, XIAXIAN, GUANSHANTOU])
def test_published_texts_are_read_back_as_written(text):
    reading = read_text(text, ANYWHERE)
    boundary = reading.mended or as_given(reading)
    again = read_text(write_text(boundary), ANYWHERE)
    assert again.problems == ()
    assert texts(as_given(again)) == texts(boundary)


def texts(boundary):
    return [
        (
            region.name,
            region.elevation_top,
            region.elevation_bottom,
            [(ring.role, [(p.x_text, p.y_text) for p in ring.points]) for ring in region.rings],
        )
        for region in boundary.regions
    ]


@st.composite
def registration_texts(draw):
    """Write one to four boxes far apart, some with a hole, with any number of decimals."""
    rows = []
    for block in range(draw(st.integers(1, 4))):
        for hole in range(draw(st.integers(1, 2))):
            side, start = (40, 30) if hole else (100, 0)
            for number, (north, east) in enumerate([(0, 0), (1, 0), (1, 1), (0, 1)], start=1):
                x = 4356000 + block * 300 + start + north * side
                y = 37620000 + start + east * side
                x_rest = draw(st.text("0123456789", max_size=6))
                y_rest = draw(st.text("0123456789", max_size=6))
                rows.append(f"{number},{x}.{x_rest},{y}.{y_rest}, , ,")
            top = draw(st.decimals(-50, 3000, places=2))
            name = draw(st.text("一二三东西采区AB12()", max_size=8))
            rows.append(f"*,{top + 1},{top},{name},{-1 if hole else 1},")
    return "\n".join(rows)


@given(registration_texts())
@settings(max_examples=60, deadline=None)
def test_any_boundary_is_read_back_as_written(text):
    boundary = as_given(read_text(text))
    assert texts(as_given(read_text(write_text(boundary)))) == texts(boundary)


@given(st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_random_bytes_never_raise(data):
    reading = read_text(data)
    assert reading.boundary is not None or reading.problems


PIECES = [
    *("1", "2", "13 14", "J1", "-1", "4356115.44", "37623300.83", "623300.8", "-4356115.44"),
    *("4357115.44", "37624300.83", "4356115.44,37623300.83", "nan", "****", "1e9", "112°25′"),
    *("*", ",", "|", "@", "=", "XY001=", "[地块坐标]", "标高1至2", "面积3", "起标高", "一", "采区"),
    *("\n", "\t", " "),
]


@given(st.lists(st.sampled_from(PIECES), max_size=60))
@settings(max_examples=400, deadline=None)
def test_shuffled_pieces_never_raise(pieces):
    for text in ("".join(pieces), ",".join(pieces), "\n".join(pieces)):
        reading = read_text(text, assume_zone=37)
        assert reading.boundary is not None or reading.problems
