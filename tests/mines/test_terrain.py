"""Find ridges in elevation models, and say which share of a boundary runs along them."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import shapely
from django.conf import settings
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon, Polygon
from django.urls import reverse
from pyproj import Transformer

from mines.layer_models import Layer, LayerShape
from mines.layer_questions import along_ridges
from mines.models import CGCS2000
from mines.terrain_reading import read_terrain, ridge_cells
from tests.mines import terrain_bytes
from tests.mines.test_layers import loaded

ON = date(2025, 9, 2)
MIDDLE = terrain_bytes.SIZE * terrain_bytes.CELL / 2
REAL = Path(settings.BASE_DIR).parent / "shared" / "data" / "dem"
REAL_EPSG = 32648


def drawn(epsg: int, *corners: tuple[float, float]) -> MultiPolygon:
    """Return a polygon of plane corners as CGCS2000 degrees."""
    move = Transformer.from_crs(epsg, 4490, always_xy=True).transform
    places = [move(*corner) for corner in (*corners, corners[0])]
    return MultiPolygon(Polygon(places, srid=CGCS2000), srid=CGCS2000)


def box(west: float, north: float, east: float, south: float) -> MultiPolygon:
    """Return a box of the made model, in metres east and south of its corner."""
    corners = ((west, north), (east, north), (east, south), (west, south))
    return drawn(terrain_bytes.EPSG, *(terrain_bytes.plane(*corner) for corner in corners))


def load(client, content: bytes, name: str, **changes: str) -> Layer:
    return loaded(
        client, content, kind="terrain", name="测试高程", file_name=name,
        **{"epsg": str(terrain_bytes.EPSG), **changes},
    )  # fmt: skip


def shares(*shapes: MultiPolygon) -> list[float]:
    keyed = [(str(number), shape) for number, shape in enumerate(shapes)]
    found = along_ridges(keyed, near_m=Decimal(30), on=ON)
    return [float(found[key].share) if key in found else -1 for key, _ in keyed]


@pytest.mark.parametrize("name", ["a.asc", "a.tif"])
def test_a_boundary_along_the_ridge_and_one_across_it(office, name: str) -> None:
    heights = terrain_bytes.ridge_heights()
    content = terrain_bytes.asc(heights) if name == "a.asc" else terrain_bytes.tif(heights)
    layer = load(office, content, name)
    assert (layer.state, layer.problem, layer.cell_m) == ("ready", "", pytest.approx(30, abs=0.1))
    along = box(900, MIDDLE, 2100, MIDDLE + 400)
    across = box(900, MIDDLE - 400, 1700, MIDDLE + 400)
    on_the_slope = box(900, MIDDLE + 500, 2100, MIDDLE + 900)
    found = shares(along, across, on_the_slope, box(-5000, 0, -4000, 500))
    # 1200 m of 3200 m, and 30 m down both sides.
    assert found[0] == pytest.approx(0.39, abs=0.03)
    assert found[1:] == [0, 0, -1]


def test_a_slanting_ridge_is_found_as_well(office) -> None:
    layer = load(office, terrain_bytes.tif(terrain_bytes.ridge_heights(0.5)), "a.tif", epsg="")
    assert layer.state == "ready"
    low = MIDDLE - 300, MIDDLE + 300
    corners = ((1200, low[0]), (2400, low[1]), (2400, low[1] + 600), (1200, low[0] + 600))
    along = drawn(terrain_bytes.EPSG, *(terrain_bytes.plane(*corner) for corner in corners))
    (share,) = shares(along)
    # 1342 m of 3884 m.
    assert share == pytest.approx(0.36, abs=0.04)


def test_the_hint_names_its_source_and_draws_the_stretch(office, clerk) -> None:
    layer = load(office, terrain_bytes.asc(terrain_bytes.ridge_heights()), "a.asc")
    assert layer.confidentiality == "internal"
    assert clerk.get(reverse("layer-shapes", args=[layer.pk])).status_code == 404
    hints = along_ridges([("a", box(900, MIDDLE, 2100, MIDDLE + 400))], near_m=Decimal(30), on=ON)
    assert hints["a"].source == "市规划和自然资源局划定成果，2025-08-01"
    line = GEOSGeometry(hints["a"].line, srid=CGCS2000)
    assert line.geom_type in ("MultiLineString", "LineString", "GeometryCollection")


def test_plains_knolls_and_valleys_have_no_ridges() -> None:
    rows, columns = np.mgrid[0:80, 0:80]
    plain = (1200 + 0.05 * columns).astype("float32")
    valley = (1200 + 0.3 * np.abs(rows - 40) * 30).astype("float32")
    noise = (1200 + 3 * np.sin(rows) * np.cos(columns)).astype("float32")
    assert [int(ridge_cells(each, 30, 30).sum()) for each in (plain, valley, noise)] == [0, 0, 0]
    away = np.hypot(rows - 40, columns - 40) * 30
    knoll = terrain_bytes.asc(1200 + np.maximum(40 - 0.5 * away, 0))
    assert read_terrain(knoll, terrain_bytes.EPSG).lines == ()


def test_strips_give_the_same_as_the_whole(monkeypatch) -> None:
    heights = terrain_bytes.ridge_heights(0.7).astype("float32")
    whole = ridge_cells(heights, 30, 30)
    monkeypatch.setattr("mines.terrain_reading.STRIP_ROWS", 17)
    assert (ridge_cells(heights, 30, 30) == whole).all()


@pytest.mark.parametrize(
    ("content", "epsg", "sentence"),
    [
        (b"ncols 3\nnrows", 4546, "不是能读的高程模型"),
        (b"II*\x00broken", 4546, "不是能读的高程模型"),
        (b"%PDF-1.7", 4546, "不是能读的高程模型"),
        (terrain_bytes.asc(terrain_bytes.ridge_heights()[:20, :20]), None, "没有写明坐标系"),
        (terrain_bytes.asc(np.full((5, 5), -9999.0)), 4546, "没有可用的高程"),
        (terrain_bytes.tif(terrain_bytes.ridge_heights()[:9, :9], 2334), None, "坐标系"),
    ],
)
def test_models_that_cannot_be_used_are_refused(
    content: bytes, epsg: int | None, sentence: str
) -> None:
    reading = read_terrain(content, epsg)
    assert reading.lines == ()
    assert reading.problem is not None
    assert sentence in reading.problem.message


# --- the real model -------------------------------------------------------------------------------


@pytest.fixture
def real(office) -> list[shapely.LineString]:
    """Load the real model; return its longest ridges in metres."""
    if not REAL.is_dir():
        pytest.skip("实测高程另行取得，不随代码发布；构造的高程由本文件其他测试覆盖")
    content = next(REAL.glob("*.asc")).read_bytes()
    layer = Layer.objects.create(
        name="真实高程", kind="terrain", source="测试", as_of=ON, covers=[], state="ready",
        file="none", file_name="a.asc", sha256="0" * 64,
    )  # fmt: skip
    reading = read_terrain(content, REAL_EPSG)
    assert reading.problem is None
    LayerShape.objects.bulk_create(
        LayerShape(layer=layer, shape=GEOSGeometry(memoryview(shapely.to_wkb(line)), srid=CGCS2000))
        for line in reading.lines
    )
    layer.cell_m, layer.extent = reading.cell_m, Polygon.from_bbox(reading.extent)
    layer.save()
    move = Transformer.from_crs(4490, REAL_EPSG, always_xy=True).transform
    merged = shapely.line_merge(shapely.union_all(reading.lines))
    lines = [shapely.transform(line, move, interleaved=False) for line in shapely.get_parts(merged)]
    west, south, east, north = shapely.total_bounds(lines)
    inner = shapely.box(west + 1500, south + 1500, east - 1500, north - 1500)
    return sorted((line for line in lines if inner.contains(line)), key=lambda line: -line.length)[
        :5
    ]


def test_real_ridges_along_and_across(real) -> None:
    """Draw one side of a boundary on each long ridge, then a box across its middle."""
    along, across = [], []
    for ridge in real:
        side = shapely.simplify(ridge, 60)
        back = shapely.offset_curve(side, 600)
        corners = [*side.coords, *list(back.coords)[::-1]]
        polygon = shapely.make_valid(shapely.Polygon(corners))
        whole = max(shapely.get_parts(polygon), key=lambda part: part.area)
        along.append(drawn(REAL_EPSG, *whole.exterior.coords[:-1]))
        middle = ridge.interpolate(0.5, normalized=True)
        before, after = (ridge.interpolate(at, normalized=True) for at in (0.45, 0.55))
        turn = np.degrees(np.arctan2(after.y - before.y, after.x - before.x))
        square = shapely.box(middle.x - 300, middle.y - 300, middle.x + 300, middle.y + 300)
        turned = shapely.affinity.rotate(square, turn, origin=middle)
        across.append(drawn(REAL_EPSG, *turned.exterior.coords[:-1]))
    found_along, found_across = shares(*along), shares(*across)
    assert min(found_along) > 0.3
    assert max(found_across) < 0.2
