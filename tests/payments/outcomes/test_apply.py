"""The one function that applies outcomes, by real commits: any order, any number of times."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pgtrigger
import pytest
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from gateways.operation import Verb
from gateways.outcome import Exchange, Failure, FailureCode, Outcome, OutcomeKind
from money.money import Money
from notifications.models import Notification
from orders.services import cancel_order
from payments.cases.opening import resolve_case
from payments.invariants import check
from payments.models import Case, CaseKind, GatewayCall, Transaction, Transfer
from payments.outcomes import effects
from payments.outcomes.apply import apply_outcomes
from payments.outcomes.decisions import Action
from payments.outcomes.evidence import Evidence, Source
from payments.processing.dispatch import record_results
from payments.states import Status
from tests.concurrently import concurrently
from tests.factories import TransactionFactory, apply_outcome, begin, declined, held, paid
from tests.vnpay_ipn import refused

pytestmark = pytest.mark.django_db(transaction=True)


def apply_one(payment: Transaction, outcome: Outcome) -> Action:
    [decision] = apply_outcomes([Evidence(payment.pk, outcome, Source.SETTLEMENT, "s-1")])
    payment.refresh_from_db()
    return decision.action


def books(payment: Transaction) -> dict[str, Any]:
    """What the payment, its order, the ledger and the messages have come to."""
    payment.refresh_from_db()
    payment.order.refresh_from_db()
    return {
        "status": payment.status,
        "captured": payment.amount_captured,
        "applied": payment.applied,
        "order": (payment.order.status, payment.order.amount_paid),
        "transfers": Transfer.objects.filter(transaction=payment).count(),
        "receipts": Notification.objects.filter(template="payment_paid").count(),
        "due": payment.due_at,
        "token": payment.payment_token,
    }


class TestEvidence:
    def test_ends_the_same_in_every_order_and_however_often(self) -> None:
        kinds = ["paid", "declined", "pending", "unpaid"]
        ends = []
        for order in permutations(kinds):
            payment = TransactionFactory.create(status=Status.PROCESSING)
            said = {
                "paid": paid(payment),
                "declined": declined(payment),
                "pending": Outcome(OutcomeKind.PENDING),
                "unpaid": Outcome(OutcomeKind.UNPAID),
            }
            for kind in order * 2:
                apply_one(payment, said[kind])
            ends.append(books(payment) | {"receipts": 1})
        assert all(end == ends[0] for end in ends)
        assert (ends[0]["status"], ends[0]["order"]) == ("SUCCESS", ("PAID", 150_000))
        assert Transfer.objects.count() == len(ends)
        assert check() == []

    def test_of_many_threads_at_once_counts_once(self) -> None:
        payment = TransactionFactory.create(status=Status.PROCESSING)
        actions = concurrently(
            *[lambda: apply_one(Transaction.objects.get(pk=payment.pk), paid(payment))] * 20
        )
        assert actions.count(Action.SUCCEED) == 1
        assert actions.count(Action.REPEAT) == 19
        assert books(payment)["transfers"] == 1
        assert check() == []

    def test_of_both_kinds_at_once_ends_as_paid(self) -> None:
        payment = TransactionFactory.create(status=Status.PROCESSING)
        outcomes = [paid(payment), declined(payment)] * 5
        concurrently(
            *[lambda o=o: apply_one(Transaction.objects.get(pk=payment.pk), o) for o in outcomes]
        )
        assert books(payment)["status"] == Status.SUCCESS
        assert check() == []

    def test_about_an_unknown_payment_changes_nothing(self) -> None:
        payment = TransactionFactory.create(status=Status.PROCESSING)
        unknown = Evidence(payment.order_id, paid(payment), Source.SETTLEMENT, "s-1")
        known = Evidence(payment.pk, paid(payment), Source.SETTLEMENT, "s-1")
        with pytest.raises(Transaction.DoesNotExist):
            apply_outcomes([known, unknown])
        assert books(payment)["status"] == Status.PROCESSING

    def test_is_all_or_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        payment = TransactionFactory.create(status=Status.PROCESSING)
        before = books(payment)
        events = AuditEvent.objects.count()

        def fail(_: object) -> None:
            raise ConnectionError("cut off before the audit trail was written")

        monkeypatch.setattr(effects.audit, "record", fail)  # type: ignore[attr-defined]
        with pytest.raises(ConnectionError):
            apply_one(payment, paid(payment))
        assert books(payment) == before
        assert AuditEvent.objects.count() == events


class TestTheCard:
    def test_is_kept_when_it_is_told_after_the_money(self) -> None:
        payment = TransactionFactory.create(status=Status.PROCESSING)
        apply_one(payment, paid(payment, "pi_1", psp_data={"payment_intent": "pi_1"}))
        before = books(payment)
        card = {"card_brand": "visa", "card_last4": "4242", "charge": "ch_1"}
        assert apply_one(payment, paid(payment, "pi_1", psp_data=card)) is Action.REPEAT
        assert payment.psp_data == {
            "payment_intent": "pi_1", "card_brand": "visa", "card_last4": "4242",
        }  # fmt: skip
        assert books(payment) == before

    def test_never_takes_the_place_of_another(self) -> None:
        payment = TransactionFactory.create(status=Status.PROCESSING)
        apply_one(
            payment, paid(payment, "pi_1", psp_data={"card_brand": "visa", "card_last4": "4242"})
        )
        apply_one(
            payment, paid(payment, "pi_1", psp_data={"card_brand": "amex", "card_last4": "8431"})
        )
        assert payment.psp_data == {"card_brand": "visa", "card_last4": "4242"}


class TestAWebhookBeforeTheAnswer:
    def test_is_applied_and_the_answer_is_a_repeat(self) -> None:
        payment = TransactionFactory.create(method="card")
        job = begin(payment)
        apply_outcome(payment, paid(payment, "pi_1"))
        record_results(results=[(job, paid(payment, "pi_1"))])
        assert books(payment)["transfers"] == 1
        assert GatewayCall.objects.get().answered_at is not None
        assert check(quiescent=False) == []

    @pytest.mark.parametrize("kind", [OutcomeKind.UNKNOWN, OutcomeKind.NOT_DONE])
    def test_makes_a_lost_answer_harmless(self, kind: OutcomeKind) -> None:
        payment = TransactionFactory.create(method="card")
        job = begin(payment)
        apply_outcome(payment, paid(payment, "pi_1"))
        record_results(results=[(job, Outcome(kind))])
        after = books(payment)
        assert (after["status"], after["due"], after["transfers"]) == ("SUCCESS", None, 1)
        assert check() == []


class TestOtherMoney:
    @pytest.mark.parametrize(
        ("change", "name"),
        [
            ({"money": Money(149_999, "VND")}, "amount"),
            ({"money": Money(150_000, "USD")}, "currency"),
            ({"money": None}, "amount"),
        ],
    )
    def test_opens_a_case_and_books_nothing(self, change: dict[str, Any], name: str) -> None:
        payment = TransactionFactory.create(status=Status.PROCESSING)
        before = books(payment)
        outcome = Outcome(OutcomeKind.SUCCEEDED, psp_reference="p-1", **change)
        assert apply_one(payment, outcome) is Action.MISMATCH
        assert books(payment) == before
        case = Case.objects.get()
        assert case.kind == CaseKind.MISMATCH
        assert name in case.detail["differences"]
        assert check() == []

    def test_held_where_it_should_have_been_taken_opens_a_case(self) -> None:
        payment = TransactionFactory.create(status=Status.PROCESSING)
        assert apply_one(payment, held(payment)) is Action.MISMATCH
        assert payment.status == Status.PROCESSING

    def test_under_a_number_that_another_payment_has_is_refused(self) -> None:
        one = TransactionFactory.create(status=Status.SUCCESS, psp_reference="p-1")
        two = TransactionFactory.create(status=Status.PROCESSING)
        with pytest.raises(IntegrityError, match="psp_reference_is_one_transaction"):
            apply_one(two, paid(two, "p-1"))
        assert books(two)["status"] == Status.PROCESSING
        assert books(one)["status"] == Status.SUCCESS


class TestADeclineOnThePage:
    def test_is_told_and_is_not_the_end(self) -> None:
        """The shopper may try another card on the gateway's page."""
        payment = TransactionFactory.create(status=Status.PROCESSING)
        failure = Failure(FailureCode.INSUFFICIENT_FUNDS, "51", "Not sufficient funds")
        apply_one(payment, Outcome(OutcomeKind.PENDING, failure=failure))
        assert payment.status == Status.PROCESSING
        assert payment.last_failure == {
            "code": "insufficient_funds",
            "gateway_code": "51",
            "message": "Not sufficient funds",
        }
        apply_one(payment, paid(payment))
        assert payment.status == Status.SUCCESS


class TestWhatShouldFollow:
    @pytest.fixture
    def approved(self) -> Transaction:
        """A payment whose shopper has agreed, which only our capture turns into money."""
        payment = TransactionFactory.create(status=Status.PROCESSING)
        apply_one(payment, Outcome(OutcomeKind.UNPAID, next_verb=Verb.CAPTURE))
        return payment

    @pytest.mark.parametrize("kind", [OutcomeKind.UNKNOWN, OutcomeKind.NOT_DONE])
    def test_keeps_its_turn_as_long_as_there_is_no_answer(
        self, approved: Transaction, kind: OutcomeKind
    ) -> None:
        apply_one(approved, Outcome(kind))
        assert approved.next_verb == Verb.CAPTURE

    def test_is_what_the_last_answer_asked_for(self, approved: Transaction) -> None:
        apply_one(approved, Outcome(OutcomeKind.UNPAID))
        assert approved.next_verb == ""

    @pytest.mark.parametrize("word", [paid, declined])
    def test_is_nothing_any_more_after_the_end(self, approved: Transaction, word: Any) -> None:
        apply_one(approved, replace(word(approved), next_verb=Verb.QUERY))
        assert approved.next_verb == ""


class TestAToken:
    @pytest.mark.parametrize("word", [paid, declined])
    def test_is_gone_with_the_end(self, word: Any) -> None:
        payment = TransactionFactory.create(method="card")
        assert payment.payment_token != ""
        begin(payment)
        apply_outcome(payment, word(payment))
        assert payment.payment_token == ""

    def test_is_in_no_kept_request(self) -> None:
        payment = TransactionFactory.create(method="card")
        job = begin(payment)
        exchange = Exchange({"payment_method": "[redacted]"}, {}, 200, 5)
        record_results(results=[(job, paid(payment, exchange=exchange))])
        call = GatewayCall.objects.get()
        assert job.operation.token == "pm_card_visa"
        assert "pm_card_visa" not in f"{call.request} {call.sent} {call.received}"


class TestAnAuthorization:
    def test_leaves_the_order_waiting(self) -> None:
        payment = TransactionFactory.create(status=Status.AUTHORIZED)
        after = books(payment)
        assert (after["order"], after["transfers"]) == (("PENDING", 0), 0)
        assert check() == []

    def test_becomes_a_success_by_a_capture(self) -> None:
        payment = TransactionFactory.create(status=Status.AUTHORIZED)
        apply_one(payment, paid(payment, payment.psp_reference))
        assert books(payment)["order"] == ("PAID", 150_000)
        assert check() == []

    def test_that_was_renewed_at_the_gateway_is_known_by_its_new_number(self) -> None:
        payment = TransactionFactory.create(status=Status.AUTHORIZED)
        renewed = {"authorization_id": "A2", "authorization_expires_at": "2026-12-20T00:00:00Z"}
        for number in ("A1", "A2"):
            told = replace(held(payment), psp_data={**renewed, "authorization_id": number})
            assert apply_one(payment, told) is Action.REPEAT
        assert payment.psp_data == renewed

    def test_may_be_released(self) -> None:
        payment = TransactionFactory.create(status=Status.AUTHORIZED)
        apply_one(payment, declined(payment, FailureCode.EXPIRED))
        assert (payment.status, payment.failure_code) == (Status.FAILED, "expired")
        assert check() == []


class TestTwoFailures:
    def test_without_a_number_of_the_gateway_do_not_collide(self, client: Client) -> None:
        rows = [TransactionFactory.create(status=Status.PROCESSING) for _ in range(2)]
        for payment in rows:
            client.get(refused(payment))
        assert [books(payment)["status"] for payment in rows] == [Status.FAILED] * 2


class TestMoneyForACancelledOrder:
    def test_is_kept_and_shown_to_a_person(self) -> None:
        payment = TransactionFactory.create(status=Status.FAILED)
        cancel_order(order_id=payment.order_id)
        apply_one(payment, paid(payment))
        after = books(payment)
        assert (after["status"], after["applied"]) == ("SUCCESS", False)
        assert after["order"] == ("CANCELLED", 0)
        case = Case.objects.get()
        assert (case.kind, case.detail["order_status"]) == (CaseKind.DUPLICATE, "CANCELLED")
        assert not Notification.objects.filter(template="payment_paid").exists()
        assert check() == []


class TestAttention:
    def test_opens_one_case_when_the_gateway_suspects_fraud(self) -> None:
        payment = TransactionFactory.create(status=Status.PROCESSING)
        held = Outcome(OutcomeKind.PENDING, failure=Failure(FailureCode.SUSPECTED_FRAUD, "07"))
        assert [apply_one(payment, held), apply_one(payment, held)] == [Action.KEEP_OPEN] * 2
        assert Case.objects.get().kind == CaseKind.REVIEW
        assert payment.status == Status.PROCESSING

    def test_opens_no_second_case_after_a_person_has_resolved_one(self, finance: User) -> None:
        payment = TransactionFactory.create(status=Status.PROCESSING)
        held = Outcome(OutcomeKind.PENDING, failure=Failure(FailureCode.SUSPECTED_FRAUD, "07"))
        apply_one(payment, held)
        case = Case.objects.get()
        resolve_case(case_id=case.pk, user_id=finance.pk, resolution="asked the bank")
        apply_one(payment, held)
        assert Case.objects.count() == 1

    def test_opens_a_case_when_a_payment_stays_open_long_after_its_link(self) -> None:
        payment = TransactionFactory.create(status=Status.PROCESSING)
        pending = Outcome(OutcomeKind.PENDING)
        apply_one(payment, pending)
        assert not Case.objects.exists()
        # PostgreSQL's clock decides, and what was promised is frozen: so the promise moves.
        long_ago = timezone.now() - effects.OVER_AGE - timedelta(minutes=1)
        with pgtrigger.ignore("payments.Transaction:transaction_moves_uncharged"):
            Transaction.objects.filter(pk=payment.pk).update(expires_at=long_ago)
        apply_one(payment, pending)
        assert Case.objects.get().kind == CaseKind.OVER_AGE
        assert payment.status == Status.PROCESSING
