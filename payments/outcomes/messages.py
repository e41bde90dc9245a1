"""What people are told about a payment: which message, to whom, with which facts."""

from collections.abc import Mapping
from typing import Any

from django.utils import translation

from gateways.outcome import FailureCode
from notifications.services import Message
from orders.links import pay_url
from orders.models import Order
from payments.models import Transaction
from payments.reasons import failure_words

# The shopper ended these themselves; a mail about it would only worry.
_NOT_WORTH_A_MAIL = frozenset({FailureCode.CANCELLED, FailureCode.SUPERSEDED})


def paid(order: Order, payment: Transaction) -> list[Message]:
    """The receipt."""
    return [_message("paid", order, payment)] if order.customer_email else []


def failed(order: Order, payment: Transaction) -> list[Message]:
    """Why, in the sentence that the page says too, and the link to try again."""
    if not order.customer_email or payment.failure_code in _NOT_WORTH_A_MAIL:
        return []
    return [_message("failed", order, payment)]


def _message(kind: str, order: Order, payment: Transaction) -> Message:
    return Message(
        event_key=f"payment.{kind}:{payment.pk.hex}",
        template=f"payment_{kind}",
        recipient=order.customer_email,
        locale=order.locale,
        subject_id=payment.pk,
        context=_context(order, payment),
    )


def _context(order: Order, payment: Transaction) -> Mapping[str, Any]:
    return {
        "order_number": str(order.number),
        "amount": payment.amount_captured or payment.amount,
        "currency": payment.currency,
        "method": payment.method,
        "payment_id": payment.public_id,
        "failure_code": payment.failure_code,
        "reason": _reason(order, payment),
        "link": pay_url(order),
    }


def _reason(order: Order, payment: Transaction) -> str:
    """Why it failed, in the customer's language; "" for a payment that did not fail."""
    if not payment.failure_code:
        return ""
    with translation.override(order.locale):
        return str(failure_words(payment.failure_code))
