"""From the pay page to the gateway and back, as a browser without JavaScript sees it."""

import re
from datetime import timedelta
from typing import Final

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from durable.ids import uuid7
from gateways.outcome import NextAction, Outcome, OutcomeKind
from orders.links import link_token
from orders.models import Order
from payments.models import Transaction
from payments.outcomes.evidence import Source
from payments.processing import dispatch
from payments.states import Status
from tests.checkout.pay_form import Page, choose, form_token
from tests.concurrently import concurrently
from tests.factories import (
    OrderFactory,
    TransactionFactory,
    apply_outcome,
    begin,
    declined,
    paid,
)

LINK: Final = "https://pay.example/next"

pytestmark = pytest.mark.django_db(transaction=True)


def text(page: Page) -> str:
    return re.sub(r"\s+", " ", page.content.decode())


def send_on(payment: Transaction, url: str = LINK) -> None:
    """What the worker does: plan the call, and apply the gateway's page."""
    answer = Outcome(OutcomeKind.ACTION_REQUIRED, next_action=NextAction(url))
    dispatch.record_results(results=[(begin(payment), answer)])
    payment.refresh_from_db()


class TestPayPage:
    def test_shows_the_order_and_the_ways_to_pay_it(self, client: Client, link: str) -> None:
        page = client.get(link)
        assert page.status_code == 200
        assert "₫150,000" in text(page)
        assert 'value="vnpay"' in text(page)

    def test_says_why_a_way_to_pay_is_not_possible(self, client: Client) -> None:
        order = OrderFactory.create(customer=None, total=1_000)
        page = text(client.get(f"/checkout/{link_token(order.pk)}"))
        assert "The smallest amount for this way of paying is ₫5,000." in page

    def test_is_not_found_when_the_link_was_changed(self, client: Client, link: str) -> None:
        assert client.get(f"{link[:-1]}{'A' if link[-1] != 'A' else 'B'}").status_code == 404

    def test_is_not_found_for_a_signed_order_that_is_gone(self, client: Client) -> None:
        assert client.get(f"/checkout/{link_token(uuid7())}").status_code == 404

    def test_is_never_stored_and_never_tells_the_gateway_its_link(
        self, client: Client, link: str
    ) -> None:
        page = client.get(link)
        assert "no-store" in page["Cache-Control"]
        assert page["Referrer-Policy"] == "same-origin"
        assert "script-src 'self'" in page["Content-Security-Policy"]

    def test_has_nothing_inline_that_the_policy_would_refuse(
        self, client: Client, link: str
    ) -> None:
        page = text(client.get(link))
        assert "<style" not in page
        assert " style=" not in page
        assert re.findall(r"<script(?! src=)", page) == []
        assert len(page) < 60_000


class TestStart:
    def test_makes_one_payment_for_the_exact_amount_and_leads_to_the_status_page(
        self, client: Client, link: str, order: Order
    ) -> None:
        answer = choose(client, link)
        assert (answer.status_code, answer["Location"]) == (303, f"{link}/status")
        [row] = Transaction.objects.all()
        assert (row.order_id, row.amount, row.currency) == (order.pk, 150_000, "VND")
        assert (row.method, row.client) == ("vnpay", f"link:{order.pk.hex}")

    def test_makes_one_payment_of_a_double_click(self, client: Client, link: str) -> None:
        token = form_token(client.get(link))
        for _ in range(2):
            assert choose(client, link, token=token)["Location"] == f"{link}/status"
        assert Transaction.objects.count() == 1

    def test_makes_one_payment_of_many_clicks_at_the_same_moment(
        self, client: Client, link: str
    ) -> None:
        token = form_token(client.get(link))
        answers = concurrently(*[lambda: choose(Client(), link, token=token) for _ in range(6)])
        assert {answer["Location"] for answer in answers} == {f"{link}/status"}
        assert Transaction.objects.count() == 1

    def test_shows_the_running_payment_to_a_second_tab(self, client: Client, link: str) -> None:
        first, second = form_token(client.get(link)), form_token(client.get(link))
        choose(client, link, token=first)
        assert choose(client, link, "card", token=second)["Location"] == f"{link}/status"
        assert [payment.method for payment in Transaction.objects.all()] == ["vnpay"]

    def test_starts_nothing_new_for_an_old_form_whose_payment_has_failed(
        self, client: Client, link: str
    ) -> None:
        token = form_token(client.get(link))
        choose(client, link, token=token)
        payment = Transaction.objects.get()
        begin(payment)
        apply_outcome(payment, declined(payment))
        choose(client, link, token=token)
        assert Transaction.objects.count() == 1

    def test_starts_another_one_from_a_fresh_page_after_a_failure(
        self, client: Client, link: str
    ) -> None:
        choose(client, link)
        payment = Transaction.objects.get()
        begin(payment)
        apply_outcome(payment, declined(payment))
        choose(client, link)
        references = {payment.reference for payment in Transaction.objects.all()}
        assert len(references) == 2

    @pytest.mark.parametrize(
        ("fields", "problem"),
        [
            ({"method": ""}, "choose"),
            ({"method": "gold"}, "not-offered"),
            ({"method": "paypal"}, "not-offered"),
            ({"form_token": "made-up"}, "old-page"),
        ],
    )
    def test_asks_again_by_get_and_starts_nothing(
        self, client: Client, link: str, fields: dict[str, str], problem: str
    ) -> None:
        token = form_token(client.get(link))
        answer = client.post(f"{link}/pay", {"form_token": token, "method": "vnpay"} | fields)
        assert (answer.status_code, answer["Location"]) == (303, f"{link}?problem={problem}")
        assert 'role="alert"' in text(client.get(answer["Location"]))
        assert Transaction.objects.count() == 0

    def test_takes_no_token_of_another_order(self, client: Client, link: str) -> None:
        other = OrderFactory.create(customer=None)
        token = form_token(client.get(f"/checkout/{link_token(other.pk)}"))
        assert choose(client, link, token=token)["Location"] == f"{link}?problem=old-page"
        assert Transaction.objects.count() == 0

    def test_refuses_a_form_without_csrf_token(self, link: str) -> None:
        strict = Client(enforce_csrf_checks=True)
        assert strict.post(f"{link}/pay", {"method": "vnpay"}).status_code == 403
        assert Transaction.objects.count() == 0

    def test_leads_back_to_the_pay_page_when_it_is_opened(self, client: Client, link: str) -> None:
        assert client.get(f"{link}/pay")["Location"] == link

    def test_names_the_link_in_the_audit_trail(
        self, client: Client, link: str, order: Order
    ) -> None:
        choose(client, link)
        created = AuditEvent.objects.get(action="transaction.created")
        assert (created.actor_kind, created.actor_id) == ("link", order.pk.hex)


class TestStatusPage:
    def test_refreshes_itself_without_javascript_while_the_gateway_is_asked(
        self, client: Client, link: str
    ) -> None:
        choose(client, link)
        page = text(client.get(f"{link}/status"))
        assert '<noscript><meta http-equiv="refresh" content="1"></noscript>' in page
        assert "Connecting to VNPAY" in page

    def test_offers_another_way_when_the_gateway_takes_too_long(
        self, client: Client, link: str
    ) -> None:
        choose(client, link)
        Transaction.objects.update(next_action=None, updated_at=timezone.now() - timedelta(hours=1))
        assert "Pay in another way" not in text(client.get(f"{link}/status"))
        with time_machine.travel(timezone.now() + timedelta(seconds=16)):
            page = text(client.get(f"{link}/status"))
        assert "VNPAY takes longer than usual to answer." in page
        assert "Pay in another way" in page
        assert 'content="60"' in page

    def test_sends_the_shopper_on_once_and_not_again_after_the_back_button(
        self, client: Client, link: str
    ) -> None:
        choose(client, link)
        send_on(Transaction.objects.get())
        refresh = 'http-equiv="refresh" content="0;url=https://pay.example/next"'
        assert refresh in text(client.get(f"{link}/status"))
        again = text(client.get(f"{link}/status"))
        assert refresh not in again
        assert re.search(r"Continue at VNPAY; .* until \d\d:\d\d \(GMT\+07:00\)", again)

    def test_leads_to_the_pay_page_while_there_is_no_payment(
        self, client: Client, link: str
    ) -> None:
        assert client.get(f"{link}/status")["Location"] == link

    def test_says_why_it_failed_that_nothing_was_charged_and_what_to_do(
        self, client: Client, link: str, order: Order
    ) -> None:
        TransactionFactory.create(order=order, status=Status.FAILED)
        page = text(client.get(f"{link}/status"))
        assert "There was not enough money in the account or card." in page
        assert "You were not charged for it." in page
        assert f"{link}?method=vnpay" in page

    @pytest.mark.parametrize("status", [Status.PENDING, Status.PROCESSING])
    def test_never_says_charged_or_failed_while_it_is_open(
        self, client: Client, link: str, order: Order, status: Status
    ) -> None:
        TransactionFactory.create(order=order, status=status)
        page = text(client.get(f"{link}/status?back=1"))
        assert "not charged" not in page
        assert "did not go through" not in page
        assert "Checking your payment" in page

    def test_thanks_and_shows_the_receipt_once_it_is_paid(
        self, client: Client, link: str, order: Order
    ) -> None:
        TransactionFactory.create(order=order, status=Status.SUCCESS)
        assert f"{link}/receipt" in text(client.get(f"{link}/status"))
        assert client.get(link)["Location"] == f"{link}/receipt"

    def test_tells_scripts_the_stage(self, client: Client, link: str, order: Order) -> None:
        TransactionFactory.create(order=order, status=Status.PROCESSING)
        assert client.get(f"{link}/status.json").json()["stage"] == "connecting"
        assert client.get(f"{link}/status.json?back=1").json()["stage"] == "checking"

    @pytest.mark.parametrize(("qr", "is_drawn"), [("momo://pay?t=1", True), ("x" * 5000, False)])
    def test_draws_the_code_of_a_wallet_if_a_phone_can_read_it(
        self, client: Client, link: str, order: Order, qr: str, is_drawn: bool
    ) -> None:
        payment = TransactionFactory.create(order=order, status=Status.PROCESSING)
        apply_outcome(
            payment, Outcome(OutcomeKind.ACTION_REQUIRED, next_action=NextAction(LINK, qr=qr))
        )
        page = text(client.get(f"{link}/status"))
        assert ("segno" in page) == is_drawn
        assert f'href="{LINK}"' in page

    @pytest.mark.parametrize("back", ["x", "-1", "99999999999999", "１", ""])
    def test_ignores_a_moment_that_is_none(
        self, client: Client, link: str, order: Order, back: str
    ) -> None:
        TransactionFactory.create(order=order, status=Status.PROCESSING)
        page = client.get(f"{link}/status.json", {"back": back})
        assert page.json()["stage"] == "connecting"


class TestReturn:
    def test_asks_the_gateway_soon_and_says_checking(
        self, client: Client, link: str, order: Order
    ) -> None:
        payment = TransactionFactory.create(order=order, status=Status.PROCESSING)
        Transaction.objects.filter(pk=payment.pk).update(
            due_at=timezone.now() + timedelta(hours=1), lease_until=None
        )
        answer = client.get(f"{link}/return/{payment.reference}?vnp_ResponseCode=00")
        assert answer.status_code == 303
        assert "Checking your payment" in text(client.get(answer["Location"]))
        payment.refresh_from_db()
        assert payment.due_at is not None
        assert payment.due_at <= timezone.now()
        assert payment.status == Status.PROCESSING

    def test_believes_nothing_that_it_is_told(
        self, client: Client, link: str, order: Order
    ) -> None:
        payment = TransactionFactory.create(order=order, status=Status.PROCESSING)
        client.get(
            f"{link}/return/{payment.reference}?vnp_ResponseCode=00&status=paid&resultCode=0"
        )
        payment.refresh_from_db()
        order.refresh_from_db()
        assert (payment.status, order.status) == (Status.PROCESSING, "PENDING")

    def test_says_continue_once_the_gateway_has_said_unpaid_since(
        self, client: Client, link: str, order: Order
    ) -> None:
        payment = TransactionFactory.create(order=order, status=Status.PENDING)
        send_on(payment)
        status = client.get(f"{link}/return/{payment.reference}")["Location"]
        assert client.get(status.replace("status", "status.json")).json()["stage"] == "checking"
        dispatch.record_results(results=[(begin(payment), Outcome(OutcomeKind.UNPAID))])
        assert client.get(status.replace("status", "status.json")).json()["stage"] == "continue"
        again = client.get(f"{link}/return/{payment.reference}")["Location"]
        assert client.get(again.replace("status", "status.json")).json()["stage"] == "checking"

    def test_takes_a_post_from_a_gateway(self, link: str, order: Order) -> None:
        payment = TransactionFactory.create(order=order, status=Status.PROCESSING)
        strict = Client(enforce_csrf_checks=True)
        assert strict.post(f"{link}/return/{payment.reference}", {"a": "b"}).status_code == 303

    def test_leads_to_the_client_app_with_the_payment_and_nothing_else(
        self, client: Client, link: str, order: Order
    ) -> None:
        payment = TransactionFactory.create(order=order, status=Status.PROCESSING)
        Transaction.objects.filter(pk=payment.pk).update(return_url="https://shop.example/done?a=1")
        answer = client.get(f"{link}/return/{payment.reference}?evil=1")
        assert answer["Location"] == f"https://shop.example/done?a=1&payment_id={payment.public_id}"

    def test_is_not_found_for_a_payment_of_another_order(self, client: Client, link: str) -> None:
        other = TransactionFactory.create(status=Status.PROCESSING)
        assert client.get(f"{link}/return/{other.reference}").status_code == 404


class TestChange:
    def test_ends_a_payment_that_was_never_sent_and_shows_the_choice_again(
        self, client: Client, link: str, order: Order
    ) -> None:
        payment = TransactionFactory.create(order=order, status=Status.PENDING)
        answer = client.post(f"{link}/cancel", {"reference": payment.reference})
        assert answer["Location"] == f"{link}/status"
        assert client.get(f"{link}/status")["Location"] == link
        payment.refresh_from_db()
        assert (payment.status, payment.failure_code) == (Status.FAILED, "superseded")

    def test_closes_one_that_is_under_way_before_another_may_start(
        self, client: Client, link: str, order: Order
    ) -> None:
        payment = TransactionFactory.create(order=order, status=Status.PROCESSING)
        client.post(f"{link}/cancel", {"reference": payment.reference})
        assert "Closing the earlier payment" in text(client.get(f"{link}/status"))
        assert client.get(link)["Location"] == f"{link}/status"
        apply_outcome(
            payment, Outcome(OutcomeKind.UNPAID, reference=payment.reference), Source.QUERY
        )
        assert client.get(f"{link}/status")["Location"] == link

    def test_leaves_a_paid_one_alone(self, client: Client, link: str, order: Order) -> None:
        payment = TransactionFactory.create(order=order, status=Status.SUCCESS)
        client.post(f"{link}/cancel", {"reference": payment.reference})
        assert "Paid. Thank you!" in text(client.get(f"{link}/status"))

    def test_touches_no_newer_payment_than_the_page_showed(
        self, client: Client, link: str, order: Order
    ) -> None:
        old = TransactionFactory.create(order=order, status=Status.FAILED)
        new = TransactionFactory.create(order=order, status=Status.PROCESSING)
        client.post(f"{link}/cancel", {"reference": old.reference})
        new.refresh_from_db()
        assert (new.status, new.cancel_code) == (Status.PROCESSING, "")

    @pytest.mark.parametrize("reference", ["", "nonsense"])
    def test_is_not_found_without_a_payment(
        self, client: Client, link: str, reference: str
    ) -> None:
        assert client.post(f"{link}/cancel", {"reference": reference}).status_code == 404

    def test_is_not_found_for_a_payment_of_another_order(self, client: Client, link: str) -> None:
        other = TransactionFactory.create(status=Status.PROCESSING)
        answer = client.post(f"{link}/cancel", {"reference": other.reference})
        assert answer.status_code == 404
        other.refresh_from_db()
        assert other.cancel_code == ""


class TestPaidTwice:
    def test_is_told_on_every_page_of_the_paid_order(
        self, client: Client, order: Order, link: str
    ) -> None:
        first = TransactionFactory.create(order=order, status=Status.FAILED)
        TransactionFactory.create(order=order, method="momo", status=Status.SUCCESS)
        told = "We have also received ₫150,000 by VNPAY, which the order does not need."
        for page in ("status", "receipt"):
            assert told not in text(client.get(f"{link}/{page}"))
        apply_outcome(first, paid(first))
        for page in ("status", "receipt"):
            assert told in text(client.get(f"{link}/{page}"))


class TestReceipt:
    def test_shows_what_was_paid_when_and_how(
        self, client: Client, link: str, order: Order
    ) -> None:
        payment = TransactionFactory.create(order=order, status=Status.PROCESSING)
        facts = {"card_brand": "visa", "card_last4": "4242"}
        apply_outcome(payment, paid(payment, psp_data=facts))
        page = text(client.get(f"{link}/receipt"))
        assert f"Receipt for order {order.number}" in page
        assert "•••• 4242" in page
        assert payment.public_id in page

    def test_is_no_receipt_before_the_money_came(
        self, client: Client, link: str, order: Order
    ) -> None:
        TransactionFactory.create(order=order, status=Status.PROCESSING)
        assert client.get(f"{link}/receipt")["Location"] == link

    def test_shows_what_was_given_back(self, client: Client, link: str, order: Order) -> None:
        TransactionFactory.create(order=order, status=Status.SUCCESS)
        Order.objects.filter(pk=order.pk).update(amount_refunded=50_000)
        assert "Given back to you" in text(client.get(f"{link}/receipt"))
