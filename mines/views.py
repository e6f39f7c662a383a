"""Show the list of mines with its map, and take out what is on screen."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from django.core.paginator import Page, Paginator
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    JsonResponse,
    QueryDict,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_GET

from mines import exports, tiles
from mines.columns import COLUMNS, NAME, SOON, STATE_TONES, Column, plain
from mines.drawings import MAP_NOTE, MOST_SHAPES, feature_collection
from mines.filters import MineFilter, in_order
from mines.listed_models import ListedMine
from mines.listing import Totals, keys_in_order, rows_at, totals_of
from mines.models import MineQuerySet
from shuozhou_mines.errors import Refused
from standards.terms import Method, MineState
from taskforce import permissions

PAGE_SIZE = 50
FORMATS = {
    "xlsx": ("Excel 表格", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "csv": ("CSV", "text/csv; charset=utf-8"),
    "geojson": ("GeoJSON", "application/geo+json"),
}


def _filters(request: HttpRequest) -> MineFilter:
    return MineFilter(request.GET, request=request)


@require_GET
def mine_list(request: HttpRequest) -> HttpResponse:
    """List the mines that the filters leave, with totals, and draw the same ones."""
    filters = _filters(request)
    totals = totals_of(filters.listed)
    columns = _columns(request.GET)
    page = _page(request, filters, totals["count"], columns)
    context = {
        "filters": filters,
        "kept": _kept(request.GET, "sort", "cols"),
        "is_filtered": bool(_query(request.GET, without=("sort", "cols", "page"))),
        "count": totals["count"],
        "page_obj": page,
        "query": _query(request.GET, without=("page",), joined=True),
        "table": _table(request.GET, list(page.object_list), columns, _totals(columns, totals)),
        "columns": [
            {"key": each.key, "label": each.label, "checked": each in columns} for each in COLUMNS
        ],
        "kept_filters": _kept(request.GET, but=("cols", "page")),
        "map": _map(request.GET, totals["count"]),
        "exports": _export_links(request.GET),
        "buttons": _buttons(request),
    }
    return render(request, "mines/list.html", context)


def _buttons(request: HttpRequest) -> list[dict[str, Any]]:
    """Offer the import to those who keep a registry, and the coordinate tool to everybody."""
    offered = [("核对坐标", "coordinates", "secondary")]
    if permissions.can_anywhere(request.user, "edit_mines"):
        offered.append(("导入台账", "mine-import", "primary"))
    return [
        {"label": label, "url": reverse(name), "method": "get", "enabled": True, "kind": kind}
        for label, name, kind in offered
    ]


def _page(
    request: HttpRequest, filters: MineFilter, count: int, columns: list[Column]
) -> Page[Any]:
    """Return the page asked for: its keys through an index first, then its rows alone."""
    paginator: Paginator[Any] = Paginator((), PAGE_SIZE)
    paginator.__dict__["count"] = count  # counted already
    page = paginator.get_page(request.GET.get("page"))
    keys = keys_in_order(
        filters.listed,
        request.GET.get("sort", ""),
        count=count,
        start=(page.number - 1) * PAGE_SIZE,
        size=PAGE_SIZE,
        by_words=bool(request.GET.get("q")),
    )
    paths = ["registry_no", NAME.listed, *(column.listed for column in columns)]
    page.object_list = rows_at(ListedMine.objects.all(), keys, paths)
    return page


def _query(given: QueryDict, *, without: tuple[str, ...], joined: bool = False) -> str:
    """Return the parameters that say something, encoded; `joined` ends them with "&"."""
    kept = QueryDict(mutable=True)
    for key, values in given.lists():
        said = [value for value in values if value]
        if said and key not in without:
            kept.setlist(key, said)
    text = kept.urlencode()
    return f"{text}&" if text and joined else text


def _kept(given: QueryDict, *only: str, but: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    return [
        (key, value)
        for key, values in given.lists()
        if (key in only if only else key not in but)
        for value in values
        if value
    ]


def _columns(given: QueryDict) -> list[Column]:
    asked = set(given.getlist("cols"))
    chosen = [each for each in COLUMNS if each.key in asked]
    return chosen or [each for each in COLUMNS if each.shown]


def _table(
    given: QueryDict,
    rows: list[dict[str, Any]],
    columns: list[Column],
    totals: list[dict[str, Any]],
) -> dict[str, Any]:
    today, prefix = timezone.localdate(), reverse("mine-list")
    return {
        "caption": "矿山台账",
        "columns": [_head(given, column) for column in (NAME, *columns)],
        "rows": [
            {
                "cells": [
                    {"text": row["name"], "url": f"{prefix}{quote(row['registry_no'], safe='')}/"},
                    *(_cell(row[column.listed], column, today) for column in columns),
                ]
            }
            for row in rows
        ],
        "totals": totals,
        "empty": {},
    }


def _head(given: QueryDict, column: Column) -> dict[str, Any]:
    sort = given.get("sort") or "no"
    head: dict[str, Any] = {"label": column.label, "unit": column.unit, "num": column.num}
    if column.sort:
        turned = f"-{column.sort}" if sort == column.sort else column.sort
        head["sort_url"] = f"?{_query(given, without=('sort', 'page'), joined=True)}sort={turned}"
        if sort.removeprefix("-") == column.sort:
            head["sorted"] = "descending" if sort.startswith("-") else "ascending"
    return head


def _cell(value: Any, column: Column, today: date) -> dict[str, Any]:
    if value is None or value == "":
        return {"text": None}
    if column.key == "state":
        return {"text": MineState(value).label, "tone": STATE_TONES[value]}
    if column.key == "findings":
        return {"verdict": value}
    if column.key == "method":
        return {"text": Method(value).label}
    if column.key == "ends":
        if value < today:
            return {"text": f"{value.isoformat()} 已到期", "tone": "stopped"}
        if value <= today + SOON:
            return {"text": f"{value.isoformat()} 将到期", "tone": "waiting"}
    if column.key == "area":
        # The law counts square kilometres with four decimals.
        return {"text": f"{value:.4f}", "num": True}
    if column.key == "scale":
        return {"text": plain(value.quantize(Decimal("0.01"), ROUND_HALF_UP)), "num": True}
    if isinstance(value, Decimal):
        return {"text": plain(value), "num": True}
    return {"text": str(value), "num": column.num}


def _totals(columns: list[Column], totals: Totals) -> list[dict[str, Any]]:
    sums = {}
    if totals["area"] is not None:
        sums["area"] = f"{totals['area']:.4f}"
    if totals["scale"] is not None:
        sums["scale"] = plain(totals["scale"].quantize(Decimal("0.01"), ROUND_HALF_UP))
    return [
        {"text": f"合计 {totals['count']} 座"},
        *({"text": sums.get(column.key, ""), "num": column.num} for column in columns),
    ]


def _map(given: QueryDict, count: int) -> dict[str, Any]:
    """Draw the same mines: as shapes while they are few, as tiles beyond."""
    query = _query(given, without=("sort", "cols", "page"))
    tail = f"?{query}" if query else ""
    many = count > MOST_SHAPES
    tiles_url = reverse("mine-tiles", args=[0, 0, 0]).replace("0/0/0", "{z}/{x}/{y}")
    return {
        "id": "mine-map",
        "label": "按当前条件显示的矿区范围",
        "describedby": "mine-table",
        "features_url": "" if many else reverse("mine-shapes") + tail,
        "tiles_url": tiles_url + tail if many else "",
        "counties_url": reverse("county-shapes"),
        "bbox": given.get("bbox", ""),
        "colour_by": "state",
        "note": MAP_NOTE,
    }


def _export_links(given: QueryDict) -> list[dict[str, str]]:
    query = _query(given, without=("cols", "page"))
    tail = f"?{query}" if query else ""
    return [
        {"label": label, "url": reverse("mine-export", args=[key]) + tail}
        for key, (label, _) in FORMATS.items()
    ]


@require_GET
def mine_shapes(request: HttpRequest) -> JsonResponse:
    """Answer the boundaries of the mines that the filters leave as GeoJSON."""
    found = feature_collection(_filters(request).chosen)
    return JsonResponse(found, content_type="application/geo+json")


@require_GET
def mine_tile(request: HttpRequest, z: int, x: int, y: int) -> HttpResponse:
    """Answer one vector tile of the mines that the filters leave."""
    try:
        found = tiles.tile(
            _filters(request).listed, z=z, x=x, y=y, page_prefix=reverse("mine-list")
        )
    except ValueError as error:
        raise Http404 from error
    response = HttpResponse(found, content_type="application/vnd.mapbox-vector-tile")
    response["Cache-Control"] = "private, max-age=60"
    response["Vary"] = "Cookie"
    mark = quote_etag(sha256(found).hexdigest()[:32])
    response["ETag"] = mark
    return get_conditional_response(request, etag=mark, response=response) or response


@require_GET
def mine_export(request: HttpRequest, kind: str) -> HttpResponse | StreamingHttpResponse:
    """Write the mines that the filters leave into a file; refuse more than a file may hold."""
    if kind not in FORMATS:
        raise Http404
    filters = _filters(request)
    if not filters.is_valid():
        raise Refused("筛选条件有误，没有导出。请回到台账改正条件后再导出。")
    mines = in_order(filters.chosen, request.GET.get("sort", ""), through="listed__")
    most = exports.MOST_ROWS[kind]
    if (count := filters.listed.count()) > most:
        raise Refused(f"符合条件的矿山有 {count} 座，一次最多导出 {most} 座。请缩小范围后再导出。")
    return _file(kind, mines)


def _file(kind: str, mines: MineQuerySet) -> HttpResponse | StreamingHttpResponse:
    response: HttpResponse | StreamingHttpResponse
    content_type = FORMATS[kind][1]
    if kind == "xlsx":
        response = HttpResponse(exports.xlsx(mines), content_type=content_type)
    elif kind == "csv":
        response = StreamingHttpResponse(exports.csv_lines(mines), content_type=content_type)
    else:
        response = StreamingHttpResponse(exports.geojson_parts(mines), content_type=content_type)
    name = f"mines-{timezone.localdate():%Y%m%d}.{kind}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
