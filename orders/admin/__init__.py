"""Orders and the catalogue, to read."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from backoffice import export, query
from backoffice.filters import CreatedFilter, RangeFilter
from backoffice.formats import badge
from backoffice.read_only import FOUND_MAX, Finder, ReadOnlyAdmin
from money.formatting import format_money
from money.money import EXPONENTS, Money
from orders.admin.amounts import amount
from orders.models import Order, OrderLine, Product
from orders.states import OrderStatus

TONES: Mapping[str, str] = {
    OrderStatus.PENDING: "open",
    OrderStatus.PAID: "good",
    OrderStatus.PARTIALLY_REFUNDED: "good",
    OrderStatus.REFUNDED: "quiet",
    OrderStatus.CANCELLED: "quiet",
}


class TotalFilter(RangeFilter):
    """What the order costs."""

    title = "total"
    parameter = "total"
    term = staticmethod(amount("total"))


def _find_by_id(word: str) -> Iterable[object]:
    found = query.read_id(word, "ord")
    return Order.objects.filter(pk=found).values_list("pk", flat=True) if found else []


def _find_by_number(word: str) -> Iterable[object]:
    digits = word.removeprefix("#")
    if not (digits.isascii() and digits.isdigit()) or int(digits) >= 2**63:
        return []
    return Order.objects.filter(number=int(digits)).values_list("pk", flat=True)


def _find_by_email(word: str) -> Iterable[object]:
    if "@" not in word:
        return []
    orders = Order.objects.filter(query.email("customer_email")(":", word)).order_by("-created_at")
    return orders.values_list("pk", flat=True)[:FOUND_MAX]


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """What is owed, by whom, and what has come in."""

    list_display = ("__str__", "state", "total_sum", "paid_sum", "customer_email", "created_at")
    list_filter = ("status", CreatedFilter, TotalFilter)
    list_select_related = ("customer",)
    ordering = ("-created_at", "-id")
    search_help_text = "An order's number or id, or an e-mail address; or total>1000 status:paid"
    fields: ClassVar[tuple[str, ...]] = (
        "__str__", "public_id", "state", "total_sum", "paid_sum", "refunded_sum", "lines_table",
        "customer", "customer_email", "customer_phone", "locale", "created_at", "updated_at",
    )  # fmt: skip
    recorded_as = "order"
    terms: ClassVar[Mapping[str, query.Term]] = {
        "id": query.identifier("pk", "ord"),
        "number": query.number("number"),
        "status": query.choice("status", OrderStatus.values),
        "email": query.email("customer_email"),
        "total": amount("total"),
        "currency": query.choice("currency", EXPONENTS),
        "created": query.day("created_at"),
    }
    finders: ClassVar[tuple[Finder, ...]] = (_find_by_id, _find_by_number, _find_by_email)
    export_columns: ClassVar[export.Columns] = {
        "id": lambda row: row.public_id,
        "number": lambda row: row.number,
        "status": lambda row: row.status,
        "currency": lambda row: row.currency,
        "total": lambda row: row.total_money.major,
        "paid": lambda row: Money(row.amount_paid, row.currency).major,
        "refunded": lambda row: Money(row.amount_refunded, row.currency).major,
        "email": lambda row: row.customer_email,
        "created_at": lambda row: row.created_at,
    }

    @admin.display(description="status")
    def state(self, row: Order) -> SafeString | str:
        """Where it stands."""
        return badge(row.status, TONES[row.status])

    @admin.display(description="total")
    def total_sum(self, row: Order) -> str:
        """What it costs."""
        return format_money(row.total_money)

    @admin.display(description="paid")
    def paid_sum(self, row: Order) -> str:
        """What has come in for it."""
        return format_money(Money(row.amount_paid, row.currency))

    @admin.display(description="refunded")
    def refunded_sum(self, row: Order) -> str:
        """What has gone back."""
        return format_money(Money(row.amount_refunded, row.currency))

    @admin.display(description="lines")
    def lines_table(self, row: Order) -> SafeString:
        """What was ordered, at the price of that day."""
        lines = row.lines.order_by("position")
        return format_html_join("\n", "<div>{} · {}</div>", (_line(row, line) for line in lines))


def _line(order: Order, line: OrderLine) -> tuple[str, str]:
    return str(line), format_money(Money(line.amount, order.currency))


@admin.register(Product)
class ProductAdmin(ReadOnlyAdmin):
    """The demo shop's catalogue."""

    list_display = ("sku", "name", "price_sum", "is_active")
    ordering = ("sku",)
    fields = ("sku", "name", "price_sum", "is_active")
    terms: ClassVar[Mapping[str, query.Term]] = {"sku": query.text("sku")}
    finders: ClassVar[tuple[Finder, ...]] = (
        lambda word: Product.objects.filter(pk=word).values_list("pk", flat=True),
    )

    @admin.display(description="price")
    def price_sum(self, row: Product) -> str:
        """What one costs."""
        return format_money(row.price)
