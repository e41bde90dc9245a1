"""Webhooks through the real URL, signed by the test from VNPAY's protocol."""

import json
import time
from collections import Counter
from contextlib import suppress
from threading import Barrier, BrokenBarrierError, Event
from typing import Any

import pytest
from django.db import OperationalError
from django.db import transaction as db_transaction
from django.test import Client

from audit.context import current_request_id
from audit.models import AuditEvent
from durable.ids import uuid7
from durable.queues import queues
from notifications.models import Notification
from orders.models import Order
from payments.inbox import inbox, unverified
from payments.invariants import check
from payments.models import Case, CaseKind, Transaction, Transfer, WebhookEvent, WebhookState
from payments.outcomes.apply import apply_outcomes
from payments.services import create
from payments.states import Status
from tests.concurrently import PATIENCE_S, concurrently
from tests.factories import PRICE, TransactionFactory
from tests.vnpay_ipn import PATH, ipn, refused

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def payment() -> Transaction:
    return TransactionFactory.create(status=Status.PROCESSING)


def answer(client: Client, address: str) -> str:
    """VNPAY's RspCode out of what we say."""
    response = client.get(address)
    said = json.loads(response.content)
    assert response.status_code == 200
    assert set(said) == {"RspCode", "Message"}
    return str(said["RspCode"])


def state() -> dict[str, Any]:
    """Everything that a webhook could move."""
    return {
        "transactions": list(Transaction.objects.order_by("pk").values()),
        "orders": list(Order.objects.order_by("pk").values()),
        "transfers": Transfer.objects.count(),
        "notifications": Notification.objects.count(),
        "moves": AuditEvent.objects.filter(version__isnull=False).count(),
    }


class TestASuccess:
    def test_moves_everything_in_one_commit(self, client: Client, payment: Transaction) -> None:
        assert answer(client, ipn(payment, TransactionNo="14226112")) == "00"
        payment.refresh_from_db()
        event = WebhookEvent.objects.get()
        transfer = Transfer.objects.get()
        note = Notification.objects.get()
        moved = AuditEvent.objects.get(action="transaction.success")
        assert (payment.status, payment.applied, payment.amount_captured) == (
            "SUCCESS",
            True,
            150_000,
        )
        assert (payment.psp_reference, payment.due_at, payment.next_action) == (
            "14226112",
            None,
            None,
        )
        assert (payment.order.status, payment.order.amount_paid) == ("PAID", 150_000)
        assert (transfer.amount, transfer.currency) == (150_000, "VND")
        assert (transfer.debit.kind, transfer.credit.kind) == ("clearing", "revenue")
        assert (note.template, note.recipient) == ("payment_paid", "linh@example.com")
        assert (event.state, event.transaction_id) == (WebhookState.APPLIED, payment.pk)
        assert (moved.cause_type, moved.cause_id) == ("webhook", str(event.pk))
        assert (moved.actor_kind, moved.actor_id) == ("gateway", "vnpay")
        assert moved.xid == transfer.xid
        assert check() == []

    def test_fifty_times_at_once_counts_once(self, payment: Transaction) -> None:
        address = ipn(payment)
        codes = Counter(concurrently(*[lambda: answer(Client(), address)] * 50))
        assert codes == {"00": 1, "02": 49}
        assert AuditEvent.objects.filter(action="transaction.success").count() == 1
        assert AuditEvent.objects.filter(action="order.paid").count() == 1
        assert Transfer.objects.count() == 1
        assert Notification.objects.count() == 1
        assert WebhookEvent.objects.get().deliveries == 50
        assert check() == []

    def test_after_a_decline_is_late_money_and_counts(
        self, client: Client, payment: Transaction
    ) -> None:
        assert answer(client, refused(payment)) == "00"
        assert answer(client, ipn(payment)) == "00"
        payment.refresh_from_db()
        assert (payment.status, payment.applied, payment.failure_code) == ("SUCCESS", True, "")
        assert payment.order.status == "PAID"
        assert check() == []

    def test_is_not_taken_back_by_a_decline(self, client: Client, payment: Transaction) -> None:
        answer(client, ipn(payment))
        before = state()
        assert answer(client, refused(payment)) == "02"
        assert state() == before

    def test_with_another_number_is_a_second_charge_for_a_person(
        self, client: Client, payment: Transaction
    ) -> None:
        answer(client, ipn(payment))
        before = state()
        assert answer(client, ipn(payment, TransactionNo="999")) == "04"
        assert state() == before
        assert Case.objects.get().kind == CaseKind.CONFLICT

    def test_with_a_third_number_is_added_to_the_case_that_is_open(
        self, client: Client, payment: Transaction
    ) -> None:
        answer(client, ipn(payment))
        for number in ("999", "998", "998"):
            assert answer(client, ipn(payment, TransactionNo=number)) == "04"
        case = Case.objects.get()
        [more] = case.detail["more"]
        assert "999" in case.detail["differences"]["psp_reference"]
        assert "998" in more["differences"]["psp_reference"]
        assert (more["amount"], more["currency"]) == (150_000, "VND")
        assert AuditEvent.objects.filter(action="case.more_found").count() == 1


class TestAForgery:
    @pytest.mark.parametrize(
        "forge",
        [
            lambda row: ipn(row, secret="x" * 32),
            lambda row: ipn(row).replace("vnp_Amount=15000000", "vnp_Amount=15000001"),
            lambda row: ipn(row).replace("vnp_ResponseCode=00", "vnp_ResponseCode=24"),
            lambda row: ipn(row).replace(row.reference, "0" * 32),
            lambda row: ipn(row).partition("&vnp_SecureHash")[0],
            lambda row: ipn(row).partition("&vnp_SecureHash")[0] + "&vnp_SecureHash=",
            lambda row: ipn(row) + "0",
            lambda row: ipn(row)[:-1],
            lambda row: ipn(row) + "&vnp_Amount=1",
            lambda row: ipn(row) + "&vnp_Extra=1",
            lambda row: ipn(row).replace("vnp_TmnCode", "vnp_Tmncode"),
            lambda row: PATH,
            lambda row: PATH + "?" + "vnp_A=1&" * 2000,
            lambda row: PATH + "?vnp_SecureHash=%00",
            lambda row: PATH + "?vnp_SecureHash=%ff%fe",
        ],
    )
    def test_changes_nothing_and_uses_up_no_event(
        self, client: Client, payment: Transaction, forge: Any
    ) -> None:
        before = state()
        assert answer(client, forge(payment)) == "97"
        assert state() == before
        event = WebhookEvent.objects.get()
        assert (event.verified, event.state, event.event_id) == (False, "REJECTED", "")
        assert event.transaction_id is None
        assert answer(client, ipn(payment)) == "00"

    def test_is_noted_in_the_audit_trail(self, client: Client, payment: Transaction) -> None:
        answer(client, ipn(payment, secret="x" * 32))
        event = AuditEvent.objects.get(action="webhook.refused")
        assert event.after == {"gateway": "vnpay", "reason": "vnp_SecureHash does not fit"}

    def test_keeps_no_more_than_a_few_bytes(self, client: Client) -> None:
        body = b"x" * 200_000
        assert client.post("/webhooks/stripe", body, "application/json").status_code == 400
        assert len(bytes(WebhookEvent.objects.get().body)) == unverified.REFUSED_BYTES_MAX

    def test_that_is_huge_is_not_even_kept(self, client: Client) -> None:
        body = b"x" * (256 * 1024 + 1)
        assert client.post("/webhooks/stripe", body, "application/json").status_code == 413
        assert not WebhookEvent.objects.exists()


class TestOtherMoney:
    @pytest.mark.parametrize(
        ("change", "name"),
        [({"Amount": "1"}, None), ({"Amount": "15100000"}, "amount"),
         ({"Amount": "14999900"}, "amount"), ({"TmnCode": "OTHER001"}, "account")],
    )  # fmt: skip
    def test_never_becomes_a_success(
        self, client: Client, payment: Transaction, change: dict[str, str], name: str | None
    ) -> None:
        before = state()
        code = answer(client, ipn(payment, **change))
        payment.refresh_from_db()
        assert payment.status == Status.PROCESSING
        assert state()["transfers"] == before["transfers"]
        assert state()["moves"] == before["moves"]
        if name:
            assert code == "04"
            case = Case.objects.get()
            assert (case.kind, case.transaction_id) == (CaseKind.MISMATCH, payment.pk)
            assert name in case.detail["differences"]

    def test_opens_one_case_however_often_it_comes(
        self, client: Client, payment: Transaction
    ) -> None:
        for number in ("1", "2", "2"):
            answer(client, ipn(payment, Amount="15100000", TransactionNo=number))
        assert Case.objects.count() == 1
        assert AuditEvent.objects.filter(action="case.opened").count() == 1

    def test_does_not_keep_the_right_money_out(self, client: Client, payment: Transaction) -> None:
        answer(client, ipn(payment, Amount="15100000"))
        assert answer(client, ipn(payment)) == "00"
        payment.refresh_from_db()
        assert payment.status == Status.SUCCESS


class TestAnUnknownReference:
    def test_is_parked_and_due_again(self, client: Client, payment: Transaction) -> None:
        assert answer(client, ipn(payment, TxnRef="1" * 32)) == "01"
        event = WebhookEvent.objects.get()
        assert (event.state, event.verified) == (WebhookState.PARKED, True)
        assert event.due_at is not None
        assert check() == []

    def test_is_matched_as_soon_as_its_payment_is_there(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        early = Transaction(id=uuid7(), amount=PRICE)
        assert answer(client, ipn(early)) == "01"
        monkeypatch.setattr(create, "uuid7", lambda: early.pk)
        payment = TransactionFactory.create(status=Status.PROCESSING)
        WebhookEvent.objects.update(due_at="2020-01-01T00:00Z")
        queues()["webhooks"].drain()
        payment.refresh_from_db()
        event = WebhookEvent.objects.get()
        assert (payment.status, event.state) == (Status.SUCCESS, WebhookState.APPLIED)
        assert event.due_at is None
        assert check() == []

    def test_becomes_a_case_when_it_never_matches(
        self, client: Client, payment: Transaction
    ) -> None:
        answer(client, ipn(payment, TxnRef="1" * 32))
        limit = WebhookEvent.backoff.limit
        assert limit is not None
        WebhookEvent.objects.update(failures=limit - 1, due_at="2020-01-01T00:00Z")
        queues()["webhooks"].drain()
        case = Case.objects.get()
        assert (case.kind, case.amount, case.currency) == (CaseKind.UNMATCHED, 150_000, "VND")
        assert WebhookEvent.objects.get().due_at is None
        assert check() == []


class TestAKeptWebhook:
    def test_is_applied_by_us_when_the_gateway_never_calls_again(
        self, client: Client, payment: Transaction, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            _break_apply(patch)
            answer(client, ipn(payment))
        WebhookEvent.objects.update(due_at="2020-01-01T00:00Z")
        queues()["webhooks"].drain()
        payment.refresh_from_db()
        assert payment.status == Status.SUCCESS
        assert check() == []

    def test_is_applied_by_the_gateways_next_call(
        self, client: Client, payment: Transaction, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            _break_apply(patch)
            answer(client, ipn(payment))
        assert answer(client, ipn(payment)) == "00"
        payment.refresh_from_db()
        assert payment.status == Status.SUCCESS

    def test_never_deadlocks_with_the_gateways_next_call(
        self, client: Client, payment: Transaction, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            _break_apply(patch)
            answer(client, ipn(payment))
        [event] = _claim_kept()
        real = apply_outcomes
        repeated_holds_event, both_applying = Event(), Barrier(2)

        def meet(evidence: Any) -> Any:
            is_request = bool(current_request_id())
            if is_request:
                repeated_holds_event.set()
            with suppress(BrokenBarrierError):
                both_applying.wait(1)
            # The other one takes the order first, if it came so far.
            time.sleep(0.3 if is_request else 0)
            return real(evidence)

        def retry() -> str:
            repeated_holds_event.wait(PATIENCE_S)
            inbox.retry(event=event)
            return ""

        monkeypatch.setattr(inbox, "apply_outcomes", meet)
        assert concurrently(lambda: answer(Client(), ipn(payment)), retry) == ["00", ""]
        payment.refresh_from_db()
        event.refresh_from_db()
        assert (payment.status, event.state) == (Status.SUCCESS, WebhookState.APPLIED)
        assert (event.due_at, event.failures) == (None, 1)
        assert check() == []

    def test_is_left_alone_by_a_worker_that_slept_through_its_lease(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        early = Transaction(id=uuid7(), amount=PRICE)
        answer(client, ipn(early))
        [sleeper] = _claim_kept()
        monkeypatch.setattr(create, "uuid7", lambda: early.pk)
        TransactionFactory.create(status=Status.PROCESSING)
        [event] = _claim_kept()
        inbox.retry(event=event)
        applied = WebhookEvent.objects.values().get()
        # It had looked for the payment before that was there.
        monkeypatch.setattr(inbox, "_find_transaction", lambda *_: None)
        inbox.retry(event=sleeper)
        assert WebhookEvent.objects.values().get() == applied

    def test_that_is_applied_at_last_opens_no_case(
        self, client: Client, payment: Transaction, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            _break_apply(patch)
            answer(client, ipn(payment))
        WebhookEvent.objects.update(failures=WebhookEvent.backoff.limit, due_at=None)
        assert answer(client, ipn(payment)) == "00"
        assert not Case.objects.exists()

    def test_does_not_stop_the_others_when_it_is_poison(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows = [TransactionFactory.create(status=Status.PROCESSING) for _ in range(3)]
        with monkeypatch.context() as patch:
            _break_apply(patch)
            for payment in rows:
                answer(client, ipn(payment))
        WebhookEvent.objects.update(due_at="2020-01-01T00:00Z")
        with monkeypatch.context() as patch:
            _break_apply(patch, only=rows[1])
            queues()["webhooks"].drain()
        statuses = [Transaction.objects.get(pk=payment.pk).status for payment in rows]
        assert statuses == [Status.SUCCESS, Status.PROCESSING, Status.SUCCESS]
        assert WebhookEvent.objects.get(state=WebhookState.NEW).failures == 2

    def test_needs_a_person_when_it_stays_poison(
        self, client: Client, payment: Transaction, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _break_apply(monkeypatch)
        answer(client, ipn(payment))
        limit = WebhookEvent.backoff.limit
        assert limit is not None
        WebhookEvent.objects.update(failures=limit - 1, due_at="2020-01-01T00:00Z")
        queues()["webhooks"].drain()
        assert Case.objects.get().kind == CaseKind.PROCESSING_ERROR
        assert check() == []


def _claim_kept() -> list[WebhookEvent]:
    """Claim the kept webhooks, as a worker does once their wait or its lease is over."""
    WebhookEvent.objects.update(due_at="2020-01-01T00:00Z", lease_until=None)
    with db_transaction.atomic():
        return WebhookEvent.claim(limit=5, lease=inbox.LEASE)


def _break_apply(patch: pytest.MonkeyPatch, only: Transaction | None = None) -> None:
    """PostgreSQL fails us in the middle of settling."""
    real = apply_outcomes

    def fail(evidence: Any) -> Any:
        if only is None or evidence[0].transaction_id == only.pk:
            raise OperationalError("the connection was lost")
        return real(evidence)

    patch.setattr(inbox, "apply_outcomes", fail)
