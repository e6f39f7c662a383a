"""Running rules over plans and mines: phases, keys, progress, selection, speed."""

import time
from dataclasses import FrozenInstanceError
from datetime import date
from decimal import Decimal

import pytest

from standards.facts import MineralFacts, RightFacts, SystemFacts
from standards.rulebook import Rulebook, RulebookError
from standards.run import check, check_mine, check_mines
from standards.terms import Disposition, ScaleUnit
from tests.standards.asking import ROWS, RULEBOOK, TODAY, area, ask, extra, mine, plan


def test_phases_follow_the_subject():
    facts = plan(
        mines=(mine(mineral="铝土矿"),),
        areas=(area(mineral="铝土矿"), area("a2", mineral="铝土矿", is_new_right=True)),
    )
    found = ask("S-B01", facts)
    assert [(f.subject_kind, f.subject_key, f.phase) for f in found] == [
        ("mine", "m1", "E"),
        ("area", "a1", "C"),
        ("area", "a2", "N"),
    ]


def test_rules_of_consolidation_leave_new_rights_alone():
    facts = plan(areas=(area(is_new_right=True),))
    assert ask("S-D16", facts) == []
    assert len(ask("S-C06", facts)) == 1


def test_keys_tell_where_a_finding_belongs():
    systems = (SystemFacts(name="甲", scale=Decimal(10), unit=ScaleUnit.WAN_T),)
    facts = plan(
        key="p1",
        mines=(mine(mineral="铝土矿", systems=systems),),
        areas=(area(extras=(extra(),)),),
    )
    [system] = [found for found in ask("S-B01", facts) if found.subject_kind == "system"]
    assert (system.subject_key, system.mine_key, system.area_key) == ("m1#1", "m1", "")
    [piece] = ask("S-D08", facts)
    assert (piece.subject_kind, piece.mine_key, piece.area_key) == ("extra", "", "a1")
    [whole] = ask("S-G01", facts)
    assert (whole.subject_kind, whole.subject_key, whole.mine_key) == ("plan", "p1", "")


def test_progress_counts_rules():
    seen: list[tuple[int, int, str]] = []
    codes = {"S-A03", "S-B01", "S-G01"}
    list(check(plan(), RULEBOOK, on=TODAY, only=codes, progress=lambda *step: seen.append(step)))
    assert seen == [
        (0, 3, "每座矿山一种处置方式"),
        (1, 3, "铝土矿最低生产规模"),
        (2, 3, "按最新文件执行"),
        (3, 3, "完成"),
    ]


def test_an_unknown_rule_is_refused():
    with pytest.raises(KeyError):
        list(check(plan(), RULEBOOK, on=TODAY, only={"S-Z99"}))


def test_a_rulebook_without_a_needed_entry_is_refused():
    short = Rulebook.load([row for row in ROWS if row["key"] != "life.min_years"])
    with pytest.raises(RulebookError, match=r"没有 2025-06-01 有效的条目“life\.min_years”"):
        list(check(plan(mines=(mine(),)), short, on=TODAY))


def test_a_threshold_known_by_hearsay_gives_no_verdict():
    rows = [
        {**row, "confidence": "hearsay"} if row["key"] == "scale.min.bauxite" else row
        for row in ROWS
    ]
    facts = plan(mines=(mine(mineral="铝土矿", licensed_scale=1),))
    [finding] = ask("S-B01", facts, rulebook=Rulebook.load(rows))
    assert finding.verdict == "nodata"
    assert finding.missing == ("铝土矿独立生产系统最低生产规模",)


def test_what_if_a_limit_were_higher():
    rows = [{**row, "value": 40} if row["key"] == "scale.min.bauxite" else row for row in ROWS]
    facts = plan(mines=(mine(mineral="铝土矿", licensed_scale=30),))
    assert ask("S-B01", facts)[0].verdict == "pass"
    assert ask("S-B01", facts, rulebook=Rulebook.load(rows))[0].verdict == "fail"


def test_a_registered_mine_is_checked_without_a_plan():
    codes = {found.rule for found in check_mine(mine(mineral="铝土矿"), RULEBOOK, on=TODAY)}
    assert {"S-B01", "S-B10", "S-B12", "S-F01"} <= codes
    assert not codes & {"S-A01", "S-A03", "S-G02", "S-H01", "S-C06"}


def test_ore_bodies_of_the_register_are_compared():
    other = RightFacts(key="m2", name="示例邻矿", holder_uscc="乙", ore_body_ids=("I号",))
    own = mine(ore_body_ids=("I号",), holder_uscc="甲")
    found = check_mine(own, RULEBOOK, on=TODAY, only={"S-D03"}, ore_bodies={"I号": (other,)})
    assert [finding.verdict for finding in found] == ["review"]


def test_coal_is_passed_over():
    coal = mine(mineral=MineralFacts(code="0", name="煤", is_coal=True))
    assert list(check_mines([coal], RULEBOOK, on=TODAY)) == []


def test_mines_do_not_borrow_results_from_each_other():
    scales = [10, 40, 20, 50]
    mines = (
        mine(f"m{number}", mineral="铝土矿", licensed_scale=scale)
        for number, scale in enumerate(scales)
    )
    found = check_mines(mines, RULEBOOK, on=TODAY, only={"S-B01"})
    assert [finding.verdict for finding in found] == ["fail", "pass", "fail", "pass"]


def test_the_same_question_has_the_same_answer():
    facts = plan(mines=(mine(mineral="铝土矿", licensed_scale=20),), areas=(area(),))
    assert list(check(facts, RULEBOOK, on=TODAY)) == list(check(facts, RULEBOOK, on=TODAY))


def test_findings_and_facts_cannot_be_changed():
    own = mine()
    [finding] = ask("S-A03", plan(mines=(own,)))
    with pytest.raises(FrozenInstanceError):
        own.name = "另一座"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        finding.verdict = "pass"  # type: ignore[misc, assignment]


def test_time_grows_with_the_number_of_mines():
    def seconds(number: int) -> float:
        mines = [
            mine(
                f"m{each}",
                mineral="铝土矿",
                licensed_scale=each % 60,
                licence_valid_to=date(2025, 9, 1),
                dispositions=(Disposition.UPGRADE,),
            )
            for each in range(number)
        ]
        start = time.process_time()
        for _ in check_mines(mines, RULEBOOK, on=TODAY):
            pass
        return time.process_time() - start

    seconds(50)
    few, many = seconds(200), seconds(1000)
    assert many < 5 * few * 2.5
