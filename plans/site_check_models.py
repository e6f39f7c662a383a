"""Hold the signed 核查意见 of departments on the ground of proposed areas (三(四))."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from standards.terms import OpinionOutcome

SITE_CHECK_TEXT_LENGTH = 1000


class SiteCheck(models.Model):
    """Hold one department's 核查意见 on one area; where a layer may not be held, it counts instead.

    It was given for an outline: `outline_mark` names it, and the opinion counts in later versions
    as long as the area keeps that outline. `layers` are the control layers it speaks for, by name.
    Rows are never changed but for being withdrawn; of a department the newest counts.
    """

    plan = models.ForeignKey(
        "plans.CountyPlan", verbose_name="方案", on_delete=models.PROTECT,
        related_name="site_checks",
    )  # fmt: skip
    version = models.ForeignKey(
        "plans.PlanVersion", verbose_name="版本", on_delete=models.PROTECT, related_name="+"
    )
    area_code = models.CharField("整合区编号", max_length=20)
    outline_mark = models.CharField("范围摘要", max_length=64)
    department = models.CharField("部门", max_length=30)
    unit = models.CharField("出具单位", max_length=80)
    document_number = models.CharField("文号", max_length=80)
    signed_on = models.DateField("出具日期")
    outcome = models.CharField("结论", max_length=12, choices=OpinionOutcome.choices())
    text = models.TextField("结论说明", max_length=SITE_CHECK_TEXT_LENGTH, blank=True)
    layers = models.JSONField("代替的管控图层", default=list, blank=True)
    scan = models.FileField("扫描件", max_length=200)
    scan_name = models.CharField("文件名", max_length=200)
    sha256 = models.CharField("SHA-256", max_length=64)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="登记人", on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField("登记时间")
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="撤销人", on_delete=models.PROTECT,
        related_name="+", null=True, blank=True,
    )  # fmt: skip
    withdrawn_at = models.DateTimeField("撤销时间", null=True, blank=True)

    class Meta:
        verbose_name = "核查意见"
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [models.Index(fields=["plan", "area_code"])]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(withdrawn_by__isnull=True, withdrawn_at__isnull=True)
                | Q(withdrawn_by__isnull=False, withdrawn_at__isnull=False),
                name="site_check_withdrawn_by_and_at",
                violation_error_message="撤销人和撤销时间要么都有，要么都没有。",
            ),
            models.CheckConstraint(
                condition=~Q(document_number="") & ~Q(unit=""),
                name="site_check_is_signed",
                violation_error_message="核查意见必须写明出具单位和文号。",
            ),
            models.CheckConstraint(
                condition=Q(outcome="agreed") | ~Q(text=""),
                name="site_check_says_why",
                violation_error_message="不同意或有条件同意的，请写明理由或条件。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.unit} {self.document_number}"

    @property
    def document(self) -> str:
        """Return how findings name the opinion."""
        return f"{self.unit}，{self.document_number}，{self.signed_on.isoformat()}"
