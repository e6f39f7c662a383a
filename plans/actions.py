"""Change plans: open one or an adjustment, receive a version, step on.

Every action locks the plan first, so that two people at once get one effect and one sentence.
Opinions stand in plans/review_actions.py, panels in plans/expert_actions.py, official documents in
plans/approval_actions.py.
"""

from datetime import datetime
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from plans import announcements, permissions, tasks
from plans.compliance import Outdated
from plans.gates import check_gate, note_with_findings
from plans.limits import limit_of
from plans.models import CountyPlan, PlanVersion, Round, StepTaken
from plans.workflow import IN_FORCE, STEPS, UNDER_WAY, Step, accepts_upload
from shuozhou_mines import jobs
from shuozhou_mines.errors import Incomplete, Refused, WrongState
from shuozhou_mines.models import Job
from shuozhou_mines.storage import StoredFile, discard, store
from taskforce import permissions as rights
from taskforce.trail import record


def open_plan(*, county_code: str, by: Any, at: datetime) -> CountyPlan:
    """Open the county's plan of the current round, or return the one that is there.

    Raises NotAllowed, and Incomplete when no round is open.
    """
    rights.check(by, "draft_plan", county_code, permissions.WHO["draft_plan"])
    with transaction.atomic():
        current = Round.objects.filter(is_open=True).first()
        if current is None:
            raise Incomplete("目前没有进行中的轮次。请专班办公室先建立轮次，再编制方案。")
        plan, made = CountyPlan.objects.get_or_create(
            round=current, county_id=county_code, edition=1, defaults={"opened_at": at}
        )
        if made:
            record("建立方案", by=by, subject=plan, county=plan.county)
    return plan


@transaction.atomic
def start_adjustment(
    *, plan_id: int, why: str, by: Any, at: datetime, right: str = "draft_plan"
) -> CountyPlan:
    """Open an adjustment (调整) of a plan in force: a plan of its own that goes the way again.

    The plan in force stays as it is until the adjustment is published. The county opens it; the
    office does by its right to publish, when an objection is upheld. Raises NotAllowed, WrongState
    when the plan is not in force or has been adjusted already, Incomplete without a reason or while
    another adjustment of the county is under way.
    """
    plan = lock_plan(plan_id)
    permissions.check_right(by, right, plan)
    if plan.state not in IN_FORCE:
        raise WrongState(f"方案现在是“{plan.get_state_display()}”，批复以后、办结以前才能调整。")
    if CountyPlan.objects.filter(adjusts=plan).exists():
        raise WrongState("这份方案已经建立了调整方案，请打开调整方案继续办理。")
    if not why.strip():
        raise Incomplete("请写明为什么调整。")
    siblings = CountyPlan.objects.filter(round=plan.round, county=plan.county)
    if siblings.filter(state__in=UNDER_WAY).exists():
        raise Incomplete("本县（市、区）在本轮还有办理中的方案，请先办完再调整。")
    adjustment = CountyPlan.objects.create(
        round=plan.round,
        county=plan.county,
        edition=plan.edition + 1,
        adjusts=plan,
        adjusts_why=why.strip(),
        opened_at=at,
    )
    record("建立调整方案", by=by, subject=adjustment, county=plan.county, adjusts=plan.pk)
    return adjustment


def receive_version(
    *, plan_id: int, upload: "UploadedFile[bytes]", by: Any, at: datetime
) -> tuple[PlanVersion, int]:
    """Store an uploaded workbook as the next version and queue its reading.

    Returns the version and the id of the job. The same file sent twice in a row is one version.
    Raises NotAllowed, WrongState when the plan is no longer with the county, Refused for a file
    that is empty, too large or no workbook, or when the disk is full.
    """
    suffix = _workbook_suffix(upload)
    plan = CountyPlan.objects.get(pk=plan_id)
    permissions.check_right(by, "draft_plan", plan)
    try:
        stored = store(upload.chunks(), folder="plans", suffix=suffix)
    except OSError as error:
        raise Refused("服务器磁盘已满，文件没有存下。请稍后再传，并告诉系统管理员。") from error
    file_name = PurePath(upload.name or "方案.xlsx").name[-200:]
    try:
        version, job = _next_version(plan_id, stored, file_name, by=by, at=at)
    except Refused:
        discard(stored)
        raise
    if version.file.name != stored.name:
        discard(stored)
    return version, job.pk


@transaction.atomic
def _next_version(
    plan_id: int, stored: StoredFile, file_name: str, *, by: Any, at: datetime
) -> tuple[PlanVersion, Job]:
    plan = lock_plan(plan_id)
    if not accepts_upload(plan.state):
        raise WrongState(f"方案现在是“{plan.get_state_display()}”，不能再上传新版本。")
    last = plan.versions.first()
    if last is not None and last.sha256 == stored.sha256:
        return last, _reading(last, by=by)
    version = PlanVersion.objects.create(
        plan=plan,
        number=last.number + 1 if last else 1,
        file=stored.name,
        file_name=file_name,
        sha256=stored.sha256,
        uploaded_at=at,
        uploaded_by=by,
    )
    record("上传方案", by=by, subject=version, county=plan.county, sha256=stored.sha256)
    return version, _reading(version, by=by)


def _reading(version: PlanVersion, *, by: Any) -> Job:
    """Return the job that reads a version; a version whose job broke off gets a new one."""
    asked = Job.objects.about(version).filter(kind=tasks.READ_VERSION)
    last = asked.first()
    if last is not None and (last.is_open or version.state != PlanVersion.State.RECEIVED):
        return last
    key = f"{version.pk}:{asked.count() + 1}"
    return jobs.enqueue(kind=tasks.READ_VERSION, subject=version, key=key, by=by)


def _workbook_suffix(upload: "UploadedFile[bytes]") -> str:
    suffix = PurePath(upload.name or "").suffix.lower()
    if suffix not in (".xlsx", ".xls"):
        raise Refused("请上传 Excel 工作簿（.xlsx）。WPS 表格请先“另存为”xlsx 格式。")
    if not upload.size:
        raise Refused("这个文件是空的（0 字节）。请重新保存后再上传。")
    if upload.size > settings.MAX_WORKBOOK_BYTES:
        limit = settings.MAX_WORKBOOK_BYTES // 1024 // 1024
        raise Refused(f"文件超过 {limit} MB。请删去图片等附带内容后再上传。")
    return suffix


def take_step(
    *, plan_id: int, step: str, by: Any, at: datetime, seen_state: str, note: str = ""
) -> CountyPlan:
    """Move a plan one step on; `seen_state` is the state the person saw.

    Raises NotAllowed, WrongState when somebody was faster, Incomplete when the step's conditions
    are not met, and ValueError for a step with an action of its own. When only the findings are
    outdated, a new check is queued although the step is refused.
    """
    if STEPS[step].own_action:
        raise ValueError(f"{step} has an action of its own")
    try:
        with transaction.atomic():
            plan = lock_plan(plan_id)
            return step_on(plan, STEPS[step], by=by, at=at, seen_state=seen_state, note=note)
    except Outdated as refusal:
        tasks.queue_check(refusal.version, by=by)
        raise


def step_on(
    plan: CountyPlan, step: Step, *, by: Any, at: datetime, seen_state: str, note: str = ""
) -> CountyPlan:
    """Move a plan that the caller has locked in this transaction."""
    permissions.check_right(by, step.right, plan)
    if plan.state not in step.from_states or plan.state != seen_state:
        raise WrongState(_who_was_faster(plan))
    note = note.strip()
    if step.needs_note and not note:
        raise Incomplete(step.needs_note)
    version = current_version(plan)
    today = timezone.localdate(at)
    check_gate(plan, version, step, on=today, note=note)
    from_state = plan.state
    plan.state = step.to_state
    if step.code == "submit" and plan.submitted_at is None:
        plan.submitted_at = at
    plan.save(update_fields=["state", "submitted_at"])
    taken = StepTaken.objects.create(
        plan=plan,
        version=version,
        step=step.code,
        from_state=from_state,
        to_state=step.to_state,
        by=by,
        at=at,
        due_on=limit_of(step.to_state, today),
        note=note_with_findings(version, step, note),
    )
    record(step.label, by=by, subject=plan, county=plan.county, version=version.number)
    announcements.queue(taken)
    return plan


def current_version(plan: CountyPlan) -> PlanVersion:
    """Return the newest version; raise Incomplete when there is none."""
    version = plan.versions.first()
    if version is None:
        raise Incomplete("还没有上传方案。请先下载模板，填好后上传。")
    return version


def lock_plan(plan_id: int) -> CountyPlan:
    """Lock a plan for the rest of the transaction; raise CountyPlan.DoesNotExist."""
    return (
        CountyPlan.objects.select_for_update(of=("self",))
        .select_related("county", "round")
        .get(pk=plan_id)
    )


def _who_was_faster(plan: CountyPlan) -> str:
    last = plan.steps.select_related("by").last()
    state = plan.get_state_display()
    if last is None:
        return f"方案现在是“{state}”，不能办理这一步。请刷新页面。"
    label = STEPS[last.step].label
    moment = f"{timezone.localtime(last.at):%Y-%m-%d %H:%M}"
    return f"{last.by.name}已在 {moment} 办理“{label}”，方案现在是“{state}”。请刷新页面后再看。"
