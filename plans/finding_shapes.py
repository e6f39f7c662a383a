"""Draw the mines and areas of a run, each with the worst verdict that stands on it."""

import json
from collections import Counter
from typing import Any

from django.contrib.gis.db.models.functions import AsGeoJSON
from django.urls import reverse

from mines.models import Boundary
from plans.models import CheckRun
from plans.rulings import GRAVEST_FIRST, rulings_of, with_rulings
from standards.terms import Verdict


def run_shapes(run: CheckRun) -> dict[str, Any]:
    """Return GeoJSON of mines and areas with `verdict`; four queries whatever the size."""
    of_mine: dict[int, Counter[Verdict]] = {}
    of_area: dict[int, Counter[Verdict]] = {}
    rows = run.findings.only(
        "rule", "subject_kind", "subject_key", "basis_hash", "verdict", "mine_id", "area_id"
    )
    for row in with_rulings(rows, rulings_of(run.version.plan)):
        finding = row.finding
        for key, counts in ((finding.mine_id, of_mine), (finding.area_id, of_area)):
            if key is not None:
                counts.setdefault(key, Counter())[row.verdict] += 1
    mines = (
        Boundary.objects.filter(mine__in=of_mine)
        .annotate(geojson=AsGeoJSON("outline", precision=7))
        .select_related("mine")
    )
    areas = run.version.areas.filter(outline__isnull=False).annotate(
        geojson=AsGeoJSON("outline", precision=7)
    )
    features = [
        _feature(area.geojson, f"{area.code} {area.name}", "", of_area.get(area.pk, Counter()))
        for area in areas
    ]
    features += [
        _feature(
            row.geojson,
            row.mine.name,
            reverse("mine", args=[row.mine.registry_no]),
            of_mine[row.mine_id],
        )
        for row in mines
    ]
    return {"type": "FeatureCollection", "features": features}


def worst_of(counts: Counter[Verdict]) -> Verdict:
    """Return the gravest verdict there is; NA when there is none."""
    return next((verdict for verdict in GRAVEST_FIRST if counts[verdict]), Verdict.NA)


def _feature(geojson: str, name: str, url: str, counts: Counter[Verdict]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": json.loads(geojson),
        "properties": {
            "name": name,
            "label": name[:12],
            "verdict": worst_of(counts).value,
            "url": url,
            "facts": [[verdict.label, f"{counts[verdict]} 条"] for verdict in GRAVEST_FIRST[:4]],
        },
    }
