"""Check a plan version against the standards, keep each run, and say what it stops."""

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Q

from mines.models import Mine
from plans.facts import plan_facts
from plans.models import CheckRun, Finding, PlanVersion
from plans.rulings import rulings_of, with_rulings
from rulebook.current import current_rulebook
from shuozhou_mines.errors import Incomplete
from shuozhou_mines.jobs import collector_paused
from standards import facts, findings
from standards.run import Progress, check, ordered_rules
from standards.terms import Verdict

# A plan that leaves a registered mine out, or gives one two fates, is no plan yet.
PLAN_RULES_THAT_BLOCK = ("S-A01", "S-A03")
REASONS_SHOWN = 5


class Outdated(Incomplete):
    """Refuse to go on with findings that rest on facts or limits which have changed since."""

    def __init__(self, message: str, version: PlanVersion) -> None:
        super().__init__(message)
        self.version = version


@dataclass(frozen=True, slots=True)
class Checked:
    """Hold what a run found, with the marks of what it rests on."""

    findings: list[findings.Finding]
    facts_hash: str
    basis: Mapping[str, str]
    on: date


def find(version: PlanVersion, *, on: date, progress: Progress | None = None) -> Checked:
    """Gather the facts and ask every rule; writes nothing."""
    rulebook = current_rulebook()
    with collector_paused():
        known = plan_facts(version, rulebook, on=on)
        found = list(check(known, rulebook, on=on, progress=progress))
        basis = _basis(known, version)
    return Checked(found, _facts_mark(known, basis), basis, on)


def rules_version() -> str:
    """Return the mark of all rules and their versions."""
    return _mark([(rule.code, rule.version) for rule in ordered_rules()])[:16]


def why_outdated(run: CheckRun, *, on: date) -> str:
    """Say in half a sentence what has changed since a run; "" when it still holds.

    Gathers the facts anew, so that no change of the registry can be missed.
    """
    rulebook = current_rulebook()
    if run.rules_version != rules_version():
        return "检查规则已更新"
    if run.rulebook_version != rulebook.version:
        return "标准库已更新"
    if rulebook.in_force(run.checked_on).entries() != rulebook.in_force(on).entries():
        return "标准库中有条目开始或停止生效"
    known = plan_facts(run.version, rulebook, on=on)
    if run.facts_hash != _facts_mark(known, _basis(known, run.version)):
        return "台账或省定任务有变动"
    return ""


def refuse_outdated(version: PlanVersion, *, on: date) -> None:
    """Raise Outdated when the newest findings of a read version no longer hold."""
    run = version.check_runs.first()
    if version.state != PlanVersion.State.READ or run is None:
        return
    changed = why_outdated(run, on=on)
    if changed:
        raise Outdated(
            f"还不能报送：第{version.number}版的检查结果已过期（{changed}）。"
            "已经安排重新检查，请等检查完成后再报送。",
            version,
        )


def what_blocks_submission(version: PlanVersion) -> list[str]:
    """Return the reasons why a version may not be submitted, as clauses of a sentence.

    A finding that the office has accepted does not block; one it has ruled against does.
    """
    if version.state == PlanVersion.State.RECEIVED:
        return [f"第{version.number}版还在读入和检查，请等它完成"]
    if version.state == PlanVersion.State.REFUSED:
        return [f"第{version.number}版有 {len(version.errors)} 处错误，请改正后重新上传"]
    run = version.check_runs.first()
    if run is None:
        return [f"第{version.number}版还没有完成标准检查"]
    binding = run.findings.filter(
        Q(rule__in=PLAN_RULES_THAT_BLOCK) | Q(area__isnull=False)
    ).exclude(verdict__in=(Verdict.PASS, Verdict.NA))
    blocking = [
        row
        for row in with_rulings(binding, rulings_of(version.plan))
        if row.verdict is Verdict.FAIL
    ]
    return [
        f"{row.finding.subject_name}：{row.finding.message.rstrip('。')}"
        for row in blocking[:REASONS_SHOWN]
    ]


# Marks --------------------------------------------------------------------------------------------


def _mark(known: object) -> str:
    return hashlib.sha256(repr(known).encode()).hexdigest()


def _facts_mark(known: facts.PlanFacts, basis: Mapping[str, str]) -> str:
    """Return the mark of all that is known; mines and areas stand in it by their own marks."""
    return _mark((replace(known, mines=(), areas=()), list(basis.items())))


def _basis(known: facts.PlanFacts, version: PlanVersion) -> dict[str, str]:
    """Return a mark of what is known about each mine, area and added piece, by its key.

    An area's mark holds its outline, because people rule on what they see on the map.
    """
    outlines = {area.code: bytes(area.outline.wkb) for area in version.areas.all() if area.outline}
    marks = {mine.key: _mark(mine) for mine in known.mines}
    for area in known.areas:
        marks[area.key] = _mark((area, outlines.get(area.key)))
        marks |= {extra.key: _mark((marks[area.key], extra)) for extra in area.extras}
    return marks


def basis_hash(found: findings.Finding, basis: Mapping[str, str]) -> str:
    """Return the mark of what a finding rests on: rule, figures with their limits, subject.

    A limit of the rulebook stands among the figures with its value and source.
    """
    subject = found.subject_key.partition("#")[0] if found.subject_kind == "system" else ""
    known = basis.get(subject or found.subject_key, "")
    resting_on = (
        found.rule, found.rule_version, found.verdict.value, found.message, found.figures, known,
    )  # fmt: skip
    return _mark(resting_on)


# Rows ---------------------------------------------------------------------------------------------


def save_run(version: PlanVersion, checked: Checked, *, job: Any) -> CheckRun:
    """Store one run with its findings; earlier runs stay as they are."""
    counts = Counter(each.verdict.value for each in checked.findings)
    run = CheckRun.objects.create(
        version=version,
        job=job,
        rulebook_version=current_rulebook().version,
        rules_version=rules_version(),
        facts_hash=checked.facts_hash,
        checked_on=checked.on,
        counts={verdict.value: counts.get(verdict.value, 0) for verdict in Verdict},
    )
    keys = {each.mine_key for each in checked.findings if each.mine_key}
    mine_ids = dict(Mine.objects.filter(registry_no__in=keys).values_list("registry_no", "pk"))
    area_ids = dict(version.areas.values_list("code", "pk"))
    with collector_paused():
        _copy_findings(_finding_rows(run, checked, mine_ids, area_ids))
    return run


COPIED = (
    "run_id", "rule", "rule_version", "phase", "subject_kind", "subject_key", "subject_name",
    "mine_id", "area_id", "verdict", "message", "figures", "would_pass", "clause", "quote",
    "basis_hash",
)  # fmt: skip
NULLABLE = ("mine_id", "area_id")
AS_JSON = json.JSONEncoder(ensure_ascii=False)
# Thousands of rows at once: COPY takes a third of the time of INSERT. An empty field is NULL for
# the two keys alone.
COPY = "COPY {table} ({columns}) FROM STDIN WITH (FORMAT csv, FORCE_NOT_NULL ({filled}))".format(
    table=Finding._meta.db_table,
    columns=", ".join(COPIED),
    filled=", ".join(name for name in COPIED if name not in NULLABLE),
)


def _copy_findings(rows: Iterable[tuple[Any, ...]]) -> None:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    file.seek(0)
    with connection.cursor() as cursor:
        cursor.copy_expert(COPY, file)


def _finding_rows(
    run: CheckRun, checked: Checked, mine_ids: Mapping[str, int], area_ids: Mapping[str, int]
) -> Iterable[tuple[Any, ...]]:
    """Yield the findings as rows of COPIED."""
    for found in checked.findings:
        figures = [
            {"label": row.label, "value": row.value, "unit": row.unit, "source": row.source}
            for row in found.figures
        ]
        yield (
            run.pk,
            found.rule,
            found.rule_version,
            found.phase.value,
            found.subject_kind,
            found.subject_key,
            found.subject_name[:120],
            mine_ids.get(found.mine_key),
            area_ids.get(found.area_key),
            found.verdict.value,
            found.message,
            AS_JSON.encode(figures),
            found.would_pass,
            found.clause,
            found.quote,
            basis_hash(found, checked.basis),
        )
