"""The catalogue of the demo shop, and orders with their lines."""

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Now

from durable.ids import public_id, uuid7
from durable.triggers import frozen_fields, legal_moves_only, no_delete
from money.money import Money
from orders.states import LEGAL_MOVES, PAID_STATUSES, OrderStatus

_CURRENCY = Q(currency__regex=r"^[A-Z]{3}$")


class Product(models.Model):
    """Something the demo shop sells, at one price in one currency."""

    sku = models.CharField(max_length=40, primary_key=True)
    name = models.CharField(max_length=200)
    unit_amount = models.BigIntegerField(help_text="In minor units of the currency.")
    currency = models.CharField(max_length=3)
    is_active = models.BooleanField(default=True)

    class Meta:
        db_table = "products"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(unit_amount__gt=0), name="product_price_positive"),
            models.CheckConstraint(condition=_CURRENCY, name="product_currency_iso"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def price(self) -> Money:
        """What one costs."""
        return Money(self.unit_amount, self.currency)


class Order(models.Model):
    """What a customer owes. The server adds it up; nobody else names the total."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # For people: short, spoken over the phone, from a sequence. Never a key of anything.
    number = models.BigIntegerField(
        unique=True,
        editable=False,
        db_default=Func(Value("order_numbers"), function="nextval"),
    )
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True
    )
    status = models.CharField(
        max_length=20, choices=OrderStatus.choices, default=OrderStatus.PENDING
    )
    version = models.PositiveIntegerField(default=1)
    currency = models.CharField(max_length=3)
    total = models.BigIntegerField()
    amount_paid = models.BigIntegerField(default=0)
    amount_refunded = models.BigIntegerField(default=0)
    customer_email = models.EmailField(blank=True)
    customer_phone = models.CharField(max_length=20, blank=True)
    locale = models.CharField(max_length=5, default="en")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "orders"
        constraints: ClassVar = [
            models.CheckConstraint(condition=_CURRENCY, name="order_currency_iso"),
            models.CheckConstraint(condition=Q(total__gt=0), name="order_total_positive"),
            models.CheckConstraint(
                condition=Q(status__in=OrderStatus.values), name="order_status_known"
            ),
            models.CheckConstraint(
                condition=Q(amount_paid__gte=0, amount_paid__lte=F("total")),
                name="order_paid_within_total",
            ),
            models.CheckConstraint(
                condition=Q(amount_refunded__gte=0, amount_refunded__lte=F("amount_paid")),
                name="order_refunded_within_paid",
            ),
            models.CheckConstraint(
                condition=Q(status__in=PAID_STATUSES, amount_paid__gt=0)
                | (~Q(status__in=PAID_STATUSES) & Q(amount_paid=0)),
                name="order_paid_says_amount",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["customer", "-created_at"], name="order_by_customer"),
            models.Index(fields=["-created_at"], name="order_latest"),
            models.Index(fields=["customer_email"], name="order_by_email"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            legal_moves_only(name="order_moves", field="status", moves=LEGAL_MOVES),
            frozen_fields(name="order_frozen", fields=["id", "number", "total", "currency"]),
            no_delete(),
        ]

    def __str__(self) -> str:
        return f"#{self.number}"

    @property
    def public_id(self) -> str:
        """``ord_…``."""
        return public_id("ord", self.id)

    @property
    def total_money(self) -> Money:
        """What is owed altogether."""
        return Money(self.total, self.currency)


class OrderLine(models.Model):
    """One line of an order, with the price at the time of ordering."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    sku = models.CharField(max_length=40, blank=True)
    name = models.CharField(max_length=200)
    unit_amount = models.BigIntegerField()
    quantity = models.PositiveIntegerField()

    class Meta:
        db_table = "order_lines"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "position"], name="order_line_position"),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, unit_amount__gte=0), name="order_line_amounts"
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            frozen_fields(
                name="order_line_frozen",
                fields=["order", "position", "sku", "name", "unit_amount", "quantity"],
            ),
            no_delete(),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"

    @property
    def amount(self) -> int:
        """Quantity times price, in minor units of the order's currency."""
        return self.unit_amount * self.quantity
