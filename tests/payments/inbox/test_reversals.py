"""Money that goes back, and not by us: a person hears of it, and of which payment it was."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from payments.models import Case, CaseKind, Transaction
from payments.states import Status
from tests.factories import OrderFactory, TransactionFactory
from tests.gateways.paypal.account import ORDER, amount
from tests.payments.paypal_events import Paypal, told_by_paypal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def paypal(tmp_path: Path) -> Iterator[Paypal]:
    with told_by_paypal(tmp_path) as paypal:
        paypal.is_back()
        yield paypal


@pytest.fixture
def payment() -> Transaction:
    return TransactionFactory.create(
        order=OrderFactory.create(total=1999, currency="USD"),
        method="paypal",
        psp_reference=ORDER,
        status=Status.SUCCESS,
    )


class TestAReversal:
    def told(self, paypal: Paypal, payment: Transaction, event_type: str, resource: Any) -> Case:
        assert paypal.send(payment, event_type=event_type, resource=resource) == 200
        return Case.objects.get(kind=CaseKind.REVERSAL)

    def test_by_a_dispute_is_a_case_of_the_payment_that_it_names_by_our_reference(
        self, paypal: Paypal, payment: Transaction
    ) -> None:
        dispute = {
            "dispute_id": "PP-D-1",
            "status": "RESOLVED",
            "dispute_amount": amount(),
            "dispute_outcome": {"outcome_code": "RESOLVED_BUYER_FAVOUR"},
            "disputed_transactions": [{"seller_transaction_id": "C1", "custom": payment.reference}],
        }
        case = self.told(paypal, payment, "CUSTOMER.DISPUTE.RESOLVED", dispute)
        assert (case.transaction, case.detail["payment_psp_reference"]) == (payment, "C1")

    def test_by_a_refund_is_a_case_of_the_payment_whose_order_it_names(
        self, paypal: Paypal, payment: Transaction
    ) -> None:
        related = {"related_ids": {"order_id": ORDER}}
        refund = {"id": "R1", "status": "COMPLETED", "amount": amount("5.00")}
        resource = {**refund, "custom_id": "f" * 32, "supplementary_data": related}
        case = self.told(paypal, payment, "PAYMENT.CAPTURE.REFUNDED", resource)
        assert (case.transaction, case.amount) == (payment, 500)

    def test_made_on_the_gateway_s_own_pages_is_found_by_what_was_taken(
        self, paypal: Paypal, payment: Transaction
    ) -> None:
        # Nothing in it is ours, and of its capture there is only a link.
        Transaction.objects.filter(pk=payment.pk).update(psp_data={"capture_id": "C1"})
        link = {"rel": "up", "href": "https://api.paypal.com/v2/payments/captures/C1"}
        refund = {"id": "R1", "status": "COMPLETED", "amount": amount("5.00"), "links": [link]}
        case = self.told(paypal, payment, "PAYMENT.CAPTURE.REFUNDED", refund)
        assert (case.transaction, case.amount) == (payment, 500)

    def test_of_a_payment_that_nobody_knows_is_a_case_all_the_same(
        self, paypal: Paypal, payment: Transaction
    ) -> None:
        refund = {"id": "R1", "status": "COMPLETED", "amount": amount("5.00")}
        case = self.told(paypal, payment, "PAYMENT.CAPTURE.REFUNDED", refund)
        assert (case.transaction, case.detail["psp_reference"]) == (None, "R1")
