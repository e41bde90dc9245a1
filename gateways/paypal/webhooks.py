"""PayPal's webhooks: proven to be PayPal's, then read as hints about what to ask."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from gateways.foreign_json import read_json_object
from gateways.operation import Json
from gateways.outcome import Failure, FailureCode, Outcome, OutcomeKind
from gateways.paypal import amounts
from gateways.paypal.certificates import Certificates, CertificateUnavailable
from gateways.paypal.config import Config
from gateways.paypal.mapping import DISPUTE_OUTCOMES, EVENTS, OPEN_DISPUTES, Event
from gateways.paypal.order import child, first_unit, read_text
from gateways.paypal.refunds import read_references, read_refund
from gateways.paypal.signing import Transmission
from gateways.webhook import (
    Delivery,
    Notice,
    Subject,
    WebhookRefused,
    WebhookUnverifiable,
)
from money.money import Money

# Asks PayPal whether a transmission of raw bytes is genuine for a webhook id; None: no answer.
AskPaypal = Callable[[Transmission, str, bytes], bool | None]


def read(
    delivery: Delivery, config: Config, certificates: Certificates, ask_paypal: AskPaypal
) -> tuple[Notice, ...]:
    """The one event of a delivery. Raises ``WebhookRefused`` and ``WebhookUnverifiable``."""
    event = read_json_object(delivery.body)
    if event is None:
        raise WebhookRefused("the body is no JSON object")
    transmission = Transmission.from_headers(delivery.headers)
    _require_genuine(transmission, delivery, config, certificates, ask_paypal)
    event_id, event_type = read_text(event, "id"), read_text(event, "event_type")
    if not event_id:
        raise WebhookRefused("the event has no id")
    known = EVENTS.get(event_type)
    if known is None:
        return (Notice(event_id, event_type),)
    return (_READERS[known.subject](event_id, event_type, known, child(event, "resource")),)


def _require_genuine(
    transmission: Transmission,
    delivery: Delivery,
    config: Config,
    certificates: Certificates,
    ask_paypal: AskPaypal,
) -> None:
    is_local = config.webhook_verification == "local"
    if is_local and _is_proven_here(transmission, delivery, config, certificates):
        return
    # PayPal itself can still tell.
    verdicts = [ask_paypal(transmission, each, delivery.body) for each in config.webhook_ids]
    if True in verdicts:
        return
    if None in verdicts:
        raise WebhookUnverifiable("PayPal could not be asked")
    raise WebhookRefused("PayPal disowns it")


def _is_proven_here(
    transmission: Transmission, delivery: Delivery, config: Config, certificates: Certificates
) -> bool:
    """Whether PayPal signed it; False where that cannot be told here. Raises ``WebhookRefused``."""

    def fits(key: RSAPublicKey) -> bool:
        # The webhook id is ours by our settings; nothing in the request can name it.
        ids = config.webhook_ids
        return any(transmission.is_signed_by(key, each, delivery.body) for each in ids)

    try:
        certificates.require_signed(transmission.cert_url, delivery.received_at, fits)
    except CertificateUnavailable:
        return False
    return True


def _read_payment(event_id: str, event_type: str, known: Event, resource: Json) -> Notice:
    """About an order, a capture or a hold: what it says is asked for again, not believed."""
    is_order = event_type.startswith("CHECKOUT.ORDER.")
    unit = first_unit(resource)
    order_id = read_text(resource, "id") if is_order else _read_order_id(resource)
    reference = next(iter(read_references(resource) or read_references(unit)), "")
    return Notice(
        event_id,
        event_type,
        reference=reference,
        psp_reference=order_id,
        outcome=Outcome(
            OutcomeKind.PENDING,
            money=amounts.read(unit.get("amount") if is_order else resource.get("amount")),
            reference=reference,
            psp_reference=order_id,
            next_verb=known.next_verb,
        ),
    )


def _read_refund(event_id: str, event_type: str, known: Event, resource: Json) -> Notice:
    """About a refund, ours or one that somebody made on PayPal's own pages."""
    outcome = read_refund(resource)
    return Notice(
        event_id,
        event_type,
        reference=outcome.reference,
        psp_reference=outcome.psp_reference,
        outcome=replace(outcome, next_verb=known.next_verb),
        subject=Subject.REFUND,
        payment_psp_reference=_read_order_id(resource) or _up(resource, "captures"),
    )


def _read_dispute(event_id: str, event_type: str, _known: Event, resource: Json) -> Notice:
    """About a dispute, or a capture that PayPal took back (which comes with no dispute's id)."""
    if event_type == "PAYMENT.CAPTURE.REVERSED":
        return _read_reversal(event_id, event_type, resource)
    return read_dispute(event_id, event_type, resource)


def _read_reversal(event_id: str, event_type: str, resource: Json) -> Notice:
    # PayPal's samples show the refund that took the money, and its capture only as a link. A
    # dispute may tell of the same money under its own id: the capture's id joins the two.
    capture_id = _up(resource, "captures") or read_text(resource, "id")
    return Notice(
        event_id,
        event_type,
        reference=next(iter(read_references(resource)), ""),
        psp_reference=capture_id,
        outcome=Outcome(
            OutcomeKind.SUCCEEDED,
            money=amounts.read(resource.get("amount")),
            psp_reference=capture_id,
            psp_data={"capture_id": capture_id},
        ),
        subject=Subject.DISPUTE,
        payment_psp_reference=_read_order_id(resource) or capture_id,
    )


_READERS: Final[dict[Subject, Callable[[str, str, Event, Json], Notice]]] = {
    Subject.PAYMENT: _read_payment,
    Subject.REFUND: _read_refund,
    Subject.DISPUTE: _read_dispute,
}


def read_dispute(event_id: str, event_type: str, dispute: Json) -> Notice:
    """A dispute as a notice, whether PayPal told of it or was asked."""
    outcome = _dispute_outcome(dispute)
    disputed = _disputed(dispute)
    return Notice(
        event_id,
        event_type,
        reference=read_text(disputed, "custom") or read_text(disputed, "invoice_number"),
        psp_reference=outcome.psp_reference,
        outcome=outcome,
        subject=Subject.DISPUTE,
        payment_psp_reference=read_text(disputed, "seller_transaction_id"),
    )


def _dispute_outcome(dispute: Json) -> Outcome:
    """SUCCEEDED: the money is gone. DECLINED: it stays, or came back. PENDING: still open."""
    status = read_text(dispute, "status")
    decided = read_text(child(dispute, "dispute_outcome"), "outcome_code")
    kind = OutcomeKind.PENDING if status in OPEN_DISPUTES else OutcomeKind.UNKNOWN
    if status == "RESOLVED":
        kind = DISPUTE_OUTCOMES.get(decided, OutcomeKind.UNKNOWN)
    facts = {
        "reason": read_text(dispute, "reason"),
        "stage": read_text(dispute, "dispute_life_cycle_stage"),
        "status": status,
        "capture_id": read_text(_disputed(dispute), "seller_transaction_id"),
        "respond_by": read_text(dispute, "seller_response_due_date"),
    }
    won = Failure(FailureCode.DECLINED, decided) if kind is OutcomeKind.DECLINED else None
    return Outcome(
        kind,
        money=_disputed_money(dispute, kind),
        psp_reference=read_text(dispute, "dispute_id"),
        failure=won,
        psp_data={name: value for name, value in facts.items() if value},
    )


def _disputed_money(dispute: Json, kind: OutcomeKind) -> Money | None:
    """What is gone, which may be a part of what was disputed; else what is disputed."""
    given_back = child(dispute, "dispute_outcome").get("amount_refunded")
    gone = amounts.read(given_back) if kind is OutcomeKind.SUCCEEDED else None
    return gone or amounts.read(dispute.get("dispute_amount"))


def _disputed(dispute: Json) -> Json:
    listed = dispute.get("disputed_transactions")
    first = listed[0] if isinstance(listed, list) and listed else None
    return first if isinstance(first, dict) else {}


def _read_order_id(resource: Json) -> str:
    """The order of a capture, a hold or a reversed approval, which name it in three ways."""
    related = child(child(resource, "supplementary_data"), "related_ids")
    named = read_text(related, "order_id") or read_text(resource, "order_id")
    return named or _up(resource, "orders")


def _up(resource: Json, kind: str) -> str:
    """The id of what a resource came from, if its link says that it is of this kind."""
    links = resource.get("links")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and link.get("rel") == "up":
            above, _, psp_id = read_text(link, "href").rstrip("/").rpartition("/")
            return psp_id if above.endswith(f"/{kind}") else ""
    return ""
