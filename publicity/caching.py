"""Answer the public from memory, and be right at once: each answer is named by what it shows.

The mark is one small query over all that the public's pages show. A publication, a withdrawal or
an answer changes it in the same transaction; no answer made before is given out after.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from functools import cache, wraps
from threading import Lock
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils import timezone

MOST_BYTES = 64 * 1024 * 1024
_MARK = """
SELECT md5(concat_ws('|',
 (SELECT concat_ws(',', count(*), max(id), max(published_at), max(withdrawn_at),
   count(withdrawn_at), count(*) FILTER (WHERE ends_at < now())) FROM publicity_notice),
 (SELECT concat_ws(',', count(*), max(id)) FROM publicity_publicdocument),
 (SELECT concat_ws(',', count(*), max(id)) FROM publicity_appearance),
 (SELECT concat_ws(',', count(*), max(answered_at)) FROM publicity_question
   WHERE state = 'published'),
 (SELECT concat_ws(',', count(*), max(id), count(withdrawn_at)) FROM publicity_transfernotice),
 (SELECT concat_ws(',', count(*), count(done_on), max(done_on)) FROM plans_plantask)))
"""

_kept: "OrderedDict[str, tuple[bytes, dict[str, str]]]" = OrderedDict()
_size = 0
_lock = Lock()


def public_mark() -> str:
    """Return a mark of all that the public sees; one query."""
    with connection.cursor() as cursor:
        cursor.execute(_MARK)
        mark: str = cursor.fetchone()[0]
    return f"{mark}|{timezone.localdate()}|{connection.settings_dict['NAME']}|{_pages_of()}"


@cache
def _pages_of() -> float:
    """Return when the templates last changed: after an update all is answered anew."""
    return max(file.stat().st_mtime for file in (settings.BASE_DIR / "templates").rglob("*.html"))


def public_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer visitors who are not signed in from memory, with an ETag; 304 when they have it."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated or request.method != "GET":
            return view(request, *args, **kwargs)
        name = _name_of(request)
        tag = f'"{name[:32]}"'
        if tag in request.headers.get("If-None-Match", ""):
            return _told(HttpResponseNotModified(), tag)
        known = _kept.get(name)
        if known is not None:
            return _told(HttpResponse(known[0], headers=known[1]), tag)
        response = view(request, *args, **kwargs)
        if response.status_code == 200 and not response.streaming and not response.cookies:
            _keep(name, response)
            return _told(response, tag)
        return response

    return answer


def _name_of(request: HttpRequest) -> str:
    large = request.COOKIES.get("large", "")
    parts = (public_mark(), request.get_host(), request.get_full_path(), large == "1",
             large == "0", settings.DEMO, settings.SECRET_KEY)  # fmt: skip
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _told(response: HttpResponse, tag: str) -> HttpResponse:
    response["ETag"] = tag
    # Kept by browsers, asked about each time: a withdrawal shows at once.
    response["Cache-Control"] = "no-cache"
    response["Vary"] = "Cookie"
    return response


def _keep(name: str, response: HttpResponse) -> None:
    global _size
    headers = {"Content-Type": response["Content-Type"]}
    with _lock:
        _kept[name] = (response.content, headers)
        _size += len(response.content)
        while _size > MOST_BYTES:
            _, (body, _) = _kept.popitem(last=False)
            _size -= len(body)
