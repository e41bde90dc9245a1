"""VNPAY's two kinds of signature, both HMAC-SHA512 in lower-case hex.

Pay links, returns and IPNs sign the sorted, form-encoded query. The transaction API signs chosen
fields in a fixed order, joined by ``|``, as they are.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus, urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HASH_FIELDS = ("vnp_SecureHash", "vnp_SecureHashType")

QUERY_REQUEST = (
    "vnp_RequestId", "vnp_Version", "vnp_Command", "vnp_TmnCode", "vnp_TxnRef",
    "vnp_TransactionDate", "vnp_CreateDate", "vnp_IpAddr", "vnp_OrderInfo",
)  # fmt: skip
REFUND_REQUEST = (
    "vnp_RequestId", "vnp_Version", "vnp_Command", "vnp_TmnCode", "vnp_TransactionType",
    "vnp_TxnRef", "vnp_Amount", "vnp_TransactionNo", "vnp_TransactionDate", "vnp_CreateBy",
    "vnp_CreateDate", "vnp_IpAddr", "vnp_OrderInfo",
)  # fmt: skip
REFUND_ANSWER = (
    "vnp_ResponseId", "vnp_Command", "vnp_ResponseCode", "vnp_Message", "vnp_TmnCode",
    "vnp_TxnRef", "vnp_Amount", "vnp_BankCode", "vnp_PayDate", "vnp_TransactionNo",
    "vnp_TransactionType", "vnp_TransactionStatus", "vnp_OrderInfo",
)  # fmt: skip
QUERY_ANSWER = (*REFUND_ANSWER, "vnp_PromotionCode", "vnp_PromotionAmount")


def hmac_sha512(secret: str, text: str) -> str:
    """Lower-case hex of the keyed hash."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha512).hexdigest()


def signed_query(params: Mapping[str, str], secret: str) -> str:
    """The query string of a return or an IPN, with its signature at the end."""
    canonical = urlencode(sorted((name, value) for name, value in params.items() if value))
    return f"{canonical}&vnp_SecureHash={hmac_sha512(secret, canonical)}"


def verified_query(raw: str, secret: str) -> dict[str, str] | None:
    """The parameters of a raw query string, or None if its signature is wrong.

    Works on the pairs as received, so that it does not matter which of the many encoders made them,
    and then on their values.
    Parameters of other names than ``vnp_…`` are no part of the message.
    """
    pairs = [pair for pair in raw.split("&") if pair.startswith("vnp_")]
    names = [pair.partition("=")[0] for pair in pairs]
    if len(set(names)) != len(names):
        return None
    given = [pair for pair in pairs if not pair.startswith(HASH_FIELDS)]
    values = {
        unquote_plus(name): unquote_plus(value)
        for name, _, value in (pair.partition("=") for pair in pairs)
    }
    signature = values.get("vnp_SecureHash", "")
    params = {name: value for name, value in values.items() if name not in HASH_FIELDS}
    as_received = "&".join(sorted(given, key=lambda pair: pair.partition("=")[0]))
    # A browser or an HTTP library may have encoded the link once more in its own way; whoever reads
    # the values and encodes them again finds what the shop signed.
    for text in (as_received, urlencode(sorted(params.items()))):
        if same(signature, hmac_sha512(secret, text)):
            return params
    return None


def api_signature(fields: Mapping[str, str], order: Sequence[str], secret: str) -> str:
    """The signature of a request to, or an answer of, the transaction API."""
    return hmac_sha512(secret, "|".join(fields.get(name, "") for name in order))


def same(given: str, expected: str) -> bool:
    """Compare two hex signatures in constant time, whatever their case."""
    return hmac.compare_digest(given.lower().encode(), expected.encode())
