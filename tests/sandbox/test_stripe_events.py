"""Events of the emulated Stripe: signatures, retries, lies."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest
import stripe

from tests.sandbox.sandbox_process import STRIPE_SECRETS, eventually
from tests.sandbox.stripe_client import create_intent

if TYPE_CHECKING:
    from tests.sandbox.sandbox_process import SandboxProcess, Shop


def tries(sandbox: SandboxProcess, reference: str, kind: str) -> int:
    """How often Stripe has tried to tell of ``kind``."""
    (event,) = (
        each for each in sandbox.journal(reference=reference)["webhooks"] if each["type"] == kind
    )
    return len(event["attempts"])


def tried_more(sandbox: SandboxProcess, reference: str, kind: str, made: int) -> bool:
    return tries(sandbox, reference, kind) > made


class TestEvents:
    def test_are_signed_with_every_secret(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        intent = create_intent(sandbox, reference)
        eventually(lambda: "payment_intent.succeeded" in shop.events(reference))
        got = shop.about(reference)[0]
        for secret in STRIPE_SECRETS:
            event = sandbox.stripe().construct_event(
                got.body, got.headers["Stripe-Signature"], secret
            )
            assert event.data.object.id == intent.id
        assert event.api_version == "2026-10-28.endive"
        assert event.livemode is False
        assert event.request.id == intent.last_response.headers["Request-Id"]

    def test_tell_the_late_balance_transaction(
        self, own_sandbox: SandboxProcess, own_shop: Shop, reference: str
    ) -> None:
        create_intent(own_sandbox, reference)
        own_sandbox.control("clock", advance_s=5)
        eventually(lambda: "charge.updated" in own_shop.events(reference))
        assert own_shop.events(reference) == ["payment_intent.succeeded", "charge.updated"]

    def test_are_retried_with_a_fresh_signature(
        self, own_sandbox: SandboxProcess, own_shop: Shop, reference: str
    ) -> None:
        own_shop.answers[:] = [(500, b"")]
        create_intent(own_sandbox, reference)
        eventually(lambda: own_shop.events(reference))
        own_sandbox.control("clock", advance_s=601)
        eventually(lambda: own_shop.events(reference).count("payment_intent.succeeded") == 2)
        first, second = (
            got for got in own_shop.received if b'"payment_intent.succeeded"' in got.body
        )
        assert first.json()["id"] == second.json()["id"]
        assert first.headers["Stripe-Signature"] != second.headers["Stripe-Signature"]

    def test_are_given_up_after_three_retries(
        self, own_sandbox: SandboxProcess, own_shop: Shop, reference: str
    ) -> None:
        kind = "payment_intent.succeeded"
        own_shop.answer = (500, b"")
        create_intent(own_sandbox, reference)
        eventually(lambda: tries(own_sandbox, reference, kind) == 1, "the first try")
        for made, minutes in enumerate((10, 60, 120), start=1):
            own_sandbox.control("clock", advance_s=minutes * 60 - 30)
            assert tries(own_sandbox, reference, kind) == made
            own_sandbox.control("clock", advance_s=31)
            eventually(partial(tried_more, own_sandbox, reference, kind, made), "a retry")
        own_sandbox.control("clock", advance_s=7 * 24 * 3600)
        time.sleep(0.2)
        assert tries(own_sandbox, reference, kind) == 4

    @pytest.mark.parametrize(
        ("corrupt", "path", "value"),
        [
            ("amount", ("data", "object", "amount"), 150_100),
            ("currency", ("data", "object", "currency"), "eur"),
            ("account", ("account",), "acct_other"),
            ("mode", ("livemode",), True),
        ],
    )
    def test_lie_under_a_good_signature(
        self,
        sandbox: SandboxProcess,
        shop: Shop,
        reference: str,
        corrupt: str,
        path: tuple[str, ...],
        value: object,
    ) -> None:
        sandbox.behaviour(gateway="stripe", webhook={"corrupt": corrupt})
        create_intent(sandbox, reference)
        eventually(lambda: shop.events(reference))
        got = shop.about(reference)[0]
        sandbox.stripe().construct_event(
            got.body, got.headers["Stripe-Signature"], STRIPE_SECRETS[0]
        )
        node = got.json()
        for part in path:
            node = node[part]
        assert node == value

    @pytest.mark.parametrize("corrupt", ["signature", "body"])
    def test_break_the_signature(
        self, sandbox: SandboxProcess, shop: Shop, reference: str, corrupt: str
    ) -> None:
        sandbox.behaviour(gateway="stripe", webhook={"corrupt": corrupt})
        create_intent(sandbox, reference)
        eventually(lambda: shop.events(reference))
        got = shop.about(reference)[0]
        with pytest.raises(stripe.SignatureVerificationError):
            sandbox.stripe().construct_event(
                got.body, got.headers["Stripe-Signature"], STRIPE_SECRETS[0]
            )
        assert json.loads(got.body)["type"] == "payment_intent.succeeded"

    def test_can_be_listed_by_delivery(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        shop.answer = (500, b"")
        intent = create_intent(sandbox, reference)
        eventually(lambda: shop.events(reference))
        time.sleep(0.1)
        events = sandbox.stripe().v1.events.list(
            {"delivery_success": False, "types": ["payment_intent.succeeded"], "limit": 100}
        )
        assert intent.id in {event.data.object.id for event in events.data}
