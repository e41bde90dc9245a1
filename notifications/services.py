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
from django.utils import translation

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
    rows = [_row(message) for message in messages if message.recipient]
    if rows:
        Notification.objects.bulk_create(rows, ignore_conflicts=True)
        wake(QUEUE)


def send_due(rows: Sequence[Notification]) -> dict[UUID, Exception]:
    """Send claimed rows over one connection. What failed is put off and returned."""
    failed: dict[UUID, Exception] = {}
    connection = get_connection()
    try:
        for row in rows:
            try:
                _send(row, connection)
            except Exception as error:  # noqa: BLE001 - one recipient's trouble is not another's
                row.put_off()
                failed[row.pk] = error
    finally:
        connection.close()
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
    """Render, hand over to the mail server, and write down what was said.

    A worker that dies between the two sends the same message again: at least once, with the
    same Message-ID, by which mail programs drop the second copy.
    """
    _render(row)
    mail = EmailMultiAlternatives(
        subject=row.title,
        body=row.text,
        to=[row.recipient],
        connection=connection,
        headers={"Message-ID": f"<{row.pk.hex}@{settings.SHOP_DOMAIN}>"},
    )
    mail.send()
    row.mine().update(title=row.title, text=row.text, sent_at=Now(), due_at=None, lease_until=None)


def _render(row: Notification) -> None:
    context = {**row.context, "shop_name": settings.SHOP_NAME}
    with translation.override(row.locale):
        rendered = render_to_string(f"notifications/{row.template}.txt", context)
    title, _, text = rendered.strip().partition("\n")
    row.title, row.text = title.strip()[:200], text.strip() + "\n"
