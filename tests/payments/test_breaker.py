"""The circuit breaker: a gateway that is down is left alone, and noticed when it is back."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from audit.models import AuditEvent
from payments.gateways.base import Exchange, Outcome, OutcomeKind
from payments.invariants import check
from payments.models import GatewayBreaker, GatewayCall
from payments.services import breaker, dispatch
from payments.states import Status
from tests.factories import TransactionFactory

pytestmark = pytest.mark.django_db(transaction=True)

SILENCE = Outcome(OutcomeKind.UNKNOWN)
TOO_MUCH = Outcome(OutcomeKind.NOT_DONE, exchange=Exchange({}, {}, 429, 5))
CRASH = Outcome(OutcomeKind.UNKNOWN, exchange=Exchange({}, {}, 503, 5))
ANSWER = Outcome(OutcomeKind.PENDING)


def note(*outcomes: Outcome) -> None:
    breaker.note(gateway_name="stripe", outcomes=outcomes)


def hold_back(gateway: str) -> None:
    breaker.note(gateway_name=gateway, outcomes=[SILENCE] * breaker.FAILURES_TO_OPEN)


class TestPlanning:
    def test_leaves_a_payment_unsent_while_its_gateway_is_held_back(self) -> None:
        row = TransactionFactory.create(method="card")
        hold_back("stripe")
        assert dispatch.claim_and_plan(gateway_name="stripe", limit=5) == []
        row.refresh_from_db()
        assert (row.status, row.lease_until, row.failures) == (Status.PENDING, None, 0)
        assert row.due_at is not None
        assert not GatewayCall.objects.exists()
        assert check() == []

    def test_sends_one_payment_as_the_probe(self) -> None:
        for _ in range(3):
            TransactionFactory.create(method="card")
        hold_back("stripe")
        GatewayBreaker.objects.update(probe_at=Now() - timedelta(seconds=1))
        assert len(dispatch.claim_and_plan(gateway_name="stripe", limit=5)) == 1

    def test_hands_out_links_that_need_no_network(self) -> None:
        TransactionFactory.create(method="vnpay")
        hold_back("vnpay")
        assert len(dispatch.claim_and_plan(gateway_name="vnpay", limit=5)) == 1


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
        GatewayBreaker.objects.update(probe_at=Now() - timedelta(seconds=1))
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
