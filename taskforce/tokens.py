"""Let programs of the city read the interface: with a token, within its scopes, until its day."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from shuozhou_mines.errors import Incomplete, WrongState
from taskforce.models import ApiToken, User
from taskforce.permissions import check_city
from taskforce.trail import record

# What a scope opens, for reading only.
SCOPES = {
    "mines": ("台账", ("/api/mines/",)),
    "schema": ("接口说明", ("/api/schema/",)),
}
MOST_DAYS = 365
_ONLY_SECURITY = "只有安全管理员可以签发和吊销令牌。"


@transaction.atomic
def make_token(
    *, user_id: int, name: str, scopes: list[str], days: int, by: Any, at: datetime
) -> str:
    """Return a new token, the only time it is ever seen. Raises NotAllowed, Incomplete."""
    check_city(by, "manage_rights", _ONLY_SECURITY)
    if user_id == by.pk:
        raise Incomplete("不能给自己签发令牌，请由另一位安全管理员办理。")
    if not name.strip() or not scopes or not set(scopes) <= SCOPES.keys():
        raise Incomplete("请写明用途，并至少选一个范围。")
    if not 1 <= days <= MOST_DAYS:
        raise Incomplete(f"有效期为 1 至 {MOST_DAYS} 天。")
    person = User.objects.get(pk=user_id)
    token = secrets.token_urlsafe(32)
    made = ApiToken.objects.create(
        user=person, name=name.strip(), digest=digest_of(token), scopes=sorted(scopes),
        made_at=at, expires_at=at + timedelta(days=days),
    )  # fmt: skip
    record("签发令牌", by=by, subject=made, user=person.username, scopes=made.scopes, days=days)
    return token


@transaction.atomic
def revoke_token(*, token_id: int, by: Any, at: datetime) -> None:
    """End a token at once. Raises NotAllowed, WrongState."""
    check_city(by, "manage_rights", _ONLY_SECURITY)
    token = ApiToken.objects.select_for_update(of=("self",)).get(pk=token_id)
    if token.revoked_at is not None:
        raise WrongState("令牌已经吊销。")
    token.revoked_at = at
    token.save(update_fields=["revoked_at"])
    record("吊销令牌", by=by, subject=token)


def digest_of(token: str) -> str:
    """Return what is kept of a token; it is random enough to need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


class TokenAuthentication(BaseAuthentication):
    """Take `Authorization: Token …` for the person whose rights the token carries."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """Return person and token; None without a token. Raises AuthenticationFailed."""
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "token":
            return None
        now = timezone.now()
        token = (
            ApiToken.objects.select_related("user")
            .filter(digest=digest_of(given.strip()), revoked_at=None, expires_at__gt=now)
            .filter(user__is_active=True)
            .first()
        )
        if token is None:
            raise AuthenticationFailed("令牌不对、已到期或已吊销。请向市专班办公室重新申请。")
        opened = tuple(place for scope in token.scopes for place in SCOPES[scope][1])
        if request.method not in ("GET", "HEAD") or not request.path.startswith(opened):
            record("令牌越权", by=token.user, subject=token, result="refused", path=request.path)
            raise PermissionDenied("这个令牌只能读取签发时写明的范围。")
        if token.used_at is None or now - token.used_at > timedelta(minutes=5):
            ApiToken.objects.filter(pk=token.pk).update(used_at=now)
        return token.user, token

    def authenticate_header(self, _request: Request) -> str:
        """Name the kind of credentials for the 401."""
        return "Token"


class TokenInDescription(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Say in the interface's description how a token is sent."""

    target_class = "taskforce.tokens.TokenAuthentication"
    name = "token"

    def get_security_definition(self, _schema: Any) -> dict[str, str]:
        """Return the scheme of OpenAPI."""
        words = "请求头 Authorization: Token 加令牌；令牌由安全管理员签发，只读。"
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": words}


class TokenThrottle(SimpleRateThrottle):
    """Limit each token by itself; people with a session are not counted here."""

    scope = "token"

    def get_rate(self) -> str:
        """Return the rate of the settings, such as 120/min."""
        return str(settings.TOKEN_RATE)

    def get_cache_key(self, request: Request, _view: Any) -> str | None:
        """Return whose requests are counted together."""
        return f"token-{request.auth.pk}" if isinstance(request.auth, ApiToken) else None
