"""Stripe's own exponents, which are not ISO 4217's (docs.stripe.com/currencies)."""

from typing import Final

from gateways.operation import UnsupportedOperation
from gateways.settlement import Movement
from money.money import EXPONENTS, Money, MoneyError

# How many of Stripe's units make one of ours, where the two differ.
_UNITS_PER_MINOR: Final[dict[str, int]] = {
    # ISO has no decimals, Stripe writes two that are always 00.
    "ISK": 100,
    "UGX": 100,
}
# ISO has two decimals, Stripe none.
_MINOR_PER_UNIT: Final[dict[str, int]] = {"MGA": 100}
# Three decimals, of which the last must be 0.
_TENS_ONLY: Final = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
# Stripe's table says nothing of these, so their scale there is not known.
_NOT_TAKEN: Final = frozenset({"IQD", "LYD"})
CURRENCIES: Final = frozenset(EXPONENTS) - _NOT_TAKEN

# Stripe's smallest charges, in ISO minor units. Elsewhere the floor is about 0.50 USD after
# conversion into the currency of the settlement, which only Stripe can tell.
_MINIMUM: Final[dict[str, int]] = {
    "USD": 50,
    "EUR": 50,
    "GBP": 30,
    "JPY": 50,
    "HKD": 400,
    "THB": 1000,
    "HUF": 17500,
}
# Twelve digits on the wire for most cards; a lower ceiling is Stripe's to refuse.
_WIRE_MAX: Final = 999_999_999_999


def to_wire(money: Money) -> int:
    """Stripe's integer for ``money``. Raises UnsupportedOperation; nothing is rounded."""
    currency = money.currency
    units, rest = divmod(
        money.minor * _UNITS_PER_MINOR.get(currency, 1), _MINOR_PER_UNIT.get(currency, 1)
    )
    in_tens = currency not in _TENS_ONLY or units % 10 == 0
    if currency in _NOT_TAKEN or rest or not in_tens or not 0 < units <= _WIRE_MAX:
        raise UnsupportedOperation(f"Stripe cannot take {money.minor} {currency}")
    return units


def from_wire(amount: object, currency: object) -> Money | None:
    """The sum that Stripe names, or None when it is none that we could hold."""
    if type(amount) is not int or not isinstance(currency, str):
        return None
    code = currency.upper()
    if code not in CURRENCIES:
        return None
    minor, rest = divmod(amount * _MINOR_PER_UNIT.get(code, 1), _UNITS_PER_MINOR.get(code, 1))
    try:
        return Money(minor, code) if rest == 0 else None
    except MoneyError:
        return None


def movement_from_wire(amount: object, currency: object) -> Movement | None:
    """The change of our balance that Stripe names, or None when we could not hold it."""
    if type(amount) is not int:
        return None
    money = from_wire(abs(amount), currency)
    if money is None:
        return None
    return Movement(money.minor if amount > 0 else -money.minor, money.currency)


# What every amount must be a multiple of, in ISO minor units, where that is not one.
STEPS: Final = {**_MINOR_PER_UNIT, **dict.fromkeys(sorted(_TENS_ONLY), 10)}


def _limits(currency: str) -> tuple[int, int]:
    step = STEPS.get(currency, 1)
    largest = _WIRE_MAX * _MINOR_PER_UNIT.get(currency, 1) // _UNITS_PER_MINOR.get(currency, 1)
    return _MINIMUM.get(currency, step), largest // step * step


LIMITS: Final = {currency: _limits(currency) for currency in sorted(CURRENCIES)}
