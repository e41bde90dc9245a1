"""The tables of this app, one aggregate a file."""

from payments.models.breaker import GatewayBreaker
from payments.models.case import Case, CaseKind, CaseState
from payments.models.gateway_call import GatewayCall
from payments.models.idempotency import IdempotencyKey
from payments.models.ledger import AccountKind, LedgerAccount, Transfer, TransferKind
from payments.models.transaction import CAPTURE_METHODS, Transaction
from payments.models.webhook import WebhookEvent, WebhookState

__all__ = [
    "CAPTURE_METHODS",
    "AccountKind",
    "Case",
    "CaseKind",
    "CaseState",
    "GatewayBreaker",
    "GatewayCall",
    "IdempotencyKey",
    "LedgerAccount",
    "Transaction",
    "Transfer",
    "TransferKind",
    "WebhookEvent",
    "WebhookState",
]
