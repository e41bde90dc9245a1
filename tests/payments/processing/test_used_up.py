"""A MoMo payment after its keys were refused and mended: the old request can be used up."""

import pytest

from gateways.operation import Verb
from gateways.outcome import Outcome, OutcomeKind
from payments.invariants import check
from payments.models import Transaction
from payments.outcomes.apply import build_snapshot
from payments.outcomes.decisions import Action, decide
from payments.processing.dispatch import record_results
from payments.routing.registry import gateway
from payments.services.lifecycle import cancel_payment
from payments.states import Status
from tests.factories import TransactionFactory, begin

pytestmark = pytest.mark.django_db(transaction=True)


class TestARequestThatIsUsedUpByRefusedCredentials:
    """MoMo answers its repeat by 40, which is PENDING here, and knows of no payment."""

    @pytest.fixture
    def payment(self) -> Transaction:
        payment = TransactionFactory.create(method="momo")
        record_results(results=[(begin(payment), Outcome(OutcomeKind.NOT_DONE))])
        again = begin(payment)
        assert again.operation.verb is Verb.CREATE
        record_results(results=[(again, Outcome(OutcomeKind.PENDING))])
        return payment

    def test_is_asked_about_from_then_on_and_ends_with_its_link(self, payment: Transaction) -> None:
        query = begin(payment)
        assert query.operation.verb is Verb.QUERY
        record_results(results=[(query, Outcome(OutcomeKind.UNPAID))])
        payment.refresh_from_db()
        assert payment.status == Status.PROCESSING
        late = payment.expires_at + gateway("momo").expiry_margin
        assert (
            decide(build_snapshot(payment), Outcome(OutcomeKind.UNPAID), late).action is Action.FAIL
        )

    def test_ends_when_the_shopper_wants_another_way(self, payment: Transaction) -> None:
        cancel_payment(transaction_id=payment.pk)
        query = begin(payment)
        assert query.operation.verb is Verb.QUERY
        record_results(results=[(query, Outcome(OutcomeKind.UNPAID))])
        payment.refresh_from_db()
        assert (payment.status, payment.failure_code) == (Status.FAILED, "cancelled")
        assert check() == []
