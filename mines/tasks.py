"""Do the work of an import: read the upload and work out its changes; write them once confirmed."""

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pghistory
from django.db import connection, transaction
from django.utils import timezone

from mines.models import Mine, Mineral
from mines.registry_state import mark_of, numbers_elsewhere, snapshot_of
from mines.registry_writing import write_changes
from mines.sheets import (
    CellProblem,
    Workbook,
    WorkbookRefused,
    read_workbook,
)
from mines.upload_models import ColumnMapping, RegistryUpload
from mines.workbook import (
    NOT_FOUND,
    Changes,
    MineChange,
    ParsedRegistry,
    Snapshot,
    changes_between,
    is_template,
    layout_of,
    overlapping_period,
    read_own_table,
    read_registry,
)
from mines.workbook_cells import plain
from mines.workbook_columns import MINES
from shuozhou_mines.jobs import Run, enqueue, handles
from shuozhou_mines.storage import store
from taskforce.models import County
from taskforce.trail import record

READ_UPLOAD = "mines.read_upload"
WRITE_UPLOAD = "mines.write_upload"
STEPS = 4
MOST_PROBLEMS = 1000
MOST_LISTED = 2000
CHANGED_MEANWHILE = (
    "确认之前，台账已被别人改动，这次没有写入。下面是对照最新台账重新算出的变更，请核对后再确认。"
)


@contextmanager
def _no_collector() -> Iterator[None]:
    """Keep the collector from looking for cycles among millions of cells that have none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@handles(READ_UPLOAD, "读取台账工作簿")
@_no_collector()
def read_upload(run: Run) -> None:
    """Read an upload, and leave it ready to be confirmed, refused, or waiting for its columns."""
    upload = RegistryUpload.objects.select_related("county").get(pk=run.subject_id)
    if upload.state != RegistryUpload.State.RECEIVED:
        return
    run.report(0, STEPS, "正在读取工作簿")
    try:
        workbook = read_workbook(Path(upload.file.path))
    except WorkbookRefused as refusal:
        problem = CellProblem("", "", "error", refusal.code, refusal.message)
        _leave(run, upload, RegistryUpload.State.REFUSED, problems=[problem])
        return
    run.report(1, STEPS, "正在核对每个单元格")
    minerals = dict(Mineral.objects.values_list("code", "name"))
    snapshot = snapshot_of(upload.county)
    parsed = _parse(run, upload, workbook, snapshot, minerals)
    if parsed is None:
        return
    del workbook
    run.report(2, STEPS, "正在与现行台账比较")
    parsed.problems += _taken_numbers(parsed, snapshot, upload.county)
    if parsed.errors:
        _leave(run, upload, RegistryUpload.State.REFUSED, problems=parsed.problems)
        return
    changes = changes_between(parsed, snapshot, minerals)
    clashes = _clashing_periods(changes, snapshot)
    if clashes:
        problems = [*parsed.problems, *clashes]
        _leave(run, upload, RegistryUpload.State.REFUSED, problems=problems)
        return
    run.report(3, STEPS, "正在列出变更")
    content = json.dumps([vars(change) for change in changes.mines], ensure_ascii=False)
    plan_file = store([content.encode()], folder="registry", suffix=".json").name
    _leave(
        run,
        upload,
        RegistryUpload.State.READY,
        problems=parsed.problems,
        summary=_summary(changes),
        plan_file=plan_file,
        seen_mark=snapshot.mark,
    )


def _parse(
    run: Run,
    upload: RegistryUpload,
    workbook: Workbook,
    snapshot: Snapshot,
    minerals: dict[str, str],
) -> ParsedRegistry | None:
    """Return the rows; None when the upload was left waiting or refused."""
    codes = {plain(name): code for code, name in minerals.items()}
    as_of = upload.as_of.isoformat()
    if is_template(workbook):
        return read_registry(workbook, snapshot=snapshot, minerals=codes, as_of=as_of)
    layout = layout_of(workbook)
    if layout is None:
        problem = CellProblem("", "", "error", "no_table", NOT_FOUND)
        _leave(run, upload, RegistryUpload.State.REFUSED, problems=[problem])
        return None
    mapping = ColumnMapping.objects.filter(
        county=upload.county, signature=layout["signature"]
    ).first()
    if mapping is None:
        _leave(run, upload, RegistryUpload.State.UNMAPPED, layout=layout)
        return None
    upload.layout = layout
    return read_own_table(
        workbook, layout, mapping.fields, snapshot=snapshot, minerals=codes, as_of=as_of
    )


def _taken_numbers(parsed: ParsedRegistry, snapshot: Snapshot, county: County) -> list[CellProblem]:
    """Name the rows whose registry number stands for somebody else's mine, or for one that left."""
    new = {
        entry.registry_no: entry.row
        for entry in parsed.mines
        if entry.registry_no not in snapshot.mines
    }
    found = []
    for number, place in numbers_elsewhere(list(new), county).items():
        what = f"是{place}的矿山，本县（市、区）不能修改" if place else "已移出台账，不能再用"
        message = (
            f"{MINES.sheet} 第{new[number]}行：台账编号“{number}”{what}。"
            "请核对编号；新增的矿山请把台账编号留空。"
        )
        cell = MINES.cell("registry_no", new[number])
        code = "other_county" if place else "number_gone"
        found.append(CellProblem(MINES.sheet, cell, "error", code, message, number, "本县的编号"))
    return found


def _clashing_periods(changes: Changes, snapshot: Snapshot) -> list[CellProblem]:
    found = []
    for change in changes.changed:
        clash = overlapping_period(change, snapshot.mines[change.registry_no])
        if clash:
            message = (
                f"{MINES.sheet} 第{change.row}行：{change.name}的有效期与台账中另一段 "
                f"{clash[0]} 至 {clash[1]} 重叠。请核对有效期起止。"
            )
            cell = MINES.cell("valid_from", change.row)
            given = change.licence_fields["valid_from"]
            found.append(
                CellProblem(MINES.sheet, cell, "error", "periods_overlap", message, given, "")
            )
    return found


def _summary(changes: Changes) -> dict[str, Any]:
    """Return what the page lists; beyond the first thousands it counts."""
    return {
        "new_count": len(changes.new),
        "changed_count": len(changes.changed),
        "gone_count": len(changes.gone),
        "same_count": changes.same,
        "new": [[change.registry_no, change.name] for change in changes.new[:MOST_LISTED]],
        "changed": [
            {"number": change.registry_no, "name": change.name, "rows": change.shown}
            for change in changes.changed[:MOST_LISTED]
        ],
        "gone": changes.gone[:MOST_LISTED],
        "gone_numbers": [number for number, _ in changes.gone],
    }


def _leave(
    run: Run,
    upload: RegistryUpload,
    state: str,
    *,
    problems: list[CellProblem] | None = None,
    summary: dict[str, Any] | None = None,
    layout: dict[str, Any] | None = None,
    plan_file: str = "",
    seen_mark: str = "",
) -> None:
    """Store how the reading ended, unless somebody gave the upload up meanwhile."""
    with transaction.atomic():
        run.still_ours()
        RegistryUpload.objects.filter(pk=upload.pk, state=RegistryUpload.State.RECEIVED).update(
            state=state,
            problems=[asdict(problem) for problem in _first(problems or [])],
            summary=summary or {},
            layout=layout or upload.layout,
            plan_file=plan_file,
            seen_mark=seen_mark,
        )


def _first(problems: list[CellProblem]) -> list[CellProblem]:
    """Return the first problems, errors before warnings, and one that counts the others."""
    ordered = sorted(problems, key=lambda problem: problem.severity != "error")
    more = len(ordered) - MOST_PROBLEMS
    if more <= 0:
        return ordered
    message = f"另有 {more} 处没有列出。请先改正上面列出的问题再上传。"
    rest = CellProblem("", "", ordered[MOST_PROBLEMS].severity, "more_problems", message)
    return [*ordered[:MOST_PROBLEMS], rest]


@handles(WRITE_UPLOAD, "写入台账")
@_no_collector()
def write_upload(run: Run) -> None:
    """Write a confirmed upload in one transaction; read it anew when the registry has changed."""
    upload = RegistryUpload.objects.select_related("county", "confirmed_by").get(pk=run.subject_id)
    if upload.state != RegistryUpload.State.CONFIRMED:
        return
    run.report(0, 2, "正在写入台账")
    with upload.plan_file.open("rb") as file:
        changes = [MineChange(**row) for row in json.load(file)]
    with (
        pghistory.context(user=upload.confirmed_by_id, upload=upload.pk),
        transaction.atomic(),
    ):
        run.still_ours()
        lock_registry(upload.county_id)
        if mark_of(upload.county_id) != upload.seen_mark:
            read_again(upload)
        else:
            _write(upload, changes)


def _write(upload: RegistryUpload, changes: list[MineChange]) -> None:
    # The first statement that is not a COPY carries the history context into the transaction.
    upload.state = RegistryUpload.State.WRITTEN
    upload.written_at = timezone.now()
    upload.save(update_fields=["state", "written_at"])
    write_changes(
        changes,
        county_code=upload.county_id,
        as_of=upload.as_of.isoformat(),
        given_by=upload.given_by,
    )
    gone = 0
    if upload.remove_gone:
        gone = (
            Mine.objects.in_scope()
            .filter(county_id=upload.county_id, registry_no__in=upload.summary["gone_numbers"])
            .update(removed_on=upload.as_of, as_of=upload.as_of, given_by=upload.given_by)
        )
    record(
        "导入台账",
        by=upload.confirmed_by,
        subject=upload,
        county=upload.county,
        new=upload.summary["new_count"],
        changed=upload.summary["changed_count"],
        removed=gone,
        sha256=upload.sha256,
    )


def lock_county(county_code: str) -> None:
    """Let one transaction at a time work on a county's imports."""
    County.objects.select_for_update(of=("self",)).get(pk=county_code)


def lock_registry(county_code: str) -> None:
    """Let one transaction at a time write to a county's registry, and hold its mines still."""
    lock_county(county_code)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT id FROM mines_mine WHERE county_id = %s "
            "ORDER BY id FOR UPDATE) AS held",
            [county_code],
        )


def read_again(upload: RegistryUpload) -> None:
    """Send an upload back to be compared with the registry as it is now."""
    with transaction.atomic():
        row = RegistryUpload.objects.select_for_update(of=("self",)).get(pk=upload.pk)
        if row.state != RegistryUpload.State.CONFIRMED:
            return
        row.state = RegistryUpload.State.RECEIVED
        row.reading += 1
        row.note = CHANGED_MEANWHILE
        row.confirmed_at = row.confirmed_by = None
        row.remove_gone = False
        row.save()
        enqueue(kind=READ_UPLOAD, subject=row, key=f"{row.pk}:{row.reading}", by=row.uploaded_by)
