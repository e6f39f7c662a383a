"""Share what most tests need: the six counties, a person for every role, no way out."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings

from publicity.caching import memory
from taskforce.actions import grant_role
from taskforce.models import County, Organization, User
from taskforce.roles import RIGHTS, Role

SHUOCHENG = "140602"
PINGLU = "140603"


@pytest.fixture(autouse=True)
def _no_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that reaches for any other machine."""
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test reached for {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)


@pytest.fixture(autouse=True)
def _files_of_this_test(settings: Any, tmp_path: Any) -> None:
    """Keep uploads and made documents of each test in its own folder."""
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """Let no test be answered with what another one's pages said."""
    memory.clear()


def load_ground() -> None:
    """Load the shipped rows that every part stands on, without demo data."""
    call_command("load_fixtures", verbosity=0, stdout=_Silent())


class _Silent:
    def write(self, _text: str) -> int:
        return 0


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Load the ground once for each worker; tests roll back to it."""
    with django_db_blocker.unblock(), override_settings(DEMO=False):
        load_ground()


@pytest.fixture
def ground(db: None, settings: Any) -> None:
    """Have counties, bodies, minerals, holidays, rounds and rights in the database."""
    settings.DEMO = False
    # A test with real commits leaves the database empty.
    if not County.objects.exists():
        load_ground()


@pytest.fixture
def counties(ground: None) -> dict[str, County]:
    """Return the counties by code."""
    return {county.code: county for county in County.objects.all()}


class People(dict[str, User]):
    """Give a person for every role by its name, made when first asked for.

    Most tests need two of the sixteen. Whoever wants all of them goes over the names.
    """

    def __init__(self, counties: dict[str, County]) -> None:
        super().__init__()
        self._counties = counties
        self._makers = {role.value: (role, SHUOCHENG) for role in RIGHTS}
        self._makers |= {
            f"other_{role.value}": (role, PINGLU)
            for role, rights in RIGHTS.items()
            if rights.of_one_county
        }
        self._makers["other_member_unit"] = (Role.MEMBER_UNIT, PINGLU)

    def __missing__(self, name: str) -> User:
        role, code = self._makers[name]
        county = self._counties[code] if RIGHTS[role].of_one_county else None
        body = "市生态环境局" if name == "other_member_unit" else ""
        self[name] = person = make_person(name, role, county, body=body)
        return person

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def items(self) -> Any:
        """Make all who are not there yet."""
        return [(name, self[name]) for name in self._makers]

    def values(self) -> Any:
        """Make all who are not there yet."""
        return [self[name] for name in self._makers]


@pytest.fixture
def people(counties: dict[str, County]) -> dict[str, User]:
    """Return one person for every role; county roles in 朔城区, and in 平鲁区 as `other_…`."""
    return make_people(counties)


def make_people(counties: dict[str, County]) -> dict[str, User]:
    """Return the people of the fixture of the same name; the ground holds their rights."""
    return People(counties)


def make_person(username: str, role: Role, county: County | None = None, *, body: str = "") -> User:
    """Make a person with one role; the name of the role is the person's name."""
    user = User(
        username=username,
        name=f"{role.label}测试员",
        organization=Organization.objects.get(name=body) if body else _body_of(role, county),
    )
    user.set_unusable_password()
    user.save()
    grant_role(to=user, role=role, county=county)
    return user


def _body_of(role: Role, county: County | None) -> Organization | None:
    if county is not None:
        return Organization.objects.get(county=county)
    name = {
        Role.OFFICE: "朔州市非煤行业管理及综合整治整合工作专班办公室",
        Role.MEMBER_UNIT: "市应急管理局",
    }
    return Organization.objects.filter(name=name.get(role, "")).first()
