"""What the product cannot do, as SQL: a positive control for each invariant."""

from collections.abc import Callable
from dataclasses import dataclass, field

from payments.models import Transaction, WebhookEvent


@dataclass(frozen=True, slots=True)
class SandboxContext:
    """One payment of each fate, with everything that belongs to it."""

    success: Transaction
    unapplied: Transaction
    failed: Transaction
    open: Transaction
    never_sent: Transaction
    refused_webhook: WebhookEvent


@dataclass(frozen=True, slots=True)
class Break:
    """SQL that does what the product cannot, and the row that must be named for it.

    ``without`` are the constraints that stand in the way: the rule's other half. Triggers sleep.
    """

    invariant: str
    name: str
    sql: str
    offender: Callable[[SandboxContext], object]
    without: dict[str, list[str]] = field(default_factory=dict)
    at_rest: bool = False


def _order(context: SandboxContext) -> object:
    return context.success.order_id


def _success(context: SandboxContext) -> object:
    return context.success.pk


def _failed(context: SandboxContext) -> object:
    return context.failed.pk


def _open(context: SandboxContext) -> object:
    return context.open.pk


def _transfer(context: SandboxContext) -> object:
    return context.success.transfers.get().pk


SUCCESS_CHECKS = {
    "transactions": [
        "success_says_what_was_captured",
        "success_names_the_psp_reference",
        "failed_says_why",
        "captured_within_amount",
        "refunded_within_captured",
    ]
}
ORDER_CHECKS = {
    "orders": ["order_paid_says_amount", "order_paid_within_total", "order_refunded_within_paid"]
}

BREAKS = [
    Break(
        "I01", "a transfer of nothing",
        "UPDATE transfers SET amount = 0 WHERE transaction_id = %(success)s",
        _transfer, {"transfers": ["transfer_positive"]},
    ),
    Break(
        "I01", "a transfer to itself",
        "UPDATE transfers SET credit_id = debit_id WHERE transaction_id = %(success)s",
        _transfer, {"transfers": ["transfer_between_two_accounts"]},
    ),
    Break(
        "I01", "a transfer across currencies",
        "UPDATE transfers SET currency = 'USD' WHERE transaction_id = %(success)s",
        _transfer,
    ),
    Break(
        "I01", "a transfer to an account that is not there",
        "UPDATE transfers SET credit_id = 999999 WHERE transaction_id = %(success)s",
        _transfer,
    ),
    Break(
        "I04", "an order paid twice",
        "UPDATE transactions SET order_id = (SELECT order_id FROM transactions"
        " WHERE id = %(success)s), applied = true WHERE id = %(unapplied)s",
        _order, {"transactions": ["one_applied_success_per_order"]},
    ),
    Break(
        "I05", "an order that is paid by nothing",
        "UPDATE orders SET status = 'PAID', amount_paid = total"
        " WHERE id = (SELECT order_id FROM transactions WHERE id = %(failed)s)",
        lambda context: context.failed.order_id,
    ),
    Break(
        "I05", "a success whose order was forgotten",
        "UPDATE orders SET status = 'PENDING', amount_paid = 0 WHERE id = %(order)s",
        _order,
    ),
    Break(
        "I05", "an order that says it was paid less",
        "UPDATE orders SET amount_paid = total - 1 WHERE id = %(order)s",
        _order,
    ),
    Break(
        "I06", "a success without a reference of the gateway",
        "UPDATE transactions SET psp_reference = '' WHERE id = %(success)s",
        _success, SUCCESS_CHECKS,
    ),
    Break(
        "I07", "more captured than asked for",
        "UPDATE transactions SET amount_captured = amount + 1 WHERE id = %(success)s",
        _success, SUCCESS_CHECKS,
    ),
    Break(
        "I07", "more refunded than captured",
        "UPDATE transactions SET amount_refunded = amount_captured + 1 WHERE id = %(success)s",
        _success, SUCCESS_CHECKS,
    ),
    Break(
        "I07", "an order paid beyond its total",
        "UPDATE orders SET amount_paid = total + 1 WHERE id = %(order)s",
        _order, ORDER_CHECKS,
    ),
    Break(
        "I08", "a success that the ledger never saw",
        "DELETE FROM transfers WHERE transaction_id = %(success)s",
        _success,
    ),
    Break(
        "I08", "a capture of another amount",
        "UPDATE transfers SET amount = amount - 1 WHERE transaction_id = %(success)s",
        _success,
    ),
    Break(
        "I08", "a capture of a payment that failed",
        "UPDATE transfers SET transaction_id = %(failed)s WHERE transaction_id = %(success)s",
        _failed,
    ),
    Break(
        "I08", "money in suspense booked as revenue",
        "UPDATE transfers SET credit_id = (SELECT id FROM ledger_accounts"
        " WHERE kind = 'revenue' LIMIT 1) WHERE transaction_id = %(unapplied)s",
        lambda context: context.unapplied.pk,
    ),
    Break(
        "I09", "a payment in another currency than its order",
        "UPDATE transactions SET currency = 'USD' WHERE id = %(open)s",
        _open,
    ),
    Break(
        "I10", "a state that nobody recorded",
        "UPDATE transactions SET status = 'PENDING' WHERE id = %(open)s",
        _open,
    ),
    Break(
        "I10", "an order whose state nobody recorded",
        "UPDATE orders SET status = 'CANCELLED', amount_paid = 0 WHERE id = %(order)s",
        _order,
    ),
    Break(
        "I12", "a missing chapter",
        "DELETE FROM audit_events WHERE subject_id = %(success)s AND version = 2",
        _success,
    ),
    Break(
        "I12", "a move that the table does not hold",
        "UPDATE audit_events SET before = '{\"status\": \"SUCCESS\"}'"
        " WHERE subject_id = %(failed)s AND version = 3",
        _failed,
    ),
    Break(
        "I13", "an end by a clock",
        "UPDATE audit_events SET cause_type = 'timer' WHERE subject_id = %(failed)s"
        " AND version = 3",
        _failed,
    ),
    Break(
        "I13", "a success by a webhook that is not there",
        "UPDATE audit_events SET cause_id = %(open)s WHERE subject_id = %(success)s"
        " AND version = 3",
        _success,
    ),
    Break(
        "I13", "a success by a forged webhook",
        "UPDATE audit_events SET cause_id = (SELECT id::text FROM webhook_events"
        " WHERE NOT verified) WHERE subject_id = %(success)s AND version = 3",
        _success,
    ),
    Break(
        "I13", "an end by a person without a name",
        "UPDATE audit_events SET cause_type = 'person' WHERE subject_id = %(failed)s"
        " AND version = 3",
        _failed,
    ),
    Break(
        "I14", "a key without an answer",
        "UPDATE idempotency_keys SET response = '' WHERE transaction_id = %(success)s",
        lambda context: context.success.idempotency_keys.get().pk,
    ),
    Break(
        "I14", "a key without a payment",
        "UPDATE idempotency_keys SET transaction_id = NULL WHERE transaction_id = %(open)s",
        lambda context: context.open.idempotency_keys.get().pk,
    ),
    Break(
        "I15", "a forged webhook that was applied",
        "UPDATE webhook_events SET state = 'APPLIED' WHERE NOT verified",
        lambda context: context.refused_webhook.pk,
        {"webhook_events": ["unverified_webhook_changes_nothing"]},
    ),
    Break(
        "I16", "a payment that nobody will look at",
        "UPDATE transactions SET due_at = NULL WHERE id = %(open)s",
        _open,
    ),
    Break(
        "I16", "a payment that nobody will look at this week",
        "UPDATE transactions SET due_at = now() + interval '7 days' WHERE id = %(open)s",
        _open,
    ),
    Break(
        "I16", "a webhook left lying",
        "UPDATE webhook_events SET state = 'PARKED', due_at = NULL WHERE verified",
        lambda context: WebhookEvent.objects.get(verified=True).pk,
    ),
    Break(
        "I17", "a payment under way",
        "SELECT 1", _open, at_rest=True,
    ),
    Break(
        "I18", "triggers put to sleep",
        "ALTER TABLE transfers DISABLE TRIGGER USER",
        lambda _: "pgtrigger_no_truncate",
    ),
    Break(
        "R01", "two live payments of one order",
        "UPDATE transactions SET status = 'PROCESSING', failure_code = '',"
        " order_id = (SELECT order_id FROM transactions WHERE id = %(open)s)"
        " WHERE id = %(failed)s",
        lambda context: context.open.order_id, {"transactions": ["one_live_transaction_per_order"]},
    ),
    Break(
        "R02", "suspense without a case",
        "DELETE FROM cases WHERE transaction_id = %(unapplied)s",
        lambda context: context.unapplied.pk,
    ),
    Break(
        "R03", "a customer who was never told",
        "DELETE FROM notifications WHERE subject_id = %(success)s",
        _success,
    ),
    Break(
        "R04", "a payment begun without an intent",
        "DELETE FROM gateway_calls WHERE transaction_id = %(open)s",
        _open,
    ),
    Break(
        "R04", "a payment called never sent that was sent",
        "UPDATE gateway_calls SET transaction_id = %(never_sent)s WHERE transaction_id = %(open)s",
        lambda context: context.never_sent.pk,
    ),
    Break(
        "R05", "an amount changed behind everybody's back",
        "UPDATE transactions SET amount = amount + 1 WHERE id = %(open)s",
        _open,
    ),
    Break(
        "R06", "a token kept after the end",
        "UPDATE transactions SET payment_token = 'sealed' WHERE id = %(failed)s",
        _failed, {"transactions": ["token_wiped_at_the_end"]},
    ),
    Break(
        "R07", "a payment at another gateway, and no word about it",
        "UPDATE transactions SET gateway = 'momo', reroutes = 1 WHERE id = %(open)s",
        _open,
    ),
    Break(
        "R07", "a payment that was taken from a gateway that may have charged",
        "UPDATE transactions SET gateway = 'momo' WHERE id = %(success)s",
        _success,
    ),
]  # fmt: skip
