"""The circuit breaker: a gateway that is down is left alone, and noticed when it is back."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection, connections, transaction
from django.db.models.functions import Now

from audit.models import AuditEvent
from durable.clock import database_now
from gateways.operation import CaptureMethod, Verb
from gateways.outcome import Exchange, Outcome, OutcomeKind
from payments.invariants import check
from payments.models import GatewayBreaker, GatewayCall, Transaction
from payments.outcomes.apply import apply_outcomes
from payments.outcomes.evidence import Evidence, Source
from payments.processing import dispatch, planning
from payments.processing.next_operation import SENDS_BEFORE_A_QUERY
from payments.processing.planning import Job
from payments.routing import breaker
from payments.services.lifecycle import cancel_payment, capture_payment, request_status_query
from payments.states import Status
from tests.concurrently import PATIENCE_S
from tests.factories import OrderFactory, TransactionFactory, begin, make_due

pytestmark = pytest.mark.django_db(transaction=True)

SILENCE = Outcome(OutcomeKind.UNKNOWN)
TOO_MUCH = Outcome(OutcomeKind.NOT_DONE, exchange=Exchange({}, {}, 429, 5))
CRASH = Outcome(OutcomeKind.UNKNOWN, exchange=Exchange({}, {}, 503, 5))
ANSWER = Outcome(OutcomeKind.PENDING)

Service = Callable[..., object]


def note(*outcomes: Outcome) -> None:
    breaker.note(gateway_name="stripe", outcomes=outcomes)


def hold_back(gateway: str) -> None:
    breaker.note(gateway_name=gateway, outcomes=[SILENCE] * breaker.FAILURES_TO_OPEN)


def probe_is_due() -> None:
    GatewayBreaker.objects.update(probe_at=Now() - timedelta(seconds=1))


def plan(gateway: str, limit: int = 5) -> list[Job]:
    return planning.claim_and_plan(gateway_name=gateway, limit=limit)


def approve(*, transaction_id: UUID) -> None:
    """The gateway tells that there is something to be done."""
    hint = Outcome(OutcomeKind.ACTION_REQUIRED, next_verb=Verb.CAPTURE)
    apply_outcomes([Evidence(transaction_id, hint, Source.WEBHOOK, "evt_1")])


def take_in_a_thread(gateway: str) -> bool:
    try:
        return breaker.take_probe(gateway)
    finally:
        connections.close_all()


def note_in_a_thread(outcome: Outcome) -> None:
    try:
        note(outcome)
    finally:
        connections.close_all()


def wait_for_waiters(count: int) -> None:
    """Until so many others wait for a lock of this transaction's."""
    deadline = time.monotonic() + PATIENCE_S
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            # The view is read once for each transaction, unless told otherwise.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone() == (count,):
                return
            time.sleep(0.01)
    raise AssertionError("the others never came")


class TestPlanning:
    def test_leaves_a_payment_unsent_while_its_gateway_is_held_back(self) -> None:
        payment = TransactionFactory.create(method="card")
        hold_back("stripe")
        assert plan("stripe") == []
        payment.refresh_from_db()
        assert (payment.status, payment.lease_until, payment.failures) == (Status.PENDING, None, 0)
        assert payment.due_at is not None
        assert not GatewayCall.objects.exists()
        assert check() == []

    def test_sends_no_payment_as_the_probe(self) -> None:
        payment = TransactionFactory.create(method="card")
        hold_back("stripe")
        probe_is_due()
        assert plan("stripe") == []
        payment.refresh_from_db()
        assert payment.status == Status.PENDING
        assert breaker.is_probe_due("stripe")

    def test_hands_out_links_that_need_no_network(self) -> None:
        TransactionFactory.create(method="vnpay")
        hold_back("vnpay")
        assert len(plan("vnpay")) == 1

    def test_leaves_the_other_gateways_alone(self) -> None:
        for method in ("card", "momo", "paypal"):
            order = OrderFactory.create(**({"currency": "USD"} if method == "paypal" else {}))
            TransactionFactory.create(order=order, method=method)
        hold_back("momo")
        assert {name: len(plan(name)) for name in ("stripe", "momo", "paypal")} == {
            "stripe": 1,
            "momo": 0,
            "paypal": 1,
        }


class TestAnswers:
    def test_takes_no_answer_of_ours_for_one_of_the_gateways(self) -> None:
        # PayPal never named the order, so this query is answered without asking anybody.
        order = OrderFactory.create(currency="USD")
        payment = TransactionFactory.create(order=order, method="paypal", status=Status.PROCESSING)
        GatewayCall.objects.update(sends=SENDS_BEFORE_A_QUERY)
        hold_back("paypal")
        make_due(payment)
        [query] = plan("paypal")
        assert query.operation.request == {}
        dispatch.record_results(results=[(query, dispatch.perform(query))])
        assert breaker.is_open("paypal")

    def test_let_go_of_what_was_held_back(self) -> None:
        payment = TransactionFactory.create(method="card")
        hold_back("stripe")
        assert plan("stripe") == []
        assert not Transaction.due(gateway="stripe").exists()
        note(ANSWER)
        assert Transaction.due(gateway="stripe").get() == payment

    def test_let_go_of_nothing_else(self) -> None:
        soon = Now() + timedelta(seconds=5)
        asked, later, elsewhere = [
            TransactionFactory.create(method=method) for method in ("card", "card", "momo")
        ]
        Transaction.objects.filter(pk=asked.pk).update(due_at=soon, queried_at=Now())
        Transaction.objects.filter(pk=later.pk).update(due_at=Now() + breaker.PROBE_EVERY * 2)
        Transaction.objects.filter(pk=elsewhere.pk).update(due_at=soon)
        hold_back("stripe")
        note(ANSWER)
        assert not Transaction.due().exists()

    def test_do_not_wait_for_what_somebody_else_is_at(self) -> None:
        payment = TransactionFactory.create(method="card")
        hold_back("stripe")
        assert plan("stripe") == []
        with transaction.atomic(), ThreadPoolExecutor(1) as pool:
            Transaction.objects.select_for_update().get(pk=payment.pk)
            pool.submit(note_in_a_thread, ANSWER).result(timeout=PATIENCE_S)
        assert not breaker.is_open("stripe")


class TestTooManyRequests:
    def test_are_waited_out_by_the_payment_that_was_told_and_by_no_other(self) -> None:
        told, other = [TransactionFactory.create(method="card") for _ in range(2)]
        for _ in range(breaker.FAILURES_TO_OPEN):
            dispatch.record_results(results=[(begin(told), replace(TOO_MUCH, retry_after_s=1200))])
        told.refresh_from_db()
        assert told.due_at is not None
        wait = told.due_at - database_now()
        assert timedelta(minutes=19) < wait <= timedelta(minutes=20)
        assert not breaker.is_open("stripe")
        assert [job.payment.pk for job in plan("stripe")] == [other.pk]

    @pytest.mark.parametrize(
        "service",
        [request_status_query, cancel_payment, capture_payment, approve],
        ids=["look again", "cancel", "capture", "a hint"],
    )
    def test_are_waited_out_whatever_is_wanted_meanwhile(self, service: Service) -> None:
        status = Status.AUTHORIZED if service is capture_payment else Status.PROCESSING
        told = TransactionFactory.create(method="card", capture=CaptureMethod.MANUAL, status=status)
        dispatch.record_results(results=[(begin(told), replace(TOO_MUCH, retry_after_s=1200))])
        asked_at = database_now()
        service(transaction_id=told.pk)
        told.refresh_from_db()
        assert told.due_at is not None
        assert told.due_at > asked_at + timedelta(minutes=19)

    def test_are_waited_out_when_what_was_held_back_is_let_go(self) -> None:
        told = TransactionFactory.create(method="card")
        dispatch.record_results(results=[(begin(told), replace(TOO_MUCH, retry_after_s=12))])
        hold_back("stripe")
        note(ANSWER)
        assert not Transaction.due(gateway="stripe").exists()

    def test_are_over_when_the_time_is(self) -> None:
        told = TransactionFactory.create(method="card")
        dispatch.record_results(results=[(begin(told), replace(TOO_MUCH, retry_after_s=1200))])
        Transaction.objects.update(retry_after_at=Now() - timedelta(seconds=1))
        request_status_query(transaction_id=told.pk)
        assert Transaction.due(gateway="stripe").get() == told


class TestBreaker:
    def test_opens_after_so_many_failures_in_a_row(self) -> None:
        note(*[SILENCE] * (breaker.FAILURES_TO_OPEN - 1))
        assert not breaker.is_open("stripe")
        note(CRASH)
        assert breaker.is_open("stripe")
        assert not breaker.is_open("vnpay")

    def test_starts_to_count_anew_after_an_answer(self) -> None:
        note(*[SILENCE] * (breaker.FAILURES_TO_OPEN - 1))
        note(ANSWER, SILENCE)
        note(SILENCE)
        assert not breaker.is_open("stripe")

    def test_takes_a_refusal_for_an_answer(self) -> None:
        note(*[TOO_MUCH] * breaker.FAILURES_TO_OPEN)
        assert not breaker.is_open("stripe")

    def test_lets_one_probe_through_in_each_interval(self) -> None:
        note(*[SILENCE] * breaker.FAILURES_TO_OPEN)
        assert not breaker.take_probe("stripe")
        probe_is_due()
        assert [breaker.take_probe("stripe"), breaker.take_probe("stripe")] == [True, False]
        # Whoever took it may have died.
        probe_is_due()
        assert breaker.take_probe("stripe")

    def test_lets_one_probe_through_however_many_workers_come_at_once(self) -> None:
        hold_back("stripe")
        probe_is_due()
        with ThreadPoolExecutor(2) as pool, transaction.atomic():
            # Both have seen that the probe is due before the first can take it.
            GatewayBreaker.objects.select_for_update().get()
            taking = [pool.submit(take_in_a_thread, "stripe") for _ in range(2)]
            wait_for_waiters(2)
        assert sorted(one.result() for one in taking) == [False, True]

    def test_closes_with_the_first_answer_and_says_so(self) -> None:
        note(*[SILENCE] * breaker.FAILURES_TO_OPEN)
        note(ANSWER)
        assert not breaker.is_open("stripe")
        actions = AuditEvent.objects.filter(subject_type="gateway").order_by("occurred_at")
        assert [event.action for event in actions] == [
            "gateway.held_back",
            "gateway.answers_again",
        ]
