"""Stripe's exponents, which are not ISO's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.operation import UnsupportedOperation
from gateways.stripe import amounts
from money.money import Money

MONEY = st.builds(
    Money, st.integers(min_value=0, max_value=10**13), st.sampled_from(sorted(amounts.CURRENCIES))
)


class TestAmounts:
    @given(MONEY)
    def test_come_back_as_they_went_or_are_refused(self, money: Money) -> None:
        try:
            wire = amounts.to_wire(money)
        except UnsupportedOperation:
            return
        assert amounts.from_wire(wire, money.currency.lower()) == money

    @pytest.mark.parametrize("currency", sorted(amounts.CURRENCIES))
    def test_of_every_currency_fit_at_both_limits(self, currency: str) -> None:
        for minor in amounts.LIMITS[currency]:
            money = Money(minor, currency)
            assert amounts.from_wire(amounts.to_wire(money), currency) == money

    @pytest.mark.parametrize(
        ("minor", "currency", "wire"),
        [
            (150_000, "VND", 150_000),
            (1999, "USD", 1999),
            (500, "JPY", 500),
            (5, "ISK", 500),
            (5, "UGX", 500),
            (700, "MGA", 7),
            (5120, "KWD", 5120),
            (1045, "HUF", 1045),
            (80045, "TWD", 80045),
        ],
    )
    def test_are_in_the_scale_of_stripe(self, minor: int, currency: str, wire: int) -> None:
        assert amounts.to_wire(Money(minor, currency)) == wire

    @pytest.mark.parametrize(
        ("minor", "currency"),
        [(750, "MGA"), (5124, "KWD"), (1, "TND"), (0, "USD"), (10**12, "USD"), (100, "IQD")],
    )
    def test_that_do_not_fit_are_refused_not_rounded(self, minor: int, currency: str) -> None:
        with pytest.raises(UnsupportedOperation):
            amounts.to_wire(Money(minor, currency))

    @pytest.mark.parametrize(
        ("amount", "currency"),
        [
            (True, "usd"),
            (10.0, "usd"),
            ("10", "usd"),
            (None, "usd"),
            (-1, "usd"),
            (10, None),
            (10, "xxx"),
            (10, ""),
            (10, "lyd"),
            (550, "isk"),
            (10**30, "usd"),
        ],
    )
    def test_that_stripe_could_not_mean_are_no_money(
        self, amount: object, currency: object
    ) -> None:
        assert amounts.from_wire(amount, currency) is None
