"""Choose findings of a run, and lay each out as pages and files show it."""

from typing import Any

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.urls import reverse
from django.utils import timezone

from plans import rulings as ruled_by_people
from plans.models import CheckRun, Finding, Ruling
from plans.rulings import RULED, Ruled, Subject
from standards.terms import Verdict

# What the tab 待处理 stands for: a failure or a question nobody has settled yet.
TO_DO = "todo"
BY_GRAVITY = Case(
    *(
        When(verdict=verdict, then=Value(rank))
        for rank, verdict in enumerate(ruled_by_people.GRAVEST_FIRST)
    ),
    output_field=IntegerField(),
)


def chosen_findings(
    run: CheckRun,
    chosen: dict[str, str],
    *,
    verdict: str = "",
    rulings: dict[Subject, list[Ruling]] | None = None,
) -> QuerySet[Finding]:
    """Return the findings of a run that the filters leave, with their mine and area."""
    found = run.findings.select_related("mine", "area")
    if "rule" in chosen:
        found = found.filter(rule=chosen["rule"])
    if "mine" in chosen:
        found = found.filter(mine__registry_no=chosen["mine"])
    if "area" in chosen:
        found = found.filter(area__code=chosen["area"])
    if "q" in chosen:
        words = chosen["q"]
        found = found.filter(
            Q(subject_name__icontains=words) | Q(message__icontains=words) | Q(rule=words)
        )
    if verdict in {each.value for each in Verdict}:
        return found.filter(verdict=verdict)
    if verdict == TO_DO:
        open_ones = found.filter(verdict__in=(Verdict.FAIL, Verdict.REVIEW))
        return open_ones.exclude(pk__in=_settled(run, rulings or {}))
    return found


def _settled(run: CheckRun, rulings: dict[Subject, list[Ruling]]) -> list[int]:
    """Return the findings of a run that an effective ruling lets pass."""
    if not rulings:
        return []
    rules = {rule for rule, _, _ in rulings}
    rows = ruled_by_people.with_rulings(run.findings.filter(rule__in=rules), rulings)
    return [row.finding.pk for row in rows if row.ruling and row.verdict is Verdict.PASS]


def card(row: Ruled) -> dict[str, Any]:
    """Lay a finding out as components/finding.html reads it."""
    finding = row.finding
    url = reverse("finding", args=[finding.pk])
    return {
        "verdict": finding.verdict,
        "sentence": finding.message,
        "code": finding.rule,
        "subject": finding.subject_name,
        "subject_url": reverse("mine", args=[finding.mine.registry_no]) if finding.mine else "",
        "clause": finding.clause,
        "quote": finding.quote,
        "figures": [{**figure, "required": None} for figure in finding.figures],
        "remedy": finding.would_pass if finding.verdict != Verdict.PASS else "",
        "ruling": ruling_line(row.ruling, finding) if row.ruling else None,
        "actions": [
            {
                "label": "认定与记录" if finding.verdict in RULED else "依据与记录",
                "url": url,
                "method": "get",
                "enabled": True,
                "why_not": "",
                "kind": "secondary",
                "icon": "",
            }
        ],
    }


def ruling_line(ruling: Ruling, finding: Finding) -> dict[str, Any]:
    """Lay a ruling out beside a finding: who, when, why, and whether it holds for this one."""
    carried = ruling.finding_id != finding.pk
    holds = not carried or (bool(finding.basis_hash) and ruling.basis_hash == finding.basis_hash)
    number = ruling.finding.run.version.number
    notes = []
    if carried and holds:
        notes.append(f"沿用第{number}版的认定")
    if not holds:
        notes.append(f"第{number}版的认定，依据已变化，不再沿用")
    if not ruling.is_effective:
        notes.append("待第二人确认")
    if ruling.confirmed_by is not None and ruling.confirmed_at is not None:
        moment = f"{timezone.localtime(ruling.confirmed_at):%Y-%m-%d %H:%M}"
        notes.append(f"{ruling.confirmed_by.name}于 {moment} 确认")
    return {
        "decision": ruling.get_decision_display(),
        "machine": ruling.get_verdict_display(),
        "tone": _tone(ruling, holds),
        "reason": ruling.reason,
        "basis_document": ruling.basis_document,
        "who": ruling.by.name,
        "at": ruling.at,
        "notes": "；".join(notes),
        "holds": holds,
    }


def _tone(ruling: Ruling, holds: bool) -> str:
    if not holds:
        return "neutral"
    if not ruling.is_effective:
        return "waiting"
    return "stopped" if ruling.decision == Ruling.Decision.FAILS else "done"
