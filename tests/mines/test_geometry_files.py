"""GeoJSON, KML and zipped Shapefiles: what is read, what is refused and with which words."""

import io
import json
import socket
import struct
import time
import warnings
import zipfile
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyogrio.raw
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from mines.geometry_files import read_geojson, read_kml, read_shapefile_zip, read_upload
from mines.readings import Limits
from mines.rings import Role, area_km2, lonlat_to_plane, to_lonlat
from mines.shapefile_archive import ArchiveLimits

# A square kilometre in zone 37 near 112.43°E 39.33°N, as plane metres (east, north).
PLANE = [
    (37623300.83, 4356115.44),
    (37623300.83, 4357115.44),
    (37624300.83, 4357115.44),
    (37624300.83, 4356115.44),
    (37623300.83, 4356115.44),
]
DEGREES = [
    (112.43, 39.33),
    (112.43, 39.34),
    (112.44, 39.34),
    (112.44, 39.33),
    (112.43, 39.33),
]
HOLE = [
    (112.432, 39.332),
    (112.434, 39.332),
    (112.434, 39.334),
    (112.432, 39.334),
    (112.432, 39.332),
]

REAL_SOCKET = socket.socket


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a parser asked the network")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def geojson(*rings, crs=None, properties=None):
    polygon = {"type": "Polygon", "coordinates": list(rings)}
    document = {"type": "Feature", "properties": properties, "geometry": polygon}
    if crs is not None:
        document["crs"] = crs
    return json.dumps(document).encode()


def named(name):
    return {"type": "name", "properties": {"name": name}}


def only(reading):
    """Return the one problem of a reading."""
    assert len(reading.problems) == 1, [p.message for p in reading.problems]
    return reading.problems[0]


class TestGeoJson:
    def test_degrees_without_crs_are_cgcs2000_with_a_warning(self):
        reading = read_geojson(geojson(DEGREES))
        problem = only(reading)
        assert (problem.code, problem.severity) == ("assumed_cgcs2000", "warning")
        assert reading.accepted
        boundary = reading.boundary
        assert (boundary.zone, boundary.source_format, boundary.point_count) == (37, "geojson", 4)
        assert area_km2(boundary) == Decimal("0.9572")
        west, south, east, north = to_lonlat(boundary)[0].bounds
        assert (round(west, 8), round(south, 8)) == (112.43, 39.33)
        assert (round(east, 8), round(north, 8)) == (112.44, 39.34)

    def test_mine_east_of_112_5_lies_in_zone_38(self):
        ring = [(east + 0.2, north) for east, north in DEGREES]
        assert read_geojson(geojson(ring)).boundary.zone == 38

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
        assert reading.boundary.regions[0].rings[0].points[0].x_text == "4356115.44"
        assert area_km2(reading.boundary) == Decimal("0.9996")

    def test_zone_is_put_before_eastings_of_a_named_meridian(self):
        ring = [(east - 37_000_000, north) for east, north in PLANE]
        reading = read_geojson(geojson(ring, crs=named("EPSG:4546")))
        assert reading.problems == ()
        assert reading.boundary.regions[0].rings[0].points[0].y_text == "37623300.83"

    def test_hole_name_and_elevations(self):
        properties = {"名称": "东采区", "起标高": 1520, "止标高": "1400"}
        boundary = read_geojson(geojson(DEGREES, HOLE, properties=properties)).boundary
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
        boundary = read_geojson(json.dumps(document).encode()).boundary
        assert [region.name for region in boundary.regions] == ["甲", "乙"]

    def test_multi_polygon_gives_regions(self):
        far = [(east + 0.02, north) for east, north in DEGREES]
        document = {"type": "MultiPolygon", "coordinates": [[DEGREES], [far]]}
        assert len(read_geojson(json.dumps(document).encode()).boundary.regions) == 2

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
        assert area_km2(reading.mended) == Decimal("0.9572")

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
        assert len(reading.mended.regions) == 2

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


def kml(*placemarks, head=""):
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}'
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
        f"{''.join(placemarks)}</Document></kml>"
    ).encode()


def placemark(outer, inner=None, name="东采区"):
    def line(ring):
        positions = " ".join(f"{east},{north},0" for east, north in ring)
        return f"<LinearRing><coordinates>\n{positions}\n</coordinates></LinearRing>"

    hole = f"<innerBoundaryIs>{line(inner)}</innerBoundaryIs>" if inner else ""
    return (
        f"<Placemark><name>{name}</name><Polygon>"
        f"<outerBoundaryIs>{line(outer)}</outerBoundaryIs>{hole}</Polygon></Placemark>"
    )


class TestKml:
    def test_polygon_with_a_hole(self):
        reading = read_kml(kml(placemark(DEGREES, HOLE)))
        assert only(reading).code == "assumed_cgcs2000"
        assert reading.boundary.source_format == "kml"
        assert reading.boundary.regions[0].name == "东采区"
        assert area_km2(reading.boundary) == Decimal("0.9189")

    def test_gbk_declaration(self):
        data = kml(placemark(DEGREES)).decode().replace("UTF-8", "GBK").encode("gbk")
        assert read_kml(data).boundary.regions[0].name == "东采区"

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


def layer(folder, rings=(PLANE,), *, epsg=4525, geometry_type="Polygon", names=("东采区",)):
    """Write a Shapefile with GBK attributes; return its bytes by suffix."""
    kind = shapely.Polygon if geometry_type == "Polygon" else shapely.LineString
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pyogrio.raw.write(
            folder / "layer.shp",
            np.array([shapely.to_wkb(kind(ring)) for ring in rings], dtype=object),
            [np.array(names, dtype=object)],
            ["名称"],
            geometry_type=geometry_type,
            crs=f"EPSG:{epsg}",
            driver="ESRI Shapefile",
            encoding="GBK",
        )
    return {path.suffix: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def parts(tmp_path):
    return layer(tmp_path)


def zipped(parts, stem="矿区范围"):
    members = {f"{stem}{suffix}": data for suffix, data in parts.items()}
    return archive(members)


def archive(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in members.items():
            target.writestr(name, data)
    return out.getvalue()


class TestShapefile:
    def test_plane_layer_with_gbk_attributes(self, parts):
        reading = read_shapefile_zip(zipped(parts))
        assert reading.problems == ()
        boundary = reading.boundary
        assert (boundary.zone, boundary.source_format) == (37, "shapefile")
        assert boundary.regions[0].name == "东采区"
        assert boundary.regions[0].rings[0].points[0].y_text == "37623300.83"
        assert area_km2(boundary) == Decimal("0.9996")

    def test_attributes_without_cpg(self, parts):
        del parts[".cpg"]
        assert read_shapefile_zip(zipped(parts)).boundary.regions[0].name == "东采区"

    def test_utf8_attributes_under_a_wrong_cpg_name(self, parts):
        parts[".cpg"] = b"no such encoding"
        assert read_shapefile_zip(zipped(parts)).boundary.regions[0].name == "东采区"

    def test_archive_on_disk_and_in_a_folder(self, parts, tmp_path):
        path = tmp_path / "upload"
        path.write_bytes(zipped(parts, stem="数据/范围"))
        assert read_shapefile_zip(path).accepted

    @pytest.mark.parametrize(("epsg", "codes"), [(4490, []), (4326, ["assumed_cgcs2000"])])
    def test_layer_in_degrees(self, tmp_path, epsg, codes):
        reading = read_shapefile_zip(zipped(layer(tmp_path, [DEGREES], epsg=epsg)))
        assert [p.code for p in reading.problems] == codes
        assert area_km2(reading.boundary) == Decimal("0.9572")

    def test_meridian_without_zone_prefix(self, tmp_path):
        x, y = lonlat_to_plane(112.43, 39.33, 37)
        ring = [(y - 37_000_000 + e, x + n) for e, n in [(0, 0), (0, 9), (9, 9), (9, 0), (0, 0)]]
        reading = read_shapefile_zip(zipped(layer(tmp_path, [ring], epsg=4546)))
        assert reading.problems == ()
        assert reading.boundary.regions[0].rings[0].points[0].y_text.startswith("37623300.")

    @pytest.mark.parametrize(
        ("epsg", "code"),
        [
            (2361, "xian80"),
            (4610, "xian80"),
            (2412, "beijing54"),
            (32649, "crs_unknown"),
            (3857, "crs_unknown"),
            (4529, "wrong_zone"),
        ],
    )
    def test_refused_systems(self, tmp_path, epsg, code):
        ring = [(east + 4_000_000 * (epsg == 4529), north) for east, north in PLANE]
        reading = read_shapefile_zip(zipped(layer(tmp_path, [ring], epsg=epsg)))
        assert only(reading).code == code

    def test_projection_text_that_is_none(self, parts):
        parts[".prj"] = b"EPSG:4525"
        assert only(read_shapefile_zip(zipped(parts))).code == "crs_unknown"

    @pytest.mark.parametrize(
        ("suffix", "code"),
        [
            (".prj", "missing_prj"),
            (".dbf", "missing_part"),
            (".shx", "missing_part"),
            (".shp", "not_shapefile"),
        ],
    )
    def test_missing_part(self, parts, suffix, code):
        del parts[suffix]
        problem = only(read_shapefile_zip(zipped(parts)))
        assert problem.code == code
        assert (suffix in problem.message) is True

    @pytest.mark.parametrize("name", ["../a.txt", "/etc/a.txt", "a/../../b", "C:\\a.txt", "\\a"])
    def test_names_that_lead_out(self, parts, name):
        members = {f"a{suffix}": data for suffix, data in parts.items()}
        assert only(read_shapefile_zip(archive(members | {name: b""}))).code == "unsafe_name"

    def test_symbolic_link(self, parts):
        link = zipfile.ZipInfo("a.txt")
        link.external_attr = 0o120777 << 16
        members = {f"a{suffix}": data for suffix, data in parts.items()}
        assert only(read_shapefile_zip(archive(members | {link: b"/etc"}))).code == "unsafe_name"

    @pytest.mark.parametrize("name", ["b.zip", "b.RAR", "b.tar.gz"])
    def test_nested_archive_by_name(self, parts, name):
        members = {f"a{suffix}": data for suffix, data in parts.items()}
        assert only(read_shapefile_zip(archive(members | {name: b"x"}))).code == "nested_archive"

    def test_nested_archive_by_content(self, parts):
        parts[".dbf"] = zipped(parts)
        assert only(read_shapefile_zip(zipped(parts))).code == "nested_archive"

    def test_two_layers(self, parts):
        members = {f"{stem}{suffix}": d for stem in "ab" for suffix, d in parts.items()}
        assert only(read_shapefile_zip(archive(members))).code == "several_layers"

    def test_really_unpacked_bytes_are_counted(self, parts):
        """The archive states a small size for a member that unpacks to far more."""
        parts[".dbf"] = b" " * 3_000_000
        data = bytearray(zipped(parts))
        for mark, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
            at = data.find(mark)
            while at >= 0:
                if struct.unpack_from("<I", data, at + offset)[0] == 3_000_000:
                    struct.pack_into("<I", data, at + offset, 10)
                at = data.find(mark, at + 1)
        small = ArchiveLimits(max_unpacked=1_000_000)
        assert only(read_shapefile_zip(zipped(parts), archive_limits=small)).code == "too_large"
        assert read_shapefile_zip(bytes(data), archive_limits=small).errors[0].code in (
            "too_large",
            "not_zip",
        )

    def test_packed_size_and_members_are_limited(self, parts):
        data = zipped(parts)
        for small in (ArchiveLimits(max_packed=100), ArchiveLimits(max_members=3)):
            assert only(read_shapefile_zip(data, archive_limits=small)).code == "too_large"

    def test_encrypted_archive(self, parts):
        data = bytearray(zipped(parts))
        at = data.find(b"PK\x01\x02")
        data[at + 8] |= 1
        assert only(read_shapefile_zip(bytes(data))).code == "encrypted"

    @pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"no archive"])
    def test_not_an_archive(self, data):
        assert only(read_shapefile_zip(data)).code == "not_zip"

    @pytest.mark.parametrize(
        "disguise",
        [
            b"<OGRVRTDataSource><OGRVRTLayer name='a'><SrcDataSource>http://127.0.0.1/"
            b"</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>",
            b"x,y\n1,2\n",
            b"",
        ],
    )
    def test_another_format_under_the_name_shp(self, parts, disguise):
        parts[".shp"] = disguise
        assert only(read_shapefile_zip(zipped(parts))).code == "not_shapefile"

    def test_cut_off_layer(self, parts):
        parts[".shp"] = parts[".shp"][:60]
        reading = read_shapefile_zip(zipped(parts))
        assert reading.errors[0].code in ("bad_shapefile", "no_polygon")

    def test_lines_are_no_boundary(self, tmp_path):
        parts = layer(tmp_path, geometry_type="LineString")
        problem = only(read_shapefile_zip(zipped(parts)))
        assert (problem.code, problem.found) == ("no_polygon", "LineString")

    def test_too_many_points(self, tmp_path):
        ring = [(37623300 + n, 4356115 + 5 * (n % 2)) for n in range(1100)]
        parts = layer(tmp_path, [[*ring, ring[0]]])
        assert only(read_shapefile_zip(zipped(parts))).code == "too_many_points"

    def test_a_million_points_are_refused_early(self, tmp_path):
        steps = np.arange(1_000_000)
        ring = np.column_stack([37623300 + steps / 10, 4356115 + 5 * (steps % 2)])
        data = zipped(layer(tmp_path, [np.vstack([ring, ring[:1]])]))
        start = time.perf_counter()
        assert only(read_shapefile_zip(data)).code == "too_many_points"
        assert time.perf_counter() - start < 1

    def test_nothing_is_left_in_the_temporary_folder(self, parts, tmp_path, monkeypatch):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        before = {path.name for path in tmp_path.iterdir()}
        read_shapefile_zip(zipped(parts))
        assert {path.name for path in tmp_path.iterdir()} == before

    def test_damaged_bytes_never_raise(self, parts):
        @given(st.sampled_from([".shp", ".shx", ".dbf", ".prj"]), st.integers(0, 400), st.binary())
        @settings(max_examples=150, deadline=None)
        def damage(suffix, at, data):
            whole = bytearray(parts[suffix])
            whole[at : at + len(data)] = data
            reading = read_shapefile_zip(zipped(parts | {suffix: bytes(whole)}))
            assert reading.boundary is not None or reading.problems

        damage()


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


def test_upload_is_read_by_its_first_bytes(parts):
    uploads = [zipped(parts), geojson(DEGREES), kml(placemark(DEGREES))]
    uploads.append(
        b"1,4356115.44,37623300.83\n2,4357115.44,37623300.83\n3,4357115.44,37624300.83\n"
    )
    formats = [read_upload(data).boundary.source_format for data in uploads]
    assert formats == ["shapefile", "geojson", "kml", "table"]


def test_addresses_in_files_are_never_called(parts):
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
