"""Verify that the trail has no gap and that no entry was edited."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from taskforce.trail_chain import verify


class Command(BaseCommand):
    """Print what is wrong, one line each; end with an error when anything is."""

    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Verify the whole chain and keep the result."""
        check = verify(at=timezone.now())
        for problem in check.problems:
            self.stderr.write(problem)
        if check.problems:
            raise CommandError(
                f"日志链有 {len(check.problems)} 处问题。请保护现场并报告审计管理员。"
            )
        self.stdout.write(
            f"日志链完好：{check.entries} 条，链尾第 {check.head_number} 环 {check.head_hash}"
        )
