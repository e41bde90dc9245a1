"""What PayPal's events say: hints about a payment, a refund or a dispute."""

import json

import pytest

from gateways.operation import Verb
from gateways.outcome import OutcomeKind
from gateways.webhook import Subject, WebhookRefused
from money.money import Money
from tests.gateways.local_server import Reply
from tests.gateways.paypal.account import ORDER, TOKEN, amount, capture, created, order
from tests.gateways.paypal.receiver import EVENT, Receiver
from tests.gateways.samples import REFERENCE, operation, run


def up(path: str) -> dict[str, str]:
    return {"rel": "up", "href": f"https://api.paypal.com{path}", "method": "GET"}


class TestPaymentEvent:
    @pytest.mark.parametrize(
        "event_type",
        [
            "PAYMENT.CAPTURE.COMPLETED",
            "PAYMENT.CAPTURE.PENDING",
            "PAYMENT.CAPTURE.DENIED",
            "PAYMENT.CAPTURE.DECLINED",
            "PAYMENT.AUTHORIZATION.CREATED",
            "PAYMENT.AUTHORIZATION.VOIDED",
        ],
    )
    def test_is_a_hint_to_ask_and_moves_nothing(self, receiver: Receiver, event_type: str) -> None:
        # The signature covers a CRC-32 only: what the body says must be read again.
        notice = receiver.read({**EVENT, "event_type": event_type})
        assert (notice.reference, notice.psp_reference) == (REFERENCE, ORDER)
        assert notice.subject is Subject.PAYMENT
        assert notice.outcome is not None
        assert notice.outcome.kind is OutcomeKind.PENDING
        assert notice.outcome.next_verb is Verb.QUERY
        assert notice.outcome.psp_data == {}

    def test_of_an_approval_asks_for_the_capture(self, receiver: Receiver) -> None:
        event = {**EVENT, "event_type": "CHECKOUT.ORDER.APPROVED", "resource": order("APPROVED")}
        notice = receiver.read(event)
        assert (notice.reference, notice.psp_reference) == (REFERENCE, ORDER)
        assert notice.outcome is not None
        assert notice.outcome.kind is OutcomeKind.PENDING
        assert notice.outcome.money == Money(1999, "USD")
        assert notice.outcome.next_verb is Verb.CAPTURE

    def test_of_an_approval_leads_through_the_capture_to_the_money(
        self, receiver: Receiver
    ) -> None:
        event = {**EVENT, "event_type": "CHECKOUT.ORDER.APPROVED", "resource": order("APPROVED")}
        outcome = receiver.read(event).outcome
        assert outcome is not None
        paid = json.dumps(order("COMPLETED", captures=[capture()])).encode()
        receiver.server.reply(Reply(200, json.dumps(TOKEN).encode()), Reply(201, paid))
        assert outcome.next_verb is not None
        capture_it = operation(outcome.next_verb, created(psp_data=dict(outcome.psp_data)))
        result = run(receiver.gateway, capture_it)
        assert result.kind is OutcomeKind.SUCCEEDED

    def test_may_name_its_order_by_a_link_alone(self, receiver: Receiver) -> None:
        resource = capture(links=[up(f"/v2/checkout/orders/{ORDER}")])
        assert receiver.read({**EVENT, "resource": resource}).psp_reference == ORDER
        of_hold = capture(links=[up("/v2/payments/authorizations/AUTH1")])
        assert receiver.read({**EVENT, "resource": of_hold}).psp_reference == ""

    def test_of_a_reversed_approval_asks_about_its_order(self, receiver: Receiver) -> None:
        # It has a shape of its own, without an amount.
        resource = {"order_id": ORDER, "purchase_units": [{"reference_id": "default"}]}
        event_type = "CHECKOUT.PAYMENT-APPROVAL.REVERSED"
        notice = receiver.read({**EVENT, "event_type": event_type, "resource": resource})
        assert (notice.reference, notice.psp_reference) == ("", ORDER)
        assert notice.outcome is not None
        assert notice.outcome.next_verb == "QUERY"

    def test_without_its_order_still_carries_our_reference(self, receiver: Receiver) -> None:
        notice = receiver.read({**EVENT, "resource": capture()})
        assert (notice.reference, notice.psp_reference) == (REFERENCE, "")

    def test_of_an_unknown_type_is_kept_and_moves_nothing(self, receiver: Receiver) -> None:
        notice = receiver.read({**EVENT, "event_type": "BILLING.PLAN.CREATED"})
        assert (notice.event_type, notice.outcome) == ("BILLING.PLAN.CREATED", None)

    def test_without_an_id_is_refused(self, receiver: Receiver) -> None:
        with pytest.raises(WebhookRefused, match="no id"):
            receiver.read({**EVENT, "id": ""})

    @pytest.mark.parametrize("resource", [None, [], "x", {}, {"links": [1], "purchase_units": [1]}])
    def test_with_a_strange_resource_breaks_nothing(
        self, receiver: Receiver, resource: object
    ) -> None:
        for event_type in (
            "CHECKOUT.ORDER.APPROVED",
            "PAYMENT.CAPTURE.REFUNDED",
            "PAYMENT.CAPTURE.REVERSED",
            "CUSTOMER.DISPUTE.CREATED",
        ):
            event = {**EVENT, "event_type": event_type, "resource": resource}
            assert receiver.read(event).reference == ""


class TestRefundAndDisputeEvent:
    def test_of_a_refund_is_about_the_refund(self, receiver: Receiver) -> None:
        resource = {
            "id": "R1",
            "status": "COMPLETED",
            "amount": amount("5.00"),
            "invoice_id": "mine",
            "links": [up("/v2/payments/captures/CAP1")],
        }
        for event_type in ("PAYMENT.CAPTURE.REFUNDED", "PAYMENT.REFUND.FAILED"):
            notice = receiver.read({**EVENT, "event_type": event_type, "resource": resource})
            assert notice.subject is Subject.REFUND
            assert (notice.reference, notice.psp_reference) == ("mine", "R1")
            assert notice.payment_psp_reference == "CAP1"
            assert notice.outcome is not None
            assert notice.outcome.kind is OutcomeKind.SUCCEEDED
            assert notice.outcome.money == Money(500, "USD")
            assert notice.outcome.next_verb is Verb.QUERY_REFUND

    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [
            ("OPEN", "", OutcomeKind.PENDING),
            ("WAITING_FOR_SELLER_RESPONSE", "", OutcomeKind.PENDING),
            ("UNDER_REVIEW", "", OutcomeKind.PENDING),
            ("OTHER", "", OutcomeKind.UNKNOWN),
            ("RESOLVED", "RESOLVED_BUYER_FAVOUR", OutcomeKind.SUCCEEDED),
            ("RESOLVED", "ACCEPTED", OutcomeKind.SUCCEEDED),
            ("RESOLVED", "RESOLVED_SELLER_FAVOUR", OutcomeKind.DECLINED),
            ("RESOLVED", "RESOLVED_WITH_PAYOUT", OutcomeKind.DECLINED),
            ("RESOLVED", "CANCELED_BY_BUYER", OutcomeKind.DECLINED),
            ("RESOLVED", "NONE", OutcomeKind.UNKNOWN),
        ],
    )
    def test_of_a_dispute_says_who_has_the_money(
        self, receiver: Receiver, status: str, code: str, kind: OutcomeKind
    ) -> None:
        resource = {
            "dispute_id": "PP-D-4012",
            "status": status,
            "reason": "UNAUTHORISED",
            "dispute_amount": amount(),
            "dispute_outcome": {"outcome_code": code},
            "disputed_transactions": [{"seller_transaction_id": "CAP1", "custom": REFERENCE}],
        }
        event = {**EVENT, "event_type": "CUSTOMER.DISPUTE.UPDATED", "resource": resource}
        notice = receiver.read(event)
        assert notice.subject is Subject.DISPUTE
        assert (notice.psp_reference, notice.payment_psp_reference) == ("PP-D-4012", "CAP1")
        assert notice.reference == REFERENCE
        assert notice.outcome is not None
        assert notice.outcome.kind is kind

    @pytest.mark.parametrize(
        ("code", "minor"), [("RESOLVED_BUYER_FAVOUR", 750), ("RESOLVED_SELLER_FAVOUR", 1999)]
    )
    def test_of_a_dispute_that_cost_a_part_names_that_part(
        self, receiver: Receiver, code: str, minor: int
    ) -> None:
        resource = {
            "dispute_id": "PP-D-4012",
            "status": "RESOLVED",
            "dispute_amount": amount(),
            "dispute_outcome": {"outcome_code": code, "amount_refunded": amount("7.50")},
        }
        event = {**EVENT, "event_type": "CUSTOMER.DISPUTE.RESOLVED", "resource": resource}
        outcome = receiver.read(event).outcome
        assert outcome is not None
        assert outcome.money == Money(minor, "USD")

    def test_of_a_reversal_says_that_the_money_is_gone(self, receiver: Receiver) -> None:
        notice = receiver.read({**EVENT, "event_type": "PAYMENT.CAPTURE.REVERSED"})
        assert notice.subject is Subject.DISPUTE
        assert notice.payment_psp_reference == ORDER
        assert notice.outcome is not None
        assert notice.outcome.kind is OutcomeKind.SUCCEEDED
        assert notice.outcome.psp_data == {"capture_id": "3C679366HH908993F"}

    def test_of_a_reversal_may_show_the_refund_that_took_the_money(
        self, receiver: Receiver
    ) -> None:
        # As in PayPal's own sample: nothing of ours in it, and the capture only as a link.
        resource = {
            "id": "09E71677NS257044M",
            "status": "COMPLETED",
            "amount": amount("2.51"),
            "note_to_payer": "Payment reversed",
            "links": [
                {"rel": "self", "href": "https://api.paypal.com/v2/payments/refunds/09E71677"},
                up("/v2/payments/captures/4L335234718889942"),
            ],
        }
        event_type = "PAYMENT.CAPTURE.REVERSED"
        notice = receiver.read({**EVENT, "event_type": event_type, "resource": resource})
        assert notice.psp_reference == notice.payment_psp_reference == "4L335234718889942"
        assert notice.outcome is not None
        assert notice.outcome.psp_data == {"capture_id": "4L335234718889942"}
        assert notice.outcome.money == Money(251, "USD")
