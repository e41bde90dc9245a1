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

from django.db import transaction as database

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
from payments.cases.opening import Finding
from payments.ledger.post import CapturePosting
from payments.models import Capture, CaseKind, Transaction
from payments.outcomes import messages
from payments.outcomes.batch import Batch
from payments.outcomes.decisions import REPEAT, Decision, Ruling, Standing, decide
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


@database.atomic
def apply_outcomes(evidence: Sequence[Evidence]) -> list[Decision]:
    """Apply ``evidence``, in the given order, and say what was decided on each.

    Locks orders, then transactions, each by id, so that two batches never deadlock. Raises
    Transaction.DoesNotExist for an unknown id; then nothing has changed.
    """
    orders, transactions = _lock({item.transaction_id for item in evidence})
    batch = Batch(now=database_now())
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


def _apply(item: Evidence, row: Transaction, orders: dict[UUID, Order], batch: Batch) -> Decision:
    now = batch.now
    decision = _decide(item, row, now)
    match decision.ruling:
        case Ruling.SUCCEED:
            _succeed(item, row, orders[row.order_id], batch)
        case Ruling.AUTHORIZE:
            _authorize(item, row, batch)
        case Ruling.FAIL:
            _fail(item, row, orders[row.order_id], decision, batch)
        case Ruling.CARRY_ON:
            batch.change(row, {**_news(row, item.outcome), **_release(item, row, now)})
            _follow_hint(item, row, now, batch)
            batch.findings.extend(_worries(item, row, now))
        case Ruling.REPEAT:
            batch.change(row, {**_further_facts(row, item), **_release(item, row, now)})
        case Ruling.MISMATCH | Ruling.CONFLICT:
            batch.findings.append(_finding(item, row, decision))
            batch.change(row, _release(item, row, now))
    return decision


def _decide(item: Evidence, row: Transaction, now: datetime) -> Decision:
    if item.gateway in {"", row.gateway}:
        return decide(standing_of(row), item.outcome, as_of=item.asked_at or now)
    # No payment leaves a gateway that may have charged it. Whatever else that one still says is
    # not about the payment's fate where it is now.
    if item.outcome.kind in TAKEN_OR_HELD:
        return Decision(
            Ruling.CONFLICT, differences={"gateway": f"{item.gateway}, not {row.gateway}"}
        )
    return REPEAT


def standing_of(row: Transaction) -> Standing:
    """What ``decide`` needs to know of ``row``."""
    return Standing(
        status=Status(row.status),
        money=row.money,
        account=row.gateway_account,
        live_mode=row.live_mode,
        reference=row.reference,
        manual_capture=row.capture == Capture.MANUAL,
        psp_reference=row.psp_reference,
        expires_at=row.expires_at,
        expiry_margin=_expiry_margin(row),
        capture_money=row.capture_money,
        cancel_code=row.cancel_code,
        cancel_requested_at=row.cancel_requested_at,
    )


def _expiry_margin(row: Transaction) -> timedelta:
    """For a gateway that was taken out of the settings, longer than that of any."""
    adapter = gateways().get(row.gateway)
    return adapter.expiry_margin if adapter else OVER_AGE


def _authorize(item: Evidence, row: Transaction, batch: Batch) -> None:
    """The money is held: the order still waits for it."""
    changes = {**_news(row, item.outcome), "next_action": None, "payment_token": ""}
    _move(row, Status.AUTHORIZED, item, batch, changes)
    batch.change(row, _release(item, row, batch.now))


def _succeed(item: Evidence, row: Transaction, order: Order, batch: Batch) -> None:
    """Take the money into the books, and pay the order with it if it still wants paying."""
    captured = item.outcome.money or row.money
    late = row.status == Status.FAILED
    applied = order.status == OrderStatus.PENDING
    changes = {"amount_captured": captured.minor, "applied": applied, **_NO_FAILURE}
    _move(row, Status.SUCCESS, item, batch, {**_news(row, item.outcome), **changes, **_ENDED})
    batch.captures.append(CapturePosting(row, captured, applied=applied))
    if not applied:
        batch.findings.append(_unapplied(row, order, captured))
        return
    cause = {"cause_type": item.source, "cause_id": item.cause_id}
    batch.audit.append(mark_paid(order, amount=captured, **cause))
    batch.paid.append(order)
    batch.messages.extend(messages.paid(order, row))
    if late:
        _supersede_others(row, batch)


def _supersede_others(row: Transaction, batch: Batch) -> None:
    """Late money has paid the order: whatever else is under way for it should be closed."""
    # The batch itself may have ended one of them.
    batch.write_changes()
    live = Transaction.objects.filter(order_id=row.order_id, status__in=LIVE, cancel_code="")
    for other in live.select_for_update(no_key=True).exclude(pk=row.pk).order_by("pk"):
        batch.change(
            other,
            {
                "cancel_code": FailureCode.SUPERSEDED,
                "cancel_requested_at": batch.now,
                "due_at": earliest_query(other, batch.now),
            },
        )
        batch.audit.append(cancel_requested(other))


def cancel_requested(row: Transaction) -> AuditEvent:
    """An unsaved event: somebody wants ``row`` ended."""
    return audit.event(
        action="transaction.cancel_requested",
        subject_type="transaction",
        subject_id=row.pk,
        after={"cancel_code": row.cancel_code},
    )


def end_unsent(row: Transaction, order: Order, code: FailureCode) -> None:
    """Fail a locked row of which nothing ever reached a gateway: nothing can come of it."""
    batch = Batch(now=database_now())
    nothing = Outcome(OutcomeKind.NOT_DONE)
    proof = Evidence(row.pk, nothing, Source.PROOF, cause_id="nothing reached a gateway")
    _move(row, Status.FAILED, proof, batch, {"failure_code": code, **_ENDED})
    batch.messages.extend(messages.failed(order, row))
    batch.write()


def _unapplied(row: Transaction, order: Order, captured: Money) -> Finding:
    return Finding(
        kind=CaseKind.DUPLICATE,
        transaction=row,
        money=captured,
        detail={"order": order.public_id, "order_status": order.status},
    )


def _fail(item: Evidence, row: Transaction, order: Order, decision: Decision, batch: Batch) -> None:
    failure = decision.failure
    assert failure is not None
    changes = {"failure_code": failure.code, "failure_detail": failure_detail(failure)}
    _move(row, Status.FAILED, item, batch, {**_news(row, item.outcome), **changes, **_ENDED})
    batch.messages.extend(messages.failed(order, row))


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
    row: Transaction, after: Status, item: Evidence, batch: Batch, changes: dict[str, Any]
) -> None:
    """Change the state, count the version up and say so in the audit trail."""
    before = Status(row.status)
    require_move(before, after)
    ended = {} if after in LIVE else {"ended_at": batch.now}
    batch.change(row, {**changes, **ended, "status": after, "version": row.version + 1})
    batch.audit.append(_audit_event(row, before, item))


def _audit_event(row: Transaction, before: Status, item: Evidence) -> AuditEvent:
    return audit.event(
        action=f"transaction.{row.status.lower()}",
        subject_type="transaction",
        subject_id=row.pk,
        version=row.version,
        before={"status": before},
        after={
            "status": row.status,
            "amount_captured": row.amount_captured,
            "applied": row.applied,
            "failure_code": row.failure_code,
            "psp_reference": row.psp_reference,
        },
        cause_type=item.source,
        cause_id=item.cause_id,
    )


def _news(row: Transaction, outcome: Outcome) -> dict[str, Any]:
    """What the outcome says beside its kind: ids of theirs, where to go, a decline on the page."""
    news: dict[str, Any] = {}
    if outcome.psp_reference and outcome.psp_reference != row.psp_reference:
        news["psp_reference"] = outcome.psp_reference
    if outcome.psp_data:
        news["psp_data"] = {**row.psp_data, **outcome.psp_data}
    if outcome.kind.is_answer and (outcome.next_verb or "") != row.next_verb:
        # An operation without an answer keeps its turn.
        news["next_verb"] = outcome.next_verb or ""
    if outcome.next_action:
        action = outcome.next_action
        news["next_action"] = {"url": action.url, "qr": action.qr, "app_url": action.app_url}
    if outcome.failure:
        news["last_failure"] = {"code": outcome.failure.code, **failure_detail(outcome.failure)}
    return news


def _further_facts(row: Transaction, item: Evidence) -> dict[str, Any]:
    """What may still be learned of a payment from the word that it is paid, or that it is held.

    A hold that was renewed goes by another number, by which alone it can be taken or released.
    """
    if item.gateway not in {"", row.gateway}:
        return {}
    told = item.outcome.psp_data
    if row.status == Status.SUCCESS:
        # Only what its receipt shows.
        told = {
            name: told[name] for name in SHOWN_FACTS if name in told and name not in row.psp_data
        }
    elif row.status != Status.AUTHORIZED:
        return {}
    news = {**row.psp_data, **told}
    return {"psp_data": news} if news != row.psp_data else {}


def _release(item: Evidence, row: Transaction, now: datetime) -> dict[str, Any]:
    """Give the lease back and say when to look again, if it is still this worker's to say."""
    if item.attempt is None or item.attempt != row.attempt:
        return {}
    if row.status not in LIVE:
        return {"lease_until": None}
    return {"lease_until": None, **next_look(row, item.outcome, now)}


def _worries(item: Evidence, row: Transaction, now: datetime) -> list[Finding]:
    """Why a person should look at a payment that is still open."""
    failure = item.outcome.failure
    found = []
    if failure and failure.code is FailureCode.SUSPECTED_FRAUD:
        found.append(CaseKind.REVIEW)
    if row.status == Status.PROCESSING and now > row.expires_at + OVER_AGE:
        found.append(CaseKind.OVER_AGE)
    detail = {"source": item.source, "cause_id": item.cause_id}
    return [
        Finding(kind=kind, transaction=row, money=row.money, detail=detail, once=True)
        for kind in found
    ]


def _follow_hint(item: Evidence, row: Transaction, now: datetime, batch: Batch) -> None:
    """A webhook that is only a hint names the operation that brings the truth: do it soon."""
    if item.source is Source.WEBHOOK and item.outcome.next_verb is not None:
        batch.change(row, {"due_at": earliest_query(row, now)})
        wake(row.queue)


def _finding(item: Evidence, row: Transaction, decision: Decision) -> Finding:
    mismatch = decision.ruling is Ruling.MISMATCH
    return Finding(
        kind=CaseKind.MISMATCH if mismatch else CaseKind.CONFLICT,
        transaction=row,
        money=item.outcome.money,
        detail={
            "differences": dict(decision.differences),
            "source": item.source,
            "cause_id": item.cause_id,
        },
    )
