"""Hold the checks run on a plan version, what each rule found, and what people ruled on it."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q, UniqueConstraint
from django.utils import timezone

from mines.models import Mine
from shuozhou_mines.models import Job
from standards.terms import Phase, Verdict

RULING_TEXT_LENGTH = 1000


class CheckRun(models.Model):
    """Hold one run of the standards over a version: by which rules and rulebook, on which facts.

    `facts_hash` is the mark of all facts that the rules were given; a run without one is outdated.
    """

    version = models.ForeignKey(
        "plans.PlanVersion",
        verbose_name="版本",
        on_delete=models.CASCADE,
        related_name="check_runs",
    )
    job = models.OneToOneField(
        Job, verbose_name="任务", on_delete=models.SET_NULL, null=True, related_name="check_run"
    )
    rulebook_version = models.CharField("标准库版本", max_length=40)
    rules_version = models.CharField("规则版本", max_length=16, blank=True)
    facts_hash = models.CharField("输入摘要", max_length=64, blank=True)
    finished_at = models.DateTimeField("完成时间", default=timezone.now)
    checked_on = models.DateField("按哪一天检查")
    counts = models.JSONField("结果统计", default=dict)

    class Meta:
        verbose_name = "标准检查"
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"{self.version} 检查 {self.finished_at:%Y-%m-%d %H:%M}"


class Finding(models.Model):
    """Hold what one rule found on one subject in one run, word for word and figure for figure.

    `basis_hash` is the mark of what the verdict rests on: rule, limits, figures and the subject's
    facts. A ruling holds for later findings with the same mark.
    """

    run = models.ForeignKey(
        CheckRun, verbose_name="检查", on_delete=models.CASCADE, related_name="findings"
    )
    rule = models.CharField("规则", max_length=10)
    rule_version = models.CharField("规则版本", max_length=10)
    phase = models.CharField("阶段", max_length=1, choices=Phase.choices())
    subject_kind = models.CharField("对象类别", max_length=8)
    subject_key = models.CharField("对象编号", max_length=60)
    subject_name = models.CharField("对象", max_length=120)
    mine = models.ForeignKey(
        Mine, on_delete=models.PROTECT, null=True, blank=True, related_name="findings"
    )
    area = models.ForeignKey(
        "plans.MergedArea", on_delete=models.CASCADE, null=True, blank=True, related_name="findings"
    )
    verdict = models.CharField("结论", max_length=8, choices=Verdict.choices())
    message = models.TextField("说明")
    figures = models.JSONField("数据", default=list)
    would_pass = models.TextField("怎样才符合", blank=True)
    clause = models.CharField("条款", max_length=30)
    quote = models.TextField("依据")
    basis_hash = models.CharField("判定依据摘要", max_length=64, blank=True)

    class Meta:
        verbose_name = "检查结果"
        ordering: ClassVar = ["run", "pk"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["run", "rule", "subject_kind", "subject_key"],
                name="finding_once_per_rule_and_subject",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["run", "verdict"])]

    def __str__(self) -> str:
        return f"{self.rule} {self.subject_name} {self.get_verdict_display()}"


class RulingRequest(models.Model):
    """Hold a county's wish to have a finding ruled on before it submits its plan.

    The wish shows the office this finding, and what later checks find by the same rule on the same
    subject; the rest of a draft stays with the county.
    """

    plan = models.ForeignKey(
        "plans.CountyPlan",
        verbose_name="方案",
        on_delete=models.PROTECT,
        related_name="ruling_requests",
    )
    finding = models.ForeignKey(
        Finding, verbose_name="检查结果", on_delete=models.PROTECT, related_name="ruling_requests"
    )
    rule = models.CharField("规则", max_length=10)
    subject_kind = models.CharField("对象类别", max_length=8)
    subject_key = models.CharField("对象编号", max_length=60)
    note = models.TextField("说明", max_length=RULING_TEXT_LENGTH)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="提请人", on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField("提请时间")

    class Meta:
        verbose_name = "提请核定"
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["finding"],
                name="ruling_request_once_per_finding",
                violation_error_message="这一条已经提请核定。",
            ),
            models.CheckConstraint(
                condition=~Q(note=""),
                name="ruling_request_says_why",
                violation_error_message="提请核定必须写明情况。",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["plan", "rule", "subject_key"])]

    def __str__(self) -> str:
        return f"{self.rule} {self.subject_key} 提请核定"


class Ruling(models.Model):
    """Hold what the office decided on a finding, beside the verdict of the machine.

    Rulings are never changed: a second thought is a new row. Rule and subject name the finding
    through all versions of the plan; `basis_hash` says for which facts the ruling was made.
    """

    class Decision(models.TextChoices):
        MEETS = "meets", "认定符合"
        ACCEPTED = "accepted", "接受偏差"
        FAILS = "fails", "认定不符合"

    plan = models.ForeignKey(
        "plans.CountyPlan", verbose_name="方案", on_delete=models.PROTECT, related_name="rulings"
    )
    finding = models.ForeignKey(
        Finding, verbose_name="检查结果", on_delete=models.PROTECT, related_name="rulings"
    )
    rule = models.CharField("规则", max_length=10)
    subject_kind = models.CharField("对象类别", max_length=8)
    subject_key = models.CharField("对象编号", max_length=60)
    basis_hash = models.CharField("判定依据摘要", max_length=64)
    verdict = models.CharField("系统结论", max_length=8, choices=Verdict.choices())
    decision = models.CharField("认定", max_length=10, choices=Decision)
    reason = models.TextField("理由", max_length=RULING_TEXT_LENGTH)
    basis_document = models.CharField("依据文件", max_length=200)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="认定人",
        on_delete=models.PROTECT,
        related_name="rulings_made",
    )
    at = models.DateTimeField("认定时间")
    needs_confirmation = models.BooleanField("须第二人确认", default=False)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="确认人",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="rulings_confirmed",
    )
    confirmed_at = models.DateTimeField("确认时间", null=True, blank=True)

    class Meta:
        verbose_name = "人工认定"
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [models.Index(fields=["plan", "rule", "subject_key"])]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True, confirmed_at__isnull=True)
                | Q(confirmed_by__isnull=False, confirmed_at__isnull=False),
                name="ruling_confirmed_by_and_at",
                violation_error_message="确认人和确认时间要么都有，要么都没有。",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True) | ~Q(confirmed_by=F("by")),
                name="ruling_confirmed_by_another",
                violation_error_message="作出认定的人不能自己确认，请由另一人确认。",
            ),
            models.CheckConstraint(
                condition=~Q(reason="") & ~Q(basis_document=""),
                name="ruling_says_why",
                violation_error_message="认定必须写明理由和依据文件。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.subject_key} {self.get_decision_display()}"

    @property
    def is_effective(self) -> bool:
        """Tell whether the ruling counts: confirmed by a second person where that is asked."""
        return self.confirmed_by_id is not None or not self.needs_confirmation
