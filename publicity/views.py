"""Show anyone what was published: progress, notices, map, standards, roster."""

import json
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.gis.db.models.functions import AsGeoJSON
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from publicity.caching import public_page
from publicity.documents import AREA_COLUMNS, MINE_COLUMNS
from publicity.models import Notice, NoticeShape
from publicity.packages import page_meta
from publicity.progress import Progress, published
from publicity.shapes_shown import after, before
from publicity.tiles import CARD_FIELDS, drawn_box, drawn_counts, public_tile
from rulebook.current import rulebook_of, version_in_force
from standards.run import ordered_rules
from standards.terms import Disposition, Verdict
from taskforce.models import Appointment


@login_not_required
@require_safe
@public_page
def home(request: HttpRequest) -> HttpResponse:
    """Show the city's progress, the map of published plans and the latest notices."""
    notices = published()
    progress = Progress(notices, timezone.localdate())
    batches = progress.batches()
    context = {
        "figures": _figures(notices, batches),
        "batches": batches,
        "chart": _chart(batches),
        "counties": progress.county_rows(),
        "total": progress.total(),
        "targets": {"is_demo": progress.is_demo, "documents": progress.documents},
        "notices": notices[:6],
        "map": city_map(notices) if notices else None,
        "today": timezone.localdate(),
    }
    return render(request, "publicity/home.html", context)


def _figures(notices: list[Any], batches: list[dict[str, Any]]) -> list[dict[str, Any]]:
    asked = sum(row["asked"] or 0 for row in batches)
    done = sum(row["done"] for row in batches)
    share = f"占省定任务 {done * 100 // asked}%" if asked else "按任务完成依据统计"
    return [
        {"label": "已公示方案", "value": len(notices), "unit": "份", "note": "全市六县（市、区）"},
        {"label": "纳入方案矿山", "value": sum(each.mine_count for each in notices), "unit": "座",
         "note": "以公示方案为准"},
        {"label": "整合区", "value": sum(each.area_count for each in notices), "unit": "个",
         "note": "整合重组后的采矿权"},
        {"label": "已完成处置", "value": done, "unit": "座", "note": share},
    ]  # fmt: skip


def _chart(batches: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the bars of the four batches; the component writes every figure beside its bar."""
    series = [
        {"label": "省定任务", "fill": "plan"},
        {"label": "方案纳入", "fill": "primary"},
        {"label": "已完成", "fill": "upgrade"},
    ]
    rows = [
        {"label": row["label"], "values": [row["asked"], row["planned"], row["done"]]}
        for row in batches
    ]
    most = max((value or 0 for row in rows for value in row["values"]), default=0)
    return {"caption": "四个一批进展", "unit": "座", "max": most or 1, "series": series,
            "rows": rows}  # fmt: skip


def city_map(notices: list[Any], *, tall: str = "") -> dict[str, Any]:
    """Return the map of all that is published, drawn from tiles however much it is."""
    where = reverse("public-tiles", args=["side", 0, 0, 0])
    tiles = where.replace("/side/0/0/0.", "/{side}/{z}/{x}/{y}.")
    return {
        **_map(tiles.replace("{side}", "before"), tiles.replace("{side}", "after"), "map-list"),
        "label": "公示方案的矿区范围，整合前与整合后",
        "bbox": drawn_box(),
        "counts": drawn_counts(notices),
        "tall": tall,
    }


def _map(before: str, after: str, list_id: str) -> dict[str, Any]:
    return {
        "id": "public-map",
        "label": "方案的矿区范围，整合前与整合后",
        "describedby": list_id,
        "features_url": before,
        "after_url": after,
        "counties_url": reverse("county-shapes"),
        "tiles_url": "",
        "bbox": "",
        "counts": "",
        "colour_by": "disposition",
        "tall": "",
        "legend": "",
        "note": "",
    }


@login_not_required
@require_safe
@public_page
def public_map(request: HttpRequest) -> HttpResponse:
    """Show every published outline on one map, with the list beside it."""
    notices = published()
    context = {"map": city_map(notices, tall="yes"), "notices": notices}
    return render(request, "publicity/map.html", context)


@login_not_required
@require_safe
@public_page
def public_tiles(_request: HttpRequest, side: str, z: int, x: int, y: int) -> HttpResponse:
    """Answer one vector tile of the published outlines."""
    try:
        found = public_tile(side, z=z, x=x, y=y)
    except ValueError as error:
        raise Http404 from error
    return HttpResponse(found, content_type="application/vnd.mapbox-vector-tile")


@login_not_required
@require_safe
@public_page
def notice_list(request: HttpRequest) -> HttpResponse:
    """List all notices, withdrawn ones marked."""
    notices = Notice.objects.public().in_brief()
    return render(
        request, "publicity/notice_list.html", {"notices": notices, "now": timezone.now()}
    )


@login_not_required
@require_safe
@public_page
def notice_page(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Show one notice as it was frozen: plan, mines, areas, map, documents."""
    notice = get_object_or_404(
        Notice.objects.select_related("replaces", "replaced_by"), pk=notice_id
    )
    shapes = reverse("notice-shapes", args=[notice.pk])
    findings = notice.content.get("findings") or {}
    context = {
        "notice": notice,
        "replaces": notice.replaces,
        "replaced_by": getattr(notice, "replaced_by", None),
        "content": notice.content,
        "findings": findings,
        "verdicts": [(each, findings["counts"][each.value]) for each in Verdict]
        if findings
        else [],
        "open_rules": [
            row
            for row in findings.get("rules", ())
            if row["fail"] or row["review"] or row["nodata"]
        ],
        "meta": page_meta(notice, settings.SITE_URL.rstrip("/") + request.path),
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
        "map": _map(f"{shapes}?side=before", f"{shapes}?side=after", "mines"),
    }
    return render(request, "publicity/notice.html", context)


@login_not_required
@require_safe
@public_page
def public_shapes(request: HttpRequest) -> JsonResponse:
    """Answer the outlines of all notices in force as GeoJSON."""
    return _geojson(request, NoticeShape.objects.filter(notice__withdrawn_at__isnull=True))


@login_not_required
@require_safe
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


@login_not_required
@require_safe
@public_page
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
@require_safe
@public_page
def public_roster(request: HttpRequest) -> HttpResponse:
    """Show the task force's roster as of today."""
    posts = Appointment.objects.on(timezone.localdate())
    return render(request, "publicity/roster.html", {"posts": posts})


@login_not_required
@require_safe
@public_page
def about(request: HttpRequest) -> HttpResponse:
    """Say what this site is, where what stands, and how it can be used by everybody."""
    context = {"kept_days": settings.OBJECTION_KEPT_DAYS}
    return render(request, "publicity/about.html", context)
