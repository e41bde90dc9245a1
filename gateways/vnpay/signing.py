"""VNPAY's two ways to sign, both HMAC-SHA512 in lower-case hex.

Links, returns and IPNs sign the sorted, form-encoded parameters; querydr and refund sign chosen
values joined by bars. The orders are those of VNPAY's 2.1.0 pages and demos.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote_plus, unquote_plus, urlencode

HASH_FIELDS: Final = frozenset({"vnp_SecureHash", "vnp_SecureHashType"})

QUERY_FIELDS: Final = (
    "vnp_RequestId",
    "vnp_Version",
    "vnp_Command",
    "vnp_TmnCode",
    "vnp_TxnRef",
    "vnp_TransactionDate",
    "vnp_CreateDate",
    "vnp_IpAddr",
    "vnp_OrderInfo",
)
REFUND_FIELDS: Final = (
    "vnp_RequestId",
    "vnp_Version",
    "vnp_Command",
    "vnp_TmnCode",
    "vnp_TransactionType",
    "vnp_TxnRef",
    "vnp_Amount",
    "vnp_TransactionNo",
    "vnp_TransactionDate",
    "vnp_CreateBy",
    "vnp_CreateDate",
    "vnp_IpAddr",
    "vnp_OrderInfo",
)
REFUND_ANSWER_FIELDS: Final = (
    "vnp_ResponseId",
    "vnp_Command",
    "vnp_ResponseCode",
    "vnp_Message",
    "vnp_TmnCode",
    "vnp_TxnRef",
    "vnp_Amount",
    "vnp_BankCode",
    "vnp_PayDate",
    "vnp_TransactionNo",
    "vnp_TransactionType",
    "vnp_TransactionStatus",
    "vnp_OrderInfo",
)
QUERY_ANSWER_FIELDS: Final = (*REFUND_ANSWER_FIELDS, "vnp_PromotionCode", "vnp_PromotionAmount")

_QUERY_STRING_MAX: Final = 8192


def sign(text: str, secret: str) -> str:
    """HMAC-SHA512 over UTF-8."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha512).hexdigest()


def canonical_query(params: Mapping[str, str]) -> str:
    """The text that is signed and that stands in the link: sorted by name, a space is ``+``."""
    items = [(name, value) for name, value in params.items() if value and name not in HASH_FIELDS]
    return urlencode(sorted(items))


def signed_url(base_url: str, params: Mapping[str, str], secret: str) -> str:
    """The link that the shopper's browser opens."""
    query = canonical_query(params)
    return f"{base_url}?{query}&vnp_SecureHash={sign(query, secret)}"


def joined(fields: Iterable[str], values: Mapping[str, str]) -> str:
    """The text that querydr and refund sign; what is absent counts as empty."""
    return "|".join(values.get(name, "") for name in fields)


def is_signed(text: str, signature: str, secrets: Iterable[str]) -> bool:
    """Whether one of ``secrets`` made ``signature``; hex in either case, constant time."""
    given = signature.lower().encode()
    return any(hmac.compare_digest(sign(text, secret).encode(), given) for secret in secrets)


def verified_params(query_string: str, secrets: Iterable[str]) -> dict[str, str] | None:
    """The ``vnp_`` parameters of a return or IPN, or None when they are not proven genuine.

    The raw text is signed, not a re-encoded one, because encoders disagree on six characters;
    what VNPAY's own demos do (decode, then encode again) is the second try. The values come
    from the same pairs that were verified. Other parameters on the address do not count.
    """
    pairs = _vnp_pairs(query_string)
    if pairs is None:
        return None
    try:
        params = {name: unquote_plus(value, errors="strict") for name, value in pairs.items()}
    except UnicodeDecodeError:
        return None
    signature = params.get("vnp_SecureHash", "")
    raw = {name: value for name, value in sorted(pairs.items()) if name not in HASH_FIELDS}
    texts = ("&".join(f"{name}={value}" for name, value in raw.items()), _re_encoded(params, raw))
    known = tuple(secrets)
    if not any(is_signed(text, signature, known) for text in texts):
        return None
    return {name: params[name] for name in raw}


def _vnp_pairs(query_string: str) -> dict[str, str] | None:
    if len(query_string) > _QUERY_STRING_MAX or not query_string.isascii():
        return None
    split = [pair.partition("=") for pair in query_string.split("&")]
    pairs = [(name, value) for name, _, value in split if name.startswith("vnp_")]
    unique = dict(pairs)
    # A name given twice could be signed with one value and read with the other.
    return unique if len(unique) == len(pairs) else None


def _re_encoded(params: Mapping[str, str], names: Iterable[str]) -> str:
    return "&".join(f"{name}={quote_plus(params[name])}" for name in names)
