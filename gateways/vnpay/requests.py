"""What we send to VNPAY: one small function for each verb, all of them pure.

A request is the flat dict of ``vnp_`` parameters, complete but for the signature, which is added
when the link is made or the call is sent.
"""

from collections.abc import Callable
from typing import Final

from gateways.operation import (
    CaptureMethod,
    Json,
    Operation,
    PaymentDetails,
    UnsupportedOperation,
    Verb,
)
from gateways.vnpay import amounts, formats, mapping
from gateways.vnpay.config import Config

_VERSION: Final = "2.1.0"
_NO_HOLDS: Final = "VNPAY cannot hold money: it takes it at once"
UNSUPPORTED_VERBS: Final[dict[Verb, str]] = {
    Verb.CAPTURE: _NO_HOLDS,
    Verb.VOID: _NO_HOLDS,
    Verb.CLOSE: "VNPAY cannot close a page: it expires by itself",
}


def _build_create(operation: Operation, config: Config) -> Json:
    details = operation.details
    if details.capture is CaptureMethod.MANUAL:
        raise UnsupportedOperation(_NO_HOLDS)
    description = details.description or f"Thanh toan don hang {details.order_number}"
    # Without it the shopper chooses at VNPAY; an empty one must never be sent.
    bank_code: Json = {"vnp_BankCode": code} if (code := _bank_code(details)) else {}
    return bank_code | {
        "vnp_Version": _VERSION,
        "vnp_Command": "pay",
        "vnp_TmnCode": config.tmn_code,
        "vnp_Amount": amounts.to_wire(details.money),
        "vnp_CurrCode": amounts.CURRENCY,
        "vnp_TxnRef": details.reference,
        "vnp_OrderInfo": formats.text_to_wire(description) or details.reference,
        "vnp_OrderType": "other",
        "vnp_Locale": "vn" if details.locale == "vi" else "en",
        "vnp_IpAddr": formats.ip_to_wire(details.customer_ip),
        "vnp_ReturnUrl": formats.return_url_to_wire(details.return_url),
        "vnp_CreateDate": formats.date_to_wire(details.created_at),
        "vnp_ExpireDate": formats.date_to_wire(details.expires_at),
    }


def _build_query(operation: Operation, config: Config) -> Json:
    params = _common_params(operation, config, "querydr", "Tra cuu giao dich")
    number = operation.details.psp_data.get("transaction_no", "")
    return params | {"vnp_TransactionNo": number} if number else params


def _build_refund(operation: Operation, config: Config) -> Json:
    if operation.money is None:
        raise UnsupportedOperation("a refund needs an amount")
    is_full = operation.money == operation.details.money
    return _common_params(operation, config, "refund", "Hoan tien giao dich") | {
        "vnp_TransactionType": (
            mapping.TYPE_REFUND_FULL if is_full else mapping.TYPE_REFUND_PARTIAL
        ),
        "vnp_Amount": amounts.to_wire(operation.money),
        # Their number where we know it; their demos send and sign "0" otherwise.
        "vnp_TransactionNo": operation.details.psp_data.get("transaction_no", "") or "0",
        "vnp_CreateBy": formats.name_to_wire(operation.actor),
    }


BUILDERS: Final[dict[Verb, Callable[[Operation, Config], Json]]] = {
    Verb.CREATE: _build_create,
    Verb.QUERY: _build_query,
    Verb.REFUND: _build_refund,
    # VNPAY finds payments by reference, and a refund only as the last change of its payment.
    Verb.QUERY_REFUND: _build_query,
}


def _common_params(operation: Operation, config: Config, command: str, text: str) -> Json:
    details = operation.details
    return {
        "vnp_RequestId": operation.reference,
        "vnp_Version": _VERSION,
        "vnp_Command": command,
        "vnp_TmnCode": config.tmn_code,
        "vnp_TxnRef": details.reference,
        "vnp_OrderInfo": f"{text} {details.reference}",
        # The payment's own vnp_CreateDate: with any other VNPAY does not find it.
        "vnp_TransactionDate": formats.date_to_wire(details.created_at),
        "vnp_CreateDate": formats.date_to_wire(operation.now),
        "vnp_IpAddr": config.server_ip,
    }


def _bank_code(details: PaymentDetails) -> str:
    channel = mapping.CARD_CHANNEL if details.method == "card" else details.channel
    code = mapping.BANK_CODES.get(channel, channel)
    if code and not mapping.BANK_CODE.fullmatch(code):
        raise UnsupportedOperation(f"VNPAY has no channel {channel}")
    return code
