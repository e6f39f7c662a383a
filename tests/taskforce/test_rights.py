"""Hold who may do what: the table of roles, its grants, and what excludes what."""

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from guardian.shortcuts import assign_perm, get_perms

from shuozhou_mines.errors import Incomplete, NotAllowed, WrongState
from taskforce import permissions
from taskforce.actions import grant_role, group_of, write_rights
from taskforce.models import County, TrailEntry, User
from taskforce.roles import ADMINISTRATORS, RIGHTS, Role
from tests.conftest import PINGLU, SHUOCHENG, make_person

READING = {"see_mines", "see_drafts", "see_plans", "see_reports"}
# What each person may do on their own county, or on any county for the city's roles.
ON_COUNTY = {
    "county_clerk": READING | {"edit_mines", "draft_plan", "draft_report"},
    "county_reviewer": READING | {"edit_mines", "draft_plan", "draft_report"},
    "county_leader": READING | {"confirm_plan", "sign_report"},
    "office": {
        "see_mines", "see_plans", "see_reports", "edit_mines", "review_plan", "approve_plan",
        "publish_plan", "review_report",
    },
    "member_unit": {"see_mines", "see_plans", "see_reports", "give_opinion"},
    "expert": set(),
    "inspector": {"see_mines", "see_plans", "inspect"},
    "city_leader": {"see_mines", "see_plans", "see_reports", "endorse_plan"},
    "system_admin": set(),
    "security_admin": set(),
    "audit_admin": set(),
}  # fmt: skip
CITY_WIDE = {
    "office": {
        "keep_roster", "issue_bulletin", "hold_meeting", "see_city", "manage_rulebook",
        "manage_layers",
    },
    "member_unit": {"see_city"},
    "city_leader": {"see_city", "approve_bulletin"},
    "system_admin": {"manage_accounts"},
    "security_admin": {"manage_rights"},
    "audit_admin": {"read_trail"},
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(ON_COUNTY))
def test_a_role_brings_its_rights_and_no_others(name, people) -> None:
    person = people[name]
    assert permissions.rights_on(person, SHUOCHENG) == ON_COUNTY[name]
    elsewhere = set() if RIGHTS[Role(name)].of_one_county else ON_COUNTY[name]
    assert permissions.rights_on(person, PINGLU) == elsewhere
    every = {codename for codename, _ in User._meta.permissions}
    held = {right for right in every if permissions.can_city(person, right)}
    assert held == CITY_WIDE.get(name, set())


def test_every_right_is_declared_and_every_declared_one_is_used() -> None:
    used = {right for rights in RIGHTS.values() for right in rights.on_county}
    assert used == {codename for codename, _ in County._meta.permissions}
    city = {right.partition(".")[2] for rights in RIGHTS.values() for right in rights.city_wide}
    assert city == {codename for codename, _ in User._meta.permissions}


def test_writing_the_rights_again_restores_the_table(counties) -> None:
    group = group_of(Role.COUNTY_CLERK, counties[SHUOCHENG])
    assign_perm("publish_plan", group, counties[SHUOCHENG])
    office = group_of(Role.OFFICE, None)
    office.permissions.add(Permission.objects.get(codename="read_trail"))
    write_rights()
    assert set(get_perms(group, counties[SHUOCHENG])) == ON_COUNTY["county_clerk"]
    assert set(office.permissions.values_list("codename", flat=True)) == CITY_WIDE["office"]
    with CaptureQueriesContext(connection) as asked:
        write_rights()
    assert not [q for q in asked.captured_queries if 'INSERT INTO "taskforce' in q["sql"]]


def test_lists_and_single_questions_agree(people) -> None:
    for person in people.values():
        for right, _ in County._meta.permissions:
            listed = set(permissions.counties_where(person, right).values_list("pk", flat=True))
            asked = {
                code for code in County.objects.values_list("pk", flat=True)
                if permissions.can(person, right, code)
            }  # fmt: skip
            assert listed == asked, (person, right)
            assert permissions.can_anywhere(person, right) is bool(listed)


def test_strangers_and_the_shut_out_hold_nothing(people) -> None:
    people["office"].is_active = False
    for person in (AnonymousUser(), people["office"]):
        assert not permissions.counties_where(person, "see_mines").exists()
        assert permissions.rights_on(person, SHUOCHENG) == frozenset()
        assert not permissions.can_anywhere(person, "see_mines")
        assert not permissions.can_city(person, "see_city")
    with pytest.raises(NotAllowed, match="只有本县可以。"):
        permissions.check(AnonymousUser(), "see_mines", SHUOCHENG, "只有本县可以。")
    with pytest.raises(NotAllowed, match="只有市里可以。"):
        permissions.check_city(people["county_clerk"], "see_city", "只有市里可以。")


def test_nobody_is_superuser_or_gets_rights_past_the_table(people, counties) -> None:
    person = people["expert"]
    assert person.is_staff is False
    with pytest.raises(IntegrityError, match="user_never_superuser"), transaction.atomic():
        User.objects.create(username="root", name="根", is_superuser=True)
    right = Permission.objects.get(codename="approve_plan")
    with pytest.raises(DatabaseError, match="Cannot insert or update"), transaction.atomic():
        person.user_permissions.add(right)
    with pytest.raises(DatabaseError, match="Cannot insert or update"), transaction.atomic():
        assign_perm("approve_plan", person, counties[SHUOCHENG])


def test_administrators_do_nothing_else(counties) -> None:
    city = [role for role in Role if not RIGHTS[role].of_one_county]
    for administrator in ADMINISTRATORS:
        for other in set(city) - {administrator}:
            first = make_person(f"{administrator}-{other}", administrator)
            with pytest.raises(WrongState, match="三员分立"):
                grant_role(to=first, role=other)
            second = make_person(f"{other}-{administrator}-second", other)
            with pytest.raises(WrongState, match="三员分立"):
                grant_role(to=second, role=administrator)
            # Past the action the database keeps them apart by itself.
            for person, role in ((first, other), (second, administrator)):
                with pytest.raises(IntegrityError, match="administrators_exclude"):
                    _add_by_hand(person, role)
            assert Group.objects.filter(user__in=[first, second]).count() == 2
        with pytest.raises(WrongState, match="三员分立"):
            grant_role(to=first, role=Role.COUNTY_CLERK, county=counties[SHUOCHENG])


def _add_by_hand(person: User, role: Role) -> None:
    with transaction.atomic():
        person.groups.add(group_of(role, None))


def test_business_roles_may_meet_and_a_county_goes_with_a_county_role(counties) -> None:
    person = make_person("two", Role.COUNTY_CLERK, counties[SHUOCHENG])
    grant_role(to=person, role=Role.COUNTY_REVIEWER, county=counties[PINGLU])
    assert permissions.roles_of(person) == [
        (Role.COUNTY_CLERK, SHUOCHENG), (Role.COUNTY_REVIEWER, PINGLU),
    ]  # fmt: skip
    with pytest.raises(Incomplete, match="县级角色必须选县"):
        grant_role(to=person, role=Role.OFFICE, county=counties[SHUOCHENG])
    with pytest.raises(Incomplete, match="县级角色必须选县"):
        grant_role(to=person, role=Role.COUNTY_CLERK)


def test_a_grant_is_written_down(people, counties) -> None:
    entry = TrailEntry.objects.filter(act="授予角色", subject_id=people["office"].pk).get()
    assert entry.detail == {"role": "office"}
    grant_role(
        to=people["expert"], role=Role.COUNTY_CLERK, county=counties[PINGLU],
        by=people["security_admin"],
    )  # fmt: skip
    newest = TrailEntry.objects.first()
    assert (newest.by, newest.county_id) == (people["security_admin"], PINGLU)
    assert newest.subject_name == "评审专家测试员"


def test_all_county_rights_are_read_in_one_question(people) -> None:
    person = User.objects.get(pk=people["office"].pk)
    with CaptureQueriesContext(connection) as asked:
        for county in (SHUOCHENG, PINGLU):
            permissions.rights_on(person, county)
        permissions.can_anywhere(person, "inspect")
    assert len(asked) == 1
