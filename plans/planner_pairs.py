"""Ask PostGIS which mines of one county and of one family of ores lie near each other."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import connection

ASKED_AT_ONCE = 2000

# An outline drawn only to show the place measures nothing; that of an invented mine does. The metre
# count of a degree is taken a little too low, so that the box holds the whole circle.
PAIRS = """
WITH family AS MATERIALIZED (
    SELECT mineral_id, name FROM unnest(%(minerals)s::text[], %(families)s::text[])
        AS given(mineral_id, name)
), box AS MATERIALIZED (
    SELECT mine.id, mine.county_id, family.name, boundary.outline,
        ST_Expand(boundary.outline,
            %(within)s / (110500.0 * cos(radians(greatest(abs(ST_YMin(boundary.outline)),
                abs(ST_YMax(boundary.outline))) + %(within)s / 110500.0))),
            %(within)s / 110500.0) AS wide
    FROM mines_mine AS mine
    JOIN family ON family.mineral_id = mine.mineral_id
    JOIN mines_boundary AS boundary ON boundary.mine_id = mine.id
    WHERE mine.id = ANY(%(ids)s) AND (mine.is_demo OR NOT boundary.is_schematic)
)
SELECT box.id, near.id, away.distance
FROM box
JOIN mines_boundary AS boundary ON boundary.outline && box.wide AND boundary.mine_id > box.id
JOIN mines_mine AS near ON near.id = boundary.mine_id AND near.removed_on IS NULL
    AND near.county_id = box.county_id AND (near.is_demo OR NOT boundary.is_schematic)
JOIN family ON family.mineral_id = near.mineral_id AND family.name = box.name
CROSS JOIN LATERAL (
    SELECT CASE WHEN ST_Intersects(boundary.outline, box.outline) THEN 0
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
