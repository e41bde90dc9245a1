"""What a shopper's decision becomes at PayPal: the issue or the status that the capture meets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

COMPLETED: Final = "COMPLETED"
PENDING: Final = "PENDING"
DECLINED: Final = "DECLINED"

# After one of these the buyer may approve the same order again.
RETRYABLE: Final = (
    "INSTRUMENT_DECLINED", "PAYER_ACTION_REQUIRED", "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING",
)  # fmt: skip
FINAL_ISSUES: Final = (
    "COMPLIANCE_VIOLATION", "DECLINED_DUE_TO_RELATED_TXN", "ORDER_EXPIRED",
    "PAYEE_ACCOUNT_RESTRICTED", "PAYEE_BLOCKED_TRANSACTION", "PAYER_ACCOUNT_LOCKED_OR_CLOSED",
    "PAYER_ACCOUNT_RESTRICTED", "PAYER_CANNOT_PAY", "TRANSACTION_BLOCKED_BY_PAYEE",
    "TRANSACTION_LIMIT_EXCEEDED", "TRANSACTION_RECEIVING_LIMIT_EXCEEDED", "TRANSACTION_REFUSED",
)  # fmt: skip
# ``decline:`` with one of these lets the payment pass and answers its refunds.
REFUND_ISSUES: Final = (
    "MAX_NUMBER_OF_REFUNDS_EXCEEDED", "PARTIAL_REFUND_NOT_ALLOWED", "REFUND_AMOUNT_TOO_LOW",
    "REFUND_FAILED_INSUFFICIENT_FUNDS", "REFUND_IS_RESTRICTED", "REFUND_NOT_ALLOWED",
    "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK", "REFUND_TIME_LIMIT_EXCEEDED",
)  # fmt: skip
# The same for the other ends of a refund, which are no errors.
REFUND_PENDING: Final = "REFUND_PENDING"
REFUND_FAILED: Final = "REFUND_FAILED"
REFUND_WORDS: Final = (*REFUND_ISSUES, REFUND_PENDING, REFUND_FAILED)

# With one of these, or with DECLINED, a rule that comes after the hold answers its captures.
HOLD_ISSUES: Final = (
    "PAYEE_ACCOUNT_RESTRICTED", "PAYER_ACCOUNT_LOCKED_OR_CLOSED", "PAYER_CANNOT_PAY",
    "TRANSACTION_REFUSED",
)  # fmt: skip

# The code of ``decline:<code>`` may be PayPal's issue or one of these words, or DECLINED for a
# capture that is made and declined; any other is an instrument that was declined.
WORDS: Final[Mapping[str, str]] = {
    "insufficient_funds": "INSTRUMENT_DECLINED",
    "account_blocked": "PAYER_ACCOUNT_LOCKED_OR_CLOSED",
    "limit_exceeded": "TRANSACTION_LIMIT_EXCEEDED",
    "suspected_fraud": "COMPLIANCE_VIOLATION",
    "refused": "TRANSACTION_REFUSED",
}
DECLINES: Final = (*RETRYABLE, *FINAL_ISSUES, DECLINED, *REFUND_WORDS, *WORDS)

# Amounts whose last four digits are one of these decide by themselves: 73.11, 173.11 …
MAGIC_MODULUS: Final = 10_000
MAGIC_AMOUNTS: Final[Mapping[int, str]] = {
    7311: "decline:INSTRUMENT_DECLINED",
    7312: "decline:TRANSACTION_REFUSED",
    7313: "decline:DECLINED",
    7314: "pending",
    7315: "abandon",
    7316: "cancel",
}


def outcome_of(decision: str) -> str | None:
    """What the capture will meet, or None for a decision without an approval."""
    if decision == "approve":
        return COMPLETED
    if decision == "pending":
        return PENDING
    if not decision.startswith("decline:"):
        return None
    word = decision.removeprefix("decline:")
    if word in REFUND_WORDS:
        return COMPLETED
    if word in (*RETRYABLE, *FINAL_ISSUES, DECLINED):
        return word
    return WORDS.get(word, "INSTRUMENT_DECLINED")


def hold_outcome(decision: str) -> str:
    """What the capture of a hold meets under a rule."""
    word = decision.removeprefix("decline:")
    return word if word in (*HOLD_ISSUES, DECLINED) else COMPLETED


def refund_word(decision: str) -> str | None:
    """What a rule wants of refunds, or None."""
    word = decision.removeprefix("decline:")
    return word if word in REFUND_WORDS else None


def magic_decision(minor: int) -> str | None:
    """The decision that an amount brings with it."""
    return MAGIC_AMOUNTS.get(minor % MAGIC_MODULUS)
