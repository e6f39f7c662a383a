"""Mark each state of what the public sees, so that no older answer is given out after a change."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

import pgtrigger
from django.db import InterfaceError, OperationalError, connection, models

from plans.models import PlanTask, Target
from rulebook.models import RulebookVersion
from taskforce.models import Appointment


class PublicEdition(models.Model):
    """Hold one row: the mark of what the public sees now, and since when.

    The database itself writes a new mark in the transaction of each change. Marks are drawn, not
    counted, so that none comes again after a backup has been put back.
    """

    mark = models.UUIDField("标记")
    changed_at = models.DateTimeField("变动时间")

    class Meta:
        verbose_name = "公开内容标记"
        db_table = "publicity_edition"
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.mark)


class PublicChange(pgtrigger.Trigger):
    """Write a new mark after each statement that changes a table the public sees."""

    name = "public_change"
    level = pgtrigger.Statement
    when = pgtrigger.After
    operation = pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete

    def get_func(self, _model: Any) -> str:
        """Return the body of the trigger."""
        return """
            INSERT INTO publicity_edition (id, mark, changed_at)
            VALUES (1, gen_random_uuid(), clock_timestamp())
            ON CONFLICT (id) DO UPDATE SET mark = EXCLUDED.mark, changed_at = EXCLUDED.changed_at;
            RETURN NULL;
        """


class SeenTask(PlanTask):
    """Stand for plan tasks, whose progress the public sees."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers: ClassVar = [PublicChange()]


class SeenTarget(Target):
    """Stand for the province's tasks, against which the public sees the progress."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers: ClassVar = [PublicChange()]


class SeenAppointment(Appointment):
    """Stand for appointments, which the public roster shows."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers: ClassVar = [PublicChange()]


class SeenRulebook(RulebookVersion):
    """Stand for versions of the rulebook, whose limits the public sees."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers: ClassVar = [PublicChange()]


@dataclass(frozen=True, slots=True)
class Edition:
    """Say which state of the public's pages this is, and since when."""

    mark: Any
    changed_at: datetime


FIRST = Edition(None, datetime(1970, 1, 1, tzinfo=UTC))


def current_edition() -> Edition:
    """Return the edition that stands now, the first one before any change. One query.

    The line to the database is not tried beforehand, which would cost as much as the question
    itself; one that turns out dead is opened anew.
    """
    connection.health_check_done = True  # type: ignore[attr-defined]  # the stubs lack it
    try:
        row = _newest()
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        connection.close()
        row = _newest()
    return Edition(*row) if row else FIRST


def _newest() -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT mark, changed_at FROM publicity_edition WHERE id = 1")
        return cursor.fetchone()
