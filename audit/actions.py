"""Every action of the audit trail with its label: the one table for admin, docs and invariants.

The values stand in an append-only table, so they never change; names and labels may.
"""

from django.db.models import TextChoices


class AuditAction(TextChoices):
    """``subject.verb`` as stored, with the sentence that staff read."""

    TRANSACTION_CREATED = "transaction.created", "A payment was requested"
    TRANSACTION_PROCESSING = "transaction.processing", "A worker took it up"
    TRANSACTION_AUTHORIZED = "transaction.authorized", "The money is held"
    TRANSACTION_SUCCEEDED = "transaction.success", "The gateway has the money"
    TRANSACTION_FAILED = "transaction.failed", "It ended without a payment"
    TRANSACTION_CANCEL_REQUESTED = "transaction.cancel_requested", "Its end was requested"
    TRANSACTION_CAPTURE_REQUESTED = "transaction.capture_requested", "Its capture was requested"
    TRANSACTION_REROUTED = (
        "transaction.rerouted", "Another gateway took over: nothing had been charged at the first",
    )  # fmt: skip
    STATUS_QUERY_REQUESTED = "transaction.gateway_asked", "Staff requested a status query"

    ORDER_CREATED = "order.created", "The order was made"
    ORDER_PAID = "order.paid", "The order is paid"
    ORDER_CANCELLED = "order.cancelled", "The order was cancelled"

    WEBHOOK_REJECTED = "webhook.refused", "A webhook was rejected as not genuine"
    WEBHOOK_REPLAYED = "webhook.process_again", "Staff replayed a webhook"

    CASE_OPENED = "case.opened", "A case was opened"
    CASE_EXTENDED = "case.more_found", "More was found about an open case"
    CASE_RESOLVED = "case.resolved", "A case was resolved"

    CIRCUIT_OPENED = "gateway.held_back", "A gateway stopped answering: its circuit opened"
    CIRCUIT_CLOSED = "gateway.answers_again", "A gateway answers again: its circuit closed"

    USER_CREATED = "user.created", "An account was made"
    USER_CHANGED = "user.changed", "An account was changed"

    TRAIL_READ = "audit.read", "A page of the audit trail was read"
    PAGE_READ = "page.read", "A page with a person's data was read"
    EXPORT_STARTED = "export.started", "An export was started"
    EXPORT_ENDED = "export.ended", "An export ended"


def read_label(action: str) -> str:
    """The label of a stored action; the value itself where the code no longer knows it."""
    return str(AuditAction(action).label) if action in AuditAction.values else action
