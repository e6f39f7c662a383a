"""Run background work from rows: publish after commit, claim by lease, finish behind a fence.

Redis carries ids only. A job that is delivered twice runs once; one whose worker died is taken up
again when its lease has run out; one that keeps failing stops and says so.
"""

import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from celery import shared_task
from django.conf import settings
from django.db import (
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
    models,
    transaction,
)
from django.db.models import F, Q
from django.utils import timezone

from shuozhou_mines.errors import Refused
from shuozhou_mines.models import Job

logger = logging.getLogger(__name__)

Handler = Callable[["Run"], None]
_HANDLERS: dict[str, tuple[str, Handler]] = {}
_CLOCKWORK: list[Callable[[datetime], None]] = []
_FAILED = "处理时出了意外，系统已记下编号 {number}。请稍后重试；仍不行时把编号告诉系统管理员。"
_GAVE_UP = "已试 {times} 次都中断了。请把任务编号 {number} 告诉系统管理员，由其查看日志。"


class Stopped(Exception):
    """Leave the job: it was cancelled, or another worker holds the lease now."""


def handles(kind: str, label: str) -> Callable[[Handler], Handler]:
    """Register the function that does jobs of this kind; `label` is what users see."""

    def register(handler: Handler) -> Handler:
        _HANDLERS[kind] = (label, handler)
        return handler

    return register


def on_tick(due: Callable[[datetime], None]) -> Callable[[datetime], None]:
    """Register a function that starts what is due by the clock; it must be repeatable."""
    _CLOCKWORK.append(due)
    return due


def label_of(kind: str) -> str:
    """Return the word users see for a kind of job."""
    return _HANDLERS[kind][0] if kind in _HANDLERS else kind


class Run:
    """Give a handler its job, its progress reports and the fence against stale workers."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.subject_id = job.subject_id

    def report(self, done: int, total: int, step: str = "") -> None:
        """Store progress and prolong the lease; raise Stopped when the job is no longer ours."""
        now = timezone.now()
        changed = Job.objects.filter(
            pk=self.job.pk, attempt=self.job.attempt, state=Job.State.RUNNING
        ).update(done=min(done, total), total=total, step=step, lease_until=now + Job.LEASE)
        if not changed:
            raise Stopped

    def still_ours(self) -> None:
        """Lock the job inside the caller's transaction; raise Stopped when it is not ours."""
        locked = Job.objects.select_for_update(of=("self",)).filter(
            pk=self.job.pk, attempt=self.job.attempt, state=Job.State.RUNNING
        )
        if not locked.exists():
            raise Stopped


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the search for cyclic garbage while a bounded piece of work fills the memory.

    Rows and findings by the ten thousand are found alive each time, for a third of the work's time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def enqueue(
    *,
    kind: str,
    subject: models.Model,
    key: str,
    by: Any = None,
    arguments: dict[str, Any] | None = None,
) -> Job:
    """Write a job beside the change that asks for it, and publish it after commit.

    Asking again with the same key returns the job that is already there.
    """
    job, made = Job.objects.get_or_create(
        idempotency_key=f"{kind}:{key}",
        defaults={
            "kind": kind,
            "subject_type": subject._meta.label_lower,
            "subject_id": subject.pk,
            "arguments": arguments or {},
            "asked_by": by,
        },
    )
    if made:
        transaction.on_commit(lambda: publish(job.pk))
    return job


def publish(job_id: int) -> None:
    """Hand the job's id to the queue; when the queue is away, the ticker does it later."""
    try:
        run_job.apply_async((job_id,), retry=False)
    except Exception:  # a broker that is down must not turn a stored request into an error page
        logger.warning("job %s could not be published; the ticker will", job_id, exc_info=True)


def claim(job_id: int, *, at: datetime) -> Job | None:
    """Take the job if it is free or its lease ran out; return None when another has it."""
    free = Q(state=Job.State.QUEUED) | Q(state=Job.State.RUNNING, lease_until__lt=at)
    taken = Job.objects.filter(free, pk=job_id).update(
        state=Job.State.RUNNING,
        attempt=F("attempt") + 1,
        started_at=at,
        lease_until=at + Job.LEASE,
        error="",
    )
    return Job.objects.get(pk=job_id) if taken else None


def finish(job: Job, state: str, *, error: str = "") -> bool:
    """End the job if this worker still holds it; a stale worker's word changes nothing."""
    changes: dict[str, Any] = {
        "state": state,
        "finished_at": timezone.now(),
        "lease_until": None,
        "error": error,
    }
    if state == Job.State.DONE:
        changes["done"] = F("total")
    held = Job.objects.filter(pk=job.pk, attempt=job.attempt, state=Job.State.RUNNING)
    return bool(held.update(**changes))


def cancel(job: Job) -> bool:
    """Cancel an open job; the worker notices at its next progress report."""
    return bool(
        Job.objects.filter(pk=job.pk, state__in=(Job.State.QUEUED, Job.State.RUNNING)).update(
            state=Job.State.CANCELLED, finished_at=timezone.now(), lease_until=None
        )
    )


@shared_task(name="shuozhou_mines.jobs.run_job")
def run_job(job_id: int) -> None:
    """Do one job: claim it, run its handler, write down how it ended."""
    _leave_dead_connections()
    job = claim(job_id, at=timezone.now())
    if job is None:
        return
    if job.attempt > Job.MOST_ATTEMPTS:
        finish(
            job,
            Job.State.FAILED,
            error=_GAVE_UP.format(times=Job.MOST_ATTEMPTS, number=job.pk),
        )
        return
    try:
        _HANDLERS[job.kind][1](Run(job))
    except Stopped:
        return
    except Refused as refusal:
        finish(job, Job.State.FAILED, error=refusal.message)
    except (OperationalError, InterfaceError):
        # The database went away; the lease runs out and the ticker brings the job back.
        logger.warning("job %s lost the database", job.pk, exc_info=True)
        _leave_dead_connections()
    except Exception:
        logger.exception("job %s (%s) failed", job.pk, job.kind)
        finish(job, Job.State.FAILED, error=_FAILED.format(number=job.pk))
    else:
        finish(job, Job.State.DONE)


@shared_task(name="shuozhou_mines.jobs.tick")
def tick() -> None:
    """Publish what was lost on the way, and start what is due; harmless when run twice."""
    _leave_dead_connections()
    now = timezone.now()
    for job_id in Job.objects.due(at=now).values_list("pk", flat=True)[:200]:
        publish(job_id)
    for due in _CLOCKWORK:
        due(now)


def _leave_dead_connections() -> None:
    """Drop connections that died or grew old; one in a transaction belongs to the caller."""
    if not connection.in_atomic_block:
        close_old_connections()


def queue_reachable() -> bool:
    """Tell whether the broker answers; pages say so honestly when it does not."""
    import redis

    try:
        return bool(redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1).ping())
    except redis.RedisError:
        return False
