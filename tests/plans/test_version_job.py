"""Hold the reading of an uploaded version: a real workbook through the real job."""

import threading
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.utils import timezone
from openpyxl import load_workbook

from mines.demo import load_demo_mines
from plans import tasks
from plans.actions import open_plan, receive_version
from plans.compliance import what_blocks_submission
from plans.models import CheckRun, CountyPlan, Disposition, Finding, MergedArea, PlanVersion
from shuozhou_mines import jobs
from shuozhou_mines.models import Job
from shuozhou_mines.walk_workbook import spoil
from standards.run import ordered_rules
from taskforce.models import County
from tests.conftest import SHUOCHENG, make_people
from tests.factories import OPENED_AT, filled_workbook, workbook_upload

State = PlanVersion.State


@pytest.fixture
def plan(people) -> CountyPlan:
    """Return an open plan of 朔城区 with the demo mines registered."""
    load_demo_mines()
    return open_plan(county_code=SHUOCHENG, by=people["county_clerk"], at=OPENED_AT)


def send(plan: CountyPlan, by: Any, content: bytes) -> tuple[PlanVersion, Job]:
    """Upload a workbook; return the version and its job."""
    version, job_id = receive_version(
        plan_id=plan.pk, upload=workbook_upload(content), by=by, at=OPENED_AT
    )
    return version, Job.objects.get(pk=job_id)


def counts() -> tuple[int, ...]:
    """Count the rows that a reading writes: dispositions, areas, runs."""
    return Disposition.objects.count(), MergedArea.objects.count(), CheckRun.objects.count()


# --- a good workbook -----------------------------------------------------------------------------


def test_a_good_workbook_becomes_rows_and_findings(people, plan) -> None:
    version, job = send(plan, people["county_clerk"], filled_workbook(plan))
    jobs.run_job(job.pk)
    job.refresh_from_db()
    version.refresh_from_db()
    assert (job.state, job.attempt, job.error, job.percent) == ("done", 1, "", 100)
    assert (version.state, version.problems, version.marked.name) == (State.READ, [], "")
    kinds = dict(version.dispositions.values_list("mine__registry_no", "kind"))
    assert len(kinds) == 12
    assert kinds["SZ-140602-0001"] == "keep"
    assert kinds["SZ-140602-0008"] == "close"
    assert kinds["SZ-140602-0009"] == "exit"
    row = version.dispositions.get(mine__registry_no="SZ-140602-0004")
    assert (row.kind, row.area.code, row.due_on) == ("merge", "Z1", date(2027, 9, 30))
    assert row.responsible_unit == "朔城区自然资源局（示例）"
    area = version.areas.get()
    assert area.outline.srid == 4490
    assert area.outline.valid
    members = area.members.order_by("mine").values_list("mine__registry_no", flat=True)
    assert list(members) == ["SZ-140602-0004", "SZ-140602-0005", "SZ-140602-0006"]
    # The area is computed from the corners, beside what the county wrote.
    assert area.area_km2 is not None
    assert abs(area.area_km2 - area.declared_area_km2) < area.declared_area_km2 / 100
    assert what_blocks_submission(version) == []


def test_every_finding_says_what_it_rests_on(people, plan) -> None:
    version, job = send(plan, people["county_clerk"], filled_workbook(plan))
    jobs.run_job(job.pk)
    run = version.check_runs.get()
    assert run.job == job
    assert (run.rulebook_version, run.checked_on) == ("第1版", timezone.localdate())
    assert sum(run.counts.values()) == run.findings.count() > 100
    for finding in run.findings.all():
        assert finding.clause, finding
        assert finding.quote, finding
        assert finding.message.endswith("。"), finding
        assert finding.subject_name, finding
        if finding.verdict in ("fail", "review", "nodata"):
            assert finding.would_pass, finding
    known = {rule.code for rule in ordered_rules()}
    assert set(run.findings.values_list("rule", flat=True)) <= known
    own = Finding.objects.get(run=run, rule="S-A01")
    assert (own.verdict, own.subject_name) == ("pass", "朔城区")


@pytest.fixture
def every_report(monkeypatch) -> None:
    """Have each rule reported, however fast it was."""
    monkeypatch.setattr(tasks, "SECONDS_BETWEEN_REPORTS", 0)


def test_progress_never_goes_back(people, plan, every_report) -> None:
    _, job = send(plan, people["county_clerk"], filled_workbook(plan))
    seen: list[tuple[int, int]] = []
    shares: list[int] = []

    class Watched(jobs.Run):
        def report(self, done: int, total: int, step: str = "") -> None:
            super().report(done, total, step)
            stored = Job.objects.get(pk=job.pk)
            seen.append((stored.done, stored.total))
            shares.append(stored.percent)
            assert stored.step

    taken = jobs.claim(job.pk, at=OPENED_AT)
    assert taken is not None
    tasks.read_version(Watched(taken))
    assert len(seen) > len(ordered_rules())
    assert {total for _, total in seen} == {len(ordered_rules()) + 2}
    assert seen == sorted(seen)
    assert shares == sorted(shares)
    assert (seen[0][0], shares[-1]) == (0, 99)


def test_a_read_version_is_not_read_again(people, plan) -> None:
    version, job = send(plan, people["county_clerk"], filled_workbook(plan))
    jobs.run_job(job.pk)
    before = counts()
    second = jobs.enqueue(kind=tasks.READ_VERSION, subject=version, key="again")
    jobs.run_job(second.pk)
    second.refresh_from_db()
    assert (second.state, counts()) == ("done", before)


# --- a bad workbook ------------------------------------------------------------------------------


def test_a_bad_workbook_is_handed_back_cell_by_cell(people, plan) -> None:
    content, places = spoil(filled_workbook(plan))
    version, job = send(plan, people["county_clerk"], content)
    jobs.run_job(job.pk)
    job.refresh_from_db()
    version.refresh_from_db()
    assert (job.state, version.state) == ("done", State.REFUSED)
    assert counts() == (0, 0, 0)
    assert (version.sheets, len(places)) == ({}, 6)
    found = {(row["sheet"], row["cell"]): row for row in version.errors}
    assert set(places) <= set(found)
    for place in places:
        row = found[place]
        assert row["message"].endswith("。"), row
        assert row["code"], row
    marked = load_workbook(BytesIO(Path(version.marked.path).read_bytes()))
    for sheet, cell in places:
        assert marked[sheet][cell].fill.fgColor.rgb == "00F6C9C5", (sheet, cell)
        assert marked[sheet][cell].comment is not None, (sheet, cell)
    assert what_blocks_submission(version) == [
        f"第1版有 {len(version.errors)} 处错误，请改正后重新上传"
    ]


@pytest.mark.parametrize("content", [b"not a workbook", b"PK\x03\x04 cut off"])
def test_a_file_that_is_no_workbook_gets_one_sentence(people, plan, content) -> None:
    version, job = send(plan, people["county_clerk"], content)
    jobs.run_job(job.pk)
    job.refresh_from_db()
    version.refresh_from_db()
    assert (job.state, version.state, counts()) == ("done", State.REFUSED, (0, 0, 0))
    (problem,) = version.problems
    assert (problem["sheet"], problem["cell"], problem["severity"]) == ("", "", "error")
    assert problem["message"].endswith("。")
    assert version.marked.name == ""


# --- what may go wrong on the way ----------------------------------------------------------------


class _BreaksAt(jobs.Run):
    """Break off at a report, as a worker does that loses its database or its life."""

    def __init__(self, job: Job, at: int, error: Exception) -> None:
        super().__init__(job)
        self.at, self.error = at, error

    def report(self, done: int, total: int, step: str = "") -> None:
        super().report(done, total, step)
        if done == self.at:
            raise self.error


@pytest.mark.parametrize("at", [0, 1, 2, 10])
def test_a_reading_that_broke_off_is_done_once_in_all(people, plan, at, every_report) -> None:
    version, job = send(plan, people["county_clerk"], filled_workbook(plan))
    taken = jobs.claim(job.pk, at=OPENED_AT)
    with pytest.raises(OperationalError):
        tasks.read_version(_BreaksAt(taken, at, OperationalError("server closed the connection")))
    version.refresh_from_db()
    assert version.state == State.RECEIVED
    # The lease of the dead worker is in the past, so that the next delivery takes the job up.
    Job.objects.filter(pk=job.pk).update(lease_until=OPENED_AT)
    jobs.run_job(job.pk)
    job.refresh_from_db()
    version.refresh_from_db()
    assert (job.state, job.attempt, version.state, counts()) == ("done", 2, State.READ, (12, 1, 1))


def test_a_lost_file_is_a_problem_of_the_version(people, plan) -> None:
    version, job = send(plan, people["county_clerk"], filled_workbook(plan))
    Path(settings.MEDIA_ROOT, version.file.name).unlink()
    jobs.run_job(job.pk)
    job.refresh_from_db()
    version.refresh_from_db()
    assert (job.state, version.state) == ("done", State.REFUSED)
    assert version.problems[0]["message"] == "没有找到上传的文件，请重新上传。"


def test_a_cancelled_reading_leaves_nothing(people, plan) -> None:
    content = filled_workbook(plan)
    version, job = send(plan, people["county_clerk"], content)

    class Cancelling(jobs.Run):
        def report(self, done: int, total: int, step: str = "") -> None:
            super().report(done, total, step)
            if done == 1:
                assert jobs.cancel(self.job)

    taken = jobs.claim(job.pk, at=OPENED_AT)
    with pytest.raises(jobs.Stopped):
        tasks.read_version(Cancelling(taken))
    job.refresh_from_db()
    version.refresh_from_db()
    assert (job.state, version.state, counts()) == ("cancelled", State.RECEIVED, (0, 0, 0))
    # Sent again, the same file is read after all.
    same, again = send(plan, people["county_clerk"], content)
    assert (same, again.pk != job.pk) == (version, True)
    jobs.run_job(again.pk)
    version.refresh_from_db()
    assert (version.state, counts()) == (State.READ, (12, 1, 1))


@pytest.mark.django_db(transaction=True)
def test_delivered_twice_at_once_it_is_read_once(ground) -> None:
    people = make_people({county.code: county for county in County.objects.all()})
    load_demo_mines()
    plan = open_plan(county_code=SHUOCHENG, by=people["county_clerk"], at=OPENED_AT)
    version, job = send(plan, people["county_clerk"], filled_workbook(plan))
    gate = threading.Barrier(3)

    def deliver() -> None:
        gate.wait(10)
        try:
            jobs.run_job(job.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=deliver) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    job.refresh_from_db()
    version.refresh_from_db()
    assert (job.state, job.attempt, version.state, counts()) == ("done", 1, State.READ, (12, 1, 1))
