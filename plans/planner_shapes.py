"""Draw a proposal on the map: the mines as they are, and the rights as they would be."""

import json
from typing import Any

from django.contrib.gis.db.models.functions import AsGeoJSON
from django.urls import reverse

from mines.models import Boundary, Mine
from plans.planner_models import PlannerProposal
from plans.planner_outlines import draw
from plans.planner_rows import PartRow, read_part
from standards.terms import Disposition


def proposal_shapes(proposal: PlannerProposal, *, side: str, near_m: Any) -> dict[str, Any]:
    """Return GeoJSON of one side, "before" or "after", coloured by what is proposed."""
    parts = [read_part(row) for row in proposal.parts]
    kinds = {key: part.kind for part in parts for key in part.mines}
    single = [key for key, kind in kinds.items() if side == "before" or kind not in GOING]
    features = _mines(single, kinds)
    if side == "after":
        features += _mergers([part for part in parts if part.kind is Disposition.MERGE], near_m)
    return {"type": "FeatureCollection", "features": features}


GOING = (Disposition.MERGE, Disposition.EXIT)


def _mines(keys: list[int], kinds: dict[int, Disposition]) -> list[dict[str, Any]]:
    rows = (
        Boundary.objects.filter(mine__in=keys)
        .annotate(geojson=AsGeoJSON("outline", precision=7))
        .select_related("mine__mineral", "mine__holder")
        .order_by("mine")
    )
    return [
        _feature(
            row.geojson,
            name=row.mine.name,
            disposition=kinds[row.mine_id].value,
            url=reverse("mine", args=[row.mine.registry_no]),
            facts=[
                ["采矿权人", row.mine.holder.name],
                ["矿种", row.mine.mineral.name],
                ["面积", f"{row.area_km2} km²"],
            ],
        )
        for row in rows
    ]


def _mergers(parts: list[PartRow], near_m: Any) -> list[dict[str, Any]]:
    keys = [key for part in parts for key in part.mines]
    mines = Mine.objects.filter(pk__in=keys).select_related("boundary").order_by("pk")
    known = {mine.pk: mine for mine in mines}
    merged = {
        f"Z{number}": [known[key] for key in part.mines if key in known]
        for number, part in enumerate(parts, 1)
    }
    drawn, _ = draw(merged, near_m=near_m)
    return [
        _feature(
            drawn[code].shape.geojson,
            name=f"{code} {merged[code][0].name}等 {len(part.mines)} 座",
            disposition=Disposition.MERGE.value,
            url="",
            facts=[
                ["规模", f"{part.scale.normalize():f} 万吨/年"],
                ["服务年限", f"{part.life_years} 年"],
                ["夹缝", f"{len(drawn[code].gaps)} 处"],
            ],
        )
        for code, part in ((f"Z{number}", part) for number, part in enumerate(parts, 1))
        if code in drawn
    ]


def _feature(geojson: str, **properties: Any) -> dict[str, Any]:
    properties["label"] = properties["name"][:12]
    return {"type": "Feature", "geometry": json.loads(geojson), "properties": properties}
