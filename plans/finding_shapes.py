"""Draw the mines and areas of a run, each with the worst verdict that stands on it."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.contrib.gis.db.models.functions import AsGeoJSON
from django.urls import reverse

from mines.facts import mineral_facts
from mines.models import Boundary
from plans.facts import near_ridges
from plans.models import CheckRun, MergedArea
from plans.rulings import GRAVEST_FIRST, rulings_of, with_rulings
from rulebook.current import current_rulebook
from standards.figures import OPEN_METHODS
from standards.terms import Verdict


def run_shapes(run: CheckRun) -> dict[str, Any]:
    """Return GeoJSON of mines and areas with `verdict`, and of boundary along ridges as a hint.

    A fixed number of queries, whatever the size.
    """
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
    areas = (
        run.version.areas.filter(outline__isnull=False)
        .select_related("mineral")
        .annotate(geojson=AsGeoJSON("outline", precision=7))
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
    features += _ridge_hints(run, areas)
    return {"type": "FeatureCollection", "features": features}


def _ridge_hints(run: CheckRun, areas: Iterable[MergedArea]) -> list[dict[str, Any]]:
    """Draw where the boundary of an ordinary open pit runs along a ridge, as terrain suggests.

    The stretch is part of the boundary; the terrain itself is not shown.
    """
    shapes = [
        (f"{area.code} {area.name}", area.outline)
        for area in areas
        if area.outline is not None
        and area.method in OPEN_METHODS
        and area.mineral is not None
        and mineral_facts(area.mineral).is_ordinary_sand_stone
    ]
    hints = near_ridges(shapes, current_rulebook().in_force(run.checked_on))
    return [
        {
            "type": "Feature",
            "geometry": json.loads(hint.line),
            "properties": {
                "name": f"{name}：地形提示，边界沿山脊",
                "label": "",
                "verdict": Verdict.REVIEW.value,
                "url": "",
                "facts": [
                    ["沿山脊的比例", f"{hint.share * 100:.1f}%"],
                    ["依据", hint.source],
                    ["说明", "仅为提示，由人认定"],
                ],
            },
        }
        for name, hint in hints.items()
        if hint.line
    ]


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
