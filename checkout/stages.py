"""Where a shopper stands with an order: decided from our own rows, never from what a link says.

The one thing a browser contributes is harmless: whether it is on its way to the gateway, and
since when it is back. That chooses between "continue" and "checking", which are both true.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from gateways.outcome import FailureCode
from orders.models import Order
from orders.states import OrderStatus
from payments.models import Transaction
from payments.states import Status


class Stage(StrEnum):
    """What the page is about. Each has a template of its own under ``checkout/stages``."""

    UNPAID = "unpaid"  # nothing under way: choose how to pay
    CONNECTING = "connecting"  # the gateway has not given us its page yet
    LEAVING = "leaving"  # on to the gateway's page now
    CONTINUE = "continue"  # unpaid, and the gateway's page is still open
    CHECKING = "checking"  # the shopper is back and the gateway has not spoken yet
    CLOSING = "closing"  # the shopper wants to pay in another way
    HELD = "held"
    PAID = "paid"
    FAILED = "failed"
    GIVEN_UP = "given_up"  # the shopper ended it, which is no bad news
    CANCELLED = "cancelled"  # the order itself
    NOT_NEEDED = "not_needed"  # money came that the order no longer wants


# Stages that a page may be left open on: it will change by itself.
MOVING: Final = frozenset(
    {Stage.CONNECTING, Stage.CONTINUE, Stage.CHECKING, Stage.CLOSING, Stage.HELD}
)
# Stages in which the shopper may choose how to pay.
PAYABLE: Final = frozenset({Stage.UNPAID, Stage.FAILED, Stage.GIVEN_UP})


@dataclass(frozen=True, slots=True)
class Visit:
    """What this browser knows: it has just chosen to pay, or it has come back."""

    is_leaving: bool = False
    is_back: bool = False
    # The gateway has said "unpaid" since the shopper came back.
    is_unpaid_since: bool = False


def find_stage(order: Order, payment: Transaction | None, visit: Visit, now: datetime) -> Stage:
    """The stage of ``order``, whose latest payment is ``payment``."""
    if payment is None:
        return Stage.CANCELLED if order.status == OrderStatus.CANCELLED else Stage.UNPAID
    match payment.status:
        case Status.SUCCESS:
            return Stage.PAID if payment.applied else Stage.NOT_NEEDED
        case Status.FAILED:
            return _failed_stage(order, payment)
        case Status.AUTHORIZED:
            return Stage.HELD
        case _:
            return _open_stage(payment, visit, now)


def _failed_stage(order: Order, payment: Transaction) -> Stage:
    if order.status == OrderStatus.CANCELLED:
        return Stage.CANCELLED
    if FailureCode.SUPERSEDED in {payment.failure_code, payment.cancel_code}:
        # The shopper asked for another way to pay. The old one has ended, for that or because the
        # gateway told of its last decline first: either way the question is how to pay now.
        return Stage.UNPAID
    if payment.failure_code == FailureCode.CANCELLED:
        return Stage.GIVEN_UP
    return Stage.FAILED


def _open_stage(payment: Transaction, visit: Visit, now: datetime) -> Stage:
    if payment.cancel_code:
        return Stage.CLOSING
    if visit.is_back and not visit.is_unpaid_since:
        return Stage.CHECKING
    if not payment.next_action:
        return Stage.CONNECTING
    if is_over(payment, now):
        return Stage.CHECKING
    return Stage.LEAVING if visit.is_leaving else Stage.CONTINUE


def is_over(payment: Transaction, now: datetime) -> bool:
    """Whether the gateway's page has closed by itself; what came of it is another question."""
    return payment.expires_at <= now
