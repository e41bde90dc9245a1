"""MoMo's signature: HMAC-SHA256 over a fixed list of fields, alphabetical, values as they are.

Nothing is percent-encoded, and a missing value leaves its ``name=`` standing. The access key
is part of the signed text but not of the body.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Final

from gateways.momo.config import Keys

CREATE_FIELDS: Final = frozenset(
    {
        "amount",
        "extraData",
        "ipnUrl",
        "orderId",
        "orderInfo",
        "partnerCode",
        "redirectUrl",
        "requestId",
        "requestType",
    }
)
QUERY_FIELDS: Final = frozenset({"orderId", "partnerCode", "requestId"})
REFUND_FIELDS: Final = frozenset(
    {"amount", "description", "orderId", "partnerCode", "requestId", "transId"}
)
CONFIRM_FIELDS: Final = frozenset(
    {"amount", "description", "orderId", "partnerCode", "requestId", "requestType"}
)
# The notification and the browser's return are signed alike.
RESULT_FIELDS: Final = frozenset(
    {
        "amount",
        "extraData",
        "message",
        "orderId",
        "orderInfo",
        "orderType",
        "partnerCode",
        "payType",
        "requestId",
        "responseTime",
        "resultCode",
        "transId",
    }
)
# The answer to a create. Two texts of the manual disagree on whether its message counts, and the
# answers that were seen carry no signature at all.
LINK_FIELDS: Final = frozenset(
    {"amount", "orderId", "partnerCode", "payUrl", "requestId", "responseTime", "resultCode"}
)
# Signed in the answers of flows that store a wallet. An ordinary notification may name them too,
# empty and unsigned.
_OPTIONAL_RESULT_FIELDS: Final = frozenset({"callbackToken", "partnerClientId"})


def canonical(fields: Iterable[str], values: Mapping[str, object], access_key: str) -> str:
    """The text that is signed; a field that ``values`` lacks counts as empty."""
    signed = {name: values.get(name) for name in fields} | {"accessKey": access_key}
    return "&".join(f"{name}={_text(signed[name])}" for name in sorted(signed))


def sign(fields: Iterable[str], values: Mapping[str, object], keys: Keys) -> str:
    """The signature as MoMo prints it: 64 lower-case hex digits."""
    text = canonical(fields, values, keys.access_key)
    return hmac.new(keys.secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()


def is_genuine(result: Mapping[str, object], candidates: Iterable[Keys]) -> bool:
    """Whether a notification (or a browser's return) is signed with one of our keys.

    Numbers must be given as they were printed, texts untouched: the localised message is signed.
    """
    stored = _OPTIONAL_RESULT_FIELDS & result.keys()
    return _is_signed(result, {RESULT_FIELDS, RESULT_FIELDS | stored}, candidates)


def is_genuine_link(answer: Mapping[str, object], candidates: Iterable[Keys]) -> bool:
    """The same of the answer to a create, in either form, where MoMo signs it at all."""
    return _is_signed(answer, {LINK_FIELDS, LINK_FIELDS | {"message"}}, candidates)


def _is_signed(
    values: Mapping[str, object], lists: Iterable[frozenset[str]], candidates: Iterable[Keys]
) -> bool:
    given = str(values.get("signature") or "").lower().encode()
    return any(
        hmac.compare_digest(sign(fields, values, keys).encode(), given)
        for keys in candidates
        for fields in lists
    )


def _text(value: object) -> str:
    return "" if value is None else str(value)
