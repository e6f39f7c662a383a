"""Ask PostGIS how shapes lie to the layers: ground on a control layer, boundary along a ridge.

As in `mines.boundaries`, one set-based query answers for a whole plan.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from mines.boundaries import ASKED, Shapes, asked, metres
from mines.layer_models import Layer
from standards.facts import ZoneFacts
from standards.terms import ZoneKind

# Pieces of a layer may share ground; united first, none counts twice.
ON_LAYERS = """
SELECT asked.key, piece.layer_id, ST_Area(ST_Segmentize(common.shape, 0.0002)::geography)
FROM asked
CROSS JOIN LATERAL (
    SELECT layer_id, ST_UnaryUnion(ST_Collect(
        ST_CollectionExtract(ST_Intersection(shape, asked.shape), 3))) AS shape
    FROM mines_layershape
    WHERE layer_id = ANY(%(layers)s) AND shape && asked.shape AND ST_Intersects(shape, asked.shape)
    GROUP BY layer_id
) AS piece(layer_id, shape)
CROSS JOIN LATERAL (SELECT piece.shape) AS common
ORDER BY asked.key, piece.layer_id
"""

# A line along a ridge stays near it; one that crosses it is near for little more than twice the
# distance, so that only stretches longer than four times the distance count.
ALONG_RIDGES = """
, edge AS MATERIALIZED (
    SELECT key, ST_Boundary(shape) AS line, %(near)s / 80000.0 AS margin FROM asked
), beside AS MATERIALIZED (
    SELECT edge.key, ST_SetSRID(
        ST_Union(ST_Buffer(ridge.near::geography, %(near)s)::geometry), 4490) AS ground
    FROM edge
    JOIN mines_layershape AS piece ON piece.layer_id = ANY(%(layers)s)
        AND piece.shape && ST_Expand(edge.line, margin)
    CROSS JOIN LATERAL (
        SELECT ST_ClipByBox2D(piece.shape, ST_Expand(edge.line, margin)::box2d) AS near
    ) AS ridge
    WHERE NOT ST_IsEmpty(ridge.near)
    GROUP BY edge.key
), stretch AS (
    SELECT edge.key, part.geom, ST_Length(part.geom::geography) AS long
    FROM edge
    JOIN beside ON beside.key = edge.key
    CROSS JOIN LATERAL ST_Dump(ST_LineMerge(ST_CollectionExtract(
        ST_Intersection(edge.line, beside.ground), 2))) AS part
)
SELECT edge.key,
    coalesce(along.long, 0) / nullif(ST_Length(edge.line::geography), 0),
    ST_AsGeoJSON(along.line, 6)
FROM edge
LEFT JOIN LATERAL (
    SELECT sum(long) AS long, ST_Collect(geom) AS line
    FROM stretch WHERE stretch.key = edge.key AND long > 4 * %(near)s
) AS along ON true
ORDER BY edge.key
"""

INSIDE = """
SELECT asked.key, layer.id FROM asked
JOIN mines_layer AS layer ON layer.id = ANY(%(layers)s) AND ST_Covers(layer.extent, asked.shape)
ORDER BY layer.cell_m, layer.id DESC
"""


@dataclass(frozen=True, slots=True)
class RidgeHint:
    """Say which share of a boundary runs along ridges, by which model; `line` is GeoJSON or ""."""

    share: Decimal
    source: str
    line: str


def zones_met(shapes: Shapes, *, county_code: str, on: date) -> dict[str, tuple[ZoneFacts, ...]]:
    """Return by key how each shape meets every layer in force that covers the county.

    A layer that a shape does not touch is there too, with no ground shared.
    """
    layers = [
        layer for layer in Layer.objects.in_force(on).zones() if layer.covers_county(county_code)
    ]
    if not layers or not shapes:
        return {}
    rows = asked(ASKED + ON_LAYERS, shapes, layers=[layer.pk for layer in layers])
    shared = {(key, layer): metres(area or 0.0, "0.01") for key, layer, area in rows}
    return {
        key: tuple(
            ZoneFacts(
                layer=layer.name,
                kind=ZoneKind(layer.kind),
                area_m2=shared.get((key, layer.pk), Decimal(0)),
                document=layer.document,
            )
            for layer in layers
        )
        for key, _ in shapes
    }


def along_ridges(shapes: Shapes, *, near_m: Decimal, on: date) -> dict[str, RidgeHint]:
    """Return by key the share of each boundary that runs along a ridge.

    Shapes that no model covers whole are left out. Of several models the finest answers; near is
    at least half the width of its cells, for its lines are no truer.
    """
    models = {layer.pk: layer for layer in Layer.objects.in_force(on).terrain()}
    if not models or not shapes:
        return {}
    model_of: dict[str, int] = {}
    for key, pk in asked(ASKED + INSIDE, shapes, layers=list(models)):
        model_of.setdefault(key, pk)
    found: dict[str, RidgeHint] = {}
    for pk in dict.fromkeys(model_of.values()):
        layer = models[pk]
        inside = [(key, shape) for key, shape in shapes if model_of.get(key) == pk]
        near = max(float(near_m), (layer.cell_m or 0.0) / 2)
        rows = asked(ASKED + ALONG_RIDGES, inside, layers=[pk], near=near)
        found |= {
            key: RidgeHint(metres(share or 0.0, "0.0001"), layer.document, line or "")
            for key, share, line in rows
        }
    return found


CUT = """
INSERT INTO mines_layershape (layer_id, shape)
SELECT %(layer)s, piece
FROM unnest(%(shapes)s::bytea[]) AS given(wkb)
CROSS JOIN LATERAL ST_Subdivide(ST_SetSRID(ST_GeomFromWKB(wkb), 4490), %(corners)s) AS piece
WHERE ST_Dimension(piece) = 2
"""
KEEP = """
INSERT INTO mines_layershape (layer_id, shape)
SELECT %(layer)s, ST_SetSRID(ST_GeomFromWKB(wkb), 4490)
FROM unnest(%(shapes)s::bytea[]) AS given(wkb)
"""


def write_shapes(layer: Layer, shapes: Collection[bytes], *, corners: int) -> None:
    """Write polygons of a layer, cut into pieces of few corners, or the ridge lines of a model."""
    given: dict[str, Any] = {"layer": layer.pk, "shapes": list(shapes), "corners": corners}
    with connection.cursor() as cursor:
        cursor.execute(KEEP if layer.is_terrain else CUT, given)
