"""Hold the proofs of plan tasks, one row for each item of the check-list that is done."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q, UniqueConstraint

from plans.models import PlanTask


class TaskProof(models.Model):
    """Hold the evidence that one item of a task's check-list is done (W-21)."""

    task = models.ForeignKey(
        PlanTask, verbose_name="任务", on_delete=models.CASCADE, related_name="proofs"
    )
    item = models.CharField("事项", max_length=20)
    done_on = models.DateField("完成日期")
    evidence = models.CharField("依据", max_length=200)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="登记人", on_delete=models.PROTECT
    )
    at = models.DateTimeField("登记时间")

    class Meta:
        verbose_name = "任务依据"
        ordering: ClassVar = ["task", "pk"]
        constraints: ClassVar = [
            UniqueConstraint(fields=["task", "item"], name="proof_once_per_item"),
            models.CheckConstraint(
                condition=~Q(evidence=""),
                name="proof_says_what",
                violation_error_message="请写明完成的依据。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.item}"
