"""Draw vector tiles of the published outlines, mines before or areas after, each in one query."""

import json
import math
from collections import Counter
from typing import Any

from django.contrib.gis.db.models import Extent
from django.db import connection
from django.db.models import Count

from publicity.documents import AREA_COLUMNS, MINE_COLUMNS
from publicity.models import Notice, NoticeShape

LAYER = "published"
SIDES = ("before", "after")
MOST_ZOOM = 18
# Of a tile that would hold more, the largest are drawn; nobody can tell so many apart.
MOST_SHAPES = 20_000
SHAPES_FROM_ZOOM = 6
# From here on a shape brings what its card shows; further out only what is drawn.
CARDS_FROM_ZOOM = 11
CARD_FIELDS = ("holder", "mineral", "scale", "area_km2", "lead_enterprise")

# Side "before" is the mines as they are; "after" the merged areas and the mines that stay.
_KEPT = {"before": "kind = 'mine'", "after": "(kind = 'area' OR label IN ('upgrade', 'keep'))"}
_TILE = """
WITH drawn AS (
    SELECT published.name, published.label AS disposition, CARD
        '/notices/' || published.notice_id || '/' AS url,
        ST_AsMVTGeom(
            ST_Transform(SHAPE, 3857), ST_TileEnvelope(%(z)s, %(x)s, %(y)s), 4096, 80, true
        ) AS geom
    FROM publicity_noticeshape AS published
    JOIN publicity_notice AS notice
        ON notice.id = published.notice_id AND notice.withdrawn_at IS NULL
    WHERE KEPT AND published.outline && ST_MakeEnvelope(%(w)s, %(s)s, %(e)s, %(n)s, 4490)
    ORDER BY ST_Area(published.outline) DESC, published.id
    LIMIT %(most)s
)
SELECT ST_AsMVT(drawn, %(layer)s, 4096, 'geom') FROM drawn WHERE geom IS NOT NULL
"""


def public_tile(side: str, *, z: int, x: int, y: int) -> bytes:
    """Return one tile of all notices in force; raise ValueError for a tile that does not exist."""
    if side not in SIDES or not (0 <= z <= MOST_ZOOM and 0 <= x < 2**z and 0 <= y < 2**z):
        raise ValueError(f"no tile {side} {z}/{x}/{y}")
    card = f"({_card_sql()})::text AS facts," if z >= CARDS_FROM_ZOOM else ""
    # Further out than the map opens, a mine is smaller than the tile's grid: a point stands for it.
    shape = "published.outline" if z >= SHAPES_FROM_ZOOM else "ST_Centroid(published.outline)"
    statement = _TILE.replace("CARD", card).replace("KEPT", _KEPT[side]).replace("SHAPE", shape)
    given: dict[str, Any] = {
        "z": z,
        "x": x,
        "y": y,
        "layer": LAYER,
        "most": MOST_SHAPES,
        **_edges(z, x, y),
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        (found,) = cursor.fetchone()
    return bytes(found)


def _edges(z: int, x: int, y: int) -> dict[str, float]:
    """Return the edges of a tile in degrees, with a fiftieth more on each side."""

    def latitude(at: float) -> float:
        return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * at / 2**z))))

    return {
        "w": max(-180.0, (x - 0.02) / 2**z * 360 - 180),
        "e": min(180.0, (x + 1.02) / 2**z * 360 - 180),
        "n": latitude(y - 0.02),
        "s": latitude(y + 1.02),
    }


def _card_sql() -> str:
    """Return the card as SQL: a JSON list of label and value, all words our own."""
    labels = MINE_COLUMNS | AREA_COLUMNS
    pairs = (
        f"json_build_array('{labels[field]}', published.facts->>'{field}')" for field in CARD_FIELDS
    )
    return f"json_build_array({', '.join(pairs)})"


def drawn_counts(notices: list[Notice]) -> str:
    """Return how many shapes of each batch either side shows, as JSON for the legend."""
    sides: dict[str, Counter[str]] = {side: Counter() for side in SIDES}
    found = NoticeShape.objects.filter(notice__in=notices).values_list("kind", "label")
    for kind, label, number in found.annotate(Count("pk")).order_by("kind", "label"):
        if kind == "mine":
            sides["before"][label] += number
        if kind == "area" or label in ("upgrade", "keep"):
            sides["after"][label] += number
    return json.dumps(sides)


def drawn_box() -> str:
    """Return where published shapes lie, "west,south,east,north"; "" when there is none."""
    shapes = NoticeShape.objects.filter(notice__withdrawn_at__isnull=True)
    found: Any = shapes.aggregate(box=Extent("outline"))["box"]
    return ",".join(f"{edge:.5f}" for edge in found) if found else ""
