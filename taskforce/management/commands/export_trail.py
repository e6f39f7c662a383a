"""Hand the trail on as JSON: to a syslog server, each entry once, or to standard output."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from taskforce.trail_chain import as_json, links_after, ship


class Command(BaseCommand):
    """Send what has not been sent yet, or print entries behind a number."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where to send to, or from which number to print."""
        parser.add_argument("--to", default="", help="udp://host:port or tcp://host:port")
        parser.add_argument("--after", type=int, default=0, help="print entries behind this number")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Send or print."""
        if not options["to"]:
            for link in links_after(options["after"], most=1_000_000):
                self.stdout.write(as_json(link))
            return
        sent = 0
        try:
            while batch := ship(destination=options["to"], at=timezone.now()):
                sent += batch
        except (OSError, ValueError) as error:
            raise CommandError(f"已送 {sent} 条，其余没有送出：{error}") from error
        self.stdout.write(f"已送 {sent} 条。")
