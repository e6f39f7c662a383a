"""Hold what people say about one thing in a plan, and the answer it was given."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from mines.models import Mine

COMMENT_LENGTH = 2000


class CommentQuerySet(models.QuerySet["Comment"]):
    """Find comments by whether they wait."""

    def unanswered(self) -> "CommentQuerySet":
        """Return the comments that somebody has to answer."""
        return self.filter(answered_at__isnull=True, withdrawn_at__isnull=True)


class Comment(models.Model):
    """Hold one comment on a mine, an area, a finding or a page of an attachment.

    An area is known by its code, a finding by rule and subject, so that a comment holds on to its
    thing from version to version. `subject_name` is what the thing was called.
    """

    class On(models.TextChoices):
        MINE = "mine", "矿山"
        AREA = "area", "整合区"
        FINDING = "finding", "检查结果"
        ATTACHMENT = "attachment", "附件"

    plan = models.ForeignKey(
        "plans.CountyPlan", verbose_name="方案", on_delete=models.PROTECT, related_name="comments"
    )
    version = models.ForeignKey(
        "plans.PlanVersion",
        verbose_name="版本",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    on = models.CharField("对象类别", max_length=10, choices=On)
    mine = models.ForeignKey(
        Mine, verbose_name="矿山", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    area_code = models.CharField("整合区", max_length=20, blank=True)
    finding_rule = models.CharField("规则", max_length=10, blank=True)
    finding_subject = models.CharField("检查对象", max_length=60, blank=True)
    attachment = models.ForeignKey(
        "plans.Attachment",
        verbose_name="附件",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="comments",
    )
    page = models.PositiveIntegerField("页码", null=True, blank=True)
    subject_name = models.CharField("对象", max_length=160)
    text = models.TextField("意见", max_length=COMMENT_LENGTH)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="提出人", on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField("提出时间")
    from_county = models.BooleanField("县（市、区）提出")
    answer = models.TextField("答复", max_length=COMMENT_LENGTH, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="答复人",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    answered_at = models.DateTimeField("答复时间", null=True, blank=True)
    withdrawn_at = models.DateTimeField("撤回时间", null=True, blank=True)

    objects = CommentQuerySet.as_manager()

    class Meta:
        verbose_name = "意见"
        ordering: ClassVar = ["plan", "-pk"]
        indexes: ClassVar = [
            models.Index(
                fields=["plan"],
                condition=Q(answered_at__isnull=True, withdrawn_at__isnull=True),
                name="comment_waiting",
            )
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(on="mine", mine__isnull=False)
                | (Q(on="area") & ~Q(area_code=""))
                | (Q(on="finding") & ~Q(finding_rule="") & ~Q(finding_subject=""))
                | Q(on="attachment", attachment__isnull=False),
                name="comment_is_on_something",
                violation_error_message="意见必须针对一座矿山、一个整合区、一条检查结果或一个附件。",
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, answered_by__isnull=True, answer="")
                | (Q(answered_at__isnull=False, answered_by__isnull=False) & ~Q(answer="")),
                name="comment_answer_is_whole",
                violation_error_message="答复必须有内容、时间和答复人。",
            ),
            models.CheckConstraint(
                condition=~Q(text=""),
                name="comment_says_something",
                violation_error_message="意见不能为空。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject_name}：{self.text[:30]}"


def unanswered_comments(plan: Any) -> int:
    """Return how many comments of a plan wait for an answer."""
    return Comment.objects.filter(plan=plan).unanswered().count()
