"""Offer the registry to programs: read only, and only what the caller may see."""

import json
from typing import Any

from django.contrib.gis.db.models.functions import AsGeoJSON
from rest_framework import mixins, serializers, viewsets
from rest_framework.pagination import PageNumberPagination
from rest_framework.routers import SimpleRouter

from mines.filters import MineFilter, in_order
from mines.models import Boundary, Licence, Mine, MineQuerySet, ProductionSystem, Stock


class LicenceSerializer(serializers.ModelSerializer[Licence]):
    """Write one licence period; the scale carries its unit's code."""

    class Meta:
        model = Licence
        fields = (
            "number",
            "is_legacy",
            "valid_from",
            "valid_to",
            "issuer",
            "area_km2",
            "elevation_top_m",
            "elevation_bottom_m",
            "scale",
            "scale_unit",
        )


class ProductionSystemSerializer(serializers.ModelSerializer[ProductionSystem]):
    """Write one production system."""

    class Meta:
        model = ProductionSystem
        fields = ("name", "method", "design_scale", "unit")


class StockSerializer(serializers.ModelSerializer[Stock]):
    """Write the amount of one class; classes are never added."""

    class Meta:
        model = Stock
        fields = ("stock_class", "amount", "unit", "as_of")


class BoundarySerializer(serializers.ModelSerializer[Boundary]):
    """Write a boundary's area and where it comes from."""

    class Meta:
        model = Boundary
        fields = ("area_km2", "is_schematic", "as_of", "regions")


class MineSerializer(serializers.ModelSerializer[Mine]):
    """Write a mine as one row of the list."""

    county = serializers.CharField(source="county_id")
    holder = serializers.CharField(source="holder.name")
    holder_uscc = serializers.CharField(source="holder.uscc")
    mineral_code = serializers.CharField(source="mineral_id")
    mineral = serializers.CharField(source="mineral.name")
    licences = LicenceSerializer(many=True)
    systems = ProductionSystemSerializer(many=True)
    area_km2 = serializers.SerializerMethodField()

    class Meta:
        model = Mine
        fields: tuple[str, ...] = (
            "registry_no",
            "name",
            "county",
            "township",
            "holder",
            "holder_uscc",
            "mineral_code",
            "mineral",
            "method",
            "state",
            "service_life_years",
            "life_includes_construction",
            "construction_years",
            "recoverable",
            "density",
            "suspended_since",
            "last_production_on",
            "licences",
            "systems",
            "area_km2",
            "as_of",
            "given_by",
            "is_demo",
        )

    def get_area_km2(self, mine: Mine) -> str | None:
        """Return the computed area with four decimals, or null without a boundary."""
        boundary = getattr(mine, "boundary", None)
        return f"{boundary.area_km2:.4f}" if boundary else None


class MineDetailSerializer(MineSerializer):
    """Write a mine with its stocks, ore bodies, boundary and geometry (GeoJSON, EPSG 4490)."""

    stocks = StockSerializer(many=True)
    ore_bodies = serializers.SlugRelatedField(  # type: ignore[var-annotated]
        slug_field="code", many=True, read_only=True
    )
    boundary = serializers.SerializerMethodField()

    class Meta(MineSerializer.Meta):
        fields = (
            *MineSerializer.Meta.fields,
            "is_on_ridge",
            "safety_licence_no",
            "safety_licence_valid_to",
            "accepted_on",
            "acceptance",
            "stocks",
            "ore_bodies",
            "boundary",
        )

    def get_boundary(self, mine: Mine) -> dict[str, Any] | None:
        """Return the boundary with its geometry."""
        row = Boundary.objects.annotate(geojson=AsGeoJSON("outline", precision=7)).filter(mine=mine)
        boundary: Any = row.first()
        if boundary is None:
            return None
        return {
            **BoundarySerializer(boundary).data,
            "geometry": json.loads(boundary.geojson),
        }


class MinePages(PageNumberPagination):
    """Page through mines; `page_size` asks for at most 200."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


class MineViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Mine]):
    """List mines, or show one by its registry number.

    The parameters of the list on screen work here as well: q, county, mineral, group, method,
    state, licence, scale, bbox, sort.
    """

    lookup_field = "registry_no"
    lookup_value_regex = "[^/]+"
    pagination_class = MinePages
    queryset = Mine.objects.none()

    def get_queryset(self) -> MineQuerySet:
        """Return the mines in the registry that the caller may see."""
        return Mine.objects.in_scope().visible_to(self.request.user).with_registry_facts()

    def get_serializer_class(self) -> type[serializers.ModelSerializer[Mine]]:
        """Return the short form for lists, the full one for a single mine."""
        return MineDetailSerializer if self.action == "retrieve" else MineSerializer

    def filter_queryset(self, queryset: Any) -> Any:
        """Apply the filters; a filter that cannot be read is an error, not an empty answer."""
        if self.action != "list":
            return queryset
        filters = MineFilter(self.request.GET, request=self.request)
        if not filters.is_valid():
            raise serializers.ValidationError(filters.form.errors)
        found = queryset.filter(listed__in=filters.listed.order_by())
        return in_order(found, self.request.GET.get("sort", ""), through="listed__")


router = SimpleRouter()
router.register("mines", MineViewSet, basename="mine-api")
urlpatterns = router.urls
