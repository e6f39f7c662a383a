"""Show what the province asks of each county and batch, how far it is, and take new numbers."""

from collections import Counter
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from plans.models import PlanTask, Target
from shuozhou_mines.errors import Incomplete
from supervision.bulletins import band_of
from supervision.consistency import BATCHES, completion_rate
from supervision.models import MonthlyReport, ReportRow
from supervision.target_actions import set_targets, targets_on
from taskforce import permissions
from taskforce.models import County

MOST_MINES = 9999


class TargetForm(forms.Form):
    """Take a document's numbers, one for each county and batch."""

    document_number = forms.CharField(
        label="下达任务的文号",
        max_length=60,
        error_messages={"required": "请填写下达任务的文号。"},
    )
    valid_from = forms.DateField(
        label="生效日期",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": "请填写生效日期。",
            "invalid": "请按 2025-07-05 的样子填写日期。",
        },
    )

    def __init__(self, data: Any = None, *, counties: list[County], on: date) -> None:
        super().__init__(data)
        self.counties = counties
        now = targets_on(on)
        for county in counties:
            for kind in BATCHES:
                row = now.get((county.code, kind.value))
                self.fields[f"{county.code}_{kind.value}"] = forms.IntegerField(
                    label=f"{county.name} {kind.label}",
                    min_value=0,
                    max_value=MOST_MINES,
                    initial=row.number if row else None,
                    widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
                    error_messages={
                        "required": "请填数字，没有任务的填 0。",
                        "invalid": "请只填整数。",
                        "min_value": "不能是负数。",
                        "max_value": f"不能大于 {MOST_MINES}。",
                    },
                )

    def lines(self) -> list[dict[str, Any]]:
        """Return the grid: one line for each county."""
        return [
            {"county": county, "fields": [self[f"{county.code}_{kind.value}"] for kind in BATCHES]}
            for county in self.counties
        ]

    def numbers(self) -> dict[tuple[str, str], int]:
        """Return the numbers of a valid form by county and batch."""
        return {
            (county.code, kind.value): self.cleaned_data[f"{county.code}_{kind.value}"]
            for county in self.counties
            for kind in BATCHES
        }


@require_http_methods(["GET", "POST"])
def target_list(request: HttpRequest) -> HttpResponse:
    """Show tasks, plans and completion by county; the office enters what the province sends."""
    if not permissions.can_anywhere(request.user, "see_reports"):
        raise Http404
    counties = list(County.objects.all())
    today = timezone.localdate()
    enters = permissions.can_city(request.user, "manage_rulebook")
    if request.method == "GET":
        form = TargetForm(counties=counties, on=today) if enters else None
        return _page(request, counties, today, form)
    form = TargetForm(request.POST, counties=counties, on=today)
    # Who may not enter is told so by the action, whatever was typed.
    if not enters or form.is_valid():
        try:
            made = set_targets(
                numbers=form.numbers() if enters else {},
                document_number=form.cleaned_data["document_number"] if enters else "",
                valid_from=form.cleaned_data["valid_from"] if enters else today,
                by=request.user,
            )
        except Incomplete as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, f"已登记 {len(made)} 项省定任务。")
            return redirect("target-list")
    return _page(request, counties, today, form)


def _page(
    request: HttpRequest, counties: list[County], today: date, form: TargetForm | None
) -> HttpResponse:
    context = {
        "table": _table(counties, today),
        "form": form,
        "kinds": [kind.label for kind in BATCHES],
        "history": Target.objects.select_related("county").order_by("-valid_from", "county__order")[
            :100
        ],
    }
    status = 422 if form is not None and form.errors else 200
    return render(request, "supervision/target_list.html", context, status=status)


def _table(counties: list[County], today: date) -> dict[str, Any]:
    """Return task, approved plan and reported completion of each county, with its band."""
    targets, planned, done = targets_on(today), _planned(), _done()
    rows: list[dict[str, Any]] = []
    sums: Counter[str] = Counter()
    for county in counties:
        known = [
            targets[county.code, kind.value].number
            for kind in BATCHES
            if (county.code, kind.value) in targets
        ]
        task = sum(known) if known else None
        row = {"task": task, "planned": planned.get(county.code), "done": done.get(county.code)}
        sums.update({name: number for name, number in row.items() if number is not None})
        rows.append({"cells": [{"text": county.name}, *_cells(row)]})
    totals = {name: sums.get(name) for name in ("task", "planned", "done")}
    return {
        "caption": "省定任务与进度",
        "columns": [
            {"label": "县（市、区）"},
            {"label": "省定任务", "unit": "座", "num": True},
            {"label": "方案安排", "unit": "座", "num": True},
            {"label": "累计完成", "unit": "座", "num": True},
            {"label": "完成率", "unit": "%", "num": True},
            {"label": "进度"},
        ],
        "rows": rows,
        "totals": [{"text": "合计"}, *_cells(totals)],
        "empty": {"title": "", "text": ""},
    }


def _cells(row: dict[str, int | None]) -> list[dict[str, Any]]:
    task, done = row["task"], row["done"]
    rate = None if task is None or done is None else completion_rate(done, task)
    numbers = [row["task"], row["planned"], row["done"], rate]
    cells: list[dict[str, Any]] = [
        {"text": "–" if number is None else str(number), "num": True} for number in numbers
    ]
    return [*cells, {"text": band_of(rate) if rate is not None else "–"}]


def _planned() -> dict[str, int]:
    """Count by county the tasks that its approved plan of the open round has become."""
    tasks = PlanTask.objects.filter(plan__round__is_open=True)
    return dict(Counter(tasks.values_list("plan__county_id", flat=True)))


def _done() -> dict[str, int]:
    """Sum by county what its newest submitted report says is done."""
    newest = (
        MonthlyReport.objects.filter(state=MonthlyReport.State.SUBMITTED)
        .order_by("county_id", "-month", "-version")
        .distinct("county_id")
    )
    sums: Counter[str] = Counter()
    for row in ReportRow.objects.filter(report__in=newest).select_related("report"):
        sums[row.report.county_id] += row.done
    return dict(sums)
