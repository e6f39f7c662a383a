"""Show one mine: what is known, where it lies, what lies near, and what changed."""

from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from mines import mine_file
from mines.boundaries import Neighbour, neighbours, rings_of
from mines.columns import SOON, STATE_TONES, boundary_of, plain
from mines.coordinates import write_text
from mines.drawings import MAP_NOTE, feature_collection
from mines.history import changes_of
from mines.models import Boundary, Licence, Mine
from rulebook.current import current_rulebook
from standards.terms import AcceptanceConclusion, Method
from taskforce import permissions

CHANGES_PER_PAGE = 30


def _mine_of(request: HttpRequest, registry_no: str) -> Mine:
    mines = Mine.objects.visible_to(request.user).with_registry_facts().select_related("standing")
    return get_object_or_404(mines, registry_no=registry_no)


@require_GET
def mine_page(request: HttpRequest, registry_no: str) -> HttpResponse:
    """Show what the registry holds on one mine."""
    mine = _mine_of(request, registry_no)
    boundary = boundary_of(mine)
    today = timezone.localdate()
    reach = _reach(today)
    near = _neighbours(request, mine, reach)
    may_edit = permissions.can(request.user, "edit_mines", mine.county_id)
    context = {
        "mine": mine,
        "state_tone": STATE_TONES.get(mine.state, "neutral"),
        "identity": _identity(mine),
        "chain": mine_file.holder_chain(mine.holder),
        "figures": [*mine_file.classes(mine), *_figures(mine)],
        "production": mine_file.production(mine),
        "findings": mine_file.findings_of(mine),
        "documents": mine.minedocuments.all(),
        "acceptances": mine.acceptances.all(),
        "treatment_plans": mine.treatmentplans.all(),
        "treatment_checks": mine.treatmentchecks.all(),
        "right_events": mine.rightevents.all(),
        "safety": _safety(mine, today),
        "licences": _licences(mine, today),
        "systems": mine.systems.all(),
        "stocks": mine.stocks.all(),
        "boundary": boundary,
        "boundary_facts": _boundary_facts(mine, boundary) if boundary else [],
        "regions": boundary.regions if boundary and boundary.source_text else [],
        "near": [
            {"row": each, "method": Method(each.method).label if each.method else ""}
            for each in near
        ],
        "reach": reach,
        "map": _map(mine, boundary, reach),
        "plans": _plans(request, mine),
        "tabs": _tabs(mine, "mine"),
        "coordinates_url": (
            reverse("mine-coordinates", args=[mine.registry_no]) if may_edit else ""
        ),
        "add": mine_file.links_to_add(mine, may_edit=may_edit),
    }
    return render(request, "mines/mine.html", context)


@require_GET
def mine_history(request: HttpRequest, registry_no: str) -> HttpResponse:
    """Show every change of a mine's rows, newest first."""
    mine = _mine_of(request, registry_no)
    page = Paginator(changes_of(mine), CHANGES_PER_PAGE).get_page(request.GET.get("page"))
    context = {"mine": mine, "page_obj": page, "query": "", "tabs": _tabs(mine, "mine-history")}
    return render(request, "mines/history.html", context)


@require_GET
def mine_surroundings(request: HttpRequest, registry_no: str) -> JsonResponse:
    """Answer the boundary of a mine and those near it as GeoJSON."""
    mine = _mine_of(request, registry_no)
    near = _neighbours(request, mine, _reach(timezone.localdate()))
    ids = [mine.pk, *(each.mine_id for each in near)]
    found = feature_collection(Mine.objects.filter(pk__in=ids))
    return JsonResponse(found, content_type="application/geo+json")


@require_GET
def mine_corners(request: HttpRequest, registry_no: str) -> HttpResponse:
    """Answer the corner points as registration text, as they were given."""
    mine = _mine_of(request, registry_no)
    row = boundary_of(mine)
    given = rings_of(row) if row else None
    if given is None:
        raise Http404
    response = HttpResponse(write_text(given), content_type="text/plain; charset=utf-8")
    name = quote(f"{mine.registry_no}-拐点坐标.txt")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    return response


def _neighbours(request: HttpRequest, mine: Mine, reach: Decimal) -> list[Neighbour]:
    """Return the mines near this one in the counties that the reader may see."""
    boundary = boundary_of(mine)
    if boundary is None:
        return []
    found = neighbours(
        [(mine.registry_no, boundary.outline)],
        within_m=reach,
        ignoring={mine.registry_no: [mine.pk]},
    )[mine.registry_no]
    return [each for each in found if permissions.can(request.user, "see_mines", each.county_code)]


def _reach(on: date) -> Decimal:
    """Return the distance up to which mines count as adjacent, in metres (四(二)4)."""
    return current_rulebook().in_force(on).number("gap.max_m") or Decimal(0)


def _tabs(mine: Mine, here: str) -> list[dict[str, Any]]:
    return [
        {
            "label": label,
            "url": reverse(name, args=[mine.registry_no]),
            "active": name == here,
            "count": None,
        }
        for name, label in (("mine", "矿山情况"), ("mine-history", "变更记录"))
    ]


def _fact(label: str, value: Any, unit: str = "", note: str = "") -> dict[str, Any]:
    if isinstance(value, bool):
        value = "是" if value else "否"
    elif isinstance(value, Decimal):
        value = plain(value)
    elif isinstance(value, date):
        value = value.isoformat()
    return {"label": label, "value": value, "unit": unit, "note": note}


def _identity(mine: Mine) -> list[dict[str, Any]]:
    holder = mine.holder
    return [
        _fact("台账编号", mine.registry_no),
        _fact("县（市、区）", mine.county.name),
        _fact("乡镇", mine.township),
        _fact("采矿权人", holder.name),
        _fact("统一社会信用代码", holder.uscc),
        _fact("开采矿种", mine.mineral.name, note=f"代码 {mine.mineral.code}"),
        _fact("开采方式", mine.get_method_display()),
        _fact("矿体", "、".join(str(body) for body in mine.ore_bodies.all())),
        _fact("以山脊划界", mine.is_on_ridge),
    ]


def _figures(mine: Mine) -> list[dict[str, Any]]:
    includes = {True: "含基建期", False: "不含基建期", None: "是否含基建期未写明"}
    life_note = "" if mine.service_life_years is None else includes[mine.life_includes_construction]
    return [
        _fact("服务年限", mine.service_life_years, "年", life_note),
        _fact("基建期", mine.construction_years, "年"),
        _fact("可采储量", mine.recoverable, "万吨"),
        _fact("体重", mine.density, "吨/立方米"),
        _fact("停产起始日期", mine.suspended_since),
        _fact("最近生产日期", mine.last_production_on),
    ]


def _safety(mine: Mine, today: date) -> list[dict[str, Any]]:
    ends = mine.safety_licence_valid_to
    conclusions = dict(AcceptanceConclusion.choices())
    return [
        _fact("安全生产许可证", mine.safety_licence_no),
        _fact("有效期止", ends, note="已到期" if ends and ends < today else ""),
        _fact("环境恢复验收日期", mine.accepted_on),
        _fact("县级验收结论", conclusions.get(mine.acceptance, mine.acceptance)),
    ]


def _licences(mine: Mine, today: date) -> dict[str, Any]:
    """Lay the licence periods along one line of years; x and width are in thousandths of it."""
    periods = sorted(mine.licences.all(), key=lambda row: row.valid_from, reverse=True)
    if not periods:
        return {"periods": []}
    first = date(min(*(row.valid_from for row in periods), today).year, 1, 1)
    last = date(max(*(row.valid_to for row in periods), today).year, 12, 31)

    def place(day: date) -> int:
        return round((day - first).days * 1000 / ((last - first).days or 1))

    return {
        "first": first.year,
        "last": last.year,
        "today": place(today),
        "periods": [
            {
                "row": row,
                "x": place(row.valid_from),
                "width": max(place(row.valid_to) - place(row.valid_from), 4),
                **_standing(row, today),
            }
            for row in periods
        ],
    }


def _standing(row: Licence, today: date) -> dict[str, str]:
    if row.valid_to < today:
        return {"word": "已到期", "tone": "stopped"}
    if row.valid_from > today:
        return {"word": "未生效", "tone": "neutral"}
    if row.valid_to <= today + SOON:
        return {"word": f"还有 {(row.valid_to - today).days} 天", "tone": "waiting"}
    return {"word": "有效", "tone": "done"}


def _boundary_facts(mine: Mine, boundary: Boundary) -> list[dict[str, Any]]:
    licence = mine.licence
    return [
        _fact(
            "计算面积",
            f"{boundary.area_km2:.4f}",
            "km²",
            "示意范围的面积" if boundary.is_schematic else "CGCS2000 椭球面积",
        ),
        _fact(
            "证载面积",
            f"{licence.area_km2:.4f}" if licence and licence.area_km2 is not None else "",
            "km²",
        ),
        _fact("数据截止", boundary.as_of),
    ]


def _map(mine: Mine, boundary: Boundary | None, reach: Decimal) -> dict[str, Any]:
    """Open the map on the mine with all that lies within reach."""
    if boundary is None:
        return {}
    west, south, east, north = boundary.outline.extent
    margin = float(reach) / 110_000
    return {
        "id": "mine-map",
        "label": f"{mine.name}及相邻矿山的范围",
        "describedby": "near-table",
        "features_url": reverse("mine-surroundings", args=[mine.registry_no]),
        "counties_url": reverse("county-shapes"),
        "bbox": f"{west - margin},{south - margin},{east + margin},{north + margin}",
        "colour_by": "state",
        "note": MAP_NOTE,
    }


def _plans(request: HttpRequest, mine: Mine) -> list[dict[str, Any]]:
    """Return what plans intend for the mine; drafts only for those who may read drafts."""
    rights = permissions.rights_on(request.user, mine.county_id)
    rows = mine.dispositions.select_related("version__plan__round", "area").order_by("-version_id")
    if "see_drafts" not in rights:
        if "see_plans" not in rights:
            return []
        rows = rows.filter(version__plan__submitted_at__isnull=False)
    return [{"row": row, "url": reverse("plan-version", args=[row.version_id])} for row in rows[:5]]
