"""Ask PostGIS which mines of one county and of one family of ores lie near each other."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import connection

ASKED_AT_ONCE = 2000

# An outline drawn only to show the place measures nothing; that of an invented mine does. Distances
# are taken on a plane in metres around each mine, good to a few centimetres over 300 m; on the
# ellipsoid, which takes many times as long, only where a metre decides. The metre count of a degree
# is taken a little too low for the box, so that it holds the whole circle.
PAIRS = """
WITH family AS MATERIALIZED (
    SELECT mineral_id, name FROM unnest(%(minerals)s::text[], %(families)s::text[])
        AS given(mineral_id, name)
), asked AS MATERIALIZED (
    SELECT mine.id, mine.county_id, family.name, boundary.outline,
        radians((ST_YMin(boundary.outline) + ST_YMax(boundary.outline)) / 2) AS middle
    FROM mines_mine AS mine
    JOIN family ON family.mineral_id = mine.mineral_id
    JOIN mines_boundary AS boundary ON boundary.mine_id = mine.id
    WHERE mine.id = ANY(%(ids)s) AND (mine.is_demo OR NOT boundary.is_schematic)
), scaled AS MATERIALIZED (
    SELECT asked.*,
        111412.84 * cos(middle) - 93.5 * cos(3 * middle) AS east_m,
        111132.954 - 559.822 * cos(2 * middle) + 1.175 * cos(4 * middle) AS north_m
    FROM asked
), box AS MATERIALIZED (
    SELECT scaled.*, ST_Scale(outline, east_m, north_m) AS plane,
        ST_Expand(outline, 1.01 * %(within)s / east_m, 1.01 * %(within)s / north_m) AS wide
    FROM scaled
)
SELECT box.id, near.id, away.distance
FROM box
CROSS JOIN LATERAL (
    -- OFFSET 0 keeps this apart, so that the index on outlines is asked before anything else.
    SELECT mine_id, outline, is_schematic FROM mines_boundary
    WHERE outline && box.wide AND mine_id > box.id OFFSET 0
) AS boundary
JOIN mines_mine AS near ON near.id = boundary.mine_id AND near.removed_on IS NULL
    AND near.county_id = box.county_id AND (near.is_demo OR NOT boundary.is_schematic)
JOIN family ON family.mineral_id = near.mineral_id AND family.name = box.name
CROSS JOIN LATERAL (
    SELECT ST_Distance(ST_Scale(boundary.outline, box.east_m, box.north_m), box.plane) AS distance
) AS flat
CROSS JOIN LATERAL (
    SELECT CASE WHEN abs(flat.distance - %(within)s) > 1 THEN flat.distance
        ELSE ST_Distance(boundary.outline::geography, box.outline::geography) END AS distance
) AS away
WHERE away.distance <= %(within)s
ORDER BY box.id, near.id
"""


def near_pairs(
    mine_ids: Sequence[int], families: Mapping[str, str], *, within_m: Decimal
) -> list[tuple[int, int, int]]:
    """Return (mine, mine with the greater id, distance in decimetres) for mines that lie near.

    `families` names by mineral code the family of ores that it belongs to.
    """
    given: dict[str, Any] = {
        "ids": list(mine_ids),
        "minerals": list(families),
        "families": list(families.values()),
        "within": within_m,
    }
    with connection.cursor() as cursor:
        cursor.execute(PAIRS, given)
        rows = cursor.fetchall()
    return [(one, other, round(distance * 10)) for one, other, distance in rows]
