"""VNPAY's words and ours. A word that stands in no table is unknown, never a no.

From the code tables of VNPAY 2.1.0 (pay, querydr and refund pages; both generations of refund
codes that circulate).
"""

import re
from typing import Final

from gateways.outcome import FailureCode, OutcomeKind
from gateways.settlement import RecordKind
from gateways.webhook import WebhookResult

SUCCESS: Final = "00"

# Our channels, and the vnp_BankCode of each. Any other code is one of VNPAY's list of banks.
BANK_CODES: Final[dict[str, str]] = {
    "qr": "VNPAYQR",
    "bank": "VNBANK",
    "international_card": "INTCARD",
}
BANK_CODE: Final = re.compile(r"[A-Z0-9]{3,20}")
# The method "card" has one channel here.
CARD_CHANNEL: Final = "international_card"

# vnp_ResponseCode of a return or an IPN: why the payment did not go through.
PAYMENT_FAILURES: Final[dict[str, FailureCode]] = {
    "09": FailureCode.ACCOUNT_BLOCKED,  # not registered for internet banking
    "10": FailureCode.AUTHENTICATION_FAILED,  # card details wrong more than three times
    "11": FailureCode.EXPIRED,  # the payment window ran out
    "12": FailureCode.ACCOUNT_BLOCKED,  # card or account locked
    "13": FailureCode.INCORRECT_CODE,  # one-time password
    "24": FailureCode.CANCELLED,
    "51": FailureCode.INSUFFICIENT_FUNDS,
    "65": FailureCode.LIMIT_EXCEEDED,  # limit of the day
    "75": FailureCode.METHOD_UNAVAILABLE,  # bank under maintenance
    "79": FailureCode.AUTHENTICATION_FAILED,  # payment password wrong too often
    "99": FailureCode.DECLINED,  # "other": believed only together with a failed status
}
UNSPECIFIC_FAILURE: Final = "99"
# The money was taken and VNPAY looks into it: a person must, too.
SUSPECTED_FRAUD: Final = "07"

# vnp_TransactionStatus of a payment. 04 (reversed) and 05, 06, 09 (states of a refund) do not
# say whether we hold the money, so they stay unknown until a person has looked.
STATUS_PAID: Final = "00"
STATUS_NOT_COMPLETED: Final = "01"
STATUS_FAILED: Final = "02"

# vnp_TransactionStatus in a querydr answer that is about the payment itself.
QUERY_STATUSES: Final[dict[str, OutcomeKind]] = {
    STATUS_PAID: OutcomeKind.SUCCEEDED,
    STATUS_NOT_COMPLETED: OutcomeKind.UNPAID,
    STATUS_FAILED: OutcomeKind.DECLINED,
    SUSPECTED_FRAUD: OutcomeKind.PENDING,
}

# vnp_TransactionType.
TYPE_PAYMENT: Final = "01"
TYPE_REFUND_FULL: Final = "02"
TYPE_REFUND_PARTIAL: Final = "03"

# vnp_TransactionType of a row of the daily file.
SETTLEMENT_KINDS: Final[dict[str, RecordKind]] = {
    TYPE_PAYMENT: RecordKind.PAYMENT,
    TYPE_REFUND_FULL: RecordKind.REFUND,
    TYPE_REFUND_PARTIAL: RecordKind.REFUND,
}

# vnp_ResponseCode of querydr, other than 00: what it says about the payment.
NOT_FOUND: Final = "91"
DUPLICATE_REQUEST: Final = "94"
QUERY_CODES: Final[dict[str, OutcomeKind]] = {
    "02": OutcomeKind.NOT_DONE,  # terminal code refused
    "97": OutcomeKind.NOT_DONE,  # checksum refused: our secret is wrong
    NOT_FOUND: OutcomeKind.UNPAID,
    DUPLICATE_REQUEST: OutcomeKind.NOT_DONE,
}

# vnp_ResponseCode of refund, other than 00. 98 (timeout) and 99 (other) stay unknown.
REFUND_CODES: Final[dict[str, OutcomeKind]] = {
    "02": OutcomeKind.DECLINED,  # refunds exceed the payment
    "03": OutcomeKind.DECLINED,  # format
    "04": OutcomeKind.DECLINED,  # full refund after a partial one
    "13": OutcomeKind.DECLINED,  # only partial refunds allowed
    "91": OutcomeKind.DECLINED,  # payment not found
    "93": OutcomeKind.DECLINED,  # amount
    "94": OutcomeKind.PENDING,  # already asked for and in progress
    "95": OutcomeKind.DECLINED,  # payment was not successful there
    "97": OutcomeKind.NOT_DONE,
}
# vnp_TransactionStatus of an accepted refund. VNPAY reports nothing later, so its acceptance
# (05 in progress, 06 sent to the bank) is the evidence that the money is on its way.
REFUND_STATUSES: Final[dict[str, OutcomeKind]] = {
    "00": OutcomeKind.SUCCEEDED,
    "05": OutcomeKind.SUCCEEDED,
    "06": OutcomeKind.SUCCEEDED,
    "09": OutcomeKind.DECLINED,
}

# RspCode and Message of our answer to an IPN.
IPN_ANSWERS: Final[dict[WebhookResult, tuple[str, str]]] = {
    WebhookResult.APPLIED: ("00", "Confirm Success"),
    WebhookResult.IGNORED: ("00", "Confirm Success"),
    WebhookResult.UNKNOWN_REFERENCE: ("01", "Order not found"),
    WebhookResult.REPEATED: ("02", "Order already confirmed"),
    WebhookResult.MISMATCH: ("04", "Invalid amount"),
    WebhookResult.REFUSED: ("97", "Invalid signature"),
    WebhookResult.FAILED: ("99", "Unknown error"),
}

# VNPAY's names of facts that staff want to see, and ours.
FACTS: Final[dict[str, str]] = {
    "vnp_TransactionNo": "transaction_no",
    "vnp_BankCode": "bank",
    "vnp_BankTranNo": "bank_transaction_no",
    "vnp_CardType": "card_type",
    "vnp_PayDate": "pay_date",
    "vnp_ResponseCode": "response_code",
    "vnp_TransactionStatus": "transaction_status",
    "vnp_PromotionCode": "promotion_code",
    "vnp_PromotionAmount": "promotion_amount",
}
