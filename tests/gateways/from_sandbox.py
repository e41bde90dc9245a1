"""What the tests of every adapter against the gateways on this machine share."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from gateways.base import Gateway
from gateways.operation import PaymentDetails, Verb
from gateways.outcome import Outcome
from gateways.webhook import Delivery, Notice
from money.money import Money
from tests.gateways.samples import details, operation, run
from tests.sandbox.sandbox_process import Received


def payment_of(money: Money, **changes: Any) -> PaymentDetails:
    """A payment that nobody knows yet, with an hour to pay it."""
    now = datetime.now(UTC)
    return details(
        reference=uuid4().hex,
        money=money,
        created_at=now,
        expires_at=now + timedelta(hours=1),
        return_url="http://127.0.0.1:9/return",
        cancel_url="http://127.0.0.1:9/cancel",
        **changes,
    )


def ask(gateway: Gateway, verb: Verb, payment: PaymentDetails, **changes: Any) -> Outcome:
    """One verb under a reference of its own, as each GatewayCall has."""
    made = {"reference": uuid4().hex, "now": datetime.now(UTC), **changes}
    return run(gateway, operation(verb, payment, **made))


def learned(payment: PaymentDetails, outcome: Outcome) -> PaymentDetails:
    """``payment`` with the ids that the gateway has given it."""
    return replace(
        payment,
        psp_reference=outcome.psp_reference or payment.psp_reference,
        psp_data={**payment.psp_data, **outcome.psp_data},
    )


def read(gateway: Gateway, got: Received) -> Notice:
    """The one notice of a delivery, as our endpoint would read it."""
    headers = {name.lower(): value for name, value in got.headers.items()}
    (notice,) = gateway.read_webhook(Delivery(got.body, got.query, headers, datetime.now(UTC)))
    return notice
