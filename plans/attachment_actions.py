"""Take documents into a plan, and take them down again."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from mines.child import Broken, Killed, TooSlow, output_of
from plans.actions import lock_plan
from plans.models import Attachment, CountyPlan
from plans.workflow import accepts_upload
from shuozhou_mines.errors import Incomplete, NotAllowed, Refused, WrongState
from shuozhou_mines.storage import StoredFile, discard, store
from taskforce import permissions as rights
from taskforce.trail import record

SECONDS = 40
MOST_PER_PLAN = 200
TYPES = {
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".jpg": "image/jpeg",
    ".png": "image/png",
}
WHO = "只有本县（市、区）的编制人员（编制阶段）和专班办公室可以上传、撤下附件。"


def may_attach(user: Any, plan: CountyPlan) -> bool:
    """Tell whether this user may add documents now: the county while it drafts, the office ever."""
    if rights.can(user, "review_plan", plan.county_id):
        return True
    return accepts_upload(plan.state) and rights.can(user, "draft_plan", plan.county_id)


def attach(
    *,
    plan_id: int,
    upload: "UploadedFile[bytes]",
    subject: str,
    title: str,
    by: Any,
    at: datetime,
) -> Attachment:
    """Clean a document and add it to a plan; the same file sent again is the same attachment.

    Raises NotAllowed, and Refused for a file that is empty, too large, damaged or of no known
    kind, or when the disk is full.
    """
    plan = CountyPlan.objects.get(pk=plan_id)
    if not may_attach(by, plan):
        raise NotAllowed(WHO)
    content = _content_of(upload)
    given = hashlib.sha256(content).hexdigest()
    looked, clean = read_safely(content)
    try:
        stored = store([clean], folder="attachments", suffix=looked["kind"])
    except OSError as error:
        raise Refused("服务器磁盘已满，文件没有存下。请稍后再传，并告诉系统管理员。") from error
    row = Attachment(
        plan=plan,
        subject=subject,
        title=title.strip(),
        file=stored.name,
        file_name=f"{PurePath(upload.name or '附件').stem[:150]}{looked['kind']}",
        content_type=TYPES[looked["kind"]],
        size=stored.size,
        sha256=stored.sha256,
        given_sha256=given,
        pages=looked["pages"],
        removed=looked["removed"],
        uploaded_by=by,
        uploaded_at=at,
    )
    return _write(row, stored, by=by)


def _write(row: Attachment, stored: StoredFile, *, by: Any) -> Attachment:
    try:
        with transaction.atomic():
            plan = lock_plan(row.plan_id)
            if not may_attach(by, plan):
                raise WrongState(f"方案现在是“{plan.get_state_display()}”，不能再上传附件。")
            there = plan.attachments.filter(withdrawn_at__isnull=True)
            same = there.filter(given_sha256=row.given_sha256).first()
            if same is None and there.count() >= MOST_PER_PLAN:
                raise Incomplete(f"一个方案最多 {MOST_PER_PLAN} 个附件。请先撤下不用的附件。")
            if same is None:
                row.save()
                record(
                    "上传附件", by=by, subject=row, county=plan.county, sha256=row.sha256,
                    removed=row.removed,
                )  # fmt: skip
    except BaseException:
        discard(stored)
        raise
    if same is not None:
        discard(stored)
    return same or row


def _content_of(upload: "UploadedFile[bytes]") -> bytes:
    if not upload.size:
        raise Refused("这个文件是空的（0 字节）。请重新保存后再上传。")
    if upload.size > settings.MAX_ATTACHMENT_BYTES:
        limit = settings.MAX_ATTACHMENT_BYTES // 1024 // 1024
        raise Refused(f"文件超过 {limit} MB。请压缩，或分成几个文件后再上传。")
    return b"".join(upload.chunks())


def read_safely(content: bytes) -> tuple[Mapping[str, Any], bytes]:
    """Return what a document is and its clean content, read in a child; raise Refused."""
    try:
        output = output_of("plans.attachment_reader", [], seconds=SECONDS, given=content)
    except (TooSlow, Killed):
        raise Refused("读取这个文件超出了时间或内存限制。请拆成几个文件，或重新导出。") from None
    except Broken:
        raise Refused("这个文件不能读取。请重新保存，或转成 PDF 后再上传。") from None
    head, _, clean = output.partition(b"\n")
    looked = json.loads(head)
    if "refused" in looked:
        raise Refused(looked["refused"])
    return looked, clean


@transaction.atomic
def withdraw_attachment(*, attachment_id: int, by: Any, at: datetime) -> Attachment:
    """Take a document down; it stays on record with who took it down.

    Raises NotAllowed, and WrongState when it was taken down before.
    """
    row = Attachment.objects.select_for_update(of=("self",)).get(pk=attachment_id)
    plan = lock_plan(row.plan_id)
    if not may_attach(by, plan):
        raise NotAllowed(WHO)
    if row.withdrawn_at is not None:
        raise WrongState("这个附件已经撤下。请刷新页面。")
    row.withdrawn_at, row.withdrawn_by = at, by
    row.save(update_fields=["withdrawn_at", "withdrawn_by"])
    record("撤下附件", by=by, subject=row, county=plan.county)
    return row
