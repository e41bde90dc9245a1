"""The order's page, with its payments: whatever shows payments lives in this app."""

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from orders.admin import OrderAdmin
from orders.models import Order
from payments.admin.badges import format_sum, payment_link, status_badge

admin.site.unregister(Order)


@admin.register(Order)
class OrderWithPaymentsAdmin(OrderAdmin):
    """An order and every attempt to pay it."""

    fields = (*OrderAdmin.fields[:7], "payments", *OrderAdmin.fields[7:])

    @admin.display(description="payments")
    def payments(self, row: Order) -> SafeString | str:
        """Newest first."""
        lines = (
            (payment_link(payment), payment.method, format_sum(payment.amount, payment.currency),
             status_badge(payment.status))
            for payment in row.transactions.order_by("-created_at", "-id")
        )  # fmt: skip
        return format_html_join("\n", "<div>{} · {} · {} {}</div>", lines) or "none yet"
