"""VNPAY and Stripe from end to end: our adapters against the gateways played on this machine.

The sandbox shares no code with the adapters, so what they agree on here they both read from the
gateways' own rules.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from orders.money import Money
from payments.gateways.operation import Intent, Verb
from payments.gateways.outcome import FailureCode, Outcome, OutcomeKind
from payments.gateways.stripe.gateway import StripeGateway
from payments.gateways.vnpay.gateway import VnpayGateway
from payments.gateways.webhook import Notice, Subject, WebhookRefused
from tests.gateways.from_sandbox import ask, learned, payment_of, read
from tests.sandbox.player import (
    HASH_SECRET,
    STRIPE_KEY,
    STRIPE_SECRETS,
    TMN_CODE,
    Player,
    Shop,
    eventually,
)

TOTAL = Money(150_000, "VND")
PART = Money(50_000, "VND")


@pytest.fixture(scope="module")
def running() -> Iterator[Shop]:
    with Shop() as shop:
        yield shop


@pytest.fixture(scope="module")
def started(running: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Player]:
    webhooks = f"http://127.0.0.1:{running.port}/webhooks"
    player = Player(tmp_path_factory.mktemp("sandbox"), webhooks).start()
    yield player
    player.end()
    player.http.close()


@pytest.fixture
def player(started: Player) -> Iterator[Player]:
    started.behaviour(gateway="*", decision="approve", decide_after_ms=0)
    yield started
    started.control("reset")


@pytest.fixture
def shop(running: Shop) -> Shop:
    return running


@pytest.fixture
def payment() -> Intent:
    return payment_of(TOTAL)


class TestVnpay:
    @pytest.fixture
    def gateway(self, player: Player) -> VnpayGateway:
        return VnpayGateway.from_settings(
            {
                "tmn_code": TMN_CODE,
                "hash_secret": HASH_SECRET,
                "pay_url": f"{player.url}/paymentv2/vpcpay.html",
                "api_url": f"{player.url}/merchant_webapi/api/transaction",
            }
        )

    def open_page(self, gateway: VnpayGateway, player: Player, payment: Intent) -> None:
        outcome = ask(gateway, Verb.CREATE, payment)
        assert outcome.next_action is not None
        # Where nobody has to decide, the page sends the shopper straight back to the shop.
        answer = player.http.get(outcome.next_action.url, allow_redirects=False, timeout=10)
        assert answer.status_code == 302
        assert "Error" not in answer.headers["Location"]

    def ipn(self, gateway: VnpayGateway, shop: Shop, payment: Intent) -> Notice:
        got = eventually(lambda: shop.ipns(payment.reference), "the IPN")
        return read(gateway, got[0])

    def test_is_paid_and_says_so_twice(
        self, gateway: VnpayGateway, player: Player, shop: Shop, payment: Intent
    ) -> None:
        self.open_page(gateway, player, payment)
        told = self.ipn(gateway, shop, payment).outcome
        asked = ask(gateway, Verb.QUERY, payment)
        assert told is not None
        for outcome in (told, asked):
            assert outcome.kind is OutcomeKind.SUCCEEDED
            assert (outcome.money, outcome.reference) == (TOTAL, payment.reference)
            assert outcome.account == TMN_CODE
        assert told.psp_reference == asked.psp_reference != ""
        assert player.charge(payment.reference)["captured"] == TOTAL.minor

    @pytest.mark.parametrize(
        ("changes", "bank"),
        [
            ({"channel": "qr"}, "VNPAY"),
            ({"channel": "bank"}, "NCB"),
            ({"channel": "international_card"}, "VISA"),
            ({"channel": "BIDV"}, "BIDV"),
            ({"method": "card"}, "VISA"),
        ],
    )
    def test_is_paid_by_the_door_that_was_asked_for(
        self,
        gateway: VnpayGateway,
        player: Player,
        shop: Shop,
        payment: Intent,
        changes: dict[str, Any],
        bank: str,
    ) -> None:
        self.open_page(gateway, player, replace(payment, **changes))
        told = self.ipn(gateway, shop, payment).outcome
        assert told is not None
        assert (told.kind, told.psp_data["bank"]) == (OutcomeKind.SUCCEEDED, bank)

    @pytest.mark.parametrize(
        ("decision", "code"),
        [
            ("decline:51", FailureCode.INSUFFICIENT_FUNDS),
            ("decline:13", FailureCode.INCORRECT_CODE),
            ("cancel", FailureCode.CANCELLED),
        ],
    )
    def test_is_declined_in_our_words(
        self,
        gateway: VnpayGateway,
        player: Player,
        shop: Shop,
        payment: Intent,
        decision: str,
        code: FailureCode,
    ) -> None:
        player.behaviour(gateway="vnpay", reference=payment.reference, decision=decision)
        self.open_page(gateway, player, payment)
        told = self.ipn(gateway, shop, payment).outcome
        assert told is not None
        assert told.kind is OutcomeKind.DECLINED
        assert told.failure is not None
        assert told.failure.code is code
        assert ask(gateway, Verb.QUERY, payment).kind is OutcomeKind.DECLINED

    def test_is_unpaid_while_nobody_opens_or_finishes_the_page(
        self, gateway: VnpayGateway, player: Player, payment: Intent
    ) -> None:
        assert ask(gateway, Verb.QUERY, payment).kind is OutcomeKind.UNPAID
        player.behaviour(gateway="vnpay", reference=payment.reference, decision="abandon")
        self.open_page(gateway, player, payment)
        assert ask(gateway, Verb.QUERY, payment).kind is OutcomeKind.UNPAID

    @pytest.mark.parametrize("corrupt", ["signature", "body"])
    def test_believes_no_forged_ipn(
        self, gateway: VnpayGateway, player: Player, shop: Shop, payment: Intent, corrupt: str
    ) -> None:
        webhook = {"corrupt": corrupt}
        player.behaviour(
            gateway="vnpay", reference=payment.reference, decision="approve", webhook=webhook
        )
        self.open_page(gateway, player, payment)
        with pytest.raises(WebhookRefused):
            self.ipn(gateway, shop, payment)

    def test_reports_another_amount_as_it_was_said(
        self, gateway: VnpayGateway, player: Player, shop: Shop, payment: Intent
    ) -> None:
        webhook = {"corrupt": "amount"}
        player.behaviour(
            gateway="vnpay", reference=payment.reference, decision="approve", webhook=webhook
        )
        self.open_page(gateway, player, payment)
        told = self.ipn(gateway, shop, payment).outcome
        assert told is not None
        assert told.money is None or told.money != TOTAL

    @pytest.mark.parametrize("fault", ["http_500", "garbage", "reset_after", "cut_body", "refuse"])
    def test_knows_nothing_after_a_fault_and_the_truth_after_the_next_query(
        self, gateway: VnpayGateway, player: Player, shop: Shop, payment: Intent, fault: str
    ) -> None:
        self.open_page(gateway, player, payment)
        self.ipn(gateway, shop, payment)
        player.behaviour(gateway="vnpay", reference=payment.reference, api={"fault": fault})
        assert ask(gateway, Verb.QUERY, payment).kind is OutcomeKind.UNKNOWN
        player.behaviour(gateway="vnpay", reference=payment.reference)
        assert ask(gateway, Verb.QUERY, payment).kind is OutcomeKind.SUCCEEDED

    def test_refunds_once_however_often_the_same_refund_is_sent(
        self, gateway: VnpayGateway, player: Player, shop: Shop, payment: Intent
    ) -> None:
        self.open_page(gateway, player, payment)
        told = self.ipn(gateway, shop, payment).outcome
        assert told is not None
        paid, reference = learned(payment, told), uuid4().hex
        again = [
            ask(gateway, Verb.REFUND, paid, money=PART, reference=reference, actor="finance")
            for _ in range(2)
        ]
        assert [outcome.kind for outcome in again] == [OutcomeKind.SUCCEEDED, OutcomeKind.PENDING]
        assert again[0].money == PART
        assert player.charge(payment.reference)["refunded"] == PART.minor
        too_much = ask(gateway, Verb.REFUND, paid, money=Money(100_001, "VND"))
        assert too_much.kind is OutcomeKind.DECLINED


class TestStripe:
    @pytest.fixture
    def gateway(self, player: Player) -> StripeGateway:
        return StripeGateway.from_settings(
            {
                "secret_key": STRIPE_KEY,
                "webhook_secrets": ",".join(STRIPE_SECRETS),
                "api_base": player.url,
            }
        )

    def create(
        self, gateway: StripeGateway, payment: Intent, card: str = "pm_card_visa", **changes: Any
    ) -> Outcome:
        return ask(gateway, Verb.CREATE, replace(payment, has_token=True), token=card, **changes)

    def notices(
        self, gateway: StripeGateway, shop: Shop, payment: Intent, last: str
    ) -> list[Notice]:
        eventually(lambda: last in shop.events(payment.reference), last)
        return [
            read(gateway, got)
            for got in shop.received
            if got.path.endswith("/stripe") and payment.reference.encode() in got.body
        ]

    def test_is_paid_by_token_and_says_so_three_times(
        self, gateway: StripeGateway, player: Player, shop: Shop, payment: Intent
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
        assert player.charge(payment.reference)["captured"] == TOTAL.minor

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
        self, gateway: StripeGateway, payment: Intent, token: str, code: FailureCode
    ) -> None:
        outcome = self.create(gateway, payment, token)
        assert outcome.kind is OutcomeKind.DECLINED
        assert outcome.failure is not None
        assert outcome.failure.code is code

    def test_sends_the_shopper_to_the_bank_first(
        self, gateway: StripeGateway, player: Player, shop: Shop, payment: Intent
    ) -> None:
        player.behaviour(gateway="stripe", reference=payment.reference, decision="ask")
        outcome = self.create(gateway, payment, "pm_card_threeDSecure2Required")
        assert outcome.kind is OutcomeKind.ACTION_REQUIRED
        assert outcome.next_action is not None
        assert outcome.next_action.url.startswith(player.url)
        known = learned(payment, outcome)
        assert ask(gateway, Verb.QUERY, known).kind is OutcomeKind.UNPAID
        player.control("decide", gateway="stripe", reference=payment.reference, decision="approve")
        self.notices(gateway, shop, payment, "payment_intent.succeeded")
        assert ask(gateway, Verb.QUERY, known).kind is OutcomeKind.SUCCEEDED

    @pytest.mark.parametrize("fault", ["reset_after", "cut_body", "refuse", "http_500", "http_429"])
    def test_is_charged_once_when_an_answer_is_lost_and_the_key_is_used_again(
        self, gateway: StripeGateway, player: Player, payment: Intent, fault: str
    ) -> None:
        player.behaviour(
            gateway="stripe", reference=payment.reference, decision="approve", api={"fault": fault}
        )
        key = uuid4().hex
        first = self.create(gateway, payment, reference=key)
        expected = OutcomeKind.NOT_DONE if fault == "http_429" else OutcomeKind.UNKNOWN
        assert first.kind is expected
        player.behaviour(gateway="stripe", reference=payment.reference, decision="approve")
        again = [self.create(gateway, payment, reference=key) for _ in range(2)]
        assert [outcome.kind for outcome in again][-1] is OutcomeKind.SUCCEEDED
        assert player.charge(payment.reference)["captured"] == TOTAL.minor

    def test_gives_each_of_many_threads_its_own_answer(
        self, gateway: StripeGateway, payment: Intent
    ) -> None:
        payments = [replace(payment, reference=uuid4().hex) for _ in range(48)]
        with ThreadPoolExecutor(16) as threads:
            outcomes = list(threads.map(lambda each: self.create(gateway, each), payments))
        assert [each.reference for each in outcomes] == [each.reference for each in payments]
        assert {each.kind for each in outcomes} == {OutcomeKind.SUCCEEDED}

    def test_is_found_by_search_when_stripe_stored_a_500(
        self, gateway: StripeGateway, player: Player, payment: Intent
    ) -> None:
        player.behaviour(
            gateway="stripe",
            reference=payment.reference,
            decision="approve",
            api={"fault": "http_500_after"},
        )
        key = uuid4().hex
        for _ in range(2):
            assert self.create(gateway, payment, reference=key).kind is OutcomeKind.UNKNOWN
        player.control("clock", advance_s=7200)
        found = ask(gateway, Verb.QUERY, payment)
        assert (found.kind, found.money) == (OutcomeKind.SUCCEEDED, TOTAL)

    def test_is_paid_on_stripe_s_page(
        self, gateway: StripeGateway, player: Player, shop: Shop, payment: Intent
    ) -> None:
        player.behaviour(gateway="stripe", reference=payment.reference, decision="ask")
        opened = ask(gateway, Verb.CREATE, payment)
        assert opened.kind is OutcomeKind.ACTION_REQUIRED
        assert opened.next_action is not None
        known = learned(payment, opened)
        assert ask(gateway, Verb.QUERY, known).kind is OutcomeKind.UNPAID
        assert player.http.get(opened.next_action.url, timeout=10).status_code == 200
        player.control("decide", gateway="stripe", reference=payment.reference, decision="approve")
        notices = self.notices(gateway, shop, payment, "checkout.session.completed")
        paid = [n.outcome for n in notices if n.outcome and n.outcome.kind is OutcomeKind.SUCCEEDED]
        asked = ask(gateway, Verb.QUERY, known)
        assert paid
        assert {outcome.psp_reference for outcome in paid} == {asked.psp_reference}
        assert (asked.kind, asked.money) == (OutcomeKind.SUCCEEDED, TOTAL)

    def test_lets_the_shopper_try_again_on_stripe_s_page(
        self, gateway: StripeGateway, player: Player, shop: Shop, payment: Intent
    ) -> None:
        player.behaviour(gateway="stripe", reference=payment.reference, decision="ask")
        known = learned(payment, ask(gateway, Verb.CREATE, payment))
        decide = {"gateway": "stripe", "reference": payment.reference}
        player.control("decide", **decide, decision="decline:insufficient_funds")
        notices = self.notices(gateway, shop, payment, "payment_intent.payment_failed")
        failed = [n.outcome for n in notices if n.event_type == "payment_intent.payment_failed"]
        assert [outcome and outcome.kind for outcome in failed] == [OutcomeKind.PENDING]
        assert ask(gateway, Verb.QUERY, known).kind is OutcomeKind.UNPAID
        player.control("decide", **decide, decision="approve")
        self.notices(gateway, shop, payment, "checkout.session.completed")
        assert ask(gateway, Verb.QUERY, known).kind is OutcomeKind.SUCCEEDED

    def test_closes_a_page_that_then_cannot_be_paid(
        self, gateway: StripeGateway, player: Player, payment: Intent
    ) -> None:
        player.behaviour(gateway="stripe", reference=payment.reference, decision="ask")
        known = learned(payment, ask(gateway, Verb.CREATE, payment))
        closed = ask(gateway, Verb.CLOSE, known)
        assert closed.kind is OutcomeKind.DECLINED
        assert closed.failure is not None
        assert closed.failure.code is FailureCode.EXPIRED
        assert ask(gateway, Verb.QUERY, known).kind is OutcomeKind.DECLINED

    def test_finds_the_money_when_it_closes_too_late(
        self, gateway: StripeGateway, payment: Intent
    ) -> None:
        known = learned(payment, self.create(gateway, payment))
        closed = ask(gateway, Verb.CLOSE, known)
        assert (closed.kind, closed.money) == (OutcomeKind.SUCCEEDED, TOTAL)

    @pytest.mark.parametrize("has_token", [True, False])
    def test_holds_and_takes_a_part(
        self, gateway: StripeGateway, player: Player, shop: Shop, payment: Intent, has_token: bool
    ) -> None:
        payment = replace(payment, capture="manual")
        if has_token:
            held = self.create(gateway, payment)
        else:
            opened = learned(payment, ask(gateway, Verb.CREATE, payment))
            self.notices(gateway, shop, payment, "payment_intent.amount_capturable_updated")
            held = ask(gateway, Verb.QUERY, opened)
        assert (held.kind, held.money) == (OutcomeKind.AUTHORIZED, TOTAL)
        taken = ask(gateway, Verb.CAPTURE, learned(payment, held), money=PART)
        assert (taken.kind, taken.money) == (OutcomeKind.SUCCEEDED, PART)
        assert player.charge(payment.reference)["captured"] == PART.minor

    def test_releases_a_hold(self, gateway: StripeGateway, payment: Intent) -> None:
        payment = replace(payment, capture="manual")
        held = learned(payment, self.create(gateway, payment))
        gone = ask(gateway, Verb.VOID, held)
        assert gone.kind is OutcomeKind.DECLINED
        assert gone.failure is not None
        assert gone.failure.code is FailureCode.CANCELLED

    def test_refunds_once_and_finds_the_refund_again(
        self, gateway: StripeGateway, player: Player, shop: Shop, payment: Intent
    ) -> None:
        paid, key = learned(payment, self.create(gateway, payment)), uuid4().hex
        twice = [ask(gateway, Verb.REFUND, paid, money=PART, reference=key) for _ in range(2)]
        assert {outcome.kind for outcome in twice} == {OutcomeKind.SUCCEEDED}
        assert {outcome.psp_reference for outcome in twice} == {twice[0].psp_reference}
        assert player.charge(payment.reference)["refunded"] == PART.minor
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
