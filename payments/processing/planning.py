"""What is done next with each due payment: recorded and committed before anything is sent.

Whatever happens after this commit, the next worker finds the request. ``dispatch`` sends it.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction as db_transaction
from django.db.models import F, Q
from django.utils import timezone

from audit import services as audit
from audit.actions import AuditAction
from audit.models import AuditEvent
from durable import bulk
from durable.clock import database_now
from durable.ids import uuid7
from gateways.base import Gateway
from gateways.operation import Operation, Verb
from gateways.outcome import FailureCode, OutcomeKind
from orders.models import Order
from payments.cases import opening
from payments.cases.opening import CaseReport
from payments.models import CaseKind, GatewayCall, Transaction
from payments.outcomes.effects import fail_unsent
from payments.processing.next_operation import find_money, next_operation
from payments.routing import breaker, failover
from payments.routing.failover import Reason
from payments.routing.payment_details import build_payment_details
from payments.routing.registry import gateway
from payments.states import Status
from privacy import encryption

logger = logging.getLogger(__name__)

# After this many failures in a row a case is opened, and the retries go on.
FAILURES_BEFORE_A_CASE: Final = 8


@dataclass(frozen=True, slots=True)
class Job:
    """One planned operation on one claimed payment."""

    payment: Transaction
    call: GatewayCall
    operation: Operation


def compute_lease(adapter: Gateway) -> timedelta:
    """Longer than every timeout inside one call, so that no other worker starts the same work."""
    # The read timeout counts twice: once until the first byte, once between two of them.
    seconds = adapter.connect_timeout_s + 2 * adapter.read_timeout_s + settings.LEASE_MARGIN_S
    return timedelta(seconds=seconds)


@db_transaction.atomic(durable=True)
def claim_and_plan(*, gateway_name: str, limit: int) -> list[Job]:
    """Claim due payments of one gateway and record the operation to send for each.

    Moves PENDING ones to PROCESSING. Nothing has been sent when this commits: if the worker dies
    now, the next one finds the recorded operations.
    """
    adapter = gateway(gateway_name)
    payments = Transaction.claim(limit=limit, lease=compute_lease(adapter), gateway=gateway_name)
    return _plan(payments, adapter, database_now()) if payments else []


@db_transaction.atomic
def defer_failing(payment: Transaction) -> None:
    """Retry a payment on which our own code failed; after repeated failures open a case."""
    payment.retry_later()
    if payment.failures == FAILURES_BEFORE_A_CASE:
        opening.open_cases(
            [CaseReport(kind=CaseKind.PROCESSING_ERROR, transaction=payment, money=payment.money)]
        )


def plan_one(*, payment: Transaction, adapter: Gateway, now: datetime) -> Job | None:
    """Plan a claimed payment by itself; None when there is nothing to send for it now."""
    return next(iter(_plan([payment], adapter, now)), None)


def _plan(payments: Sequence[Transaction], adapter: Gateway, now: datetime) -> list[Job]:
    orders = Order.objects.in_bulk({payment.order_id for payment in payments})
    calls = _find_earlier_calls(payments)
    gate = _BreakerGate(adapter, is_open=breaker.is_open(adapter.name))
    jobs = []
    for payment in payments:
        claimed = _Claimed(payment, orders[payment.order_id], calls.get(payment.pk, []))
        try:
            job = _carry_out(_choose_step(claimed, gate, now), claimed, now)
        except Exception:
            logger.exception("transaction_not_planned", extra={"transaction": str(payment.pk)})
            defer_failing(payment)
        else:
            jobs += [job] if job else []
    _store(jobs, now)
    _start([job.payment for job in jobs if job.payment.status == Status.PENDING], jobs)
    return jobs


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A claimed payment with its order and its operations so far, at all gateways."""

    payment: Transaction
    order: Order
    calls: Sequence[GatewayCall]

    @property
    def calls_here(self) -> Sequence[GatewayCall]:
        """Those at the gateway where the payment is now."""
        return [call for call in self.calls if call.gateway == self.payment.gateway]


@dataclass(frozen=True, slots=True)
class _BreakerGate:
    """The gateway with its circuit breaker, which is read once for a whole batch."""

    adapter: Gateway
    is_open: bool

    def allows(self, operation: Operation) -> bool:
        """True when ``operation`` may go out now."""
        return not self.is_open or not self.adapter.needs_network(operation)


@dataclass(frozen=True, slots=True)
class _Fail:
    """Nothing ever reached a gateway, and nothing will be sent any more."""

    code: FailureCode


@dataclass(frozen=True, slots=True)
class _Reroute:
    """The payment moves to ``adapter``."""

    adapter: Gateway
    reason: Reason


@dataclass(frozen=True, slots=True)
class _HandToPerson:
    """The gateway's credentials belong to another account than the payment."""

    adapter: Gateway


@dataclass(frozen=True, slots=True)
class _WaitForGateway:
    """The circuit is open, and no other gateway can take the payment."""


_Step = _Fail | _Reroute | _HandToPerson | _WaitForGateway | Job


def _choose_step(claimed: _Claimed, gate: _BreakerGate, now: datetime) -> _Step:
    """The step to take with a claimed payment now. The first rule that applies wins."""
    payment, order, calls = claimed.payment, claimed.order, claimed.calls
    if code := find_reason_not_to_send(payment, calls, now):
        return _Fail(code)
    # What was sent here was refused: try another gateway before this one is called again.
    was_sent_here = bool(claimed.calls_here)
    if was_sent_here and (adapter := failover.find_stand_in(payment, order, calls, now)):
        return _Reroute(adapter, Reason.REFUSED)
    if _is_of_another_account(payment, gate.adapter):
        return _HandToPerson(gate.adapter)
    job = _build_job(claimed, gate.adapter, now)
    if gate.allows(job.operation):
        return job
    if not was_sent_here and (adapter := failover.find_stand_in(payment, order, calls, now)):
        return _Reroute(adapter, Reason.CIRCUIT_OPEN)
    return _WaitForGateway()


def _carry_out(step: _Step, claimed: _Claimed, now: datetime) -> Job | None:
    """Record ``step``; return the job where something is to be sent."""
    payment = claimed.payment
    match step:
        case Job():
            return step
        case _Fail(code):
            fail_unsent(payment, claimed.order, code)
            _close_calls(claimed.calls, now)
        case _Reroute(adapter, reason):
            refused = claimed.calls_here
            failover.reroute(payment, adapter, claimed.calls, reason, now)
            _close_calls(refused, now)
        case _HandToPerson(adapter):
            _hand_to_person(payment, adapter)
        case _WaitForGateway():
            payment.reschedule(due_in=breaker.PROBE_EVERY)
    return None


def find_reason_not_to_send(
    payment: Transaction, calls: Sequence[GatewayCall], now: datetime
) -> FailureCode | None:
    """The failure code of a payment that never reached a gateway and must not be sent any more.

    None when it is to be sent, or something may have reached a gateway.
    """
    if not failover.is_untouched(payment, calls):
        return None
    if payment.cancel_code:
        return FailureCode(payment.cancel_code)
    # A shopper does not expect to be charged after the link has expired.
    return FailureCode.NEVER_SENT if now >= payment.expires_at else None


def _is_of_another_account(payment: Transaction, adapter: Gateway) -> bool:
    """True when the gateway has had other credentials since ``payment`` was routed to it.

    A query would reach another account: its "not found" would end a payment that may be paid.
    """
    both_known = bool(payment.gateway_account and adapter.account)
    return both_known and payment.gateway_account != adapter.account


def _hand_to_person(payment: Transaction, adapter: Gateway) -> None:
    payment.retry_later()
    differences = {"account": f"{adapter.account}, not {payment.gateway_account}"}
    detail = {"differences": differences, "source": "settings"}
    report = CaseReport(
        kind=CaseKind.CONFLICT, transaction=payment, money=payment.money, detail=detail, once=True
    )
    opening.open_cases([report])


def _close_calls(calls: Sequence[GatewayCall], now: datetime) -> None:
    still_open = [call.pk for call in calls if call.answered_at is None]
    if still_open:
        GatewayCall.objects.filter(pk__in=still_open).update(
            answered_at=now, outcome=OutcomeKind.NOT_DONE
        )


def _find_earlier_calls(payments: Sequence[Transaction]) -> Mapping[UUID, list[GatewayCall]]:
    """The operations of ``payments`` without answered queries; a PENDING payment has none."""
    started = [payment.pk for payment in payments if payment.status != Status.PENDING]
    found: dict[UUID, list[GatewayCall]] = {}
    if started:
        relevant = Q(answered_at__isnull=True) | ~Q(verb=Verb.QUERY)
        for call in GatewayCall.objects.filter(relevant, transaction__in=started):
            found.setdefault(call.transaction_id, []).append(call)
    return found


def _build_job(claimed: _Claimed, adapter: Gateway, now: datetime) -> Job:
    payment = claimed.payment
    verb, call = next_operation(payment, claimed.calls_here, adapter, now)
    call_id = call.pk if call else uuid7()
    operation = Operation(
        verb=verb,
        reference=call.reference if call else _new_reference(payment, verb, call_id),
        details=build_payment_details(payment, claimed.order, adapter),
        now=now,
        # Only a creation uses the token; some gateways refuse other operations that carry it.
        token=encryption.unseal(payment.payment_token) if verb is Verb.CREATE else "",
        money=find_money(verb, payment),
    )
    request = call.request if call else adapter.freeze(operation)
    operation = replace(operation, request=request)
    return Job(payment, call or _new_call(payment, operation, call_id), operation)


def _new_reference(payment: Transaction, verb: Verb, call_id: UUID) -> str:
    """The first operation has the payment's own reference, which the gateway shows to people."""
    return payment.reference if verb is Verb.CREATE else call_id.hex


def _new_call(payment: Transaction, operation: Operation, call_id: UUID) -> GatewayCall:
    return GatewayCall(
        id=call_id,
        transaction=payment,
        gateway=payment.gateway,
        verb=operation.verb,
        reference=operation.reference,
        request=operation.request,
    )


def _store(jobs: Sequence[Job], now: datetime) -> None:
    """Insert the new operations, and count the sends that follow this commit."""
    fresh = [job.call for job in jobs if job.call._state.adding]
    for call in fresh:
        call.sends, call.first_sent_at, call.last_sent_at = 1, now, now
    repeated = [job.call for job in jobs if not job.call._state.adding]
    _close_unanswered(fresh, now)
    bulk.insert(fresh)
    for call in repeated:
        call.sends += 1
    if repeated:
        stored = GatewayCall.objects.filter(pk__in=[call.pk for call in repeated])
        stored.update(sends=F("sends") + 1, last_sent_at=now)
    queried = [job.payment.pk for job in jobs if job.operation.verb is Verb.QUERY]
    if queried:
        Transaction.objects.filter(pk__in=queried).update(queries=F("queries") + 1, queried_at=now)


def _close_unanswered(fresh: Sequence[GatewayCall], now: datetime) -> None:
    """Close the open operations that ``fresh`` replaces: one operation per verb may be open.

    These are never sent again: a query whose worker died, or a superseded capture or void.
    """
    for verb in {call.verb for call in fresh} - {Verb.CREATE}:
        payments = [call.transaction_id for call in fresh if call.verb == verb]
        GatewayCall.objects.filter(
            transaction__in=payments, verb=verb, answered_at__isnull=True
        ).update(answered_at=now, outcome=OutcomeKind.UNKNOWN)


def _start(payments: Sequence[Transaction], jobs: Sequence[Job]) -> None:
    """PENDING → PROCESSING for the whole batch, with its audit."""
    if not payments:
        return
    calls = {job.payment.pk: job.call for job in jobs}
    Transaction.objects.filter(pk__in=[payment.pk for payment in payments]).update(
        status=Status.PROCESSING, version=F("version") + 1, updated_at=timezone.now()
    )
    for payment in payments:
        payment.status, payment.version = Status.PROCESSING, payment.version + 1
    audit.record([_started_event(payment, calls[payment.pk]) for payment in payments])


def _started_event(payment: Transaction, call: GatewayCall) -> AuditEvent:
    return audit.event(
        action=AuditAction.TRANSACTION_PROCESSING,
        subject_type="transaction",
        subject_id=payment.pk,
        version=payment.version,
        before={"status": Status.PENDING},
        after={"status": Status.PROCESSING, "gateway": payment.gateway},
        cause_type="gateway_call",
        cause_id=str(call.pk),
    )
