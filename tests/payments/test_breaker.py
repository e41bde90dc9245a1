"""The circuit breaker: a gateway that is down is left alone, and noticed when it is back."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.db.models.functions import Now

from audit.models import AuditEvent
from durable.clock import database_now
from payments.gateways.base import Exchange, Outcome, OutcomeKind, Verb
from payments.invariants import check
from payments.models import GatewayBreaker, GatewayCall
from payments.operations import SENDS_BEFORE_A_QUERY
from payments.services import breaker, dispatch
from payments.services.dispatch import Job
from payments.states import Status
from tests.at_once import PATIENCE_S
from tests.factories import OrderFactory, TransactionFactory, begin, make_due

pytestmark = pytest.mark.django_db(transaction=True)

SILENCE = Outcome(OutcomeKind.UNKNOWN)
TOO_MUCH = Outcome(OutcomeKind.NOT_DONE, exchange=Exchange({}, {}, 429, 5))
CRASH = Outcome(OutcomeKind.UNKNOWN, exchange=Exchange({}, {}, 503, 5))
ANSWER = Outcome(OutcomeKind.PENDING)


def note(*outcomes: Outcome) -> None:
    breaker.note(gateway_name="stripe", outcomes=outcomes)


def hold_back(gateway: str) -> None:
    breaker.note(gateway_name=gateway, outcomes=[SILENCE] * breaker.FAILURES_TO_OPEN)


def probe_is_due() -> None:
    GatewayBreaker.objects.update(probe_at=Now() - timedelta(seconds=1))


def plan(gateway: str, limit: int = 5) -> list[Job]:
    return dispatch.claim_and_plan(gateway_name=gateway, limit=limit)


def plan_in_a_thread(gateway: str) -> list[Job]:
    try:
        return plan(gateway, limit=2)
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
        row = TransactionFactory.create(method="card")
        hold_back("stripe")
        assert plan("stripe") == []
        row.refresh_from_db()
        assert (row.status, row.lease_until, row.failures) == (Status.PENDING, None, 0)
        assert row.due_at is not None
        assert not GatewayCall.objects.exists()
        assert check() == []

    def test_sends_one_payment_as_the_probe(self) -> None:
        for _ in range(3):
            TransactionFactory.create(method="card")
        hold_back("stripe")
        probe_is_due()
        assert len(plan("stripe")) == 1

    def test_hands_out_links_that_need_no_network(self) -> None:
        TransactionFactory.create(method="vnpay")
        hold_back("vnpay")
        assert len(plan("vnpay")) == 1

    def test_keeps_the_probe_for_an_operation_that_needs_the_network(self) -> None:
        asking = TransactionFactory.create()
        link = begin(asking)
        dispatch.settle(results=[(link, dispatch.perform(link))])
        hold_back("vnpay")
        probe_is_due()
        TransactionFactory.create()
        assert [job.operation.verb for job in plan("vnpay")] == [Verb.CREATE]
        make_due(asking)
        assert [job.operation.verb for job in plan("vnpay")] == [Verb.QUERY]

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


class TestProbing:
    def test_sends_one_operation_however_many_workers_come_at_once(self) -> None:
        for _ in range(8):
            TransactionFactory.create(method="card")
        hold_back("stripe")
        probe_is_due()
        with ThreadPoolExecutor(2) as pool, transaction.atomic():
            # All of them have seen that the probe is due before the first can take it.
            GatewayBreaker.objects.select_for_update().get()
            planning = [pool.submit(plan_in_a_thread, "stripe") for _ in range(2)]
            wait_for_waiters(2)
        assert sum(len(one.result()) for one in planning) == 1
        assert GatewayCall.objects.count() == 1

    def test_goes_on_behind_a_probe_that_hangs(self) -> None:
        first = TransactionFactory.create(method="card")
        hold_back("stripe")
        probe_is_due()
        [hanging] = plan("stripe")
        next_at = GatewayBreaker.objects.get().probe_at
        assert next_at is not None
        assert next_at <= database_now() + breaker.PROBE_EVERY
        second = TransactionFactory.create(method="card")
        assert plan("stripe") == []
        probe_is_due()
        make_due(second)
        [probe] = plan("stripe")
        assert [hanging.row.pk, probe.row.pk] == [first.pk, second.pk]

    def test_sends_the_same_again_when_its_worker_died(self) -> None:
        row = TransactionFactory.create(method="card")
        hold_back("stripe")
        probe_is_due()
        [died] = plan("stripe")
        make_due(row)
        probe_is_due()
        [again] = plan("stripe")
        assert again.operation.reference == died.operation.reference
        dispatch.settle(results=[(again, ANSWER)])
        assert not breaker.is_open("stripe")

    def test_that_fails_waits_for_the_next_interval(self) -> None:
        row = TransactionFactory.create(method="card")
        hold_back("stripe")
        probe_is_due()
        [probe] = plan("stripe")
        dispatch.settle(results=[(probe, SILENCE)])
        make_due(row)
        assert plan("stripe") == []
        assert breaker.is_open("stripe")

    def test_takes_no_answer_of_ours_for_one_of_the_gateways(self) -> None:
        # PayPal never named the order, so this query is answered without asking anybody.
        order = OrderFactory.create(currency="USD")
        row = TransactionFactory.create(order=order, method="paypal", status=Status.PROCESSING)
        GatewayCall.objects.update(sends=SENDS_BEFORE_A_QUERY)
        hold_back("paypal")
        make_due(row)
        [query] = plan("paypal")
        assert query.operation.request == {}
        dispatch.settle(results=[(query, dispatch.perform(query))])
        assert breaker.is_open("paypal")


class TestTooManyRequests:
    def test_are_waited_out_by_the_payment_that_was_told_and_by_no_other(self) -> None:
        told, other = [TransactionFactory.create(method="card") for _ in range(2)]
        for _ in range(breaker.FAILURES_TO_OPEN):
            dispatch.settle(results=[(begin(told), replace(TOO_MUCH, retry_after_s=1200))])
        told.refresh_from_db()
        assert told.due_at is not None
        wait = told.due_at - database_now()
        assert timedelta(minutes=19) < wait <= timedelta(minutes=20)
        assert not breaker.is_open("stripe")
        assert [job.row.pk for job in plan("stripe")] == [other.pk]


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

    def test_closes_with_the_first_answer_and_says_so(self) -> None:
        note(*[SILENCE] * breaker.FAILURES_TO_OPEN)
        note(ANSWER)
        assert not breaker.is_open("stripe")
        actions = AuditEvent.objects.filter(subject_type="gateway").order_by("occurred_at")
        assert [event.action for event in actions] == [
            "gateway.held_back",
            "gateway.answers_again",
        ]
