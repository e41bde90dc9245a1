"""The messages about a payment: which one, to whom, with which facts."""

from collections.abc import Mapping
from typing import Any

from django.utils import translation

from gateways.outcome import FailureCode
from notifications.services import Message
from orders.links import pay_url
from orders.models import Order
from payments.models import Transaction
from payments.reasons import failure_text

# The shopper ended these themselves; a mail about it would only worry them.
_NOT_WORTH_A_MAIL = frozenset({FailureCode.CANCELLED, FailureCode.SUPERSEDED})


def build_paid_messages(order: Order, payment: Transaction) -> list[Message]:
    """The receipt."""
    return [_build_message("paid", order, payment)] if order.customer_email else []


def build_failed_messages(order: Order, payment: Transaction) -> list[Message]:
    """Why it failed, in the sentence that the page shows, and the link to try again."""
    if not order.customer_email or payment.failure_code in _NOT_WORTH_A_MAIL:
        return []
    return [_build_message("failed", order, payment)]


def _build_message(kind: str, order: Order, payment: Transaction) -> Message:
    return Message(
        event_key=f"payment.{kind}:{payment.pk.hex}",
        template=f"payment_{kind}",
        recipient=order.customer_email,
        locale=order.locale,
        subject_id=payment.pk,
        context=_build_context(order, payment),
    )


def _build_context(order: Order, payment: Transaction) -> Mapping[str, Any]:
    return {
        "order_number": str(order.number),
        "amount": payment.amount_captured or payment.amount,
        "currency": payment.currency,
        "method": payment.method,
        "payment_id": payment.public_id,
        "failure_code": payment.failure_code,
        "reason": _failure_reason(order, payment),
        "link": pay_url(order),
    }


def _failure_reason(order: Order, payment: Transaction) -> str:
    """Why it failed, in the customer's language; "" for a payment that did not fail."""
    if not payment.failure_code:
        return ""
    with translation.override(order.locale):
        return str(failure_text(payment.failure_code))
