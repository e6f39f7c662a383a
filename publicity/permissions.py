"""Say who works at the office's desks for the public; strangers are not told that there are any."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from taskforce.permissions import can_anywhere


def for_publishers(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer 404 to everybody who publishes no plans anywhere."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not can_anywhere(request.user, "publish_plan"):
            raise Http404
        return view(request, *args, **kwargs)

    return answer
