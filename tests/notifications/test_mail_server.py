"""Sending over SMTP: one connection for a batch, and no trouble that spreads."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from durable.queues import queues
from notifications import services
from notifications.models import Notification
from tests.factories import NotificationFactory
from tests.notifications.mail_server import HANGS_UP_ON, MailServer, mail_server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(settings: Settings) -> Iterator[MailServer]:
    with mail_server() as running:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running.port
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        yield running


def drain() -> None:
    assert queues()["notifications"].drain()


class TestSendingOverSmtp:
    def test_takes_one_connection_for_a_batch(self, server: MailServer) -> None:
        for _ in range(5):
            NotificationFactory.create()
        drain()
        assert (server.connections, len(server.recipients)) == (1, 5)
        assert not Notification.objects.filter(sent_at=None).exists()

    def test_goes_on_after_a_recipient_who_cost_it_the_connection(self, server: MailServer) -> None:
        for recipient in ("a@example.com", HANGS_UP_ON, "b@example.com"):
            NotificationFactory.create(recipient=recipient)
        drain()
        assert sorted(server.recipients) == ["a@example.com", "b@example.com"]
        broken = Notification.objects.get(sent_at=None)
        assert (broken.recipient, broken.failures) == (HANGS_UP_ON, 1)

    def test_gives_back_what_it_cannot_begin_in_time(
        self, server: MailServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows = [NotificationFactory.create() for _ in range(3)]
        monkeypatch.setattr(services, "SENDING_MAX_S", -1.0)
        services.send_due(rows)
        assert server.recipients == []
        assert not Notification.objects.exclude(lease_until=None, failures=0).exists()
        monkeypatch.undo()
        drain()
        assert len(server.recipients) == 3
