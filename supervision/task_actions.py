"""Change plan tasks: prove an item, complete the task, take a completion back."""

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from plans.models import PlanTask
from shuozhou_mines.errors import Incomplete, WrongState
from supervision.inspection_models import Inspection
from supervision.inspection_steps import Conclusion
from supervision.task_checks import ACCEPTED, checks_of
from supervision.task_models import TaskProof
from taskforce import permissions
from taskforce.trail import record


@transaction.atomic
def prove_item(
    *, task_id: int, item: str, done_on: date, evidence: str, by: Any, at: datetime
) -> TaskProof:
    """Record the evidence of one item; recording again replaces it.

    Raise NotAllowed, WrongState when the task is done, Incomplete for an unknown item, a day to
    come or no evidence.
    """
    task = _locked(task_id)
    _check_county(task, by)
    if task.done_on is not None:
        raise WrongState(f"{task}已登记完成，依据不能再改。要改的，请专班办公室先撤回。")
    known = {check.code: check.label for check in checks_of(task.kind)}
    if item not in known or item == ACCEPTED:
        raise Incomplete("这项任务没有这一条，或这一条由验收结论带出。请刷新页面。")
    if done_on > timezone.localdate(at):
        raise Incomplete(f"完成日期 {done_on} 还没有到，请在完成以后登记。")
    if not evidence.strip():
        raise Incomplete(f"请写明“{known[item]}”的依据。")
    proof, _ = TaskProof.objects.update_or_create(
        task=task,
        item=item,
        defaults={"done_on": done_on, "evidence": evidence.strip(), "by": by, "at": at},
    )
    record("任务依据登记", by=by, subject=task, county=task.plan.county, item=item)
    return proof


@transaction.atomic
def complete_task(*, task_id: int, by: Any) -> PlanTask:
    """Complete a task whose check-list is proven; its day is that of the last proof (W-10).

    Raise NotAllowed, WrongState when it is done, Incomplete with the items that are missing.
    """
    task = _locked(task_id)
    _check_county(task, by)
    if task.done_on is not None:
        raise WrongState(f"{task}已在 {task.done_on} 登记完成。")
    days = proven_on(task)
    missing = [check.label for check in checks_of(task.kind) if check.code not in days]
    if missing:
        raise Incomplete(f"还缺 {len(missing)} 项依据：{'；'.join(missing)}。")
    task.done_on = max(days.values())
    task.evidence = f"{len(days)} 项依据齐全，验收于 {days[ACCEPTED]} 通过"
    task.save(update_fields=["done_on", "evidence"])
    record("任务完成", by=by, subject=task, county=task.plan.county, done_on=str(task.done_on))
    return task


@transaction.atomic
def reopen_task(*, task_id: int, note: str, by: Any) -> PlanTask:
    """Take a completion back with a reason. Raise NotAllowed, WrongState, Incomplete."""
    task = _locked(task_id)
    permissions.check(
        by, "review_report", task.plan.county_id, "只有专班办公室可以撤回任务的完成登记。"
    )
    if task.done_on is None:
        raise WrongState(f"{task}还没有登记完成，不用撤回。")
    if not note.strip():
        raise Incomplete("请写明撤回的原因。")
    task.done_on, task.evidence = None, ""
    task.save(update_fields=["done_on", "evidence"])
    record("任务完成撤回", by=by, subject=task, county=task.plan.county, reason=note.strip())
    return task


def proven_on(task: PlanTask) -> dict[str, date]:
    """Return the days on which the items were done, by item."""
    days = {proof.item: proof.done_on for proof in task.proofs.all()}
    newest = Inspection.objects.filter(purpose="accept", mine=task.mine_id).first()
    if newest is not None and newest.acceptance == Conclusion.PASSED:
        days[ACCEPTED] = newest.visited_on
    return days


def _locked(task_id: int) -> PlanTask:
    return (
        PlanTask.objects.select_for_update(of=("self",))
        .select_related("plan__county", "mine")
        .get(pk=task_id)
    )


def _check_county(task: PlanTask, by: Any) -> None:
    county = task.plan.county
    permissions.check(by, "draft_report", county.code, f"只有{county.name}的填报员可以登记任务。")
