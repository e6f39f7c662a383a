"""Name the part and register its checks."""

from django.apps import AppConfig


class PublicityConfig(AppConfig):
    """Bring in the checks with the part."""

    name = "publicity"

    def ready(self) -> None:
        """Register the system checks."""
        from publicity import checks  # noqa: F401
