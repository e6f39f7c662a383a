"""Write the trail: one entry for each act, in the transaction of the act itself."""

from contextvars import ContextVar
from typing import Any

from django.db import models

from taskforce.models import County, TrailEntry

# Where the current request comes from; set by the middleware, empty in jobs.
address_of_request: ContextVar[str | None] = ContextVar("address_of_request", default=None)
# How many entries the current request has written.
entries_of_request: ContextVar[int] = ContextVar("entries_of_request", default=0)


def record(
    act: str,
    *,
    by: Any,
    subject: models.Model | None = None,
    county: County | None = None,
    result: str = TrailEntry.Result.DONE,
    **detail: Any,
) -> TrailEntry:
    """Add an entry; `detail` takes JSON values only and never secrets or personal data."""
    entries_of_request.set(entries_of_request.get() + 1)
    return TrailEntry.objects.create(
        act=act,
        by=by if by is not None and by.is_authenticated else None,
        address=address_of_request.get(),
        subject_type=subject._meta.label_lower if subject is not None else "",
        subject_id=subject.pk if subject is not None else None,
        subject_name=str(subject)[:200] if subject is not None else "",
        county=county,
        result=result,
        detail=detail,
    )
