"""Restore a backup into an empty database and media folder, and compare."""

import subprocess
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shuozhou_mines.backups import NotEqual, restore


class Command(BaseCommand):
    """Restore, then compare rows, files and the trail's chain with the manifest."""

    help = __doc__
    requires_migrations_checks = False
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the folder."""
        parser.add_argument("folder", type=Path)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Restore."""
        try:
            made = restore(options["folder"])
        except NotEqual as error:
            raise CommandError(str(error)) from error
        except subprocess.CalledProcessError as error:
            raise CommandError(f"恢复没有完成：{error.stderr}") from error
        rows = sum(made["tables"].values())
        self.stdout.write(
            f"已恢复 {rows} 行、{len(made['files'])} 个文件，与清单一致，日志链完好。"
        )
