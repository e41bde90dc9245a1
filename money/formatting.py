"""Sums of money as people write them: ``₫50,000`` in English, ``50.000 ₫`` in Vietnamese."""

from babel.numbers import format_currency
from django.utils.translation import get_language

from money.money import EXPONENTS, Money


def format_money(money: Money, locale: str | None = None) -> str:
    """``money`` in ``locale``'s way, with exactly the digits of its ISO 4217 exponent.

    Babel's own digits come from CLDR and lie about LAK, MMK and others, so ours are forced.
    """
    digits = EXPONENTS[money.currency]
    pattern = "#,##0" + (f".{'0' * digits}" if digits else "")
    language = (locale or get_language() or "en").replace("-", "_")
    shape = f"{pattern}\u00a0¤" if language.startswith("vi") else f"¤{pattern}"
    return format_currency(
        money.major, money.currency, format=shape, locale=language, currency_digits=False
    )
