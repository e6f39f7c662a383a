"""Hold the documents that belong to a plan: its text, requests, maps, opinions, agreements."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Attachment(models.Model):
    """Hold a document that belongs to a plan, as it was cleaned.

    `removed` counts by word what was taken out of it; a withdrawn one stays, with who withdrew it.
    """

    class Subject(models.TextChoices):
        TEXT = "text", "方案文本"
        REQUEST = "request", "请示"
        MAP = "map", "图件"
        OPINION = "opinion", "核查意见"
        AGREEMENT = "agreement", "协议"
        OTHER = "other", "其他"

    plan = models.ForeignKey(
        "plans.CountyPlan",
        verbose_name="方案",
        on_delete=models.PROTECT,
        related_name="attachments",
    )
    subject = models.CharField("类别", max_length=10, choices=Subject, default=Subject.OTHER)
    title = models.CharField("名称", max_length=120)
    file = models.FileField("文件", upload_to="attachments/%Y/%m/", max_length=200)
    file_name = models.CharField("文件名", max_length=200)
    content_type = models.CharField("类型", max_length=80)
    size = models.PositiveIntegerField("大小")
    sha256 = models.CharField("SHA-256", max_length=64)
    given_sha256 = models.CharField("原文件 SHA-256", max_length=64, blank=True)
    pages = models.PositiveIntegerField("页数", null=True, blank=True)
    removed = models.JSONField("去除的内容", default=dict, blank=True)
    is_public = models.BooleanField("可公开", default=False)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="上传人", on_delete=models.PROTECT
    )
    uploaded_at = models.DateTimeField("上传时间", default=timezone.now)
    withdrawn_at = models.DateTimeField("撤下时间", null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="撤下人",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )

    class Meta:
        verbose_name = "附件"
        ordering: ClassVar = ["plan", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(size__gt=0),
                name="attachment_not_empty",
                violation_error_message="附件不能是空文件。",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, withdrawn_by__isnull=True)
                | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False),
                name="attachment_withdrawn_by_somebody",
                violation_error_message="撤下附件必须记下时间和人。",
            ),
        ]

    def __str__(self) -> str:
        return self.title
