"""Share signed-in readers and a handful of mines between the tests of the registry."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from mines.models import Licence, Mine
from standards.terms import Method, MineState, ScaleUnit
from tests.factories import make_mine


@pytest.fixture
def clerk(people) -> Client:
    """Sign in the clerk of 朔城区."""
    return signed_in(people["county_clerk"])


@pytest.fixture
def office(people) -> Client:
    """Sign in a clerk of the city office."""
    return signed_in(people["office"])


def signed_in(user) -> Client:
    """Return a client signed in as this person."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def mines(counties) -> dict[str, Mine]:
    """Register five mines that differ in what the filters ask."""
    shuocheng, pinglu = counties["140602"], counties["140603"]
    today = timezone.localdate()
    mines = {
        "small": make_mine(shuocheng, 1, name="小石场", scale=Decimal("49.9"), at=(112.4, 39.3)),
        "large": make_mine(shuocheng, 2, name="大石场", scale=Decimal(50), at=(112.5, 39.3)),
        "sand": make_mine(shuocheng, 3, name="河湾砂矿", mineral="83993", scale=Decimal(20)),
        "iron": make_mine(
            shuocheng,
            4,
            name="黑岭铁矿",
            mineral="22001",
            method=Method.UNDERGROUND,
            state=MineState.SUSPENDED,
            scale=Decimal(30),
        ),
        "volume": make_mine(
            pinglu,
            5,
            name="平鲁石场",
            scale=Decimal(20),
            unit=ScaleUnit.WAN_M3,
            density=Decimal("2.68"),
        ),
    }
    Licence.objects.filter(mine=mines["small"]).update(
        valid_from=today - timedelta(days=400), valid_to=today - timedelta(days=1)
    )
    Licence.objects.filter(mine=mines["large"]).update(
        valid_from=today - timedelta(days=400), valid_to=today + timedelta(days=30)
    )
    Licence.objects.filter(mine=mines["sand"]).delete()
    return mines
