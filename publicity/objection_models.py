"""Hold objections and questions of the public, and what was published where."""

from datetime import date
from typing import Any, ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from publicity.editions import PublicChange
from publicity.objection_steps import State
from taskforce.permissions import counties_where


class ObjectionQuerySet(models.QuerySet["Objection"]):
    """Find objections by who handles them and by the clock."""

    def visible_to(self, user: Any) -> "ObjectionQuerySet":
        """Return the objections to plans of the counties whose notices this user publishes."""
        return self.filter(notice__plan__county__in=counties_where(user, "publish_plan"))

    def undecided(self) -> "ObjectionQuerySet":
        """Return the objections that still wait for a step of the office."""
        return self.exclude(state__in=(State.REJECTED, State.CLOSED))


class Objection(models.Model):
    """Hold one 异议 to a notice (clause 六(三)); identity is for its handlers only."""

    State = State

    notice = models.ForeignKey(
        "publicity.Notice", verbose_name="公示", on_delete=models.PROTECT, related_name="objections"
    )
    receipt_number = models.CharField("回执编号", max_length=20, unique=True)
    received_at = models.DateTimeField("收到时间")
    subject = models.CharField("异议事项", max_length=120, blank=True)
    text = models.TextField("异议内容")
    # Sealed JSON: whose it is, phone, address. Empty once the period of keeping has ended.
    identity_sealed = models.BinaryField("身份信息（加密）")
    identity_key = models.CharField("密钥编号", max_length=20, blank=True)
    identity_deleted_at = models.DateTimeField("身份信息删除时间", null=True, blank=True)
    is_late = models.BooleanField("逾期提出", default=False)
    due_on = models.DateField("办理期限", null=True, blank=True)
    state = models.CharField("状态", max_length=10, choices=State, default=State.RECEIVED)
    # None until it is answered.
    upheld = models.BooleanField("异议成立", null=True, blank=True)
    answer = models.TextField("答复", blank=True)
    answered_at = models.DateTimeField("答复时间", null=True, blank=True)
    closed_at = models.DateTimeField("办结时间", null=True, blank=True)
    reply = models.FileField("答复书", upload_to="replies/", max_length=200, blank=True)

    objects = ObjectionQuerySet.as_manager()

    class Meta:
        verbose_name = "异议"
        ordering: ClassVar = ["-received_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | Q(closed_at__gte=F("received_at")),
                name="objection_closed_after_received",
            )
        ]

    def __str__(self) -> str:
        return self.receipt_number

    def is_overdue(self, today: date) -> bool:
        """Tell whether the limit has passed without an end."""
        open_still = self.state not in (State.REJECTED, State.CLOSED)
        return self.due_on is not None and open_still and today > self.due_on


class ObjectionFile(models.Model):
    """Hold one attachment of an objection; sealed like the identity, it may well name people."""

    objection = models.ForeignKey(
        Objection, verbose_name="异议", on_delete=models.CASCADE, related_name="files"
    )
    # The name is not kept: it is the objector's own and says nothing the office needs.
    file = models.FileField("文件（加密）", upload_to="objections/", max_length=200)
    suffix = models.CharField("类型", max_length=5)
    size = models.PositiveIntegerField("大小")
    sha256 = models.CharField("SHA-256", max_length=64)

    class Meta:
        verbose_name = "异议附件"
        ordering: ClassVar = ["objection", "pk"]

    def __str__(self) -> str:
        return f"{self.objection} 附件 {self.pk}{self.suffix}"


class ObjectionStep(models.Model):
    """Hold one step of an objection: what, when, by whom and with which words."""

    objection = models.ForeignKey(
        Objection, verbose_name="异议", on_delete=models.CASCADE, related_name="steps"
    )
    step = models.CharField("步骤", max_length=10)
    label = models.CharField("名称", max_length=20)
    at = models.DateTimeField("时间")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="办理人",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
    )
    # For the office's file; what the objector reads stands in the objection's answer.
    note = models.TextField("办理记录", blank=True)

    class Meta:
        verbose_name = "异议办理"
        ordering: ClassVar = ["objection", "at", "pk"]

    def __str__(self) -> str:
        return f"{self.objection} {self.label}"


class QuestionQuerySet(models.QuerySet["Question"]):
    """Find questions by who may read them."""

    def public(self) -> "QuestionQuerySet":
        """Return the questions that the office has answered and published."""
        return self.filter(state=Question.State.PUBLISHED).order_by("-answered_at")

    def visible_to(self, user: Any) -> "QuestionQuerySet":
        """Return the questions on plans of the counties whose notices this user publishes."""
        return self.filter(notice__plan__county__in=counties_where(user, "publish_plan"))


class Question(models.Model):
    """Hold one question to a notice (释疑解惑, clause 六(三)); shown once it is answered."""

    class State(models.TextChoices):
        WAITING = "waiting", "待答复"
        PUBLISHED = "published", "已公开"
        DECLINED = "declined", "不公开"

    notice = models.ForeignKey(
        "publicity.Notice", verbose_name="公示", on_delete=models.PROTECT, related_name="questions"
    )
    asked_at = models.DateTimeField("提问时间")
    text = models.TextField("问题")
    # What the public reads; the office takes out names and insults, the original stays as it is.
    public_text = models.TextField("公开的问题", blank=True)
    answer = models.TextField("答复", blank=True)
    state = models.CharField("状态", max_length=10, choices=State, default=State.WAITING)
    answered_at = models.DateTimeField("答复时间", null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="答复人",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
    )

    objects = QuestionQuerySet.as_manager()

    class Meta:
        verbose_name = "提问"
        # What is asked shows only once it is answered, which is an update.
        triggers: ClassVar = [PublicChange(operation=pgtrigger.Update)]
        ordering: ClassVar = ["-asked_at"]

    def __str__(self) -> str:
        return f"提问 {self.pk}"


class Package(models.Model):
    """Hold the zip that the two official sites are fed from."""

    notice = models.OneToOneField(
        "publicity.Notice", verbose_name="公示", on_delete=models.CASCADE, related_name="package"
    )
    file = models.FileField("文件", upload_to="packages/", max_length=200)
    size = models.PositiveIntegerField("大小")
    sha256 = models.CharField("SHA-256", max_length=64)
    made_at = models.DateTimeField("生成时间")

    class Meta:
        verbose_name = "发布包"

    def __str__(self) -> str:
        return f"{self.notice} 发布包"


class Appearance(models.Model):
    """Hold where and when a notice appeared on one of the two official sites (clause 六(三))."""

    class Site(models.TextChoices):
        GOVERNMENT = "government", "市政府门户网站"
        BUREAU = "bureau", "市规划和自然资源局门户网站"

    notice = models.ForeignKey(
        "publicity.Notice",
        verbose_name="公示",
        on_delete=models.PROTECT,
        related_name="appearances",
    )
    site = models.CharField("网站", max_length=10, choices=Site)
    url = models.URLField("网址", max_length=300)
    starts_on = models.DateField("开始")
    ends_on = models.DateField("结束")
    screenshot = models.FileField("截图", upload_to="screenshots/", max_length=200)
    suffix = models.CharField("截图类型", max_length=5)
    sha256 = models.CharField("截图 SHA-256", max_length=64)
    recorded_at = models.DateTimeField("登记时间")
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="登记人", on_delete=models.PROTECT
    )

    class Meta:
        verbose_name = "官网发布记录"
        triggers: ClassVar = [PublicChange()]
        ordering: ClassVar = ["notice", "site", "starts_on"]

    def __str__(self) -> str:
        return f"{self.notice} {self.get_site_display()}"
