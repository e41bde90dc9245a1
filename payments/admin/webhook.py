"""The inbox of webhooks: as they came, with every secret masked."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qsl
from uuid import UUID

from django.contrib import admin
from django.utils.safestring import SafeString

from backoffice import export, query
from backoffice.filters import RangeFilter
from backoffice.formats import badge, json_block, text_block
from backoffice.read_only import FOUND_MAX, Finder
from payments.admin.actions import ActingAdmin, StaffAction
from payments.admin.badges import WEBHOOK_TONES, payment_link
from payments.admin.filters import GatewayFilter
from payments.admin.finders import payments_named
from payments.inbox.inbox import UNFINISHED
from payments.models import WebhookEvent, WebhookState
from payments.permissions import REPLAY_WEBHOOK
from payments.services.staff import process_webhook_again
from privacy.redaction import mask_text, redact

# A person reads this much; the rest of a larger body stays in the database.
TEXT_SHOWN_MAX = 4000


def masked_body(event: WebhookEvent) -> object:
    """The body with secrets and personal data masked: as data where it is JSON, else as text."""
    text = bytes(event.body).decode("utf-8", errors="replace")
    try:
        return redact(json.loads(text))
    except (ValueError, RecursionError):
        return mask_text(text[:TEXT_SHOWN_MAX])


def masked_query(event: WebhookEvent) -> object:
    """The query string's members, masked."""
    return redact(dict(parse_qsl(event.query_string, keep_blank_values=True)))


def _process_again(event_id: UUID, user_id: UUID, filled_in: Mapping[str, Any]) -> str:
    if process_webhook_again(event_id=event_id):
        return "It is due now: a worker tries it again within seconds."
    return "It has been processed in the meantime."


def _find_by_id(word: str) -> Iterable[object]:
    found = query.read_id(word)
    return WebhookEvent.objects.filter(pk=found).values_list("pk", flat=True) if found else []


def _by_reference(word: str) -> Iterable[object]:
    """Our reference or the gateway's, as the event carries it; it need not match a payment."""
    found = query.read_id(word, "pay")
    events = WebhookEvent.objects.filter(reference=found.hex if found else word)
    return events.order_by("-received_at").values_list("pk", flat=True)[:FOUND_MAX]


def _find_by_payments(word: str) -> Iterable[object]:
    events = WebhookEvent.objects.filter(transaction__in=payments_named(word))
    return events.order_by("-received_at").values_list("pk", flat=True)[:FOUND_MAX]


def _by_event_id(word: str) -> Iterable[object]:
    events = WebhookEvent.objects.filter(event_id=word, verified=True)
    return events.values_list("pk", flat=True)[:FOUND_MAX]


class ReceivedFilter(RangeFilter):
    """The days on which they came."""

    title = "day"
    parameter = "received"
    input_type = "date"
    term = staticmethod(query.day("received_at"))


@admin.register(WebhookEvent)
class WebhookEventAdmin(ActingAdmin):
    """One event that a gateway, or somebody in its name, has sent."""

    list_display = (
        "received_at", "gateway", "event_type", "state_badge", "deliveries", "payment",
        "refused_because",
    )  # fmt: skip
    list_filter = ("state", GatewayFilter, ReceivedFilter)
    list_select_related = ("transaction",)
    ordering = ("-received_at", "-id")
    search_help_text = "A payment's id, the gateway's number or event id; or state:refused"
    fields = (
        "gateway", "event_type", "event_id", "state_badge", "signature", "payment", "reference",
        "psp_reference", "deliveries", "failures", "due_at", "received_at", "applied_at",
        "body_shown", "query_shown", "headers_shown",
    )  # fmt: skip
    terms: ClassVar[Mapping[str, query.Term]] = {
        "state": query.choice("state", WebhookState.values),
        "gateway": query.text("gateway"),
        "type": query.text("event_type"),
        "event": query.text("event_id"),
        "verified": query.flag("verified"),
        "payment": query.identifier("transaction_id", "pay"),
        "reference": query.text("reference", "psp_reference"),
        "received": query.day("received_at"),
    }
    finders: ClassVar[tuple[Finder, ...]] = (
        _find_by_id,
        _by_reference,
        _find_by_payments,
        _by_event_id,
    )
    export_columns: ClassVar[export.Columns] = {
        "id": lambda row: row.pk.hex,
        "gateway": lambda row: row.gateway,
        "event_id": lambda row: row.event_id,
        "event_type": lambda row: row.event_type,
        "state": lambda row: row.state,
        "refused_because": lambda row: row.refused_because,
        "payment": lambda row: row.transaction.public_id if row.transaction else "",
        "psp_reference": lambda row: row.psp_reference,
        "deliveries": lambda row: row.deliveries,
        "received_at": lambda row: row.received_at,
        "applied_at": lambda row: row.applied_at,
    }
    staff_action = StaffAction(
        name="again",
        title="Process this webhook again",
        question=(
            "A worker reads the kept bytes once more, checks their signature and applies them"
            " if it can. What has been applied already is not applied twice."
        ),
        permission=REPLAY_WEBHOOK,
        applies_to=lambda event: event.state in UNFINISHED,
        perform=_process_again,
    )

    @admin.display(description="state")
    def state_badge(self, row: WebhookEvent) -> SafeString | str:
        """What became of it."""
        return badge(row.state, WEBHOOK_TONES[row.state])

    @admin.display(description="signature")
    def signature(self, row: WebhookEvent) -> str:
        """Whether it is proven to come from the gateway."""
        if row.verified:
            return "right"
        match row.state:
            case WebhookState.REPLACED:
                return "right, verified later: what it brought is a webhook of its own"
            case WebhookState.UNVERIFIED:
                return f"not verified yet: {row.refused_because}"
        return f"refused: {row.refused_because}"

    @admin.display(description="payment")
    def payment(self, row: WebhookEvent) -> SafeString | str:
        """The payment it was matched to."""
        return payment_link(row.transaction)

    @admin.display(description="body, masked")
    def body_shown(self, row: WebhookEvent) -> SafeString | str:
        """What was in it."""
        body = masked_body(row)
        return text_block(body) if isinstance(body, str) else json_block(body)

    @admin.display(description="query string, masked")
    def query_shown(self, row: WebhookEvent) -> SafeString | str:
        """What was in its address."""
        return json_block(masked_query(row))

    @admin.display(description="headers, masked")
    def headers_shown(self, row: WebhookEvent) -> SafeString | str:
        """What was kept of its headers."""
        return json_block(redact(row.headers))
