"""Hold how people come to their rights and stay signed in: grants, passwords, sessions, tokens."""

from datetime import date
from importlib import import_module
from typing import Any, ClassVar

import pgtrigger
from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from taskforce.roles import ADMINISTRATORS, RIGHTS, Role

COUNTY_ROLES = sorted(role.value for role, rights in RIGHTS.items() if rights.of_one_county)
_ADMINISTRATORS = ", ".join(f"'{role}'" for role in ADMINISTRATORS)
# The person's row is locked, so that two grants at once see each other.
_EXCLUDE = f"""
    PERFORM 1 FROM taskforce_user WHERE id = NEW.user_id FOR NO KEY UPDATE;
    IF EXISTS (
        SELECT 1 FROM taskforce_user_groups held
        JOIN auth_group a ON a.id = held.group_id JOIN auth_group b ON b.id = NEW.group_id
        WHERE held.user_id = NEW.user_id
          AND split_part(a.name, ':', 1) <> split_part(b.name, ':', 1)
          AND (split_part(a.name, ':', 1) IN ({_ADMINISTRATORS})
               OR split_part(b.name, ':', 1) IN ({_ADMINISTRATORS}))
    ) THEN
        RAISE EXCEPTION 'administrators_exclude: an administrator holds no other role'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'administrators_exclude';
    END IF;
    RETURN NEW;
"""  # noqa: S608  our own text, no input


def only_by_role() -> pgtrigger.Trigger:
    """Return the trigger that refuses rights given to a person past the table of roles."""
    return pgtrigger.Protect(name="only_by_role", operation=pgtrigger.Insert | pgtrigger.Update)


def exclude_administrators() -> pgtrigger.Trigger:
    """Return the trigger that keeps 三员 apart from each other and from every business role."""
    return pgtrigger.Trigger(
        name="administrators_exclude",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func=_EXCLUDE,
    )


class RoleGrantQuerySet(models.QuerySet["RoleGrant"]):
    """Find grants by day."""

    def open(self) -> "RoleGrantQuerySet":
        """Return grants that nobody has ended."""
        return self.filter(ended_at__isnull=True)

    def in_force(self, day: date) -> "RoleGrantQuerySet":
        """Return grants that hold on this day; a post that was left takes its grants along."""
        left = Q(appointment__ends_on__isnull=False, appointment__ends_on__lt=day)
        return (
            self.open()
            .filter(Q(ends_on__isnull=True) | Q(ends_on__gte=day), starts_on__lte=day)
            .exclude(left)
        )


class RoleGrant(models.Model):
    """Record that a person holds a role for a place from a day to a day, and who gave it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="用户", on_delete=models.PROTECT,
        related_name="grants",
    )  # fmt: skip
    role = models.CharField("角色", max_length=20, choices=Role.choices())
    county = models.ForeignKey(
        "taskforce.County", verbose_name="县（市、区）", on_delete=models.PROTECT, null=True,
        blank=True,
    )  # fmt: skip
    appointment = models.ForeignKey(
        "taskforce.Appointment", verbose_name="依据的任职", on_delete=models.PROTECT, null=True,
        blank=True,
    )  # fmt: skip
    starts_on = models.DateField("起")
    ends_on = models.DateField("止", null=True, blank=True)
    reason = models.CharField("依据", max_length=200, blank=True)
    given_at = models.DateTimeField("授予时间", default=timezone.now)
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="授予人", on_delete=models.PROTECT, null=True,
        blank=True, related_name="+",
    )  # fmt: skip
    applied_at = models.DateTimeField("生效时间", null=True, blank=True)
    ended_at = models.DateTimeField("终止时间", null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="终止人", on_delete=models.PROTECT, null=True,
        blank=True, related_name="+",
    )  # fmt: skip

    objects = RoleGrantQuerySet.as_manager()

    class Meta:
        verbose_name = "授权"
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(role__in=COUNTY_ROLES, county__isnull=False)
                | ~Q(role__in=COUNTY_ROLES) & Q(county__isnull=True),
                name="grant_county_iff_county_role",
                violation_error_message="县级角色必须选县（市、区），市级角色不能选。",
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="grant_ends_after_start",
                violation_error_message="截止日期不能早于起始日期。",
            ),
            models.CheckConstraint(
                condition=~Q(given_by=F("user")),
                name="grant_not_to_oneself",
                violation_error_message="不能给自己授权，请由另一位安全管理员办理。",
            ),
            models.CheckConstraint(
                condition=~Q(ended_by=F("user")),
                name="grant_not_ended_by_oneself",
                violation_error_message="不能收回自己的授权，请由另一位安全管理员办理。",
            ),
            models.UniqueConstraint(
                fields=["user", "role", "county"],
                condition=Q(ended_at__isnull=True),
                nulls_distinct=False,
                name="grant_once_per_role_and_place",
                violation_error_message="这个人已经有这个角色。要改起止日期，请先收回再授予。",
            ),
        ]

    def __str__(self) -> str:
        place = self.county.name if self.county is not None else "全市"
        return f"{self.get_role_display()}（{place}）"


class PasswordUsed(models.Model):
    """Keep the hash of a password that a person has used, so that it is not taken again."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="用户", on_delete=models.CASCADE,
        related_name="passwords_used",
    )  # fmt: skip
    password = models.CharField("口令摘要", max_length=128)
    set_at = models.DateTimeField("设置时间", default=timezone.now)

    class Meta:
        verbose_name = "用过的口令"
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"{self.user_id} {self.set_at:%Y-%m-%d}"


class SignedIn(AbstractBaseSession):
    """Keep a session with whose it is, from where and since when, so that it can be ended."""

    user_id = models.BigIntegerField("用户", null=True, db_index=True)
    address = models.GenericIPAddressField("来源地址", null=True)
    agent = models.CharField("浏览器", max_length=200, blank=True)
    started_at = models.DateTimeField("登录时间", null=True)
    seen_at = models.DateTimeField("最近使用", null=True)

    class Meta(AbstractBaseSession.Meta):
        verbose_name = "会话"
        ordering: ClassVar = ["-started_at"]

    @classmethod
    def get_session_store_class(cls) -> Any:
        """Return the engine of the settings; it knows this model by its name."""
        return import_module(settings.SESSION_ENGINE).SessionStore


class ApiToken(models.Model):
    """Let a program of the city read with one person's rights, within scopes, until a day.

    Only the SHA-256 of the token is kept; the token is shown once.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="以谁的权限", on_delete=models.PROTECT,
        related_name="tokens",
    )  # fmt: skip
    name = models.CharField("用途", max_length=60)
    digest = models.CharField("摘要", max_length=64, unique=True)
    scopes = models.JSONField("范围", default=list)
    made_at = models.DateTimeField("签发时间", default=timezone.now)
    expires_at = models.DateTimeField("到期时间")
    revoked_at = models.DateTimeField("吊销时间", null=True, blank=True)
    used_at = models.DateTimeField("最近使用", null=True, blank=True)

    class Meta:
        verbose_name = "接口令牌"
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("made_at")),
                name="token_expires_after_it_is_made",
                violation_error_message="令牌的到期时间必须晚于签发时间。",
            )
        ]

    def __str__(self) -> str:
        return self.name
