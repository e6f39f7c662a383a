"""Register and change single mines with all that belongs to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import models, transaction
from stdnum.cn import uscc as uscc_numbers
from stdnum.exceptions import ValidationError as WrongNumber

from mines.models import Holder, Licence, Mine, ProductionSystem, Stock
from mines.record_models import (
    Acceptance,
    MineDocument,
    MineRecord,
    RightEvent,
    TreatmentCheck,
    TreatmentPlan,
    YearOutput,
)
from shuozhou_mines.errors import Incomplete, Refused
from shuozhou_mines.storage import store
from taskforce import permissions
from taskforce.models import County
from taskforce.trail import record

WHO_EDITS = "维护台账是本县（市、区）填报员、审核人和市专班办公室的职责，你的账号没有这项权限。"
MOST_DOCUMENT_BYTES = 20 * 1024 * 1024
DOCUMENT_TYPES = (".pdf", ".jpg", ".jpeg", ".png", ".docx", ".xlsx")


@dataclass(frozen=True, slots=True)
class Part:
    """Name one kind of row that belongs to a mine, and what tells its rows apart."""

    model: type[models.Model]
    key: tuple[str, ...]


PARTS = {
    "licences": Part(Licence, ("valid_from",)),
    "systems": Part(ProductionSystem, ("name",)),
    "stocks": Part(Stock, ("stock_class",)),
    "outputs": Part(YearOutput, ("year",)),
    "acceptances": Part(Acceptance, ("accepted_on",)),
    "treatment_plans": Part(TreatmentPlan, ("filing_no",)),
    "treatment_checks": Part(TreatmentCheck, ("year",)),
    "right_events": Part(RightEvent, ("kind", "happened_on")),
}
Rows = Sequence[Mapping[str, Any]]


@transaction.atomic
def register_mine(
    *, county_code: str, facts: Mapping[str, Any], parts: Mapping[str, Rows], by: Any
) -> Mine:
    """Add a mine to a county's registry with its parts.

    `facts` are fields of Mine, and holder as {name, uscc}. Raises NotAllowed, and Incomplete with
    what contradicts.
    """
    permissions.check(by, "edit_mines", county_code, WHO_EDITS)
    mine = Mine(county=County.objects.get(pk=county_code))
    _fill(mine, facts)
    _save(mine)
    changed = [name for name, rows in parts.items() if _replace(mine, PARTS[name], rows)]
    record("登记矿山", by=by, subject=mine, county=mine.county, parts=changed)
    return mine


@transaction.atomic
def change_mine(
    *, mine_id: int, facts: Mapping[str, Any], parts: Mapping[str, Rows], by: Any
) -> Mine:
    """Change what is given of a mine; a part that is given replaces all rows of its kind.

    Raises NotAllowed, and Incomplete with what contradicts.
    """
    mine = _locked(mine_id, by)
    _fill(mine, facts)
    _save(mine)
    changed = [name for name, rows in parts.items() if _replace(mine, PARTS[name], rows)]
    record("修改台账", by=by, subject=mine, county=mine.county, fields=sorted(facts), parts=changed)
    return mine


@transaction.atomic
def set_record(*, mine_id: int, part: str, facts: Mapping[str, Any], by: Any) -> None:
    """Add one row to a mine's file, or correct the one with the same key.

    Raises NotAllowed, and Incomplete with what contradicts.
    """
    mine = _locked(mine_id, by)
    kind = PARTS[part]
    same = {name: facts[name] for name in kind.key}
    known = kind.model._default_manager.filter(mine=mine, **same).first()
    _change(mine, kind, known, facts)
    name = str(kind.model._meta.verbose_name)
    act = "更正" if known else "补充"
    record(f"{act}矿山资料", by=by, subject=mine, county=mine.county, kind=name)


def add_document(
    *, mine_id: int, row: MineDocument, upload: "UploadedFile[bytes]", by: Any, at: datetime
) -> MineDocument:
    """Store a paper of a mine's file. Raises NotAllowed, and Refused for what is no such file."""
    mine = Mine.objects.get(pk=mine_id)
    permissions.check(by, "edit_mines", mine.county_id, WHO_EDITS)
    suffix = PurePath(upload.name or "").suffix.lower()
    if suffix not in DOCUMENT_TYPES:
        raise Refused("请上传 PDF、图片（jpg、png）、docx 或 xlsx 文件。")
    if not upload.size:
        raise Refused("这个文件是空的（0 字节）。请重新保存后再上传。")
    if upload.size > MOST_DOCUMENT_BYTES:
        raise Refused("文件超过 20 MB。请压缩后再上传。")
    stored = store(upload.chunks(), folder="mines", suffix=suffix)
    row.file.name, row.sha256 = stored.name, stored.sha256
    row.file_name = PurePath(upload.name or "").name[-200:]
    row.uploaded_at, row.uploaded_by = at, by
    with transaction.atomic():
        row.mine = _locked(mine_id, by)
        _save(row)
        record("上传矿山文件", by=by, subject=mine, county=mine.county, sha256=row.sha256)
    return row


def _locked(mine_id: int, by: Any) -> Mine:
    mine = Mine.objects.select_for_update(of=("self",)).select_related("county").get(pk=mine_id)
    permissions.check(by, "edit_mines", mine.county_id, WHO_EDITS)
    return mine


def _fill(mine: Mine, facts: Mapping[str, Any]) -> None:
    for name, value in facts.items():
        if name == "holder":
            mine.holder = _holder(value)
        else:
            setattr(mine, name, value)


def _holder(given: Mapping[str, Any]) -> Holder:
    """Return the holder with this code, or with this name; a code tells holders apart."""
    name, code = given["name"], given.get("uscc") or ""
    if code:
        try:
            code = uscc_numbers.validate(code)
        except WrongNumber as error:
            raise Incomplete(
                f"统一社会信用代码“{code}”不正确：应为 18 位，且通过校验码检验。"
            ) from error
    known = Holder.objects.select_for_update(of=("self",)).order_by("pk")
    if code and (holder := known.filter(uscc=code).first()):
        return holder
    same_name = known.filter(name=name)
    holder = (same_name.filter(uscc="") if code else same_name).first()
    if holder is None:
        holder = Holder(name=name)
    if code or holder.pk is None:
        holder.uscc = code
        _save(holder)
    return holder


def _replace(mine: Mine, part: Part, rows: Rows) -> bool:
    """Make the rows of one kind those given, by their keys; tell whether anything changed."""
    known = {_key(part, row): row for row in part.model._default_manager.filter(mine=mine)}
    wanted = {tuple(row[name] for name in part.key): row for row in rows}
    if len(wanted) < len(rows):
        raise Incomplete(f"{part.model._meta.verbose_name}有两行是同一项。请只保留一行。")
    gone = [row.pk for key, row in known.items() if key not in wanted]
    part.model._default_manager.filter(pk__in=gone).delete()
    # A period moved back makes room for the next one.
    changed = [_change(mine, part, known.get(key), wanted[key]) for key in sorted(wanted)]
    return bool(gone) or any(changed)


def _key(part: Part, row: Any) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in part.key)


def _change(mine: Mine, part: Part, row: Any, given: Mapping[str, Any]) -> bool:
    is_new = row is None
    if is_new:
        row = part.model(mine=mine)
    new = {**_source(mine, part.model), **given}
    before = {name: getattr(row, name) for name in new}
    for name, value in new.items():
        setattr(row, name, value)
    if not is_new and before == new:
        return False
    _save(row)
    return True


def _source(mine: Mine, model: type[models.Model]) -> dict[str, Any]:
    """Return day and source of a row that does not say them itself: those of the mine."""
    if not issubclass(model, MineRecord):
        return {}
    return {"as_of": mine.as_of, "given_by": mine.given_by}


def _save(row: models.Model) -> None:
    """Write a row that agrees with itself and its neighbours."""
    try:
        row.full_clean()
    except ValidationError as error:
        raise Incomplete(_sentence(row, error)) from error
    row.save()


def _sentence(row: models.Model, error: ValidationError) -> str:
    said = []
    for name, messages in error.message_dict.items():
        words = "".join(messages)
        label = (
            getattr(row._meta.get_field(name), "verbose_name", name) if name != "__all__" else ""
        )
        field = f"{label}：" if label else ""
        said.append(f"{field}{words}")
    return f"{row._meta.verbose_name}没有写入。" + " ".join(said)
