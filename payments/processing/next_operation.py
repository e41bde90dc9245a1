"""Which operation comes next for a payment: decided from its row and its earlier calls.

Pure: no database, no clock, no network.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Final

from gateways.base import Gateway
from gateways.operation import Verb
from money.money import Money
from payments.models import GatewayCall, Transaction
from payments.states import Status

# An unanswered operation is sent this many times before the gateway is queried about it.
SENDS_BEFORE_A_QUERY: Final = 3


def next_operation(
    payment: Transaction, calls: Sequence[GatewayCall], adapter: Gateway, now: datetime
) -> tuple[Verb, GatewayCall | None]:
    """The verb to send now, and its stored call when the same bytes are sent once more.

    ``calls`` are the operations of ``payment`` at ``adapter``. The first rule that applies wins.
    """
    unanswered = _find_unanswered(payment, calls)
    if call := _find_repeatable(payment, unanswered, adapter, now):
        return Verb(call.verb), call
    if _is_new_here(payment, calls):
        return Verb.CREATE, unanswered.get(Verb.CREATE)
    if not payment.psp_reference and Verb.CREATE in unanswered:
        # Until the gateway has named what it created there is nothing to capture or to close.
        return Verb.QUERY, None
    verb = _choose_verb(payment, _answered_since_request(payment, calls), adapter)
    # What is unanswered and may not be sent again can only be queried. A query gets a new
    # reference each time: some gateways refuse one that they have seen.
    return (Verb.QUERY if verb in unanswered else verb), None


def find_money(verb: Verb, payment: Transaction) -> Money | None:
    """A capture of a hold names its amount; the capture that follows an approval takes all."""
    return payment.capture_money if verb is Verb.CAPTURE else None


def is_remembered(call: GatewayCall, adapter: Gateway, at: datetime) -> bool:
    """True when the gateway still knew the idempotency key of ``call`` at that time.

    It then answers a repeat of the same bytes with the result of the first send.
    """
    if adapter.key_lifetime is None or call.first_sent_at is None:
        return True
    return at - call.first_sent_at < adapter.key_lifetime


def is_expired_unanswered(call: GatewayCall, payment: Transaction, adapter: Gateway) -> bool:
    """True when a capture or void got no answer and its idempotency key had expired at our query.

    The key is the gateway's, and the query is our last one: if the hold still exists, the request
    was never executed.
    """
    is_open = call.answered_at is None and not _is_superseded(call, payment)
    queried_at = payment.queried_at
    return is_open and queried_at is not None and not is_remembered(call, adapter, queried_at)


def _find_unanswered(
    payment: Transaction, calls: Sequence[GatewayCall]
) -> Mapping[str, GatewayCall]:
    """The calls that may still be answered, by verb."""
    open_calls = [call for call in calls if call.answered_at is None]
    return {call.verb: call for call in open_calls if not _is_superseded(call, payment)}


def _is_superseded(call: GatewayCall, payment: Transaction) -> bool:
    """True when the call was to make a hold that another answer has reported since.

    Some gateways hold and capture by the same verb: without this rule, a repeat of the hold would
    be taken for the capture that was requested later.
    """
    requested_at = _latest_request_time(payment)
    if payment.status != Status.AUTHORIZED or call.first_sent_at is None:
        return False
    return requested_at is None or call.first_sent_at < requested_at


def _latest_request_time(payment: Transaction) -> datetime | None:
    """When the end of the payment was requested, or else its capture; None without a request."""
    return payment.cancel_requested_at or payment.capture_requested_at


def _answered_since_request(payment: Transaction, calls: Sequence[GatewayCall]) -> frozenset[str]:
    """The verbs that were sent and answered since an end or a capture was requested."""
    since = _latest_request_time(payment)
    return frozenset(
        call.verb
        for call in calls
        if call.answered_at and since and call.last_sent_at and call.last_sent_at >= since
    )


def _find_repeatable(
    payment: Transaction, unanswered: Mapping[str, GatewayCall], adapter: Gateway, now: datetime
) -> GatewayCall | None:
    """The unanswered operation to send once more, if there is one.

    While the gateway remembers its key, the same bytes are sent again and the answer is the
    result of the first send; after that only a query is safe.
    """
    repeatable = (
        call
        for verb, call in unanswered.items()
        if verb != Verb.QUERY
        and is_remembered(call, adapter, now)
        and not _needs_query_first(call, payment)
        and not _is_unwanted(call, payment)
    )
    return next(repeatable, None)


def _needs_query_first(call: GatewayCall, payment: Transaction) -> bool:
    """True after ``SENDS_BEFORE_A_QUERY`` unanswered sends, until a query follows the last one.

    A gateway may have stored its own failure under our key and repeat it for ever; only a query
    reads the real state then. A query from before the last send says nothing about that send.
    """
    if call.sends < SENDS_BEFORE_A_QUERY or call.last_sent_at is None:
        return False
    return payment.queried_at is None or payment.queried_at < call.last_sent_at


def _is_unwanted(call: GatewayCall, payment: Transaction) -> bool:
    """True when a repeat could be the first to take money, and the payment is being cancelled."""
    takes_money = call.verb == Verb.CAPTURE or (call.verb == Verb.CREATE and payment.payment_token)
    return bool(payment.cancel_code and takes_money)


def _is_new_here(payment: Transaction, calls: Sequence[GatewayCall]) -> bool:
    """True when this gateway knows nothing of it: it is new, or was rerouted from another."""
    if payment.status == Status.PENDING:
        return True
    return payment.reroutes > 0 and all(call.verb != Verb.CREATE for call in calls)


def _choose_verb(payment: Transaction, answered: AbstractSet[str], adapter: Gateway) -> Verb:
    """What the payment needs next. VOID, CAPTURE and CLOSE are answered once; then we query."""
    match payment.status, bool(payment.cancel_code):
        case Status.AUTHORIZED, True:
            verb = Verb.VOID
        case Status.AUTHORIZED, False:
            verb = Verb.QUERY if payment.capture_amount is None else Verb.CAPTURE
        case _, True:
            verb = Verb.CLOSE if adapter.capabilities.close else Verb.QUERY
        case _:
            return Verb(payment.next_verb or Verb.QUERY)
    return Verb.QUERY if verb in answered else verb
