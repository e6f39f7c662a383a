"""Mark what a person has read."""

from datetime import datetime
from typing import Any

from taskforce.models import Message


def read_messages(*, by: Any, at: datetime) -> int:
    """Mark a person's own messages as read; return how many were not."""
    return Message.objects.unread(by).update(read_at=at)
