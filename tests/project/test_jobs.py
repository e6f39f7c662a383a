"""Hold background work to its promises: claimed once, fenced, resumed, stopped, never lost."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import redis
from celery import Celery
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from mines.demo import load_demo_mines
from plans.actions import open_plan
from plans.models import CheckRun, Disposition, MergedArea, PlanVersion
from shuozhou_mines import jobs
from shuozhou_mines.errors import Refused
from shuozhou_mines.models import Job
from taskforce.models import County
from tests.conftest import SHUOCHENG, make_people
from tests.factories import OPENED_AT, filled_workbook

TOP = Path(__file__).resolve().parents[2]
NOBODY_LISTENS = "redis://127.0.0.1:1/0"
calls: list[int] = []


@jobs.handles("tests.plain", "测试")
def _plain(run: jobs.Run) -> None:
    calls.append(run.job.attempt)
    run.report(1, 4, "第一步")


@jobs.handles("tests.refuses", "测试")
def _refuses(_run: jobs.Run) -> None:
    raise Refused("模板不是本县的。请重新下载。")


@jobs.handles("tests.breaks", "测试")
def _breaks(_run: jobs.Run) -> None:
    raise ZeroDivisionError


@jobs.handles("tests.poison", "测试")
def _poison(run: jobs.Run) -> None:
    calls.append(run.job.attempt)
    raise OperationalError("server closed the connection unexpectedly")


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    calls.clear()


def queued(kind: str, key: str = "1", by: Any = None) -> Job:
    """Queue a job about a county; its number is of no matter."""
    return jobs.enqueue(kind=kind, subject=PlanVersion(pk=7), key=key, by=by)


def again(job: Job) -> Job:
    job.refresh_from_db()
    return job


# --- asking --------------------------------------------------------------------------------------


def test_asking_again_is_the_same_job(db) -> None:
    first, second, other = (queued("tests.plain", key) for key in ("a", "a", "b"))
    assert first == second != other
    assert (first.subject_type, first.subject_id) == ("plans.planversion", 7)


def test_a_job_lives_and_dies_with_the_change_that_asks_for_it(db) -> None:
    with transaction.atomic():
        queued("tests.plain")
        transaction.set_rollback(True)
    assert not Job.objects.exists()


# --- doing ---------------------------------------------------------------------------------------


def test_a_job_is_done_once(db) -> None:
    job = queued("tests.plain")
    for _ in range(3):
        jobs.run_job(job.pk)
    again(job)
    assert (job.state, job.attempt, job.done, job.total, job.percent) == ("done", 1, 4, 4, 100)
    assert job.finished_at is not None
    assert job.lease_until is None
    assert calls == [1]


def test_a_refusal_ends_a_job_with_its_sentence(db) -> None:
    job = queued("tests.refuses")
    jobs.run_job(job.pk)
    assert (again(job).state, job.error) == ("failed", "模板不是本县的。请重新下载。")


def test_an_odd_error_ends_a_job_with_a_number_to_ask_for(db, caplog) -> None:
    job = queued("tests.breaks")
    jobs.run_job(job.pk)
    assert (again(job).state, job.error) == (
        "failed",
        f"处理时出了意外，系统已记下编号 {job.pk}。请稍后重试；仍不行时把编号告诉系统管理员。",
    )
    assert "ZeroDivisionError" in caplog.text


def test_a_poisoned_job_stops_after_five_attempts(db, caplog) -> None:
    job, sound = queued("tests.poison"), queued("tests.plain", "sound")
    for _ in range(8):
        jobs.run_job(job.pk)
        # A minute later nobody holds it any more.
        Job.objects.filter(pk=job.pk, state="running").update(lease_until=OPENED_AT)
    assert calls == [1, 2, 3, 4, 5]
    assert (again(job).state, job.error) == (
        "failed",
        f"已试 5 次都中断了。请把任务编号 {job.pk} 告诉系统管理员，由其查看日志。",
    )
    jobs.run_job(sound.pk)
    assert again(sound).state == "done"


def test_a_held_job_is_left_alone_until_its_lease_runs_out(db) -> None:
    job = queued("tests.plain")
    assert jobs.claim(job.pk, at=OPENED_AT) is not None
    assert again(job).lease_until == OPENED_AT + timedelta(seconds=60)
    assert jobs.claim(job.pk, at=OPENED_AT + timedelta(seconds=59)) is None
    taken = jobs.claim(job.pk, at=OPENED_AT + timedelta(seconds=61))
    assert taken is not None
    assert taken.attempt == 2


def test_the_word_of_a_stale_worker_changes_nothing(db) -> None:
    job = queued("tests.plain")
    stale = jobs.claim(job.pk, at=OPENED_AT)
    held = jobs.claim(job.pk, at=OPENED_AT + timedelta(seconds=61))
    assert stale is not None
    assert held is not None
    run = jobs.Run(stale)
    with pytest.raises(jobs.Stopped):
        run.report(3, 4)
    with pytest.raises(jobs.Stopped), transaction.atomic():
        run.still_ours()
    assert jobs.finish(stale, Job.State.FAILED, error="zu spät") is False
    assert (again(job).state, job.done, job.error) == ("running", 0, "")
    jobs.Run(held).report(3, 4, "第三步")
    assert jobs.finish(held, Job.State.DONE) is True
    assert (again(job).state, job.attempt, job.done, job.step) == ("done", 2, 4, "第三步")


def test_a_report_prolongs_the_lease(db) -> None:
    job = queued("tests.plain")
    taken = jobs.claim(job.pk, at=OPENED_AT)
    assert taken is not None
    jobs.Run(taken).report(5, 4)
    assert again(job).lease_until > timezone.now() + timedelta(seconds=50)
    assert (job.done, job.percent) == (4, 99)


def test_a_cancelled_job_is_not_done(db) -> None:
    job = queued("tests.plain")
    assert jobs.cancel(job) is True
    jobs.run_job(job.pk)
    assert (again(job).state, calls) == ("cancelled", [])
    assert jobs.cancel(job) is False


def test_the_ticker_takes_what_waits_too_long_and_nothing_else(db) -> None:
    now = timezone.now()
    waits, fresh, lost, held, ended = (queued("tests.plain", str(n)) for n in range(5))
    rows = Job.objects.filter
    rows(pk=waits.pk).update(queued_at=now - timedelta(seconds=31))
    rows(pk=fresh.pk).update(queued_at=now - timedelta(seconds=29))
    rows(pk=lost.pk).update(state="running", lease_until=now - timedelta(seconds=1))
    rows(pk=held.pk).update(state="running", lease_until=now + timedelta(seconds=1))
    rows(pk=ended.pk).update(state="failed", finished_at=now, queued_at=now - timedelta(seconds=99))
    assert list(Job.objects.due(at=now)) == [waits, lost]


@pytest.mark.django_db(transaction=True)
def test_of_eight_deliveries_one_wins(ground) -> None:
    job = queued("tests.plain")
    gate = threading.Barrier(8)
    won: list[Job | None] = []

    def deliver() -> None:
        gate.wait(10)
        won.append(jobs.claim(job.pk, at=OPENED_AT))
        connection.close()

    threads = [threading.Thread(target=deliver) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(won) == 8
    assert [taken.attempt for taken in won if taken is not None] == [1]


# --- pages of jobs -------------------------------------------------------------------------------


@pytest.fixture
def clerk(people) -> Client:
    client = Client()
    client.force_login(people["county_clerk"], "django.contrib.auth.backends.ModelBackend")
    return client


def test_a_person_sees_and_cancels_their_own_jobs(people, clerk) -> None:
    own = queued("tests.plain", "own", by=people["county_clerk"])
    other = queued("tests.plain", "other", by=people["county_reviewer"])
    assert clerk.get(reverse("job", args=[own.pk])).status_code == 200
    assert clerk.get(reverse("job", args=[other.pk])).status_code == 404
    listed = clerk.get(reverse("job-list")).content.decode()
    assert reverse("job", args=[own.pk]) in listed
    assert reverse("job", args=[other.pk]) not in listed
    assert clerk.post(reverse("job-cancel", args=[other.pk])).status_code == 404
    answer = clerk.post(reverse("job-cancel", args=[own.pk]))
    assert (answer.status_code, answer["Location"]) == (303, reverse("job", args=[own.pk]))
    assert (again(own).state, again(other).state) == ("cancelled", "queued")


def test_a_page_asks_for_its_moving_part_and_leaves_when_done(people, clerk) -> None:
    job = queued("tests.plain", by=people["county_clerk"])
    url = reverse("job", args=[job.pk])
    moving = clerk.get(url, headers={"HX-Request": "true"})
    assert "hx-get" in moving.content.decode()
    assert "<html" not in moving.content.decode()
    assert "HX-Redirect" not in moving
    jobs.run_job(job.pk)
    ended = clerk.get(url, headers={"HX-Request": "true"})
    assert ended["HX-Redirect"] == reverse("plan-version", args=[7])


def test_pages_say_when_the_queue_is_away(people, clerk, settings) -> None:
    assert jobs.queue_reachable() is True
    settings.REDIS_URL = NOBODY_LISTENS
    assert jobs.queue_reachable() is False
    job = queued("tests.plain", by=people["county_clerk"])
    page = clerk.get(reverse("job", args=[job.pk]))
    assert "任务队列暂时连不上；已保存的请求不会丢，恢复后自动处理。" in page.content.decode()
    assert Client().get(reverse("readyz")).json() == {"database": True, "queue": False}
    assert Client().get(reverse("livez")).content == b"ok"


# --- with a real worker --------------------------------------------------------------------------


def own_redis() -> str:
    """Return the address of a Redis database that no other test worker uses."""
    number = 15 - int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 2
    parts = urlsplit(settings.REDIS_URL)
    return urlunsplit(parts._replace(path=f"/{number}"))


def own_environment(redis_url: str) -> dict[str, str]:
    """Return the environment of a child that works on this test's database."""
    given = urlsplit(os.environ["DATABASE_URL"])
    return {
        **os.environ,
        "DATABASE_URL": urlunsplit(given._replace(path=f"/{connection.settings_dict['NAME']}")),
        "REDIS_URL": redis_url,
        "SECRET_KEY": settings.SECRET_KEY,
        "PORTAL_VAR": str(Path(settings.MEDIA_ROOT).parent),
        "PORTAL_STATIC_ROOT": str(settings.STATIC_ROOT),
    }


@pytest.fixture
def worker(transactional_db: None, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a Celery worker with one pool child on this test's database and a Redis of its own."""
    url = own_redis()
    held = redis.Redis.from_url(url)
    held.flushdb()
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "shuozhou_mines", "worker", "-c", "1",
             "--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "INFO"],
            cwd=TOP, env=own_environment(url), stdout=log, stderr=log,
        )  # fmt: skip
    yield process
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    held.flushdb()
    held.close()


def until(look: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """Look until there is something to see."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)
    return seen


def child_of(process: subprocess.Popen[bytes]) -> int:
    """Return the pid of the worker's pool child."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return int(until(lambda: children.read_text().split(), "a pool child")[0])


# Sends the workbook through the page, with no queue to be reached.
SEND = """
import sys
import django
django.setup()
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from shuozhou_mines.models import Job
from taskforce.models import User
client = Client(HTTP_HOST="127.0.0.1")
client.force_login(
    User.objects.get(username="county_clerk"), "django.contrib.auth.backends.ModelBackend"
)
upload = SimpleUploadedFile("plan.xlsx", sys.stdin.buffer.read())
answer = client.post(sys.argv[1], {"workbook": upload})
print(answer.status_code, Job.objects.get().state)
"""


@pytest.mark.django_db(transaction=True)
def test_an_upload_survives_the_queue_and_a_killed_worker(ground, worker) -> None:
    people = make_people({county.code: county for county in County.objects.all()})
    load_demo_mines()
    plan = open_plan(county_code=SHUOCHENG, by=people["county_clerk"], at=OPENED_AT)
    sent = subprocess.run(
        [sys.executable, "-W", "error", "-c", SEND, reverse("plan-upload", args=[plan.pk])],
        input=filled_workbook(plan), capture_output=True, cwd=TOP, timeout=60, check=False,
        env={**own_environment(NOBODY_LISTENS), "PORTAL_HTTP": "1",
             "DJANGO_SETTINGS_MODULE": "shuozhou_mines.settings"},
    )  # fmt: skip
    assert sent.stdout.split() == [b"302", b"queued"], sent.stderr.decode()[-3000:]

    # Half a minute later the ticker publishes it, and the worker takes it up.
    job = Job.objects.get()
    long_ago = timezone.now() - timedelta(seconds=31)
    Job.objects.update(queued_at=long_ago)
    clock = Celery(broker=own_redis())
    child = child_of(worker)
    # The worker is held at the writing of the rows, and dies there.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE plans_disposition IN ACCESS EXCLUSIVE MODE")
        clock.send_task("shuozhou_mines.jobs.tick")
        until(lambda: again(job).done == 1, "the worker to begin")
        os.kill(child, signal.SIGKILL)
        until(lambda: child_of(worker) != child, "another pool child")
        assert (again(job).state, job.attempt) == ("running", 1)
    # A minute later its lease has run out, and the ticker publishes the job again.
    Job.objects.filter(state="running").update(lease_until=long_ago)
    clock.send_task("shuozhou_mines.jobs.tick")
    until(lambda: not again(job).is_open, "the job to end")
    clock.close()
    version = PlanVersion.objects.get()
    assert (job.state, job.attempt, job.error, version.state) == ("done", 2, "", "read")
    rows = Disposition.objects.count(), MergedArea.objects.count(), CheckRun.objects.count()
    assert rows == (12, 1, 1)
