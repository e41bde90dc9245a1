"""Which operation comes next for a transaction: decided from its row and its earlier calls."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Final

from gateways.base import Gateway
from gateways.operation import Verb
from money.money import Money
from payments.models import GatewayCall, Transaction
from payments.states import Status

# So often an unanswered operation is sent before the gateway is asked about it.
SENDS_BEFORE_A_QUERY: Final = 3


def next_operation(
    payment: Transaction, calls: Sequence[GatewayCall], adapter: Gateway, now: datetime
) -> tuple[Verb, GatewayCall | None]:
    """The verb to send now, and its stored call when the same bytes are sent once more."""
    open_calls = [call for call in calls if call.answered_at is None]
    unanswered = {call.verb: call for call in open_calls if not _is_superseded(call, payment)}
    verb = _repeatable(payment, unanswered, adapter, now)
    verb = verb or _new_verb(payment, calls, unanswered, adapter)
    # A query is never repeated under its old number: some gateways refuse that.
    return verb, None if verb is Verb.QUERY else unanswered.get(verb)


def find_money(verb: Verb, payment: Transaction) -> Money | None:
    """A capture of a hold names its amount; the capture that follows an approval takes all."""
    return payment.capture_money if verb is Verb.CAPTURE else None


def is_remembered(call: GatewayCall, adapter: Gateway, at: datetime) -> bool:
    """Whether the gateway knew the key of ``call`` at that time, and repeats what it answered."""
    if adapter.key_lifetime is None or call.first_sent_at is None:
        return True
    return at - call.first_sent_at < adapter.key_lifetime


def is_expired_unanswered(call: GatewayCall, payment: Transaction, adapter: Gateway) -> bool:
    """Whether the end of a hold can never be answered: forgotten there, when it was asked last.

    While the money is held all the same, it was never carried out.
    """
    is_open = call.answered_at is None and not _is_superseded(call, payment)
    asked_at = payment.queried_at
    return is_open and asked_at is not None and not is_remembered(call, adapter, asked_at)


def _is_superseded(call: GatewayCall, payment: Transaction) -> bool:
    """Whether the hold that it was to make is known from elsewhere: its own answer is no news.

    Some gateways hold and capture by the same verb: a repeat would pass for the capture that
    somebody asked for since.
    """
    asked_at = _asked_at(payment)
    if payment.status != Status.AUTHORIZED or call.first_sent_at is None:
        return False
    return asked_at is None or call.first_sent_at < asked_at


def _asked_at(payment: Transaction) -> datetime | None:
    """When somebody asked for an end, or else for a capture."""
    return payment.cancel_requested_at or payment.capture_requested_at


def _answered_since_asked(payment: Transaction, calls: Sequence[GatewayCall]) -> frozenset[str]:
    """The verbs that have been answered since somebody asked for an end or a capture."""
    asked_at = _asked_at(payment)
    return frozenset(
        call.verb
        for call in calls
        if call.answered_at and asked_at and call.last_sent_at and call.last_sent_at >= asked_at
    )


def _repeatable(
    payment: Transaction, unanswered: Mapping[str, GatewayCall], adapter: Gateway, now: datetime
) -> Verb | None:
    """The unanswered operation to send once more, if there is one.

    While the gateway remembers its key, the same bytes are sent again and the truth comes
    back; after that only a query is safe.
    """
    for verb, call in unanswered.items():
        if verb == Verb.QUERY or not is_remembered(call, adapter, now):
            continue
        if not _should_ask_first(call, payment) and not _is_unwanted(call, payment):
            return Verb(verb)
    return None


def _is_unwanted(call: GatewayCall, payment: Transaction) -> bool:
    """Whether it would take money, perhaps for the first time, that nobody wants taken now."""
    takes_money = call.verb == Verb.CAPTURE or (call.verb == Verb.CREATE and payment.payment_token)
    return bool(payment.cancel_code and takes_money)


def _new_verb(
    payment: Transaction,
    calls: Sequence[GatewayCall],
    unanswered: Mapping[str, GatewayCall],
    adapter: Gateway,
) -> Verb:
    """What to send for the first time; a query about what may not be sent again."""
    if _starts_here(payment, calls):
        return Verb.CREATE
    verb = _next_verb(payment, _answered_since_asked(payment, calls), adapter)
    # Until the gateway has named what it created there is nothing to capture or to close.
    is_named = bool(payment.psp_reference) or Verb.CREATE not in unanswered
    return verb if is_named and verb not in unanswered else Verb.QUERY


def _starts_here(payment: Transaction, calls: Sequence[GatewayCall]) -> bool:
    """Whether this gateway has heard nothing of it: it is new, or comes from another one."""
    if payment.status == Status.PENDING:
        return True
    return payment.reroutes > 0 and all(call.verb != Verb.CREATE for call in calls)


def _next_verb(payment: Transaction, answered: AbstractSet[str], adapter: Gateway) -> Verb:
    """What comes next for ``payment``. CAPTURE, VOID and CLOSE are answered once; then we ask."""
    if payment.status == Status.AUTHORIZED:
        wanted = Verb.VOID if payment.cancel_code else Verb.CAPTURE
        asked = bool(payment.cancel_code) or payment.capture_amount is not None
        return wanted if asked and wanted not in answered else Verb.QUERY
    if payment.cancel_code:
        closable = adapter.capabilities.close and Verb.CLOSE not in answered
        return Verb.CLOSE if closable else Verb.QUERY
    return Verb(payment.next_verb or Verb.QUERY)


def _should_ask_first(call: GatewayCall, payment: Transaction) -> bool:
    """After a few sends in vain, every other look is a query.

    A gateway may have stored its own failure under our key and replay it for ever; then only
    reading tells what happened. What was asked before this call went out told nothing of it.
    """
    if call.sends < SENDS_BEFORE_A_QUERY or call.last_sent_at is None:
        return False
    return payment.queried_at is None or payment.queried_at < call.last_sent_at
