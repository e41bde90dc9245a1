"""What became of a payment, in a sentence; and what happens next."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils import timezone

from gateways.operation import Verb
from gateways.outcome import OutcomeKind
from payments.admin.badges import format_sum, short_id
from payments.models import GatewayBreaker, GatewayCall, Transaction, WebhookEvent, WebhookState
from payments.processing.next_operation import next_operation
from payments.routing.registry import gateways
from payments.states import Status


@dataclass(frozen=True, slots=True)
class Summary:
    """The sentence, its colour, and remarks on what was unusual on the way."""

    sentence: str
    tone: str
    remarks: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class NextStep:
    """What happens next, and when; ``at`` is None where no clock decides it."""

    sentence: str
    at: datetime | None = None


# Why it failed → what staff may tell the shopper. What is missing here is told by its code.
_ENDS: Final[Mapping[str, str]] = {
    "declined": "The gateway declined it",
    "insufficient_funds": "Declined: not enough money on the account or card",
    "card_expired": "Declined: the card has expired",
    "incorrect_code": "Declined: a wrong code or password",
    "authentication_failed": "Declined: the shopper could not be authenticated",
    "account_blocked": "Declined: the account or card is blocked",
    "limit_exceeded": "Declined: over a limit of the account or card",
    "suspected_fraud": "Declined: the gateway suspects fraud",
    "method_unavailable": "The bank or wallet was not available",
    "invalid_request": "The gateway refused what we sent",
    "cancelled": "It was cancelled",
    "expired": "Nobody paid before the link ended",
    "superseded": "It was given up for another way of paying",
    "never_sent": "It ended before anything was sent",
}


def build_summary(
    payment: Transaction,
    *,
    siblings: Sequence[Transaction],
    calls: Sequence[GatewayCall],
    webhooks: Sequence[WebhookEvent],
) -> Summary:
    """The answer to "what happened to this payment?"."""
    sentence, tone = _SENTENCES[Status(payment.status)](payment, siblings)
    return Summary(sentence, tone, list(_remarks(payment, calls, webhooks)))


def _pending(payment: Transaction, siblings: Sequence[Transaction]) -> tuple[str, str]:
    return f"Stored; nothing has been sent to {payment.gateway} yet. Nobody is charged.", "open"


def _processing(payment: Transaction, siblings: Sequence[Transaction]) -> tuple[str, str]:
    if payment.next_action:
        return f"The shopper has the gateway's page. {payment.gateway} has not said “paid”.", "open"
    if payment.last_failure:
        code = payment.last_failure.get("code", "")
        return f"A try was declined ({code}); the shopper may try again on the same page.", "open"
    return f"Under way: {payment.gateway} has said nothing definite yet. It has not failed.", "open"


def _authorized(payment: Transaction, siblings: Sequence[Transaction]) -> tuple[str, str]:
    return f"{format_sum(payment.amount, payment.currency)} are held, not taken.", "open"


def _success(payment: Transaction, siblings: Sequence[Transaction]) -> tuple[str, str]:
    taken = format_sum(payment.amount_captured, payment.currency)
    if payment.applied:
        return f"Paid: {payment.gateway} took {taken}, and the order is paid with it.", "good"
    first = next((other for other in siblings if other.applied), None)
    why = f"the order had been paid by {short_id(first)}" if first else "the order was cancelled"
    charged = f"Charged, but it pays nothing: {payment.gateway} took {taken}, and {why}."
    return f"{charged} The money is in suspense until a person decides.", "bad"


def _failed(payment: Transaction, siblings: Sequence[Transaction]) -> tuple[str, str]:
    reason = _ENDS.get(payment.failure_code, f"It failed ({payment.failure_code})")
    theirs = payment.failure_detail.get("gateway_code", "")
    said = f" ({payment.gateway}'s code {theirs})" if theirs else ""
    return f"{reason}{said}. As far as the gateway has said, no money was taken.", "bad"


_SENTENCES: Final[
    Mapping[Status, Callable[[Transaction, Sequence[Transaction]], tuple[str, str]]]
] = {
    Status.PENDING: _pending,
    Status.PROCESSING: _processing,
    Status.AUTHORIZED: _authorized,
    Status.SUCCESS: _success,
    Status.FAILED: _failed,
}


def _remarks(
    payment: Transaction, calls: Sequence[GatewayCall], webhooks: Sequence[WebhookEvent]
) -> list[str]:
    """What was out of the ordinary."""
    remarks = []
    if any(_was_lost(call) for call in calls):
        remarks.append(
            "An answer of the gateway was lost on the way: it may have acted although we heard"
            " nothing, so it was asked again instead of being charged again."
        )
    refused = sum(event.state == WebhookState.REJECTED for event in webhooks)
    if refused:
        messages = "message" if refused == 1 else "messages"
        remarks.append(f"Refused as not genuine, and without effect: {refused} {messages}.")
    if payment.cancel_code and payment.is_live:
        remarks.append(f"Its end is asked for ({payment.cancel_code}).")
    return remarks


def _was_lost(call: GatewayCall) -> bool:
    """Sent more than once, or left without a definite word."""
    return call.verb == Verb.CREATE and (call.sends > 1 or call.outcome == OutcomeKind.UNKNOWN)


def next_step(
    payment: Transaction,
    calls: Sequence[GatewayCall],
    *,
    has_open_case: bool,
    breaker: GatewayBreaker | None,
) -> NextStep:
    """What the system, or a person, does next. ``breaker`` is that of a gateway that is down."""
    if not payment.is_live:
        if has_open_case:
            return NextStep("A person must resolve the open case.")
        return NextStep("Nothing: it has ended.")
    if payment.lease_until and payment.lease_until > timezone.now():
        return NextStep("A worker is at it now, at the latest until", payment.lease_until)
    if breaker is not None:
        waits = f"{payment.gateway} does not answer, and is sent nothing until it does."
        return NextStep(
            f"{waits} Then this goes on by itself. It is tried again at", breaker.probe_at
        )
    return _next_look(payment, calls)


def _next_look(payment: Transaction, calls: Sequence[GatewayCall]) -> NextStep:
    if payment.due_at is None:
        return NextStep("Nothing is planned, though it is open: a person must look.")
    if payment.status == Status.PENDING:
        return NextStep("A worker takes it up from", payment.due_at)
    adapter = gateways().get(payment.gateway)
    if adapter is None:
        return NextStep(f"{payment.gateway} is not configured here any more, so nobody asks it.")
    here = [call for call in calls if call.gateway == payment.gateway]
    verb, _ = next_operation(payment, here, adapter, payment.due_at)
    what = _WORK.get(verb, f"how it stands (query {payment.queries + 1})")
    return NextStep(f"{payment.gateway} is asked {what} at", payment.due_at)


# A query is the rule, and is told with its number.
_WORK: Final[Mapping[Verb, str]] = {
    Verb.CREATE: "once more to collect the money",
    Verb.CAPTURE: "to take the money",
    Verb.VOID: "to release the money",
    Verb.CLOSE: "to close its page",
}
