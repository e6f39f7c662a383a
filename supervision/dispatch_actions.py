"""Send out what is to be done, sign for it, answer, and bring it to its end."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from shuozhou_mines.errors import Incomplete, NotAllowed, WrongState
from supervision.dispatch_models import (
    ORDER_STEPS,
    Dispatch,
    DispatchOrder,
    OrderState,
    answers_for_unit,
)
from supervision.inspection_models import Problem
from taskforce import permissions
from taskforce.models import Organization
from taskforce.trail import record

ONLY_OFFICE = "只有专班办公室可以下发和办结调度督办。"


@transaction.atomic
def issue_dispatch(
    *,
    title: str,
    text: str,
    due_on: date,
    units: Iterable[Organization],
    by: Any,
    at: datetime,
    problem: Problem | None = None,
) -> Dispatch:
    """Send an order to each unit (W-17). Raise NotAllowed, Incomplete without units or too late."""
    permissions.check_city(by, "hold_meeting", ONLY_OFFICE)
    to = list(units)
    if not to:
        raise Incomplete("请选择承办单位。")
    if due_on < timezone.localdate(at):
        raise Incomplete(f"办理时限 {due_on} 已经过去，请填今天或以后的日期。")
    dispatch = Dispatch.objects.create(
        title=title.strip(), text=text, due_on=due_on, issued_by=by, issued_at=at, problem=problem
    )
    DispatchOrder.objects.bulk_create(DispatchOrder(dispatch=dispatch, unit=unit) for unit in to)
    record("下发调度督办", by=by, subject=dispatch, units=[unit.short_name for unit in to])
    return dispatch


@transaction.atomic
def step_order(*, order_id: int, step: str, note: str, by: Any, at: datetime) -> DispatchOrder:
    """Bring one order a step on: receive, answer, return, close.

    Raise NotAllowed, WrongState when somebody was faster, Incomplete without words.
    """
    taken = ORDER_STEPS[step]
    order = (
        DispatchOrder.objects.select_for_update(of=("self",))
        .select_related("dispatch", "unit__county")
        .get(pk=order_id)
    )
    if taken.by_unit:
        if not answers_for_unit(by) or by.organization_id != order.unit_id:
            raise NotAllowed(f"只有{order.unit.short_name}的经办人可以{taken.label}。")
    else:
        permissions.check_city(by, "hold_meeting", ONLY_OFFICE)
    if order.state not in taken.from_states:
        raise WrongState(
            f"这件督办现在是“{order.get_state_display()}”，不能“{taken.label}”。请刷新页面。"
        )
    if taken.note_label and not note.strip():
        raise Incomplete(f"请写明{taken.note_label}。")
    order.state = taken.to_state
    if step == "receive":
        order.received_at, order.received_by = at, by
    elif step == "answer":
        order.feedback, order.answered_at = note.strip(), at
    elif step == "return":
        order.return_note = note.strip()
    order.closed_on = timezone.localdate(at) if order.state == OrderState.CLOSED else None
    order.save()
    record(f"督办{taken.label}", by=by, subject=order, county=order.unit.county, note=note.strip())
    return order
