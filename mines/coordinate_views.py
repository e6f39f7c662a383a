"""Take corner points: for a mine's boundary, or to look at anything's area and neighbours."""

from decimal import Decimal
from typing import Any

import shapely
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_POST

from mines import actions
from mines.boundaries import neighbours, outline_of, overlaps
from mines.coordinates import write_text
from mines.forms import AcceptForm, CoordinatesForm
from mines.geometry_uploads import read_safely
from mines.models import Boundary, Mine
from mines.readings import Reading
from mines.ring_drawings import draw
from mines.rings import Boundary as Rings
from mines.rings import area_km2, compare_area, to_lonlat
from rulebook.current import current_rulebook
from shuozhou_mines.errors import Refused
from standards.terms import Verdict
from taskforce import permissions

ASKED = "asked"


def _mine_of(request: HttpRequest, registry_no: str) -> Mine:
    mines = Mine.objects.visible_to(request.user).with_registry_facts()
    mine: Mine = get_object_or_404(mines, registry_no=registry_no)
    if not permissions.can(request.user, "edit_mines", mine.county_id):
        raise Http404
    return mine


def _form(request: HttpRequest) -> CoordinatesForm:
    sent = request.method == "POST"
    return CoordinatesForm(request.POST, request.FILES) if sent else CoordinatesForm()


@require_http_methods(["GET", "HEAD", "POST"])
def mine_coordinates(request: HttpRequest, registry_no: str) -> HttpResponse:
    """Read corner points for a mine, and show them with their problems, given and mended."""
    mine = _mine_of(request, registry_no)
    form = _form(request)
    old = Boundary.objects.filter(mine=mine).first()
    context: dict[str, Any] = {"mine": mine, "old": old, "form": form, "result": None}
    if request.method == "POST" and form.is_valid():
        data = form.data_given
        reading = read_safely(data, assume_zone=form.assumed_zone)
        context["result"] = _result(reading, mine, old, _source(data))
    return render(request, "mines/coordinates_mine.html", context)


def _source(data: bytes) -> str:
    """Return the text as it was given; a file that is no text has none."""
    for name in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(name)
        except UnicodeDecodeError:
            continue
        return "" if "\x00" in text else text
    return ""


def _result(reading: Reading, mine: Mine, old: Boundary | None, source: str) -> dict[str, Any]:
    licence = mine.licence
    declared = licence.area_km2 if licence else None
    choices = []
    for label, boundary, usable in (
        ("给出的", reading.boundary, reading.accepted),
        ("修正后的", reading.mended, reading.mended is not None),
    ):
        if boundary is None:
            continue
        other = reading.mended if boundary is reading.boundary else reading.boundary
        choices.append(
            {
                "label": label,
                "drawing": draw(boundary, other),
                "area": area_km2(boundary),
                "zone": boundary.zone,
                "points": boundary.point_count,
                "judged": _judged(declared, boundary),
                "form": _accept_form(boundary, old, source) if usable else None,
            }
        )
    return {"problems": _rows(reading), "choices": choices, "accepted": reading.accepted}


def _accept_form(boundary: Rings, old: Boundary | None, source: str) -> AcceptForm:
    return AcceptForm(
        initial={
            "text": write_text(boundary),
            "source": source,
            "seen": actions.boundary_mark(old),
            "as_of": timezone.localdate(),
        }
    )


def _rows(reading: Reading) -> list[dict[str, Any]]:
    return [
        {
            "line": problem.line,
            "message": problem.message,
            "found": problem.found,
            "expected": problem.expected,
            "is_warning": problem.severity == "warning",
        }
        for problem in reading.problems
    ]


def _judged(declared: Decimal | None, boundary: Rings) -> dict[str, Any] | None:
    """Set the licence's area beside the computed one, with the tolerance of the rulebook."""
    book = current_rulebook().in_force(timezone.localdate())
    # A city that keeps an older rulebook has no tolerance yet; then nothing is judged.
    if declared is None or not book.find("area.tolerance_km2"):
        return None
    least, percent = book.number("area.tolerance_km2"), book.number("area.tolerance_percent")
    if least is None or percent is None:
        return None
    found = compare_area(
        declared, area_km2(boundary), tolerance_km2=least, tolerance_ratio=percent / 100
    )
    return {
        "verdict": found.verdict.value,
        "declared": f"{declared:.4f}",
        "difference": f"{found.difference:+.4f}",
        "tolerance": f"{found.tolerance:.4f}",
        "agrees": found.verdict is Verdict.PASS,
    }


@require_POST
def mine_coordinates_accept(request: HttpRequest, registry_no: str) -> HttpResponse:
    """Write the boundary that was chosen; it is read once more, for pages can be forged."""
    mine = _mine_of(request, registry_no)
    form = AcceptForm(request.POST)
    if not form.is_valid():
        return _refuse(request, mine, "请填写数据截止日期和数据来源，再采用这个范围。")
    reading = read_safely(form.cleaned_data["text"].encode())
    if not reading.accepted or reading.boundary is None:
        return _refuse(request, mine, "这组坐标有错误，没有写入。请回到上一步改正。")
    try:
        actions.set_boundary(
            mine_id=mine.pk,
            boundary=reading.boundary,
            source_text=form.cleaned_data["source"] or form.cleaned_data["text"],
            as_of=form.cleaned_data["as_of"],
            given_by=form.cleaned_data["given_by"],
            seen=form.cleaned_data["seen"],
            by=request.user,
        )
    except Refused as refusal:
        return _refuse(request, mine, refusal.message)
    messages.success(request, "矿区范围已写入台账，原来的范围保留在变更记录里。")
    return redirect("mine", mine.registry_no)


def _refuse(request: HttpRequest, mine: Mine, sentence: str) -> HttpResponse:
    messages.error(request, sentence)
    return redirect("mine-coordinates", mine.registry_no)


@require_http_methods(["GET", "HEAD", "POST"])
def coordinates(request: HttpRequest) -> HttpResponse:
    """Measure any corner points, and say which registered rights they overlap or lie near."""
    if not permissions.can_anywhere(request.user, "see_mines"):
        raise Http404
    form = _form(request)
    context: dict[str, Any] = {"form": form, "result": None, "asked_at": timezone.now()}
    if request.method == "POST" and form.is_valid():
        reading = read_safely(form.data_given, assume_zone=form.assumed_zone)
        context["result"] = _measured(request, reading)
    return render(request, "mines/coordinates.html", context)


def _measured(request: HttpRequest, reading: Reading) -> dict[str, Any]:
    boundary = reading.boundary if reading.accepted else reading.mended
    found: dict[str, Any] = {
        "problems": _rows(reading),
        "accepted": reading.accepted,
        "is_mended": boundary is not None and not reading.accepted,
        "given": draw(reading.boundary, reading.mended) if reading.boundary else None,
        "mended": draw(reading.mended, reading.boundary) if reading.mended else None,
        "area": None,
        "text": "",
    }
    if boundary is None:
        return found
    shapes = [(ASKED, outline_of(boundary))]
    book = current_rulebook().in_force(timezone.localdate())
    reach = book.number("gap.max_m") or Decimal(0)
    review = book.number("gap.review_m") or reach
    near = neighbours(shapes, within_m=review)[ASKED]
    return found | {
        "area": area_km2(boundary),
        "zone": boundary.zone,
        "points": boundary.point_count,
        "regions": len(boundary.regions),
        "top": boundary.elevation_top,
        "bottom": boundary.elevation_bottom,
        "text": write_text(boundary),
        "overlaps": [row for row in overlaps(shapes)[ASKED] if _may_see(request, row.county_code)],
        "neighbours": [
            {"row": row, "gap": _gap_word(row.distance_m, reach)}
            for row in near
            if _may_see(request, row.county_code)
        ],
        "reach": reach,
        "review": review,
    }


def _gap_word(distance: Decimal, reach: Decimal) -> str:
    """Class a distance as 四(二)4 does: 300 metres or so between neighbouring rights."""
    if distance == 0:
        return "相接或重叠"
    if distance <= reach:
        return f"夹缝距离之内（不超过 {reach} 米）"
    return f"超过 {reach} 米，“左右”待研判"


def _may_see(request: HttpRequest, county_code: str) -> bool:
    return permissions.can(request.user, "see_mines", county_code)


@require_POST
def coordinates_text(request: HttpRequest) -> HttpResponse:
    """Hand out measured corner points as registration text."""
    boundary = _posted(request)
    return _download(write_text(boundary), "拐点坐标.txt", "text/plain; charset=utf-8")


@require_POST
def coordinates_geojson(request: HttpRequest) -> HttpResponse:
    """Hand out measured corner points as GeoJSON in CGCS2000 degrees."""
    boundary = _posted(request)
    shape = shapely.MultiPolygon(to_lonlat(boundary))
    geometry = shapely.to_geojson(shape)
    content = (
        '{"type":"FeatureCollection",'
        '"crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::4490"}},'
        '"features":[{"type":"Feature","properties":'
        f'{{"area_km2":"{area_km2(boundary)}"}},"geometry":{geometry}}}]}}'
    )
    return _download(content, "拐点坐标.geojson", "application/geo+json")


def _posted(request: HttpRequest) -> Rings:
    if not permissions.can_anywhere(request.user, "see_mines"):
        raise Http404
    text = request.POST.get("text", "")[:1_000_000]
    if not text.strip():
        raise Refused("没有坐标可以下载。请回到坐标工具，先贴入拐点坐标。")
    reading = read_safely(text.encode())
    if not reading.accepted or reading.boundary is None:
        raise Refused("这组坐标有错误，没有文件可下载。请回到坐标工具改正后再试。")
    return reading.boundary


def _download(content: str, name: str, content_type: str) -> HttpResponse:
    disposition = content_disposition_header(as_attachment=True, filename=name)
    return HttpResponse(
        content,
        content_type=content_type,
        headers={"Content-Disposition": disposition or "attachment"},
    )
