"""Wrap every answer: refusals become pages, private pages stay out of caches."""

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from shuozhou_mines.errors import NotAllowed, Refused

logger = logging.getLogger(__name__)

Answer = Callable[[HttpRequest], HttpResponse]


class AnswerWhenDatabaseIsDown:
    """Show a plain page with status 503 while PostgreSQL is away."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        except (OperationalError, InterfaceError):
            return self._page()

    def process_exception(self, _request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer a view's lost connection; other errors go their way."""
        return self._page() if isinstance(error, OperationalError | InterfaceError) else None

    def _page(self) -> HttpResponse:
        logger.exception("the database is away")
        connection.close()
        page = render_to_string("503.html")
        return HttpResponse(page, status=503, headers={"Retry-After": "30"})


def refuse_null_characters(get_response: Answer) -> Answer:
    """Answer 400 to an address with a null character, which no text of the database may hold."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return HttpResponse(render_to_string("400.html"), status=400)
        return get_response(request)

    return middleware


def keep_private_pages_out_of_caches(get_response: Answer) -> Answer:
    """Mark every answer to a signed-in person as not to be stored."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.user.is_authenticated and "Cache-Control" not in response:
            response["Cache-Control"] = "no-store, private"
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response

    return middleware


class ShowRefusals:
    """Turn a refusal that a view let through into a page with its sentence."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer 403 for a missing right and 409 for a state that has moved on."""
        if not isinstance(error, Refused):
            return None
        status = 403 if isinstance(error, NotAllowed) else 409
        context = {"message": error.message}
        return render(request, "refused.html", context, status=status)
