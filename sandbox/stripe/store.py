"""Stripe's tables in the journal, and its events: what is written, and who is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sandbox.stripe.errors import no_such
from sandbox.stripe.objects import new_id, render

if TYPE_CHECKING:
    from collections.abc import Collection

    from sandbox.gateway import SandboxContext
    from sandbox.journal import Json

NAME: Final = "stripe"

# Subscribed to unless STRIPE_WEBHOOK_EVENTS says otherwise.
EVENTS: Final = (
    "checkout.session.completed", "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed", "checkout.session.expired",
    "payment_intent.succeeded", "payment_intent.payment_failed", "payment_intent.processing",
    "payment_intent.requires_action", "payment_intent.amount_capturable_updated",
    "payment_intent.canceled", "charge.updated", "charge.refunded", "refund.created",
    "refund.updated", "refund.failed", "charge.dispute.created", "charge.dispute.updated",
    "charge.dispute.closed", "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated",
    "radar.early_fraud_warning.created", "payout.paid", "payout.failed",
    "payout.reconciliation_completed",
)  # fmt: skip

EVERY_EVENT: Final = "*"

# What each table's objects are called in "No such …".
KINDS: Final = {
    "payment_intents": "payment_intent",
    "charges": "charge",
    "sessions": "checkout.session",
    "refunds": "refund",
    "disputes": "dispute",
    "transactions": "balance_transaction",
    "payouts": "payout",
    "reports": "report_run",
    "customers": "customer",
    "payment_methods": "PaymentMethod",
    "webhook_endpoints": "webhook endpoint",
}


@dataclass(frozen=True, kw_only=True)
class Cause:
    """The API call behind an event; both None when a page or the clock caused it."""

    request_id: str | None = None
    idempotency_key: str | None = None


class Store:
    """Records of Stripe's objects by table and id."""

    def __init__(self, context: SandboxContext, *, account: str, events: Collection[str]) -> None:
        """``events`` are the types that are sent to the endpoint of the environment."""
        self.context = context
        self.account = account
        self.cause = Cause()
        self._events = frozenset(events)

    @property
    def now(self) -> int:
        """Stripe's clock: whole seconds."""
        return int(self.context.clock.now())

    def table(self, name: str) -> dict[str, Json]:
        """All records of one kind, oldest first."""
        return self.context.journal.table(f"{NAME}.{name}")

    def get(self, table: str, object_id: str, param: str = "id") -> Json:
        """One record. Raises StripeError 404."""
        record = self.table(table).get(object_id)
        if record is None:
            raise no_such(KINDS[table], object_id, param)
        return record

    def put(self, table: str, record: Json) -> None:
        """Write a record that was changed or is new."""
        self.context.journal.put(f"{NAME}.{table}", record["id"], record)

    def delete(self, table: str, object_id: str) -> None:
        """Forget a record."""
        self.context.journal.delete(f"{NAME}.{table}", object_id)

    def shown(self, table: str, record: Json) -> Json:
        """The object as the API gives it."""
        return render(table, record)

    def emit(
        self, kind: str, table: str, record: Json, reference: str, previous: Json | None = None
    ) -> None:
        """Make an event about an object as it is now, and send it to who subscribed to it.

        ``previous`` are the old values of what has changed, for the types that end in updated.
        """
        receivers = self._receivers(kind)
        event: Json = {
            "id": new_id("evt_"),
            "type": kind,
            "created": self.now,
            "table": table,
            "record": dict(record),
            "previous": previous,
            "pending": len(receivers),
            "reference": reference,
            "request": {
                "id": self.cause.request_id,
                "idempotency_key": self.cause.idempotency_key,
            },
        }
        self.put("events", event)
        for endpoint in receivers:
            self._send(event, endpoint)

    def _receivers(self, kind: str) -> list[str]:
        """The endpoints that hear of such events; that of the environment has no id."""
        made = self.table("webhook_endpoints").values()
        own = [""] if takes(self._events, kind) else []
        return own + [each["id"] for each in made if self._hears(each, kind)]

    def _send(self, event: Json, endpoint: str) -> None:
        self.context.webhooks.post(
            gateway=NAME,
            reference=event["reference"],
            # The journal knows a delivery by this.
            event_id=f"{event['id']}.{endpoint}".rstrip("."),
            payload={"type": event["type"], "event": event["id"], "endpoint": endpoint},
        )

    def _hears(self, endpoint: Json, kind: str) -> bool:
        """Whether an endpoint wants such events and is on this machine: no other is called."""
        url, events = endpoint["url"], endpoint["enabled_events"]
        is_here = self.context.settings.webhook_url(NAME, asked=url) == url
        return is_here and endpoint.get("status") != "disabled" and takes(events, kind)


def takes(events: Collection[str], kind: str) -> bool:
    """Whether a subscription holds a type of event."""
    return kind in events or EVERY_EVENT in events
