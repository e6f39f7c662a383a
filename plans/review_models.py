"""Hold what the reviewing hands leave on a version: check-list, opinions, documents with scans."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q, UniqueConstraint

from taskforce.models import Organization

OPINION_TEXT_LENGTH = 2000
SCANS = "scans/%Y/%m/"


class FormalReview(models.Model):
    """Hold the formal check-list of one version: {S-H01: {presence, note}, …} (domain group H)."""

    version = models.OneToOneField(
        "plans.PlanVersion",
        verbose_name="版本",
        on_delete=models.PROTECT,
        related_name="formal_review",
    )
    items = models.JSONField("逐项结论", default=dict)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="审查人", on_delete=models.PROTECT
    )
    at = models.DateTimeField("审查时间")

    class Meta:
        verbose_name = "形式审查"
        ordering: ClassVar = ["-at"]

    def __str__(self) -> str:
        return f"{self.version} 形式审查"


class Opinion(models.Model):
    """Hold one member unit's written answer on a version (会签, clause 五(一))."""

    class Stance(models.TextChoices):
        AGREE = "agree", "同意"
        AGREE_IF_CHANGED = "change", "修改后同意"
        DISAGREE = "disagree", "不同意"

    version = models.ForeignKey(
        "plans.PlanVersion", verbose_name="版本", on_delete=models.PROTECT, related_name="opinions"
    )
    unit = models.ForeignKey(Organization, verbose_name="成员单位", on_delete=models.PROTECT)
    stance = models.CharField("意见", max_length=10, choices=Stance)
    text = models.TextField("说明", max_length=OPINION_TEXT_LENGTH, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="填写人", on_delete=models.PROTECT
    )
    at = models.DateTimeField("时间")

    class Meta:
        verbose_name = "会签意见"
        ordering: ClassVar = ["version", "unit"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["version", "unit"],
                name="opinion_once_per_unit_and_version",
                violation_error_message="本单位已经对这一版方案提交了会签意见。",
            ),
            models.CheckConstraint(
                condition=Q(stance="agree") | ~Q(text=""),
                name="opinion_says_why",
                violation_error_message="不同意或修改后同意的，请写明理由或修改要求。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.unit} {self.get_stance_display()}"


class PassedOver(models.Model):
    """Record that a leader let the way go on without a unit that did not answer in time."""

    version = models.ForeignKey(
        "plans.PlanVersion",
        verbose_name="版本",
        on_delete=models.PROTECT,
        related_name="passed_over",
    )
    unit = models.ForeignKey(Organization, verbose_name="成员单位", on_delete=models.PROTECT)
    note = models.TextField("领导批示")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="批示人", on_delete=models.PROTECT
    )
    at = models.DateTimeField("时间")

    class Meta:
        verbose_name = "逾期未会签批示"
        ordering: ClassVar = ["version", "unit"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["version", "unit"],
                name="passed_over_once_per_unit",
                violation_error_message="这个单位已经有批示。",
            ),
            models.CheckConstraint(
                condition=~Q(note=""),
                name="passed_over_with_note",
                violation_error_message="请写明批示意见。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.unit} 逾期未会签"


class Approval(models.Model):
    """Record the city government's approval of a version: number, day, organ, scan."""

    plan = models.OneToOneField(
        "plans.CountyPlan", verbose_name="方案", on_delete=models.PROTECT, related_name="approval"
    )
    version = models.OneToOneField(
        "plans.PlanVersion", verbose_name="版本", on_delete=models.PROTECT
    )
    document_number = models.CharField("批准文号", max_length=60)
    approved_on = models.DateField("批准日期")
    organ = models.CharField("批准机关", max_length=60, default="朔州市人民政府")
    scan = models.FileField("扫描件", upload_to=SCANS, max_length=200, blank=True)
    scan_sha256 = models.CharField("扫描件 SHA-256", max_length=64, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="登记人", on_delete=models.PROTECT
    )
    at = models.DateTimeField("登记时间")

    class Meta:
        verbose_name = "批准"
        ordering: ClassVar = ["-approved_on"]

    def __str__(self) -> str:
        return self.document_number


class OfficialDocument(models.Model):
    """Record a document that moved a plan on after the approval: number, day, organ, scan."""

    class Kind(models.TextChoices):
        FILING = "filing", "省级报批"
        REPLY = "reply", "批复"
        ISSUE = "issue", "印发实施"

    plan = models.ForeignKey(
        "plans.CountyPlan", verbose_name="方案", on_delete=models.PROTECT, related_name="documents"
    )
    kind = models.CharField("类别", max_length=10, choices=Kind)
    document_number = models.CharField("文号", max_length=60)
    dated_on = models.DateField("日期")
    organ = models.CharField("机关", max_length=60)
    scan = models.FileField("扫描件", upload_to=SCANS, max_length=200)
    scan_sha256 = models.CharField("扫描件 SHA-256", max_length=64)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="登记人", on_delete=models.PROTECT
    )
    at = models.DateTimeField("登记时间")

    class Meta:
        verbose_name = "文件"
        ordering: ClassVar = ["plan", "pk"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["plan", "kind"],
                name="document_once_per_plan_and_kind",
                violation_error_message="这份方案已经登记过同类文件。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.document_number}"


class Dossier(models.Model):
    """Hold one whole file of a plan as it was on a day: a zip with a list of hashes."""

    plan = models.ForeignKey(
        "plans.CountyPlan", verbose_name="方案", on_delete=models.PROTECT, related_name="dossiers"
    )
    file = models.FileField("文件", upload_to="dossiers/%Y/%m/", max_length=200)
    size = models.PositiveBigIntegerField("大小")
    sha256 = models.CharField("SHA-256", max_length=64)
    made_at = models.DateTimeField("生成时间")

    class Meta:
        verbose_name = "方案档案"
        ordering: ClassVar = ["-made_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.plan} 档案"
