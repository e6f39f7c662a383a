"""Check photos by what they hold, not by what they are called, and keep them under own names."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from shuozhou_mines.errors import Refused
from shuozhou_mines.storage import StoredFile, discard, store
from supervision.inspection_models import Inspection, Photo, ProblemEvent

MOST_PHOTOS = 9
MOST_BYTES = 10 * 1024 * 1024
JPEG_HEAD, JPEG_TAIL = b"\xff\xd8\xff", b"\xff\xd9"
PNG_HEAD = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
PNG_TAIL = b"IEND\xaeB`\x82"
HEIC_BRANDS = (b"heic", b"heix", b"mif1", b"msf1")
TAIL_LOOKED_AT = 64 * 1024
"""Cameras append data of their own behind the end of a JPEG."""


def kind_of(photo: "UploadedFile[bytes]") -> str:
    """Return jpg or png by head and tail of the content; raise Refused for anything else."""
    size = photo.size or 0
    if not size:
        raise Refused("有一张照片是空的（0 字节），请重新选择。")
    if size > MOST_BYTES:
        limit = MOST_BYTES // 1024 // 1024
        raise Refused(f"有一张照片超过 {limit} MB，请改用较小的尺寸拍摄或压缩后再传。")
    photo.seek(0)
    head = photo.read(32)
    photo.seek(max(0, size - TAIL_LOOKED_AT))
    tail = photo.read()
    photo.seek(0)
    if head.startswith(JPEG_HEAD):
        if JPEG_TAIL not in tail:
            raise Refused("有一张照片没有传完整，请重新选择。")
        return "jpg"
    if head.startswith(PNG_HEAD):
        if not tail.endswith(PNG_TAIL):
            raise Refused("有一张照片没有传完整，请重新选择。")
        return "png"
    if head[4:8] == b"ftyp" and head[8:12] in HEIC_BRANDS:
        raise Refused("照片是 HEIC 格式，多数电脑打不开。请在手机相机设置里选“兼容性最佳”后重拍。")
    raise Refused("只收 JPEG 或 PNG 照片；有一个文件不是照片，请重新选择。")


def check_photos(photos: Iterable["UploadedFile[bytes]"]) -> None:
    """Raise Refused when there are too many photos or one is not a photo."""
    chosen = list(photos)
    if len(chosen) > MOST_PHOTOS:
        raise Refused(f"一次最多传 {MOST_PHOTOS} 张照片，选了 {len(chosen)} 张。")
    for photo in chosen:
        kind_of(photo)


def keep_photos(
    photos: Iterable["UploadedFile[bytes]"],
    *,
    inspection: Inspection,
    event: ProblemEvent | None = None,
    by: Any,
    at: datetime,
    taken_at: Sequence[datetime] = (),
) -> list[Photo]:
    """Store checked photos in the caller's transaction; one chosen twice is kept once.

    taken_at: when each was taken, as the phone says; taken for true only when there is one for each
    photo and none lies ahead of `at`.
    Raises Refused when the disk is full. Files of a transaction that fails are taken back.
    """
    kept: list[Photo] = []
    stored: list[StoredFile] = []
    chosen = list(photos)
    known = len(taken_at) == len(chosen) and all(moment <= at for moment in taken_at)
    moments: Sequence[datetime | None] = taken_at if known else [None] * len(chosen)
    try:
        for photo, moment in zip(chosen, moments, strict=True):
            kind = kind_of(photo)
            file = store(photo.chunks(), folder=f"inspections/{at:%Y}", suffix=f".{kind}")
            stored.append(file)
            if any(each.sha256 == file.sha256 for each in kept):
                discard(stored.pop())
                continue
            kept.append(
                Photo(
                    inspection=inspection,
                    event=event,
                    file=file.name,
                    kind=kind,
                    sha256=file.sha256,
                    taken_at=moment,
                    added_at=at,
                    added_by=by,
                )
            )
        with transaction.atomic():
            Photo.objects.bulk_create(kept)
    except OSError as error:
        _take_back(stored)
        raise Refused("服务器磁盘已满，照片没有存下。请稍后再传，并告诉系统管理员。") from error
    except BaseException:
        _take_back(stored)
        raise
    return kept


def _take_back(stored: Iterable[StoredFile]) -> None:
    for file in stored:
        discard(file)
