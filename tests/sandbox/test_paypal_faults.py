"""PayPal from the shop's side when something breaks."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.sandbox.paypal_client import ORDERS, Caller, event, new_key, order_body
from tests.sandbox.sandbox_process import PAYPAL_KEYS, eventually

if TYPE_CHECKING:
    from tests.sandbox.sandbox_process import SandboxProcess, Shop


@pytest.fixture
def app(sandbox: SandboxProcess) -> Caller:
    return Caller(sandbox)


@pytest.fixture
def own_app(own_sandbox: SandboxProcess) -> Caller:
    return Caller(own_sandbox)


class TestFaults:
    @pytest.mark.parametrize("fault", ["refuse", "timeout_before", "http_500", "garbage"])
    def test_before_do_nothing(self, app: Caller, reference: str, fault: str) -> None:
        app.sandbox.behaviour(gateway="paypal", reference=reference, api={"fault": fault})
        body, key = order_body(reference), new_key()
        assert not heard(app, body, key)
        assert app.sandbox.journal(reference=reference)["charges"] == []
        app.sandbox.behaviour(gateway="paypal", reference=reference)
        assert heard(app, body, key)

    @pytest.mark.parametrize(
        "fault", ["timeout_after", "reset_after", "cut_body", "http_500_after"]
    )
    def test_after_are_done_and_the_repeat_hears_it(
        self, app: Caller, reference: str, fault: str
    ) -> None:
        app.sandbox.behaviour(gateway="paypal", reference=reference, api={"fault": fault})
        body, key = order_body(reference), new_key()
        assert not heard(app, body, key)
        made = app.sandbox.charge(reference)["psp_reference"]
        again = eventually(lambda: heard(app, body, key), "an answer")
        assert again["id"] == made

    def test_after_never_keep_the_token_from_a_shop(self, app: Caller, reference: str) -> None:
        app.sandbox.behaviour(gateway="paypal", api={"fault": "reset_after"})
        app.renew()
        assert not heard(app, order_body(reference), new_key())
        assert app.sandbox.charge(reference)["status"] == "open"

    def test_before_take_the_whole_gateway_down(self, app: Caller) -> None:
        app.sandbox.behaviour(gateway="paypal", api={"fault": "http_500"})
        assert app.ask_token(PAYPAL_KEYS["PAYPAL_SECRET"]).status_code == 500


def heard(app: Caller, body: dict[str, Any], key: str) -> Any:
    """The order, or None where no answer came or none that says so."""
    try:
        answer = app.post(ORDERS, body, key=key, timeout_s=0.5)
        return answer.json() if answer.status_code == 200 else None
    except requests.RequestException:
        return None


class TestRestart:
    def test_keeps_orders_tokens_and_request_ids(
        self, own_app: Caller, own_shop: Shop, reference: str
    ) -> None:
        own_app.sandbox.behaviour(
            gateway="paypal", reference=reference, decision="approve", decide_after_ms=5000
        )
        key, body = new_key(), order_body(reference)
        order = own_app.post(ORDERS, body, key=key).json()
        own_app.sandbox.end(signal.SIGKILL)
        own_app.sandbox.start()
        assert own_app.post(ORDERS, body, key=key).json() == order
        own_app.sandbox.control("clock", advance_s=6)
        event(own_shop, reference, "CHECKOUT.ORDER.APPROVED")
        answer = own_app.post(f"{ORDERS}/{order['id']}/capture", key=new_key())
        assert answer.status_code == 201
        assert own_app.sandbox.charge(reference)["captured"] == 1999
