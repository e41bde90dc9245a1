"""Ids that sort by the time they were made (RFC 9562, UUID version 7), and their public form."""

import os
import re
import time
from typing import Final
from uuid import UUID

_HEX: Final = re.compile(r"[0-9a-f]{32}")
_RANDOM_BITS: Final = 74


def uuid7() -> UUID:
    """A new UUIDv7: 48 bits of Unix milliseconds, version, variant and 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10)) >> (80 - _RANDOM_BITS)
    high, low = random >> 62, random & ((1 << 62) - 1)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)


def public_id(prefix: str, value: UUID) -> str:
    """``pay_018f…``: what the outside sees of a row's id."""
    return f"{prefix}_{value.hex}"


def parse_public_id(prefix: str, text: str) -> UUID | None:
    """The id inside ``text``, or None when it is not one of ours with that prefix."""
    start, _, digits = text.partition("_")
    return UUID(hex=digits) if start == prefix and _HEX.fullmatch(digits) else None
