"""Stripe's events: genuine or not, and what each of them says."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import stripe

from gateways.outcome import FailureCode, Outcome, OutcomeKind
from gateways.stripe.gateway import StripeGateway
from gateways.webhook import Delivery, Notice, Subject, WebhookRefused, WebhookResult
from money.money import Money
from tests.gateways.samples import CALL_REFERENCE, REFERENCE
from tests.gateways.stripe import psp_samples

PAID = psp_samples.event("payment_intent.succeeded", psp_samples.payment_intent())
BODY = json.dumps(PAID).encode()


def read(gateway: StripeGateway, content: dict[str, Any]) -> Notice:
    (notice,) = gateway.read_webhook(psp_samples.delivery(content))
    return notice


def outcome(gateway: StripeGateway, event_type: str, source: dict[str, Any]) -> Outcome:
    said = read(gateway, psp_samples.event(event_type, source)).outcome
    assert said is not None
    return said


def signed(header: str, body: bytes = BODY) -> Delivery:
    return Delivery(body, "", {"stripe-signature": header}, psp_samples.NOW)


class TestAGenuineEvent:
    @pytest.mark.parametrize("secret", ["whsec_new", "whsec_old"])
    def test_may_be_signed_with_any_active_secret(
        self, gateway: StripeGateway, secret: str
    ) -> None:
        (notice,) = gateway.read_webhook(psp_samples.delivery(PAID, secret))
        assert (notice.event_id, notice.event_type) == ("evt_1", "payment_intent.succeeded")

    def test_may_carry_a_signature_for_each_secret(self, gateway: StripeGateway) -> None:
        foreign = psp_samples.signature(BODY, "whsec_gone")
        ours = psp_samples.signature(BODY).partition(",")[2]
        assert gateway.read_webhook(signed(f"{foreign},{ours},v0=abc"))

    def test_may_be_five_minutes_old_and_no_more(self, gateway: StripeGateway) -> None:
        old = psp_samples.delivery(PAID)
        assert gateway.read_webhook(
            replace(old, received_at=psp_samples.NOW + timedelta(seconds=300))
        )
        with pytest.raises(WebhookRefused):
            gateway.read_webhook(replace(old, received_at=psp_samples.NOW + timedelta(seconds=301)))

    def test_is_genuine_for_the_official_library_too(self) -> None:
        header = stripe.WebhookSignature.generate_signature_header(
            BODY.decode(), psp_samples.SECRET
        )
        timestamp = int(header.partition(",")[0].removeprefix("t="))
        assert header == psp_samples.signature(BODY, timestamp=timestamp)


class TestAForgedEvent:
    @pytest.mark.parametrize(
        "forge",
        [
            pytest.param(lambda h: "", id="empty"),
            pytest.param(lambda h: h[:-1], id="short"),
            pytest.param(lambda h: h.replace("v1=", "v0="), id="other scheme"),
            pytest.param(lambda h: h.partition(",")[2], id="no time"),
            pytest.param(lambda h: h.partition(",")[0], id="no signature"),
            pytest.param(lambda h: "t=1," + h.partition(",")[2], id="other time"),
            pytest.param(lambda h: "t=1," + h, id="two times"),
            pytest.param(lambda h: h.replace("t=", "t=+"), id="signed time"),
            pytest.param(lambda h: h.replace("t=", "t=0x"), id="no number"),
            pytest.param(lambda h: h + "é", id="no ASCII"),
            pytest.param(lambda h: psp_samples.signature(BODY, "whsec_gone"), id="other secret"),
            pytest.param(lambda h: psp_samples.signature(BODY, ""), id="no secret"),
            pytest.param(lambda h: psp_samples.signature(BODY, "new"), id="secret without prefix"),
        ],
    )
    def test_is_refused(self, gateway: StripeGateway, forge: Callable[[str], str]) -> None:
        with pytest.raises(WebhookRefused):
            gateway.read_webhook(signed(forge(psp_samples.signature(BODY))))

    def test_is_refused_for_other_bytes_of_the_same_value(self, gateway: StripeGateway) -> None:
        other = json.dumps(PAID, separators=(",", ":")).encode()
        with pytest.raises(WebhookRefused):
            gateway.read_webhook(signed(psp_samples.signature(BODY), other))

    @pytest.mark.parametrize("body", [b"", b"[]", b"no JSON", b"{}", b"\xff"])
    def test_is_refused_when_it_is_no_event(self, gateway: StripeGateway, body: bytes) -> None:
        with pytest.raises(WebhookRefused):
            gateway.read_webhook(signed(psp_samples.signature(body), body))


class TestPaymentIntentEvents:
    def test_say_that_it_is_paid(self, gateway: StripeGateway) -> None:
        notice = read(gateway, PAID)
        assert (notice.reference, notice.psp_reference) == (REFERENCE, "pi_1")
        assert notice.subject is Subject.PAYMENT
        assert notice.outcome is not None
        assert notice.outcome.kind is OutcomeKind.SUCCEEDED
        assert notice.outcome.money == Money(100_000, "VND")

    def test_say_the_mode_and_the_connected_account(self, gateway: StripeGateway) -> None:
        notice = read(gateway, {**PAID, "livemode": True, "account": "acct_other"})
        assert notice.outcome is not None
        assert notice.outcome.live is True
        assert notice.outcome.account == "acct_other"

    @pytest.mark.parametrize(
        ("flow", "kind"), [("token", OutcomeKind.DECLINED), ("page", OutcomeKind.PENDING)]
    )
    def test_end_a_declined_token_but_not_a_page(
        self, gateway: StripeGateway, flow: str, kind: OutcomeKind
    ) -> None:
        failed = psp_samples.payment_intent(
            "requires_payment_method", flow=flow, last_payment_error=psp_samples.card_error()
        )
        said = outcome(gateway, "payment_intent.payment_failed", failed)
        assert said.kind is kind
        assert said.failure is not None

    def test_leave_3d_secure_on_stripe_s_page_to_that_page(self, gateway: StripeGateway) -> None:
        asked = psp_samples.payment_intent(
            "requires_action", flow="page", next_action=psp_samples.redirect()
        )
        said = outcome(gateway, "payment_intent.requires_action", asked)
        assert (said.kind, said.next_action) == (OutcomeKind.PENDING, None)

    def test_do_not_end_what_may_not_be_ours(self, gateway: StripeGateway) -> None:
        failed = psp_samples.payment_intent(
            "requires_payment_method", metadata={}, last_payment_error=psp_samples.card_error()
        )
        said = outcome(gateway, "payment_intent.payment_failed", failed)
        assert said.kind is OutcomeKind.PENDING

    @pytest.mark.parametrize(
        ("event_type", "status", "kind"),
        [
            ("payment_intent.processing", "processing", OutcomeKind.PENDING),
            ("payment_intent.requires_action", "requires_action", OutcomeKind.ACTION_REQUIRED),
            (
                "payment_intent.amount_capturable_updated",
                "requires_capture",
                OutcomeKind.AUTHORIZED,
            ),
            ("payment_intent.canceled", "canceled", OutcomeKind.DECLINED),
        ],
    )
    def test_say_what_their_object_says(
        self, gateway: StripeGateway, event_type: str, status: str, kind: OutcomeKind
    ) -> None:
        assert outcome(gateway, event_type, psp_samples.payment_intent(status)).kind is kind

    def test_pay_nothing_without_a_whole_amount(self, gateway: StripeGateway) -> None:
        said = outcome(
            gateway,
            "payment_intent.succeeded",
            psp_samples.payment_intent(amount_received="100000"),
        )
        assert (said.kind, said.money) == (OutcomeKind.UNKNOWN, None)


class TestSessionEvents:
    def test_say_that_it_is_paid(self, gateway: StripeGateway) -> None:
        paid = psp_samples.session("complete", "paid", payment_intent="pi_1")
        said = outcome(gateway, "checkout.session.completed", paid)
        assert (said.kind, said.money) == (OutcomeKind.SUCCEEDED, Money(100_000, "VND"))
        assert (said.reference, said.psp_reference) == (REFERENCE, "pi_1")

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"payment_status": "unpaid"}, id="delayed method"),
            pytest.param({"payment_status": "no_payment_required"}, id="nothing to pay"),
            pytest.param({"metadata": {"capture": "manual"}}, id="a hold"),
            pytest.param({"metadata": {}}, id="not ours"),
            pytest.param({"payment_intent": None}, id="no payment"),
        ],
    )
    def test_book_nothing_that_is_complete_and_not_paid(
        self, gateway: StripeGateway, changes: dict[str, Any]
    ) -> None:
        source = {**psp_samples.session("complete", "paid", payment_intent="pi_1"), **changes}
        said = outcome(gateway, "checkout.session.completed", source)
        assert (said.kind, said.money) == (OutcomeKind.PENDING, None)

    def test_end_with_the_page(self, gateway: StripeGateway) -> None:
        said = outcome(gateway, "checkout.session.expired", psp_samples.session("expired"))
        assert said.kind is OutcomeKind.DECLINED
        assert said.failure is not None
        assert said.failure.code is FailureCode.EXPIRED

    def test_end_with_a_delayed_no(self, gateway: StripeGateway) -> None:
        source = psp_samples.session("complete", "unpaid", payment_intent="pi_1")
        said = outcome(gateway, "checkout.session.async_payment_failed", source)
        assert said.kind is OutcomeKind.DECLINED

    def test_end_with_a_delayed_yes(self, gateway: StripeGateway) -> None:
        source = psp_samples.session("complete", "paid", payment_intent="pi_1")
        said = outcome(gateway, "checkout.session.async_payment_succeeded", source)
        assert said.kind is OutcomeKind.SUCCEEDED


class TestChargeEvents:
    @pytest.mark.parametrize("event_type", ["charge.succeeded", "charge.captured"])
    def test_say_that_it_is_paid_and_with_which_card(
        self, gateway: StripeGateway, event_type: str
    ) -> None:
        said = outcome(gateway, event_type, psp_samples.charge())
        assert (said.kind, said.money) == (OutcomeKind.SUCCEEDED, Money(100_000, "VND"))
        assert (said.reference, said.psp_reference, said.live) == (REFERENCE, "pi_1", False)
        assert said.psp_data == {
            "payment_intent": "pi_1",
            "charge": "ch_1",
            "card_brand": "visa",
            "card_last4": "4242",
        }

    @pytest.mark.parametrize(
        "changes",
        [
            {"captured": False, "amount_captured": 0},
            {"captured": "true"},
            {"amount_captured": 0},
            {"amount_captured": "100000"},
            {"currency": None},
            {"status": "pending"},
        ],
        ids=" ".join,
    )
    def test_tell_the_card_only_while_no_money_was_taken(
        self, gateway: StripeGateway, changes: dict[str, Any]
    ) -> None:
        said = outcome(gateway, "charge.succeeded", psp_samples.charge(**changes))
        assert said.kind is OutcomeKind.PENDING
        assert said.psp_data["card_last4"] == "4242"

    def test_of_somebody_else_s_charge_move_nothing(self, gateway: StripeGateway) -> None:
        # We make PaymentIntents only; another program of the same account may make charges.
        event = psp_samples.event("charge.succeeded", psp_samples.charge(payment_intent=None))
        assert read(gateway, event).outcome is None


class TestOtherEvents:
    @pytest.mark.parametrize("event_type", ["charge.updated", "charge.refunded", "charge.failed"])
    def test_of_a_charge_move_nothing_but_name_its_payment(
        self, gateway: StripeGateway, event_type: str
    ) -> None:
        notice = read(gateway, psp_samples.event(event_type, psp_samples.charge()))
        assert notice.outcome is None
        assert (notice.reference, notice.psp_reference) == (REFERENCE, "pi_1")

    @pytest.mark.parametrize(
        "content",
        [
            psp_samples.event("payment_intent.created", psp_samples.payment_intent()),
            psp_samples.event("payout.paid", {"id": "po_1", "object": "payout"}),
            psp_samples.event("something.of.tomorrow", {}),
            {"id": "evt_1", "object": "v2.core.event", "type": "v2.x", "related_object": {}},
            {"id": "evt_1", "type": "payment_intent.succeeded", "data": None},
        ],
        ids=lambda content: str(content["type"]),
    )
    def test_move_nothing(self, gateway: StripeGateway, content: dict[str, Any]) -> None:
        said = read(gateway, content).outcome
        assert said is None or said.kind is OutcomeKind.UNKNOWN


class TestRefundEvents:
    @pytest.mark.parametrize(
        ("event_type", "status", "kind"),
        [
            ("refund.created", "pending", OutcomeKind.PENDING),
            ("refund.updated", "succeeded", OutcomeKind.SUCCEEDED),
            ("refund.failed", "failed", OutcomeKind.DECLINED),
        ],
    )
    def test_are_about_the_refund_and_never_pay(
        self, gateway: StripeGateway, event_type: str, status: str, kind: OutcomeKind
    ) -> None:
        notice = read(gateway, psp_samples.event(event_type, psp_samples.refund(status)))
        assert notice.subject is Subject.REFUND
        assert (notice.reference, notice.psp_reference) == (CALL_REFERENCE, "re_1")
        assert notice.payment_psp_reference == "pi_1"
        assert notice.outcome is not None
        assert (notice.outcome.kind, notice.outcome.money) == (kind, Money(40_000, "VND"))

    def test_may_be_about_a_refund_made_in_the_dashboard(self, gateway: StripeGateway) -> None:
        made = psp_samples.refund(metadata={}, id="re_9")
        notice = read(gateway, psp_samples.event("refund.created", made))
        assert (notice.reference, notice.psp_reference) == ("", "re_9")
        assert notice.payment_psp_reference == "pi_1"

    def test_of_a_hold_that_ran_out_give_nothing_back(self, gateway: StripeGateway) -> None:
        made = psp_samples.refund(metadata={}, id="re_9", reason="expired_uncaptured_charge")
        notice = read(gateway, psp_samples.event("refund.created", made))
        assert (notice.outcome, notice.payment_psp_reference) == (None, "pi_1")


class TestDisputeEvents:
    @pytest.mark.parametrize(
        ("event_type", "status", "kind"),
        [
            ("charge.dispute.created", "needs_response", OutcomeKind.PENDING),
            ("charge.dispute.updated", "under_review", OutcomeKind.PENDING),
            ("charge.dispute.funds_withdrawn", "needs_response", OutcomeKind.SUCCEEDED),
            ("charge.dispute.funds_reinstated", "won", OutcomeKind.DECLINED),
            ("charge.dispute.closed", "lost", OutcomeKind.SUCCEEDED),
            ("charge.dispute.closed", "won", OutcomeKind.DECLINED),
            ("charge.dispute.closed", "warning_closed", OutcomeKind.DECLINED),
            ("charge.dispute.closed", "a_word_of_tomorrow", OutcomeKind.UNKNOWN),
        ],
    )
    def test_move_money_with_the_funds(
        self, gateway: StripeGateway, event_type: str, status: str, kind: OutcomeKind
    ) -> None:
        notice = read(gateway, psp_samples.event(event_type, psp_samples.dispute(status)))
        assert notice.subject is Subject.DISPUTE
        assert (notice.psp_reference, notice.payment_psp_reference) == ("du_1", "pi_1")
        assert notice.outcome is not None
        assert notice.outcome.kind is kind
        assert notice.outcome.psp_data["evidence_due_by"] == "1800000000"


class TestTheAnswer:
    @pytest.mark.parametrize(
        ("result", "status"),
        [(result, 400 if result is WebhookResult.REFUSED else 200) for result in WebhookResult],
    )
    def test_refuses_only_forgeries(
        self, gateway: StripeGateway, result: WebhookResult, status: int
    ) -> None:
        assert gateway.answer_webhook(result).status == status
