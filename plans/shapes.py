"""Draw a plan version: the mines as they stand, and the rights as they shall be."""

import json
from typing import Any

from django.contrib.gis.db.models.functions import AsGeoJSON
from django.urls import reverse

from mines.models import Boundary
from plans.models import PlanVersion


def version_shapes(version: PlanVersion, *, side: str) -> dict[str, Any]:
    """Return GeoJSON of one side, "before" or "after"; two queries whatever the size."""
    kinds = dict(version.dispositions.values_list("mine_id", "kind"))
    features = _mines(kinds, side)
    if side == "after":
        features += _areas(version)
    return {"type": "FeatureCollection", "features": features}


def _mines(kinds: dict[int, str], side: str) -> list[dict[str, Any]]:
    """Draw every mine before; after, only those that stay as a right of their own."""
    staying = [pk for pk, kind in kinds.items() if side == "before" or kind in ("upgrade", "keep")]
    rows = (
        Boundary.objects.filter(mine__in=staying)
        .annotate(geojson=AsGeoJSON("outline", precision=7))
        .select_related("mine__mineral", "mine__holder")
    )
    return [
        _feature(
            row.geojson,
            name=row.mine.name,
            disposition=kinds[row.mine_id],
            url=reverse("mine", args=[row.mine.registry_no]),
            facts=[
                ["采矿权人", row.mine.holder.name],
                ["矿种", row.mine.mineral.name],
                ["面积", f"{row.area_km2} km²"],
            ],
        )
        for row in rows
    ]


def _areas(version: PlanVersion) -> list[dict[str, Any]]:
    rows = (
        version.areas.filter(outline__isnull=False)
        .annotate(geojson=AsGeoJSON("outline", precision=7))
        .select_related("mineral")
    )
    return [
        _feature(
            row.geojson,
            name=f"{row.code} {row.name}",
            disposition="merge",
            url="",
            facts=[
                ["整合主体", row.lead_enterprise or "未填"],
                ["矿种", row.mineral.name if row.mineral else "未填"],
                ["面积", f"{row.area_km2} km²"],
            ],
        )
        for row in rows
    ]


def _feature(geojson: str, **properties: Any) -> dict[str, Any]:
    properties["label"] = properties["name"][:12]
    return {"type": "Feature", "geometry": json.loads(geojson), "properties": properties}
