"""The keys under which clients ask for payments."""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models.functions import Now

from durable.ids import uuid7
from durable.triggers import frozen_fields, no_delete
from payments.models.transaction import Transaction


class IdempotencyKey(models.Model):
    """One client's key, the fingerprint of its request, and the 201 it was answered with.

    Never pruned: a key that is reused after years still means the same payment.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    client = models.CharField(max_length=60)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    # Set in the transaction that claimed the key; no committed row is without them.
    transaction = models.ForeignKey(
        Transaction, on_delete=models.PROTECT, null=True, related_name="idempotency_keys"
    )
    response = models.TextField(blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "idempotency_keys"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["client", "key"], name="idempotency_key_once"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            frozen_fields(name="idempotency_frozen", fields=["id", "client", "key", "fingerprint"]),
            no_delete(),
        ]

    def __str__(self) -> str:
        return self.key
