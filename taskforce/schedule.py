"""Start what the clock asks for: begin and end roles, lock the idle, verify and send the trail."""

import logging
from datetime import datetime, timedelta

from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from shuozhou_mines.jobs import on_tick
from taskforce.account_actions import lock_the_idle
from taskforce.actions import follow_the_days
from taskforce.models import SignedIn, TrailCheck
from taskforce.trail_chain import ship, verify

logger = logging.getLogger(__name__)


@on_tick
def tend_accounts(at: datetime) -> None:
    """Begin and end roles by their days, lock idle accounts, drop sessions that are over."""
    follow_the_days(at=at)
    lock_the_idle(at=at)
    SignedIn.objects.filter(expire_date__lt=at).delete()
    # What was typed as a name may be a password; the lock-out itself needs minutes only.
    before = at - timedelta(days=settings.ATTEMPTS_KEPT_DAYS)
    AccessAttempt.objects.filter(attempt_time__lt=before).delete()
    AccessLog.objects.filter(attempt_time__lt=before).delete()


@on_tick
def verify_nightly(at: datetime) -> None:
    """Verify the chain once a day, after the hour of the settings."""
    now = timezone.localtime(at)
    if now.hour < settings.TRAIL_CHECK_HOUR:
        return
    if TrailCheck.objects.filter(checked_at__date=now.date()).exists():
        return
    if cache.add(f"trail-check-{now.date()}", True, timeout=600):
        verify(at=at)


@on_tick
def send_trail_on(at: datetime) -> None:
    """Send new entries to the city's log server; when it is away, the next tick tries again."""
    if not settings.TRAIL_SYSLOG:
        return
    try:
        ship(destination=settings.TRAIL_SYSLOG, at=at)
    except OSError:
        logger.warning("the log server does not answer; the trail waits for it", exc_info=True)
