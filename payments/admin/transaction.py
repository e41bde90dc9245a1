"""Payments: the list, and for each the timeline of what happened to it."""

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice import export, query
from backoffice.filters import CreatedFilter
from backoffice.formats import link_to
from backoffice.read_only import Finder
from gateways.outcome import FailureCode
from money.money import EXPONENTS, Money
from orders.admin.amounts import amount
from payments.admin.actions import ActingAdmin, StaffAction
from payments.admin.badges import format_sum, short_id, status_badge
from payments.admin.filters import AmountFilter, CurrencyFilter, GatewayFilter, MethodFilter
from payments.admin.finders import PAYMENT_FINDERS
from payments.admin.timeline import build_timeline
from payments.models import Transaction
from payments.permissions import REQUEST_STATUS_QUERY
from payments.services.staff import request_status_query
from payments.states import Status


def _ask(transaction_id: UUID, user_id: UUID, filled_in: Mapping[str, Any]) -> str:
    request_status_query(transaction_id=transaction_id)
    return "The gateway is asked as soon as it allows. Reload this page to see its answer."


@admin.register(Transaction)
class TransactionAdmin(ActingAdmin):
    """One attempt to collect an amount for an order."""

    change_form_template = "payments/admin/timeline.html"
    list_display = (
        "short", "status_shown", "sum", "method", "order_link", "email", "failure_code",
        "created_at",
    )  # fmt: skip
    list_filter = (
        "status", MethodFilter, GatewayFilter, CurrencyFilter, CreatedFilter, AmountFilter,
    )  # fmt: skip
    list_select_related = ("order",)
    ordering = ("-created_at", "-id")
    search_help_text = (
        "An id (pay_… ord_…), an order's number, an e-mail address, a gateway's number;"
        " or status:failed amount>1000 -method:card"
    )
    fields = ("status",)
    recorded_as = "transaction"
    terms: ClassVar[Mapping[str, query.Term]] = {
        "id": query.identifier("pk", "pay"),
        "order": query.identifier("order_id", "ord"),
        "number": query.number("order__number"),
        "email": query.email("order__customer_email"),
        "status": query.choice("status", Status.values),
        "method": query.choice("method", settings.METHOD_GATEWAYS),
        "channel": query.text("channel"),
        "gateway": query.choice("gateway", settings.GATEWAYS),
        "currency": query.choice("currency", EXPONENTS),
        "amount": amount("amount"),
        "failure": query.choice("failure_code", FailureCode),
        "reference": query.text("psp_reference"),
        "client": query.text("client"),
        "applied": query.flag("applied"),
        "created": query.day("created_at"),
        "ended": query.day("ended_at"),
    }
    finders: ClassVar[tuple[Finder, ...]] = tuple(PAYMENT_FINDERS)
    export_columns: ClassVar[export.Columns] = {
        "id": lambda row: row.public_id,
        "order": lambda row: row.order.public_id,
        "order_number": lambda row: row.order.number,
        "status": lambda row: row.status,
        "currency": lambda row: row.currency,
        "amount": lambda row: row.money.major,
        "captured": lambda row: _major(row.amount_captured, row.currency),
        "refunded": lambda row: _major(row.amount_refunded, row.currency),
        "applied": lambda row: "yes" if row.applied else "no",
        "method": lambda row: row.method,
        "channel": lambda row: row.channel,
        "gateway": lambda row: row.gateway,
        "psp_reference": lambda row: row.psp_reference,
        "failure_code": lambda row: row.failure_code,
        "email": lambda row: row.order.customer_email,
        "created_at": lambda row: row.created_at,
        "ended_at": lambda row: row.ended_at,
    }
    staff_action = StaffAction(
        name="ask",
        title="Ask the gateway now",
        question=(
            "The payment is looked up at the gateway as soon as the gateway allows. The answer"
            " is used like any other: nothing is decided by this button."
        ),
        permission=REQUEST_STATUS_QUERY,
        applies_to=lambda row: row.is_live and row.status != Status.PENDING,
        perform=_ask,
    )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The timeline."""
        row = self.get_object(request, object_id)
        extra = dict(extra_context or {})
        if row is not None and self.has_view_permission(request, row):
            extra["timeline"] = build_timeline(row)
        return super().change_view(request, object_id, form_url, extra)

    @admin.display(description="payment")
    def short(self, payment: Transaction) -> SafeString | str:
        """The id that the client knows, by its end."""
        return format_html('<span title="{}">{}</span>', payment.public_id, short_id(payment))

    @admin.display(description="status")
    def status_shown(self, payment: Transaction) -> SafeString | str:
        """Where it stands."""
        return status_badge(payment.status)

    @admin.display(description="amount")
    def sum(self, payment: Transaction) -> str:
        """What was asked for."""
        return format_sum(payment.amount, payment.currency)

    @admin.display(description="order")
    def order_link(self, payment: Transaction) -> SafeString | str:
        """What it pays for."""
        return link_to(payment.order)

    @admin.display(description="e-mail")
    def email(self, payment: Transaction) -> str:
        """Whose order it is."""
        return payment.order.customer_email


def _major(minor: int | None, currency: str) -> object:
    return "" if minor is None else Money(minor, currency).major
