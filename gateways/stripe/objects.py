"""Stripe's objects as Outcomes: PaymentIntent, Checkout Session, Refund and Dispute.

The same readers serve API answers and webhooks. ``is_query`` tells a question for the truth from
news: to a question, an open page is "unpaid so far".
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from gateways.outcome import Failure, FailureCode, NextAction, Outcome, OutcomeKind
from gateways.stripe import amounts, mapping, requests
from gateways.webhook import Notice, Subject
from privacy.redaction import mask_text

_REDIRECT: Final = "redirect_to_url"


def read_payment_intent(intent: Mapping[str, object], *, is_query: bool) -> Outcome:
    """What a PaymentIntent says about its payment."""
    kind = mapping.INTENT_STATUSES.get(text(intent, "status"), OutcomeKind.UNKNOWN)
    failure = read_error_object(member(intent, "last_payment_error"))
    outcome = Outcome(
        kind,
        reference=text(member(intent, "metadata"), requests.REFERENCE),
        psp_reference=text(intent, "id"),
        live=flag(intent, "livemode"),
        psp_data=_intent_facts(intent),
    )
    match kind:
        case OutcomeKind.SUCCEEDED | OutcomeKind.AUTHORIZED:
            return _with_money(outcome, intent)
        case OutcomeKind.DECLINED:
            return replace(outcome, failure=failure or _cancellation(intent))
        case OutcomeKind.ACTION_REQUIRED:
            return _action_required(outcome, intent, is_query=is_query)
        case OutcomeKind.UNPAID if failure:
            kind = _declined_kind(intent, is_query=is_query)
            return replace(outcome, kind=kind, failure=failure)
        case _:
            return outcome


def read_session(session: Mapping[str, object], *, is_query: bool) -> Outcome:
    """What a Checkout Session says; its PaymentIntent, where it is expanded, knows better."""
    intent = member(session, "payment_intent")
    payment_intent = text(intent, "id") or text(session, "payment_intent")
    outcome = Outcome(
        OutcomeKind.UNKNOWN,
        reference=text(session, "client_reference_id"),
        psp_reference=payment_intent or text(session, "id"),
        live=flag(session, "livemode"),
        psp_data=_session_facts(session, payment_intent),
    )
    match text(session, "status"):
        case mapping.SESSION_OPEN:
            return _open_session(outcome, session, is_query=is_query)
        case mapping.SESSION_EXPIRED:
            expired = Failure(FailureCode.EXPIRED, mapping.SESSION_EXPIRED)
            return replace(outcome, kind=OutcomeKind.DECLINED, failure=expired)
        case mapping.SESSION_COMPLETE if intent:
            return _read_complete_page(read_payment_intent(intent, is_query=is_query), outcome)
        case mapping.SESSION_COMPLETE:
            return _complete_session(outcome, session)
        case _:
            return outcome


def read_charge(charge: Mapping[str, object]) -> Outcome:
    """What the Charge of a PaymentIntent says: the money, once it is taken, and whose card it was.

    Stripe copies the PaymentIntent's metadata to it. A hold is left to the PaymentIntent, which
    also knows whether it still stands.
    """
    payment_intent = linked_id(charge, "payment_intent")
    money = amounts.from_wire(charge.get("amount_captured"), charge.get("currency"))
    is_taken = (
        text(charge, "status") == mapping.CHARGE_TAKEN
        and charge.get("captured") is True
        and money is not None
        and money.minor > 0
    )
    return Outcome(
        OutcomeKind.SUCCEEDED if is_taken else OutcomeKind.PENDING,
        money=money if is_taken else None,
        reference=text(member(charge, "metadata"), requests.REFERENCE),
        psp_reference=payment_intent,
        live=flag(charge, "livemode"),
        psp_data=_present({requests.INTENT_KEY: payment_intent, **_charge_facts(charge)}),
    )


def read_refund(refund: Mapping[str, object]) -> Outcome:
    """What a Refund says about itself. ``succeeded`` may still turn ``failed`` weeks later."""
    kind = mapping.REFUND_STATUSES.get(text(refund, "status"), OutcomeKind.UNKNOWN)
    money = amounts.from_wire(refund.get("amount"), refund.get("currency"))
    failure = None
    if kind is OutcomeKind.DECLINED:
        reason = text(refund, "failure_reason") or text(refund, "status")
        failure = Failure(mapping.REFUND_FAILURES.get(reason, FailureCode.DECLINED), reason)
    return Outcome(
        kind if money else OutcomeKind.UNKNOWN,
        money=money,
        reference=text(member(refund, "metadata"), requests.REFUND_REFERENCE),
        psp_reference=text(refund, "id"),
        failure=failure,
        psp_data=_present(
            {
                requests.INTENT_KEY: linked_id(refund, "payment_intent"),
                "charge": linked_id(refund, "charge"),
                "refund_reason": text(refund, "reason"),
                "pending_reason": text(refund, "pending_reason"),
            }
        ),
    )


def read_dispute(dispute: Mapping[str, object], kind: OutcomeKind) -> Outcome:
    """What a Dispute says. Its amount may differ from the charge's."""
    due_by = member(dispute, "evidence_details").get("due_by")
    return Outcome(
        kind,
        money=amounts.from_wire(dispute.get("amount"), dispute.get("currency")),
        psp_reference=text(dispute, "id"),
        live=flag(dispute, "livemode"),
        psp_data=_present(
            {
                requests.INTENT_KEY: linked_id(dispute, "payment_intent"),
                "charge": linked_id(dispute, "charge"),
                "dispute_status": text(dispute, "status"),
                "dispute_reason": text(dispute, "reason"),
                "evidence_due_by": str(due_by) if isinstance(due_by, int) else "",
            }
        ),
    )


def dispute_notice(
    event_id: str, event_type: str, dispute: Mapping[str, object], outcome: Outcome
) -> Notice:
    """News of a dispute, whether Stripe told it or was asked."""
    return Notice(
        event_id=event_id,
        event_type=event_type,
        psp_reference=outcome.psp_reference,
        outcome=outcome,
        subject=Subject.DISPUTE,
        payment_psp_reference=linked_id(dispute, "payment_intent"),
    )


def read_error_object(error: Mapping[str, object]) -> Failure | None:
    """A ``last_payment_error``, or the ``error`` of an answer; None when there is none."""
    codes = [code for code in (text(error, "decline_code"), text(error, "code")) if code]
    if not codes and not text(error, "type"):
        return None
    words = (*codes, text(error, "param"))
    known = [mapping.FAILURES[word] for word in words if word in mapping.FAILURES]
    by_type = mapping.ERROR_TYPES.get(text(error, "type"), FailureCode.DECLINED)
    return Failure(
        known[0] if known else by_type,
        codes[0] if codes else text(error, "type"),
        mask_text(text(error, "message")),
    )


def member(source: Mapping[str, object], name: str) -> Mapping[str, object]:
    """The object under ``name``; an empty one when there is none."""
    value = source.get(name)
    return value if isinstance(value, Mapping) else {}


def text(source: Mapping[str, object], name: str) -> str:
    """The text under ``name``; empty when there is none."""
    value = source.get(name)
    return value if isinstance(value, str) else ""


def flag(source: Mapping[str, object], name: str) -> bool | None:
    """The boolean under ``name``; None when there is none."""
    value = source.get(name)
    return value if isinstance(value, bool) else None


def linked_id(source: Mapping[str, object], name: str) -> str:
    """The id of a linked object, expanded or not."""
    return text(source, name) or text(member(source, name), "id")


def _with_money(outcome: Outcome, intent: Mapping[str, object]) -> Outcome:
    amount = intent.get(mapping.INTENT_AMOUNTS[outcome.kind])
    money = amounts.from_wire(amount, intent.get("currency"))
    return replace(outcome, money=money, kind=outcome.kind if money else OutcomeKind.UNKNOWN)


def _action_required(outcome: Outcome, intent: Mapping[str, object], *, is_query: bool) -> Outcome:
    """3-D Secure: with a token we send the shopper there, Stripe's page does it by itself."""
    if _is_by_token(intent):
        kind = OutcomeKind.UNPAID if is_query else OutcomeKind.ACTION_REQUIRED
        return replace(outcome, kind=kind, next_action=_next_action(intent))
    return replace(outcome, kind=OutcomeKind.UNPAID if is_query else OutcomeKind.PENDING)


def _declined_kind(intent: Mapping[str, object], *, is_query: bool) -> OutcomeKind:
    """After a decline: the end with a token, one more try on Stripe's page."""
    if _is_by_token(intent):
        return OutcomeKind.DECLINED
    return OutcomeKind.UNPAID if is_query else OutcomeKind.PENDING


def _is_by_token(intent: Mapping[str, object]) -> bool:
    return text(member(intent, "metadata"), requests.FLOW) == requests.FLOW_TOKEN


def _cancellation(intent: Mapping[str, object]) -> Failure:
    reason = text(intent, "cancellation_reason")
    code = mapping.CANCELLATION_REASONS.get(reason, FailureCode.CANCELLED)
    return Failure(code, reason or "canceled")


def _next_action(intent: Mapping[str, object]) -> NextAction | None:
    action = member(intent, "next_action")
    if text(action, "type") != _REDIRECT:
        return None
    url = text(member(action, _REDIRECT), "url")
    return NextAction(url) if url else None


def _open_session(outcome: Outcome, session: Mapping[str, object], *, is_query: bool) -> Outcome:
    url = text(session, "url")
    intent = member(session, "payment_intent")
    return replace(
        outcome,
        kind=OutcomeKind.UNPAID if is_query else OutcomeKind.ACTION_REQUIRED,
        next_action=NextAction(url) if url else None,
        failure=read_error_object(member(intent, "last_payment_error")),
    )


def _read_complete_page(paid: Outcome, page: Outcome) -> Outcome:
    # A page that is complete cannot be tried again: a no after it (delayed methods) is final.
    is_over = paid.failure and paid.kind in {OutcomeKind.UNPAID, OutcomeKind.PENDING}
    kind = OutcomeKind.DECLINED if is_over else paid.kind
    return replace(paid, kind=kind, psp_data={**page.psp_data, **paid.psp_data})


def _complete_session(outcome: Outcome, session: Mapping[str, object]) -> Outcome:
    """A completed session that only names its PaymentIntent, as webhooks bring it.

    "paid" says enough when the money was to be taken at once; a hold is left to the
    PaymentIntent's own event, because Stripe does not say what stands here then.
    """
    is_automatic = text(member(session, "metadata"), requests.CAPTURE) == "automatic"
    is_paid = text(session, "payment_status") == mapping.SESSION_PAID
    if not (is_automatic and is_paid and outcome.psp_data.get(requests.INTENT_KEY)):
        return replace(outcome, kind=OutcomeKind.PENDING)
    money = amounts.from_wire(session.get("amount_total"), session.get("currency"))
    kind = OutcomeKind.SUCCEEDED if money else OutcomeKind.UNKNOWN
    return replace(outcome, kind=kind, money=money)


def _intent_facts(intent: Mapping[str, object]) -> dict[str, str]:
    charge = member(intent, "latest_charge") or {"id": intent.get("latest_charge")}
    return _present({requests.INTENT_KEY: text(intent, "id"), **_charge_facts(charge)})


def _charge_facts(charge: Mapping[str, object]) -> dict[str, str]:
    card = member(member(charge, "payment_method_details"), "card")
    return {
        "charge": text(charge, "id"),
        "balance_transaction": linked_id(charge, "balance_transaction"),
        "card_brand": text(card, "brand"),
        "card_last4": text(card, "last4"),
    }


def _session_facts(session: Mapping[str, object], payment_intent: str) -> dict[str, str]:
    return _present(
        {requests.SESSION_KEY: text(session, "id"), requests.INTENT_KEY: payment_intent}
    )


def _present(facts: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in facts.items() if value}
