"""Hold the pool of experts, the panel drawn for a version, and what it says (clause 五(一))."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q, UniqueConstraint
from guardian.models import UserObjectPermissionBase

from mines.models import Mine

EXPERT_TEXT_LENGTH = 2000


class Expert(models.Model):
    """Name one expert of the pool; employer and speciality decide who steps aside."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, verbose_name="账号", on_delete=models.PROTECT
    )
    title = models.CharField("职称", max_length=40)
    speciality = models.CharField("专业", max_length=40)
    employer = models.CharField("工作单位", max_length=80)
    is_active = models.BooleanField("在库", default=True)
    is_demo = models.BooleanField("示例", default=False)

    class Meta:
        verbose_name = "专家"
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return self.user.name


class Stance(models.TextChoices):
    """What a member, and in the end the panel, says of a version; mildest first."""

    PASS = "pass", "通过"
    CHANGE = "change", "修改后通过"
    REJECT = "reject", "不通过"


class Panel(models.Model):
    """Hold the draw and the verdict of one version's panel.

    `order` lists the eligible experts as the seed ranked them; `set_aside` those who were not
    eligible, with the reason. Who has the seed can draw again and must get the same order.
    """

    version = models.OneToOneField(
        "plans.PlanVersion", verbose_name="版本", on_delete=models.PROTECT, related_name="panel"
    )
    seed = models.CharField("随机种子", max_length=32)
    size = models.PositiveSmallIntegerField("人数")
    order = models.JSONField("抽取次序", default=list)
    set_aside = models.JSONField("回避", default=list)
    place = models.CharField("评审地点", max_length=80, blank=True)
    held_on = models.DateField("评审日期", null=True, blank=True)
    drawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="抽取人",
        on_delete=models.PROTECT,
        related_name="panels_drawn",
    )
    drawn_at = models.DateTimeField("抽取时间")
    verdict = models.CharField("评审结论", max_length=8, choices=Stance, blank=True)
    overall = models.TextField("总体评价", max_length=EXPERT_TEXT_LENGTH, blank=True)
    merits = models.TextField("主要优点", max_length=EXPERT_TEXT_LENGTH, blank=True)
    concluded_at = models.DateTimeField("结论时间", null=True, blank=True)

    class Meta:
        verbose_name = "专家组"
        ordering: ClassVar = ["-drawn_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(size__in=[3, 5, 7, 9, 11]),
                name="panel_is_odd",
                violation_error_message="专家组人数应为 3 至 11 人的单数。",
            ),
            models.CheckConstraint(
                condition=Q(verdict="", concluded_at__isnull=True)
                | ~Q(verdict="") & Q(concluded_at__isnull=False),
                name="panel_verdict_has_moment",
                violation_error_message="评审结论和结论时间要么都有，要么都没有。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} 专家组"

    def sitting(self) -> "models.QuerySet[PanelMember]":
        """Return the members who have not stepped aside, the chair first."""
        return self.members.filter(stepped_aside_at=None).select_related("expert__user")


class PanelMember(models.Model):
    """Hold one expert's seat on a panel; of those who sit, the lowest rank is the chair's."""

    panel = models.ForeignKey(
        Panel, verbose_name="专家组", on_delete=models.PROTECT, related_name="members"
    )
    expert = models.ForeignKey(
        Expert, verbose_name="专家", on_delete=models.PROTECT, related_name="seats"
    )
    rank = models.PositiveSmallIntegerField("抽取次序")
    stance = models.CharField("结论", max_length=8, choices=Stance, blank=True)
    summary = models.TextField("意见概要", max_length=EXPERT_TEXT_LENGTH, blank=True)
    answered_at = models.DateTimeField("提交时间", null=True, blank=True)
    stepped_aside_at = models.DateTimeField("回避时间", null=True, blank=True)
    stepped_aside_why = models.CharField("回避理由", max_length=200, blank=True)

    class Meta:
        verbose_name = "专家组成员"
        ordering: ClassVar = ["panel", "rank"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["panel", "expert"],
                name="panel_member_once",
                violation_error_message="这位专家已经在专家组里。",
            ),
            models.CheckConstraint(
                condition=Q(stepped_aside_at__isnull=True) | ~Q(stepped_aside_why=""),
                name="panel_member_aside_with_reason",
                violation_error_message="回避必须写明理由。",
            ),
            models.CheckConstraint(
                condition=Q(stance="", answered_at__isnull=True)
                | ~Q(stance="") & Q(answered_at__isnull=False),
                name="panel_member_answer_has_moment",
                violation_error_message="结论和提交时间要么都有，要么都没有。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.panel} {self.expert}"


class ExpertRemark(models.Model):
    """Hold what an expert says on the plan, on one mine or area of it, or on a clause."""

    member = models.ForeignKey(
        PanelMember, verbose_name="专家", on_delete=models.PROTECT, related_name="remarks"
    )
    mine = models.ForeignKey(
        Mine, verbose_name="矿山", on_delete=models.PROTECT, null=True, blank=True
    )
    area = models.ForeignKey(
        "plans.MergedArea", verbose_name="整合区", on_delete=models.PROTECT, null=True, blank=True
    )
    clause = models.CharField("条款", max_length=30, blank=True)
    text = models.TextField("意见", max_length=EXPERT_TEXT_LENGTH)
    must_change = models.BooleanField("必须修改", default=True)
    at = models.DateTimeField("时间")

    class Meta:
        verbose_name = "专家意见"
        ordering: ClassVar = ["member", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(mine__isnull=True) | Q(area__isnull=True),
                name="remark_on_one_thing",
                violation_error_message="一条意见只针对一座矿山或一个整合区。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.member.expert} {self.about}"

    @property
    def about(self) -> str:
        """Return in words what the remark is on."""
        parts = [
            self.mine.name if self.mine else "",
            str(self.area) if self.area else "",
            f"条款 {self.clause}" if self.clause else "",
        ]
        return "，".join(part for part in parts if part) or "方案全文"


class RevisionItem(models.Model):
    """Hold one line of the 修改说明对照表: what was asked, what was changed, on which page."""

    panel = models.ForeignKey(
        Panel, verbose_name="专家组", on_delete=models.PROTECT, related_name="revisions"
    )
    source = models.CharField("提出人", max_length=60)
    about = models.CharField("对象", max_length=200)
    asked = models.TextField("意见")
    answer = models.TextField("修改情况", max_length=EXPERT_TEXT_LENGTH, blank=True)
    page = models.CharField("页码", max_length=30, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="填写人",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
    )
    answered_at = models.DateTimeField("填写时间", null=True, blank=True)

    class Meta:
        verbose_name = "修改说明"
        ordering: ClassVar = ["panel", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(answer="", answered_by__isnull=True)
                | ~Q(answer="") & Q(answered_by__isnull=False, answered_at__isnull=False),
                name="revision_answered_by_somebody",
                violation_error_message="修改情况必须有填写人和填写时间。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.about}"


class PlanGrantQuerySet(models.QuerySet["PlanGrant"]):
    """Find the grants that count."""

    def in_force(self, user: Any, *, at: Any) -> "PlanGrantQuerySet":
        """Return a person's grants at a moment."""
        return self.filter(
            Q(ends_at__isnull=True) | Q(ends_at__gt=at), user=user.pk, starts_at__lte=at
        )


class PlanGrant(UserObjectPermissionBase):
    """Grant one person a right on one plan for a time: how an expert gets to see it."""

    content_object = models.ForeignKey(
        "plans.CountyPlan", on_delete=models.CASCADE, related_name="grants"
    )
    starts_at = models.DateTimeField("起")
    ends_at = models.DateTimeField("止", null=True, blank=True)

    objects: ClassVar[Any] = PlanGrantQuerySet.as_manager()  # type: ignore[assignment]

    class Meta(UserObjectPermissionBase.Meta):
        abstract = False
        verbose_name = "评审授权"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gte=F("starts_at")),
                name="plan_grant_ends_after_start",
                violation_error_message="授权的截止时间不能早于起始时间。",
            )
        ]
