"""Break lines and titles and look at where they break."""

from itertools import pairwise

import pytest

from supervision.document_fonts import FANGSONG, HEITI, TITLE_SONG
from supervision.typesetting import AREA_WIDTH_MM, CHARACTER_MM, MM, break_title, set_lines

AREA = AREA_WIDTH_MM * MM


def body_lines(text):
    grid = CHARACTER_MM * MM
    return set_lines(text, FANGSONG.font, size=16, width=AREA, first_indent=2 * grid, grid=grid)


def test_plain_lines_hold_28_characters_after_the_indent():
    lines = body_lines("朔" * 80)
    assert [len(line.text) for line in lines] == [26, 28, 26]
    assert [round(line.spacing, 2) for line in lines] == [-0.21, -0.21, -0.21]


def test_every_line_but_the_last_is_flush():
    lines = body_lines(
        "截至2026年6月30日，全市86座矿山完成率66.3%（详见附件），较上季度提高11.5个百分点。" * 4
    )
    for i, line in enumerate(lines[:-1]):
        room = AREA - (2 * CHARACTER_MM * MM if i == 0 else 0)
        run = FANGSONG.font.advance(line.text) * 16 + line.spacing * len(line.text)
        assert run == pytest.approx(room, abs=0.1)


def test_no_line_begins_with_a_closing_or_ends_with_an_opening_mark():
    for shift in range(28):
        text = "甲" * shift + "（一）《朔州市工作方案》，“关闭取缔一批”、引导退出；" * 5
        for line in body_lines(text):
            assert line.text[0] not in "，。、；：）》”"
            assert line.text[-1] not in "（《“"
        assert "".join(line.text for line in body_lines(text)) == text


def test_numbers_keep_together_with_their_unit():
    for shift in range(28):
        lines = body_lines(
            "甲" * shift + "面积0.3223km²，2026年完成1234.5万元，占66.3%，编号A-12。" * 3
        )
        for first, second in pairwise(lines):
            assert not (first.text[-1].isascii() and second.text[0].isascii())
            assert second.text[0] not in "年万%"


def test_word_longer_than_a_line_is_cut():
    lines = body_lines("https://example.org/" + "a" * 200)
    assert len(lines) > 3
    assert "".join(line.text for line in lines) == "https://example.org/" + "a" * 200


def test_empty_text_is_one_empty_line():
    assert [line.text for line in body_lines("  ")] == [""]


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("关于召开专班会议的通知", ("关于召开专班会议的通知",)),
        (
            "关于2026年第二季度全市非煤矿山整治整合工作进展情况的通报",
            ("关于2026年第二季度全市非煤矿山", "整治整合工作进展情况的通报"),
        ),
        (
            "关于印发《朔州市加强非煤矿山行业管理进一步推动非煤矿山整治整合工作方案》的通知",
            (
                "关于印发《朔州市加强非煤矿山",
                "行业管理进一步推动非煤矿山",
                "整治整合工作方案》的通知",
            ),
        ),
        ("第一行\n第二行更长一些", ("第一行", "第二行更长一些")),
    ],
)
def test_title_breaks_between_words(title, lines):
    assert break_title(title) == lines


def test_title_of_any_length_keeps_every_character():
    for length in range(1, 120, 7):
        title = ("朔州市非煤矿山整治整合2026年第二季度通报及" * 6)[:length]
        lines = break_title(title)
        assert "".join(lines) == title
        assert max(len(line) for line in lines) <= 28


def test_faces_are_told_apart_and_cover_their_text():
    assert FANGSONG.font.advance("朔州") == 2
    assert HEITI.font.path != FANGSONG.font.path
    assert TITLE_SONG.font.path != FANGSONG.font.path or TITLE_SONG.css_weight == 400
    assert FANGSONG.css_stack.startswith('"仿宋_GB2312","FangSong_GB2312"')
