"""Take in an objection, lead it through its steps, and delete whose it was when the time is up."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from plans.actions import start_adjustment
from plans.models import CountyPlan
from plans.workflow import IN_FORCE
from publicity import objection_tasks
from publicity.actions import withdraw_notice
from publicity.models import Notice, Objection, ObjectionFile, ObjectionStep
from publicity.objection_steps import STEPS, State
from publicity.receipts import new_receipt_number
from publicity.sealing import current_key_name, seal, unseal
from rulebook.current import current_rulebook
from shuozhou_mines import jobs
from shuozhou_mines.errors import Incomplete, WrongState
from shuozhou_mines.storage import StoredFile, discard, store
from taskforce.permissions import check
from taskforce.trail import record
from taskforce.working_days import last_working_day

WORKING_DAYS = "objection.working_days"
NOT_YOURS = "异议由发布公示的专班办公室办理；你没有这个县（市、区）的公示权限。"
LATE = (
    "异议应当在公示期内提出。本公示已于 {ends} 截止，这份异议于 {at} 收到，属逾期提出，不予受理。"
    "所反映的情况已经留存；仍需反映的，可按页面上的联系方式向专班办公室书面提出。"
)


def receive_objection(
    *,
    notice_id: int,
    subject: str,
    text: str,
    identity: dict[str, str],
    files: Sequence[tuple[str, bytes]],
    at: datetime,
) -> Objection:
    """Take in an objection with its sealed identity and attachments (suffix and bytes each).

    One that comes after the last moment of the notice is kept and not accepted, with the reason.
    Raises WrongState when the notice has been withdrawn; OSError when the disk is full.
    """
    number = new_receipt_number(timezone.localdate(at))
    stored = [
        (
            suffix,
            content,
            store([seal(content, about=number)], folder="objections", suffix=".sealed"),
        )
        for suffix, content in files
    ]
    try:
        return _write_objection(notice_id, number, subject, text, identity, stored, at)
    except BaseException:
        for _, _, file in stored:
            discard(file)
        raise


def _store(content: bytes, number: str) -> StoredFile:
    return store([seal(content, about=number)], folder="objections", suffix=".sealed")


@transaction.atomic
def _write_objection(
    notice_id: int,
    number: str,
    subject: str,
    text: str,
    identity: dict[str, str],
    stored: list[tuple[str, bytes, StoredFile]],
    at: datetime,
) -> Objection:
    notice = Notice.objects.select_for_update(of=("self",)).get(pk=notice_id)
    if notice.withdrawn_at is not None:
        raise WrongState("这份公示已经撤回，不再收取异议。更正后会重新公示，届时可以再提出。")
    is_late = at > notice.ends_at
    today = timezone.localdate(at)
    days = current_rulebook().in_force(today).number(WORKING_DAYS)
    objection = Objection.objects.create(
        notice=notice,
        receipt_number=number,
        received_at=at,
        subject=subject,
        text=text,
        identity_sealed=seal(json.dumps(identity).encode(), about=number),
        identity_key=current_key_name(),
        is_late=is_late,
        due_on=last_working_day(today, int(days)) if days and not is_late else None,
        state=State.REJECTED if is_late else State.RECEIVED,
        answer=_late(notice, at) if is_late else "",
        answered_at=at if is_late else None,
        closed_at=at if is_late else None,
    )
    for suffix, content, file in stored:
        ObjectionFile.objects.create(
            objection=objection,
            file=file.name,
            suffix=suffix,
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )
    _note(objection, "receive", "收到", at=at)
    if is_late:
        _note(objection, "reject", "不予受理", at=at, words="逾期，自动不予受理。")
        jobs.enqueue(kind=objection_tasks.REPLY, subject=objection, key=f"{objection.pk}:reject")
    record("收到异议", by=None, subject=objection, county=notice.plan.county, late=is_late)
    return objection


def _late(notice: Notice, at: datetime) -> str:
    def moment(value: datetime) -> str:
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M}"

    return LATE.format(ends=moment(notice.ends_at), at=moment(at))


@transaction.atomic
def take_objection_step(
    *,
    objection_id: int,
    step: str,
    by: Any,
    at: datetime,
    seen_state: str,
    note: str = "",
    upheld: bool | None = None,
    withdrawal: str = "",
) -> Objection:
    """Lead an objection one step on; an upheld one withdraws the notice and opens an adjustment.

    The plan itself is not published again; its adjustment goes the way and is published.
    Raises NotAllowed, WrongState, and Incomplete when words or the decision are missing.
    """
    objection = Objection.objects.select_for_update(of=("self",)).get(pk=objection_id)
    notice = objection.notice
    check(by, "publish_plan", notice.plan.county_id, NOT_YOURS)
    taken = STEPS.get(step)
    if taken is None or objection.state != taken.from_state or objection.state != seen_state:
        raise WrongState("这份异议刚才已由别人办理到下一步，请刷新后再看。")
    note = note.strip()
    if taken.needs_note and not note:
        raise Incomplete(f"“{taken.label}”必须写明内容，异议人会看到。")
    if step == "answer":
        objection.upheld = _decided(upheld)
    objection.state = taken.to_state
    if taken.answers:
        objection.answer, objection.answered_at = note, at
    if taken.ends:
        objection.closed_at = at
    objection.save()
    _note(objection, step, taken.label, at=at, by=by, words=note)
    record(f"异议{taken.label}", by=by, subject=objection, county=notice.plan.county)
    if taken.answers:
        jobs.enqueue(
            kind=objection_tasks.REPLY, subject=objection, key=f"{objection.pk}:{step}", by=by
        )
    if objection.upheld and step == "answer" and notice.withdrawn_at is None:
        if not withdrawal.strip():
            raise Incomplete("异议成立时要撤回公示：请写明撤回原因，原因会对外公开。")
        withdraw_notice(notice_id=notice.pk, reason=withdrawal, by=by, at=at, adjusting=True)
        _send_into_adjustment(objection, withdrawal, by=by, at=at)
    return objection


def _send_into_adjustment(objection: Objection, why: str, *, by: Any, at: datetime) -> None:
    """Open the plan's adjustment; one that is under way already takes this objection along."""
    plan = objection.notice.plan
    if plan.state not in IN_FORCE or CountyPlan.objects.filter(adjusts=plan).exists():
        return
    start_adjustment(
        plan_id=plan.pk,
        why=f"异议 {objection.receipt_number} 成立：{why.strip()}",
        by=by,
        at=at,
        right="publish_plan",
    )


def _decided(upheld: bool | None) -> bool:
    if upheld is None:
        raise Incomplete("请选择异议是否成立。")
    return upheld


def look_at_identity(*, objection: Objection, by: Any) -> dict[str, str]:
    """Return whose objection it is; every look is written to the trail before it is shown.

    Raises NotAllowed, WrongState when it has been deleted, NotReadable without its key.
    """
    county = objection.notice.plan.county
    check(by, "publish_plan", county.pk, NOT_YOURS)
    if not objection.identity_sealed:
        raise WrongState("保存期已满，身份信息已经删除。")
    record("查看异议人身份", by=by, subject=objection, county=county)
    return identity_of(objection)


def open_attachment(*, file: ObjectionFile, by: Any) -> bytes:
    """Return an attachment's bytes; the look is written to the trail like one at the identity."""
    objection = file.objection
    county = objection.notice.plan.county
    check(by, "publish_plan", county.pk, NOT_YOURS)
    record("查看异议附件", by=by, subject=objection, county=county, attachment=file.pk)
    with file.file.open("rb") as sealed:
        return unseal(sealed.read(), about=objection.receipt_number)


def identity_of(objection: Objection) -> dict[str, str]:
    """Return the unsealed identity."""
    text = unseal(bytes(objection.identity_sealed), about=objection.receipt_number)
    found: dict[str, str] = json.loads(text)
    return found


def is_the_objectors(objection: Objection, last_four: str) -> bool:
    """Tell whether these are the last four digits of the objector's telephone."""
    if not objection.identity_sealed or len(last_four) != 4:
        return False
    phone = "".join(filter(str.isdigit, identity_of(objection).get("phone", "")))
    return phone[-4:] == last_four


def forget_ended(*, before: datetime, at: datetime) -> int:
    """Delete identities and attachments of cases that ended before a moment; return how many."""
    ended = Objection.objects.filter(closed_at__lt=before, identity_deleted_at__isnull=True)
    found = list(ended.values_list("pk", flat=True))
    for objection_id in found:
        _forget(objection_id, at)
    return len(found)


@transaction.atomic
def _forget(objection_id: int, at: datetime) -> None:
    objection = Objection.objects.select_for_update(of=("self",)).get(pk=objection_id)
    if objection.identity_deleted_at is not None:
        return
    names = [file.file.name for file in objection.files.all()]
    objection.files.all().delete()
    objection.identity_sealed = b""
    objection.identity_key = ""
    objection.identity_deleted_at = at
    objection.save(update_fields=["identity_sealed", "identity_key", "identity_deleted_at"])
    _note(objection, "forget", "删除身份信息", at=at, words="保存期已满。")
    record("删除异议人身份", by=None, subject=objection, files=len(names))
    for name in names:
        transaction.on_commit(lambda name=name: _unlink(name))  # type: ignore[misc]


def _unlink(name: str) -> None:
    (Path(settings.MEDIA_ROOT) / name).unlink(missing_ok=True)


def seal_anew(*, most: int = 100) -> int:
    """Seal with the current key what an older one sealed; return how many cases it was."""
    old = Objection.objects.exclude(identity_key__in=("", current_key_name()))
    found = list(old.values_list("pk", flat=True)[:most])
    for objection_id in found:
        _seal_anew(objection_id)
    return len(found)


@transaction.atomic
def _seal_anew(objection_id: int) -> None:
    objection = Objection.objects.select_for_update(of=("self",)).get(pk=objection_id)
    number = objection.receipt_number
    if not objection.identity_sealed:
        return
    for file in objection.files.all():
        with file.file.open("rb") as sealed:
            content = unseal(sealed.read(), about=number)
        old = file.file.name
        file.file = _store(content, number).name
        file.save(update_fields=["file"])
        transaction.on_commit(lambda old=old: _unlink(old))  # type: ignore[misc]
    identity = unseal(bytes(objection.identity_sealed), about=number)
    objection.identity_sealed = seal(identity, about=number)
    objection.identity_key = current_key_name()
    objection.save(update_fields=["identity_sealed", "identity_key"])


def _note(
    objection: Objection, step: str, label: str, *, at: datetime, by: Any = None, words: str = ""
) -> None:
    ObjectionStep.objects.create(
        objection=objection, step=step, label=label, at=at, by=by, note=words
    )
