"""What PayPal's answers mean, verb by verb."""

from datetime import timedelta
from typing import Any

import pytest

from gateways.operation import CaptureMethod, Json, Verb
from gateways.outcome import FailureCode, OutcomeKind
from gateways.paypal.order import read_order
from gateways.psp_urls import PspUrls
from money.money import Money
from tests.gateways.paypal.account import (
    MERCHANT,
    ORDER,
    PAGE,
    USD,
    amount,
    capture,
    created,
    details,
    hold,
    order,
    refusal,
)
from tests.gateways.paypal.asking import HELD, Asking
from tests.gateways.samples import REFERENCE, operation


class TestCreate:
    @pytest.mark.parametrize("status", [200, 201])
    @pytest.mark.parametrize("rel", ["payer-action", "approve"])
    def test_leads_to_the_page_under_either_of_its_names(
        self, ask: Asking, status: int, rel: str
    ) -> None:
        answer = order("CREATED" if rel == "approve" else "PAYER_ACTION_REQUIRED")
        answer["links"] = [{"href": "x", "rel": "self"}, {"href": PAGE, "rel": rel}]
        outcome = ask(Verb.CREATE, answer, details(), status=status)
        assert outcome.kind is OutcomeKind.ACTION_REQUIRED
        assert outcome.next_action is not None
        assert outcome.next_action.url == PAGE
        assert (outcome.psp_reference, outcome.reference) == (ORDER, REFERENCE)
        assert outcome.account == MERCHANT

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "http://www.paypal.com/checkoutnow?token=1",
            "https://www.paypal.com.evil.example/",
            "https://evil.example\\.paypal.com/",
            "https://evil.example@www.paypal.com/",
            "javascript:alert(1)",
            "javascript://localhost/%0aalert(1)",
            "http://localhost@evil.example/",
            "http://localhost.evil.example/",
        ],
    )
    def test_hands_out_no_page_that_is_not_paypals(self, ask: Asking, url: str) -> None:
        answer = {**order("CREATED"), "links": [{"href": url, "rel": "approve"}]}
        outcome = ask(Verb.CREATE, answer, details())
        assert (outcome.kind, outcome.next_action) == (OutcomeKind.UNKNOWN, None)

    @pytest.mark.parametrize("base", ["http://127.0.0.1:8100", "https://api-m.paypal.com"])
    def test_hands_out_a_page_of_this_machine_only_if_paypal_is_played_there(
        self, base: str
    ) -> None:
        page = {"href": "http://localhost:8200/checkoutnow?token=1", "rel": "payer-action"}
        answer = {**order("PAYER_ACTION_REQUIRED"), "links": [page]}
        outcome = read_order(operation(Verb.CREATE, details()), answer, PspUrls(base, "paypal.com"))
        is_played = base.startswith("http:")
        assert (outcome.next_action is not None) is is_played

    def test_of_another_amount_is_unknown(self, ask: Asking) -> None:
        assert ask(Verb.CREATE, order("CREATED"), details(money=Money(1, "USD"))).kind is (
            OutcomeKind.UNKNOWN
        )

    def test_repeated_tells_how_far_the_order_has_come(self, ask: Asking) -> None:
        # PayPal answers a repeated key with the latest state, not with the first answer.
        paid = ask(Verb.CREATE, order("COMPLETED", captures=[capture()]), details())
        approved = ask(Verb.CREATE, order("APPROVED"), details())
        assert paid.kind is OutcomeKind.SUCCEEDED
        assert approved.next_verb is Verb.CAPTURE

    @pytest.mark.parametrize(
        ("status", "content", "failure"),
        [
            (400, refusal("MISSING_REQUIRED_PARAMETER", "INVALID_REQUEST"), "invalid_request"),
            (400, refusal("PAYPAL_REQUEST_ID_REQUIRED", "INVALID_REQUEST"), "invalid_request"),
            (422, refusal("AMOUNT_MISMATCH"), "invalid_request"),
            (422, refusal("MAX_VALUE_EXCEEDED"), "limit_exceeded"),
        ],
    )
    def test_refused_by_an_explicit_word_is_declined(
        self, ask: Asking, status: int, content: object, failure: str
    ) -> None:
        outcome = ask(Verb.CREATE, content, details(), status=status)
        assert outcome.kind is OutcomeKind.DECLINED
        assert outcome.failure is not None
        assert outcome.failure.code == failure

    @pytest.mark.parametrize(
        "issue",
        ["DUPLICATE_INVOICE_ID", "DUPLICATE_REQUEST_ID", "PAYPAL_REQUEST_ID_PREVIOUSLY_USED"],
    )
    def test_with_a_used_id_is_never_a_decline(self, ask: Asking, issue: str) -> None:
        outcome = ask(Verb.CREATE, refusal(issue), details(), status=422)
        assert outcome.kind is OutcomeKind.UNKNOWN


class TestQuery:
    @pytest.mark.parametrize("status", ["CREATED", "SAVED", "PAYER_ACTION_REQUIRED"])
    def test_before_approval_is_unpaid(self, ask: Asking, status: str) -> None:
        outcome = ask(Verb.QUERY, order(status))
        assert outcome.kind is OutcomeKind.UNPAID
        assert outcome.next_verb is None

    def test_of_an_approval_asks_for_the_capture(self, ask: Asking) -> None:
        outcome = ask(Verb.QUERY, order("APPROVED"))
        assert outcome.kind is OutcomeKind.UNPAID
        assert outcome.next_verb is Verb.CAPTURE

    @pytest.mark.parametrize(("minutes", "verb"), [(9, None), (10, Verb.CAPTURE)])
    def test_of_an_approval_that_met_a_decline_is_tried_again_after_a_while(
        self, ask: Asking, minutes: int, verb: Verb | None
    ) -> None:
        # An approved order does not say when it was approved.
        declined_at = operation(Verb.QUERY).now - timedelta(minutes=minutes)
        declined = created(psp_data={"declined_at": declined_at.isoformat()})
        assert ask(Verb.QUERY, order("APPROVED"), declined).next_verb is verb

    def test_before_another_approval_forgets_the_decline(self, ask: Asking) -> None:
        now = operation(Verb.QUERY).now.isoformat()
        waiting = ask(Verb.QUERY, order("CREATED"), created(psp_data={"declined_at": now}))
        assert waiting.psp_data == {"declined_at": ""}
        again = created(psp_data=dict(waiting.psp_data))
        assert ask(Verb.QUERY, order("APPROVED"), again).next_verb is Verb.CAPTURE

    def test_of_a_capture_is_paid(self, ask: Asking) -> None:
        outcome = ask(Verb.QUERY, order("COMPLETED", captures=[capture()]))
        assert (outcome.kind, outcome.money) == (OutcomeKind.SUCCEEDED, USD)
        assert outcome.psp_reference == ORDER
        assert outcome.psp_data["capture_id"] == "3C679366HH908993F"
        assert outcome.psp_data["paypal_fee"] == "1.19 USD"

    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            ("COMPLETED", OutcomeKind.SUCCEEDED),
            ("REFUNDED", OutcomeKind.SUCCEEDED),
            ("PARTIALLY_REFUNDED", OutcomeKind.SUCCEEDED),
            ("PENDING", OutcomeKind.PENDING),
            ("DECLINED", OutcomeKind.DECLINED),
            ("FAILED", OutcomeKind.DECLINED),
            ("SOMETHING_NEW", OutcomeKind.UNKNOWN),
            ("", OutcomeKind.UNKNOWN),
        ],
    )
    def test_of_a_completed_order_looks_at_its_capture(
        self, ask: Asking, status: str, kind: OutcomeKind
    ) -> None:
        assert ask(Verb.QUERY, order("COMPLETED", captures=[capture(status)])).kind is kind

    def test_of_a_completed_order_without_a_payment_is_unknown(self, ask: Asking) -> None:
        assert ask(Verb.QUERY, order("COMPLETED")).kind is OutcomeKind.UNKNOWN

    def test_of_two_captures_reports_their_sum(self, ask: Asking) -> None:
        both = [capture(), capture(id="2ND")]
        assert ask(Verb.QUERY, order("COMPLETED", captures=both)).money == Money(3998, "USD")

    def test_of_a_declined_and_a_good_capture_is_paid_once(self, ask: Asking) -> None:
        both = [capture(), capture("DECLINED", id="2ND")]
        outcome = ask(Verb.QUERY, order("COMPLETED", captures=both))
        assert (outcome.kind, outcome.money) == (OutcomeKind.SUCCEEDED, USD)

    def test_of_a_pending_capture_keeps_the_reason_and_no_fee(self, ask: Asking) -> None:
        node = capture("PENDING", status_details={"reason": "ECHECK"})
        del node["seller_receivable_breakdown"]
        outcome = ask(Verb.QUERY, order("COMPLETED", captures=[node]))
        assert outcome.psp_data["pending_reason"] == "ECHECK"
        assert "paypal_fee" not in outcome.psp_data

    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            ("CREATED", OutcomeKind.AUTHORIZED),
            ("PENDING", OutcomeKind.PENDING),
            ("DENIED", OutcomeKind.DECLINED),
            ("VOIDED", OutcomeKind.DECLINED),
            ("CAPTURED", OutcomeKind.UNKNOWN),
            ("NEW", OutcomeKind.UNKNOWN),
        ],
    )
    def test_of_a_hold_says_how_it_stands(
        self, ask: Asking, status: str, kind: OutcomeKind
    ) -> None:
        outcome = ask(Verb.QUERY, order("COMPLETED", authorizations=[hold(status)]), HELD)
        assert outcome.kind is kind

    @pytest.mark.parametrize(
        ("ended_at", "code"),
        [
            ("2026-12-21T03:30:59Z", FailureCode.CANCELLED),
            ("2026-12-21T03:31:00Z", FailureCode.EXPIRED),
            ("2026-12-21", FailureCode.CANCELLED),
            ("", FailureCode.CANCELLED),
        ],
    )
    def test_of_a_hold_that_was_let_go_tells_our_word_from_the_clocks(
        self, ask: Asking, ended_at: str, code: FailureCode
    ) -> None:
        gone = hold("VOIDED", update_time=ended_at)
        outcome = ask(Verb.QUERY, order("COMPLETED", authorizations=[gone]), HELD)
        assert outcome.failure is not None
        assert (outcome.kind, outcome.failure.code) == (OutcomeKind.DECLINED, code)

    def test_of_a_hold_whose_capture_was_declined_shows_the_hold(self, ask: Asking) -> None:
        answer = order("COMPLETED", authorizations=[hold()], captures=[capture("DECLINED")])
        outcome = ask(Verb.QUERY, answer, HELD)
        assert (outcome.kind, outcome.money) == (OutcomeKind.AUTHORIZED, USD)

    @pytest.mark.parametrize(
        ("before", "kind"),
        [("CAPTURED", OutcomeKind.DECLINED), ("PARTIALLY_CAPTURED", OutcomeKind.UNKNOWN)],
    )
    def test_of_a_hold_whose_only_capture_was_declined_in_the_end_depends_on_what_is_left(
        self, ask: Asking, before: str, kind: OutcomeKind
    ) -> None:
        answer = order("COMPLETED", authorizations=[hold(before)], captures=[capture("DECLINED")])
        assert ask(Verb.QUERY, answer, HELD).kind is kind

    @pytest.mark.parametrize("is_first", [True, False])
    def test_of_a_hold_that_was_renewed_at_paypal_takes_up_the_new_one(
        self, ask: Asking, is_first: bool
    ) -> None:
        both = [hold("VOIDED"), hold(id="RENEWED")]
        answer = order("COMPLETED", authorizations=both[::-1] if is_first else both)
        outcome = ask(Verb.QUERY, answer, HELD)
        assert (outcome.kind, outcome.money) == (OutcomeKind.AUTHORIZED, USD)
        assert outcome.psp_data["authorization_id"] == "RENEWED"

    def test_of_a_voided_order_is_cancelled(self, ask: Asking) -> None:
        outcome = ask(Verb.QUERY, order("VOIDED"))
        assert outcome.failure is not None
        assert outcome.failure.code is FailureCode.CANCELLED

    def test_of_an_order_that_ran_out_is_unpaid(self, ask: Asking) -> None:
        gone = refusal("INVALID_RESOURCE_ID", "RESOURCE_NOT_FOUND")
        assert ask(Verb.QUERY, gone, status=404).kind is OutcomeKind.UNPAID
        assert ask(Verb.QUERY, {"error": "no route"}, status=404).kind is OutcomeKind.UNKNOWN

    @pytest.mark.parametrize(
        "change",
        [{"id": "ANOTHER"}, {"id": None}, {"status": "NEW"}, {"purchase_units": "x", "id": 5}],
    )
    def test_of_something_else_is_unknown(self, ask: Asking, change: dict[str, Any]) -> None:
        answer = {**order("CREATED"), **change}
        assert ask(Verb.QUERY, answer).kind is OutcomeKind.UNKNOWN

    def test_that_names_another_reference_is_unknown(self, ask: Asking) -> None:
        other = order("COMPLETED", captures=[capture(custom_id="f" * 32)])
        assert ask(Verb.QUERY, other).kind is OutcomeKind.UNKNOWN

    def test_reports_what_paypal_says_even_when_it_differs(self, ask: Asking) -> None:
        answer = order("COMPLETED", captures=[capture(amount=amount("0.01", "EUR"))])
        answer["purchase_units"][0]["payee"]["merchant_id"] = "OTHER"  # type: ignore[index]
        outcome = ask(Verb.QUERY, answer)
        assert outcome.kind is OutcomeKind.SUCCEEDED
        assert (outcome.money, outcome.account) == (Money(1, "EUR"), "OTHER")

    @pytest.mark.parametrize("value", ["19.999", "-19.99", "", "1e2"])
    def test_of_an_amount_that_fits_nowhere_is_unknown(self, ask: Asking, value: str) -> None:
        outcome = ask(Verb.QUERY, order("COMPLETED", captures=[capture(amount=amount(value))]))
        assert (outcome.kind, outcome.money) == (OutcomeKind.UNKNOWN, None)


class TestCapture:
    @pytest.mark.parametrize("status", [200, 201])
    def test_of_an_order_takes_the_money(self, ask: Asking, status: int) -> None:
        answer = order("COMPLETED", captures=[capture()])
        outcome = ask(Verb.CAPTURE, answer, status=status)
        assert (outcome.kind, outcome.money) == (OutcomeKind.SUCCEEDED, USD)
        assert outcome.next_verb is None

    def test_with_manual_mode_first_holds_it(self, ask: Asking) -> None:
        answer = order("COMPLETED", authorizations=[hold()])
        outcome = ask(Verb.CAPTURE, answer, created(capture=CaptureMethod.MANUAL))
        assert (outcome.kind, outcome.money) == (OutcomeKind.AUTHORIZED, USD)
        assert outcome.psp_data["authorization_id"] == "0AW2184448108334S"

    def test_of_a_hold_may_take_less(self, ask: Asking) -> None:
        outcome = ask(
            Verb.CAPTURE,
            capture(amount=amount("10.00")),
            HELD,
            status=201,
            money=Money(1000, "USD"),
        )
        assert (outcome.kind, outcome.money) == (OutcomeKind.SUCCEEDED, Money(1000, "USD"))
        assert outcome.psp_reference == ORDER

    def test_of_a_hold_that_is_declined_leaves_the_hold_to_a_query(self, ask: Asking) -> None:
        assert ask(Verb.CAPTURE, capture("DECLINED"), HELD, money=USD).kind is OutcomeKind.PENDING
        assert ask(Verb.CAPTURE, capture("NEW"), HELD, money=USD).kind is OutcomeKind.UNKNOWN
        assert (
            ask(Verb.CAPTURE, capture(custom_id="x"), HELD, money=USD).kind is OutcomeKind.UNKNOWN
        )

    @pytest.mark.parametrize(
        "issue",
        ["INSTRUMENT_DECLINED", "PAYER_ACTION_REQUIRED", "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING"],
    )
    def test_refused_by_the_instrument_sends_the_shopper_back(
        self, ask: Asking, issue: str
    ) -> None:
        outcome = ask(Verb.CAPTURE, refusal(issue), status=422)
        assert outcome.kind is OutcomeKind.ACTION_REQUIRED
        assert outcome.failure is not None
        assert outcome.failure.gateway_code == issue
        assert outcome.next_action is not None
        assert outcome.next_action.url == PAGE
        assert outcome.next_verb is None
        assert outcome.psp_data == {"declined_at": operation(Verb.CAPTURE).now.isoformat()}

    @pytest.mark.parametrize(
        "issue", ["ORDER_ALREADY_CAPTURED", "ORDER_ALREADY_AUTHORIZED", "DUPLICATE_INVOICE_ID"]
    )
    def test_that_somebody_else_made_is_read_from_the_order(self, ask: Asking, issue: str) -> None:
        outcome = ask(Verb.CAPTURE, refusal(issue), status=422)
        assert (outcome.kind, outcome.failure) == (OutcomeKind.PENDING, None)
        assert outcome.next_verb is None

    def test_before_the_approval_is_unpaid(self, ask: Asking) -> None:
        outcome = ask(Verb.CAPTURE, refusal("ORDER_NOT_APPROVED"), status=422)
        assert outcome.kind is OutcomeKind.UNPAID

    @pytest.mark.parametrize(
        ("issue", "failure"),
        [
            ("ORDER_EXPIRED", FailureCode.EXPIRED),
            ("TRANSACTION_REFUSED", FailureCode.DECLINED),
            ("MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED", FailureCode.LIMIT_EXCEEDED),
            ("COMPLIANCE_VIOLATION", FailureCode.SUSPECTED_FRAUD),
            ("PAYER_ACCOUNT_RESTRICTED", FailureCode.ACCOUNT_BLOCKED),
            ("DOMESTIC_TRANSACTION_REQUIRED", FailureCode.METHOD_UNAVAILABLE),
        ],
    )
    def test_refused_for_good_is_declined(
        self, ask: Asking, issue: str, failure: FailureCode
    ) -> None:
        outcome = ask(Verb.CAPTURE, refusal(issue), status=422)
        assert outcome.kind is OutcomeKind.DECLINED
        assert outcome.failure is not None
        assert outcome.failure.code is failure

    def test_refused_by_a_word_we_do_not_know_is_unknown(self, ask: Asking) -> None:
        assert ask(Verb.CAPTURE, refusal("BRAND_NEW"), status=422).kind is OutcomeKind.UNKNOWN
        assert ask(Verb.CAPTURE, {"details": "x"}, status=422).kind is OutcomeKind.UNKNOWN

    def test_of_a_hold_refused_for_good_needs_a_word_about_the_hold(self, ask: Asking) -> None:
        gone = ask(Verb.CAPTURE, refusal("AUTHORIZATION_EXPIRED"), HELD, money=USD, status=422)
        refused = ask(Verb.CAPTURE, refusal("TRANSACTION_REFUSED"), HELD, money=USD, status=422)
        assert gone.kind is OutcomeKind.DECLINED
        assert refused.kind is OutcomeKind.PENDING

    def test_of_a_hold_that_was_let_go_is_asked_about_for_another_may_stand(
        self, ask: Asking
    ) -> None:
        outcome = ask(Verb.CAPTURE, refusal("AUTHORIZATION_VOIDED"), HELD, money=USD, status=422)
        assert outcome.failure is not None
        assert (outcome.kind, outcome.failure.code) == (
            OutcomeKind.PENDING,
            FailureCode.CANCELLED,
        )

    @pytest.mark.parametrize("verb", [Verb.CAPTURE, Verb.VOID])
    @pytest.mark.parametrize(
        ("status", "content"),
        [
            (400, refusal("INVALID_STRING_LENGTH", "INVALID_REQUEST")),
            (422, refusal("DECIMAL_PRECISION")),
            (422, refusal("CANNOT_BE_ZERO_OR_NEGATIVE")),
        ],
    )
    def test_of_a_hold_that_paypal_does_not_understand_leaves_it_as_it_was(
        self, ask: Asking, verb: Verb, status: int, content: Json
    ) -> None:
        # A definite no: sent again, it would hear the same.
        outcome = ask(verb, content, HELD, money=USD, status=status)
        assert outcome.kind is OutcomeKind.PENDING
        assert outcome.failure is not None
        assert outcome.failure.code is FailureCode.INVALID_REQUEST

    def test_that_is_still_running_is_tried_again_later(self, ask: Asking) -> None:
        running = refusal("PREVIOUS_REQUEST_IN_PROGRESS", "RESOURCE_CONFLICT")
        outcome = ask(Verb.CAPTURE, running, status=409)
        assert (outcome.kind, outcome.retry_after_s) == (OutcomeKind.UNKNOWN, 10)
        # The operation keeps its turn, so that the same key goes out again.
        assert not outcome.kind.is_answer

    def test_answered_by_an_approved_order_is_asked_about(self, ask: Asking) -> None:
        outcome = ask(Verb.CAPTURE, order("APPROVED"))
        assert outcome.kind is OutcomeKind.PENDING
        assert outcome.next_verb is None

    def test_of_an_order_not_found_is_asked_about(self, ask: Asking) -> None:
        gone = refusal("INVALID_RESOURCE_ID", "RESOURCE_NOT_FOUND")
        assert ask(Verb.CAPTURE, gone, status=404).kind is OutcomeKind.PENDING
