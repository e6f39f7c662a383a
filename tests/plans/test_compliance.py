"""Hold the way from rows to facts and from findings to rows, and what keeps a plan back."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mines.models import Licence, Mine, OreBody
from plans.actions import open_plan, take_step
from plans.compliance import find, save_run, what_blocks_submission
from plans.facts import plan_facts
from plans.models import CheckRun, Disposition, MergedArea, PlanVersion
from plans.workflow import State
from rulebook.current import current_rulebook
from shuozhou_mines import jobs
from shuozhou_mines.errors import Incomplete
from shuozhou_mines.models import Job
from tests.conftest import SHUOCHENG
from tests.factories import SUBMITTED_AT, add_version, make_mine, plan_at, square

TODAY = date(2025, 9, 2)


@pytest.fixture
def version(people, counties) -> PlanVersion:
    """Return a read version of 朔城区: two mines to upgrade, two to merge into Z1."""
    county = counties[SHUOCHENG]
    plan = plan_at(State.DRAFT, people, county, mines=4)
    version = plan.versions.get()
    area = MergedArea.objects.create(
        version=version, code="Z1", name="一区", mineral_id="83907", method="open_pit",
        scale=Decimal(60), scale_unit="wan_t", density=Decimal("2.7"),
        stocks={"measured": "300", "indicated": "400.5"}, recoverable=Decimal(600),
        service_life_years=Decimal(10), outline=square(112.43, 39.3, 0.02),
        area_km2=Decimal("3.8"), extra_kinds=["gap"], grant_way="competition",
        systems=[{"name": "一号", "method": "open_pit", "scale": "60"}],
    )  # fmt: skip
    merged = ["SZ-140602-0003", "SZ-140602-0004"]
    version.dispositions.filter(mine__registry_no__in=merged).update(kind="merge", area=area)
    return version


def facts_of(version: PlanVersion):
    """Gather a version's facts as its check does."""
    return plan_facts(version, current_rulebook(), on=TODAY)


def test_rows_become_facts(version) -> None:
    Mine.objects.filter(registry_no="SZ-140602-0003").get().ore_bodies.add(
        OreBody.objects.create(code="K1")
    )
    known = facts_of(version)
    assert (known.county_code, known.county_name) == ("140602", "朔城区")
    assert len(known.registered) == 4
    first = known.mines[0]
    assert (first.key, [each.value for each in first.dispositions]) == (
        "SZ-140602-0001", ["upgrade"],
    )  # fmt: skip
    (area,) = known.areas
    assert area.member_keys == ("SZ-140602-0003", "SZ-140602-0004")
    assert (area.scale, area.scale_unit.value, area.density) == (
        Decimal(60), "wan_t", Decimal("2.7"),
    )  # fmt: skip
    assert (area.measured, area.indicated, area.inferred) == (
        Decimal(300), Decimal("400.5"), None,
    )  # fmt: skip
    assert (area.has_boundary, area.area_km2) == (True, Decimal("3.8"))
    assert area.old_area_km2 == Decimal("0.3000")  # two members of 0.15 km² each
    assert (area.old_elevation_top_m, area.old_elevation_bottom_m) == (Decimal(1400), Decimal(1300))
    assert area.ore_body_ids == ("K1",)
    assert "gap" in {each.kind for each in area.extras}
    assert [system.scale for system in area.systems] == [Decimal(60)]


def test_a_member_is_no_overlap_and_a_stranger_is_one(version, counties) -> None:
    (area,) = facts_of(version).areas
    assert area.overlaps == ()
    make_mine(counties[SHUOCHENG], 9, name="邻矿", at=(112.435, 39.305))
    (area,) = facts_of(version).areas
    assert [each.name for each in area.overlaps] == ["邻矿"]
    assert area.overlaps[0].area_m2 > 100_000


def test_questions_to_the_database_do_not_grow_with_the_plan(people, counties, version) -> None:
    facts_of(version)  # the rulebook is read once for each process
    with CaptureQueriesContext(connection) as few:
        facts_of(version)
    for number in range(10, 40):
        mine = make_mine(counties[SHUOCHENG], number, at=(112.0 + number / 50, 39.6))
        Disposition.objects.create(version=version, mine=mine, kind="upgrade", reason="改造。")
    with CaptureQueriesContext(connection) as many:
        facts_of(version)
    assert len(many) == len(few)


def test_a_run_keeps_what_it_rests_on(version) -> None:
    run = save_run(version, find(version, on=TODAY), job=None)
    assert (run.rulebook_version, run.checked_on) == (current_rulebook().version, TODAY)
    assert sum(run.counts.values()) == run.findings.count()
    assert set(run.counts) == {"pass", "fail", "review", "nodata", "na"}
    linked = run.findings.filter(area__code="Z1")
    assert linked.exists()
    assert run.findings.filter(mine__registry_no="SZ-140602-0001").exists()
    figures = [figure for row in linked for figure in row.figures]
    assert figures
    assert all(set(figure) == {"label", "value", "unit", "source"} for figure in figures)
    # An earlier run stays as it was when the version is checked again.
    again = save_run(version, find(version, on=TODAY), job=None)
    assert list(version.check_runs.all())[:2] == [again, run]


def test_what_a_mine_fails_is_told_and_what_an_area_fails_blocks(version) -> None:
    version.check_runs.all().delete()
    save_run(version, find(version, on=TODAY), job=None)
    assert CheckRun.objects.get().findings.filter(verdict="fail", area=None).exists()
    before = what_blocks_submission(version)
    MergedArea.objects.update(scale=Decimal(20), systems=[{"name": "一", "scale": "20"}])
    save_run(version, find(version, on=TODAY), job=None)
    after = what_blocks_submission(version)
    assert set(after) - set(before)
    assert any(reason.startswith("一区") for reason in set(after) - set(before))
    assert not any(reason.endswith("。") for reason in after)


def test_outdated_findings_are_made_anew_before_a_plan_goes_on(people, counties) -> None:
    plan = plan_at(State.DRAFT, people, counties[SHUOCHENG])
    version, clerk = plan.versions.get(), people["county_clerk"]

    def submit() -> None:
        take_step(
            plan_id=plan.pk, step="hand_over", by=clerk, at=timezone.now(), seen_state="draft"
        )

    save_run(version, find(version, on=timezone.localdate()), job=None)
    Licence.objects.filter(mine__registry_no="SZ-140602-0001").update(
        valid_to=date(2027, 12, 31) - timedelta(days=1)
    )
    for _ in range(2):
        with pytest.raises(Incomplete, match="第1版的检查结果已过期（台账或省定任务有变动）。"):
            submit()
    job = Job.objects.get(kind="plans.check_version")  # asked for once, however often one tries
    assert (job.asked_by, job.state) == (clerk, "queued")
    jobs.run_job(job.pk)
    submit()
    plan.refresh_from_db()
    assert (plan.state, version.check_runs.count()) == (State.COUNTY_REVIEW, 3)


def test_a_mine_that_left_the_registry_is_not_asked_for(people, counties) -> None:
    plan = open_plan(county_code=SHUOCHENG, by=people["county_clerk"], at=SUBMITTED_AT)
    make_mine(counties[SHUOCHENG], 1)
    make_mine(counties[SHUOCHENG], 2, removed_on=date(2025, 8, 1))
    version = add_version(plan, people)
    assert version.dispositions.count() == 1
    assert what_blocks_submission(version) == []
