"""What a shopper is told while a gateway is down: at once, and without a reload."""

from datetime import timedelta
from typing import Final

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from gateways.outcome import Outcome, OutcomeKind
from orders.models import Order
from payments.routing import breaker
from payments.states import Status
from tests.factories import TransactionFactory

HINT: Final = "It does not answer at the moment. Another way to pay is quicker now."
SLOW: Final = "takes longer than usual to answer"

pytestmark = pytest.mark.django_db(transaction=True)


def hold_back(gateway: str) -> None:
    silence = [Outcome(OutcomeKind.UNKNOWN)] * breaker.FAILURES_TO_OPEN
    breaker.note(gateway_name=gateway, outcomes=silence)


class TestPayPage:
    def test_names_the_way_that_does_not_answer(self, client: Client, link: str) -> None:
        assert HINT not in client.get(link).content.decode()
        hold_back("momo")
        page = client.get(link).content.decode()
        assert page.count(HINT) == 1
        assert 'aria-describedby="hint-momo down-momo"' in page

    def test_says_nothing_while_another_gateway_stands_in(
        self, client: Client, link: str, settings: Settings
    ) -> None:
        settings.METHOD_GATEWAYS = {"card": ("stripe", "momo")}
        hold_back("stripe")
        assert HINT not in client.get(link).content.decode()
        hold_back("momo")
        assert HINT in client.get(link).content.decode()

    def test_says_nothing_of_a_gateway_whose_links_need_no_call(
        self, client: Client, link: str
    ) -> None:
        hold_back("vnpay")
        assert HINT not in client.get(link).content.decode()


class TestConnecting:
    def test_offers_another_way_at_once_when_the_gateway_is_known_to_be_down(
        self, client: Client, link: str, order: Order
    ) -> None:
        TransactionFactory.create(order=order, method="momo", status=Status.PENDING)
        assert SLOW not in client.get(f"{link}/status").content.decode()
        hold_back("momo")
        page = client.get(f"{link}/status").content.decode()
        assert SLOW in page
        assert "Pay in another way" in page

    def test_makes_an_open_page_say_so_once_it_takes_long(
        self, client: Client, link: str, order: Order
    ) -> None:
        TransactionFactory.create(order=order, status=Status.PROCESSING)
        assert 'data-words="connecting"' in client.get(f"{link}/status").content.decode()
        assert client.get(f"{link}/status.json").json()["words"] == "connecting"
        with time_machine.travel(timezone.now() + timedelta(seconds=20)):
            assert client.get(f"{link}/status.json").json()["words"] == "connecting slow"
            page = client.get(f"{link}/status").content.decode()
        assert 'data-words="connecting slow"' in page
