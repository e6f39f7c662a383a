"""Keep the address of the request at hand for the trail; write down refusals and downloads."""

from collections.abc import Callable
from typing import Any

from axes.helpers import get_client_ip_address
from django.http import HttpRequest, HttpResponse

from taskforce.models import TrailEntry
from taskforce.trail import address_of_request, entries_of_request, record

Answer = Callable[[HttpRequest], HttpResponse]
_WATCHED = ("/staff/", "/api/")


def remember_address(get_response: Answer) -> Answer:
    """Set the trail's address for the length of one request."""

    def middleware(request: HttpRequest) -> HttpResponse:
        token = address_of_request.set(get_client_ip_address(request) or None)
        try:
            return get_response(request)
        finally:
            address_of_request.reset(token)

    return middleware


def write_down_refusals_and_downloads(get_response: Answer) -> Answer:
    """Write down what a signed-in person was refused, did not find, or took away as a file.

    A view that has written its own entry about a file has said more than this would.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        token = entries_of_request.set(0)
        try:
            response = get_response(request)
            if request.user.is_authenticated and request.path.startswith(_WATCHED):
                _write_down(request, response)
            return response
        finally:
            entries_of_request.reset(token)

    return middleware


def _write_down(request: HttpRequest, response: HttpResponse) -> None:
    where: dict[str, Any] = {"method": request.method, "path": request.path[:300]}
    if response.status_code in (403, 404):
        act = "无权操作" if response.status_code == 403 else "查无此页或无权查看"
        record(act, by=request.user, result=TrailEntry.Result.REFUSED, **where)
    elif _is_file(response) and not entries_of_request.get():
        record("下载文件", by=request.user, **where, query=request.GET.urlencode()[:300])


def _is_file(response: HttpResponse) -> bool:
    return response.status_code == 200 and "Content-Disposition" in response
