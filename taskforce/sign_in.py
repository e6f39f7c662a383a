"""Let people in and out by one door, set passwords, and write each time down."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import views
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator

from taskforce.models import TrailEntry, User
from taskforce.trail import record


class SignIn(views.LoginView):
    """Ask for account and password; the only way in."""

    redirect_authenticated_user = True

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(ended=self.request.GET.get("ended", ""), **more)

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


class ChangePassword(views.PasswordChangeView):
    """Set a new password with the old one; every other session of this person ends."""

    template_name = "taskforce/password.html"
    success_url = reverse_lazy("my-account")
    extra_context = {"is_invitation": False}

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        record("修改密码", by=self.request.user)
        messages.success(self.request, "密码已修改，其他地方的会话已经结束。")
        return answer


@method_decorator(login_not_required, name="dispatch")
class AcceptInvitation(views.PasswordResetConfirmView):
    """Set a password by an invitation; Django keeps the token out of the page's address."""

    template_name = "taskforce/password.html"
    success_url = reverse_lazy("sign-in")
    extra_context = {"is_invitation": True}

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        record("按邀请设置密码", by=self.user)
        return answer
