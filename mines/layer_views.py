"""Keep planning and control layers and terrain: list, upload, look at, retire."""

import json
from typing import Any

from django.contrib import messages
from django.contrib.gis.db.models import Extent
from django.contrib.gis.db.models.functions import AsGeoJSON
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from mines.layer_actions import WHO_KEEPS, receive_layer, retire_layer
from mines.layer_forms import LayerForm
from mines.layer_models import Layer
from mines.layer_tasks import READ_LAYER
from rulebook.current import current_rulebook
from shuozhou_mines.errors import NotAllowed, Refused
from shuozhou_mines.models import Job
from taskforce.models import County
from taskforce.permissions import can_anywhere, can_city

MOST_SHAPES_DRAWN = 3000
State = Layer.State
TONES = {
    State.RECEIVED: "active",
    State.REFUSED: "stopped",
    State.READY: "done",
    State.RETIRED: "neutral",
}


def _keeps(request: HttpRequest) -> bool:
    return can_city(request.user, "manage_layers")


@require_http_methods(["GET", "HEAD", "POST"])
def layer_list(request: HttpRequest) -> HttpResponse:
    """List the layers, say which required ones are missing, and take a file."""
    keeps = _keeps(request)
    if not keeps and not can_anywhere(request.user, "see_mines"):
        raise Http404
    if request.method == "POST" and not keeps:
        raise NotAllowed(WHO_KEEPS)
    counties = list(County.objects.values_list("code", "name"))
    given = (request.POST, request.FILES) if request.method == "POST" else ()
    form = LayerForm(*given, counties=counties)
    if request.method == "POST" and form.is_valid():
        chosen = {**form.cleaned_data, "upload": form.cleaned_data["file"]}
        del chosen["file"]
        try:
            layer = receive_layer(by=request.user, at=timezone.now(), **chosen)
        except Refused as refusal:
            form.add_error("file", refusal.message)
        else:
            return redirect("layer", layer.pk)
    context = {
        "form": form if keeps else None,
        "layers": _lines(request),
        "required": _required(),
    }
    return render(request, "mines/layers.html", context, status=400 if form.errors else 200)


def _lines(request: HttpRequest) -> list[dict[str, Any]]:
    today = timezone.localdate()
    used = set(Layer.objects.in_force(today).values_list("pk", flat=True))
    names = dict(County.objects.values_list("code", "name"))
    rows = Layer.objects.visible_to(request.user).select_related("uploaded_by")
    return [
        {
            "row": row,
            "tone": TONES[State(row.state)] if row.pk in used or row.state != State.READY
            else "neutral",
            "state": row.get_state_display() if row.pk in used or row.state != State.READY
            else "已有新版",
            "covers": "全市" if len(row.covers) == len(names)
            else "、".join(names.get(code, code) for code in row.covers),
        }
        for row in rows
    ]  # fmt: skip


def _required() -> list[dict[str, Any]]:
    """Say of each layer that the rulebook requires whether one is in force."""
    today = timezone.localdate()
    names = current_rulebook().in_force(today).texts("layers.required") or ()
    there = set(Layer.objects.in_force(today).zones().values_list("name", flat=True))
    return [{"name": name, "there": name in there} for name in names]


def _layer(request: HttpRequest, layer_id: int) -> Layer:
    return get_object_or_404(Layer.objects.visible_to(request.user), pk=layer_id)


@require_GET
def layer_page(request: HttpRequest, layer_id: int) -> HttpResponse:
    """Show one layer: how far its reading is, why it was refused, or its shapes."""
    layer = _layer(request, layer_id)
    job = Job.objects.about(layer).filter(kind=READ_LAYER).first()
    reading = job is not None and layer.state == State.RECEIVED
    names = dict(County.objects.values_list("code", "name"))
    context = {
        "layer": layer,
        "tone": TONES[State(layer.state)],
        "covers": [names.get(code, code) for code in layer.covers],
        "progress": _progress(layer, job) if reading and job else None,
        "map": _map(layer) if layer.state in (State.READY, State.RETIRED) else None,
        "buttons": _buttons(request, layer),
    }
    return render(request, "mines/layer.html", context)


def _progress(layer: Layer, job: Job) -> dict[str, Any]:
    return {
        "state": job.state, "done": job.done, "total": job.total, "step": job.step,
        "url": reverse("layer-progress", args=[layer.pk]), "error": job.error,
        "leave": "可以离开本页，读取不会中断；回到图层列表就能看到结果。",
        "result_url": "", "result_label": "",
    }  # fmt: skip


@require_GET
def layer_progress(request: HttpRequest, layer_id: int) -> HttpResponse:
    """Answer how far the reading is; when it is over, ask for the page."""
    layer = _layer(request, layer_id)
    job = get_object_or_404(Job.objects.about(layer).filter(kind=READ_LAYER)[:1])
    response = render(request, "components/progress.html", {"progress": _progress(layer, job)})
    if layer.state != State.RECEIVED:
        response["HX-Redirect"] = reverse("layer", args=[layer.pk])
    return response


def _map(layer: Layer) -> dict[str, Any]:
    return {
        "id": "layer-map",
        "label": f"{layer.name}的图形",
        "describedby": "layer-facts",
        "features_url": reverse("layer-shapes", args=[layer.pk]),
        "after_url": "",
        "counties_url": reverse("county-shapes"),
        "tiles_url": "",
        "bbox": _box(layer),
        "colour_by": "",
        "tall": "",
        "legend": "off",
        "note": "县界为示意。地形只画出识别的山脊线。"
        if layer.is_terrain
        else "县界为示意。图形按检查时的切分画出。",
    }


def _box(layer: Layer) -> str:
    box = layer.shapes.aggregate(box=Extent("shape"))["box"]
    return ",".join(f"{value:.5f}" for value in box) if box else ""


def _buttons(request: HttpRequest, layer: Layer) -> list[dict[str, Any]]:
    if not _keeps(request) or layer.state not in (State.RECEIVED, State.READY):
        return []
    return [
        {
            "label": "停用", "url": reverse("layer-retire", args=[layer.pk]), "method": "post",
            "enabled": True, "why_not": "", "kind": "secondary", "icon": "",
            "confirm": "停用这个图层？以后的检查不再使用它，已有的检查结果不变。",
        }
    ]  # fmt: skip


@require_GET
def layer_shapes(request: HttpRequest, layer_id: int) -> JsonResponse:
    """Answer the first shapes of a layer, to be looked at."""
    layer = _layer(request, layer_id)
    rows = layer.shapes.annotate(geojson=AsGeoJSON("shape", precision=6))[:MOST_SHAPES_DRAWN]
    features = [
        {
            "type": "Feature",
            "geometry": json.loads(row.geojson),
            "properties": {"name": layer.name, "label": "", "url": "", "facts": []},
        }
        for row in rows
    ]
    return JsonResponse(
        {"type": "FeatureCollection", "features": features}, content_type="application/geo+json"
    )


@require_POST
def layer_retire(request: HttpRequest, layer_id: int) -> HttpResponse:
    """Take a layer out of use."""
    layer = _layer(request, layer_id)
    retire_layer(layer_id=layer.pk, by=request.user)
    messages.success(request, f"图层“{layer.name}”已停用。")
    return redirect("layer", layer.pk)
