"""Check the whole registry against the standards, piece by piece, with memory that stays flat."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Q, Sum
from django.utils import timezone

from mines.check_models import MineCheckPart, MineCheckRun, MineFinding, empty_counts
from mines.facts import mine_facts
from mines.mine_chunks import mine_chunks
from mines.models import Mine, OreBody
from mines.standings import keep_standings
from rulebook.current import rulebook_of, version_in_force
from shuozhou_mines.errors import WrongState
from shuozhou_mines.jobs import Run, collector_paused, enqueue, handles
from shuozhou_mines.models import Job
from standards.facts import MineFacts, RightFacts
from standards.findings import Finding
from standards.rulebook import Rulebook
from standards.run import check_mines, ordered_rules
from standards.terms import Verdict
from taskforce.models import User
from taskforce.permissions import check_city
from taskforce.trail import record

CHECK_PART = "mines.check_part"
# Two workers go faster than one; a small registry is not worth cutting.
PARTS = 2
MINES_WORTH_A_PART = 2000
KEPT_VERDICTS = frozenset({Verdict.FAIL, Verdict.REVIEW, Verdict.NODATA})
COLUMNS = (
    "run_id", "mine_id", "rule", "phase", "system", "subject_name", "verdict", "message",
    "figures", "would_pass",
)  # fmt: skip
AS_JSON = json.JSONEncoder(ensure_ascii=False)
COPY = f"COPY mines_minefinding ({', '.join(COLUMNS)}) FROM STDIN WITH (FORMAT csv, NULL '\\N')"


@transaction.atomic
def start_check(
    *, reason: str, on: date, at: datetime, by: User | None = None, once_key: str | None = None
) -> MineCheckRun | None:
    """Start a check of the registry; None when one with this key has been started before.

    Raise Incomplete while there is no rulebook.
    """
    version = version_in_force()
    made = MineCheckRun(
        reason=reason, once_key=once_key, rulebook=version, rules=rules_as_they_are(),
        checked_on=on, asked_by=by, started_at=at,
    )  # fmt: skip
    if once_key is None:
        made.save()
    elif not _is_first(made):
        return None
    _cut(made, by)
    record("开始台账检查", by=by, subject=made, reason=reason)
    return made


def _is_first(run: MineCheckRun) -> bool:
    """Write the run unless its key is taken; the database decides between two clocks."""
    MineCheckRun.objects.bulk_create([run], ignore_conflicts=True)
    found = MineCheckRun.objects.filter(once_key=run.once_key, started_at=run.started_at)
    key = found.values_list("pk", flat=True).first()
    if key is None or MineCheckPart.objects.filter(run=key).exists():
        return False
    run.pk = key
    return True


def _cut(run: MineCheckRun, by: User | None) -> None:
    """Cut the registry into stretches of about the same number of mines, each with its job."""
    ids = Mine.objects.in_scope().order_by("pk").values_list("pk", flat=True)
    total = ids.count()
    parts = PARTS if total >= MINES_WORTH_A_PART else 1
    after, done = 0, 0
    for number in range(1, parts + 1):
        upto = total * number // parts
        until = ids[upto - 1] if upto else 0
        part = MineCheckPart.objects.create(
            run=run, number=number, after_id=after, until_id=until, mines=upto - done,
            checked_to=after,
        )  # fmt: skip
        part.job = enqueue(kind=CHECK_PART, subject=part, key=str(part.pk), by=by)
        part.save(update_fields=["job"])
        after, done = until, upto


@transaction.atomic
def request_check(*, by: User, on: date, at: datetime) -> MineCheckRun:
    """Start a check because the office asks for it.

    Raise NotAllowed, or WrongState while another check is under way.
    """
    check_city(by, "manage_rulebook", "只有专班办公室可以发起全市台账检查。")
    MineCheckRun.objects.select_for_update(of=("self",)).order_by("-pk").first()
    if under_way() is not None:
        raise WrongState("全市台账检查正在进行，请等它完成后再发起。")
    run = start_check(reason=MineCheckRun.Reason.REQUEST, on=on, at=at, by=by)
    assert run is not None  # noqa: S101  a run without a key is always made
    return run


def under_way() -> MineCheckRun | None:
    """Return the newest run that a job is still working on."""
    open_jobs = Job.objects.filter(state__in=(Job.State.QUEUED, Job.State.RUNNING))
    running = MineCheckRun.objects.filter(finished_at__isnull=True, parts__job__in=open_jobs)
    return running.distinct().first()


def rules_as_they_are() -> dict[str, dict[str, str]]:
    """Return version, title, clause and quotation of every rule, by code."""
    return {
        rule.code: {
            "version": rule.version, "title": rule.title, "clause": rule.clause,
            "quote": rule.quote,
        }
        for rule in ordered_rules()
    }  # fmt: skip


@handles(CHECK_PART, "检查全市台账")
def check_part(job_run: Run) -> None:
    """Check the mines of one part; a job taken up again goes on after the last mine written."""
    part = MineCheckPart.objects.select_related("run__rulebook").get(pk=job_run.subject_id)
    if part.finished_at is not None:
        return
    rulebook = rulebook_of(part.run.rulebook)
    bodies = rights_on_shared_bodies()
    job_run.report(part.checked, part.mines, "正在检查矿山")
    for mines in mine_chunks(after=part.checked_to, until=part.until_id):
        with collector_paused():
            counts, rows = _check_chunk(part.run, mines, rulebook, bodies)
        with transaction.atomic():
            job_run.still_ours()
            _copy(rows)
            _go_on(part, mines, counts)
        job_run.report(part.checked, part.mines, "正在检查矿山")
    with transaction.atomic():
        job_run.still_ours()
        _finish(part)


def rights_on_shared_bodies() -> dict[str, tuple[RightFacts, ...]]:
    """Return the rights on every ore body that more than one mine digs, by the body's code."""
    links = Mine.ore_bodies.through.objects.filter(mine__removed_on__isnull=True)
    digging = Count("mines", filter=Q(mines__removed_on__isnull=True))
    shared = OreBody.objects.annotate(digging=digging).filter(digging__gt=1)
    rows = links.filter(orebody__in=shared).order_by("orebody__code", "mine__registry_no")
    found: dict[str, list[RightFacts]] = {}
    for code, key, name, uscc, holder in rows.values_list(
        "orebody__code", "mine__registry_no", "mine__name", "mine__holder__uscc",
        "mine__holder__name",
    ).iterator():  # fmt: skip
        right = RightFacts(key=key, name=name, holder_uscc=uscc or None, holder_name=holder)
        found.setdefault(code, []).append(right)
    return {code: tuple(rights) for code, rights in found.items()}


def _check_chunk(
    run: MineCheckRun,
    mines: list[Mine],
    rulebook: Rulebook,
    bodies: Mapping[str, tuple[RightFacts, ...]],
) -> tuple[dict[str, dict[str, int]], io.StringIO]:
    """Return the counts by rule and verdict, and the findings to keep as lines for COPY."""
    ids = {mine.registry_no: mine.pk for mine in mines}
    facts: Iterable[MineFacts] = (mine_facts(mine) for mine in mines)
    counted: Counter[tuple[str, Verdict]] = Counter()
    lines = io.StringIO()
    writer = csv.writer(lines)
    for found in check_mines(facts, rulebook, on=run.checked_on, ore_bodies=bodies):
        counted[found.rule, found.verdict] += 1
        if found.verdict in KEPT_VERDICTS:
            writer.writerow(_line(run, ids[found.mine_key], found))
    lines.seek(0)
    counts: dict[str, dict[str, int]] = {}
    for (rule, verdict), number in counted.items():
        counts.setdefault(rule, empty_counts())[verdict.value] = number
    return counts, lines


def _line(run: MineCheckRun, mine_id: int, found: Finding) -> tuple[Any, ...]:
    figures = [
        {"label": row.label, "value": row.value, "unit": row.unit, "source": row.source}
        for row in found.figures
    ]
    system = found.subject_key.rpartition("#")[2] if found.subject_kind == "system" else 0
    return (
        run.pk, mine_id, found.rule, found.phase.value, system, found.subject_name[:160],
        found.verdict.value, found.message, AS_JSON.encode(figures),
        found.would_pass,
    )  # fmt: skip


def _copy(lines: io.StringIO) -> None:
    with connection.cursor() as cursor:
        cursor.copy_expert(COPY, lines)


def _go_on(part: MineCheckPart, mines: list[Mine], counts: Mapping[str, Mapping[str, int]]) -> None:
    """Write how far the part is, beside the findings themselves."""
    part.checked = min(part.checked + len(mines), part.mines)
    part.checked_to = mines[-1].pk
    part.rule_counts = add_counts(part.rule_counts, counts)
    part.save(update_fields=["checked", "checked_to", "rule_counts"])


def add_counts(
    one: Mapping[str, Mapping[str, int]], other: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, int]]:
    """Return two tables of counts added up, by rule and verdict."""
    total = {rule: dict(numbers) for rule, numbers in one.items()}
    for rule, numbers in other.items():
        row = total.setdefault(rule, empty_counts())
        for verdict, number in numbers.items():
            row[verdict] += number
    return total


def _finish(part: MineCheckPart) -> None:
    """End the part; the last one ends the run and drops what is older than is kept."""
    run = MineCheckRun.objects.select_for_update(of=("self",)).get(pk=part.run_id)
    part.finished_at = timezone.now()
    part.save(update_fields=["finished_at"])
    if run.parts.filter(finished_at__isnull=True).exists():
        return
    total: dict[str, dict[str, int]] = {}
    for each in run.parts.all():
        total = add_counts(total, each.rule_counts)
    counts = empty_counts()
    for numbers in total.values():
        for verdict, number in numbers.items():
            counts[verdict] += number
    run.rule_counts, run.counts = total, counts
    run.mines = run.parts.aggregate(checked=Sum("checked"))["checked"]
    run.finished_at = part.finished_at
    run.save(update_fields=["rule_counts", "counts", "mines", "finished_at"])
    keep_standings(run)
    _forget_old_runs()


def _forget_old_runs() -> None:
    kept = MineCheckRun.objects.filter(finished_at__isnull=False).order_by("-pk")
    oldest = kept.values_list("pk", flat=True)[settings.REGISTRY_CHECKS_KEPT - 1 :][:1]
    for key in oldest:
        old = MineCheckRun.objects.filter(pk__lt=key)
        MineFinding.objects.filter(run__in=old)._raw_delete("default")
        old.delete()


def worst_findings(mine: Mine, *, most: int = 20) -> list[MineFinding]:
    """Return what the newest finished check of the registry found on a mine, the gravest first.

    `most` bounds the list; empty when nothing is amiss or nothing has been checked yet.
    """
    run = MineCheckRun.objects.newest_finished()
    if run is None:
        return []
    found = MineFinding.objects.filter(run=run, mine=mine)
    return sorted(found, key=lambda each: (each.severity, each.rule, each.system))[:most]
