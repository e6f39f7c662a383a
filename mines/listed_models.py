"""Hold what list, search and map read of each mine; triggers of the database keep it right."""

from typing import Any, ClassVar

from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex

from standards.terms import Method, MineState
from taskforce.permissions import codes_where

WEB_MERCATOR = 3857
COUNTED = (
    "mineral",
    "is_sand_stone",
    "minimum_key",
    "method",
    "state",
    "licence_ends",
    "least_scale",
    "scale_wan_t",
    "area_km2",
)


# By what the list can be put in order, besides number, county and end of the licence.
ORDERS = {
    "name": "name",
    "holder": "holder",
    "mineral": "mineral",
    "method": "method",
    "state": "state",
    "scale": "scale_wan_t",
    "life": "service_life_years",
    "area": "area_km2",
    "as_of": "as_of",
}


class ListedMineQuerySet(models.QuerySet["ListedMine"]):
    """Find the mines of the list by who may see them."""

    def visible_to(self, user: Any) -> "ListedMineQuerySet":
        """Return the mines of the counties whose registry this user may see."""
        return self.filter(county__in=codes_where(user, "see_mines"))


class ListedMine(models.Model):
    """Hold one mine in scope as the list filters, sorts and adds it up; a mine removed has no row.

    Written by the triggers of the migrations alone. `scale_wan_t` adds the design scales of all
    systems, null while one of them is unknown; `least_scale` is the smallest known one, both in
    万吨/年. `minimum_key` names the minimum of 四(二)2 for the mineral, "" where none is certain.
    `words` are name, holder, numbers and township in lower case of half width, one to a line;
    `bigrams` are all two characters that stand side by side in a line.
    """

    mine = models.OneToOneField(
        "mines.Mine",
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="listed",
        db_constraint=False,
    )
    registry_no = models.CharField("台账编号", max_length=20)
    name = models.CharField("矿山名称", max_length=80)
    county = models.ForeignKey(
        "taskforce.County",
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    county_order = models.PositiveSmallIntegerField("县序")
    holder = models.CharField("采矿权人", max_length=80)
    mineral = models.ForeignKey(
        "mines.Mineral",
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    is_sand_stone = models.BooleanField("普通建筑用砂石土")
    minimum_key = models.CharField("最低规模", max_length=40)
    method = models.CharField("开采方式", max_length=12, choices=Method.choices())
    state = models.CharField("生产状态", max_length=12, choices=MineState.choices())
    service_life_years = models.DecimalField(
        "服务年限（年）", max_digits=6, decimal_places=2, null=True
    )
    licence_ends = models.DateField("证到期日", null=True)
    scale_wan_t = models.DecimalField("设计规模", max_digits=20, decimal_places=6, null=True)
    least_scale = models.DecimalField("最小系统规模", max_digits=20, decimal_places=6, null=True)
    area_km2 = models.DecimalField("范围面积", max_digits=9, decimal_places=4, null=True)
    as_of = models.DateField("数据截止")
    words = models.TextField("搜索文字")
    bigrams = ArrayField(models.TextField(), verbose_name="相邻两字")

    objects = ListedMineQuerySet.as_manager()

    class Meta:
        verbose_name = "台账行"
        ordering: ClassVar = ["registry_no"]
        default_permissions = ()
        # Each order of the list; the number decides between equals. An index with the mine and
        # its county is read alone, without the wide rows themselves; the first two also answer
        # for totals and for places in the usual order under any filter but the search.
        indexes: ClassVar = [
            models.Index(
                fields=["registry_no"], include=("mine", "county", *COUNTED), name="listed_no"
            ),
            models.Index(
                fields=["county", "registry_no"], include=("mine", *COUNTED), name="listed_county"
            ),
            models.Index(
                fields=["licence_ends", "registry_no"],
                include=("mine", "county", "area_km2", "scale_wan_t"),
                name="listed_ends",
            ),
            *(
                models.Index(
                    fields=[field, "registry_no"], include=("mine", "county"), name=f"listed_{name}"
                )
                for name, field in ORDERS.items()
            ),
            GinIndex(fields=["bigrams"], name="listed_bigrams"),
        ]

    def __str__(self) -> str:
        return self.name


class ListedShape(models.Model):
    """Hold a mine's outline as tiles draw it; `coarse` is for zooms at which details are lost.

    Written by the triggers of the migrations alone, in metres of the web's map projection.
    """

    mine = models.OneToOneField(
        "mines.Mine",
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,
    )
    outline = models.MultiPolygonField("范围", srid=WEB_MERCATOR)
    coarse = models.GeometryField("简化范围", srid=WEB_MERCATOR, spatial_index=False)

    class Meta:
        verbose_name = "瓦片图形"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.mine_id}"
