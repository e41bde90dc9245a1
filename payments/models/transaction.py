"""One attempt to collect an amount for an order; the API calls it a payment."""

from datetime import timedelta
from typing import ClassVar, Final

import pgtrigger
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from durable.backoff import Backoff
from durable.ids import public_id, uuid7
from durable.models import DueRow
from durable.triggers import frozen_fields, legal_moves_only, no_delete
from gateways.operation import CaptureMethod
from gateways.outcome import FailureCode
from money.money import Money
from orders.models import Order
from payments.states import LEGAL_MOVES, LIVE, WITH_MONEY, Status

CAPTURE_METHODS: Final = [(method.value, method.value.capitalize()) for method in CaptureMethod]

# Another gateway may only take over while it is proven that the first has done nothing.
_MOVES_ONLY_UNCHARGED = """
IF (NEW.gateway, NEW.gateway_account, NEW.expires_at)
        IS NOT DISTINCT FROM (OLD.gateway, OLD.gateway_account, OLD.expires_at) THEN
    IF NEW.reroutes <> OLD.reroutes THEN
        RAISE EXCEPTION 'reroutes counts moves to another gateway, and there was none';
    END IF;
    RETURN NEW;
END IF;
IF NEW.gateway = OLD.gateway OR NEW.reroutes <> OLD.reroutes + 1
        OR OLD.status NOT IN ('PENDING', 'PROCESSING') OR OLD.psp_reference <> ''
        OR OLD.next_action IS NOT NULL OR OLD.payment_token <> '' OR EXISTS (
            SELECT FROM gateway_calls c
            WHERE c.transaction_id = OLD.id AND c.verb = 'CREATE' AND c.sends <> c.refusals) THEN
    RAISE EXCEPTION 'a payment moves to another gateway only while it is proven uncharged';
END IF;
RETURN NEW;
"""


class Transaction(DueRow):
    """What was asked for is frozen by a trigger; what became of it moves along ``states``."""

    backoff = Backoff(first=timedelta(seconds=1), longest=timedelta(minutes=10))

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="transactions")
    # The API client, user or order link that asked: who may read it.
    client = models.CharField(max_length=60)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.PENDING)
    version = models.PositiveIntegerField(default=1)
    amount = models.BigIntegerField(help_text="In minor units of the currency.")
    currency = models.CharField(max_length=3)
    amount_captured = models.BigIntegerField(null=True, blank=True)
    amount_refunded = models.BigIntegerField(default=0)
    # Whether this success paid its order. False on a success: the money is in suspense.
    applied = models.BooleanField(default=False)

    method = models.CharField(max_length=20)
    # Which channel of the method; empty when the shopper chooses at the gateway.
    channel = models.CharField(max_length=20, blank=True)
    gateway = models.CharField(max_length=20)
    gateway_account = models.CharField(max_length=80)
    live_mode = models.BooleanField()
    # How often it was handed to another gateway, which changes the two above and ``expires_at``.
    reroutes = models.PositiveSmallIntegerField(default=0, db_default=0)
    capture = models.CharField(
        max_length=10, choices=CAPTURE_METHODS, default=CaptureMethod.AUTOMATIC
    )
    # Encrypted, and wiped as soon as the operation that needs it has ended.
    payment_token = models.TextField(blank=True, default="")
    customer_ip = models.GenericIPAddressField()
    locale = models.CharField(max_length=5)
    return_url = models.CharField(max_length=500, blank=True)
    metadata = models.JSONField(default=dict, blank=True)

    next_action = models.JSONField(null=True, blank=True)
    failure_code = models.CharField(max_length=30, blank=True)
    failure_detail = models.JSONField(default=dict, blank=True)
    # A decline on a page where the shopper may try again: told, and not the end.
    last_failure = models.JSONField(null=True, blank=True)
    psp_reference = models.CharField(max_length=255, blank=True)
    psp_data = models.JSONField(default=dict, blank=True)
    # What the gateway's last word asked for, such as the capture of an approval; else we query.
    next_verb = models.CharField(max_length=12, blank=True, default="", db_default="")

    # How often the gateway has been asked, and when last: the place in its query schedule.
    queries = models.PositiveIntegerField(default=0)
    queried_at = models.DateTimeField(null=True, blank=True)
    # The gateway wants to be left alone about it until then, whoever asks for another look.
    retry_after_at = models.DateTimeField(null=True, blank=True, db_column="quiet_until")
    # What a held payment was asked to take, in minor units; the rest is released.
    capture_amount = models.BigIntegerField(null=True, blank=True)
    capture_requested_at = models.DateTimeField(null=True, blank=True)
    # Somebody wants it ended; ``cancel_code`` is what it will be called then.
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    cancel_code = models.CharField(max_length=30, blank=True)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "transactions"
        permissions: ClassVar = [("request_status_query", "Can request a status query")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["order"],
                condition=Q(status=Status.SUCCESS, applied=True),
                name="one_applied_success_per_order",
            ),
            models.UniqueConstraint(
                fields=["order"],
                condition=Q(status__in=sorted(LIVE)),
                name="one_live_transaction_per_order",
            ),
            models.UniqueConstraint(
                fields=["gateway", "gateway_account", "psp_reference"],
                condition=~Q(psp_reference=""),
                name="psp_reference_is_one_transaction",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="amount_positive"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="currency_iso"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="status_known"),
            models.CheckConstraint(
                condition=Q(amount_captured__isnull=True)
                | Q(amount_captured__gt=0, amount_captured__lte=F("amount")),
                name="captured_within_amount",
            ),
            models.CheckConstraint(
                condition=Q(capture_amount__isnull=True)
                | Q(
                    capture_amount__gt=0,
                    capture_amount__lte=F("amount"),
                    capture=CaptureMethod.MANUAL,
                ),
                name="only_what_is_held_is_captured",
            ),
            models.CheckConstraint(
                condition=Q(amount_refunded=0)
                | Q(amount_refunded__gt=0, amount_refunded__lte=F("amount_captured")),
                name="refunded_within_captured",
            ),
            models.CheckConstraint(
                condition=Q(status=Status.SUCCESS, amount_captured__isnull=False)
                | (~Q(status=Status.SUCCESS) & Q(amount_captured__isnull=True, applied=False)),
                name="success_says_what_was_captured",
            ),
            models.CheckConstraint(
                condition=~Q(status=Status.SUCCESS) | ~Q(psp_reference=""),
                name="success_names_the_psp_reference",
            ),
            models.CheckConstraint(
                condition=(
                    Q(status=Status.FAILED)
                    & Q(failure_code__in=sorted(code.value for code in FailureCode))
                )
                | (~Q(status=Status.FAILED) & Q(failure_code="")),
                name="failed_says_why",
            ),
            models.CheckConstraint(
                condition=Q(payment_token="") | Q(status__in=sorted(LIVE)),
                name="token_wiped_at_the_end",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["gateway", "due_at"],
                condition=Q(due_at__isnull=False),
                name="transaction_due",
            ),
            models.Index(fields=["client", "-created_at", "-id"], name="transaction_by_client"),
            models.Index(fields=["-created_at", "-id"], name="transaction_latest"),
            models.Index(fields=["status", "-created_at"], name="transaction_by_status"),
            models.Index(fields=["psp_reference"], name="transaction_psp_reference"),
            # Their further numbers. Only of payments with money, so that it is written once.
            GinIndex(
                fields=["psp_data"],
                opclasses=["jsonb_path_ops"],
                condition=Q(status__in=WITH_MONEY),
                name="transaction_psp_data",
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            legal_moves_only(name="transaction_moves", field="status", moves=LEGAL_MOVES),
            frozen_fields(
                name="transaction_frozen",
                fields=[
                    "id",
                    "order",
                    "client",
                    "amount",
                    "currency",
                    "method",
                    "channel",
                    "live_mode",
                    "capture",
                    "created_at",
                ],
            ),
            pgtrigger.Trigger(
                name="transaction_moves_uncharged",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
                    "gateway", "gateway_account", "expires_at", "reroutes"
                ),
                func=_MOVES_ONLY_UNCHARGED,
            ),
            pgtrigger.Protect(
                name="transaction_starts_pending",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__status__df=Status.PENDING),
            ),
            pgtrigger.Trigger(
                name="transaction_version",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("status", "version"),  # type: ignore[no-untyped-call]
                func=(
                    "IF (OLD.status IS DISTINCT FROM NEW.status)"
                    " <> (NEW.version = OLD.version + 1)"
                    " THEN RAISE EXCEPTION"
                    " 'version must grow by one with each change of status, and only then';"
                    " END IF; RETURN NEW;"
                ),
            ),
            no_delete(),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        """``pay_…``."""
        return public_id("pay", self.id)

    @property
    def reference(self) -> str:
        """What the gateway knows it by: 32 hex digits, never reused."""
        return self.id.hex

    @property
    def queue(self) -> str:
        """Where the work on it waits: the queue of its gateway."""
        return f"gateway.{self.gateway}"

    @property
    def money(self) -> Money:
        """What was asked for."""
        return Money(self.amount, self.currency)

    @property
    def capture_money(self) -> Money | None:
        """What a held payment was asked to take; None as long as nobody asked."""
        return None if self.capture_amount is None else Money(self.capture_amount, self.currency)

    @property
    def is_live(self) -> bool:
        """Whether it may still take or hold money by itself."""
        return self.status in LIVE
