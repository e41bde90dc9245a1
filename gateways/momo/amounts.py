"""MoMo counts in whole đồng, as we do: VND has no minor unit."""

from typing import Final

from gateways.operation import UnsupportedOperation
from money.money import Money, MoneyError

CURRENCY: Final = "VND"
_DIGITS_MAX: Final = 18


def to_wire(money: Money) -> int:
    """The number of đồng. Raises UnsupportedOperation for another currency."""
    if money.currency != CURRENCY:
        raise UnsupportedOperation(f"MoMo takes {CURRENCY}, not {money.currency}")
    return money.minor


def from_wire(amount: object) -> Money | None:
    """Whole đồng, from a number or its text; anything else is None."""
    text = str(amount) if type(amount) in {int, str} else ""
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS_MAX):
        return None
    try:
        return Money(int(text), CURRENCY)
    except MoneyError:
        return None
