"""Amounts that are finer than the gateway's own scale: said before anything is made."""

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from gateways.base import Gateway
from gateways.operation import UnsupportedOperation, Verb
from money.money import Money
from payments.errors import CaptureAmountRefused
from payments.models import Transaction
from payments.routing.offers import build_offers
from payments.routing.registry import gateway
from payments.routing.support import method_unsupported_reason
from payments.services import lifecycle
from payments.states import Status
from tests.factories import OrderFactory, TransactionFactory
from tests.gateways.samples import details, operation

pytestmark = pytest.mark.django_db(transaction=True)

REASON = "This way of paying takes no such small change of the currency."


def reasons(minor: int, currency: str) -> dict[str, str]:
    return {
        offer.method: str(offer.unsupported_reason)
        for offer in build_offers(Money(minor, currency))
    }


class TestSmallChange:
    def test_is_not_offered_where_the_gateway_has_no_word_for_it(self) -> None:
        assert reasons(20_050, "HUF")["paypal"] == REASON
        assert reasons(20_100, "HUF")["paypal"] == ""
        assert reasons(1_005, "KWD")["card"] == REASON
        assert reasons(1_010, "KWD")["card"] == ""

    def test_is_refused_in_the_words_of_the_page(self, api: APIClient, shopper: User) -> None:
        order = OrderFactory.create(customer=shopper, total=20_050, currency="HUF")
        body = {"order_id": order.public_id, "amount": 20_050, "currency": "HUF"}
        response = api.post("/payments", {**body, "method": "paypal"})
        assert (response.status_code, response.json()["detail"]) == (422, REASON)
        assert not Transaction.objects.exists()

    def test_cannot_be_captured_either(self) -> None:
        order = OrderFactory.create(total=10_000, currency="KWD")
        held = TransactionFactory.create(order=order, method="card", status=Status.AUTHORIZED)
        with pytest.raises(CaptureAmountRefused, match="multiples of 10 minor units"):
            lifecycle.capture_payment(transaction_id=held.pk, amount=5_005)
        assert (
            lifecycle.capture_payment(transaction_id=held.pk, amount=5_010).capture_amount == 5010
        )

    @pytest.mark.parametrize(("name", "method"), [("stripe", "card"), ("paypal", "paypal")])
    def test_is_declared_exactly_as_the_gateway_takes_it(self, name: str, method: str) -> None:
        adapter = gateway(name)
        limits = adapter.capabilities.limits
        for currency in adapter.currencies or limits:
            smallest, largest = limits[currency]
            for minor in (*range(smallest, smallest + 12), largest):
                money = Money(minor, currency)
                offered = method_unsupported_reason(adapter, method, money) is None
                assert offered is can_be_said(adapter, method, money), money


def can_be_said(adapter: Gateway, method: str, money: Money) -> bool:
    try:
        adapter.freeze(operation(Verb.CREATE, details(method=method, money=money)))
    except UnsupportedOperation:
        return False
    return True
