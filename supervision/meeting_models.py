"""Hold meetings of the member units: agenda, who came, minutes, and what was decided."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q, UniqueConstraint

from supervision.dispatch_models import Dispatch
from supervision.inspection_models import Problem
from taskforce.models import Organization

PRESENCE = [("present", "出席"), ("observer", "列席"), ("excused", "请假")]


class Meeting(models.Model):
    """Hold one meeting of the member units (clause 六(四))."""

    class State(models.TextChoices):
        PREPARED = "prepared", "筹备"
        HELD = "held", "纪要已印发"

    title = models.CharField("名称", max_length=120)
    held_on = models.DateField("日期")
    place = models.CharField("地点", max_length=60, blank=True)
    chair = models.CharField("主持", max_length=60, blank=True)
    state = models.CharField("状态", max_length=10, choices=State, default="prepared")
    minutes = models.TextField("纪要", blank=True)
    number = models.PositiveSmallIntegerField("期号", null=True, blank=True)
    issued_on = models.DateField("印发日期", null=True, blank=True)
    pdf = models.FileField("PDF", upload_to="minutes/%Y/", max_length=200, blank=True)
    pdf_sha256 = models.CharField("PDF SHA-256", max_length=64, blank=True)

    class Meta:
        verbose_name = "会议"
        ordering: ClassVar = ["-held_on"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state="prepared")
                | Q(number__isnull=False, issued_on__isnull=False) & ~Q(minutes=""),
                name="meeting_minutes_have_number",
                violation_error_message="印发的纪要必须有正文、期号和日期。",
            ),
            UniqueConstraint(
                fields=["number"],
                name="meeting_number_once",
                violation_error_message="这个期号已经用过。",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def has_pdf(self) -> bool:
        """Tell whether the printed minutes are there to be read."""
        return bool(self.pdf.name) and self.pdf.storage.exists(self.pdf.name or "")


class AgendaItem(models.Model):
    """Hold one item of the agenda, typed or taken from an open problem."""

    meeting = models.ForeignKey(
        Meeting, verbose_name="会议", on_delete=models.CASCADE, related_name="agenda"
    )
    text = models.CharField("议题", max_length=200)
    problem = models.ForeignKey(
        Problem, verbose_name="督导问题", on_delete=models.PROTECT, null=True, blank=True
    )

    class Meta:
        verbose_name = "议题"
        ordering: ClassVar = ["meeting", "pk"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["meeting", "problem"],
                name="agenda_problem_once",
                violation_error_message="这个问题已经在议程里。",
            )
        ]

    def __str__(self) -> str:
        return self.text


class Attendee(models.Model):
    """Record who came for a unit, or that the unit was excused."""

    meeting = models.ForeignKey(
        Meeting, verbose_name="会议", on_delete=models.CASCADE, related_name="attendees"
    )
    unit = models.ForeignKey(Organization, verbose_name="单位", on_delete=models.PROTECT)
    name = models.CharField("姓名", max_length=30, blank=True)
    presence = models.CharField("到会", max_length=8, choices=PRESENCE)

    class Meta:
        verbose_name = "到会人员"
        ordering: ClassVar = ["meeting", "unit__order", "pk"]
        constraints: ClassVar = [
            UniqueConstraint(fields=["meeting", "unit", "name"], name="attendee_once")
        ]

    def __str__(self) -> str:
        return f"{self.unit.short_name} {self.name}".strip()


class Resolution(models.Model):
    """Hold one decision of a meeting with its owner and due day."""

    meeting = models.ForeignKey(
        Meeting, verbose_name="会议", on_delete=models.CASCADE, related_name="resolutions"
    )
    text = models.TextField("议定事项")
    owner = models.CharField("责任单位", max_length=60)
    unit = models.ForeignKey(
        Organization, verbose_name="承办单位", on_delete=models.PROTECT, null=True, blank=True
    )
    due_on = models.DateField("时限", null=True, blank=True)
    done_on = models.DateField("完成日期", null=True, blank=True)
    dispatch = models.OneToOneField(
        Dispatch, verbose_name="督办", on_delete=models.PROTECT, null=True, blank=True
    )

    class Meta:
        verbose_name = "议定事项"
        ordering: ClassVar = ["meeting", "pk"]

    def __str__(self) -> str:
        return self.text[:40]


def next_minutes_number() -> int:
    """Return the first number that no minutes bear yet."""
    highest: Any = Meeting.objects.aggregate(highest=models.Max("number"))["highest"]
    return (highest or 0) + 1
