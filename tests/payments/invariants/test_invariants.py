"""Each invariant has a positive control: broken on purpose, it names the row."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.test import Client

from payments.invariants import INVARIANTS, check, violations
from payments.models import Transaction, WebhookEvent
from payments.processing.dispatch import perform, record_results
from payments.services.lifecycle import cancel_payment
from payments.states import Status
from tests.factories import (
    OrderFactory,
    TransactionFactory,
    apply_outcome,
    begin,
    paid,
)
from tests.payments.invariants.invariant_violations import BREAKS, Break, SandboxContext
from tests.vnpay_ipn import ipn

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def context(client: Client) -> SandboxContext:
    success = TransactionFactory.create()
    job = begin(success)
    record_results(results=[(job, perform(job))])
    client.get(ipn(success))
    client.get(ipn(success, secret="x" * 32))
    return SandboxContext(
        success=success,
        unapplied=_unapplied(),
        failed=TransactionFactory.create(status=Status.FAILED),
        open=_waiting_for_the_shopper(),
        never_sent=cancel_payment(transaction_id=TransactionFactory.create().pk),
        refused_webhook=WebhookEvent.objects.get(verified=False),
    )


def _unapplied() -> Transaction:
    """A success whose order another payment had paid before."""
    order = OrderFactory.create()
    late = TransactionFactory.create(order=order, status=Status.FAILED)
    TransactionFactory.create(order=order, status=Status.SUCCESS)
    apply_outcome(late, paid(late))
    assert not late.applied
    return late


def _waiting_for_the_shopper() -> Transaction:
    payment = TransactionFactory.create()
    job = begin(payment)
    record_results(results=[(job, perform(job))])
    return payment


def _broken(context: SandboxContext, item: Break) -> list[str]:
    """Who the checker names for ``item``; nothing of it stays."""
    expected = str(item.offender(context))
    with transaction.atomic(), connection.cursor() as cursor:
        for table, names in item.without.items():
            for name in names:
                _drop(cursor, table, name)
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(item.sql, _ids(context))
        found = [v for v in violations(quiescent=item.at_rest) if v.offender.startswith(expected)]
        transaction.set_rollback(True)
    return [violation.invariant.id for violation in found]


def _ids(context: SandboxContext) -> dict[str, str]:
    names = ("success", "unapplied", "failed", "open", "never_sent")
    ids = {name: str(getattr(context, name).pk) for name in names}
    return {**ids, "order": str(context.success.order_id)}


def _drop(cursor: CursorWrapper, table: str, name: str) -> None:
    """A unique rule with a condition is an index, the others are constraints."""
    cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
    cursor.execute(f"DROP INDEX IF EXISTS {name}")


class TestCheckInvariants:
    def test_finds_nothing_where_nothing_is_wrong(self, context: SandboxContext) -> None:
        assert [str(found) for found in check()] == []

    def test_has_a_positive_control_for_each_invariant(self) -> None:
        assert {item.id for item in INVARIANTS} == {item.invariant for item in BREAKS}

    def test_names_what_was_broken(
        self, context: SandboxContext, subtests: pytest.Subtests
    ) -> None:
        for item in BREAKS:
            with subtests.test(invariant=item.invariant, broken=item.name):
                assert item.invariant in _broken(context, item)

    def test_accepts_an_open_case_in_place_of_a_next_look(self, context: SandboxContext) -> None:
        apply_outcome(context.open, paid(context.open, money=context.open.money * 2))
        Transaction.objects.filter(pk=context.open.pk).update(due_at=None)
        assert check() == []

    def test_accepts_whatever_the_schedule_of_the_gateway_books(
        self, context: SandboxContext
    ) -> None:
        due_at = context.open.created_at + timedelta(hours=1)
        Transaction.objects.filter(pk=context.open.pk).update(due_at=due_at)
        assert check() == []


class TestCheckInvariantsCommand:
    def test_says_that_all_is_well(self, context: SandboxContext) -> None:
        out = StringIO()
        call_command("check_invariants", stdout=out)
        assert out.getvalue() == f"{len(INVARIANTS) - 1} invariants hold\n"

    def test_fails_and_names_the_offender(self, context: SandboxContext) -> None:
        err = StringIO()
        Transaction.objects.filter(pk=context.open.pk).update(due_at=None)
        with pytest.raises(CommandError, match="1 violations"):
            call_command("check_invariants", stderr=err)
        assert f"I16 {_says('I16')} {context.open.pk}: PROCESSING, due never" in err.getvalue()

    def test_finds_unfinished_work_where_all_should_be_at_rest(
        self, context: SandboxContext
    ) -> None:
        with pytest.raises(CommandError):
            call_command("check_invariants", "--quiescent", stderr=StringIO())


def _says(identity: str) -> str:
    return next(item.says for item in INVARIANTS if item.id == identity)
