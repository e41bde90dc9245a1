"""Stripe from end to end: our adapter against Stripe as it is emulated on this machine.

The sandbox shares no code with the adapter, so what they agree on here they both read from
Stripe's own rules.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from gateways.operation import CaptureMethod, PaymentDetails, Verb
from gateways.outcome import FailureCode, Outcome, OutcomeKind
from gateways.stripe.gateway import StripeGateway
from gateways.webhook import Notice, Subject
from money.money import Money
from tests.gateways.from_sandbox import ask, learned, payment_of, read
from tests.sandbox.sandbox_process import (
    STRIPE_KEY,
    STRIPE_SECRETS,
    SandboxProcess,
    Shop,
    eventually,
)

TOTAL = Money(150_000, "VND")
PART = Money(50_000, "VND")


@pytest.fixture
def gateway(sandbox: SandboxProcess) -> StripeGateway:
    return StripeGateway.from_settings(
        {
            "secret_key": STRIPE_KEY,
            "webhook_secrets": ",".join(STRIPE_SECRETS),
            "api_base": sandbox.url,
        }
    )


@pytest.fixture
def payment() -> PaymentDetails:
    return payment_of(TOTAL)


class TestPayment:
    def create(
        self,
        gateway: StripeGateway,
        payment: PaymentDetails,
        card: str = "pm_card_visa",
        **changes: Any,
    ) -> Outcome:
        return ask(gateway, Verb.CREATE, replace(payment, has_token=True), token=card, **changes)

    def notices(
        self, gateway: StripeGateway, shop: Shop, payment: PaymentDetails, last: str
    ) -> list[Notice]:
        eventually(lambda: last in shop.events(payment.reference), last)
        return [
            read(gateway, got)
            for got in shop.received
            if got.path.endswith("/stripe") and payment.reference.encode() in got.body
        ]

    def test_is_paid_by_token_and_says_so_three_times(
        self, gateway: StripeGateway, sandbox: SandboxProcess, shop: Shop, payment: PaymentDetails
    ) -> None:
        answered = self.create(gateway, payment)
        asked = ask(gateway, Verb.QUERY, learned(payment, answered))
        notices = self.notices(gateway, shop, payment, "payment_intent.succeeded")
        told = [n.outcome for n in notices if n.event_type == "payment_intent.succeeded"]
        for outcome in (answered, asked, *told):
            assert outcome is not None
            assert outcome.kind is OutcomeKind.SUCCEEDED
            assert (outcome.money, outcome.reference) == (TOTAL, payment.reference)
            assert outcome.psp_reference == answered.psp_reference
            assert outcome.live is False
        assert answered.psp_data["card_last4"] == "4242"
        assert sandbox.charge(payment.reference)["captured"] == TOTAL.minor

    @pytest.mark.parametrize(
        ("token", "code"),
        [
            ("pm_card_visa_chargeDeclined", FailureCode.DECLINED),
            (
                "pm_card_visa_chargeDeclinedInsufficientFunds",
                FailureCode.INSUFFICIENT_FUNDS,
            ),
            ("pm_card_chargeDeclinedExpiredCard", FailureCode.CARD_EXPIRED),
            ("pm_card_chargeDeclinedIncorrectCvc", FailureCode.INCORRECT_CODE),
            ("pm_card_visa_chargeDeclinedLostCard", FailureCode.ACCOUNT_BLOCKED),
        ],
    )
    def test_is_declined_in_our_words(
        self, gateway: StripeGateway, payment: PaymentDetails, token: str, code: FailureCode
    ) -> None:
        outcome = self.create(gateway, payment, token)
        assert outcome.kind is OutcomeKind.DECLINED
        assert outcome.failure is not None
        assert outcome.failure.code is code

    def test_sends_the_shopper_to_the_bank_first(
        self, gateway: StripeGateway, sandbox: SandboxProcess, shop: Shop, payment: PaymentDetails
    ) -> None:
        sandbox.behaviour(gateway="stripe", reference=payment.reference, decision="ask")
        outcome = self.create(gateway, payment, "pm_card_threeDSecure2Required")
        assert outcome.kind is OutcomeKind.ACTION_REQUIRED
        assert outcome.next_action is not None
        assert outcome.next_action.url.startswith(sandbox.url)
        known = learned(payment, outcome)
        assert ask(gateway, Verb.QUERY, known).kind is OutcomeKind.UNPAID
        sandbox.control("decide", gateway="stripe", reference=payment.reference, decision="approve")
        self.notices(gateway, shop, payment, "payment_intent.succeeded")
        assert ask(gateway, Verb.QUERY, known).kind is OutcomeKind.SUCCEEDED

    @pytest.mark.parametrize("fault", ["reset_after", "cut_body", "refuse", "http_500", "http_429"])
    def test_is_charged_once_when_an_answer_is_lost_and_the_key_is_used_again(
        self, gateway: StripeGateway, sandbox: SandboxProcess, payment: PaymentDetails, fault: str
    ) -> None:
        sandbox.behaviour(
            gateway="stripe", reference=payment.reference, decision="approve", api={"fault": fault}
        )
        key = uuid4().hex
        first = self.create(gateway, payment, reference=key)
        expected = OutcomeKind.NOT_DONE if fault == "http_429" else OutcomeKind.UNKNOWN
        assert first.kind is expected
        sandbox.behaviour(gateway="stripe", reference=payment.reference, decision="approve")
        again = [self.create(gateway, payment, reference=key) for _ in range(2)]
        assert [outcome.kind for outcome in again][-1] is OutcomeKind.SUCCEEDED
        assert sandbox.charge(payment.reference)["captured"] == TOTAL.minor

    def test_gives_each_of_many_threads_its_own_answer(
        self, gateway: StripeGateway, payment: PaymentDetails
    ) -> None:
        payments = [replace(payment, reference=uuid4().hex) for _ in range(48)]
        with ThreadPoolExecutor(16) as threads:
            outcomes = list(threads.map(lambda each: self.create(gateway, each), payments))
        assert [each.reference for each in outcomes] == [each.reference for each in payments]
        assert {each.kind for each in outcomes} == {OutcomeKind.SUCCEEDED}

    def test_is_found_by_search_when_stripe_stored_a_500(
        self, gateway: StripeGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        sandbox.behaviour(
            gateway="stripe",
            reference=payment.reference,
            decision="approve",
            api={"fault": "http_500_after"},
        )
        key = uuid4().hex
        for _ in range(2):
            assert self.create(gateway, payment, reference=key).kind is OutcomeKind.UNKNOWN
        sandbox.control("clock", advance_s=7200)
        found = ask(gateway, Verb.QUERY, payment)
        assert (found.kind, found.money) == (OutcomeKind.SUCCEEDED, TOTAL)

    def test_is_paid_on_stripe_s_page(
        self, gateway: StripeGateway, sandbox: SandboxProcess, shop: Shop, payment: PaymentDetails
    ) -> None:
        sandbox.behaviour(gateway="stripe", reference=payment.reference, decision="ask")
        opened = ask(gateway, Verb.CREATE, payment)
        assert opened.kind is OutcomeKind.ACTION_REQUIRED
        assert opened.next_action is not None
        known = learned(payment, opened)
        assert ask(gateway, Verb.QUERY, known).kind is OutcomeKind.UNPAID
        assert sandbox.http.get(opened.next_action.url, timeout=10).status_code == 200
        sandbox.control("decide", gateway="stripe", reference=payment.reference, decision="approve")
        notices = self.notices(gateway, shop, payment, "checkout.session.completed")
        paid = [n.outcome for n in notices if n.outcome and n.outcome.kind is OutcomeKind.SUCCEEDED]
        asked = ask(gateway, Verb.QUERY, known)
        assert paid
        assert {outcome.psp_reference for outcome in paid} == {asked.psp_reference}
        assert (asked.kind, asked.money) == (OutcomeKind.SUCCEEDED, TOTAL)

    def test_lets_the_shopper_try_again_on_stripe_s_page(
        self, gateway: StripeGateway, sandbox: SandboxProcess, shop: Shop, payment: PaymentDetails
    ) -> None:
        sandbox.behaviour(gateway="stripe", reference=payment.reference, decision="ask")
        known = learned(payment, ask(gateway, Verb.CREATE, payment))
        decide = {"gateway": "stripe", "reference": payment.reference}
        sandbox.control("decide", **decide, decision="decline:insufficient_funds")
        notices = self.notices(gateway, shop, payment, "payment_intent.payment_failed")
        failed = [n.outcome for n in notices if n.event_type == "payment_intent.payment_failed"]
        assert [outcome and outcome.kind for outcome in failed] == [OutcomeKind.PENDING]
        assert ask(gateway, Verb.QUERY, known).kind is OutcomeKind.UNPAID
        sandbox.control("decide", **decide, decision="approve")
        self.notices(gateway, shop, payment, "checkout.session.completed")
        assert ask(gateway, Verb.QUERY, known).kind is OutcomeKind.SUCCEEDED

    def test_closes_a_page_that_then_cannot_be_paid(
        self, gateway: StripeGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        sandbox.behaviour(gateway="stripe", reference=payment.reference, decision="ask")
        known = learned(payment, ask(gateway, Verb.CREATE, payment))
        closed = ask(gateway, Verb.CLOSE, known)
        assert closed.kind is OutcomeKind.DECLINED
        assert closed.failure is not None
        assert closed.failure.code is FailureCode.EXPIRED
        assert ask(gateway, Verb.QUERY, known).kind is OutcomeKind.DECLINED

    def test_finds_the_money_when_it_closes_too_late(
        self, gateway: StripeGateway, payment: PaymentDetails
    ) -> None:
        known = learned(payment, self.create(gateway, payment))
        closed = ask(gateway, Verb.CLOSE, known)
        assert (closed.kind, closed.money) == (OutcomeKind.SUCCEEDED, TOTAL)

    @pytest.mark.parametrize("has_token", [True, False])
    def test_holds_and_takes_a_part(
        self,
        gateway: StripeGateway,
        sandbox: SandboxProcess,
        shop: Shop,
        payment: PaymentDetails,
        has_token: bool,
    ) -> None:
        payment = replace(payment, capture=CaptureMethod.MANUAL)
        if has_token:
            held = self.create(gateway, payment)
        else:
            opened = learned(payment, ask(gateway, Verb.CREATE, payment))
            self.notices(gateway, shop, payment, "payment_intent.amount_capturable_updated")
            held = ask(gateway, Verb.QUERY, opened)
        assert (held.kind, held.money) == (OutcomeKind.AUTHORIZED, TOTAL)
        taken = ask(gateway, Verb.CAPTURE, learned(payment, held), money=PART)
        assert (taken.kind, taken.money) == (OutcomeKind.SUCCEEDED, PART)
        assert sandbox.charge(payment.reference)["captured"] == PART.minor

    def test_releases_a_hold(self, gateway: StripeGateway, payment: PaymentDetails) -> None:
        payment = replace(payment, capture=CaptureMethod.MANUAL)
        held = learned(payment, self.create(gateway, payment))
        gone = ask(gateway, Verb.VOID, held)
        assert gone.kind is OutcomeKind.DECLINED
        assert gone.failure is not None
        assert gone.failure.code is FailureCode.CANCELLED

    def test_refunds_once_and_finds_the_refund_again(
        self, gateway: StripeGateway, sandbox: SandboxProcess, shop: Shop, payment: PaymentDetails
    ) -> None:
        paid, key = learned(payment, self.create(gateway, payment)), uuid4().hex
        twice = [ask(gateway, Verb.REFUND, paid, money=PART, reference=key) for _ in range(2)]
        assert {outcome.kind for outcome in twice} == {OutcomeKind.SUCCEEDED}
        assert {outcome.psp_reference for outcome in twice} == {twice[0].psp_reference}
        assert sandbox.charge(payment.reference)["refunded"] == PART.minor
        for known in ("", twice[0].psp_reference):
            found = ask(
                gateway,
                Verb.QUERY_REFUND,
                paid,
                money=PART,
                refund_reference=key,
                refund_psp_reference=known,
            )
            assert (found.kind, found.money) == (OutcomeKind.SUCCEEDED, PART)
        notices = self.notices(gateway, shop, payment, "refund.created")
        refunds = [notice for notice in notices if notice.subject is Subject.REFUND]
        assert {notice.reference for notice in refunds} == {key}
        too_much = ask(gateway, Verb.REFUND, paid, money=Money(100_001, "VND"))
        assert too_much.kind is OutcomeKind.DECLINED
