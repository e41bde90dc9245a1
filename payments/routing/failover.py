"""Another gateway for a payment whose own cannot be reached.

A payment is rerouted only while it is proven that its gateway has not charged: nothing was ever
sent there, or every send was refused before it could have an effect. A timeout proves nothing,
and such a payment stays. PostgreSQL checks the same by a trigger, and the audit trail keeps each
rerouting with its reason.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import F

from audit import services as audit
from audit.actions import AuditAction
from audit.models import AuditEvent
from durable.wake import wake
from gateways.base import Gateway
from gateways.operation import Verb
from orders.models import Order
from payments.models import GatewayCall, Transaction
from payments.routing import breaker
from payments.routing.registry import find_gateways
from payments.routing.routes import build_route
from payments.states import Status


class Reason(StrEnum):
    """Why a payment is rerouted."""

    CIRCUIT_OPEN = "held_back"  # the circuit breaker is open, and nothing was sent
    REFUSED = "refused"  # every send was refused


def choose_reachable(adapters: Sequence[Gateway]) -> Gateway:
    """The first whose circuit is closed; the first of all when every circuit is open."""
    if len(adapters) == 1:
        return adapters[0]
    reachable = (adapter for adapter in adapters if not breaker.is_open(adapter.name))
    return next(reachable, adapters[0])


def is_untouched(payment: Transaction, calls: Sequence[GatewayCall]) -> bool:
    """True when it is proven that the gateway has neither charged nor given out a link."""
    if payment.status not in {Status.PENDING, Status.PROCESSING}:
        return False
    if payment.psp_reference or payment.next_action is not None:
        return False
    return all(call.sends == call.refusals for call in calls if call.verb == Verb.CREATE)


def find_stand_in(
    payment: Transaction, order: Order, calls: Sequence[GatewayCall], now: datetime
) -> Gateway | None:
    """Another gateway for ``payment``; None when there is none, or it must stay.

    ``calls`` are its operations so far, at all gateways. It is the first gateway of the method
    that was not tried, supports all of the payment, and can be reached.
    """
    if not _can_be_rerouted(payment, calls, now):
        return None
    tried = {payment.gateway, *(call.gateway for call in calls)}
    for adapter in find_gateways(payment.method):
        if adapter.name in tried or adapter.live != payment.live_mode:
            continue
        if breaker.is_open(adapter.name):
            continue
        if build_route(adapter, payment, order, now).is_supported():
            return adapter
    return None


def _can_be_rerouted(payment: Transaction, calls: Sequence[GatewayCall], now: datetime) -> bool:
    # A token is valid at the gateway that issued it, and at no other.
    if payment.payment_token or payment.cancel_code or now >= payment.expires_at:
        return False
    return is_untouched(payment, calls)


def reroute(
    payment: Transaction,
    adapter: Gateway,
    calls: Sequence[GatewayCall],
    reason: Reason,
    now: datetime,
) -> None:
    """Reroute ``payment``, claimed in this database transaction, to ``adapter``."""
    before = {"gateway": payment.gateway, "gateway_account": payment.gateway_account}
    _change_gateway(payment, adapter, now)
    audit.record([_rerouted_event(payment, before, reason, calls)])
    wake(payment.queue)


def _change_gateway(payment: Transaction, adapter: Gateway, now: datetime) -> None:
    """Start the payment anew at ``adapter``, with the lifetime of that gateway's links."""
    changes: dict[str, Any] = {
        "gateway": adapter.name,
        "gateway_account": adapter.account,
        "expires_at": now + adapter.link_lifetime,
    }
    payment.fenced().update(
        **changes, reroutes=F("reroutes") + 1, due_at=now, lease_until=None,
        failures=0, queries=0, queried_at=None, retry_after_at=None, updated_at=now,
    )  # fmt: skip
    for name, value in changes.items():
        setattr(payment, name, value)


def _rerouted_event(
    payment: Transaction, before: dict[str, str], reason: Reason, calls: Sequence[GatewayCall]
) -> AuditEvent:
    refused = [call for call in calls if call.gateway == before["gateway"]]
    return audit.event(
        action=AuditAction.TRANSACTION_REROUTED,
        subject_type="transaction",
        subject_id=payment.pk,
        before=before,
        after={
            "gateway": payment.gateway,
            "gateway_account": payment.gateway_account,
            "reason": reason,
            "refused_sends": sum(call.refusals for call in refused),
        },
        cause_type="gateway_call" if refused else "",
        cause_id=str(refused[-1].pk) if refused else "",
    )
