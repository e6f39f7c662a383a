"""Have the rules of sessions in force wherever somebody signs in."""

from django.apps import AppConfig


class TaskforceConfig(AppConfig):
    """Name the app and connect what follows a sign-in."""

    name = "taskforce"

    def ready(self) -> None:
        """Import for the connection that the module makes."""
        from taskforce import session_rules as session_rules
