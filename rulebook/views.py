"""Show the rulebook's versions, their entries and differences; write through the actions."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from rulebook import actions
from rulebook.differences import GROUPS, differences, group_of, value_in_words
from rulebook.forms import EntryForm, initial_of
from rulebook.models import Confidence, RulebookVersion
from rulebook.permissions import may_keep, why_not_approve
from shuozhou_mines.errors import Refused, WrongState
from taskforce.models import User

State = RulebookVersion.State
TONES = {State.DRAFT: "waiting", State.APPROVED: "done", State.RETIRED: "neutral"}
SHOWN = (("", "全部"), ("hearsay", "待核实"), ("changed", "与依据版本不同"))


def keeper(request: HttpRequest) -> User:
    """Return the person when they keep the rulebook; a stranger finds nothing here."""
    if not may_keep(request.user) or not isinstance(request.user, User):
        raise Http404
    return request.user


def _version(number: int) -> RulebookVersion:
    versions = RulebookVersion.objects.select_related("based_on", "drafted_by", "approved_by")
    return get_object_or_404(versions, number=number)


@require_GET
def rulebook_page(request: HttpRequest) -> HttpResponse:
    """List the versions, the newest first."""
    keeper(request)
    versions = (
        RulebookVersion.objects.select_related("drafted_by", "approved_by", "based_on")
        .annotate(
            count=Count("entries"),
            hearsay=Count("entries", filter=Q(entries__confidence=Confidence.HEARSAY)),
        )
        .order_by("-number")
    )
    rows = [{"version": version, "tone": TONES[State(version.state)]} for version in versions]
    draft = next((version for version in versions if version.state == State.DRAFT), None)
    button = (
        _button("继续修改草案", reverse("rulebook-version", args=[draft.number]))
        if draft
        else _button("起草新版本", reverse("rulebook-draft"), method="post")
    )
    return render(request, "rulebook/versions.html", {"rows": rows, "buttons": [button]})


def _button(label: str, url: str, **more: Any) -> dict[str, Any]:
    return {
        "label": label, "url": url, "method": "get", "enabled": True, "why_not": "",
        "kind": "primary", "confirm": "", "icon": "", **more,
    }  # fmt: skip


@require_GET
def version_page(request: HttpRequest, number: int) -> HttpResponse:
    """Show the entries of a version by group, those that the search leaves."""
    keeper(request)
    version = _version(number)
    words, shown = request.GET.get("q", "").strip()[:60], request.GET.get("shown", "")
    entries = list(_searched(version, words, shown))
    if shown == "changed":
        changed = {each.entry.pk for each in _differences(version)}
        entries = [entry for entry in entries if entry.pk in changed]
    groups: dict[str, list[dict[str, Any]]] = {title: [] for title in GROUPS.values()}
    for entry in entries:
        row = {"entry": entry, "value": value_in_words(entry)}
        groups.setdefault(group_of(entry.key), []).append(row)
    context = {
        "version": version,
        "tone": TONES[State(version.state)],
        "groups": [{"title": title, "rows": rows} for title, rows in groups.items() if rows],
        "count": len(entries),
        "words": words,
        "shown": shown,
        "choices": SHOWN,
        "is_draft": version.state == State.DRAFT,
        "buttons": _version_buttons(version),
    }
    return render(request, "rulebook/version.html", context)


def _searched(version: RulebookVersion, words: str, shown: str) -> Any:
    entries = version.entries.select_related("entered_by")
    if words:
        entries = entries.filter(
            Q(title__icontains=words) | Q(key__icontains=words) | Q(source__icontains=words)
        )
    if shown == "hearsay":
        entries = entries.filter(confidence=Confidence.HEARSAY)
    return entries


def _version_buttons(version: RulebookVersion) -> list[dict[str, Any]]:
    if version.based_on is None:
        return []
    is_draft = version.state == State.DRAFT
    label = "核对差异并批准" if is_draft else f"与{version.based_on}的差异"
    url = reverse("rulebook-changes", args=[version.number])
    return [_button(label, url, kind="primary" if is_draft else "secondary")]


def _differences(version: RulebookVersion) -> list[Any]:
    if version.based_on is None:
        return []
    return differences(version.based_on.entries.all(), version.entries.all())


@require_POST
def draft_start(request: HttpRequest) -> HttpResponse:
    """Open a draft from the version in force."""
    draft = actions.start_draft(by=keeper(request), at=timezone.now())
    messages.success(request, f"已从现行版本复制出{draft}草案。修改后请另一位同志核对差异并批准。")
    return redirect("rulebook-version", number=draft.number)


@require_http_methods(["GET", "POST"])
def entry_page(request: HttpRequest, number: int, entry_id: int) -> HttpResponse:
    """Edit one entry of a draft."""
    return _entry_page(request, number, entry_id, follows=False)


@require_http_methods(["GET", "POST"])
def entry_follow_page(request: HttpRequest, number: int, entry_id: int) -> HttpResponse:
    """Let a new value follow an entry of a draft from a day on."""
    return _entry_page(request, number, entry_id, follows=True)


def _entry_page(request: HttpRequest, number: int, entry_id: int, *, follows: bool) -> HttpResponse:
    by = keeper(request)
    version = _version(number)
    entry = get_object_or_404(version.entries.select_related("entered_by"), pk=entry_id)
    if version.state != State.DRAFT:
        raise WrongState(f"标准库{version}不是草案，条目不能修改。要修改请起草新版本。")
    initial = initial_of(entry) | ({"valid_from": None} if follows else {})
    form = EntryForm(request.POST or None, entry=entry, follows=follows, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            _save(form, number, entry_id, by, follows=follows)
        except Refused as refusal:
            entry.refresh_from_db()
            typed = request.POST.copy()
            typed["seen"] = entry.entered_at.isoformat()
            form = EntryForm(typed, entry=entry, follows=follows)
            form.add_error(None, refusal.message)
        else:
            messages.success(request, f"“{entry.title}”已保存在{version}草案里，批准后生效。")
            return redirect(f"{reverse('rulebook-version', args=[number])}#entry-{entry.pk}")
    context = {
        "version": version,
        "entry": entry,
        "value": value_in_words(entry),
        "follows": follows,
        "form": form,
        "terms": version.entries.filter(key=entry.key).exclude(pk=entry.pk),
    }
    return render(request, "rulebook/entry.html", context)


def _save(form: EntryForm, number: int, entry_id: int, by: User, *, follows: bool) -> None:
    now = timezone.now()
    if follows:
        actions.succeed_entry(
            number=number, entry_id=entry_id, changes=form.changes(), by=by, at=now
        )
        return
    try:
        seen = datetime.fromisoformat(form.cleaned_data["seen"])
    except ValueError:
        raise WrongState("本页已过期，请重新打开这一条再修改。") from None
    actions.edit_entry(
        number=number, entry_id=entry_id, changes=form.changes(), seen=seen, by=by, at=now
    )


@require_GET
def changes_page(request: HttpRequest, number: int) -> HttpResponse:
    """Show what a version changes; from a draft's page it is tried, approved or discarded."""
    by = keeper(request)
    version = _version(number)
    found = _differences(version)
    is_draft = version.state == State.DRAFT
    trial = version.trials.select_related("job").first()
    context = {
        "version": version,
        "tone": TONES[State(version.state)],
        "differences": found,
        "is_draft": is_draft,
        "trial": trial,
        "trial_is_old": trial is not None and trial.draft_as_of != version.changed_at,
        "buttons": _try_buttons(version, bool(found)) if is_draft else [],
        "why_not": why_not_approve(by, version) if is_draft else "",
    }
    return render(request, "rulebook/changes.html", context)


def _try_buttons(version: RulebookVersion, has_changes: bool) -> list[dict[str, Any]]:
    number = version.number
    return [
        _button(
            "试算影响", reverse("rulebook-try", args=[number]), method="post",
            enabled=has_changes, why_not="" if has_changes else "草案与现行版本没有差异。",
        ),
        _button(
            "放弃草案", reverse("rulebook-discard", args=[number]), method="post", kind="danger",
            confirm=f"放弃{version}草案？草案里的修改会丢失，现行版本不变。",
        ),
    ]  # fmt: skip


@require_POST
def draft_approve(request: HttpRequest, number: int) -> HttpResponse:
    """Approve a draft as the person saw it."""
    by = keeper(request)
    try:
        seen = datetime.fromisoformat(request.POST.get("seen", ""))
    except ValueError:
        raise WrongState("本页已过期，请重新打开差异页再批准。") from None
    version = actions.approve_draft(number=number, by=by, at=timezone.now(), seen=seen)
    messages.success(request, f"标准库{version}已生效。全市台账会在一分钟内开始按新版本检查。")
    return redirect("rulebook")


@require_POST
def draft_discard(request: HttpRequest, number: int) -> HttpResponse:
    """Drop a draft."""
    actions.discard_draft(number=number, by=keeper(request))
    messages.success(request, "草案已放弃，现行版本不变。")
    return redirect("rulebook")


@require_POST
def draft_try(request: HttpRequest, number: int) -> HttpResponse:
    """Start a trial of a draft, or go to the one that is there."""
    trial = actions.try_draft(number=number, on=timezone.localdate(), by=keeper(request))
    return redirect("rulebook-what-if", trial_id=trial.pk)
