"""Count how far the published plans are, by batch and by county, against the province's tasks."""

from collections import Counter
from datetime import date
from typing import Any

from django.db.models import Count

from plans.models import PlanTask, Target
from publicity.models import Notice
from standards.terms import Disposition
from taskforce.models import County

BATCHES = tuple(kind for kind in Disposition if kind is not Disposition.KEEP)


class Progress:
    """Hold what the province asked for, what published plans take on, and what is done."""

    def __init__(self, notices: list[Any], on: date) -> None:
        self.notices = notices
        self.by_county = {notice.county_code: notice for notice in reversed(notices)}
        self.counties = list(County.objects.defer("outline"))
        targets = list(_targets(on))
        self.is_demo = any(row.is_demo for row in targets)
        self.documents = sorted({row.document_number for row in targets})
        self.asked = Counter({(row.county_id, row.kind): row.number for row in targets})
        self.done = _done([notice.plan_id for notice in notices])

    def planned(self, county: str, kind: str) -> int:
        """Return how many mines of a batch the county's published plan has."""
        notice = self.by_county.get(county)
        return int(notice.counts.get(kind, 0)) if notice else 0

    def batches(self) -> list[dict[str, Any]]:
        """Return one row for each of the four batches, for the whole city."""
        codes = [county.code for county in self.counties]
        return [
            {
                "kind": kind.value,
                "label": kind.label,
                **_row(
                    self._sum(self.asked, codes, [kind.value]),
                    sum(self.planned(code, kind.value) for code in codes),
                    self._sum(self.done, codes, [kind.value]) or 0,
                ),
            }
            for kind in BATCHES
        ]

    def county_rows(self) -> list[dict[str, Any]]:
        """Return one row for each county: its notice, its four batches, and all together."""
        kinds = [kind.value for kind in BATCHES]
        return [
            {
                "county": county.name,
                "notice": self.by_county.get(county.code),
                "batches": [self._cell(county.code, kind) for kind in kinds],
                **_row(
                    self._sum(self.asked, [county.code], kinds),
                    sum(self.planned(county.code, kind) for kind in kinds),
                    self._sum(self.done, [county.code], kinds) or 0,
                ),
            }
            for county in self.counties
        ]

    def total(self) -> dict[str, Any]:
        """Return one row for the whole city and all four batches."""
        rows = self.batches()
        asked = [row["asked"] for row in rows if row["asked"] is not None]
        planned, done = (sum(row[name] for row in rows) for name in ("planned", "done"))
        return _row(sum(asked) if asked else None, planned, done)

    def _cell(self, code: str, kind: str) -> dict[str, Any]:
        return {"asked": self.asked.get((code, kind)), "done": self.done[code, kind]}

    @staticmethod
    def _sum(rows: Counter[tuple[str, str]], codes: list[str], kinds: list[str]) -> int | None:
        found = [rows[code, kind] for code in codes for kind in kinds if (code, kind) in rows]
        return sum(found) if found else None


def _row(asked: int | None, planned: int, done: int) -> dict[str, Any]:
    """Return figures with the share that is done, in percent of the task or else of the plan."""
    whole = asked or planned
    return {
        "asked": asked,
        "planned": planned,
        "done": done,
        "percent": min(100, done * 100 // whole) if whole else None,
    }


def _targets(on: date) -> Any:
    return (
        Target.objects.filter(valid_from__lte=on)
        .order_by("county_id", "kind", "-valid_from")
        .distinct("county_id", "kind")
    )


def _done(plans: list[int]) -> Counter[tuple[str, str]]:
    """Count the finished tasks of published plans by county and batch; no other plan shows."""
    rows = (
        PlanTask.objects.filter(plan__in=plans, done_on__isnull=False)
        .values_list("plan__county_id", "kind")
        .annotate(Count("pk"))
        .order_by("plan__county_id", "kind")
    )
    return Counter({(county, kind): number for county, kind, number in rows})


def published() -> list[Notice]:
    """Return the notices in force, newest first, without their contents."""
    return list(Notice.objects.in_force().in_brief())
