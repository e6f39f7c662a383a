"""Show the counties' schematic outlines and the task force's roster."""

import json

from django.contrib.auth.decorators import login_not_required
from django.contrib.gis.db.models.functions import AsGeoJSON
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET

from taskforce.models import Appointment, County


@login_not_required
@require_GET
@cache_control(public=True, max_age=3600)
def county_shapes(_request: HttpRequest) -> JsonResponse:
    """Answer the six counties' outlines (示意) as GeoJSON."""
    rows = County.objects.filter(outline__isnull=False).annotate(
        geojson=AsGeoJSON("outline", precision=3)
    )
    features = [
        {
            "type": "Feature",
            "geometry": json.loads(row.geojson),
            "properties": {"name": row.name, "code": row.code},
        }
        for row in rows
    ]
    return JsonResponse(
        {"type": "FeatureCollection", "features": features}, content_type="application/geo+json"
    )


@require_GET
def roster(request: HttpRequest) -> HttpResponse:
    """Show who holds which post of the task force today."""
    posts = Appointment.objects.on(timezone.localdate()).select_related(
        "task_force", "organization"
    )
    return render(request, "taskforce/roster.html", {"posts": posts})
