"""Hold sessions to their rules: idle and absolute end, password age, the password asked again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import authenticate, logout
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from taskforce.sessions import ADDRESS, AGENT, CONFIRMED, SEEN, STARTED
from taskforce.trail import address_of_request, record

Answer = Callable[[HttpRequest], HttpResponse]
PASSWORD_FIELD = "_password"  # noqa: S105  the name of a field
# Steps that a session left open on a desk must not be able to take.
DANGEROUS = frozenset({
    "account-new", "account-step", "role-grant", "role-withdraw", "token-new", "token-revoke",
    "plan-step", "plan-approve", "plan-issue", "notice-new", "notice-withdraw", "bulletin-issue",
    "bulletin-approve", "rulebook-approve", "objection-identity",
})  # fmt: skip
_OPEN_WITH_OLD_PASSWORD = ("password-change", "logout")


def mark_new_session(request: HttpRequest, **_more: Any) -> None:
    """Write into a new session when it began and from where."""
    now = timezone.now().timestamp()
    request.session.update({
        STARTED: now, SEEN: now, CONFIRMED: now, ADDRESS: address_of_request.get(),
        AGENT: request.META.get("HTTP_USER_AGENT", "")[:200],
    })  # fmt: skip


user_logged_in.connect(mark_new_session, dispatch_uid="taskforce.mark_new_session")


class HoldSessionsToRules:
    """End what is too old, and ask for the password where the rules want it."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and (why := _over(request)):
            record("会话到期", by=request.user, why=why)
            logout(request)
            if request.path.startswith("/staff/"):
                again = {"next": request.get_full_path()} if request.method == "GET" else {}
                return redirect(f"{reverse('sign-in')}?{urlencode({'ended': why, **again})}")
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, _view: Any, _args: Any, _kwargs: Any
    ) -> HttpResponse | None:
        """Send to the change of an old password; ask again before a dangerous step."""
        match = request.resolver_match
        if not request.user.is_authenticated or match is None:
            return None
        name = match.url_name or ""
        if _password_is_old(request.user) and name not in _OPEN_WITH_OLD_PASSWORD:
            return redirect("password-change") if request.path.startswith("/staff/") else None
        if name in DANGEROUS and request.method == "POST" and not _confirmed(request):
            return _ask_again(request)
        return None


def _over(request: HttpRequest) -> str:
    """Return why this session is over, empty while it is not; note that it is in use."""
    now, kept = timezone.now().timestamp(), request.session
    started, seen = kept.get(STARTED, 0), kept.get(SEEN, 0)
    if now - started > settings.SESSION_COOKIE_AGE:
        return "absolute"
    if now - seen > settings.SESSION_IDLE_MINUTES * 60:
        return "idle"
    if now - seen > 60:  # not at every click: reading shall write nothing
        kept[SEEN] = now
    return ""


def _password_is_old(user: Any) -> bool:
    days = settings.PASSWORD_MAX_AGE_DAYS
    if not days or user.is_demo or not user.has_usable_password():
        return False
    set_at = user.password_set_at or user.joined_at
    return bool(timezone.now() - set_at > timedelta(days=days))


def _confirmed(request: HttpRequest) -> bool:
    """Tell whether the password was given lately, or is given right now with the step."""
    age = timezone.now().timestamp() - request.session.get(CONFIRMED, 0)
    if age <= settings.CONFIRMED_MINUTES * 60:
        return True
    typed = request.POST.get(PASSWORD_FIELD, "")
    user: Any = request.user
    if not typed or authenticate(request, username=user.username, password=typed) is None:
        return False
    request.session.cycle_key()
    request.session[CONFIRMED] = timezone.now().timestamp()
    record("再次确认身份", by=request.user)
    return True


def _ask_again(request: HttpRequest) -> HttpResponse:
    """Show the question with everything that was sent, so that nothing typed is lost."""
    kept = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name not in (PASSWORD_FIELD, "csrfmiddlewaretoken")
    ]
    is_wrong = PASSWORD_FIELD in request.POST
    context = {"kept": kept, "is_wrong": is_wrong, "has_files": bool(request.FILES)}
    return render(request, "taskforce/confirm.html", context)
