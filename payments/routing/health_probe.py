"""Checks whether a gateway answers, by a query about a payment that does not exist.

It changes nothing and uses no payment of ours, so that no shopper's payment is risked by it.
"""

import logging
from dataclasses import replace
from typing import Final

from django.conf import settings
from django.utils import timezone

from durable.ids import uuid7
from gateways.base import Gateway
from gateways.operation import CaptureMethod, Operation, PaymentDetails, Verb
from gateways.outcome import Outcome, OutcomeKind
from money.money import Money
from payments.routing.payment_details import webhook_url

logger = logging.getLogger(__name__)

# Every gateway accepts this as the form of an id, and none has issued it. Without an id some
# adapters answer locally and send nothing.
_UNUSED_ID: Final = "NOBODY00000000000"


def probe(adapter: Gateway) -> Outcome:
    """The gateway's answer about a payment that does not exist.

    Goes over the network and needs no database. Our own failure is an UNKNOWN without exchange.
    """
    query = Operation(
        verb=Verb.QUERY, reference=uuid7().hex, details=_dummy_details(adapter), now=timezone.now()
    )
    try:
        return adapter.perform(replace(query, request=adapter.freeze(query)))
    except Exception:
        logger.exception("adapter_failed", extra={"gateway": adapter.name})
        return Outcome(OutcomeKind.UNKNOWN)


def _dummy_details(adapter: Gateway) -> PaymentDetails:
    currency, (smallest, _) = next(iter(adapter.capabilities.limits.items()))
    now = timezone.now()
    return PaymentDetails(
        reference=uuid7().hex,
        money=Money(smallest, currency),
        order_number="0",
        description="",
        method=next(iter(adapter.capabilities.methods)),
        capture=CaptureMethod.AUTOMATIC,
        return_url=settings.BASE_URL,
        cancel_url=settings.BASE_URL,
        webhook_url=webhook_url(adapter),
        customer_ip="127.0.0.1",
        customer_email="",
        locale="en",
        created_at=now,
        expires_at=now + adapter.link_lifetime,
        has_token=False,
        psp_reference=_UNUSED_ID,
    )
