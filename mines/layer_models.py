"""Hold what administrators load beside the registry: planning and control layers, terrain."""

from datetime import date
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.gis.db import models
from django.db.models import Q, UniqueConstraint
from django.utils import timezone

from standards.terms import ZoneKind
from taskforce.permissions import can_anywhere, can_city

TERRAIN = "terrain"
KINDS = [*ZoneKind.choices(), (TERRAIN, "地形（数字高程模型）")]


class LayerQuerySet(models.QuerySet["Layer"]):
    """Find the layers that a person may look at, and those that count on a day."""

    def visible_to(self, user: Any) -> "LayerQuerySet":
        """Return all to who keeps the layers, open ones to who may see mines; else none."""
        if can_city(user, "manage_layers"):
            return self.all()
        if can_anywhere(user, "see_mines"):
            return self.filter(confidentiality=Layer.Confidentiality.OPEN)
        return self.none()

    def in_force(self, on: date) -> "LayerQuerySet":
        """Return of each layer by name the newest that was there on a day, and was not retired."""
        there = self.filter(state=Layer.State.READY, as_of__lte=on)
        newest = there.order_by("name", "-as_of").distinct("name").values("pk")
        return self.filter(pk__in=newest).order_by("name")

    def zones(self) -> "LayerQuerySet":
        """Return planning and control layers, without terrain."""
        return self.exclude(kind=TERRAIN)

    def terrain(self) -> "LayerQuerySet":
        """Return digital elevation models."""
        return self.filter(kind=TERRAIN)


class Layer(models.Model):
    """Hold one file of a layer as it was on a day; a later day is another version of that name.

    No layer is on any public page; shapes of internal ones are shown to their keepers alone, and
    checks report measures. Classified (涉密) data must not be loaded at all.
    `covers` lists the counties (codes) for which the layer is complete; elsewhere it says nothing.
    `notes` are sentences about what was mended while reading.
    """

    class State(models.TextChoices):
        RECEIVED = "received", "正在读取"
        REFUSED = "refused", "未通过"
        READY = "ready", "使用中"
        RETIRED = "retired", "已停用"

    class Confidentiality(models.TextChoices):
        OPEN = "open", "可公开"
        INTERNAL = "internal", "内部，限于维护人员"

    name = models.CharField("名称", max_length=60)
    kind = models.CharField("类别", max_length=12, choices=KINDS)
    source = models.CharField("来源单位和文件", max_length=200)
    as_of = models.DateField("数据日期")
    confidentiality = models.CharField(
        "知悉范围", max_length=8, choices=Confidentiality, default=Confidentiality.INTERNAL
    )
    covers = models.JSONField("覆盖的县（市、区）", default=list)
    epsg = models.PositiveIntegerField("坐标系", null=True, blank=True)
    file = models.FileField("文件", max_length=200)
    file_name = models.CharField("文件名", max_length=200)
    sha256 = models.CharField("SHA-256", max_length=64)
    state = models.CharField("状态", max_length=10, choices=State, default=State.RECEIVED)
    problem = models.TextField("未通过的原因", blank=True)
    notes = models.JSONField("说明", default=list, blank=True)
    shapes_count = models.PositiveIntegerField("图形数", default=0)
    cell_m = models.FloatField("格网间距（米）", null=True, blank=True)
    extent = models.PolygonField("范围", srid=4490, null=True, blank=True)
    is_demo = models.BooleanField("示例", default=False)
    uploaded_at = models.DateTimeField("上传时间", default=timezone.now)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="上传人", on_delete=models.PROTECT, related_name="+",
        null=True, blank=True,
    )  # fmt: skip

    objects = LayerQuerySet.as_manager()

    class Meta:
        verbose_name = "图层"
        ordering: ClassVar = ["name", "-as_of", "-pk"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["name", "as_of"],
                condition=Q(state__in=["received", "ready"]),
                name="layer_once_per_name_and_day",
                violation_error_message="这个图层已经有同一天的数据，请先停用再上传。",
            ),
            models.CheckConstraint(
                condition=~Q(kind=TERRAIN) | ~Q(confidentiality="open"),
                name="layer_terrain_is_internal",
                violation_error_message="高程数据只能内部使用。",
            ),
            models.CheckConstraint(
                condition=~Q(state="refused") | ~Q(problem=""),
                name="layer_refused_says_why",
                violation_error_message="未通过的图层必须写明原因。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}（{self.as_of.isoformat()}）"

    @property
    def is_terrain(self) -> bool:
        """Tell whether this is a digital elevation model."""
        return self.kind == TERRAIN

    @property
    def document(self) -> str:
        """Return what findings name as the source."""
        return f"{self.source}，{self.as_of.isoformat()}"

    def covers_county(self, county_code: str) -> bool:
        """Tell whether the layer says something about a county."""
        return county_code in self.covers


class LayerShape(models.Model):
    """Hold one piece of a layer: a polygon cut small, or the ridge lines of a block of terrain."""

    layer = models.ForeignKey(Layer, on_delete=models.CASCADE, related_name="shapes")
    shape: Any = models.GeometryField("图形", srid=4490)

    class Meta:
        verbose_name = "图形"
        ordering: ClassVar = ["layer", "pk"]

    def __str__(self) -> str:
        return f"{self.layer} {self.pk}"
