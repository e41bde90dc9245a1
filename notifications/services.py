"""Queueing messages in the caller's transaction, and sending them from a worker."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.utils import timezone, translation

from durable import bulk
from durable.wake import wake
from notifications.models import MessageChannel, Notification

QUEUE: Final = "notifications"
LEASE: Final = timedelta(minutes=5)
# No mail of a batch is begun later; the rest of the lease is for the one that is on its way,
# each of whose steps may take EMAIL_TIMEOUT.
SENDING_MAX_S: Final = 150.0
# With a slow mail server, what was sent is written down this often, with a fast one by batches.
WRITE_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Message:
    """What to tell whom. ``context`` is all that the template gets: plain JSON values."""

    event_key: str
    template: str
    recipient: str
    locale: str
    subject_id: UUID
    context: Mapping[str, Any]


def queue(messages: Sequence[Message]) -> None:
    """Store ``messages`` to be sent after the surrounding commit; repeats are dropped."""
    wanted = [_row(message) for message in messages if message.recipient]
    if wanted:
        bulk.insert(wanted, unless_there=True)
        wake(QUEUE)


def send_due(rows: Sequence[Notification]) -> dict[UUID, Exception]:
    """Send claimed rows over one connection. What failed is put off and returned.

    What could not be begun in time is given back: its lease might end during the sending, and
    another worker would send it too.
    """
    failed: dict[UUID, Exception] = {}
    connection = get_connection()
    sent = _Sent()
    started = time.monotonic()
    try:
        for row in rows:
            if time.monotonic() - started > SENDING_MAX_S:
                row.release_lease(due_in=timedelta())
            elif error := _try_to_send(row, connection):
                failed[row.pk] = error
            else:
                sent.add(row)
    finally:
        sent.write()
        _close(connection)
    return failed


def _try_to_send(row: Notification, connection: BaseEmailBackend) -> Exception | None:
    try:
        # Django closes after each mail what it had to open for it; open already, it stays open.
        connection.open()
        _send(row, connection)
    except Exception as error:  # noqa: BLE001 - one recipient's trouble is not another's
        row.retry_later()
        # Nor is the state in which the trouble left the connection.
        _close(connection)
        return error
    return None


def _close(connection: BaseEmailBackend) -> None:
    # The mails are out or they are not; how the server takes a farewell changes nothing.
    with suppress(Exception):
        connection.close()


class _Sent:
    """What was sent and is not written down yet: no more than a moment's work.

    A worker that dies before it is written sends the same messages again: at least once, with
    the same Message-ID, by which mail programs drop the second copy. Whoever lost a lease
    meanwhile writes the same text, and that it was sent is true.
    """

    def __init__(self) -> None:
        self._rows: list[Notification] = []
        self._written = time.monotonic()

    def add(self, row: Notification) -> None:
        """``row`` has been handed over to the mail server."""
        self._rows.append(row)
        if time.monotonic() - self._written > WRITE_EVERY_S:
            self.write()

    def write(self) -> None:
        """Write down what was said."""
        now = timezone.now()
        bulk.update(Notification, {row.pk: _as_sent(row, now) for row in self._rows})
        self._rows, self._written = [], time.monotonic()


def _as_sent(row: Notification, now: datetime) -> Mapping[str, Any]:
    return {
        "title": row.title,
        "text": row.text,
        "sent_at": now,
        "due_at": None,
        "lease_until": None,
    }


def _row(message: Message) -> Notification:
    return Notification(
        event_key=message.event_key,
        template=message.template,
        channel=MessageChannel.EMAIL,
        recipient=message.recipient,
        locale=message.locale,
        subject_id=message.subject_id,
        context=dict(message.context),
        due_at=Now(),
    )


def _send(row: Notification, connection: BaseEmailBackend) -> None:
    """Render it and hand it over to the mail server."""
    _render(row)
    mail = EmailMultiAlternatives(
        subject=row.title,
        body=row.text,
        to=[row.recipient],
        connection=connection,
        headers={"Message-ID": f"<{row.pk.hex}@{settings.SHOP_DOMAIN}>"},
    )
    mail.send()


def _render(row: Notification) -> None:
    context = {**row.context, "shop_name": settings.SHOP_NAME}
    with translation.override(row.locale):
        rendered = render_to_string(f"notifications/{row.template}.txt", context)
    title, _, text = rendered.strip().partition("\n")
    row.title, row.text = title.strip()[:200], text.strip() + "\n"
