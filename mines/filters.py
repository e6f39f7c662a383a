"""Find mines by what a reader chooses; list, map, tiles, exports and API share these filters."""

import math
import unicodedata
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

import django_filters
from django import forms
from django.contrib.gis.geos import Polygon
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from mines.listed_models import ListedMine, ListedMineQuerySet
from mines.models import CGCS2000, Boundary, Mine, MineQuerySet, Mineral
from rulebook.current import current_rulebook
from standards.terms import Method, MineState
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
SORTS = {
    "no": "registry_no",
    "name": "name",
    "county": "county_order",
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
MAY_BE_UNKNOWN = {"scale_wan_t", "service_life_years", "licence_ends", "area_km2"}
# The minimum of a quarry is one for open pits.
OPEN_METHODS = (Method.OPEN_PIT, Method.COMBINED)
MINIMUM_KEYS = (
    "bauxite",
    "iron",
    "copper",
    "gold",
    "cement_limestone",
    "magnesium_dolomite",
    "quarry",
)
Box = tuple[float, float, float, float]
Sorted = TypeVar("Sorted", bound=QuerySet[Any])


def _floors() -> dict[str, Decimal]:
    book = current_rulebook().in_force(timezone.localdate())
    numbers = {key: book.number(f"scale.min.{key}") for key in MINIMUM_KEYS}
    return {key: number for key, number in numbers.items() if number is not None}


def _governed(key: str) -> Q:
    """Select the mines whose minimum is the one of `key` beyond doubt."""
    chosen = Q(minimum_key=key)
    return chosen & Q(method__in=OPEN_METHODS) if key == "quarry" else chosen


def _below_and_governed() -> tuple[Q, Q]:
    """Select the mines with a system below its minimum, and those that have a minimum at all.

    Looks at the design scale alone (四(二)2); the standards also weigh the licence.
    """
    below = governed = Q(pk__in=[])
    for key, floor in _floors().items():
        governed |= _governed(key)
        below |= _governed(key) & Q(least_scale__lt=floor)
    return below, governed


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


class BoxFilter(django_filters.Filter):  # type: ignore[misc]
    """Filter by a box of degrees."""

    field_class = BoxField


Choices = list[tuple[str, str]]


def _visible_counties(user: Any) -> Choices:
    counties = counties_where(user, "see_mines").order_by("order")
    return list(counties.values_list("code", "name"))


def _minerals_dug(user: Any) -> Choices:
    mines = ListedMine.objects.visible_to(user).filter(mineral=OuterRef("pk"))
    minerals = Mineral.objects.filter(Exists(mines)).order_by("code")
    return list(minerals.values_list("code", "name"))


class MineFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Narrow the mines that a user may see; the queryset given is already theirs."""

    q = django_filters.CharFilter(
        method="search",
        label="名称、采矿权人、证号",
        min_length=2,
        max_length=60,
        error_messages={"min_length": "请至少输入两个字。", "max_length": "搜索文字最多 60 个字。"},
    )
    county = django_filters.ChoiceFilter(label="县（市、区）", empty_label="全部")
    mineral = django_filters.ChoiceFilter(label="矿种", empty_label="全部")
    group = django_filters.ChoiceFilter(
        choices=GROUP_CHOICES, method="of_group", label="矿类", empty_label="全部"
    )
    method = django_filters.ChoiceFilter(
        choices=Method.choices(), label="开采方式", empty_label="全部"
    )
    state = django_filters.ChoiceFilter(
        choices=MineState.choices(), label="生产状态", empty_label="全部"
    )
    licence = django_filters.ChoiceFilter(
        choices=LICENCE_CHOICES, method="by_licence", label="采矿许可证", empty_label="全部"
    )
    scale = django_filters.ChoiceFilter(
        choices=SCALE_CHOICES, method="by_scale", label="最低规模", empty_label="全部"
    )
    bbox = BoxFilter(method="in_box", label="地图范围", max_length=100, widget=forms.HiddenInput)

    class Meta:
        model = ListedMine
        fields = ("q", "county", "mineral", "group", "method", "state", "licence", "scale", "bbox")

    def __init__(self, data: Any, *, request: HttpRequest) -> None:
        user = request.user
        super().__init__(data, queryset=ListedMine.objects.visible_to(user), request=request)
        # Asked for once, and only if the form is drawn or the filter used.
        self.filters["county"].extra["choices"] = cache(lambda: _visible_counties(user))
        self.filters["mineral"].extra["choices"] = cache(lambda: _minerals_dug(user))

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
        text = unicodedata.normalize("NFKC", value).strip().lower()
        pairs = sorted({text[at : at + 2] for at in range(len(text) - 1)})
        if pairs:
            mines = mines.filter(bigrams__contains=pairs)
        # Two characters are found by the index alone; more may stand apart.
        return mines if len(text) == 2 else mines.filter(words__contains=text)

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

    def by_scale(self, mines: ListedMineQuerySet, _name: str, value: str) -> ListedMineQuerySet:
        """Keep mines by how their systems stand to the minimum scale."""
        below, governed = _below_and_governed()
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
