"""Invoice ids: unique in the account, for payments and refunds alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sandbox.paypal.errors import refused

if TYPE_CHECKING:
    from sandbox.paypal.store import Store

LENGTH_MAX: Final = 127


def require_new(store: Store, invoice_id: str | None) -> None:
    """Raises PaypalError for an invoice id that was paid, or given back, already."""
    if invoice_id and invoice_id in store.table("invoices"):
        raise refused("DUPLICATE_INVOICE_ID")


def use(store: Store, invoice_id: str | None, owner: str) -> None:
    """Note that the payment or refund ``owner`` has taken the id."""
    if invoice_id:
        store.put("invoices", {"id": invoice_id, "of": owner})
