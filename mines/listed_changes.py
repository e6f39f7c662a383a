"""Know whether the list has changed since its totals were worked out."""

from typing import ClassVar

from django.contrib.postgres.aggregates import StringAgg
from django.db import models
from django.db.models import Value
from django.db.models.functions import Cast


class ListedChangeQuerySet(models.QuerySet["ListedChange"]):
    """Read the state of the list."""

    def state(self) -> str:
        """Return what differs after every change of the list that has been committed."""
        number = Cast("pk", models.TextField())
        found = self.aggregate(state=StringAgg(number, delimiter=Value(","), order_by="pk"))
        return found["state"] or ""


class ListedChange(models.Model):
    """Stand for one statement that wrote into the list; triggers add rows and drop old ones.

    Not one number that counts up, for which writers would have to wait for each other: who comes
    late adds a row below the last one, and the whole row of numbers is the state.
    """

    objects = ListedChangeQuerySet.as_manager()

    class Meta:
        verbose_name = "台账变动"
        ordering: ClassVar = ["pk"]
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)
