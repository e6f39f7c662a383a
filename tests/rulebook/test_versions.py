"""Versions of the rulebook: two people, no change once approved, one draft, one in force."""

import json
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction

from rulebook.actions import (
    approve_draft,
    discard_draft,
    edit_entry,
    start_draft,
    succeed_entry,
    try_draft,
)
from rulebook.current import current_rulebook
from rulebook.models import RulebookEntry, RulebookVersion
from rulebook.shipped import load_shipped_rulebook
from shuozhou_mines.errors import Incomplete, NotAllowed, WrongState
from standards.rulebook import Rulebook
from taskforce.models import TrailEntry
from taskforce.roles import Role
from tests.conftest import make_person

AT = datetime(2026, 11, 20, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
LATER = AT + timedelta(hours=1)
ON = date(2026, 11, 20)
QUARRY = "scale.min.quarry"
SHIPPED = settings.BASE_DIR / "fixtures" / "rulebook.json"


@pytest.fixture
def second(people):
    """Return another person of the office."""
    return make_person("second", Role.OFFICE)


def change(draft, by, key=QUARRY, at=LATER, **changes):
    entry = draft.entries.get(key=key)
    given = {
        "value": entry.value, "source": entry.source, "clause": entry.clause,
        "confidence": entry.confidence, "note": entry.note,
        "valid_from": entry.valid_from, "valid_to": entry.valid_to, **changes,
    }  # fmt: skip
    return edit_entry(
        number=draft.number, entry_id=entry.pk, changes=given, seen=entry.entered_at, by=by, at=at
    )


def approve(draft, by):
    draft.refresh_from_db()
    return approve_draft(number=draft.number, by=by, at=LATER, seen=draft.changed_at)


def test_first_version_is_the_work_plan(ground) -> None:
    version = RulebookVersion.objects.get()
    assert (version.number, version.state) == (1, "approved")
    assert version.approved_by is None
    shipped = Rulebook.load(json.loads(SHIPPED.read_bytes()))
    book = current_rulebook()
    assert sorted(map(str, book.entries)) == sorted(map(str, shipped.entries))
    assert book.version == "第1版"
    assert book.number(QUARRY, on=ON) == 50


def test_nothing_in_force_is_a_sentence(ground) -> None:
    with connection_without_rulebook(), pytest.raises(Incomplete) as refusal:
        current_rulebook()
    assert refusal.value.message == (
        "标准库里还没有现行版本。请系统管理员运行 manage.py load_fixtures 载入标准，再检查。"
    )


def connection_without_rulebook():
    """Make the only version a retired one, as a damaged database might have it."""
    RulebookVersion.objects.filter(state="approved").update(state="retired")
    return transaction.atomic()


def test_current_rulebook_costs_one_query(ground, django_assert_num_queries) -> None:
    current_rulebook()
    with django_assert_num_queries(1):
        assert current_rulebook().number(QUARRY, on=ON) == 50


def test_draft_counts_only_once_approved_by_another(people, second) -> None:
    draft = start_draft(by=people["office"], at=AT)
    change(draft, people["office"], value="40")
    assert current_rulebook().number(QUARRY, on=ON) == 50
    approve(draft, second)
    assert current_rulebook().number(QUARRY, on=ON) == 40
    assert current_rulebook().version == "第2版"
    assert list(RulebookVersion.objects.values_list("number", "state")) == [
        (2, "approved"),
        (1, "retired"),
    ]
    acts = TrailEntry.objects.filter(subject_type="rulebook.rulebookversion")
    assert list(acts.order_by("pk").values_list("act", flat=True)) == [
        "起草标准库",
        "修改标准库条目",
        "批准标准库",
    ]
    assert acts.get(act="修改标准库条目").detail["after"] == {"value": "40"}


def test_drafter_does_not_approve(people) -> None:
    draft = start_draft(by=people["office"], at=AT)
    with pytest.raises(NotAllowed) as refusal:
        approve(draft, people["office"])
    assert refusal.value.message == "这份草案由你起草，须由另一位同志批准。"


def test_editor_does_not_approve(people, second) -> None:
    draft = start_draft(by=people["office"], at=AT)
    change(draft, second, value="40")
    with pytest.raises(NotAllowed) as refusal:
        approve(draft, second)
    assert refusal.value.message == ("你修改过这份草案的条目，须由没有参与修改的另一位同志批准。")


def test_who_edited_an_earlier_version_approves_a_later_one(people, second) -> None:
    first = start_draft(by=people["office"], at=AT)
    change(first, people["office"], value="40")
    approve(first, second)
    later = start_draft(by=second, at=LATER)
    change(later, second, value="45", at=LATER + timedelta(hours=1))
    approve(later, people["office"])
    assert current_rulebook().number(QUARRY, on=ON) == 45


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OFFICE])
def test_others_neither_draft_nor_approve(people, role) -> None:
    with pytest.raises(NotAllowed):
        start_draft(by=people[role.value], at=AT)
    draft = start_draft(by=people["office"], at=AT)
    with pytest.raises(NotAllowed):
        approve(draft, people[role.value])


def test_database_refuses_drafter_as_approver(people) -> None:
    draft = start_draft(by=people["office"], at=AT)
    RulebookVersion.objects.filter(state="approved").update(state="retired")
    with pytest.raises(IntegrityError, match="rulebook_two_people"), transaction.atomic():
        RulebookVersion.objects.filter(pk=draft.pk).update(
            state="approved", approved_by=people["office"], approved_at=LATER
        )


def test_database_refuses_editor_as_approver(people, second) -> None:
    draft = start_draft(by=people["office"], at=AT)
    change(draft, second, value="40")
    RulebookVersion.objects.filter(state="approved").update(state="retired")
    with pytest.raises(DatabaseError, match="approver has edited"), transaction.atomic():
        RulebookVersion.objects.filter(pk=draft.pk).update(
            state="approved", approved_by=second, approved_at=LATER
        )


def test_database_refuses_an_approval_by_nobody(people) -> None:
    draft = start_draft(by=people["office"], at=AT)
    RulebookVersion.objects.filter(state="approved").update(state="retired")
    with pytest.raises(IntegrityError, match="approved_by_somebody"), transaction.atomic():
        RulebookVersion.objects.filter(pk=draft.pk).update(state="approved", approved_at=LATER)


def test_database_keeps_one_draft_and_one_in_force(people) -> None:
    start_draft(by=people["office"], at=AT)
    with pytest.raises(IntegrityError, match="rulebook_one_draft"), transaction.atomic():
        RulebookVersion.objects.create(number=9, drafted_by=people["office"])
    with pytest.raises(IntegrityError, match="rulebook_one_in_force"), transaction.atomic():
        RulebookVersion.objects.create(
            number=9, state="approved", approved_by=people["office"], approved_at=AT
        )


def test_approved_version_never_changes(ground) -> None:
    version = RulebookVersion.objects.get()
    for changes in ({"note": "改"}, {"state": "draft", "approved_at": None}, {"approved_at": AT}):
        with pytest.raises(DatabaseError, match="is no draft"), transaction.atomic():
            RulebookVersion.objects.filter(pk=version.pk).update(**changes)
    with pytest.raises(DatabaseError, match="never change"), transaction.atomic():
        version.entries.filter(key=QUARRY).update(value="1")
    with pytest.raises(DatabaseError, match="never change"), transaction.atomic():
        version.entries.filter(key=QUARRY).delete()
    with pytest.raises(DatabaseError, match="never change"), transaction.atomic():
        RulebookEntry.objects.create(
            version=version, key="x", value="1", unit="年", title="x", source="x",
            confidence="certain",
        )  # fmt: skip
    with pytest.raises(DatabaseError), transaction.atomic():
        version.delete()


def test_entries_of_an_approved_version_are_not_moved_to_a_draft(people) -> None:
    draft = start_draft(by=people["office"], at=AT)
    old = RulebookVersion.objects.get(number=1).entries.get(key=QUARRY)
    with pytest.raises(DatabaseError), transaction.atomic():
        RulebookEntry.objects.filter(pk=old.pk).update(version=draft)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"value": None}, "rulebook_entry_unknown_is_hearsay"),
        ({"source": ""}, "rulebook_entry_has_source"),
        (
            {"valid_from": date(2026, 2, 1), "valid_to": date(2026, 1, 1)},
            "rulebook_entry_ends_after_start",
        ),
    ],
)
def test_database_refuses_an_entry_that_contradicts_itself(people, changes, name) -> None:
    draft = start_draft(by=people["office"], at=AT)
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        draft.entries.filter(key=QUARRY).update(**changes)


def test_database_keeps_the_terms_of_a_key_apart(people) -> None:
    draft = start_draft(by=people["office"], at=AT)
    with pytest.raises(IntegrityError, match="rulebook_terms_apart"), transaction.atomic():
        RulebookEntry.objects.create(
            version=draft, key=QUARRY, value="1", unit="万吨/年", title="x", source="x",
            confidence="certain", valid_from=date(2027, 1, 1),
        )  # fmt: skip


def test_second_draft_is_refused(people) -> None:
    start_draft(by=people["office"], at=AT)
    with pytest.raises(WrongState) as refusal:
        start_draft(by=people["office"], at=LATER)
    assert "标准库第2版草案还没有批准" in refusal.value.message


def test_slower_editor_is_told(people, second) -> None:
    draft = start_draft(by=people["office"], at=AT)
    entry = draft.entries.get(key=QUARRY)
    change(draft, second, value="40")
    with pytest.raises(WrongState) as refusal:
        edit_entry(
            number=draft.number, entry_id=entry.pk, changes={}, seen=entry.entered_at,
            by=people["office"], at=LATER,
        )  # fmt: skip
    assert refusal.value.message.startswith("专班办公室测试员在你打开本页之后修改过这一条")


def test_approver_has_seen_the_last_change(people, second) -> None:
    draft = start_draft(by=people["office"], at=AT)
    seen = draft.changed_at
    change(draft, people["office"], value="40")
    with pytest.raises(WrongState) as refusal:
        approve_draft(number=draft.number, by=second, at=LATER, seen=seen)
    assert "又有修改" in refusal.value.message


def test_new_value_follows_the_old_one(people, second) -> None:
    draft = start_draft(by=people["office"], at=AT)
    entry = draft.entries.get(key=QUARRY)
    succeed_entry(
        number=draft.number, entry_id=entry.pk, by=people["office"], at=LATER,
        changes={
            "value": "80", "source": "晋自然资发〔2027〕1号（示例）", "clause": "二",
            "confidence": "certain", "note": "", "valid_from": date(2027, 1, 1), "valid_to": None,
        },
    )  # fmt: skip
    approve(draft, second)
    book = current_rulebook()
    assert book.number(QUARRY, on=date(2026, 12, 31)) == 50
    assert book.number(QUARRY, on=date(2027, 1, 1)) == 80


def test_discarded_draft_leaves_nothing_but_the_trail(people) -> None:
    draft = start_draft(by=people["office"], at=AT)
    try_draft(number=draft.number, on=ON, by=people["office"])
    discard_draft(number=draft.number, by=people["office"])
    assert RulebookVersion.objects.draft() is None
    assert TrailEntry.objects.filter(act="放弃标准库草案").count() == 1


def shipped_with(value: int) -> bytes:
    rows = json.loads(SHIPPED.read_bytes())
    for row in rows:
        if row["key"] == QUARRY:
            row["value"] = value
    return json.dumps(rows).encode()


def test_loading_again_changes_nothing(ground) -> None:
    assert load_shipped_rulebook() is None
    assert RulebookVersion.objects.count() == 1


def test_newer_file_becomes_a_draft_that_one_person_approves(people) -> None:
    draft = load_shipped_rulebook(shipped_with(55))
    assert draft is not None
    assert (draft.number, draft.state, draft.drafted_by) == (2, "draft", None)
    assert current_rulebook().number(QUARRY, on=ON) == 50
    approve(draft, people["office"])
    assert current_rulebook().number(QUARRY, on=ON) == 55


def test_still_newer_file_replaces_an_untouched_draft(ground) -> None:
    load_shipped_rulebook(shipped_with(55))
    load_shipped_rulebook(shipped_with(60))
    draft = RulebookVersion.objects.draft()
    assert draft is not None
    assert draft.entries.get(key=QUARRY).value == "60"
    assert RulebookVersion.objects.count() == 2


def test_newer_file_leaves_edited_rulebook_alone(people, second) -> None:
    draft = start_draft(by=people["office"], at=AT)
    change(draft, people["office"], value="40")
    assert load_shipped_rulebook(shipped_with(55)) is None
    approve(draft, second)
    assert load_shipped_rulebook(shipped_with(60)) is None
    assert current_rulebook().number(QUARRY, on=ON) == 40
