"""Money: whole minor units of one ISO 4217 currency. Nothing here rounds."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

# ISO 4217 (List One): how many decimal digits the minor unit stands for. A currency that is
# not listed here cannot be sold in. Babel's digits come from CLDR and differ (LAK, MMK, …),
# so they are for display only.
_ZERO: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_TWO: Final = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BWP BYN BZD CAD "
    "CDF CHF CNY COP CRC CVE CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GTQ GYD HKD HNL "
    "HTG HUF IDR ILS INR JMD KES KGS KHR KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP "
    "MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD SAR SBD "
    "SCR SEK SGD SHP SLE SOS SRD STN SZL THB TJS TOP TRY TTD TWD TZS UAH USD UYU UZS WST XCD YER "
    "ZAR ZMW"
)
_THREE: Final = "BHD IQD JOD KWD LYD OMR TND"

EXPONENTS: Final[dict[str, int]] = {
    **dict.fromkeys(_ZERO.split(), 0),
    **dict.fromkeys(_TWO.split(), 2),
    **dict.fromkeys(_THREE.split(), 3),
}

# PostgreSQL's BIGINT; an amount beyond it cannot be stored, so it cannot be owed.
MINOR_UNITS_MAX: Final = 2**63 - 1


class MoneyError(ValueError):
    """A sum that cannot be expressed exactly, or two currencies that do not mix."""


@dataclass(frozen=True, slots=True)
class Money:
    """``minor`` units (cents, đồng) of ``currency``; never negative: direction is a verb."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int or not 0 <= self.minor <= MINOR_UNITS_MAX:
            raise MoneyError(f"not a whole, storable number of minor units: {self.minor!r}")
        if self.currency not in EXPONENTS:
            raise MoneyError(f"not a currency we know: {self.currency!r}")

    def __add__(self, other: "Money") -> "Money":
        self._require_same_currency(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._require_same_currency(other)
        return Money(self.minor - other.minor, self.currency)

    def __mul__(self, quantity: int) -> "Money":
        return Money(self.minor * quantity, self.currency)

    def _require_same_currency(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise MoneyError(f"{self.currency} and {other.currency} do not mix")

    @property
    def major(self) -> Decimal:
        """The same sum in major units, exactly: ``Money(1999, "USD").major`` is 19.99."""
        return Decimal(self.minor).scaleb(-EXPONENTS[self.currency])

    @classmethod
    def from_major(cls, major: Decimal, currency: str) -> "Money":
        """Read a sum in major units; what does not fit the minor unit is refused."""
        if currency not in EXPONENTS or not major.is_finite():
            raise MoneyError(f"not a sum of money: {major} {currency}")
        minor = major.scaleb(EXPONENTS[currency])
        if minor != minor.to_integral_value():
            raise MoneyError(f"{major} has more decimals than {currency}")
        return cls(int(minor), currency)
