"""Show the counties' schematic outlines, the task force's roster, and each person's messages."""

import json

from django.contrib.auth.decorators import login_not_required
from django.contrib.gis.db.models.functions import AsGeoJSON
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_POST

from taskforce.message_actions import read_messages
from taskforce.models import Appointment, County, Message


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


MESSAGES_SHOWN = 100


@require_GET
def message_list(request: HttpRequest) -> HttpResponse:
    """List the newest messages to this person."""
    rows = list(Message.objects.filter(to=request.user.pk)[:MESSAGES_SHOWN])
    unread = any(row.read_at is None for row in rows)
    return render(request, "taskforce/messages.html", {"rows": rows, "unread": unread})


@require_POST
def messages_read(request: HttpRequest) -> HttpResponse:
    """Mark this person's messages as read."""
    read_messages(by=request.user, at=timezone.now())
    return redirect("messages")
