"""Money that moves at the emulated Stripe after a payment: refunds, disputes, payouts."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
import stripe

from tests.sandbox.sandbox_process import eventually
from tests.sandbox.stripe_client import pay_by_card

if TYPE_CHECKING:
    from tests.sandbox.sandbox_process import SandboxProcess, Shop


class TestRefunds:
    def test_give_parts_back_up_to_the_charge(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        intent, refunds = pay_by_card(sandbox, reference), sandbox.stripe().v1.refunds
        first = refunds.create({"payment_intent": intent, "amount": 4000})
        assert (first.status, first.amount) == ("succeeded", 4000)
        with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
            refunds.create({"payment_intent": intent, "amount": 6001})
        assert refunds.create({"payment_intent": intent}).amount == 6000
        with pytest.raises(stripe.InvalidRequestError) as caught:
            refunds.create({"payment_intent": intent})
        assert caught.value.code == "charge_already_refunded"
        charge = sandbox.charge(reference)
        assert (charge["status"], charge["refunded"]) == ("refunded", 10_000)
        eventually(lambda: shop.events(reference).count("charge.refunded") == 2)

    def test_can_fail_after_they_had_succeeded(
        self, own_sandbox: SandboxProcess, own_shop: Shop, reference: str
    ) -> None:
        intent = pay_by_card(own_sandbox, reference, "pm_card_refundFail")
        refund = own_sandbox.stripe().v1.refunds.create({"payment_intent": intent})
        assert refund.status == "succeeded"
        own_sandbox.control("clock", advance_s=10)
        failed = own_sandbox.stripe().v1.refunds.retrieve(refund.id)
        assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
        charge = own_sandbox.charge(reference)
        assert (charge["status"], charge["refunded"]) == ("captured", 0)
        eventually(
            lambda: any(b'"refund.failed"' in got.body for got in own_shop.received),
            "refund.failed",
        )

    def test_can_be_slow(self, own_sandbox: SandboxProcess, reference: str) -> None:
        intent = pay_by_card(own_sandbox, reference, "pm_card_pendingRefund")
        refund = own_sandbox.stripe().v1.refunds.create({"payment_intent": intent})
        assert refund.status == "pending"
        own_sandbox.control("clock", advance_s=10)
        assert own_sandbox.stripe().v1.refunds.retrieve(refund.id).status == "succeeded"

    def test_need_a_captured_charge(self, sandbox: SandboxProcess, reference: str) -> None:
        intent = sandbox.stripe().v1.payment_intents.create({"amount": 500, "currency": "usd"})
        with pytest.raises(stripe.InvalidRequestError) as caught:
            sandbox.stripe().v1.refunds.create({"payment_intent": intent.id})
        assert caught.value.code == "payment_intent_unexpected_state"


class TestDisputes:
    def test_open_by_card_and_block_refunds(
        self, sandbox: SandboxProcess, shop: Shop, reference: str
    ) -> None:
        intent = pay_by_card(sandbox, reference, "pm_card_createDispute")
        dispute = sandbox.stripe().v1.disputes.list({"payment_intent": intent}).data[0]
        assert (dispute.status, dispute.amount) == ("needs_response", 10_000)
        assert dispute.balance_transactions[0].net == -11_500
        with pytest.raises(stripe.InvalidRequestError) as caught:
            sandbox.stripe().v1.refunds.create({"payment_intent": intent})
        assert caught.value.code == "charge_disputed"
        assert sandbox.journal(reference=reference)["disputes"][0]["status"] == "open"
        eventually(
            lambda: any(b"dispute.funds_withdrawn" in got.body for got in shop.received),
            "funds_withdrawn",
        )

    @pytest.mark.parametrize("outcome", ["won", "lost"])
    def test_end_as_the_control_interface_says(
        self, sandbox: SandboxProcess, shop: Shop, reference: str, outcome: str
    ) -> None:
        intent = pay_by_card(sandbox, reference)
        dispute = {"gateway": "stripe", "psp_reference": intent}
        assert sandbox.control("disputes", **dispute, outcome="open")["status"] == "open"
        assert sandbox.control("disputes", **dispute, outcome=outcome)["status"] == outcome
        assert len(sandbox.journal(reference=reference)["disputes"]) == 1
        reinstated = b"dispute.funds_reinstated"
        eventually(lambda: any(b"dispute.closed" in got.body for got in shop.received), "closed")
        assert any(reinstated in got.body for got in shop.received) == (outcome == "won")

    def test_are_refused_for_money_that_was_not_taken(self, sandbox: SandboxProcess) -> None:
        answer = sandbox.http.post(
            f"{sandbox.url}/control/disputes",
            json={"gateway": "stripe", "psp_reference": "pi_nobody", "outcome": "open"},
            timeout=5,
        )
        assert answer.status_code == 400


class TestBalance:
    def test_agrees_with_the_settled_lines_whatever_happened(
        self, own_sandbox: SandboxProcess, reference: str
    ) -> None:
        client = own_sandbox.stripe()
        for number, card in enumerate(("pm_card_refundFail", "pm_card_pendingRefund")):
            intent = pay_by_card(own_sandbox, f"{reference}{number}", card)
            client.v1.refunds.create({"payment_intent": intent, "amount": 500})
        for number, outcome in enumerate(("won", "lost", "inquiry")):
            intent = pay_by_card(own_sandbox, f"{reference}a{number}")
            own_sandbox.control("disputes", gateway="stripe", psp_reference=intent, outcome=outcome)
        own_sandbox.control("clock", advance_s=10)
        moved = client.v1.balance_transactions.list({"limit": 100}).data
        lines = [line for day in (0, 1) for line in self.lines(own_sandbox, day)]
        assert sorted((x["gross"], x["fee"], x["net"]) for x in lines) == sorted(
            (x.amount, x.fee, x.net) for x in moved
        )
        assert sorted(line["type"] for line in lines) == sorted(
            [*["payment"] * 5, *["refund"] * 2, "refund_reversal", *["dispute"] * 2,
             "dispute_reversal"]
        )  # fmt: skip

    def lines(self, sandbox: SandboxProcess, days: int) -> list[Any]:
        day = datetime.now(timezone(timedelta(hours=7))) + timedelta(days=days)
        query = {"gateway": "stripe", "date": day.date().isoformat()}
        answer = sandbox.http.get(f"{sandbox.url}/control/settlement", params=query, timeout=10)
        found: list[Any] = answer.json()["lines"]
        return found


class TestPayouts:
    def test_group_what_has_become_available(
        self, own_sandbox: SandboxProcess, reference: str
    ) -> None:
        for number in range(2):
            pay_by_card(own_sandbox, f"{reference}{number}")
        own_sandbox.control("clock", advance_s=10)
        own_sandbox.control("clock", advance_s=4 * 86_400)
        client = own_sandbox.stripe()
        payout = client.v1.payouts.list().data[0]
        assert (payout.status, payout.amount) == ("paid", 2 * 9_680)
        assert payout.reconciliation_status == "in_progress"
        with pytest.raises(stripe.InvalidRequestError) as early:
            client.v1.balance_transactions.list({"payout": payout.id})
        assert early.value.code == "payout_reconciliation_not_ready"
        own_sandbox.control("clock", advance_s=600)
        assert client.v1.payouts.retrieve(payout.id).reconciliation_status == "completed"
        lines = client.v1.balance_transactions.list(
            {"payout": payout.id, "expand": ["data.source"], "limit": 100}
        ).data
        nets = [line.net for line in lines if line.type != "payout"]
        assert sum(nets) == payout.amount
        assert {line.source.object for line in lines} == {"charge", "payout"}
