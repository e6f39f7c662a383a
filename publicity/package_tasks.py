"""Make the publish package in the background."""

from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from publicity.models import Notice, Package
from publicity.packages import pack
from shuozhou_mines.errors import WrongState
from shuozhou_mines.jobs import Run, handles
from shuozhou_mines.storage import store

PACKAGE = "publicity.package"


@handles(PACKAGE, "生成官网发布包")
def make_package(run: Run) -> None:
    """Pack a notice; done again, it replaces its own file. Refuses before the documents exist."""
    notice = Notice.objects.get(pk=run.subject_id)
    if not notice.documents.exists():
        raise WrongState("公示文件还在生成，请稍候再生成发布包。")
    run.report(0, 2, "正在绘图和排版")
    content = pack(notice)
    run.report(1, 2, "正在保存")
    stored = store([content], folder="packages", suffix=".zip")
    with transaction.atomic():
        run.still_ours()
        former = Package.objects.filter(notice=notice).first()
        Package.objects.update_or_create(
            notice=notice,
            defaults={
                "file": stored.name,
                "size": stored.size,
                "sha256": stored.sha256,
                "made_at": timezone.now(),
            },
        )
    if former is not None and former.file.name:
        (Path(settings.MEDIA_ROOT) / former.file.name).unlink(missing_ok=True)
