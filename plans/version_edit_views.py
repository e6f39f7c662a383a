"""Correct one disposition or one area on a page; the correction is the next version."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from plans import permissions
from plans.models import CountyPlan, PlanVersion
from plans.version_edit_forms import (
    AreaForm,
    DispositionForm,
    area_changes,
    area_initial,
    disposition_initial,
)
from plans.version_edits import Edit, edit_version, newest_read, rows_of, without_mines
from plans.workbook import ClosingRow, DispositionRow, ParsedPlan, UpgradeRow
from plans.workbook_columns import DETAIL_OF, FIRST_ROW
from shuozhou_mines.errors import NotAllowed, Refused, WrongState
from standards.terms import Disposition


@require_http_methods(["GET", "POST"])
def edit_disposition(request: HttpRequest, plan_id: int, registry_no: str) -> HttpResponse:
    """Change what becomes of one mine."""
    plan, version = _editable(request, plan_id)
    found = version.dispositions.filter(mine__registry_no=registry_no).select_related(
        "mine", "area"
    )
    row = found.first()
    if row is None:
        raise Http404
    areas = [(code, f"{code} {name}") for code, name in version.areas.values_list("code", "name")]
    shown = DispositionRow(
        FIRST_ROW, registry_no, Disposition(row.kind), row.reason,
        row.area.code if row.area else None, row.due_on, row.responsible_unit, row.responsible,
        row.remarks,
    )  # fmt: skip
    form = DispositionForm(
        request.POST if request.method == "POST" else None,
        areas=areas,
        initial=disposition_initial(shown) | {"seen_version": version.pk},
    )
    title = f"修改{row.mine.name}的处置"
    return _page(request, plan, version, form, title, lambda given: disposed(registry_no, given))


@require_http_methods(["GET", "POST"])
def edit_area(request: HttpRequest, plan_id: int, code: str) -> HttpResponse:
    """Change the figures of one area."""
    plan, version = _editable(request, plan_id)
    area = get_object_or_404(version.areas, code=code)
    initial: dict[str, Any] = {}
    if request.method == "GET":
        row = next((each for each in rows_of(version).areas if each.code == code), None)
        if row is None:
            raise Http404
        initial = area_initial(row) | {"seen_version": version.pk}
    form = AreaForm(request.POST if request.method == "POST" else None, initial=initial)
    title = f"修改整合区 {code} {area.name}"
    return _page(request, plan, version, form, title, lambda given: measured(code, given))


def _editable(request: HttpRequest, plan_id: int) -> tuple[CountyPlan, PlanVersion]:
    plans = CountyPlan.objects.visible_to(request.user).select_related("county", "round")
    plan = get_object_or_404(plans, pk=plan_id)
    permissions.check_right(request.user, "draft_plan", plan)
    if not permissions.can_upload(request.user, plan):
        raise WrongState(f"方案现在是“{plan.get_state_display()}”，不能修改。")
    version = newest_read(plan)
    if version is None:
        raise WrongState("方案最新的一版还没有读入，或者有错误，不能在页面上修改。请等它读完再改。")
    return plan, version


def _page(
    request: HttpRequest,
    plan: CountyPlan,
    version: PlanVersion,
    form: forms.Form,
    title: str,
    edit_with: Callable[[dict[str, Any]], Edit],
) -> HttpResponse:
    """Show the form, or make the next version of what was typed."""
    if request.method == "POST" and form.is_valid():
        try:
            made = edit_version(
                plan_id=plan.pk,
                seen_version_id=form.cleaned_data["seen_version"],
                edit=edit_with(form.cleaned_data),
                name="页面修改",
                by=request.user,
                at=timezone.now(),
            )
        except NotAllowed:
            raise
        except Refused as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, f"已写成第{made.number}版，正在读入和检查。")
            return redirect("plan-version", made.pk)
    context = {"plan": plan, "version": version, "form": form, "title": title}
    status = 422 if form.is_bound else 200
    return render(request, "plans/version_edit.html", context, status=status)


# What is changed ----------------------------------------------------------------------------------


def disposed(registry_no: str, given: dict[str, Any]) -> Edit:
    """Return the edit that gives a mine its disposition, and the line of its annex."""
    kind = Disposition(given["disposition"])

    def edit(rows: ParsedPlan) -> ParsedPlan:
        changed = [
            replace(
                row,
                disposition=kind,
                reason=given["reason"],
                area_code=given["area_code"] or None,
                due_on=given["due_on"],
                unit=given["unit"] or None,
                person=given["person"] or None,
                remark=given["remark"] or None,
            )
            if row.registry_no == registry_no
            else row
            for row in rows.dispositions
        ]
        before = next((row for row in rows.dispositions if row.registry_no == registry_no), None)
        rows = replace(rows, dispositions=changed, problems=[])
        if before is not None and before.disposition is kind:
            return without_mines(rows, set())
        return _with_annex(without_mines(rows, {registry_no}), registry_no, kind, given)

    return edit


def _with_annex(
    rows: ParsedPlan, registry_no: str, kind: Disposition, given: dict[str, Any]
) -> ParsedPlan:
    """Add the line of 附表3, 4 or 5 that a mine of this kind must have, filled as far as known."""
    table = next((table for table, treated in DETAIL_OF if treated is kind), None)
    if table is None:
        return rows
    line: ClosingRow | UpgradeRow
    reason, unit, due_on = given["reason"], given["unit"] or None, given["due_on"]
    if kind is Disposition.UPGRADE:
        line = UpgradeRow(FIRST_ROW, registry_no, reason, None, None, None, unit, due_on, None)
    else:
        line = ClosingRow(
            FIRST_ROW, registry_no, reason[:200], None, None, None, unit, due_on, None
        )
    changes: dict[str, Any] = {table.field: [*getattr(rows, table.field), line]}
    return replace(rows, **changes)


def measured(code: str, given: dict[str, Any]) -> Edit:
    """Return the edit that changes an area's figures; one system follows the area's scale."""

    def edit(rows: ParsedPlan) -> ParsedPlan:
        areas = [
            replace(row, **area_changes(given)) if row.code == code else row for row in rows.areas
        ]
        own = [row for row in rows.systems if row.area_code == code]
        systems = [
            replace(row, scale=given["scale"]) if len(own) == 1 and row in own else row
            for row in rows.systems
        ]
        return replace(rows, areas=areas, systems=systems, problems=[])

    return edit
