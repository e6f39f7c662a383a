"""Take a proposal into a county's draft: as the next version, or as a workbook filled in for it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from plans import permissions
from plans.models import CountyPlan, PlanVersion
from plans.planner_areas import Advice, advise
from plans.planner_models import PlannerProposal
from plans.planner_outlines import corner_rows
from plans.planner_rows import read_part
from plans.registry import make_template
from plans.version_edits import edit_version, rows_of, without_mines
from plans.workbook import AreaRow, DispositionRow, ParsedPlan, SystemRow
from plans.workbook_columns import FIRST_ROW
from rulebook.current import current_rulebook
from shuozhou_mines.errors import Incomplete
from standards.terms import Disposition, ExtraResource, GrantWay, Method, ScaleUnit
from taskforce.trail import record

REASON = "整合规划建议：与相邻矿山整合后达到最低生产规模和服务年限（四（二）2）。"


def take(
    *, proposal: PlannerProposal, plan: CountyPlan, seen_version_id: int, by: Any, at: datetime
) -> PlanVersion:
    """Write the mergers of a proposal into the plan's next version; other rows stay.

    Raises NotAllowed, WrongState when there is a newer version, Incomplete without mergers.
    """
    permissions.check_right(by, "draft_plan", plan)
    on = timezone.localdate(at)
    version = edit_version(
        plan_id=plan.pk,
        seen_version_id=seen_version_id,
        edit=lambda rows: with_mergers(rows, proposal, due_on=_due_on(plan, on), on=on),
        name="采用整合规划",
        by=by,
        at=at,
    )
    record(
        "采用整合规划建议", by=by, subject=version, county=plan.county,
        cluster=proposal.cluster.number, rank=proposal.rank,
    )  # fmt: skip
    return version


def filled_workbook(proposal: PlannerProposal, plan: CountyPlan, *, on: date) -> bytes:
    """Return the county's workbook with the proposal typed in, and the newest version's rows."""
    newest = plan.versions.filter(state=PlanVersion.State.READ).first()
    rows = rows_of(newest) if newest is not None else ParsedPlan()
    return make_template(
        plan, prefill=with_mergers(rows, proposal, due_on=_due_on(plan, on), on=on)
    )


def _due_on(plan: CountyPlan, on: date) -> date:
    """Return the round's last day, or the last day of this year when that is past."""
    due = plan.round.finish_due_on
    return due if due > on else date(on.year, 12, 31)


def with_mergers(
    rows: ParsedPlan, proposal: PlannerProposal, *, due_on: date, on: date
) -> ParsedPlan:
    """Add the mergers of a proposal to a plan's rows under codes that are free."""
    mergers = [part for part in map(read_part, proposal.parts) if part.kind is Disposition.MERGE]
    if not mergers:
        raise Incomplete("这个建议没有整合区可以写入方案。请选择另一个建议。")
    number = _first_free(rows)
    advice = advise(mergers, current_rulebook(), on=on, due_on=due_on, first_code=number)
    areas = {each.code: each for each in advice}
    code_of = {mine.registry_no: each.code for each in advice for mine in each.mines}
    kept = without_mines(_disposed(rows, code_of, due_on), set(code_of))
    return replace(
        kept,
        areas=[*kept.areas, *(_area_row(each) for each in advice)],
        systems=[*kept.systems, *_system_rows(advice)],
        corners=[*kept.corners, *_corners(areas)],
        problems=[],
    )


def _first_free(rows: ParsedPlan) -> int:
    """Return the first number from which on every code Z… is free."""
    used = [
        int(area.code[1:])
        for area in rows.areas
        if area.code[:1] == "Z" and area.code[1:].isdigit()
    ]
    return max(used, default=0) + 1


def _disposed(rows: ParsedPlan, code_of: Mapping[str, str], due_on: date) -> ParsedPlan:
    """Give the merged mines their disposition; lines that are there keep who is responsible."""
    known = {row.registry_no: row for row in rows.dispositions}
    for number, code in code_of.items():
        blank = DispositionRow(FIRST_ROW, number, None, None, None, None, None, None, None)
        known[number] = replace(
            known.get(number, blank),
            disposition=Disposition.MERGE,
            reason=REASON,
            area_code=code,
            due_on=due_on,
        )
    return replace(rows, dispositions=list(known.values()))


def _area_row(advice: Advice) -> AreaRow:
    area = advice.area

    def stock(name: str) -> Decimal | None:
        return Decimal(area.stocks[name]) if name in area.stocks else None

    return AreaRow(
        row=FIRST_ROW,
        code=advice.code,
        name=area.name,
        lead=area.lead_enterprise,
        mineral=area.mineral.name if area.mineral else None,
        method=Method(area.method) if area.method else None,
        scale=area.scale,
        scale_unit=ScaleUnit.WAN_T,
        density_t_m3=area.density,
        reserve_wan_t=area.recoverable,
        measured_wan_t=stock("measured"),
        indicated_wan_t=stock("indicated"),
        inferred_wan_t=stock("inferred"),
        service_life_years=area.service_life_years,
        life_includes_construction=area.life_includes_construction,
        construction_years=None,
        elevation_top_m=area.elevation_top_m,
        elevation_bottom_m=area.elevation_bottom_m,
        area_km2=area.area_km2,
        extra_resources=tuple(ExtraResource(kind) for kind in area.extra_kinds),
        grant_way=GrantWay(area.grant_way) if area.grant_way else None,
        extra_basis=area.extra_reason or None,
        on_ridge=area.is_on_ridge,
        as_new=area.is_new_right,
        leader=None,
        due_on=area.due_on,
        remark=area.remarks,
    )


def _system_rows(advice: Sequence[Advice]) -> list[SystemRow]:
    return [
        SystemRow(
            FIRST_ROW,
            each.code,
            "整合后生产系统",
            Method(each.area.method) if each.area.method else None,
            each.area.scale,
        )
        for each in advice
    ]


def _corners(areas: Mapping[str, Advice]) -> list[Any]:
    return [
        row
        for code, each in areas.items()
        if each.area.outline is not None
        for row in corner_rows(
            code,
            each.area.outline,
            top=each.area.elevation_top_m,
            bottom=each.area.elevation_bottom_m,
            first_row=FIRST_ROW,
        )
    ]
