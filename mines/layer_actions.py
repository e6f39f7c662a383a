"""Change the layers: take a file, retire a layer."""

from datetime import date, datetime
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction

from mines.layer_models import TERRAIN, Layer
from mines.layer_tasks import READ_LAYER
from shuozhou_mines.errors import Incomplete, Refused, WrongState
from shuozhou_mines.jobs import cancel, enqueue
from shuozhou_mines.models import Job
from shuozhou_mines.storage import discard, store
from taskforce.permissions import check_city
from taskforce.trail import record

WHO_KEEPS = "只有专班办公室可以维护管控图层和地形数据。"
SUFFIXES = {
    TERRAIN: (".tif", ".tiff", ".asc"),
    "": (".geojson", ".json", ".kml", ".zip"),
}
State = Layer.State


def receive_layer(
    *,
    name: str,
    kind: str,
    source: str,
    as_of: date,
    confidentiality: str,
    covers: list[str],
    epsg: int | None,
    upload: "UploadedFile[bytes]",
    by: Any,
    at: datetime,
) -> Layer:
    """Store the file of a layer and queue its reading.

    Raises NotAllowed, Incomplete for open terrain, WrongState when this layer of this day is there
    already, and Refused for a file that is empty, too large or of another kind.
    """
    check_city(by, "manage_layers", WHO_KEEPS)
    if kind == TERRAIN and confidentiality == Layer.Confidentiality.OPEN:
        raise Incomplete("高程数据只能内部使用，请把知悉范围改为“内部”。")
    suffix = _suffix(upload, kind)
    try:
        stored = store(upload.chunks(), folder="layers", suffix=suffix)
    except OSError as error:
        raise Refused("服务器磁盘已满，文件没有存下。请稍后再传，并告诉系统管理员。") from error
    try:
        with transaction.atomic():
            layer = Layer.objects.create(
                name=name.strip(), kind=kind, source=source.strip(), as_of=as_of,
                confidentiality=confidentiality, covers=covers, epsg=epsg, file=stored.name,
                file_name=PurePath(upload.name or "").name[-200:], sha256=stored.sha256,
                uploaded_by=by, uploaded_at=at,
            )  # fmt: skip
            record("上传图层", by=by, subject=layer, sha256=stored.sha256)
            enqueue(kind=READ_LAYER, subject=layer, key=str(layer.pk), by=by)
    except IntegrityError as error:
        discard(stored)
        raise WrongState(
            f"图层“{name}”已经有 {as_of.isoformat()} 的数据。请核对数据日期，或先停用原来的再上传。"
        ) from error
    return layer


def _suffix(upload: "UploadedFile[bytes]", kind: str) -> str:
    suffix = PurePath(upload.name or "").suffix.lower()
    allowed = SUFFIXES.get(kind, SUFFIXES[""])
    if suffix not in allowed:
        raise Refused(f"这一类图层请上传 {'、'.join(allowed)} 文件。")
    if not upload.size:
        raise Refused("这个文件是空的（0 字节）。请重新导出后再上传。")
    if upload.size > settings.MAX_LAYER_BYTES:
        limit = settings.MAX_LAYER_BYTES // 1024 // 1024
        raise Refused(f"文件超过 {limit} MB。请按县（市、区）分成几个文件后再上传。")
    return suffix


@transaction.atomic
def retire_layer(*, layer_id: int, by: Any) -> Layer:
    """Take a layer out of use; an earlier version of the same name counts again.

    Raises NotAllowed, and WrongState for a layer that is not in use.
    """
    check_city(by, "manage_layers", WHO_KEEPS)
    layer = Layer.objects.select_for_update(of=("self",)).get(pk=layer_id)
    if layer.state not in (State.RECEIVED, State.READY):
        raise WrongState(f"这个图层现在是“{layer.get_state_display()}”，不需要停用。")
    for job in Job.objects.about(layer):
        cancel(job)
    layer.state = State.RETIRED
    layer.save(update_fields=["state"])
    record("停用图层", by=by, subject=layer)
    return layer
