"""VNPAY's side of the wire, signed here from its published field orders, not by our adapter."""

import hashlib
import hmac
from typing import Final
from urllib.parse import quote_plus

from tests.gateways.samples import REFERENCE

TMN_CODE: Final = "SIMTMN01"
SECRET: Final = "SIMULATORHASHSECRET0123456789ABC"
OLD_SECRET: Final = "THESECRETBEFORETHATONE0123456789"

_ANSWER_ORDER: Final = [
    "ResponseId",
    "Command",
    "ResponseCode",
    "Message",
    "TmnCode",
    "TxnRef",
    "Amount",
    "BankCode",
    "PayDate",
    "TransactionNo",
    "TransactionType",
    "TransactionStatus",
    "OrderInfo",
]
_QUERY_ORDER: Final = [*_ANSWER_ORDER, "PromotionCode", "PromotionAmount"]


def hmac_sha512(text: str, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha512).hexdigest()


def ipn_values(**changes: str) -> dict[str, str]:
    """A successful payment of 100,000 đồng, without the ``vnp_`` prefixes."""
    values = {
        "TmnCode": TMN_CODE,
        "Amount": "10000000",
        "BankCode": "NCB",
        "BankTranNo": "VNP14226112",
        "CardType": "ATM",
        "PayDate": "20261122103500",
        "OrderInfo": "Thanh toan don hang: ORD-1001",
        "TransactionNo": "14226112",
        "ResponseCode": "00",
        "TransactionStatus": "00",
        "TxnRef": REFERENCE,
    }
    return {f"vnp_{name}": value for name, value in {**values, **changes}.items()}


def ipn_query(secret: str = SECRET, **changes: str) -> str:
    """The signed query string of an IPN."""
    pairs = sorted(ipn_values(**changes).items())
    text = "&".join(f"{name}={quote_plus(value)}" for name, value in pairs)
    return f"{text}&vnp_SecureHash={hmac_sha512(text, secret)}"


def query_answer(secret: str = SECRET, **changes: str) -> dict[str, str]:
    """What querydr says of the same payment, signed."""
    values = {
        "ResponseId": "282a3735af2c4eb782a753dafd007b25",
        "Command": "querydr",
        "ResponseCode": "00",
        "Message": "QueryDR Success",
        "TmnCode": TMN_CODE,
        "TxnRef": REFERENCE,
        "Amount": "10000000",
        "OrderInfo": "Thanh toan don hang: ORD-1001",
        "BankCode": "NCB",
        "PayDate": "20261122103500",
        "TransactionNo": "14226112",
        "TransactionType": "01",
        "TransactionStatus": "00",
    }
    return _signed({**values, **changes}, _QUERY_ORDER, secret)


def refund_answer(secret: str = SECRET, **changes: str) -> dict[str, str]:
    """An accepted refund of 40,000 đồng, signed."""
    values = {
        "ResponseId": "c1f5d9d9f3a14a6cb4f5a3f6c9a9e001",
        "Command": "refund",
        "ResponseCode": "00",
        "Message": "Refund success",
        "TmnCode": TMN_CODE,
        "TxnRef": REFERENCE,
        "Amount": "4000000",
        "OrderInfo": "Hoan tien giao dich",
        "BankCode": "NCB",
        "PayDate": "20261122104000",
        "TransactionNo": "14226999",
        "TransactionType": "03",
        "TransactionStatus": "05",
    }
    return _signed({**values, **changes}, _ANSWER_ORDER, secret)


def _signed(values: dict[str, str], order: list[str], secret: str) -> dict[str, str]:
    text = "|".join(values.get(name, "") for name in order)
    named = {f"vnp_{name}": value for name, value in values.items()}
    return {**named, "vnp_SecureHash": hmac_sha512(text, secret)}
