"""Read and write the corner point texts of mining rights.

Accepts the registration text (`1,X,Y, , ,` and `*` rows), the older `XY001=` text, the
`[地块坐标]` text and a pasted table, in UTF-8 or GB18030. Geometry files are read by
`mines.geometry_files`. Nothing here knows the database.
"""

import re

from mines.coordinate_formats import (
    STAR,
    XY_KEY,
    read_land_parcels,
    read_registration_rows,
    read_xy_keys,
)
from mines.coordinate_rows import RawBoundary, check_datum, decode
from mines.coordinate_tables import read_table
from mines.readings import Limits, Problem, Reading, problem, refused
from mines.ring_checks import check_boundary
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
    "read_text",
    "write_text",
]

HEADER = "拐点,X(起标高),Y(止标高)"


def read_text(
    data: bytes | str, limits: Limits | None = None, *, assume_zone: int | None = None
) -> Reading:
    """Read corner points in any of the four text forms; never raises on bad input.

    `assume_zone` is the user's answer for eastings without zone prefix; what it adds shows in the
    mended boundary.
    """
    limits = limits or Limits()
    if len(data) > limits.max_bytes:
        return refused(
            problem(
                "too_large",
                f"文件有 {len(data)} 字节",
                found=f"{len(data)} 字节",
                expected=f"不超过 {limits.max_bytes} 字节",
                fix=f"一个矿的拐点少于 {limits.max_points} 个,请只提交这个矿的拐点",
            )
        )
    text = decode(data)
    if isinstance(text, Problem):
        return refused(text)
    datum = check_datum(text)
    if datum is not None:
        return refused(datum)
    return check_boundary(_read_rows(text), limits, assume_zone)


def _read_rows(text: str) -> RawBoundary:
    lines = text.split("\n")
    if "[地块坐标]" in text:
        return read_land_parcels(text)
    if any(XY_KEY.match(line) for line in lines):
        return read_xy_keys(text)
    if any(STAR.match(line) for line in lines) or "起标高" in text:
        return read_registration_rows(text)
    return read_table(text)


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
        name = re.sub(r"[\s,\uff0c|]+", " ", region.name).strip()
        for ring in region.rings:
            rows += [f"{n},{p.x_text},{p.y_text}, , ," for n, p in enumerate(ring.points, 1)]
            rows.append(f"*,{top},{bottom},{name},{1 if ring.role is Role.OUTER else -1},")
    return "\r\n".join(rows) + "\r\n"
