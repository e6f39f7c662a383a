"""Change plans: open, receive a version, step on, give an opinion, record the approval.

Every action locks the plan first, so that two people at once get one effect and one sentence.
"""

from datetime import date, datetime
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone

from plans import permissions, tasks
from plans.compliance import Outdated, refuse_outdated, what_blocks_submission
from plans.models import (
    Approval,
    CountyPlan,
    Opinion,
    PlanTask,
    PlanVersion,
    Round,
    StepTaken,
)
from plans.workflow import STEPS, State, Step, accepts_upload
from shuozhou_mines import jobs
from shuozhou_mines.errors import Incomplete, NotAllowed, Refused, WrongState
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
            round=current, county_id=county_code, defaults={"opened_at": at}
        )
        if made:
            record("建立方案", by=by, subject=plan, county=plan.county)
    return plan


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
    if step.needs_note and not note.strip():
        raise Incomplete(f"{step.label}必须写明意见，县（市、区）才知道要改什么。")
    version = _condition(plan, step, on=timezone.localdate(at))
    from_state = plan.state
    plan.state = step.to_state
    if step.code == "submit" and plan.submitted_at is None:
        plan.submitted_at = at
    plan.save(update_fields=["state", "submitted_at"])
    StepTaken.objects.create(
        plan=plan,
        version=version,
        step=step.code,
        from_state=from_state,
        to_state=step.to_state,
        by=by,
        at=at,
        note=note.strip(),
    )
    record(step.label, by=by, subject=plan, county=plan.county, version=version.number)
    return plan


def _condition(plan: CountyPlan, step: Step, *, on: date) -> PlanVersion:
    """Return the version the step is about; raise Incomplete when it may not go on yet."""
    version = plan.versions.first()
    if version is None:
        raise Incomplete("还没有上传方案。请先下载模板，填好后上传。")
    if step.code == "submit":
        refuse_outdated(version, on=on)
        reasons = what_blocks_submission(version)
        if reasons:
            raise Incomplete("还不能报送：" + "；".join(reasons) + "。")
        answered = plan.steps.filter(step="return").order_by("-pk").first()
        if answered is not None and answered.version_id == version.pk:
            raise Incomplete("方案被退回后还没有上传新版本。请按退回意见修改后重新上传，再报送。")
    if step.code == "approve" and not version.opinions.exists():
        raise Incomplete("还没有任何成员单位会签。收到会签意见后才能登记批准。")
    return version


@transaction.atomic
def give_opinion(*, plan_id: int, stance: str, text: str, by: Any, at: datetime) -> Opinion:
    """Record the answer of the person's member unit on the current version.

    Raises NotAllowed, WrongState outside 会签 or when the unit has answered, Incomplete when a
    refusal gives no reason.
    """
    plan = lock_plan(plan_id)
    permissions.check_right(by, "give_opinion", plan)
    if not permissions.can_give_opinion(by, plan):
        raise NotAllowed(permissions.WHO["give_opinion"])
    if plan.state != State.CO_SIGNING:
        raise WrongState(f"方案现在是“{plan.get_state_display()}”，不在会签阶段。")
    if stance != Opinion.Stance.AGREE and not text.strip():
        raise Incomplete("不同意或修改后同意的，请写明理由或修改要求。")
    version = plan.versions.get(pk=_current_version_id(plan))
    try:
        with transaction.atomic():
            opinion = Opinion.objects.create(
                version=version,
                unit=by.organization,
                stance=stance,
                text=text.strip(),
                by=by,
                at=at,
            )
    except IntegrityError as error:
        raise WrongState("本单位已经对这一版方案提交了会签意见。") from error
    record("会签", by=by, subject=plan, county=plan.county, stance=stance, version=version.number)
    return opinion


@transaction.atomic
def record_approval(
    *, plan_id: int, document_number: str, approved_on: date, by: Any, at: datetime, seen_state: str
) -> Approval:
    """Record the city government's approval and turn the plan's rows into tasks (五(二)).

    Raises NotAllowed, WrongState, and Incomplete for an approval dated in the future or before
    the submission.
    """
    plan = lock_plan(plan_id)
    step_on(plan, STEPS["approve"], by=by, at=at, seen_state=seen_state, note=document_number)
    if approved_on > timezone.localdate(at):
        raise Incomplete("批准日期不能晚于今天。")
    if plan.submitted_at is not None and approved_on < timezone.localdate(plan.submitted_at):
        raise Incomplete("批准日期不能早于方案报送的日期。")
    version = plan.versions.get(pk=_current_version_id(plan))
    approval = Approval.objects.create(
        plan=plan,
        version=version,
        document_number=document_number.strip(),
        approved_on=approved_on,
        by=by,
        at=at,
    )
    PlanTask.objects.bulk_create(
        PlanTask(
            plan=plan,
            mine_id=row.mine_id,
            kind=row.kind,
            due_on=row.due_on or plan.round.finish_due_on,
        )
        for row in version.dispositions.all()
    )
    return approval


def _current_version_id(plan: CountyPlan) -> int:
    current = plan.versions.values_list("pk", flat=True).first()
    if current is None:
        raise Incomplete("方案没有版本。")
    return int(current)


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
