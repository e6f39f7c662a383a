"""Keep the address of the request at hand for the trail."""

from collections.abc import Callable

from axes.helpers import get_client_ip_address
from django.http import HttpRequest, HttpResponse

from taskforce.trail import address_of_request


def remember_address(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Set the trail's address for the length of one request."""

    def middleware(request: HttpRequest) -> HttpResponse:
        token = address_of_request.set(get_client_ip_address(request) or None)
        try:
            return get_response(request)
        finally:
            address_of_request.reset(token)

    return middleware
