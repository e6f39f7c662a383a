"""Make the documents of a notice after it was published."""

from typing import Any

from django.conf import settings
from django.contrib.gis.db.models.functions import AsGeoJSON
from django.db import transaction

from publicity.documents import notice_csv, notice_geojson, notice_workbook
from publicity.models import Notice, PublicDocument
from shuozhou_mines.jobs import Run, handles
from shuozhou_mines.storage import store

DOCUMENTS = "publicity.documents"
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
    with transaction.atomic():
        run.still_ours()
        notice.documents.all().delete()
        for title, file_name, content_type, content in files:
            suffix = "." + file_name.rsplit(".", 1)[-1]
            stored = store([content], folder="public", suffix=suffix)
            PublicDocument.objects.create(
                notice=notice,
                title=title,
                file=stored.name,
                file_name=file_name,
                content_type=content_type,
                size=stored.size,
                sha256=stored.sha256,
            )


def _outlines(notice: Notice) -> list[tuple[str, str, dict[str, Any], str]]:
    rows = notice.shapes.annotate(geojson=AsGeoJSON("outline", precision=6))
    return [(row.kind, row.name, row.facts, row.geojson) for row in rows]
