"""Hold what a mine's file gathers over the years: output, treatment, acceptance, rights, papers."""

from typing import Any, ClassVar

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q, UniqueConstraint

from standards.terms import AcceptanceConclusion, GrantWay, ScaleUnit


def _by_mine() -> dict[str, Any]:
    return {"indexes": [models.Index(fields=["mine"])]}


class MineRecord(models.Model):
    """Say of every such row whose it is, as of which day, and who gave it."""

    mine = models.ForeignKey(
        "mines.Mine", verbose_name="矿山", on_delete=models.CASCADE, related_name="%(class)ss"
    )
    as_of = models.DateField("数据截止")
    given_by = models.CharField("数据来源", max_length=200)

    class Meta:
        abstract = True


@pghistory.track(meta=_by_mine())
class YearOutput(MineRecord):
    """Hold what a mine really raised in a year, beside the licensed and the designed scale."""

    year = models.PositiveSmallIntegerField("年份")
    amount = models.DecimalField("实际产量", max_digits=12, decimal_places=4)
    unit = models.CharField("单位", max_length=8, choices=ScaleUnit.choices())

    class Meta:
        verbose_name = "年度产量"
        ordering: ClassVar = ["mine", "-year"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["mine", "year"],
                name="output_once_per_year",
                violation_error_message="这座矿山这一年的产量已经登记。",
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=0),
                name="output_not_negative",
                violation_error_message="实际产量不能是负数。",
            ),
            models.CheckConstraint(
                condition=Q(year__gte=1949, year__lte=2100),
                name="output_year_plausible",
                violation_error_message="年份应写四位数字，例如 2025。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.year} 年"


@pghistory.track(meta=_by_mine())
class Acceptance(MineRecord):
    """Hold one 环境恢复验收 by the county: when, with which conclusion, how much land (四(二)5)."""

    accepted_on = models.DateField("验收日期")
    conclusion = models.CharField("结论", max_length=10, choices=AcceptanceConclusion.choices())
    area_ha = models.DecimalField(
        "验收面积（公顷）", max_digits=10, decimal_places=4, null=True, blank=True
    )
    unit_name = models.CharField("验收单位", max_length=80, blank=True)

    class Meta:
        verbose_name = "环境恢复验收"
        ordering: ClassVar = ["mine", "-accepted_on"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["mine", "accepted_on"],
                name="acceptance_once_per_day",
                violation_error_message="这座矿山这一天的验收已经登记。",
            ),
            models.CheckConstraint(
                condition=Q(area_ha__isnull=True) | Q(area_ha__gte=0),
                name="acceptance_area_not_negative",
                violation_error_message="验收面积不能是负数。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.accepted_on:%Y-%m-%d}"


@pghistory.track(meta=_by_mine())
class TreatmentPlan(MineRecord):
    """Hold one 《矿山开发治理方案》 with its review and filing (四(二)5)."""

    filing_no = models.CharField("备案文号", max_length=60)
    reviewed_on = models.DateField("审查日期", null=True, blank=True)
    filed_on = models.DateField("备案日期")
    due_on = models.DateField("规定备案时限", null=True, blank=True)
    filed_with = models.CharField("备案机关", max_length=80, blank=True)

    class Meta:
        verbose_name = "矿山开发治理方案备案"
        ordering: ClassVar = ["mine", "-filed_on"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["mine", "filing_no"],
                name="treatment_filed_once",
                violation_error_message="这个备案文号已经登记在这座矿山名下。",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_on__isnull=True) | Q(reviewed_on__lte=models.F("filed_on")),
                name="treatment_reviewed_before_filed",
                violation_error_message="审查日期不能晚于备案日期。",
            ),
        ]

    def __str__(self) -> str:
        return self.filing_no


@pghistory.track(meta=_by_mine())
class TreatmentCheck(MineRecord):
    """Hold the county's yearly check of a mine against its treatment plan (四(二)5)."""

    year = models.PositiveSmallIntegerField("年份")
    checked_on = models.DateField("检查日期")
    conclusion = models.CharField("结论", max_length=10, choices=AcceptanceConclusion.choices())
    note = models.CharField("说明", max_length=300, blank=True)

    class Meta:
        verbose_name = "治理方案年度检查"
        ordering: ClassVar = ["mine", "-year"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["mine", "year"],
                name="treatment_checked_once_per_year",
                violation_error_message="这座矿山这一年的检查已经登记。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.year} 年"


@pghistory.track(meta=_by_mine())
class RightEvent(MineRecord):
    """Hold one act on the mining right: granted, transferred, renewed, changed, cancelled."""

    class Kind(models.TextChoices):
        GRANT = "grant", "出让"
        TRANSFER = "transfer", "转让"
        RENEWAL = "renewal", "延续"
        CHANGE = "change", "变更"
        CANCEL = "cancel", "注销"

    kind = models.CharField("事项", max_length=10, choices=Kind)
    happened_on = models.DateField("日期")
    way = models.CharField("出让方式", max_length=12, choices=GrantWay.choices(), blank=True)
    from_holder = models.CharField("原采矿权人", max_length=80, blank=True)
    to_holder = models.CharField("新采矿权人", max_length=80, blank=True)
    document_no = models.CharField("文号或合同号", max_length=80, blank=True)

    class Meta:
        verbose_name = "采矿权出让转让记录"
        ordering: ClassVar = ["mine", "-happened_on"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["mine", "kind", "happened_on"],
                name="right_event_once_per_day",
                violation_error_message="这座矿山这一天的同类事项已经登记。",
            ),
            models.CheckConstraint(
                condition=Q(kind="grant") | Q(way=""),
                name="right_event_way_of_grant",
                violation_error_message="只有出让事项才填写出让方式。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.happened_on:%Y-%m-%d}"


@pghistory.track(meta=_by_mine())
class MineDocument(MineRecord):
    """Hold one paper of a mine's file: its title, its day and the stored file by hash."""

    class Kind(models.TextChoices):
        LICENCE = "licence", "许可证"
        RESERVES = "reserves", "储量报告"
        DESIGN = "design", "设计文件"
        TREATMENT = "treatment", "治理方案"
        ACCEPTANCE = "acceptance", "验收文件"
        CONTRACT = "contract", "出让转让合同"
        OTHER = "other", "其他"

    kind = models.CharField("类别", max_length=12, choices=Kind)
    title = models.CharField("名称", max_length=120)
    issued_on = models.DateField("文件日期", null=True, blank=True)
    file = models.FileField("文件", max_length=200)
    file_name = models.CharField("文件名", max_length=200)
    sha256 = models.CharField("SHA-256", max_length=64)
    uploaded_at = models.DateTimeField("上传时间")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="上传人", on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = "矿山文件"
        ordering: ClassVar = ["mine", "-pk"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["mine", "sha256"],
                name="mine_document_once",
                violation_error_message="这份文件已经在这座矿山的资料里。",
            )
        ]

    def __str__(self) -> str:
        return self.title
