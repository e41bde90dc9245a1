"""Money that a gateway names for a payment that is with another one."""

import pytest
from django.test import Client

from payments.invariants import check
from payments.models import Case, CaseKind, WebhookEvent, WebhookState
from payments.states import Status
from tests.factories import TransactionFactory
from tests.payments.inbox.test_inbox import answer, state
from tests.vnpay_ipn import ipn, refused

pytestmark = pytest.mark.django_db(transaction=True)


class TestMoneyAtAnotherGateway:
    def test_needs_a_person_at_once(self, client: Client) -> None:
        elsewhere = TransactionFactory.create(method="momo", status=Status.PROCESSING)
        before = state()
        assert answer(client, ipn(elsewhere)) == "04"
        assert state() == before
        event, case = WebhookEvent.objects.get(), Case.objects.get()
        assert (event.state, event.due_at) == (WebhookState.MISMATCH, None)
        assert (event.transaction_id, case.transaction_id) == (elsewhere.pk, elsewhere.pk)
        assert (case.kind, case.amount) == (CaseKind.CONFLICT, elsewhere.amount)
        assert case.detail["cause_id"] == str(event.pk)
        assert case.detail["differences"] == {"gateway": "vnpay, not momo"}
        assert answer(client, ipn(elsewhere)) == "04"
        assert Case.objects.count() == 1
        assert check() == []

    def test_is_none_when_the_other_one_took_nothing(self, client: Client) -> None:
        elsewhere = TransactionFactory.create(method="momo", status=Status.PROCESSING)
        assert answer(client, refused(elsewhere)) == "01"
        assert not Case.objects.exists()
