"""Search the registry for mergers in the background, and keep what was found."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from mines.models import Mine
from plans.planner_facts import Ground, gather
from plans.planner_models import PlannerCluster, PlannerLone, PlannerProposal, PlannerRun
from plans.planner_parts import Part, alone, clusters
from plans.planner_rows import cluster_rows, lone_rows
from rulebook.current import current_rulebook
from shuozhou_mines.errors import WrongState
from shuozhou_mines.jobs import Run, enqueue, handles
from shuozhou_mines.models import Job
from standards.terms import Disposition

PLAN_MERGERS = "plans.plan_mergers"
# How many rows go into the database at once, and how many clusters lie between two reports.
BATCH, REPORTED = 1000, 200
KEPT_RUNS = 3


def start_run(*, county: Any, by: Any, at: Any) -> PlannerRun:
    """Write a run with its job; raise WrongState while one of the same county is open."""
    last = PlannerRun.objects.filter(county=county).select_related("job").first()
    if last is not None and last.job is not None and last.job.is_open:
        raise WrongState("同一范围的整合规划正在计算，请等它完成。")
    run = PlannerRun.objects.create(
        county=county,
        asked_by=by,
        started_at=at,
        planned_on=timezone.localdate(at),
        rulebook_version=current_rulebook().version,
    )
    run.job = enqueue(kind=PLAN_MERGERS, subject=run, key=str(run.pk), by=by)
    run.save(update_fields=["job"])
    return run


@handles(PLAN_MERGERS, "计算整合规划")
def plan_mergers(job_run: Run) -> None:
    """Search all clusters of a run and keep them; a job taken up again begins anew."""
    run = PlannerRun.objects.get(pk=job_run.subject_id)
    if run.finished_at is not None:
        return
    mines = Mine.objects.in_scope()
    if run.county_id is not None:
        mines = mines.filter(county=run.county_id)
    book = current_rulebook().in_force(run.planned_on)
    ground = gather(book, county_code=run.county_id, total=mines.count(), progress=job_run.report)
    rows, proposals, lone = _search(job_run, run, ground)
    job_run.report(len(ground.candidates), len(ground.candidates), "正在保存建议")
    with transaction.atomic():
        job_run.still_ours()
        run.clusters.all().delete()
        run.lone.all().delete()
        PlannerCluster.objects.bulk_create(rows, batch_size=BATCH)
        PlannerProposal.objects.bulk_create(proposals, batch_size=BATCH)
        PlannerLone.objects.bulk_create(lone_rows(run, lone, ground), batch_size=BATCH)
        run.finished_at = timezone.now()
        run.figures = _figures(ground, rows, proposals, lone)
        run.save(update_fields=["finished_at", "figures"])
        _forget_old(run)


def _search(
    job_run: Run, run: PlannerRun, ground: Ground
) -> tuple[list[PlannerCluster], list[PlannerProposal], list[tuple[int, Part]]]:
    rows: list[PlannerCluster] = []
    proposals: list[PlannerProposal] = []
    lone: list[tuple[int, Part]] = []
    numbers: dict[str, int] = {}
    done, reported = 0, 0
    for cluster in clusters(ground.candidates.values(), ground.links):
        done += len(cluster.mines)
        if len(cluster.mines) == 1:
            lone.append((cluster.mines[0].key, alone(cluster.mines[0])))
            continue
        found = cluster_rows(run, cluster, ground, numbers)
        if found is None:
            lone += ((mine.key, alone(mine)) for mine in cluster.mines)
        else:
            rows.append(found[0])
            proposals += found[1]
        if done - reported >= REPORTED:
            reported = done
            job_run.report(done, len(ground.candidates), "正在比较整合办法")
    _name(rows)
    return rows, proposals, lone


def _name(rows: list[PlannerCluster]) -> None:
    """Name each cluster by the place and the mineral of its first mine."""
    firsts = [row.mine_ids[0] for row in rows]
    known = {}
    for start in range(0, len(firsts), BATCH):
        found = Mine.objects.filter(pk__in=firsts[start : start + BATCH]).order_by("pk")
        for key, township, mineral in found.values_list("pk", "township", "mineral__name"):
            known[key] = f"{township}{mineral}"
    for row in rows:
        row.name = f"{known.get(row.mine_ids[0], '')} {row.mines} 座".strip()[:120]


def _figures(
    ground: Ground,
    rows: list[PlannerCluster],
    proposals: list[PlannerProposal],
    lone: list[tuple[int, Part]],
) -> dict[str, int]:
    best = [proposal for proposal in proposals if proposal.rank == 1]
    return {
        "mines": len(ground.candidates),
        "failing": sum(not mine.stands for mine in ground.candidates.values()),
        "unsearched": len(ground.unsearched),
        "clusters": len(rows),
        "inexact": sum(not row.is_exact for row in rows),
        "mergers": sum(proposal.mergers for proposal in best),
        "saved": sum(proposal.saved for proposal in best)
        + sum(part.kind is Disposition.UPGRADE for _, part in lone),
        "leaving": sum(proposal.leaving for proposal in best)
        + sum(part.kind is Disposition.EXIT for _, part in lone),
    }


def _forget_old(run: PlannerRun) -> None:
    """Keep the newest runs of the same county alone; what was taken stands in versions."""
    same = PlannerRun.objects.filter(county=run.county_id).order_by("-pk")
    old = list(same.values_list("pk", flat=True)[KEPT_RUNS:])
    PlannerRun.objects.filter(pk__in=old).delete()


def open_job(run: PlannerRun | None) -> Job | None:
    """Return the job of a run that is still at work or has failed."""
    if run is None or run.job is None or run.finished_at is not None:
        return None
    return run.job
