"""Faults on the wire, at both gateways: what is done, and what the caller hears."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests
import stripe

from tests.sandbox.player import eventually
from tests.sandbox.vnpay_shop import link_params, open_link, query, refund, request_body

if TYPE_CHECKING:
    from tests.sandbox.player import Player, Shop

BEFORE = ["refuse", "timeout_before", "http_500", "http_429", "garbage"]
AFTER = ["timeout_after", "reset_after", "cut_body", "http_500_after"]


def charge_card(player: Player, reference: str, key: str, timeout_s: float = 1.0) -> Any:
    return player.stripe(timeout_s).v1.payment_intents.create(
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
        self, player: Player, reference: str, fault: str
    ) -> None:
        player.behaviour(gateway="stripe", times=1, api={"fault": fault})
        with pytest.raises(stripe.StripeError):
            charge_card(player, reference, f"k-{reference}")
        assert player.book(reference=reference)["charges"] == []
        assert charge_card(player, reference, f"k-{reference}").status == "succeeded"
        assert player.charge(reference)["captured"] == 1999

    def test_hits_every_call_while_a_rule_without_times_stands(
        self, player: Player, reference: str
    ) -> None:
        player.behaviour(gateway="stripe", api={"fault": "http_500"})
        for _ in range(3):
            with pytest.raises(stripe.APIError):
                charge_card(player, reference, f"k-{reference}")
        player.behaviour(gateway="stripe")
        assert charge_card(player, reference, f"k-{reference}").status == "succeeded"


class TestFaultAfter:
    @pytest.mark.parametrize("fault", ["timeout_after", "reset_after", "cut_body"])
    def test_is_done_and_the_repeat_hears_of_it(
        self, player: Player, reference: str, fault: str
    ) -> None:
        player.behaviour(gateway="stripe", api={"fault": fault})
        with pytest.raises(stripe.StripeError):
            charge_card(player, reference, f"k-{reference}")
        assert player.charge(reference)["captured"] == 1999
        again = charge_card(player, reference, f"k-{reference}")
        assert again.last_response.headers["Idempotent-Replayed"] == "true"
        assert player.charge(reference)["psp_reference"] == again.id

    def test_keeps_a_stored_500_for_the_key(self, player: Player, reference: str) -> None:
        player.behaviour(gateway="stripe", times=1, api={"fault": "http_500_after"})
        for _ in range(2):
            with pytest.raises(stripe.APIError):
                charge_card(player, reference, f"k-{reference}")
        assert player.charge(reference)["captured"] == 1999

    @pytest.mark.parametrize("fault", AFTER)
    def test_refunds_once_at_vnpay_and_says_so_when_asked_again(
        self, player: Player, reference: str, fault: str
    ) -> None:
        player.behaviour(gateway="vnpay", decision="approve")
        params = link_params(reference)
        open_link(player, params)
        player.behaviour(gateway="vnpay", api={"fault": fault})
        body = request_body("refund", params)
        url = f"{player.url}/merchant_webapi/api/transaction"
        with contextlib.suppress(requests.RequestException):
            assert player.http.post(url, json=body, timeout=1).status_code == 500
        assert player.charge(reference)["refunded"] == 150_000
        assert player.http.post(url, json=body, timeout=5).json()["vnp_ResponseCode"] == "94"
        assert refund(player, params)["vnp_ResponseCode"] == "04"


class TestOtherFaults:
    def test_answers_slowly(self, player: Player, reference: str) -> None:
        player.behaviour(gateway="stripe", api={"fault": "slow:400"})
        started = time.monotonic()
        assert charge_card(player, reference, f"k-{reference}").status == "succeeded"
        assert time.monotonic() - started >= 0.4

    def test_breaks_the_query_of_a_payment_made_in_peace(
        self, player: Player, reference: str
    ) -> None:
        player.behaviour(gateway="vnpay", decision="approve")
        params = link_params(reference)
        open_link(player, params)
        player.behaviour(gateway="vnpay", api={"fault": "garbage"})
        with pytest.raises(requests.JSONDecodeError):
            query(player, params)
        player.control("reset")
        assert query(player, params)["vnp_TransactionStatus"] == "00"

    def test_delivers_the_webhook_before_the_answer(
        self, player: Player, shop: Shop, reference: str
    ) -> None:
        player.behaviour(gateway="stripe", webhook={"order": "before_answer"})
        charge_card(player, reference, f"k-{reference}", timeout_s=5)
        assert "payment_intent.succeeded" in shop.events(reference)

    def test_sends_events_last_first_when_reversed(
        self, player: Player, shop: Shop, reference: str
    ) -> None:
        player.behaviour(gateway="stripe", webhook={"order": "reversed"})
        session = player.stripe().v1.checkout.sessions.create(
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
        player.http.post(str(session.url), data=form, allow_redirects=False, timeout=10)
        eventually(lambda: len(shop.events(reference)) >= 2, "two events")
        assert shop.events(reference)[:2] == [
            "checkout.session.completed",
            "payment_intent.succeeded",
        ]
