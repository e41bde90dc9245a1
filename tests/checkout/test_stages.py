"""Where a shopper stands, for every state of our rows. No database is needed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from checkout.stages import PAYABLE, Stage, Visit, find_stage
from checkout.wording import METHODS, ORDER_STATUSES, PROBLEMS, Problem
from gateways.outcome import FailureCode
from orders.models import Order
from orders.states import OrderStatus
from payments.models import Transaction
from payments.reasons import FAILURES
from payments.states import Status

NOW = datetime(2026, 11, 22, 15, tzinfo=UTC)
LINK = {"url": "https://pay.example/1"}
LEAVING, BACK = Visit(is_leaving=True), Visit(is_back=True)
BACK_UNPAID = Visit(is_back=True, is_unpaid_since=True)


def order(status: OrderStatus = OrderStatus.PENDING) -> Order:
    return Order(status=status)


def payment(status: Status = Status.PROCESSING, **changes: Any) -> Transaction:
    given = {"next_action": LINK, "expires_at": NOW + timedelta(minutes=15)} | changes
    return Transaction(status=status, **given)


class TestStageOf:
    @pytest.mark.parametrize(
        ("row", "visit", "stage"),
        [
            (payment(Status.PENDING, next_action=None), Visit(), Stage.CONNECTING),
            (payment(Status.PENDING, next_action=None), LEAVING, Stage.CONNECTING),
            (payment(next_action=None), BACK, Stage.CHECKING),
            (payment(next_action=None), BACK_UNPAID, Stage.CONNECTING),
            (payment(), LEAVING, Stage.LEAVING),
            (payment(), Visit(), Stage.CONTINUE),
            (payment(), BACK, Stage.CHECKING),
            (payment(), BACK_UNPAID, Stage.CONTINUE),
            (payment(expires_at=NOW), LEAVING, Stage.CHECKING),
            (payment(expires_at=NOW), BACK_UNPAID, Stage.CHECKING),
            (payment(cancel_code=FailureCode.SUPERSEDED), BACK, Stage.CLOSING),
            (payment(Status.AUTHORIZED), BACK, Stage.HELD),
            (payment(Status.SUCCESS, applied=True), BACK, Stage.PAID),
            (payment(Status.SUCCESS, applied=False), Visit(), Stage.NOT_NEEDED),
            (payment(Status.FAILED, failure_code=FailureCode.DECLINED), BACK, Stage.FAILED),
            (payment(Status.FAILED, failure_code=FailureCode.EXPIRED), BACK, Stage.FAILED),
            (payment(Status.FAILED, failure_code=FailureCode.CANCELLED), BACK, Stage.GIVEN_UP),
            (payment(Status.FAILED, failure_code=FailureCode.SUPERSEDED), BACK, Stage.UNPAID),
            (
                payment(
                    Status.FAILED,
                    failure_code=FailureCode.INSUFFICIENT_FUNDS,
                    cancel_code=FailureCode.SUPERSEDED,
                ),
                BACK,
                Stage.UNPAID,
            ),
            (None, BACK, Stage.UNPAID),
        ],
    )
    def test_of_an_unpaid_order(self, row: Transaction | None, visit: Visit, stage: Stage) -> None:
        assert find_stage(order(), row, visit, NOW) is stage

    def test_of_a_cancelled_order_cannot_be_paid(self) -> None:
        cancelled = order(OrderStatus.CANCELLED)
        failed = payment(Status.FAILED, failure_code=FailureCode.DECLINED)
        assert find_stage(cancelled, None, Visit(), NOW) is Stage.CANCELLED
        assert find_stage(cancelled, failed, Visit(), NOW) is Stage.CANCELLED
        assert Stage.CANCELLED not in PAYABLE

    @pytest.mark.parametrize("visit", [Visit(), LEAVING, BACK, BACK_UNPAID])
    @pytest.mark.parametrize("status", Status)
    def test_never_says_failed_while_money_may_still_come(
        self, status: Status, visit: Visit
    ) -> None:
        row = payment(status, failure_code="declined" if status == Status.FAILED else "")
        stage = find_stage(order(), row, visit, NOW)
        assert (stage is Stage.FAILED) == (status == Status.FAILED)


class TestWording:
    def test_has_a_sentence_for_every_reason(self) -> None:
        assert set(FAILURES) == set(FailureCode)

    def test_has_a_word_for_every_status_and_problem(self) -> None:
        assert set(ORDER_STATUSES) == set(OrderStatus)
        assert set(PROBLEMS) == set(Problem)

    def test_knows_every_method_of_the_settings(self, settings: Any) -> None:
        assert set(METHODS) == set(settings.METHOD_GATEWAYS)
