"""Record and withdraw the 核查意见 of departments on the areas of a plan."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from plans import tasks
from plans.actions import lock_plan
from plans.models import CountyPlan, PlanVersion, SiteCheck
from plans.site_checks import outline_mark
from plans.workflow import RULING_OPEN
from shuozhou_mines.errors import Incomplete, NotAllowed, Refused, WrongState
from shuozhou_mines.storage import StoredFile, discard, store
from standards.terms import OpinionOutcome
from taskforce import permissions as rights
from taskforce.trail import record

RECORDERS = ("draft_plan", "review_plan")
WHO_RECORDS = "只有本县（市、区）的编制人员和专班办公室可以登记核查意见。"
MARKS = {b"%PDF-": ".pdf", b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg"}


def may_record(user: Any, plan: CountyPlan) -> bool:
    """Tell whether this user may record opinions on the plan as it stands."""
    return plan.state in RULING_OPEN and any(
        rights.can(user, right, plan.county_id) for right in RECORDERS
    )


def record_site_check(
    *,
    plan_id: int,
    area_codes: Sequence[str],
    department: str,
    unit: str,
    document_number: str,
    signed_on: date,
    outcome: str,
    text: str,
    layers: Sequence[str],
    upload: "UploadedFile[bytes]",
    by: Any,
    at: datetime,
) -> list[SiteCheck]:
    """Record a signed opinion for some areas of the newest version, and have it checked again.

    Raises NotAllowed, WrongState when the plan is beyond review or has no version that was read,
    Incomplete for an unknown area, an area without outline, a day to come, a refusal without
    reason, and Refused for a scan that is no PDF or picture.
    """
    check_allowed(CountyPlan.objects.get(pk=plan_id), by)
    if outcome != OpinionOutcome.AGREED and not text.strip():
        raise Incomplete("不同意或有条件同意的，请写明理由或条件。")
    if signed_on > timezone.localdate(at):
        raise Incomplete("出具日期还没有到，请核对核查意见上的日期。")
    scan = _store(upload)
    try:
        with transaction.atomic():
            plan = lock_plan(plan_id)
            check_allowed(plan, by)
            version = _newest(plan)
            rows = [
                SiteCheck.objects.create(
                    plan=plan, version=version, area_code=code, outline_mark=mark,
                    department=department, unit=unit.strip(), signed_on=signed_on,
                    document_number=document_number.strip(), outcome=outcome, text=text.strip(),
                    layers=list(layers), scan=scan.name, sha256=scan.sha256, by=by, at=at,
                    scan_name=PurePath(upload.name or "核查意见.pdf").name[-200:],
                )
                for code, mark in _marks(version, area_codes).items()
            ]  # fmt: skip
            record(
                "登记核查意见", by=by, subject=plan, county=plan.county, areas=list(area_codes),
                department=department, document=document_number, outcome=outcome,
            )  # fmt: skip
            tasks.queue_check(version, by=by)
    except Refused:
        discard(scan)
        raise
    return rows


@transaction.atomic
def withdraw_site_check(*, check_id: int, by: Any, at: datetime) -> SiteCheck:
    """Withdraw an opinion that was recorded by mistake; the row stays, and counts no longer.

    Raises NotAllowed, WrongState when it was withdrawn before or the plan is beyond review.
    """
    found = SiteCheck.objects.get(pk=check_id)
    plan = lock_plan(found.plan_id)
    check_allowed(plan, by)
    row = SiteCheck.objects.select_for_update(of=("self",)).get(pk=check_id)
    if row.withdrawn_at is not None:
        raise WrongState("这条核查意见已经撤销，不需要再撤销。请刷新页面。")
    row.withdrawn_by, row.withdrawn_at = by, at
    row.save(update_fields=["withdrawn_by", "withdrawn_at"])
    record("撤销核查意见", by=by, subject=plan, county=plan.county, site_check=row.pk)
    newest = plan.versions.first()
    if newest is not None and newest.state == PlanVersion.State.READ:
        tasks.queue_check(newest, by=by)
    return row


def check_allowed(plan: CountyPlan, by: Any) -> None:
    """Raise NotAllowed, or WrongState when the plan is beyond review."""
    if not any(rights.can(by, right, plan.county_id) for right in RECORDERS):
        raise NotAllowed(WHO_RECORDS)
    if plan.state not in RULING_OPEN:
        raise WrongState(f"方案现在是“{plan.get_state_display()}”，不能再登记或撤销核查意见。")


def _newest(plan: CountyPlan) -> PlanVersion:
    version = plan.versions.first()
    if version is None or version.state != PlanVersion.State.READ:
        raise WrongState("最新版本还没有读入，读入之后才能登记核查意见。")
    return version


def _marks(version: PlanVersion, codes: Sequence[str]) -> dict[str, str]:
    areas = {area.code: area for area in version.areas.all()}
    unknown = [code for code in codes if code not in areas]
    if unknown or not codes:
        raise Incomplete("请选择这一版方案里的整合区。")
    bare = [code for code in codes if not areas[code].outline]
    if bare:
        raise Incomplete(f"{'、'.join(bare)}还没有范围坐标，核查意见无法对应到范围。")
    return {code: outline_mark(areas[code]) for code in codes}


def _store(upload: "UploadedFile[bytes]") -> StoredFile:
    """Keep a scan whose first bytes show what it is."""
    limit = settings.MAX_OBJECTION_FILE_BYTES
    if not upload.size or upload.size > limit:
        raise Refused(f"扫描件应在 1 字节到 {limit // 1024 // 1024} MB 之间。请重新扫描后再上传。")
    head = upload.read(8)
    upload.seek(0)
    suffix = next((suffix for mark, suffix in MARKS.items() if head.startswith(mark)), None)
    if suffix is None:
        raise Refused("扫描件请用 PDF、JPG 或 PNG。")
    try:
        return store(upload.chunks(), folder="site-checks", suffix=suffix)
    except OSError as error:
        raise Refused("服务器磁盘已满，文件没有存下。请稍后再传，并告诉系统管理员。") from error
