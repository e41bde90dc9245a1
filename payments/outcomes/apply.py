"""The one function that applies outcomes to payments.

API answer, webhook, return page, query and settlement record all become ``Evidence`` and go
through ``apply_outcomes``: under the locks of the order and the payment, in whatever order they
come, however often. The state, the order, the ledger, the messages and the audit trail change in
one commit or not at all. What each decision changes is in ``effects``.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction as db_transaction

from durable import bulk
from durable.clock import database_now
from gateways.operation import CaptureMethod
from gateways.outcome import OutcomeKind
from orders.models import Order
from payments.models import Transaction
from payments.outcomes import effects
from payments.outcomes.decisions import REPEAT, Action, Decision, TransactionSnapshot, decide
from payments.outcomes.evidence import Evidence
from payments.outcomes.pending_writes import PendingWrites
from payments.routing.registry import gateways
from payments.states import Status

# The kinds by which a shopper's money was taken or held.
TAKEN_OR_HELD: Final = frozenset({OutcomeKind.SUCCEEDED, OutcomeKind.AUTHORIZED})

_LOCK_ORDERS: Final = (
    "WHERE id IN (SELECT order_id FROM transactions WHERE id = ANY(%s)) ORDER BY id"
    " FOR NO KEY UPDATE"
)
_LOCK_PAYMENTS: Final = "WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"


@db_transaction.atomic
def apply_outcomes(evidence: Sequence[Evidence]) -> list[Decision]:
    """Apply ``evidence``, in the given order, and return what was decided on each.

    Locks orders, then payments, each by id, so that two batches never deadlock. Raises
    Transaction.DoesNotExist for an unknown id; then nothing has changed.
    """
    orders, payments = _lock({item.transaction_id for item in evidence})
    writes = PendingWrites(now=database_now())
    decisions = [_apply(item, payments[item.transaction_id], orders, writes) for item in evidence]
    writes.write()
    return decisions


def _lock(ids: set[UUID]) -> tuple[dict[UUID, Order], dict[UUID, Transaction]]:
    wanted = [list(ids)]
    orders = {order.pk: order for order in bulk.select(Order, _LOCK_ORDERS, wanted)}
    locked = bulk.select(Transaction, _LOCK_PAYMENTS, wanted)
    payments = {payment.pk: payment for payment in locked}
    if len(payments) != len(ids):
        raise Transaction.DoesNotExist("evidence for an unknown transaction")
    return orders, payments


def _apply(
    item: Evidence, payment: Transaction, orders: dict[UUID, Order], writes: PendingWrites
) -> Decision:
    decision = _decide(item, payment, writes.now)
    order = orders[payment.order_id]
    match decision.action:
        case Action.SUCCEED:
            effects.succeed(item, payment, order, writes)
        case Action.AUTHORIZE:
            effects.authorize(item, payment, writes)
        case Action.FAIL:
            effects.fail(item, payment, order, decision, writes)
        case Action.KEEP_OPEN:
            effects.keep_open(item, payment, writes)
        case Action.REPEAT:
            effects.add_late_metadata(item, payment, writes)
        case Action.MISMATCH | Action.CONFLICT:
            effects.report_contradiction(item, payment, decision, writes)
    return decision


def _decide(item: Evidence, payment: Transaction, now: datetime) -> Decision:
    if item.gateway in {"", payment.gateway}:
        return decide(build_snapshot(payment), item.outcome, as_of=item.asked_at or now)
    # No payment leaves a gateway that may have charged it. Other outcomes of that gateway do not
    # concern the payment where it is now.
    if item.outcome.kind in TAKEN_OR_HELD:
        differences = {"gateway": f"{item.gateway}, not {payment.gateway}"}
        return Decision(Action.CONFLICT, differences=differences)
    return REPEAT


def build_snapshot(payment: Transaction) -> TransactionSnapshot:
    """The facts of ``payment`` that ``decide`` needs."""
    return TransactionSnapshot(
        status=Status(payment.status),
        money=payment.money,
        account=payment.gateway_account,
        live_mode=payment.live_mode,
        reference=payment.reference,
        manual_capture=payment.capture == CaptureMethod.MANUAL,
        psp_reference=payment.psp_reference,
        expires_at=payment.expires_at,
        expiry_margin=_find_expiry_margin(payment),
        capture_money=payment.capture_money,
        cancel_code=payment.cancel_code,
        cancel_requested_at=payment.cancel_requested_at,
    )


def _find_expiry_margin(payment: Transaction) -> timedelta:
    """The gateway's own; for one that is no longer configured, longer than any gateway's."""
    adapter = gateways().get(payment.gateway)
    return adapter.expiry_margin if adapter else effects.OVER_AGE
