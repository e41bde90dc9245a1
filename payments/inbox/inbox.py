"""Webhooks: kept as they came, verified before anything else, applied in the same commit.

The gateway is told "received" only once the event is in the database. What cannot be applied
stays due and is retried by us; what matches nothing yet is parked and matched again later. What
cannot be verified now, because its proof is out of reach, is verified later and has no effect
until then.
"""

import logging
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction as db_transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from audit.context import Actor, acting
from durable import bulk
from durable.ids import uuid7
from gateways.base import Gateway
from gateways.outcome import OutcomeKind
from gateways.webhook import (
    Delivery,
    Notice,
    Subject,
    WebhookRefused,
    WebhookResult,
    WebhookUnverifiable,
)
from money.money import Money
from payments.cases import opening
from payments.cases.opening import CaseReport
from payments.inbox import unverified
from payments.models import CaseKind, Transaction, WebhookEvent, WebhookState
from payments.outcomes.apply import TAKEN_OR_HELD, apply_outcomes
from payments.outcomes.decisions import Action
from payments.outcomes.evidence import Evidence, Source
from payments.routing.registry import gateway
from payments.states import WITH_MONEY

logger = logging.getLogger(__name__)

QUEUE: Final = "webhooks"
LEASE: Final = timedelta(seconds=60)
# What could not be verified or applied yet. The others have had their effect, or must never have
# one.
UNFINISHED: Final = frozenset({WebhookState.NEW, WebhookState.PARKED, WebhookState.UNVERIFIED})

_STATE_OF: Final = {
    WebhookResult.APPLIED: WebhookState.APPLIED,
    WebhookResult.REPEATED: WebhookState.APPLIED,
    WebhookResult.IGNORED: WebhookState.IGNORED,
    WebhookResult.UNKNOWN_REFERENCE: WebhookState.PARKED,
    WebhookResult.MISMATCH: WebhookState.MISMATCH,
    WebhookResult.FAILED: WebhookState.NEW,
}

_RESULT_OF: Final = {
    Action.SUCCEED: WebhookResult.APPLIED,
    Action.AUTHORIZE: WebhookResult.APPLIED,
    Action.FAIL: WebhookResult.APPLIED,
    Action.KEEP_OPEN: WebhookResult.APPLIED,
    Action.REPEAT: WebhookResult.REPEATED,
    Action.MISMATCH: WebhookResult.MISMATCH,
    Action.CONFLICT: WebhookResult.MISMATCH,
}


def receive(*, gateway_name: str, delivery: Delivery) -> WebhookResult:
    """Verify, keep and apply one delivery. Raises only when the database cannot keep it."""
    adapter = gateway(gateway_name)
    try:
        adapter.require_known_sender(delivery)
        notices = adapter.read_webhook(delivery)
    except WebhookRefused as refusal:
        unverified.store_rejected(adapter=adapter, delivery=delivery, reason=refusal.reason)
        return WebhookResult.REFUSED
    except WebhookUnverifiable as trouble:
        unverified.store_unverified(adapter=adapter, delivery=delivery, reason=trouble.reason)
        return WebhookResult.FAILED
    with acting(Actor("gateway", gateway_name)):
        results = [_receive_one(adapter, delivery, notice) for notice in notices]
    return max(results, key=_SEVERITY.index, default=WebhookResult.IGNORED)


# Of several notices in one delivery the worst result is the answer.
_SEVERITY: Final = [
    WebhookResult.IGNORED,
    WebhookResult.REPEATED,
    WebhookResult.APPLIED,
    WebhookResult.UNKNOWN_REFERENCE,
    WebhookResult.MISMATCH,
    WebhookResult.FAILED,
]


def _receive_one(adapter: Gateway, delivery: Delivery, notice: Notice) -> WebhookResult:
    """Store the event and apply it in one commit; what cannot be applied is stored by itself."""
    event = _event(adapter, delivery, notice)
    try:
        return _keep_and_apply(adapter, event, notice)
    except Exception:
        logger.exception("webhook_not_applied", extra={"event": str(event.pk)})
    return _keep_for_later(_event(adapter, delivery, notice), notice)


@db_transaction.atomic(durable=True)
def _keep_and_apply(adapter: Gateway, event: WebhookEvent, notice: Notice) -> WebhookResult:
    """The first of many equal ones wins. Waits for one that is being stored now."""
    # What becomes of nearly every event stands in its row from the start, and spares an update.
    event.state, event.applied_at = _expected(notice), timezone.now()
    event.transaction_id = _find_transaction(event.gateway, notice)
    if not bulk.insert_new(event):
        return _on_repeated(adapter, notice)
    result = _apply(event, notice)
    if _STATE_OF[result] != event.state:
        _write_result(event, notice, result)
    return result


def _expected(notice: Notice) -> WebhookState:
    return WebhookState.APPLIED if notice.outcome else WebhookState.IGNORED


@db_transaction.atomic(durable=True)
def _keep_for_later(event: WebhookEvent, notice: Notice) -> WebhookResult:
    """Nothing of it has been applied: store it, for us to try again."""
    if bulk.insert_new(event):
        _write_result(event, notice, WebhookResult.FAILED)
    else:
        _count_delivery(event)
    return WebhookResult.FAILED


def _count_delivery(event: WebhookEvent) -> None:
    same = WebhookEvent.objects.filter(gateway=event.gateway, event_id=event.event_id)
    same.filter(verified=True).update(deliveries=F("deliveries") + 1)


def _on_repeated(adapter: Gateway, notice: Notice) -> WebhookResult:
    """The same event again: done before, or another chance for what could not be applied."""
    event = WebhookEvent.objects.select_for_update(no_key=True).get(
        gateway=adapter.name, event_id=notice.event_id, verified=True
    )
    _count_delivery(event)
    match WebhookState(event.state):
        case WebhookState.APPLIED:
            return WebhookResult.REPEATED
        case WebhookState.IGNORED:
            return WebhookResult.IGNORED
        case WebhookState.MISMATCH:
            return WebhookResult.MISMATCH
    result = _apply(event, notice)
    _write_result(event, notice, result)
    return result


def retry(*, event: WebhookEvent) -> None:
    """Verify or apply a kept event that a worker has claimed."""
    try:
        # Outside of any transaction: reading may have to fetch a certificate.
        adapter = gateway(event.gateway)
        delivery = _read_delivery(event)
        with acting(Actor("gateway", event.gateway)):
            if event.verified:
                _apply_again(event, _read_notice(adapter, delivery, event.event_id))
            else:
                _verify_again(adapter, delivery, event)
    except WebhookUnverifiable as trouble:
        ids = {"event": str(event.pk), "reason": trouble.reason}
        logger.warning("webhook_not_verified", extra=ids)
        _put_off(event, CaseKind.UNVERIFIED)
    except Exception:
        logger.exception("webhook_not_applied", extra={"event": str(event.pk)})
        _put_off(event, CaseKind.PROCESSING_ERROR)


def _verify_again(adapter: Gateway, delivery: Delivery, event: WebhookEvent) -> None:
    """Read what could not be verified before. Proven, it is received as if it came now."""
    try:
        notices = adapter.read_webhook(delivery)
    except WebhookRefused as refusal:
        unverified.refuse(event, refusal.reason)
        return
    for notice in notices:
        _receive_one(adapter, delivery, notice)
    unverified.mark_replaced(event)


@db_transaction.atomic(durable=True)
def _put_off(event: WebhookEvent, kind: CaseKind) -> None:
    if event.retry_later() and event.is_exhausted:
        _open_case(event, kind)


@db_transaction.atomic(durable=True)
def _apply_again(event: WebhookEvent, notice: Notice) -> None:
    # The event is locked before the order, as by a repeated delivery, or the two could deadlock;
    # and whoever was faster with it has said all there is to say.
    if event.fenced().filter(state__in=UNFINISHED).select_for_update(no_key=True).first():
        _write_result(event, notice, _apply(event, notice))


def _read_delivery(event: WebhookEvent) -> Delivery:
    """The kept bytes, as of the time they came (signatures may carry a time)."""
    return Delivery(
        body=bytes(event.body),
        query_string=event.query_string,
        headers=event.headers,
        received_at=event.received_at,
    )


def _read_notice(adapter: Gateway, delivery: Delivery, event_id: str) -> Notice:
    notices = {notice.event_id: notice for notice in adapter.read_webhook(delivery)}
    return notices[event_id]


def _apply(event: WebhookEvent, notice: Notice) -> WebhookResult:
    if event.transaction_id is None:
        event.transaction_id = _find_transaction(event.gateway, notice)
    if notice.subject is not Subject.PAYMENT:
        return _apply_reversal(event, notice)
    if notice.outcome is None:
        return WebhookResult.IGNORED
    if event.transaction_id is None and notice.outcome.kind in TAKEN_OR_HELD:
        # Money for a payment that is elsewhere must not wait until parking is given up.
        event.transaction_id = _find_elsewhere(notice)
    if event.transaction_id is None:
        return WebhookResult.UNKNOWN_REFERENCE
    evidence = Evidence(
        event.transaction_id, notice.outcome, Source.WEBHOOK, str(event.pk), gateway=event.gateway
    )
    return _RESULT_OF[apply_outcomes([evidence])[0].action]


def _apply_reversal(event: WebhookEvent, notice: Notice) -> WebhookResult:
    """Money went back, and not by us: a person must know which payment it belonged to."""
    outcome = notice.outcome
    if outcome is None or outcome.kind is not OutcomeKind.SUCCEEDED:
        return WebhookResult.IGNORED
    detail = {"subject": notice.subject, "psp_reference": notice.psp_reference}
    finding = CaseReport(
        kind=CaseKind.REVERSAL,
        transaction=event.transaction,
        webhook_event=event,
        money=outcome.money,
        detail={**detail, "payment_psp_reference": notice.payment_psp_reference},
    )
    opening.open_cases([finding])
    return WebhookResult.APPLIED


_BY_THEIRS: Final = "WHERE t.psp_reference = %s AND t.gateway = %s ORDER BY t.id LIMIT 1"


def _find_transaction(gateway_name: str, notice: Notice) -> UUID | None:
    """By our reference, which was frozen before the call; else by theirs.

    A refund's reference is its own: it names its payment only by the gateway's.
    """
    is_payment = notice.subject is Subject.PAYMENT
    own = None if notice.subject is Subject.REFUND else _as_id(notice.reference)
    theirs = notice.psp_reference if is_payment else notice.payment_psp_reference
    if own is None and not theirs:
        return None
    tail = "WHERE t.id = %s AND t.gateway = %s" if own else _BY_THEIRS
    found = bulk.select(Transaction, tail, [own or theirs, gateway_name])
    if found or is_payment:
        return found[0].pk if found else None
    return _find_by_further_number(gateway_name, theirs)


def _find_by_further_number(gateway_name: str, number: str) -> UUID | None:
    """A reversal may name its payment by what was taken of it: its capture, its charge."""
    names = gateway(gateway_name).secondary_reference_keys if number else ()
    if not names:
        return None
    taken = Q.create([Q(psp_data__contains={name: number}) for name in names], Q.OR)
    found = Transaction.objects.filter(taken, gateway=gateway_name, status__in=WITH_MONEY)
    return next(iter(found.values_list("pk", flat=True)), None)


def _find_elsewhere(notice: Notice) -> UUID | None:
    """The payment of that reference, whichever gateway has it now."""
    own = _as_id(notice.reference)
    return Transaction.objects.filter(pk=own).values_list("pk", flat=True).first() if own else None


def _as_id(reference: str) -> UUID | None:
    try:
        return UUID(hex=reference)
    except ValueError:
        return None


def _write_result(event: WebhookEvent, notice: Notice, result: WebhookResult) -> None:
    """Note what became of the event; what is not finished is due again."""
    state = _STATE_OF[result]
    changes: dict[str, Any] = {"state": state, "transaction_id": event.transaction_id}
    if state in UNFINISHED:
        event.failures += 1
        due_at = None if event.is_exhausted else Now() + event.backoff.delay(event.failures)
        changes |= {"due_at": due_at, "lease_until": None, "failures": event.failures}
        changes["applied_at"] = None
    else:
        changes |= {"due_at": None, "lease_until": None, "applied_at": Now()}
    WebhookEvent.objects.filter(pk=event.pk).update(**changes)
    if state in UNFINISHED and event.is_exhausted:
        _open_case(event, CaseKind.UNMATCHED, notice)


def _open_case(event: WebhookEvent, kind: CaseKind, notice: Notice | None = None) -> None:
    money = notice.outcome.money if notice and notice.outcome else None
    opening.open_cases([_unmatched(event, kind, money)])


def _unmatched(event: WebhookEvent, kind: CaseKind, money: Money | None) -> CaseReport:
    return CaseReport(
        kind=kind,
        webhook_event=event,
        money=money,
        detail={
            "gateway": event.gateway,
            "event_id": event.event_id,
            "reference": event.reference,
            "psp_reference": event.psp_reference,
        },
    )


def _event(adapter: Gateway, delivery: Delivery, notice: Notice) -> WebhookEvent:
    return WebhookEvent(
        id=uuid7(),
        gateway=adapter.name,
        event_id=notice.event_id,
        event_type=notice.event_type,
        verified=True,
        state=WebhookState.NEW,
        reference=notice.reference,
        psp_reference=notice.psp_reference,
        body=delivery.body,
        query_string=delivery.query_string,
        headers=unverified.kept_headers(adapter, delivery),
        received_at=delivery.received_at,
    )
