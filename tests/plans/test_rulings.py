"""Rule on findings: who, twice at once, confirmed, carried over while nothing has changed."""

import threading
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.gis.geos import MultiPolygon
from django.db import IntegrityError, connections, transaction

from mines.models import Licence
from plans import tasks
from plans.actions import take_step
from plans.compliance import Outdated, what_blocks_submission, why_outdated
from plans.models import CheckRun, CountyPlan, Finding, PlanVersion, Ruling
from plans.ruling_actions import confirm_ruling, request_check, rule_on
from plans.rulings import rulings_of, with_rulings
from shuozhou_mines import jobs
from shuozhou_mines.errors import Incomplete, NotAllowed, WrongState
from shuozhou_mines.models import Job
from standards.rules import RULES
from standards.terms import Verdict
from taskforce.models import County, TrailEntry, User
from taskforce.roles import Role
from tests.conftest import make_people, make_person
from tests.factories import SUBMITTED_AT, make_mine
from tests.plans.areas import checked, dispose, make_version, merge, pair_of_mines

AT = datetime(2025, 9, 2, 15, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
WEST = 112.4
SAME_DAY = date(2025, 9, 2)


@pytest.fixture
def version(counties, people):
    """Return a version with one area that no scale was given for, which fails S-D05."""
    return _version(counties["140602"], people)


def _version(county, people) -> PlanVersion:
    version = make_version(county, people["county_clerk"])
    merge(version, "Z1", pair_of_mines(county, 1, WEST), scale=None, scale_unit="",
          extra_kinds=["gap"], extra_reason="夹缝。", is_on_ridge=None)  # fmt: skip
    dispose(version, make_mine(county, 3, at=(112.5, 39.3)), "keep")
    checked(version)
    return version


@pytest.fixture
def second_office(people):
    return make_person("second_office", Role.OFFICE)


def finding(version: PlanVersion, rule: str, key: str = "Z1") -> Finding:
    run = CheckRun.objects.filter(version=version).first()
    assert run is not None
    return run.findings.get(rule=rule, subject_key=key)


def rule(
    row: Finding, by: User, decision: str = "accepted", seen: int = 0, **changes: Any
) -> Ruling:
    given: dict[str, Any] = {
        "reason": "开采规模以初步设计为准。",
        "basis_document": "专班会议纪要〔2025〕3号",
    }
    return rule_on(
        finding_id=row.pk, decision=decision, seen=seen, by=by, at=AT, **{**given, **changes}
    )


def ruled(row: Finding):
    (found,) = with_rulings([row], rulings_of(row.run.version.plan))
    return found


# --- what a ruling does ------------------------------------------------------------


def test_the_verdict_of_the_machine_stays_beside_the_ruling(version, people) -> None:
    row = finding(version, "S-D04")
    assert row.verdict == "review"
    ruling = rule(row, people["office"], "meets")
    row.refresh_from_db()
    assert (row.verdict, ruling.verdict, ruling.needs_confirmation) == ("review", "review", False)
    assert ruled(row).verdict is Verdict.PASS
    entry = TrailEntry.objects.get(act="认定检查结果")
    assert (entry.by, entry.county_id) == (people["office"], "140602")
    assert entry.detail["rule"] == "S-D04"


def test_letting_a_failure_pass_takes_two(version, people, second_office) -> None:
    row = finding(version, "S-D05")
    assert row.verdict == "fail"
    assert what_blocks_submission(version)[0].startswith("测试整合Z1：整合区缺少")
    ruling = rule(row, people["office"])
    assert ruling.needs_confirmation
    assert ruled(row).verdict is Verdict.FAIL
    assert len(what_blocks_submission(version)) == 1
    confirm_ruling(ruling_id=ruling.pk, by=second_office, at=AT)
    assert ruled(row).verdict is Verdict.PASS
    assert what_blocks_submission(version) == []
    with pytest.raises(WrongState, match="已经确认过"):
        confirm_ruling(ruling_id=ruling.pk, by=second_office, at=AT)


def test_nobody_confirms_their_own_ruling(version, people) -> None:
    ruling = rule(finding(version, "S-D05"), people["office"])
    with pytest.raises(NotAllowed, match="不能自己确认"):
        confirm_ruling(ruling_id=ruling.pk, by=people["office"], at=AT)
    with pytest.raises(IntegrityError), transaction.atomic():
        Ruling.objects.filter(pk=ruling.pk).update(confirmed_by=people["office"], confirmed_at=AT)


def test_a_ruling_against_a_question_blocks(version, people) -> None:
    before = what_blocks_submission(version)
    rule(finding(version, "S-D04"), people["office"], "fails")
    assert len(what_blocks_submission(version)) == len(before) + 1


@pytest.mark.parametrize("who", ["county_leader", "county_clerk", "member_unit", "city_leader"])
def test_only_the_office_rules(version, people, who) -> None:
    with pytest.raises(NotAllowed, match="只有专班办公室可以对检查结果作出认定"):
        rule(finding(version, "S-D04"), people[who])
    assert not Ruling.objects.exists()


def test_a_ruling_says_why(version, people) -> None:
    blanks: tuple[dict[str, Any], ...] = ({"reason": "  "}, {"basis_document": ""})
    for words in blanks:
        with pytest.raises(Incomplete, match="理由和依据文件"):
            rule(finding(version, "S-D04"), people["office"], **words)
    with pytest.raises(IntegrityError), transaction.atomic():
        Ruling.objects.create(
            plan=version.plan, finding=finding(version, "S-D04"), rule="S-D04", decision="meets",
            subject_kind="area", subject_key="Z1", basis_hash="", verdict="review", reason="",
            basis_document="", by=people["office"], at=AT,
        )  # fmt: skip


def test_a_pass_needs_no_ruling(version, people) -> None:
    passing = finding(version, "S-A02")
    assert passing.verdict == "pass"
    with pytest.raises(Incomplete, match="才需要认定"):
        rule(passing, people["office"])


def test_an_approved_plan_is_ruled_on_no_more(version, people) -> None:
    CountyPlan.objects.filter(pk=version.plan_id).update(state="approved", submitted_at=AT)
    with pytest.raises(WrongState, match="批复"):
        rule(finding(version, "S-D04"), people["office"])


# --- two at once ------------------------------------------------------------


def test_a_stale_page_is_told_who_was_faster(version, people, second_office) -> None:
    row = finding(version, "S-D04")
    first = rule(row, people["office"], "meets")
    with pytest.raises(WrongState) as refusal:
        rule(row, second_office, "fails")
    assert refusal.value.message == (
        "专班办公室测试员已在 2025-09-02 15:00 对这一条作出“认定符合”。"
        "请刷新页面，看过理由后再决定。"
    )
    second = rule(row, second_office, "fails", seen=first.pk)
    assert ruled(row).ruling == second
    assert Ruling.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_rules_and_one_is_told(ground, settings) -> None:
    people = make_people({county.code: county for county in County.objects.all()})
    other = make_person("second_office", Role.OFFICE)
    row = finding(_version(County.objects.get(code="140602"), people), "S-D04")
    together = threading.Barrier(2)
    outcomes: list[str] = []

    def go(user, decision: str) -> None:
        try:
            together.wait(timeout=10)
            rule(row, user, decision)
            outcomes.append("ruled")
        except WrongState as refusal:
            outcomes.append(refusal.message[:20])
        finally:
            connections.close_all()

    pair = [
        threading.Thread(target=go, args=(people["office"], "meets")),
        threading.Thread(target=go, args=(other, "fails")),
    ]
    for thread in pair:
        thread.start()
    for thread in pair:
        thread.join(timeout=30)
    assert sorted(outcomes)[0] == "ruled"
    assert "专班办公室测试员已在" in sorted(outcomes)[1]
    assert Ruling.objects.count() == 1


# --- carried over ------------------------------------------------------------


def next_version(version: PlanVersion, people, **changes) -> PlanVersion:
    """Upload the same plan again, with changes to its area."""
    later = make_version(version.plan.county, people["county_clerk"], number=version.number + 1)
    members = {row.mine_id: row for row in version.dispositions.select_related("area", "mine")}
    area = version.areas.get()
    area.pk = None
    area.version = later
    for name, value in changes.items():
        setattr(area, name, value)
    area.save()
    for row in members.values():
        dispose(later, row.mine, row.kind, area if row.area else None)
    checked(later)
    return later


def test_a_ruling_is_carried_to_the_next_version(version, people) -> None:
    ruling = rule(finding(version, "S-D04"), people["office"], "meets")
    again = ruled(finding(next_version(version, people), "S-D04"))
    assert (again.ruling, again.carried, again.verdict) == (ruling, True, Verdict.PASS)


def test_a_ruling_is_carried_to_the_next_check(version, people, second_office) -> None:
    ruling = rule(finding(version, "S-D05"), people["office"])
    confirm_ruling(ruling_id=ruling.pk, by=second_office, at=AT)
    checked(version)
    assert ruled(finding(version, "S-D05")).carried
    assert what_blocks_submission(version) == []


def test_a_ruling_lapses_with_its_figures(version, people) -> None:
    ruling = rule(finding(version, "S-D04"), people["office"], "meets")
    moved = version.areas.get().outline.buffer(0.0001).envelope
    later = next_version(version, people, outline=MultiPolygon(moved, srid=4490))
    again = ruled(finding(later, "S-D04"))
    assert (again.ruling, again.lapsed, again.verdict) == (None, ruling, Verdict.REVIEW)


def test_a_ruling_lapses_with_the_registry(version, people) -> None:
    row = CheckRun.objects.get(version=version).findings.get(
        rule="S-B14", subject_key="SZ-140602-0003"
    )
    ruling = rule(row, people["office"], "meets")
    Licence.objects.filter(mine__registry_no="SZ-140602-0003").update(scale=Decimal(70))
    checked(version)
    again = ruled(finding(version, "S-B14", "SZ-140602-0003"))
    assert (again.ruling, again.lapsed) == (None, ruling)


def test_a_ruling_lapses_with_the_version_of_its_rule(version, people, monkeypatch) -> None:
    rule(finding(version, "S-D04"), people["office"], "meets")
    monkeypatch.setitem(RULES, "S-D04", replace(RULES["S-D04"], version="99"))
    assert why_outdated(version.check_runs.get(), on=SAME_DAY) == "检查规则已更新"
    checked(version)
    assert ruled(finding(version, "S-D04")).ruling is None


def test_old_findings_are_ruled_on_no_more(version, people) -> None:
    row = finding(version, "S-D04")
    checked(version)
    with pytest.raises(WrongState, match="已经有新的检查结果"):
        rule(row, people["office"])


# --- outdated findings ------------------------------------------------------------


def submit(version: PlanVersion, people) -> None:
    take_step(
        plan_id=version.plan_id, step="hand_over", by=people["county_clerk"], at=SUBMITTED_AT,
        seen_state="draft",
    )  # fmt: skip


def test_a_change_of_the_registry_makes_findings_outdated(version, people) -> None:
    run = version.check_runs.get()
    assert why_outdated(run, on=SAME_DAY) == ""
    Licence.objects.filter(mine__registry_no="SZ-140602-0003").update(scale=Decimal(70))
    assert why_outdated(run, on=SAME_DAY) == "台账或省定任务有变动"
    with pytest.raises(Outdated, match="第1版的检查结果已过期（台账或省定任务有变动）"):
        submit(version, people)
    job = Job.objects.get(kind=tasks.CHECK_VERSION)
    assert (job.state, job.subject_id, job.asked_by) == (
        "queued", version.pk, people["county_clerk"],
    )  # fmt: skip
    with pytest.raises(Outdated):
        submit(version, people)
    assert Job.objects.filter(kind=tasks.CHECK_VERSION).count() == 1


def test_another_rulebook_or_rule_makes_findings_outdated(version) -> None:
    run = version.check_runs.get()
    CheckRun.objects.filter(pk=run.pk).update(rulebook_version="从前的")
    run.refresh_from_db()
    assert why_outdated(run, on=SAME_DAY) == "标准库已更新"
    CheckRun.objects.filter(pk=run.pk).update(rules_version="")
    run.refresh_from_db()
    assert why_outdated(run, on=SAME_DAY) == "检查规则已更新"


# --- checking again ------------------------------------------------------------


def test_a_new_check_keeps_the_earlier_results(version, people) -> None:
    first = version.check_runs.get()
    job = request_check(version_id=version.pk, by=people["county_clerk"])
    assert request_check(version_id=version.pk, by=people["county_clerk"]) == job
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done) == ("done", job.total)
    assert job.total > 60
    runs = list(version.check_runs.all())
    assert len(runs) == 2
    assert (runs[0].job, runs[1]) == (job, first)
    assert first.findings.count() == runs[0].findings.count()
    # Asked again once it has ended, it runs again.
    assert request_check(version_id=version.pk, by=people["county_clerk"]) != job


def test_a_check_taken_up_again_leaves_one_result(version, people) -> None:
    job = request_check(version_id=version.pk, by=people["office"])
    taken = jobs.claim(job.pk, at=AT)
    assert taken is not None
    tasks.check_version(jobs.Run(taken))
    # The worker dies before it ends the job; another takes it up when the lease has run out.
    Job.objects.filter(pk=job.pk).update(lease_until=AT)
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt) == ("done", 2)
    assert CheckRun.objects.filter(job=job).count() == 1


def test_a_cancelled_check_leaves_no_result(version, people) -> None:
    job = request_check(version_id=version.pk, by=people["office"])
    taken = jobs.claim(job.pk, at=AT)
    assert taken is not None
    jobs.cancel(job)
    with pytest.raises(jobs.Stopped):
        tasks.check_version(jobs.Run(taken))
    assert version.check_runs.count() == 1


def test_who_may_ask_for_a_check(version, people) -> None:
    for who in ("other_county_clerk", "member_unit", "city_leader"):
        with pytest.raises(NotAllowed, match="可以要求重新检查"):
            request_check(version_id=version.pk, by=people[who])
    make_version(version.plan.county, people["county_clerk"], number=2)
    with pytest.raises(WrongState, match="已经不是最新版本"):
        request_check(version_id=version.pk, by=people["office"])
