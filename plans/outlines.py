"""Turn the corner sheet of a plan workbook into outlines, and name the cells that are wrong."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from django.contrib.gis.geos import GEOSGeometry
from shapely import to_wkb
from shapely.geometry import MultiPolygon as PlainMultiPolygon

from mines.coordinates import Problem, read_text
from mines.models import CGCS2000
from mines.readings import Severity
from mines.rings import area_km2, to_lonlat
from plans.workbook_rows import CornerRow


@dataclass(frozen=True)
class Outline:
    """Hold one area's outline in CGCS2000 degrees and its ellipsoidal area in km²."""

    shape: GEOSGeometry
    area_km2: Decimal


@dataclass(frozen=True)
class CornerProblem:
    """Name one thing wrong with an area's corners, at a field of a row of the corner sheet."""

    area_code: str
    row: int
    field: str
    severity: Severity
    code: str
    message: str
    found: str
    expected: str


def read_outlines(
    corners: Sequence[CornerRow],
) -> tuple[dict[str, Outline], list[CornerProblem]]:
    """Return the outlines by area code, and every problem of those that could not be read."""
    outlines: dict[str, Outline] = {}
    problems: list[CornerProblem] = []
    for area_code, rows in groupby(
        sorted(corners, key=lambda corner: corner.area_code), key=lambda corner: corner.area_code
    ):
        text, corner_of_line = _registration_text(sorted(rows, key=lambda corner: corner.row))
        reading = read_text(text)
        problems += (_at_cell(found, corner_of_line) for found in reading.problems)
        if reading.accepted and reading.boundary is not None:
            shapes = PlainMultiPolygon(to_lonlat(reading.boundary))
            geometry = GEOSGeometry(memoryview(to_wkb(shapes)), srid=CGCS2000)
            outlines[area_code] = Outline(geometry, area_km2(reading.boundary))
    return outlines, problems


def _registration_text(corners: Iterable[CornerRow]) -> tuple[str, list[CornerRow]]:
    """Write an area's corners as registration text; the list gives each line's corner."""
    lines: list[str] = []
    written: list[CornerRow] = []
    for region, points in groupby(corners, key=lambda corner: corner.region):
        first: CornerRow | None = None
        for corner in points:
            lines.append(f"{corner.point},{corner.x},{corner.y}, , ,")
            written.append(corner)
            first = first or corner
        if first is not None:
            lines.append(f"*,{first.elevation_top},{first.elevation_bottom},{region},1,")
            written.append(first)
    return "\n".join(lines), written


def _at_cell(problem: Problem, corner_of_line: list[CornerRow]) -> CornerProblem:
    line = problem.line if problem.line is not None else 1
    corner = corner_of_line[min(line, len(corner_of_line)) - 1]
    return CornerProblem(
        area_code=corner.area_code,
        row=corner.row,
        field="y" if problem.found and problem.found in corner.y else "x",
        severity=problem.severity,
        code=problem.code,
        message=problem.message,
        found=problem.found,
        expected=problem.expected,
    )
