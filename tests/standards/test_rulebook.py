"""Reading the rulebook, terms, hearsay, and clear errors."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from standards.rulebook import Rulebook, RulebookError
from tests.standards.asking import MINERALS, ROWS, RULEBOOK, TODAY


def row(**changes: Any) -> dict[str, Any]:
    return {
        "key": "scale.min.bauxite",
        "value": 30,
        "unit": "万吨/年",
        "title": "铝土矿最低规模",
        "valid_from": None,
        "valid_to": None,
        "source": "示例文件",
        "clause": "四(二)2",
        "confidence": "certain",
        "note": "",
        **changes,
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("scale.min.bauxite", 30),
        ("scale.min.iron", 30),
        ("scale.min.copper", 30),
        ("scale.min.gold", 10),
        ("scale.min.cement_limestone", 30),
        ("scale.min.magnesium_dolomite", 10),
        ("scale.min.quarry", 50),
        ("life.min_years", 5),
        ("gap.max_m", 300),
        ("gap.review_m", 330),
        ("added.review_percent", 20),
        ("dormant.months", 24),
        ("licence.warning_days_1", 90),
        ("licence.warning_days_2", 60),
        ("licence.warning_days_3", 30),
    ],
)
def test_numbers_of_the_shipped_rulebook(key: str, value: int):
    assert RULEBOOK.number(key, on=TODAY) == value


def test_days_texts_and_lists_of_the_shipped_rulebook():
    assert RULEBOOK.day("deadline.compile_plan", on=TODAY) == date(2025, 5, 31)
    assert RULEBOOK.day("deadline.reach_minimum", on=TODAY) == date(2025, 12, 31)
    assert RULEBOOK.day("deadline.implement", on=TODAY) == date(2025, 12, 31)
    assert RULEBOOK.text("exploration.metal", on=TODAY) == "full"
    assert RULEBOOK.texts("minerals.consolidate_all", on=TODAY) == ("83907",)


def test_numbers_of_the_work_plan_are_certain_and_name_their_clause():
    named = [entry for entry in RULEBOOK.entries if entry.confidence == "certain"]
    assert all(entry.clause and entry.source and entry.title for entry in named)
    assert len([entry for entry in named if entry.key.startswith("scale.min.")]) == 7


def test_proposals_say_so():
    proposed = {"gap.review_m", "added.review_percent", "dormant.months", "overlap.tolerance_m2"}
    for key in proposed:
        entry = RULEBOOK.entry(key, on=TODAY)
        assert entry.source.startswith("建议值")
        assert entry.confidence == "medium"


def test_unknown_provincial_minimums_and_periods_answer_nothing():
    assert RULEBOOK.number("scale.min.other.83520", on=TODAY) is None
    assert RULEBOOK.number("treatment_plan.days", on=TODAY) is None


def test_every_mineral_of_no_named_line_waits_for_its_minimum():
    keys = {entry.key for entry in RULEBOOK.entries}
    for mineral in MINERALS.values():
        if mineral.minimum_key is None and not mineral.is_scope_unclear:
            assert f"scale.min.other.{mineral.code}" in keys


def test_hearsay_decides_nothing_until_confirmed():
    book = Rulebook.load([row(confidence="hearsay")])
    assert book.number("scale.min.bauxite", on=TODAY) is None
    assert book.entry("scale.min.bauxite", on=TODAY).value == 30


def test_terms_follow_each_other():
    book = Rulebook.load(
        [
            row(valid_to="2025-12-31"),
            row(value="35.5", valid_from="2026-01-01"),
        ]
    )
    assert book.number("scale.min.bauxite", on=date(2025, 12, 31)) == 30
    assert book.number("scale.min.bauxite", on=date(2026, 1, 1)) == Decimal("35.5")


def test_a_missing_entry_is_named_with_the_day():
    book = Rulebook.load([row(valid_from="2026-01-01")])
    with pytest.raises(RulebookError, match=r"没有 2025-06-01 有效的条目“scale\.min\.bauxite”"):
        book.number("scale.min.bauxite", on=TODAY)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"value": "三十"}, "的值“三十”不是数字"),
        ({"value": True}, "的值应当是数字"),
        ({"value": [30]}, "的值应当是数字"),
        ({"value": -1}, "应当是不小于 0 的数字"),
        ({"value": "NaN"}, "应当是不小于 0 的数字"),
        ({"unit": "日期", "value": "2025年底"}, "的日期“2025年底”不对"),
        ({"unit": "日期", "value": 2025}, "的日期“2025”不对"),
        ({"unit": "清单", "value": "甲"}, "的值应当是文本清单"),
        ({"unit": "清单", "value": [1]}, "的值应当是文本清单"),
        ({"unit": "文本", "value": 1}, "的值应当是文本"),
        ({"confidence": "sure"}, "的可信度应当是 certain、high、medium、hearsay 之一"),
        ({"key": ""}, "的“key”应当是非空文本"),
        ({"valid_from": "2026-01-01", "valid_to": "2025-01-01"}, "失效日期早于生效日期"),
    ],
)
def test_malformed_entries_are_refused(changes: dict[str, Any], message: str):
    with pytest.raises(RulebookError, match=message):
        Rulebook.load([row(**changes)])


@pytest.mark.parametrize("field", ["key", "value", "unit", "title", "source", "confidence"])
def test_absent_fields_are_named(field: str):
    broken = row()
    del broken[field]
    with pytest.raises(RulebookError, match=f"规则簿第 1 条缺少字段“{field}”"):
        Rulebook.load([broken])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {}),
        ({"valid_to": "2026-01-01"}, {"valid_from": "2026-01-01"}),
        ({}, {"valid_from": "2026-01-01"}),
        ({"valid_to": "2026-01-01"}, {}),
    ],
)
def test_two_entries_of_one_day_are_refused(first: dict[str, Any], second: dict[str, Any]):
    with pytest.raises(RulebookError, match="有两条在同一天有效"):
        Rulebook.load([row(**first), row(**second)])


def test_a_value_of_another_kind_is_refused_when_asked_for():
    book = Rulebook.load([row(unit="文本", value="三十"), row(key="n")])
    with pytest.raises(RulebookError, match="应当是数字"):
        book.number("scale.min.bauxite", on=TODAY)
    for ask in (book.day, book.text, book.texts):
        with pytest.raises(RulebookError, match="规则簿条目“n”应当是"):
            ask("n", on=TODAY)


def test_every_shipped_row_says_where_it_comes_from():
    for each in ROWS:
        assert each["title"]
        assert each["source"]
        assert set(each) == set(row())
