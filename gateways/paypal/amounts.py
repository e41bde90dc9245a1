"""PayPal's money: a decimal text in major units, with a scale that is PayPal's and not ISO's."""

import re
from decimal import Decimal
from typing import Final

from gateways.operation import UnsupportedOperation
from money.money import Money, MoneyError

# PayPal takes no decimals of these, though ISO 4217 gives HUF and TWD two.
WHOLE_ONLY: Final = frozenset({"HUF", "JPY", "TWD"})
# What any account can be paid in. VND is not taken at all.
_EVERYWHERE: Final = (
    "AUD CAD CHF CZK DKK EUR GBP HKD HUF ILS JPY MXN NOK NZD PHP PLN SEK SGD THB TWD USD"
)
EVERYWHERE: Final = frozenset(_EVERYWHERE.split())
# Three more are for accounts of their own country only.
CURRENCIES: Final = EVERYWHERE | {"BRL", "CNY", "MYR"}
_VALUE_MAX: Final = Decimal("999999999999999.99")
_DECIMALS: Final = 2
_VALUE: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,16})?|\.[0-9]{1,16}")


# What every amount is a multiple of, in ISO minor units: the yen has no decimals anyway.
STEPS: Final = dict.fromkeys(sorted(WHOLE_ONLY - {"JPY"}), 100)


def smallest(currency: str) -> int:
    """The smallest amount that can be said, in ISO minor units."""
    return STEPS.get(currency, 1)


def largest(currency: str) -> int:
    """The largest amount that can be said, in ISO minor units."""
    whole = int(_VALUE_MAX)
    if currency in WHOLE_ONLY:
        return whole * STEPS.get(currency, 1)
    return int(_VALUE_MAX * 100)


def write(money: Money) -> dict[str, str]:
    """``{"currency_code", "value"}``. Raises ``UnsupportedOperation``; nothing is rounded."""
    major = money.major
    places = 0 if money.currency in WHOLE_ONLY else _DECIMALS
    if money.currency not in CURRENCIES:
        raise UnsupportedOperation(f"PayPal does not take {money.currency}")
    if not 0 < major <= _VALUE_MAX or major != round(major, places):
        raise UnsupportedOperation(f"PayPal cannot be told {major} {money.currency}")
    return {"currency_code": money.currency, "value": f"{major:.{places}f}"}


def read(node: object) -> Money | None:
    """The money of an answer; None for whatever does not fit its currency exactly."""
    if not isinstance(node, dict):
        return None
    value, currency = node.get("value"), node.get("currency_code")
    if not isinstance(value, str) or not isinstance(currency, str) or not _VALUE.fullmatch(value):
        return None
    major = Decimal(value)
    if currency in WHOLE_ONLY and major != int(major):
        return None
    try:
        return Money.from_major(major, currency)
    except MoneyError:
        return None
