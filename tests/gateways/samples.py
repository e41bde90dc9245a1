"""A payment as every adapter's tests know it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from gateways.base import Gateway
from gateways.operation import CaptureMethod, Operation, PaymentDetails, Verb
from gateways.outcome import Outcome
from money.money import Money

REFERENCE: Final = "0199f1d2c3b47a5e8f90123456789abc"
CALL_REFERENCE: Final = "0199f1d2c3b47a5e8f9012345678feed"
CREATED_AT: Final = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)


def details(**changes: Any) -> PaymentDetails:
    """An order of 100,000 đồng, to be paid within 15 minutes."""
    return replace(
        PaymentDetails(
            reference=REFERENCE,
            money=Money(100_000, "VND"),
            order_number="ORD-1001",
            description="",
            method="vnpay",
            capture=CaptureMethod.AUTOMATIC,
            return_url="https://shop.example.vn/checkout/return",
            cancel_url="https://shop.example.vn/checkout/cancel",
            webhook_url="https://shop.example.vn/webhooks/gateway",
            customer_ip="113.160.92.202",
            customer_email="linh@example.com",
            locale="vi",
            created_at=CREATED_AT,
            expires_at=CREATED_AT + timedelta(minutes=15),
            has_token=False,
        ),
        **changes,
    )


def operation(verb: Verb, payment: PaymentDetails | None = None, **changes: Any) -> Operation:
    """``verb`` on ``payment``, five minutes after the payment was created."""
    made = Operation(
        verb=verb,
        reference=CALL_REFERENCE,
        details=payment or details(),
        now=CREATED_AT + timedelta(minutes=5),
    )
    return replace(made, **changes)


def run(gateway: Gateway, asked: Operation) -> Outcome:
    """Freeze and perform, as the worker does."""
    return gateway.perform(replace(asked, request=gateway.freeze(asked)))
