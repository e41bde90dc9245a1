"""The table of legal moves, in the code and in PostgreSQL: the same, both ways."""

from itertools import product

import pytest
from django.db import DatabaseError, connection, transaction

from orders import states as order_states
from orders.models import Order
from orders.states import OrderStatus
from payments.models import Transaction
from payments.states import LEGAL_MOVES, LIVE, IllegalMove, Status, require_move
from tests.factories import OrderFactory, TransactionFactory

MOVES = [
    (Status.PENDING, Status.PROCESSING),
    (Status.PENDING, Status.FAILED),
    (Status.PROCESSING, Status.AUTHORIZED),
    (Status.PROCESSING, Status.SUCCESS),
    (Status.PROCESSING, Status.FAILED),
    (Status.AUTHORIZED, Status.SUCCESS),
    (Status.AUTHORIZED, Status.FAILED),
    (Status.FAILED, Status.SUCCESS),
]
PAIRS = [(before, after) for before, after in product(Status, Status) if before != after]


class TestTheTable:
    @pytest.mark.parametrize(("before", "after"), PAIRS)
    def test_holds_the_moves_of_the_design_and_no_other(
        self, before: Status, after: Status
    ) -> None:
        assert (after in LEGAL_MOVES[before]) == ((before, after) in MOVES)

    @pytest.mark.parametrize(("before", "after"), [p for p in PAIRS if p not in MOVES])
    def test_refuses_every_other_move(self, before: Status, after: Status) -> None:
        with pytest.raises(IllegalMove, match=f"{before} -> {after}"):
            require_move(before, after)

    def test_never_leaves_success(self) -> None:
        assert LEGAL_MOVES[Status.SUCCESS] == frozenset()

    def test_calls_live_what_may_still_take_money_by_itself(self) -> None:
        assert set(Status) - LIVE == {Status.SUCCESS, Status.FAILED}


@pytest.mark.django_db(transaction=True)
class TestTheTransactionTrigger:
    @pytest.mark.parametrize("before", Status)
    def test_allows_in_postgresql_what_the_table_holds(self, before: Status) -> None:
        payment = TransactionFactory.create(status=before)
        allowed = {after for after in Status if after != before and _may_become(payment, after)}
        assert allowed == LEGAL_MOVES[before]

    def test_refuses_a_row_that_starts_anywhere_else(self) -> None:
        payment = TransactionFactory.create()
        payment.pk, payment.status = None, Status.SUCCESS
        with pytest.raises(DatabaseError, match="Cannot insert rows"):
            payment.save(force_insert=True)

    def test_refuses_a_move_that_does_not_count_the_version_up(self) -> None:
        payment = TransactionFactory.create()
        with pytest.raises(DatabaseError, match="version must grow by one"):
            Transaction.objects.filter(pk=payment.pk).update(status=Status.PROCESSING)

    def test_refuses_a_version_without_a_move(self) -> None:
        payment = TransactionFactory.create()
        with pytest.raises(DatabaseError, match="version must grow by one"):
            Transaction.objects.filter(pk=payment.pk).update(version=2)

    @pytest.mark.parametrize(
        "change",
        ["amount = 1", "currency = 'USD'", "gateway = 'momo'", "gateway_account = 'x'",
         "live_mode = true", "expires_at = now()", "client = 'x'", "channel = 'qr'"],
    )  # fmt: skip
    def test_refuses_another_request_under_the_same_id(self, change: str) -> None:
        payment = TransactionFactory.create()
        with (
            pytest.raises(DatabaseError, match=r"Cannot update rows|proven uncharged"),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"UPDATE transactions SET {change} WHERE id = %s", [payment.pk])  # noqa: S608 - ours

    def test_refuses_to_forget_a_payment(self) -> None:
        payment = TransactionFactory.create()
        with (
            pytest.raises(DatabaseError, match="Cannot delete rows"),
            connection.cursor() as cursor,
        ):
            cursor.execute("DELETE FROM transactions WHERE id = %s", [payment.pk])


@pytest.mark.django_db(transaction=True)
class TestTheOrderTrigger:
    @pytest.mark.parametrize("before", OrderStatus)
    def test_allows_in_postgresql_what_the_table_holds(self, before: OrderStatus) -> None:
        order = OrderFactory.create()
        _force(order, before)
        allowed = {after for after in OrderStatus if after != before and _may_become(order, after)}
        assert allowed == order_states.LEGAL_MOVES[before]


def _may_become(row: Transaction | Order, after: str) -> bool:
    """Whether the trigger lets it pass; what other constraints say is not asked here."""
    with transaction.atomic():
        try:
            type(row)._default_manager.filter(pk=row.pk).update(
                status=after, version=row.version + 1
            )
        except DatabaseError as error:
            return "Invalid transition" not in str(error)
        finally:
            transaction.set_rollback(True)
    return True


def _force(order: Order, status: OrderStatus) -> None:
    """Put an order into any status, also one that no service brings it to."""
    paid = order.total if status in order_states.PAID_STATUSES else 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE orders SET status = %s, amount_paid = %s WHERE id = %s",
            [status, paid, order.pk],
        )
