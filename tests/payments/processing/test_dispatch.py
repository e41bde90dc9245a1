"""Calling the gateways and using what they answer, with nothing open during the call."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
import time_machine
from django.db import connections, transaction
from django.utils import timezone

from durable.queues import queues
from gateways.base import Gateway
from gateways.operation import Operation
from gateways.outcome import Exchange, Outcome, OutcomeKind
from gateways.vnpay.gateway import VnpayGateway
from payments.invariants import check
from payments.models import Case, CaseKind, GatewayCall, Transaction
from payments.outcomes.apply import apply_outcomes
from payments.processing import dispatch, planning
from payments.processing.dispatch import perform, record_results
from payments.processing.planning import Job, claim_and_plan
from payments.routing.registry import gateway
from payments.services.lifecycle import cancel_payment
from payments.states import Status
from tests.concurrently import PATIENCE_S, concurrently
from tests.factories import TransactionFactory, apply_outcome, begin, make_due, paid

pytestmark = pytest.mark.django_db(transaction=True)

UNKNOWN = Outcome(OutcomeKind.UNKNOWN)


def plan(limit: int = 10) -> list[Job]:
    return claim_and_plan(gateway_name="vnpay", limit=limit)


class TestPerform:
    def test_takes_an_adapters_crash_for_not_knowing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def crash(self: Gateway, operation: Operation) -> Outcome:
            raise RuntimeError("a bug")

        monkeypatch.setattr(VnpayGateway, "perform", crash)
        job = begin(TransactionFactory.create())
        assert perform(job) == UNKNOWN


class TestRecordResults:
    def test_hands_out_vnpays_link(self) -> None:
        payment = TransactionFactory.create()
        job = begin(payment)
        record_results(results=[(job, perform(job))])
        payment.refresh_from_db()
        assert payment.next_action is not None
        assert f"vnp_TxnRef={payment.reference}" in payment.next_action["url"]
        assert (payment.status, payment.lease_until) == (Status.PROCESSING, None)
        call = GatewayCall.objects.get()
        assert (call.outcome, call.answered_at is not None) == ("ACTION_REQUIRED", True)
        assert check() == []

    @pytest.mark.parametrize("kind", [OutcomeKind.UNKNOWN, OutcomeKind.NOT_DONE])
    def test_never_ends_a_payment_for_want_of_an_answer(self, kind: OutcomeKind) -> None:
        payment = TransactionFactory.create()
        job = begin(payment)
        record_results(results=[(job, Outcome(kind))])
        payment.refresh_from_db()
        assert (payment.status, payment.failures, payment.lease_until) == (
            Status.PROCESSING,
            1,
            None,
        )
        assert payment.due_at is not None
        assert GatewayCall.objects.get().answered_at is None
        assert check() == []

    def test_opens_a_case_after_many_calls_without_an_answer(self) -> None:
        payment = TransactionFactory.create()
        for _ in range(planning.FAILURES_BEFORE_A_CASE + 2):
            record_results(results=[(begin(payment), UNKNOWN)])
        case = Case.objects.get()
        assert (case.kind, case.transaction_id) == (CaseKind.REFUSED_CALLS, payment.pk)
        payment.refresh_from_db()
        assert payment.status == Status.PROCESSING
        assert payment.due_at is not None

    def test_applies_evidence_from_a_worker_that_lost_its_lease_and_leaves_it_the_schedule(
        self,
    ) -> None:
        payment = TransactionFactory.create()
        sleeper = begin(payment)
        begin(payment)
        leased = Transaction.objects.get(pk=payment.pk)
        record_results(results=[(sleeper, Outcome(OutcomeKind.PENDING))])
        after = Transaction.objects.get(pk=payment.pk)
        assert (after.lease_until, after.due_at) == (leased.lease_until, leased.due_at)
        record_results(results=[(sleeper, paid(payment))])
        payment.refresh_from_db()
        assert payment.status == Status.SUCCESS
        assert check() == []

    def test_queries_once_more_when_the_end_is_requested_during_a_query(self) -> None:
        payment = TransactionFactory.create(status=Status.PROCESSING)
        earlier = begin(payment)
        cancel_payment(transaction_id=payment.pk)
        record_results(results=[(earlier, Outcome(OutcomeKind.UNPAID))])
        payment.refresh_from_db()
        assert (payment.status, payment.due_at is not None) == (Status.PROCESSING, True)
        record_results(results=[(begin(payment), Outcome(OutcomeKind.UNPAID))])
        payment.refresh_from_db()
        assert (payment.status, payment.failure_code) == (Status.FAILED, "cancelled")

    def test_waits_for_a_worker_that_is_taking_the_row_at_this_moment(self) -> None:
        payment = TransactionFactory.create()
        sleeper = begin(payment)
        make_due(payment)
        with ThreadPoolExecutor(1) as pool, transaction.atomic():
            Transaction.claim(limit=1, lease=timedelta(minutes=1), pk=payment.pk)
            late = pool.submit(_settle_alone, sleeper, Outcome(OutcomeKind.PENDING))
            with pytest.raises(TimeoutError):
                late.result(timeout=0.3)
        late.result()
        payment.refresh_from_db()
        assert payment.attempt == 2
        assert payment.lease_until is not None

    def test_keeps_what_each_send_of_an_operation_got(self) -> None:
        payment = TransactionFactory.create(method="card")
        for status in (500, 503, None):
            exchange = Exchange({"url": "/v1"}, {"body": f"{status}"}, status, 12)
            record_results(results=[(begin(payment), replace(UNKNOWN, exchange=exchange))])
        call = GatewayCall.objects.get()
        assert (call.sends, call.http_status, call.received) == (3, None, {"body": "None"})
        told = [(send["http_status"], send["received"]) for send in call.earlier or []]
        assert told == [(500, {"body": "500"}), (503, {"body": "503"})]
        assert call.first_sent_at is not None
        assert (call.earlier or [])[0]["at"] == call.first_sent_at.isoformat()

    def test_keeps_the_answer_of_a_call_that_a_stalled_worker_gave_up(self) -> None:
        payment = TransactionFactory.create()
        sleeper, worker = begin(payment), begin(payment)
        record_results(results=[(worker, perform(worker))])
        record_results(results=[(sleeper, UNKNOWN)])
        call = GatewayCall.objects.get()
        assert (call.outcome, call.answered_at is not None) == ("ACTION_REQUIRED", True)

    def test_redoes_alone_what_failed_together(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rows = [TransactionFactory.create() for _ in range(3)]
        results = [(job, paid(job.payment)) for job in (begin(payment) for payment in rows)]
        _refuse_to_settle(monkeypatch, rows[1])
        record_results(results=results)
        assert [Transaction.objects.get(pk=payment.pk).status for payment in rows] == [
            Status.SUCCESS,
            Status.PROCESSING,
            Status.SUCCESS,
        ]
        rows[1].refresh_from_db()
        assert (rows[1].failures, rows[1].lease_until) == (1, None)
        assert check() == []

    def test_of_two_batches_that_cross_never_deadlocks(self) -> None:
        rows = [TransactionFactory.create() for _ in range(6)]
        results = [(job, paid(job.payment)) for job in (begin(payment) for payment in rows)]
        concurrently(
            *[
                lambda: record_results(results=results),
                lambda: record_results(results=results[::-1]),
            ]
            * 3,
        )
        assert set(Transaction.objects.values_list("status", flat=True)) == {Status.SUCCESS}
        assert check() == []

    def test_pays_two_payments_of_one_order_in_one_batch_once(self) -> None:
        first = TransactionFactory.create(status=Status.FAILED)
        second = TransactionFactory.create(order=first.order)
        job = begin(second)
        twin = replace(job, payment=first)
        record_results(results=[(twin, paid(first)), (job, paid(second))])
        applied = Transaction.objects.filter(status=Status.SUCCESS).values_list(
            "applied", flat=True
        )
        assert sorted(applied) == [False, True]


def _settle_alone(job: Job, outcome: Outcome) -> None:
    try:
        record_results(results=[(job, outcome)])
    finally:
        connections.close_all()


class TestTheClockOfAHost:
    """PostgreSQL says what is due; a host whose clock is wrong neither hurries nor waits."""

    @pytest.mark.parametrize("wrong_by", [timedelta(hours=-1), timedelta(hours=1)])
    def test_moves_neither_the_first_look_nor_the_next(self, wrong_by: timedelta) -> None:
        right = timezone.now()
        with time_machine.travel(right + wrong_by):
            payment = TransactionFactory.create()
            [job] = plan()
            record_results(results=[(job, Outcome(OutcomeKind.PENDING))])
        payment.refresh_from_db()
        assert payment.due_at is not None
        step = gateway("vnpay").query_schedule[0]
        assert abs(payment.due_at - right - step) < timedelta(minutes=1)
        assert abs(payment.created_at - right) < timedelta(minutes=1)

    def test_ends_no_payment_before_its_link_is_over(self) -> None:
        payment = TransactionFactory.create(status=Status.PROCESSING)
        unpaid = Outcome(OutcomeKind.UNPAID, reference=payment.reference)
        with time_machine.travel(timezone.now() + timedelta(hours=1)):
            apply_outcome(payment, unpaid)
        assert payment.status == Status.PROCESSING


def _refuse_to_settle(patch: pytest.MonkeyPatch, payment: Transaction) -> None:
    real = apply_outcomes

    def fail(evidence: Sequence[Any]) -> Any:
        if any(item.transaction_id == payment.pk for item in evidence):
            raise ValueError("a payment that our code cannot record_results")
        return real(evidence)

    patch.setattr(dispatch, "apply_outcomes", fail)


class TestTheQueue:
    def test_brings_every_new_payment_to_its_link(self) -> None:
        for _ in range(5):
            TransactionFactory.create()
        queue = queues()["gateway.vnpay"]
        assert queue.has_due_rows()
        assert queue.drain()
        links = Transaction.objects.filter(next_action__url__icontains="vnp_SecureHash")
        assert links.count() == 5
        assert not queue.has_due_rows()
        assert check() == []

    def test_lets_nobody_wait_behind_a_call_that_hangs(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hangs, ends, second_came = Event(), Event(), Event()
        first = TransactionFactory.create()

        def perform_slowly(self: Gateway, operation: Operation) -> Outcome:
            if operation.reference != first.reference:
                second_came.set()
            else:
                hangs.set()
                ends.wait(PATIENCE_S)
            return UNKNOWN

        def come_second() -> bool:
            hangs.wait(PATIENCE_S)
            TransactionFactory.create()
            came = second_came.wait(3)
            ends.set()
            return came

        monkeypatch.setattr(VnpayGateway, "perform", perform_slowly)
        assert concurrently(queues()["gateway.vnpay"].drain, come_second) == [True, True]

    def test_has_nothing_to_do_for_what_has_ended(self) -> None:
        payment = TransactionFactory.create(status=Status.PROCESSING)
        apply_outcome(payment, paid(payment))
        assert not queues()["gateway.vnpay"].has_due_rows()
