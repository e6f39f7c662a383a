"""Hold what each person is told in the portal."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q


class MessageQuerySet(models.QuerySet["Message"]):
    """Find what a person has not read."""

    def unread(self, user: Any) -> "MessageQuerySet":
        """Return a person's unread messages."""
        return self.filter(to=user.pk, read_at=None)


class Message(models.Model):
    """Tell one person in the portal that something waits for them; said once for each key."""

    to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="收件人",
        on_delete=models.CASCADE,
        related_name="messages",
    )
    key = models.CharField("事项", max_length=80)
    text = models.CharField("内容", max_length=200)
    url = models.CharField("地址", max_length=200)
    at = models.DateTimeField("时间")
    read_at = models.DateTimeField("已读时间", null=True, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = "消息"
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            models.Index(fields=["to"], condition=Q(read_at__isnull=True), name="message_unread")
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["to", "key"],
                name="message_once",
                violation_error_message="这个人已经收到过这条消息。",
            )
        ]

    def __str__(self) -> str:
        return self.text
