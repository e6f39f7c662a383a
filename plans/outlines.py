"""Turn the corner sheet of a plan workbook into outlines, and name the cells that are wrong."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from django.contrib.gis.geos import GEOSGeometry, MultiPolygon
from shapely import to_wkb
from shapely.geometry import MultiPolygon as PlainMultiPolygon

from mines.coordinates import Problem, read_text
from mines.models import CGCS2000
from mines.rings import area_km2, to_lonlat
from plans.workbook_rows import CornerRow


@dataclass(frozen=True)
class Outline:
    """Hold one area's outline in CGCS2000 degrees and its ellipsoidal area in km²."""

    shape: MultiPolygon
    area_km2: Decimal


@dataclass(frozen=True)
class CornerProblem:
    """Name one thing wrong with an area's corners; `row` is the row of the corner sheet."""

    area_code: str
    row: int
    severity: str
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
        text, row_of_line = _registration_text(sorted(rows, key=lambda corner: corner.row))
        reading = read_text(text)
        problems += (_at_row(area_code, found, row_of_line) for found in reading.problems)
        if reading.accepted and reading.boundary is not None:
            shapes = PlainMultiPolygon(to_lonlat(reading.boundary))
            geometry = GEOSGeometry(memoryview(to_wkb(shapes)), srid=CGCS2000)
            outlines[area_code] = Outline(geometry, area_km2(reading.boundary))
    return outlines, problems


def _registration_text(corners: Iterable[CornerRow]) -> tuple[str, list[int]]:
    """Write an area's corners as registration text; the list gives each line's sheet row."""
    lines: list[str] = []
    rows: list[int] = []
    for region, points in groupby(corners, key=lambda corner: corner.region):
        last: CornerRow | None = None
        for corner in points:
            lines.append(f"{corner.point},{corner.x},{corner.y}, , ,")
            rows.append(corner.row)
            last = last or corner
        if last is not None:
            lines.append(f"*,{last.elevation_top},{last.elevation_bottom},{region},1,")
            rows.append(last.row)
    return "\n".join(lines), rows


def _at_row(area_code: str, problem: Problem, row_of_line: list[int]) -> CornerProblem:
    line = problem.line if problem.line is not None else 1
    row = row_of_line[min(line, len(row_of_line)) - 1]
    return CornerProblem(
        area_code=area_code,
        row=row,
        severity=problem.severity,
        code=problem.code,
        message=problem.message,
        found=problem.found,
        expected=problem.expected,
    )
