"""Money that needs a person."""

from typing import ClassVar

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from durable.ids import uuid7
from payments.models.transaction import Transaction
from payments.models.webhook import WebhookEvent


class CaseKind(models.TextChoices):
    """Why a person must look."""

    MISMATCH = "mismatch", "The gateway names other money than we asked for"
    DUPLICATE = "duplicate", "A second success for an order that is paid or cancelled"
    REVIEW = "review", "The gateway has the money and suspects fraud"
    CONFLICT = "conflict", "The gateway contradicts itself"
    REVERSAL = "reversal", "The gateway gave money back or took it back"
    UNMATCHED = "unmatched", "A genuine event that matches no payment"
    UNVERIFIED = "unverified", "A webhook that could not be verified for too long"
    REFUSED_CALLS = "refused_calls", "The gateway keeps refusing our calls"
    STILL_HELD = "still_held", "The gateway refused to take or to release what it holds"
    OVER_AGE = "over_age", "The gateway has said nothing definite for too long"
    PROCESSING_ERROR = "processing_error", "Our own code fails on this row again and again"


class CaseState(models.TextChoices):
    """Whether it still waits."""

    OPEN = "OPEN"
    RESOLVED = "RESOLVED"


class Case(models.Model):
    """Opened by the system, once for each reason; closed by a named person with a word."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=16, choices=CaseKind.choices)
    state = models.CharField(max_length=10, choices=CaseState.choices, default=CaseState.OPEN)
    transaction = models.ForeignKey(
        Transaction, on_delete=models.PROTECT, null=True, blank=True, related_name="cases"
    )
    webhook_event = models.ForeignKey(
        WebhookEvent, on_delete=models.PROTECT, null=True, blank=True, related_name="cases"
    )
    amount = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    detail = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    opened_at = models.DateTimeField(db_default=Now())
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True
    )
    resolution = models.TextField(blank=True)

    class Meta:
        db_table = "cases"
        permissions: ClassVar = [("resolve_case", "Can resolve a case")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["transaction", "kind"],
                condition=Q(state=CaseState.OPEN, transaction__isnull=False),
                name="one_open_case_per_reason",
            ),
            models.UniqueConstraint(
                fields=["webhook_event"],
                condition=Q(state=CaseState.OPEN, transaction__isnull=True),
                name="one_open_case_per_webhook",
            ),
            models.CheckConstraint(
                condition=Q(state=CaseState.OPEN, resolved_by=None)
                | (
                    Q(state=CaseState.RESOLVED, resolved_by__isnull=False)
                    & Q(resolved_at__isnull=False)
                    & ~Q(resolution="")
                ),
                name="resolved_by_a_person_with_a_reason",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "-opened_at"], name="case_open_first"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()
