"""What the API's answers say, good and bad."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateways.operation import PaymentDetails, Verb
from gateways.outcome import FailureCode, Outcome, OutcomeKind
from gateways.stripe.gateway import StripeGateway
from money.money import Money
from tests.gateways.local_server import LocalServer, Reply, refused_url
from tests.gateways.samples import CALL_REFERENCE, CREATED_AT, REFERENCE, details, operation, run
from tests.gateways.stripe import psp_samples

TOKEN = details(has_token=True)
KNOWN = replace(TOKEN, psp_reference="pi_1", psp_data={"payment_intent": "pi_1"})
PAGE = details(psp_reference="cs_test_1", psp_data={"checkout_session": "cs_test_1"})
PART = Money(40_000, "VND")
CUT_AND_UNPAID = {"id": "pi_1", "status": "requires_payment_method"}
CUT_AND_PAID = {"id": "pi_1", "status": "succeeded"}
OTHER_INTENT = psp_samples.payment_intent(metadata={"reference": "f" * 32, "flow": "token"})


class Asker:
    """Asks the gateway while Stripe answers ``content``."""

    def __init__(self, gateway: StripeGateway, server: LocalServer) -> None:
        self.gateway = gateway
        self.server = server

    def __call__(
        self,
        verb: Verb,
        payment: PaymentDetails,
        content: object,
        status: int = 200,
        **changes: Any,
    ) -> Outcome:
        self.server.reply_json(content, status)
        token = "pm_card_visa" if verb is Verb.CREATE and payment.has_token else ""
        return run(self.gateway, operation(verb, payment, token=token, **changes))


@pytest.fixture
def ask(gateway: StripeGateway, server: LocalServer) -> Asker:
    return Asker(gateway, server)


def error(code: str = "", kind: str = "invalid_request_error", **more: Any) -> dict[str, Any]:
    return {"error": {"type": kind, "code": code, "message": "m", **more}}


class TestCreateWithAToken:
    def test_takes_the_money(self, ask: Asker) -> None:
        outcome = ask(Verb.CREATE, TOKEN, psp_samples.payment_intent())
        assert outcome.kind is OutcomeKind.SUCCEEDED
        assert outcome.money == Money(100_000, "VND")
        assert (outcome.reference, outcome.psp_reference) == (REFERENCE, "pi_1")
        assert outcome.live is False
        assert outcome.psp_data == {
            "payment_intent": "pi_1",
            "charge": "ch_1",
            "card_brand": "visa",
            "card_last4": "4242",
        }

    def test_holds_it(self, ask: Asker) -> None:
        outcome = ask(Verb.CREATE, TOKEN, psp_samples.payment_intent("requires_capture"))
        assert (outcome.kind, outcome.money) == (OutcomeKind.AUTHORIZED, Money(100_000, "VND"))

    def test_sends_the_shopper_to_the_bank(self, ask: Asker) -> None:
        asked = psp_samples.payment_intent("requires_action", next_action=psp_samples.redirect())
        outcome = ask(Verb.CREATE, TOKEN, asked)
        assert outcome.kind is OutcomeKind.ACTION_REQUIRED
        assert outcome.next_action is not None
        assert outcome.next_action.url == "https://hooks.stripe.com/3ds/1"

    def test_is_declined_for_good(self, ask: Asker) -> None:
        """With a token nobody can try again: a new try is a new payment."""
        failed = psp_samples.payment_intent(
            "requires_payment_method", last_payment_error=psp_samples.card_error()
        )
        body = {"error": {**psp_samples.card_error(), "payment_intent": failed}}
        outcome = ask(Verb.CREATE, TOKEN, body, 402)
        assert outcome.kind is OutcomeKind.DECLINED
        assert outcome.psp_reference == "pi_1"
        assert outcome.failure is not None
        assert outcome.failure.code is FailureCode.INSUFFICIENT_FUNDS
        assert outcome.failure.gateway_code == "insufficient_funds"
        assert "4242 4242" not in outcome.failure.message

    @pytest.mark.parametrize(
        ("decline_code", "code", "ours"),
        [
            ("", "expired_card", FailureCode.CARD_EXPIRED),
            ("", "incorrect_cvc", FailureCode.INCORRECT_CODE),
            ("lost_card", "card_declined", FailureCode.ACCOUNT_BLOCKED),
            ("fraudulent", "card_declined", FailureCode.SUSPECTED_FRAUD),
            ("generic_decline", "card_declined", FailureCode.DECLINED),
            ("a_word_of_tomorrow", "card_declined", FailureCode.DECLINED),
            ("", "processing_error", FailureCode.METHOD_UNAVAILABLE),
            ("authentication_required", "card_declined", FailureCode.AUTHENTICATION_FAILED),
        ],
    )
    def test_says_why_in_our_words(
        self, ask: Asker, decline_code: str, code: str, ours: FailureCode
    ) -> None:
        outcome = ask(
            Verb.CREATE, TOKEN, {"error": psp_samples.card_error(decline_code, code)}, 402
        )
        assert outcome.kind is OutcomeKind.DECLINED
        assert outcome.failure is not None
        assert outcome.failure.code is ours

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 429])
    @pytest.mark.parametrize("body", [{"message": "Forbidden"}, {"error": {"message": "blocked"}}])
    def test_believes_no_refusal_of_somebody_on_the_way(
        self, ask: Asker, status: int, body: dict[str, Any]
    ) -> None:
        # A filter may throw away the answer to a charge that was made.
        assert ask(Verb.CREATE, TOKEN, body, status).kind is OutcomeKind.UNKNOWN

    def test_keeps_no_secret_and_nobody_s_name(self, ask: Asker) -> None:
        outcome = ask(Verb.CREATE, TOKEN, psp_samples.payment_intent())
        assert outcome.exchange is not None
        kept = json.dumps(outcome.exchange.response)
        assert "hush" not in kept
        assert "Linh" not in kept
        assert outcome.exchange.http_status == 200


class TestTheBalanceTransaction:
    """Stripe books it after its answer, so it may be missing and come with a later look."""

    @pytest.mark.parametrize("name", [None, "txn_1", {"id": "txn_1", "fee": 59}])
    def test_is_kept_once_it_is_there(self, ask: Asker, name: object) -> None:
        charge = psp_samples.charge(balance_transaction=name)
        outcome = ask(Verb.QUERY, KNOWN, psp_samples.payment_intent(latest_charge=charge))
        assert (outcome.kind, outcome.money) == (OutcomeKind.SUCCEEDED, Money(100_000, "VND"))
        assert outcome.psp_data.get("balance_transaction") == (name and "txn_1")


class TestCreateAPage:
    def test_sends_the_shopper_there(self, ask: Asker) -> None:
        outcome = ask(Verb.CREATE, details(), psp_samples.session())
        assert outcome.kind is OutcomeKind.ACTION_REQUIRED
        assert outcome.psp_reference == "cs_test_1"
        assert outcome.psp_data == {"checkout_session": "cs_test_1"}
        assert outcome.next_action is not None
        assert outcome.next_action.url == "https://checkout.stripe.com/c/pay/cs_test_1"

    def test_is_over_when_the_call_comes_too_late_for_its_end(self, ask: Asker) -> None:
        body = error("parameter_invalid_integer", param="expires_at")
        outcome = ask(Verb.CREATE, details(), body, 400)
        assert outcome.failure is not None
        assert outcome.failure.code is FailureCode.EXPIRED

    def test_keeps_nobody_s_name(self, ask: Asker) -> None:
        outcome = ask(Verb.CREATE, details(), psp_samples.session())
        assert outcome.exchange is not None
        assert outcome.exchange.response["customer_details"] == "[redacted]"
        assert outcome.exchange.request["params"]["customer_email"] == "l***@example.com"  # type: ignore[index]


class TestQuery:
    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            ("succeeded", OutcomeKind.SUCCEEDED),
            ("requires_capture", OutcomeKind.AUTHORIZED),
            ("processing", OutcomeKind.PENDING),
            ("requires_action", OutcomeKind.UNPAID),
            ("requires_confirmation", OutcomeKind.UNPAID),
            ("requires_payment_method", OutcomeKind.UNPAID),
            ("canceled", OutcomeKind.DECLINED),
            ("a_word_of_tomorrow", OutcomeKind.UNKNOWN),
        ],
    )
    def test_reads_every_status_of_a_payment_intent(
        self, ask: Asker, status: str, kind: OutcomeKind
    ) -> None:
        assert ask(Verb.QUERY, KNOWN, psp_samples.payment_intent(status)).kind is kind

    def test_gives_an_open_redirect_again(self, ask: Asker) -> None:
        asked = psp_samples.payment_intent("requires_action", next_action=psp_samples.redirect())
        assert ask(Verb.QUERY, KNOWN, asked).next_action is not None

    def test_ends_a_token_that_failed_3d_secure(self, ask: Asker) -> None:
        failed = psp_samples.card_error("", "payment_intent_authentication_failure")
        asked = psp_samples.payment_intent("requires_payment_method", last_payment_error=failed)
        outcome = ask(Verb.QUERY, KNOWN, asked)
        assert outcome.kind is OutcomeKind.DECLINED
        assert outcome.failure is not None
        assert outcome.failure.code is FailureCode.AUTHENTICATION_FAILED

    @pytest.mark.parametrize(
        ("reason", "code"),
        [
            ("requested_by_customer", FailureCode.CANCELLED),
            ("expired", FailureCode.EXPIRED),
            ("fraudulent", FailureCode.SUSPECTED_FRAUD),
            (None, FailureCode.CANCELLED),
        ],
    )
    def test_says_why_it_was_cancelled(
        self, ask: Asker, reason: str | None, code: FailureCode
    ) -> None:
        asked = psp_samples.payment_intent("canceled", cancellation_reason=reason)
        outcome = ask(Verb.QUERY, KNOWN, asked)
        assert outcome.failure is not None
        assert outcome.failure.code is code

    @pytest.mark.parametrize(
        "changes",
        [
            {"metadata": {}},
            {"metadata": {"reference": "another", "flow": "token"}},
            {"amount_received": 100_000.0},
            {"amount_received": None},
            {"currency": "zzz"},
        ],
        ids=str,
    )
    def test_believes_no_answer_about_something_else(
        self, ask: Asker, changes: dict[str, Any]
    ) -> None:
        outcome = ask(Verb.QUERY, KNOWN, psp_samples.payment_intent(**changes))
        assert (outcome.kind, outcome.money) == (OutcomeKind.UNKNOWN, None)


class TestQueryOfAPage:
    def paid(self, **changes: Any) -> dict[str, Any]:
        return psp_samples.payment_intent(flow="page", **changes)

    def test_finds_it_unpaid_so_far(self, ask: Asker) -> None:
        outcome = ask(Verb.QUERY, PAGE, psp_samples.session())
        assert (outcome.kind, outcome.failure) == (OutcomeKind.UNPAID, None)
        assert outcome.next_action is not None

    def test_tells_a_decline_after_which_the_shopper_may_go_on(self, ask: Asker) -> None:
        failed = self.paid(
            status="requires_payment_method", last_payment_error=psp_samples.card_error()
        )
        outcome = ask(Verb.QUERY, PAGE, psp_samples.session(payment_intent=failed))
        assert outcome.kind is OutcomeKind.UNPAID
        assert outcome.failure is not None

    def test_finds_the_money(self, ask: Asker) -> None:
        content = psp_samples.session("complete", "paid", payment_intent=self.paid())
        outcome = ask(Verb.QUERY, PAGE, content)
        assert (outcome.kind, outcome.money) == (OutcomeKind.SUCCEEDED, Money(100_000, "VND"))
        assert outcome.psp_reference == "pi_1"
        assert outcome.psp_data["checkout_session"] == "cs_test_1"
        assert outcome.psp_data["card_last4"] == "4242"

    @pytest.mark.parametrize(
        ("intent_status", "kind"),
        [
            ("processing", OutcomeKind.PENDING),
            ("requires_capture", OutcomeKind.AUTHORIZED),
        ],
    )
    def test_believes_the_payment_intent_of_a_complete_page(
        self, ask: Asker, intent_status: str, kind: OutcomeKind
    ) -> None:
        content = psp_samples.session(
            "complete", "unpaid", payment_intent=self.paid(status=intent_status)
        )
        assert ask(Verb.QUERY, PAGE, content).kind is kind

    def test_is_declined_when_a_complete_page_was_refused_later(self, ask: Asker) -> None:
        failed = self.paid(
            status="requires_payment_method", last_payment_error=psp_samples.card_error()
        )
        content = psp_samples.session("complete", "unpaid", payment_intent=failed)
        assert ask(Verb.QUERY, PAGE, content).kind is OutcomeKind.DECLINED

    def test_is_over_when_the_page_has_expired(self, ask: Asker) -> None:
        outcome = ask(Verb.QUERY, PAGE, psp_samples.session("expired"))
        assert outcome.kind is OutcomeKind.DECLINED
        assert outcome.failure is not None
        assert outcome.failure.code is FailureCode.EXPIRED

    @pytest.mark.parametrize(
        "content",
        [
            psp_samples.session("a_word_of_tomorrow"),
            psp_samples.session(client_reference_id="another"),
            psp_samples.session(
                "complete",
                "paid",
                client_reference_id="another",
                payment_intent=psp_samples.payment_intent(),
            ),
            psp_samples.session(
                "complete", "paid", payment_intent=psp_samples.payment_intent(metadata={})
            ),
        ],
        ids=["status", "reference", "reference of a paid one", "reference of the intent"],
    )
    def test_believes_no_answer_about_something_else(
        self, ask: Asker, content: dict[str, Any]
    ) -> None:
        assert ask(Verb.QUERY, PAGE, content).kind is OutcomeKind.UNKNOWN


class TestSearch:
    def search(self, ask: Asker, *found: Any, hours: int = 3) -> Outcome:
        content = {"object": "search_result", "data": list(found), "has_more": False}
        now = CREATED_AT + timedelta(hours=hours)
        return ask(Verb.QUERY, details(), content, now=now)

    def test_finds_what_was_paid_though_the_creation_was_not_answered(self, ask: Asker) -> None:
        outcome = self.search(ask, psp_samples.payment_intent(), hours=1)
        assert (outcome.kind, outcome.psp_reference) == (OutcomeKind.SUCCEEDED, "pi_1")

    def test_proves_nothing_while_the_index_may_lag(self, ask: Asker) -> None:
        assert self.search(ask, hours=1).kind is OutcomeKind.UNKNOWN

    def test_proves_that_nothing_was_paid_afterwards(self, ask: Asker) -> None:
        assert self.search(ask, hours=3).kind is OutcomeKind.UNPAID

    def test_leaves_two_payments_under_one_reference_to_a_person(self, ask: Asker) -> None:
        both = (psp_samples.payment_intent(), psp_samples.payment_intent(id="pi_2"))
        assert self.search(ask, *both).kind is OutcomeKind.UNKNOWN

    def test_proves_nothing_by_an_answer_without_data(self, ask: Asker) -> None:
        now = CREATED_AT + timedelta(hours=3)
        assert ask(Verb.QUERY, details(), {}, now=now).kind is OutcomeKind.UNKNOWN


class TestLaterVerbs:
    def test_capture_takes_less_than_was_held(self, ask: Asker) -> None:
        taken = psp_samples.payment_intent(amount_received=40_000)
        outcome = ask(Verb.CAPTURE, KNOWN, taken, money=PART)
        assert (outcome.kind, outcome.money) == (OutcomeKind.SUCCEEDED, PART)

    def test_void_ends_it_as_cancelled(self, ask: Asker) -> None:
        gone = psp_samples.payment_intent("canceled", cancellation_reason="requested_by_customer")
        outcome = ask(Verb.VOID, KNOWN, gone)
        assert outcome.kind is OutcomeKind.DECLINED
        assert outcome.failure is not None
        assert outcome.failure.code is FailureCode.CANCELLED

    def test_close_ends_a_page(self, ask: Asker) -> None:
        assert ask(Verb.CLOSE, PAGE, psp_samples.session("expired")).kind is OutcomeKind.DECLINED

    def test_close_that_comes_too_late_finds_the_money(self, ask: Asker) -> None:
        body = error("payment_intent_unexpected_state", payment_intent=psp_samples.payment_intent())
        outcome = ask(Verb.CLOSE, KNOWN, body, 400)
        assert (outcome.kind, outcome.money) == (OutcomeKind.SUCCEEDED, Money(100_000, "VND"))

    def test_close_of_a_page_that_is_complete_says_nothing_yet(self, ask: Asker) -> None:
        assert ask(Verb.CLOSE, PAGE, error(), 400).kind is OutcomeKind.UNKNOWN

    def test_a_refused_capture_leaves_the_hold_as_it_is(self, ask: Asker) -> None:
        held = psp_samples.payment_intent("requires_capture")
        body = error("amount_too_large", payment_intent=held)
        outcome = ask(Verb.CAPTURE, KNOWN, body, 400, money=PART)
        assert outcome.kind is OutcomeKind.AUTHORIZED
        assert outcome.failure is not None


class TestRefund:
    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            ("succeeded", OutcomeKind.SUCCEEDED),
            ("pending", OutcomeKind.PENDING),
            ("requires_action", OutcomeKind.PENDING),
            ("failed", OutcomeKind.DECLINED),
            ("canceled", OutcomeKind.DECLINED),
            ("a_word_of_tomorrow", OutcomeKind.UNKNOWN),
        ],
    )
    def test_reads_every_status(self, ask: Asker, status: str, kind: OutcomeKind) -> None:
        outcome = ask(Verb.REFUND, KNOWN, psp_samples.refund(status), money=PART)
        assert (outcome.kind, outcome.money) == (kind, PART)
        assert (outcome.reference, outcome.psp_reference) == (CALL_REFERENCE, "re_1")

    def test_that_is_another_one_says_nothing(self, ask: Asker) -> None:
        outcome = ask(Verb.REFUND, KNOWN, psp_samples.refund(metadata={}), money=PART)
        assert outcome.kind is OutcomeKind.UNKNOWN

    @pytest.mark.parametrize("code", ["charge_already_refunded", "charge_disputed", "resource"])
    def test_that_is_refused_is_declined(self, ask: Asker, code: str) -> None:
        outcome = ask(Verb.REFUND, KNOWN, error(code), 400, money=PART)
        assert outcome.kind is OutcomeKind.DECLINED
        assert outcome.failure is not None
        assert outcome.failure.code is FailureCode.INVALID_REQUEST

    def test_query_finds_it_by_our_reference(self, ask: Asker) -> None:
        mine = psp_samples.refund("pending", id="re_2", metadata={"refund_reference": "mine"})
        content = {"data": [psp_samples.refund(), mine], "has_more": False}
        outcome = ask(Verb.QUERY_REFUND, KNOWN, content, refund_reference="mine")
        assert (outcome.kind, outcome.psp_reference) == (OutcomeKind.PENDING, "re_2")

    @pytest.mark.parametrize(
        ("has_more", "kind"), [(False, OutcomeKind.UNPAID), (True, OutcomeKind.UNKNOWN)]
    )
    def test_query_proves_absence_only_by_the_whole_list(
        self, ask: Asker, has_more: bool, kind: OutcomeKind
    ) -> None:
        content = {"data": [psp_samples.refund()], "has_more": has_more}
        assert ask(Verb.QUERY_REFUND, KNOWN, content, refund_reference="mine").kind is kind


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "body", "kind"),
        [
            (400, error("parameter_missing"), OutcomeKind.DECLINED),
            (400, error("amount_too_small"), OutcomeKind.DECLINED),
            (404, error("resource_missing"), OutcomeKind.DECLINED),
            (400, error(kind="idempotency_error"), OutcomeKind.UNKNOWN),
            (400, error(kind="api_error"), OutcomeKind.UNKNOWN),
            # With the PaymentIntent cut short, or of somebody else.
            (402, error("", "card_error", payment_intent={"id": "pi_1"}), OutcomeKind.DECLINED),
            (402, error("", "card_error", payment_intent=CUT_AND_UNPAID), OutcomeKind.DECLINED),
            (402, error("", "card_error", payment_intent=CUT_AND_PAID), OutcomeKind.UNKNOWN),
            (402, error("", "card_error", payment_intent=OTHER_INTENT), OutcomeKind.UNKNOWN),
            (402, error(kind="a_word_of_tomorrow"), OutcomeKind.UNKNOWN),
            (400, error("rate_limit"), OutcomeKind.NOT_DONE),
            (401, error(), OutcomeKind.NOT_DONE),
            (403, error(), OutcomeKind.NOT_DONE),
            (409, error("idempotency_key_in_use"), OutcomeKind.UNKNOWN),
            (424, error(kind="api_error"), OutcomeKind.UNKNOWN),
            (429, error("rate_limit"), OutcomeKind.NOT_DONE),
            (429, error("lock_timeout"), OutcomeKind.NOT_DONE),
            (500, error(kind="api_error"), OutcomeKind.UNKNOWN),
            (500, {}, OutcomeKind.UNKNOWN),
            (503, error(kind="api_error"), OutcomeKind.UNKNOWN),
            (302, {}, OutcomeKind.UNKNOWN),
            (200, {}, OutcomeKind.UNKNOWN),
            # Not Stripe's words, whoever spoke them; the SDK itself trips over some.
            (400, {"error": None}, OutcomeKind.UNKNOWN),
            (400, {"error": ["bad"]}, OutcomeKind.UNKNOWN),
            (200, ["a list"], OutcomeKind.UNKNOWN),
            (200, "a text", OutcomeKind.UNKNOWN),
            (200, 5, OutcomeKind.UNKNOWN),
            (500, None, OutcomeKind.UNKNOWN),
            (200, {"object": "v2.core.event", "data": 5, "id": []}, OutcomeKind.UNKNOWN),
            (400, {}, OutcomeKind.UNKNOWN),
            (402, {"error": "payment required"}, OutcomeKind.UNKNOWN),
            (404, {"message": "no Route matched with those values"}, OutcomeKind.UNKNOWN),
        ],
        ids=lambda value: str(value)[:60],
    )
    def test_end_a_creation_only_by_an_explicit_no(
        self, ask: Asker, status: int, body: dict[str, Any], kind: OutcomeKind
    ) -> None:
        assert ask(Verb.CREATE, TOKEN, body, status).kind is kind

    @pytest.mark.parametrize("status", [400, 404, 409, 424, 500])
    def test_never_end_a_payment_through_a_query(self, ask: Asker, status: int) -> None:
        outcome = ask(Verb.QUERY, KNOWN, error("resource_missing"), status)
        assert outcome.kind is OutcomeKind.UNKNOWN

    def test_pass_on_how_long_to_wait(self, gateway: StripeGateway, server: LocalServer) -> None:
        server.reply_json(error("rate_limit"), 429, Retry_After="9")
        assert run(gateway, operation(Verb.CREATE, TOKEN)).retry_after_s == 9

    @pytest.mark.parametrize(
        "reply",
        [
            pytest.param(Reply(200, b"<html>"), id="garbage"),
            pytest.param(Reply(200, b"[]"), id="no object"),
            pytest.param(Reply(502, b"<html>Bad Gateway</html>"), id="502 HTML"),
            pytest.param(Reply(fault="reset"), id="reset"),
            pytest.param(Reply(fault="cut"), id="cut"),
        ],
    )
    def test_of_the_wire_leave_it_unknown(
        self, gateway: StripeGateway, server: LocalServer, reply: Reply
    ) -> None:
        server.reply(reply)
        outcome = run(gateway, operation(Verb.CREATE, TOKEN, token="pm_card_visa"))
        assert outcome.kind is OutcomeKind.UNKNOWN
        assert outcome.exchange is not None

    def test_before_the_connection_prove_that_nothing_was_done(self) -> None:
        gateway = StripeGateway.from_settings(
            {"secret_key": "sk_test_1", "webhook_secrets": "whsec_1", "api_base": refused_url()}
        )
        assert run(gateway, operation(Verb.CREATE, TOKEN)).kind is OutcomeKind.NOT_DONE
