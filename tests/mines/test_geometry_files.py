"""GeoJSON and KML: what is read, what is refused and with which words; no file calls out."""

import json
import socket
import time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mines.geometry_files import read_geojson, read_kml, read_shapefile_zip, read_upload
from mines.readings import Limits
from mines.rings import Role, area_km2, to_lonlat
from tests.mines.geometry_bytes import (
    DEGREES,
    HOLE,
    PLANE,
    geojson,
    kml,
    layer,
    named,
    placemark,
    zipped,
)
from tests.mines.readings import as_given, as_mended, only

REAL_SOCKET = socket.socket


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a parser asked the network")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


class TestGeoJson:
    def test_degrees_without_crs_are_cgcs2000_with_a_warning(self):
        reading = read_geojson(geojson(DEGREES))
        problem = only(reading)
        assert (problem.code, problem.severity) == ("assumed_cgcs2000", "warning")
        assert reading.accepted
        boundary = as_given(reading)
        assert (boundary.zone, boundary.source_format, boundary.point_count) == (37, "geojson", 4)
        assert area_km2(boundary) == Decimal("0.9572")
        west, south, east, north = to_lonlat(boundary)[0].bounds
        assert (round(west, 8), round(south, 8)) == (112.43, 39.33)
        assert (round(east, 8), round(north, 8)) == (112.44, 39.34)

    def test_mine_east_of_112_5_lies_in_zone_38(self):
        ring = [(east + 0.2, north) for east, north in DEGREES]
        assert as_given(read_geojson(geojson(ring))).zone == 38

    @pytest.mark.parametrize(
        "name", ["EPSG:4490", "urn:ogc:def:crs:EPSG::4490", "urn:ogc:def:crs:EPSG:9.9:4490"]
    )
    def test_named_cgcs2000_needs_no_warning(self, name):
        reading = read_geojson(geojson(DEGREES, crs=named(name)))
        assert reading.problems == ()
        assert reading.accepted

    @pytest.mark.parametrize("name", ["urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326"])
    def test_named_wgs84_is_read_as_cgcs2000_with_a_warning(self, name):
        assert only(read_geojson(geojson(DEGREES, crs=named(name)))).code == "assumed_cgcs2000"

    def test_plane_coordinates_of_a_named_zone(self):
        reading = read_geojson(geojson(PLANE, crs=named("EPSG:4525")))
        assert reading.problems == ()
        assert as_given(reading).regions[0].rings[0].points[0].x_text == "4356115.44"
        assert area_km2(as_given(reading)) == Decimal("0.9996")

    def test_zone_is_put_before_eastings_of_a_named_meridian(self):
        ring = [(east - 37_000_000, north) for east, north in PLANE]
        reading = read_geojson(geojson(ring, crs=named("EPSG:4546")))
        assert reading.problems == ()
        assert as_given(reading).regions[0].rings[0].points[0].y_text == "37623300.83"

    def test_hole_name_and_elevations(self):
        properties = {"名称": "东采区", "起标高": 1520, "止标高": "1400"}
        boundary = as_given(read_geojson(geojson(DEGREES, HOLE, properties=properties)))
        (region,) = boundary.regions
        assert (region.name, region.elevation_top) == ("东采区", Decimal("1520"))
        assert region.elevation_bottom == Decimal("1400")
        assert [ring.role for ring in region.rings] == [Role.OUTER, Role.HOLE]
        assert area_km2(boundary) == Decimal("0.9189")

    def test_collections_are_read_in_their_order(self):
        far = [(east + 0.02, north) for east, north in DEGREES]
        document = {
            "type": "FeatureCollection",
            "features": [
                json.loads(geojson(DEGREES, properties={"name": "甲"})),
                json.loads(geojson(far, properties={"name": "乙"})),
            ],
        }
        boundary = as_given(read_geojson(json.dumps(document).encode()))
        assert [region.name for region in boundary.regions] == ["甲", "乙"]

    def test_multi_polygon_gives_regions(self):
        far = [(east + 0.02, north) for east, north in DEGREES]
        document = {"type": "MultiPolygon", "coordinates": [[DEGREES], [far]]}
        assert len(as_given(read_geojson(json.dumps(document).encode())).regions) == 2

    @pytest.mark.parametrize(
        ("crs", "code"),
        [
            ({"type": "link", "properties": {"href": "http://127.0.0.1/x"}}, "crs_link"),
            ({"type": "EPSG", "properties": {"code": 4490}}, "crs_unknown"),
            ("EPSG:4490", "crs_unknown"),
            (named("EPSG:3857"), "crs_unknown"),
            (named("EPSG:32649"), "crs_unknown"),
            (named("EPSG:999999"), "crs_unknown"),
            (named("http://127.0.0.1/crs"), "crs_unknown"),
            (named("/etc/passwd"), "crs_unknown"),
            (named("EPSG:4610"), "xian80"),
            (named("EPSG:2361"), "xian80"),
            (named("EPSG:4214"), "beijing54"),
            (named("EPSG:2412"), "beijing54"),
        ],
    )
    def test_refused_systems(self, crs, code):
        reading = read_geojson(geojson(DEGREES, crs=crs))
        assert only(reading).code == code
        assert reading.boundary is None

    def test_swapped_degrees_are_offered_turned(self):
        reading = read_geojson(geojson([(north, east) for east, north in DEGREES]))
        assert "swapped_lonlat" in [p.code for p in reading.problems]
        assert reading.boundary is None
        assert area_km2(as_mended(reading)) == Decimal("0.9572")

    def test_degrees_outside_china(self):
        ring = [(east, -north) for east, north in DEGREES]
        problem = read_geojson(geojson(ring)).errors[0]
        assert (problem.code, problem.line) == ("lonlat_range", 1)

    def test_degrees_of_another_zone(self):
        ring = [(east + 8, north) for east, north in DEGREES]
        problem = read_geojson(geojson(ring)).errors[0]
        assert (problem.code, problem.found) == ("wrong_zone", "40 带")

    def test_north_of_the_plausible_range(self):
        ring = [(east, north + 3) for east, north in DEGREES]
        assert read_geojson(geojson(ring)).errors[0].code == "x_range"

    @pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999", "1e300"])
    def test_not_finite(self, value):
        data = geojson(DEGREES).replace(b"112.44", value.encode(), 1)
        problem = read_geojson(data).errors[0]
        assert (problem.code, problem.line) == ("not_finite", 3)

    def test_open_ring_is_closed_with_a_warning(self):
        reading = read_geojson(geojson(DEGREES[:-1], crs=named("EPSG:4490")))
        assert only(reading).code == "auto_closed"
        assert reading.accepted

    def test_bow_tie_is_offered_parted(self):
        ring = [DEGREES[0], DEGREES[2], DEGREES[1], DEGREES[3], DEGREES[0]]
        reading = read_geojson(geojson(ring, crs=named("EPSG:4490")))
        assert only(reading).code == "self_crossing"
        assert len(as_mended(reading).regions) == 2

    def test_line_is_no_boundary(self):
        data = json.dumps({"type": "LineString", "coordinates": DEGREES}).encode()
        problem = only(read_geojson(data))
        assert (problem.code, problem.found) == ("no_polygon", "LineString")

    @pytest.mark.parametrize(
        "data",
        [
            b"{",
            b"[]",
            b"7",
            b'{"type":"Polygon"}',
            b'{"type":"Polygon","coordinates":[[["112","39"]]]}',
            b'{"type":"Polygon","coordinates":[[[112]]]}',
            b'{"type":"Feature","geometry":7}',
            b'{"type":"Feature","properties":[1],"geometry":{"type":"Polygon","coordinates":[[]]}}',
            b'{"a":' * 100_000,
            b'{"type":"Polygon","coordinates":[[[' + b"9" * 5000 + b",1]]]}",
        ],
    )
    def test_damaged_files(self, data):
        assert only(read_geojson(data)).code == "bad_geojson"

    def test_a_million_points_are_refused_early(self):
        data = geojson([[112.43, 39.33]] * 1_000_000)
        start = time.perf_counter()
        assert only(read_geojson(data)).code == "too_large"
        assert time.perf_counter() - start < 0.5

    def test_too_many_points(self):
        ring = [(112.43 + n / 1e5, 39.33 + (n % 2) / 1e4) for n in range(1001)]
        assert read_geojson(geojson(ring)).errors[0].code == "too_many_points"


class TestKml:
    def test_polygon_with_a_hole(self):
        reading = read_kml(kml(placemark(DEGREES, HOLE)))
        assert only(reading).code == "assumed_cgcs2000"
        assert as_given(reading).source_format == "kml"
        assert as_given(reading).regions[0].name == "东采区"
        assert area_km2(as_given(reading)) == Decimal("0.9189")

    def test_gbk_declaration(self):
        data = kml(placemark(DEGREES)).decode().replace("UTF-8", "GBK").encode("gbk")
        assert as_given(read_kml(data)).regions[0].name == "东采区"

    def test_network_link(self):
        link = "<NetworkLink><Link><href>http://127.0.0.1/x.kml</href></Link></NetworkLink>"
        assert only(read_kml(kml(placemark(DEGREES), link))).code == "network_link"

    @pytest.mark.parametrize(
        "head",
        [
            '<!DOCTYPE kml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>',
            '<!DOCTYPE kml SYSTEM "http://127.0.0.1/kml.dtd">',
            '<!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        ],
    )
    def test_document_types_and_entities(self, head):
        assert only(read_kml(kml(placemark(DEGREES), head=head))).code == "bad_kml"

    @pytest.mark.parametrize(
        "data",
        [
            b"<kml>",
            b"no xml",
            kml(
                "<Placemark><Polygon><outerBoundaryIs><coordinates>a,b</coordinates>"
                "</outerBoundaryIs></Polygon></Placemark>"
            ),
            b"<a>" * 100_000,
        ],
    )
    def test_damaged_files(self, data):
        assert only(read_kml(data)).code == "bad_kml"

    def test_deeply_nested_elements_do_not_end_the_process(self):
        data = b"<a>" * 100_000 + b"</a>" * 100_000
        assert read_kml(data).errors[0].code == "no_polygon"

    def test_path_is_no_boundary(self):
        line = "<Placemark><LineString><coordinates>112,39</coordinates></LineString></Placemark>"
        problem = read_kml(kml(line)).errors[0]
        assert (problem.code, problem.found) == ("no_polygon", "LineString")

    def test_not_finite(self):
        problem = read_kml(kml(placemark([*DEGREES[:2], ("nan", 39.3), *DEGREES[2:]]))).errors[0]
        assert (problem.code, problem.line) == ("not_finite", 3)


@given(st.binary(max_size=300), st.sampled_from([b"", b"{", b"<?xml ?>", b"PK\x03\x04"]))
@settings(max_examples=200, deadline=None)
def test_random_bytes_never_raise(data, head):
    for read in (read_geojson, read_kml, read_shapefile_zip, read_upload):
        reading = read(head + data)
        assert reading.boundary is not None or reading.problems


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "coordinates", "geometry", "features", "properties", "crs"]),
            inner | st.sampled_from(["Polygon", "MultiPolygon", "Feature", "FeatureCollection"]),
        )
    ),
    max_leaves=20,
)


@given(JSON)
@settings(max_examples=200, deadline=None)
def test_any_json_never_raises(document):
    reading = read_geojson(json.dumps(document).encode())
    assert reading.boundary is not None or reading.problems


def test_upload_is_read_by_its_first_bytes(tmp_path):
    parts = layer(tmp_path)
    uploads = [zipped(parts), geojson(DEGREES), kml(placemark(DEGREES))]
    uploads.append(
        b"1,4356115.44,37623300.83\n2,4357115.44,37623300.83\n3,4357115.44,37624300.83\n"
    )
    formats = [as_given(read_upload(data)).source_format for data in uploads]
    assert formats == ["shapefile", "geojson", "kml", "table"]


def test_addresses_in_files_are_never_called(tmp_path):
    parts = layer(tmp_path)
    with REAL_SOCKET(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        link = f"<NetworkLink><Link><href>{url}</href></Link></NetworkLink>"
        source = f"<OGRVRTDataSource><SrcDataSource>/vsicurl/{url}</SrcDataSource>"
        read_kml(kml(placemark(DEGREES), link))
        read_kml(kml(placemark(DEGREES), head=f'<!DOCTYPE kml SYSTEM "{url}">'))
        read_geojson(geojson(DEGREES, crs={"type": "link", "properties": {"href": url}}))
        read_geojson(geojson(DEGREES, crs=named(url)))
        read_shapefile_zip(zipped(parts | {".shp": source.encode()}))
        read_shapefile_zip(zipped(parts | {".prj": url.encode()}))
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_limits_hold_for_files_too():
    assert read_geojson(geojson(DEGREES), Limits(zones=(38,))).errors[0].code == "wrong_zone"


def test_this_module_needs_no_database():
    source = Path("mines/geometry_files.py").read_text(encoding="utf-8")
    assert "django" not in source
