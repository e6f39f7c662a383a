"""Make the next version of a plan by changing rows of the newest one; its file is made anew.

A change made on a page is a version like any other: a workbook with its hash, read and checked by
the same job, never an edit of rows that have been read.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils import timezone

from mines.models import Mineral
from mines.sheets import WorkbookRefused, read_workbook
from plans import actions
from plans.models import CountyPlan, PlanVersion
from plans.registry import make_template, registry_of, template_key
from plans.workbook import ParsedPlan, read_plan
from shuozhou_mines.errors import Incomplete, WrongState
from standards.terms import Disposition

Edit = Callable[[ParsedPlan], ParsedPlan]


def newest_read(plan: CountyPlan) -> PlanVersion | None:
    """Return the plan's newest version if it has been read; None where there is nothing to edit."""
    version = plan.versions.first()
    return version if version is not None and version.state == PlanVersion.State.READ else None


def rows_of(version: PlanVersion) -> ParsedPlan:
    """Read a version's own file again; raise Incomplete when that is no longer possible."""
    plan = version.plan
    try:
        workbook = read_workbook(Path(version.file.path))
    except WorkbookRefused as refusal:
        raise Incomplete(f"第{version.number}版的文件不能再次读取：{refusal.message}") from refusal
    rows = read_plan(
        workbook,
        county_code=plan.county_id,
        registry=registry_of(plan.county_id),
        signing_key=template_key(),
        minerals=set(Mineral.objects.values_list("name", flat=True)),
    )
    if not rows.dispositions:
        raise Incomplete(
            f"第{version.number}版的文件不能再次读取。请下载现在的模板，把内容填好后上传。"
        )
    return rows


def edit_version(
    *, plan_id: int, seen_version_id: int, edit: Edit, name: str, by: Any, at: datetime
) -> PlanVersion:
    """Change the rows of the newest version and queue the reading of the next one.

    `seen_version_id` is the version that the person saw. Raises NotAllowed, WrongState when the
    plan has left the county or there is a newer version, Incomplete when it cannot be edited.
    """
    plan = CountyPlan.objects.select_related("county", "round").get(pk=plan_id)
    seen = plan.versions.filter(pk=seen_version_id, state=PlanVersion.State.READ).first()
    if seen is None:
        raise Incomplete("方案还没有读入的版本，不能在页面上修改。请先下载模板，填好后上传。")
    content = make_template(plan, prefill=edit(rows_of(seen)))
    upload = SimpleUploadedFile(f"{name}_{timezone.localtime(at):%Y%m%d%H%M}.xlsx", content)
    with transaction.atomic():
        newest = actions.lock_plan(plan_id).versions.first()
        if newest is None or newest.pk != seen_version_id:
            number = newest.number if newest is not None else 0
            raise WrongState(f"方案已经有第{number}版，这次修改没有采用。请刷新页面后再改。")
        version, _ = actions.receive_version(plan_id=plan_id, upload=upload, by=by, at=at)
    return version


def without_mines(rows: ParsedPlan, registry_nos: set[str]) -> ParsedPlan:
    """Take mines out of the annexes on closing, leaving and upgrading, and areas left empty."""
    members = {
        row.area_code
        for row in rows.dispositions
        if row.area_code and row.disposition is Disposition.MERGE
    }
    kept = [area for area in rows.areas if area.code in members]
    codes = {area.code for area in kept}
    return replace(
        rows,
        areas=kept,
        systems=[row for row in rows.systems if row.area_code in codes],
        corners=[row for row in rows.corners if row.area_code in codes],
        closings=[row for row in rows.closings if row.registry_no not in registry_nos],
        exits=[row for row in rows.exits if row.registry_no not in registry_nos],
        upgrades=[row for row in rows.upgrades if row.registry_no not in registry_nos],
    )
