"""Do the work that follows an upload: read the workbook, store its rows, check the standards."""

import time
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from mines.models import Mine, Mineral
from mines.sheets import CellProblem, WorkbookRefused, read_workbook
from plans.compliance import find, save_run
from plans.models import CheckRun, Disposition, MergedArea, PlanVersion
from plans.outlines import CornerProblem, Outline, read_outlines
from plans.registry import registry_of, template_key
from plans.workbook import ParsedPlan, annotate, read_plan
from plans.workbook_columns import CORNERS
from shuozhou_mines.jobs import Run, enqueue, handles
from shuozhou_mines.models import Job
from shuozhou_mines.storage import store
from standards.run import Progress, ordered_rules

READ_VERSION = "plans.read_version"
CHECK_VERSION = "plans.check_version"
STEPS_BEFORE_CHECKS = 2
SECONDS_BETWEEN_REPORTS = 0.2


@handles(READ_VERSION, "读入方案并检查标准")
def read_version(run: Run) -> None:
    """Read an uploaded version: store its rows and findings, or its problems."""
    version = PlanVersion.objects.select_related("plan__county", "plan__round").get(
        pk=run.subject_id
    )
    if version.state != PlanVersion.State.RECEIVED:
        return
    total = STEPS_BEFORE_CHECKS + len(ordered_rules())
    run.report(0, total, "正在读取工作簿")
    parsed, outlines, problems = _parse(version)
    if any(problem.severity == "error" for problem in problems):
        _refuse(run, version, problems)
        return
    run.report(1, total, "正在写入矿山和整合区")
    with transaction.atomic():
        run.still_ours()
        _store(version, parsed, outlines, problems)
    today = timezone.localdate()
    checked = find(version, on=today, progress=_reporting(run, STEPS_BEFORE_CHECKS, "检查："))
    with transaction.atomic():
        run.still_ours()
        save_run(version, checked, job=run.job)
        version.state = PlanVersion.State.READ
        version.save(update_fields=["state"])


@handles(CHECK_VERSION, "按标准重新检查方案")
def check_version(run: Run) -> None:
    """Check a read version again; a job that is taken up again after its result is kept ends."""
    version = PlanVersion.objects.select_related("plan__county").get(pk=run.subject_id)
    if version.state != PlanVersion.State.READ or CheckRun.objects.filter(job=run.job).exists():
        return
    checked = find(version, on=timezone.localdate(), progress=_reporting(run))
    with transaction.atomic():
        run.still_ours()
        save_run(version, checked, job=run.job)


def queue_check(version: PlanVersion, *, by: Any) -> Job:
    """Queue a new check of a version; while one is open, that one is returned."""
    asked = Job.objects.about(version).filter(kind=CHECK_VERSION)
    last = asked.first()
    if last is not None and last.is_open:
        return last
    return enqueue(
        kind=CHECK_VERSION, subject=version, key=f"{version.pk}:{asked.count() + 1}", by=by
    )


def _reporting(run: Run, before: int = 0, words: str = "") -> Progress:
    """Return a report of every rule as one step, after the steps `before`.

    Written a few times a second: the page asks once a second, and every report is a commit.
    """
    last = 0.0

    def report(done: int, total: int, title: str) -> None:
        nonlocal last
        now = time.monotonic()
        if done in (0, total) or now - last >= SECONDS_BETWEEN_REPORTS:
            last = now
            run.report(done + before, total + before, f"{words}{title}")

    return report


def _parse(
    version: PlanVersion,
) -> tuple[ParsedPlan, dict[str, Outline], list[CellProblem]]:
    """Return rows, outlines and problems of the version's file."""
    try:
        workbook = read_workbook(Path(version.file.path))
    except WorkbookRefused as refusal:
        problem = CellProblem("", "", "error", refusal.code, refusal.message)
        return ParsedPlan(), {}, [problem]
    parsed = read_plan(
        workbook,
        county_code=version.plan.county_id,
        registry=registry_of(version.plan.county_id),
        signing_key=template_key(),
        minerals=set(Mineral.objects.values_list("name", flat=True)),
    )
    outlines, corner_problems = read_outlines(parsed.corners)
    found = [*parsed.problems, *(_corner_cell(each) for each in corner_problems)]
    return parsed, outlines, found


def _corner_cell(problem: CornerProblem) -> CellProblem:
    return CellProblem(
        sheet=CORNERS.sheet,
        cell=CORNERS.cell(problem.field, problem.row),
        severity=problem.severity,
        code=problem.code,
        message=f"{CORNERS.sheet} 第{problem.row}行（{problem.area_code}）：{problem.message}",
        found=problem.found,
        expected=problem.expected,
    )


def _refuse(run: Run, version: PlanVersion, problems: list[CellProblem]) -> None:
    """Keep what was wrong, and the county's own workbook with the wrong cells marked."""
    marked = _marked(version, problems)
    with transaction.atomic():
        run.still_ours()
        version.state = PlanVersion.State.REFUSED
        version.problems = [asdict(problem) for problem in problems]
        version.marked = marked
        version.save(update_fields=["state", "problems", "marked"])


def _marked(version: PlanVersion, problems: list[CellProblem]) -> str:
    """Return the stored name of the marked copy; "" for a file that cannot be marked."""
    try:
        content = annotate(Path(version.file.path), problems)
    except WorkbookRefused:
        return ""
    return store([content], folder="plans", suffix=".xlsx").name


def _store(
    version: PlanVersion,
    parsed: ParsedPlan,
    outlines: dict[str, Outline],
    problems: list[CellProblem],
) -> None:
    """Write the rows of a version; those of a run that was cut short are replaced."""
    version.dispositions.all().delete()
    version.areas.all().delete()
    minerals = {row.name: row for row in Mineral.objects.all()}
    areas = MergedArea.objects.bulk_create(
        _area(version, row, parsed, outlines.get(row.code), minerals.get(row.mineral or ""))
        for row in parsed.areas
    )
    area_by_code = {area.code: area for area in areas}
    mine_ids = dict(
        Mine.objects.filter(county_id=version.plan.county_id).values_list("registry_no", "pk")
    )
    Disposition.objects.bulk_create(
        Disposition(
            version=version,
            mine_id=mine_ids[row.registry_no],
            kind=row.disposition,
            reason=row.reason or "",
            area=area_by_code.get(row.area_code or ""),
            due_on=row.due_on,
            responsible_unit=row.unit or "",
            responsible=row.person or "",
            remarks=row.remark or "",
        )
        for row in parsed.dispositions
        if row.disposition is not None
    )
    version.problems = [asdict(problem) for problem in problems]
    version.sheets = {
        name: [_plain(asdict(row)) for row in getattr(parsed, name)]
        for name in ("closings", "exits", "upgrades", "zones", "supplies", "tasks")
    }
    version.save(update_fields=["problems", "sheets"])


def _area(
    version: PlanVersion,
    row: Any,
    parsed: ParsedPlan,
    outline: Outline | None,
    mineral: Mineral | None,
) -> MergedArea:
    stocks = {
        "measured": row.measured_wan_t,
        "indicated": row.indicated_wan_t,
        "inferred": row.inferred_wan_t,
    }
    return MergedArea(
        version=version,
        code=row.code,
        name=row.name or row.code,
        lead_enterprise=row.lead or "",
        mineral=mineral,
        method=row.method or "",
        scale=row.scale,
        scale_unit=row.scale_unit or "",
        density=row.density_t_m3,
        systems=[
            {"name": each.name, "method": each.method, "scale": _text(each.scale)}
            for each in parsed.systems
            if each.area_code == row.code
        ],
        stocks={key: str(value) for key, value in stocks.items() if value is not None},
        recoverable=row.reserve_wan_t,
        service_life_years=row.service_life_years,
        life_includes_construction=row.life_includes_construction,
        construction_years=row.construction_years,
        elevation_top_m=row.elevation_top_m,
        elevation_bottom_m=row.elevation_bottom_m,
        declared_area_km2=row.area_km2,
        outline=outline.shape if outline else None,  # type: ignore[misc]  # is a MultiPolygon
        area_km2=outline.area_km2 if outline else None,
        extra_kinds=[kind.value for kind in row.extra_resources],
        grant_way=row.grant_way or "",
        extra_reason=row.extra_basis or "",
        is_on_ridge=row.on_ridge,
        is_new_right=row.as_new,
        responsible=row.leader or "",
        due_on=row.due_on,
        remarks=row.remark or "",
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Make a row fit for JSON: days in ISO form, decimals as text."""
    return {
        key: value.isoformat()
        if isinstance(value, date)
        else value
        if value is None or isinstance(value, int | str | list)
        else str(value)
        for key, value in row.items()
    }
