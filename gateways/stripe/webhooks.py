"""Stripe's events: verified over the raw bytes, then read as notices.

Events come more than once and in any order, and their times cannot order them. Each is read for
what its own object says; ``services`` know what still matters.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from gateways.foreign_json import read_json_object
from gateways.outcome import Failure, FailureCode, Outcome, OutcomeKind
from gateways.stripe import mapping, objects, requests, signing
from gateways.webhook import Answer, Delivery, Notice, Subject, WebhookRefused, make_answers

HEADER: Final = "stripe-signature"

# Any 2xx ends Stripe's retries: what was kept is ours to apply. Only forgeries get a 400.
_RECEIVED: Final = Answer(200, '{"received": true}', "application/json")
ANSWERS: Final = make_answers(
    stored=_RECEIVED,
    refused=Answer(400, '{"error": "invalid signature"}', "application/json"),
    failed=_RECEIVED,
)


def read(delivery: Delivery, secrets: tuple[str, ...]) -> Notice:
    """Verify and parse one event. Raises WebhookRefused."""
    header = delivery.headers.get(HEADER, "")
    if not signing.is_genuine(delivery.body, header, secrets, delivery.received_at.timestamp()):
        raise WebhookRefused("Stripe-Signature does not fit")
    event = read_json_object(delivery.body)
    if event is None or not objects.text(event, "id"):
        raise WebhookRefused("the body is no event")
    return _notice(event)


def sample(secret: str, now: datetime) -> Delivery:
    """An event about nothing."""
    body = b'{"id": "evt_sample", "type": "sample", "data": {"object": {}}}'
    timestamp = int(now.timestamp())
    header = f"t={timestamp},v1={signing.sign(body, secret, timestamp)}"
    return Delivery(body=body, query_string="", headers={HEADER: header}, received_at=now)


def _notice(event: Mapping[str, object]) -> Notice:
    event_type = objects.text(event, "type")
    source = objects.member(objects.member(event, "data"), "object")
    if event_type in mapping.REFUND_EVENTS:
        return _refund_notice(event, source)
    if event_type == mapping.DISPUTE_CLOSED or event_type in mapping.DISPUTE_EVENTS:
        return _dispute_notice(event, source)
    outcome = _payment_outcome(event_type, source)
    return Notice(
        event_id=objects.text(event, "id"),
        event_type=event_type,
        reference=outcome.reference if outcome else _read_reference(source),
        psp_reference=outcome.psp_reference if outcome else _read_payment_intent(source),
        outcome=_read_event(outcome, event) if outcome else None,
    )


def _payment_outcome(event_type: str, source: Mapping[str, object]) -> Outcome | None:
    if event_type in mapping.INTENT_EVENTS:
        return objects.read_payment_intent(source, is_query=False)
    if event_type in mapping.CHARGE_EVENTS and _read_payment_intent(source):
        return objects.read_charge(source)
    if event_type not in mapping.SESSION_EVENTS:
        return None
    outcome = objects.read_session(source, is_query=False)
    if event_type != mapping.SESSION_FAILED:
        return outcome
    # The page is complete and cannot be tried again: the delayed method has said no.
    failure = Failure(FailureCode.DECLINED, event_type)
    return replace(outcome, kind=OutcomeKind.DECLINED, failure=failure, money=None)


def _refund_notice(event: Mapping[str, object], refund: Mapping[str, object]) -> Notice:
    """A refund, ours or one that was made in Stripe's dashboard and has no reference of ours."""
    outcome = objects.read_refund(refund)
    is_uncaptured = objects.text(refund, "reason") == mapping.UNCAPTURED
    return Notice(
        event_id=objects.text(event, "id"),
        event_type=objects.text(event, "type"),
        reference=outcome.reference,
        psp_reference=outcome.psp_reference,
        outcome=None if is_uncaptured else _read_event(outcome, event),
        subject=Subject.REFUND,
        payment_psp_reference=objects.linked_id(refund, "payment_intent"),
    )


def _dispute_notice(event: Mapping[str, object], dispute: Mapping[str, object]) -> Notice:
    event_type = objects.text(event, "type")
    status = objects.text(dispute, "status")
    kinds = mapping.DISPUTE_ENDS if event_type == mapping.DISPUTE_CLOSED else mapping.DISPUTE_EVENTS
    word = status if event_type == mapping.DISPUTE_CLOSED else event_type
    outcome = objects.read_dispute(dispute, kinds.get(word, OutcomeKind.UNKNOWN))
    event_id = objects.text(event, "id")
    return objects.dispute_notice(event_id, event_type, dispute, _read_event(outcome, event))


def _read_event(outcome: Outcome, event: Mapping[str, object]) -> Outcome:
    # The event says the mode, and the account where it is a connected one.
    return replace(
        outcome, live=objects.flag(event, "livemode"), account=objects.text(event, "account")
    )


def _read_reference(source: Mapping[str, object]) -> str:
    return objects.text(objects.member(source, "metadata"), requests.REFERENCE)


def _read_payment_intent(source: Mapping[str, object]) -> str:
    return objects.linked_id(source, "payment_intent")
