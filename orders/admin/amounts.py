"""Sums in the staff's searches, as people write them: ``amount>19.99``, in major units."""

import math
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

from django.db.models import Q

from backoffice.query import QueryError, Term
from money.money import EXPONENTS, MINOR_UNITS_MAX

_DIGITS: Final = sorted(set(EXPONENTS.values()))
# A bound between two minor units is moved to the one that asks for the same rows.
_ROUNDING: Final[Mapping[str, tuple[str, Callable[[Decimal], int]]]] = {
    ">": ("gt", math.floor),
    ">=": ("gte", math.ceil),
    "<": ("lt", math.ceil),
    "<=": ("lte", math.floor),
}


def amount(column: str, currency: str = "currency") -> Term:
    """A sum in the units of each row's own currency: 1000 means ₫1,000 and $1,000.00."""

    def term(operator: str, value: str) -> Q:
        sum_ = _read(value)
        whole = Q()
        for digits in _DIGITS:
            codes = [code for code, exponent in EXPONENTS.items() if exponent == digits]
            bound = _bound(column, operator, sum_.scaleb(digits))
            whole |= Q(**{f"{currency}__in": codes}) & bound
        return whole

    return term


def _bound(column: str, operator: str, minor: Decimal) -> Q:
    if operator in {":", "="}:
        is_whole = minor == minor.to_integral_value()
        return Q(**{column: int(minor)}) if is_whole else Q(pk__in=[])
    suffix, whole = _ROUNDING[operator]
    return Q(**{f"{column}__{suffix}": whole(minor)})


def _read(value: str) -> Decimal:
    try:
        read = Decimal(value)
    except InvalidOperation as error:
        raise QueryError(f"“{value}” is not a sum such as 1000 or 19.99.") from error
    largest = Decimal(MINOR_UNITS_MAX).scaleb(-max(_DIGITS))
    if not read.is_finite() or not 0 <= read <= largest:
        raise QueryError(f"“{value}” is not a sum that anybody can pay.")
    return read
