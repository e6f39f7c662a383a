"""Ask once for a whole version how its areas lie: overlaps, neighbours, gaps, added ground.

An answer that cannot be had is None: without an outline nothing is known about an area, and from
a member without a true boundary nothing about what the merger adds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.contrib.gis.geos import GEOSGeometry

from mines import boundaries, proposals
from mines.models import Boundary, Mine
from plans.models import MergedArea
from standards.terms import ExtraResource

AROUND = "around"


@dataclass(frozen=True, slots=True)
class AddedPart:
    """Hold one named part of the added ground; `sides` are the mines (ids) it lies between."""

    key: str
    sides: tuple[int, int] | None
    area_m2: Decimal


@dataclass(frozen=True, slots=True)
class Survey:
    """Hold the answers by area code; overlaps also by the key of an added part."""

    overlaps: Mapping[str, list[boundaries.Overlap]] = field(default_factory=dict)
    neighbours: Mapping[str, list[boundaries.Neighbour]] = field(default_factory=dict)
    gaps: Mapping[str, list[boundaries.Gap]] = field(default_factory=dict)
    counties: Mapping[str, list[boundaries.CountyShare]] = field(default_factory=dict)
    among: Mapping[str, list[proposals.Relation]] = field(default_factory=dict)
    added_m2: Mapping[str, Decimal] = field(default_factory=dict)
    parts: Mapping[str, tuple[AddedPart, ...]] = field(default_factory=dict)


def is_drawn_for_show(mine: Mine) -> bool:
    """Tell whether a mine's outline shows its place alone, so that nothing can be measured on it.

    The outline of an invented mine is as good as its other figures.
    """
    boundary: Boundary | None = getattr(mine, "boundary", None)
    return boundary is not None and boundary.is_schematic and not mine.is_demo


def boundary_of(mine: Mine) -> Boundary | None:
    """Return a mine's boundary; None where it has none, or only one drawn to show the place."""
    boundary: Boundary | None = getattr(mine, "boundary", None)
    return None if boundary is None or is_drawn_for_show(mine) else boundary


def survey(
    areas: Sequence[MergedArea],
    members: Mapping[str, Sequence[Mine]],
    *,
    within_m: Decimal,
    tolerance_m2: Decimal,
) -> Survey:
    """Ask PostGIS about all areas of a version: one query for each kind of answer.

    Parts of the added ground below the tolerance are noise of the outlines and get no name.
    """
    shapes = [(area.code, area.outline) for area in areas if area.outline is not None]
    known = {
        code: {mine.pk: boundary.outline for mine, boundary in rows}
        for code, mines in members.items()
        if len(rows := _with_boundaries(mines)) == len(mines) and mines
    }
    gaps = boundaries.gaps_within({code: list(rows) for code, rows in known.items()})
    old_known = [(code, shape) for code, shape in shapes if code in known]
    pieces = boundaries.added_pieces(
        old_known, {code: known[code].values() for code, _ in old_known}
    )
    named: dict[str, tuple[AddedPart, ...]] = {}
    asked: list[tuple[str, GEOSGeometry]] = list(shapes)
    for code, found in pieces.items():
        nearest = sorted(gaps[code], key=lambda gap: gap.distance_m)
        pairs = [(gap.first_id, gap.second_id) for gap in nearest]
        parts = proposals.parts_of(found, known[code], pairs)
        kept = _named(code, parts, tolerance_m2)
        named[code] = tuple(part for part, _ in kept)
        asked += [(part.key, shape) for part, shape in kept]
    replaced = {code: [mine.pk for mine in mines] for code, mines in members.items()}
    for code, parts_of_area in named.items():
        replaced |= {part.key: replaced[code] for part in parts_of_area}
    return Survey(
        overlaps=boundaries.overlaps(asked, ignoring=replaced),
        neighbours=boundaries.neighbours(shapes, within_m=within_m, ignoring=replaced),
        gaps=gaps,
        counties=boundaries.counties_touched(shapes),
        among=proposals.among(shapes, within_m=within_m),
        added_m2={
            code: sum((piece.area_m2 for piece in found), Decimal(0))
            for code, found in pieces.items()
        },
        parts=named,
    )


def _with_boundaries(mines: Sequence[Mine]) -> list[tuple[Mine, Boundary]]:
    found = ((mine, boundary_of(mine)) for mine in mines)
    return [(mine, boundary) for mine, boundary in found if boundary is not None]


def _named(
    code: str, parts: Sequence[proposals.GroundPart], tolerance_m2: Decimal
) -> list[tuple[AddedPart, GEOSGeometry]]:
    """Join the parts between the same two mines, and all that lie around; name each."""
    groups: dict[tuple[int, int] | None, list[proposals.GroundPart]] = {}
    for part in parts:
        groups.setdefault(part.sides, []).append(part)
    found = []
    number = 0
    for sides in sorted(groups, key=lambda sides: sides or (0, 0)):
        area = sum((part.area_m2 for part in groups[sides]), Decimal(0))
        if area <= tolerance_m2:
            continue
        number += sides is not None
        key = f"{code}-{AROUND}" if sides is None else f"{code}-{ExtraResource.GAP}-{number}"
        found.append((AddedPart(key, sides, area), proposals.united(groups[sides])))
    return found
