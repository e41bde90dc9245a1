"""``Prefer: wait``: the answer after the gateway has replied, within limits."""

import threading
import time
from typing import Any

import pytest
from django.db import connections
from rest_framework.test import APIClient

from accounts.models import User
from orders.models import Order
from payments.api import waiting
from payments.models import Transaction
from payments.states import Status
from tests.factories import OrderFactory, apply_outcome, begin, paid

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def order(shopper: User) -> Order:
    return OrderFactory.create(customer=shopper)


def post(api: APIClient, order: Order, prefer: str) -> Any:
    body = {
        "order_id": order.public_id,
        "amount": order.total,
        "currency": order.currency,
        "method": "vnpay",
    }
    return api.post("/payments", body, headers={"Prefer": prefer, "Idempotency-Key": "k1"})


def _pay_soon(order: Order) -> threading.Thread:
    """The worker and the gateway, a moment after the request has come in."""

    def work() -> None:
        try:
            while not (row := Transaction.objects.filter(order=order).first()):
                time.sleep(0.01)
            begin(row)
            apply_outcome(row, paid(row))
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


class TestPreferWait:
    def test_gives_the_end_of_the_payment(self, api: APIClient, order: Order) -> None:
        worker = _pay_soon(order)
        answer = post(api, order, "wait=5")
        worker.join()
        assert answer.status_code == 201
        assert answer.headers["Preference-Applied"] == "wait=5"
        assert answer.json()["status"] == Status.SUCCESS

    def test_gives_what_there_is_when_the_time_is_over(self, api: APIClient, order: Order) -> None:
        started = time.monotonic()
        answer = post(api, order, "wait=1")
        assert 0.5 < time.monotonic() - started < 3
        assert answer.status_code == 201
        assert answer.json()["status"] == Status.PENDING

    def test_works_on_a_replay_alike(self, api: APIClient, order: Order) -> None:
        worker = _pay_soon(order)
        post(api, order, "wait=5")
        worker.join()
        answer = post(api, order, "respond-async, wait=5")
        assert answer.headers["Idempotent-Replayed"] == "true"
        assert answer.headers["Preference-Applied"] == "wait=5"
        assert answer.json()["status"] == Status.SUCCESS

    @pytest.mark.parametrize("prefer", ["", "wait", "wait=", "wait=x", "wait=-1", "await=5", "x=1"])
    def test_ignores_what_it_does_not_understand(
        self, api: APIClient, order: Order, prefer: str
    ) -> None:
        answer = post(api, order, prefer)
        assert answer.status_code == 201
        assert "Preference-Applied" not in answer.headers

    def test_waits_for_no_more_than_half_of_the_threads(
        self, api: APIClient, order: Order, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(waiting, "_places", threading.BoundedSemaphore(1))
        assert waiting._places.acquire(blocking=False)
        answer = post(api, order, "wait=5")
        assert answer.status_code == 201
        assert "Preference-Applied" not in answer.headers

    def test_gives_its_place_back(self, api: APIClient, order: Order) -> None:
        places = waiting._places._value
        post(api, order, "wait=1")
        assert waiting._places._value == places

    def test_has_a_limit_of_ten_seconds(self) -> None:
        class Asked:
            headers = {"Prefer": "wait=9999"}  # noqa: RUF012 - one request

        assert waiting.seconds_asked(Asked()) == 10  # type: ignore[arg-type]
