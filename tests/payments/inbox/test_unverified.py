"""Deliveries that are not proven genuine: few are kept, and none has an effect."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from durable.queues import queues
from payments.inbox import unverified
from payments.invariants import check
from payments.models import Case, CaseKind, Transaction, WebhookEvent, WebhookState
from payments.routing.registry import gateways
from payments.states import Status
from tests.factories import OrderFactory, TransactionFactory
from tests.payments.paypal_events import Paypal, told_by_paypal
from tests.vnpay_ipn import ipn

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def paypal(tmp_path: Path) -> Iterator[Paypal]:
    with told_by_paypal(tmp_path) as paypal:
        yield paypal


@pytest.fixture
def payment() -> Transaction:
    return TransactionFactory.create(
        order=OrderFactory.create(total=1999, currency="USD"),
        method="paypal",
        status=Status.PROCESSING,
    )


def retry_now() -> None:
    """A worker takes what waits, whenever it would be due."""
    waiting = WebhookEvent.objects.filter(due_at__isnull=False)
    waiting.update(due_at=timezone.now() - timedelta(seconds=1), lease_until=None)
    queues()["webhooks"].drain()


def states() -> list[tuple[str, str, int]]:
    """State, event id and deliveries of everything in the inbox, as it came in."""
    events = WebhookEvent.objects.order_by("pk")
    return [(event.state, event.event_id, event.deliveries) for event in events]


def next_verb(payment: Transaction) -> str:
    payment.refresh_from_db()
    return payment.next_verb


class TestAWebhookWhoseProofIsOutOfReach:
    def test_is_kept_without_effect_and_asked_for_again(
        self, paypal: Paypal, payment: Transaction
    ) -> None:
        assert paypal.send(payment) == 503
        event = WebhookEvent.objects.get()
        assert (event.state, event.verified, event.event_id) == ("UNVERIFIED", False, "")
        assert event.refused_because == "PayPal could not be asked"
        assert event.due_at is not None
        assert next_verb(payment) == ""
        assert check() == []

    def test_is_tried_again_for_as_long_as_it_is_out_of_reach(
        self, paypal: Paypal, payment: Transaction
    ) -> None:
        paypal.send(payment)
        for _ in range(3):
            retry_now()
        event = WebhookEvent.objects.get()
        assert (event.state, event.failures) == ("UNVERIFIED", 4)
        assert event.due_at is not None
        assert next_verb(payment) == ""

    def test_is_applied_as_soon_as_it_is_proven(self, paypal: Paypal, payment: Transaction) -> None:
        paypal.send(payment)
        paypal.is_back()
        retry_now()
        assert states() == [("REPLACED", "", 1), ("APPLIED", "WH-1", 1)]
        assert next_verb(payment) == "CAPTURE"
        kept, event = WebhookEvent.objects.order_by("pk")
        assert bytes(event.body) == bytes(kept.body)
        assert (event.received_at, event.transaction_id) == (kept.received_at, payment.pk)
        assert (kept.due_at, kept.transaction_id) == (None, None)
        assert check() == []

    def test_counts_once_when_the_gateway_has_repeated_it(
        self, paypal: Paypal, payment: Transaction
    ) -> None:
        paypal.send(payment)
        paypal.send(payment)
        paypal.is_back()
        assert paypal.send(payment) == 200
        retry_now()
        assert states() == [("REPLACED", "", 1), ("REPLACED", "", 1), ("APPLIED", "WH-1", 3)]
        assert check() == []

    def test_is_refused_later_when_it_is_forged_and_burns_no_event(
        self, paypal: Paypal, payment: Transaction
    ) -> None:
        assert paypal.send(payment, webhook_id="SOMEBODYELSE") == 503
        paypal.is_back()
        retry_now()
        assert states() == [("REJECTED", "", 1)]
        assert AuditEvent.objects.get(action="webhook.refused").after["gateway"] == "paypal"
        assert next_verb(payment) == ""
        assert paypal.send(payment) == 200
        assert next_verb(payment) == "CAPTURE"
        assert check() == []

    def test_becomes_a_case_when_nobody_can_ever_say(
        self, paypal: Paypal, payment: Transaction
    ) -> None:
        paypal.send(payment)
        limit = WebhookEvent.backoff.limit
        assert limit is not None
        WebhookEvent.objects.update(failures=limit - 1)
        retry_now()
        assert Case.objects.get().kind == CaseKind.UNVERIFIED
        assert (WebhookEvent.objects.get().due_at, next_verb(payment)) == (None, "")
        assert check() == []

    def test_finds_room_for_so_many_and_the_rest_is_repeated_by_the_gateway(
        self, paypal: Paypal, payment: Transaction, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(unverified, "UNVERIFIED_MAX", 2)
        assert [paypal.send(payment) for _ in range(4)] == [503] * 4
        assert WebhookEvent.objects.count() == 2

    def test_finds_no_room_when_it_is_larger_than_a_genuine_one(
        self, paypal: Paypal, payment: Transaction
    ) -> None:
        assert paypal.send(payment, summary="x" * unverified.UNVERIFIED_BYTES_MAX) == 503
        assert not WebhookEvent.objects.exists()


class TestAKeptWebhookOfAGatewayThatIsGone:
    def test_does_not_stop_the_others(self, paypal: Paypal, payment: Transaction) -> None:
        paypal.send(payment)
        del gateways()["paypal"]
        retry_now()
        event = WebhookEvent.objects.get()
        assert (event.failures, event.lease_until) == (2, None)


class TestForgeries:
    def refused(self, gateway: str = "vnpay") -> int:
        return WebhookEvent.objects.filter(gateway=gateway, state=WebhookState.REJECTED).count()

    def test_are_kept_up_to_a_number_in_each_minute(self, caplog: pytest.LogCaptureFixture) -> None:
        payment = TransactionFactory.create(status=Status.PROCESSING)
        most = unverified.REFUSED_PER_MINUTE_MAX
        forged = ipn(payment, secret="x" * 32)
        now = timezone.now().replace(second=30)
        with time_machine.travel(now, tick=False), caplog.at_level(logging.WARNING):
            for _ in range(most + 5):
                assert Client().get(forged).json()["RspCode"] == "97"
            assert self.refused() == most
            assert AuditEvent.objects.filter(action="webhook.refused").count() == most
            said = [record for record in caplog.records if "not_kept" in record.message]
            assert len(said) == 1
            # Another gateway has its own room, and what is genuine needs none.
            Client().post("/webhooks/stripe", b"{}", "application/json")
            assert self.refused("stripe") == 1
            assert Client().get(ipn(payment)).json()["RspCode"] == "00"
        with time_machine.travel(now + timedelta(seconds=30), tick=False):
            Client().get(forged)
        assert self.refused() == most + 1

    def test_keep_little_of_their_headers(self) -> None:
        headers = {"Stripe-Signature": "x" * 7000}
        Client().post("/webhooks/stripe", b"{}", "application/json", headers=headers)
        assert len(WebhookEvent.objects.get().headers["stripe-signature"]) == 500
