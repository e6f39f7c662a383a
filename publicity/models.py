"""Hold what the public sees: notices as they were frozen on the day, and grants.

What the public sends in stands in publicity/objection_models.py.
"""

from typing import ClassVar

from django.conf import settings
from django.contrib.gis.db import models
from django.db.models import F, Func, Q, UniqueConstraint
from django.db.models.fields.json import KeyTextTransform, KeyTransform

from plans.models import CountyPlan, PlanVersion
from publicity.editions import PublicChange
from publicity.editions import PublicEdition as PublicEdition
from publicity.objection_models import Appearance as Appearance
from publicity.objection_models import Objection as Objection
from publicity.objection_models import ObjectionFile as ObjectionFile
from publicity.objection_models import ObjectionStep as ObjectionStep
from publicity.objection_models import Package as Package
from publicity.objection_models import Question as Question
from taskforce.models import County


def _length(name: str) -> Func:
    return Func(
        KeyTransform(name, "content"),
        function="jsonb_array_length",
        output_field=models.IntegerField(),
    )


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Find notices that anyone may read."""

    def public(self) -> "NoticeQuerySet":
        """Return every notice ever published; a withdrawn one stays visible as withdrawn."""
        return self.order_by("-published_at")

    def in_force(self) -> "NoticeQuerySet":
        """Return the notices that have not been withdrawn."""
        return self.filter(withdrawn_at__isnull=True).order_by("-published_at")

    def in_brief(self) -> "NoticeQuerySet":
        """Leave the content in the database; bring the little of it that lists show."""
        return self.defer("content").annotate(
            county_code=KeyTextTransform("county_code", "content"),
            county_name=KeyTextTransform("county", "content"),
            counts=KeyTransform("counts", "content"),
            mine_count=_length("mines"),
            area_count=_length("areas"),
        )


class Notice(models.Model):
    """Hold one 公示 of an approved plan (clause 六(三)); its content is frozen with its hash."""

    plan = models.ForeignKey(
        CountyPlan, verbose_name="方案", on_delete=models.PROTECT, related_name="notices"
    )
    version = models.ForeignKey(PlanVersion, verbose_name="版本", on_delete=models.PROTECT)
    # The withdrawn notice that this one corrects.
    replaces = models.OneToOneField(
        "self",
        verbose_name="更正",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="replaced_by",
    )
    title = models.CharField("标题", max_length=120)
    working_days = models.PositiveSmallIntegerField("公示工作日")
    starts_on = models.DateField("公示开始")
    ends_at = models.DateTimeField("公示截止")
    content = models.JSONField("公示内容")
    sha256 = models.CharField("内容 SHA-256", max_length=64)
    published_at = models.DateTimeField("发布时间")
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="发布人", on_delete=models.PROTECT
    )
    withdrawn_at = models.DateTimeField("撤回时间", null=True, blank=True)
    withdrawn_reason = models.TextField("撤回原因", blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = "公示"
        triggers: ClassVar = [PublicChange()]
        ordering: ClassVar = ["-published_at"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["plan"],
                condition=Q(withdrawn_at__isnull=True),
                name="notice_one_in_force_per_plan",
                violation_error_message="这份方案正在公示；要更正，请先撤回。",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True) | ~Q(withdrawn_reason=""),
                name="notice_withdrawn_with_reason",
                violation_error_message="撤回公示必须写明原因。",
            ),
            models.CheckConstraint(
                condition=Q(replaces__isnull=True) | ~Q(replaces=F("pk")),
                name="notice_does_not_replace_itself",
                violation_error_message="公示不能更正它自己。",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class NoticeShape(models.Model):
    """Hold one outline as published: a mine before, or an area after; for the public map."""

    notice = models.ForeignKey(
        Notice, verbose_name="公示", on_delete=models.CASCADE, related_name="shapes"
    )
    kind = models.CharField("类别", max_length=4, choices=[("mine", "现状"), ("area", "整合后")])
    name = models.CharField("名称", max_length=80)
    label = models.CharField("处置方式", max_length=20, blank=True)
    facts = models.JSONField("公开信息", default=dict)
    outline = models.MultiPolygonField("范围", srid=4490)

    class Meta:
        verbose_name = "公示图形"
        ordering: ClassVar = ["notice", "pk"]

    def __str__(self) -> str:
        return self.name


class PublicDocumentQuerySet(models.QuerySet["PublicDocument"]):
    """Find files that anyone may fetch."""

    def in_force(self) -> "PublicDocumentQuerySet":
        """Return the files of notices that have not been withdrawn."""
        return self.filter(notice__withdrawn_at__isnull=True)


class PublicDocument(models.Model):
    """Hold one file that the public may download with a notice."""

    notice = models.ForeignKey(
        Notice, verbose_name="公示", on_delete=models.CASCADE, related_name="documents"
    )
    title = models.CharField("名称", max_length=120)
    file = models.FileField("文件", upload_to="public/%Y/%m/", max_length=200)
    file_name = models.CharField("文件名", max_length=200)
    content_type = models.CharField("类型", max_length=80)
    size = models.PositiveIntegerField("大小")
    sha256 = models.CharField("SHA-256", max_length=64)

    objects = PublicDocumentQuerySet.as_manager()

    class Meta:
        verbose_name = "公开文件"
        triggers: ClassVar = [PublicChange()]
        ordering: ClassVar = ["notice", "pk"]

    def __str__(self) -> str:
        return self.title


class TransferNoticeQuerySet(models.QuerySet["TransferNotice"]):
    """Find grant information that anyone may read."""

    def public(self) -> "TransferNoticeQuerySet":
        """Return the items that have not been taken back."""
        return self.filter(withdrawn_at__isnull=True)


class TransferNotice(models.Model):
    """Hold one item of 矿业权整合和出让信息 (clause 六(三)); facts by the list of S-E07."""

    class Kind(models.TextChoices):
        AGREEMENT = "agreement", "协议出让"
        LISTING = "listing", "招标拍卖挂牌出让"
        MERGER = "merger", "整合结果"
        TRANSFER = "transfer", "转让"

    kind = models.CharField("类别", max_length=10, choices=Kind, default=Kind.LISTING)
    county = models.ForeignKey(
        County, verbose_name="县（市、区）", on_delete=models.PROTECT, null=True, blank=True
    )
    title = models.CharField("标题", max_length=120)
    facts = models.JSONField("内容", default=dict)
    source = models.CharField("来源", max_length=200, blank=True)
    # None for an item taken over from a report that names no year.
    published_on = models.DateField("公开日期", null=True, blank=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="发布人",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
    )
    withdrawn_at = models.DateTimeField("撤回时间", null=True, blank=True)
    is_demo = models.BooleanField("示例", default=False)

    objects = TransferNoticeQuerySet.as_manager()

    class Meta:
        verbose_name = "出让信息"
        triggers: ClassVar = [PublicChange()]
        ordering: ClassVar = [F("published_on").desc(nulls_last=True), "-pk"]

    def __str__(self) -> str:
        return self.title
