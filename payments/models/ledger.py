"""Where the money is: accounts, and transfers between them."""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from audit.append_only import append_only, current_xid
from durable.ids import uuid7
from payments.models.transaction import Transaction


class AccountKind(models.TextChoices):
    """What adds up in an account of one gateway, PSP account and currency."""

    CLEARING = "clearing"  # captured; the gateway owes it to us
    BANK = "bank"  # paid out
    REVENUE = "revenue"
    FEES = "fees"
    REFUNDS = "refunds"
    DISPUTES = "disputes"
    SUSPENSE = "suspense"  # ours to explain: money that pays no order


class LedgerAccount(models.Model):
    """It stores no balance: the transfers are the balance."""

    gateway = models.CharField(max_length=20)
    gateway_account = models.CharField(max_length=80)
    currency = models.CharField(max_length=3)
    kind = models.CharField(max_length=10, choices=AccountKind.choices)

    class Meta:
        db_table = "ledger_accounts"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["gateway", "gateway_account", "currency", "kind"],
                name="ledger_account_once",
            ),
            # What the composite foreign keys of the transfers point to.
            models.UniqueConstraint(fields=["id", "currency"], name="ledger_account_currency"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = append_only()

    def __str__(self) -> str:
        return f"{self.gateway} {self.kind} {self.currency}"


class TransferKind(models.TextChoices):
    """Why money moved."""

    CAPTURE = "capture"
    # A success that pays no order leaves suspense by this one, once a person has decided.
    RELEASE = "release"


class Transfer(models.Model):
    """Debits one account and credits another: balanced by its shape, written once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=10, choices=TransferKind.choices)
    debit = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="debits")
    credit = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="credits")
    amount = models.BigIntegerField(help_text="In minor units of the currency.")
    currency = models.CharField(max_length=3)
    transaction = models.ForeignKey(Transaction, on_delete=models.PROTECT, related_name="transfers")
    created_at = models.DateTimeField(db_default=Now())
    xid = models.BigIntegerField(db_default=current_xid())

    class Meta:
        db_table = "transfers"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="transfer_positive"),
            models.CheckConstraint(
                condition=~Q(debit=F("credit")), name="transfer_between_two_accounts"
            ),
            models.UniqueConstraint(
                fields=["transaction"],
                condition=Q(kind=TransferKind.CAPTURE),
                name="one_capture_per_transaction",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-created_at"], name="transfer_latest"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = append_only()

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} {self.currency}"
