"""Load the demo layers, each marked as 示例; their shapes are invented."""

import json
from datetime import date

from django.conf import settings
from django.contrib.gis.geos import Polygon

from mines.layer_models import Layer, LayerShape
from mines.models import CGCS2000
from taskforce.models import County

FILE = "fixtures/demo/layers.json"


def load_demo_layers() -> None:
    """Load each demo layer once; what a keeper retires stays retired."""
    given = json.loads((settings.BASE_DIR / FILE).read_text(encoding="utf-8"))
    covers = list(County.objects.values_list("code", flat=True))
    for row in given["layers"]:
        as_of = date.fromisoformat(row["as_of"])
        if Layer.objects.filter(name=row["name"], as_of=as_of).exists():
            continue
        layer = Layer.objects.create(
            name=row["name"], kind=row["kind"], source=row["source"], as_of=as_of, covers=covers,
            state=Layer.State.READY, shapes_count=len(row["shapes"]), is_demo=True,
            file_name="示例",
        )  # fmt: skip
        LayerShape.objects.bulk_create(
            LayerShape(layer=layer, shape=Polygon([*ring, ring[0]], srid=CGCS2000))
            for ring in row["shapes"]
        )
