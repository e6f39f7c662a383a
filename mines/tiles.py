"""Draw vector tiles of the mines that a reader may see and has chosen, each in one query."""

from django.db import connection

from mines.models import MineQuerySet

LAYER = "mines"
MOST_ZOOM = 18
# Of a tile that would hold more, the largest are drawn; nobody can tell so many apart.
MOST_SHAPES = 20_000

# Longitude and latitude of CGCS2000 and WGS 84 differ by less than a step of a tile's grid.
TILE = """
WITH box AS (
    SELECT ST_TileEnvelope(%s, %s, %s) AS square,
        ST_SetSRID(ST_Transform(ST_TileEnvelope(%s, %s, %s, margin => 0.02), 4326), 4490) AS wide
), shape AS (
    SELECT mine.registry_no, mine.name, mine.state, %s || mine.registry_no || '/' AS url,
        ST_AsMVTGeom(ST_Transform(ST_SetSRID(boundary.outline, 4326), 3857), box.square,
            4096, 80, true) AS geom
    FROM box
    JOIN mines_boundary AS boundary ON boundary.outline && box.wide
    JOIN mines_mine AS mine ON mine.id = boundary.mine_id
    WHERE mine.id IN (CHOSEN)
    ORDER BY boundary.area_km2 DESC, mine.id
    LIMIT %s
)
SELECT ST_AsMVT(shape, %s, 4096, 'geom') FROM shape WHERE geom IS NOT NULL
"""


def tile(mines: MineQuerySet, *, z: int, x: int, y: int, page_prefix: str) -> bytes:
    """Return the tile of these mines; `page_prefix` stands before the number in a shape's `url`.

    Raise ValueError for a tile that does not exist.
    """
    if not (0 <= z <= MOST_ZOOM and 0 <= x < 2**z and 0 <= y < 2**z):
        raise ValueError(f"no tile {z}/{x}/{y}")
    chosen, given = mines.order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            TILE.replace("CHOSEN", chosen),
            [z, x, y, z, x, y, page_prefix, *given, MOST_SHAPES, LAYER],
        )
        (found,) = cursor.fetchone()
    return bytes(found)
