"""Back up the database and all files into a new folder."""

import subprocess
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from shuozhou_mines.backups import back_up


class Command(BaseCommand):
    """Write dump, files and manifest; the folder must not exist yet."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the folder."""
        parser.add_argument("folder", type=Path)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Back up."""
        try:
            made = back_up(options["folder"], at=timezone.now())
        except FileExistsError as error:
            raise CommandError("这个文件夹已经存在。请换一个新的文件夹。") from error
        except subprocess.CalledProcessError as error:
            raise CommandError(f"备份没有完成：{error.stderr}") from error
        rows = sum(made["tables"].values())
        self.stdout.write(f"已备份 {rows} 行、{len(made['files'])} 个文件到 {options['folder']}")
