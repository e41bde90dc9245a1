"""What PayPal's answers to a void or a refund mean."""

from typing import Any

import pytest

from gateways.operation import Verb
from gateways.outcome import FailureCode, OutcomeKind
from gateways.paypal.gateway import PaypalGateway
from money.money import Money
from tests.gateways.local_server import LocalServer, Reply
from tests.gateways.paypal.account import USD, amount, capture, hold, order, refusal
from tests.gateways.paypal.asking import HELD, PAID, Asking
from tests.gateways.samples import CALL_REFERENCE, operation, run


class TestVoid:
    def test_is_a_final_no_with_and_without_a_body(
        self, ask: Asking, paypal: PaypalGateway, server: LocalServer
    ) -> None:
        with_body = ask(Verb.VOID, hold("VOIDED", id="AUTH1"), HELD)
        server.reply(Reply(204, b""))
        without = run(paypal, operation(Verb.VOID, HELD))
        for outcome in (with_body, without):
            assert outcome.kind is OutcomeKind.DECLINED
            assert outcome.failure is not None
            assert outcome.failure.code is FailureCode.CANCELLED

    def test_of_what_was_let_go_before_ends_nothing_for_another_hold_may_stand(
        self, ask: Asking
    ) -> None:
        outcome = ask(Verb.VOID, refusal("PREVIOUSLY_VOIDED"), HELD, status=422)
        assert (outcome.kind, outcome.failure) == (OutcomeKind.PENDING, None)

    def test_after_the_capture_ends_nothing(self, ask: Asking) -> None:
        outcome = ask(Verb.VOID, refusal("PREVIOUSLY_CAPTURED"), HELD, status=422)
        assert outcome.kind is OutcomeKind.PENDING

    @pytest.mark.parametrize("answer", [{}, hold("VOIDED", id="AUTH2"), hold(id="AUTH1")])
    def test_without_a_clear_word_about_this_hold_is_unknown(
        self, ask: Asking, answer: dict[str, Any]
    ) -> None:
        assert ask(Verb.VOID, answer, HELD).kind is OutcomeKind.UNKNOWN


def refund(status: str = "COMPLETED", **changes: Any) -> dict[str, Any]:
    node = {"id": "R1", "status": status, "amount": amount("5.00"), "custom_id": CALL_REFERENCE}
    return {**node, **changes}


class TestRefund:
    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            ("COMPLETED", OutcomeKind.SUCCEEDED),
            ("PENDING", OutcomeKind.PENDING),
            ("FAILED", OutcomeKind.DECLINED),
            ("CANCELLED", OutcomeKind.DECLINED),
            ("NEW", OutcomeKind.UNKNOWN),
        ],
    )
    def test_is_what_its_status_says(self, ask: Asking, status: str, kind: OutcomeKind) -> None:
        outcome = ask(Verb.REFUND, refund(status), PAID, status=201, money=Money(500, "USD"))
        assert outcome.kind is kind
        assert (outcome.psp_reference, outcome.money) == ("R1", Money(500, "USD"))
        # What comes next for the payment is not a refund's to say.
        assert outcome.psp_data == {}

    @pytest.mark.parametrize("name", ["custom_id", "invoice_id"])
    def test_of_another_reference_is_unknown(self, ask: Asking, name: str) -> None:
        answer = {**refund(), "custom_id": "", name: "other"}
        assert ask(Verb.REFUND, answer, PAID, money=USD).kind is OutcomeKind.UNKNOWN

    @pytest.mark.parametrize(
        ("issue", "kind"),
        [
            ("CAPTURE_FULLY_REFUNDED", OutcomeKind.DECLINED),
            ("REFUND_FAILED_INSUFFICIENT_FUNDS", OutcomeKind.DECLINED),
            ("TRANSACTION_DISPUTED", OutcomeKind.DECLINED),
            ("DUPLICATE_INVOICE_ID", OutcomeKind.PENDING),
            ("BRAND_NEW", OutcomeKind.UNKNOWN),
        ],
    )
    def test_refused_needs_an_explicit_word(
        self, ask: Asking, issue: str, kind: OutcomeKind
    ) -> None:
        assert ask(Verb.REFUND, refusal(issue), PAID, status=422, money=USD).kind is kind

    def test_asked_about_by_its_id(self, ask: Asking) -> None:
        known: dict[str, Any] = {"refund_reference": CALL_REFERENCE, "refund_psp_reference": "R1"}
        assert ask(Verb.QUERY_REFUND, refund(), PAID, **known).kind is OutcomeKind.SUCCEEDED
        other = ask(Verb.QUERY_REFUND, refund(id="R2"), PAID, **known)
        assert other.kind is OutcomeKind.UNKNOWN

    def test_made_on_paypals_pages_carries_no_reference_of_ours(self, ask: Asking) -> None:
        found = ask(Verb.QUERY_REFUND, refund(custom_id=""), PAID, refund_psp_reference="R1")
        assert found.kind is OutcomeKind.SUCCEEDED

    def test_whose_answer_was_lost_is_found_in_its_order(self, ask: Asking) -> None:
        listed = [refund(custom_id="other"), refund(id="R7", custom_id="", invoice_id="mine")]
        answer = order("COMPLETED", captures=[capture()], refunds=listed)
        outcome = ask(Verb.QUERY_REFUND, answer, PAID, refund_reference="mine")
        assert (outcome.kind, outcome.psp_reference) == (OutcomeKind.SUCCEEDED, "R7")

    def test_that_the_order_does_not_list_was_not_made(self, ask: Asking) -> None:
        none = order("COMPLETED", captures=[capture()])
        nameless = order("COMPLETED", refunds=[refund(custom_id="")])
        asked: dict[str, Any] = {"refund_reference": "mine"}
        assert ask(Verb.QUERY_REFUND, none, PAID, **asked).kind is OutcomeKind.UNPAID
        assert ask(Verb.QUERY_REFUND, nameless, PAID, **asked).kind is OutcomeKind.UNKNOWN
        other = {**none, "id": "ANOTHER"}
        assert ask(Verb.QUERY_REFUND, other, PAID, **asked).kind is OutcomeKind.UNKNOWN

    @pytest.mark.parametrize("known_id", ["R1", ""])
    def test_that_paypal_cannot_find_may_have_been_made(self, ask: Asking, known_id: str) -> None:
        # An order may be gone long before its refunds are settled.
        gone = refusal("INVALID_RESOURCE_ID", "RESOURCE_NOT_FOUND")
        asked: dict[str, Any] = {"refund_reference": "mine", "refund_psp_reference": known_id}
        outcome = ask(Verb.QUERY_REFUND, gone, PAID, status=404, **asked)
        assert outcome.kind is OutcomeKind.UNKNOWN
