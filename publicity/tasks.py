"""Make the documents of a notice after it was published."""

import logging
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.gis.db.models.functions import AsGeoJSON
from django.db import transaction

from publicity.documents import notice_csv, notice_geojson, notice_workbook
from publicity.models import Notice, PublicDocument
from shuozhou_mines.jobs import Run, handles
from shuozhou_mines.storage import store

logger = logging.getLogger(__name__)

DOCUMENTS = "publicity.documents"
FOLDER = "public"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
GEOJSON = "application/geo+json"
CSV = "text/csv; charset=utf-8"


@handles(DOCUMENTS, "生成公示文件")
def make_documents(run: Run) -> None:
    """Make the workbook and the CSV of a notice; done again, it replaces its own files."""
    notice = Notice.objects.get(pk=run.subject_id)
    run.report(0, 2, "正在生成表格")
    name = notice.title
    files = [
        ("矿山与处置、整合区（xlsx）", f"{name}.xlsx", XLSX,
         notice_workbook(notice.content, demo=settings.DEMO)),
        ("矿山与处置（csv）", f"{name}.csv", CSV, notice_csv(notice.content)),
        ("范围图形（GeoJSON，2000国家大地坐标系）", f"{name}.geojson", GEOJSON,
         notice_geojson(notice.content, _outlines(notice), demo=settings.DEMO)),
    ]  # fmt: skip
    run.report(1, 2, "正在保存")
    kept = [
        (title, file_name, content_type, store([content], folder=FOLDER, suffix=_end(file_name)))
        for title, file_name, content_type, content in files
    ]
    with transaction.atomic():
        run.still_ours()
        former = dict(notice.documents.values_list("content_type", "file"))
        for title, file_name, content_type, stored in kept:
            # In place, so that addresses given out before lead to the new file.
            PublicDocument.objects.update_or_create(
                notice=notice,
                content_type=content_type,
                defaults={
                    "title": title,
                    "file": stored.name,
                    "file_name": file_name,
                    "size": stored.size,
                    "sha256": stored.sha256,
                },
            )
        transaction.on_commit(lambda: _unlink(former.values()))


def _end(file_name: str) -> str:
    return "." + file_name.rsplit(".", 1)[-1]


def _unlink(names: Iterable[str]) -> None:
    for name in names:
        (Path(settings.MEDIA_ROOT) / name).unlink(missing_ok=True)


def sweep_documents(*, before: datetime) -> int:
    """Delete files that no row names and that are older than a moment; return how many."""
    place = Path(settings.MEDIA_ROOT) / FOLDER
    named = {Path(name).name for name in PublicDocument.objects.values_list("file", flat=True)}
    left = [
        file
        for file in (place.iterdir() if place.is_dir() else ())
        if file.is_file() and file.name not in named and file.stat().st_mtime < before.timestamp()
    ]
    for file in left:
        file.unlink(missing_ok=True)
    if left:
        logger.warning("deleted %d public files that no row names", len(left))
    return len(left)


def _outlines(notice: Notice) -> list[tuple[str, str, dict[str, Any], str]]:
    rows = notice.shapes.annotate(geojson=AsGeoJSON("outline", precision=6))
    return [(row.kind, row.name, row.facts, row.geojson) for row in rows]
