"""A MoMo payment after its keys were refused and mended: the old request can be used up."""

import pytest

from gateways.operation import Verb
from gateways.outcome import Outcome, OutcomeKind
from payments.invariants import check
from payments.models import Transaction
from payments.outcomes.apply import standing_of
from payments.outcomes.decisions import Ruling, decide
from payments.processing.dispatch import settle
from payments.routing.registry import gateway
from payments.services.lifecycle import cancel_payment
from payments.states import Status
from tests.factories import TransactionFactory, begin

pytestmark = pytest.mark.django_db(transaction=True)


class TestARequestThatIsUsedUpByRefusedCredentials:
    """MoMo answers its repeat by 40, which is PENDING here, and knows of no payment."""

    @pytest.fixture
    def row(self) -> Transaction:
        row = TransactionFactory.create(method="momo")
        settle(results=[(begin(row), Outcome(OutcomeKind.NOT_DONE))])
        again = begin(row)
        assert again.operation.verb is Verb.CREATE
        settle(results=[(again, Outcome(OutcomeKind.PENDING))])
        return row

    def test_is_asked_about_from_then_on_and_ends_with_its_link(self, row: Transaction) -> None:
        query = begin(row)
        assert query.operation.verb is Verb.QUERY
        settle(results=[(query, Outcome(OutcomeKind.UNPAID))])
        row.refresh_from_db()
        assert row.status == Status.PROCESSING
        late = row.expires_at + gateway("momo").expiry_margin
        assert decide(standing_of(row), Outcome(OutcomeKind.UNPAID), late).ruling is Ruling.FAIL

    def test_ends_when_the_shopper_wants_another_way(self, row: Transaction) -> None:
        cancel_payment(transaction_id=row.pk)
        query = begin(row)
        assert query.operation.verb is Verb.QUERY
        settle(results=[(query, Outcome(OutcomeKind.UNPAID))])
        row.refresh_from_db()
        assert (row.status, row.failure_code) == (Status.FAILED, "cancelled")
        assert check() == []
