"""Find mines by what a reader chooses; list, map, tiles, exports and API share these filters."""

import math
import unicodedata
from datetime import timedelta
from decimal import Decimal
from typing import Any

import django_filters
from django import forms
from django.contrib.gis.geos import Polygon
from django.db.models import (
    BooleanField,
    Case,
    DecimalField,
    Exists,
    ExpressionWrapper,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    When,
)
from django.utils import timezone

from mines.models import CGCS2000, Licence, Mine, MineQuerySet, Mineral, ProductionSystem
from rulebook.current import current_rulebook
from standards.terms import Method, MineState, ScaleUnit
from taskforce.models import County
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
    "county": "county__order",
    "holder": "holder__name",
    "mineral": "mineral_id",
    "method": "method",
    "state": "state",
    "scale": "scale_wan_t",
    "life": "service_life_years",
    "ends": "licence_ends",
    "area": "boundary__area_km2",
    "as_of": "as_of",
}
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
NUMBER = DecimalField(max_digits=20, decimal_places=6)


def tonnes() -> Case:
    """Return a system's design scale in 万吨/年, null where unit or density does not tell."""
    volume = ExpressionWrapper(F("design_scale") * F("mine__density"), output_field=NUMBER)
    return Case(
        When(unit=ScaleUnit.WAN_T, then=F("design_scale")),
        When(unit=ScaleUnit.WAN_M3, then=volume),
        default=None,
        output_field=NUMBER,
    )


def with_licence_end(mines: MineQuerySet) -> Any:
    """Add `licence_ends`, the last day of the licence period that ends last."""
    last = (
        Licence.objects.filter(mine=OuterRef("pk"))
        .order_by()
        .values("mine")
        .annotate(last=Max("valid_to"))
        .values("last")
    )
    return mines.annotate(licence_ends=Subquery(last))


def with_scale(mines: MineQuerySet) -> Any:
    """Add `scale_wan_t`, the design scales of a mine's systems together in 万吨/年."""
    total = (
        ProductionSystem.objects.filter(mine=OuterRef("pk"))
        .order_by()
        .values("mine")
        .annotate(total=Sum(tonnes()))
        .values("total")
    )
    return mines.annotate(scale_wan_t=Subquery(total))


def with_scale_test(mines: MineQuerySet) -> Any:
    """Add `is_below` and `is_reached`: how the systems' scales stand to the minimum of 四(二)2.

    Looks at the design scale alone; the standards also weigh the licence. Neither is true where
    the Work Plan gives no minimum for the mineral or a scale is missing.
    """
    floors = _floors()
    systems = ProductionSystem.objects.filter(mine=OuterRef("pk")).annotate(tonnes=tonnes())
    below = Q(pk__in=[])
    for key, floor in floors.items():
        below |= _governed(key, "mine__") & Q(tonnes__lt=floor)
    has_floor = Q(pk__in=[])
    for key in floors:
        has_floor |= _governed(key, "")
    return mines.annotate(
        is_below=Exists(systems.filter(below)),
        is_reached=ExpressionWrapper(
            has_floor
            & Exists(systems)
            & ~Exists(systems.filter(tonnes__isnull=True))
            & ~Exists(systems.filter(below)),
            output_field=BooleanField(),
        ),
    )


def _floors() -> dict[str, Decimal]:
    book = current_rulebook().in_force(timezone.localdate())
    numbers = {key: book.number(f"scale.min.{key}") for key in MINIMUM_KEYS}
    return {key: number for key, number in numbers.items() if number is not None}


def _governed(key: str, mine: str) -> Q:
    """Select the mines whose minimum is the one of `key` beyond doubt."""
    chosen = Q(**{f"{mine}mineral__facts__seed_rule_key": key}) & ~Q(
        **{f"{mine}mineral__facts__has_key": "minimum_unclear"}
    )
    if key == "quarry":
        chosen &= Q(**{f"{mine}method__in": OPEN_METHODS})
    return chosen


def _visible_counties(request: Any) -> QuerySet[County]:
    return counties_where(request.user, "see_mines").defer("outline").order_by("order")


def _minerals_dug(request: Any) -> QuerySet[Mineral]:
    mines = Mine.objects.filter(
        mineral=OuterRef("pk"), county__in=counties_where(request.user, "see_mines")
    )
    return Mineral.objects.filter(Exists(mines)).order_by("code")


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


class MineFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Narrow the mines that a user may see; the queryset given is already theirs."""

    q = django_filters.CharFilter(
        method="search",
        label="名称、采矿权人、证号",
        min_length=2,
        max_length=60,
        error_messages={"min_length": "请至少输入两个字。", "max_length": "搜索文字最多 60 个字。"},
    )
    county = django_filters.ModelChoiceFilter(
        queryset=_visible_counties, label="县（市、区）", empty_label="全部"
    )
    mineral = django_filters.ModelChoiceFilter(
        queryset=_minerals_dug, label="矿种", empty_label="全部"
    )
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
        model = Mine
        fields = ("q", "county", "mineral", "group", "method", "state", "licence", "scale", "bbox")

    @property
    def chosen(self) -> MineQuerySet:
        """Return the mines found; none while a filter cannot be read."""
        found: MineQuerySet = self.qs if self.is_valid() else self.queryset.none()
        return found

    def search(self, mines: MineQuerySet, _name: str, value: str) -> MineQuerySet:
        """Find words in name, holder, registry or licence number; full width counts as half."""
        text = unicodedata.normalize("NFKC", value).strip()
        licensed = Licence.objects.filter(number__icontains=text).values("mine")
        return mines.filter(
            Q(name__icontains=text)
            | Q(holder__name__icontains=text)
            | Q(registry_no__icontains=text)
            | Q(township__icontains=text)
            | Q(pk__in=licensed)
        )

    def of_group(self, mines: MineQuerySet, _name: str, value: str) -> MineQuerySet:
        """Keep 普通建筑用砂石土, or all others."""
        ordinary = Q(mineral__facts__is_ordinary_sand_stone=True)
        return mines.filter(ordinary if value == "sand_stone" else ~ordinary)

    def by_licence(self, mines: MineQuerySet, _name: str, value: str) -> MineQuerySet:
        """Keep mines whose last licence period has ended, ends soon, or was never entered."""
        today = timezone.localdate()
        periods = Licence.objects.filter(mine=OuterRef("pk"))
        if value == "none":
            return mines.filter(~Exists(periods))
        if value == "expired":
            return mines.filter(Exists(periods), ~Exists(periods.filter(valid_to__gte=today)))
        until = today + timedelta(days=int(value))
        return mines.filter(
            Exists(periods.filter(valid_to__range=(today, until))),
            ~Exists(periods.filter(valid_to__gt=until)),
        )

    def by_scale(self, mines: MineQuerySet, _name: str, value: str) -> Any:
        """Keep mines by how their systems stand to the minimum scale."""
        tested = with_scale_test(mines)
        if value == "below":
            return tested.filter(is_below=True)
        if value == "reached":
            return tested.filter(is_reached=True)
        return tested.filter(is_below=False).exclude(is_reached=True)

    def in_box(self, mines: MineQuerySet, _name: str, value: Box) -> MineQuerySet:
        """Keep mines whose boundary meets the box."""
        box = Polygon.from_bbox(value)
        box.srid = CGCS2000
        return mines.filter(boundary__outline__bboverlaps=box)


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


def in_order(mines: MineQuerySet, sort: str) -> MineQuerySet:
    """Sort by one of SORTS, "-" in front turns it round; anything else sorts by number."""
    key = sort.removeprefix("-")
    column = SORTS.get(key, "registry_no")
    if key == "scale":
        mines = with_scale(mines)
    elif key == "ends":
        mines = with_licence_end(mines)
    order = (
        F(column).desc(nulls_last=True) if sort.startswith("-") else F(column).asc(nulls_last=True)
    )
    return mines.order_by(order, "registry_no")
