"""Show the trail to the audit role alone: search it, export it, see whether its chain holds."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from shuozhou_mines.errors import Refused
from taskforce.models import County, TrailCheck, TrailEntry
from taskforce.permissions import can_city
from taskforce.roles import Role
from taskforce.trail import record

PER_PAGE = 50
MOST_EXPORTED = 100_000
HEADINGS = (
    "序号",
    "时间",
    "操作人",
    "账号",
    "来源地址",
    "事项",
    "对象",
    "县（市、区）",
    "结果",
    "详情",
)


class TrailSearch(forms.Form):
    """Ask which entries to list; everything is optional."""

    q = forms.CharField(label="事项、对象、操作人", max_length=60, required=False)
    since = forms.DateField(
        label="自", required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    until = forms.DateField(
        label="至", required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    address = forms.GenericIPAddressField(label="来源地址", required=False)
    county = forms.ModelChoiceField(
        County.objects.all(), label="县（市、区）", required=False, empty_label="全部"
    )
    result = forms.ChoiceField(
        label="结果", required=False, choices=[("", "全部"), *TrailEntry.Result.choices]
    )

    def entries(self) -> QuerySet[TrailEntry]:
        """Return what was asked for, newest first; nothing when the question is wrong."""
        found = TrailEntry.objects.select_related("by", "county", "link")
        if not self.is_valid():
            return found.none()
        asked = self.cleaned_data
        if asked["q"]:
            found = found.filter(
                Q(act__icontains=asked["q"])
                | Q(subject_name__icontains=asked["q"])
                | Q(by__name__icontains=asked["q"])
                | Q(by__username__icontains=asked["q"])
            )
        lookups = {"since": "at__date__gte", "until": "at__date__lte"}
        lookups |= {name: name for name in ("address", "county", "result")}
        chosen = {look: asked[name] for name, look in lookups.items() if asked[name]}
        return found.filter(**chosen)


# Words for what the entries keep by name.
_WORDS = {
    "role": "角色", "path": "地址", "method": "方式", "query": "条件", "reason": "原因",
    "until": "到", "sessions": "会话", "account": "账号", "locked": "已锁定",
    "entries": "条数", "version": "版本",
    "days": "天数", "scopes": "范围", "user": "账号", "why": "原因", "note": "说明",
}  # fmt: skip
_VALUES = {
    **{role.value: role.label for role in Role}, "known": "存在", "unknown": "不存在",
    "idle": "闲置", "absolute": "满最长时间", "True": "是", "False": "否",
}  # fmt: skip


def in_words(entry: TrailEntry) -> str:
    """Return the details of an entry as one line."""
    parts = [
        f"{_WORDS.get(key, key)}：{_VALUES.get(str(value), value)}"
        for key, value in entry.detail.items()
    ]
    return "；".join(parts)


@require_GET
def trail(request: HttpRequest) -> HttpResponse:
    """List the entries that the search leaves."""
    _only_audit(request)
    search = TrailSearch(request.GET)
    page = Paginator(search.entries(), PER_PAGE).get_page(request.GET.get("page"))
    carried = request.GET.copy()
    carried.pop("page", None)
    query = carried.urlencode()
    return render(
        request,
        "taskforce/trail.html",
        {
            "search": search,
            "page_obj": page,
            "rows": [(entry, in_words(entry)) for entry in page],
            "query": f"{query}&" if query else "",
            "export_query": query,
            "check": TrailCheck.objects.first(),
        },
    )


@require_GET
def trail_export(request: HttpRequest) -> StreamingHttpResponse:
    """Write the entries that the search leaves into a CSV file; the export is an entry too."""
    _only_audit(request)
    search = TrailSearch(request.GET)
    entries = search.entries()
    count = entries.count()
    if not count or count > MOST_EXPORTED:
        raise Refused(
            f"所选条件下有 {count} 条日志，一次导出 1 至 {MOST_EXPORTED} 条。请调整条件。"
        )
    record("导出日志", by=request.user, entries=count, query=request.GET.urlencode()[:300])
    # Up to here, so that the entry about this export is not in it.
    newest = entries.order_by("-pk").values_list("pk", flat=True)[1:2].first()
    lines = _lines(entries.filter(pk__lte=newest) if newest and count > 1 else entries)
    name = f"trail-{timezone.localdate():%Y%m%d}.csv"
    return StreamingHttpResponse(
        lines,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _only_audit(request: HttpRequest) -> None:
    if not can_city(request.user, "read_trail"):
        raise Http404


def _lines(entries: QuerySet[TrailEntry]) -> Iterator[str]:
    yield "\ufeff"
    yield _line(HEADINGS)
    for entry in entries.iterator(chunk_size=2000):
        link = getattr(entry, "link", None)
        yield _line(
            (
                link.number if link is not None else "",
                f"{timezone.localtime(entry.at):%Y-%m-%d %H:%M:%S}",
                entry.by.name if entry.by is not None else "系统",
                entry.by.username if entry.by is not None else "",
                entry.address or "",
                entry.act,
                entry.subject_name,
                entry.county.name if entry.county is not None else "",
                entry.get_result_display(),
                in_words(entry),
            )
        )


def _line(cells: tuple[Any, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([_harmless(str(cell)) for cell in cells])
    return out.getvalue()


def _harmless(text: str) -> str:
    """Put a quote before what a spreadsheet would take for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
