"""Stripe's amounts against ISO 4217: where its smallest unit is another, and its limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sandbox.stripe.errors import StripeError, bad_value

# ISO has no decimals here, Stripe two, of which both must be 0.
WHOLE_ONLY: Final = ("isk", "ugx")
# ISO has two decimals here, Stripe none.
ISO_TIMES_100: Final = ("mga",)
# Stripe has three decimals here, the last of which must be 0.
THREE_DECIMALS: Final = ("bhd", "jod", "kwd", "omr", "tnd")

MINIMUM: Final[Mapping[str, int]] = {
    "usd": 50, "eur": 50, "gbp": 30, "jpy": 50, "hkd": 400, "thb": 1000, "huf": 17500, "vnd": 5000,
}  # fmt: skip
AMOUNT_MAX: Final = 999_999_999_999
CODE_LENGTH: Final = 3


def check_amount(amount: int, currency: str) -> None:
    """Raise StripeError for an amount that Stripe does not charge."""
    if len(currency) != CODE_LENGTH or not currency.isalpha() or not currency.islower():
        raise bad_value("currency", f"Invalid currency: {currency}.")
    if amount < 1:
        raise bad_value("amount", "Invalid positive integer", "parameter_invalid_integer")
    if amount < MINIMUM.get(currency, 1):
        message = "Amount must convert to at least 50 cents."
        raise StripeError(400, message, code="amount_too_small", param="amount")
    if amount > AMOUNT_MAX:
        message = "Amount must be no more than the maximum."
        raise StripeError(400, message, code="amount_too_large", param="amount")
    if (currency in WHOLE_ONLY and amount % 100) or (currency in THREE_DECIMALS and amount % 10):
        raise bad_value("amount", f"This amount has decimals that {currency} does not have.")


def iso_minor(amount: int, currency: str) -> int:
    """A Stripe amount in ISO 4217 minor units."""
    if currency.lower() in WHOLE_ONLY:
        return amount // 100
    return amount * 100 if currency.lower() in ISO_TIMES_100 else amount


def stripe_amount(minor: int, currency: str) -> int:
    """ISO 4217 minor units as a Stripe amount."""
    if currency.lower() in WHOLE_ONLY:
        return minor * 100
    return minor // 100 if currency.lower() in ISO_TIMES_100 else minor
