"""Tell what changed in a mine's rows: old and new value of each field, when and by whom.

Reads the rows that the database triggers have kept; a row's first entry says what was entered.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models

from mines.columns import plain
from mines.models import (
    Boundary,
    Holder,
    Licence,
    Mine,
    Mineral,
    ProductionSystem,
    Stock,
)
from mines.record_models import (
    Acceptance,
    MineDocument,
    RightEvent,
    TreatmentCheck,
    TreatmentPlan,
    YearOutput,
)
from taskforce.models import County

# Of each kind of row; older entries stay in the database.
MOST_EVENTS = 400
RECORDS = (YearOutput, Acceptance, TreatmentPlan, TreatmentCheck, RightEvent, MineDocument)
SKIPPED = {"id", "mine", "pgh_id", "pgh_created_at", "pgh_label", "pgh_obj", "pgh_context"}
TOO_LONG_TO_SHOW = {"outline", "regions", "source_text", "file", "sha256"}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """Hold one field's old and new value in words; `old` is "" when the row is new."""

    label: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Change:
    """Hold one act on one row; `who` is "" for what the system itself loaded."""

    at: datetime
    who: str
    subject: str
    is_new: bool
    fields: tuple[FieldChange, ...]


def changes_of(mine: Mine) -> list[Change]:
    """Return what happened to the mine and the rows that belong to it, newest first."""
    found: list[tuple[Any, Any, str]] = []
    for model in (Mine, Licence, ProductionSystem, Stock, Boundary, *RECORDS):
        found += _pairs(model, mine)
    names = _Names([event for event, _, _ in found] + [old for _, old, _ in found if old])
    changes = [_change(event, old, subject, names) for event, old, subject in found]
    told = [change for change in changes if change.is_new or change.fields]
    return sorted(told, key=lambda change: change.at, reverse=True)


def _pairs(model: Any, mine: Mine) -> list[tuple[Any, Any, str]]:
    """Return each event with the one before it on the same row, and what the row is called."""
    event_model = model.pgh_event_model
    key = {"pgh_obj_id": mine.pk} if model is Mine else {"mine_id": mine.pk}
    events = list(
        event_model.objects.filter(**key)
        .select_related("pgh_context")
        .order_by("-pgh_id")[: MOST_EVENTS + 1]
    )
    last: dict[int, Any] = {}
    pairs = []
    for event in reversed(events):
        old = last.get(event.pgh_obj_id)
        # A cut-off list may begin in the middle of a row's life: then its first entry only
        # serves to compare with.
        if old is not None or event.pgh_label == "insert":
            pairs.append((event, old, _subject(model, event)))
        last[event.pgh_obj_id] = event
    return pairs[-MOST_EVENTS:]


def _subject(model: Any, event: Any) -> str:
    kind = str(model._meta.verbose_name)
    if model is Licence:
        return f"{kind} {event.number}"
    if model is ProductionSystem:
        return f"{kind} {event.name}"
    if model is Stock:
        return f"{kind} {event.get_stock_class_display()}"
    if model in (YearOutput, TreatmentCheck):
        return f"{kind} {event.year} 年"
    if model is MineDocument:
        return f"{kind} {event.title}"
    return kind


class _Names:
    """Know the names behind the keys in a set of events, in one query for each kind."""

    def __init__(self, events: list[Any]) -> None:
        self.users = self._users(events)
        self.rows: dict[tuple[type[models.Model], Any], str] = {}
        for model, field in ((County, "county_id"), (Holder, "holder_id"), (Mineral, "mineral_id")):
            keys = {getattr(event, field) for event in events if hasattr(event, field)}
            for row in model._default_manager.filter(pk__in=keys):
                self.rows[model, row.pk] = str(row)

    @staticmethod
    def _users(events: list[Any]) -> dict[str, str]:
        keys = {_user_key(event) for event in events} - {""}
        people = get_user_model().objects.filter(pk__in=[key for key in keys if key.isdigit()])
        return {str(person.pk): person.name or person.username for person in people}


def _user_key(event: Any) -> str:
    context = event.pgh_context
    return str(context.metadata.get("user") or "") if context else ""


def _change(event: Any, old: Any, subject: str, names: _Names) -> Change:
    return Change(
        at=event.pgh_created_at,
        who=names.users.get(_user_key(event), ""),
        subject=subject,
        is_new=old is None,
        fields=tuple(_field_changes(event, old, names)),
    )


def _field_changes(event: Any, old: Any, names: _Names) -> Iterable[FieldChange]:
    for field in event._meta.concrete_fields:
        if field.name in SKIPPED:
            continue
        before = getattr(old, field.attname) if old is not None else None
        after = getattr(event, field.attname)
        if before == after or (old is None and after in (None, "", [])):
            continue
        label = str(field.verbose_name)
        if field.name in TOO_LONG_TO_SHOW:
            yield FieldChange(label, "", "已录入" if old is None else "已更换")
        else:
            yield FieldChange(
                label, _words(field, before, names) if old else "", _words(field, after, names)
            )


def _words(field: Any, value: Any, names: _Names) -> str:
    if value is None or value == "":
        return "未填"
    if field.related_model is not None:
        return names.rows.get((field.related_model, value), str(value))
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
