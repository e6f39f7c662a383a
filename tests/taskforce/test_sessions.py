"""Let sessions end in time, ask again before what is dangerous, hold passwords to the rules."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.conf import settings as django_settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from taskforce.models import SignedIn, TrailEntry, User
from taskforce.schedule import tend_accounts
from taskforce.session_rules import DANGEROUS

GOOD = "Kx7-blue-lantern-42"
OTHER = "Qm3-green-harbour-77"


@pytest.fixture
def office(people) -> User:
    """Return somebody of the office who has a password."""
    people["office"].set_password(GOOD)
    people["office"].save()
    return people["office"]


def enter(username: str, **meta: str) -> Client:
    client = Client(**meta)
    typed = {"username": username, "password": GOOD}
    assert client.post(reverse("sign-in"), typed).status_code == 302
    return client


def age(client: Client, **minutes: int) -> None:
    """Make marks of the session older."""
    session = client.session
    for name, by in minutes.items():
        session[name] -= by * 60
    session.save()


@pytest.mark.parametrize(
    ("older", "why"),
    [
        ({"seen": 29}, ""), ({"seen": 31}, "idle"),
        ({"started": 719}, ""), ({"started": 721}, "absolute"),
    ],
)  # fmt: skip
def test_a_session_ends_when_idle_and_after_its_longest_time(office, older, why) -> None:
    client = enter("office")
    age(client, **older)
    answer = client.get(reverse("plan-list"))
    if not why:
        assert answer.status_code == 200
        return
    assert answer["Location"] == f"/sign-in/?ended={why}&next=%2Fstaff%2Fplans%2F"
    said = {"idle": "一段时间没有操作", "absolute": "已满最长时间"}[why]
    assert said in client.get(answer["Location"]).content.decode()
    assert TrailEntry.objects.get(act="会话到期").detail == {"why": why}
    assert client.get(reverse("desk")).status_code == 302
    assert client.get("/").status_code == 200


def test_use_keeps_a_session_awake_and_reading_rarely_writes(office) -> None:
    client = enter("office")
    age(client, seen=20)
    client.get(reverse("desk"))
    assert timezone.now().timestamp() - client.session["seen"] < 60
    kept = client.session["seen"]
    client.get(reverse("desk"))
    assert client.session["seen"] == kept


def test_own_sessions_are_listed_and_ended(office) -> None:
    here = enter("office", REMOTE_ADDR="198.51.100.7", HTTP_USER_AGENT="Firefox 中")
    there = enter("office", REMOTE_ADDR="198.51.100.8", HTTP_USER_AGENT="<b>Chrome</b>")
    page = here.get(reverse("my-account")).content.decode()
    assert "198.51.100.7" in page
    assert "198.51.100.8" in page
    assert "&lt;b&gt;Chrome" in page
    assert "（本次）" in page
    assert here.post(reverse("sessions-end")).status_code == 302
    assert here.get(reverse("desk")).status_code == 200
    assert there.get(reverse("desk")).status_code == 302
    assert SignedIn.objects.filter(user_id=office.pk).count() == 1


def test_dangerous_steps_ask_again_and_lose_nothing(people, counties) -> None:
    security, expert = people["security_admin"], people["expert"]
    security.set_password(GOOD)
    security.save()
    client = enter("security_admin")
    typed = {"role": "inspector", "starts_on": "2025-09-01", "reason": "组建<通知>"}
    url = reverse("role-grant", args=[expert.pk])
    age(client, confirmed=16)
    key = client.session.session_key
    asked = client.post(url, typed)
    page = asked.content.decode()
    assert asked.status_code == 200
    assert "请再输一次密码" in page
    assert 'name="reason" value="组建&lt;通知&gt;"' in page
    assert expert.grants.count() == 1
    wrong = client.post(url, {**typed, "_password": "wrong"})
    assert "密码不对" in wrong.content.decode()
    assert expert.grants.count() == 1
    assert client.post(url, {**typed, "_password": GOOD}).status_code == 302
    assert expert.grants.filter(role="inspector", reason="组建<通知>").count() == 1
    assert client.session.session_key != key
    # Reading never asks.
    age(client, confirmed=16)
    assert client.get(reverse("account-list")).status_code == 200


def test_every_dangerous_step_is_an_address_that_takes_posts() -> None:
    text = (django_settings.BASE_DIR / "docs" / "permissions.md").read_text(encoding="utf-8")
    assert [name for name in sorted(DANGEROUS) if f"| `{name}` | POST |" not in text] == []


def test_guessing_at_the_second_question_locks_too(people) -> None:
    people["security_admin"].set_password(GOOD)
    people["security_admin"].save()
    client = enter("security_admin")
    age(client, confirmed=16)
    url = reverse("role-grant", args=[people["expert"].pk])
    answers = [client.post(url, {"_password": f"wrong{n}"}).status_code for n in range(6)]
    assert answers[:4] == [200] * 4
    assert answers[-1] == 429


def test_a_new_password_ends_the_other_sessions(office) -> None:
    here, there = enter("office"), enter("office")
    typed = {"old_password": GOOD, "new_password1": OTHER, "new_password2": OTHER}
    wrong = here.post(reverse("password-change"), {**typed, "old_password": "no"})
    assert wrong.status_code == 200
    assert here.post(reverse("password-change"), typed).status_code == 302
    assert here.get(reverse("desk")).status_code == 200
    assert there.get(reverse("desk")).status_code == 302
    # Neither this one nor the last one again.
    for again in (OTHER, GOOD):
        said = here.post(
            reverse("password-change"),
            {"old_password": OTHER, "new_password1": again, "new_password2": again},
        )
        assert "最近用过" in said.content.decode()


def test_an_old_password_must_be_changed_first(office, settings) -> None:
    client = enter("office")
    for days, name in ((89, None), (91, "password-change")):
        User.objects.update(password_set_at=timezone.now() - timedelta(days=days))
        answer = client.get(reverse("desk"))
        assert answer.status_code == (302 if name else 200)
    assert answer["Location"] == reverse("password-change")
    assert client.get(reverse("password-change")).status_code == 200
    assert client.get("/").status_code == 200
    assert client.post(reverse("logout")).status_code == 302
    settings.PASSWORD_MAX_AGE_DAYS = 0
    assert enter("office").get(reverse("desk")).status_code == 200


@pytest.mark.parametrize(
    ("password", "refused"),
    [
        (GOOD, False), ("Short-1x", True), ("alllowercaseletters", True),
        ("password123456", True), ("123456789012345", True), ("Feimei-kuangshan-1", True),
        ("平鲁区的春天-Ab1-xyz", True), ("Ab1-" + "春眠不觉晓" * 12, False),
    ],
)  # fmt: skip
def test_passwords_are_held_to_the_rules(password, refused) -> None:
    if refused:
        with pytest.raises(ValidationError):
            validate_password(password, User(username="x", name="y"))
    else:
        validate_password(password, User(username="x", name="y"))


def test_a_fixed_session_is_not_taken_over(office) -> None:
    client = Client()
    client.cookies[django_settings.SESSION_COOKIE_NAME] = "a" * 32
    client.post(reverse("sign-in"), {"username": "office", "password": GOOD})
    assert client.cookies[django_settings.SESSION_COOKIE_NAME].value != "a" * 32
    assert not SignedIn.objects.filter(session_key="a" * 32).exists()


def test_what_was_typed_at_the_door_is_forgotten_after_a_week(people) -> None:
    typed = {"username": "typed-by-mistake", "password": "wrong"}
    for days, left in ((8, 0), (6, 1)):
        AccessAttempt.objects.all().delete()
        Client().post(reverse("sign-in"), typed)
        AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(days=days))
        SignedIn.objects.create(
            session_key=f"over{days}", session_data="", expire_date=timezone.now()
        )
        tend_accounts(timezone.now())
        assert AccessAttempt.objects.count() == left, days
        assert not SignedIn.objects.filter(session_key=f"over{days}").exists()
