"""A hold that the gateway neither takes nor releases: a person hears of it, and can ask anew."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from gateways.operation import CaptureMethod, Verb
from gateways.outcome import Failure, FailureCode, Outcome, OutcomeKind
from payments.invariants import check
from payments.models import Case, CaseKind, GatewayCall, Transaction
from payments.outcomes.apply import apply_outcomes
from payments.outcomes.evidence import Evidence, Source
from payments.processing.dispatch import record_results
from payments.processing.planning import FAILURES_BEFORE_A_CASE
from payments.routing.registry import gateway
from payments.services.lifecycle import cancel_payment, capture_payment
from payments.states import Status
from tests.factories import OrderFactory, TransactionFactory, begin, held

pytestmark = pytest.mark.django_db(transaction=True)

NO = Outcome(
    OutcomeKind.PENDING, failure=Failure(FailureCode.DECLINED, "TRANSACTION_REFUSED", "Refused.")
)
ENDS = [
    pytest.param(lambda row: capture_payment(transaction_id=row.pk), Verb.CAPTURE, id="capture"),
    pytest.param(lambda row: cancel_payment(transaction_id=row.pk), Verb.VOID, id="void"),
]
Ask = Callable[[Transaction], Transaction]


@pytest.mark.parametrize(("ask", "verb"), ENDS)
class TestAHoldThatIsNotEnded:
    def test_is_a_case_with_the_reason(self, ask: Ask, verb: Verb) -> None:
        row = asked(ask)
        record_results(results=[(begin(row), NO)])
        case = Case.objects.get()
        assert (case.kind, case.transaction_id, case.amount) == (
            CaseKind.STILL_HELD, row.pk, row.amount,
        )  # fmt: skip
        assert case.detail == {
            "verb": verb, "reason": "declined", "gateway_code": "TRANSACTION_REFUSED",
        }  # fmt: skip
        row.refresh_from_db()
        assert row.status == Status.AUTHORIZED
        assert check() == []

    def test_is_only_asked_about_until_somebody_wants_it_again(self, ask: Ask, verb: Verb) -> None:
        row = asked(ask)
        record_results(results=[(begin(row), NO)])
        asking = begin(row)
        assert asking.operation.verb is Verb.QUERY
        record_results(results=[(asking, held(row))])
        ask(row)
        again = begin(row)
        assert again.operation.verb is verb
        assert GatewayCall.objects.filter(transaction=row, verb=verb).count() == 2
        assert again.call.reference != row.reference

    def test_is_no_case_while_the_gateway_is_at_work(self, ask: Ask, verb: Verb) -> None:
        row = asked(ask)
        job = begin(row)
        assert job.operation.verb is verb
        record_results(results=[(job, Outcome(OutcomeKind.PENDING))])
        assert not Case.objects.exists()

    def test_is_a_case_when_nothing_is_answered_but_the_queries_between(
        self, ask: Ask, verb: Verb
    ) -> None:
        row = asked(ask)
        sends = 0
        while sends < FAILURES_BEFORE_A_CASE:
            assert not Case.objects.exists()
            job = begin(row)
            sends += job.operation.verb is verb
            is_query = job.operation.verb is Verb.QUERY
            record_results(results=[(job, held(row) if is_query else Outcome(OutcomeKind.UNKNOWN))])
        case = Case.objects.get()
        assert (case.kind, case.detail) == (
            CaseKind.REFUSED_CALLS,
            {"verb": verb, "failures": FAILURES_BEFORE_A_CASE},
        )

    def test_is_a_case_when_its_key_is_forgotten_unanswered_and_can_be_wanted_again(
        self, ask: Ask, verb: Verb
    ) -> None:
        row = asked(ask)
        record_results(results=[(begin(row), Outcome(OutcomeKind.UNKNOWN))])
        requested_at = "capture_requested_at" if verb is Verb.CAPTURE else "cancel_requested_at"
        for rows, names in (
            (GatewayCall.objects.filter(transaction=row), ("first_sent_at", "last_sent_at")),
            (Transaction.objects.filter(pk=row.pk), (requested_at,)),
        ):
            rows.update(**{name: F(name) - timedelta(days=3) for name in names})
        ask(row)
        assert not Case.objects.exists()
        asking = begin(row)
        assert asking.operation.verb is Verb.QUERY
        record_results(results=[(asking, held(row))])
        case = Case.objects.get()
        assert (case.kind, case.detail) == (
            CaseKind.STILL_HELD, {"verb": verb, "reason": "no answer"},
        )  # fmt: skip
        ask(row)
        again = begin(row)
        assert again.operation.verb is verb
        assert GatewayCall.objects.filter(transaction=row, verb=verb).count() == 2

    def test_is_asked_once_however_often_it_is_wanted_before_the_answer(
        self, ask: Ask, verb: Verb
    ) -> None:
        row = asked(ask)
        job = begin(row)
        ask(row)
        record_results(results=[(job, NO)])
        assert GatewayCall.objects.filter(transaction=row, verb=verb).count() == 1
        assert begin(row).operation.verb is Verb.QUERY


class TestAHoldOfWhichOnlyAQueryTold:
    def test_is_taken_though_the_call_that_made_it_was_never_answered(self) -> None:
        # PayPal holds and captures by the same verb.
        payment = TransactionFactory.create(
            order=OrderFactory.create(total=1999, currency="USD"),
            method="paypal",
            gateway="paypal",
            gateway_account=gateway("paypal").account,
            capture=CaptureMethod.MANUAL,
            status=Status.PROCESSING,
        )
        GatewayCall.objects.update(answered_at=timezone.now(), outcome=OutcomeKind.ACTION_REQUIRED)
        Transaction.objects.update(psp_reference="O1", next_verb=Verb.CAPTURE)
        holding = begin(payment)
        assert str(holding.operation.request["path"]).endswith("/O1/authorize")
        record_results(results=[(holding, Outcome(OutcomeKind.UNKNOWN))])
        told = replace(held(payment, "O1"), psp_data={"authorization_id": "A1"})
        apply_outcomes([Evidence(payment.pk, told, Source.QUERY, "x", gateway="paypal")])
        capture_payment(transaction_id=payment.pk)
        taking = begin(payment)
        assert str(taking.operation.request["path"]).endswith("/A1/capture")
        holding.call.refresh_from_db()
        assert (holding.call.outcome, taking.call.answered_at) == (OutcomeKind.UNKNOWN, None)


def asked(ask: Ask) -> Transaction:
    """A held payment whose end somebody wants."""
    payment = TransactionFactory.create(status=Status.AUTHORIZED)
    ask(payment)
    payment.refresh_from_db()
    return payment
