"""VNPAY from end to end: our adapter against VNPAY as it is emulated on this machine.

The sandbox shares no code with the adapter, so what they agree on here they both read from
VNPAY's own rules.
"""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from gateways.operation import PaymentDetails, Verb
from gateways.outcome import FailureCode, OutcomeKind
from gateways.vnpay.gateway import VnpayGateway
from gateways.webhook import Notice, WebhookRefused
from money.money import Money
from tests.gateways.from_sandbox import ask, learned, payment_of, read
from tests.sandbox.sandbox_process import HASH_SECRET, TMN_CODE, SandboxProcess, Shop, eventually

TOTAL = Money(150_000, "VND")
PART = Money(50_000, "VND")


@pytest.fixture
def gateway(sandbox: SandboxProcess) -> VnpayGateway:
    return VnpayGateway.from_settings(
        {
            "tmn_code": TMN_CODE,
            "hash_secret": HASH_SECRET,
            "pay_url": f"{sandbox.url}/paymentv2/vpcpay.html",
            "api_url": f"{sandbox.url}/merchant_webapi/api/transaction",
        }
    )


@pytest.fixture
def payment() -> PaymentDetails:
    return payment_of(TOTAL)


class TestPayment:
    def open_page(
        self, gateway: VnpayGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        outcome = ask(gateway, Verb.CREATE, payment)
        assert outcome.next_action is not None
        # Where nobody has to decide, the page sends the shopper straight back to the shop.
        answer = sandbox.http.get(outcome.next_action.url, allow_redirects=False, timeout=10)
        assert answer.status_code == 302
        assert "Error" not in answer.headers["Location"]

    def ipn(self, gateway: VnpayGateway, shop: Shop, payment: PaymentDetails) -> Notice:
        got = eventually(lambda: shop.ipns(payment.reference), "the IPN")
        return read(gateway, got[0])

    def test_is_paid_and_says_so_twice(
        self, gateway: VnpayGateway, sandbox: SandboxProcess, shop: Shop, payment: PaymentDetails
    ) -> None:
        self.open_page(gateway, sandbox, payment)
        told = self.ipn(gateway, shop, payment).outcome
        asked = ask(gateway, Verb.QUERY, payment)
        assert told is not None
        for outcome in (told, asked):
            assert outcome.kind is OutcomeKind.SUCCEEDED
            assert (outcome.money, outcome.reference) == (TOTAL, payment.reference)
            assert outcome.account == TMN_CODE
        assert told.psp_reference == asked.psp_reference != ""
        assert sandbox.charge(payment.reference)["captured"] == TOTAL.minor

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
    def test_is_paid_by_the_channel_that_was_asked_for(
        self,
        gateway: VnpayGateway,
        sandbox: SandboxProcess,
        shop: Shop,
        payment: PaymentDetails,
        changes: dict[str, Any],
        bank: str,
    ) -> None:
        self.open_page(gateway, sandbox, replace(payment, **changes))
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
        sandbox: SandboxProcess,
        shop: Shop,
        payment: PaymentDetails,
        decision: str,
        code: FailureCode,
    ) -> None:
        sandbox.behaviour(gateway="vnpay", reference=payment.reference, decision=decision)
        self.open_page(gateway, sandbox, payment)
        told = self.ipn(gateway, shop, payment).outcome
        assert told is not None
        assert told.kind is OutcomeKind.DECLINED
        assert told.failure is not None
        assert told.failure.code is code
        assert ask(gateway, Verb.QUERY, payment).kind is OutcomeKind.DECLINED

    def test_is_unpaid_while_nobody_opens_or_finishes_the_page(
        self, gateway: VnpayGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        assert ask(gateway, Verb.QUERY, payment).kind is OutcomeKind.UNPAID
        sandbox.behaviour(gateway="vnpay", reference=payment.reference, decision="abandon")
        self.open_page(gateway, sandbox, payment)
        assert ask(gateway, Verb.QUERY, payment).kind is OutcomeKind.UNPAID

    @pytest.mark.parametrize("corrupt", ["signature", "body"])
    def test_believes_no_forged_ipn(
        self,
        gateway: VnpayGateway,
        sandbox: SandboxProcess,
        shop: Shop,
        payment: PaymentDetails,
        corrupt: str,
    ) -> None:
        webhook = {"corrupt": corrupt}
        sandbox.behaviour(
            gateway="vnpay", reference=payment.reference, decision="approve", webhook=webhook
        )
        self.open_page(gateway, sandbox, payment)
        with pytest.raises(WebhookRefused):
            self.ipn(gateway, shop, payment)

    def test_reports_another_amount_as_it_was_said(
        self, gateway: VnpayGateway, sandbox: SandboxProcess, shop: Shop, payment: PaymentDetails
    ) -> None:
        webhook = {"corrupt": "amount"}
        sandbox.behaviour(
            gateway="vnpay", reference=payment.reference, decision="approve", webhook=webhook
        )
        self.open_page(gateway, sandbox, payment)
        told = self.ipn(gateway, shop, payment).outcome
        assert told is not None
        assert told.money is None or told.money != TOTAL

    @pytest.mark.parametrize("fault", ["http_500", "garbage", "reset_after", "cut_body", "refuse"])
    def test_knows_nothing_after_a_fault_and_the_truth_after_the_next_query(
        self,
        gateway: VnpayGateway,
        sandbox: SandboxProcess,
        shop: Shop,
        payment: PaymentDetails,
        fault: str,
    ) -> None:
        self.open_page(gateway, sandbox, payment)
        self.ipn(gateway, shop, payment)
        sandbox.behaviour(gateway="vnpay", reference=payment.reference, api={"fault": fault})
        assert ask(gateway, Verb.QUERY, payment).kind is OutcomeKind.UNKNOWN
        sandbox.behaviour(gateway="vnpay", reference=payment.reference)
        assert ask(gateway, Verb.QUERY, payment).kind is OutcomeKind.SUCCEEDED

    def test_refunds_once_however_often_the_same_refund_is_sent(
        self, gateway: VnpayGateway, sandbox: SandboxProcess, shop: Shop, payment: PaymentDetails
    ) -> None:
        self.open_page(gateway, sandbox, payment)
        told = self.ipn(gateway, shop, payment).outcome
        assert told is not None
        paid, reference = learned(payment, told), uuid4().hex
        again = [
            ask(gateway, Verb.REFUND, paid, money=PART, reference=reference, actor="finance")
            for _ in range(2)
        ]
        assert [outcome.kind for outcome in again] == [OutcomeKind.SUCCEEDED, OutcomeKind.PENDING]
        assert again[0].money == PART
        assert sandbox.charge(payment.reference)["refunded"] == PART.minor
        too_much = ask(gateway, Verb.REFUND, paid, money=Money(100_001, "VND"))
        assert too_much.kind is OutcomeKind.DECLINED
