"""Bring the rulebook that the product ships into the database, never over people's work."""

import hashlib
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from rulebook.models import RulebookEntry, RulebookVersion
from standards.rulebook import Rulebook

FILE = Path("fixtures", "rulebook.json")
FIRST_NOTE = "工作方案和国家标准表的数值，随系统发布。"
LATER_NOTE = "新版系统随带的标准库。核对差异后批准，才会生效。"


@transaction.atomic
def load_shipped_rulebook(content: bytes | None = None) -> RulebookVersion | None:
    """Seed version 1 from the shipped file; make a newer file a draft while nobody has edited.

    Return the version that was made, None when there was nothing to do. `content` stands for the
    file's bytes. Raise RulebookError when they are no rulebook.
    """
    content = (settings.BASE_DIR / FILE).read_bytes() if content is None else content
    mark = hashlib.sha256(content).hexdigest()
    if RulebookVersion.objects.filter(shipped=mark).exists():
        return None
    rows = json.loads(content, parse_float=str)
    Rulebook.load(rows)
    newest = RulebookVersion.objects.select_for_update(of=("self",)).order_by("-number").first()
    if newest is None:
        first = _write(1, None, mark, rows, FIRST_NOTE)
        first.state, first.approved_at = RulebookVersion.State.APPROVED, timezone.now()
        first.save(update_fields=["state", "approved_at"])
        return first
    if _has_been_edited():
        return None
    if newest.state == RulebookVersion.State.DRAFT:
        newest.delete()
    base = RulebookVersion.objects.in_force()
    return _write((base.number if base else 0) + 1, base, mark, rows, LATER_NOTE)


def _has_been_edited() -> bool:
    """Tell whether anybody has ever drafted a version or entered a value."""
    return (
        RulebookVersion.objects.filter(drafted_by__isnull=False).exists()
        or RulebookEntry.objects.filter(entered_by__isnull=False).exists()
    )


def _write(
    number: int,
    base: RulebookVersion | None,
    mark: str,
    rows: list[dict[str, Any]],
    note: str,
) -> RulebookVersion:
    version = RulebookVersion.objects.create(number=number, based_on=base, shipped=mark, note=note)
    RulebookEntry.objects.bulk_create(
        RulebookEntry(
            version=version,
            key=row["key"],
            value=stored(row["value"]),
            unit=row["unit"],
            title=row["title"],
            valid_from=row.get("valid_from"),
            valid_to=row.get("valid_to"),
            source=row["source"] or "",
            clause=row.get("clause") or "",
            confidence=row["confidence"],
            note=row.get("note") or "",
        )
        for row in rows
    )
    return version


def stored(value: Any) -> Any:
    """Return a value as the column keeps it: numbers as text, so that no digit is lost."""
    return str(value) if isinstance(value, int) else value
