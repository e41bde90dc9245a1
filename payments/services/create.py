"""Creates a payment: checks the request and stores a payment that is due now."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction as db_transaction

from audit import services as audit
from audit.actions import AuditAction
from audit.models import AuditEvent
from durable import bulk
from durable.clock import database_now
from durable.ids import uuid7
from durable.wake import wake
from gateways.base import Gateway
from gateways.operation import CaptureMethod
from money.money import Money
from orders.errors import OrderNotFound
from orders.models import Order
from orders.services import lock_order
from orders.states import PAID_STATUSES, OrderStatus
from payments.errors import (
    AlreadyPaid,
    AmountMismatch,
    CardNumberRefused,
    CurrencyMismatch,
    OrderEnded,
    PaymentInProgress,
    ReturnUrlRefused,
)
from payments.models import Transaction
from payments.routing import failover
from payments.routing.routes import find_candidates
from payments.services import idempotency
from payments.states import LIVE, Status
from privacy import encryption
from privacy.redaction import find_card_number


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """A client's request. ``customer_ip`` and ``locale`` are the shopper's, not the app's."""

    order_id: UUID
    money: Money
    method: str
    customer_ip: str
    locale: str
    channel: str = ""  # "": the shopper chooses at the gateway
    capture: CaptureMethod = CaptureMethod.AUTOMATIC
    payment_token: str = ""
    return_url: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    # The customer that the order must have; None: anyone with its link may pay it.
    owner_id: UUID | None = None

    def fingerprint(self) -> str:
        """Equal for equal requests, wherever they come from."""
        # Left out where empty, so that requests from before channels keep their fingerprint.
        channel = {"channel": self.channel} if self.channel else {}
        return idempotency.compute_fingerprint(
            channel
            | {
                "order_id": self.order_id.hex,
                "amount": self.money.minor,
                "currency": self.money.currency,
                "method": self.method,
                "capture": self.capture,
                "payment_token": self.payment_token,
                "return_url": self.return_url,
                "metadata": dict(self.metadata),
            }
        )


@dataclass(frozen=True, slots=True)
class CreatedPayment:
    """The payment, the body of its first answer, and whether this is a replay."""

    transaction: Transaction
    response: str
    key: str
    replayed: bool


@db_transaction.atomic(durable=True)
def create_payment(
    *, client: str, key: str | None, request: PaymentRequest, render: Callable[[Transaction], str]
) -> CreatedPayment:
    """Claim the key, lock the order, store a PENDING transaction that is due now.

    ``render`` makes the body of the 201, which is stored with the key. Without a key one is
    made from the client, the order, the request and the order's failed payments. Raises a
    PaymentError or OrderNotFound; then nothing is stored and the key is free.
    """
    fingerprint = request.fingerprint()
    key = key or _make_key(client, request.order_id, fingerprint)
    claimed = idempotency.claim(client=client, key=key, fingerprint=fingerprint)
    if claimed.transaction is not None:
        return CreatedPayment(claimed.transaction, claimed.response, key, replayed=True)
    payment = _start(client, request)
    body = render(payment)
    idempotency.store(claimed, transaction=payment, response=body)
    wake(payment.queue)
    return CreatedPayment(payment, body, key, replayed=False)


def _make_key(client: str, order_id: UUID, fingerprint: str) -> str:
    """The same key for a repeated request; a new one after a payment of the order has failed."""
    failed = Transaction.objects.filter(order_id=order_id, status=Status.FAILED).count()
    made = {"client": client, "order": order_id.hex, "request": fingerprint, "failed": failed}
    return f"auto-{idempotency.compute_fingerprint(made)[:40]}"


def _start(client: str, request: PaymentRequest) -> Transaction:
    order = lock_order(request.order_id)
    if request.owner_id not in {None, order.customer_id}:
        raise OrderNotFound("There is no such order.")
    _require_payable(order, request.money)
    _require_clean(request)
    payment = _build_payment(client, order, request)
    candidates = find_candidates(payment, order)
    chosen = failover.choose_reachable(candidates.able)
    _assign_gateway(payment, chosen)
    _insert(payment)
    passed_over = [adapter.name for adapter in candidates.preferred_to(chosen)]
    audit.record([_created_event(payment, passed_over)])
    return payment


def _assign_gateway(payment: Transaction, adapter: Gateway) -> None:
    payment.gateway, payment.gateway_account = adapter.name, adapter.account
    payment.live_mode = adapter.live
    payment.expires_at = payment.created_at + adapter.link_lifetime


def _build_payment(client: str, order: Order, request: PaymentRequest) -> Transaction:
    """An unsaved payment, still without gateway, account, mode and expiry."""
    now = database_now()
    return Transaction(
        id=uuid7(),
        order=order,
        client=client,
        amount=request.money.minor,
        currency=request.money.currency,
        method=request.method,
        channel=request.channel,
        capture=request.capture,
        payment_token=encryption.seal(request.payment_token),
        customer_ip=request.customer_ip,
        locale=request.locale,
        return_url=request.return_url,
        metadata=dict(request.metadata),
        created_at=now,
        updated_at=now,
        due_at=now,
    )


def _require_payable(order: Order, money: Money) -> None:
    if order.status in PAID_STATUSES:
        raise AlreadyPaid("The order is paid.")
    if order.status == OrderStatus.CANCELLED:
        raise OrderEnded("The order was cancelled. Create a new one.")
    if money.currency != order.currency:
        raise CurrencyMismatch(f"The order is in {order.currency}.")
    if money.minor != order.total:
        raise AmountMismatch(f"The order costs {order.total} {order.currency} in minor units.")


def _insert(payment: Transaction) -> None:
    """Store it. The order is locked, so only its live payment can conflict."""
    if not bulk.insert_new(payment):
        live = Transaction.objects.get(order=payment.order, status__in=LIVE)
        raise PaymentInProgress(
            "A payment of this order is under way. Continue it, or cancel it first.",
            payment_id=live.public_id,
        )


def _require_clean(request: PaymentRequest) -> None:
    """Refuse card numbers in free text, and return URLs outside the allowed origins."""
    texts = [*request.metadata, *request.metadata.values(), request.payment_token]
    if any(find_card_number(text) for text in texts):
        raise CardNumberRefused(
            "A card number must never be sent here. Use the gateway's own form for a token."
        )
    if request.return_url and not _is_allowed(request.return_url):
        raise ReturnUrlRefused("The origin of return_url must be one of RETURN_ORIGINS.")


def _is_allowed(url: str) -> bool:
    """True for exactly one of the allowed origins, in a form that no browser reads differently."""
    if any(char in url for char in "\\\t\r\n @") or not url.isascii():
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return f"{parts.scheme}://{parts.netloc}" in {settings.BASE_URL, *settings.RETURN_ORIGINS}


def _created_event(payment: Transaction, passed_over: list[str]) -> AuditEvent:
    """``passed_over``: preferred gateways whose circuit is open or that cannot take the request."""
    return audit.event(
        action=AuditAction.TRANSACTION_CREATED,
        subject_type="transaction",
        subject_id=payment.pk,
        version=payment.version,
        after={
            "status": payment.status,
            "order": payment.order.public_id,
            "amount": payment.amount,
            "currency": payment.currency,
            "method": payment.method,
            "channel": payment.channel,
            "gateway": payment.gateway,
            **({"passed_over": ", ".join(passed_over)} if passed_over else {}),
        },
    )
