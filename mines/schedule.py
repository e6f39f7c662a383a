"""Start what the clock starts: the daily check of the registry, and one for each new rulebook."""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from mines.check_models import MineCheckRun
from mines.checks import start_check
from rulebook.models import RulebookVersion
from shuozhou_mines.jobs import on_tick


@on_tick
def check_registry(at: datetime) -> None:
    """Check the registry once for each night, and once for each version of the rulebook.

    Nothing happens before the first version is there. Two clocks start one run: its key is unique.
    """
    version = RulebookVersion.objects.in_force()
    if version is None:
        return
    night = night_of(at)
    newest = MineCheckRun.objects.order_by("-pk").first()
    if not MineCheckRun.objects.filter(once_key=f"night:{night}").exists():
        _start(MineCheckRun.Reason.NIGHT, f"night:{night}", at)
    elif newest is not None and newest.rulebook_id != version.pk:
        _start(MineCheckRun.Reason.RULEBOOK, f"rulebook:{version.pk}", at)


def night_of(at: datetime) -> date:
    """Return the day whose check was due last; one missed while nothing ticked is caught up."""
    due = timezone.localtime(at) - timedelta(hours=settings.REGISTRY_CHECK_HOUR)
    return due.date()


@transaction.atomic
def _start(reason: str, once_key: str, at: datetime) -> None:
    start_check(reason=reason, on=timezone.localdate(at), at=at, once_key=once_key)
