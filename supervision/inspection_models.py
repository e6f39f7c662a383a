"""Hold who visits whom, what was found there, and how each problem was brought to its end."""

from datetime import date
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q, UniqueConstraint
from django.utils import timezone

from mines.models import Mine
from supervision.inspection_steps import Conclusion, ProblemState, Severity
from taskforce.models import County, Organization
from taskforce.permissions import counties_where

PURPOSES = [("guide", "督导"), ("accept", "验收")]


class TeamQuerySet(models.QuerySet["InspectionTeam"]):
    """Find teams by day and by member."""

    def on(self, day: date) -> "TeamQuerySet":
        """Return the teams that are at work on this day."""
        return self.filter(starts_on__lte=day, ends_on__gte=day)

    def with_member(self, user: Any) -> "TeamQuerySet":
        """Return the teams in which this person takes part."""
        return self.filter(members__user=user.pk).distinct()


class InspectionTeam(models.Model):
    """Name one 督导、验收组, drawn from the city's units for a period (clause 六(四))."""

    name = models.CharField("名称", max_length=40)
    starts_on = models.DateField("起")
    ends_on = models.DateField("止")

    objects = TeamQuerySet.as_manager()

    class Meta:
        verbose_name = "督导验收组"
        ordering: ClassVar = ["-starts_on", "name", "pk"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["name", "starts_on"],
                name="team_once_for_period",
                violation_error_message="这一天起已经有同名的组。",
            ),
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")),
                name="team_ends_after_start",
                violation_error_message="截止日期不能早于起始日期。",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def is_at_work(self, day: date) -> bool:
        """Tell whether the day lies in the team's period."""
        return self.starts_on <= day <= self.ends_on


class TeamMember(models.Model):
    """Name one member with the unit the person comes from; an account lets them record."""

    team = models.ForeignKey(
        InspectionTeam, verbose_name="组", on_delete=models.CASCADE, related_name="members"
    )
    name = models.CharField("姓名", max_length=30)
    home_unit = models.ForeignKey(
        Organization, verbose_name="抽调单位", on_delete=models.PROTECT, null=True, blank=True
    )
    is_leader = models.BooleanField("组长", default=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="账号",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
    )

    class Meta:
        verbose_name = "组员"
        ordering: ClassVar = ["team", "-is_leader", "pk"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["team", "user"],
                condition=Q(user__isnull=False),
                name="member_once_in_team",
                violation_error_message="这个账号已经在本组里。",
            )
        ]

    def __str__(self) -> str:
        return self.name


class InspectionQuerySet(models.QuerySet["Inspection"]):
    """Find visits by who may see them."""

    def visible_to(self, user: Any) -> "InspectionQuerySet":
        """Return the visits in counties that this user inspects or whose reports they read."""
        return self.filter(
            Q(county__in=counties_where(user, "inspect"))
            | Q(county__in=counties_where(user, "see_reports"))
        )


class Inspection(models.Model):
    """Hold one visit of a 督导、验收组 to a county or a mine (clause 六(四)).

    draft_key is made by the page, so that a record sent twice from a weak line is one visit.
    """

    county = models.ForeignKey(County, verbose_name="县（市、区）", on_delete=models.PROTECT)
    mine = models.ForeignKey(
        Mine, verbose_name="矿山", on_delete=models.PROTECT, null=True, blank=True
    )
    team = models.ForeignKey(
        InspectionTeam,
        verbose_name="督导验收组",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="visits",
    )
    purpose = models.CharField("类别", max_length=10, choices=PURPOSES)
    visited_on = models.DateField("日期")
    place = models.CharField("地点", max_length=80, blank=True)
    conclusion = models.TextField("情况", blank=True)
    acceptance = models.CharField(
        "验收结论", max_length=10, choices=Conclusion.choices(), blank=True
    )
    latitude = models.DecimalField("纬度", max_digits=9, decimal_places=6, null=True, blank=True)
    longitude = models.DecimalField("经度", max_digits=9, decimal_places=6, null=True, blank=True)
    accuracy_m = models.PositiveIntegerField("定位误差", null=True, blank=True)
    draft_key = models.UUIDField("记录编号", unique=True, null=True, editable=False)
    recorded_at = models.DateTimeField("记录时间", default=timezone.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="记录人", on_delete=models.PROTECT
    )

    objects = InspectionQuerySet.as_manager()

    class Meta:
        verbose_name = "督导验收"
        ordering: ClassVar = ["-visited_on", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(acceptance="") | Q(purpose="accept", mine__isnull=False),
                name="inspection_accepts_a_mine",
                violation_error_message="验收结论只记在对某座矿山的验收里。",
            ),
            models.CheckConstraint(
                condition=Q(latitude__isnull=True, longitude__isnull=True, accuracy_m__isnull=True)
                | Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
                name="inspection_position_is_whole",
                violation_error_message="位置要有纬度和经度。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.visited_on} {self.county} {self.get_purpose_display()}"


class ProblemQuerySet(models.QuerySet["Problem"]):
    """Find problems by who may see them and by whether they are late."""

    def visible_to(self, user: Any) -> "ProblemQuerySet":
        """Return the problems of the visits that this user may see."""
        return self.filter(inspection__in=Inspection.objects.visible_to(user))

    def still_open(self) -> "ProblemQuerySet":
        """Return what has not been closed."""
        return self.exclude(state=ProblemState.CLOSED)

    def overdue(self, day: date) -> "ProblemQuerySet":
        """Return what is not closed although its day has passed."""
        return self.still_open().filter(due_on__lt=day)


class Problem(models.Model):
    """Hold one problem found on a visit, until it is closed (销号)."""

    inspection = models.ForeignKey(
        Inspection, verbose_name="督导", on_delete=models.CASCADE, related_name="problems"
    )
    text = models.TextField("问题")
    clause = models.CharField("条款", max_length=30, blank=True)
    severity = models.CharField("程度", max_length=8, choices=Severity.choices(), default="light")
    measure = models.TextField("整改措施", blank=True)
    responsible_unit = models.CharField("责任单位", max_length=60, blank=True)
    due_on = models.DateField("整改时限", null=True, blank=True)
    state = models.CharField("状态", max_length=10, choices=ProblemState.choices(), default="open")
    closed_on = models.DateField("销号日期", null=True, blank=True)
    closing_note = models.TextField("销号依据", blank=True)

    objects = ProblemQuerySet.as_manager()

    class Meta:
        verbose_name = "问题"
        ordering: ClassVar = ["due_on", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(closed_on__isnull=True) | ~Q(closing_note=""),
                name="problem_closed_with_note",
                violation_error_message="销号必须写明依据。",
            ),
            models.CheckConstraint(
                condition=Q(state="closed", closed_on__isnull=False)
                | ~Q(state="closed") & Q(closed_on__isnull=True),
                name="problem_closed_on_a_day",
                violation_error_message="已销号的问题必须有销号日期，未销号的不能有。",
            ),
        ]

    def __str__(self) -> str:
        return self.text[:40]

    def is_overdue(self, day: date) -> bool:
        """Tell whether the day has passed and the problem is still not closed."""
        return self.state != ProblemState.CLOSED and self.due_on is not None and self.due_on < day


class ProblemEvent(models.Model):
    """Hold one step in the life of a problem, with the words of who took it."""

    problem = models.ForeignKey(
        Problem, verbose_name="问题", on_delete=models.CASCADE, related_name="events"
    )
    step = models.CharField("步骤", max_length=10)
    note = models.TextField("说明")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="办理人", on_delete=models.PROTECT
    )
    at = models.DateTimeField("时间")

    class Meta:
        verbose_name = "问题办理"
        ordering: ClassVar = ["problem", "-pk"]

    def __str__(self) -> str:
        return f"{self.problem} {self.step}"


class Photo(models.Model):
    """Hold one photo of a visit, or of a step in a problem's life; named by the server."""

    inspection = models.ForeignKey(
        Inspection, verbose_name="督导", on_delete=models.CASCADE, related_name="photos"
    )
    event = models.ForeignKey(
        ProblemEvent,
        verbose_name="问题办理",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="photos",
    )
    file = models.FileField("文件", max_length=200)
    kind = models.CharField("格式", max_length=4, choices=[("jpg", "JPEG"), ("png", "PNG")])
    sha256 = models.CharField("SHA-256", max_length=64)
    taken_at = models.DateTimeField("拍摄时间", null=True, blank=True)
    added_at = models.DateTimeField("时间")
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="上传人", on_delete=models.PROTECT
    )

    class Meta:
        verbose_name = "照片"
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["inspection", "event", "sha256"],
                name="photo_once",
                nulls_distinct=False,
                violation_error_message="这张照片已经在这条记录里。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.inspection} 照片{self.pk}"
