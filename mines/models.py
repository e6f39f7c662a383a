"""Hold the registry of 摸底调查 (clause 五(一)): mines, rights, systems, stocks, boundaries."""

from typing import Any, ClassVar

import pghistory
from django.contrib.gis.db import models
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db.models import F, Func, Q, UniqueConstraint

from mines.check_models import MineCheckPart, MineCheckRun, MineFinding, MineStanding  # noqa: F401
from mines.layer_models import Layer, LayerShape  # noqa: F401
from mines.listed_changes import ListedChange  # noqa: F401
from mines.listed_models import ListedMine, ListedShape  # noqa: F401
from mines.record_models import (  # noqa: F401
    Acceptance,
    MineDocument,
    RightEvent,
    TreatmentCheck,
    TreatmentPlan,
    YearOutput,
)
from mines.upload_models import ColumnMapping, RegistryUpload  # noqa: F401
from standards.terms import Method, MineState, ScaleUnit
from taskforce.models import County
from taskforce.permissions import counties_where

CGCS2000 = 4490


def _found_by(field: str) -> dict[str, Any]:
    """Let the entries of a history be looked up by one field."""
    return {"indexes": [models.Index(fields=[field])]}


class Mineral(models.Model):
    """Name a mineral with its group and its rows of the national class tables.

    `reserve_row` and `production_row` keep unit, limits, source and confidence as
    fixtures/minerals.json states them; a missing limit stays missing.
    """

    code = models.CharField("矿种代码", max_length=8, primary_key=True)
    name = models.CharField("矿种", max_length=40, unique=True)
    facts = models.JSONField("分类与规模表", default=dict)

    class Meta:
        verbose_name = "矿种"
        ordering: ClassVar = ["code"]

    def __str__(self) -> str:
        return self.name


class Holder(models.Model):
    """Name a holder of mining rights; the parent chain answers 同一主体 of 四(二)4."""

    name = models.CharField("采矿权人", max_length=80)
    uscc = models.CharField("统一社会信用代码", max_length=18, blank=True)
    parent = models.ForeignKey(
        "self", verbose_name="母公司", on_delete=models.PROTECT, null=True, blank=True
    )
    parent_share = models.DecimalField(
        "母公司持股比例", max_digits=5, decimal_places=4, null=True, blank=True
    )

    class Meta:
        verbose_name = "采矿权人"
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["uscc"],
                condition=~Q(uscc=""),
                name="holder_uscc_once",
                violation_error_message="这个统一社会信用代码已经登记在另一家采矿权人名下。",
            ),
            models.CheckConstraint(
                condition=Q(parent_share__isnull=True)
                | Q(parent_share__gte=0, parent_share__lte=1),
                name="holder_share_is_fraction",
                violation_error_message="持股比例应在 0 到 1 之间，例如 1 表示全资。",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class OreBody(models.Model):
    """Name an ore body that one or more rights dig."""

    code = models.CharField("矿体编号", max_length=30, unique=True)
    name = models.CharField("矿体", max_length=60, blank=True)

    class Meta:
        verbose_name = "矿体"
        ordering: ClassVar = ["code"]

    def __str__(self) -> str:
        return self.name or self.code


class MineQuerySet(models.QuerySet["Mine"]):
    """Find mines as lists, maps and plans need them."""

    def visible_to(self, user: Any) -> "MineQuerySet":
        """Return the mines of the counties whose registry this user may see."""
        return self.filter(county__in=counties_where(user, "see_mines"))

    def in_scope(self) -> "MineQuerySet":
        """Return the mines that a county plan has to name: every non-coal right (四(一))."""
        return self.filter(removed_on__isnull=True)

    def with_registry_facts(self) -> "MineQuerySet":
        """Load in a fixed number of queries what list rows, templates and checks read."""
        return self.select_related("county", "holder", "mineral", "boundary").prefetch_related(
            "licences", "systems", "stocks", "ore_bodies"
        )


@pghistory.track(meta=_found_by("pgh_obj"))
class Mine(models.Model):
    """Hold one mine of the registry with what the standards ask of it."""

    registry_no = models.CharField("台账编号", max_length=20, unique=True)
    name = models.CharField("矿山名称", max_length=80)
    county = models.ForeignKey(
        County,
        verbose_name="县（市、区）",
        on_delete=models.PROTECT,
        related_name="mines",
        db_index=False,
    )
    township = models.CharField("乡镇", max_length=40, blank=True)
    holder = models.ForeignKey(
        Holder, verbose_name="采矿权人", on_delete=models.PROTECT, related_name="mines"
    )
    mineral = models.ForeignKey(
        Mineral,
        verbose_name="开采矿种",
        on_delete=models.PROTECT,
        related_name="mines",
        db_index=False,
    )
    method = models.CharField("开采方式", max_length=12, choices=Method.choices(), blank=True)
    state = models.CharField("生产状态", max_length=12, choices=MineState.choices(), blank=True)
    suspended_since = models.DateField("停产起始日期", null=True, blank=True)
    last_production_on = models.DateField("最近生产日期", null=True, blank=True)
    service_life_years = models.DecimalField(
        "服务年限（年）", max_digits=6, decimal_places=2, null=True, blank=True
    )
    life_includes_construction = models.BooleanField("服务年限含基建期", null=True, blank=True)
    construction_years = models.DecimalField(
        "基建期（年）", max_digits=5, decimal_places=2, null=True, blank=True
    )
    recoverable = models.DecimalField(
        "可采储量", max_digits=14, decimal_places=4, null=True, blank=True
    )
    density = models.DecimalField(
        "体重（吨/立方米）", max_digits=5, decimal_places=3, null=True, blank=True
    )
    is_on_ridge = models.BooleanField("以山脊划界", null=True, blank=True)
    ore_bodies = models.ManyToManyField(
        OreBody, verbose_name="矿体", blank=True, related_name="mines"
    )
    safety_licence_no = models.CharField("安全生产许可证", max_length=40, blank=True)
    safety_licence_valid_to = models.DateField("安全生产许可证有效期止", null=True, blank=True)
    accepted_on = models.DateField("环境恢复验收日期", null=True, blank=True)
    acceptance = models.CharField("县级验收结论", max_length=20, blank=True)
    as_of = models.DateField("数据截止")
    given_by = models.CharField("数据来源", max_length=200)
    is_demo = models.BooleanField("示例数据", default=False)
    removed_on = models.DateField("移出台账日期", null=True, blank=True)

    objects = MineQuerySet.as_manager()

    class Meta:
        verbose_name = "矿山"
        ordering: ClassVar = ["registry_no"]
        indexes: ClassVar = [
            models.Index(fields=["county", "state"]),
            models.Index(fields=["mineral"]),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(service_life_years__isnull=True) | Q(service_life_years__gte=0),
                name="mine_life_not_negative",
                violation_error_message="服务年限不能是负数。",
            ),
            models.CheckConstraint(
                condition=Q(density__isnull=True) | Q(density__gt=0, density__lt=10),
                name="mine_density_plausible",
                violation_error_message="体重应大于 0 且小于 10 吨/立方米。",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def licence(self) -> "Licence | None":
        """Return the licence period that ends last; reads the prefetched rows."""
        periods = sorted(self.licences.all(), key=lambda period: period.valid_to)
        return periods[-1] if periods else None


class _DateRange(Func):
    function = "daterange"
    output_field = models.Field()


@pghistory.track(meta=_found_by("mine"))
class Licence(models.Model):
    """Hold one period of a 采矿许可证; the number is permanent, the period is the row."""

    mine = models.ForeignKey(
        Mine, verbose_name="矿山", on_delete=models.CASCADE, related_name="licences"
    )
    number = models.CharField("采矿许可证号", max_length=30)
    number_given = models.CharField("原始证号", max_length=60, blank=True)
    is_legacy = models.BooleanField("旧证号", default=False)
    valid_from = models.DateField("有效期起")
    valid_to = models.DateField("有效期止")
    issuer = models.CharField("发证机关", max_length=60, blank=True)
    area_km2 = models.DecimalField(
        "证载面积（km²）", max_digits=9, decimal_places=4, null=True, blank=True
    )
    elevation_top_m = models.DecimalField(
        "开采标高上限（m）", max_digits=7, decimal_places=2, null=True, blank=True
    )
    elevation_bottom_m = models.DecimalField(
        "开采标高下限（m）", max_digits=7, decimal_places=2, null=True, blank=True
    )
    scale = models.DecimalField(
        "证载生产规模", max_digits=10, decimal_places=3, null=True, blank=True
    )
    scale_unit = models.CharField("单位", max_length=8, choices=ScaleUnit.choices(), blank=True)

    class Meta:
        verbose_name = "采矿许可证"
        ordering: ClassVar = ["mine", "valid_from"]
        indexes: ClassVar = [models.Index(fields=["number"])]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(valid_to__gte=F("valid_from")),
                name="licence_ends_after_start",
                violation_error_message="许可证有效期止不能早于有效期起。",
            ),
            models.CheckConstraint(
                condition=Q(elevation_top_m__isnull=True)
                | Q(elevation_bottom_m__isnull=True)
                | Q(elevation_top_m__gt=F("elevation_bottom_m")),
                name="licence_top_above_bottom",
                violation_error_message="开采标高上限应高于下限。",
            ),
            models.CheckConstraint(
                condition=Q(scale__isnull=True) | Q(scale__gt=0) & ~Q(scale_unit=""),
                name="licence_scale_has_unit",
                violation_error_message="生产规模应大于 0，并写明单位。",
            ),
            ExclusionConstraint(
                name="licence_periods_apart",
                expressions=[
                    ("mine", RangeOperators.EQUAL),
                    (_DateRange("valid_from", "valid_to"), RangeOperators.OVERLAPS),
                ],
                violation_error_message="同一矿山的两段许可证有效期不能重叠。",
            ),
        ]

    def __str__(self) -> str:
        return self.number


@pghistory.track(meta=_found_by("mine"))
class ProductionSystem(models.Model):
    """Hold one 独立生产系统; 四(二)2 tests each of them by itself."""

    mine = models.ForeignKey(
        Mine, verbose_name="矿山", on_delete=models.CASCADE, related_name="systems"
    )
    name = models.CharField("系统名称", max_length=40)
    method = models.CharField("开采方式", max_length=12, choices=Method.choices(), blank=True)
    design_scale = models.DecimalField(
        "设计规模", max_digits=10, decimal_places=3, null=True, blank=True
    )
    unit = models.CharField("单位", max_length=8, choices=ScaleUnit.choices(), blank=True)

    class Meta:
        verbose_name = "独立生产系统"
        ordering: ClassVar = ["mine", "pk"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["mine", "name"],
                name="system_name_once_per_mine",
                violation_error_message="同一矿山的两个生产系统不能同名。",
            ),
            models.CheckConstraint(
                condition=Q(design_scale__isnull=True) | Q(design_scale__gt=0) & ~Q(unit=""),
                name="system_scale_has_unit",
                violation_error_message="设计规模应大于 0，并写明单位。",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class StockClass(models.TextChoices):
    """Classes of GB/T 17766-2020; resources and reserves are never added together."""

    MEASURED = "measured", "探明资源量"
    INDICATED = "indicated", "控制资源量"
    INFERRED = "inferred", "推断资源量"
    PROVED = "proved", "证实储量"
    PROBABLE = "probable", "可信储量"


@pghistory.track(meta=_found_by("mine"))
class Stock(models.Model):
    """Hold the amount of one resource or reserve class of a mine."""

    mine = models.ForeignKey(
        Mine, verbose_name="矿山", on_delete=models.CASCADE, related_name="stocks"
    )
    stock_class = models.CharField("类别", max_length=10, choices=StockClass)
    amount = models.DecimalField("数量", max_digits=14, decimal_places=4)
    unit = models.CharField("单位", max_length=12, default="万吨")
    as_of = models.DateField("截止日期")

    class Meta:
        verbose_name = "资源储量"
        ordering: ClassVar = ["mine", "pk"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["mine", "stock_class"],
                name="stock_class_once_per_mine",
                violation_error_message="同一矿山的每类资源量、储量只填一次。",
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=0),
                name="stock_not_negative",
                violation_error_message="资源量、储量不能是负数。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_stock_class_display()} {self.amount}{self.unit}"


@pghistory.track(
    meta=_found_by("mine"),
    attrs={"outline": models.MultiPolygonField("范围", srid=CGCS2000, spatial_index=False)},
)
class Boundary(models.Model):
    """Hold the 矿区范围 of a mine in CGCS2000; the given text stays beside the geometry.

    `area_km2` is ellipsoidal (TD/T 1055-2019). `regions` keeps each region's name, elevations in
    metres and corner points as given, for display and for writing the text again.
    """

    mine = models.OneToOneField(
        Mine, verbose_name="矿山", on_delete=models.CASCADE, related_name="boundary"
    )
    outline = models.MultiPolygonField("范围", srid=CGCS2000)
    area_km2 = models.DecimalField("计算面积（km²）", max_digits=9, decimal_places=4)
    regions = models.JSONField("区域", default=list)
    source_text = models.TextField("原始坐标", blank=True)
    is_schematic = models.BooleanField("示意范围", default=False)
    as_of = models.DateField("数据截止")

    class Meta:
        verbose_name = "矿区范围"
        ordering: ClassVar = ["mine"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(outline__isvalid=True),
                name="boundary_is_valid",
                violation_error_message="矿区范围自相交或不闭合，请检查拐点次序。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.mine} 矿区范围"
