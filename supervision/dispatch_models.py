"""Hold what the office sends out to be done: a 调度督办 and its orders to units and counties."""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q, UniqueConstraint

from standards.terms import Term
from supervision.inspection_models import Problem
from taskforce import permissions
from taskforce.models import Organization


class OrderState(Term):
    """Where an order to one unit stands."""

    SENT = "sent", "待签收"
    RECEIVED = "received", "办理中"
    ANSWERED = "answered", "已反馈"
    CLOSED = "closed", "办结"


@dataclass(frozen=True, slots=True)
class OrderStep:
    """Describe one step with an order; `by_unit` tells whose it is: the unit's or the office's."""

    code: str
    label: str
    from_states: tuple[OrderState, ...]
    to_state: OrderState
    by_unit: bool
    note_label: str = ""
    kind: str = "primary"


_S = OrderState
ORDER_STEPS: dict[str, OrderStep] = {
    step.code: step
    for step in (
        OrderStep("receive", "签收", (_S.SENT,), _S.RECEIVED, by_unit=True),
        OrderStep("answer", "反馈", (_S.RECEIVED,), _S.ANSWERED, by_unit=True,
                  note_label="办理情况"),
        OrderStep("return", "退回再办", (_S.ANSWERED,), _S.RECEIVED, by_unit=False,
                  note_label="还要办什么", kind="danger"),
        OrderStep("close", "办结", (_S.ANSWERED,), _S.CLOSED, by_unit=False),
    )
}  # fmt: skip


class Dispatch(models.Model):
    """Hold one 调度督办: what is to be done and by when (clause 六(一))."""

    title = models.CharField("事项", max_length=80)
    text = models.TextField("要求")
    due_on = models.DateField("办理时限")
    problem = models.ForeignKey(
        Problem, verbose_name="督导问题", on_delete=models.PROTECT, null=True, blank=True
    )
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="下发人", on_delete=models.PROTECT
    )
    issued_at = models.DateTimeField("下发时间")

    class Meta:
        verbose_name = "调度督办"
        ordering: ClassVar = ["-issued_at", "-pk"]

    def __str__(self) -> str:
        return self.title


class OrderQuerySet(models.QuerySet["DispatchOrder"]):
    """Find orders by who may see them and by whether they are late."""

    def visible_to(self, user: Any) -> "OrderQuerySet":
        """Return all orders to the city's people, their own unit's to everybody else."""
        if permissions.can_city(user, "hold_meeting") or permissions.can_city(user, "see_city"):
            return self
        return self.for_unit_of(user)

    def for_unit_of(self, user: Any) -> "OrderQuerySet":
        """Return the orders that this user's unit has to carry out, if they answer for it."""
        return self.filter(unit=user.organization_id) if answers_for_unit(user) else self.none()

    def overdue(self, day: Any) -> "OrderQuerySet":
        """Return what has not been answered although its day has passed."""
        return self.filter(state__in=("sent", "received"), dispatch__due_on__lt=day)


def answers_for_unit(user: Any) -> bool:
    """Tell whether this user signs for and answers the orders to their unit."""
    return user.organization_id is not None and any(
        permissions.can_anywhere(user, right)
        for right in ("give_opinion", "draft_report", "sign_report")
    )


class DispatchOrder(models.Model):
    """Hold one unit's part in a dispatch: receipt, feedback, end."""

    dispatch = models.ForeignKey(
        Dispatch, verbose_name="调度督办", on_delete=models.CASCADE, related_name="orders"
    )
    unit = models.ForeignKey(Organization, verbose_name="承办单位", on_delete=models.PROTECT)
    state = models.CharField("状态", max_length=10, choices=OrderState.choices(), default="sent")
    received_at = models.DateTimeField("签收时间", null=True, blank=True)
    received_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="签收人",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="orders_received",
    )
    feedback = models.TextField("反馈", blank=True)
    answered_at = models.DateTimeField("反馈时间", null=True, blank=True)
    return_note = models.TextField("退回意见", blank=True)
    closed_on = models.DateField("办结日期", null=True, blank=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = "督办承办"
        ordering: ClassVar = ["dispatch", "unit__order"]
        constraints: ClassVar = [
            UniqueConstraint(fields=["dispatch", "unit"], name="order_once_per_unit"),
            models.CheckConstraint(
                condition=Q(state="sent") | Q(received_at__isnull=False),
                name="order_received_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("answered", "closed")) | ~Q(feedback=""),
                name="order_answered_in_words",
                violation_error_message="反馈必须写明办理情况。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dispatch} {self.unit.short_name}"
