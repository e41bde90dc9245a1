import pytest

from audit.models import AuditEvent
from payments.states import Status
from tests.factories import TransactionFactory

pytestmark = pytest.mark.django_db(transaction=True)


class TestTransactionFactory:
    @pytest.mark.parametrize("status", Status)
    def test_makes_a_payment_in_every_status(self, status: Status) -> None:
        payment = TransactionFactory.create(status=status)
        assert payment.status == status
        assert payment.order.transactions.get() == payment


class TestTeardown:
    @pytest.mark.parametrize("turn", ["first", "second"])
    def test_leaves_nothing_to_the_next_test(self, turn: str) -> None:
        assert not AuditEvent.objects.exists()
        TransactionFactory.create(status=Status.SUCCESS)
        assert AuditEvent.objects.exists()
