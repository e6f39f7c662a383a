"""Verify the trail's chain and hand it on, link by link in the order of commits."""

import json
import logging
import socket
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db import connection, transaction

from taskforce.models import TrailCheck, TrailEntry, TrailLink, TrailShipment
from taskforce.trail_models import CONTENT

logger = logging.getLogger(__name__)

MOST_PROBLEMS = 100
# Facility 13 (log audit), severity 6 (informational) or 4 (warning): RFC 5424, section 6.2.1.
_DONE_PRIORITY, _REFUSED_PRIORITY = 13 * 8 + 6, 13 * 8 + 4
_WRONG_LINKS = f"""
    WITH links AS (
        SELECT number, entry_id, hash, lag(number) OVER w AS number_before,
               lag(hash) OVER w AS hash_before
        FROM taskforce_traillink WINDOW w AS (ORDER BY number)
    )
    SELECT links.number, links.entry_id, entry.id IS NULL,
           links.number <> coalesce(links.number_before, 0) + 1
    FROM links LEFT JOIN taskforce_trailentry entry ON entry.id = links.entry_id
    WHERE entry.id IS NULL OR links.number <> coalesce(links.number_before, 0) + 1
       OR links.hash <> {
    CONTENT.format(before="coalesce(links.hash_before, '')", number="links.number", entry="entry")
}
    ORDER BY links.number LIMIT {MOST_PROBLEMS}
"""  # noqa: S608  our own text, no input
_UNLINKED = """
    SELECT entry.id FROM taskforce_trailentry entry
    LEFT JOIN taskforce_traillink link ON link.entry_id = entry.id
    WHERE link.number IS NULL ORDER BY entry.id LIMIT 100
"""


def problems_of_chain() -> list[str]:
    """Return a sentence for each gap, edit or missing entry; empty when the trail is whole."""
    with connection.cursor() as cursor:
        cursor.execute(_WRONG_LINKS)
        found = [_sentence(*row) for row in cursor.fetchall()]
        cursor.execute(_UNLINKED)
        found += [f"日志 {entry} 没有进链。" for (entry,) in cursor.fetchall()]
    return [*found, *_problems_of_the_end()]


def _sentence(number: int, entry: int, is_missing: bool, is_gap: bool) -> str:
    if is_missing:
        return f"第 {number} 环的日志 {entry} 不见了。"
    if is_gap:
        return f"第 {number} 环之前缺了一段。"
    return f"第 {number} 环（日志 {entry}）的内容或校验值被改过。"


def _problems_of_the_end() -> list[str]:
    """Compare with how far the chain went at the checks before: nothing may be cut off its end."""
    last = TrailCheck.objects.order_by("-head_number").first()
    if last is None or last.head_number == 0:
        return []
    if TrailLink.objects.filter(number=last.head_number, hash=last.head_hash).exists():
        return []
    return [
        f"{last.checked_at:%Y-%m-%d} 核验时链到第 {last.head_number} 环，现在这一环没有了或不同了。"
    ]


@transaction.atomic
def verify(*, at: datetime) -> TrailCheck:
    """Verify the whole chain, keep the result and how far it goes; problems go to the log too."""
    found = problems_of_chain()
    head = TrailLink.objects.first()
    check = TrailCheck.objects.create(
        checked_at=at,
        entries=TrailEntry.objects.count(),
        head_number=head.number if head else 0,
        head_hash=head.hash if head else "",
        problems=found,
    )
    for problem in found:
        logger.error("the trail is broken: %s", problem)
    return check


def as_json(link: TrailLink) -> str:
    """Return one entry as a line of JSON: in UTC, line breaks escaped, with its link."""
    entry = link.entry
    return json.dumps(
        {
            "number": link.number,
            "hash": link.hash,
            "at": entry.at.isoformat(),
            "by": entry.by.username if entry.by is not None else None,
            "address": entry.address,
            "act": entry.act,
            "subject_type": entry.subject_type,
            "subject_id": entry.subject_id,
            "subject": entry.subject_name,
            "county": entry.county_id,
            "result": entry.result,
            "detail": entry.detail,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def links_after(number: int, *, most: int) -> Iterator[TrailLink]:
    """Yield links behind this number, oldest first, with their entries and people."""
    rows = TrailLink.objects.filter(number__gt=number).order_by("number")
    yield from rows.select_related("entry__by")[:most]


@transaction.atomic
def ship(*, destination: str, at: datetime, most: int = 1000) -> int:
    """Send new entries to a syslog server as JSON, once each; return how many.

    `destination` is udp://host:port or tcp://host:port. Raises OSError and then sends them again.
    """
    TrailShipment.objects.get_or_create(destination=destination)
    sent_up_to = TrailShipment.objects.select_for_update().get(destination=destination)
    links = list(links_after(sent_up_to.number, most=most))
    if links:
        _send(destination, [_syslog_line(link) for link in links])
        sent_up_to.number, sent_up_to.sent_at = links[-1].number, at
        sent_up_to.save()
    return len(links)


def _syslog_line(link: TrailLink) -> bytes:
    entry = link.entry
    priority = _DONE_PRIORITY if entry.result == TrailEntry.Result.DONE else _REFUSED_PRIORITY
    head = f"<{priority}>1 {entry.at:%Y-%m-%dT%H:%M:%S.%fZ} - portal - trail - "
    return (head + as_json(link)).encode()


def _send(destination: str, lines: list[bytes]) -> None:
    target = urlsplit(destination)
    place: Any = (target.hostname, target.port or 514)
    if target.scheme == "udp":
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
            for line in lines:
                plain.sendto(line, place)
    elif target.scheme == "tcp":
        with socket.create_connection(place, timeout=5) as stream:
            # Octet counting (RFC 6587): a line break inside can end no message.
            stream.sendall(b"".join(b"%d %s" % (len(line), line) for line in lines))
    else:
        raise ValueError(f"{destination} is neither udp://host:port nor tcp://host:port")
