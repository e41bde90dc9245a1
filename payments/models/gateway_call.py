"""One operation at a gateway, from the intent to its answer."""

from typing import Any, ClassVar, Final

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from durable.ids import uuid7
from durable.triggers import frozen_fields, no_delete
from gateways.operation import Verb
from gateways.outcome import OutcomeKind
from payments.models.transaction import Transaction

# Of an operation that is repeated for days the first sends are no longer told one by one.
EARLIER_MAX: Final = 20


class GatewayCall(models.Model):
    """Written before anything is sent. ``reference`` is its idempotency key for its whole life.

    Who works on it is settled by the lease of its transaction: one operation at a time.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    transaction = models.ForeignKey(
        Transaction, on_delete=models.PROTECT, related_name="gateway_calls"
    )
    gateway = models.CharField(max_length=20)
    verb = models.CharField(max_length=12, choices=[(verb.value, verb.value) for verb in Verb])
    reference = models.CharField(max_length=64)
    # Frozen: a retry sends the same bytes. A one-time token is not in it.
    request = models.JSONField(default=dict)
    sends = models.PositiveIntegerField(default=0)
    # Of these, how many were certainly without effect: a refused connection or credentials.
    refusals = models.PositiveIntegerField(default=0, db_default=0)
    first_sent_at = models.DateTimeField(null=True, blank=True)
    last_sent_at = models.DateTimeField(null=True, blank=True)
    # Set once the gateway has given a definite answer; until then the outcome is unknown.
    answered_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(
        max_length=16, blank=True, choices=[(kind.value, kind.value) for kind in OutcomeKind]
    )
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    # What went over the wire last, redacted.
    sent = models.JSONField(default=dict, blank=True)
    received = models.JSONField(default=dict, blank=True)
    # What earlier sends of the same bytes got: the latest EARLIER_MAX, oldest first, redacted.
    earlier = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "gateway_calls"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["gateway", "verb", "reference"], name="gateway_call_reference"
            ),
            models.UniqueConstraint(
                fields=["transaction", "gateway"],
                condition=Q(verb=Verb.CREATE.value),
                name="one_create_per_gateway",
            ),
            models.CheckConstraint(
                condition=Q(refusals__lte=F("sends")), name="no_more_refusals_than_sends"
            ),
            models.UniqueConstraint(
                fields=["transaction", "verb"],
                condition=Q(answered_at__isnull=True),
                name="one_open_operation_per_verb",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["transaction", "created_at"], name="gateway_call_story"),
            models.Index(fields=["-created_at"], name="gateway_call_latest"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            frozen_fields(
                name="gateway_call_frozen",
                fields=["id", "transaction", "gateway", "verb", "reference", "request"],
            ),
            no_delete(),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.reference}"

    def with_last_send(self) -> list[dict[str, Any]]:
        """``earlier`` and what the send that this row was read after got, where it got anything."""
        if self.duration_ms is None or self.last_sent_at is None:
            return self.earlier or []
        told = {
            "at": self.last_sent_at.isoformat(),
            "outcome": self.outcome,
            "http_status": self.http_status,
            "duration_ms": self.duration_ms,
            "received": self.received,
        }
        return [*(self.earlier or []), told][-EARLIER_MAX:]
