"""Reading payments, for the API, the pages and the admin."""

import time
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import F, QuerySet

from durable import bulk
from gateways.operation import Verb
from gateways.outcome import OutcomeKind
from payments.errors import PaymentNotFound
from payments.models import GatewayBreaker, GatewayCall, Transaction
from payments.routing.registry import gateways
from payments.states import LIVE, Status

_POLL_S: Final = 0.05
_POLL_SLOWER_S: Final = 0.25
_SLOWER_AFTER_S: Final = 1.0


def find_payments(user_id: UUID) -> QuerySet[Transaction]:
    """The payments of one user's orders, however they were started, newest first."""
    return Transaction.objects.filter(order__customer=user_id).order_by("-created_at", "-id")


# What a client asks while it waits, again and again.
_OWN: Final = (
    "WHERE t.id = %s"
    " AND EXISTS (SELECT FROM orders o WHERE o.id = t.order_id AND o.customer_id = %s)"
)


def find_user_payment(user_id: UUID, transaction_id: UUID | None) -> Transaction:
    """One of them. Raises PaymentNotFound, for somebody else's too."""
    found = bulk.select(Transaction, _OWN, [transaction_id, user_id]) if transaction_id else []
    if not found:
        raise PaymentNotFound("There is no such payment.")
    return found[0]


def latest_payment(order_id: UUID) -> Transaction | None:
    """What an order's page is about: its applied success, else its live one, else the newest."""
    rows = list(Transaction.objects.filter(order_id=order_id).order_by("-created_at", "-id"))
    applied = (row for row in rows if row.status == Status.SUCCESS and row.applied)
    live = (row for row in rows if row.status in LIVE)
    return next(applied, None) or next(live, None) or next(iter(rows), None)


def payments_not_needed(order_id: UUID) -> list[Transaction]:
    """What was paid beside what the order needed, and is not all given back, oldest first."""
    return list(
        Transaction.objects.filter(
            order_id=order_id,
            status=Status.SUCCESS,
            applied=False,
            amount_refunded__lt=F("amount_captured"),
        ).order_by("created_at", "id")
    )


def gateways_with_open_circuit() -> QuerySet[GatewayBreaker]:
    """The breakers of the gateways that are down, by name."""
    return GatewayBreaker.objects.filter(opened_at__isnull=False).order_by("gateway")


def gateways_out_of_reach() -> frozenset[str]:
    """Those to which no new payment can be sent now. A link that we only sign can always be."""
    down = gateways_with_open_circuit().values_list("gateway", flat=True)
    return frozenset(name for name in down if not _signs_links(name))


def _signs_links(name: str) -> bool:
    adapter = gateways().get(name)
    return adapter is not None and Verb.CREATE in adapter.local_verbs


def find_payment(transaction_id: UUID) -> Transaction | None:
    """One payment with its order, for whoever may see the order."""
    return Transaction.objects.select_related("order").filter(pk=transaction_id).first()


def is_unpaid_since(transaction_id: UUID, moment: datetime) -> bool:
    """Whether the gateway was asked at or after ``moment`` and called the payment unpaid."""
    return GatewayCall.objects.filter(
        transaction=transaction_id,
        verb__in=(Verb.QUERY, Verb.CAPTURE),
        outcome__in=(OutcomeKind.UNPAID, OutcomeKind.ACTION_REQUIRED),
        answered_at__gte=moment,
    ).exists()


def wait_for_gateway(transaction_id: UUID, *, seconds: float) -> Transaction:
    """The payment once the gateway has answered, or as it stands after ``seconds``."""
    end = time.monotonic() + seconds
    pause = _POLL_S
    while not _has_answer(transaction_id) and time.monotonic() + pause < end:
        time.sleep(pause)
        if end - time.monotonic() < seconds - _SLOWER_AFTER_S:
            pause = _POLL_SLOWER_S
    return Transaction.objects.get(pk=transaction_id)


def _has_answer(transaction_id: UUID) -> bool:
    """Whether there is something to tell that the first answer did not."""
    payment = Transaction.objects.filter(pk=transaction_id).values("status", "next_action").get()
    if payment["status"] not in {Status.PENDING, Status.PROCESSING} or payment["next_action"]:
        return True
    return GatewayCall.objects.filter(
        transaction=transaction_id, answered_at__isnull=False
    ).exists()
