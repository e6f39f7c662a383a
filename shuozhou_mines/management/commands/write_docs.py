"""Write the documents that are made from the code."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from plans import workflow
from standards import reference


def documents() -> dict[Path, str]:
    """Return each generated file of docs/ with what it has to say."""
    return {
        settings.BASE_DIR / "docs" / "workflow.md": workflow.document(),
        reference.FILE: reference.document(),
    }


class Command(BaseCommand):
    """Bring the generated documents up to date; a test keeps files and code equal."""

    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Write every generated document."""
        for file, text in documents().items():
            file.write_text(text, encoding="utf-8")
            self.stdout.write(f"{file.relative_to(settings.BASE_DIR)}")
