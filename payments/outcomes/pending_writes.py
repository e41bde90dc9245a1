"""What one commit writes: states, orders, ledger, messages, cases and the audit trail.

Everything is collected first, so that a batch of payments writes to each table once.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from audit import services as audit
from audit.models import AuditEvent
from durable import bulk
from notifications import services as notifications
from notifications.services import Message
from orders.models import Order
from orders.services import write_paid
from payments.cases import opening
from payments.cases.opening import CaseReport
from payments.ledger.post import CapturePosting, post_captures
from payments.models import Transaction


@dataclass(slots=True)
class PendingWrites:
    """What will be written; ``now`` is the database's."""

    now: datetime
    audit: list[AuditEvent] = field(default_factory=list)
    captures: list[CapturePosting] = field(default_factory=list)
    paid: list[Order] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    cases_to_open: list[CaseReport] = field(default_factory=list)
    # What will be written to each transaction, by its id.
    changes: dict[UUID, dict[str, Any]] = field(default_factory=dict)

    def change(self, payment: Transaction, changes: dict[str, Any]) -> None:
        """Change ``payment`` in memory now, and in the database when everything is written."""
        if not changes:
            return
        for name, value in changes.items():
            setattr(payment, name, value)
        if "status" in changes and "status" in self.changes.get(payment.pk, {}):
            # Two moves of one payment are two updates: PostgreSQL checks each of them.
            self.write_changes()
        self.changes.setdefault(payment.pk, {}).update(changes, updated_at=self.now)

    def write(self) -> None:
        """Write everything."""
        self.write_changes()
        write_paid(self.paid)
        post_captures(self.captures)
        opening.open_cases(self.cases_to_open)
        notifications.queue(self.messages)
        audit.record(self.audit)

    def write_changes(self) -> None:
        """Write the collected changes of the payments."""
        bulk.update(Transaction, self.changes)
        self.changes = {}
