"""When a payment that is still open is due next."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from gateways.base import Gateway
from gateways.outcome import Outcome
from payments.models import Transaction
from payments.routing.registry import gateway, gateways


def next_due_changes(payment: Transaction, outcome: Outcome, now: datetime) -> dict[str, Any]:
    """The ``due_at`` and ``failures`` of a live ``payment`` after ``outcome``."""
    if not outcome.kind.is_answer:
        # Repeated soon, then at growing intervals.
        failures = min(payment.failures + 1, 1000)
        due_at = max(now + payment.backoff.delay(failures), earliest_query(payment, now))
        if not outcome.retry_after_s:
            return {"failures": failures, "due_at": due_at}
        retry_after_at = now + timedelta(seconds=outcome.retry_after_s)
        later = max(due_at, retry_after_at)
        return {"failures": failures, "due_at": later, "retry_after_at": retry_after_at}
    if outcome.next_verb is not None:
        return {"failures": 0, "due_at": earliest_query(payment, now)}
    return {"failures": 0, "due_at": _next_query(payment, now)}


def earliest_query(payment: Transaction, now: datetime) -> datetime:
    """When the gateway allows the next query; ``now`` where none was made.

    Also ``now`` for a gateway that is no longer configured: none is sent before it is back.
    A gateway's own ``Retry-After`` overrides our schedule.
    """
    adapter = gateways().get(payment.gateway)
    allowed = max(now, payment.retry_after_at or now)
    if payment.queried_at is None or adapter is None:
        return allowed
    return max(allowed, payment.queried_at + scale_wait(adapter.query_interval_min))


def scale_wait(wait: timedelta) -> timedelta:
    """``wait`` times QUERY_SCHEDULE_SCALE: tests shorten every schedule by one setting."""
    scale: float = settings.QUERY_SCHEDULE_SCALE
    return wait * scale


def _next_query(payment: Transaction, now: datetime) -> datetime:
    """The schedule's next entry; at once for a cancellation; and a query right after expiry."""
    earliest = earliest_query(payment, now)
    if payment.cancel_code:
        return earliest
    adapter = gateway(payment.gateway)
    planned = now + scale_wait(_interval(adapter, payment.queries))
    final_query_at = payment.expires_at + adapter.expiry_margin
    if now < final_query_at < planned:
        planned = final_query_at
    return max(planned, earliest)


def _interval(adapter: Gateway, queries: int) -> timedelta:
    return adapter.query_schedule[min(queries, len(adapter.query_schedule) - 1)]
