"""PayPal from end to end: our adapter against PayPal as it is emulated on this machine.

The sandbox shares no code with the adapter, so what they agree on here they both read from
PayPal's own rules.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from gateways.operation import CaptureMethod, PaymentDetails, Verb
from gateways.outcome import FailureCode, Outcome, OutcomeKind
from gateways.paypal.gateway import PaypalGateway
from gateways.settlement import RecordKind, ReportUnavailable
from gateways.webhook import Notice, Subject, WebhookRefused
from money.money import Money
from tests.gateways.from_sandbox import ask, learned, payment_of, read
from tests.sandbox.paypal_client import PAYMENTS, Caller, new_key
from tests.sandbox.sandbox_process import PAYPAL_KEYS, SandboxProcess, Shop, eventually

TOTAL = Money(1999, "USD")
PART = Money(500, "USD")


@pytest.fixture
def gateway(sandbox: SandboxProcess) -> PaypalGateway:
    return adapter(sandbox)


@pytest.fixture
def payment() -> PaymentDetails:
    return payment_of(TOTAL, method="paypal", locale="en")


def adapter(sandbox: SandboxProcess, **options: str) -> PaypalGateway:
    return PaypalGateway.from_settings(
        {
            "client_id": PAYPAL_KEYS["PAYPAL_CLIENT_ID"],
            "secret": PAYPAL_KEYS["PAYPAL_SECRET"],
            "merchant_id": PAYPAL_KEYS["PAYPAL_MERCHANT_ID"],
            "webhook_ids": PAYPAL_KEYS["PAYPAL_WEBHOOK_IDS"],
            "cert_roots": str(Path(sandbox.data_dir) / "paypal-root.pem"),
            "api_base": sandbox.url,
            **options,
        }
    )


def told(gateway: PaypalGateway, shop: Shop, payment: PaymentDetails, kind: str) -> Notice:
    """The notice of one kind of event about a payment."""
    known, word = payment.reference.encode(), kind.encode()

    def look() -> Notice | None:
        for got in list(shop.received):
            if known in got.body and word in got.body:
                return read(gateway, got)
        return None

    found = eventually(look, kind)
    assert found is not None
    return found


def approved(gateway: PaypalGateway, payment: PaymentDetails) -> PaymentDetails:
    """An order that its buyer has approved."""
    created = ask(gateway, Verb.CREATE, payment)
    assert created.kind is OutcomeKind.ACTION_REQUIRED
    known = learned(payment, created)

    def look() -> PaymentDetails | None:
        outcome = ask(gateway, Verb.QUERY, known)
        return learned(known, outcome) if outcome.next_verb is Verb.CAPTURE else None

    found = eventually(look, "the approval")
    assert found is not None
    return found


def paid(gateway: PaypalGateway, payment: PaymentDetails) -> PaymentDetails:
    known = approved(gateway, payment)
    outcome = ask(gateway, Verb.CAPTURE, known)
    assert outcome.kind is OutcomeKind.SUCCEEDED
    return learned(known, outcome)


class TestPayment:
    def test_waits_for_the_buyer_on_paypal_s_page(
        self, gateway: PaypalGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        sandbox.behaviour(gateway="paypal", reference=payment.reference, decision="ask")
        outcome = ask(gateway, Verb.CREATE, payment)
        assert outcome.kind is OutcomeKind.ACTION_REQUIRED
        assert outcome.next_action is not None
        page = sandbox.http.get(outcome.next_action.url, timeout=10)
        assert "19.99 USD" in page.text
        known = learned(payment, outcome)
        assert ask(gateway, Verb.QUERY, known).kind is OutcomeKind.UNPAID
        assert ask(gateway, Verb.CAPTURE, known).kind is OutcomeKind.UNPAID
        assert sandbox.charge(payment.reference)["captured"] == 0

    def test_is_paid_by_our_capture_and_says_so_three_times(
        self, gateway: PaypalGateway, sandbox: SandboxProcess, shop: Shop, payment: PaymentDetails
    ) -> None:
        known = approved(gateway, payment)
        answered = ask(gateway, Verb.CAPTURE, known)
        asked = ask(gateway, Verb.QUERY, known)
        for outcome in (answered, asked):
            assert outcome.kind is OutcomeKind.SUCCEEDED
            assert (outcome.money, outcome.reference) == (TOTAL, payment.reference)
            assert outcome.account == PAYPAL_KEYS["PAYPAL_MERCHANT_ID"]
        notice = told(gateway, shop, payment, "PAYMENT.CAPTURE.COMPLETED")
        assert notice.psp_reference == answered.psp_reference
        assert notice.outcome is not None
        assert notice.outcome.next_verb is Verb.QUERY
        assert answered.psp_data["paypal_fee"] == "1.19 USD"
        assert sandbox.charge(payment.reference)["captured"] == TOTAL.minor

    def test_is_told_when_the_buyer_approves(
        self, gateway: PaypalGateway, shop: Shop, payment: PaymentDetails
    ) -> None:
        known = approved(gateway, payment)
        notice = told(gateway, shop, payment, "CHECKOUT.ORDER.APPROVED")
        assert (notice.reference, notice.psp_reference) == (
            payment.reference,
            known.psp_reference,
        )
        assert notice.outcome is not None
        assert notice.outcome.next_verb is Verb.CAPTURE

    @pytest.mark.parametrize(
        ("decision", "kind", "code"),
        [
            ("decline:INSTRUMENT_DECLINED", OutcomeKind.ACTION_REQUIRED, FailureCode.DECLINED),
            ("decline:TRANSACTION_REFUSED", OutcomeKind.DECLINED, FailureCode.DECLINED),
            ("decline:COMPLIANCE_VIOLATION", OutcomeKind.DECLINED, FailureCode.SUSPECTED_FRAUD),
            ("decline:DECLINED", OutcomeKind.DECLINED, FailureCode.DECLINED),
        ],
    )
    def test_is_declined_in_our_words(
        self,
        gateway: PaypalGateway,
        sandbox: SandboxProcess,
        payment: PaymentDetails,
        decision: str,
        kind: OutcomeKind,
        code: FailureCode,
    ) -> None:
        sandbox.behaviour(gateway="paypal", reference=payment.reference, decision=decision)
        outcome = ask(gateway, Verb.CAPTURE, approved(gateway, payment))
        assert outcome.kind is kind
        assert outcome.failure is not None
        assert outcome.failure.code is code
        assert sandbox.charge(payment.reference)["captured"] == 0

    def test_goes_back_to_the_page_when_the_card_is_declined(
        self, gateway: PaypalGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        sandbox.behaviour(
            gateway="paypal", reference=payment.reference, decision="decline:INSTRUMENT_DECLINED"
        )
        known = approved(gateway, payment)
        declined = ask(gateway, Verb.CAPTURE, known)
        assert declined.next_action is not None
        known = learned(known, declined)
        assert ask(gateway, Verb.QUERY, known).kind is OutcomeKind.UNPAID
        decide = {"gateway": "paypal", "reference": payment.reference}
        sandbox.control("decide", **decide, decision="approve")
        assert ask(gateway, Verb.CAPTURE, known).kind is OutcomeKind.SUCCEEDED
        assert sandbox.charge(payment.reference)["captured"] == TOTAL.minor

    @pytest.mark.parametrize(
        ("decision", "kind"),
        [("approve", OutcomeKind.SUCCEEDED), ("decline:x", OutcomeKind.DECLINED)],
    )
    def test_waits_for_paypal_s_review(
        self,
        gateway: PaypalGateway,
        sandbox: SandboxProcess,
        payment: PaymentDetails,
        decision: str,
        kind: OutcomeKind,
    ) -> None:
        sandbox.behaviour(gateway="paypal", reference=payment.reference, decision="pending")
        known = approved(gateway, payment)
        assert ask(gateway, Verb.CAPTURE, known).kind is OutcomeKind.PENDING
        assert ask(gateway, Verb.QUERY, known).kind is OutcomeKind.PENDING
        sandbox.control("decide", gateway="paypal", reference=payment.reference, decision=decision)
        assert ask(gateway, Verb.QUERY, known).kind is kind

    def test_is_not_found_after_three_hours(
        self, gateway: PaypalGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        sandbox.behaviour(gateway="paypal", reference=payment.reference, decision="abandon")
        known = learned(payment, ask(gateway, Verb.CREATE, payment))
        sandbox.control("clock", advance_s=3 * 3600 + 1)
        assert ask(gateway, Verb.QUERY, known).kind is OutcomeKind.UNPAID
        assert ask(gateway, Verb.CAPTURE, known).kind is OutcomeKind.PENDING

    def test_is_reversed_when_we_never_capture(
        self, gateway: PaypalGateway, sandbox: SandboxProcess, shop: Shop, payment: PaymentDetails
    ) -> None:
        known = approved(gateway, payment)
        sandbox.control("clock", advance_s=3 * 3600 + 1)
        notice = told(gateway, shop, payment, "CHECKOUT.PAYMENT-APPROVAL.REVERSED")
        assert notice.reference == payment.reference
        late = ask(gateway, Verb.CAPTURE, known)
        assert late.kind is OutcomeKind.DECLINED
        assert late.failure is not None
        assert late.failure.code is FailureCode.EXPIRED
        assert sandbox.charge(payment.reference)["captured"] == 0

    @pytest.mark.parametrize("currency", ["JPY", "HUF", "TWD"])
    def test_is_paid_in_currencies_with_scales_of_paypal_s_own(
        self, gateway: PaypalGateway, sandbox: SandboxProcess, currency: str
    ) -> None:
        money = Money(150_000, currency)
        payment = payment_of(money, method="paypal")
        asked = ask(gateway, Verb.QUERY, paid(gateway, payment))
        assert asked.money == money
        assert sandbox.charge(payment.reference)["captured"] == money.minor

    def test_gives_each_of_many_threads_its_own_order(
        self, gateway: PaypalGateway, payment: PaymentDetails
    ) -> None:
        payments = [replace(payment, reference=uuid4().hex) for _ in range(24)]
        with ThreadPoolExecutor(12) as threads:
            outcomes = list(threads.map(lambda each: ask(gateway, Verb.CREATE, each), payments))
        assert [each.reference for each in outcomes] == [each.reference for each in payments]


class TestTwoCaptures:
    def test_under_one_id_take_the_money_once(
        self, gateway: PaypalGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        known, key = approved(gateway, payment), uuid4().hex

        def capture(_: int) -> Outcome:
            return ask(gateway, Verb.CAPTURE, known, reference=key)

        with ThreadPoolExecutor(8) as threads:
            kinds = {outcome.kind for outcome in threads.map(capture, range(16))}
        assert kinds <= {OutcomeKind.SUCCEEDED, OutcomeKind.UNKNOWN}
        assert sandbox.charge(payment.reference)["captured"] == TOTAL.minor

    def test_under_two_ids_take_the_money_once(
        self, gateway: PaypalGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        known = approved(gateway, payment)
        kinds = [ask(gateway, Verb.CAPTURE, known).kind for _ in range(2)]
        # The second hears that somebody was faster, and must ask.
        assert kinds == [OutcomeKind.SUCCEEDED, OutcomeKind.PENDING]
        assert sandbox.charge(payment.reference)["captured"] == TOTAL.minor


class TestLostAnswers:
    @pytest.mark.parametrize(
        "fault", ["reset_after", "cut_body", "http_500_after", "http_500", "garbage", "refuse"]
    )
    def test_of_a_capture_are_asked_for_again_under_the_same_id(
        self, gateway: PaypalGateway, sandbox: SandboxProcess, payment: PaymentDetails, fault: str
    ) -> None:
        known, key = approved(gateway, payment), uuid4().hex
        sandbox.behaviour(gateway="paypal", reference=payment.reference, api={"fault": fault})
        assert ask(gateway, Verb.CAPTURE, known, reference=key).kind is OutcomeKind.UNKNOWN
        sandbox.behaviour(gateway="paypal", reference=payment.reference)
        again = [ask(gateway, Verb.CAPTURE, known, reference=key).kind for _ in range(2)]
        assert again == [OutcomeKind.SUCCEEDED] * 2
        assert sandbox.charge(payment.reference)["captured"] == TOTAL.minor

    def test_of_a_create_make_one_order(
        self, gateway: PaypalGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        key = uuid4().hex
        sandbox.behaviour(
            gateway="paypal", reference=payment.reference, api={"fault": "reset_after"}
        )
        assert ask(gateway, Verb.CREATE, payment, reference=key).kind is OutcomeKind.UNKNOWN
        again = ask(gateway, Verb.CREATE, payment, reference=key)
        assert again.kind is OutcomeKind.ACTION_REQUIRED
        assert sandbox.charge(payment.reference)["psp_reference"] == again.psp_reference

    def test_are_not_confused_with_a_rate_limit(
        self, gateway: PaypalGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        sandbox.behaviour(gateway="paypal", reference=payment.reference, api={"fault": "http_429"})
        assert ask(gateway, Verb.CREATE, payment).kind is OutcomeKind.NOT_DONE

    def test_when_paypal_is_down_nothing_is_sent(
        self, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        sandbox.behaviour(gateway="paypal", api={"fault": "refuse"})
        assert ask(adapter(sandbox), Verb.CREATE, payment).kind is OutcomeKind.NOT_DONE
        assert sandbox.journal(reference=payment.reference)["charges"] == []


class TestToken:
    def test_is_renewed_when_paypal_no_longer_takes_it(
        self, gateway: PaypalGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        ask(gateway, Verb.CREATE, payment)
        sandbox.control("clock", advance_s=10 * 3600)
        later = replace(payment, reference=uuid4().hex)
        assert ask(gateway, Verb.CREATE, later).kind is OutcomeKind.ACTION_REQUIRED

    def test_is_not_given_to_a_stranger(
        self, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        stranger = adapter(sandbox, secret="another")
        outcome = ask(stranger, Verb.CREATE, payment)
        assert outcome.kind is OutcomeKind.NOT_DONE
        assert outcome.failure is not None
        assert outcome.failure.gateway_code == "invalid_client"


class TestHold:
    def held(self, gateway: PaypalGateway, payment: PaymentDetails) -> PaymentDetails:
        known = approved(gateway, replace(payment, capture=CaptureMethod.MANUAL))
        outcome = ask(gateway, Verb.CAPTURE, known)
        assert (outcome.kind, outcome.money) == (OutcomeKind.AUTHORIZED, TOTAL)
        return learned(known, outcome)

    def test_is_taken_in_part(
        self, gateway: PaypalGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        known = self.held(gateway, payment)
        taken = ask(gateway, Verb.CAPTURE, known, money=PART)
        assert (taken.kind, taken.money) == (OutcomeKind.SUCCEEDED, PART)
        assert ask(gateway, Verb.QUERY, known).money == PART
        assert sandbox.charge(payment.reference)["captured"] == PART.minor

    def test_is_let_go(
        self, gateway: PaypalGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        known = self.held(gateway, payment)
        assert ask(gateway, Verb.VOID, known).kind is OutcomeKind.DECLINED
        assert ask(gateway, Verb.QUERY, known).kind is OutcomeKind.DECLINED
        assert ask(gateway, Verb.CAPTURE, known, money=PART).kind is OutcomeKind.PENDING
        assert sandbox.charge(payment.reference)["status"] == "voided"

    def test_that_is_taken_late_may_be_refused_and_stands_all_the_same(
        self, gateway: PaypalGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        known = self.held(gateway, payment)
        # PayPal vouches for the money for three days, and holds it for 29.
        sandbox.control("clock", advance_s=10 * 24 * 3600)
        no = {"gateway": "paypal", "reference": payment.reference}
        sandbox.behaviour(**no, decision="decline:PAYER_CANNOT_PAY")
        refused = ask(gateway, Verb.CAPTURE, known, money=PART)
        assert refused.failure is not None
        assert (refused.kind, refused.failure.code) == (OutcomeKind.PENDING, FailureCode.DECLINED)
        assert ask(gateway, Verb.QUERY, known).kind is OutcomeKind.AUTHORIZED
        sandbox.behaviour(**no, decision="approve")
        assert ask(gateway, Verb.CAPTURE, known, money=PART).kind is OutcomeKind.SUCCEEDED
        assert sandbox.charge(payment.reference)["captured"] == PART.minor

    def test_that_is_renewed_at_paypal_is_taken_under_its_new_id(
        self, gateway: PaypalGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        known = self.held(gateway, payment)
        sandbox.control("clock", advance_s=4 * 24 * 3600)
        path = f"{PAYMENTS}/authorizations/{known.psp_data['authorization_id']}/reauthorize"
        assert Caller(sandbox).post(path, key=new_key()).status_code == 201
        for verb in (Verb.CAPTURE, Verb.VOID):
            # The number that we still know has been let go, and the hold has not.
            assert ask(gateway, verb, known, money=TOTAL).kind is OutcomeKind.PENDING
        asked = ask(gateway, Verb.QUERY, known)
        assert (asked.kind, asked.money) == (OutcomeKind.AUTHORIZED, TOTAL)
        taken = ask(gateway, Verb.CAPTURE, learned(known, asked), money=TOTAL)
        assert (taken.kind, taken.money) == (OutcomeKind.SUCCEEDED, TOTAL)

    def test_ends_after_twenty_nine_days(
        self, gateway: PaypalGateway, sandbox: SandboxProcess, shop: Shop, payment: PaymentDetails
    ) -> None:
        known = self.held(gateway, payment)
        sandbox.control("clock", advance_s=29 * 24 * 3600 + 1)
        assert told(gateway, shop, payment, "PAYMENT.AUTHORIZATION.VOIDED").psp_reference
        late = ask(gateway, Verb.CAPTURE, known, money=PART)
        assert late.failure is not None
        assert late.failure.code is FailureCode.EXPIRED


class TestRefund:
    def test_gives_a_part_back_and_is_found_again(
        self, gateway: PaypalGateway, sandbox: SandboxProcess, shop: Shop, payment: PaymentDetails
    ) -> None:
        known, key = paid(gateway, payment), uuid4().hex
        made = ask(gateway, Verb.REFUND, known, money=PART, reference=key)
        by_id = ask(
            gateway,
            Verb.QUERY_REFUND,
            known,
            refund_reference=key,
            refund_psp_reference=made.psp_reference,
        )
        by_reference = ask(gateway, Verb.QUERY_REFUND, known, refund_reference=key)
        for outcome in (made, by_id, by_reference):
            assert (outcome.kind, outcome.money) == (OutcomeKind.SUCCEEDED, PART)
            assert outcome.psp_reference == made.psp_reference
        notice = told(gateway, shop, replace(payment, reference=key), "PAYMENT.CAPTURE.REFUNDED")
        assert (notice.subject, notice.reference) == (Subject.REFUND, key)
        assert notice.payment_psp_reference == known.psp_data["capture_id"]
        assert sandbox.charge(payment.reference)["refunded"] == PART.minor

    def test_is_made_once_however_often_it_is_sent(
        self, gateway: PaypalGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        known, key = paid(gateway, payment), uuid4().hex
        for _ in range(3):
            ask(gateway, Verb.REFUND, known, money=PART, reference=key)
        assert sandbox.charge(payment.reference)["refunded"] == PART.minor

    def test_is_refused_when_it_is_too_much(
        self, gateway: PaypalGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        known = paid(gateway, payment)
        outcome = ask(gateway, Verb.REFUND, known, money=Money(2000, "USD"))
        assert outcome.kind is OutcomeKind.DECLINED
        assert outcome.failure is not None
        assert outcome.failure.code is FailureCode.LIMIT_EXCEEDED
        assert sandbox.charge(payment.reference)["refunded"] == 0

    @pytest.mark.parametrize(
        ("word", "first", "last"),
        [
            ("REFUND_PENDING", OutcomeKind.PENDING, OutcomeKind.SUCCEEDED),
            ("REFUND_FAILED", OutcomeKind.PENDING, OutcomeKind.DECLINED),
            ("REFUND_NOT_ALLOWED", OutcomeKind.DECLINED, OutcomeKind.UNPAID),
        ],
    )
    def test_ends_in_every_way(
        self,
        gateway: PaypalGateway,
        sandbox: SandboxProcess,
        payment: PaymentDetails,
        word: str,
        first: OutcomeKind,
        last: OutcomeKind,
    ) -> None:
        known, key = paid(gateway, payment), uuid4().hex
        sandbox.behaviour(gateway="paypal", reference=payment.reference, decision=f"decline:{word}")
        assert ask(gateway, Verb.REFUND, known, money=PART, reference=key).kind is first
        sandbox.control("clock", advance_s=61)
        assert ask(gateway, Verb.QUERY_REFUND, known, refund_reference=key).kind is last


class TestWebhook:
    @pytest.mark.parametrize("corrupt", ["signature", "body"])
    def test_is_not_believed_when_forged(
        self,
        gateway: PaypalGateway,
        sandbox: SandboxProcess,
        shop: Shop,
        payment: PaymentDetails,
        corrupt: str,
    ) -> None:
        sandbox.behaviour(
            gateway="paypal",
            reference=payment.reference,
            decision="approve",
            webhook={"corrupt": corrupt},
        )
        ask(gateway, Verb.CREATE, payment)
        with pytest.raises(WebhookRefused):
            told(gateway, shop, payment, "CHECKOUT.ORDER.APPROVED")

    def test_is_believed_on_paypal_s_word_too(
        self, sandbox: SandboxProcess, shop: Shop, payment: PaymentDetails
    ) -> None:
        asking = adapter(sandbox, webhook_verification="api")
        approved(asking, payment)
        notice = told(asking, shop, payment, "CHECKOUT.ORDER.APPROVED")
        assert notice.reference == payment.reference

    def test_is_disowned_by_paypal_when_forged(
        self, sandbox: SandboxProcess, shop: Shop, payment: PaymentDetails
    ) -> None:
        sandbox.behaviour(
            gateway="paypal",
            reference=payment.reference,
            decision="approve",
            webhook={"corrupt": "signature"},
        )
        asking = adapter(sandbox, webhook_verification="api")
        ask(asking, Verb.CREATE, payment)
        with pytest.raises(WebhookRefused):
            told(asking, shop, payment, "CHECKOUT.ORDER.APPROVED")

    def test_is_refused_by_a_shop_that_trusts_other_roots(
        self, sandbox: SandboxProcess, shop: Shop, payment: PaymentDetails
    ) -> None:
        strict = adapter(sandbox, cert_roots="")
        approved(strict, payment)
        with pytest.raises(WebhookRefused, match="chain"):
            told(strict, shop, payment, "CHECKOUT.ORDER.APPROVED")

    def test_is_good_for_our_webhook_ids_alone(
        self, sandbox: SandboxProcess, shop: Shop, payment: PaymentDetails
    ) -> None:
        other = adapter(sandbox, webhook_ids="0AB12345CD6789012")
        approved(other, payment)
        with pytest.raises(WebhookRefused, match="webhook ids"):
            told(other, shop, payment, "CHECKOUT.ORDER.APPROVED")


class TestDispute:
    @pytest.mark.parametrize(
        ("outcome", "kind"), [("lost", OutcomeKind.SUCCEEDED), ("won", OutcomeKind.DECLINED)]
    )
    def test_opens_and_ends(
        self,
        gateway: PaypalGateway,
        sandbox: SandboxProcess,
        shop: Shop,
        payment: PaymentDetails,
        outcome: str,
        kind: OutcomeKind,
    ) -> None:
        known = paid(gateway, payment)
        about = {"gateway": "paypal", "psp_reference": known.psp_reference}
        row = sandbox.control("disputes", **about, outcome="open")
        notice = told(gateway, shop, payment, "CUSTOMER.DISPUTE.CREATED")
        assert (notice.subject, notice.psp_reference) == (Subject.DISPUTE, row["psp_reference"])
        assert notice.payment_psp_reference == known.psp_data["capture_id"]
        assert notice.outcome is not None
        assert (notice.outcome.kind, notice.outcome.money) == (OutcomeKind.PENDING, TOTAL)
        sandbox.control("disputes", **about, outcome=outcome)
        ended = told(gateway, shop, payment, "CUSTOMER.DISPUTE.RESOLVED")
        assert ended.outcome is not None
        assert ended.outcome.kind is kind
        assert gateway.dispute(row["psp_reference"]).outcome == ended.outcome


class TestSettlement:
    def test_comes_three_hours_late(
        self, gateway: PaypalGateway, sandbox: SandboxProcess, payment: PaymentDetails
    ) -> None:
        paid(gateway, payment)
        now = datetime.now(UTC)
        days = (now - timedelta(days=40), now + timedelta(seconds=30))
        with pytest.raises(ReportUnavailable) as early:
            list(gateway.settlement_records(*days))
        assert early.value.can_retry
        sandbox.control("clock", advance_s=3 * 3600 + 60)
        found = [one for one in gateway.settlement_records(*days)
                 if one.reference == payment.reference]  # fmt: skip
        assert [(one.kind, one.gross.money, one.fee.money) for one in found] == [
            (RecordKind.PAYMENT, TOTAL, Money(119, "USD"))
        ]
