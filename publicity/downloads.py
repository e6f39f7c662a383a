"""Hand out stored files; for one that is gone from the disk a page says so, and the log."""

import logging
from typing import Any

from django.db.models.fields.files import FieldFile
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render

logger = logging.getLogger(__name__)


def download(
    request: HttpRequest, file: FieldFile, *, name: str, content_type: str, **context: Any
) -> HttpResponse | FileResponse:
    """Return a file as attachment; 503 with a page when the disk does not give it."""
    try:
        opened = file.open("rb")
    except OSError:
        logger.exception("a file that a row names cannot be read: %s", file.name)
        page = render(request, "publicity/file_missing.html", context, status=503)
        page["Retry-After"] = "600"
        return page
    return FileResponse(opened, as_attachment=True, filename=name, content_type=content_type)
