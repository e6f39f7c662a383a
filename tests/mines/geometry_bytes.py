"""Make the bytes of GeoJSON, KML and zipped Shapefiles for tests."""

import io
import json
import warnings
import zipfile

import numpy as np
import pyogrio.raw
import shapely

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


def geojson(*rings, crs=None, properties=None):
    polygon = {"type": "Polygon", "coordinates": list(rings)}
    document = {"type": "Feature", "properties": properties, "geometry": polygon}
    if crs is not None:
        document["crs"] = crs
    return json.dumps(document).encode()


def named(name):
    return {"type": "name", "properties": {"name": name}}


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


def zipped(parts, stem="矿区范围"):
    members = {f"{stem}{suffix}": data for suffix, data in parts.items()}
    return archive(members)


def archive(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in members.items():
            target.writestr(name, data)
    return out.getvalue()
