"""Starting a payment, and asking for its end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction as database
from django.utils import timezone

from audit import services as audit
from audit.models import AuditEvent
from audit.redaction import find_card_number
from durable import bulk
from durable.clock import database_now
from durable.ids import uuid7
from durable.wake import wake
from orders.errors import OrderNotFound
from orders.models import Order
from orders.money import Money
from orders.services import cancel_order as end_order
from orders.services import lock_order
from orders.states import PAID_STATUSES, OrderStatus
from payments import idempotency, tokens
from payments.errors import (
    AlreadyPaid,
    AmountMismatch,
    CaptureAmountRefused,
    CardNumberRefused,
    CurrencyMismatch,
    MethodUnavailable,
    NotCancellable,
    NotCapturable,
    OrderEnded,
    PaymentInProgress,
    PaymentNotFound,
    ReturnUrlRefused,
)
from payments.gateways.base import Gateway
from payments.gateways.operation import Verb
from payments.gateways.outcome import FailureCode
from payments.gateways.registry import gateways
from payments.models import Capture, GatewayCall, Transaction
from payments.routes import Terms, routes
from payments.schedule import earliest_query
from payments.services import failover
from payments.services.outcomes import cancel_requested, end_unsent
from payments.states import LIVE, Status

# Why nothing can be done with a payment whose gateway was taken out of the settings.
_GONE: Final = "is not configured here any more, so nobody can be asked."


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """What a client asks for. ``customer_ip`` and ``locale`` are the shopper's, not the app's."""

    order_id: UUID
    money: Money
    method: str
    customer_ip: str
    locale: str
    channel: str = ""  # "": the shopper chooses at the gateway
    capture: Capture = Capture.AUTOMATIC
    payment_token: str = ""
    return_url: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    # Whose order it must be; None: whoever holds its link may pay it.
    owner_id: UUID | None = None

    def fingerprint(self) -> str:
        """Equal for equal requests; where the request came from is no part of it."""
        # Left out where there is none: so an older request is still equal to its repeat.
        channel = {"channel": self.channel} if self.channel else {}
        return idempotency.fingerprint(
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
class Created:
    """The payment, the body it was first answered with, and whether this is a replay."""

    transaction: Transaction
    response: str
    key: str
    replayed: bool


@database.atomic(durable=True)
def create_payment(
    *, client: str, key: str | None, request: PaymentRequest, render: Callable[[Transaction], str]
) -> Created:
    """Claim the key, lock the order, store a PENDING transaction that is due now.

    ``render`` makes the body of the 201, which is stored with the key. Without a key one is
    made from the client, the order, the request and the order's failed payments. Raises a
    PaymentError or OrderNotFound; then nothing is stored and the key is free.
    """
    print_ = request.fingerprint()
    key = key or _made_key(client, request.order_id, print_)
    claimed = idempotency.claim(client=client, key=key, print_=print_)
    if claimed.transaction is not None:
        return Created(claimed.transaction, claimed.response, key, replayed=True)
    row = _start(client, request)
    body = render(row)
    idempotency.store(claimed, transaction=row, response=body)
    wake(f"gateway.{row.gateway}")
    return Created(row, body, key, replayed=False)


def _made_key(client: str, order_id: UUID, print_: str) -> str:
    """The same for a blind repeat; another one after a payment of the order has failed."""
    failed = Transaction.objects.filter(order_id=order_id, status=Status.FAILED).count()
    made = {"client": client, "order": order_id.hex, "request": print_, "failed": failed}
    return f"auto-{idempotency.fingerprint(made)[:40]}"


def _start(client: str, request: PaymentRequest) -> Transaction:
    order = lock_order(request.order_id)
    if request.owner_id not in {None, order.customer_id}:
        raise OrderNotFound("There is no such order.")
    _require_payable(order, request.money)
    able = routes(_terms(request))
    _require_clean(request)
    row = _row(client, order, request)
    # A token was made by the form of the preferred one, and means nothing to another.
    adapters = _expressible(row, order, able[:1] if request.payment_token else able)
    adapter = failover.first_choice(adapters)
    row.gateway, row.gateway_account, row.live_mode = adapter.name, adapter.account, adapter.live
    row.expires_at = row.created_at + adapter.link_lifetime
    _insert(row)
    passed_over = [other.name for other in able[: able.index(adapter)]]
    audit.record([_created(row, passed_over)])
    return row


def _row(client: str, order: Order, request: PaymentRequest) -> Transaction:
    """Without what its gateway says of it: name, account, mode, and how long its links live."""
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
        payment_token=tokens.seal(request.payment_token),
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


def _insert(row: Transaction) -> None:
    """Store it. The order is locked, so the only row in the way is its live payment."""
    if not bulk.insert_new(row):
        live = Transaction.objects.get(order=row.order, status__in=LIVE)
        raise PaymentInProgress(
            "A payment of this order is under way. Continue it, or cancel it first.",
            payment_id=live.public_id,
        )


def _terms(request: PaymentRequest) -> Terms:
    return Terms(
        method=request.method,
        channel=request.channel,
        money=request.money,
        capture=request.capture,
        has_token=bool(request.payment_token),
    )


def _expressible(row: Transaction, order: Order, able: Sequence[Gateway]) -> list[Gateway]:
    """Those that can be told of it; what none can is refused now, not found out by a worker."""
    reasons = [failover.unsayable(row, order, adapter, row.created_at) for adapter in able]
    if all(reasons):
        raise MethodUnavailable(f"{row.method} cannot take this payment: {reasons[0]}.")
    return [adapter for adapter, reason in zip(able, reasons, strict=True) if not reason]


def _require_clean(request: PaymentRequest) -> None:
    """Refuse card numbers in free text, and return URLs to places nobody vouched for."""
    texts = [*request.metadata, *request.metadata.values(), request.payment_token]
    if any(find_card_number(text) for text in texts):
        raise CardNumberRefused(
            "A card number must never be sent here. Use the gateway's own form for a token."
        )
    if request.return_url and not _is_allowed(request.return_url):
        raise ReturnUrlRefused("The origin of return_url must be one of RETURN_ORIGINS.")


def _is_allowed(url: str) -> bool:
    """Exactly one of our origins; nothing a browser might read differently from us."""
    if any(char in url for char in "\\\t\r\n @") or not url.isascii():
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return f"{parts.scheme}://{parts.netloc}" in {settings.BASE_URL, *settings.RETURN_ORIGINS}


def _created(row: Transaction, passed_over: list[str]) -> AuditEvent:
    """``passed_over`` are the gateways that were preferred, and cannot be reached or told."""
    return audit.event(
        action="transaction.created",
        subject_type="transaction",
        subject_id=row.pk,
        version=row.version,
        after={
            "status": row.status,
            "order": row.order.public_id,
            "amount": row.amount,
            "currency": row.currency,
            "method": row.method,
            "channel": row.channel,
            "gateway": row.gateway,
            **({"passed_over": ", ".join(passed_over)} if passed_over else {}),
        },
    )


@database.atomic(durable=True)
def cancel_payment(
    *, transaction_id: UUID, code: FailureCode = FailureCode.CANCELLED
) -> Transaction:
    """End a payment, or ask for its end: see the status of what is returned.

    A PENDING one that was never sent is FAILED at once. For one that is under way the wish is
    recorded; it ends when the gateway has closed it or still calls it unpaid. Raises
    AlreadyPaid, NotCancellable or PaymentNotFound.
    """
    row = _lock(transaction_id)
    if row.status == Status.SUCCESS:
        raise AlreadyPaid("The payment has succeeded. Refund it instead.")
    if row.status == Status.FAILED:
        raise NotCancellable("The payment has ended already.")
    if row.status == Status.PENDING and not GatewayCall.objects.filter(transaction=row).exists():
        end_unsent(row, row.order, code)
        return row
    if row.status == Status.AUTHORIZED:
        _require_void(row)
    return _ask_for_end(row, code)


def _require_void(row: Transaction) -> None:
    adapter = gateways().get(row.gateway)
    if adapter is None:
        raise NotCancellable(f"{row.gateway} {_GONE}")
    if not adapter.capabilities.void:
        raise NotCancellable(f"{row.gateway} cannot release a hold; it ends by itself.")


@database.atomic(durable=True)
def capture_payment(*, transaction_id: UUID, amount: int | None = None) -> Transaction:
    """Take what is held, or ``amount`` minor units of it; the rest is released.

    The wish is recorded and a worker carries it out. Asking again for the same is no mistake: once
    the gateway has refused it, it is asked anew.
    Raises AlreadyPaid, NotCapturable, CaptureAmountRefused or PaymentNotFound.
    """
    row = _lock(transaction_id)
    wanted = row.amount if amount is None else amount
    _require_capturable(row, wanted)
    if row.capture_amount is None or _was_in_vain(row, Verb.CAPTURE, row.capture_requested_at):
        now = database_now()
        _save(
            row,
            capture_amount=wanted,
            capture_requested_at=now,
            due_at=earliest_query(row, now),
        )
        audit.record([_capture_requested(row)])
        wake(f"gateway.{row.gateway}")
    return row


def _require_capturable(row: Transaction, wanted: int) -> None:
    if row.status == Status.SUCCESS:
        raise AlreadyPaid("The payment has been captured.")
    if row.status != Status.AUTHORIZED or row.cancel_code:
        raise NotCapturable("Only a payment that is AUTHORIZED and not being cancelled is held.")
    if row.capture_amount not in {None, wanted}:
        raise NotCapturable(f"It is being captured with {row.capture_amount} already.")
    if not 0 < wanted <= row.amount:
        raise CaptureAmountRefused(f"Capture 1 to {row.amount} minor units.")
    adapter = gateways().get(row.gateway)
    if adapter is None:
        raise NotCapturable(f"{row.gateway} {_GONE}")
    if wanted != row.amount and not adapter.capabilities.partial_capture:
        raise CaptureAmountRefused(f"{row.gateway} captures the whole {row.amount} only.")
    if not adapter.capabilities.can_divide(wanted, row.currency):
        step = adapter.capabilities.steps[row.currency]
        raise CaptureAmountRefused(f"{row.gateway} captures multiples of {step} minor units.")


def _capture_requested(row: Transaction) -> AuditEvent:
    return audit.event(
        action="transaction.capture_requested",
        subject_type="transaction",
        subject_id=row.pk,
        after={"capture_amount": row.capture_amount, "currency": row.currency},
    )


def _lock(transaction_id: UUID) -> Transaction:
    """The payment, with its order locked before it. Raises PaymentNotFound."""
    order_id = Transaction.objects.filter(pk=transaction_id).values_list("order_id", flat=True)
    for found in order_id:
        lock_order(found)
    row = Transaction.objects.select_for_update(no_key=True).filter(pk=transaction_id).first()
    if row is None:
        raise PaymentNotFound("There is no such payment.")
    return row


def _ask_for_end(row: Transaction, code: FailureCode) -> Transaction:
    now = database_now()
    if not row.cancel_code or _was_in_vain(row, Verb.VOID, row.cancel_requested_at):
        _save(row, cancel_code=code, cancel_requested_at=now, due_at=earliest_query(row, now))
        audit.record([cancel_requested(row)])
        wake(f"gateway.{row.gateway}")
    return row


def _was_in_vain(row: Transaction, verb: Verb, asked_at: datetime | None) -> bool:
    """Whether the gateway has answered ``verb`` since then, and holds the money all the same."""
    if row.status != Status.AUTHORIZED:
        return False
    answered = GatewayCall.objects.filter(transaction=row, verb=verb, answered_at__isnull=False)
    return answered.filter(last_sent_at__gte=asked_at).exists()


def _save(row: Transaction, **changes: Any) -> None:
    Transaction.objects.filter(pk=row.pk).update(**changes, updated_at=timezone.now())
    for name, value in changes.items():
        setattr(row, name, value)


@database.atomic(durable=True)
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


@database.atomic(durable=True)
def look_again(*, transaction_id: UUID) -> None:
    """The shopper is back: ask the gateway as soon as it allows. Proves nothing by itself."""
    row = Transaction.objects.select_for_update(no_key=True).filter(pk=transaction_id).first()
    if row is None or not row.is_live or row.status == Status.PENDING:
        return
    earliest = earliest_query(row, database_now())
    if row.due_at is None or earliest < row.due_at:
        _save(row, due_at=earliest)
        wake(f"gateway.{row.gateway}")
