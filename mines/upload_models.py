"""Hold workbooks on their way into the registry, and what the columns of own tables mean."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q, UniqueConstraint

from taskforce.models import County


class RegistryUpload(models.Model):
    """Hold one workbook on its way into a county's registry: read, shown, confirmed, written.

    `problems` are rows of `sheet_values.CellProblem`; `summary` counts and lists for the page what
    would change; `plan_file` holds the changes themselves; `seen_mark` is the state of the registry
    that they were worked out against. `layout` describes a county's own table that waits for its
    columns to be named.
    """

    class State(models.TextChoices):
        RECEIVED = "received", "正在读取"
        UNMAPPED = "unmapped", "待对应列"
        REFUSED = "refused", "未通过"
        READY = "ready", "待确认"
        CONFIRMED = "confirmed", "正在写入"
        WRITTEN = "written", "已写入"
        DROPPED = "dropped", "已放弃"

    county = models.ForeignKey(
        County,
        verbose_name="县（市、区）",
        on_delete=models.PROTECT,
        related_name="registry_uploads",
    )
    file = models.FileField("文件", max_length=200)
    file_name = models.CharField("文件名", max_length=200)
    sha256 = models.CharField("SHA-256", max_length=64)
    as_of = models.DateField("数据截止")
    given_by = models.CharField("数据来源", max_length=200)
    state = models.CharField("状态", max_length=10, choices=State, default=State.RECEIVED)
    reading = models.PositiveSmallIntegerField("第几次读取", default=1)
    note = models.CharField("说明", max_length=300, blank=True)
    problems = models.JSONField("问题", default=list, blank=True)
    summary = models.JSONField("变更摘要", default=dict, blank=True)
    layout = models.JSONField("表格结构", default=dict, blank=True)
    plan_file = models.FileField("变更", max_length=200, blank=True)
    seen_mark = models.CharField("台账标记", max_length=64, blank=True)
    uploaded_at = models.DateTimeField("上传时间")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="上传人",
        on_delete=models.PROTECT,
        related_name="registry_uploads",
    )
    remove_gone = models.BooleanField("移出表中没有的矿山", default=False)
    confirmed_at = models.DateTimeField("确认时间", null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="确认人",
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
    )
    written_at = models.DateTimeField("写入时间", null=True, blank=True)

    class Meta:
        verbose_name = "台账导入"
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [models.Index(fields=["county", "state"])]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(confirmed_at__isnull=True, confirmed_by__isnull=True)
                | Q(confirmed_at__isnull=False, confirmed_by__isnull=False),
                name="registry_upload_confirmed_by_somebody",
                violation_error_message="确认时间和确认人必须同时填写。",
            ),
            models.CheckConstraint(
                condition=~Q(state="written") | Q(written_at__isnull=False),
                name="registry_upload_written_when",
                violation_error_message="已写入的导入必须有写入时间。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.county} 台账导入 {self.file_name}"


class ColumnMapping(models.Model):
    """Remember what the columns of a county's own table mean, by the look of its heads."""

    county = models.ForeignKey(
        County, verbose_name="县（市、区）", on_delete=models.PROTECT, related_name="+"
    )
    signature = models.CharField("表头特征", max_length=64)
    fields = models.JSONField("列的含义")
    made_at = models.DateTimeField("建立时间")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="建立人", on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = "列对应关系"
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["county", "signature"],
                name="column_mapping_once",
                violation_error_message="这种表头的对应关系已经有了。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.county} {self.signature[:8]}"
