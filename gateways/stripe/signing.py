"""``Stripe-Signature``: HMAC-SHA256 over the time, a dot and the raw body.

Written here and not taken from the SDK because that one reads the machine's clock.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

TOLERANCE_S: Final = 300
_SCHEME: Final = "v1"
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")
# A header with more items than this was not made by Stripe.
_ITEMS_MAX: Final = 32


@dataclass(frozen=True, slots=True)
class SignatureHeader:
    """The parsed header; ``signatures`` are those of scheme v1, others do not count."""

    timestamp: int
    signatures: tuple[str, ...]


def parse_header(header: str) -> SignatureHeader | None:
    """Read ``t=…,v1=…[,v1=…]`` in any order, or None when it holds no time or no v1."""
    items = [item.partition("=") for item in header.split(",", _ITEMS_MAX)]
    times = [value for name, _, value in items if name == "t"]
    signatures = tuple(value for name, _, value in items if name == _SCHEME)
    if len(times) != 1 or not _TIMESTAMP.fullmatch(times[0]) or not signatures:
        return None
    return SignatureHeader(int(times[0]), signatures)


def sign(body: bytes, secret: str, timestamp: int) -> str:
    """The whole secret is the key, ``whsec_`` included."""
    message = b"%d.%s" % (timestamp, body)
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def is_genuine(
    body: bytes, header: str, secrets: Iterable[str], now: float, tolerance_s: int = TOLERANCE_S
) -> bool:
    """Whether one secret made one of the signatures, at most ``tolerance_s`` ago.

    ``now`` is in epoch seconds. A tolerance of 0 switches the age check off. A time in the
    future passes, as it does in Stripe's own library: only clocks make it.
    """
    parsed = parse_header(header)
    if parsed is None or (tolerance_s and parsed.timestamp < now - tolerance_s):
        return False
    given = [signature.encode() for signature in parsed.signatures]
    return any(
        hmac.compare_digest(sign(body, secret, parsed.timestamp).encode(), signature)
        for secret in secrets
        for signature in given
    )
