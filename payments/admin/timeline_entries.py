"""The single lines of a payment's timeline: one function for each kind of thing that happens."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.urls import reverse
from django.utils.html import format_html

from audit.actions import AuditAction, read_label
from audit.models import AuditEvent
from backoffice.actors import actor_word
from backoffice.formats import admin_url, clock, rows_as
from notifications.admin import STATES, find_state
from notifications.models import Notification
from payments.admin.badges import (
    CASE_TONES,
    OUTCOME_TONES,
    STATUS_BADGES,
    WEBHOOK_TONES,
    format_sum,
)
from payments.admin.webhook import masked_body, masked_query
from payments.models import (
    Case,
    GatewayCall,
    IdempotencyKey,
    Transaction,
    Transfer,
    WebhookEvent,
    WebhookState,
)
from privacy.redaction import redact


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: when, of which kind, what happened, by whom, with which facts and documents.

    ``facts`` are pairs of a name and a value; ``documents`` are texts that fold away.
    """

    at: datetime
    kind: str
    title: str
    tone: str = ""
    mark: str = ""
    who: str = ""
    request_id: str = ""
    url: str = ""
    facts: list[tuple[str, object]] = field(default_factory=list)
    documents: list[tuple[str, str]] = field(default_factory=list)


# Verb of a gateway call → what was asked, for staff.
_VERBS: Final[Mapping[str, str]] = {
    "CREATE": "asked {gateway} to collect the money",
    "QUERY": "asked {gateway} how it stands",
    "CAPTURE": "asked {gateway} to take what was approved",
    "VOID": "asked {gateway} to release the held money",
    "CLOSE": "asked {gateway} to close its page",
    "REFUND": "asked {gateway} to give money back",
    "QUERY_REFUND": "asked {gateway} how the refund stands",
}
# Words of a cause → what it is, and the page that shows it.
_CAUSES: Final[Mapping[str, tuple[str, str]]] = {
    "webhook": ("a webhook", "admin:payments_webhookevent_change"),
    "query": ("the answer to our question", "admin:payments_gatewaycall_change"),
    "response": ("the answer to our call", "admin:payments_gatewaycall_change"),
    "gateway_call": ("our call", "admin:payments_gatewaycall_change"),
}
# Facts on the trail that are sums in minor units.
_SUMS: Final = frozenset({"total", "amount", "amount_captured", "amount_paid", "amount_refunded"})


def asked_for(
    payment: Transaction, keys: Iterable[IdempotencyKey], created: AuditEvent | None, who: str
) -> Entry:
    """The request: who asked for what, under which key."""
    facts: list[tuple[str, object]] = [
        ("amount", format_sum(payment.amount, payment.currency)),
        ("method", f"{_method(payment, created)} ({payment.capture} capture)"),
        *([("channel", payment.channel)] if payment.channel else []),
        *_passed_over(created),
        ("client", payment.client),
        ("shopper", f"{payment.customer_ip}, {payment.locale}"),
        *((f"idempotency key {number}".removesuffix(" 1"), key.key)
          for number, key in enumerate(keys, 1)),
    ]  # fmt: skip
    return Entry(
        at=payment.created_at,
        kind="request",
        title="Somebody asked to pay",
        who=who,
        request_id=created.request_id if created else "",
        facts=facts,
        documents=_documents({"metadata": payment.metadata}),
    )


def _passed_over(created: AuditEvent | None) -> list[tuple[str, object]]:
    """Gateways that were preferred, and were held back or could not be told when it began."""
    names = created.after.get("passed_over") if created else None
    return [("passed over", names)] if names else []


def _method(payment: Transaction, created: AuditEvent | None) -> str:
    """How it was to be paid, and by whom where that is another name.

    Another gateway may have taken over since.
    """
    gateway = created.after.get("gateway", payment.gateway) if created else payment.gateway
    return payment.method if payment.method == gateway else f"{payment.method} by {gateway}"


def change(event: AuditEvent, names: Mapping[str, str], *, currency: str, is_own: bool) -> Entry:
    """A change of state, or something that staff did.

    ``is_own`` is False where the cause belongs to another payment of the same order.
    """
    after = redact(event.after)
    status = str(event.after.get("status", "")) if event.subject_type == "transaction" else ""
    title = read_label(event.action)
    for name in ("status", "gateway"):
        if event.subject_type == "transaction" and event.before.get(name):
            title = f"{title}: {event.before[name]} → {event.after.get(name)}"
    if not is_own:
        title = f"{title}, by another payment"
    shown = {name: value for name, value in dict(after or {}).items() if name != "status"}  # type: ignore[call-overload]
    return Entry(
        at=event.occurred_at,
        kind="change",
        title=title,
        tone=STATUS_BADGES.get(status, "good" if event.action == AuditAction.ORDER_PAID else ""),
        mark=status,
        who=actor_word(event, names),
        request_id=event.request_id,
        url=admin_url(event),
        facts=[*_cause(event), *_plain(shown, currency)],
    )


def _cause(event: AuditEvent) -> list[tuple[str, object]]:
    if not event.cause_type:
        return []
    words, page = _CAUSES.get(event.cause_type, ("", ""))
    if not page:
        return [("because of", f"{event.cause_type}: {event.cause_id}")]
    url = reverse(page, args=[event.cause_id])
    return [("because of", format_html('<a href="{}">{}</a>', url, words))]


def _plain(shown: Mapping[str, Any], currency: str) -> list[tuple[str, object]]:
    """What is worth a line; a nested value is a document's matter."""
    return [
        (name.replace("_", " "), _value(name, value, currency))
        for name, value in rows_as(shown)
        if value is not False and name != "currency" and not isinstance(value, dict | list)
    ]


def _value(name: str, value: object, currency: str) -> object:
    if name in _SUMS and isinstance(value, int):
        return format_sum(value, currency)
    return "yes" if value is True else value


def calls(row: GatewayCall) -> list[Entry]:
    """One operation at the gateway. Its traffic stands with the send that it belongs to."""
    verb = _VERBS.get(row.verb, "sent {gateway} " + row.verb).format(gateway=row.gateway)
    first = row.first_sent_at or row.created_at
    if row.sends <= 1 or row.last_sent_at is None:
        return [_answered(row, first, f"We {verb}")]
    told = {datetime.fromisoformat(send["at"]): send for send in row.earlier or []}
    # A worker that died has left nothing of what it heard.
    earlier = {first: {}} | told
    entries = [
        _earlier(row, at, f"We {verb}" if at == first else _AGAIN, send)
        for at, send in earlier.items()
    ]
    return [*entries, _answered(row, row.last_sent_at, f"{_AGAIN} (send {row.sends})")]


_AGAIN: Final = "We sent the same again, under the same key"


def _earlier(row: GatewayCall, at: datetime, title: str, send: Mapping[str, Any]) -> Entry:
    """A send that was followed by another: its answer never came, or told nothing."""
    return Entry(
        at=at,
        kind="call",
        title=title,
        tone="warn",
        mark="no usable answer",
        url=admin_url(row),
        facts=rows_as({"HTTP": send.get("http_status"), "took": _took(send.get("duration_ms"))}),
        documents=_documents({"received": redact(send.get("received", {}))}),
    )


def _took(duration_ms: int | None) -> str:
    return f"{duration_ms} ms" if duration_ms is not None else ""


def _answered(row: GatewayCall, at: datetime, title: str) -> Entry:
    outcome = row.outcome or "no answer yet"
    return Entry(
        at=at,
        kind="call",
        title=title,
        tone=OUTCOME_TONES.get(row.outcome, "open"),
        mark=outcome,
        url=admin_url(row),
        facts=rows_as(
            {
                "reference": row.reference,
                "HTTP": row.http_status,
                "took": _took(row.duration_ms),
            }
        ),
        documents=_documents(
            {"sent": redact(row.sent or row.request), "received": redact(row.received)}
        ),
    )


def webhook(row: WebhookEvent) -> Entry:
    """What the gateway told us, or somebody in its name."""
    why = "refused because"
    if row.verified:
        title = f"{row.gateway} told us: {row.event_type or row.event_id}"
    elif row.state == WebhookState.UNVERIFIED:
        title = f"A message in the name of {row.gateway} waits to be verified"
        why = "not verified because"
    else:
        title = f"A message in the name of {row.gateway} was refused; it changed nothing"
    times = f"{row.deliveries} times" if row.deliveries > 1 else ""
    return Entry(
        at=row.received_at,
        kind="webhook",
        title=title,
        tone=WEBHOOK_TONES[row.state],
        mark=row.state,
        url=admin_url(row),
        facts=rows_as(
            {
                why: row.refused_because,
                "event id": row.event_id,
                "their reference": row.psp_reference,
                "delivered": times,
                "tries that failed": row.failures or "",
                "next try": clock(row.due_at),
            }
        ),
        documents=_documents({"body": masked_body(row), "query string": masked_query(row)}),
    )


def transfer(row: Transfer) -> Entry:
    """Money in the books."""
    amount = format_sum(row.amount, row.currency)
    return Entry(
        at=row.created_at,
        kind="transfer",
        title=f"Booked {amount}: {row.debit.kind} from {row.credit.kind}",
        tone="bad" if row.credit.kind == "suspense" else "good",
        mark=row.kind,
        url=admin_url(row),
        facts=[("debit", str(row.debit)), ("credit", str(row.credit))],
    )


def notification(row: Notification) -> Entry:
    """What we told the customer."""
    word = find_state(row)
    return Entry(
        at=row.created_at,
        kind="notification",
        title=f"E-mail “{row.title or row.template}” to {row.recipient}",
        tone=STATES[word][0],
        mark=word,
        url=admin_url(row),
        facts=rows_as(
            {
                "sent": clock(row.sent_at),
                "tries that failed": row.failures or "",
                "next try": clock(row.due_at),
            }
        ),
        documents=_documents({"text": row.text}),
    )


def case_opened(row: Case) -> Entry:
    """The system wants a person."""
    return Entry(
        at=row.opened_at,
        kind="case",
        title=f"A case was opened: {row.get_kind_display()}",
        tone=CASE_TONES[row.state],
        mark=row.state,
        url=admin_url(row),
        facts=rows_as({"amount": format_sum(row.amount, row.currency)}),
        documents=_documents({"facts": redact(row.detail)}),
    )


def case_resolved(row: Case) -> Entry:
    """A person has closed it."""
    assert row.resolved_at is not None
    return Entry(
        at=row.resolved_at,
        kind="case",
        title="The case was resolved",
        tone="good",
        who=str(row.resolved_by),
        url=admin_url(row),
        facts=[("reason", row.resolution)],
    )


def _documents(values: Mapping[str, object]) -> list[tuple[str, str]]:
    return [
        (name, value if isinstance(value, str) else _pretty(value))
        for name, value in values.items()
        if value
    ]


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
