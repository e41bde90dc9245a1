"""An answer of Stripe's API, good or bad, as an Outcome."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from gateways.http import HttpAnswer
from gateways.operation import Operation, Verb
from gateways.outcome import Outcome, OutcomeKind
from gateways.stripe import mapping, objects, requests

# A request with the same key is still running; it will have ended soon.
_CONFLICT_WAIT_S: Final = 2
_SUCCESS: Final = range(200, 300)
# What the status of a PaymentIntent means when nothing was taken, and nothing is on its way.
_WITHOUT_MONEY: Final = frozenset({OutcomeKind.UNPAID, OutcomeKind.DECLINED})
# Personal data that Stripe sends along and that nobody needs to see in an exchange.
PERSONAL: Final = frozenset(
    {"billing_details", "collected_information", "customer_details", "shipping"}
)


def read_answer(operation: Operation, answer: HttpAnswer) -> Outcome:
    """What ``answer`` says about the payment, or about the refund of the operation."""
    content = answer.json()
    if content is None:
        return Outcome(OutcomeKind.UNKNOWN)
    if answer.status in _SUCCESS:
        outcome = _READERS[str(operation.request["call"])](operation, content)
        return _require_echo(operation, outcome)
    return _read_error(operation, answer, objects.member(content, "error"))


def _read_intent(operation: Operation, content: Mapping[str, object]) -> Outcome:
    return objects.read_payment_intent(content, is_query=operation.verb is Verb.QUERY)


def _read_session(operation: Operation, content: Mapping[str, object]) -> Outcome:
    outcome = objects.read_session(content, is_query=operation.verb is Verb.QUERY)
    # A session knows our reference under one name, its PaymentIntent under another: both count.
    same = objects.text(content, "client_reference_id") == operation.details.reference
    return outcome if same else Outcome(OutcomeKind.UNKNOWN)


def _read_search(operation: Operation, content: Mapping[str, object]) -> Outcome:
    """Nothing found is the truth only when the index must have caught up."""
    found = _items(content)
    if len(found) == 1:
        return objects.read_payment_intent(found[0], is_query=True)
    is_settled = operation.now - operation.details.created_at > requests.SEARCH_LAG_MAX
    nothing = not found and content.get("data") == [] and is_settled
    kind = OutcomeKind.UNPAID if nothing else OutcomeKind.UNKNOWN
    return Outcome(kind, reference=operation.details.reference)


def _read_refund(_: Operation, content: Mapping[str, object]) -> Outcome:
    return objects.read_refund(content)


def _read_refunds(operation: Operation, content: Mapping[str, object]) -> Outcome:
    """The refund that carries our reference, among those of its payment."""
    outcomes = [objects.read_refund(item) for item in _items(content)]
    for outcome in outcomes:
        if outcome.reference == operation.refund_reference:
            return outcome
    is_whole = content.get("has_more") is False and content.get("data") is not None
    kind = OutcomeKind.UNPAID if is_whole else OutcomeKind.UNKNOWN
    return Outcome(kind, reference=operation.refund_reference)


_READERS: Final[dict[str, Callable[[Operation, Mapping[str, object]], Outcome]]] = {
    "payment_intents.create": _read_intent,
    "payment_intents.retrieve": _read_intent,
    "payment_intents.search": _read_search,
    "payment_intents.capture": _read_intent,
    "payment_intents.cancel": _read_intent,
    "checkout.sessions.create": _read_session,
    "checkout.sessions.retrieve": _read_session,
    "checkout.sessions.expire": _read_session,
    "refunds.create": _read_refund,
    "refunds.retrieve": _read_refund,
    "refunds.list": _read_refunds,
}


def _require_echo(operation: Operation, outcome: Outcome) -> Outcome:
    """An answer about something else says nothing about what we asked."""
    asked = {
        Verb.REFUND: operation.reference,
        Verb.QUERY_REFUND: operation.refund_reference,
    }.get(operation.verb, operation.details.reference)
    return outcome if outcome.reference == asked else Outcome(OutcomeKind.UNKNOWN)


def _read_error(operation: Operation, answer: HttpAnswer, error: Mapping[str, object]) -> Outcome:
    code, kind = objects.text(error, "code"), objects.text(error, "type")
    if not kind:
        # Every error of Stripe's has one: this is the word of somebody on the way.
        return Outcome(OutcomeKind.UNKNOWN, retry_after_s=answer.retry_after_s)
    if answer.status in mapping.REFUSED_CREDENTIALS:
        return Outcome(OutcomeKind.NOT_DONE, failure=objects.read_error_object(error))
    if answer.status == mapping.LIMITED or code in mapping.LIMIT_CODES:
        return Outcome(OutcomeKind.NOT_DONE, retry_after_s=answer.retry_after_s)
    if answer.status == mapping.CONFLICT:
        wait_s = answer.retry_after_s or _CONFLICT_WAIT_S
        return Outcome(OutcomeKind.UNKNOWN, retry_after_s=wait_s)
    if answer.status not in mapping.DEFINITE or kind not in mapping.ERROR_TYPES:
        return Outcome(OutcomeKind.UNKNOWN, retry_after_s=answer.retry_after_s)
    return _read_refusal(operation, error)


def _read_refusal(operation: Operation, error: Mapping[str, object]) -> Outcome:
    """A definite no to this request. What it means for the payment depends on the verb.

    Refusing to create or to refund is final. Refusing to capture, to void or to close says
    nothing final about the payment itself, but the PaymentIntent that comes with it does.
    """
    failure = objects.read_error_object(error)
    intent = objects.member(error, "payment_intent")
    if intent and operation.verb not in {Verb.REFUND, Verb.QUERY_REFUND}:
        outcome = objects.read_payment_intent(intent, is_query=operation.verb is not Verb.CREATE)
        # One that is cut so short that it names nobody leaves the no to speak for itself, unless
        # there may be money in it.
        if outcome.reference or _may_have_money(intent):
            return _require_echo(operation, replace(outcome, failure=outcome.failure or failure))
    if operation.verb in {Verb.CREATE, Verb.REFUND}:
        reference = operation.reference if operation.verb is Verb.REFUND else ""
        return Outcome(OutcomeKind.DECLINED, reference=reference, failure=failure)
    return Outcome(OutcomeKind.UNKNOWN, failure=failure)


def _may_have_money(intent: Mapping[str, object]) -> bool:
    status = objects.text(intent, "status")
    return bool(status) and mapping.INTENT_STATUSES.get(status) not in _WITHOUT_MONEY


def _items(content: Mapping[str, object]) -> list[Mapping[str, object]]:
    data = content.get("data")
    return [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []
