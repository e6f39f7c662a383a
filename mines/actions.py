"""Change the registry: take workbooks, name columns, confirm or give up, set a boundary."""

import hashlib
from datetime import date, datetime
from pathlib import PurePath
from typing import Any

import pghistory
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from mines import tasks
from mines.boundaries import boundary_row
from mines.models import Boundary, Mine
from mines.registry_state import mark_of
from mines.rings import Boundary as Rings
from mines.upload_models import ColumnMapping, RegistryUpload
from mines.workbook_columns import MAPPED
from shuozhou_mines import jobs
from shuozhou_mines.errors import Incomplete, Refused, WrongState
from shuozhou_mines.storage import store
from taskforce import permissions
from taskforce.trail import record

WHO_EDITS = "维护台账是本县（市、区）填报员、审核人和市专班办公室的职责，你的账号没有这项权限。"
State = RegistryUpload.State


def receive_upload(
    *,
    county_code: str,
    upload: "UploadedFile[bytes]",
    as_of: date,
    given_by: str,
    by: Any,
    at: datetime,
) -> RegistryUpload:
    """Store a registry workbook and queue its reading; the same file sent again is one upload.

    Raises NotAllowed, and Refused for a file that is empty, too large or no workbook, or when the
    disk is full.
    """
    permissions.check(by, "edit_mines", county_code, WHO_EDITS)
    suffix = _suffix(upload)
    try:
        stored = store(upload.chunks(), folder="registry", suffix=suffix)
    except OSError as error:
        raise Refused("服务器磁盘已满，文件没有存下。请稍后再传，并告诉系统管理员。") from error
    with transaction.atomic():
        tasks.lock_county(county_code)
        waiting = RegistryUpload.objects.filter(
            county_id=county_code,
            sha256=stored.sha256,
            as_of=as_of,
            state__in=(State.RECEIVED, State.READY, State.UNMAPPED, State.CONFIRMED),
        ).first()
        if waiting is not None:
            return waiting
        row = RegistryUpload.objects.create(
            county_id=county_code,
            file=stored.name,
            file_name=PurePath(upload.name or "台账.xlsx").name[-200:],
            sha256=stored.sha256,
            as_of=as_of,
            given_by=given_by,
            uploaded_at=at,
            uploaded_by=by,
        )
        record("上传台账", by=by, subject=row, county=row.county, sha256=stored.sha256)
        _read(row, by)
    return row


def _suffix(upload: "UploadedFile[bytes]") -> str:
    suffix = PurePath(upload.name or "").suffix.lower()
    if suffix not in (".xlsx", ".xls"):
        raise Refused("请上传 Excel 工作簿（.xlsx 或 .xls）。其他格式请先另存为 xlsx。")
    if not upload.size:
        raise Refused("这个文件是空的（0 字节）。请重新保存后再上传。")
    if upload.size > settings.MAX_WORKBOOK_BYTES:
        limit = settings.MAX_WORKBOOK_BYTES // 1024 // 1024
        raise Refused(f"文件超过 {limit} MB。请删去图片等附带内容后再上传。")
    return suffix


def _read(row: RegistryUpload, by: Any) -> None:
    jobs.enqueue(kind=tasks.READ_UPLOAD, subject=row, key=f"{row.pk}:{row.reading}", by=by)


def _locked(upload_id: int, by: Any) -> RegistryUpload:
    row = RegistryUpload.objects.select_for_update(of=("self",)).get(pk=upload_id)
    permissions.check(by, "edit_mines", row.county_id, WHO_EDITS)
    return row


@transaction.atomic
def name_columns(
    *, upload_id: int, fields: dict[str, str], by: Any, at: datetime
) -> RegistryUpload:
    """Say what the columns of a county's own table are, remember it, and read the table.

    `fields` gives the field of each column number. Raises NotAllowed, WrongState, and Incomplete
    when a field is named twice, is unknown, or one that every table needs is missing.
    """
    row = _locked(upload_id, by)
    if row.state != State.UNMAPPED:
        raise WrongState(f"这份表格现在是“{row.get_state_display()}”，不需要再对应列。")
    heads = {column.field: column.head for column in MAPPED}
    numbers = {str(column["number"]) for column in row.layout["columns"]}
    if not set(fields) <= numbers or not set(fields.values()) <= set(heads):
        raise Incomplete("对应关系与表格的列不一致。请重新打开本页再选。")
    names = list(fields.values())
    twice = sorted({heads[name] for name in names if names.count(name) > 1})
    if twice:
        raise Incomplete(f"“{'、'.join(twice)}”选了不止一列。请每项只选一列。")
    if "name" not in names:
        raise Incomplete("请选出哪一列是“矿山名称”；没有它无法知道每一行是哪座矿山。")
    ColumnMapping.objects.update_or_create(
        county_id=row.county_id,
        signature=row.layout["signature"],
        defaults={"fields": fields, "made_at": at, "made_by": by},
    )
    row.state = State.RECEIVED
    row.reading += 1
    row.save(update_fields=["state", "reading"])
    record("对应台账表格的列", by=by, subject=row, county=row.county, columns=len(fields))
    _read(row, by)
    return row


@transaction.atomic
def change_columns(*, upload_id: int, by: Any) -> RegistryUpload:
    """Ask again what the columns of a county's own table are.

    Raises NotAllowed, and WrongState for a table from our template or one that is being written.
    """
    row = _locked(upload_id, by)
    if row.state not in (State.READY, State.REFUSED) or not row.layout:
        raise WrongState(f"这份表格现在是“{row.get_state_display()}”，不能重新对应列。")
    ColumnMapping.objects.filter(
        county_id=row.county_id, signature=row.layout["signature"]
    ).delete()
    row.state = State.UNMAPPED
    row.save(update_fields=["state"])
    return row


@transaction.atomic
def confirm_upload(
    *, upload_id: int, seen_mark: str, remove_gone: bool, by: Any, at: datetime
) -> RegistryUpload:
    """Confirm what the preview showed and queue the writing; `seen_mark` is what was shown.

    When the registry has changed since, nothing is queued: the upload is compared anew. Raises
    NotAllowed, and WrongState when somebody was faster or nothing would change.
    """
    row = _locked(upload_id, by)
    if row.state != State.READY:
        raise WrongState(f"这次导入现在是“{row.get_state_display()}”，不能再确认。请刷新页面。")
    summary = row.summary
    if not summary["new_count"] and not summary["changed_count"] and not remove_gone:
        raise WrongState("与现行台账完全相同，没有需要写入的内容。")
    row.state = State.CONFIRMED
    row.confirmed_at, row.confirmed_by, row.remove_gone = at, by, remove_gone
    row.save(update_fields=["state", "confirmed_at", "confirmed_by", "remove_gone"])
    if seen_mark != row.seen_mark or mark_of(row.county_id) != row.seen_mark:
        tasks.read_again(row)
        row.refresh_from_db()
        return row
    record("确认导入台账", by=by, subject=row, county=row.county, remove_gone=remove_gone)
    key = f"{row.pk}:{row.reading}"
    jobs.enqueue(kind=tasks.WRITE_UPLOAD, subject=row, key=key, by=by)
    return row


@transaction.atomic
def drop_upload(*, upload_id: int, by: Any) -> RegistryUpload:
    """Give an upload up; nothing of it was written. Raises NotAllowed and WrongState."""
    row = _locked(upload_id, by)
    if row.state in (State.CONFIRMED, State.WRITTEN, State.DROPPED):
        raise WrongState(f"这次导入现在是“{row.get_state_display()}”，不能放弃。")
    row.state = State.DROPPED
    row.save(update_fields=["state"])
    record("放弃导入台账", by=by, subject=row, county=row.county)
    return row


def set_boundary(
    *,
    mine_id: int,
    boundary: Rings,
    source_text: str,
    as_of: date,
    given_by: str,
    seen: str,
    by: Any,
) -> Boundary:
    """Give a mine its boundary; `seen` is the area that stood there when the person looked.

    Raises NotAllowed, and WrongState when another boundary was written meanwhile.
    """
    with pghistory.context(user=by.pk), transaction.atomic():
        mine = Mine.objects.select_for_update(of=("self",)).get(pk=mine_id)
        permissions.check(by, "edit_mines", mine.county_id, WHO_EDITS)
        old = Boundary.objects.select_for_update(of=("self",)).filter(mine=mine).first()
        if boundary_mark(old) != seen:
            raise WrongState("这座矿山的范围刚刚被别人改过。请看过现在的范围，再决定是否覆盖。")
        row = boundary_row(mine, boundary, source_text=source_text, as_of=as_of)
        if old is not None:
            row.pk = old.pk
            row._state.adding = False
        row.save()
        mine.as_of, mine.given_by = as_of, given_by
        mine.save(update_fields=["as_of", "given_by"])
        record(
            "录入矿区范围",
            by=by,
            subject=mine,
            county=mine.county,
            area_km2=str(row.area_km2),
            replaced=old is not None,
        )
    return row


def boundary_mark(row: Boundary | None) -> str:
    """Return what a page remembers of the boundary it showed."""
    return "" if row is None else f"{row.pk}:{row.area_km2}:{hash_of(row.source_text)}"


def hash_of(text: str) -> str:
    """Return a short mark of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
