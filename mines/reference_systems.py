"""Decide which coordinate systems of geometry files are taken.

Taken: CGCS2000 degrees, CGCS2000 3-degree Gauss-Krüger with or without zone prefix, and WGS 84
degrees as CGCS2000 (they differ by less than the decimetre these files are good for) with a
warning. Refused: Xi'an 80 and Beijing 54, whose conversion is classified, and all else.
"""

import re
from dataclasses import dataclass

from pyproj import CRS
from pyproj.exceptions import CRSError

from mines.coordinate_rows import BEIJING_54, CONVERSION, XIAN_80
from mines.readings import Problem, problem
from mines.rings import FIRST_ZONE, LAST_ZONE

EXPECTED = "2000国家大地坐标系(CGCS2000)的经纬度或 3 度带高斯-克吕格坐标"
LONGEST_WKT = 10_000
CGCS2000_DATUMS = {
    "china2000",
    "cgcs2000",
    "chinacoordinatesystem2000",
    "chinageodeticcoordinatesystem2000",
}
EPSG_NAME = re.compile(r"(?:urn:(?:x-)?ogc:def:crs:EPSG:[\d.]{0,8}:|EPSG:{1,2})(\d{4,6})", re.I)
WGS84_NAME = re.compile(r"urn:(?:x-)?ogc:def:crs:OGC:[\d.]{0,8}:CRS84|OGC:CRS84|WGS[ _]?84", re.I)


@dataclass(frozen=True)
class System:
    """Name a coordinate system that is taken: degrees (`zone` None) or a 3-degree zone.

    `prefixed` tells whether eastings carry the zone; `assumed` that WGS 84 is read as CGCS2000.
    """

    zone: int | None = None
    prefixed: bool = True
    assumed: bool = False


WGS84 = System(assumed=True)


def system_of_name(name: str) -> System | Problem:
    """Return the system that a GeoJSON `crs` name means."""
    if WGS84_NAME.fullmatch(name):
        return WGS84
    code = EPSG_NAME.fullmatch(name)
    if code is None:
        return _unknown(name)
    try:
        crs = CRS.from_epsg(int(code[1]))
    except CRSError:
        return _unknown(name)
    return _judge(crs, name)


def system_of_wkt(text: str) -> System | Problem:
    """Return the system that the text of a `.prj` file describes."""
    try:
        crs = CRS.from_wkt(text[:LONGEST_WKT])
    except CRSError:
        return _unknown(text)
    return _judge(crs, crs.name)


def assumed_warning() -> Problem:
    """Say that WGS 84 was read as CGCS2000."""
    return problem(
        "assumed_cgcs2000",
        "文件没有注明2000国家大地坐标系,经纬度按 CGCS2000 读取",
        found="WGS 84 或未注明",
        expected=EXPECTED,
        fix="请确认数据不是1980西安坐标系,也没有经过互联网地图的偏移加密",
        severity="warning",
    )


def _is_cgcs2000(datum: str) -> bool:
    return re.sub(r"^d_|[^a-z0-9]", "", datum.lower()) in CGCS2000_DATUMS


def _judge(crs: CRS, name: str) -> System | Problem:
    datum = crs.datum.name if crs.datum else ""
    words = f"{datum} {name} {crs.name}"
    if XIAN_80.search(words) or re.search(r"Xian[ _]1980", words):
        return _refused("xian80", "1980西安坐标系", name)
    if BEIJING_54.search(words):
        return _refused("beijing54", "1954年北京坐标系", name)
    ellipsoid, meridian = crs.ellipsoid, crs.prime_meridian
    if crs.is_bound or ellipsoid is None or meridian is None or meridian.longitude != 0:
        return _unknown(name)
    flattening = round(ellipsoid.inverse_flattening, 6)
    if ellipsoid.semi_major_metre != 6378137 or not re.search(r"2000|84|1984", datum):
        return _unknown(name)
    if crs.is_geographic and len(crs.axis_info) <= 3:
        if not all(axis.unit_name.lower() in ("degree", "metre") for axis in crs.axis_info):
            return _unknown(name)
        if _is_cgcs2000(datum) and flattening == 298.257222:
            return System()
        return WGS84 if flattening == 298.257224 else _unknown(name)
    if crs.is_projected and _is_cgcs2000(datum) and flattening == 298.257222:
        return _judge_projection(crs, name)
    return _unknown(name)


def _judge_projection(crs: CRS, name: str) -> System | Problem:
    operation = crs.coordinate_operation
    methods = ("Transverse Mercator", "Gauss Kruger", "Gauss-Kruger", "Gauss_Kruger")
    if operation is None or operation.method_name not in methods:
        return _unknown(name)
    if any(axis.unit_name.lower() not in ("metre", "meter") for axis in crs.axis_info):
        return _unknown(name)
    values = {parameter.name: float(parameter.value) for parameter in operation.params}
    meridian = values.get("Longitude of natural origin", 0.0)
    zone = round(meridian / 3)
    scale = values.get("Scale factor at natural origin", 1.0)
    origin = values.get("Latitude of natural origin", 0.0), values.get("False northing", 0.0)
    fits = meridian == zone * 3 and scale == 1 and origin == (0, 0)
    if not fits or not FIRST_ZONE <= zone <= LAST_ZONE:
        return _unknown(name)
    easting = values.get("False easting")
    if easting == zone * 1_000_000 + 500_000:
        return System(zone)
    return System(zone, prefixed=False) if easting == 500_000 else _unknown(name)


def _refused(code: str, system: str, name: str) -> Problem:
    return problem(
        code,
        f"文件注明的坐标系是{system}",
        found=name[:60],
        expected=EXPECTED,
        fix=CONVERSION,
    )


def _unknown(name: str) -> Problem:
    shown = " ".join(name.split())[:60]
    return problem(
        "crs_unknown",
        f"文件注明的坐标系“{shown}”不能使用",
        found=shown,
        expected=EXPECTED,
        fix="请在制图软件里把数据转换到 CGCS2000(EPSG:4490 或 4525、4526)后重新导出",
    )
