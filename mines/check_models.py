"""Hold the checks of the whole registry: each run, its parts, and what it found."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q, UniqueConstraint
from django.utils import timezone

from rulebook.models import RulebookVersion
from shuozhou_mines.models import Job
from standards.rules import SEVERITY
from standards.terms import Phase, Verdict


class MineCheckRunQuerySet(models.QuerySet["MineCheckRun"]):
    """Find the run whose findings are shown."""

    def newest_finished(self) -> "MineCheckRun | None":
        """Return the newest run that went through the whole registry."""
        return self.filter(finished_at__isnull=False).select_related("rulebook").first()


class MineCheckRun(models.Model):
    """Hold one check of the registry: by which rulebook and rules, as of which day, with counts.

    `once_key` names what may start a run only once: a night, or a version of the rulebook.
    `rules` keeps version, clause and quotation of each rule as they were; `counts` has a number
    for each verdict, `rule_counts` for each rule and verdict.
    """

    class Reason(models.TextChoices):
        NIGHT = "night", "每日检查"
        RULEBOOK = "rulebook", "标准库更新"
        REQUEST = "request", "按要求检查"

    reason = models.CharField("缘由", max_length=10, choices=Reason)
    once_key = models.CharField("唯一键", max_length=40, unique=True, null=True, blank=True)
    rulebook = models.ForeignKey(
        RulebookVersion, verbose_name="标准库版本", on_delete=models.PROTECT, related_name="+"
    )
    rules = models.JSONField("规则", default=dict)
    checked_on = models.DateField("按哪一天检查")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="提出人",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    started_at = models.DateTimeField("开始时间", default=timezone.now)
    finished_at = models.DateTimeField("完成时间", null=True, blank=True)
    mines = models.PositiveIntegerField("矿山数", default=0)
    counts = models.JSONField("结果统计", default=dict)
    rule_counts = models.JSONField("按规则统计", default=dict)

    objects = MineCheckRunQuerySet.as_manager()

    class Meta:
        verbose_name = "台账检查"
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"{self.get_reason_display()} {self.checked_on:%Y-%m-%d}"


class MineCheckPart(models.Model):
    """Hold one stretch of a run, worked by one job; `checked_to` is the last mine written."""

    run = models.ForeignKey(MineCheckRun, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveSmallIntegerField("第几部分")
    after_id = models.BigIntegerField("从哪座矿山之后")
    until_id = models.BigIntegerField("到哪座矿山")
    mines = models.PositiveIntegerField("矿山数")
    checked = models.PositiveIntegerField("已检查", default=0)
    checked_to = models.BigIntegerField("检查到")
    rule_counts = models.JSONField("按规则统计", default=dict)
    finished_at = models.DateTimeField("完成时间", null=True, blank=True)
    job = models.OneToOneField(
        Job, verbose_name="任务", on_delete=models.SET_NULL, null=True, related_name="mine_check"
    )

    class Meta:
        verbose_name = "台账检查分段"
        ordering: ClassVar = ["run", "number"]
        constraints: ClassVar = [
            UniqueConstraint(fields=["run", "number"], name="check_part_once_per_run"),
            models.CheckConstraint(
                condition=Q(checked__lte=models.F("mines")), name="check_part_within_its_mines"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run} 第{self.number}段"


class MineFinding(models.Model):
    """Hold what one rule found on one mine in one run.

    What passes or does not apply is counted in the run and not kept row by row. Clause, quotation
    and version of the rule stand in the run, once for all its findings. A large registry brings a
    million rows a night, of runs and mines just read: foreign keys would double their cost.
    """

    run = models.ForeignKey(
        MineCheckRun,
        on_delete=models.CASCADE,
        related_name="findings",
        db_index=False,
        db_constraint=False,
    )
    mine = models.ForeignKey(
        "mines.Mine",
        on_delete=models.CASCADE,
        related_name="registry_findings",
        db_index=False,
        db_constraint=False,
    )
    rule = models.CharField("规则", max_length=10)
    phase = models.CharField("阶段", max_length=1, choices=Phase.choices())
    system = models.PositiveSmallIntegerField("第几个生产系统", default=0)
    subject_name = models.CharField("对象", max_length=160)
    verdict = models.CharField("结论", max_length=8, choices=Verdict.choices())
    message = models.TextField("说明")
    figures = models.JSONField("数据", default=list)
    would_pass = models.TextField("怎样才符合", blank=True)

    class Meta:
        verbose_name = "台账检查结果"
        ordering: ClassVar = ["run", "mine", "rule", "system"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["run", "mine", "rule", "system"], name="mine_finding_once_per_rule"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["run", "rule", "verdict"])]

    def __str__(self) -> str:
        return f"{self.rule} {self.subject_name} {self.get_verdict_display()}"

    @property
    def severity(self) -> int:
        """Return the place of the verdict, the gravest first."""
        return SEVERITY[Verdict(self.verdict)]


class MineStanding(models.Model):
    """Hold the gravest verdict of a finished check on a mine; "pass" when nothing is amiss.

    The newest check overwrites the one before; a mine that it has not seen keeps its older run.
    """

    mine = models.OneToOneField(
        "mines.Mine",
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="standing",
        db_constraint=False,
    )
    run = models.ForeignKey(
        MineCheckRun,
        on_delete=models.CASCADE,
        related_name="standings",
        db_index=False,
        db_constraint=False,
    )
    verdict = models.CharField("结论", max_length=8, choices=Verdict.choices())

    class Meta:
        verbose_name = "最近检查结论"
        ordering: ClassVar = ["mine"]
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["run", "verdict", "mine"], name="standing_found")]

    def __str__(self) -> str:
        return f"{self.mine_id} {self.get_verdict_display()}"


def empty_counts() -> dict[str, Any]:
    """Return a number for every verdict, all nought."""
    return {verdict.value: 0 for verdict in Verdict}
