"""Draw mines as GeoJSON for the map, with what its card says."""

import json
from typing import Any

from django.contrib.gis.db.models.functions import AsGeoJSON
from django.urls import reverse

from mines.models import MineQuerySet

# More would make the browser slow; the list then draws tiles instead.
MOST_SHAPES = 2000
# Heavy, and not part of a card.
UNDRAWN = ("county__outline", "boundary__outline", "boundary__regions", "boundary__source_text")
MAP_NOTE = "县界为示意；标注“示意”的矿区范围不是实测边界，不能用于定界。"


def feature_collection(mines: MineQuerySet) -> dict[str, Any]:
    """Return the boundaries of these mines."""
    rows = (
        mines.filter(boundary__isnull=False)
        .annotate(geojson=AsGeoJSON("boundary__outline", precision=7))
        .order_by("registry_no")
        .select_related("county", "holder", "mineral", "boundary")
        .defer(*UNDRAWN)[:MOST_SHAPES]
    )
    return {"type": "FeatureCollection", "features": [_feature(row) for row in rows]}


def _feature(mine: Any) -> dict[str, Any]:
    drawn = "（示意）" if mine.boundary.is_schematic else ""
    properties = {
        "name": mine.name,
        "label": mine.name.removeprefix(mine.county.name),
        "state": mine.state,
        "url": reverse("mine", args=[mine.registry_no]),
        "facts": [
            ["县（市、区）", mine.county.name],
            ["矿种", mine.mineral.name],
            ["采矿权人", mine.holder.name],
            ["面积", f"{mine.boundary.area_km2} km²{drawn}"],
        ],
    }
    return {"type": "Feature", "geometry": json.loads(mine.geojson), "properties": properties}
