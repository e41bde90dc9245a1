"""Stripe's words and ours. A word that stands in no table is unknown, never a no.

Stripe's enums are open: any of these objects may come with a new word tomorrow.
"""

from typing import Final

from gateways.outcome import FailureCode, OutcomeKind
from gateways.settlement import PayoutStatus, RecordKind, RecordStatus

# PaymentIntent.status, where the status alone says it all.
INTENT_STATUSES: Final[dict[str, OutcomeKind]] = {
    "succeeded": OutcomeKind.SUCCEEDED,
    "requires_capture": OutcomeKind.AUTHORIZED,
    "processing": OutcomeKind.PENDING,
    "requires_action": OutcomeKind.ACTION_REQUIRED,
    "requires_confirmation": OutcomeKind.UNPAID,
    "requires_payment_method": OutcomeKind.UNPAID,
    "canceled": OutcomeKind.DECLINED,
}
# Which amount of a PaymentIntent is the money that was taken or held.
INTENT_AMOUNTS: Final[dict[OutcomeKind, str]] = {
    OutcomeKind.SUCCEEDED: "amount_received",
    OutcomeKind.AUTHORIZED: "amount_capturable",
}
# PaymentIntent.cancellation_reason.
CANCELLATION_REASONS: Final[dict[str, FailureCode]] = {
    "abandoned": FailureCode.CANCELLED,
    "duplicate": FailureCode.CANCELLED,
    "requested_by_customer": FailureCode.CANCELLED,
    "automatic": FailureCode.EXPIRED,
    "expired": FailureCode.EXPIRED,
    "fraudulent": FailureCode.SUSPECTED_FRAUD,
}

# Checkout.Session.status.
SESSION_OPEN: Final = "open"
SESSION_COMPLETE: Final = "complete"
SESSION_EXPIRED: Final = "expired"
SESSION_PAID: Final = "paid"

REFUND_STATUSES: Final[dict[str, OutcomeKind]] = {
    "succeeded": OutcomeKind.SUCCEEDED,
    "pending": OutcomeKind.PENDING,
    "requires_action": OutcomeKind.PENDING,
    "failed": OutcomeKind.DECLINED,
    "canceled": OutcomeKind.DECLINED,
}
# Refund.failure_reason.
REFUND_FAILURES: Final[dict[str, FailureCode]] = {
    "lost_or_stolen_card": FailureCode.ACCOUNT_BLOCKED,
    "expired_or_canceled_card": FailureCode.CARD_EXPIRED,
    "insufficient_funds": FailureCode.INSUFFICIENT_FUNDS,
    "declined": FailureCode.DECLINED,
    "merchant_request": FailureCode.CANCELLED,
}

# The decline code of a card error, the code of any error, and the parameter it names: the first
# of these words that stands here wins.
FAILURES: Final[dict[str, FailureCode]] = {
    # The page would end too soon: the call came so late that the link is as good as over.
    "expires_at": FailureCode.EXPIRED,
    "insufficient_funds": FailureCode.INSUFFICIENT_FUNDS,
    "expired_card": FailureCode.CARD_EXPIRED,
    "invalid_expiry_month": FailureCode.CARD_EXPIRED,
    "invalid_expiry_year": FailureCode.CARD_EXPIRED,
    "incorrect_cvc": FailureCode.INCORRECT_CODE,
    "invalid_cvc": FailureCode.INCORRECT_CODE,
    "incorrect_pin": FailureCode.INCORRECT_CODE,
    "invalid_pin": FailureCode.INCORRECT_CODE,
    "authentication_required": FailureCode.AUTHENTICATION_FAILED,
    "authentication_not_handled": FailureCode.AUTHENTICATION_FAILED,
    "mobile_device_authentication_required": FailureCode.AUTHENTICATION_FAILED,
    "payment_intent_authentication_failure": FailureCode.AUTHENTICATION_FAILED,
    "pin_try_exceeded": FailureCode.AUTHENTICATION_FAILED,
    "invalid_account": FailureCode.ACCOUNT_BLOCKED,
    "lost_card": FailureCode.ACCOUNT_BLOCKED,
    "new_account_information_available": FailureCode.ACCOUNT_BLOCKED,
    "pickup_card": FailureCode.ACCOUNT_BLOCKED,
    "restricted_card": FailureCode.ACCOUNT_BLOCKED,
    "stolen_card": FailureCode.ACCOUNT_BLOCKED,
    "amount_too_large": FailureCode.LIMIT_EXCEEDED,
    "amount_too_small": FailureCode.LIMIT_EXCEEDED,
    "card_velocity_exceeded": FailureCode.LIMIT_EXCEEDED,
    "withdrawal_count_limit_exceeded": FailureCode.LIMIT_EXCEEDED,
    "fraudulent": FailureCode.SUSPECTED_FRAUD,
    "highest_risk_level": FailureCode.SUSPECTED_FRAUD,
    "merchant_blacklist": FailureCode.SUSPECTED_FRAUD,
    "security_violation": FailureCode.SUSPECTED_FRAUD,
    "issuer_not_available": FailureCode.METHOD_UNAVAILABLE,
    "processing_error": FailureCode.METHOD_UNAVAILABLE,
    "reenter_transaction": FailureCode.METHOD_UNAVAILABLE,
    "try_again_later": FailureCode.METHOD_UNAVAILABLE,
    "balance_insufficient": FailureCode.INSUFFICIENT_FUNDS,
}
# What an error means by its type, when neither of its codes says more. No other type is a no: an
# ``idempotency_error`` is about another request, an ``api_error`` about Stripe's own trouble.
ERROR_TYPES: Final[dict[str, FailureCode]] = {
    "card_error": FailureCode.DECLINED,
    "invalid_request_error": FailureCode.INVALID_REQUEST,
}

# HTTP statuses of requests that certainly did nothing: key, permission, limiter.
REFUSED_CREDENTIALS: Final = frozenset({401, 403})
LIMITED: Final = 429
LIMIT_CODES: Final = frozenset({"rate_limit", "lock_timeout"})
CONFLICT: Final = 409
# HTTP statuses by which Stripe says no to a request that it has understood.
DEFINITE: Final = frozenset({400, 402, 404})

# Events about a payment, by the object they carry; every other type moves nothing.
INTENT_EVENTS: Final = frozenset(
    {
        "payment_intent.succeeded",
        "payment_intent.payment_failed",
        "payment_intent.processing",
        "payment_intent.requires_action",
        "payment_intent.amount_capturable_updated",
        "payment_intent.canceled",
    }
)
# Of the events about charges these two: money was taken, or is held. They say it a little before
# the PaymentIntent does, and name the card.
CHARGE_EVENTS: Final = frozenset({"charge.succeeded", "charge.captured"})
CHARGE_TAKEN: Final = "succeeded"
SESSION_EVENTS: Final = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
    }
)
SESSION_FAILED: Final = "checkout.session.async_payment_failed"
# Refund.reason of a hold that ran out: Stripe's own word, and no money that had been taken.
UNCAPTURED: Final = "expired_uncaptured_charge"
REFUND_EVENTS: Final = frozenset({"refund.created", "refund.updated", "refund.failed"})
# Money moves with the funds events; the others only say how the dispute stands.
DISPUTE_EVENTS: Final[dict[str, OutcomeKind]] = {
    "charge.dispute.created": OutcomeKind.PENDING,
    "charge.dispute.updated": OutcomeKind.PENDING,
    "charge.dispute.funds_withdrawn": OutcomeKind.SUCCEEDED,
    "charge.dispute.funds_reinstated": OutcomeKind.DECLINED,
}
DISPUTE_CLOSED: Final = "charge.dispute.closed"
# Dispute.status of a closed dispute: did the issuer keep the money?
DISPUTE_ENDS: Final[dict[str, OutcomeKind]] = {
    "lost": OutcomeKind.SUCCEEDED,
    "won": OutcomeKind.DECLINED,
    "warning_closed": OutcomeKind.DECLINED,
    "prevented": OutcomeKind.DECLINED,
}
# Dispute.status of one that is asked about. Of these the status alone does not say whether the
# money is gone: the balance transactions of the dispute do.
OPEN_DISPUTES: Final = frozenset(
    {"needs_response", "under_review", "appeal_needs_response", "appeal_under_review"}
)
# An inquiry moves no money.
INQUIRIES: Final = frozenset({"warning_needs_response", "warning_under_review"})

# BalanceTransaction.type.
BALANCE_TYPES: Final[dict[str, RecordKind]] = {
    "charge": RecordKind.PAYMENT,
    "payment": RecordKind.PAYMENT,
    "payment_failure_refund": RecordKind.PAYMENT_REVERSAL,
    "payment_reversal": RecordKind.PAYMENT_REVERSAL,
    "refund": RecordKind.REFUND,
    "payment_refund": RecordKind.REFUND,
    "refund_failure": RecordKind.REFUND_REVERSAL,
    "stripe_fee": RecordKind.FEE,
    "stripe_fx_fee": RecordKind.FEE,
    "tax_fee": RecordKind.FEE,
    "payout": RecordKind.PAYOUT,
    "payout_failure": RecordKind.PAYOUT_REVERSAL,
    "payout_cancel": RecordKind.PAYOUT_REVERSAL,
    "payment_network_reserve_hold": RecordKind.RESERVE,
    "payment_network_reserve_release": RecordKind.RESERVE,
    "payout_minimum_balance_hold": RecordKind.RESERVE,
    "payout_minimum_balance_release": RecordKind.RESERVE,
    "reserve_hold": RecordKind.RESERVE,
    "reserve_release": RecordKind.RESERVE,
    "reserve_transaction": RecordKind.RESERVE,
    "reserved_funds": RecordKind.RESERVE,
    "adjustment": RecordKind.ADJUSTMENT,
}
# BalanceTransaction.reporting_category of an adjustment, where that says more.
ADJUSTMENT_CATEGORIES: Final[dict[str, RecordKind]] = {
    "dispute": RecordKind.DISPUTE,
    "dispute_reversal": RecordKind.DISPUTE_REVERSAL,
}
# BalanceTransaction.status says when we can use the money; the balance has it either way.
BALANCE_STATUSES: Final[dict[str, RecordStatus]] = {
    "available": RecordStatus.BOOKED,
    "pending": RecordStatus.BOOKED,
}

PAYOUT_STATUSES: Final[dict[str, PayoutStatus]] = {
    "pending": PayoutStatus.PENDING,
    "in_transit": PayoutStatus.PENDING,
    "paid": PayoutStatus.PAID,
    "failed": PayoutStatus.FAILED,
    "canceled": PayoutStatus.FAILED,
}
# Payout.reconciliation_status: whether Stripe can say what it carries. A payout that was made by
# hand is "not_applicable", for ever.
PAYOUT_RECONCILED: Final = "completed"
PAYOUT_NOT_YET: Final = "in_progress"
PAYOUT_NOT_READY: Final = "payout_reconciliation_not_ready"
