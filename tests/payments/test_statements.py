"""How many statements one payment costs, step by step: one more is seen, and must be worth it.

Counted in this process with one payment at a time; BEGIN, COMMIT and savepoints do not count.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from durable.ids import uuid7
from gateways.outcome import Outcome, OutcomeKind
from payments.models import Transaction
from payments.processing.dispatch import record_results
from payments.processing.planning import claim_and_plan
from payments.services import create
from payments.states import Status
from tests.factories import OrderFactory, paid, payment_request
from tests.vnpay_ipn import ipn

pytestmark = pytest.mark.django_db(transaction=True)

_CONTROL = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")


def count(step: Callable[[], Any]) -> tuple[int, Any]:
    """The statements of ``step``, and its result."""
    with CaptureQueriesContext(connection) as captured:
        result = step()
    texts = [query["sql"] for query in captured.captured_queries]
    return sum(not text.startswith(_CONTROL) for text in texts), result


def count_steps(method: str, gateway: str, answer: Callable[[Transaction], Outcome]) -> list[int]:
    """T1, the claim, the answer; and the webhook where the answer did not end the payment."""
    order = OrderFactory.create()
    request = payment_request(order, method=method)
    created, made = count(
        lambda: create.create_payment(client="user:1", key=uuid7().hex, request=request, render=str)
    )
    payment = made.transaction
    claimed, jobs = count(lambda: claim_and_plan(gateway_name=gateway, limit=5))
    answered, _ = count(lambda: record_results(results=[(jobs[0], answer(payment))]))
    steps = [created, claimed, answered]
    payment.refresh_from_db()
    if payment.status != Status.SUCCESS:
        steps.append(count(lambda: Client().get(ipn(payment)))[0])
        payment.refresh_from_db()
    assert payment.status == Status.SUCCESS
    return steps


class TestOnePayment:
    def test_of_vnpay_costs_so_many_statements_a_step(self) -> None:
        def link(payment: Transaction) -> Outcome:
            return Outcome(OutcomeKind.ACTION_REQUIRED)

        # The first payment opens the accounts of the ledger.
        count_steps("vnpay", "vnpay", link)
        assert count_steps("vnpay", "vnpay", link) == [6, 7, 5, 11]

    def test_by_card_costs_so_many_statements_a_step(self) -> None:
        def charge(payment: Transaction) -> Outcome:
            return paid(payment, f"pi_{payment.reference}")

        count_steps("card", "stripe", charge)
        assert count_steps("card", "stripe", charge) == [6, 7, 11]
