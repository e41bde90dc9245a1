"""What a PSP says that it did to our balance there: the records that our ledger is compared with.

Every adapter turns its PSP's report (an API, or a daily file) into the same records. They are
evidence like any other: nothing here decides what becomes of a payment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from money.money import EXPONENTS, MINOR_UNITS_MAX, Money, MoneyError


class RecordKind(StrEnum):
    """What moved our balance. Every adapter maps its PSP's words onto these."""

    PAYMENT = "PAYMENT"
    PAYMENT_REVERSAL = "PAYMENT_REVERSAL"  # a payment that was credited and failed after all
    REFUND = "REFUND"
    REFUND_REVERSAL = "REFUND_REVERSAL"  # a refund that did not arrive comes back to us
    FEE = "FEE"  # a fee by itself, taken or given back
    DISPUTE = "DISPUTE"  # the issuer, or the PSP, takes a payment back
    DISPUTE_REVERSAL = "DISPUTE_REVERSAL"  # and returns it
    PAYOUT = "PAYOUT"  # to our bank account
    PAYOUT_REVERSAL = "PAYOUT_REVERSAL"  # the bank did not take it
    RESERVE = "RESERVE"  # held back from us, or released
    ADJUSTMENT = "ADJUSTMENT"  # the PSP's own correction
    UNKNOWN = "UNKNOWN"  # a word that we do not know; a person must look


class RecordStatus(StrEnum):
    """Whether the movement has happened. Only what is BOOKED counts in a sum."""

    BOOKED = "BOOKED"
    PENDING = "PENDING"
    DENIED = "DENIED"  # it never moved our balance
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Movement:
    """A change of our balance at a PSP: ``minor`` units (ISO 4217) of ``currency``.

    Above zero it is credited to us, below zero taken from us. This is the one sum of money with
    a sign, because a PSP's fee, a correction or an unknown record can go either way. Raises
    MoneyError for what no ledger could hold.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int or abs(self.minor) > MINOR_UNITS_MAX:
            raise MoneyError(f"not a whole, storable number of minor units: {self.minor!r}")
        if self.currency not in EXPONENTS:
            raise MoneyError(f"not a currency we know: {self.currency!r}")

    @property
    def money(self) -> Money:
        """How much, whichever way it went."""
        return Money(abs(self.minor), self.currency)

    def __add__(self, other: "Movement") -> "Movement":
        return Movement(self.minor + other.in_currency(self.currency), self.currency)

    def __sub__(self, other: "Movement") -> "Movement":
        return Movement(self.minor - other.in_currency(self.currency), self.currency)

    def in_currency(self, currency: str) -> int:
        """``minor``, for a sum in ``currency``. Raises MoneyError if it is in another one."""
        if self.currency != currency:
            raise MoneyError(f"{currency} and {self.currency} do not mix")
        return self.minor


@dataclass(frozen=True, slots=True)
class SettlementRecord:
    """One line of a PSP's report, in the currency of our balance there.

    ``gross`` less ``fee`` is ``net``, which is what the balance changed by (MoneyError if not).
    ``fee`` is what the PSP keeps; below zero it gives a fee back. ``record_id`` is unique within
    the gateway, and the same in each report. ``word`` is the PSP's own for it.

    ``reference`` is our own of the payment or refund, ``psp_reference`` theirs (charge, capture,
    refund, dispute, payout); the other two name the payment that it belongs to. Each is "" where
    the report does not say it. ``original`` is the same gross in the payment's own currency and
    ``exchange_rate`` a decimal number, both only where the PSP converted. ``payout`` is their id
    of the payout that carries it. ``raw`` is the record as it came, redacted.
    """

    record_id: str
    kind: RecordKind
    word: str
    gross: Movement
    fee: Movement
    net: Movement
    booked_at: datetime  # aware
    status: RecordStatus = RecordStatus.BOOKED
    reference: str = ""
    psp_reference: str = ""
    payment_reference: str = ""
    payment_psp_reference: str = ""
    original: Movement | None = None
    exchange_rate: str = ""
    payout: str = ""
    available_on: date | None = None
    raw: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.gross - self.fee != self.net:
            raise MoneyError(f"{self.record_id}: gross less fee is not net")


class PayoutStatus(StrEnum):
    """What became of a payout. Even one that is PAID can still turn FAILED."""

    PENDING = "PENDING"
    PAID = "PAID"
    FAILED = "FAILED"  # the money is back in our balance
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Payout:
    """Money that a PSP sent to our bank account; ``amount`` below zero was drawn from there."""

    psp_reference: str
    status: PayoutStatus
    amount: Movement
    created_at: datetime  # aware
    arrives_on: date
    raw: Mapping[str, object] = field(default_factory=dict)


class ReportUnavailable(Exception):
    """A report could not be had or read as a whole: use nothing of it.

    ``can_retry`` says that the same question may be answered later; else a person must look.
    ``reason`` names the place (line, column, row) and holds no secret.
    """

    def __init__(self, reason: str, *, can_retry: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.can_retry = can_retry
