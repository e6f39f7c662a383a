"""Rules and the words of the Work Plan: literal quotes, full coverage, generated document."""

from pathlib import Path

import pytest

from standards.clauses import PASSAGES
from standards.facts import MineFacts
from standards.reference import FILE, coverage, document
from standards.rules import RULES, Case, rule
from standards.run import GROUPS, ordered_rules
from standards.terms import Phase

HERE = Path(__file__).resolve()
CLAUSES = HERE.parents[1] / "data" / "work_plan_clauses.txt"
WORK_PLAN = HERE.parents[3] / "shared" / "work-plan.zh.txt"

CATALOGUE = (
    [f"S-A{number:02}" for number in range(1, 6)]
    + [f"S-B{number:02}" for number in range(1, 16)]
    + [f"S-C{number:02}" for number in range(1, 10)]
    + [f"S-D{number:02}" for number in range(1, 20)]
    + [f"S-E{number:02}" for number in range(1, 8)]
    + [f"S-F{number:02}" for number in range(1, 5)]
    + [f"S-G{number:02}" for number in range(1, 3)]
    + [f"S-H{number:02}" for number in range(1, 14)]
)


def test_every_rule_of_the_catalogue_is_registered():
    assert [each.code for each in ordered_rules()] == CATALOGUE


def test_every_quote_is_literal():
    text = CLAUSES.read_text("utf-8")
    for each in ordered_rules():
        for quotation in each.quotations:
            # 六(三) is the one clause quoted from outside parts 二 to 四.
            if quotation.clause != "六(三)":
                assert quotation.text in text, each.code


def test_the_transcription_is_the_work_plan():
    text = CLAUSES.read_text("utf-8")
    assert text.count("\n") == 24
    if WORK_PLAN.exists():
        plan = WORK_PLAN.read_text("utf-8")
        lines = {line.strip() for line in plan.splitlines()}
        assert set(text.splitlines()) <= lines
        assert all(q.text in plan for each in ordered_rules() for q in each.quotations)


def test_the_passages_are_the_whole_of_parts_two_to_four():
    told = "".join(passage.text for passage in PASSAGES)
    for line in CLAUSES.read_text("utf-8").splitlines():
        body = line.lstrip("（(一二三四五六七八)）123456.")
        if not line.startswith(("二、", "三、", "四、")) and body != "整治整合范围":
            assert body in told


def test_every_sentence_has_a_rule_or_a_reason():
    for covered in coverage():
        assert covered.rules or covered.passage.remark, covered.passage.text


def test_every_rule_serves_a_sentence():
    serving = {each.code for covered in coverage() for each in covered.rules}
    assert set(RULES) - serving == {"S-G02"}


def test_the_document_is_up_to_date():
    assert FILE.read_text("utf-8") == document()


def test_docstrings_begin_with_code_and_clause():
    for each in ordered_rules():
        first = (each.check.__doc__ or "").splitlines()[0]
        assert first == f"{each.code} {each.clause}"
        assert each.explanation
        assert each.title


def test_rules_of_all_groups_are_the_registered_ones():
    modules = {each.check.__module__ for each in ordered_rules()}
    assert modules == {group.__name__ for group in GROUPS}


def test_a_rule_without_a_quote_is_refused():
    def unquoted(mine: MineFacts, case: Case) -> list[object]:
        """S-H99 judge nothing."""
        return []

    with pytest.raises(TypeError, match="no code or quoted clause"):
        rule("示例", phases=(Phase.EXISTING,), scopes=())(unquoted)  # type: ignore[arg-type]


def test_a_code_is_used_once():
    with pytest.raises(TypeError, match="S-A01 is registered twice"):
        rule("示例", phases=(Phase.EXISTING,), scopes=())(RULES["S-A01"].check)
