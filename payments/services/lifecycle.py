"""Requests about a payment that exists: cancel it, capture its hold, query its status.

The request is recorded and a worker executes it; only a payment that was never sent ends at once.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction as db_transaction
from django.utils import timezone

from audit import services as audit
from audit.actions import AuditAction
from audit.models import AuditEvent
from durable.clock import database_now
from durable.wake import wake
from gateways.operation import Verb
from gateways.outcome import FailureCode
from orders.models import Order
from orders.services import cancel_order as end_order
from orders.services import lock_order
from payments.errors import (
    AlreadyPaid,
    CaptureAmountRefused,
    NotCancellable,
    NotCapturable,
    PaymentInProgress,
    PaymentNotFound,
)
from payments.models import GatewayCall, Transaction
from payments.outcomes.effects import build_cancel_requested_event, fail_unsent
from payments.outcomes.query_schedule import earliest_query
from payments.processing.next_operation import is_expired_unanswered
from payments.routing.registry import gateways
from payments.states import LIVE, Status

# Why a payment whose gateway was taken out of the settings can be neither captured nor voided.
_GONE: Final = "is not configured here any more, so nobody can be asked."


@db_transaction.atomic(durable=True)
def cancel_payment(
    *, transaction_id: UUID, code: FailureCode = FailureCode.CANCELLED
) -> Transaction:
    """End a payment, or request its end: the returned payment's status says which.

    A PENDING one that was never sent is FAILED at once. For one that is under way the request is
    recorded; it ends when the gateway has closed it, or a later query still shows it unpaid.
    Raises AlreadyPaid, NotCancellable or PaymentNotFound.
    """
    payment = _lock(transaction_id)
    if payment.status == Status.SUCCESS:
        raise AlreadyPaid("The payment has succeeded: only a refund gives its money back now.")
    if payment.status == Status.FAILED:
        raise NotCancellable("The payment has ended already.")
    if (
        payment.status == Status.PENDING
        and not GatewayCall.objects.filter(transaction=payment).exists()
    ):
        fail_unsent(payment, payment.order, code)
        return payment
    if payment.status == Status.AUTHORIZED:
        _require_void(payment)
    return _request_end(payment, code)


def _require_void(payment: Transaction) -> None:
    adapter = gateways().get(payment.gateway)
    if adapter is None:
        raise NotCancellable(f"{payment.gateway} {_GONE}")
    if not adapter.capabilities.void:
        raise NotCancellable(f"{payment.gateway} cannot release a hold; it ends by itself.")


@db_transaction.atomic(durable=True)
def capture_payment(*, transaction_id: UUID, amount: int | None = None) -> Transaction:
    """Capture the hold, or ``amount`` minor units of it; the rest is released.

    The request is recorded and a worker executes it. Repeating it changes nothing, unless the
    gateway has refused the first one: then it is requested again.
    Raises AlreadyPaid, NotCapturable, CaptureAmountRefused or PaymentNotFound.
    """
    payment = _lock(transaction_id)
    wanted = payment.amount if amount is None else amount
    _require_capturable(payment, wanted)
    if payment.capture_amount is None or _previous_send_failed(
        payment, Verb.CAPTURE, payment.capture_requested_at
    ):
        now = database_now()
        _save(
            payment,
            capture_amount=wanted,
            capture_requested_at=now,
            due_at=earliest_query(payment, now),
        )
        audit.record([_capture_requested_event(payment)])
        wake(payment.queue)
    return payment


def _require_capturable(payment: Transaction, wanted: int) -> None:
    if payment.status == Status.SUCCESS:
        raise AlreadyPaid("The payment has been captured.")
    if payment.status != Status.AUTHORIZED or payment.cancel_code:
        raise NotCapturable("Only a payment that is AUTHORIZED and not being cancelled is held.")
    if payment.capture_amount not in {None, wanted}:
        raise NotCapturable(f"It is being captured with {payment.capture_amount} already.")
    if not 0 < wanted <= payment.amount:
        raise CaptureAmountRefused(f"Capture 1 to {payment.amount} minor units.")
    adapter = gateways().get(payment.gateway)
    if adapter is None:
        raise NotCapturable(f"{payment.gateway} {_GONE}")
    if wanted != payment.amount and not adapter.capabilities.partial_capture:
        raise CaptureAmountRefused(f"{payment.gateway} captures the whole {payment.amount} only.")
    if not adapter.capabilities.can_divide(wanted, payment.currency):
        step = adapter.capabilities.steps[payment.currency]
        raise CaptureAmountRefused(f"{payment.gateway} captures multiples of {step} minor units.")


def _capture_requested_event(payment: Transaction) -> AuditEvent:
    return audit.event(
        action=AuditAction.TRANSACTION_CAPTURE_REQUESTED,
        subject_type="transaction",
        subject_id=payment.pk,
        after={"capture_amount": payment.capture_amount, "currency": payment.currency},
    )


def _lock(transaction_id: UUID) -> Transaction:
    """The payment, with its order locked before it. Raises PaymentNotFound."""
    order_id = Transaction.objects.filter(pk=transaction_id).values_list("order_id", flat=True)
    for found in order_id:
        lock_order(found)
    payment = Transaction.objects.select_for_update(no_key=True).filter(pk=transaction_id).first()
    if payment is None:
        raise PaymentNotFound("There is no such payment.")
    return payment


def _request_end(payment: Transaction, code: FailureCode) -> Transaction:
    now = database_now()
    if not payment.cancel_code or _previous_send_failed(
        payment, Verb.VOID, payment.cancel_requested_at
    ):
        _save(
            payment, cancel_code=code, cancel_requested_at=now, due_at=earliest_query(payment, now)
        )
        audit.record([build_cancel_requested_event(payment)])
        wake(payment.queue)
    return payment


def _previous_send_failed(payment: Transaction, verb: Verb, requested_at: datetime | None) -> bool:
    """True when ``verb`` was sent since then, no answer is to come, and the hold still exists."""
    if payment.status != Status.AUTHORIZED:
        return False
    adapter = gateways()[payment.gateway]
    since = GatewayCall.objects.filter(
        transaction=payment, verb=verb, last_sent_at__gte=requested_at
    )
    return any(call.answered_at or is_expired_unanswered(call, payment, adapter) for call in since)


def _save(payment: Transaction, **changes: Any) -> None:
    Transaction.objects.filter(pk=payment.pk).update(**changes, updated_at=timezone.now())
    for name, value in changes.items():
        setattr(payment, name, value)


@db_transaction.atomic(durable=True)
def cancel_order(*, order_id: UUID) -> Order:
    """Cancel an order that nobody is paying. Raises PaymentInProgress and OrderError."""
    lock_order(order_id)
    live = Transaction.objects.filter(order_id=order_id, status__in=LIVE).first()
    if live is not None:
        raise PaymentInProgress(
            "A payment of this order is under way. Cancel the payment first.",
            payment_id=live.public_id,
        )
    return end_order(order_id=order_id)


@db_transaction.atomic
def request_status_query(*, transaction_id: UUID) -> None:
    """Have a live payment queried as soon as its gateway allows, such as when a shopper returns."""
    payment = Transaction.objects.select_for_update(no_key=True).filter(pk=transaction_id).first()
    if payment is None or not payment.is_live or payment.status == Status.PENDING:
        return
    earliest = earliest_query(payment, database_now())
    if payment.due_at is None or earliest < payment.due_at:
        _save(payment, due_at=earliest)
        wake(payment.queue)
