"""Hold what the planner proposed: runs, clusters of mines, and the proposals for each cluster."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q, UniqueConstraint

from mines.models import Mine
from shuozhou_mines.models import Job
from standards.terms import Disposition
from taskforce.models import County
from taskforce.permissions import codes_where


def planning_counties(user: Any) -> list[str]:
    """Return the counties whose proposals this user may see: one's own, or all for the office."""
    own, all_of_them = codes_where(user, "see_drafts"), codes_where(user, "review_plan")
    return sorted({*own, *all_of_them})


class PlannerRunQuerySet(models.QuerySet["PlannerRun"]):
    """Find runs by what they cover."""

    def covering(self, county_code: str) -> "PlannerRunQuerySet":
        """Return the runs over a county, its own and those over all counties, newest first."""
        return self.filter(Q(county=county_code) | Q(county__isnull=True)).order_by("-pk")


class PlannerRun(models.Model):
    """Hold one search over the registry of a county, or of all counties (None)."""

    county = models.ForeignKey(
        County, verbose_name="县（市、区）", on_delete=models.PROTECT, null=True, blank=True,
        related_name="+",
    )  # fmt: skip
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="提交人", on_delete=models.PROTECT, related_name="+"
    )
    started_at = models.DateTimeField("开始时间")
    finished_at = models.DateTimeField("完成时间", null=True, blank=True)
    planned_on = models.DateField("按哪一天的标准")
    rulebook_version = models.CharField("标准库版本", max_length=40)
    figures = models.JSONField("统计", default=dict)
    job = models.OneToOneField(
        Job, verbose_name="任务", on_delete=models.SET_NULL, null=True, related_name="planner_run"
    )

    objects = PlannerRunQuerySet.as_manager()

    class Meta:
        verbose_name = "整合规划"
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"{self.county.name if self.county else '全市'}整合规划 {self.started_at:%Y-%m-%d}"


class PlannerCluster(models.Model):
    """Hold mines of one county that lie near each other, with the figures of the best proposal.

    `failing` mines miss the thresholds today; `saved` of them would be in a right that meets them.
    """

    run = models.ForeignKey(
        PlannerRun, verbose_name="规划", on_delete=models.CASCADE, related_name="clusters"
    )
    county = models.ForeignKey(
        County, verbose_name="县（市、区）", on_delete=models.PROTECT, related_name="+"
    )
    number = models.PositiveIntegerField("序号")
    name = models.CharField("名称", max_length=120)
    mine_ids = models.JSONField("矿山")
    mines = models.PositiveIntegerField("矿山数")
    failing = models.PositiveIntegerField("现不达标")
    saved = models.PositiveIntegerField("可达标")
    is_exact = models.BooleanField("穷尽比较")

    class Meta:
        verbose_name = "成片矿山"
        ordering: ClassVar = ["run", "county", "number"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["run", "county", "number"],
                name="planner_cluster_number_once",
                violation_error_message="同一次规划里序号不能重复。",
            ),
            models.CheckConstraint(
                condition=Q(saved__lte=F("failing")) & Q(failing__lte=F("mines")),
                name="planner_cluster_adds_up",
                violation_error_message="可达标的矿山不能多于现不达标的矿山。",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def hopeless(self) -> int:
        """Return how many mines would still miss the thresholds by the best proposal."""
        return self.failing - self.saved


class PlannerProposal(models.Model):
    """Hold one way to treat a cluster; `parts` are rows of `planner_rows.PartRow`."""

    cluster = models.ForeignKey(
        PlannerCluster, verbose_name="成片矿山", on_delete=models.CASCADE, related_name="proposals"
    )
    rank = models.PositiveSmallIntegerField("次序")
    aims = models.JSONField("目标")
    parts = models.JSONField("内容")
    saved = models.PositiveIntegerField("可达标")
    leaving = models.PositiveIntegerField("退出或关闭")
    rights = models.PositiveIntegerField("整合后采矿权")
    mergers = models.PositiveIntegerField("整合区")

    class Meta:
        verbose_name = "整合建议"
        ordering: ClassVar = ["cluster", "rank"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["cluster", "rank"],
                name="planner_proposal_rank_once",
                violation_error_message="同一片矿山的建议次序不能重复。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cluster} 建议{self.rank}"


class PlannerLone(models.Model):
    """Hold a mine that no merger can reach: what it can do by itself, or why nothing is known.

    `kind` is upgrade or exit; "" where data are missing.
    """

    run = models.ForeignKey(
        PlannerRun, verbose_name="规划", on_delete=models.CASCADE, related_name="lone"
    )
    county = models.ForeignKey(
        County, verbose_name="县（市、区）", on_delete=models.PROTECT, related_name="+"
    )
    mine = models.ForeignKey(Mine, verbose_name="矿山", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField("建议", max_length=10, choices=Disposition.choices(), blank=True)
    reason = models.CharField("说明", max_length=200)

    class Meta:
        verbose_name = "单独的矿山"
        ordering: ClassVar = ["run", "county", "mine"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["run", "mine"],
                name="planner_lone_mine_once",
                violation_error_message="同一次规划里一座矿山只列一次。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mine} {self.get_kind_display()}"
