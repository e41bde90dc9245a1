"""Accounts, and the transfers between them."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from django.contrib import admin
from django.db.models import Q
from django.utils.safestring import SafeString

from backoffice import export, query
from backoffice.filters import CreatedFilter
from backoffice.formats import link_to
from backoffice.read_only import FOUND_MAX, Finder, ReadOnlyAdmin
from money.money import EXPONENTS, Money
from orders.admin.amounts import amount
from payments.admin.badges import format_sum, payment_link
from payments.admin.filters import AmountFilter, CurrencyFilter, GatewayFilter
from payments.admin.finders import payments_named
from payments.models import AccountKind, LedgerAccount, Transfer, TransferKind


def _find_by_id(word: str) -> Iterable[object]:
    found = query.read_id(word)
    return Transfer.objects.filter(pk=found).values_list("pk", flat=True) if found else []


def _find_by_payments(word: str) -> Iterable[object]:
    transfers = Transfer.objects.filter(transaction__in=payments_named(word))
    return transfers.order_by("-created_at").values_list("pk", flat=True)[:FOUND_MAX]


def _account_kind(operator: str, value: str) -> Q:
    """Money that went into or out of accounts of one kind."""
    kind = query.choice("kind", AccountKind.values)(operator, value)
    accounts = list(LedgerAccount.objects.filter(kind).values_list("pk", flat=True))
    return Q(debit__in=accounts) | Q(credit__in=accounts)


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    """Money from one account to another."""

    list_display = ("created_at", "kind", "sum", "debit_account", "credit_account", "payment")
    list_filter = ("kind", CurrencyFilter, CreatedFilter, AmountFilter)
    list_select_related = ("debit", "credit", "transaction")
    ordering = ("-created_at", "-id")
    search_help_text = "A payment's id, an order's number; or account:suspense amount>1000"
    fields = ("kind", "sum", "debit_account", "credit_account", "payment", "created_at", "xid")
    terms: ClassVar[Mapping[str, query.Term]] = {
        "account": _account_kind,
        "amount": amount("amount"),
        "currency": query.choice("currency", EXPONENTS),
        "kind": query.choice("kind", TransferKind.values),
        "payment": query.identifier("transaction_id", "pay"),
        "created": query.day("created_at"),
    }
    finders: ClassVar[tuple[Finder, ...]] = (_find_by_id, _find_by_payments)
    export_columns: ClassVar[export.Columns] = {
        "id": lambda row: row.pk.hex,
        "kind": lambda row: row.kind,
        "amount": lambda row: Money(row.amount, row.currency).major,
        "currency": lambda row: row.currency,
        "debit": lambda row: str(row.debit),
        "credit": lambda row: str(row.credit),
        "payment": lambda row: row.transaction.public_id,
        "created_at": lambda row: row.created_at,
    }

    @admin.display(description="amount")
    def sum(self, row: Transfer) -> str:
        """How much."""
        return format_sum(row.amount, row.currency)

    @admin.display(description="debit (owes or holds it now)")
    def debit_account(self, row: Transfer) -> SafeString | str:
        """Where it is now."""
        return link_to(row.debit)

    @admin.display(description="credit")
    def credit_account(self, row: Transfer) -> SafeString | str:
        """What it counts for."""
        return link_to(row.credit)

    @admin.display(description="payment")
    def payment(self, row: Transfer) -> SafeString | str:
        """The payment behind it."""
        return payment_link(row.transaction)


@admin.register(LedgerAccount)
class LedgerAccountAdmin(ReadOnlyAdmin):
    """Where amounts add up. No balance is stored: the transfers are the balance."""

    list_display = ("__str__", "kind", "gateway", "gateway_account", "currency")
    list_filter = ("kind", GatewayFilter, CurrencyFilter)
    ordering = ("gateway", "currency", "kind", "id")
    fields = ("kind", "gateway", "gateway_account", "currency")
    terms: ClassVar[Mapping[str, query.Term]] = {
        "kind": query.choice("kind", AccountKind.values),
        "gateway": query.text("gateway"),
        "currency": query.choice("currency", EXPONENTS),
    }
