"""Answer programs: read-only data of exactly what is published, and a feed of notices."""

import json
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.gis.db.models.functions import AsGeoJSON
from django.core.paginator import EmptyPage, PageNotAnInteger, Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed
from django.views.decorators.http import require_safe

from publicity.caching import public_page
from publicity.models import Notice, NoticeShape, TransferNotice
from publicity.transfer_actions import FIELDS

# Grows when a field changes its meaning or goes away; new fields alone do not count.
SCHEMA_VERSION = "1.0"
PER_PAGE, MOST_PER_PAGE = 50, 200
LICENCE = "可自由使用、复制和再发布，请注明来源“{unit}”和数据日期；不得歪曲原意。"


def _answer(data: dict[str, Any], status: int = 200) -> JsonResponse:
    """Wrap data with version, licence and as-of moment."""
    head = {
        "schema_version": SCHEMA_VERSION,
        "licence": LICENCE.format(unit=settings.SITE_FOOTER["unit"]),
        "as_of": timezone.localdate().isoformat(),
        "demo": settings.DEMO,
    }
    return JsonResponse({**head, **data}, status=status, json_dumps_params={"ensure_ascii": False})


def _paged(request: HttpRequest, rows: Any, shape: Callable[[Any], Any]) -> JsonResponse:
    """Answer one page of rows; 400 with a sentence for a page that is none."""
    try:
        size = int(request.GET.get("page_size", PER_PAGE))
        pages = Paginator(rows, min(max(size, 1), MOST_PER_PAGE))
        page = pages.page(request.GET.get("page", "1"))
    except (ValueError, PageNotAnInteger):
        return _answer({"detail": "page 和 page_size 须是正整数。"}, 400)
    except EmptyPage:
        return _answer({"detail": f"没有这一页；共 {pages.num_pages} 页。"}, 404)

    def link(number: int) -> str:
        return f"{_url(request.path)}?page={number}&page_size={pages.per_page}"

    return _answer(
        {
            "count": pages.count,
            "page": page.number,
            "pages": pages.num_pages,
            "next": link(page.next_page_number()) if page.has_next() else None,
            "previous": link(page.previous_page_number()) if page.has_previous() else None,
            "results": [shape(row) for row in page.object_list],
        }
    )


def _url(path: str) -> str:
    return f"{settings.SITE_URL.rstrip('/')}{path}"


def _notice(notice: Notice) -> dict[str, Any]:
    """Return what a list of notices says of one."""
    return {
        "id": notice.pk,
        "title": notice.title,
        "county": notice.content["county"],
        "county_code": notice.content["county_code"],
        "starts_on": notice.starts_on.isoformat(),
        "ends_at": timezone.localtime(notice.ends_at).isoformat(),
        "published_at": timezone.localtime(notice.published_at).isoformat(),
        "withdrawn_at": (
            timezone.localtime(notice.withdrawn_at).isoformat() if notice.withdrawn_at else None
        ),
        "withdrawn_reason": notice.withdrawn_reason,
        "sha256": notice.sha256,
        "url": _url(reverse("notice", args=[notice.pk])),
    }


@login_not_required
@require_safe
@public_page
def api_root(_request: HttpRequest) -> HttpResponse:
    """Name what there is."""
    names = ("api-notices", "api-mines", "api-areas", "api-shapes", "api-transfers")
    return _answer({"resources": {name[4:]: _url(reverse(name)) for name in names}})


@login_not_required
@require_safe
@public_page
def api_notices(request: HttpRequest) -> HttpResponse:
    """List the notices, withdrawn ones marked."""
    return _paged(request, Notice.objects.public(), _notice)


@login_not_required
@require_safe
@public_page
def api_notice(_request: HttpRequest, notice_id: int) -> HttpResponse:
    """Answer one notice with its frozen content, whose SHA-256 is in `sha256`."""
    notice = get_object_or_404(Notice, pk=notice_id)
    return _answer({"notice": _notice(notice), "content": notice.content})


def _rows(kind: str) -> list[dict[str, Any]]:
    return [
        {"notice_id": notice.pk, "county_code": notice.content["county_code"], **row}
        for notice in Notice.objects.in_force()
        for row in notice.content[kind]
    ]


@login_not_required
@require_safe
@public_page
def api_mines(request: HttpRequest) -> HttpResponse:
    """List the mines of all notices in force."""
    return _paged(request, _rows("mines"), lambda row: row)


@login_not_required
@require_safe
@public_page
def api_areas(request: HttpRequest) -> HttpResponse:
    """List the merged areas of all notices in force."""
    return _paged(request, _rows("areas"), lambda row: row)


@login_not_required
@require_safe
@public_page
def api_shapes(_request: HttpRequest) -> HttpResponse:
    """Answer every published outline in force as GeoJSON (CGCS2000, EPSG:4490)."""
    rows = NoticeShape.objects.filter(notice__withdrawn_at__isnull=True).annotate(
        geojson=AsGeoJSON("outline", precision=6)
    )
    features = [
        {
            "type": "Feature",
            "geometry": json.loads(row.geojson),
            "properties": {
                "notice_id": row.notice_id, "kind": row.kind, "name": row.name, **row.facts,
            },
        }
        for row in rows
    ]  # fmt: skip
    answer = _answer({"type": "FeatureCollection", "features": features})
    answer["Content-Type"] = "application/geo+json"
    return answer


@login_not_required
@require_safe
@public_page
def api_transfers(request: HttpRequest) -> HttpResponse:
    """List grant information."""

    def shape(row: TransferNotice) -> dict[str, Any]:
        return {
            "id": row.pk,
            "kind": row.kind,
            "kind_name": row.get_kind_display(),
            "title": row.title,
            "county_code": row.county_id,
            "published_on": row.published_on.isoformat() if row.published_on else None,
            "source": row.source,
            "facts": {name: row.facts[name] for name in FIELDS if row.facts.get(name)},
        }

    return _paged(request, TransferNotice.objects.public(), shape)


@login_not_required
@require_safe
@public_page
def notice_feed(_request: HttpRequest) -> HttpResponse:
    """Answer the latest notices as Atom; a withdrawal is an update of its entry."""
    footer = settings.SITE_FOOTER
    feed = Atom1Feed(
        title="朔州市非煤矿山整治整合方案公示",
        link=_url(reverse("notice-list")),
        description="方案公示",
        feed_url=_url(reverse("notice-feed")),
        language="zh-CN",
        author_name=footer["unit"],
    )
    for notice in Notice.objects.public()[:50]:
        withdrawn = f"已撤回：{notice.withdrawn_reason}" if notice.withdrawn_at else ""
        link = _url(reverse("notice", args=[notice.pk]))
        feed.add_item(
            title=f"{notice.title}（已撤回）" if withdrawn else notice.title,
            link=link,
            unique_id=link,
            description=withdrawn or f"公示至 {timezone.localtime(notice.ends_at):%Y-%m-%d %H:%M}",
            pubdate=notice.published_at,
            updateddate=notice.withdrawn_at or notice.published_at,
        )
    return HttpResponse(feed.writeString("utf-8"), content_type="application/atom+xml")
