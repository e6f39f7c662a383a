"""Show grant information to anyone, and let the office publish it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from publicity.caching import public_page
from publicity.models import TransferNotice
from publicity.permissions import for_publishers
from publicity.transfer_actions import FIELDS, publish_transfer, withdraw_transfer
from shuozhou_mines.errors import Incomplete
from taskforce import permissions
from taskforce.models import County

LONG = ("corners", "reason", "objection", "other")


class TransferForm(forms.Form):
    """Take one item of grant information by the list of S-E07."""

    kind = forms.ChoiceField(label="类别", choices=TransferNotice.Kind.choices)
    county = forms.ModelChoiceField(label="县（市、区）", queryset=County.objects.none())
    title = forms.CharField(label="标题", max_length=120)
    published_on = forms.DateField(
        label="公开日期", widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    source = forms.CharField(
        label="来源", max_length=200, help_text="例如成交结果公示的文号或网址。"
    )

    def __init__(self, *args: Any, counties: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.fields["county"]
        assert isinstance(chosen, forms.ModelChoiceField)  # noqa: S101
        chosen.queryset = counties
        for name, label in FIELDS.items():
            widget = forms.Textarea(attrs={"rows": 3}) if name in LONG else forms.TextInput()
            self.fields[name] = forms.CharField(
                label=label, required=False, widget=widget,
                max_length=3000 if name in LONG else 200,
            )  # fmt: skip


@login_not_required
@require_safe
@public_page
def transfer_list(request: HttpRequest) -> HttpResponse:
    """List 矿业权整合和出让信息 with all that was published of each."""
    found = TransferNotice.objects.public().select_related("county")
    items = [
        {
            "row": row,
            "facts": [(label, row.facts[name]) for name, label in FIELDS.items()
                      if row.facts.get(name)],
        }
        for row in found
    ]  # fmt: skip
    return render(request, "publicity/transfers.html", {"items": items})


@require_http_methods(["GET", "POST"])
@for_publishers
def transfer_desk(request: HttpRequest) -> HttpResponse:
    """List the items and take a new one."""
    counties = permissions.counties_where(request.user, "publish_plan")
    form = TransferForm(
        request.POST or None, counties=counties, initial={"published_on": timezone.localdate()}
    )
    if request.method == "POST" and form.is_valid():
        typed = dict(form.cleaned_data)
        try:
            publish_transfer(
                county_code=typed["county"].pk, kind=typed["kind"], title=typed["title"],
                source=typed["source"], published_on=typed["published_on"],
                facts={name: typed[name] for name in FIELDS}, by=request.user, at=timezone.now(),
            )  # fmt: skip
        except Incomplete as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, "出让信息已公开。")
            return redirect("transfer-desk")
    rows = TransferNotice.objects.filter(county__in=counties).select_related("county")
    may_publish = counties.exists()
    status = 422 if form.is_bound else 200
    context = {"rows": rows[:200], "form": form, "may_publish": may_publish}
    return render(request, "publicity/transfer_desk.html", context, status=status)


@require_POST
def transfer_withdraw(request: HttpRequest, transfer_id: int) -> HttpResponse:
    """Take one item back."""
    counties = permissions.counties_where(request.user, "publish_plan")
    row = get_object_or_404(TransferNotice.objects.filter(county__in=counties), pk=transfer_id)
    withdraw_transfer(transfer_id=row.pk, by=request.user, at=timezone.now())
    messages.success(request, "已撤回，公众页面不再显示。")
    return redirect("transfer-desk")
