"""The worker's three steps: the intent is committed, then the call, then the outcome."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
import time_machine
from django.db import connection, connections, transaction
from django.utils import timezone

from durable.queues import queues
from payments.gateways.base import Gateway
from payments.gateways.operation import Operation, Verb
from payments.gateways.outcome import Outcome, OutcomeKind
from payments.gateways.registry import gateway
from payments.gateways.stripe.gateway import StripeGateway
from payments.gateways.vnpay.gateway import VnpayGateway
from payments.invariants import check
from payments.models import Case, CaseKind, GatewayCall, Transaction
from payments.services import dispatch
from payments.services.checkout import cancel_payment
from payments.services.dispatch import Job, claim_and_plan, lease_for, perform, settle
from payments.services.outcomes import apply_outcomes
from payments.states import Status
from tests.at_once import PATIENCE_S, at_once
from tests.factories import TransactionFactory, begin, hear, make_due, paid

pytestmark = pytest.mark.django_db(transaction=True)

UNKNOWN = Outcome(OutcomeKind.UNKNOWN)


def in_one_commit(row: Transaction) -> list[Job]:
    """What is planned for ``row`` at this moment of the test's own clock."""
    with transaction.atomic():
        return dispatch._plan([row], gateway("vnpay"), timezone.now())


def plan(limit: int = 10) -> list[Job]:
    return claim_and_plan(gateway_name="vnpay", limit=limit)


class TestPlanning:
    def test_writes_the_intent_before_anything_is_sent(self) -> None:
        row = TransactionFactory.create()
        [job] = plan()
        row.refresh_from_db()
        call = GatewayCall.objects.get()
        assert (row.status, row.version, row.attempt) == (Status.PROCESSING, 2, 1)
        assert (call.verb, call.reference, call.sends) == ("CREATE", row.reference, 1)
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
        row = TransactionFactory.create()
        with time_machine.travel(row.expires_at + timedelta(minutes=1)):
            assert in_one_commit(row) == []
        row.refresh_from_db()
        assert (row.status, row.failure_code) == (Status.FAILED, "never_sent")
        assert not GatewayCall.objects.exists()
        assert check() == []

    def test_takes_no_row_that_somebody_works_on(self) -> None:
        TransactionFactory.create()
        assert len(plan()) == 1
        assert plan() == []

    def test_shares_rows_out_among_workers_without_waiting(self) -> None:
        rows = {TransactionFactory.create().pk for _ in range(12)}
        taken = [job.row.pk for jobs in at_once(*[lambda: plan(limit=3)] * 4) for job in jobs]
        assert len(taken) == len(set(taken))
        assert set(taken) <= rows
        taken += [job.row.pk for job in plan(limit=12)]
        assert set(taken) == rows

    def test_leases_for_longer_than_every_timeout_of_a_call(self) -> None:
        adapter = gateway("vnpay")
        slowest = adapter.connect_timeout_s + adapter.read_timeout_s
        assert lease_for(adapter) > timedelta(seconds=slowest)

    def test_sends_the_same_bytes_again_when_a_worker_died(self) -> None:
        row = TransactionFactory.create()
        first = begin(row)
        make_due(row)
        [second] = plan()
        assert second.operation.request == first.operation.request
        assert second.operation.reference == first.operation.reference
        call = GatewayCall.objects.get()
        assert call.sends == 2

    def test_only_asks_once_the_gateway_has_forgotten_the_key(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(VnpayGateway, "key_lifetime", timedelta(hours=20))
        row = TransactionFactory.create()
        begin(row)
        long_ago = timezone.now() - timedelta(hours=21)
        GatewayCall.objects.update(first_sent_at=long_ago)
        make_due(row)
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
        row = TransactionFactory.create(method="card")
        creation = begin(row)
        GatewayCall.objects.update(sends=3)
        question = begin(row)
        told = [(job.operation.verb, job.operation.token) for job in (creation, question)]
        assert told == [(Verb.CREATE, "pm_card_visa"), (Verb.QUERY, "")]

    def test_takes_no_money_again_once_its_end_is_wanted(self) -> None:
        row = TransactionFactory.create(method="card")
        begin(row)
        cancel_payment(transaction_id=row.pk)
        assert begin(row).operation.verb is Verb.QUERY

    def test_asks_about_a_link_that_was_handed_out(self) -> None:
        row = TransactionFactory.create()
        job = begin(row)
        settle(results=[(job, perform(job))])
        make_due(row)
        [query] = plan()
        row.refresh_from_db()
        assert query.operation.verb is Verb.QUERY
        assert query.operation.reference not in {row.reference, ""}
        assert (row.queries, row.queried_at is not None) == (1, True)

    def test_is_not_stopped_by_a_row_that_it_cannot_plan(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows = [TransactionFactory.create() for _ in range(3)]
        _poison(monkeypatch, rows[1])
        planned = {job.row.pk for job in plan()}
        assert planned == {rows[0].pk, rows[2].pk}
        rows[1].refresh_from_db()
        assert (rows[1].status, rows[1].failures) == (Status.PENDING, 1)
        assert rows[1].due_at is not None
        assert rows[1].due_at > timezone.now()

    def test_shows_a_person_a_row_that_it_can_never_plan(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        row = TransactionFactory.create()
        _poison(monkeypatch, row)
        for _ in range(dispatch.FAILURES_BEFORE_A_CASE):
            make_due(row)
            plan()
        assert Case.objects.get().kind == CaseKind.POISON
        row.refresh_from_db()
        assert row.due_at is not None


def _with_unanswered(patch: pytest.MonkeyPatch, verb: Verb) -> Transaction:
    """A payment that was created, and whose next operation was sent and never answered."""
    patch.setattr(StripeGateway, "freeze", lambda _, operation: {"call": operation.verb})
    row = TransactionFactory.create(method="card")
    wish = verb if verb is Verb.CAPTURE else None
    created = Outcome(OutcomeKind.PENDING, psp_reference="theirs-1", next_verb=wish)
    settle(results=[(begin(row), created)])
    if verb is Verb.CLOSE:
        cancel_payment(transaction_id=row.pk)
    assert begin(row).operation.verb is verb
    return row


def _poison(patch: pytest.MonkeyPatch, row: Transaction) -> None:
    real = dispatch._job

    def fail(candidate: Transaction, *args: Any) -> Job:
        if candidate.pk == row.pk:
            raise ValueError("a row that our code cannot digest")
        return real(candidate, *args)

    patch.setattr(dispatch, "_job", fail)


class TestPerforming:
    def test_takes_an_adapters_crash_for_not_knowing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def crash(self: Gateway, operation: Operation) -> Outcome:
            raise RuntimeError("a bug")

        monkeypatch.setattr(VnpayGateway, "perform", crash)
        job = begin(TransactionFactory.create())
        assert perform(job) == UNKNOWN


class TestSettling:
    def test_hands_out_vnpays_link(self) -> None:
        row = TransactionFactory.create()
        job = begin(row)
        settle(results=[(job, perform(job))])
        row.refresh_from_db()
        assert row.next_action is not None
        assert f"vnp_TxnRef={row.reference}" in row.next_action["url"]
        assert (row.status, row.lease_until) == (Status.PROCESSING, None)
        call = GatewayCall.objects.get()
        assert (call.outcome, call.answered_at is not None) == ("ACTION_REQUIRED", True)
        assert check() == []

    @pytest.mark.parametrize("kind", [OutcomeKind.UNKNOWN, OutcomeKind.NOT_DONE])
    def test_never_ends_a_payment_for_want_of_an_answer(self, kind: OutcomeKind) -> None:
        row = TransactionFactory.create()
        job = begin(row)
        settle(results=[(job, Outcome(kind))])
        row.refresh_from_db()
        assert (row.status, row.failures, row.lease_until) == (Status.PROCESSING, 1, None)
        assert row.due_at is not None
        assert GatewayCall.objects.get().answered_at is None
        assert check() == []

    def test_calls_a_person_when_nothing_is_heard_again_and_again(self) -> None:
        row = TransactionFactory.create()
        for _ in range(dispatch.FAILURES_BEFORE_A_CASE + 2):
            settle(results=[(begin(row), UNKNOWN)])
        case = Case.objects.get()
        assert (case.kind, case.transaction_id) == (CaseKind.REFUSED_CALLS, row.pk)
        row.refresh_from_db()
        assert row.status == Status.PROCESSING
        assert row.due_at is not None

    def test_hears_evidence_from_a_worker_that_lost_its_lease_and_leaves_it_the_schedule(
        self,
    ) -> None:
        row = TransactionFactory.create()
        sleeper = begin(row)
        begin(row)
        leased = Transaction.objects.get(pk=row.pk)
        settle(results=[(sleeper, Outcome(OutcomeKind.PENDING))])
        after = Transaction.objects.get(pk=row.pk)
        assert (after.lease_until, after.due_at) == (leased.lease_until, leased.due_at)
        settle(results=[(sleeper, paid(row))])
        row.refresh_from_db()
        assert row.status == Status.SUCCESS
        assert check() == []

    def test_asks_once_more_when_the_end_is_wanted_while_the_question_is_out(self) -> None:
        row = TransactionFactory.create(status=Status.PROCESSING)
        earlier = begin(row)
        cancel_payment(transaction_id=row.pk)
        settle(results=[(earlier, Outcome(OutcomeKind.UNPAID))])
        row.refresh_from_db()
        assert (row.status, row.due_at is not None) == (Status.PROCESSING, True)
        settle(results=[(begin(row), Outcome(OutcomeKind.UNPAID))])
        row.refresh_from_db()
        assert (row.status, row.failure_code) == (Status.FAILED, "cancelled")

    def test_waits_for_a_worker_that_is_taking_the_row_at_this_moment(self) -> None:
        row = TransactionFactory.create()
        sleeper = begin(row)
        make_due(row)
        with ThreadPoolExecutor(1) as pool, transaction.atomic():
            Transaction.claim(limit=1, lease=timedelta(minutes=1), pk=row.pk)
            late = pool.submit(_settle_alone, sleeper, Outcome(OutcomeKind.PENDING))
            with pytest.raises(TimeoutError):
                late.result(timeout=0.3)
        late.result()
        row.refresh_from_db()
        assert row.attempt == 2
        assert row.lease_until is not None

    def test_keeps_the_answer_of_a_call_that_a_sleeper_gave_up(self) -> None:
        row = TransactionFactory.create()
        sleeper, worker = begin(row), begin(row)
        settle(results=[(worker, perform(worker))])
        settle(results=[(sleeper, UNKNOWN)])
        call = GatewayCall.objects.get()
        assert (call.outcome, call.answered_at is not None) == ("ACTION_REQUIRED", True)

    def test_redoes_alone_what_failed_together(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rows = [TransactionFactory.create() for _ in range(3)]
        results = [(job, paid(job.row)) for job in (begin(row) for row in rows)]
        _refuse_to_settle(monkeypatch, rows[1])
        settle(results=results)
        assert [Transaction.objects.get(pk=row.pk).status for row in rows] == [
            Status.SUCCESS,
            Status.PROCESSING,
            Status.SUCCESS,
        ]
        rows[1].refresh_from_db()
        assert (rows[1].failures, rows[1].lease_until) == (1, None)
        assert check() == []

    def test_of_two_batches_that_cross_never_deadlocks(self) -> None:
        rows = [TransactionFactory.create() for _ in range(6)]
        results = [(job, paid(job.row)) for job in (begin(row) for row in rows)]
        at_once(
            *[lambda: settle(results=results), lambda: settle(results=results[::-1])] * 3,
        )
        assert set(Transaction.objects.values_list("status", flat=True)) == {Status.SUCCESS}
        assert check() == []

    def test_pays_two_payments_of_one_order_in_one_batch_once(self) -> None:
        first = TransactionFactory.create(status=Status.FAILED)
        second = TransactionFactory.create(order=first.order)
        job = begin(second)
        twin = replace(job, row=first)
        settle(results=[(twin, paid(first)), (job, paid(second))])
        applied = Transaction.objects.filter(status=Status.SUCCESS).values_list(
            "applied", flat=True
        )
        assert sorted(applied) == [False, True]


def _settle_alone(job: Job, outcome: Outcome) -> None:
    try:
        settle(results=[(job, outcome)])
    finally:
        connections.close_all()


class TestTheClockOfAHost:
    """PostgreSQL says what is due; a host whose clock is wrong neither hurries nor waits."""

    @pytest.mark.parametrize("wrong_by", [timedelta(hours=-1), timedelta(hours=1)])
    def test_moves_neither_the_first_look_nor_the_next(self, wrong_by: timedelta) -> None:
        right = timezone.now()
        with time_machine.travel(right + wrong_by):
            row = TransactionFactory.create()
            [job] = plan()
            settle(results=[(job, Outcome(OutcomeKind.PENDING))])
        row.refresh_from_db()
        assert row.due_at is not None
        step = gateway("vnpay").query_schedule[0]
        assert abs(row.due_at - right - step) < timedelta(minutes=1)
        assert abs(row.created_at - right) < timedelta(minutes=1)

    def test_ends_no_payment_before_its_link_is_over(self) -> None:
        row = TransactionFactory.create(status=Status.PROCESSING)
        unpaid = Outcome(OutcomeKind.UNPAID, reference=row.reference)
        with time_machine.travel(timezone.now() + timedelta(hours=1)):
            hear(row, unpaid)
        assert row.status == Status.PROCESSING


def _refuse_to_settle(patch: pytest.MonkeyPatch, row: Transaction) -> None:
    real = apply_outcomes

    def fail(evidence: Sequence[Any]) -> Any:
        if any(item.transaction_id == row.pk for item in evidence):
            raise ValueError("a row that our code cannot settle")
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
        assert at_once(queues()["gateway.vnpay"].drain, come_second) == [True, True]

    def test_has_nothing_to_do_for_what_has_ended(self) -> None:
        row = TransactionFactory.create(status=Status.PROCESSING)
        hear(row, paid(row))
        assert not queues()["gateway.vnpay"].has_due_rows()
