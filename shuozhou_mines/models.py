"""Hold the rows of background work: what is asked, how far it is, how it ended."""

from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class JobQuerySet(models.QuerySet["Job"]):
    """Find jobs by what the ticker and the pages ask for."""

    def due(self, *, at: Any) -> "JobQuerySet":
        """Return jobs left in the queue and running ones whose lease ran out."""
        return self.filter(
            Q(state=Job.State.QUEUED, queued_at__lt=at - Job.REPUBLISH_AFTER)
            | Q(state=Job.State.RUNNING, lease_until__lt=at)
        ).order_by("pk")

    def about(self, subject: models.Model) -> "JobQuerySet":
        """Return the jobs of one row, newest first."""
        return self.filter(subject_type=subject._meta.label_lower, subject_id=subject.pk).order_by(
            "-pk"
        )


class Job(models.Model):
    """Keep one piece of background work; written with the change that asks for it.

    The row is the outbox: Redis may lose its copy of the id, the ticker publishes it again.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "排队中"
        RUNNING = "running", "进行中"
        DONE = "done", "已完成"
        FAILED = "failed", "未完成"
        CANCELLED = "cancelled", "已取消"

    LEASE = timedelta(seconds=60)
    REPUBLISH_AFTER = timedelta(seconds=30)
    MOST_ATTEMPTS = 5

    kind = models.CharField("事项", max_length=60)
    idempotency_key = models.CharField("唯一键", max_length=120, unique=True)
    subject_type = models.CharField("对象类型", max_length=60)
    subject_id = models.BigIntegerField("对象编号")
    arguments = models.JSONField("参数", default=dict, blank=True)
    state = models.CharField("状态", max_length=10, choices=State, default=State.QUEUED)
    attempt = models.PositiveSmallIntegerField("第几次", default=0)
    queued_at = models.DateTimeField("提交时间", default=timezone.now)
    started_at = models.DateTimeField("开始时间", null=True, blank=True)
    finished_at = models.DateTimeField("结束时间", null=True, blank=True)
    lease_until = models.DateTimeField("租约到期", null=True, blank=True)
    done = models.PositiveIntegerField("已完成数", default=0)
    total = models.PositiveIntegerField("总数", default=0)
    step = models.CharField("当前步骤", max_length=200, blank=True)
    error = models.TextField("未完成的原因", blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="提交人",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="jobs",
    )

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = "后台任务"
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            models.Index(fields=["subject_type", "subject_id"]),
            models.Index(
                fields=["state", "lease_until"],
                condition=Q(state__in=["queued", "running"]),
                name="job_open",
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running"], finished_at__isnull=True)
                | Q(state__in=["done", "failed", "cancelled"], finished_at__isnull=False),
                name="job_finished_iff_ended",
                violation_error_message="结束的任务必须有结束时间，未结束的不能有。",
            ),
            models.CheckConstraint(
                condition=Q(total=0) | Q(done__lte=F("total")),
                name="job_done_within_total",
                violation_error_message="已完成数不能大于总数。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_type}:{self.subject_id} {self.get_state_display()}"

    @property
    def is_open(self) -> bool:
        """Tell whether the job may still change."""
        return self.state in (self.State.QUEUED, self.State.RUNNING)

    @property
    def percent(self) -> int:
        """Return progress from 0 to 100; 100 only once the job is done."""
        if self.state == self.State.DONE:
            return 100
        return min(99, self.done * 100 // self.total) if self.total else 0
