"""MoMo's signature: HMAC-SHA256 in lower-case hex over ``name=value`` pairs in alphabetical order.

Values go in as they are, without any encoding; one that is missing leaves its ``name=`` standing.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CREATE: Final = (
    "amount", "extraData", "ipnUrl", "orderId", "orderInfo", "partnerCode", "redirectUrl",
    "requestId", "requestType",
)  # fmt: skip
QUERY: Final = ("orderId", "partnerCode", "requestId")
REFUND: Final = ("amount", "description", "orderId", "partnerCode", "requestId", "transId")
CONFIRM: Final = ("amount", "description", "orderId", "partnerCode", "requestId", "requestType")
RESULT: Final = (
    "amount", "extraData", "message", "orderId", "orderInfo", "orderType", "partnerCode", "payType",
    "requestId", "responseTime", "resultCode", "transId",
)  # fmt: skip
# Two texts of the manual disagree on whether the answer to create signs its message.
ANSWER_SHORT: Final = (
    "amount", "orderId", "partnerCode", "payUrl", "requestId", "responseTime", "resultCode",
)  # fmt: skip
ANSWER_LONG: Final = (*ANSWER_SHORT, "message")


@dataclass(frozen=True, kw_only=True)
class Keys:
    """What MoMo gave the shop; the same pair signs both ways."""

    partner_code: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)

    def sign(self, names: Iterable[str], values: Mapping[str, object]) -> str:
        """The signature over the named fields of ``values``."""
        signed = {name: values.get(name, "") for name in names} | {"accessKey": self.access_key}
        text = "&".join(f"{name}={signed[name]}" for name in sorted(signed))
        return hmac.new(self.secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()

    def signed(self, names: Iterable[str], values: Mapping[str, object]) -> bool:
        """Whether ``values`` carry a good signature."""
        given = str(values.get("signature", "")).encode()
        return hmac.compare_digest(given, self.sign(names, values).encode())
