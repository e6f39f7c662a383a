"""Change the rulebook: draft, edit, try, approve, discard."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max

from rulebook.current import rulebook_of, version_in_force
from rulebook.models import RulebookEntry, RulebookVersion, WhatIf
from rulebook.permissions import check_may_keep, why_not_approve
from shuozhou_mines.errors import Incomplete, NotAllowed, WrongState
from shuozhou_mines.jobs import cancel, enqueue
from shuozhou_mines.models import Job
from standards.rulebook import RulebookError
from taskforce.models import User
from taskforce.trail import record

State = RulebookVersion.State
WHAT_IF = "rulebook.what_if"
EDITABLE = ("value", "source", "clause", "confidence", "note", "valid_from", "valid_to")
CHANGED_MEANWHILE = "{name}在你打开本页之后修改过这一条，现在的内容见下方“现在的值”。核对后再保存。"


@transaction.atomic
def start_draft(*, by: User, at: datetime, note: str = "") -> RulebookVersion:
    """Copy the version in force into a draft.

    Raise NotAllowed, or WrongState while another draft is open.
    """
    check_may_keep(by)
    base = RulebookVersion.objects.select_for_update(of=("self",)).get(pk=version_in_force().pk)
    open_draft = RulebookVersion.objects.draft()
    if open_draft is not None:
        raise WrongState(f"标准库{open_draft}草案还没有批准，请在那份草案里修改，或先放弃它。")
    highest = RulebookVersion.objects.aggregate(highest=Max("number"))["highest"]
    draft = RulebookVersion.objects.create(
        number=highest + 1, based_on=base, drafted_by=by, drafted_at=at, changed_at=at, note=note
    )
    RulebookEntry.objects.bulk_create(_copy(entry, draft) for entry in base.entries.all())
    record("起草标准库", by=by, subject=draft, based_on=base.number)
    return draft


def _copy(entry: RulebookEntry, version: RulebookVersion) -> RulebookEntry:
    """Copy an entry with the name of whoever entered it."""
    entry.pk = None
    entry.version = version
    entry._state.adding = True
    return entry


def _locked_draft(number: int) -> RulebookVersion:
    draft = (
        RulebookVersion.objects.select_for_update(of=("self",))
        .filter(number=number, state=State.DRAFT)
        .first()
    )
    if draft is None:
        raise WrongState("这份草案已经批准或放弃，不能再修改。请返回标准库查看现行版本。")
    return draft


@transaction.atomic
def edit_entry(
    *, number: int, entry_id: int, changes: dict[str, Any], seen: datetime, by: User, at: datetime
) -> RulebookEntry:
    """Change an entry of a draft; `seen` is its moment of entry when the person opened it.

    Raise NotAllowed, WrongState when it is no draft or somebody was quicker, Incomplete when the
    terms of the key would overlap.
    """
    check_may_keep(by)
    draft = _locked_draft(number)
    entry = draft.entries.select_for_update(of=("self",)).get(pk=entry_id)
    if entry.entered_at != seen:
        who = entry.entered_by.name if entry.entered_by else "另一位同志"
        raise WrongState(CHANGED_MEANWHILE.format(name=who))
    before = {name: str(getattr(entry, name)) for name in EDITABLE}
    for name in EDITABLE:
        setattr(entry, name, changes[name])
    _enter(entry, draft, by=by, at=at)
    after = {name: str(getattr(entry, name)) for name in EDITABLE}
    record(
        "修改标准库条目", by=by, subject=draft, key=entry.key,
        before={name: before[name] for name in EDITABLE if before[name] != after[name]},
        after={name: after[name] for name in EDITABLE if before[name] != after[name]},
    )  # fmt: skip
    return entry


@transaction.atomic
def succeed_entry(
    *, number: int, entry_id: int, changes: dict[str, Any], by: User, at: datetime
) -> RulebookEntry:
    """End an entry the day before `changes["valid_from"]` and let a new value follow it.

    Raise NotAllowed, WrongState, or Incomplete when the new term does not follow the old one.
    """
    check_may_keep(by)
    draft = _locked_draft(number)
    old = draft.entries.select_for_update(of=("self",)).get(pk=entry_id)
    starts: date = changes["valid_from"]
    if old.valid_from is not None and starts <= old.valid_from:
        raise Incomplete(f"新的生效日期要晚于原来的生效日期 {old.valid_from.isoformat()}。")
    last = old.valid_to
    old.valid_to = starts - timedelta(days=1)
    old.entered_by, old.entered_at = by, at
    old.save()
    new = RulebookEntry(key=old.key, unit=old.unit, title=old.title, version=draft)
    for name in EDITABLE:
        setattr(new, name, changes[name])
    new.valid_to = changes["valid_to"] or last
    _enter(new, draft, by=by, at=at)
    record("标准库条目另起一段", by=by, subject=draft, key=new.key, valid_from=starts.isoformat())
    return new


def _enter(entry: RulebookEntry, draft: RulebookVersion, *, by: User, at: datetime) -> None:
    entry.entered_by, entry.entered_at = by, at
    same = draft.entries.filter(key=entry.key).exclude(pk=entry.pk)
    starts, ends = entry.valid_from or date.min, entry.valid_to or date.max
    if any((o.valid_from or date.min) <= ends and starts <= (o.valid_to or date.max) for o in same):
        raise Incomplete("同一条目的两段有效期不能重叠，请先给前一段写失效日期。")
    entry.save()
    draft.changed_at = at
    draft.save(update_fields=["changed_at"])


@transaction.atomic
def approve_draft(*, number: int, by: User, at: datetime, seen: datetime) -> RulebookVersion:
    """Put a draft in force; the registry is checked anew by the next tick of the clock.

    `seen` is the draft's last change when the person opened it. Raise NotAllowed for whoever
    drafted or edited it, WrongState when it changed meanwhile, Incomplete when it cannot be read.
    """
    draft = _locked_draft(number)
    refusal = why_not_approve(by, draft)
    if refusal:
        raise NotAllowed(refusal)
    if draft.changed_at != seen:
        raise WrongState("草案在你打开差异之后又有修改。请重新核对差异，再批准。")
    try:
        rulebook_of(draft)
    except RulebookError as error:
        raise Incomplete(str(error)) from None
    RulebookVersion.objects.filter(state=State.APPROVED).update(state=State.RETIRED)
    draft.state, draft.approved_by, draft.approved_at = State.APPROVED, by, at
    draft.save(update_fields=["state", "approved_by", "approved_at"])
    record("批准标准库", by=by, subject=draft)
    return draft


@transaction.atomic
def discard_draft(*, number: int, by: User) -> None:
    """Drop a draft with its trials; raise NotAllowed or WrongState."""
    check_may_keep(by)
    draft = _locked_draft(number)
    for job in Job.objects.filter(what_if__version=draft):
        cancel(job)
    record("放弃标准库草案", by=by, subject=draft)
    draft.delete()


@transaction.atomic
def try_draft(*, number: int, on: date, by: User) -> WhatIf:
    """Ask what a draft would change; asking again for the same state returns the same trial.

    Raise NotAllowed or WrongState.
    """
    check_may_keep(by)
    draft = _locked_draft(number)
    against = version_in_force()
    same = draft.trials.filter(draft_as_of=draft.changed_at, against=against, tried_on=on)
    alive = same.exclude(job__state__in=(Job.State.FAILED, Job.State.CANCELLED)).first()
    if alive is not None:
        return alive
    trial = WhatIf.objects.create(
        version=draft, against=against, draft_as_of=draft.changed_at, tried_on=on
    )
    trial.job = enqueue(kind=WHAT_IF, subject=trial, key=str(trial.pk), by=by)
    trial.save(update_fields=["job"])
    record("试算标准库草案", by=by, subject=draft)
    return trial
