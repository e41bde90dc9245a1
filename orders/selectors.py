"""Reading orders and the catalogue."""

from uuid import UUID

from django.db.models import QuerySet

from orders.errors import OrderNotFound
from orders.models import Order, Product


def products_on_sale() -> QuerySet[Product]:
    """What the shop sells now, by currency and price."""
    return Product.objects.filter(is_active=True).order_by("currency", "unit_amount", "sku")


def find_orders(user_id: UUID) -> QuerySet[Order]:
    """The orders of one user, newest first, with their lines."""
    orders = Order.objects.filter(customer_id=user_id).prefetch_related("lines")
    return orders.order_by("-created_at", "-id")


def find_user_order(user_id: UUID, order_id: UUID | None) -> Order:
    """One order of one user. Raises OrderNotFound, for somebody else's too."""
    order = find_orders(user_id).filter(pk=order_id).first() if order_id else None
    if order is None:
        raise OrderNotFound("There is no such order.")
    return order


def get_order(order_id: UUID) -> Order:
    """One order with its lines, for whoever holds its link. Raises OrderNotFound."""
    order = Order.objects.prefetch_related("lines").filter(pk=order_id).first()
    if order is None:
        raise OrderNotFound("There is no such order.")
    return order
