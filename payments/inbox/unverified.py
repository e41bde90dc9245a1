"""Deliveries that are not proven genuine: kept apart, not too many of them, without any effect.

Anybody can send them, so what is kept is bounded; a flood costs a verification and a count each.
The counters of ``payments/webhooks`` tell how many there were in all.
"""

import logging
from datetime import timedelta
from typing import Final

from django.db import transaction as db_transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from audit import services as audit
from audit.actions import AuditAction
from audit.models import AuditEvent
from gateways.base import Gateway
from gateways.webhook import Delivery
from payments.models import WebhookEvent, WebhookState

logger = logging.getLogger(__name__)

# Of a forged delivery no more than this is kept, of its body and of its query string.
REFUSED_BYTES_MAX: Final = 4096
_HEADER_CHARS_MAX: Final = 500
# And no more of them than this for each gateway in each minute of the clock.
REFUSED_PER_MINUTE_MAX: Final = 20
# What may still be proven is kept whole. A genuine event has a few kilobytes; the gateway
# repeats what finds no room.
UNVERIFIED_BYTES_MAX: Final = 32 * 1024
# So many of them may wait for each gateway.
UNVERIFIED_MAX: Final = 500
# Kept with an event beside the headers that prove it, for whoever looks into it.
_TELLING_HEADERS: Final = ("content-type", "user-agent")


def kept_headers(adapter: Gateway, delivery: Delivery) -> dict[str, str]:
    """The headers that stay with the event."""
    names = (*adapter.proof_headers, *_TELLING_HEADERS)
    return {name: delivery.headers[name] for name in names if name in delivery.headers}


@db_transaction.atomic(durable=True)
def store_rejected(*, adapter: Gateway, delivery: Delivery, reason: str) -> None:
    """Keep the start of a forged delivery apart: it uses up no event id and changes nothing."""
    minute = delivery.received_at.replace(second=0, microsecond=0)
    found = _find_kept(adapter.name, WebhookState.REJECTED).filter(
        received_at__gte=minute, received_at__lt=minute + timedelta(minutes=1)
    )
    if not _has_room(found, REFUSED_PER_MINUTE_MAX, adapter.name):
        return
    kept = kept_headers(adapter, delivery)
    headers = {name: text[:_HEADER_CHARS_MAX] for name, text in kept.items()}
    event = WebhookEvent.objects.create(
        gateway=adapter.name,
        verified=False,
        state=WebhookState.REJECTED,
        refused_because=reason[:200],
        body=delivery.body[:REFUSED_BYTES_MAX],
        query_string=delivery.query_string[:REFUSED_BYTES_MAX],
        headers=headers,
        received_at=delivery.received_at,
    )
    audit.record([_refusal(event)])


def store_unverified(*, adapter: Gateway, delivery: Delivery, reason: str) -> None:
    """Keep a delivery whole that cannot be verified now, due to be verified later."""
    headers = kept_headers(adapter, delivery)
    size = len(delivery.body) + len(delivery.query_string) + sum(map(len, headers.values()))
    waiting = _find_kept(adapter.name, WebhookState.UNVERIFIED).filter(due_at__isnull=False)
    if size > UNVERIFIED_BYTES_MAX or not _has_room(waiting, UNVERIFIED_MAX, adapter.name):
        return
    WebhookEvent.objects.create(
        gateway=adapter.name,
        verified=False,
        state=WebhookState.UNVERIFIED,
        refused_because=reason[:200],
        body=delivery.body,
        query_string=delivery.query_string,
        headers=headers,
        received_at=delivery.received_at,
        failures=1,
        due_at=Now() + WebhookEvent.backoff.delay(1),
    )


@db_transaction.atomic(durable=True)
def refuse(event: WebhookEvent, reason: str) -> None:
    """End a claimed, unverified delivery that is found to be forged."""
    event.refused_because = reason[:200]
    changes = {"state": WebhookState.REJECTED, "refused_because": event.refused_because}
    if event.fenced().update(**changes, due_at=None, lease_until=None):
        audit.record([_refusal(event)])


def mark_replaced(event: WebhookEvent) -> None:
    """End a claimed delivery that was proven at last: what it brought has rows of its own."""
    event.fenced().update(state=WebhookState.REPLACED, due_at=None, lease_until=None)


def _find_kept(gateway_name: str, state: WebhookState) -> "QuerySet[WebhookEvent]":
    # That none of them is verified is what the index for them is made of.
    return WebhookEvent.objects.filter(gateway=gateway_name, verified=False, state=state)


def _has_room(found: "QuerySet[WebhookEvent]", most: int, gateway_name: str) -> bool:
    """Whether one more may be kept. Those that come at the same moment may pass the limit."""
    count = found[:most].count()
    if count == most - 1:
        # Once, and not for each that is turned away from now on.
        logger.warning("unproven_webhooks_not_kept", extra={"gateway": gateway_name})
    return count < most


def _refusal(event: WebhookEvent) -> AuditEvent:
    return audit.event(
        action=AuditAction.WEBHOOK_REJECTED,
        subject_type="webhook_event",
        subject_id=event.pk,
        after={"gateway": event.gateway, "reason": event.refused_because},
    )
