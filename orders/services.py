"""Creating and ending orders. Payment moves an order through ``mark_paid`` only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from audit import services as audit
from audit.actions import AuditAction
from audit.models import AuditEvent
from durable import bulk
from durable.ids import uuid7
from money.money import MINOR_UNITS_MAX, Money, MoneyError
from orders.errors import InvalidLine, OrderAlreadyPaid, OrderNotCancellable, OrderNotFound
from orders.models import Order, OrderLine, Product
from orders.states import PAID_STATUSES, OrderStatus

LINES_MAX: Final = 100
QUANTITY_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Customer:
    """Whose order it is. ``user_id`` None: a guest, who holds the signed link."""

    user_id: UUID | None = None
    email: str = ""
    phone: str = ""
    locale: str = "en"


@dataclass(frozen=True, slots=True)
class Item:
    """One line as asked for: a product of the catalogue and how many."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class ProductOnSale:
    """One entry of the catalogue; ``unit_amount`` in minor units of ``currency``."""

    sku: str
    name: str
    unit_amount: int
    currency: str


def put_on_sale(products: Sequence[ProductOnSale]) -> None:
    """Add to the catalogue what it does not hold yet."""
    rows = [
        Product(sku=p.sku, name=p.name, unit_amount=p.unit_amount, currency=p.currency)
        for p in products
    ]
    Product.objects.bulk_create(rows, ignore_conflicts=True)


@transaction.atomic
def create_order(
    *, customer: Customer, currency: str, items: Sequence[Item], order_id: UUID | None = None
) -> Order:
    """Add up and store an order. Raises InvalidLine; then nothing is stored.

    ``order_id``, a UUIDv7, belongs to one form of one customer: where it is an order already, that
    order comes back as it is, and nothing is stored.
    """
    lines = _priced_lines(currency, items)
    order = Order(
        id=order_id or uuid7(),
        customer_id=customer.user_id,
        currency=currency,
        total=_total(lines, currency).minor,
        customer_email=customer.email,
        customer_phone=customer.phone,
        locale=customer.locale,
    )
    if not bulk.insert_new(order):
        return Order.objects.get(pk=order.pk)
    for line in lines:
        line.order = order
    OrderLine.objects.bulk_create(lines)
    audit.record([_event(order, AuditAction.ORDER_CREATED, before=None)])
    order.refresh_from_db()
    return order


@transaction.atomic
def cancel_order(*, order_id: UUID) -> Order:
    """End an unpaid order. Raises OrderAlreadyPaid, OrderNotCancellable, OrderNotFound."""
    order = lock_order(order_id)
    if order.status in PAID_STATUSES:
        raise OrderAlreadyPaid("The order is paid. Refund the payment instead.")
    if order.status != OrderStatus.PENDING:
        raise OrderNotCancellable("The order has ended already.")
    before = order.status
    _write(order, status=OrderStatus.CANCELLED)
    audit.record([_event(order, AuditAction.ORDER_CANCELLED, before=before)])
    return order


def mark_paid(order: Order, *, amount: Money, cause_type: str, cause_id: str) -> AuditEvent:
    """Move a locked, PENDING order to PAID and return the event for the caller to record.

    It is the caller's transaction: a payment's success and its order change together. The caller
    ends it with ``write_paid``, once for all orders of a batch.
    """
    before = order.status
    order.status, order.amount_paid = OrderStatus.PAID, amount.minor
    order.version += 1
    order.updated_at = timezone.now()
    return _event(
        order, AuditAction.ORDER_PAID, before=before, cause_type=cause_type, cause_id=cause_id
    )


def write_paid(orders: Sequence[Order]) -> None:
    """Write what ``mark_paid`` did to ``orders``."""
    names = ("status", "amount_paid", "version", "updated_at")
    changes = {order.pk: {name: getattr(order, name) for name in names} for order in orders}
    bulk.update(Order, changes)


def lock_order(order_id: UUID) -> Order:
    """The order, locked until the surrounding transaction ends. Raises OrderNotFound."""
    found = bulk.select(Order, "WHERE id = %s FOR NO KEY UPDATE", [order_id])
    if not found:
        raise OrderNotFound("There is no such order.")
    return found[0]


def _priced_lines(currency: str, items: Sequence[Item]) -> list[OrderLine]:
    if not 1 <= len(items) <= LINES_MAX:
        raise InvalidLine(f"An order has 1 to {LINES_MAX} lines.")
    products = Product.objects.in_bulk({item.sku for item in items})
    return [
        _priced_line(position, item, products.get(item.sku), currency)
        for position, item in enumerate(items)
    ]


def _priced_line(position: int, item: Item, product: Product | None, currency: str) -> OrderLine:
    if product is None or not product.is_active:
        raise InvalidLine(f"There is no product {item.sku[:40]!r}. See GET /products.")
    if product.currency != currency:
        raise InvalidLine(
            f"{product.sku} is sold in {product.currency}; the order is in {currency}."
        )
    if not 1 <= item.quantity <= QUANTITY_MAX:
        raise InvalidLine(f"The quantity of {product.sku} must be 1 to {QUANTITY_MAX}.")
    return OrderLine(
        position=position,
        sku=product.sku,
        name=product.name,
        unit_amount=product.unit_amount,
        quantity=item.quantity,
    )


def _total(lines: Sequence[OrderLine], currency: str) -> Money:
    total = sum(line.amount for line in lines)
    if not 0 < total <= MINOR_UNITS_MAX:
        raise InvalidLine("The total of the order is too large.")
    try:
        return Money(total, currency)
    except MoneyError as error:
        raise InvalidLine(str(error)) from error


def _write(order: Order, **changes: object) -> None:
    """Write ``changes`` to a locked order and count its version up."""
    Order.objects.filter(pk=order.pk).update(version=F("version") + 1, updated_at=Now(), **changes)
    order.version += 1
    for name, value in changes.items():
        setattr(order, name, value)


def _event(
    order: Order,
    action: AuditAction,
    *,
    before: str | None,
    cause_type: str = "",
    cause_id: str = "",
) -> AuditEvent:
    return audit.event(
        action=action,
        subject_type="order",
        subject_id=order.id,
        version=order.version,
        before={"status": before} if before else {},
        after={
            "status": order.status,
            "total": order.total,
            "currency": order.currency,
            "amount_paid": order.amount_paid,
        },
        cause_type=cause_type,
        cause_id=cause_id,
    )
