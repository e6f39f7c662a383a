"""Zipped Shapefiles: what is read, what is refused and with which words."""

import struct
import time
import zipfile
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mines.geometry_files import read_shapefile_zip
from mines.rings import area_km2, lonlat_to_plane
from mines.shapefile_archive import ArchiveLimits
from tests.mines.geometry_bytes import DEGREES, PLANE, archive, layer, zipped
from tests.mines.readings import as_given, only


@pytest.fixture
def parts(tmp_path):
    return layer(tmp_path)


def test_plane_layer_with_gbk_attributes(parts):
    reading = read_shapefile_zip(zipped(parts))
    assert reading.problems == ()
    boundary = as_given(reading)
    assert (boundary.zone, boundary.source_format) == (37, "shapefile")
    assert boundary.regions[0].name == "东采区"
    assert boundary.regions[0].rings[0].points[0].y_text == "37623300.83"
    assert area_km2(boundary) == Decimal("0.9996")


def test_attributes_without_cpg(parts):
    del parts[".cpg"]
    assert as_given(read_shapefile_zip(zipped(parts))).regions[0].name == "东采区"


def test_utf8_attributes_under_a_wrong_cpg_name(parts):
    parts[".cpg"] = b"no such encoding"
    assert as_given(read_shapefile_zip(zipped(parts))).regions[0].name == "东采区"


def test_archive_on_disk_and_in_a_folder(parts, tmp_path):
    path = tmp_path / "upload"
    path.write_bytes(zipped(parts, stem="数据/范围"))
    assert read_shapefile_zip(path).accepted


@pytest.mark.parametrize(("epsg", "codes"), [(4490, []), (4326, ["assumed_cgcs2000"])])
def test_layer_in_degrees(tmp_path, epsg, codes):
    reading = read_shapefile_zip(zipped(layer(tmp_path, [DEGREES], epsg=epsg)))
    assert [p.code for p in reading.problems] == codes
    assert area_km2(as_given(reading)) == Decimal("0.9572")


def test_meridian_without_zone_prefix(tmp_path):
    x, y = lonlat_to_plane(112.43, 39.33, 37)
    ring = [(y - 37_000_000 + e, x + n) for e, n in [(0, 0), (0, 9), (9, 9), (9, 0), (0, 0)]]
    reading = read_shapefile_zip(zipped(layer(tmp_path, [ring], epsg=4546)))
    assert reading.problems == ()
    assert as_given(reading).regions[0].rings[0].points[0].y_text.startswith("37623300.")


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
def test_refused_systems(tmp_path, epsg, code):
    ring = [(east + 4_000_000 * (epsg == 4529), north) for east, north in PLANE]
    reading = read_shapefile_zip(zipped(layer(tmp_path, [ring], epsg=epsg)))
    assert only(reading).code == code


def test_projection_text_that_is_none(parts):
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
def test_missing_part(parts, suffix, code):
    del parts[suffix]
    problem = only(read_shapefile_zip(zipped(parts)))
    assert problem.code == code
    assert (suffix in problem.message) is True


@pytest.mark.parametrize("name", ["../a.txt", "/etc/a.txt", "a/../../b", "C:\\a.txt", "\\a"])
def test_names_that_lead_out(parts, name):
    members = {f"a{suffix}": data for suffix, data in parts.items()}
    assert only(read_shapefile_zip(archive(members | {name: b""}))).code == "unsafe_name"


def test_symbolic_link(parts):
    link = zipfile.ZipInfo("a.txt")
    link.external_attr = 0o120777 << 16
    members = {f"a{suffix}": data for suffix, data in parts.items()}
    assert only(read_shapefile_zip(archive(members | {link: b"/etc"}))).code == "unsafe_name"


@pytest.mark.parametrize("name", ["b.zip", "b.RAR", "b.tar.gz"])
def test_nested_archive_by_name(parts, name):
    members = {f"a{suffix}": data for suffix, data in parts.items()}
    assert only(read_shapefile_zip(archive(members | {name: b"x"}))).code == "nested_archive"


def test_nested_archive_by_content(parts):
    parts[".dbf"] = zipped(parts)
    assert only(read_shapefile_zip(zipped(parts))).code == "nested_archive"


def test_two_layers(parts):
    members = {f"{stem}{suffix}": d for stem in "ab" for suffix, d in parts.items()}
    assert only(read_shapefile_zip(archive(members))).code == "several_layers"


def test_really_unpacked_bytes_are_counted(parts):
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


def test_packed_size_and_members_are_limited(parts):
    data = zipped(parts)
    for small in (ArchiveLimits(max_packed=100), ArchiveLimits(max_members=3)):
        assert only(read_shapefile_zip(data, archive_limits=small)).code == "too_large"


def test_encrypted_archive(parts):
    data = bytearray(zipped(parts))
    at = data.find(b"PK\x01\x02")
    data[at + 8] |= 1
    assert only(read_shapefile_zip(bytes(data))).code == "encrypted"


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"no archive"])
def test_not_an_archive(data):
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
def test_another_format_under_the_name_shp(parts, disguise):
    parts[".shp"] = disguise
    assert only(read_shapefile_zip(zipped(parts))).code == "not_shapefile"


def test_cut_off_layer(parts):
    parts[".shp"] = parts[".shp"][:60]
    reading = read_shapefile_zip(zipped(parts))
    assert reading.errors[0].code in ("bad_shapefile", "no_polygon")


def test_lines_are_no_boundary(tmp_path):
    parts = layer(tmp_path, geometry_type="LineString")
    problem = only(read_shapefile_zip(zipped(parts)))
    assert (problem.code, problem.found) == ("no_polygon", "LineString")


def test_too_many_points(tmp_path):
    ring = [(37623300 + n, 4356115 + 5 * (n % 2)) for n in range(1100)]
    parts = layer(tmp_path, [[*ring, ring[0]]])
    assert only(read_shapefile_zip(zipped(parts))).code == "too_many_points"


def test_a_million_points_are_refused_early(tmp_path):
    steps = np.arange(1_000_000)
    ring = np.column_stack([37623300 + steps / 10, 4356115 + 5 * (steps % 2)])
    data = zipped(layer(tmp_path, [np.vstack([ring, ring[:1]])]))
    start = time.perf_counter()
    assert only(read_shapefile_zip(data)).code == "too_many_points"
    assert time.perf_counter() - start < 1


def test_nothing_is_left_in_the_temporary_folder(parts, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = {path.name for path in tmp_path.iterdir()}
    read_shapefile_zip(zipped(parts))
    assert {path.name for path in tmp_path.iterdir()} == before


def test_damaged_bytes_never_raise(parts):
    @given(st.sampled_from([".shp", ".shx", ".dbf", ".prj"]), st.integers(0, 400), st.binary())
    @settings(max_examples=150, deadline=None)
    def damage(suffix, at, data):
        whole = bytearray(parts[suffix])
        whole[at : at + len(data)] = data
        reading = read_shapefile_zip(zipped(parts | {suffix: bytes(whole)}))
        assert reading.boundary is not None or reading.problems

    damage()
