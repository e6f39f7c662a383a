"""Say which frozen outlines show the mines before, and which after."""

from django.db.models import Q


def before() -> Q:
    """Return the mines as they are."""
    return Q(kind="mine")


def after() -> Q:
    """Return the merged areas and the mines that stay."""
    return Q(kind="area") | Q(kind="mine", label__in=("upgrade", "keep"))
