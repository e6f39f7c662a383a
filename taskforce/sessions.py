"""Keep sessions in rows that say whose they are; the engine behind SESSION_ENGINE."""

from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

STARTED, SEEN, CONFIRMED, ADDRESS, AGENT = "started", "seen", "confirmed", "address", "agent"


class SessionStore(DatabaseStore):
    """Write person, place and times beside the session's data."""

    @classmethod
    def get_model_class(cls) -> Any:
        """Return our model; looked up late, for the store is loaded before the models are."""
        return apps.get_model("taskforce", "SignedIn")

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        """Return the row for this data."""
        row: Any = super().create_model_instance(data)
        if SESSION_KEY in data:
            row.user_id = int(data[SESSION_KEY])
            row.address = data.get(ADDRESS)
            row.agent = data.get(AGENT, "")[:200]
            row.started_at = moment(data, STARTED)
            row.seen_at = moment(data, SEEN)
        return row


def moment(data: Any, name: str) -> datetime | None:
    """Return a moment that was kept in a session's data."""
    kept = data.get(name)
    return datetime.fromtimestamp(kept, tz=timezone.get_default_timezone()) if kept else None
