"""Ask PostGIS how boundaries lie to each other: one set-based query for a whole plan.

Shapes come in as (key, geometry) pairs in CGCS2000 degrees, from whatever row holds them; the
answers are dataclasses by key, so that no other part of the registry has to be known here.
Lengths are metres and areas square metres on the ellipsoid.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import shapely
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon

from mines import rings
from mines.models import CGCS2000, Boundary, Mine


def outline_of(boundary: rings.Boundary) -> MultiPolygon:
    """Return the ground that the regions of a boundary cover; regions one above another unite."""
    ground = shapely.union_all(rings.to_lonlat(boundary))
    shape = GEOSGeometry(memoryview(shapely.to_wkb(ground)), srid=CGCS2000)
    return shape if isinstance(shape, MultiPolygon) else MultiPolygon(shape, srid=CGCS2000)


def regions_of(boundary: rings.Boundary) -> list[dict[str, Any]]:
    """Return what `Boundary.regions` keeps: names, elevations and corner points as given."""
    return [
        {
            "name": region.name,
            "elevation_top_m": _text(region.elevation_top),
            "elevation_bottom_m": _text(region.elevation_bottom),
            "zone": boundary.zone,
            "rings": [
                {
                    "role": ring.role.value,
                    "points": [[point.number, point.x_text, point.y_text] for point in ring.points],
                }
                for ring in region.rings
            ],
        }
        for region in boundary.regions
    ]


def boundary_row(
    mine: Mine,
    boundary: rings.Boundary,
    *,
    source_text: str,
    as_of: date,
    is_schematic: bool = False,
) -> Boundary:
    """Return the unsaved row of a mine's boundary with its computed area."""
    return Boundary(
        mine=mine,
        outline=outline_of(boundary),
        area_km2=rings.area_km2(boundary),
        regions=regions_of(boundary),
        source_text=source_text,
        is_schematic=is_schematic,
        as_of=as_of,
    )


def _text(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"
