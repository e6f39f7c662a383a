"""Load control layers through their pages, and measure plans against them."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.gis.geos import Polygon
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from mines.layer_models import Layer, LayerShape
from mines.layer_questions import zones_met
from mines.layer_reading import read_layer
from mines.models import CGCS2000
from shuozhou_mines import jobs
from shuozhou_mines.models import Job
from tests.factories import square
from tests.mines import geometry_bytes

ON = date(2025, 9, 2)
RED = [(112.40, 39.30), (112.40, 39.34), (112.42, 39.34), (112.42, 39.30), (112.40, 39.30)]


def ring(west: float, south: float, east: float, north: float) -> list[tuple[float, float]]:
    return [(west, south), (west, north), (east, north), (east, south), (west, south)]


def posted(content: bytes, **changes: Any) -> dict[str, Any]:
    name = changes.pop("file_name", "red.geojson")
    return {
        "kind": "red_line", "name": "生态保护红线", "source": "市规划和自然资源局划定成果",
        "as_of": "2025-08-01", "confidentiality": "internal", "covers": ["140602", "140603"],
        "epsg": "", "file": SimpleUploadedFile(name, content), **changes,
    }  # fmt: skip


def loaded(client: Client, content: bytes, **changes: Any) -> Layer:
    """Upload a layer through its page and do the job that reads it."""
    answer = client.post(reverse("layers"), posted(content, **changes))
    assert answer.status_code == 302, answer.context["form"].errors
    layer = Layer.objects.latest("pk")
    jobs.run_job(Job.objects.about(layer).get().pk)
    layer.refresh_from_db()
    return layer


def met(*shapes: Any, county: str = "140602", on: date = ON) -> list[list[tuple[str, Decimal]]]:
    keyed = [(str(number), shape) for number, shape in enumerate(shapes)]
    found = zones_met(keyed, county_code=county, on=on)
    return [[(zone.layer, zone.area_m2) for zone in found.get(key, ())] for key, _ in keyed]


def test_a_layer_is_read_by_a_job_and_laid_over_areas(office) -> None:
    layer = loaded(office, geometry_bytes.geojson(RED))
    assert (layer.state, layer.shapes_count, layer.problem) == ("ready", 1, "")
    inside, beside, away = square(112.41, 39.31), square(112.42, 39.31), square(112.5, 39.31)
    ((_, shared),), ((_, touching),), ((_, nothing),) = met(inside, beside, away)
    # 0.004° by 0.004° at 39.312° north on the ellipsoid.
    assert shared == pytest.approx(Decimal(153_000), rel=Decimal("0.01"))
    assert (touching, nothing) == (0, 0)


def test_what_two_pieces_share_counts_once(office) -> None:
    polygons = [[RED], [ring(112.41, 39.30, 112.43, 39.34)]]
    content = json.dumps({"type": "MultiPolygon", "coordinates": polygons}).encode()
    loaded(office, content)
    (once,), (alone,) = met(square(112.412, 39.31), square(112.402, 39.31))
    assert once[1] == alone[1]


def test_the_newest_version_of_a_name_counts_until_it_is_retired(office) -> None:
    loaded(office, geometry_bytes.geojson(RED))
    newer = loaded(
        office, geometry_bytes.geojson(ring(112.6, 39.3, 112.61, 39.31)), as_of="2025-09-01"
    )
    assert met(square(112.41, 39.31)) == [[("生态保护红线", Decimal(0))]]
    # On a day before it, the version of that time is asked.
    ((_, before),) = met(square(112.41, 39.31), on=date(2025, 8, 15))[0]
    assert before > 100_000
    assert office.post(reverse("layer-retire", args=[newer.pk])).status_code == 302
    ((_, again),) = met(square(112.41, 39.31))[0]
    assert again == before


def test_a_layer_says_nothing_about_counties_it_does_not_cover(office) -> None:
    loaded(office, geometry_bytes.geojson(RED))
    assert met(square(112.41, 39.31), county="140621") == [[]]


def test_projected_shapefiles_with_many_corners_are_cut_into_pieces(office, tmp_path) -> None:
    parts = geometry_bytes.layer(tmp_path)
    layer = loaded(office, geometry_bytes.zipped(parts), file_name="red.zip")
    assert layer.state == "ready"
    (found,) = LayerShape.objects.filter(layer=layer)
    # The square kilometre of zone 37 lies here.
    assert found.shape.contains(Polygon.from_bbox((112.431, 39.331, 112.441, 39.338)))
    circle = square(112.42, 39.3, 0.01).centroid.buffer(0.005, quadsegs=200)
    again = loaded(
        office, json.dumps(json.loads(circle.geojson)).encode(), name="公益林", kind="buffer"
    )
    assert again.shapes_count == 1
    assert LayerShape.objects.filter(layer=again).count() > 4


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"{}", "这不是完好的 GeoJSON 文件"),
        (b'{"type": "Point", "coordinates": [112, 39]}', "没有面状图形"),
        (b"PK\x03\x04nonsense", "压缩包"),
        (b"nothing at all", "不是能读的图层"),
        (geometry_bytes.geojson(geometry_bytes.DEGREES, crs=geometry_bytes.named("EPSG:4610")),
         "1980西安坐标系"),
        (geometry_bytes.geojson([(y, x) for x, y in RED]), "不是我国的经纬度"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_read_are_refused(content: bytes, sentence: str) -> None:
    reading = read_layer(content)
    assert reading.polygons == ()
    assert reading.problem is not None
    assert sentence in reading.problem.message


def test_a_refused_file_is_told_on_its_page(office) -> None:
    layer = loaded(office, b"nothing at all", file_name="a.kml")
    assert layer.state == "refused"
    page = office.get(reverse("layer", args=[layer.pk])).content.decode()
    assert "没有写入任何图形" in page
    assert "不是能读的图层" in page
    assert not LayerShape.objects.exists()


def test_the_form_keeps_what_was_typed_and_says_what_is_wrong(office) -> None:
    answer = office.post(reverse("layers"), posted(b"x", as_of="2099-01-01", file_name="a.docx"))
    assert answer.status_code == 400
    assert "数据日期还没有到" in answer.content.decode()
    assert "市规划和自然资源局划定成果" in answer.content.decode()
    for changes, sentence in (
        ({"file_name": "a.docx"}, "请上传 .geojson、.json、.kml、.zip 文件"),
        ({"file": SimpleUploadedFile("a.kml", b"")}, "0 字节"),
        ({"kind": "terrain", "confidentiality": "open"}, "高程数据只能内部使用"),
        ({"kind": "terrain"}, "请上传 .tif、.tiff、.asc 文件"),
    ):
        answer = office.post(reverse("layers"), posted(b"x", **changes))
        assert answer.status_code == 400
        assert sentence in answer.content.decode()


def test_the_same_layer_of_the_same_day_is_refused(office) -> None:
    loaded(office, geometry_bytes.geojson(RED))
    answer = office.post(reverse("layers"), posted(geometry_bytes.geojson(RED)))
    assert answer.status_code == 400
    assert "已经有 2025-08-01 的数据" in answer.content.decode()


def test_reading_is_shown_while_it_goes_on_and_ends_with_the_page(office) -> None:
    office.post(reverse("layers"), posted(geometry_bytes.geojson(RED)))
    layer = Layer.objects.get()
    page = office.get(reverse("layer", args=[layer.pk])).content.decode()
    assert 'hx-trigger="every 1s"' in page
    progress = reverse("layer-progress", args=[layer.pk])
    assert "HX-Redirect" not in office.get(progress).headers
    jobs.run_job(Job.objects.about(layer).get().pk)
    assert office.get(progress)["HX-Redirect"] == reverse("layer", args=[layer.pk])


def test_a_job_taken_up_again_leaves_one_set_of_shapes(office) -> None:
    layer = loaded(office, geometry_bytes.geojson(RED))
    shape = LayerShape.objects.get(layer=layer).shape
    LayerShape.objects.create(layer=layer, shape=shape)
    Layer.objects.update(state="received")
    Job.objects.about(layer).update(state="queued", finished_at=None)
    jobs.run_job(Job.objects.about(layer).get().pk)
    assert LayerShape.objects.filter(layer=layer).count() == 1


def test_an_internal_layer_stays_with_its_keepers(office, clerk, people) -> None:
    layer = loaded(office, geometry_bytes.geojson(RED))
    shapes = reverse("layer-shapes", args=[layer.pk])
    (feature,) = office.get(shapes).json()["features"]
    assert feature["geometry"]["type"] == "Polygon"
    assert clerk.get(shapes).status_code == 404
    assert clerk.get(reverse("layer", args=[layer.pk])).status_code == 404
    assert "市规划和自然资源局划定成果" not in clerk.get(reverse("layers")).content.decode()
    Layer.objects.update(confidentiality="open")
    assert clerk.get(shapes).status_code == 200
    assert "市规划和自然资源局划定成果" in clerk.get(reverse("layers")).content.decode()
    assert clerk.post(reverse("layers"), posted(b"x")).status_code == 403
    assert clerk.post(reverse("layer-retire", args=[layer.pk])).status_code == 403


@pytest.mark.parametrize("address", ["public-home", "public-map", "standards", "open-data"])
def test_no_public_page_speaks_of_a_layer(office, client, address: str) -> None:
    loaded(office, geometry_bytes.geojson(RED), source="某局内部成果")
    Layer.objects.update(confidentiality="open")
    page = client.get(reverse(address))
    assert page.status_code == 200
    assert "某局内部成果" not in page.content.decode()


def test_the_list_says_which_required_layers_are_missing(office) -> None:
    loaded(office, geometry_bytes.geojson(RED))
    required = {
        line["name"]: line["there"] for line in office.get(reverse("layers")).context["required"]
    }
    assert required["生态保护红线"] is True
    assert required["永久基本农田"] is False
    assert len(required) == 9


def test_shapes_are_stored_in_cgcs2000(office) -> None:
    loaded(office, geometry_bytes.geojson(RED))
    assert LayerShape.objects.get().shape.srid == CGCS2000
