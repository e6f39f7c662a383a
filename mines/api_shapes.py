"""Shape mines for programs: what the interface answers, and what it takes."""

import json
from typing import Any

from django.contrib.gis.db.models.functions import AsGeoJSON
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from mines.models import Boundary, Holder, Licence, Mine, Mineral, ProductionSystem, Stock
from mines.record_models import (
    Acceptance,
    RightEvent,
    TreatmentCheck,
    TreatmentPlan,
    YearOutput,
)
from taskforce.models import County

OF_RECORDS = ("as_of", "given_by")
MAY_BE_LEFT_OUT: dict[str, Any] = {name: {"required": False} for name in OF_RECORDS}


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


class YearOutputSerializer(serializers.ModelSerializer[YearOutput]):
    """Write what a mine really raised in a year."""

    class Meta:
        model = YearOutput
        fields = ("year", "amount", "unit", *OF_RECORDS)
        extra_kwargs = MAY_BE_LEFT_OUT


class AcceptanceSerializer(serializers.ModelSerializer[Acceptance]):
    """Write one acceptance of the environment's restoration."""

    class Meta:
        model = Acceptance
        fields = ("accepted_on", "conclusion", "area_ha", "unit_name", *OF_RECORDS)
        extra_kwargs = MAY_BE_LEFT_OUT


class TreatmentPlanSerializer(serializers.ModelSerializer[TreatmentPlan]):
    """Write one filing of 《矿山开发治理方案》."""

    class Meta:
        model = TreatmentPlan
        fields = ("filing_no", "reviewed_on", "filed_on", "due_on", "filed_with", *OF_RECORDS)
        extra_kwargs = MAY_BE_LEFT_OUT


class TreatmentCheckSerializer(serializers.ModelSerializer[TreatmentCheck]):
    """Write one yearly check against the treatment plan."""

    class Meta:
        model = TreatmentCheck
        fields = ("year", "checked_on", "conclusion", "note", *OF_RECORDS)
        extra_kwargs = MAY_BE_LEFT_OUT


class RightEventSerializer(serializers.ModelSerializer[RightEvent]):
    """Write one act on the mining right."""

    class Meta:
        model = RightEvent
        fields = (
            "kind",
            "happened_on",
            "way",
            "from_holder",
            "to_holder",
            "document_no",
            *OF_RECORDS,
        )
        extra_kwargs = MAY_BE_LEFT_OUT


class BoundarySerializer(serializers.ModelSerializer[Boundary]):
    """Write a boundary's area, where it comes from, and its geometry (GeoJSON, EPSG 4490)."""

    geometry = serializers.SerializerMethodField()

    class Meta:
        model = Boundary
        fields = ("area_km2", "is_schematic", "as_of", "regions", "geometry")

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_geometry(self, row: Any) -> Any:
        """Return the outline as GeoJSON."""
        return json.loads(row.geojson)


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

    @extend_schema_field(serializers.DecimalField(max_digits=9, decimal_places=4, allow_null=True))
    def get_area_km2(self, mine: Mine) -> str | None:
        """Return the computed area with four decimals, or null without a boundary."""
        boundary = getattr(mine, "boundary", None)
        return f"{boundary.area_km2:.4f}" if boundary else None


class MineDetailSerializer(MineSerializer):
    """Write a mine with all that belongs to it."""

    stocks = StockSerializer(many=True)
    outputs = YearOutputSerializer(many=True, source="yearoutputs")
    acceptances = AcceptanceSerializer(many=True)
    treatment_plans = TreatmentPlanSerializer(many=True, source="treatmentplans")
    treatment_checks = TreatmentCheckSerializer(many=True, source="treatmentchecks")
    right_events = RightEventSerializer(many=True, source="rightevents")
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
            "removed_on",
            "stocks",
            "outputs",
            "acceptances",
            "treatment_plans",
            "treatment_checks",
            "right_events",
            "ore_bodies",
            "boundary",
        )

    @extend_schema_field(BoundarySerializer(allow_null=True))
    def get_boundary(self, mine: Mine) -> Any:
        """Return the boundary with its geometry, or null without one."""
        rows = Boundary.objects.annotate(geojson=AsGeoJSON("outline", precision=7))
        row = rows.filter(mine=mine).first()
        return BoundarySerializer(row).data if row else None


class HolderInput(serializers.ModelSerializer[Holder]):
    """Take a holder by name and credit code."""

    class Meta:
        model = Holder
        fields = ("name", "uscc")
        extra_kwargs: Any = {"uscc": {"required": False, "validators": []}}


class MineChange(serializers.ModelSerializer[Mine]):
    """Take what changes of a mine; a list that is given replaces all rows of its kind."""

    holder = HolderInput(required=False)
    mineral = serializers.PrimaryKeyRelatedField(queryset=Mineral.objects.all(), required=False)
    licences = LicenceSerializer(many=True, required=False)
    systems = ProductionSystemSerializer(many=True, required=False)
    stocks = StockSerializer(many=True, required=False)
    outputs = YearOutputSerializer(many=True, required=False)
    acceptances = AcceptanceSerializer(many=True, required=False)
    treatment_plans = TreatmentPlanSerializer(many=True, required=False)
    treatment_checks = TreatmentCheckSerializer(many=True, required=False)
    right_events = RightEventSerializer(many=True, required=False)

    class Meta:
        model = Mine
        fields: tuple[str, ...] = (
            "name",
            "township",
            "holder",
            "mineral",
            "method",
            "state",
            "suspended_since",
            "last_production_on",
            "service_life_years",
            "life_includes_construction",
            "construction_years",
            "recoverable",
            "density",
            "is_on_ridge",
            "safety_licence_no",
            "safety_licence_valid_to",
            "accepted_on",
            "acceptance",
            "as_of",
            "given_by",
            "removed_on",
            "licences",
            "systems",
            "stocks",
            "outputs",
            "acceptances",
            "treatment_plans",
            "treatment_checks",
            "right_events",
        )

    def to_internal_value(self, data: Any) -> Any:
        """Refuse words that nothing would come of, so that a slip of the pen is noticed."""
        given = data if isinstance(data, dict) else ()
        unknown = sorted(name for name in given if name.split(".")[0] not in self.fields)
        if unknown:
            raise serializers.ValidationError(
                {name: ["这个字段不认识，或者不能通过接口修改。"] for name in unknown}
            )
        return super().to_internal_value(data)


class MineInput(MineChange):
    """Take a new mine; number, name, county, holder, mineral, day and source must be there."""

    county = serializers.PrimaryKeyRelatedField(queryset=County.objects.all())
    holder = HolderInput()
    mineral = serializers.PrimaryKeyRelatedField(queryset=Mineral.objects.all())

    class Meta(MineChange.Meta):
        fields = ("registry_no", "county", *MineChange.Meta.fields)
