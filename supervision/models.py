"""Hold what is reported and what is followed up: reports, visits, meetings, bulletins."""

from datetime import date
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q, UniqueConstraint
from django.utils import timezone

from publicity.editions import PublicChange
from standards.terms import Disposition
from supervision.dispatch_models import Dispatch as Dispatch
from supervision.dispatch_models import DispatchOrder as DispatchOrder
from supervision.inspection_models import Inspection as Inspection
from supervision.inspection_models import InspectionTeam as InspectionTeam
from supervision.inspection_models import Photo as Photo
from supervision.inspection_models import Problem as Problem
from supervision.inspection_models import ProblemEvent as ProblemEvent
from supervision.inspection_models import TeamMember as TeamMember
from supervision.meeting_models import AgendaItem as AgendaItem
from supervision.meeting_models import Attendee as Attendee
from supervision.meeting_models import Meeting as Meeting
from supervision.meeting_models import Resolution as Resolution
from supervision.task_models import TaskProof as TaskProof
from taskforce.models import County
from taskforce.permissions import counties_where


def month_name(month: date) -> str:
    """Return a month as people write it: 2025年6月."""
    return f"{month.year}年{month.month}月"


class MonthlyReportQuerySet(models.QuerySet["MonthlyReport"]):
    """Find reports by who may see them."""

    def visible_to(self, user: Any) -> "MonthlyReportQuerySet":
        """Return a county's own reports, and others' once they have been submitted."""
        return self.filter(
            Q(county__in=counties_where(user, "draft_report"))
            | Q(county__in=counties_where(user, "sign_report"))
            | Q(county__in=counties_where(user, "see_reports"), state="submitted")
        )


class MonthlyReport(models.Model):
    """Hold one county's 月报 for one month (clause 六(四)); locked once submitted."""

    class State(models.TextChoices):
        OPEN = "open", "填报中"
        SUBMITTED = "submitted", "已报送"
        RETURNED = "returned", "退回修改"

    county = models.ForeignKey(
        County, verbose_name="县（市、区）", on_delete=models.PROTECT, related_name="reports"
    )
    month = models.DateField("报告月份")
    version = models.PositiveSmallIntegerField("版次", default=1)
    state = models.CharField("状态", max_length=10, choices=State, default=State.OPEN)
    due_on = models.DateField("报送截止")
    problems = models.TextField("存在问题", blank=True)
    next_steps = models.TextField("下步措施", blank=True)
    filled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="填报人",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="reports_filled",
    )
    times_saved = models.PositiveIntegerField("保存次数", default=0)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="签发人",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="reports_signed",
    )
    submitted_at = models.DateTimeField("报送时间", null=True, blank=True)
    first_submitted_at = models.DateTimeField("首次报送时间", null=True, blank=True)
    return_note = models.TextField("退回意见", blank=True)
    correction_note = models.CharField("更正说明", max_length=200, blank=True)

    objects = MonthlyReportQuerySet.as_manager()

    class Meta:
        verbose_name = "月报"
        ordering: ClassVar = ["-month", "county", "-version"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["county", "month", "version"],
                name="report_once_per_month",
                violation_error_message="这个月的月报已经建立。",
            ),
            models.CheckConstraint(
                condition=Q(month__day=1),
                name="report_month_is_first_day",
                violation_error_message="报告月份以当月 1 日表示。",
            ),
            models.CheckConstraint(
                condition=~Q(state="submitted")
                | Q(submitted_at__isnull=False, submitted_by__isnull=False),
                name="report_submitted_by_somebody",
                violation_error_message="已报送的月报必须有签发人和报送时间。",
            ),
            models.CheckConstraint(
                condition=Q(submitted_at__isnull=True) | Q(first_submitted_at__isnull=False),
                name="report_first_submission_kept",
                violation_error_message="已报送的月报必须保留首次报送时间。",
            ),
            models.CheckConstraint(
                condition=Q(version=1) | ~Q(correction_note=""),
                name="report_correction_says_why",
                violation_error_message="更正月报必须写明更正原因。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.county.name} {month_name(self.month)}月报"

    @property
    def is_locked(self) -> bool:
        """Tell whether the figures stand; only a returned or an open report may be changed."""
        return self.state == self.State.SUBMITTED

    @property
    def is_late(self) -> bool:
        """Tell whether the first submission came, or still has not come, after the due day."""
        first = self.first_submitted_at
        return (timezone.localdate(first) if first else timezone.localdate()) > self.due_on


class ReportRow(models.Model):
    """Hold one batch's figures in a monthly report."""

    report = models.ForeignKey(
        MonthlyReport, verbose_name="月报", on_delete=models.CASCADE, related_name="rows"
    )
    kind = models.CharField("处置方式", max_length=10, choices=Disposition.choices())
    task = models.PositiveSmallIntegerField("任务数", default=0)
    done = models.PositiveSmallIntegerField("累计完成数", default=0)
    done_this_month = models.PositiveSmallIntegerField("本月新增完成", default=0)
    under_way = models.PositiveSmallIntegerField("进行中", default=0)
    not_started = models.PositiveSmallIntegerField("未启动", default=0)
    sand_done = models.PositiveSmallIntegerField("其中砂石土类完成", default=0)
    note = models.CharField("说明", max_length=200, blank=True)

    class Meta:
        verbose_name = "月报行"
        ordering: ClassVar = ["report", "pk"]
        constraints: ClassVar = [
            UniqueConstraint(fields=["report", "kind"], name="report_row_once_per_batch"),
            models.CheckConstraint(
                condition=Q(done__lte=F("task")),
                name="report_done_within_task",
                violation_error_message="累计完成数不能大于任务数。",
            ),
            models.CheckConstraint(
                condition=Q(done_this_month__lte=F("done")),
                name="report_month_within_total",
                violation_error_message="本月新增完成不能大于累计完成数。",
            ),
            models.CheckConstraint(
                condition=Q(task=F("done") + F("under_way") + F("not_started")),
                name="report_parts_make_task",
                violation_error_message="累计完成、进行中、未启动三项之和应等于任务数。",
            ),
            models.CheckConstraint(
                condition=Q(sand_done__lte=F("done")),
                name="report_sand_within_done",
                violation_error_message="砂石土类完成数不能大于累计完成数。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.report} {self.get_kind_display()}"


ADDRESSEES = "各县（市、区）人民政府，专班各成员单位"
COPIES_TO = "市委、市政府有关领导"


class Bulletin(models.Model):
    """Hold one 季通报 (clause 六(四)): figures frozen, text edited, PDF made by a job.

    approved_content marks what the leader approved: whatever is changed after needs a new approval.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "草稿"
        ISSUED = "issued", "已印发"

    class Head(models.TextChoices):
        DOCUMENT = "document", "文件"
        BRIEF = "brief", "简报"

    year = models.PositiveSmallIntegerField("年")
    quarter = models.PositiveSmallIntegerField("季度")
    number = models.PositiveSmallIntegerField("期号", null=True, blank=True)
    title = models.CharField("标题", max_length=120)
    document_number = models.CharField("文号", max_length=60, blank=True)
    state = models.CharField("状态", max_length=8, choices=State, default=State.DRAFT)
    head = models.CharField("版头", max_length=8, choices=Head, default=Head.DOCUMENT)
    addressees = models.CharField("主送", max_length=200, default=ADDRESSEES)
    copies_to = models.CharField("抄送", max_length=200, blank=True, default=COPIES_TO)
    copies = models.PositiveSmallIntegerField("印数", null=True, blank=True)
    figures = models.JSONField("数据", default=dict)
    paragraphs = models.JSONField("段落", default=list)
    drafted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="拟稿人",
        on_delete=models.PROTECT,
        related_name="bulletins_drafted",
    )
    drafted_at = models.DateTimeField("拟稿时间")
    approver = models.CharField("签批人", max_length=40, blank=True)
    approved_on = models.DateField("签批日期", null=True, blank=True)
    approved_content = models.CharField("签批的内容", max_length=64, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="签批登记人",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="bulletins_approved",
    )
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="签发人",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="bulletins_issued",
    )
    issued_on = models.DateField("印发日期", null=True, blank=True)
    is_public = models.BooleanField("公开发布", default=True)
    pdf = models.FileField("PDF", upload_to="bulletins/%Y/", max_length=200, blank=True)
    pdf_sha256 = models.CharField("PDF SHA-256", max_length=64, blank=True)
    pdf_content = models.CharField("PDF 对应的内容", max_length=64, blank=True)

    class Meta:
        verbose_name = "季通报"
        triggers: ClassVar = [PublicChange()]
        ordering: ClassVar = ["-year", "-quarter"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["year", "quarter"],
                name="bulletin_once_per_quarter",
                violation_error_message="这个季度的通报已经建立。",
            ),
            UniqueConstraint(
                fields=["document_number"],
                condition=~Q(document_number=""),
                name="bulletin_document_number_once",
                violation_error_message="这个文号已经用过，请改用下一个号。",
            ),
            models.CheckConstraint(
                condition=Q(quarter__gte=1, quarter__lte=4), name="bulletin_quarter_1_to_4"
            ),
            models.CheckConstraint(
                condition=Q(approver="", approved_on__isnull=True, approved_by__isnull=True)
                & Q(approved_content="")
                | Q(approved_on__isnull=False, approved_by__isnull=False)
                & ~Q(approver="")
                & ~Q(approved_content=""),
                name="bulletin_approval_is_whole",
                violation_error_message="签批要有签批人、日期和登记人。",
            ),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(approved_on__isnull=False),
                name="bulletin_issued_after_approval",
                violation_error_message="没有领导签批的通报不能印发。",
            ),
            models.CheckConstraint(
                condition=Q(state="draft")
                | Q(issued_by__isnull=False, issued_on__isnull=False, number__isnull=False)
                & ~Q(document_number=""),
                name="bulletin_issued_by_somebody",
                violation_error_message="已印发的通报必须有签发人、印发日期、期号和文号。",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def has_pdf(self) -> bool:
        """Tell whether a printed file is there to be read."""
        return bool(self.pdf.name) and self.pdf.storage.exists(self.pdf.name or "")

    @property
    def period(self) -> str:
        """Return the quarter in words: 2025年第二季度."""
        return f"{self.year}年第{'一二三四'[self.quarter - 1]}季度"
