"""Read frozen content in templates."""

from decimal import Decimal
from typing import Any

from django import template

register = template.Library()


@register.filter
def shown(row: dict[str, Any], key: str) -> str:
    """Return a frozen value as text; a list is joined, nothing is a dash."""
    value = row.get(key, "")
    text = "、".join(value) if isinstance(value, list) else str(value)
    return text or "–"


@register.filter
def has(row: dict[str, Any], key: str) -> bool:
    """Tell whether a frozen value says anything."""
    return bool(row.get(key))


@register.filter
def written(value: Any) -> str:
    """Write a rulebook value: a list is joined, a decimal loses its trailing zeros."""
    if isinstance(value, tuple):
        return "、".join(value)
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
