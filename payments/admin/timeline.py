"""What happened to a payment: everything that any table knows of it, in order, on one page."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Func, IntegerField, Q, QuerySet, Value
from django.utils import timezone

from audit.actions import AuditAction
from audit.models import AuditEvent
from backoffice.actors import actor_word, read_names
from backoffice.formats import rows_as
from notifications.models import Notification
from payments.admin import timeline_entries
from payments.admin.summary import NextStep, Summary, build_summary, next_step
from payments.admin.timeline_entries import Entry
from payments.models import (
    Case,
    CaseState,
    GatewayCall,
    IdempotencyKey,
    Transaction,
    Transfer,
    WebhookEvent,
    WebhookState,
)
from payments.selectors import gateways_with_open_circuit
from payments.states import Status
from privacy.redaction import redact

# Of any one kind no page shows more; the lists do.
ROWS_MAX: Final = 200
# A forged delivery is stored without a reference, since nothing in it is proven. To find those
# that name this payment, so many refused ones around its time are read.
REFUSED_EXAMINED_MAX: Final = 2000
REFUSED_AFTER_END: Final = timedelta(days=1)

# What one commit writes lies no further apart than this; a waiting lock ends after three seconds.
ONE_COMMIT: Final = timedelta(seconds=3)
# Kind of entry → the statuses whose commit it is part of.
_ENDS: Final = frozenset({Status.SUCCESS, Status.FAILED})
_WRITTEN_WITH: Final[Mapping[str, frozenset[str]]] = {
    "call": frozenset({Status.PROCESSING}),
    "transfer": _ENDS,
    "notification": _ENDS,
    "case": _ENDS,
}

# Reading is on the trail too, but is no part of what happened to the payment.
_READING: Final = (AuditAction.PAGE_READ,)


@dataclass(frozen=True, slots=True)
class Timeline:
    """The answer in one sentence, the facts, the entries in order, and what comes next."""

    summary: Summary
    step: NextStep
    entries: Sequence[Entry]
    siblings: Sequence[Transaction]
    cases: Sequence[Case]
    gateway_facts: Sequence[tuple[str, object]]


def build_timeline(payment: Transaction) -> Timeline:
    """Everything about ``payment``, oldest first."""
    cases = list(_cases(payment))
    webhooks = list(_webhooks(payment))
    calls = list(GatewayCall.objects.filter(transaction=payment).order_by("created_at")[:ROWS_MAX])
    siblings = list(_siblings(payment))
    own = {str(item.pk) for item in (*calls, *webhooks)}
    told = [
        *_requests_and_changes(payment, webhooks, own),
        *(entry for call in calls for entry in timeline_entries.calls(call)),
        *map(timeline_entries.webhook, webhooks),
        *map(timeline_entries.transfer, _transfers(payment)),
        *map(timeline_entries.notification, _notifications(payment)),
        *map(timeline_entries.case_opened, cases),
        *(timeline_entries.case_resolved(case) for case in cases if case.resolved_at),
    ]
    return Timeline(
        summary=build_summary(payment, siblings=siblings, calls=calls, webhooks=webhooks),
        step=next_step(
            payment,
            calls,
            has_open_case=any(case.state == CaseState.OPEN for case in cases),
            breaker=gateways_with_open_circuit().filter(gateway=payment.gateway).first(),
        ),
        entries=_in_order(told),
        siblings=siblings,
        cases=[case for case in cases if case.state == CaseState.OPEN],
        gateway_facts=_gateway_facts(payment),
    )


def _in_order(told: Iterable[Entry]) -> list[Entry]:
    """By time; but a change of state stands before what was written with it.

    One commit writes the money, the messages and the cases, and the trail last of all.
    """
    told = sorted(told, key=lambda entry: entry.at)
    changes = [entry for entry in told if entry.kind == "change" and entry.mark]
    return sorted(told, key=lambda entry: _place(entry, changes))


def _place(entry: Entry, changes: Iterable[Entry]) -> tuple[datetime, bool]:
    if entry.kind not in _WRITTEN_WITH:
        return entry.at, False
    commits = (
        change.at
        for change in changes
        if change.mark in _WRITTEN_WITH[entry.kind]
        and timedelta() <= change.at - entry.at < ONE_COMMIT
    )
    return next(commits, entry.at), True


def _requests_and_changes(
    payment: Transaction, webhooks: Iterable[WebhookEvent], own: Container[str]
) -> list[Entry]:
    events = list(_trail(payment, webhooks))
    names = read_names(events)
    created = next(
        (event for event in events if event.action == AuditAction.TRANSACTION_CREATED), None
    )
    keys = IdempotencyKey.objects.filter(transaction=payment).order_by("pk")[:ROWS_MAX]
    who = actor_word(created, names) if created else ""
    changes = [
        timeline_entries.change(event, names, currency=payment.currency, is_own=_is_own(event, own))
        for event in events
        if event is not created
    ]
    return [timeline_entries.asked_for(payment, keys, created, who), *changes]


def _is_own(event: AuditEvent, own: Container[str]) -> bool:
    """False for what another payment did to the same order."""
    return event.subject_type != "order" or not event.cause_id or event.cause_id in own


def _trail(payment: Transaction, webhooks: Iterable[WebhookEvent]) -> QuerySet[AuditEvent]:
    """Its own events, what befell its order by it, and what staff did to its webhooks."""
    own = Q(subject_type="transaction", subject_id=payment.pk)
    order = Q(subject_type="order", subject_id=payment.order_id) & ~Q(
        action=AuditAction.ORDER_CREATED
    )
    again = Q(
        subject_type="webhook_event",
        subject_id__in=[event.pk for event in webhooks],
        action=AuditAction.WEBHOOK_REPLAYED,
    )
    found = AuditEvent.objects.filter(own | order | again).exclude(action__in=_READING)
    # Events of one statement share their time: the payment's come before its order's.
    return found.order_by("occurred_at", "-subject_type", "version")[:ROWS_MAX]


def _webhooks(payment: Transaction) -> list[WebhookEvent]:
    """What was matched to it; what names it and waits, or was not verified."""
    matched = Q(transaction=payment)
    waiting = Q(transaction=None, verified=True, reference=payment.reference)
    genuine = WebhookEvent.objects.filter(matched | waiting).order_by("received_at")[:ROWS_MAX]
    return [*genuine, *_find_unverified(payment)]


def _find_unverified(payment: Transaction) -> QuerySet[WebhookEvent]:
    until = (payment.ended_at or timezone.now()) + REFUSED_AFTER_END
    around = WebhookEvent.objects.filter(
        verified=False, gateway=payment.gateway, received_at__range=(payment.created_at, until)
    ).order_by("received_at")[:REFUSED_EXAMINED_MAX]
    examined = WebhookEvent.objects.filter(pk__in=list(around.values_list("pk", flat=True)))
    names = Q(query_string__contains=payment.reference) | Q(place__gt=0)
    # What was proven later stands here as the event that it brought.
    examined = examined.exclude(state=WebhookState.REPLACED)
    found = examined.annotate(place=_place_in_body(payment.reference)).filter(names)
    return found.order_by("received_at")[:ROWS_MAX]


def _place_in_body(reference: str) -> Func:
    """Where the reference stands in the raw bytes; 0 when it does not."""
    return Func(
        "body",
        Value(reference.encode()),
        function="pg_catalog.position",
        output_field=IntegerField(),
    )


def _transfers(payment: Transaction) -> QuerySet[Transfer]:
    found = Transfer.objects.filter(transaction=payment).select_related("debit", "credit")
    return found.order_by("created_at")[:ROWS_MAX]


def _notifications(payment: Transaction) -> QuerySet[Notification]:
    return Notification.objects.filter(subject_id=payment.pk).order_by("created_at")[:ROWS_MAX]


def _cases(payment: Transaction) -> QuerySet[Case]:
    found = Case.objects.filter(
        Q(transaction=payment) | Q(webhook_event__transaction=payment)
    ).select_related("resolved_by")
    return found.order_by("opened_at")[:ROWS_MAX]


def _siblings(payment: Transaction) -> QuerySet[Transaction]:
    others = Transaction.objects.filter(order_id=payment.order_id).exclude(pk=payment.pk)
    return others.order_by("created_at", "pk")[:ROWS_MAX]


def _gateway_facts(payment: Transaction) -> list[tuple[str, object]]:
    """What the gateway has said of it, without secrets, for whoever must call them."""
    told = redact(payment.psp_data)
    pairs = rows_as(told) if isinstance(told, dict) else []
    return [(name.replace("_", " "), value) for name, value in pairs]
