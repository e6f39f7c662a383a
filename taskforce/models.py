"""Hold who takes part: counties, organizations, people, their posts, and the trail of acts."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin, UserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.contrib.gis.db import models
from django.db.models import F, Q
from django.utils import timezone
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from standards.terms import Term
from taskforce.account_models import ApiToken as ApiToken
from taskforce.account_models import PasswordUsed as PasswordUsed
from taskforce.account_models import RoleGrant as RoleGrant
from taskforce.account_models import SignedIn as SignedIn
from taskforce.account_models import exclude_administrators, only_by_role
from taskforce.message_models import Message as Message
from taskforce.trail_models import TrailCheck as TrailCheck
from taskforce.trail_models import TrailLink as TrailLink
from taskforce.trail_models import TrailShipment as TrailShipment
from taskforce.trail_models import append_only, chained


class County(models.Model):
    """Name one of the city's counties; every right on its work is granted on this row."""

    code = models.CharField("行政区划代码", max_length=6, primary_key=True)
    name = models.CharField("名称", max_length=20, unique=True)
    order = models.PositiveSmallIntegerField("次序", default=0)
    outline = models.MultiPolygonField(
        "县界（示意）", srid=4490, null=True, blank=True, spatial_index=True
    )

    class Meta:
        verbose_name = "县（市、区）"
        ordering: ClassVar = ["order", "code"]
        default_permissions = ()
        permissions: ClassVar = [
            ("see_mines", "查看台账"),
            ("edit_mines", "维护台账"),
            ("see_drafts", "查看未报送的方案"),
            ("see_plans", "查看已报送的方案"),
            ("draft_plan", "编制方案"),
            ("confirm_plan", "审定并报送方案"),
            ("review_plan", "审查方案"),
            ("give_opinion", "会签方案"),
            ("endorse_plan", "市政府审签方案"),
            ("approve_plan", "登记批准"),
            ("publish_plan", "公示方案"),
            ("see_reports", "查看月报"),
            ("draft_report", "填报月报"),
            ("sign_report", "签发月报"),
            ("review_report", "审核月报"),
            ("inspect", "督导验收"),
        ]

    def __str__(self) -> str:
        return self.name


class CountyGroupObjectPermission(GroupObjectPermissionBase):
    """Grant a right on a county to a role's group, with a real foreign key."""

    content_object = models.ForeignKey(County, on_delete=models.CASCADE)


class CountyUserObjectPermission(UserObjectPermissionBase):
    """Stand where guardian keeps rights of single persons; here every right comes by a role."""

    content_object = models.ForeignKey(County, on_delete=models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        abstract = False
        triggers: ClassVar = [only_by_role()]


class OrganizationKind(Term):
    """What part an organization plays in the task force."""

    CITY = "city", "市政府"
    OFFICE = "office", "专班办公室"
    MEMBER_UNIT = "member_unit", "成员单位"
    COUNTY = "county", "县（市、区）人民政府"
    TEAM = "team", "专业队伍"


class Organization(models.Model):
    """Name a body of clause 六(一): the office, a member unit, a county government, a team."""

    name = models.CharField("名称", max_length=60, unique=True)
    short_name = models.CharField("简称", max_length=30)
    kind = models.CharField("类别", max_length=12, choices=OrganizationKind.choices())
    county = models.ForeignKey(
        County, verbose_name="县（市、区）", on_delete=models.PROTECT, null=True, blank=True
    )
    duties = models.TextField("职责", blank=True)
    order = models.PositiveSmallIntegerField("次序", default=0)

    class Meta:
        verbose_name = "单位"
        ordering: ClassVar = ["order", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind="county", county__isnull=False)
                | ~Q(kind="county") & Q(county__isnull=True),
                name="organization_county_iff_county",
                violation_error_message="只有县（市、区）人民政府属于某个县（市、区）。",
            )
        ]

    def __str__(self) -> str:
        return self.name


class User(AbstractBaseUser, PermissionsMixin):
    """Let one person sign in under their own name; never shared, never reused."""

    username = models.CharField(
        "账号",
        max_length=60,
        unique=True,
        validators=[UnicodeUsernameValidator()],
        error_messages={"unique": "这个账号已经有人使用，请换一个。"},
    )
    name = models.CharField("姓名", max_length=30)
    email = models.EmailField("电子邮箱", blank=True)
    organization = models.ForeignKey(
        Organization, verbose_name="单位", on_delete=models.PROTECT, null=True, blank=True
    )
    is_active = models.BooleanField("启用", default=True)
    is_demo = models.BooleanField("示例账号", default=False)
    joined_at = models.DateTimeField("开户时间", default=timezone.now)
    password_set_at = models.DateTimeField("口令设置时间", null=True, blank=True)
    locked_at = models.DateTimeField("停用时间", null=True, blank=True)
    locked_by = models.ForeignKey(
        "self", verbose_name="停用人", on_delete=models.PROTECT, null=True, blank=True
    )
    lock_reason = models.CharField("停用原因", max_length=100, blank=True)

    objects: ClassVar[UserManager["User"]] = UserManager()  # type: ignore[assignment]

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar = ["name"]

    class Meta:
        verbose_name = "用户"
        ordering: ClassVar = ["username"]
        default_permissions = ()
        permissions: ClassVar = [
            ("manage_accounts", "管理账号"),
            ("manage_rights", "管理权限"),
            ("read_trail", "查阅日志"),
            ("keep_roster", "维护专班名册"),
            ("issue_bulletin", "编发季通报"),
            ("approve_bulletin", "签批季通报"),
            ("hold_meeting", "组织会议"),
            ("see_city", "查看全市工作"),
            ("manage_rulebook", "维护标准库、发起全市检查"),
            ("manage_layers", "维护管控图层和地形数据"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(is_superuser=False),
                name="user_never_superuser",
                violation_error_message="不设超级用户，权限只按角色授予。",
            ),
            models.CheckConstraint(
                condition=~Q(locked_by=F("pk")),
                name="user_not_locked_by_oneself",
                violation_error_message="不能停用自己的账号，请由另一位系统管理员办理。",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.username

    @property
    def is_staff(self) -> bool:
        """Keep Django's admin site shut; administration has pages of its own."""
        return False

    def set_password(self, raw_password: str | None) -> None:
        """Set the password and note when; its age counts from here."""
        super().set_password(raw_password)
        self.password_set_at = timezone.now()

    def get_full_name(self) -> str:
        return self.name


class HeldGroup(User.groups.through):  # type: ignore[name-defined,misc]
    """Keep the three administrators' roles apart where memberships are stored."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers: ClassVar = [exclude_administrators()]


class OwnPermission(User.user_permissions.through):  # type: ignore[name-defined,misc]
    """Refuse rights that come by no role."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers: ClassVar = [only_by_role()]


def make_anonymous_user(model: Any) -> User:
    """Build the password-less row that guardian wants for readers without an account."""
    user: User = model(username="AnonymousUser", name="未登录", is_active=False)
    user.set_unusable_password()
    return user


class TaskForce(models.Model):
    """Record a task force: the city's, or the one each county has to form (clause 六(一))."""

    county = models.OneToOneField(
        County, verbose_name="县（市、区）", on_delete=models.PROTECT, null=True, blank=True
    )
    name = models.CharField("名称", max_length=80)
    document_number = models.CharField("成立文号", max_length=60, blank=True)
    formed_on = models.DateField("成立日期", null=True, blank=True)

    class Meta:
        verbose_name = "工作专班"
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                models.ExpressionWrapper(
                    Q(county__isnull=True), output_field=models.BooleanField()
                ),
                condition=Q(county__isnull=True),
                name="taskforce_one_for_city",
                violation_error_message="市级专班只有一个。",
            )
        ]

    def __str__(self) -> str:
        return self.name


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    """Find who held which post."""

    def on(self, day: Any) -> "AppointmentQuerySet":
        """Return the posts as they were held on this day."""
        return self.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=day), starts_on__lte=day)


class Appointment(models.Model):
    """Record who holds which post of a task force, from when to when, and why it changed."""

    task_force = models.ForeignKey(TaskForce, verbose_name="专班", on_delete=models.PROTECT)
    post = models.CharField("专班职务", max_length=30)
    holder = models.CharField("任职人", max_length=30, blank=True)
    title = models.CharField("所任职务", max_length=60, blank=True)
    organization = models.ForeignKey(
        Organization, verbose_name="单位", on_delete=models.PROTECT, null=True, blank=True
    )
    starts_on = models.DateField("起")
    ends_on = models.DateField("止", null=True, blank=True)
    reason = models.CharField("变动原因", max_length=100, blank=True)
    order = models.PositiveSmallIntegerField("次序", default=0)

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        verbose_name = "任职"
        ordering: ClassVar = ["task_force", "order", "starts_on", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="appointment_ends_after_start",
                violation_error_message="任职的截止日期不能早于起始日期。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.post} {self.holder or self.title}"


class TrailEntry(models.Model):
    """Record one act: who, when, from where, what, on which object, with which result.

    The database refuses to change or delete an entry, and chains each to the one before.
    """

    class Result(models.TextChoices):
        DONE = "done", "成功"
        REFUSED = "refused", "被拒绝"

    at = models.DateTimeField("时间", default=timezone.now, db_index=True)
    by = models.ForeignKey(
        User, verbose_name="操作人", on_delete=models.PROTECT, null=True, blank=True
    )
    address = models.GenericIPAddressField("来源地址", null=True, blank=True)
    act = models.CharField("事项", max_length=60)
    subject_type = models.CharField("对象类型", max_length=60, blank=True)
    subject_id = models.BigIntegerField("对象编号", null=True, blank=True)
    subject_name = models.CharField("对象", max_length=200, blank=True)
    county = models.ForeignKey(
        County, verbose_name="县（市、区）", on_delete=models.PROTECT, null=True, blank=True
    )
    result = models.CharField("结果", max_length=8, choices=Result, default=Result.DONE)
    detail = models.JSONField("详情", default=dict, blank=True)

    class Meta:
        verbose_name = "日志"
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [models.Index(fields=["subject_type", "subject_id"])]
        triggers: ClassVar = [*append_only(), chained()]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.by or '系统'} {self.act} {self.subject_name}"


class Holiday(models.Model):
    """Mark a day that differs from the plain week: a public holiday or a make-up working day."""

    day = models.DateField("日期", primary_key=True)
    is_working = models.BooleanField("调休上班", default=False)
    name = models.CharField("名称", max_length=30)

    class Meta:
        verbose_name = "节假日"
        ordering: ClassVar = ["day"]

    def __str__(self) -> str:
        return f"{self.day} {self.name}"
