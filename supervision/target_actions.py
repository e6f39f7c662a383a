"""Enter what the province asks of each county; what was asked before stays to be read."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import transaction

from plans.models import Target
from shuozhou_mines.errors import Incomplete
from taskforce import permissions
from taskforce.models import County
from taskforce.trail import record

Key = tuple[str, str]
ONLY_OFFICE = "只有专班办公室可以登记省定任务。"


def targets_on(day: date) -> dict[Key, Target]:
    """Return by county and batch the task that is in force on a day, in one query."""
    rows = (
        Target.objects.filter(valid_from__lte=day)
        .order_by("county_id", "kind", "-valid_from")
        .distinct("county_id", "kind")
    )
    return {(row.county_id, row.kind): row for row in rows}


@transaction.atomic
def set_targets(
    *, numbers: Mapping[Key, int], document_number: str, valid_from: date, by: Any
) -> list[Target]:
    """Enter the province's tasks from a day on; what does not differ is not entered again.

    numbers: mines by county and batch. Returns the new rows. Raise NotAllowed, Incomplete without a
    document, when nothing differs, or when the same day already has another number.
    """
    permissions.check_city(by, "manage_rulebook", ONLY_OFFICE)
    if not document_number.strip():
        raise Incomplete("请填写下达任务的文号。")
    # Two people at once: the second one counts against what the first has entered.
    list(County.objects.select_for_update().order_by("pk"))
    before = targets_on(valid_from)
    changed = {
        key: number
        for key, number in numbers.items()
        if key not in before or before[key].number != number
    }
    if not changed:
        raise Incomplete(f"与 {valid_from} 已生效的任务数完全相同，没有需要登记的。")
    for key in changed:
        there = before.get(key)
        if there is not None and there.valid_from == valid_from:
            raise Incomplete(
                f"{there.county.name}“{there.get_kind_display()}”在 {valid_from} 已登记为"
                f" {there.number} 座（{there.document_number}）。调整的任务请填以后的日期。"
            )
    made = Target.objects.bulk_create(
        Target(
            county_id=county,
            kind=kind,
            number=number,
            document_number=document_number.strip(),
            valid_from=valid_from,
        )
        for (county, kind), number in sorted(changed.items())
    )
    for row in made:
        record(
            "登记省定任务", by=by, subject=row, county=row.county,
            number=row.number, document_number=row.document_number, valid_from=str(valid_from),
        )  # fmt: skip
    return made
