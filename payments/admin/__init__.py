"""The staff's pages about payments, one module an aggregate."""

from payments.admin import (  # noqa: F401 - importing them puts them on the site
    case,
    gateway_breaker,
    gateway_call,
    idempotency,
    ledger,
    order,
    transaction,
    webhook,
)
