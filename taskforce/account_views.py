"""Show accounts and roles to the three administrators, and take what they decide."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuozhou_mines.errors import Refused
from taskforce import account_actions
from taskforce.account_forms import AccountForm, GrantForm
from taskforce.actions import grant_role, withdraw_role
from taskforce.explaining import explain
from taskforce.models import ApiToken, County, RoleGrant, SignedIn, User
from taskforce.permissions import can_city
from taskforce.roles import Role
from taskforce.tokens import SCOPES, make_token, revoke_token
from taskforce.trail import record

PER_PAGE = 50


@require_GET
def account_list(request: HttpRequest) -> HttpResponse:
    """List accounts with their roles."""
    _only(request, "manage_accounts", "manage_rights", "read_trail")
    q = request.GET.get("q", "").strip()[:60]
    people = User.objects.exclude(username="AnonymousUser").select_related("organization")
    if q:
        people = people.filter(Q(username__icontains=q) | Q(name__icontains=q))
    page = Paginator(people, PER_PAGE).get_page(request.GET.get("page"))
    roles: dict[int, list[RoleGrant]] = {}
    shown = [each.pk for each in page]
    for grant in RoleGrant.objects.open().filter(user__in=shown).select_related("county"):
        roles.setdefault(grant.user_id, []).append(grant)
    return render(
        request,
        "taskforce/accounts.html",
        {
            "page_obj": page,
            "rows": [(each, roles.get(each.pk, [])) for each in page],
            "q": q,
            "query": f"q={q}&" if q else "",
            "may_open": can_city(request.user, "manage_accounts"),
        },
    )


@require_http_methods(["GET", "POST"])
def account_new(request: HttpRequest) -> HttpResponse:
    """Open an account."""
    _only(request, "manage_accounts")
    form = AccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = account_actions.open_account(
                by=request.user, at=timezone.now(), **form.cleaned_data
            )
        except Refused as refusal:
            form.add_error("username", refusal.message)
        else:
            messages.success(request, "账号已开通。请生成邀请链接，当面或通过公文系统交给本人。")
            return redirect("account", user.pk)
    status = 422 if form.is_bound else 200
    return render(request, "taskforce/account_new.html", {"form": form}, status=status)


@require_GET
def account(request: HttpRequest, user_id: int) -> HttpResponse:
    """Show one account: its roles, why it may do what, and the sessions; the look is kept."""
    _only(request, "manage_accounts", "manage_rights", "read_trail")
    person = _person(user_id)
    if person != request.user:
        record("查看账号资料", by=request.user, subject=person)
    return _account_page(request, person, GrantForm())


def _account_page(
    request: HttpRequest,
    person: User,
    form: GrantForm,
    *,
    link: str = "",
    token: str = "",
    status: int = 200,
) -> HttpResponse:
    county = request.GET.get("county", "")
    context = {
        "person": person,
        "link": link,
        "token": token,
        "tokens": person.tokens.all(),
        "scopes": [(key, label) for key, (label, _) in SCOPES.items()],
        "now": timezone.now(),
        "form": form,
        "grants": person.grants.select_related("county", "given_by", "ended_by", "appointment"),
        "reasons": explain(person, on=timezone.localdate(), county=county),
        "counties": County.objects.all(),
        "county": county,
        "sessions": SignedIn.objects.filter(
            user_id=person.pk, expire_date__gt=timezone.now()
        ).order_by("-started_at"),
        "may_manage": can_city(request.user, "manage_accounts") and person != request.user,
        "may_grant": can_city(request.user, "manage_rights") and person != request.user,
    }
    return render(request, "taskforce/account.html", context, status=status)


@require_POST
def account_step(request: HttpRequest, user_id: int, step: str) -> HttpResponse:
    """Invite, lock, unlock, end the sessions of, or see off one person."""
    _only(request, "manage_accounts")
    person, at = _person(user_id), timezone.now()
    if step == "invite":
        path = account_actions.invite(user_id=person.pk, by=request.user)
        # Shown once, here; a redirect would have to keep it somewhere.
        link = request.build_absolute_uri(path)
        return _account_page(request, person, GrantForm(), link=link)
    if step == "lock":
        reason = request.POST.get("reason", "")[:100]
        account_actions.lock_account(user_id=person.pk, by=request.user, reason=reason, at=at)
        messages.success(request, "账号已停用，会话已结束。")
    elif step == "unlock":
        account_actions.unlock_account(user_id=person.pk, by=request.user, at=at)
        messages.success(request, "账号已恢复。")
    elif step == "sessions":
        ended = account_actions.end_sessions(user_id=person.pk, by=request.user)
        messages.success(request, f"已结束 {ended} 个会话。")
    elif step == "leave":
        ended = account_actions.see_off(user_id=person.pk, by=request.user, at=at)
        messages.success(request, f"已办理离任：收回 {ended} 项角色，账号停用。")
    else:
        raise Http404
    return redirect("account", person.pk)


@require_POST
def role_grant(request: HttpRequest, user_id: int) -> HttpResponse:
    """Give a person a role."""
    _only(request, "manage_rights")
    person, form = _person(user_id), GrantForm(request.POST)
    if form.is_valid():
        given: dict[str, Any] = dict(form.cleaned_data)
        given["role"] = Role(given["role"])
        try:
            grant = grant_role(to=person, by=request.user, at=timezone.now(), **given)
        except Refused as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, f"已授予：{grant}。")
            return redirect("account", person.pk)
    return _account_page(request, person, form, status=422)


@require_POST
def role_withdraw(request: HttpRequest, grant_id: int) -> HttpResponse:
    """Take a role back."""
    _only(request, "manage_rights")
    grant = get_object_or_404(RoleGrant, pk=grant_id)
    reason = request.POST.get("reason", "").strip()[:200]
    withdraw_role(grant_id=grant.pk, by=request.user, reason=reason, at=timezone.now())
    messages.success(request, "角色已收回。")
    return redirect("account", grant.user_id)


@require_POST
def token_new(request: HttpRequest, user_id: int) -> HttpResponse:
    """Make a token for a program, and show it once."""
    _only(request, "manage_rights")
    person = _person(user_id)
    days = request.POST.get("days", "")
    token = make_token(
        user_id=person.pk, name=request.POST.get("name", "")[:60],
        scopes=request.POST.getlist("scopes"), days=int(days) if days.isdecimal() else 0,
        by=request.user, at=timezone.now(),
    )  # fmt: skip
    return _account_page(request, person, GrantForm(), token=token)


@require_POST
def token_revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """End a token."""
    _only(request, "manage_rights")
    token = get_object_or_404(ApiToken, pk=token_id)
    revoke_token(token_id=token.pk, by=request.user, at=timezone.now())
    messages.success(request, "令牌已吊销。")
    return redirect("account", token.user_id)


def _only(request: HttpRequest, *rights: str) -> None:
    if not any(can_city(request.user, right) for right in rights):
        raise Http404


def _person(user_id: int) -> User:
    return get_object_or_404(User.objects.exclude(username="AnonymousUser"), pk=user_id)
