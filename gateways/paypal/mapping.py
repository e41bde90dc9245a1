"""PayPal's words, and what each means to us. A word that stands in no table is unknown.

Two of PayPal's words mislead. An order that is ``COMPLETED`` is not paid: its captures say so.
And ``APPROVED`` moves nothing: only our own capture does.
"""

from dataclasses import dataclass
from typing import Final

from gateways.operation import Verb
from gateways.outcome import Failure, FailureCode, OutcomeKind
from gateways.settlement import RecordKind, RecordStatus
from gateways.webhook import Subject

# "APPROVED" and "COMPLETED" are looked into, and stand in no table.
ORDER_STATUSES: Final[dict[str, OutcomeKind]] = {
    "CREATED": OutcomeKind.UNPAID,
    "SAVED": OutcomeKind.UNPAID,
    "PAYER_ACTION_REQUIRED": OutcomeKind.UNPAID,
    "VOIDED": OutcomeKind.DECLINED,
}

CAPTURE_STATUSES: Final[dict[str, OutcomeKind]] = {
    "COMPLETED": OutcomeKind.SUCCEEDED,
    # The money was taken; what was given back are refunds of their own.
    "PARTIALLY_REFUNDED": OutcomeKind.SUCCEEDED,
    "REFUNDED": OutcomeKind.SUCCEEDED,
    "PENDING": OutcomeKind.PENDING,
    "DECLINED": OutcomeKind.DECLINED,
    "FAILED": OutcomeKind.DECLINED,
}

AUTHORIZATION_STATUSES: Final[dict[str, OutcomeKind]] = {
    "CREATED": OutcomeKind.AUTHORIZED,
    "PENDING": OutcomeKind.PENDING,
    "DENIED": OutcomeKind.DECLINED,
    "VOIDED": OutcomeKind.DECLINED,  # by us, or because it ran out
}

AUTHORIZATION_FAILURES: Final[dict[str, FailureCode]] = {
    "DENIED": FailureCode.DECLINED,
    "VOIDED": FailureCode.CANCELLED,
}

REFUND_STATUSES: Final[dict[str, OutcomeKind]] = {
    "COMPLETED": OutcomeKind.SUCCEEDED,
    "PENDING": OutcomeKind.PENDING,
    "FAILED": OutcomeKind.DECLINED,
    "CANCELLED": OutcomeKind.DECLINED,
}

PENDING_FAILURES: Final[dict[str, FailureCode]] = {
    "DECLINED_BY_RISK_FRAUD_FILTERS": FailureCode.SUSPECTED_FRAUD,
}

DISPUTE_OUTCOMES: Final[dict[str, OutcomeKind]] = {
    "RESOLVED_BUYER_FAVOUR": OutcomeKind.SUCCEEDED,
    "ACCEPTED": OutcomeKind.SUCCEEDED,
    "RESOLVED_SELLER_FAVOUR": OutcomeKind.DECLINED,
    # PayPal paid the buyer out of its own pocket: our money stays.
    "RESOLVED_WITH_PAYOUT": OutcomeKind.DECLINED,
    "CANCELED_BY_BUYER": OutcomeKind.DECLINED,
    "DENIED": OutcomeKind.DECLINED,
}

OPEN_DISPUTES: Final = frozenset(
    {"OPEN", "WAITING_FOR_BUYER_RESPONSE", "WAITING_FOR_SELLER_RESPONSE", "UNDER_REVIEW"}
)


@dataclass(frozen=True, slots=True)
class ErrorMeaning:
    """What an error of PayPal's means for what we asked."""

    kind: OutcomeKind
    failure: FailureCode | None = None

    def read_failure(self, issue: str, message: str) -> Failure | None:
        """The failure in our words, with PayPal's beside it."""
        return Failure(self.failure, issue, message) if self.failure else None


_NO: Final = OutcomeKind.DECLINED
# Answered, and the truth lies elsewhere: a query finds it. A repeat would hear the same.
_ASK: Final = OutcomeKind.PENDING
_INVALID: Final = ErrorMeaning(_NO, FailureCode.INVALID_REQUEST)
_REFUSED: Final = ErrorMeaning(_ASK, FailureCode.INVALID_REQUEST)

# An order is created or not; no money moves by that, so an explicit no is safe to believe.
CREATE_NAMES: Final[dict[str, ErrorMeaning]] = {
    "INVALID_REQUEST": _INVALID,
    "UNPROCESSABLE_ENTITY": _INVALID,
}
CREATE_ISSUES: Final[dict[str, ErrorMeaning]] = {
    "MAX_VALUE_EXCEEDED": ErrorMeaning(_NO, FailureCode.LIMIT_EXCEEDED),
    "PAYEE_ACCOUNT_LOCKED_OR_CLOSED": ErrorMeaning(_NO, FailureCode.METHOD_UNAVAILABLE),
    "PAYEE_ACCOUNT_RESTRICTED": ErrorMeaning(_NO, FailureCode.METHOD_UNAVAILABLE),
    # The invoice id is this attempt's own: it can only have been paid already.
    "DUPLICATE_INVOICE_ID": ErrorMeaning(OutcomeKind.UNKNOWN),
    # So is the request id: PayPal has an order under it.
    "DUPLICATE_REQUEST_ID": ErrorMeaning(OutcomeKind.UNKNOWN),
    "PAYPAL_REQUEST_ID_PREVIOUSLY_USED": ErrorMeaning(OutcomeKind.UNKNOWN),
}

# Capture or authorize of an approved order. Until it is done nothing is held, so a no is final.
ORDER_ISSUES: Final[dict[str, ErrorMeaning]] = {
    "ORDER_ALREADY_CAPTURED": ErrorMeaning(_ASK),
    "ORDER_ALREADY_AUTHORIZED": ErrorMeaning(_ASK),
    "ORDER_COMPLETED_OR_VOIDED": ErrorMeaning(_ASK),
    "DUPLICATE_INVOICE_ID": ErrorMeaning(_ASK),
    "ORDER_COMPLETION_IN_PROGRESS": ErrorMeaning(OutcomeKind.UNKNOWN),
    "ORDER_NOT_APPROVED": ErrorMeaning(OutcomeKind.UNPAID),
    # The shopper can choose another way to pay on the same page.
    "INSTRUMENT_DECLINED": ErrorMeaning(OutcomeKind.PENDING, FailureCode.DECLINED),
    "PAYER_ACTION_REQUIRED": ErrorMeaning(OutcomeKind.PENDING, FailureCode.AUTHENTICATION_FAILED),
    "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING": ErrorMeaning(OutcomeKind.PENDING, FailureCode.DECLINED),
    "ORDER_EXPIRED": ErrorMeaning(_NO, FailureCode.EXPIRED),
    "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED": ErrorMeaning(_NO, FailureCode.LIMIT_EXCEEDED),
    "TRANSACTION_LIMIT_EXCEEDED": ErrorMeaning(_NO, FailureCode.LIMIT_EXCEEDED),
    "TRANSACTION_RECEIVING_LIMIT_EXCEEDED": ErrorMeaning(_NO, FailureCode.LIMIT_EXCEEDED),
    "TRANSACTION_REFUSED": ErrorMeaning(_NO, FailureCode.DECLINED),
    "PAYER_CANNOT_PAY": ErrorMeaning(_NO, FailureCode.DECLINED),
    "DECLINED_DUE_TO_RELATED_TXN": ErrorMeaning(_NO, FailureCode.DECLINED),
    "COMPLIANCE_VIOLATION": ErrorMeaning(_NO, FailureCode.SUSPECTED_FRAUD),
    "PAYEE_BLOCKED_TRANSACTION": ErrorMeaning(_NO, FailureCode.SUSPECTED_FRAUD),
    "TRANSACTION_BLOCKED_BY_PAYEE": ErrorMeaning(_NO, FailureCode.SUSPECTED_FRAUD),
    "PAYER_ACCOUNT_LOCKED_OR_CLOSED": ErrorMeaning(_NO, FailureCode.ACCOUNT_BLOCKED),
    "PAYER_ACCOUNT_RESTRICTED": ErrorMeaning(_NO, FailureCode.ACCOUNT_BLOCKED),
    "PAYEE_ACCOUNT_LOCKED_OR_CLOSED": ErrorMeaning(_NO, FailureCode.METHOD_UNAVAILABLE),
    "PAYEE_ACCOUNT_RESTRICTED": ErrorMeaning(_NO, FailureCode.METHOD_UNAVAILABLE),
    "AUTH_CAPTURE_NOT_ENABLED": ErrorMeaning(_NO, FailureCode.METHOD_UNAVAILABLE),
    "DOMESTIC_TRANSACTION_REQUIRED": ErrorMeaning(_NO, FailureCode.METHOD_UNAVAILABLE),
    "ACTION_DOES_NOT_MATCH_INTENT": _INVALID,
}
# After one of these the shopper must approve again before another capture makes sense.
APPROVAL_USED_UP: Final = frozenset(
    {"INSTRUMENT_DECLINED", "PAYER_ACTION_REQUIRED", "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING"}
)

# Capture or void of a hold: only words that say the hold is gone end it. That it was let go may be
# said of a number that another has replaced, when the hold was renewed: the order tells.
HOLD_ISSUES: Final[dict[str, ErrorMeaning]] = {
    "AUTHORIZATION_VOIDED": ErrorMeaning(_ASK, FailureCode.CANCELLED),
    "PREVIOUSLY_VOIDED": ErrorMeaning(_ASK),
    "AUTHORIZATION_EXPIRED": ErrorMeaning(_NO, FailureCode.EXPIRED),
    "AUTHORIZATION_ALREADY_CAPTURED": ErrorMeaning(_ASK),
    "AUTHORIZATION_DENIED": ErrorMeaning(_ASK, FailureCode.DECLINED),
    "PREVIOUSLY_CAPTURED": ErrorMeaning(_ASK),
    "CANNOT_BE_VOIDED": _REFUSED,
    "MAX_CAPTURE_AMOUNT_EXCEEDED": ErrorMeaning(_ASK, FailureCode.LIMIT_EXCEEDED),
    "MAX_CAPTURE_COUNT_EXCEEDED": ErrorMeaning(_ASK, FailureCode.LIMIT_EXCEEDED),
    "AUTH_CAPTURE_CURRENCY_MISMATCH": _REFUSED,
    "INVALID_CURRENCY_CODE": _REFUSED,
    "DECIMAL_PRECISION": _REFUSED,
    "DECIMALS_NOT_SUPPORTED": _REFUSED,
    "CANNOT_BE_ZERO_OR_NEGATIVE": _REFUSED,
    "DUPLICATE_INVOICE_ID": ErrorMeaning(_ASK),
    "TRANSACTION_REFUSED": ErrorMeaning(_ASK, FailureCode.DECLINED),
    "PAYER_CANNOT_PAY": ErrorMeaning(_ASK, FailureCode.DECLINED),
    "PAYER_ACCOUNT_LOCKED_OR_CLOSED": ErrorMeaning(_ASK, FailureCode.ACCOUNT_BLOCKED),
    "PAYER_ACCOUNT_RESTRICTED": ErrorMeaning(_ASK, FailureCode.ACCOUNT_BLOCKED),
    "PAYEE_ACCOUNT_LOCKED_OR_CLOSED": ErrorMeaning(_ASK, FailureCode.METHOD_UNAVAILABLE),
    "PAYEE_ACCOUNT_RESTRICTED": ErrorMeaning(_ASK, FailureCode.METHOD_UNAVAILABLE),
}
HOLD_NAMES: Final[dict[str, ErrorMeaning]] = {"INVALID_REQUEST": _REFUSED}

REFUND_ISSUES: Final[dict[str, ErrorMeaning]] = {
    # The invoice id is this refund's own: it was made already.
    "DUPLICATE_INVOICE_ID": ErrorMeaning(_ASK),
    "CAPTURE_FULLY_REFUNDED": ErrorMeaning(_NO, FailureCode.LIMIT_EXCEEDED),
    "REFUND_AMOUNT_EXCEEDED": ErrorMeaning(_NO, FailureCode.LIMIT_EXCEEDED),
    "REFUND_AMOUNT_TOO_LOW": ErrorMeaning(_NO, FailureCode.LIMIT_EXCEEDED),
    "MAX_NUMBER_OF_REFUNDS_EXCEEDED": ErrorMeaning(_NO, FailureCode.LIMIT_EXCEEDED),
    "REFUND_TIME_LIMIT_EXCEEDED": ErrorMeaning(_NO, FailureCode.EXPIRED),
    "REFUND_FAILED_INSUFFICIENT_FUNDS": ErrorMeaning(_NO, FailureCode.INSUFFICIENT_FUNDS),
    "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK": ErrorMeaning(_NO, FailureCode.DECLINED),
    "TRANSACTION_DISPUTED": ErrorMeaning(_NO, FailureCode.DECLINED),
    "REFUND_NOT_ALLOWED": ErrorMeaning(_NO, FailureCode.DECLINED),
    "REFUND_IS_RESTRICTED": ErrorMeaning(_NO, FailureCode.DECLINED),
    "PENDING_CAPTURE": ErrorMeaning(_NO, FailureCode.METHOD_UNAVAILABLE),
    "PARTIAL_REFUND_NOT_ALLOWED": _INVALID,
    "REFUND_CAPTURE_CURRENCY_MISMATCH": _INVALID,
    "CURRENCY_MISMATCH": _INVALID,
    "INVALID_CURRENCY_CODE": _INVALID,
    "DECIMAL_PRECISION": _INVALID,
    "DECIMALS_NOT_SUPPORTED": _INVALID,
    "CANNOT_BE_ZERO_OR_NEGATIVE": _INVALID,
    "CANNOT_BE_NEGATIVE": _INVALID,
    "PAYER_ACCOUNT_LOCKED_OR_CLOSED": ErrorMeaning(_NO, FailureCode.ACCOUNT_BLOCKED),
    "PAYEE_ACCOUNT_LOCKED_OR_CLOSED": ErrorMeaning(_NO, FailureCode.METHOD_UNAVAILABLE),
    "PAYEE_ACCOUNT_RESTRICTED": ErrorMeaning(_NO, FailureCode.METHOD_UNAVAILABLE),
}
REFUND_NAMES: Final[dict[str, ErrorMeaning]] = {"INVALID_REQUEST": _INVALID}


@dataclass(frozen=True, slots=True)
class Event:
    """``subject``, and the verb that should follow: the body of an event is a hint only."""

    subject: Subject
    next_verb: Verb | None


EVENTS: Final[dict[str, Event]] = {
    "CHECKOUT.ORDER.APPROVED": Event(Subject.PAYMENT, Verb.CAPTURE),
    "CHECKOUT.ORDER.COMPLETED": Event(Subject.PAYMENT, Verb.QUERY),
    "CHECKOUT.PAYMENT-APPROVAL.REVERSED": Event(Subject.PAYMENT, Verb.QUERY),
    "PAYMENT.AUTHORIZATION.CREATED": Event(Subject.PAYMENT, Verb.QUERY),
    "PAYMENT.AUTHORIZATION.VOIDED": Event(Subject.PAYMENT, Verb.QUERY),
    "PAYMENT.CAPTURE.COMPLETED": Event(Subject.PAYMENT, Verb.QUERY),
    "PAYMENT.CAPTURE.PENDING": Event(Subject.PAYMENT, Verb.QUERY),
    # Two pages of PayPal's name the same event differently.
    "PAYMENT.CAPTURE.DENIED": Event(Subject.PAYMENT, Verb.QUERY),
    "PAYMENT.CAPTURE.DECLINED": Event(Subject.PAYMENT, Verb.QUERY),
    "PAYMENT.CAPTURE.REFUNDED": Event(Subject.REFUND, Verb.QUERY_REFUND),
    "PAYMENT.REFUND.PENDING": Event(Subject.REFUND, Verb.QUERY_REFUND),
    "PAYMENT.REFUND.FAILED": Event(Subject.REFUND, Verb.QUERY_REFUND),
    "PAYMENT.CAPTURE.REVERSED": Event(Subject.DISPUTE, None),
    "CUSTOMER.DISPUTE.CREATED": Event(Subject.DISPUTE, None),
    "CUSTOMER.DISPUTE.UPDATED": Event(Subject.DISPUTE, None),
    "CUSTOMER.DISPUTE.RESOLVED": Event(Subject.DISPUTE, None),
}

# transaction_event_code of Transaction Search, by PayPal's page of T-codes. Conversions of currency
# (T02nn) and money that we pay in (T03nn) have no kind here: a person must look.
SETTLEMENT_KINDS: Final[dict[str, RecordKind]] = {
    **{f"T00{number:02d}": RecordKind.PAYMENT for number in range(17)},
    **{f"T01{number:02d}": RecordKind.FEE for number in range(15)},
    "T0400": RecordKind.PAYOUT,
    "T0401": RecordKind.PAYOUT,  # by itself
    "T0403": RecordKind.PAYOUT,  # because somebody asked for it
    "T1101": RecordKind.PAYOUT_REVERSAL,
    "T1105": RecordKind.RESERVE,
    "T1106": RecordKind.DISPUTE,  # taken back by PayPal itself
    "T1107": RecordKind.REFUND,
    "T1108": RecordKind.FEE,  # given back
    "T1109": RecordKind.FEE,  # given back
    "T1110": RecordKind.RESERVE,  # while a dispute is looked into
    "T1111": RecordKind.RESERVE,
    "T1200": RecordKind.ADJUSTMENT,
    "T1201": RecordKind.DISPUTE,
    "T1202": RecordKind.DISPUTE_REVERSAL,
    "T1205": RecordKind.DISPUTE_REVERSAL,
    "T1207": RecordKind.DISPUTE,  # what we won was taken once more
    **{f"T15{number:02d}": RecordKind.RESERVE for number in range(4)},
    "T1900": RecordKind.ADJUSTMENT,
    **{f"T21{number:02d}": RecordKind.RESERVE for number in range(1, 9)},
    "T2111": RecordKind.RESERVE,
    "T2112": RecordKind.RESERVE,
}
# transaction_status there. What was reversed has moved; a row of its own moves it back.
SETTLEMENT_STATUSES: Final[dict[str, RecordStatus]] = {
    "S": RecordStatus.BOOKED,
    "V": RecordStatus.BOOKED,
    "P": RecordStatus.PENDING,
    "D": RecordStatus.DENIED,
}

# Vietnamese is not among the languages that PayPal names: there the shopper's own settings rule.
LOCALES: Final[dict[str, str]] = {"en": "en-US"}
