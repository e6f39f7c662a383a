"""Print bulletins in the background; a job that runs twice leaves one file."""

from pathlib import Path

from django.conf import settings
from django.db import transaction

from shuozhou_mines.jobs import Run, handles
from shuozhou_mines.storage import store
from supervision.bulletin_content import bulletin_content, content_key
from supervision.documents import render_bulletin
from supervision.models import Bulletin

PDF_JOB = "supervision.bulletin_pdf"


@handles(PDF_JOB, "生成季通报 PDF")
def print_bulletin(run: Run) -> None:
    """Set the bulletin as it stands, store the file whole, and put it in place of the last one."""
    run.report(0, 3, "整理数据与文字")
    bulletin = Bulletin.objects.get(pk=run.subject_id)
    content = bulletin_content(bulletin)
    key = content_key(content)
    if bulletin.pdf_content == key and _path(bulletin.pdf.name).is_file():
        run.report(3, 3, "已有同一内容的 PDF")
        return
    run.report(1, 3, "按公文格式排版")
    pdf = render_bulletin(content)
    run.report(2, 3, "存盘并计算校验码")
    stored = store([pdf], folder=f"bulletins/{bulletin.year}", suffix=".pdf")
    try:
        with transaction.atomic():
            run.still_ours()
            row = Bulletin.objects.select_for_update(of=("self",)).get(pk=bulletin.pk)
            replaced = row.pdf.name
            row.pdf.name, row.pdf_sha256, row.pdf_content = stored.name, stored.sha256, key
            row.save(update_fields=["pdf", "pdf_sha256", "pdf_content"])
    except BaseException:
        _path(stored.name).unlink(missing_ok=True)
        raise
    if replaced:
        _path(replaced).unlink(missing_ok=True)
    run.report(3, 3, "完成")


def _path(name: str | None) -> Path:
    return Path(settings.MEDIA_ROOT) / (name or "none")
