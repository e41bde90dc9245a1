"""The inbox: every webhook as it came in."""

from datetime import timedelta
from typing import ClassVar, Final

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from durable.backoff import Backoff
from durable.ids import uuid7
from durable.models import DueRow
from durable.triggers import frozen_fields, no_delete
from payments.models.transaction import Transaction


class WebhookState(models.TextChoices):
    """What became of a delivery."""

    APPLIED = "APPLIED"
    IGNORED = "IGNORED"  # genuine, and nothing in it for us
    PARKED = "PARKED"  # genuine, and it matches nothing yet
    MISMATCH = "MISMATCH"  # genuine, and the money differs: a case
    NEW = "NEW"  # stored; applying it failed and is tried again
    REJECTED = "REJECTED"  # not proven genuine; kept apart, changes nothing
    UNVERIFIED = "UNVERIFIED"  # its proof is out of reach; changes nothing until it is verified
    REPLACED = "REPLACED"  # was unverified; what it brought is in rows of its own


UNVERIFIED_STATES: Final = (WebhookState.REJECTED, WebhookState.UNVERIFIED, WebhookState.REPLACED)


class WebhookEvent(DueRow):
    """Stored under the PSP's own event id, which only a verified delivery can use up."""

    backoff = Backoff(first=timedelta(seconds=2), longest=timedelta(minutes=30), limit=60)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    gateway = models.CharField(max_length=20)
    event_id = models.CharField(max_length=255, blank=True)
    event_type = models.CharField(max_length=100, blank=True)
    verified = models.BooleanField()
    state = models.CharField(max_length=10, choices=WebhookState.choices)
    refused_because = models.CharField(max_length=200, blank=True)
    transaction = models.ForeignKey(
        Transaction,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="webhook_events",
    )
    reference = models.CharField(max_length=255, blank=True)
    psp_reference = models.CharField(max_length=255, blank=True)
    # As it came: the bytes that were signed, and the headers that prove them.
    body = models.BinaryField()
    query_string = models.TextField(blank=True)
    headers = models.JSONField(default=dict)
    # How often the PSP sent the same event.
    deliveries = models.PositiveIntegerField(default=1)
    received_at = models.DateTimeField(db_default=Now())
    applied_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "webhook_events"
        permissions: ClassVar = [("replay_webhook", "Can replay a webhook")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["gateway", "event_id"],
                condition=Q(verified=True),
                name="webhook_event_once",
            ),
            models.CheckConstraint(
                condition=Q(verified=True)
                | Q(state__in=UNVERIFIED_STATES, transaction=None, applied_at=None, event_id=""),
                name="unverified_webhook_changes_nothing",
            ),
            models.CheckConstraint(
                condition=Q(verified=False) | ~Q(event_id=""), name="verified_webhook_has_id"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"], condition=Q(due_at__isnull=False), name="webhook_event_due"
            ),
            models.Index(fields=["transaction", "received_at"], name="webhook_event_story"),
            models.Index(fields=["reference"], name="webhook_event_reference"),
            models.Index(fields=["-received_at"], name="webhook_event_latest"),
            # Forgeries are few; a payment's story looks for those that name it.
            models.Index(
                fields=["gateway", "received_at"],
                condition=Q(verified=False),
                name="webhook_event_refused",
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            frozen_fields(
                name="webhook_raw_frozen",
                fields=[
                    "id",
                    "gateway",
                    "event_id",
                    "verified",
                    "body",
                    "query_string",
                    "headers",
                    "received_at",
                ],
            ),
            no_delete(),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.event_type or self.event_id}"
