"""The request is committed before anything is sent, and found by the next worker."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.utils import timezone

from durable.queues import queues
from gateways.base import Gateway
from gateways.operation import Operation, PaymentDetails, Verb
from gateways.outcome import Outcome, OutcomeKind
from gateways.stripe.gateway import StripeGateway
from gateways.vnpay.gateway import VnpayGateway
from payments.invariants import check
from payments.models import Case, CaseKind, GatewayCall, Transaction
from payments.processing import planning
from payments.processing.dispatch import perform, record_results
from payments.processing.planning import Job, claim_and_plan, compute_lease, plan_one
from payments.routing import payment_details
from payments.routing.registry import gateway
from payments.services.lifecycle import cancel_payment
from payments.states import Status
from tests.concurrently import concurrently
from tests.factories import TransactionFactory, begin, make_due

pytestmark = pytest.mark.django_db(transaction=True)

UNKNOWN = Outcome(OutcomeKind.UNKNOWN)


def in_one_commit(payment: Transaction) -> list[Job]:
    """What is planned for ``payment`` at this moment of the test's own clock."""
    with transaction.atomic():
        job = plan_one(payment=payment, adapter=gateway("vnpay"), now=timezone.now())
    return [job] if job else []


def plan(limit: int = 10) -> list[Job]:
    return claim_and_plan(gateway_name="vnpay", limit=limit)


class TestPlanning:
    def test_records_the_request_before_anything_is_sent(self) -> None:
        payment = TransactionFactory.create()
        [job] = plan()
        payment.refresh_from_db()
        call = GatewayCall.objects.get()
        assert (payment.status, payment.version, payment.attempt) == (Status.PROCESSING, 2, 1)
        assert (call.verb, call.reference, call.sends) == ("CREATE", payment.reference, 1)
        assert call.request["vnp_Amount"] == "15000000"
        assert call.answered_at is None
        assert job.operation.request == call.request
        assert check() == []

    def test_leaves_no_transaction_open_during_the_call(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        TransactionFactory.create()
        seen: list[bool] = []

        def look(self: Gateway, operation: Operation) -> Outcome:
            seen.append(connection.in_atomic_block)
            return UNKNOWN

        monkeypatch.setattr(VnpayGateway, "perform", look)
        queues()["gateway.vnpay"].drain()
        assert seen == [False]

    def test_sends_nothing_that_was_asked_for_too_long_ago(self) -> None:
        payment = TransactionFactory.create()
        with time_machine.travel(payment.expires_at + timedelta(minutes=1)):
            assert in_one_commit(payment) == []
        payment.refresh_from_db()
        assert (payment.status, payment.failure_code) == (Status.FAILED, "never_sent")
        assert not GatewayCall.objects.exists()
        assert check() == []

    def test_takes_no_row_that_somebody_works_on(self) -> None:
        TransactionFactory.create()
        assert len(plan()) == 1
        assert plan() == []

    def test_shares_rows_out_among_workers_without_waiting(self) -> None:
        rows = {TransactionFactory.create().pk for _ in range(12)}
        taken = [
            job.payment.pk for jobs in concurrently(*[lambda: plan(limit=3)] * 4) for job in jobs
        ]
        assert len(taken) == len(set(taken))
        assert set(taken) <= rows
        taken += [job.payment.pk for job in plan(limit=12)]
        assert set(taken) == rows

    def test_leases_for_longer_than_every_timeout_of_a_call(self) -> None:
        adapter = gateway("vnpay")
        slowest = adapter.connect_timeout_s + adapter.read_timeout_s
        assert compute_lease(adapter) > timedelta(seconds=slowest)

    def test_sends_the_same_bytes_again_when_a_worker_died(self) -> None:
        payment = TransactionFactory.create()
        first = begin(payment)
        make_due(payment)
        [second] = plan()
        assert second.operation.request == first.operation.request
        assert second.operation.reference == first.operation.reference
        call = GatewayCall.objects.get()
        assert call.sends == 2

    def test_only_asks_once_the_gateway_has_forgotten_the_key(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(VnpayGateway, "key_lifetime", timedelta(hours=20))
        payment = TransactionFactory.create()
        begin(payment)
        long_ago = timezone.now() - timedelta(hours=21)
        GatewayCall.objects.update(first_sent_at=long_ago)
        make_due(payment)
        [job] = plan()
        assert job.operation.verb is Verb.QUERY

    @pytest.mark.parametrize("verb", [Verb.CAPTURE, Verb.CLOSE])
    def test_asks_about_a_later_operation_whose_key_is_forgotten(
        self, monkeypatch: pytest.MonkeyPatch, verb: Verb
    ) -> None:
        row = _with_unanswered(monkeypatch, verb)
        GatewayCall.objects.update(first_sent_at=timezone.now() - timedelta(days=2))
        assert begin(row).operation.verb is Verb.QUERY

    @pytest.mark.parametrize("verb", [Verb.CAPTURE, Verb.CLOSE])
    def test_asks_about_a_later_operation_that_repeats_itself_in_vain(
        self, monkeypatch: pytest.MonkeyPatch, verb: Verb
    ) -> None:
        row = _with_unanswered(monkeypatch, verb)
        verbs = [begin(row).operation.verb for _ in range(4)]
        assert verbs == [verb, verb, Verb.QUERY, verb]

    def test_gives_the_payment_token_to_nothing_but_a_creation(self) -> None:
        payment = TransactionFactory.create(method="card")
        creation = begin(payment)
        GatewayCall.objects.update(sends=3)
        question = begin(payment)
        told = [(job.operation.verb, job.operation.token) for job in (creation, question)]
        assert told == [(Verb.CREATE, "pm_card_visa"), (Verb.QUERY, "")]

    def test_takes_no_money_again_once_its_end_is_wanted(self) -> None:
        payment = TransactionFactory.create(method="card")
        begin(payment)
        cancel_payment(transaction_id=payment.pk)
        assert begin(payment).operation.verb is Verb.QUERY

    def test_asks_about_a_link_that_was_handed_out(self) -> None:
        payment = TransactionFactory.create()
        job = begin(payment)
        record_results(results=[(job, perform(job))])
        make_due(payment)
        [query] = plan()
        payment.refresh_from_db()
        assert query.operation.verb is Verb.QUERY
        assert query.operation.reference not in {payment.reference, ""}
        assert (payment.queries, payment.queried_at is not None) == (1, True)

    def test_is_not_stopped_by_a_row_that_it_cannot_plan(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows = [TransactionFactory.create() for _ in range(3)]
        _poison(monkeypatch, rows[1])
        planned = {job.payment.pk for job in plan()}
        assert planned == {rows[0].pk, rows[2].pk}
        rows[1].refresh_from_db()
        assert (rows[1].status, rows[1].failures) == (Status.PENDING, 1)
        assert rows[1].due_at is not None
        assert rows[1].due_at > timezone.now()

    def test_shows_a_person_a_row_that_it_can_never_plan(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        payment = TransactionFactory.create()
        _poison(monkeypatch, payment)
        for _ in range(planning.FAILURES_BEFORE_A_CASE):
            make_due(payment)
            plan()
        assert Case.objects.get().kind == CaseKind.PROCESSING_ERROR
        payment.refresh_from_db()
        assert payment.due_at is not None


def _with_unanswered(patch: pytest.MonkeyPatch, verb: Verb) -> Transaction:
    """A payment that was created, and whose next operation was sent and never answered."""
    patch.setattr(StripeGateway, "freeze", lambda _, operation: {"call": operation.verb})
    payment = TransactionFactory.create(method="card")
    next_verb = verb if verb is Verb.CAPTURE else None
    created = Outcome(OutcomeKind.PENDING, psp_reference="psp-1", next_verb=next_verb)
    record_results(results=[(begin(payment), created)])
    if verb is Verb.CLOSE:
        cancel_payment(transaction_id=payment.pk)
    assert begin(payment).operation.verb is verb
    return payment


def _poison(patch: pytest.MonkeyPatch, payment: Transaction) -> None:
    real = payment_details.build_payment_details

    def fail(candidate: Transaction, *args: Any) -> PaymentDetails:
        if candidate.pk == payment.pk:
            raise ValueError("a payment that our code cannot digest")
        return real(candidate, *args)

    patch.setattr(planning, "build_payment_details", fail)
