"""Faults on the wire, at both gateways: what is done, and what the caller hears."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests
import stripe

from tests.sandbox.sandbox_process import eventually
from tests.sandbox.vnpay_client import link_params, open_link, query, refund, request_body

if TYPE_CHECKING:
    from tests.sandbox.sandbox_process import SandboxProcess, Shop

BEFORE = ["refuse", "timeout_before", "http_500", "http_429", "garbage"]
AFTER = ["timeout_after", "reset_after", "cut_body", "http_500_after"]


def charge_card(sandbox: SandboxProcess, reference: str, key: str, timeout_s: float = 1.0) -> Any:
    return sandbox.stripe(timeout_s).v1.payment_intents.create(
        {
            "amount": 1999,
            "currency": "usd",
            "confirm": True,
            "payment_method": "pm_card_visa",
            "metadata": {"reference": reference},
        },
        {"idempotency_key": key},
    )


class TestFaultBefore:
    @pytest.mark.parametrize("fault", BEFORE)
    def test_does_nothing_and_the_repeat_pays(
        self, sandbox: SandboxProcess, reference: str, fault: str
    ) -> None:
        sandbox.behaviour(gateway="stripe", times=1, api={"fault": fault})
        with pytest.raises(stripe.StripeError):
            charge_card(sandbox, reference, f"k-{reference}")
        assert sandbox.journal(reference=reference)["charges"] == []
        assert charge_card(sandbox, reference, f"k-{reference}").status == "succeeded"
        assert sandbox.charge(reference)["captured"] == 1999

    def test_hits_every_call_while_a_rule_without_times_stands(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        sandbox.behaviour(gateway="stripe", api={"fault": "http_500"})
        for _ in range(3):
            with pytest.raises(stripe.APIError):
                charge_card(sandbox, reference, f"k-{reference}")
        sandbox.behaviour(gateway="stripe")
        assert charge_card(sandbox, reference, f"k-{reference}").status == "succeeded"


class TestFaultAfter:
    @pytest.mark.parametrize("fault", ["timeout_after", "reset_after", "cut_body"])
    def test_is_done_and_the_repeat_hears_of_it(
        self, sandbox: SandboxProcess, reference: str, fault: str
    ) -> None:
        sandbox.behaviour(gateway="stripe", api={"fault": fault})
        with pytest.raises(stripe.StripeError):
            charge_card(sandbox, reference, f"k-{reference}")
        assert sandbox.charge(reference)["captured"] == 1999
        again = charge_card(sandbox, reference, f"k-{reference}")
        assert again.last_response.headers["Idempotent-Replayed"] == "true"
        assert sandbox.charge(reference)["psp_reference"] == again.id

    def test_keeps_a_stored_500_for_the_key(self, sandbox: SandboxProcess, reference: str) -> None:
        sandbox.behaviour(gateway="stripe", times=1, api={"fault": "http_500_after"})
        for _ in range(2):
            with pytest.raises(stripe.APIError):
                charge_card(sandbox, reference, f"k-{reference}")
        assert sandbox.charge(reference)["captured"] == 1999

    @pytest.mark.parametrize("fault", AFTER)
    def test_refunds_once_at_vnpay_and_says_so_when_asked_again(
        self, sandbox: SandboxProcess, reference: str, fault: str
    ) -> None:
        sandbox.behaviour(gateway="vnpay", decision="approve")
        params = link_params(reference)
        open_link(sandbox, params)
        sandbox.behaviour(gateway="vnpay", api={"fault": fault})
        body = request_body("refund", params)
        url = f"{sandbox.url}/merchant_webapi/api/transaction"
        with contextlib.suppress(requests.RequestException):
            assert sandbox.http.post(url, json=body, timeout=1).status_code == 500
        assert sandbox.charge(reference)["refunded"] == 150_000
        assert sandbox.http.post(url, json=body, timeout=5).json()["vnp_ResponseCode"] == "94"
        assert refund(sandbox, params)["vnp_ResponseCode"] == "04"


class TestOtherFaults:
    def test_answers_slowly(self, sandbox: SandboxProcess, reference: str) -> None:
        sandbox.behaviour(gateway="stripe", api={"fault": "slow:400"})
        started = time.monotonic()
        assert charge_card(sandbox, reference, f"k-{reference}").status == "succeeded"
        assert time.monotonic() - started >= 0.4

    def test_breaks_the_query_of_a_payment_made_in_peace(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        sandbox.behaviour(gateway="vnpay", decision="approve")
        params = link_params(reference)
        open_link(sandbox, params)
        sandbox.behaviour(gateway="vnpay", api={"fault": "garbage"})
        with pytest.raises(requests.JSONDecodeError):
            query(sandbox, params)
        sandbox.control("reset")
        assert query(sandbox, params)["vnp_TransactionStatus"] == "00"

    def test_delivers_the_webhook_before_the_answer(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        sandbox.behaviour(gateway="stripe", webhook={"order": "before_answer"})
        charge_card(sandbox, reference, f"k-{reference}", timeout_s=5)
        assert "payment_intent.succeeded" in shop.events(reference)

    def test_sends_events_last_first_when_reversed(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        sandbox.behaviour(gateway="stripe", webhook={"order": "reversed"})
        session = sandbox.stripe().v1.checkout.sessions.create(
            {
                "mode": "payment",
                "success_url": "http://127.0.0.1:9/ok",
                "client_reference_id": reference,
                "payment_intent_data": {"metadata": {"reference": reference}},
                "line_items": [
                    {
                        "quantity": 1,
                        "price_data": {
                            "currency": "usd",
                            "unit_amount": 1999,
                            "product_data": {"name": "Tea"},
                        },
                    }
                ],
            }
        )
        form = {"number": "4242424242424242", "expiry": "12 / 34", "cvc": "123"}
        sandbox.http.post(str(session.url), data=form, allow_redirects=False, timeout=10)
        eventually(lambda: len(shop.events(reference)) >= 2, "two events")
        assert shop.events(reference)[:2] == [
            "checkout.session.completed",
            "payment_intent.succeeded",
        ]
