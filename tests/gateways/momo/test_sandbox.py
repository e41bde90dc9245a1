"""MoMo from end to end: our adapter against MoMo as it is emulated on this machine.

The sandbox shares no code with the adapter, so what they agree on here they both read from
MoMo's own rules.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from gateways.momo.gateway import MomoGateway
from gateways.operation import CaptureMethod, PaymentDetails, Verb
from gateways.outcome import FailureCode, Outcome, OutcomeKind
from gateways.webhook import Notice, WebhookRefused
from money.money import Money
from tests.gateways.from_sandbox import ask, learned, payment_of, read
from tests.sandbox.sandbox_process import MOMO_KEYS, SandboxProcess, Shop, eventually

TOTAL = Money(150_000, "VND")
PART = Money(50_000, "VND")


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """MoMo is answered 204."""
    with Shop(answer=(204, b"")) as shop:
        yield shop


@pytest.fixture
def gateway(sandbox: SandboxProcess) -> MomoGateway:
    return MomoGateway.from_settings(
        {
            "partner_code": MOMO_KEYS["MOMO_PARTNER_CODE"],
            "access_key": MOMO_KEYS["MOMO_ACCESS_KEY"],
            "secret_key": MOMO_KEYS["MOMO_SECRET_KEY"],
            "api_base": sandbox.url,
        }
    )


@pytest.fixture
def payment() -> PaymentDetails:
    return payment_of(TOTAL, method="momo")


def told(gateway: MomoGateway, shop: Shop, payment: PaymentDetails) -> Notice:
    known = payment.reference.encode()
    got = eventually(lambda: [g for g in list(shop.received) if known in g.body], "the IPN")
    return read(gateway, got[0])


def decided(gateway: MomoGateway, payment: PaymentDetails) -> Outcome:
    """The payment once MoMo has taken its decision."""

    def look() -> Outcome | None:
        outcome = ask(gateway, Verb.QUERY, payment)
        return None if outcome.kind is OutcomeKind.UNPAID else outcome

    found = eventually(look, "the decision")
    assert found is not None
    return found


def paid(gateway: MomoGateway, payment: PaymentDetails) -> PaymentDetails:
    created = ask(gateway, Verb.CREATE, payment)
    assert created.kind is OutcomeKind.ACTION_REQUIRED
    return learned(payment, decided(gateway, payment))


class TestPayment:
    def test_waits_on_a_page_with_a_code_and_an_app_link(
        self, gateway: MomoGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        sandbox.behaviour(gateway="momo", reference=payment.reference, decision="ask")
        outcome = ask(gateway, Verb.CREATE, payment)
        action = outcome.next_action
        assert outcome.kind is OutcomeKind.ACTION_REQUIRED
        assert action is not None
        for url in (action.url, action.qr, action.app_url):
            assert url.startswith(sandbox.url)
            assert sandbox.http.get(url, timeout=10).status_code == 200
        assert ask(gateway, Verb.QUERY, payment).kind is OutcomeKind.UNPAID

    def test_is_paid_and_says_so_twice(
        self, gateway: MomoGateway, sandbox: SandboxProcess, shop: Shop, payment: PaymentDetails
    ) -> None:
        paid(gateway, payment)
        notice, asked = told(gateway, shop, payment), ask(gateway, Verb.QUERY, payment)
        assert notice.outcome is not None
        for outcome in (notice.outcome, asked):
            assert outcome.kind is OutcomeKind.SUCCEEDED
            assert (outcome.money, outcome.reference) == (TOTAL, payment.reference)
            assert outcome.account == MOMO_KEYS["MOMO_PARTNER_CODE"]
        assert notice.outcome.psp_reference == asked.psp_reference != ""
        assert sandbox.charge(payment.reference)["captured"] == TOTAL.minor

    @pytest.mark.parametrize(
        ("changes", "pay_type", "has_code"),
        [
            ({"channel": "wallet"}, "qr", True),
            ({"channel": "atm"}, "napas", False),
            ({"channel": "card"}, "credit", False),
            ({"method": "card"}, "credit", False),
        ],
    )
    def test_is_paid_by_the_channel_that_was_asked_for(
        self,
        gateway: MomoGateway,
        payment: PaymentDetails,
        changes: dict[str, Any],
        pay_type: str,
        *,
        has_code: bool,
    ) -> None:
        payment = replace(payment, **changes)
        created = ask(gateway, Verb.CREATE, payment)
        assert created.next_action is not None
        # Cards have a page and nothing to scan.
        assert bool(created.next_action.qr) is has_code
        outcome = decided(gateway, payment)
        assert (outcome.kind, outcome.psp_data["pay_type"]) == (OutcomeKind.SUCCEEDED, pay_type)

    @pytest.mark.parametrize(
        ("decision", "code"),
        [
            ("cancel", FailureCode.CANCELLED),
            ("decline:1001", FailureCode.INSUFFICIENT_FUNDS),
            ("decline:1004", FailureCode.LIMIT_EXCEEDED),
            ("decline:1005", FailureCode.EXPIRED),
            ("decline:4001", FailureCode.ACCOUNT_BLOCKED),
            ("decline:4100", FailureCode.AUTHENTICATION_FAILED),
        ],
    )
    def test_is_declined_in_our_words(
        self,
        gateway: MomoGateway,
        sandbox: SandboxProcess,
        shop: Shop,
        payment: PaymentDetails,
        decision: str,
        code: FailureCode,
    ) -> None:
        sandbox.behaviour(gateway="momo", reference=payment.reference, decision=decision)
        ask(gateway, Verb.CREATE, payment)
        outcomes = (decided(gateway, payment), told(gateway, shop, payment).outcome)
        for outcome in outcomes:
            assert outcome is not None
            assert outcome.kind is OutcomeKind.DECLINED
            assert outcome.failure is not None
            assert outcome.failure.code is code
            # The number of a refusal is a clock's value, and no payment's.
            assert outcome.psp_reference == ""

    def test_waits_for_the_bank(
        self, gateway: MomoGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        sandbox.behaviour(gateway="momo", reference=payment.reference, decision="pending")
        ask(gateway, Verb.CREATE, payment)
        assert decided(gateway, payment).kind is OutcomeKind.PENDING
        sandbox.control("decide", gateway="momo", reference=payment.reference, decision="approve")
        assert ask(gateway, Verb.QUERY, payment).kind is OutcomeKind.SUCCEEDED

    def test_is_unpaid_when_momo_never_heard_of_it(
        self, gateway: MomoGateway, payment: PaymentDetails
    ) -> None:
        assert ask(gateway, Verb.QUERY, payment).kind is OutcomeKind.UNPAID

    def test_ends_with_its_link(
        self, gateway: MomoGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        sandbox.behaviour(gateway="momo", reference=payment.reference, decision="abandon")
        ask(gateway, Verb.CREATE, payment)
        sandbox.control("clock", advance_s=15 * 60 + 1)
        outcome = ask(gateway, Verb.QUERY, payment)
        assert outcome.kind is OutcomeKind.DECLINED
        assert outcome.failure is not None
        assert outcome.failure.code is FailureCode.EXPIRED


class TestIpn:
    @pytest.mark.parametrize("corrupt", ["signature", "body"])
    def test_is_not_believed_when_forged(
        self,
        gateway: MomoGateway,
        sandbox: SandboxProcess,
        shop: Shop,
        payment: PaymentDetails,
        corrupt: str,
    ) -> None:
        sandbox.behaviour(
            gateway="momo",
            reference=payment.reference,
            decision="approve",
            webhook={"corrupt": corrupt},
        )
        ask(gateway, Verb.CREATE, payment)
        with pytest.raises(WebhookRefused):
            told(gateway, shop, payment)

    def test_is_read_as_it_was_said(
        self, gateway: MomoGateway, sandbox: SandboxProcess, shop: Shop, payment: PaymentDetails
    ) -> None:
        lies = {"corrupt": "amount"}
        sandbox.behaviour(
            gateway="momo", reference=payment.reference, decision="approve", webhook=lies
        )
        ask(gateway, Verb.CREATE, payment)
        outcome = told(gateway, shop, payment).outcome
        assert outcome is not None
        assert outcome.money == Money(151_000, "VND")

    def test_is_genuine_with_every_letter_of_a_vietnamese_order(
        self, gateway: MomoGateway, shop: Shop, payment: PaymentDetails
    ) -> None:
        payment = replace(payment, description="Cà phê sữa đá & bánh mì = 100%, 'ngon' + rẻ")
        paid(gateway, payment)
        assert told(gateway, shop, payment).reference == payment.reference


class TestLostAnswers:
    @pytest.mark.parametrize(
        "fault", ["reset_after", "cut_body", "http_500_after", "http_500", "garbage", "refuse"]
    )
    def test_are_asked_for_again_under_the_same_id(
        self, gateway: MomoGateway, sandbox: SandboxProcess, payment: PaymentDetails, fault: str
    ) -> None:
        sandbox.behaviour(
            gateway="momo", reference=payment.reference, decision="approve", api={"fault": fault}
        )
        key = uuid4().hex
        assert ask(gateway, Verb.CREATE, payment, reference=key).kind is OutcomeKind.UNKNOWN
        sandbox.behaviour(gateway="momo", reference=payment.reference, decision="approve")
        again = [ask(gateway, Verb.CREATE, payment, reference=key) for _ in range(2)]
        assert [outcome.kind for outcome in again] == [OutcomeKind.ACTION_REQUIRED] * 2
        assert decided(gateway, payment).kind is OutcomeKind.SUCCEEDED
        assert sandbox.charge(payment.reference)["captured"] == TOTAL.minor

    def test_of_a_refund_never_give_the_money_back_twice(
        self, gateway: MomoGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        known, key = paid(gateway, payment), uuid4().hex
        sandbox.behaviour(gateway="momo", reference=payment.reference, api={"fault": "reset_after"})
        kinds = [ask(gateway, Verb.REFUND, known, money=PART, reference=key).kind for _ in range(3)]
        assert kinds == [OutcomeKind.UNKNOWN, OutcomeKind.SUCCEEDED, OutcomeKind.SUCCEEDED]
        assert sandbox.charge(payment.reference)["refunded"] == PART.minor

    def test_of_a_repeated_order_lead_to_a_question(
        self, gateway: MomoGateway, payment: PaymentDetails
    ) -> None:
        paid(gateway, payment)
        assert ask(gateway, Verb.CREATE, payment).kind is OutcomeKind.PENDING


class TestKeysThatWereRefused:
    def test_are_mended_and_the_same_request_gets_its_link(
        self, gateway: MomoGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        keys = {"access_key": MOMO_KEYS["MOMO_ACCESS_KEY"], "secret_key": "k" * 32}
        partner = {"partner_code": MOMO_KEYS["MOMO_PARTNER_CODE"], "api_base": sandbox.url}
        mistyped = MomoGateway.from_settings(keys | partner)
        key = uuid4().hex
        assert ask(mistyped, Verb.CREATE, payment, reference=key).kind is OutcomeKind.NOT_DONE
        again = ask(gateway, Verb.CREATE, payment, reference=key)
        assert again.kind is OutcomeKind.ACTION_REQUIRED

    def test_are_mended_and_a_request_that_momo_holds_used_up_is_found_unpaid(
        self, gateway: MomoGateway, payment: PaymentDetails
    ) -> None:
        # Code 22 is no more final than 13, and uses the requestId up here for certain.
        key, small = uuid4().hex, replace(payment, money=Money(1, "VND"))
        ask(gateway, Verb.CREATE, small, reference=key)
        again = ask(gateway, Verb.CREATE, payment, reference=key)
        assert again.kind is OutcomeKind.PENDING
        assert again.exchange is not None
        assert again.exchange.response["resultCode"] == 40
        assert ask(gateway, Verb.QUERY, payment).kind is OutcomeKind.UNPAID


class TestRefund:
    def test_gives_a_part_back_and_is_found_again(
        self, gateway: MomoGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        known, key = paid(gateway, payment), uuid4().hex
        made = ask(gateway, Verb.REFUND, known, money=PART, reference=key)
        found = ask(gateway, Verb.QUERY_REFUND, known, refund_reference=key)
        for outcome in (made, found):
            assert (outcome.kind, outcome.money) == (OutcomeKind.SUCCEEDED, PART)
            assert outcome.reference == key
        assert made.psp_reference == found.psp_reference != known.psp_reference
        assert ask(gateway, Verb.QUERY, known).psp_data["refunded"] == str(PART.minor)
        assert sandbox.charge(payment.reference)["refunded"] == PART.minor

    @pytest.mark.parametrize(
        ("money", "kind"),
        [
            (Money(150_001, "VND"), OutcomeKind.DECLINED),
            (Money(11_080, "VND"), OutcomeKind.DECLINED),
            (Money(17_002, "VND"), OutcomeKind.PENDING),
        ],
    )
    def test_is_told_how_it_went(
        self,
        gateway: MomoGateway,
        payment: PaymentDetails,
        money: Money,
        kind: OutcomeKind,
    ) -> None:
        known = paid(gateway, payment)
        assert ask(gateway, Verb.REFUND, known, money=money).kind is kind

    def test_that_took_a_minute_is_found_done(
        self, gateway: MomoGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        known, key = paid(gateway, payment), uuid4().hex
        slow = Money(17_002, "VND")
        ask(gateway, Verb.REFUND, known, money=slow, reference=key)
        sandbox.control("clock", advance_s=61)
        found = ask(gateway, Verb.QUERY_REFUND, known, refund_reference=key)
        assert (found.kind, found.money) == (OutcomeKind.SUCCEEDED, slow)

    def test_that_was_never_made_is_not_found(
        self, gateway: MomoGateway, payment: PaymentDetails
    ) -> None:
        known = paid(gateway, payment)
        outcome = ask(gateway, Verb.QUERY_REFUND, known, refund_reference=uuid4().hex)
        assert outcome.kind is OutcomeKind.UNPAID


class TestHold:
    def held(self, gateway: MomoGateway, payment: PaymentDetails) -> PaymentDetails:
        payment = replace(payment, capture=CaptureMethod.MANUAL)
        ask(gateway, Verb.CREATE, payment)
        outcome = decided(gateway, payment)
        assert (outcome.kind, outcome.money) == (OutcomeKind.AUTHORIZED, TOTAL)
        return learned(payment, outcome)

    def test_is_told_as_a_hold_and_no_payment(
        self, gateway: MomoGateway, shop: Shop, payment: PaymentDetails
    ) -> None:
        notice = told(gateway, shop, self.held(gateway, payment))
        assert notice.outcome is not None
        assert notice.outcome.kind is OutcomeKind.AUTHORIZED

    def test_is_taken_whole(
        self, gateway: MomoGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        known = self.held(gateway, payment)
        taken = ask(gateway, Verb.CAPTURE, known, money=TOTAL)
        assert (taken.kind, taken.money) == (OutcomeKind.SUCCEEDED, TOTAL)
        assert sandbox.charge(payment.reference)["captured"] == TOTAL.minor
        assert ask(gateway, Verb.VOID, known).kind is OutcomeKind.PENDING

    def test_is_let_go(
        self, gateway: MomoGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        known = self.held(gateway, payment)
        released = ask(gateway, Verb.VOID, known)
        assert released.kind is OutcomeKind.DECLINED
        assert ask(gateway, Verb.QUERY, known).kind is OutcomeKind.DECLINED
        assert sandbox.charge(payment.reference)["status"] == "voided"


class TestPage:
    def test_brings_the_shopper_back_to_where_we_said(
        self, gateway: MomoGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        outcome = ask(gateway, Verb.CREATE, payment)
        assert outcome.next_action is not None
        answer = sandbox.http.get(outcome.next_action.url, allow_redirects=False, timeout=10)
        back, wanted = urlsplit(answer.headers["Location"]), urlsplit(payment.return_url)
        assert (back.netloc, back.path) == (wanted.netloc, wanted.path)
