"""Draw vector tiles of the mines that a reader may see and has chosen, each in one query."""

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection

from mines.listed_models import ListedMineQuerySet

LAYER = "mines"
MOST_ZOOM = 18
# Of a tile that would hold more, the largest are drawn; nobody can tell so many apart.
MOST_SHAPES = 20_000

# Below it a tile's grid is too wide for details.
DETAILED_ZOOM = 9

TILE = """
WITH shape AS (
    SELECT mine.registry_no, mine.name, mine.state, %s || mine.registry_no || '/' AS url,
        ST_AsMVTGeom(drawn.OUTLINE, ST_TileEnvelope(%s, %s, %s), 4096, 80, true) AS geom
    FROM mines_listedshape AS drawn
    JOIN (CHOSEN) AS mine ON mine.mine_id = drawn.mine_id
    WHERE drawn.outline && ST_TileEnvelope(%s, %s, %s, margin => 0.02)
    ORDER BY mine.area_km2 DESC, mine.mine_id
    LIMIT %s
)
SELECT ST_AsMVT(shape, %s, 4096, 'geom') FROM shape WHERE geom IS NOT NULL
"""


def tile_query(
    mines: ListedMineQuerySet, *, z: int, x: int, y: int, page_prefix: str
) -> tuple[str, list[Any]]:
    """Return the statement that draws a tile, and what it is given."""
    columns = ("mine_id", "registry_no", "name", "state", "area_km2")
    chosen, given = mines.order_by().values(*columns).query.sql_with_params()
    outline = "outline" if z >= DETAILED_ZOOM else "coarse"
    statement = TILE.replace("CHOSEN", chosen).replace("OUTLINE", outline)
    return statement, [page_prefix, z, x, y, *given, z, x, y, MOST_SHAPES, LAYER]


def tile(mines: ListedMineQuerySet, *, z: int, x: int, y: int, page_prefix: str) -> bytes:
    """Return the tile of these mines; `page_prefix` stands before the number in a shape's `url`.

    Raise ValueError for a tile that does not exist.
    """
    if not (0 <= z <= MOST_ZOOM and 0 <= x < 2**z and 0 <= y < 2**z):
        raise ValueError(f"no tile {z}/{x}/{y}")
    try:
        statement, given = tile_query(mines, z=z, x=x, y=y, page_prefix=page_prefix)
    except EmptyResultSet:  # nobody could be found, so nobody is asked
        return b""
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        (found,) = cursor.fetchone()
    return bytes(found)
