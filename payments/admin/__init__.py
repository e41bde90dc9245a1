"""The staff's pages about payments, one module an aggregate."""

from payments.admin import (  # noqa: F401 - importing them puts them on the site
    breaker,
    case,
    gateway_call,
    idempotency,
    ledger,
    order,
    transaction,
    webhook,
)
