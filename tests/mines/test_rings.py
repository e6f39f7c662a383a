"""Areas, zones and drawings of rings on CGCS2000."""

import math
from decimal import Decimal
from itertools import pairwise

import pytest
import shapely
from shapely.geometry import Polygon

from mines.coordinates import Limits, read_text
from mines.rings import (
    Boundary,
    Point,
    Region,
    Ring,
    Role,
    area_km2,
    boundary_area_m2,
    compare_area,
    ellipsoidal_area_m2,
    epsg_of_zone,
    explain_ring,
    in_km2,
    lonlat_to_plane,
    plane_polygon,
    point_to_lonlat,
    to_lonlat,
    zone_of_longitude,
)
from standards.terms import Verdict
from tests.mines.published_rings import REGISTRATION, XIAXIAN
from tests.mines.readings import as_given

ANYWHERE = Limits(zones=tuple(range(25, 46)), x_min=1_000_000, x_max=6_000_000)


def annex_d_area_m2(polygon: Polygon, zone: int) -> float:
    """Sum the trapezoids of TD/T 1055-2019 Annex D over the densified outer ring."""
    a, f = 6378137.0, 1 / 298.257222101
    b = a * (1 - f)
    e2 = (a * a - b * b) / (a * a)
    k_a = 1 + 3 / 6 * e2 + 30 / 80 * e2**2 + 35 / 112 * e2**3 + 630 / 2304 * e2**4
    k_b = 1 / 6 * e2 + 15 / 80 * e2**2 + 21 / 112 * e2**3 + 420 / 2304 * e2**4
    k_c = 3 / 80 * e2**2 + 7 / 112 * e2**3 + 180 / 2304 * e2**4
    k_d = 1 / 112 * e2**3 + 45 / 2304 * e2**4
    k_e = 5 / 2304 * e2**4
    dense = shapely.segmentize(polygon.exterior, 10.0)
    corners = [
        tuple(map(math.radians, point_to_lonlat(north, east, zone))) for east, north in dense.coords
    ]
    origin = corners[0][0]
    total = 0.0
    for (l1, b1), (l2, b2) in pairwise(corners):
        half, middle, width = (b2 - b1) / 2, (b1 + b2) / 2, (l1 + l2) / 2 - origin
        total += width * (
            k_a * math.sin(half) * math.cos(middle)
            - k_b * math.sin(3 * half) * math.cos(3 * middle)
            + k_c * math.sin(5 * half) * math.cos(5 * middle)
            - k_d * math.sin(7 * half) * math.cos(7 * middle)
            + k_e * math.sin(9 * half) * math.cos(9 * middle)
        )
    return abs(2 * b * b * total)


def square(x: float, y: float, side: float = 1000) -> Polygon:
    return Polygon([(y, x), (y, x + side), (y + side, x + side), (y + side, x)])


@pytest.mark.parametrize(
    ("x", "y", "zone", "expected"),
    [
        (4356115.442, 37623300.828, 37, 999_622.8),
        (4356315.792, 38364627.188, 38, 999_552.4),
        (4356115.442, 38440000.000, 38, 999_912.9),
    ],
)
def test_square_kilometre_shrinks_with_the_distance_from_the_meridian(x, y, zone, expected):
    assert ellipsoidal_area_m2(square(x, y), zone) == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("text", [REGISTRATION, XIAXIAN])
def test_area_agrees_with_annex_d(text):
    boundary = as_given(read_text(text, ANYWHERE))
    for region in boundary.regions:
        polygon = plane_polygon(region)
        formula = annex_d_area_m2(polygon, boundary.zone)
        assert ellipsoidal_area_m2(polygon, boundary.zone) == pytest.approx(formula, abs=0.02)


def test_area_of_a_county_sized_square_agrees_with_annex_d():
    polygon = square(4356115, 37560000, side=30_000)
    assert ellipsoidal_area_m2(polygon, 37) == pytest.approx(annex_d_area_m2(polygon, 37), abs=2)


def test_same_place_has_coordinates_in_both_zones():
    assert epsg_of_zone(37) == 4525
    assert epsg_of_zone(38) == 4526
    x, y = lonlat_to_plane(112.43, 39.33, 37)
    assert (round(x, 3), round(y, 3)) == (4356115.442, 37623300.828)
    x, y = lonlat_to_plane(112.43, 39.33, 38)
    assert (round(x, 3), round(y, 3)) == (4356315.792, 38364627.188)
    longitude, latitude = point_to_lonlat(Decimal("4356115.442"), Decimal("37623300.828"), 37)
    assert (round(longitude, 6), round(latitude, 6)) == (112.43, 39.33)


def test_zone_outside_china_is_refused():
    with pytest.raises(ValueError, match="no 3-degree zone 46"):
        epsg_of_zone(46)


@pytest.mark.parametrize(("longitude", "zone"), [(111.0, 37), (112.49, 37), (112.51, 38)])
def test_zone_of_longitude(longitude, zone):
    assert zone_of_longitude(longitude) == zone


def corner(number: int, x: int, y: int) -> Point:
    return Point(str(number), f"{x}.00", f"{y}.00", Decimal(x), Decimal(y), number)


def box(x: int, y: int, side: int) -> tuple[Point, ...]:
    return (
        corner(1, x, y),
        corner(2, x + side, y),
        corner(3, x + side, y + side),
        corner(4, x, y + side),
    )


def boundary_of(*rings_of_regions: tuple[Ring, ...]) -> Boundary:
    regions = tuple(Region("", None, None, rings) for rings in rings_of_regions)
    return Boundary(regions, 37, "registration")


def test_hole_is_taken_from_the_area():
    outer = Ring(box(4356000, 37600000, 1000))
    hole = Ring(box(4356200, 37600200, 500), Role.HOLE)
    assert area_km2(boundary_of((outer,))) == Decimal("0.9998")
    assert area_km2(boundary_of((outer, hole))) == Decimal("0.7498")
    assert len(to_lonlat(boundary_of((outer, hole)))[0].interiors) == 1


def test_ground_below_two_regions_counts_once():
    first = Ring(box(4356000, 37600000, 1000))
    assert area_km2(boundary_of((first,), (first,))) == Decimal("0.9998")


@pytest.mark.parametrize(
    ("square_metres", "expected"),
    [(12_350_050.0, "12.3501"), (12_350_049.9, "12.3500"), (49.9, "0.0000"), (50.0, "0.0001")],
)
def test_area_rounds_half_up_at_the_fourth_decimal(square_metres, expected):
    assert in_km2(square_metres) == Decimal(expected)


def test_polygons_are_degrees_counter_clockwise():
    polygon = to_lonlat(boundary_of((Ring(box(4356000, 37623300, 1000)),)))[0]
    assert polygon.exterior.is_ccw
    west, south, east, north = polygon.bounds
    assert (round(west, 2), round(south, 2)) == (112.43, 39.33)
    assert west < east < 112.45
    assert south < north < 39.34


def test_area_of_a_crossing_ring_is_the_difference_of_its_loops():
    first, second, third, fourth = box(4356000, 37600000, 1000)
    crossing = boundary_of((Ring((first, third, second, fourth)),))
    assert boundary_area_m2(crossing) < 2


@pytest.mark.parametrize(
    ("declared", "computed", "verdict"),
    [
        ("1.0685", "1.0685", Verdict.PASS),
        ("1.0690", "1.0685", Verdict.PASS),
        ("1.0691", "1.0685", Verdict.REVIEW),
        ("10.0050", "10.0000", Verdict.PASS),
        ("10.0051", "10.0000", Verdict.REVIEW),
        ("9.9949", "10.0000", Verdict.REVIEW),
    ],
)
def test_declared_area_is_held_to_the_larger_tolerance(declared, computed, verdict):
    comparison = compare_area(
        Decimal(declared),
        Decimal(computed),
        tolerance_km2=Decimal("0.0005"),
        tolerance_ratio=Decimal("0.0005"),
    )
    assert comparison.verdict is verdict
    assert comparison.difference == Decimal(declared) - Decimal(computed)


def test_area_without_declaration_is_no_data():
    comparison = compare_area(
        None, Decimal("1"), tolerance_km2=Decimal(0), tolerance_ratio=Decimal(0)
    )
    assert comparison.verdict is Verdict.NODATA


def test_drawing_closes_the_line_and_labels_each_corner():
    drawing = explain_ring(box(4356000, 37623300, 1000), 37)
    assert len(drawing.line) == 5
    assert drawing.line[0] == drawing.line[-1]
    assert [label[0] for label in drawing.labels] == ["1", "2", "3", "4"]
    assert drawing.labels[0][1:] == drawing.line[0]
