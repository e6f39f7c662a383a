"""Open accounts, give and end roles, and see that nobody serves himself."""

import re
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from shuozhou_mines.errors import Incomplete, NotAllowed, WrongState
from taskforce.actions import follow_the_days, grant_role, withdraw_role
from taskforce.models import Appointment, RoleGrant, SignedIn, TaskForce, TrailEntry, User
from taskforce.permissions import can, can_city
from taskforce.roles import Role
from taskforce.schedule import tend_accounts
from tests.conftest import PINGLU, SHUOCHENG, make_person

BACKEND = "django.contrib.auth.backends.ModelBackend"
GOOD = "Kx7-blue-lantern-42"


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person, BACKEND)
    return client


def fresh(person: User) -> User:
    """Return the person without what was remembered about the rights."""
    return User.objects.get(pk=person.pk)


def test_an_invited_person_sets_a_password_once_and_comes_in(people) -> None:
    admin = signed_in(people["system_admin"])
    typed = {"username": "li.si", "name": "李四", "email": "li@example.org"}
    made = admin.post(reverse("account-new"), typed)
    person = User.objects.get(username="li.si")
    assert made["Location"] == reverse("account", args=[person.pk])
    assert not person.has_usable_password()
    again = admin.post(reverse("account-new"), typed)
    assert again.status_code == 422
    assert "已经有人使用" in again.content.decode()
    page = admin.post(reverse("account-step", args=[person.pk, "invite"])).content.decode()
    link = re.search(r"http://testserver(/invitation/\S+?/)<", page)[1]
    assert link not in admin.get(made["Location"]).content.decode()
    guest = Client()
    form_at = guest.get(link)["Location"]
    weak = guest.post(form_at, {"new_password1": "shuozhou2026", "new_password2": "shuozhou2026"})
    said = weak.content.decode()
    assert "至少 3 种" in said
    assert "地名" in said
    assert guest.post(form_at, {"new_password1": GOOD, "new_password2": GOOD}).status_code == 302
    assert "不能用了" in Client().get(link, follow=True).content.decode()
    entered = Client().post(reverse("sign-in"), {"username": "li.si", "password": GOOD})
    assert entered.status_code == 302
    acts = TrailEntry.objects.filter(subject_id=person.pk, subject_type="taskforce.user")
    assert list(acts.order_by("pk").values_list("act", flat=True)) == [
        "开通账号", "发出邀请", "查看账号资料",
    ]  # fmt: skip
    assert GOOD not in str(list(TrailEntry.objects.values()))


def test_roles_begin_and_end_on_their_days(people, counties) -> None:
    today = timezone.localdate()
    person, by = people["expert"], people["security_admin"]
    grant_role(
        to=person, role=Role.COUNTY_CLERK, county=counties[SHUOCHENG], by=by,
        starts_on=today + timedelta(days=2), ends_on=today + timedelta(days=3),
    )  # fmt: skip
    seen = []
    for days in range(5):
        at = timezone.now() + timedelta(days=days)
        follow_the_days(at=at)
        assert follow_the_days(at=at) == 0
        seen.append(can(fresh(person), "draft_plan", SHUOCHENG))
    assert seen == [False, False, True, True, False]
    acts = list(TrailEntry.objects.filter(subject_id=person.pk).values_list("act", flat=True))
    assert acts[:3] == ["角色到期", "角色生效", "授予角色"]


def test_leaving_a_post_ends_its_rights(people, counties) -> None:
    today = timezone.localdate()
    post = Appointment.objects.create(
        task_force=TaskForce.objects.get(county=None), post="成员", holder="某人",
        starts_on=today - timedelta(days=9),
    )  # fmt: skip
    person = people["expert"]
    grant_role(to=person, role=Role.INSPECTOR, by=people["security_admin"], appointment=post)
    assert can(fresh(person), "inspect", PINGLU)
    post.ends_on = today - timedelta(days=1)
    post.save()
    tend_accounts(timezone.now())
    assert not can(fresh(person), "inspect", PINGLU)


def test_who_leaves_is_out_at_once(people) -> None:
    clerk = people["county_clerk"]
    client = signed_in(clerk)
    assert client.get(reverse("desk")).status_code == 200
    admin = signed_in(people["system_admin"])
    assert admin.post(reverse("account-step", args=[clerk.pk, "leave"])).status_code == 302
    assert client.get(reverse("desk")).status_code == 302
    assert not can(fresh(clerk), "draft_plan", SHUOCHENG)
    assert SignedIn.objects.filter(user_id=clerk.pk).count() == 0
    assert RoleGrant.objects.open().filter(user=clerk).count() == 0
    page = admin.get(reverse("account", args=[clerk.pk])).content.decode()
    assert "离任" in page


def test_locking_and_unlocking(people) -> None:
    clerk, admin = people["county_clerk"], signed_in(people["system_admin"])
    assert admin.post(reverse("account-step", args=[clerk.pk, "lock"])).status_code == 409
    admin.post(reverse("account-step", args=[clerk.pk, "lock"]), {"reason": "借给他人"})
    assert fresh(clerk).lock_reason == "借给他人"
    assert admin.post(reverse("account-step", args=[clerk.pk, "invite"])).status_code == 409
    admin.post(reverse("account-step", args=[clerk.pk, "unlock"]))
    assert fresh(clerk).is_active
    assert can(fresh(clerk), "draft_plan", SHUOCHENG)
    assert admin.post(reverse("account-step", args=[clerk.pk, "explode"])).status_code == 404


def test_nobody_administers_himself(people, counties) -> None:
    security, system = people["security_admin"], people["system_admin"]
    with pytest.raises(Incomplete, match="不能给自己授权"):
        grant_role(to=security, role=Role.SECURITY_ADMIN, by=security)
    own = security.grants.get()
    with pytest.raises(Incomplete, match="不能收回自己的授权"):
        withdraw_role(grant_id=own.pk, by=security, reason="", at=timezone.now())
    client = signed_in(system)
    for step in ("lock", "leave", "invite"):
        answer = client.post(reverse("account-step", args=[system.pk, step]), {"reason": "x"})
        assert answer.status_code == 409, step
    assert fresh(system).is_active
    for person in (people["office"], system, people["audit_admin"]):
        with pytest.raises(NotAllowed, match="只有安全管理员"):
            grant_role(to=people["expert"], role=Role.OFFICE, by=person)


def test_a_role_is_given_and_taken_back_on_the_page(people, counties) -> None:
    security, person = signed_in(people["security_admin"]), people["expert"]
    typed = {
        "role": "county_clerk", "county": PINGLU, "reason": "平政函1号",
        "starts_on": timezone.localdate().isoformat(),
    }  # fmt: skip
    assert security.post(reverse("role-grant", args=[person.pk]), typed).status_code == 302
    assert can(fresh(person), "draft_plan", PINGLU)
    twice = security.post(reverse("role-grant", args=[person.pk]), typed)
    assert twice.status_code == 422
    assert "已经有这个角色" in twice.content.decode()
    wrong = security.post(reverse("role-grant", args=[person.pk]), {**typed, "role": "office"})
    assert "市级角色请选" in wrong.content.decode()
    grant = person.grants.get(county=PINGLU)
    assert security.post(reverse("role-withdraw", args=[grant.pk])).status_code == 302
    assert not can(fresh(person), "draft_plan", PINGLU)
    assert security.post(reverse("role-withdraw", args=[grant.pk])).status_code == 409
    acts = list(TrailEntry.objects.filter(subject_id=person.pk).values_list("act", flat=True))
    assert acts[:2] == ["收回角色", "授予角色"]


def test_the_page_says_why_somebody_sees_what(people, counties) -> None:
    person = people["expert"]
    grant_role(
        to=person, role=Role.COUNTY_LEADER, county=counties[PINGLU], by=people["security_admin"],
        ends_on=timezone.localdate() + timedelta(days=9), reason="平政函〔2025〕3号",
    )  # fmt: skip
    page = signed_in(people["audit_admin"]).get(reverse("account", args=[person.pk]))
    text = page.content.decode()
    words = ("审定并报送方案", "平鲁区", "县级分管领导", "安全管理员测试员", "平政函〔2025〕3号")
    for word in words:
        assert word in text
    reasons = page.context["reasons"]
    assert {reason.place for reason in reasons} == {"平鲁区"}
    none = signed_in(people["audit_admin"]).get(
        reverse("account", args=[person.pk]), {"county": SHUOCHENG}
    )
    assert none.context["reasons"] == []
    own = signed_in(person).get(reverse("my-account")).content.decode()
    assert "审定并报送方案" in own
    office = signed_in(people["office"]).get(reverse("my-account")).content.decode()
    assert "系统初始化" in office
    assert "没有对应的授权记录" not in office


def test_idle_accounts_are_locked_and_a_new_or_used_one_is_not(people, settings) -> None:
    settings.ACCOUNT_IDLE_DAYS = 90
    now = timezone.now()
    for name in ("expert", "office", "inspector"):
        assert people[name].is_active
    User.objects.update(joined_at=now - timedelta(days=200), last_login=now)
    for name, used in (("expert", 91), ("office", 89)):
        User.objects.filter(pk=people[name].pk).update(last_login=now - timedelta(days=used))
    User.objects.filter(pk=people["inspector"].pk).update(last_login=None)
    new = make_person("newcomer", Role.EXPERT)
    tend_accounts(now)
    active = {each.username: each.is_active for each in User.objects.exclude(is_active=False)}
    assert {"office", "newcomer"} <= active.keys()
    assert {"expert", "inspector"}.isdisjoint(active)
    assert fresh(people["expert"]).lock_reason == "连续 90 天没有登录"
    assert fresh(new).is_active
    entry = TrailEntry.objects.filter(act="停用账号", subject_id=people["expert"].pk).get()
    assert entry.by is None


def test_the_three_pages_are_for_the_three(people) -> None:
    assert people["security_admin"].is_active
    for name, opens in (("system_admin", True), ("security_admin", False), ("audit_admin", False)):
        page = signed_in(people[name]).get(reverse("account-list")).content.decode()
        assert ("开通账号" in page) is opens
    found = signed_in(people["audit_admin"]).get(reverse("account-list"), {"q": "安全"})
    assert [each.username for each, _ in found.context["rows"]] == ["security_admin"]


def test_a_role_already_ended_stays_ended(people) -> None:
    grant = people["office"].grants.get()
    withdraw_role(grant_id=grant.pk, by=people["security_admin"], reason="调离", at=timezone.now())
    with pytest.raises(WrongState, match="已经终止"):
        withdraw_role(grant_id=grant.pk, by=people["security_admin"], reason="", at=timezone.now())
    assert follow_the_days(at=datetime.now(tz=timezone.get_default_timezone())) == 0
    assert not can_city(fresh(people["office"]), "issue_bulletin")
