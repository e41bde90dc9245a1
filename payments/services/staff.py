"""What staff may request: a status query or a replay, never a result. Each is audited."""

from uuid import UUID

from django.db import transaction as db_transaction
from django.db.models.functions import Now

from audit import services as audit
from audit.actions import AuditAction
from durable.wake import wake
from payments.inbox import inbox
from payments.models import WebhookEvent
from payments.services import lifecycle


@db_transaction.atomic(durable=True)
def request_status_query(*, transaction_id: UUID) -> None:
    """Record who requests it, and have the gateway queried as soon as it allows.

    Changes nothing on a payment that has ended or was never sent.
    """
    lifecycle.request_status_query(transaction_id=transaction_id)
    audit.record(
        [
            audit.event(
                action=AuditAction.STATUS_QUERY_REQUESTED,
                subject_type="transaction",
                subject_id=transaction_id,
            )
        ]
    )


@db_transaction.atomic(durable=True)
def process_webhook_again(*, event_id: UUID) -> bool:
    """Make a stored webhook due now and reset its failures. False when it is finished."""
    event = (
        WebhookEvent.objects.select_for_update(no_key=True)
        .filter(pk=event_id, state__in=inbox.UNFINISHED)
        .first()
    )
    if event is None:
        return False
    WebhookEvent.objects.filter(pk=event.pk).update(due_at=Now(), failures=0)
    audit.record(
        [
            audit.event(
                action=AuditAction.WEBHOOK_REPLAYED,
                subject_type="webhook_event",
                subject_id=event.pk,
                before={"state": event.state, "failures": event.failures},
            )
        ]
    )
    wake(inbox.QUEUE)
    return True
