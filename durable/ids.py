"""Ids that sort by the time they were made (RFC 9562, UUID version 7), and their public form."""

import hashlib
import json
import os
import re
import time
from typing import Final
from uuid import UUID

_HEX: Final = re.compile(r"[0-9a-f]{32}")
_RANDOM_BITS: Final = 74
_RANDOM_BYTES: Final = 10


def uuid7() -> UUID:
    """A new UUIDv7: 48 bits of Unix milliseconds, version, variant and 74 random bits."""
    return _uuid7(time.time_ns() // 1_000_000, os.urandom(_RANDOM_BYTES))


def derived_uuid7(origin: UUID, *facts: object) -> UUID:
    """The UUIDv7 that belongs to ``origin`` and ``facts``: the same ones give the same id.

    It has the time of ``origin``, itself a UUIDv7, whose random bits nobody can guess.
    """
    text = json.dumps([origin.hex, *facts], default=str)
    return _uuid7(origin.int >> 80, hashlib.sha256(text.encode()).digest()[:_RANDOM_BYTES])


def public_id(prefix: str, value: UUID) -> str:
    """``pay_018f…``: what the outside sees of a row's id."""
    return f"{prefix}_{value.hex}"


def parse_public_id(prefix: str, text: str) -> UUID | None:
    """The id inside ``text``, or None when it is not one of ours with that prefix."""
    start, _, digits = text.partition("_")
    return UUID(hex=digits) if start == prefix and _HEX.fullmatch(digits) else None


def _uuid7(milliseconds: int, noise: bytes) -> UUID:
    random = int.from_bytes(noise) >> (8 * _RANDOM_BYTES - _RANDOM_BITS)
    high, low = random >> 62, random & ((1 << 62) - 1)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)
