"""Show anyone what was published: progress, notices, map, standards, roster."""

import json
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.gis.db.models.functions import AsGeoJSON
from django.db.models import Count, Q, QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import condition, require_GET

from plans.models import PlanTask
from publicity.caching import public_page
from publicity.documents import AREA_COLUMNS, MINE_COLUMNS
from publicity.models import Notice, NoticeShape, PublicDocument
from publicity.shapes_shown import after, before
from rulebook.current import rulebook_of, version_in_force
from standards.run import ordered_rules
from standards.terms import Disposition
from taskforce.models import Appointment, County

CARD_FIELDS = ("holder", "mineral", "scale", "area_km2", "lead_enterprise")


@login_not_required
@require_GET
@public_page
def home(request: HttpRequest) -> HttpResponse:
    """Show the city's progress, the map of published plans and the latest notices."""
    notices = list(Notice.objects.in_force().select_related("plan__county"))
    batches = _batches(notices)
    context = {
        "figures": _figures(notices, batches),
        "batches": batches,
        "counties": _progress_by_county(notices),
        "notices": notices[:6],
        "map": _map() if notices else None,
        "today": timezone.localdate(),
    }
    return render(request, "publicity/home.html", context)


def _batches(notices: list[Notice]) -> list[dict[str, Any]]:
    """Count the mines of the published plans by batch, with those that are done."""
    done = dict(
        PlanTask.objects.filter(plan__in=[n.plan_id for n in notices], done_on__isnull=False)
        .values_list("kind")
        .annotate(Count("pk"))
        .order_by("kind")
    )
    return [
        {
            "kind": kind.value,
            "label": kind.label,
            "task": sum(notice.content["counts"].get(kind.value, 0) for notice in notices),
            "done": done.get(kind.value, 0),
        }
        for kind in Disposition
        if kind is not Disposition.KEEP
    ]


def _figures(notices: list[Notice], batches: list[dict[str, Any]]) -> list[dict[str, Any]]:
    mines = sum(len(notice.content["mines"]) for notice in notices)
    done = sum(row["done"] for row in batches)
    return [
        {"label": "已公示方案", "value": len(notices), "unit": "份", "note": "全市六县（市、区）"},
        {"label": "纳入方案矿山", "value": mines, "unit": "座", "note": "以公示方案为准"},
        {"label": "整合区", "value": sum(len(n.content["areas"]) for n in notices), "unit": "个",
         "note": "整合重组后的采矿权"},
        {"label": "已完成处置", "value": done, "unit": "座", "note": "按任务完成依据统计"},
    ]  # fmt: skip


def _progress_by_county(notices: list[Notice]) -> list[dict[str, Any]]:
    by_county = {notice.content["county_code"]: notice for notice in notices}
    tasks = dict(
        PlanTask.objects.values_list("plan__county")
        .annotate(done=Count("pk", filter=Q(done_on__isnull=False)))
        .order_by("plan__county")
    )
    rows = []
    for county in County.objects.all():
        notice = by_county.get(county.code)
        rows.append(
            {
                "county": county.name,
                "notice": notice,
                "mines": len(notice.content["mines"]) if notice else None,
                "done": tasks.get(county.code, 0) if notice else None,
            }
        )
    return rows


def _map() -> dict[str, Any]:
    shapes = reverse("public-shapes")
    return {
        "id": "public-map",
        "label": "公示方案的矿区范围，整合前与整合后",
        "describedby": "map-list",
        "features_url": f"{shapes}?side=before",
        "after_url": f"{shapes}?side=after",
        "counties_url": reverse("county-shapes"),
        "tiles_url": "",
        "bbox": "",
        "colour_by": "disposition",
        "tall": "",
        "legend": "",
        "note": "",
    }


@login_not_required
@require_GET
@public_page
def public_map(request: HttpRequest) -> HttpResponse:
    """Show every published outline on one map, with the list beside it."""
    notices = Notice.objects.in_force().select_related("plan__county")
    return render(
        request, "publicity/map.html", {"map": {**_map(), "tall": "yes"}, "notices": notices}
    )


@login_not_required
@require_GET
@public_page
def notice_list(request: HttpRequest) -> HttpResponse:
    """List all notices, withdrawn ones marked."""
    notices = Notice.objects.public().select_related("plan__county")
    return render(
        request, "publicity/notice_list.html", {"notices": notices, "now": timezone.now()}
    )


@login_not_required
@require_GET
@public_page
def notice_page(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Show one notice as it was frozen: plan, mines, areas, map, documents."""
    notice = get_object_or_404(Notice, pk=notice_id)
    shapes = reverse("notice-shapes", args=[notice.pk])
    context = {
        "notice": notice,
        "content": notice.content,
        "now": timezone.now(),
        "batches": [
            {"kind": kind.value, "count": notice.content["counts"].get(kind.value, 0)}
            for kind in Disposition
        ],
        "mine_columns": MINE_COLUMNS,
        "area_columns": AREA_COLUMNS,
        "documents": list(notice.documents.all()),
        "questions": list(notice.questions.public()),
        "appearances": list(notice.appearances.all()),
        "map": {
            **_map(),
            "features_url": f"{shapes}?side=before",
            "after_url": f"{shapes}?side=after",
            "describedby": "mines",
        },
    }
    return render(request, "publicity/notice.html", context)


@login_not_required
@require_GET
@public_page
def public_shapes(request: HttpRequest) -> JsonResponse:
    """Answer the outlines of all notices in force as GeoJSON."""
    return _geojson(request, NoticeShape.objects.filter(notice__withdrawn_at__isnull=True))


@login_not_required
@require_GET
@public_page
def notice_shapes(request: HttpRequest, notice_id: int) -> JsonResponse:
    """Answer the outlines of one notice as GeoJSON."""
    notice = get_object_or_404(Notice, pk=notice_id)
    return _geojson(request, notice.shapes.all())


def _geojson(request: HttpRequest, shapes: QuerySet[NoticeShape]) -> JsonResponse:
    kept = after() if request.GET.get("side") == "after" else before()
    rows = shapes.filter(kept).annotate(geojson=AsGeoJSON("outline", precision=6))
    features = [
        {
            "type": "Feature",
            "geometry": json.loads(row.geojson),
            "properties": {
                "name": row.name,
                "label": row.name[:12],
                "disposition": row.label,
                "url": reverse("notice", args=[row.notice_id]),
                "facts": [
                    [(MINE_COLUMNS | AREA_COLUMNS)[field], row.facts[field]]
                    for field in CARD_FIELDS
                    if row.facts.get(field)
                ],
            },
        }
        for row in rows
    ]
    return JsonResponse(
        {"type": "FeatureCollection", "features": features}, content_type="application/geo+json"
    )


def _document_tag(_request: HttpRequest, document_id: int) -> str | None:
    digest = PublicDocument.objects.filter(pk=document_id).values_list("sha256", flat=True).first()
    return f'"{digest}"' if digest else None


@login_not_required
@require_GET
@condition(etag_func=_document_tag)
def public_document(_request: HttpRequest, document_id: int) -> FileResponse:
    """Hand out one published file."""
    document = get_object_or_404(PublicDocument, pk=document_id, notice__withdrawn_at__isnull=True)
    return FileResponse(
        document.file.open("rb"),
        as_attachment=True,
        filename=document.file_name,
        content_type=document.content_type,
    )


@login_not_required
@require_GET
def standards_page(request: HttpRequest) -> HttpResponse:
    """Show every rule with its clause, and every threshold with its source."""
    version = version_in_force()
    rulebook = rulebook_of(version).in_force(timezone.localdate())
    return render(
        request,
        "publicity/standards.html",
        {
            "rules": ordered_rules(),
            "entries": [entry for entry in rulebook.entries() if entry.value is not None],
            "unknown": sum(1 for entry in rulebook.entries() if entry.value is None),
            "version": version,
        },
    )


@login_not_required
@require_GET
def public_roster(request: HttpRequest) -> HttpResponse:
    """Show the task force's roster as of today."""
    posts = Appointment.objects.on(timezone.localdate())
    return render(request, "publicity/roster.html", {"posts": posts})


@login_not_required
@require_GET
@public_page
def open_data(request: HttpRequest) -> HttpResponse:
    """List the published data files with their hashes."""
    documents = (
        PublicDocument.objects.filter(notice__withdrawn_at__isnull=True)
        .select_related("notice")
        .order_by("-notice__published_at", "pk")
    )
    return render(request, "publicity/open_data.html", {"documents": documents})
