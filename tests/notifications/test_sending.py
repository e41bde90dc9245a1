"""Messages: queued with the fact, sent once, kept with their text."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client

from durable.ids import uuid7
from durable.queues import queues
from notifications.models import Notification
from notifications.services import Message, queue
from orders.links import link_token
from payments.invariants import check
from payments.states import Status
from tests.concurrently import concurrently
from tests.factories import NotificationFactory, TransactionFactory, UserFactory

REASON = {
    "en": "There was not enough money in the account or card.",
    "vi": "Tài khoản hoặc thẻ không đủ số dư.",
}

pytestmark = pytest.mark.django_db(transaction=True)


def drain() -> None:
    assert queues()["notifications"].drain()


def message(**changes: Any) -> Message:
    given: dict[str, Any] = {
        "event_key": "payment.paid:1",
        "template": "payment_paid",
        "recipient": "linh@example.com",
        "locale": "en",
        "subject_id": uuid7(),
        "context": {},
    }
    return Message(**(given | changes))


class TestQueue:
    def test_keeps_one_message_for_each_fact_and_recipient(self) -> None:
        concurrently(*[lambda: queue([message()])] * 10)
        queue([message(recipient="other@example.com")])
        assert Notification.objects.count() == 2

    def test_writes_to_nobody_without_an_address(self) -> None:
        queue([message(recipient="")])
        assert not Notification.objects.exists()


class TestSending:
    def test_tells_the_customer_what_was_paid(self) -> None:
        payment = TransactionFactory.create(status=Status.SUCCESS)
        drain()
        [sent] = mail.outbox
        kept = Notification.objects.get()
        assert sent.to == ["linh@example.com"]
        assert str(payment.order.number) in f"{sent.subject} {sent.body}"
        assert "150,000" in sent.body
        assert (kept.title, kept.text) == (sent.subject, sent.body)
        assert kept.sent_at is not None
        assert kept.due_at is None
        assert check() == []

    def test_tells_the_customer_how_to_try_again(self) -> None:
        TransactionFactory.create(status=Status.FAILED)
        drain()
        [sent] = mail.outbox
        assert "/checkout/ord_" in sent.body

    @pytest.mark.parametrize("locale", ["en", "vi"])
    def test_tells_the_reason_in_the_words_of_the_page(self, client: Client, locale: str) -> None:
        customer = UserFactory.create(locale=locale)
        payment = TransactionFactory.create(order__customer=customer, status=Status.FAILED)
        drain()
        [sent] = mail.outbox
        client.post("/language", {"language": locale})
        page = client.get(f"/checkout/{link_token(payment.order_id)}/status").content.decode()
        assert REASON[locale] in page
        assert REASON[locale] in sent.body

    def test_speaks_the_customers_language(self) -> None:
        rows = [NotificationFactory.create(locale=locale) for locale in ("en", "vi")]
        drain()
        english, vietnamese = (Notification.objects.get(pk=row.pk).text for row in rows)
        assert "150,000" in english
        assert "150.000" in vietnamese

    def test_sends_each_once_however_many_workers_there_are(self) -> None:
        for _ in range(20):
            NotificationFactory.create()
        concurrently(*[drain] * 4)
        assert len(mail.outbox) == 20
        drain()
        assert len(mail.outbox) == 20

    def test_puts_off_one_that_fails_and_sends_the_others(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        NotificationFactory.create(recipient="broken@example.com")
        NotificationFactory.create()
        _refuse(monkeypatch, "broken@example.com")
        drain()
        broken = Notification.objects.get(recipient="broken@example.com")
        assert [sent.to for sent in mail.outbox] == [["linh@example.com"]]
        assert (broken.failures, broken.sent_at) == (1, None)
        assert broken.due_at is not None
        assert check() == []

    def test_repeats_the_same_message_id_when_it_must_send_again(self) -> None:
        row = NotificationFactory.create()
        drain()
        Notification.objects.filter(pk=row.pk).update(sent_at=None, due_at=row.due_at)
        drain()
        first, second = mail.outbox
        assert first.extra_headers["Message-ID"] == second.extra_headers["Message-ID"]


def _refuse(patch: pytest.MonkeyPatch, recipient: str) -> None:
    real = EmailBackend.send_messages

    def send(self: EmailBackend, messages: Sequence[Any]) -> int:
        if any(recipient in message.to for message in messages):
            raise ConnectionError("no such mailbox")
        return int(real(self, messages))

    patch.setattr(EmailBackend, "send_messages", send)
