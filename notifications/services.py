"""Queueing messages in the caller's transaction, and sending them from a worker."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
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
from notifications.models import Channel, Notification

QUEUE: Final = "notifications"
# Longer than an SMTP conversation with its timeouts (EMAIL_TIMEOUT) for a whole batch.
LEASE: Final = timedelta(minutes=5)


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
    """Send claimed rows over one connection. What failed is put off and returned."""
    failed: dict[UUID, Exception] = {}
    sent: list[Notification] = []
    connection = get_connection()
    try:
        for row in rows:
            try:
                _send(row, connection)
                sent.append(row)
            except Exception as error:  # noqa: BLE001 - one recipient's trouble is not another's
                row.put_off()
                failed[row.pk] = error
    finally:
        connection.close()
        _write_sent(sent)
    return failed


def _row(message: Message) -> Notification:
    return Notification(
        event_key=message.event_key,
        template=message.template,
        channel=Channel.EMAIL,
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


def _write_sent(sent: Sequence[Notification]) -> None:
    """Write down what was said, once for the batch.

    A worker that dies before sends the same messages again: at least once, with the same
    Message-ID, by which mail programs drop the second copy. Whoever lost a lease meanwhile
    writes the same text, and that it was sent is true.
    """
    now = timezone.now()
    bulk.update(
        Notification,
        {
            row.pk: {
                "title": row.title,
                "text": row.text,
                "sent_at": now,
                "due_at": None,
                "lease_until": None,
            }
            for row in sent
        },
    )


def _render(row: Notification) -> None:
    context = {**row.context, "shop_name": settings.SHOP_NAME}
    with translation.override(row.locale):
        rendered = render_to_string(f"notifications/{row.template}.txt", context)
    title, _, text = rendered.strip().partition("\n")
    row.title, row.text = title.strip()[:200], text.strip() + "\n"
