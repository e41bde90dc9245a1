"""What each decision changes: the payment, its order, the ledger, messages, cases, the trail.

Every function changes the locked payment in memory and adds to ``PendingWrites``, which writes
all of it in one commit. Those that begin with ``_build`` or end in ``_changes`` are pure.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from audit import services as audit
from audit.actions import AuditAction
from audit.models import AuditEvent
from durable.clock import database_now
from durable.wake import wake
from gateways.outcome import SHOWN_FACTS, Failure, FailureCode, Outcome, OutcomeKind
from money.money import Money
from orders.models import Order
from orders.services import mark_paid
from orders.states import OrderStatus
from payments.cases.opening import CaseReport
from payments.ledger.post import CapturePosting
from payments.models import CaseKind, Transaction
from payments.outcomes import messages
from payments.outcomes.decisions import Action, Decision
from payments.outcomes.evidence import Evidence, Source
from payments.outcomes.pending_writes import PendingWrites
from payments.outcomes.query_schedule import earliest_query, next_due_changes
from payments.states import LIVE, Status, require_move

# A payment that is still open this long after its link expired needs a person.
OVER_AGE: Final = timedelta(hours=24)

# Late money clears the failure of a payment; the audit trail keeps it.
_NO_FAILURE: Final[dict[str, Any]] = {"failure_code": "", "failure_detail": {}}

_ACTION_BY_STATUS: Final = {
    Status.AUTHORIZED: AuditAction.TRANSACTION_AUTHORIZED,
    Status.SUCCESS: AuditAction.TRANSACTION_SUCCEEDED,
    Status.FAILED: AuditAction.TRANSACTION_FAILED,
}

# What every end has in common: nothing is due, nobody has to act, and the token is gone.
_ENDED: Final[dict[str, Any]] = {
    "due_at": None, "lease_until": None, "failures": 0, "next_action": None, "next_verb": "",
    "payment_token": "",
}  # fmt: skip


def succeed(item: Evidence, payment: Transaction, order: Order, writes: PendingWrites) -> None:
    """Post the money, and pay the order with it if it is still unpaid."""
    captured = item.outcome.money or payment.money
    is_late = payment.status == Status.FAILED
    applied = order.status == OrderStatus.PENDING
    changes = {"amount_captured": captured.minor, "applied": applied, **_NO_FAILURE, **_ENDED}
    _move(payment, Status.SUCCESS, item, writes, changes)
    writes.captures.append(CapturePosting(payment, captured, applied=applied))
    if not applied:
        writes.cases_to_open.append(_build_unapplied_case(payment, order, captured))
        return
    cause = {"cause_type": item.source, "cause_id": item.cause_id}
    writes.audit.append(mark_paid(order, amount=captured, **cause))
    writes.paid.append(order)
    writes.messages.extend(messages.build_paid_messages(order, payment))
    if is_late:
        _supersede_others(payment, writes)


def authorize(item: Evidence, payment: Transaction, writes: PendingWrites) -> None:
    """The money is held: the order still waits for it."""
    _move(payment, Status.AUTHORIZED, item, writes, {"next_action": None, "payment_token": ""})
    writes.change(payment, _lease_changes(item, payment, writes.now))


def fail(
    item: Evidence, payment: Transaction, order: Order, decision: Decision, writes: PendingWrites
) -> None:
    """End the payment without money, for the reason of the decision."""
    failure = decision.failure
    assert failure is not None
    changes = {"failure_code": failure.code, "failure_detail": build_failure_detail(failure)}
    _move(payment, Status.FAILED, item, writes, {**changes, **_ENDED})
    writes.messages.extend(messages.build_failed_messages(order, payment))


def fail_unsent(payment: Transaction, order: Order, code: FailureCode) -> None:
    """Fail a locked payment of which nothing ever reached a gateway, so no money can follow."""
    writes = PendingWrites(now=database_now())
    nothing = Outcome(OutcomeKind.NOT_DONE)
    proof = Evidence(payment.pk, nothing, Source.PROOF, cause_id="nothing reached a gateway")
    _move(payment, Status.FAILED, proof, writes, {"failure_code": code, **_ENDED})
    writes.messages.extend(messages.build_failed_messages(order, payment))
    writes.write()


def keep_open(item: Evidence, payment: Transaction, writes: PendingWrites) -> None:
    """Keep what is new, and query again later."""
    now = writes.now
    changes = {**_outcome_changes(payment, item.outcome), **_lease_changes(item, payment, now)}
    writes.change(payment, changes)
    _schedule_hinted_verb(item, payment, writes)
    writes.cases_to_open.extend(_build_attention_cases(item, payment, now))


def add_late_metadata(item: Evidence, payment: Transaction, writes: PendingWrites) -> None:
    """A repeat changes no state; it may add an id, or facts that the receipt shows."""
    metadata = _late_metadata_changes(payment, item)
    writes.change(payment, {**metadata, **_lease_changes(item, payment, writes.now)})


def report_contradiction(
    item: Evidence, payment: Transaction, decision: Decision, writes: PendingWrites
) -> None:
    """Open a case for other money than requested, or a contradiction; the state stays."""
    writes.cases_to_open.append(_build_contradiction_case(item, payment, decision))
    writes.change(payment, _lease_changes(item, payment, writes.now))


def build_cancel_requested_event(payment: Transaction) -> AuditEvent:
    """An unsaved event: the end of ``payment`` was requested."""
    return audit.event(
        action=AuditAction.TRANSACTION_CANCEL_REQUESTED,
        subject_type="transaction",
        subject_id=payment.pk,
        after={"cancel_code": payment.cancel_code},
    )


def build_failure_detail(failure: Failure) -> dict[str, str]:
    """The gateway's own code and message, for staff."""
    return {"gateway_code": failure.gateway_code, "message": failure.message}


def _move(
    payment: Transaction,
    after: Status,
    item: Evidence,
    writes: PendingWrites,
    changes: dict[str, Any],
) -> None:
    """Change the state, count the version up and record both in the audit trail."""
    before = Status(payment.status)
    require_move(before, after)
    ended = {} if after in LIVE else {"ended_at": writes.now}
    state = {"status": after, "version": payment.version + 1}
    writes.change(payment, {**_outcome_changes(payment, item.outcome), **changes, **ended, **state})
    writes.audit.append(_build_moved_event(payment, before, item))


def _build_moved_event(payment: Transaction, before: Status, item: Evidence) -> AuditEvent:
    return audit.event(
        action=_ACTION_BY_STATUS[Status(payment.status)],
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


def _supersede_others(payment: Transaction, writes: PendingWrites) -> None:
    """Request the end of the order's other live payments: late money has paid it."""
    # An earlier item of the same evidence may have ended one of them.
    writes.write_changes()
    live = Transaction.objects.filter(order_id=payment.order_id, status__in=LIVE, cancel_code="")
    for other in live.select_for_update(no_key=True).exclude(pk=payment.pk).order_by("pk"):
        writes.change(
            other,
            {
                "cancel_code": FailureCode.SUPERSEDED,
                "cancel_requested_at": writes.now,
                "due_at": earliest_query(other, writes.now),
            },
        )
        writes.audit.append(build_cancel_requested_event(other))


def _outcome_changes(payment: Transaction, outcome: Outcome) -> dict[str, Any]:
    """What the outcome holds beside its kind: the gateway's ids, the next action, a decline."""
    changes: dict[str, Any] = {}
    if outcome.psp_reference and outcome.psp_reference != payment.psp_reference:
        changes["psp_reference"] = outcome.psp_reference
    if outcome.psp_data:
        changes["psp_data"] = {**payment.psp_data, **outcome.psp_data}
    if outcome.kind.is_answer and (outcome.next_verb or "") != payment.next_verb:
        # An operation without an answer is repeated before any other is sent.
        changes["next_verb"] = outcome.next_verb or ""
    if outcome.next_action:
        action = outcome.next_action
        changes["next_action"] = {"url": action.url, "qr": action.qr, "app_url": action.app_url}
    if failure := outcome.failure:
        changes["last_failure"] = {"code": failure.code, **build_failure_detail(failure)}
    return changes


def _late_metadata_changes(payment: Transaction, item: Evidence) -> dict[str, Any]:
    """The metadata that a repeat adds to a payment that has succeeded, or that is held.

    A renewed hold has a new id, and only by that id can it be captured or released.
    """
    if item.gateway not in {"", payment.gateway}:
        return {}
    given = item.outcome.psp_data
    if payment.status == Status.SUCCESS:
        # Only what its receipt shows, and only once.
        missing = [name for name in SHOWN_FACTS if name in given and name not in payment.psp_data]
        given = {name: given[name] for name in missing}
    elif payment.status != Status.AUTHORIZED:
        return {}
    merged = {**payment.psp_data, **given}
    return {"psp_data": merged} if merged != payment.psp_data else {}


def _lease_changes(item: Evidence, payment: Transaction, now: datetime) -> dict[str, Any]:
    """End the lease and set when the payment is due next; {} where another worker holds it."""
    if item.attempt is None or item.attempt != payment.attempt:
        return {}
    if payment.status not in LIVE:
        return {"lease_until": None}
    return {"lease_until": None, **next_due_changes(payment, item.outcome, now)}


def _schedule_hinted_verb(item: Evidence, payment: Transaction, writes: PendingWrites) -> None:
    """Make the payment due when a webhook only names the operation to send, such as a query."""
    if item.source is Source.WEBHOOK and item.outcome.next_verb is not None:
        writes.change(payment, {"due_at": earliest_query(payment, writes.now)})
        wake(payment.queue)


def _build_attention_cases(item: Evidence, payment: Transaction, now: datetime) -> list[CaseReport]:
    """The cases for a payment that is still open: suspected fraud, or open for too long."""
    failure = item.outcome.failure
    kinds = []
    if failure and failure.code is FailureCode.SUSPECTED_FRAUD:
        kinds.append(CaseKind.REVIEW)
    if payment.status == Status.PROCESSING and now > payment.expires_at + OVER_AGE:
        kinds.append(CaseKind.OVER_AGE)
    detail = {"source": item.source, "cause_id": item.cause_id}
    return [
        CaseReport(kind=kind, transaction=payment, money=payment.money, detail=detail, once=True)
        for kind in kinds
    ]


def _build_unapplied_case(payment: Transaction, order: Order, captured: Money) -> CaseReport:
    return CaseReport(
        kind=CaseKind.DUPLICATE,
        transaction=payment,
        money=captured,
        detail={"order": order.public_id, "order_status": order.status},
    )


def _build_contradiction_case(
    item: Evidence, payment: Transaction, decision: Decision
) -> CaseReport:
    is_mismatch = decision.action is Action.MISMATCH
    return CaseReport(
        kind=CaseKind.MISMATCH if is_mismatch else CaseKind.CONFLICT,
        transaction=payment,
        money=item.outcome.money,
        detail={
            "differences": dict(decision.differences),
            "source": item.source,
            "cause_id": item.cause_id,
        },
    )
