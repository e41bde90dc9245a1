"""IPNs of VNPAY as VNPAY would sign them: computed here from the protocol, not by the adapter."""

import hashlib
import hmac
import os
from typing import Any, Final
from urllib.parse import quote_plus

from payments.models import Transaction

PATH: Final = "/webhooks/vnpay"


def ipn(payment: Transaction, *, secret: str = "", **changes: str) -> str:
    """The address of a signed IPN that says ``payment`` is paid; ``changes`` override parameters.

    The names of ``changes`` come without their ``vnp_``; an empty value leaves one out.
    """
    params = {
        "Amount": str(payment.amount * 100),
        "BankCode": "NCB",
        "CardType": "ATM",
        "OrderInfo": "Don hang 1001",
        "PayDate": "20261122103500",
        "ResponseCode": "00",
        "TmnCode": os.environ["VNPAY_TMN_CODE"],
        "TransactionNo": str(int(payment.reference, 16))[-12:],
        "TransactionStatus": "00",
        "TxnRef": payment.reference,
    } | changes
    return f"{PATH}?{signed({f'vnp_{name}': value for name, value in params.items()}, secret)}"


def signed(params: dict[str, str], secret: str = "") -> str:
    """``params`` sorted, form-encoded and signed with HMAC-SHA512."""
    pairs = sorted((name, value) for name, value in params.items() if value)
    text = "&".join(f"{name}={quote_plus(value)}" for name, value in pairs)
    key = secret or os.environ["VNPAY_HASH_SECRET"]
    digest = hmac.new(key.encode(), text.encode(), hashlib.sha512).hexdigest()
    return f"{text}&vnp_SecureHash={digest}"


def refused(payment: Transaction, **changes: Any) -> str:
    """An IPN that says the shopper cancelled."""
    words = {"ResponseCode": "24", "TransactionStatus": "02", "TransactionNo": "0"}
    return ipn(payment, **(words | changes))
