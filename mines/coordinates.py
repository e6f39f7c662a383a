"""Read and write the corner point texts of mining rights.

`read_text(data, limits=Limits(), assume_zone=None) -> Reading` joins this module next.
"""

import re

from mines.readings import Limits, Problem, Reading
from mines.rings import Boundary, Point, Region, Ring, Role

__all__ = [
    "Boundary",
    "Limits",
    "Point",
    "Problem",
    "Reading",
    "Region",
    "Ring",
    "Role",
    "write_text",
]

HEADER = "拐点,X(起标高),Y(止标高)"


def write_text(boundary: Boundary) -> str:
    """Return the registration text: point rows from 1, one `*` row ending each ring.

    A `*` row holds upper elevation, lower elevation, name and 1 (counted) or -1 (hole).
    Coordinates keep the digits they were given with.
    """
    rows = [HEADER]
    for region in boundary.regions:
        top = "" if region.elevation_top is None else f"{region.elevation_top:f}"
        bottom = "" if region.elevation_bottom is None else f"{region.elevation_bottom:f}"
        # The name stands between commas in a row of its own.
        name = re.sub(r"[\s,,|]+", " ", region.name).strip()
        for ring in region.rings:
            rows += [f"{n},{p.x_text},{p.y_text}, , ," for n, p in enumerate(ring.points, 1)]
            rows.append(f"*,{top},{bottom},{name},{1 if ring.role is Role.OUTER else -1},")
    return "\r\n".join(rows) + "\r\n"
