"""Let people in and out by one door, and write down each time, also when it stayed shut."""

from typing import Any

from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse

from taskforce.models import TrailEntry, User
from taskforce.trail import record


class SignIn(views.LoginView):
    """Ask for account and password; the only way in."""

    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        answer = super().form_valid(form)
        record("登录", by=form.get_user())
        return answer

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        # What was typed stays out of the trail: it may be a password in the wrong field.
        known = User.objects.filter(username=form.data.get("username", "")[:60]).first()
        record(
            "登录失败",
            by=None,
            subject=known,
            result=TrailEntry.Result.REFUSED,
            account="known" if known else "unknown",
            locked=getattr(self.request, "axes_locked_out", False) is True,
        )
        return super().form_invalid(form)


class SignOut(views.LogoutView):
    """End the session, and have the browser forget what it kept of the pages."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        person = request.user
        answer = super().post(request, *args, **kwargs)
        if person.is_authenticated:
            record("退出登录", by=person)
        answer["Clear-Site-Data"] = '"cache", "storage"'
        return answer
