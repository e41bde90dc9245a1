"""One page answers "what happened to this payment?" for every way a payment can go."""

import json
import re
from html import unescape

import pytest
from django.db import transaction as db_transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from audit.actions import AuditAction
from backoffice.formats import admin_url
from durable.ids import uuid7
from gateways.operation import Json
from gateways.outcome import Exchange, Outcome, OutcomeKind
from gateways.webhook import Delivery, WebhookResult
from notifications.models import Notification
from notifications.services import send_due
from payments.admin.timeline import build_timeline
from payments.inbox import inbox
from payments.models import Case, GatewayCall, Transaction, WebhookEvent
from payments.processing import dispatch, planning
from payments.routing import breaker
from payments.routing.registry import gateways
from payments.services import create, lifecycle
from payments.states import Status
from tests.factories import (
    OrderFactory,
    TransactionFactory,
    apply_outcome,
    begin,
    make_due,
    paid,
    payment_request,
)
from tests.vnpay_ipn import ipn

# The first entry tells of them in its own way, or they are told on an order's page alone.
BEGINNINGS = {"transaction.created", "order.created"}

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("staff_roles")]


def deliver(address: str) -> WebhookResult:
    """One IPN of VNPAY."""
    query = address.partition("?")[2]
    return inbox.receive(
        gateway_name="vnpay",
        delivery=Delivery(b"", query, {}, timezone.now()),
    )


def text_of(browser: Client, payment: Transaction) -> str:
    """The page as a person reads it."""
    html = browser.get(admin_url(payment)).content.decode()
    main = html[html.index('class="timeline"') :]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main)))


def kinds(payment: Transaction) -> list[str]:
    return [f"{entry.kind} {entry.mark}".strip() for entry in build_timeline(payment).entries]


class TestChannel:
    def test_is_told_and_found(self, as_support: Client) -> None:
        by_code = create.create_payment(
            client="link",
            key=None,
            request=payment_request(OrderFactory.create(), channel="qr"),
            render=lambda row: row.reference,
        ).transaction
        TransactionFactory.create()
        assert "Method vnpay (qr)" in text_of(as_support, by_code)
        found = as_support.get(f"{reverse('admin:payments_transaction_changelist')}?q=channel:qr")
        assert [row.pk for row in found.context["cl"].result_list] == [by_code.pk]


class TestAnotherGateway:
    @pytest.fixture(autouse=True)
    def stand_in(self, settings: Settings) -> None:
        settings.METHOD_GATEWAYS = {"card": ("stripe", "vnpay")}

    def card(self) -> Transaction:
        request = payment_request(OrderFactory.create(), method="card", payment_token="")
        return create.create_payment(
            client="link", key=None, request=request, render=lambda row: row.reference
        ).transaction

    def test_is_told_with_its_reason(self, as_support: Client) -> None:
        row = self.card()
        hold_back("stripe")
        make_due(row)
        assert planning.claim_and_plan(gateway_name="stripe", limit=1) == []
        told = text_of(as_support, row)
        assert "method card by stripe (automatic capture)" in told
        assert "nothing had been charged at the first: stripe → vnpay" in told
        assert "reason held_back" in told

    def test_is_told_when_it_was_the_second_choice(self, as_support: Client) -> None:
        hold_back("stripe")
        assert "passed over stripe" in text_of(as_support, self.card())


def hold_back(gateway: str) -> None:
    silence = Outcome(OutcomeKind.UNKNOWN)
    breaker.note(gateway_name=gateway, outcomes=[silence] * breaker.FAILURES_TO_OPEN)


class TestTheTrail:
    def test_is_told_in_words_whatever_is_recorded(self) -> None:
        """Every action has a label; what code records is one of them by its type."""
        moved = {f"transaction.{status.lower()}" for status in Status if status != Status.PENDING}
        assert moved <= set(AuditAction.values)
        assert all(action.label != action.value for action in AuditAction)


class TestStory:
    def test_of_a_paid_one_goes_from_the_request_to_the_mail(self, as_support: Client) -> None:
        payment = TransactionFactory.create(status=Status.PROCESSING)
        assert deliver(ipn(payment)) == WebhookResult.APPLIED
        with db_transaction.atomic():
            mails = Notification.claim(limit=9, lease=inbox.LEASE)
        send_due(mails)
        payment.refresh_from_db()

        assert kinds(payment) == [
            "request",
            "change PROCESSING",
            "call no answer yet",
            "webhook APPLIED",
            "change SUCCESS",
            "change",
            "transfer capture",
            "notification sent",
        ]
        text = text_of(as_support, payment)
        assert "Paid: vnpay took ₫150,000, and the order is paid with it." in text
        assert "clearing from revenue" in text
        assert "linh@example.com" in text
        assert f"Order {payment.order.number} is paid" in text
        assert "Next: Nothing: it has ended." in text

    def test_says_that_it_waits_for_a_gateway_that_is_down(self, as_support: Client) -> None:
        payment = TransactionFactory.create(status=Status.PENDING)
        assert "A worker takes it up from" in text_of(as_support, payment)
        hold_back("vnpay")
        assert "vnpay does not answer, and is sent nothing" in text_of(as_support, payment)

    def test_of_a_declined_one_says_why(self, as_support: Client) -> None:
        payment = TransactionFactory.create(status=Status.FAILED)
        text = text_of(as_support, payment)
        assert "Declined: not enough money on the account or card (vnpay's code 51)." in text
        assert "no money was taken" in text
        assert "PROCESSING → FAILED" in text

    def test_of_a_lost_answer_tells_both_sends(self, as_support: Client) -> None:
        payment = TransactionFactory.create(method="card")
        job = begin(payment)
        dispatch.record_results(results=[(job, Outcome(OutcomeKind.UNKNOWN))])
        make_due(payment)
        [job] = planning.claim_and_plan(gateway_name="stripe", limit=1)
        exchange = Exchange({"url": "/v1"}, {"client_secret": "pi_1_secret_2"}, 200, 12)
        dispatch.record_results(results=[(job, paid(payment, exchange=exchange))])
        payment.refresh_from_db()

        assert GatewayCall.objects.get(transaction=payment).sends == 2
        assert kinds(payment)[:5] == [
            "request",
            "change PROCESSING",
            "call no usable answer",
            "call SUCCEEDED",
            "change SUCCESS",
        ]
        text = text_of(as_support, payment)
        assert "Paid: stripe took" in text
        assert "An answer of the gateway was lost on the way" in text
        assert "under the same key (send 2)" in text
        assert "secret_2" not in text

    def test_of_several_sends_tells_what_each_of_them_got(self, as_support: Client) -> None:
        payment = TransactionFactory.create(method="card")
        for status in (500, 503):
            answer: Json = {"request_id": f"req_{status}", "client_secret": "pi_1_secret_2"}
            exchange = Exchange({"url": "/v1"}, answer, status, 12)
            unknown = Outcome(OutcomeKind.UNKNOWN, exchange=exchange)
            dispatch.record_results(results=[(begin(payment), unknown)])
        apply_outcome(payment, paid(payment))
        told = [entry for entry in build_timeline(payment).entries if entry.kind == "call"]
        timeline = [(entry.title, dict(entry.facts).get("HTTP")) for entry in told]
        assert timeline == [
            ("We asked stripe to collect the money", 500),
            ("We sent the same again, under the same key (send 2)", 503),
        ]
        page = as_support.get(admin_url(GatewayCall.objects.get())).content.decode()
        for text in (text_of(as_support, payment), page):
            assert "req_500" in text
            assert "req_503" in text
            assert "secret_2" not in text

    def test_of_a_forged_message_says_that_it_changed_nothing(self, as_support: Client) -> None:
        payment = TransactionFactory.create(status=Status.PROCESSING)
        other = TransactionFactory.create(status=Status.PROCESSING)
        assert deliver(ipn(payment, secret="not-the-secret")) == WebhookResult.REFUSED
        payment.refresh_from_db()

        assert payment.status == Status.PROCESSING
        assert "webhook REJECTED" in kinds(payment)
        assert "webhook REJECTED" not in kinds(other)
        text = text_of(as_support, payment)
        assert "Refused as not genuine, and without effect: 1 message." in text
        assert "vnp_SecureHash" in text
        signature = WebhookEvent.objects.get().query_string.rpartition("=")[2]
        assert signature not in text
        page = as_support.get(admin_url(WebhookEvent.objects.get())).content.decode()
        assert payment.reference in page
        assert signature not in page

    def test_of_a_forged_body_finds_the_reference_in_the_bytes(self) -> None:
        payment = TransactionFactory.create(method="card", status=Status.PROCESSING)
        body = json.dumps({"id": "evt_1", "data": {"reference": payment.reference}}).encode()
        headers = {"stripe-signature": "t=1,v1=0"}
        delivery = Delivery(b"\xff\x00" + body, "", headers, timezone.now())
        assert inbox.receive(gateway_name="stripe", delivery=delivery) == WebhookResult.REFUSED
        assert "webhook REJECTED" in kinds(payment)

    def test_of_a_double_payment_tells_both_and_the_case(self, as_support: Client) -> None:
        order = OrderFactory.create()
        first = TransactionFactory.create(order=order, status=Status.FAILED)
        second = TransactionFactory.create(order=order, status=Status.SUCCESS)
        apply_outcome(first, paid(first))

        text = text_of(as_support, first)
        assert "Charged, but it pays nothing: vnpay took ₫150,000" in text
        assert f"paid by pay_…{second.reference[-10:]}" in text
        assert "in suspense until a person decides" in text
        assert "Next: A person must resolve the open case." in text
        assert "The order is paid, by another payment" in text
        assert second.public_id in text
        assert kinds(first)[-3:] == ["change SUCCESS", "transfer capture", "case OPEN"]
        assert str(Case.objects.get()) in text
        assert "Other payments of the same order" in text_of(as_support, second)

    def test_names_who_asked_for_its_end(self, as_support: Client) -> None:
        payment = TransactionFactory.create(status=Status.PROCESSING)
        make_due(payment)
        lifecycle.cancel_payment(transaction_id=payment.pk)
        text = text_of(as_support, payment)
        assert "Its end was requested" in text
        assert "Its end is asked for (cancelled)." in text
        assert "vnpay is asked once more to collect the money at" in text

    def test_says_when_the_gateway_is_asked_next(self, as_support: Client) -> None:
        payment = TransactionFactory.create()
        dispatch.record_results(results=[(begin(payment), Outcome(OutcomeKind.PENDING))])
        assert "vnpay is asked how it stands (query 1) at" in text_of(as_support, payment)

    def test_says_that_held_money_is_taken_next_when_somebody_asked(
        self, as_support: Client
    ) -> None:
        payment = TransactionFactory.create(status=Status.AUTHORIZED)
        make_due(payment)
        lifecycle.capture_payment(transaction_id=payment.pk)
        text = text_of(as_support, payment)
        assert "Its capture was requested" in text
        assert "stripe is asked to take the money at" in text

    def test_says_that_nobody_asks_a_gateway_that_is_gone(
        self, as_support: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        payment = TransactionFactory.create(status=Status.AUTHORIZED)
        make_due(payment)
        monkeypatch.delitem(gateways(), "stripe")
        assert "stripe is not configured here any more" in text_of(as_support, payment)

    def test_shows_the_key_and_the_request(self, as_support: Client) -> None:
        payment = TransactionFactory.create()
        key = payment.idempotency_keys.get()
        text = text_of(as_support, payment)
        assert key.key in text
        assert payment.client in text
        assert "A worker takes it up from" in text

    def test_never_shows_a_payment_token(self, as_admin: Client) -> None:
        payment = TransactionFactory.create(method="card")
        assert payment.payment_token
        assert payment.payment_token not in text_of(as_admin, payment)
        assert "pm_card_visa" not in text_of(as_admin, payment)

    def test_escapes_what_strangers_have_typed(self, as_support: Client) -> None:
        payment = TransactionFactory.create(status=Status.PROCESSING)
        evil = f"/webhooks/vnpay?vnp_TxnRef={payment.reference}&vnp_X=<script>alert(1)</script>"
        assert deliver(evil) == WebhookResult.REFUSED
        event = WebhookEvent.objects.get()
        for page in (admin_url(payment), admin_url(event)):
            html = as_support.get(page).content.decode()
            assert "<script>alert" not in html
            assert "&lt;script&gt;alert" in html

    def test_of_one_that_is_not_there_leads_home(self, as_support: Client) -> None:
        answer = as_support.get(f"/admin/payments/transaction/{uuid7()}/change/")
        assert answer.status_code == 302
