"""Find which rulings hold for findings, and what counts in the end: the machine's word or ours."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from plans.models import CheckRun, CountyPlan, Finding, Ruling
from standards.terms import Verdict

RULED = (Verdict.FAIL, Verdict.REVIEW, Verdict.NODATA)
GRAVEST_FIRST = (Verdict.FAIL, Verdict.REVIEW, Verdict.NODATA, Verdict.PASS, Verdict.NA)
OUTCOMES = {
    Ruling.Decision.MEETS: Verdict.PASS,
    Ruling.Decision.ACCEPTED: Verdict.PASS,
    Ruling.Decision.FAILS: Verdict.FAIL,
}

Subject = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Ruled:
    """Set a finding beside the ruling that holds for it, if any.

    `carried` is set when the ruling was made on an earlier finding with the same basis; `lapsed`
    is the newest ruling on this subject when its basis has changed since.
    """

    finding: Finding
    ruling: Ruling | None = None
    carried: bool = False
    lapsed: Ruling | None = None

    @property
    def verdict(self) -> Verdict:
        """Return what counts: the decision of an effective ruling, else the machine's verdict."""
        if self.ruling is not None and self.ruling.is_effective:
            return OUTCOMES[Ruling.Decision(self.ruling.decision)]
        return Verdict(self.finding.verdict)


def subject_of(row: Finding | Ruling) -> Subject:
    """Return what names a finding through all versions of a plan."""
    return row.rule, row.subject_kind, row.subject_key


def rulings_of(plan: CountyPlan) -> dict[Subject, list[Ruling]]:
    """Return all rulings on a plan by subject, newest first, in one query."""
    found: dict[Subject, list[Ruling]] = {}
    rows = plan.rulings.select_related("by", "confirmed_by", "finding__run__version")
    for row in rows.order_by("-pk"):
        found.setdefault(subject_of(row), []).append(row)
    return found


def with_rulings(findings: Iterable[Finding], rulings: dict[Subject, list[Ruling]]) -> list[Ruled]:
    """Set each finding beside the newest ruling, where that was made on the same basis."""
    return [_ruled(row, rulings.get(subject_of(row), ())) for row in findings]


def _ruled(finding: Finding, rulings: Sequence[Ruling]) -> Ruled:
    if not rulings:
        return Ruled(finding)
    newest = rulings[0]
    if newest.finding_id == finding.pk:
        return Ruled(finding, newest)
    if finding.basis_hash and newest.basis_hash == finding.basis_hash:
        return Ruled(finding, newest, carried=True)
    return Ruled(finding, lapsed=newest)


def is_newest(run: CheckRun) -> bool:
    """Tell whether the run is the newest of the plan's newest version."""
    version = run.version
    newest = CheckRun.objects.filter(version__plan=version.plan_id).order_by(
        "-version__number", "-pk"
    )
    later = version.plan.versions.filter(number__gt=version.number).exists()
    return not later and newest.values_list("pk", flat=True).first() == run.pk
