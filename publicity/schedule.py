"""Start what the clock asks for: forget objectors in time, seal anew after a change of keys."""

from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache

from publicity.objection_actions import forget_ended, seal_anew
from publicity.tasks import sweep_documents
from shuozhou_mines.jobs import on_tick


@on_tick
def tend_objections(at: datetime) -> None:
    """Delete what has been kept long enough, and seal with the current key; repeatable."""
    forget_ended(before=at - timedelta(days=settings.OBJECTION_KEPT_DAYS), at=at)
    seal_anew()


@on_tick
def tend_documents(at: datetime) -> None:
    """Delete, once a day, files of notices that a broken run left behind."""
    if cache.add("publicity.sweep", True, timeout=24 * 3600):
        sweep_documents(before=at - timedelta(days=1))
