"""Hold the versions of the rulebook, their entries, and what a draft would change."""

from typing import Any, ClassVar

import pgtrigger
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, UniqueConstraint, Value
from django.utils import timezone

from shuozhou_mines.models import Job
from standards.rulebook import KIND_OF_UNIT
from standards.terms import Verdict

# The database itself keeps approved versions as they are, and the two people apart.
KEEP_VERSIONS = """
    IF TG_OP = 'DELETE' THEN
        IF OLD.state = 'draft' THEN RETURN OLD; END IF;
    ELSIF OLD.state = 'draft' THEN
        IF NEW.state = 'approved' AND EXISTS (
            SELECT 1 FROM rulebook_rulebookentry entry
            WHERE entry.version_id = NEW.id AND entry.entered_by_id = NEW.approved_by_id
              AND entry.entered_at >= NEW.drafted_at
        ) THEN
            RAISE EXCEPTION 'the approver has edited version %', OLD.number
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    ELSIF OLD.state = 'approved' AND NEW.state = 'retired'
        AND to_jsonb(NEW) - 'state' = to_jsonb(OLD) - 'state' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'version % of the rulebook is no draft', OLD.number
        USING ERRCODE = 'check_violation';
"""
KEEP_ENTRIES = """
    IF EXISTS (
        SELECT 1 FROM rulebook_rulebookversion version
        WHERE version.state <> 'draft'
          AND (TG_OP <> 'INSERT' AND version.id = OLD.version_id
               OR TG_OP <> 'DELETE' AND version.id = NEW.version_id)
    ) THEN
        RAISE EXCEPTION 'entries of an approved rulebook never change'
            USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
"""


class RulebookVersionQuerySet(models.QuerySet["RulebookVersion"]):
    """Find the version in force and the one being written."""

    def in_force(self) -> "RulebookVersion | None":
        """Return the newest approved version; None before the first."""
        return self.filter(state=RulebookVersion.State.APPROVED).order_by("-number").first()

    def draft(self) -> "RulebookVersion | None":
        """Return the draft, if there is one."""
        return self.filter(state=RulebookVersion.State.DRAFT).first()


class RulebookVersion(models.Model):
    """Hold one version: drafted by one person, approved by another, never changed afterwards.

    `shipped` is the mark of the product's file that a version was read from; the first one comes
    from the Work Plan and is approved by nobody.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "草案"
        APPROVED = "approved", "现行"
        RETIRED = "retired", "已被取代"

    number = models.PositiveIntegerField("版本号", unique=True)
    state = models.CharField("状态", max_length=10, choices=State, default=State.DRAFT)
    based_on = models.ForeignKey(
        "self", verbose_name="依据的版本", on_delete=models.PROTECT, null=True, blank=True
    )
    drafted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="起草人",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    drafted_at = models.DateTimeField("起草时间", default=timezone.now)
    changed_at = models.DateTimeField("最后修改", default=timezone.now)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="批准人",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    approved_at = models.DateTimeField("批准时间", null=True, blank=True)
    note = models.TextField("说明", blank=True)
    shipped = models.CharField("随产品发布的文本标记", max_length=64, blank=True)

    objects = RulebookVersionQuerySet.as_manager()

    class Meta:
        verbose_name = "标准库版本"
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["state"],
                condition=Q(state="draft"),
                name="rulebook_one_draft",
                violation_error_message="已有一份标准库草案，请先批准或放弃它。",
            ),
            UniqueConstraint(
                fields=["state"],
                condition=Q(state="approved"),
                name="rulebook_one_in_force",
                violation_error_message="现行的标准库只能有一版。",
            ),
            models.CheckConstraint(
                condition=Q(state="draft", approved_at__isnull=True, approved_by__isnull=True)
                | ~Q(state="draft")
                & Q(approved_at__isnull=False)
                & (
                    Q(approved_by__isnull=False)
                    | Q(drafted_by__isnull=True, based_on__isnull=True) & ~Q(shipped="")
                ),
                name="rulebook_approved_by_somebody",
                violation_error_message="标准库要由另一个人批准后才能生效。",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True)
                | Q(drafted_by__isnull=True)
                | ~Q(approved_by=F("drafted_by")),
                name="rulebook_two_people",
                violation_error_message="起草人不能批准自己的草案，请另一位同志批准。",
            ),
        ]
        triggers: ClassVar = [
            pgtrigger.Trigger(
                name="keep_approved",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func=KEEP_VERSIONS,
            )
        ]

    def __str__(self) -> str:
        return f"第{self.number}版"


class _Term(Func):
    function = "daterange"
    output_field = models.Field()


class Confidence(models.TextChoices):
    """How well a value is known; rules decide on no value that is hearsay."""

    CERTAIN = "certain", "原文载明"
    HIGH = "high", "出处可靠"
    MEDIUM = "medium", "参考取值"
    HEARSAY = "hearsay", "待核实"


class RulebookEntry(models.Model):
    """Hold one value of a version with the days it is in force, both included, and its source."""

    version = models.ForeignKey(
        RulebookVersion, verbose_name="版本", on_delete=models.CASCADE, related_name="entries"
    )
    key = models.CharField("条目", max_length=60)
    value = models.JSONField("数值", null=True, blank=True)
    unit = models.CharField("单位", max_length=20)
    title = models.CharField("名称", max_length=120)
    valid_from = models.DateField("生效日期", null=True, blank=True)
    valid_to = models.DateField("失效日期", null=True, blank=True)
    source = models.CharField("来源文件", max_length=300, blank=True)
    clause = models.CharField("条款", max_length=60, blank=True)
    confidence = models.CharField("可信程度", max_length=8, choices=Confidence)
    note = models.TextField("备注", blank=True)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="录入人",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    entered_at = models.DateTimeField("录入时间", default=timezone.now)

    class Meta:
        verbose_name = "标准库条目"
        ordering: ClassVar = ["version", "key", F("valid_from").asc(nulls_first=True)]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True)
                | Q(valid_to__isnull=True)
                | Q(valid_to__gte=F("valid_from")),
                name="rulebook_entry_ends_after_start",
                violation_error_message="失效日期不能早于生效日期。",
            ),
            models.CheckConstraint(
                condition=Q(value__isnull=False) | Q(confidence="hearsay"),
                name="rulebook_entry_unknown_is_hearsay",
                violation_error_message="没有数值的条目只能标为“待核实”。",
            ),
            models.CheckConstraint(
                condition=Q(confidence="hearsay") | ~Q(source=""),
                name="rulebook_entry_has_source",
                violation_error_message="除“待核实”外，每个数值都要写明来源文件。",
            ),
            ExclusionConstraint(
                name="rulebook_terms_apart",
                expressions=[
                    ("version", RangeOperators.EQUAL),
                    ("key", RangeOperators.EQUAL),
                    (_Term("valid_from", "valid_to", Value("[]")), RangeOperators.OVERLAPS),
                ],
                violation_error_message="同一条目的两段有效期不能重叠，请先给前一段写失效日期。",
            ),
        ]
        triggers: ClassVar = [
            pgtrigger.Trigger(
                name="only_in_draft",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func=KEEP_ENTRIES,
            )
        ]

    def __str__(self) -> str:
        return f"{self.title}（{self.key}）"

    @property
    def kind(self) -> str:
        """Return how the value is read: number, date, list or text."""
        return KIND_OF_UNIT.get(self.unit, "number")


class WhatIf(models.Model):
    """Hold one trial of a draft: whose verdict would flip. It is a report, never a check."""

    version = models.ForeignKey(
        RulebookVersion, verbose_name="草案", on_delete=models.CASCADE, related_name="trials"
    )
    against = models.ForeignKey(
        RulebookVersion, verbose_name="对照版本", on_delete=models.PROTECT, related_name="+"
    )
    draft_as_of = models.DateTimeField("草案修改时间")
    asked_at = models.DateTimeField("提出时间", default=timezone.now)
    tried_on = models.DateField("按哪一天试算")
    job = models.OneToOneField(
        Job, verbose_name="任务", on_delete=models.SET_NULL, null=True, related_name="what_if"
    )
    finished_at = models.DateTimeField("完成时间", null=True, blank=True)
    mines = models.PositiveIntegerField("矿山数", default=0)
    plans = models.PositiveIntegerField("方案数", default=0)

    class Meta:
        verbose_name = "试算"
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"标准库{self.version}试算"


class Flip(models.Model):
    """Name one verdict that the draft would turn, on a mine of the registry or in a plan."""

    class Place(models.TextChoices):
        REGISTRY = "registry", "台账"
        PLAN = "plan", "方案"

    what_if = models.ForeignKey(WhatIf, on_delete=models.CASCADE, related_name="flips")
    place = models.CharField("在哪里", max_length=8, choices=Place)
    place_name = models.CharField("县（市、区）或方案", max_length=120, blank=True)
    subject_name = models.CharField("对象", max_length=160)
    mine_key = models.CharField("台账编号", max_length=20, blank=True)
    plan_version = models.BigIntegerField("方案版本", null=True, blank=True)
    rule = models.CharField("规则", max_length=10)
    before = models.CharField("现在", max_length=8, choices=Verdict.choices())
    after = models.CharField("批准后", max_length=8, choices=Verdict.choices())
    message = models.TextField("批准后的说明", blank=True)

    class Meta:
        verbose_name = "结论变化"
        ordering: ClassVar = ["what_if", "place", "rule", "pk"]
        indexes: ClassVar = [models.Index(fields=["what_if", "before", "after"])]

    def __str__(self) -> str:
        return f"{self.subject_name} {self.rule} {self.before} {self.after}"


def entry_row(entry: RulebookEntry) -> dict[str, Any]:
    """Return an entry as the standards read it."""
    return {
        "key": entry.key,
        "value": entry.value,
        "unit": entry.unit,
        "title": entry.title,
        "valid_from": entry.valid_from,
        "valid_to": entry.valid_to,
        "source": entry.source,
        "clause": entry.clause,
        "confidence": entry.confidence,
        "note": entry.note,
    }
