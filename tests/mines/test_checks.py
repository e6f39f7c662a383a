"""The check of the registry: once a night, cut and resumed, the same result, lists by right."""

import io
import threading
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import close_old_connections, connection, transaction
from django.db.utils import IntegrityError
from django.urls import reverse
from openpyxl import load_workbook

from mines import checks, mine_chunks
from mines.check_models import MineCheckPart, MineCheckRun, MineFinding
from mines.checks import check_part, request_check, start_check, worst_findings
from mines.models import OreBody
from mines.schedule import check_registry, night_of
from rulebook.actions import approve_draft, start_draft
from rulebook.models import RulebookVersion
from shuozhou_mines.errors import NotAllowed, WrongState
from shuozhou_mines.jobs import Run, Stopped, cancel, claim, run_job
from shuozhou_mines.models import Job
from standards.terms import MineState, Verdict
from taskforce.roles import Role
from tests.conftest import PINGLU, SHUOCHENG, load_ground, make_person
from tests.factories import make_mine

AT = datetime(2026, 11, 20, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
ON = date(2026, 11, 20)


@pytest.fixture
def mines(counties):
    """Return a sound mine, one too small, an idle one, and two on one ore body."""
    sound = make_mine(counties[SHUOCHENG], 1, last_production_on=date(2026, 9, 1))
    small = make_mine(counties[SHUOCHENG], 2, scale=Decimal(20))
    idle = make_mine(
        counties[PINGLU], 3, state=MineState.SUSPENDED, suspended_since=date(2023, 1, 1)
    )
    body = OreBody.objects.create(code="K1")
    for number, uscc in ((4, "91140602MA0TEST040"), (5, "91140602MA0TEST058")):
        mine = make_mine(counties[PINGLU], number)
        mine.holder.uscc = uscc
        mine.holder.save()
        mine.ore_bodies.add(body)
    return {"sound": sound, "small": small, "idle": idle}


def do(run: MineCheckRun) -> MineCheckRun:
    for part in run.parts.all():
        run_job(part.job_id)
    run.refresh_from_db()
    return run


def checked(at: datetime = AT) -> MineCheckRun:
    run = start_check(reason=MineCheckRun.Reason.REQUEST, on=ON, at=at)
    assert run is not None
    return do(run)


def found(run: MineCheckRun, rule: str) -> set[tuple[str, str]]:
    rows = MineFinding.objects.filter(run=run, rule=rule)
    return set(rows.values_list("mine__registry_no", "verdict"))


def test_check_finds_what_each_mine_is_in_for(mines) -> None:
    run = checked()
    assert (run.mines, str(run.rulebook)) == (5, "第1版")
    assert found(run, "S-B07") == {("SZ-140602-0002", "fail")}
    assert found(run, "S-B12") == {("SZ-140602-0002", "fail")}
    assert ("SZ-140603-0003", "review") in found(run, "S-A04")
    assert found(run, "S-D03") >= {("SZ-140603-0004", "review"), ("SZ-140603-0005", "review")}
    assert run.rules["S-B07"]["version"] == "1"
    assert "露天采石场" in run.rules["S-B07"]["quote"]


def test_counts_hold_every_verdict_and_rows_only_what_asks_for_a_person(mines) -> None:
    run = checked()
    assert set(MineFinding.objects.values_list("verdict", flat=True)) == {
        "fail", "review", "nodata",
    }  # fmt: skip
    for verdict in (Verdict.FAIL, Verdict.REVIEW, Verdict.NODATA):
        kept = MineFinding.objects.filter(run=run, verdict=verdict).count()
        assert run.counts[verdict.value] == kept
    assert run.rule_counts["S-B07"] == {"pass": 4, "fail": 1, "review": 0, "nodata": 0, "na": 0}


def test_earlier_run_stays_as_it_was(mines) -> None:
    first = checked()
    before = list(first.findings.values_list("rule", "message"))
    mines["small"].systems.update(design_scale=60)
    mines["small"].licences.update(scale=60)
    second = checked(AT + timedelta(hours=1))
    assert found(second, "S-B07") == set()
    assert list(first.findings.values_list("rule", "message")) == before


def test_worst_findings_begin_with_the_gravest(mines) -> None:
    assert worst_findings(mines["small"]) == []
    checked()
    verdicts = [each.verdict for each in worst_findings(mines["small"])]
    assert verdicts[0] == "fail"
    assert verdicts == sorted(verdicts, key=["fail", "review", "nodata"].index)
    assert "S-B07" in [each.rule for each in worst_findings(mines["small"], most=3)]


def test_removed_and_later_mines_are_left_out(mines) -> None:
    mines["small"].removed_on = ON
    mines["small"].save()
    assert checked().mines == 4


def test_empty_registry_is_checked_too(ground) -> None:
    run = checked()
    assert run.finished_at is not None
    assert (run.mines, run.counts["fail"]) == (0, 0)


def test_large_registry_is_cut_into_two_parts_with_one_result(mines, monkeypatch) -> None:
    whole = checked()
    monkeypatch.setattr(checks, "MINES_WORTH_A_PART", 2)
    run = start_check(reason=MineCheckRun.Reason.REQUEST, on=ON, at=AT)
    assert run is not None
    assert list(run.parts.values_list("number", "mines")) == [(1, 2), (2, 3)]
    first, second = run.parts.all()
    run_job(second.job_id)
    run.refresh_from_db()
    assert run.finished_at is None
    run_job(first.job_id)
    run.refresh_from_db()
    assert run.counts == whole.counts
    assert run.rule_counts == whole.rule_counts


class Killed(Exception):
    """Stand for the worker's death between two chunks."""


def test_killed_worker_leaves_one_result(mines, monkeypatch) -> None:
    whole = checked()
    monkeypatch.setattr(mine_chunks, "CHUNK", 2)
    run = start_check(reason=MineCheckRun.Reason.REQUEST, on=ON, at=AT)
    assert run is not None
    part = run.parts.get()

    class Dying(Run):
        def report(self, done: int, total: int, step: str = "") -> None:
            super().report(done, total, step)
            if done == 2:
                raise Killed

    job = claim(part.job_id, at=AT)
    assert job is not None
    with pytest.raises(Killed):
        check_part(Dying(job))
    part.refresh_from_db()
    assert part.checked == 2
    assert 0 < run.findings.count() < whole.findings.count()
    Job.objects.filter(pk=part.job_id).update(lease_until=AT)
    run_job(part.job_id)
    run.refresh_from_db()
    assert run.counts == whole.counts
    shown = ("mine", "rule", "system", "verdict", "message", "figures")
    assert list(run.findings.values_list(*shown)) == list(whole.findings.values_list(*shown))


def test_worker_that_lost_its_job_writes_nothing(mines) -> None:
    run = start_check(reason=MineCheckRun.Reason.REQUEST, on=ON, at=AT)
    assert run is not None
    part = run.parts.get()
    stale = claim(part.job_id, at=AT)
    assert stale is not None
    Job.objects.filter(pk=part.job_id).update(attempt=2)
    with pytest.raises(Stopped):
        check_part(Run(stale))
    assert run.findings.count() == 0


def test_cancelled_check_shows_the_last_finished_one(mines) -> None:
    whole = checked()
    run = start_check(reason=MineCheckRun.Reason.REQUEST, on=ON, at=AT)
    assert run is not None
    job = run.parts.get().job
    assert job is not None
    cancel(job)
    run_job(job.pk)
    assert MineCheckRun.objects.newest_finished() == whole
    assert checks.under_way() is None


def test_old_runs_are_dropped(mines, settings) -> None:
    settings.REGISTRY_CHECKS_KEPT = 2
    runs = [checked(AT + timedelta(hours=hour)) for hour in range(4)]
    assert list(MineCheckRun.objects.values_list("pk", flat=True)) == [runs[3].pk, runs[2].pk]
    assert set(MineFinding.objects.values_list("run", flat=True)) == {runs[3].pk, runs[2].pk}


# --- the clock -----------------------------------------------------------------------------------


def test_night_is_the_one_that_was_due_last(settings) -> None:
    settings.REGISTRY_CHECK_HOUR = 2
    assert night_of(AT.replace(hour=1, minute=59)) == date(2026, 11, 19)
    assert night_of(AT.replace(hour=2, minute=0)) == date(2026, 11, 20)
    assert night_of(AT.replace(hour=23)) == date(2026, 11, 20)


def test_ticks_start_one_check_a_night(mines) -> None:
    for minutes in (0, 1, 600):
        check_registry(AT + timedelta(minutes=minutes))
    assert list(MineCheckRun.objects.values_list("once_key", flat=True)) == ["night:2026-11-20"]
    check_registry(AT + timedelta(days=3))
    assert MineCheckRun.objects.count() == 2


def test_nothing_is_started_before_there_is_a_rulebook(ground) -> None:
    RulebookVersion.objects.update(state="retired")
    check_registry(AT)
    assert MineCheckRun.objects.count() == 0


def test_new_rulebook_is_followed_by_one_check(people, mines) -> None:
    check_registry(AT)
    draft = start_draft(by=people["office"], at=AT)
    second = make_person("second", Role.OFFICE)
    approve_draft(number=draft.number, by=second, at=AT, seen=draft.changed_at)
    for minutes in (1, 2, 3):
        check_registry(AT + timedelta(minutes=minutes))
    assert list(MineCheckRun.objects.values_list("reason", "rulebook__number")) == [
        ("rulebook", 2),
        ("night", 1),
    ]


def test_database_keeps_the_key_of_a_night_unique(mines) -> None:
    check_registry(AT)
    version = RulebookVersion.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        MineCheckRun.objects.create(
            reason="night", once_key="night:2026-11-20", rulebook=version, checked_on=ON
        )


@pytest.mark.django_db(transaction=True)
def test_two_clocks_at_once_start_one_check() -> None:
    load_ground()
    barrier = threading.Barrier(4)
    errors: list[Exception] = []

    def tick() -> None:
        try:
            barrier.wait(timeout=10)
            check_registry(AT)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    clocks = [threading.Thread(target=tick) for _ in range(4)]
    for clock in clocks:
        clock.start()
    for clock in clocks:
        clock.join()
    close_old_connections()
    assert errors == []
    assert MineCheckRun.objects.count() == 1
    assert MineCheckPart.objects.count() == 1
    assert Job.objects.filter(kind="mines.check_part").count() == 1


# --- pages ---------------------------------------------------------------------------------------


def test_office_asks_for_a_check_and_nobody_else(people, mines) -> None:
    run = request_check(by=people["office"], on=ON, at=AT)
    with pytest.raises(WrongState) as refusal:
        request_check(by=people["office"], on=ON, at=AT)
    assert refusal.value.message == "全市台账检查正在进行，请等它完成后再发起。"
    do(run)
    for name in ("county_leader", "city_leader", "inspector", "system_admin"):
        with pytest.raises(NotAllowed):
            request_check(by=people[name], on=ON, at=AT)


def sign_in(client, person):
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_pages_before_the_first_check_say_so(client, people) -> None:
    page = sign_in(client, people["office"]).get(reverse("registry-checks"))
    assert "还没有检查结果" in page.content.decode()
    answer = client.get(reverse("registry-list", args=["no-renewal"]))
    assert "全市台账还没有检查过" in answer.content.decode()


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("no-renewal", ["测试2号矿"]),
        ("dormant", ["测试3号矿"]),
        ("ore-body", ["测试4号矿", "测试5号矿"]),
        ("large-small", []),
        ("expiring", []),
    ],
)
def test_lists_hold_the_right_mines(client, people, mines, kind, names) -> None:
    checked()
    page = sign_in(client, people["office"]).get(reverse("registry-list", args=[kind]))
    shown = [row["cells"][0]["text"] for row in page.context["table"]["rows"]]
    assert shown == names


def test_licence_about_to_end_is_listed_while_the_mine_fails(client, people, mines) -> None:
    for name in ("small", "sound"):
        mines[name].licences.update(valid_to=date(2026, 12, 25))
    checked()
    page = sign_in(client, people["office"]).get(reverse("registry-list", args=["expiring"]))
    (row,) = page.context["table"]["rows"]
    assert row["cells"][0]["text"] == "测试2号矿"
    assert row["cells"][4]["text"] == "2026-12-25（还有 35 天到期）"
    steps = [(step["label"], step["value"]) for step in page.context["steps"]]
    assert steps == [("90 天内到期", 1), ("60 天内到期", 1), ("30 天内到期", 0)]


def test_county_sees_its_own_mines_only(client, people, mines) -> None:
    checked()
    sign_in(client, people["other_county_clerk"])
    page = client.get(reverse("registry-list", args=["no-renewal"]))
    assert page.context["table"]["rows"] == []
    page = client.get(reverse("registry-checks"))
    assert "S-B07" not in [rule["code"] for rule in page.context["rules"]]
    assert client.get(reverse("registry-rule", args=["S-B07"])).status_code == 404
    sign_in(client, people["county_clerk"])
    assert client.get(reverse("registry-rule", args=["S-B07"])).status_code == 200


def test_strangers_find_nothing(client, people, mines) -> None:
    checked()
    for name in ("expert", "system_admin", "audit_admin"):
        sign_in(client, people[name])
        assert client.get(reverse("registry-checks")).status_code == 404
        assert client.get(reverse("registry-list", args=["dormant"])).status_code == 404
    sign_in(client, people["county_leader"])
    assert client.post(reverse("registry-check")).status_code == 403
    assert client.post(reverse("registry-check-cancel")).status_code == 404


def test_export_holds_the_list_as_words(client, people, mines) -> None:
    mines["small"].name = "=1+1矿"
    mines["small"].save()
    checked()
    url = reverse("registry-list-export", args=["no-renewal"])
    answer = sign_in(client, people["office"]).get(url)
    sheet = load_workbook(io.BytesIO(answer.content)).active
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert rows[0][:3] == ["台账编号", "矿山名称", "县（市、区）"]
    assert rows[1][:3] == ["SZ-140602-0002", "=1+1矿", "朔城区"]
    assert sheet["B3"].data_type == "s"
    assert len(rows) == 2


def test_pages_ask_the_same_number_of_queries_with_one_mine_and_with_fifty(
    client, people, counties, django_assert_num_queries
) -> None:
    sign_in(client, people["office"])
    addresses = [
        reverse("registry-checks"),
        reverse("registry-list", args=["no-renewal"]),
        reverse("registry-list", args=["expiring"]),
        reverse("registry-rule", args=["S-B07"]),
    ]
    ends = {"valid_to": date(2026, 12, 25)}
    make_mine(counties[SHUOCHENG], 1, scale=Decimal(20)).licences.update(**ends)
    checked()
    asked = [_queries(client, url) for url in addresses]
    for number in range(2, 51):
        make_mine(counties[SHUOCHENG], number, scale=Decimal(20)).licences.update(**ends)
    checked(AT + timedelta(hours=1))
    assert [_queries(client, url) for url in addresses] == asked
    assert max(asked) <= 20


def _queries(client, url: str) -> int:
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)
