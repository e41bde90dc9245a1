"""VNPAY writes whole đồng times one hundred, in at most twelve digits."""

import re
from typing import Final

from gateways.operation import UnsupportedOperation
from money.money import Money, MoneyError

CURRENCY: Final = "VND"
SCALE: Final = 100
_AMOUNT: Final = re.compile(r"[0-9]{1,12}")


def to_wire(money: Money) -> str:
    """``Money(10000, "VND")`` is ``"1000000"``. Raises UnsupportedOperation."""
    text = str(money.minor * SCALE)
    if money.currency != CURRENCY or money.minor == 0 or not _AMOUNT.fullmatch(text):
        raise UnsupportedOperation(f"VNPAY cannot take {money.minor} {money.currency}")
    return text


def from_wire(text: str) -> Money | None:
    """The amount in ``text``, or None when it is not a number of whole đồng."""
    if not _AMOUNT.fullmatch(text):
        return None
    minor, rest = divmod(int(text), SCALE)
    try:
        return Money(minor, CURRENCY) if rest == 0 else None
    except MoneyError:
        return None
