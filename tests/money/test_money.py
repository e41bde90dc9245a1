from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from money.money import EXPONENTS, MINOR_UNITS_MAX, Money, MoneyError

CURRENCIES = st.sampled_from(sorted(EXPONENTS))
MINORS = st.integers(min_value=0, max_value=MINOR_UNITS_MAX)
HALVES = st.integers(min_value=0, max_value=MINOR_UNITS_MAX // 2)


class TestMoney:
    @pytest.mark.parametrize(
        ("minor", "currency", "major"),
        [
            (50_000, "VND", "50000"),
            (1_999, "USD", "19.99"),
            (1, "USD", "0.01"),
            (1_234, "KWD", "1.234"),
            (500, "JPY", "500"),
        ],
    )
    def test_knows_the_scale_of_its_currency(self, minor: int, currency: str, major: str) -> None:
        assert Money(minor, currency).major == Decimal(major)
        assert Money.from_major(Decimal(major), currency) == Money(minor, currency)

    @pytest.mark.parametrize("minor", [-1, 1.0, "1", True, None, Decimal(1), MINOR_UNITS_MAX + 1])
    def test_refuses_what_is_no_storable_count(self, minor: object) -> None:
        with pytest.raises(MoneyError):
            Money(minor, "VND")  # type: ignore[arg-type]

    @pytest.mark.parametrize("currency", ["vnd", "XXX", "", "VN", "VNDD", "€"])
    def test_refuses_a_currency_it_does_not_know(self, currency: str) -> None:
        with pytest.raises(MoneyError):
            Money(1, currency)

    @pytest.mark.parametrize("text", ["0.001", "NaN", "Infinity", "-1", "1e30"])
    def test_refuses_a_sum_that_does_not_fit(self, text: str) -> None:
        with pytest.raises(MoneyError):
            Money.from_major(Decimal(text), "USD")

    def test_does_not_mix_currencies(self) -> None:
        with pytest.raises(MoneyError, match="VND and USD do not mix"):
            Money(1, "VND") + Money(1, "USD")

    def test_does_not_go_below_nothing(self) -> None:
        with pytest.raises(MoneyError):
            Money(1, "VND") - Money(2, "VND")

    @given(MINORS, CURRENCIES)
    def test_comes_back_from_major_units_exactly(self, minor: int, currency: str) -> None:
        money = Money(minor, currency)
        assert Money.from_major(money.major, currency) == money

    @given(MINORS, CURRENCIES)
    def test_comes_back_through_text(self, minor: int, currency: str) -> None:
        money = Money(minor, currency)
        assert Money.from_major(Decimal(str(money.major)), currency) == money

    @given(HALVES, HALVES, CURRENCIES)
    def test_gives_back_what_was_added(self, one: int, other: int, currency: str) -> None:
        left, right = Money(one, currency), Money(other, currency)
        assert left + right - right == left

    @given(st.integers(0, 10**12), st.integers(0, 1000), CURRENCIES)
    def test_multiplies_as_it_adds(self, minor: int, quantity: int, currency: str) -> None:
        money = Money(minor, currency)
        assert money * (quantity + 1) == money * quantity + money
