"""Find mines by what a reader chooses; list, map, tiles, exports and API share these filters."""

import math
import unicodedata
from datetime import timedelta
from functools import cache
from typing import Any, TypeVar

import django_filters
from django import forms
from django.contrib.gis.geos import Polygon
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.forms.utils import flatatt
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from mines.check_models import MineCheckRun, MineStanding
from mines.listed_models import ListedMine, ListedMineQuerySet
from mines.models import CGCS2000, Boundary, Mine, MineQuerySet, Mineral
from mines.scale_conditions import below_and_governed, of_class
from standards.terms import Method, MineState, ScaleClass
from taskforce.permissions import counties_where

LICENCE_CHOICES = [
    ("expired", "已到期"),
    ("30", "30 天内到期"),
    ("60", "60 天内到期"),
    ("90", "90 天内到期"),
    ("180", "180 天内到期"),
    ("365", "一年内到期"),
    ("none", "没有登记许可证"),
]
GROUP_CHOICES = [("sand_stone", "普通建筑用砂石土"), ("other", "其他矿种")]
SCALE_CHOICES = [
    ("below", "有系统低于最低规模"),
    ("reached", "各系统达到最低规模"),
    ("unknown", "不能判断"),
]
SIZE_CHOICES = [*ScaleClass.choices(), ("unknown", "不能判断")]
FINDING_CHOICES = [
    ("fail", "有不符合"),
    ("review", "有待研判，没有不符合"),
    ("nodata", "只有缺数据"),
    ("pass", "没有发现问题"),
]
SORTS = {
    "no": "registry_no",
    "name": "name",
    "county": "county_id",
    "holder": "holder",
    "mineral": "mineral_id",
    "method": "method",
    "state": "state",
    "scale": "scale_wan_t",
    "life": "service_life_years",
    "ends": "licence_ends",
    "area": "area_km2",
    "as_of": "as_of",
}
MOST_DAYS = 36_500
USUAL = ("q", "county", "mineral", "state", "licence")
MAY_BE_UNKNOWN = {"scale_wan_t", "service_life_years", "licence_ends", "area_km2"}
Box = tuple[float, float, float, float]
Sorted = TypeVar("Sorted", bound=QuerySet[Any])


class PlainSelect(forms.Select):
    """Write a choice as Django does, without a template for every option."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:  # noqa: ARG002
        """Return the element with the chosen option marked."""
        chosen = {str(each) for each in self.format_value(value)}
        options = format_html_join(
            "\n",
            '<option value="{}"{}>{}</option>',
            (
                ("" if key is None else key, SELECTED if str(key or "") in chosen else "", label)
                for key, label in self.choices
            ),
        )
        element = flatatt(self.build_attrs(self.attrs, {**(attrs or {}), "name": name}))
        return format_html("<select{}>{}</select>", element, options)


SELECTED = mark_safe(" selected")


class BoxField(forms.CharField):
    """Read a box of degrees, "west,south,east,north"."""

    def clean(self, value: Any) -> Any:
        """Return the four numbers, or "" for none."""
        text = super().clean(value)
        box = read_box(text)
        if text and box is None:
            raise forms.ValidationError(
                "地图范围应是西、南、东、北四个数，用逗号隔开，例如 112.1,39.1,112.7,39.5。"
            )
        return box or ""


class DaysFilter(django_filters.Filter):  # type: ignore[misc]
    """Filter by a whole number of days."""

    field_class = forms.IntegerField


class BoxFilter(django_filters.Filter):  # type: ignore[misc]
    """Filter by a box of degrees."""

    field_class = BoxField


def _folded(text: str) -> str:
    """Return words as the list keeps them for searching."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def _pairs(text: str) -> list[str]:
    return sorted({text[at : at + 2] for at in range(len(text) - 1)})


Choices = list[tuple[str, str]]


def _visible_counties(user: Any) -> Choices:
    counties = counties_where(user, "see_mines").order_by("order")
    return list(counties.values_list("code", "name"))


def _minerals_dug(user: Any) -> Choices:
    mines = ListedMine.objects.visible_to(user).filter(mineral=OuterRef("pk"))
    minerals = Mineral.objects.filter(Exists(mines)).order_by("code")
    return list(minerals.values_list("code", "name"))


def _choice(label: str, **more: Any) -> Any:
    return django_filters.ChoiceFilter(label=label, empty_label="全部", widget=PlainSelect, **more)


class MineFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Narrow the mines that a user may see; the queryset given is already theirs."""

    q = django_filters.CharFilter(
        method="search",
        label="名称、采矿权人、证号",
        min_length=2,
        max_length=60,
        error_messages={"min_length": "请至少输入两个字。", "max_length": "搜索文字最多 60 个字。"},
    )
    county = _choice("县（市、区）")
    mineral = _choice("矿种")
    state = _choice("生产状态", choices=MineState.choices())
    licence = _choice("采矿许可证", choices=LICENCE_CHOICES, method="by_licence")
    group = _choice("矿类", choices=GROUP_CHOICES, method="of_group")
    method = _choice("开采方式", choices=Method.choices())
    size = _choice("规模类别（按设计规模）", choices=SIZE_CHOICES, method="of_size")
    scale = _choice("最低规模", choices=SCALE_CHOICES, method="by_scale")
    findings = _choice("最近一次标准检查", choices=FINDING_CHOICES, method="by_findings")
    holder = django_filters.CharFilter(
        method="of_holder",
        label="采矿权人",
        min_length=2,
        max_length=60,
        error_messages={"min_length": "请至少输入两个字。", "max_length": "搜索文字最多 60 个字。"},
    )
    days = DaysFilter(
        method="ending_soon",
        label="采矿许可证几天内到期",
        min_value=0,
        max_value=MOST_DAYS,
        error_messages={
            "invalid": "请填写整数天数。",
            "min_value": "天数不能是负数。",
            "max_value": f"天数最多 {MOST_DAYS}。",
        },
        widget=forms.TextInput(attrs={"inputmode": "numeric", "unit": "天"}),
    )
    bbox = BoxFilter(
        method="in_box",
        label="地图范围（西,南,东,北，度）",
        max_length=100,
        widget=forms.TextInput(attrs={"placeholder": "112.10,39.10,112.70,39.50"}),
        help_text="也可以在地图上框选。",
    )

    class Meta:
        model = ListedMine
        fields = (
            "q", "county", "mineral", "state", "licence", "group", "method", "size", "scale",
            "findings", "holder", "days", "bbox",
        )  # fmt: skip

    def __init__(self, data: Any, *, request: HttpRequest) -> None:
        user = request.user
        super().__init__(data, queryset=ListedMine.objects.visible_to(user), request=request)
        # Asked for once, and only if the form is drawn or the filter used.
        self.filters["county"].extra["choices"] = cache(lambda: _visible_counties(user))
        self.filters["mineral"].extra["choices"] = cache(lambda: _minerals_dug(user))

    @property
    def usual(self) -> list[forms.BoundField]:
        """Return the fields that the page shows at once."""
        return [self.form[name] for name in USUAL]

    @property
    def further(self) -> list[forms.BoundField]:
        """Return the fields that the page keeps folded until one is used."""
        return [field for field in self.form.visible_fields() if field.name not in USUAL]

    @property
    def is_further_used(self) -> bool:
        """Tell whether a folded field holds anything."""
        return any(self.data.get(field.name) for field in self.further)

    @property
    def listed(self) -> ListedMineQuerySet:
        """Return the rows found; none while a filter cannot be read."""
        found: ListedMineQuerySet = self.qs if self.is_valid() else self.queryset.none()
        return found

    @property
    def chosen(self) -> MineQuerySet:
        """Return the mines found; none while a filter cannot be read."""
        return Mine.objects.filter(pk__in=self.listed.order_by().values("pk"))

    def search(self, mines: ListedMineQuerySet, _name: str, value: str) -> ListedMineQuerySet:
        """Find words in name, holder, registry or licence number; full width counts as half."""
        text = _folded(value)
        if pairs := _pairs(text):
            mines = mines.filter(bigrams__contains=pairs)
        # Two characters are found by the index alone; more may stand apart.
        return mines if len(text) == 2 else mines.filter(words__contains=text)

    def of_holder(self, mines: ListedMineQuerySet, _name: str, value: str) -> ListedMineQuerySet:
        """Find words in the holder's name alone."""
        if pairs := _pairs(_folded(value)):
            mines = mines.filter(bigrams__contains=pairs)
        return mines.filter(holder__icontains=value.strip())

    def of_group(self, mines: ListedMineQuerySet, _name: str, value: str) -> ListedMineQuerySet:
        """Keep 普通建筑用砂石土, or all others."""
        return mines.filter(is_sand_stone=value == "sand_stone")

    def by_licence(self, mines: ListedMineQuerySet, _name: str, value: str) -> ListedMineQuerySet:
        """Keep mines whose last licence period has ended, ends soon, or was never entered."""
        today = timezone.localdate()
        if value == "none":
            return mines.filter(licence_ends__isnull=True)
        if value == "expired":
            return mines.filter(licence_ends__lt=today)
        return mines.filter(licence_ends__range=(today, today + timedelta(days=int(value))))

    def ending_soon(self, mines: ListedMineQuerySet, _name: str, value: int) -> ListedMineQuerySet:
        """Keep mines whose last licence period ends within so many days from today."""
        today = timezone.localdate()
        return mines.filter(licence_ends__range=(today, today + timedelta(days=value)))

    def of_size(self, mines: ListedMineQuerySet, _name: str, value: str) -> ListedMineQuerySet:
        """Keep mines of one class of the national table, or those that have none."""
        if value != "unknown":
            return mines.filter(of_class(ScaleClass(value)))
        graded = Q()
        for size in ScaleClass:
            graded |= of_class(size)
        return mines.exclude(pk__in=self.queryset.filter(graded).order_by().values("pk"))

    def by_findings(self, mines: ListedMineQuerySet, _name: str, value: str) -> ListedMineQuerySet:
        """Keep mines by the gravest verdict of the newest finished check of the registry."""
        run = MineCheckRun.objects.newest_finished()
        found = MineStanding.objects.filter(run=run and run.pk, verdict=value)
        return mines.filter(pk__in=found.order_by().values("mine"))

    def by_scale(self, mines: ListedMineQuerySet, _name: str, value: str) -> ListedMineQuerySet:
        """Keep mines by how their systems stand to the minimum scale."""
        below, governed = below_and_governed()
        if value == "below":
            return mines.filter(below)
        above = governed & Q(scale_wan_t__isnull=False) & ~below
        if value == "reached":
            return mines.filter(above)
        return mines.exclude(below).exclude(above)

    def in_box(self, mines: ListedMineQuerySet, _name: str, value: Box) -> ListedMineQuerySet:
        """Keep mines whose boundary meets the box."""
        box = Polygon.from_bbox(value)
        box.srid = CGCS2000
        inside = Boundary.objects.filter(outline__bboverlaps=box)
        return mines.filter(pk__in=inside.order_by().values("mine"))


def read_box(text: str) -> Box | None:
    """Return (west, south, east, north) in degrees, or None when the text is no such box."""
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        return None
    if not all(math.isfinite(number) for number in (west, south, east, north)):
        return None
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        return None
    return west, south, east, north


def in_order(rows: Sorted, sort: str, *, through: str = "") -> Sorted:
    """Sort by one of SORTS, "-" in front turns it round; anything else sorts by number.

    `through` leads from other rows to those of the list, such as "listed__" from mines. What is
    not known stands last either way.
    """
    column = SORTS.get(sort.removeprefix("-"), "registry_no")
    is_turned = sort.startswith("-") and sort[1:] in SORTS
    keys: list[Any] = []
    for name in dict.fromkeys((column, "registry_no")):
        field = F(f"{through}{name}")
        # Said only where it matters: an index is read backwards for the rest.
        last = True if name in MAY_BE_UNKNOWN and is_turned else None
        keys.append(field.desc(nulls_last=last) if is_turned else field.asc())
    return rows.order_by(*keys)
