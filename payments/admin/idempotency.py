"""The keys under which clients asked for payments."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from django.contrib import admin
from django.utils.safestring import SafeString

from backoffice import query
from backoffice.filters import CreatedFilter
from backoffice.read_only import FOUND_MAX, Finder, ReadOnlyAdmin
from payments.admin.badges import payment_link
from payments.admin.finders import payments_named
from payments.models import IdempotencyKey


def _find_by_id(word: str) -> Iterable[object]:
    found = query.read_id(word)
    return IdempotencyKey.objects.filter(pk=found).values_list("pk", flat=True) if found else []


def _find_by_payments(word: str) -> Iterable[object]:
    keys = IdempotencyKey.objects.filter(transaction__in=payments_named(word))
    return keys.order_by("-pk").values_list("pk", flat=True)[:FOUND_MAX]


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    """One client's key, and the payment it stands for."""

    list_display = ("created_at", "key", "client", "payment", "request_id")
    list_filter = (CreatedFilter,)
    list_select_related = ("transaction",)
    # Keys are UUIDv7: this is newest first, by the primary key's own index.
    ordering = ("-id",)
    search_help_text = "A payment's id or an order's number; or key:… client:user:…"
    fields = ("key", "client", "payment", "fingerprint", "response", "request_id", "created_at")
    terms: ClassVar[Mapping[str, query.Term]] = {
        "key": query.text("key"),
        "client": query.text("client"),
        "payment": query.identifier("transaction_id", "pay"),
        "created": query.day("created_at"),
    }
    finders: ClassVar[tuple[Finder, ...]] = (_find_by_id, _find_by_payments)

    @admin.display(description="payment")
    def payment(self, row: IdempotencyKey) -> SafeString | str:
        """What was made under it."""
        return payment_link(row.transaction)
