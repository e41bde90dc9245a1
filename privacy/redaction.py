"""Keep card numbers, secrets and personal data out of everything that is stored or logged.

``redact`` walks JSON-like data by key and by value; ``mask_cards`` treats free text;
``find_card_number`` is the test that refuses a card number somebody typed into a text field.
"""

import re
from collections.abc import Mapping
from typing import Final

REDACTED: Final = "[redacted]"

# A key whose name contains one of these never has its value kept.
_SECRET_KEY: Final = re.compile(
    r"secret|passw|token|authorization|signature|securehash|api[-_]?key|access[-_]?key"
    r"|client_secret|cvc|cvv|\bpan\b|card_?number|cookie|session(id|key)|credential",
    re.IGNORECASE,
)
# Names that look like secrets and are none: what staff need to see stays readable.
_HARMLESS_KEY: Final = frozenset({"has_token", "token_type", "takes_token", "needs_token"})
_EMAIL_KEY: Final = re.compile(r"e?mail|payer_id|phone", re.IGNORECASE)

# Values that are secrets wherever they stand: Stripe and webhook keys, JWTs, bearer headers,
# one-time payment tokens, and the signature of an order's link: whoever holds it sees the order.
_SECRET_VALUE: Final = re.compile(
    r"(?:sk|rk)_(?:test|live)_\w+|whsec_[\w+/=]+|(?:pi|seti|cs)_\w+_secret_\w+"
    r"|eyJ[\w-]+\.[\w-]+\.[\w-]+|Bearer\s+\S+|(?:ctoken|tok)_\w+"
    r"|(?<=ord_[0-9a-f]{32}\.)[\w-]{20,}"
)

# 13 to 19 digits, perhaps in groups split by single spaces or dashes, not inside a longer run.
_DIGITS: Final = re.compile(r"(?<![0-9A-Za-z])(?:[0-9][ -]?){12,18}[0-9](?![0-9A-Za-z])")
# First digits of the card schemes: Visa, Mastercard (51-55, 2221-2720), Amex, Discover, JCB,
# Diners, UnionPay, Maestro, and NAPAS (9704), the domestic cards of Viet Nam.
_ISSUER: Final = re.compile(
    r"4|5[0-5]|5[6-8]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720|3[47]|6011|64[4-9]|65|62|35(2[89]|[3-8])"
    r"|30[0-5]|3[689]|6304|6759|676[1-3]|9704"
)
_DEPTH_MAX: Final = 12
_TEXT_MAX: Final = 16_000


def find_card_number(text: str) -> str | None:
    """The first card number in ``text`` (a known issuer's prefix and a right check digit)."""
    for match in _DIGITS.finditer(text):
        digits = re.sub(r"[ -]", "", match.group())
        if _ISSUER.match(digits) and _passes_luhn(digits):
            return match.group()
    return None


def mask_cards(text: str) -> str:
    """``text`` with every card number reduced to its last four digits."""
    return _DIGITS.sub(_mask_if_card, text)


def mask_text(text: str) -> str:
    """``text`` without card numbers and without values that are secrets by their form."""
    return mask_cards(_SECRET_VALUE.sub(REDACTED, text))


def mask_email(address: str) -> str:
    """``l***@example.com``: enough to recognise, not enough to write to."""
    name, at, domain = address.partition("@")
    return f"{name[:1]}***{at}{domain}" if at else f"{address[:2]}***"


def redact(value: object, depth: int = 0) -> object:
    """A copy of JSON-like ``value`` that may be stored and shown to staff."""
    if depth > _DEPTH_MAX:
        return REDACTED
    if isinstance(value, Mapping):
        return redact_object(value, depth)
    if isinstance(value, list | tuple):
        return [redact(item, depth + 1) for item in value]
    return mask_text(value[:_TEXT_MAX]) if isinstance(value, str) else value


def redact_object(value: Mapping[str, object], depth: int = 0) -> dict[str, object]:
    """The same for an object: each member by its name and by its value."""
    return {str(key): _redact_member(str(key), item, depth) for key, item in value.items()}


def _redact_member(key: str, item: object, depth: int) -> object:
    if item in (None, "", True, False):
        return item
    if _SECRET_KEY.search(key) and key not in _HARMLESS_KEY:
        return REDACTED
    if isinstance(item, str) and _EMAIL_KEY.search(key):
        return mask_email(item)
    return redact(item, depth + 1)


def _mask_if_card(match: re.Match[str]) -> str:
    digits = re.sub(r"[ -]", "", match.group())
    if _ISSUER.match(digits) and _passes_luhn(digits):
        return "•" * (len(digits) - 4) + digits[-4:]
    return match.group()


def _passes_luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    total = 0
    for index, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if index % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled  # noqa: PLR2004 - Luhn adds the digits
    return total % 10 == 0
