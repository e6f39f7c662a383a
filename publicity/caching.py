"""Answer the public from memory before anything else is asked, and be right at once.

A view marked as public says which edition of the public content it was made from. The memory
gives its answer out for as long as that edition stands: one small query tells. A change of what
the public sees, an end of a notice and midnight make an answer old. Redis plays no part.
"""

import gzip
import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from threading import Lock
from typing import Any

import brotli
from django.conf import settings
from django.db.models import Min
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.http import http_date, parse_etags, parse_http_date_safe

from publicity.editions import Edition, current_edition
from publicity.models import Notice

MOST_BYTES = 96 * 1024 * 1024
SMALL = 600
# Only questions that our own pages ask: a stranger's parameters must not fill the memory.
KNOWN_QUERY = re.compile(r"(|(page|page_size)=\d{1,5}(&(page|page_size)=\d{1,5})?|side=\w{5,6}|"
                         r"large=[01])$")  # fmt: skip
# A date cannot tell two changes of one second apart.
DATE_IS_SURE_AFTER = timedelta(seconds=3)


class Kept:
    """Hold one answer: its bodies by encoding, its headers, and how long it is true."""

    def __init__(self, response: HttpResponse, edition: Edition, until: datetime) -> None:
        self.mark = edition.mark
        self.until = until
        self.since = max(edition.changed_at, _last_midnight())
        self.headers = [(name, value) for name, value in response.items() if name != "Vary"]
        body = response.content
        self.digest = hashlib.sha256(body).hexdigest()[:32]
        self.bodies = {"": body}
        if len(body) > SMALL:
            self.bodies["br"] = brotli.compress(body, quality=6)
            self.bodies["gzip"] = gzip.compress(body, compresslevel=6, mtime=0)

    @property
    def size(self) -> int:
        """Return about how many bytes this takes."""
        return 1000 + sum(map(len, self.bodies.values()))

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Return the answer in the best encoding the visitor takes, or 304."""
        encoding = self._encoding(request.META.get("HTTP_ACCEPT_ENCODING", ""))
        tag = f'"{self.digest}{"-" if encoding else ""}{encoding}"'
        body = self.bodies[encoding]
        response: HttpResponse
        if self._is_known(request, tag):
            response = HttpResponseNotModified()
        else:
            response = HttpResponse(body, headers=dict(self.headers))
            response["Content-Length"] = str(len(body))
            if encoding:
                response["Content-Encoding"] = encoding
        response["ETag"] = tag
        if timezone.now() - self.since > DATE_IS_SURE_AFTER:
            response["Last-Modified"] = http_date(self._second)
        # Kept by browsers, asked about each time: a withdrawal shows at once.
        response["Cache-Control"] = "no-cache"
        patch_vary_headers(response, ("Accept-Encoding", "Cookie"))
        return response

    def _encoding(self, accepted: str) -> str:
        for encoding in ("br", "gzip"):
            if (
                encoding in self.bodies
                and encoding in accepted
                and f"{encoding};q=0" not in accepted
            ):
                return encoding
        return ""

    @property
    def _second(self) -> int:
        """Return the full second after the last change."""
        return int(self.since.timestamp()) + 1

    def _is_known(self, request: HttpRequest, tag: str) -> bool:
        """Tell whether the visitor has this answer; proxies may have made the tag a weak one."""
        asked = request.META.get("HTTP_IF_NONE_MATCH")
        if asked is not None:
            return "*" in asked or tag in {each.removeprefix("W/") for each in parse_etags(asked)}
        since = parse_http_date_safe(request.META.get("HTTP_IF_MODIFIED_SINCE", ""))
        return since is not None and since >= self._second


class Memory:
    """Keep answers up to a number of bytes; the oldest go first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Any, Kept] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def find(self, name: Any) -> Kept | None:
        """Return what is kept under this name, which may be out of date."""
        return self._kept.get(name)

    def keep(self, name: Any, page: Kept) -> None:
        """Keep one answer in place of what was there."""
        with self._lock:
            former = self._kept.pop(name, None)
            self._kept[name] = page
            self._size += page.size - (former.size if former else 0)
            while self._size > MOST_BYTES:
                _, oldest = self._kept.popitem(last=False)
                self._size -= oldest.size

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._size = 0


memory = Memory()


def answer_from_memory(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Answer visitors without a session from memory, above sessions, CSRF and rights."""

    def middleware(request: HttpRequest) -> HttpResponse:
        name = _name_of(request)
        if name is None:
            return get_response(request)
        kept = memory.find(name)
        if kept is not None and timezone.now() < kept.until and current_edition().mark == kept.mark:
            return kept.answer(request)
        response = get_response(request)
        edition = getattr(response, "edition", None)
        if edition is None or response.status_code != 200 or response.cookies:
            return response
        kept = Kept(response, edition, _true_until())
        if not settings.DEBUG:
            memory.keep(name, kept)
        return kept.answer(request)

    return middleware


def _name_of(request: HttpRequest) -> tuple[Any, ...] | None:
    """Name the answer that this request asks for; None when it must not come from memory."""
    if request.method not in ("GET", "HEAD") or settings.SESSION_COOKIE_NAME in request.COOKIES:
        return None
    query = request.META.get("QUERY_STRING", "")
    if not KNOWN_QUERY.match(query):
        return None
    large = request.COOKIES.get("large") == "1"
    return (request.scheme, request.META.get("HTTP_HOST"), request.path_info, query, large)


def public_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Say of a view's answers from which edition they are, so that they can be remembered.

    The edition is read before the page is made: what changes meanwhile makes the answer old.
    """

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        edition = current_edition()
        response = view(request, *args, **kwargs)
        if not response.streaming:
            response.edition = edition  # type: ignore[attr-defined]
        return response

    return answer


def _true_until() -> datetime:
    """Return when the clock alone will change what the public sees."""
    now = timezone.now()
    midnight = _last_midnight() + timedelta(days=1)
    ends = Notice.objects.filter(ends_at__gt=now).aggregate(first=Min("ends_at"))["first"]
    return min(midnight, ends) if ends else midnight


def _last_midnight() -> datetime:
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
