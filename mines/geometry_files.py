"""Read polygons from GeoJSON, KML and zipped Shapefiles: boundaries of mines, and whole layers.

Meant for a child process with limits: no network, no file but the upload, no parser that opens
what a file names. See `mines.reference_systems` for the coordinate systems taken.
"""

import json
import re
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import pyogrio.raw
import shapely
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from pyogrio.errors import DataLayerError, DataSourceError

from mines.coordinate_rows import NUMBER, decode, plain
from mines.coordinates import read_text
from mines.readings import Limits, Problem, Reading, problem, refused
from mines.reference_systems import WGS84, System, system_of_name, system_of_wkt
from mines.shapefile_archive import ArchiveLimits, Unpacked, unpack_shapefile
from mines.shapes import Shape, Shapes, read_shapes, too_many_points

NAME_FIELDS = ("name", "名称", "区域名称", "矿山名称", "矿区名称", "ksmc", "kqmc", "mc")
TOP_FIELDS = ("elevation_top_m", "起标高", "标高上限", "开采上限", "qbg")
BOTTOM_FIELDS = ("elevation_bottom_m", "止标高", "标高下限", "开采下限", "zbg")


@dataclass(frozen=True)
class Drawn:
    """Hold the polygons of a file as they were drawn, with their coordinate system."""

    shapes: Shapes
    system: System
    source_format: str


def _checked(drawn: Drawn | Problem) -> Reading:
    if isinstance(drawn, Problem):
        return refused(drawn)
    return read_shapes(drawn.shapes, drawn.system, drawn.source_format)


def read_geojson(data: bytes, limits: Limits | None = None) -> Reading:
    """Read the boundary in a GeoJSON; never raises on bad input."""
    return _checked(drawn_in_geojson(data, limits or Limits()))


def drawn_in_geojson(data: bytes, limits: Limits) -> Drawn | Problem:
    """Return Polygon and MultiPolygon of a GeoJSON.

    Without `crs` the positions are CGCS2000 degrees, with a warning. A `crs` that is a link or
    is not known is refused.
    """
    text = _text_of(data, limits)
    if isinstance(text, Problem):
        return text
    try:
        document = json.loads(text)
        system = _system_of_geojson(document)
        if isinstance(system, Problem):
            return system
        shapes = Shapes(limits)
        _walk_geojson(document, shapes)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError):
        return _unreadable("bad_geojson", "GeoJSON")
    return Drawn(shapes, system, "geojson")


def _text_of(data: bytes, limits: Limits) -> str | Problem:
    if len(data) > limits.max_bytes:
        return problem(
            "too_large",
            f"文件有 {len(data)} 字节",
            found=f"{len(data)} 字节",
            expected=f"不超过 {limits.max_bytes} 字节",
            fix="请只导出这个矿的矿区范围",
        )
    return decode(data)


def _system_of_geojson(document: Any) -> System | Problem:
    if not isinstance(document, dict):
        raise TypeError(document)
    crs = document.get("crs")
    if crs is None:
        return WGS84
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if isinstance(crs, dict) and crs.get("type") == "name" and isinstance(name, str):
        return system_of_name(name)
    link = isinstance(crs, dict) and crs.get("type") == "link"
    return problem(
        "crs_link" if link else "crs_unknown",
        "GeoJSON 的 crs 是一个外部链接,本系统不访问链接" if link else "GeoJSON 的 crs 无法识别",
        found="crs 链接" if link else "无法识别的 crs",
        expected='没有 crs,或 {"type":"name","properties":{"name":"EPSG:4490"}}',
        fix="请删去 crs 或改成名称后重新上传",
    )


def _walk_geojson(document: dict[str, Any], shapes: Shapes) -> None:
    """Collect the polygons of features and collections, in their order."""
    waiting: list[tuple[Any, dict[str, Any]]] = [(document, {})]
    while waiting and not shapes.full:
        item, properties = waiting.pop()
        if item is None:
            continue
        kind = item["type"]
        if kind == "FeatureCollection":
            waiting += [(feature, {}) for feature in reversed(item["features"])]
        elif kind == "Feature":
            waiting.append((item["geometry"], item.get("properties") or {}))
        elif kind == "GeometryCollection":
            waiting += [(part, properties) for part in reversed(item["geometries"])]
        elif kind in ("Polygon", "MultiPolygon"):
            one = kind == "Polygon"
            for rings in [item["coordinates"]] if one else item["coordinates"]:
                shapes.add(_shape([[_position(p) for p in ring] for ring in rings], properties))
        else:
            shapes.others.add(str(kind)[:40])


def _position(values: list[Any]) -> tuple[float, float]:
    east, north = values[0], values[1]
    if isinstance(east, bool | str) or isinstance(north, bool | str):
        raise TypeError(values)
    return float(east), float(north)


def _shape(rings: list[list[tuple[float, float]]], properties: dict[str, Any]) -> Shape:
    fields = {str(key).lower(): value for key, value in properties.items()}
    name = next((fields[key] for key in NAME_FIELDS if isinstance(fields.get(key), str)), "")
    return Shape(
        rings,
        name.strip()[:100],
        _metres_in(fields, TOP_FIELDS),
        _metres_in(fields, BOTTOM_FIELDS),
    )


def _metres_in(fields: dict[str, Any], names: tuple[str, ...]) -> Decimal | None:
    values = (plain(str(fields[name])) for name in names if fields.get(name) is not None)
    return next((Decimal(value) for value in values if NUMBER.fullmatch(value)), None)


def read_kml(data: bytes, limits: Limits | None = None) -> Reading:
    """Read the boundary in a KML; never raises on bad input."""
    return _checked(drawn_in_kml(data, limits or Limits()))


def drawn_in_kml(data: bytes, limits: Limits) -> Drawn | Problem:
    """Return the polygons of a KML's placemarks as CGCS2000 degrees, with a warning.

    Refuses document types, entities and network links.
    """
    text = _text_of(data, limits)
    if isinstance(text, Problem):
        return text
    # The parser cannot follow a GBK declaration; the text is decoded already.
    text = re.sub(r"^\s*<\?xml[^>]{0,200}\?>", "", text, count=1)
    try:
        root = fromstring(text, forbid_dtd=True)
        if next(_named(root, "NetworkLink"), None) is not None:
            return _network_link()
        shapes = Shapes(limits)
        for placemark in _named(root, "Placemark"):
            _read_placemark(placemark, shapes)
            if shapes.full:
                break
    except (ParseError, DefusedXmlException, ValueError, RecursionError):
        return _unreadable("bad_kml", "KML")
    return Drawn(shapes, WGS84, "kml")


def _named(element: Element, name: str) -> Iterator[Element]:
    """Yield the descendants with this local name, whatever their namespace."""
    return (e for e in element.iter() if str(e.tag).rpartition("}")[2] == name)


def _read_placemark(placemark: Element, shapes: Shapes) -> None:
    name = next((child.text or "" for child in placemark if child.tag.endswith("name")), "")
    polygons = list(_named(placemark, "Polygon"))
    if not polygons:
        kinds = (str(child.tag).rpartition("}")[2] for child in placemark)
        shapes.others |= {kind for kind in kinds if kind in ("Point", "LineString", "LinearRing")}
    for polygon in polygons:
        rings = [_kml_ring(ring) for ring in _named(polygon, "outerBoundaryIs")]
        rings += [_kml_ring(ring) for ring in _named(polygon, "innerBoundaryIs")]
        shapes.add(_shape(rings, {"name": name}))
        if shapes.full:
            return


def _kml_ring(boundary: Element) -> list[tuple[float, float]]:
    positions = []
    for coordinates in _named(boundary, "coordinates"):
        for position in (coordinates.text or "").split():
            east, north = position.split(",")[:2]
            positions.append((float(east), float(north)))
    return positions


def _network_link() -> Problem:
    return problem(
        "network_link",
        "KML 含有网络链接(NetworkLink),本系统不访问链接",
        found="NetworkLink",
        expected="图形本身写在文件里的 KML",
        fix="请在地图软件里打开后另存为本地 KML",
    )


def _unreadable(code: str, kind: str) -> Problem:
    return problem(
        code,
        f"这不是完好的 {kind} 文件",
        found="内容不完整或格式不对",
        expected=f"能在制图软件里打开的 {kind}",
        fix="请重新导出后再上传",
    )


def read_shapefile_zip(
    source: bytes | Path,
    limits: Limits | None = None,
    archive_limits: ArchiveLimits | None = None,
) -> Reading:
    """Read the boundary in the one Shapefile of a zip archive; never raises on bad input."""
    return _checked(drawn_in_shapefile_zip(source, limits or Limits(), archive_limits))


def drawn_in_shapefile_zip(
    source: bytes | Path, limits: Limits, archive_limits: ArchiveLimits | None = None
) -> Drawn | Problem:
    """Return the polygons of the one Shapefile in a zip archive.

    The .prj is required. Attribute text is UTF-8, else GB18030.
    """
    with tempfile.TemporaryDirectory(prefix="boundary-") as folder:
        unpacked = unpack_shapefile(source, Path(folder), archive_limits or ArchiveLimits())
        if isinstance(unpacked, Problem):
            return unpacked
        system = system_of_wkt(unpacked.projection)
        if isinstance(system, Problem):
            return system
        # A corner takes at most 72 bytes, with heights and headers; beyond that there are too many.
        points = unpacked.path.stat().st_size // 128
        if points >= limits.max_points:
            return too_many_points(limits, f"至少 {points} 个")
        try:
            shapes = _read_layer(unpacked, limits)
        except (DataSourceError, DataLayerError, shapely.errors.ShapelyError, ValueError):
            return _unreadable("bad_shapefile", "Shapefile")
    return Drawn(shapes, system, "shapefile")


def _read_layer(unpacked: Unpacked, limits: Limits) -> Shapes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        information = pyogrio.read_info(unpacked.path, encoding="ISO-8859-1")
        if information["driver"] != "ESRI Shapefile":
            raise DataSourceError(information["driver"])
        meta, _, geometry, columns = pyogrio.raw.read(
            unpacked.path, encoding="ISO-8859-1", force_2d=True
        )
    names = [_attribute(name, unpacked.encoding) for name in meta["fields"]]
    shapes = Shapes(limits)
    for number, blob in enumerate(geometry):
        if blob is None:
            continue
        values = (_attribute(column[number], unpacked.encoding) for column in columns)
        _add_parts(shapes, shapely.from_wkb(blob), dict(zip(names, values, strict=True)))
        if shapes.full:
            break
    return shapes


def _add_parts(shapes: Shapes, whole: shapely.Geometry, properties: dict[str, Any]) -> None:
    for part in shapely.get_parts(whole):
        if not isinstance(part, shapely.Polygon):
            shapes.others.add(part.geom_type)
            continue
        rings = [part.exterior, *part.interiors]
        shapes.add(_shape([list(ring.coords) for ring in rings], properties))


def _attribute(value: Any, encoding: str) -> Any:
    """Return attribute text, which came as one character per byte, in its own encoding."""
    if not isinstance(value, str):
        return value
    data = value.encode("latin-1", "replace")
    for name in (encoding, "utf-8", "gb18030"):
        try:
            return data.decode(name)
        except (LookupError, ValueError):
            continue
    return value


def read_upload(
    data: bytes, limits: Limits | None = None, *, assume_zone: int | None = None
) -> Reading:
    """Read an uploaded boundary in whichever form its first bytes show."""
    head = data[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"PK"):
        return read_shapefile_zip(data, limits)
    if head.startswith(b"{"):
        return read_geojson(data, limits)
    if head.startswith((b"<?xml", b"<kml")):
        return read_kml(data, limits)
    return read_text(data, limits, assume_zone=assume_zone)
