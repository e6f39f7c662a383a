"""Shape the answers of the REST interface."""

from typing import Any

from rest_framework.response import Response
from rest_framework.views import exception_handler

from shuozhou_mines.errors import NotAllowed, Refused


def answer_refusals(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer a refusal with its sentence: 403 for a missing right, 409 for a wrong state."""
    if isinstance(error, Refused):
        status = 403 if isinstance(error, NotAllowed) else 409
        return Response({"detail": error.message}, status=status)
    return exception_handler(error, context)
