"""Do the work that follows the upload of a layer: read it in a child, write its shapes."""

import json
from typing import Any

from django.contrib.gis.geos import Polygon
from django.db import transaction

from mines.child import Broken, Killed, TooSlow, output_of
from mines.layer_models import Layer, LayerShape
from mines.layer_questions import write_shapes
from mines.layer_reading import CORNERS_OF_A_PIECE
from mines.models import CGCS2000
from shuozhou_mines.jobs import Run, handles

READ_LAYER = "mines.read_layer"
SECONDS = 150
# Shapes written between two reports of progress.
AT_ONCE = 500
TOO_HEAVY = "图层太大，没有在规定的时间和内存内读完。请按县（市、区）分成几个文件后再上传。"
BROKEN = "这个文件读取时出错，没有写入任何图形。请在制图软件里打开检查，重新导出后再上传。"


@handles(READ_LAYER, "读取图层")
def read_layer(run: Run) -> None:
    """Read a layer's file and write its shapes, or say why it is refused."""
    layer = Layer.objects.get(pk=run.subject_id)
    if layer.state != Layer.State.RECEIVED:
        return
    run.report(0, 0, "正在读取文件")
    answer = _read(layer)
    if answer["problem"]:
        _end(run, layer, state=Layer.State.REFUSED, problem=answer["problem"])
        return
    shapes = [bytes.fromhex(shape) for shape in answer["shapes"]]
    with transaction.atomic():
        run.still_ours()
        # A run that was cut short may have left some behind.
        LayerShape.objects.filter(layer=layer).delete()
    for start in range(0, len(shapes), AT_ONCE):
        run.report(start, len(shapes), "正在写入图形")
        with transaction.atomic():
            run.still_ours()
            write_shapes(layer, shapes[start : start + AT_ONCE], corners=CORNERS_OF_A_PIECE)
    extent = answer.get("extent")
    _end(
        run,
        layer,
        state=Layer.State.READY,
        notes=answer["notes"],
        shapes_count=len(shapes),
        cell_m=answer["cell_m"],
        extent=Polygon.from_bbox(extent) if extent else None,
    )


def _read(layer: Layer) -> dict[str, Any]:
    arguments = ["terrain" if layer.is_terrain else "polygons", str(layer.epsg or "")]
    with layer.file.open("rb") as file:
        data = file.read()
    try:
        output = output_of("mines.layer_reader", arguments, seconds=SECONDS, given=data)
    except (TooSlow, Killed):
        return {"problem": TOO_HEAVY}
    except Broken:
        return {"problem": BROKEN}
    answer: dict[str, Any] = json.loads(output)
    return answer


def _end(run: Run, layer: Layer, *, state: str, **found: Any) -> None:
    if found.get("extent") is not None:
        found["extent"].srid = CGCS2000
    with transaction.atomic():
        run.still_ours()
        row = Layer.objects.select_for_update(of=("self",)).get(pk=layer.pk)
        # Retired while it was being read, it stays so.
        if row.state != Layer.State.RECEIVED:
            return
        row.state = state
        for name, value in found.items():
            setattr(row, name, value)
        row.save()
