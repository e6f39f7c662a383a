"""Show a person's own account: roles, why they may do what, sessions."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from taskforce.account_actions import end_sessions
from taskforce.explaining import explain
from taskforce.models import SignedIn, User


@require_GET
def my_account(request: HttpRequest) -> HttpResponse:
    """Show who one is here, what one may do and why, and where one is signed in."""
    person = User.objects.select_related("organization").get(pk=request.user.pk or 0)
    sessions = SignedIn.objects.filter(user_id=person.pk, expire_date__gt=timezone.now())
    return render(
        request,
        "taskforce/my_account.html",
        {
            "person": person,
            "grants": person.grants.open().select_related("county"),
            "reasons": explain(person, on=timezone.localdate()),
            "sessions": sessions.order_by("-started_at"),
            "current": request.session.session_key or "",
        },
    )


@require_POST
def sessions_end(request: HttpRequest) -> HttpResponse:
    """End one's sessions everywhere but here."""
    ended = end_sessions(
        user_id=int(request.user.pk or 0), by=request.user, but=request.session.session_key
    )
    messages.success(request, f"已结束其他 {ended} 个会话。")
    return redirect("my-account")
