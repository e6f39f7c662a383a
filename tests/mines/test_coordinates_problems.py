"""Each fault of a coordinate text has its own message; smallest inputs that provoke it."""

import time
from decimal import Decimal

import pytest

from mines.coordinates import Limits, read_text
from mines.rings import area_km2
from tests.mines.readings import as_given, as_mended

SQUARE = """\
1,4356115.44,37623300.83
2,4357115.44,37623300.83
3,4357115.44,37624300.83
4,4356115.44,37624300.83
"""
SHIFTED = """\
1,4356615.44,37623800.83
2,4357615.44,37623800.83
3,4357615.44,37624800.83
4,4356615.44,37624800.83
"""


def only(text, **options):
    """Return the one problem of a text, with its reading."""
    reading = read_text(text, **options)
    assert len(reading.problems) == 1, [p.message for p in reading.problems]
    return reading.problems[0], reading


def numbers(boundary):
    return [p.number for region in boundary.regions for p in region.rings[0].points]


def test_swapped_axes():
    rows = [line.split(",") for line in SQUARE.split()]
    problem, reading = only("".join(f"{n},{y},{x}\n" for n, x, y in rows))
    assert (problem.code, problem.severity, problem.line) == ("swapped_axes", "error", 1)
    assert problem.message == (
        "第 1、2、3 行等 4 处的 X 与 Y 写反了:X 为 37623300.83,Y 为 4356115.44。"
        "应为:X 为北坐标(7 位),Y 为东坐标(带号加 6 位)。"
        "请对调这两列,或采用旁边对调后的坐标。"
    )
    assert reading.boundary is None
    assert area_km2(as_mended(reading)) == Decimal("0.9996")


def test_one_swapped_row():
    problem, reading = only(SQUARE.replace("2,4357115.44,37623300.83", "2,37623300.83,4357115.44"))
    assert (problem.code, problem.line) == ("swapped_axes", 2)
    assert area_km2(as_mended(reading)) == Decimal("0.9996")


def test_missing_zone_names_both_candidates():
    problem, reading = only(SQUARE.replace(",37", ","))
    assert (problem.code, problem.severity, problem.line) == ("missing_zone", "error", 1)
    assert problem.found == "623300.83"
    assert problem.expected == (
        "带号加 6 位的 8 位整数,可能是 37 带 37623300.83(东经 112.4300°)"
        " 或 38 带 38623300.83(东经 115.4300°)"
    )
    assert (reading.boundary, reading.mended) == (None, None)


def test_missing_zone_is_put_in_front_where_only_one_is_possible():
    problem, reading = only(SQUARE.replace(",37", ","), limits=Limits(zones=(37,)))
    assert problem.code == "missing_zone"
    assert area_km2(as_mended(reading)) == Decimal("0.9996")


@pytest.mark.parametrize(
    ("zone", "what"),
    [("41", "带号是 41。"), ("19", "带号是 19(这是 6 度带的带号,登记坐标用 3 度带)。")],
)
def test_wrong_zone(zone, what):
    problem, reading = only(SQUARE.replace(",37", f",{zone}"))
    assert (problem.code, problem.line) == ("wrong_zone", 1)
    assert what in problem.message
    assert problem.expected == "37 带 或 38 带"
    assert reading.mended is None


def test_allowed_zones_are_an_argument():
    assert read_text(SQUARE.replace(",37", ",41"), Limits(zones=(41,))).accepted


def test_mixed_zones():
    problem, reading = only(SQUARE.replace("4,4356115.44,37", "4,4356115.44,38"))
    assert (problem.code, problem.line, problem.found) == ("mixed_zones", 4, "37、38 带")
    assert reading.boundary is None


def test_zone_of_the_head_contradicts_the_eastings():
    text = "[属性描述]\n带号=38\n[地块坐标]\n4,1,1,甲,面,,,,@\n" + "".join(
        f"J{n},1,{x},{y}\n" for n, x, y in (line.split(",") for line in SQUARE.split())
    )
    found = [problem.code for problem in read_text(text).problems]
    assert found == ["zone_mismatch", "auto_closed"]


@pytest.mark.parametrize("x", ["3878239.00", "4556115.44", "-4356115.44", "43561150.44"])
def test_x_out_of_range(x):
    reading = read_text(SQUARE.replace("1,4356115.44", f"1,{x}"))
    problem = reading.problems[0]
    assert (problem.code, problem.line, problem.found) == ("x_range", 1, x)
    assert problem.expected == "4300000 至 4500000 之间的北坐标(米)"
    assert reading.mended is None


def test_y_too_far_from_the_meridian():
    problem, _ = only(SQUARE.replace("37623300.83", "37923300.83"))
    assert (problem.code, problem.line) == ("y_range", 1)
    assert "超过 170 千米" in problem.message


def test_y_with_wrong_number_of_digits():
    problem, _ = only(SQUARE.replace("1,4356115.44,37623300.83", "1,4356115.44,3762330.83"))
    assert (problem.code, problem.line, problem.found) == ("y_digits", 1, "3762330.83")


def test_closing_point_repeated():
    problem, reading = only(SQUARE + "1,4356115.44,37623300.83\n")
    assert (problem.code, problem.severity, problem.line) == ("closing_point", "warning", 5)
    assert reading.accepted
    assert numbers(as_given(reading)) == ["1", "2", "3", "4", "1"]
    assert numbers(as_mended(reading)) == ["1", "2", "3", "4"]


def test_unclosed_where_the_first_number_returns_elsewhere():
    reading = read_text(SQUARE + "1,4356215.44,37623200.83\n")
    problem = reading.problems[0]
    assert (problem.code, problem.severity, problem.line) == ("unclosed", "error", 5)
    assert problem.expected == "第一点的坐标 4356115.44,37623300.83"
    assert reading.mended is None


def test_auto_closed_in_a_form_that_repeats_the_first_corner():
    text = "[地块坐标]\n4,1,1,甲,面,,,,@\n" + "".join(
        f"J{n},1,{x},{y}\n" for n, x, y in (line.split(",") for line in SQUARE.split())
    )
    problem, reading = only(text)
    assert (problem.code, problem.severity, problem.line) == ("auto_closed", "warning", 6)
    assert reading.accepted


def test_self_crossing_names_the_place():
    rows = SQUARE.split()
    text = "\n".join(
        [rows[0], rows[1], rows[3].replace("4,", "3,", 1), rows[2].replace("3,", "4,", 1)]
    )
    problem, reading = only(text)
    assert (problem.code, problem.severity, problem.line) == ("self_crossing", "error", 2)
    assert problem.found == "X 4356615.44,Y 37623800.83"
    assert "2—3 边 与 4—1 边在 X 4356615.44,Y 37623800.83 处相交或相接" in problem.message
    assert as_given(reading).point_count == 4
    assert [region.name for region in as_mended(reading).regions] == ["1", "2"]
    assert area_km2(as_mended(reading)) == Decimal("0.4998")
    crossing = [
        p for p in as_mended(reading).regions[0].rings[0].points if p.x_text == "4356615.44"
    ]
    assert [p.y_text for p in crossing] == ["37623800.83"]


def test_doubled_point():
    text = SQUARE.replace("3,", "3,4357115.44,37623300.83\n4,", 1).replace("4,4356", "5,4356")
    problem, reading = only(text)
    assert (problem.code, problem.severity, problem.line) == ("doubled_point", "error", 3)
    assert numbers(as_mended(reading)) == ["1", "2", "3", "4"]
    assert area_km2(as_mended(reading)) == Decimal("0.9996")


def test_corner_visited_twice_is_a_crossing():
    reading = read_text(SQUARE + "5,4357115.44,37623300.83\n6,4356015.44,37623200.83\n")
    assert [problem.code for problem in reading.problems] == ["self_crossing"]


def test_double_number():
    problem, reading = only(SQUARE.replace("3,", "3 4,", 1))
    assert (problem.code, problem.severity, problem.line) == ("numbering_double", "warning", 3)
    assert (problem.found, problem.expected) == ("3 4", "一个点号 3")
    assert numbers(as_mended(reading)) == ["1", "2", "3", "4"]


def test_numbering_that_does_not_start_at_one():
    text = "".join(f"{int(line[0]) + 12}{line[1:]}\n" for line in SQUARE.split())
    problem, reading = only(text)
    assert (problem.code, problem.severity, problem.line) == ("numbering_start", "warning", 1)
    assert problem.found == "13"
    assert numbers(as_given(reading)) == ["13", "14", "15", "16"]
    assert numbers(as_mended(reading)) == ["1", "2", "3", "4"]


def test_gap_in_the_numbers():
    problem, reading = only(SQUARE.replace("4,4356", "6,4356"))
    assert (problem.code, problem.line, problem.found) == ("numbering_gap", 4, "6")
    assert problem.expected == "点号 4"
    assert numbers(as_mended(reading)) == ["1", "2", "3", "4"]


@pytest.mark.parametrize("y", ["37623***.83", "********", "376233xx.xx", "37623×××.83"])
def test_masked_digits(y):
    problem, reading = only(SQUARE.replace("37623300.83", y, 1))
    assert (problem.code, problem.line, problem.found) == ("masked", 1, y)
    assert "请向矿业权人或发证机关取得完整坐标" in problem.message
    assert reading.boundary is None


def test_masked_digits_in_a_registration_row():
    problem, _ = only("1,4356115.44,****, , ,\n*,1,0,甲,1,\n")
    assert (problem.code, problem.line) == ("masked", 1)


def test_fewer_than_three_points():
    problem, reading = only("1,4356115.44,37623300.83\n2,4357115.44,37623300.83\n")
    assert (problem.code, problem.line, problem.found) == ("too_few_points", 2, "2")
    assert reading.boundary is None


def test_points_on_one_line():
    problem, _ = only(
        "1,4356115.44,37623300.83\n2,4356215.44,37623300.83\n3,4356315.44,37623300.83\n"
    )
    assert (problem.code, problem.line) == ("no_area", 3)


def test_too_many_points():
    problem, reading = only(SQUARE, limits=Limits(max_points=4))
    assert (problem.code, problem.found, problem.expected) == ("too_many_points", "4", "少于 4 个")
    assert reading.boundary is None
    assert read_text(SQUARE, Limits(max_points=5)).accepted


def test_a_thousand_points_are_too_many():
    rows = "".join(f"{n},{4356000 + n}.00,37623300.83\n" for n in range(1, 1001))
    problem, _ = only(rows)
    assert (problem.code, problem.found) == ("too_many_points", "1000")


def test_a_million_points_are_refused_early():
    text = SQUARE * 250_000
    start = time.perf_counter()
    problem, _ = only(text)
    assert problem.code == "too_large"
    assert time.perf_counter() - start < 0.5


@pytest.mark.parametrize(("top", "bottom", "offered"), [("70", "229.5", True), ("70", "70", False)])
def test_upper_elevation_not_above_the_lower(top, bottom, offered):
    problem, reading = only(f"{SQUARE}*,{top},{bottom},甲,1,\n")
    assert (problem.code, problem.severity, problem.line) == ("elevation_order", "error", 5)
    if offered:
        region = as_mended(reading).regions[0]
        assert (region.elevation_top, region.elevation_bottom) == (Decimal("229.5"), Decimal("70"))
    else:
        assert reading.mended is None


def test_elevation_that_is_no_number():
    problem, _ = only(f"{SQUARE}*,约100,70,甲,1,\n")
    assert (problem.code, problem.line, problem.found) == ("elevation_unreadable", 5, "约100")


def test_overlapping_regions():
    problem, reading = only(f"{SQUARE}*,200,100,甲,1,\n{SHIFTED}*,200,100,乙,1,\n")
    assert (problem.code, problem.severity, problem.line) == ("regions_overlap", "error", 10)
    assert problem.found == "重叠 250000 平方米"
    assert "第 10 行结束的区域“乙”与前面第 5 行结束的区域重叠" in problem.message
    assert len(as_given(reading).regions) == 2


def test_overlapping_regions_one_above_the_other():
    problem, reading = only(f"{SQUARE}*,200,100,甲,1,\n{SHIFTED}*,100,50,乙,1,\n")
    assert (problem.code, problem.severity) == ("regions_stacked", "warning")
    assert area_km2(as_given(reading)) == Decimal("1.7493")


def test_hole_outside_its_region():
    problem, _ = only(f"{SQUARE}*,200,100,甲,1,\n{SHIFTED}*,200,100,,-1,\n")
    assert (problem.code, problem.severity, problem.line) == ("hole_outside", "error", 10)


def test_hole_without_a_region():
    problem, reading = only(f"{SQUARE}*,200,100,甲,-1,\n")
    assert (problem.code, problem.line) == ("hole_outside", 5)
    assert reading.boundary is None


def hole(side, heights="200,100"):
    low, high = 300, 300 + side
    corners = [(low, low), (high, low), (high, high), (low, high)]
    rows = (f"{n},{4356115 + x},{37623300 + y}\n" for n, (x, y) in enumerate(corners, start=1))
    return "".join(rows) + f"*,{heights},,-1,\n"


def test_holes_that_overlap():
    problem, _ = only(f"{SQUARE}*,200,100,甲,1,\n{hole(400)}{hole(500)}")
    assert (problem.code, problem.severity, problem.line) == ("holes_overlap", "error", 15)


def test_hole_at_other_elevations():
    problem, reading = only(f"{SQUARE}*,200,100,甲,1,\n{hole(500, '150,100')}")
    assert (problem.code, problem.severity, problem.line) == ("hole_elevation", "warning", 10)
    assert reading.accepted


@pytest.mark.parametrize("value", ["NaN", "Inf", "-inf", "1.#QNAN"])
def test_not_finite(value):
    problem, reading = only(SQUARE.replace("4356115.44", value, 1))
    assert (problem.code, problem.line, problem.found) == ("not_finite", 1, value)
    assert reading.boundary is None


def test_scientific_notation():
    problem, _ = only(SQUARE.replace("37623300.83", "3.76E+07", 1))
    assert (problem.code, problem.line, problem.found) == ("scientific", 1, "3.76E+07")


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("1,4356115.44,约37623300", "not_a_number"),
        ("1,4356115.44,", "missing_value"),
        ("1,4356115.44", "row_incomplete"),
    ],
)
def test_unreadable_registration_row(row, code):
    problem, _ = only(f"{row}\n*,1,0,甲,1,\n")
    assert (problem.code, problem.line) == (code, 1)


@pytest.mark.parametrize(
    "row", ["1|4356115.44|", "1|4356115.44|3762E300.83y", "1|4356,115.44|37623300.83"]
)
def test_unreadable_table_row(row):
    reading = read_text(f"{row}\n{SQUARE}")
    assert {p.code for p in reading.problems} == {"row_incomplete"}
    assert reading.problems[0].line == 1
    assert reading.boundary is None


def test_unreadable_parcel_row():
    problem, _ = only("[地块坐标]\n0,1,1,甲,面,,,,@\nJ1,4356115.44\n")
    assert (problem.code, problem.line) == ("row_incomplete", 3)


def test_region_without_points():
    problem, _ = only("*,1,0,甲,1,\n")
    assert (problem.code, problem.line) == ("empty_region", 1)


def test_last_region_without_star_row():
    problem, reading = only("拐点,X(起标高),Y(止标高)\n" + SQUARE)
    assert (problem.code, problem.severity, problem.line) == ("missing_star", "warning", 5)
    assert reading.accepted


def test_unknown_flag():
    problem, _ = only(f"{SQUARE}*,1,0,甲,2,\n")
    assert (problem.code, problem.line, problem.found) == ("unknown_flag", 5, "2")


def test_stated_number_of_rows_differs():
    keys = "".join(f"XY00{line[0]}={line}\n" for line in SQUARE.split())
    problem, _ = only(f"矿区范围拐点坐标与标高的总行数= 6\n{keys}XY005=标高,2,1,,1\n")
    assert (problem.code, problem.severity, problem.found) == ("row_count", "warning", "5")


def test_stated_number_of_parcel_points_differs():
    rows = "".join(
        f"J{line.replace(',', ',1,', 1)}\n" for line in [*SQUARE.split(), SQUARE.split()[0]]
    )
    problem, _ = only(f"[地块坐标]\n6,1,1,甲,面,,,,@\n{rows}")
    assert (problem.code, problem.severity, problem.line) == ("row_count", "warning", 2)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("坐标系=WGS84", "datum_unknown"),
        ("几度分带=6", "zone_width"),
        ("投影类型=UTM", "projection"),
        ("计量单位=度", "unit"),
    ],
)
def test_head_of_a_parcel_text_that_does_not_fit(line, code):
    problem, _ = only(f"[属性描述]\n{line}\n[地块坐标]\n")
    assert (problem.code, problem.line) == (code, 2)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("1980西安坐标系", "xian80"),
        ("西安80坐标", "xian80"),
        ("Xian_1980", "xian80"),
        ("1954年北京坐标系", "beijing54"),
        ("北京54", "beijing54"),
    ],
)
def test_old_datum_is_refused_with_the_reason(words, code):
    problem, reading = only(f"拐点坐标({words})\n{SQUARE}")
    assert (problem.code, problem.line) == (code, 1)
    assert "转换参数属国家秘密" in problem.message
    assert reading.boundary is None


def test_two_datums_in_one_text():
    problem, _ = only(f"1980西安坐标系 2000国家大地坐标系\n{SQUARE}")
    assert problem.code == "datum_ambiguous"


@pytest.mark.parametrize("row", ["1,112°25′48″,39°19′48″", "1\t112.43000\t39.33000"])
def test_degrees_in_a_table(row):
    problem, _ = only(row)
    assert (problem.code, problem.line) == ("degrees", 1)


def test_nothing_found():
    problem, reading = only("关于公示的说明")
    assert problem.code == "nothing_found"
    assert reading.boundary is None


@pytest.mark.parametrize("data", [b"", b" \r\n", "\ufeff"])
def test_empty(data):
    assert only(data)[0].code == "empty"


@pytest.mark.parametrize("data", [b"PK\x03\x04\x00\x00", b"\xff\xff\xff", b"\xff\xfe\x00"])
def test_not_text(data):
    assert only(data)[0].code == "not_text"


def test_fifty_problems_are_listed_and_the_rest_counted():
    problems = read_text("1,4356115.44,37623***\n" * 60).problems
    assert [problem.code for problem in problems] == ["masked"] * 50 + ["more_problems"]
    assert problems[-1].found == "10 处"


def test_every_message_says_what_is_expected_and_what_to_do():
    texts = [SQUARE.replace(",37", ",41"), SQUARE.replace("3,", "3 4,", 1), "", "说明"]
    for problem in (p for text in texts for p in read_text(text).problems):
        assert problem.expected in problem.message
        assert problem.fix
        assert problem.fix in problem.message
        assert problem.message.endswith("。")
