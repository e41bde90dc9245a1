"""The one function that settles.

API answer, webhook, return page, query and settlement record all become ``Evidence`` and go
through ``apply_outcomes``: under the locks of the order and the transaction, in whatever order
they come, however often. The state, the order, the ledger, the messages and the audit trail
change in one commit or not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.db import transaction as db_transaction

from audit import services as audit
from audit.models import AuditEvent
from durable import bulk
from durable.clock import database_now
from durable.wake import wake
from gateways.outcome import SHOWN_FACTS, Failure, FailureCode, Outcome, OutcomeKind
from money.money import Money
from orders.models import Order
from orders.services import mark_paid
from orders.states import OrderStatus
from payments.cases.opening import CaseReport
from payments.ledger.post import CapturePosting
from payments.models import CaptureMethod, CaseKind, Transaction
from payments.outcomes import messages
from payments.outcomes.decisions import REPEAT, Action, Decision, TransactionSnapshot, decide
from payments.outcomes.pending_writes import PendingWrites
from payments.outcomes.query_schedule import earliest_query, next_look
from payments.routing.registry import gateways
from payments.states import LIVE, Status, require_move

# So long after the end of its link a payment that is still open is a person's business too.
OVER_AGE: Final = timedelta(hours=24)
# Kinds that say that a shopper's money was taken or held.
TAKEN_OR_HELD: Final = frozenset({OutcomeKind.SUCCEEDED, OutcomeKind.AUTHORIZED})


class Source(StrEnum):
    """How the evidence reached us: the cause in the audit trail."""

    RESPONSE = "response"
    WEBHOOK = "webhook"
    QUERY = "query"
    SETTLEMENT = "settlement"
    PROOF = "proof"  # that nothing was ever sent
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One outcome about one transaction.

    ``cause_id`` names the gateway call or webhook event it comes from. ``attempt`` is the fence
    of the worker that holds the lease, None for everybody else: evidence is never fenced off,
    only the right to say when the row is due next. ``gateway`` is whose word it is; "" where it
    can only be that of the gateway where the payment is. ``asked_at`` is when the question went
    out that it answers, by the database's clock; None where nobody asked.
    """

    transaction_id: UUID
    outcome: Outcome
    source: Source
    cause_id: str
    attempt: int | None = None
    gateway: str = ""
    asked_at: datetime | None = None


_LOCK_ORDERS: Final = (
    "WHERE id IN (SELECT order_id FROM transactions WHERE id = ANY(%s)) ORDER BY id"
    " FOR NO KEY UPDATE"
)
_LOCK_ROWS: Final = "WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"


@db_transaction.atomic
def apply_outcomes(evidence: Sequence[Evidence]) -> list[Decision]:
    """Apply ``evidence``, in the given order, and say what was decided on each.

    Locks orders, then transactions, each by id, so that two batches never deadlock. Raises
    Transaction.DoesNotExist for an unknown id; then nothing has changed.
    """
    orders, transactions = _lock({item.transaction_id for item in evidence})
    batch = PendingWrites(now=database_now())
    decisions = [
        _apply(item, transactions[item.transaction_id], orders, batch) for item in evidence
    ]
    batch.write()
    return decisions


def _lock(ids: set[UUID]) -> tuple[dict[UUID, Order], dict[UUID, Transaction]]:
    wanted = [list(ids)]
    orders = {order.pk: order for order in bulk.select(Order, _LOCK_ORDERS, wanted)}
    transactions = {row.pk: row for row in bulk.select(Transaction, _LOCK_ROWS, wanted)}
    if len(transactions) != len(ids):
        raise Transaction.DoesNotExist("evidence for an unknown transaction")
    return orders, transactions


def _apply(
    item: Evidence, payment: Transaction, orders: dict[UUID, Order], batch: PendingWrites
) -> Decision:
    now = batch.now
    decision = _decide(item, payment, now)
    match decision.action:
        case Action.SUCCEED:
            _succeed(item, payment, orders[payment.order_id], batch)
        case Action.AUTHORIZE:
            _authorize(item, payment, batch)
        case Action.FAIL:
            _fail(item, payment, orders[payment.order_id], decision, batch)
        case Action.KEEP_OPEN:
            batch.change(
                payment, {**_outcome_changes(payment, item.outcome), **_release(item, payment, now)}
            )
            _schedule_hinted_verb(item, payment, now, batch)
            batch.cases_to_open.extend(_attention_cases(item, payment, now))
        case Action.REPEAT:
            batch.change(payment, {**_late_metadata(payment, item), **_release(item, payment, now)})
        case Action.MISMATCH | Action.CONFLICT:
            batch.cases_to_open.append(_finding(item, payment, decision))
            batch.change(payment, _release(item, payment, now))
    return decision


def _decide(item: Evidence, payment: Transaction, now: datetime) -> Decision:
    if item.gateway in {"", payment.gateway}:
        return decide(snapshot(payment), item.outcome, as_of=item.asked_at or now)
    # No payment leaves a gateway that may have charged it. Whatever else that one still says is
    # not about the payment's fate where it is now.
    if item.outcome.kind in TAKEN_OR_HELD:
        return Decision(
            Action.CONFLICT, differences={"gateway": f"{item.gateway}, not {payment.gateway}"}
        )
    return REPEAT


def snapshot(payment: Transaction) -> TransactionSnapshot:
    """What ``decide`` needs to know of ``payment``."""
    return TransactionSnapshot(
        status=Status(payment.status),
        money=payment.money,
        account=payment.gateway_account,
        live_mode=payment.live_mode,
        reference=payment.reference,
        manual_capture=payment.capture == CaptureMethod.MANUAL,
        psp_reference=payment.psp_reference,
        expires_at=payment.expires_at,
        expiry_margin=_expiry_margin(payment),
        capture_money=payment.capture_money,
        cancel_code=payment.cancel_code,
        cancel_requested_at=payment.cancel_requested_at,
    )


def _expiry_margin(payment: Transaction) -> timedelta:
    """For a gateway that was taken out of the settings, longer than that of any."""
    adapter = gateways().get(payment.gateway)
    return adapter.expiry_margin if adapter else OVER_AGE


def _authorize(item: Evidence, payment: Transaction, batch: PendingWrites) -> None:
    """The money is held: the order still waits for it."""
    changes = {**_outcome_changes(payment, item.outcome), "next_action": None, "payment_token": ""}
    _move(payment, Status.AUTHORIZED, item, batch, changes)
    batch.change(payment, _release(item, payment, batch.now))


def _succeed(item: Evidence, payment: Transaction, order: Order, batch: PendingWrites) -> None:
    """Take the money into the books, and pay the order with it if it still wants paying."""
    captured = item.outcome.money or payment.money
    late = payment.status == Status.FAILED
    applied = order.status == OrderStatus.PENDING
    changes = {"amount_captured": captured.minor, "applied": applied, **_NO_FAILURE}
    _move(
        payment,
        Status.SUCCESS,
        item,
        batch,
        {**_outcome_changes(payment, item.outcome), **changes, **_ENDED},
    )
    batch.captures.append(CapturePosting(payment, captured, applied=applied))
    if not applied:
        batch.cases_to_open.append(_unapplied(payment, order, captured))
        return
    cause = {"cause_type": item.source, "cause_id": item.cause_id}
    batch.audit.append(mark_paid(order, amount=captured, **cause))
    batch.paid.append(order)
    batch.messages.extend(messages.paid(order, payment))
    if late:
        _supersede_others(payment, batch)


def _supersede_others(payment: Transaction, batch: PendingWrites) -> None:
    """Late money has paid the order: whatever else is under way for it should be closed."""
    # The batch itself may have ended one of them.
    batch.write_changes()
    live = Transaction.objects.filter(order_id=payment.order_id, status__in=LIVE, cancel_code="")
    for other in live.select_for_update(no_key=True).exclude(pk=payment.pk).order_by("pk"):
        batch.change(
            other,
            {
                "cancel_code": FailureCode.SUPERSEDED,
                "cancel_requested_at": batch.now,
                "due_at": earliest_query(other, batch.now),
            },
        )
        batch.audit.append(cancel_requested(other))


def cancel_requested(payment: Transaction) -> AuditEvent:
    """An unsaved event: somebody wants ``payment`` ended."""
    return audit.event(
        action="transaction.cancel_requested",
        subject_type="transaction",
        subject_id=payment.pk,
        after={"cancel_code": payment.cancel_code},
    )


def fail_unsent(payment: Transaction, order: Order, code: FailureCode) -> None:
    """Fail a locked payment of which nothing ever reached a gateway: nothing can come of it."""
    batch = PendingWrites(now=database_now())
    nothing = Outcome(OutcomeKind.NOT_DONE)
    proof = Evidence(payment.pk, nothing, Source.PROOF, cause_id="nothing reached a gateway")
    _move(payment, Status.FAILED, proof, batch, {"failure_code": code, **_ENDED})
    batch.messages.extend(messages.failed(order, payment))
    batch.write()


def _unapplied(payment: Transaction, order: Order, captured: Money) -> CaseReport:
    return CaseReport(
        kind=CaseKind.DUPLICATE,
        transaction=payment,
        money=captured,
        detail={"order": order.public_id, "order_status": order.status},
    )


def _fail(
    item: Evidence, payment: Transaction, order: Order, decision: Decision, batch: PendingWrites
) -> None:
    failure = decision.failure
    assert failure is not None
    changes = {"failure_code": failure.code, "failure_detail": failure_detail(failure)}
    _move(
        payment,
        Status.FAILED,
        item,
        batch,
        {**_outcome_changes(payment, item.outcome), **changes, **_ENDED},
    )
    batch.messages.extend(messages.failed(order, payment))


def failure_detail(failure: Failure) -> dict[str, str]:
    """The gateway's own words, for staff."""
    return {"gateway_code": failure.gateway_code, "message": failure.message}


# Late money takes back why the payment had failed; the audit trail keeps it.
_NO_FAILURE: dict[str, Any] = {"failure_code": "", "failure_detail": {}}

# What every end has in common: nothing is due, nobody has to act, and the token is gone.
_ENDED: dict[str, Any] = {
    "due_at": None, "lease_until": None, "failures": 0, "next_action": None, "next_verb": "",
    "payment_token": "",
}  # fmt: skip


def _move(
    payment: Transaction,
    after: Status,
    item: Evidence,
    batch: PendingWrites,
    changes: dict[str, Any],
) -> None:
    """Change the state, count the version up and say so in the audit trail."""
    before = Status(payment.status)
    require_move(before, after)
    ended = {} if after in LIVE else {"ended_at": batch.now}
    batch.change(payment, {**changes, **ended, "status": after, "version": payment.version + 1})
    batch.audit.append(_audit_event(payment, before, item))


def _audit_event(payment: Transaction, before: Status, item: Evidence) -> AuditEvent:
    return audit.event(
        action=f"transaction.{payment.status.lower()}",
        subject_type="transaction",
        subject_id=payment.pk,
        version=payment.version,
        before={"status": before},
        after={
            "status": payment.status,
            "amount_captured": payment.amount_captured,
            "applied": payment.applied,
            "failure_code": payment.failure_code,
            "psp_reference": payment.psp_reference,
        },
        cause_type=item.source,
        cause_id=item.cause_id,
    )


def _outcome_changes(payment: Transaction, outcome: Outcome) -> dict[str, Any]:
    """What the outcome says beside its kind: ids of theirs, where to go, a decline on the page."""
    news: dict[str, Any] = {}
    if outcome.psp_reference and outcome.psp_reference != payment.psp_reference:
        news["psp_reference"] = outcome.psp_reference
    if outcome.psp_data:
        news["psp_data"] = {**payment.psp_data, **outcome.psp_data}
    if outcome.kind.is_answer and (outcome.next_verb or "") != payment.next_verb:
        # An operation without an answer keeps its turn.
        news["next_verb"] = outcome.next_verb or ""
    if outcome.next_action:
        action = outcome.next_action
        news["next_action"] = {"url": action.url, "qr": action.qr, "app_url": action.app_url}
    if outcome.failure:
        news["last_failure"] = {"code": outcome.failure.code, **failure_detail(outcome.failure)}
    return news


def _late_metadata(payment: Transaction, item: Evidence) -> dict[str, Any]:
    """What may still be learned of a payment from the word that it is paid, or that it is held.

    A hold that was renewed goes by another number, by which alone it can be taken or released.
    """
    if item.gateway not in {"", payment.gateway}:
        return {}
    told = item.outcome.psp_data
    if payment.status == Status.SUCCESS:
        # Only what its receipt shows.
        told = {
            name: told[name]
            for name in SHOWN_FACTS
            if name in told and name not in payment.psp_data
        }
    elif payment.status != Status.AUTHORIZED:
        return {}
    news = {**payment.psp_data, **told}
    return {"psp_data": news} if news != payment.psp_data else {}


def _release(item: Evidence, payment: Transaction, now: datetime) -> dict[str, Any]:
    """Give the lease back and say when to look again, if it is still this worker's to say."""
    if item.attempt is None or item.attempt != payment.attempt:
        return {}
    if payment.status not in LIVE:
        return {"lease_until": None}
    return {"lease_until": None, **next_look(payment, item.outcome, now)}


def _attention_cases(item: Evidence, payment: Transaction, now: datetime) -> list[CaseReport]:
    """Why a person should look at a payment that is still open."""
    failure = item.outcome.failure
    found = []
    if failure and failure.code is FailureCode.SUSPECTED_FRAUD:
        found.append(CaseKind.REVIEW)
    if payment.status == Status.PROCESSING and now > payment.expires_at + OVER_AGE:
        found.append(CaseKind.OVER_AGE)
    detail = {"source": item.source, "cause_id": item.cause_id}
    return [
        CaseReport(kind=kind, transaction=payment, money=payment.money, detail=detail, once=True)
        for kind in found
    ]


def _schedule_hinted_verb(
    item: Evidence, payment: Transaction, now: datetime, batch: PendingWrites
) -> None:
    """A webhook that is only a hint names the operation that brings the truth: do it soon."""
    if item.source is Source.WEBHOOK and item.outcome.next_verb is not None:
        batch.change(payment, {"due_at": earliest_query(payment, now)})
        wake(payment.queue)


def _finding(item: Evidence, payment: Transaction, decision: Decision) -> CaseReport:
    mismatch = decision.action is Action.MISMATCH
    return CaseReport(
        kind=CaseKind.MISMATCH if mismatch else CaseKind.CONFLICT,
        transaction=payment,
        money=item.outcome.money,
        detail={
            "differences": dict(decision.differences),
            "source": item.source,
            "cause_id": item.cause_id,
        },
    )
