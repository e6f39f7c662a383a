"""Hold county plans, their versions and rows, and the hands they pass.

The checks run on them stand in plans/check_models.py, the reviews in plans/review_models.py, the
panels of experts in plans/expert_models.py.
"""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.gis.db import models
from django.db.models import Q, UniqueConstraint
from django.utils import timezone

from mines.models import CGCS2000, Mine, Mineral
from plans.attachment_models import Attachment as Attachment
from plans.check_models import CheckRun as CheckRun
from plans.check_models import Finding as Finding
from plans.check_models import Ruling as Ruling
from plans.check_models import RulingRequest as RulingRequest
from plans.comment_models import Comment as Comment
from plans.expert_models import Expert as Expert
from plans.expert_models import ExpertRemark as ExpertRemark
from plans.expert_models import Panel as Panel
from plans.expert_models import PanelMember as PanelMember
from plans.expert_models import PlanGrant as PlanGrant
from plans.expert_models import RevisionItem as RevisionItem
from plans.planner_models import PlannerCluster as PlannerCluster
from plans.planner_models import PlannerLone as PlannerLone
from plans.planner_models import PlannerProposal as PlannerProposal
from plans.planner_models import PlannerRun as PlannerRun
from plans.review_models import Approval as Approval
from plans.review_models import Dossier as Dossier
from plans.review_models import FormalReview as FormalReview
from plans.review_models import OfficialDocument as OfficialDocument
from plans.review_models import Opinion as Opinion
from plans.review_models import PassedOver as PassedOver
from plans.site_check_models import SiteCheck as SiteCheck
from plans.workflow import REVIEW_AS_EXPERT, UNDER_WAY, State
from standards.terms import Disposition as DispositionKind
from standards.terms import GrantWay, Method, ScaleUnit
from taskforce.models import County
from taskforce.permissions import counties_where


class Round(models.Model):
    """Hold one round of 整治整合 with its two deadlines (clauses 五(一), 五(二))."""

    name = models.CharField("名称", max_length=60, unique=True)
    compile_due_on = models.DateField("方案编制截止")
    finish_due_on = models.DateField("实施截止")
    is_open = models.BooleanField("进行中", default=True)

    class Meta:
        verbose_name = "轮次"
        ordering: ClassVar = ["-compile_due_on"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["is_open"],
                condition=Q(is_open=True),
                name="round_one_open",
                violation_error_message="同时只能有一个进行中的轮次。",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Target(models.Model):
    """Hold the province's task for one county and batch (part 二)."""

    county = models.ForeignKey(
        County, verbose_name="县（市、区）", on_delete=models.PROTECT, related_name="targets"
    )
    kind = models.CharField("处置方式", max_length=10, choices=DispositionKind.choices())
    number = models.PositiveSmallIntegerField("任务数")
    document_number = models.CharField("文号", max_length=60)
    valid_from = models.DateField("生效日期")
    is_demo = models.BooleanField("示例", default=False)

    class Meta:
        verbose_name = "省定任务"
        # The table was made by the part that first counted against the tasks.
        db_table = "supervision_target"
        ordering: ClassVar = ["county", "kind", "-valid_from"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["county", "kind", "valid_from"],
                name="target_once_per_day",
                violation_error_message="这一天已经有一条同类任务。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.county} {self.get_kind_display()} {self.number}"


class CountyPlanQuerySet(models.QuerySet["CountyPlan"]):
    """Find plans by who may see them."""

    def visible_to(self, user: Any) -> "CountyPlanQuerySet":
        """Return a county's own plans, others once submitted, and what an expert is invited to."""
        invited = PlanGrant.objects.in_force(user, at=timezone.now()).values("content_object")
        return self.filter(
            Q(county__in=counties_where(user, "see_drafts"))
            | Q(county__in=counties_where(user, "see_plans"), submitted_at__isnull=False)
            | Q(pk__in=invited)
        )


class CountyPlan(models.Model):
    """Hold one county's 整治整合实施方案 of a round; its state is in this one column."""

    round = models.ForeignKey(Round, verbose_name="轮次", on_delete=models.PROTECT)
    county = models.ForeignKey(
        County, verbose_name="县（市、区）", on_delete=models.PROTECT, related_name="plans"
    )
    state = models.CharField("状态", max_length=16, choices=State.choices(), default=State.DRAFT)
    submitted_at = models.DateTimeField("首次报送时间", null=True, blank=True)
    opened_at = models.DateTimeField("建立时间", default=timezone.now)
    edition = models.PositiveSmallIntegerField("第几次", default=1)
    adjusts = models.OneToOneField(
        "self",
        verbose_name="所调整的方案",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="adjusted_by",
    )
    adjusts_why = models.TextField("调整理由", blank=True)

    objects = CountyPlanQuerySet.as_manager()

    class Meta:
        verbose_name = "县级方案"
        ordering: ClassVar = ["-round", "county", "edition"]
        permissions: ClassVar = [(REVIEW_AS_EXPERT, "评审方案")]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["round", "county", "edition"],
                name="plan_one_per_county_and_round",
                violation_error_message="这个县（市、区）在本轮已经有方案。",
            ),
            UniqueConstraint(
                fields=["round", "county"],
                condition=Q(state__in=UNDER_WAY),
                name="plan_one_under_way",
                violation_error_message="这个县（市、区）在本轮已有办理中的方案或调整。",
            ),
            models.CheckConstraint(
                condition=Q(edition=1, adjusts__isnull=True)
                | Q(edition__gt=1, adjusts__isnull=False) & ~Q(adjusts_why=""),
                name="plan_adjusts_an_earlier_one",
                violation_error_message="调整方案必须指明所调整的方案和理由。",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[State.DRAFT, State.COUNTY_REVIEW])
                | Q(submitted_at__isnull=False),
                name="plan_submitted_when_beyond_draft",
                violation_error_message="已报送的方案必须有报送时间。",
            ),
        ]

    def __str__(self) -> str:
        adjusted = f"第{self.edition - 1}次调整" if self.edition > 1 else ""
        return f"{self.county.name}非煤矿山整治整合实施方案{adjusted}（{self.round}）"


class PlanVersion(models.Model):
    """Hold one upload of a plan: its file by hash, what was wrong in it, and its rows.

    A version never changes once read; a correction is the next version.
    """

    class State(models.TextChoices):
        RECEIVED = "received", "已接收"
        REFUSED = "refused", "有错误"
        READ = "read", "已读入"

    plan = models.ForeignKey(
        CountyPlan, verbose_name="方案", on_delete=models.PROTECT, related_name="versions"
    )
    number = models.PositiveSmallIntegerField("版本号")
    state = models.CharField("状态", max_length=10, choices=State, default=State.RECEIVED)
    file = models.FileField("文件", upload_to="plans/%Y/%m/", max_length=200)
    marked = models.FileField("标注后的文件", max_length=200, blank=True)
    file_name = models.CharField("文件名", max_length=200)
    sha256 = models.CharField("SHA-256", max_length=64)
    uploaded_at = models.DateTimeField("上传时间", default=timezone.now)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="上传人", on_delete=models.PROTECT
    )
    problems = models.JSONField("问题", default=list, blank=True)
    sheets = models.JSONField("其他附表", default=dict, blank=True)

    class Meta:
        verbose_name = "方案版本"
        ordering: ClassVar = ["plan", "-number"]
        constraints: ClassVar = [
            UniqueConstraint(fields=["plan", "number"], name="version_number_once_per_plan"),
        ]

    def __str__(self) -> str:
        return f"{self.plan} 第{self.number}版"

    @property
    def errors(self) -> list[dict[str, Any]]:
        """Return the problems that keep the version from being read."""
        return [problem for problem in self.problems if problem["severity"] == "error"]


class MergedArea(models.Model):
    """Hold one 整合区 of a version: which right shall exist after the merger."""

    version = models.ForeignKey(
        PlanVersion, verbose_name="版本", on_delete=models.CASCADE, related_name="areas"
    )
    code = models.CharField("整合区编号", max_length=20)
    name = models.CharField("整合后矿山名称", max_length=80)
    lead_enterprise = models.CharField("整合主体", max_length=80, blank=True)
    mineral = models.ForeignKey(
        Mineral, verbose_name="开采矿种", on_delete=models.PROTECT, null=True, blank=True
    )
    method = models.CharField("开采方式", max_length=12, choices=Method.choices(), blank=True)
    scale = models.DecimalField(
        "初定生产规模", max_digits=10, decimal_places=3, null=True, blank=True
    )
    scale_unit = models.CharField("单位", max_length=8, choices=ScaleUnit.choices(), blank=True)
    density = models.DecimalField("体重", max_digits=5, decimal_places=3, null=True, blank=True)
    systems = models.JSONField("独立生产系统", default=list, blank=True)
    stocks = models.JSONField("资源储量", default=dict, blank=True)
    recoverable = models.DecimalField(
        "可采储量（万吨）", max_digits=14, decimal_places=4, null=True, blank=True
    )
    service_life_years = models.DecimalField(
        "服务年限（年）", max_digits=6, decimal_places=2, null=True, blank=True
    )
    life_includes_construction = models.BooleanField("服务年限含基建期", null=True, blank=True)
    construction_years = models.DecimalField(
        "基建期（年）", max_digits=5, decimal_places=2, null=True, blank=True
    )
    elevation_top_m = models.DecimalField(
        "标高上限（m）", max_digits=7, decimal_places=2, null=True, blank=True
    )
    elevation_bottom_m = models.DecimalField(
        "标高下限（m）", max_digits=7, decimal_places=2, null=True, blank=True
    )
    declared_area_km2 = models.DecimalField(
        "整合后面积（km²）", max_digits=9, decimal_places=4, null=True, blank=True
    )
    outline = models.MultiPolygonField("范围", srid=CGCS2000, null=True, blank=True)
    area_km2 = models.DecimalField(
        "计算面积（km²）", max_digits=9, decimal_places=4, null=True, blank=True
    )
    extra_kinds = models.JSONField("新增资源类型", default=list, blank=True)
    grant_way = models.CharField("出让方式", max_length=12, choices=GrantWay.choices(), blank=True)
    extra_reason = models.TextField("新增依据", blank=True)
    is_on_ridge = models.BooleanField("以山脊划界", null=True, blank=True)
    is_new_right = models.BooleanField("按新设采矿权", null=True, blank=True)
    responsible = models.CharField("责任领导", max_length=40, blank=True)
    due_on = models.DateField("完成时限", null=True, blank=True)
    remarks = models.TextField("备注", blank=True)

    class Meta:
        verbose_name = "整合区"
        ordering: ClassVar = ["version", "code"]
        constraints: ClassVar = [
            UniqueConstraint(fields=["version", "code"], name="area_code_once_per_version"),
            models.CheckConstraint(
                condition=Q(outline__isnull=True) | Q(outline__isvalid=True),
                name="area_outline_is_valid",
                violation_error_message="整合区范围自相交或不闭合，请检查拐点次序。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Disposition(models.Model):
    """Hold what a version intends for one mine; a mine occurs once in a version."""

    version = models.ForeignKey(
        PlanVersion, verbose_name="版本", on_delete=models.CASCADE, related_name="dispositions"
    )
    mine = models.ForeignKey(
        Mine, verbose_name="矿山", on_delete=models.PROTECT, related_name="dispositions"
    )
    kind = models.CharField("处置方式", max_length=10, choices=DispositionKind.choices())
    reason = models.TextField("处置理由", blank=True)
    area = models.ForeignKey(
        MergedArea,
        verbose_name="整合区",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="members",
    )
    due_on = models.DateField("完成时限", null=True, blank=True)
    responsible_unit = models.CharField("责任单位", max_length=60, blank=True)
    responsible = models.CharField("责任人", max_length=40, blank=True)
    remarks = models.TextField("备注", blank=True)

    class Meta:
        verbose_name = "处置"
        ordering: ClassVar = ["version", "mine"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["version", "mine"],
                name="disposition_mine_once_per_version",
                violation_error_message="同一矿山在方案里只能有一种处置方式。",
            ),
            models.CheckConstraint(
                condition=Q(kind=DispositionKind.MERGE) | Q(area__isnull=True),
                name="disposition_area_only_for_merger",
                violation_error_message="只有整合重组的矿山才填整合区编号。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mine} {self.get_kind_display()}"


class StepTaken(models.Model):
    """Record one step of a plan's way: from where to where, by whom, when, with which note."""

    plan = models.ForeignKey(
        CountyPlan, verbose_name="方案", on_delete=models.PROTECT, related_name="steps"
    )
    version = models.ForeignKey(
        PlanVersion, verbose_name="版本", on_delete=models.PROTECT, null=True, blank=True
    )
    step = models.CharField("步骤", max_length=20)
    from_state = models.CharField("原状态", max_length=16, choices=State.choices())
    to_state = models.CharField("新状态", max_length=16, choices=State.choices())
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="经办人", on_delete=models.PROTECT
    )
    at = models.DateTimeField("时间")
    due_on = models.DateField("本环节时限", null=True, blank=True)
    note = models.TextField("意见", blank=True)

    class Meta:
        verbose_name = "办理记录"
        ordering: ClassVar = ["plan", "pk"]

    def __str__(self) -> str:
        return f"{self.plan} {self.step}"


class PlanTask(models.Model):
    """Hold one milestone of an approved plan for one mine (clause 五(二))."""

    plan = models.ForeignKey(
        CountyPlan, verbose_name="方案", on_delete=models.PROTECT, related_name="tasks"
    )
    mine = models.ForeignKey(Mine, verbose_name="矿山", on_delete=models.PROTECT)
    kind = models.CharField("处置方式", max_length=10, choices=DispositionKind.choices())
    due_on = models.DateField("完成时限")
    done_on = models.DateField("完成日期", null=True, blank=True)
    evidence = models.CharField("完成依据", max_length=200, blank=True)

    class Meta:
        verbose_name = "任务"
        ordering: ClassVar = ["plan", "due_on", "mine"]
        constraints: ClassVar = [
            UniqueConstraint(fields=["plan", "mine"], name="task_once_per_mine"),
            models.CheckConstraint(
                condition=Q(done_on__isnull=True) | ~Q(evidence=""),
                name="task_done_with_evidence",
                violation_error_message="任务完成必须写明依据。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mine} {self.get_kind_display()}"

    @property
    def is_late(self) -> bool:
        """Tell whether the milestone was reached after its day."""
        return self.done_on is not None and self.done_on > self.due_on
