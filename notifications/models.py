"""One message to one recipient: queued with the fact it tells, sent by a worker, kept."""

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from durable.backoff import Backoff
from durable.ids import uuid7
from durable.models import DueRow


class MessageChannel(models.TextChoices):
    """How a message travels."""

    EMAIL = "EMAIL"


class Notification(DueRow):
    """``event_key`` names the fact (``payment.paid:<id>``): one message each, for ever."""

    backoff = Backoff(first=timedelta(seconds=5), longest=timedelta(hours=1), limit=12)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    event_key = models.CharField(max_length=100)
    template = models.CharField(max_length=40)
    channel = models.CharField(max_length=10, choices=MessageChannel.choices)
    recipient = models.CharField(max_length=254)
    locale = models.CharField(max_length=5)
    context = models.JSONField(default=dict)
    # The payment or order it is about, for its page in the admin.
    subject_id = models.UUIDField()
    # Filled in when it is sent, and kept: what exactly did we tell them?
    title = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "notifications"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["event_key", "channel", "recipient"], name="notification_once"
            ),
            models.CheckConstraint(
                condition=Q(channel__in=MessageChannel.values), name="notification_channel_known"
            ),
            models.CheckConstraint(
                condition=Q(sent_at__isnull=True) | Q(due_at__isnull=True),
                name="notification_sent_is_not_due",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"], condition=Q(due_at__isnull=False), name="notification_due"
            ),
            models.Index(fields=["recipient"], name="notification_recipient"),
            models.Index(fields=["subject_id"], name="notification_subject"),
            models.Index(fields=["-created_at"], name="notification_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.template} → {self.channel}"
