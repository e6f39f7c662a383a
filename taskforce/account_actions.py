"""Open, lock and unlock accounts, hand out invitations, end sessions, see people off."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from shuozhou_mines.errors import Incomplete, WrongState
from taskforce.actions import end
from taskforce.models import Organization, SignedIn, User
from taskforce.permissions import check_city
from taskforce.trail import record

_ONLY_SYSTEM = "只有系统管理员可以管理账号。"
IDLE = "连续 {days} 天没有登录"


@transaction.atomic
def open_account(
    *, username: str, name: str, email: str, organization: Organization | None, by: Any,
    at: datetime,
) -> User:  # fmt: skip
    """Open an account without a password; its holder sets one by the invitation.

    Raises NotAllowed, and Incomplete for a name that is taken.
    """
    check_city(by, "manage_accounts", _ONLY_SYSTEM)
    user = User(username=username, name=name, email=email, organization=organization, joined_at=at)
    user.set_unusable_password()
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as error:
        raise Incomplete(" ".join(error.messages)) from error
    user.save()
    record("开通账号", by=by, subject=user)
    return user


@transaction.atomic
def invite(*, user_id: int, by: Any) -> str:
    """Return the path by which the holder sets a password: once, and for a day only.

    Whoever has forgotten the password gets one in the same way, after having been recognised.
    """
    check_city(by, "manage_accounts", _ONLY_SYSTEM)
    user = _locked(user_id)
    if user.pk == by.pk:
        raise Incomplete("不能给自己发邀请。要改密码，请在“我的账号”里修改。")
    if not user.is_active:
        raise WrongState("账号已停用。请先恢复，再发邀请。")
    record("发出邀请", by=by, subject=user)
    key = urlsafe_base64_encode(force_bytes(user.pk))
    return reverse("invitation", args=[key, default_token_generator.make_token(user)])


@transaction.atomic
def lock_account(*, user_id: int, by: Any, reason: str, at: datetime) -> None:
    """Shut an account and end all its sessions; its roles stay as they are."""
    check_city(by, "manage_accounts", _ONLY_SYSTEM)
    user = _locked(user_id)
    if user.pk == by.pk:
        raise Incomplete("不能停用自己的账号，请由另一位系统管理员办理。")
    if not reason.strip():
        raise Incomplete("请写明停用的原因。")
    if not user.is_active:
        raise WrongState("账号已经停用。")
    _lock(user, by=by, reason=reason.strip(), at=at)


def _lock(user: User, *, by: Any, reason: str, at: datetime) -> None:
    user.is_active, user.locked_at, user.locked_by, user.lock_reason = False, at, by, reason
    user.save(update_fields=["is_active", "locked_at", "locked_by", "lock_reason"])
    SignedIn.objects.filter(user_id=user.pk).delete()
    record("停用账号", by=by, subject=user, reason=reason)


@transaction.atomic
def unlock_account(*, user_id: int, by: Any, at: datetime) -> None:
    """Open a locked account again; the days without use count from now."""
    check_city(by, "manage_accounts", _ONLY_SYSTEM)
    user = _locked(user_id)
    if user.is_active:
        raise WrongState("账号没有停用。")
    user.is_active, user.locked_at, user.locked_by, user.lock_reason = True, None, None, ""
    user.last_login = at
    user.save(update_fields=["is_active", "locked_at", "locked_by", "lock_reason", "last_login"])
    record("恢复账号", by=by, subject=user)


@transaction.atomic
def see_off(*, user_id: int, by: Any, at: datetime) -> int:
    """End every role of somebody who leaves, lock the account; return how many roles ended."""
    check_city(by, "manage_accounts", _ONLY_SYSTEM)
    user = _locked(user_id)
    if user.pk == by.pk:
        raise Incomplete("不能办理自己的离任，请由另一位系统管理员办理。")
    grants = list(user.grants.open().select_for_update(of=("self",), no_key=True))
    for grant in grants:
        end(grant, by=by, at=at)
        record("收回角色", by=by, subject=user, county=grant.county, role=grant.role, reason="离任")
    if user.is_active:
        _lock(user, by=by, reason="离任", at=at)
    return len(grants)


@transaction.atomic
def end_sessions(*, user_id: int, by: Any, but: str | None = None) -> int:
    """End a person's sessions, all `but` one; one's own, or anybody's as 系统管理员."""
    if user_id != by.pk:
        check_city(by, "manage_accounts", _ONLY_SYSTEM)
    rows = SignedIn.objects.filter(user_id=user_id).exclude(session_key=but or "")
    ended, _ = rows.delete()
    record("结束会话", by=by, subject=User.objects.get(pk=user_id), sessions=ended)
    return ended


@transaction.atomic
def lock_the_idle(*, at: datetime) -> int:
    """Lock accounts that nobody has used for as long as the settings say; return how many."""
    days = settings.ACCOUNT_IDLE_DAYS
    before = at - timedelta(days=days)
    idle = User.objects.filter(
        Q(last_login__lt=before) | Q(last_login=None, joined_at__lt=before),
        is_active=True, is_demo=False,
    ).select_for_update(of=("self",), no_key=True, skip_locked=True)  # fmt: skip
    people = list(idle)
    for user in people:
        _lock(user, by=None, reason=IDLE.format(days=days), at=at)
    return len(people)


def _locked(user_id: int) -> User:
    return User.objects.select_for_update(of=("self",), no_key=True).get(pk=user_id)
