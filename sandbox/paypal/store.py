"""PayPal's objects in the journal, their ids, times and links, and the events about them.

A record is what PayPal shows of it; members that begin with ``_`` are ours and never shown.
"""

from __future__ import annotations

import secrets
import string
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sandbox.paypal.errors import not_found

if TYPE_CHECKING:
    from collections.abc import Collection

    from sandbox.gateway import SandboxContext
    from sandbox.journal import Json

NAME: Final = "paypal"
ID_CHARACTERS: Final = string.ascii_uppercase + string.digits
ID_LENGTH: Final = 17
# Accounts are called without the characters that are easily mistaken.
ACCOUNT_CHARACTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
ACCOUNT_LENGTH: Final = 13
STAMP: Final = "%Y-%m-%dT%H:%M:%SZ"
HOUR_S: Final = 3600
DAY_S: Final = 24 * HOUR_S

# What a webhook is subscribed to unless PAYPAL_WEBHOOK_EVENTS says otherwise.
EVENTS: Final = (
    "CHECKOUT.ORDER.APPROVED", "CHECKOUT.ORDER.COMPLETED", "CHECKOUT.PAYMENT-APPROVAL.REVERSED",
    "PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.PENDING", "PAYMENT.CAPTURE.DENIED",
    "PAYMENT.CAPTURE.DECLINED", "PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REVERSED",
    "PAYMENT.REFUND.PENDING", "PAYMENT.REFUND.FAILED", "PAYMENT.AUTHORIZATION.CREATED",
    "PAYMENT.AUTHORIZATION.VOIDED", "CUSTOMER.DISPUTE.CREATED", "CUSTOMER.DISPUTE.UPDATED",
    "CUSTOMER.DISPUTE.RESOLVED",
)  # fmt: skip


class Store:
    """All tables of PayPal's in the journal."""

    def __init__(
        self, context: SandboxContext, *, merchant_id: str, events: Collection[str]
    ) -> None:
        """``merchant_id`` is the account that is paid; only ``events`` are ever posted."""
        self.context = context
        self.merchant_id = merchant_id
        self._events = events

    def table(self, name: str) -> dict[str, Json]:
        """All records of a kind by id, oldest first; read only."""
        return self.context.journal.table(f"{NAME}.{name}")

    def put(self, table: str, record: Json) -> None:
        """Keep a record, or what has changed in it."""
        self.context.journal.put(f"{NAME}.{table}", record["id"], record)

    def find(self, table: str, record_id: str) -> Json:
        """A record. Raises PaypalError for an id that was never given."""
        record = self.table(table).get(record_id)
        if record is None:
            raise not_found()
        return record

    @property
    def now(self) -> float:
        """The sandbox's time in seconds since 1970."""
        return self.context.clock.now()

    def stamp(self, after_s: float = 0) -> str:
        """Now, or a time from now, as PayPal writes it."""
        return stamp(self.now + after_s)

    def link(self, path: str, rel: str, method: str = "GET") -> Json:
        """A link to one of our own addresses."""
        return {"href": f"{self.context.settings.url}{path}", "rel": rel, "method": method}

    def emit(self, event_type: str, kind: str, resource: Json, reference: str) -> None:
        """Post an event with the resource as it is now, if the webhook is subscribed to it."""
        if event_type not in self._events:
            return
        event_id = f"WH-{new_id()}-{new_id()}"
        path = f"/v1/notifications/webhooks-events/{event_id}"
        event: Json = {
            "id": event_id,
            "event_version": "1.0",
            "create_time": self.stamp(),
            "resource_type": kind,
            "resource_version": "2.0",
            "event_type": event_type,
            "summary": summary(event_type),
            "resource": shown(resource),
            "links": [self.link(path, "self"), self.link(f"{path}/resend", "resend", "POST")],
            "_reference": reference,
            "_at": self.now,
        }
        self.put("events", event)
        self.context.webhooks.post(
            gateway=NAME,
            reference=reference,
            event_id=event_id,
            payload={"type": event_type, "event": event_id},
        )


def new_id() -> str:
    """An id of an order, a payment or half an event."""
    return "".join(secrets.choice(ID_CHARACTERS) for _ in range(ID_LENGTH))


def new_account() -> str:
    """An id of a buyer's account."""
    return "".join(secrets.choice(ACCOUNT_CHARACTERS) for _ in range(ACCOUNT_LENGTH))


def stamp(when: float) -> str:
    """A moment as PayPal writes it: RFC 3339 in UTC, whole seconds."""
    return datetime.fromtimestamp(when, UTC).strftime(STAMP)


def shown(record: Any) -> Any:
    """A record without what is ours alone, copied so that it stays as it is now."""
    if isinstance(record, dict):
        return {name: shown(value) for name, value in record.items() if not name.startswith("_")}
    return [shown(each) for each in record] if isinstance(record, list) else record


def summary(event_type: str) -> str:
    """An event in words."""
    return f"{event_type.replace('.', ' ').replace('-', ' ').capitalize()}."
