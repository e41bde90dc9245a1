"""PayPal's decimals: its own scale, and never a rounding."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from gateways.operation import UnsupportedOperation
from gateways.paypal import amounts
from gateways.paypal.gateway import PaypalGateway
from money.money import EXPONENTS, Money
from payments.routing import registry
from tests.gateways.paypal.account import OPTIONS

ACCOUNT = {**OPTIONS, "api_base": "https://api-m.sandbox.paypal.com"}


@st.composite
def payable(draw: st.DrawFn) -> Money:
    currency = draw(st.sampled_from(sorted(amounts.CURRENCIES)))
    step = 10 ** EXPONENTS[currency] if currency in amounts.WHOLE_ONLY else 1
    return Money(draw(st.integers(1, amounts.largest(currency) // step)) * step, currency)


class TestEveryCurrency:
    @given(payable())
    def test_goes_there_and_back_unchanged(self, sum_: Money) -> None:
        wire = amounts.write(sum_)
        assert amounts.read(wire) == sum_
        assert len(wire["value"]) <= 32

    @given(st.sampled_from(["HUF", "TWD"]), st.integers(1, 10**9))
    def test_is_refused_with_a_fraction_that_paypal_does_not_take(
        self, currency: str, minor: int
    ) -> None:
        if minor % 100:
            with pytest.raises(UnsupportedOperation):
                amounts.write(Money(minor, currency))

    def test_has_limits_that_can_be_said(self) -> None:
        for currency, (low, high) in PaypalGateway.capabilities.limits.items():
            for minor in (low, high):
                assert amounts.read(amounts.write(Money(minor, currency))) == Money(minor, currency)


class TestAnAccount:
    def test_takes_a_currency_of_its_own_country_only_if_it_says_so(
        self, settings: Settings
    ) -> None:
        assert {"BRL", "CNY", "MYR"} <= PaypalGateway.capabilities.limits.keys()
        assert PaypalGateway.currencies == amounts.EVERYWHERE
        entry = settings.GATEWAYS["paypal"]
        for named, taken in (("", amounts.EVERYWHERE), ("MYR", frozenset({"MYR"}))):
            options = {**entry["options"], **ACCOUNT, "currencies": named}
            settings.GATEWAYS = {"paypal": {**entry, "enabled": True, "options": options}}
            built = registry.build_gateway("paypal")
            assert built is not None
            assert built.currencies == taken


class TestWrite:
    @pytest.mark.parametrize(
        ("sum_", "value"),
        [
            (Money(1000, "USD"), "10.00"),
            (Money(30_000, "TWD"), "300"),
            (Money(500, "JPY"), "500"),
            (Money(100, "HUF"), "1"),
            (Money(5, "EUR"), "0.05"),
        ],
    )
    def test_uses_paypals_scale(self, sum_: Money, value: str) -> None:
        assert amounts.write(sum_) == {"currency_code": sum_.currency, "value": value}

    @pytest.mark.parametrize(
        "sum_",
        [
            Money(100_000, "VND"),
            Money(100, "INR"),
            Money(0, "USD"),
            Money(100_000_000_000_000_000, "USD"),
        ],
    )
    def test_refuses_what_paypal_does_not_take(self, sum_: Money) -> None:
        with pytest.raises(UnsupportedOperation):
            amounts.write(sum_)


class TestRead:
    @pytest.mark.parametrize(
        ("value", "currency"),
        [
            ("10.5", "JPY"),
            ("10.50", "HUF"),
            ("10.999", "USD"),
            ("-1.00", "USD"),
            ("1e3", "USD"),
            ("", "USD"),
            ("1,000.00", "USD"),
            ("1" * 33, "USD"),
            ("1.0000000000000000000000000000001", "USD"),
            ("10.00", "XXX"),
            ("10.00", None),
            (10, "USD"),
            ("١٠.٠٠", "USD"),
        ],
    )
    def test_takes_nothing_that_does_not_fit(self, value: object, currency: object) -> None:
        assert amounts.read({"value": value, "currency_code": currency}) is None

    def test_takes_what_means_the_same(self) -> None:
        for value in ("10", "10.0", "10.00", "10.000"):
            assert amounts.read({"value": value, "currency_code": "USD"}) == Money(1000, "USD")
        assert amounts.read({"value": "300.00", "currency_code": "TWD"}) == Money(30_000, "TWD")
        assert amounts.read(None) is None

    def test_never_uses_the_iso_scale_where_paypals_differs(self) -> None:
        assert amounts.write(Money(30_000, "HUF"))["value"] == str(Decimal(300))
