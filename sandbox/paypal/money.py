"""PayPal's money: decimal text in major units, whole for three currencies; and PayPal's fee."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final

from sandbox.pages import EXPONENTS
from sandbox.paypal.errors import invalid, refused

if TYPE_CHECKING:
    from collections.abc import Mapping

WHOLE_ONLY: Final = ("HUF", "JPY", "TWD")
CURRENCIES: Final = (
    "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "JPY",
    "MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "TWD", "USD",
)  # fmt: skip
VALUE: Final = re.compile(r"(-?[0-9]+)|(-?([0-9]+)?[.][0-9]+)")
VALUE_LENGTH_MAX: Final = 32
VALUE_MAX: Final = Decimal("999999999999999.99")

# PayPal's documented example: of 100.00 USD it keeps 3.98.
FEE_SHARE: Final = Decimal("0.0349")
FEE_FIXED: Final = Decimal("0.49")
FEE_FIXED_WHOLE: Final[Mapping[str, Decimal]] = {
    "JPY": Decimal(40),
    "TWD": Decimal(14),
    "HUF": Decimal(156),
}


@dataclass(frozen=True)
class Amount:
    """A sum in major units."""

    value: Decimal
    currency: str

    @property
    def minor(self) -> int:
        """ISO minor units, whose scale is not PayPal's for HUF and TWD."""
        return int(self.value * 10 ** EXPONENTS.get(self.currency, 2))

    def shown(self) -> dict[str, str]:
        """As PayPal writes it."""
        places = 0 if self.currency in WHOLE_ONLY else 2
        return {"currency_code": self.currency, "value": f"{self.value:.{places}f}"}

    def less(self, other: Decimal) -> Amount:
        """This sum without another of the same currency."""
        return Amount(self.value - other, self.currency)


def read(node: object, field: str, *, zero: bool = False) -> Amount:
    """An amount of a request. Raises PaypalError for anything PayPal does not take.

    ``zero`` lets nothing pass, too: a part of a sum may be nothing.
    """
    if not isinstance(node, dict):
        raise invalid("MISSING_REQUIRED_PARAMETER", field)
    value, currency = node.get("value"), node.get("currency_code")
    if value is None or currency is None:
        raise invalid("MISSING_REQUIRED_PARAMETER", f"{field}/value")
    if not isinstance(value, str) or len(value) > VALUE_LENGTH_MAX or not VALUE.fullmatch(value):
        raise invalid("INVALID_PARAMETER_SYNTAX", f"{field}/value")
    if currency not in CURRENCIES:
        raise refused("INVALID_CURRENCY_CODE")
    amount = Decimal(value)
    if amount < 0 or (amount == 0 and not zero):
        raise refused("CANNOT_BE_ZERO_OR_NEGATIVE")
    if amount > VALUE_MAX:
        raise refused("MAX_VALUE_EXCEEDED")
    _, _, decimals = value.partition(".")
    if decimals and currency in WHOLE_ONLY:
        raise refused("DECIMALS_NOT_SUPPORTED")
    if len(decimals) > 2:  # Cents.
        raise refused("DECIMAL_PRECISION")
    return Amount(amount, currency)


def stored(node: Mapping[str, str]) -> Amount:
    """An amount that was checked when it came in."""
    return Amount(Decimal(node["value"]), node["currency_code"])


def fee_of(amount: Amount) -> Amount:
    """What PayPal keeps: a share and a fixed part, and never more than there is."""
    whole = amount.currency in WHOLE_ONLY
    fixed = FEE_FIXED_WHOLE.get(amount.currency, FEE_FIXED)
    fee = (amount.value * FEE_SHARE + fixed).quantize(
        Decimal(1) if whole else Decimal("0.01"), ROUND_HALF_UP
    )
    return Amount(min(fee, amount.value), amount.currency)


def from_minor(minor: int, currency: str) -> Amount:
    """A sum from ISO minor units."""
    return Amount(Decimal(minor) / 10 ** EXPONENTS.get(currency, 2), currency)
