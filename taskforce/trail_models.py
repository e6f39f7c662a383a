"""Chain the trail: a link for each entry, numbered without gaps, sealed with the link before it.

The database makes the link itself when the writing transaction commits. There an advisory lock
lets one transaction after another take the next number; nothing else waits for it.
"""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.utils import timezone

# What a link's hash covers, with `entry` for the row and `before` for the hash before it.
CONTENT = """encode(sha256(convert_to(jsonb_build_array(
    {before}, {number}, {entry}.id,
    to_char({entry}.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
    {entry}.by_id, host({entry}.address), {entry}.act, {entry}.subject_type, {entry}.subject_id,
    {entry}.subject_name, {entry}.county_id, {entry}.result, {entry}.detail
)::text, 'UTF8')), 'hex')"""
_ADD_LINK = f"""
    PERFORM pg_advisory_xact_lock(1406000608);
    SELECT number, hash INTO last_number, last_hash
        FROM taskforce_traillink ORDER BY number DESC LIMIT 1;
    last_number := coalesce(last_number, 0) + 1;
    INSERT INTO taskforce_traillink (number, entry_id, hash) VALUES (last_number, NEW.id,
        {CONTENT.format(before="coalesce(last_hash, '')", number="last_number", entry="NEW")});
    RETURN NULL;
"""  # noqa: S608  our own text, no input
# A database of the test suite may be emptied between tests; no other one.
_REFUSE_TRUNCATE = """
    IF current_database() LIKE 'test\\_%' THEN RETURN NULL; END IF;
    RAISE EXCEPTION 'append_only: % is never emptied', TG_TABLE_NAME;
"""


def chained() -> pgtrigger.Trigger:
    """Return the trigger that adds a link for each new entry at the end of its transaction."""
    return pgtrigger.Trigger(
        name="chain",
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        timing=pgtrigger.Deferred,
        declare=[("last_number", "bigint"), ("last_hash", "text")],
        func=_ADD_LINK,
    )


def append_only() -> list[pgtrigger.Trigger]:
    """Return the triggers that refuse to change, delete or empty."""
    return [
        pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        pgtrigger.Trigger(
            name="never_emptied",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            func=_REFUSE_TRUNCATE,
        ),
    ]


class TrailLink(models.Model):
    """Seal one entry: its number in the order of commits, and a hash over it and the hash before.

    There is no foreign key, so that a link outlives an entry that somebody removed by force.
    """

    number = models.BigIntegerField("序号", primary_key=True)
    entry = models.OneToOneField(
        "taskforce.TrailEntry",
        verbose_name="日志",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="link",
    )
    hash = models.CharField("校验值", max_length=64)

    class Meta:
        verbose_name = "日志链"
        ordering: ClassVar = ["-number"]
        triggers: ClassVar = [
            *append_only(),
            pgtrigger.Protect(
                name="made_by_trigger",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("pg_trigger_depth() < 1"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.hash[:12]}"


class TrailCheck(models.Model):
    """Keep what one verification of the chain found, and how far the chain went then."""

    checked_at = models.DateTimeField("核验时间", default=timezone.now)
    entries = models.BigIntegerField("日志条数", default=0)
    head_number = models.BigIntegerField("链尾序号", default=0)
    head_hash = models.CharField("链尾校验值", max_length=64, blank=True)
    problems = models.JSONField("问题", default=list, blank=True)

    class Meta:
        verbose_name = "日志核验"
        ordering: ClassVar = ["-pk"]
        triggers: ClassVar = [*append_only()]

    def __str__(self) -> str:
        return f"{self.checked_at:%Y-%m-%d %H:%M} {self.head_number}"


class TrailShipment(models.Model):
    """Remember up to which link the trail has been sent to another system."""

    destination = models.CharField("去向", max_length=200, unique=True)
    number = models.BigIntegerField("已送到", default=0)
    sent_at = models.DateTimeField("最近发送", null=True, blank=True)

    class Meta:
        verbose_name = "日志外送"
        ordering: ClassVar = ["destination"]

    def __str__(self) -> str:
        return f"{self.destination} {self.number}"
