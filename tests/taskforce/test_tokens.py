"""Let a program in with a token: within its scopes, while it holds, not too often."""

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from shuozhou_mines.errors import Incomplete, NotAllowed
from taskforce.models import ApiToken, TrailEntry
from taskforce.tokens import make_token
from tests.conftest import SHUOCHENG
from tests.factories import make_mine

BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def token(people) -> str:
    """Return a token with the rights of the clerk of 朔城区."""
    cache.clear()
    return make_token(
        user_id=people["county_clerk"].pk, name="市大数据平台", scopes=["mines"], days=30,
        by=people["security_admin"], at=timezone.now(),
    )  # fmt: skip


def ask(token: str, path: str = "", method: str = "get"):
    head = {"Authorization": f"Token {token}"}
    return getattr(Client(headers=head), method)(path or reverse("mine-api-list"))


def test_a_token_reads_what_its_person_may_read(token, people, counties) -> None:
    make_mine(counties[SHUOCHENG], 1)
    make_mine(counties["140603"], 1)
    answer = ask(token)
    assert answer.status_code == 200
    assert [row["registry_no"] for row in answer.json()["results"]] == [f"SZ-{SHUOCHENG}-0001"]
    assert ask(token, reverse("mine-api-detail", args=["SZ-140603-0001"])).status_code == 404
    kept = ApiToken.objects.get()
    assert kept.used_at is not None
    assert token not in str(ApiToken.objects.values())
    assert token not in str(list(TrailEntry.objects.values()))


def test_a_token_does_nothing_else(token) -> None:
    assert ask(token, method="post").status_code == 403
    assert ask(token, reverse("api-schema")).status_code == 403
    # Pages take no tokens.
    assert ask(token, reverse("mine-list")).status_code == 302
    entry = TrailEntry.objects.filter(act="令牌越权").earliest("pk")
    assert (entry.by.username, entry.result) == ("county_clerk", "refused")


def test_a_token_ends(token, people) -> None:
    clerk, kept = people["county_clerk"], ApiToken.objects.get()
    for change, back in (
        ({"expires_at": timezone.now()}, {"expires_at": kept.expires_at}),
        ({"revoked_at": timezone.now()}, {"revoked_at": None}),
    ):
        ApiToken.objects.update(made_at=timezone.now() - timedelta(days=1), **change)
        assert ask(token).status_code == 403, change
        ApiToken.objects.update(**back)
        assert ask(token).status_code == 200
    clerk.is_active = False
    clerk.save()
    assert ask(token).status_code == 403
    for wrong in ("", "x", token[:-1], token.swapcase()):
        assert ask(wrong).status_code == 403


def test_a_token_is_held_to_its_rate(token, settings) -> None:
    settings.TOKEN_RATE = "3/min"
    assert [ask(token).status_code for _ in range(4)] == [200, 200, 200, 429]


def test_tokens_are_made_and_revoked_on_the_page(people) -> None:
    security = Client()
    security.force_login(people["security_admin"], BACKEND)
    url = reverse("token-new", args=[people["county_clerk"].pk])
    page = security.post(url, {"name": "平台", "scopes": ["mines"], "days": "30"}).content.decode()
    token = re.search(r"<code>([\w-]{43})</code>", page)[1]
    assert ask(token).status_code == 200
    shown = security.get(reverse("account", args=[people["county_clerk"].pk])).content.decode()
    assert "平台" in shown
    assert token not in shown
    revoke = reverse("token-revoke", args=[ApiToken.objects.get().pk])
    assert security.post(revoke).status_code == 302
    assert security.post(revoke).status_code == 409
    assert ask(token).status_code == 403
    for typed in (
        {"name": "", "scopes": ["mines"], "days": "30"}, {"name": "a", "days": "30"},
        {"name": "a", "scopes": ["all"], "days": "30"},
        {"name": "a", "scopes": ["mines"], "days": "366"},
        {"name": "a", "scopes": ["mines"], "days": "many"},
    ):  # fmt: skip
        assert security.post(url, typed).status_code == 409, typed
    assert ApiToken.objects.count() == 1


def test_only_another_person_of_security_makes_tokens(people) -> None:
    given = {"name": "a", "scopes": ["mines"], "days": 1, "at": timezone.now()}
    with pytest.raises(NotAllowed):
        make_token(user_id=people["office"].pk, by=people["system_admin"], **given)
    with pytest.raises(Incomplete, match="不能给自己"):
        make_token(user_id=people["security_admin"].pk, by=people["security_admin"], **given)
