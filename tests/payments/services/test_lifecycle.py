"""Cancelling, paying again, and money that comes when nobody expects it any more."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from audit.models import AuditEvent
from gateways.outcome import FailureCode, Outcome, OutcomeKind
from notifications.models import Notification
from orders.models import Order
from payments.cases import opening
from payments.errors import AlreadyPaid
from payments.invariants import check
from payments.models import (
    AccountKind,
    Case,
    CaseKind,
    CaseState,
    GatewayCall,
    Transaction,
    Transfer,
)
from payments.outcomes.evidence import Source
from payments.processing.planning import claim_and_plan
from payments.services.lifecycle import cancel_payment, request_status_query
from payments.states import Status
from tests.concurrently import concurrently
from tests.factories import OrderFactory, TransactionFactory, apply_outcome, paid
from tests.fixtures import ClientFor
from tests.vnpay_ipn import ipn, refused

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def order(shopper: User) -> Order:
    return OrderFactory.create(customer=shopper)


def unpaid(payment: Transaction) -> Outcome:
    return Outcome(OutcomeKind.UNPAID, reference=payment.reference)


def cancel(api: APIClient, payment: Transaction) -> Any:
    return api.post(f"/payments/{payment.public_id}/cancel")


class TestCancelPayment:
    def test_ends_what_was_never_sent_at_once(self, api: APIClient, order: Order) -> None:
        payment = TransactionFactory.create(order=order)
        answer = cancel(api, payment)
        assert answer.status_code == 200
        assert answer.json()["status"] == "FAILED"
        assert answer.json()["failure"] == {"code": "cancelled"}
        event = AuditEvent.objects.get(action="transaction.failed")
        assert (event.cause_type, event.cause_id) == ("proof", "nothing reached a gateway")
        assert check() == []

    def test_only_requests_the_end_of_what_was_sent(self, api: APIClient, order: Order) -> None:
        payment = TransactionFactory.create(order=order, status=Status.PROCESSING)
        answer = cancel(api, payment)
        payment.refresh_from_db()
        assert answer.status_code == 202
        assert answer.json()["status"] == "PROCESSING"
        assert payment.cancel_code == "cancelled"
        assert payment.due_at is not None
        assert payment.due_at <= timezone.now()

    def test_ends_it_when_the_gateway_still_calls_it_unpaid(
        self, api: APIClient, order: Order
    ) -> None:
        payment = TransactionFactory.create(order=order, status=Status.PROCESSING)
        cancel(api, payment)
        apply_outcome(payment, unpaid(payment))
        assert (payment.status, payment.failure_code) == (Status.FAILED, "cancelled")
        assert not Notification.objects.exists()

    def test_requests_it_once_however_often_it_is_pressed(
        self, api: APIClient, order: Order
    ) -> None:
        payment = TransactionFactory.create(order=order, status=Status.PROCESSING)
        answers = [cancel(api, payment).status_code for _ in range(3)]
        assert answers == [202, 202, 202]
        assert AuditEvent.objects.filter(action="transaction.cancel_requested").count() == 1

    def test_comes_too_late_for_a_success(self, api: APIClient, order: Order) -> None:
        payment = TransactionFactory.create(order=order, status=Status.SUCCESS)
        answer = cancel(api, payment)
        assert (answer.status_code, answer.json()["code"]) == (409, "already_paid")

    def test_has_nothing_to_do_for_a_failure(self, api: APIClient, order: Order) -> None:
        payment = TransactionFactory.create(order=order, status=Status.FAILED)
        answer = cancel(api, payment)
        assert (answer.status_code, answer.json()["code"]) == (409, "not_cancellable")

    def test_is_not_for_other_people(
        self, api_for: ClientFor, other_shopper: User, order: Order
    ) -> None:
        payment = TransactionFactory.create(order=order)
        assert cancel(api_for(other_shopper), payment).status_code == 404
        payment.refresh_from_db()
        assert payment.status == Status.PENDING

    def test_never_loses_against_a_success_at_the_same_moment(self, order: Order) -> None:
        payment = TransactionFactory.create(order=order, status=Status.PROCESSING)

        def try_to_cancel() -> None:
            # Either answer is right.
            with suppress(AlreadyPaid):
                cancel_payment(transaction_id=payment.pk)

        concurrently(try_to_cancel, lambda: hear_alone(payment))
        payment.refresh_from_db()
        assert payment.status == Status.SUCCESS
        assert check() == []

    def test_and_a_worker_at_the_same_moment_never_both_have_it(self) -> None:
        """Either it was never sent, or it was sent and only the request to end it is recorded."""
        for _ in range(8):
            payment = TransactionFactory.create()
            jobs: list[Callable[[], object]] = [
                partial(cancel_payment, transaction_id=payment.pk),
                partial(claim_and_plan, gateway_name="vnpay", limit=1),
            ]
            concurrently(*jobs)
            payment.refresh_from_db()
            sent = GatewayCall.objects.filter(transaction=payment).exists()
            assert payment.status == (Status.PROCESSING if sent else Status.FAILED)
            assert payment.cancel_code == ("cancelled" if sent else "")
        assert check() == []


def hear_alone(payment: Transaction) -> None:
    same = Transaction.objects.get(pk=payment.pk)
    apply_outcome(same, paid(same))


class TestCancelOrder:
    def test_ends_an_order_that_nobody_pays(self, api: APIClient, order: Order) -> None:
        answer = api.post(f"/orders/{order.public_id}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (200, "CANCELLED")
        assert check() == []

    def test_waits_for_a_payment_that_lives(self, api: APIClient, order: Order) -> None:
        payment = TransactionFactory.create(order=order)
        answer = api.post(f"/orders/{order.public_id}/cancel")
        assert (answer.status_code, answer.json()["code"]) == (409, "payment_in_progress")
        assert answer.json()["payment_id"] == payment.public_id

    def test_refuses_a_paid_one(self, api: APIClient, order: Order) -> None:
        TransactionFactory.create(order=order, status=Status.SUCCESS)
        answer = api.post(f"/orders/{order.public_id}/cancel")
        assert (answer.status_code, answer.json()["code"]) == (409, "already_paid")

    def test_refuses_a_second_time(self, api: APIClient, order: Order) -> None:
        api.post(f"/orders/{order.public_id}/cancel")
        answer = api.post(f"/orders/{order.public_id}/cancel")
        assert (answer.status_code, answer.json()["code"]) == (409, "not_cancellable")


class TestLateMoney:
    def test_pays_an_order_that_still_waits(self, client: Client, order: Order) -> None:
        payment = TransactionFactory.create(order=order, status=Status.PROCESSING)
        client.get(refused(payment))
        client.get(ipn(payment))
        payment.refresh_from_db()
        order.refresh_from_db()
        assert (payment.status, payment.applied, order.status) == (Status.SUCCESS, True, "PAID")
        assert check() == []

    def test_closes_the_payment_that_had_taken_its_place(
        self, client: Client, order: Order
    ) -> None:
        first = TransactionFactory.create(order=order, status=Status.PROCESSING)
        client.get(refused(first))
        second = TransactionFactory.create(order=order, status=Status.PROCESSING)
        client.get(ipn(first))
        second.refresh_from_db()
        assert (second.status, second.cancel_code) == (Status.PROCESSING, "superseded")
        assert second.due_at is not None
        apply_outcome(second, unpaid(second))
        assert (second.status, second.failure_code) == (Status.FAILED, "superseded")
        assert check() == []

    def test_for_a_cancelled_order_waits_in_suspense(
        self, api: APIClient, client: Client, order: Order
    ) -> None:
        payment = TransactionFactory.create(order=order, status=Status.PROCESSING)
        client.get(refused(payment))
        api.post(f"/orders/{order.public_id}/cancel")
        client.get(ipn(payment))
        payment.refresh_from_db()
        order.refresh_from_db()
        assert (payment.status, payment.applied, order.status) == (
            Status.SUCCESS,
            False,
            "CANCELLED",
        )
        assert Case.objects.get().kind == CaseKind.DUPLICATE
        assert check() == []

    def test_for_a_payment_that_was_never_sent_still_counts(self, order: Order) -> None:
        row = cancel_payment(transaction_id=TransactionFactory.create(order=order).pk)
        apply_outcome(row, paid(row))
        assert (row.status, row.applied) == (Status.SUCCESS, True)
        assert check() == []


class TestASupersededLinkAndItsSuccessor:
    @pytest.fixture
    def both(self, order: Order) -> tuple[Transaction, Transaction]:
        """The shopper changed the method: the first link cannot be closed at VNPAY."""
        first = TransactionFactory.create(order=order, status=Status.PROCESSING)
        cancel_payment(transaction_id=first.pk, code=FailureCode.SUPERSEDED)
        apply_outcome(first, unpaid(first), Source.SETTLEMENT)
        second = TransactionFactory.create(order=order, status=Status.PROCESSING)
        return first, second

    @pytest.mark.parametrize("first_pays_first", [True, False])
    def test_are_both_paid_and_one_of_them_counts(
        self,
        client: Client,
        both: tuple[Transaction, Transaction],
        *,
        first_pays_first: bool,
    ) -> None:
        winner, loser = both if first_pays_first else reversed(both)
        client.get(ipn(winner))
        client.get(ipn(loser))
        winner.refresh_from_db()
        loser.refresh_from_db()
        assert (winner.status, winner.applied) == (Status.SUCCESS, True)
        assert (loser.status, loser.applied) == (Status.SUCCESS, False)
        assert loser.transfers.get().credit.kind == AccountKind.SUSPENSE
        assert winner.transfers.get().credit.kind == AccountKind.REVENUE
        case = Case.objects.get(transaction=loser)
        assert (case.kind, case.state, case.amount) == (CaseKind.DUPLICATE, CaseState.OPEN, 150_000)
        assert check() == []

    def test_are_paid_at_the_same_moment_and_one_of_them_counts(
        self, both: tuple[Transaction, Transaction]
    ) -> None:
        concurrently(*[lambda row=row: Client().get(ipn(row)) for row in both])
        applied = list(Transaction.objects.order_by("applied").values_list("applied", flat=True))
        assert applied == [False, True]
        assert Transfer.objects.count() == 2
        assert Case.objects.count() == 1
        assert Notification.objects.filter(template="payment_paid").count() == 1
        assert check() == []

    def test_leave_a_case_that_a_named_person_closes(
        self, client: Client, both: tuple[Transaction, Transaction], finance: User
    ) -> None:
        for row in both:
            client.get(ipn(row))
        case = Case.objects.get()
        opening.resolve_case(case_id=case.pk, user_id=finance.pk, resolution="Refunded by hand.")
        case.refresh_from_db()
        assert (case.state, case.resolved_by_id) == (CaseState.RESOLVED, finance.pk)
        with pytest.raises(Case.DoesNotExist):
            opening.resolve_case(case_id=case.pk, user_id=finance.pk, resolution="Again.")


class TestRequestStatusQuery:
    def test_brings_the_next_query_forward(self, order: Order) -> None:
        payment = TransactionFactory.create(order=order, status=Status.PROCESSING)
        Transaction.objects.filter(pk=payment.pk).update(due_at=timezone.now() + timedelta(hours=1))
        request_status_query(transaction_id=payment.pk)
        payment.refresh_from_db()
        assert payment.due_at is not None
        assert payment.due_at <= timezone.now()

    def test_queries_vnpay_no_sooner_than_it_allows(self, order: Order) -> None:
        payment = TransactionFactory.create(order=order, status=Status.PROCESSING)
        asked = timezone.now() - timedelta(minutes=1)
        later = timezone.now() + timedelta(hours=1)
        Transaction.objects.filter(pk=payment.pk).update(queried_at=asked, due_at=later)
        request_status_query(transaction_id=payment.pk)
        payment.refresh_from_db()
        assert payment.due_at == asked + timedelta(minutes=5)

    @pytest.mark.parametrize("status", [Status.PENDING, Status.SUCCESS, Status.FAILED])
    def test_changes_nothing_elsewhere(self, order: Order, status: Status) -> None:
        payment = TransactionFactory.create(order=order, status=status)
        request_status_query(transaction_id=payment.pk)
        after = Transaction.objects.get(pk=payment.pk)
        assert (after.status, after.due_at) == (payment.status, payment.due_at)
