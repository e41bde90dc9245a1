"""What is done next with each due transaction: written down and committed before anything is sent.

Whatever happens after this commit, the next worker finds the intent. ``dispatch`` carries it out.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction as db_transaction
from django.db.models import F, Q
from django.utils import timezone

from audit import services as audit
from audit.models import AuditEvent
from durable import bulk
from durable.clock import database_now
from durable.ids import uuid7
from gateways.base import Gateway
from gateways.operation import Operation, PaymentDetails, Verb
from gateways.outcome import FailureCode, OutcomeKind
from orders.models import Order
from payments.cases import opening
from payments.cases.opening import CaseReport
from payments.models import CaseKind, GatewayCall, Transaction
from payments.outcomes.apply import fail_unsent
from payments.processing.next_operation import money_of, next_operation
from payments.routing import breaker, failover
from payments.routing.failover import Reason
from payments.routing.payment_details import payment_details
from payments.routing.registry import gateway
from payments.states import Status
from privacy import encryption

logger = logging.getLogger(__name__)

# After so many failures in a row a person should know, while we go on trying.
FAILURES_BEFORE_A_CASE: Final = 8


@dataclass(frozen=True, slots=True)
class Job:
    """One planned operation on one claimed transaction."""

    payment: Transaction
    call: GatewayCall
    operation: Operation


def lease_for(adapter: Gateway) -> timedelta:
    """Longer than every timeout inside one call, so that nobody else starts the same work."""
    # The read timeout counts twice: once until the first byte, once between two of them.
    seconds = adapter.connect_timeout_s + 2 * adapter.read_timeout_s + settings.LEASE_MARGIN_S
    return timedelta(seconds=seconds)


@db_transaction.atomic(durable=True)
def claim_and_plan(*, gateway_name: str, limit: int) -> list[Job]:
    """Take due transactions of one gateway and write down what will be done with each.

    Moves PENDING ones to PROCESSING. After this commit nothing has been sent yet, and whatever
    happens now, the next worker finds the details.
    """
    adapter = gateway(gateway_name)
    rows = Transaction.claim(limit=limit, lease=lease_for(adapter), gateway=gateway_name)
    return _plan(rows, adapter, database_now()) if rows else []


@db_transaction.atomic
def defer_failing(payment: Transaction) -> None:
    """Our own code failed on this payment: try later, and let a person know when it goes on."""
    payment.retry_later()
    if payment.failures == FAILURES_BEFORE_A_CASE:
        opening.open_cases(
            [CaseReport(kind=CaseKind.PROCESSING_ERROR, transaction=payment, money=payment.money)]
        )


def _plan(rows: Sequence[Transaction], adapter: Gateway, now: datetime) -> list[Job]:
    orders = Order.objects.in_bulk({payment.order_id for payment in rows})
    calls = _earlier_calls(rows)
    gate = _BreakerGate(adapter, circuit_is_open=breaker.is_open(adapter.name))
    jobs = []
    for payment in rows:
        try:
            job = _next_job(payment, orders[payment.order_id], calls.get(payment.pk, []), gate, now)
        except Exception:
            logger.exception("transaction_not_planned", extra={"transaction": str(payment.pk)})
            defer_failing(payment)
        else:
            jobs += [job] if job else []
    _store(jobs, now)
    _start([job.payment for job in jobs if job.payment.status == Status.PENDING], jobs)
    return jobs


def _next_job(
    payment: Transaction,
    order: Order,
    calls: Sequence[GatewayCall],
    gate: "_BreakerGate",
    now: datetime,
) -> Job | None:
    """What to send for ``payment`` now; None when it ends, moves to another gateway, or waits."""
    if (reason := _reason_not_to_send(payment, calls, now)) is not None:
        fail_unsent(payment, order, reason)
        _close_refused(calls, now)
        return None
    here = [call for call in calls if call.gateway == payment.gateway]
    if here and failover.reroute(payment, order, calls, Reason.REFUSED, now):
        _close_refused(here, now)
        return None
    if _is_of_another_account(payment, gate.adapter):
        _leave_to_a_person(payment, gate.adapter)
        return None
    job = _job(payment, order, gate.adapter, here, now)
    if gate.allows(job.operation):
        return job
    # What was refused here has been tried above, and leaves an operation to close.
    if here or not failover.reroute(payment, order, calls, Reason.CIRCUIT_OPEN, now):
        payment.reschedule(due_in=breaker.PROBE_EVERY)
    return None


def _is_of_another_account(payment: Transaction, adapter: Gateway) -> bool:
    """Whether the gateway's name has got other credentials since ``payment`` went there.

    What it says now is about other payments: its "not found" would end one that may be paid.
    """
    both_known = bool(payment.gateway_account and adapter.account)
    return both_known and payment.gateway_account != adapter.account


def _leave_to_a_person(payment: Transaction, adapter: Gateway) -> None:
    payment.retry_later()
    differences = {"account": f"{adapter.account}, not {payment.gateway_account}"}
    detail = {"differences": differences, "source": "settings"}
    found = CaseReport(
        kind=CaseKind.CONFLICT, transaction=payment, money=payment.money, detail=detail, once=True
    )
    opening.open_cases([found])


def _close_refused(calls: Sequence[GatewayCall], now: datetime) -> None:
    still_open = [call.pk for call in calls if call.answered_at is None]
    if still_open:
        GatewayCall.objects.filter(pk__in=still_open).update(
            answered_at=now, outcome=OutcomeKind.NOT_DONE
        )


def _reason_not_to_send(
    payment: Transaction, calls: Sequence[GatewayCall], now: datetime
) -> FailureCode | None:
    """Why a payment of which nothing has reached a gateway should not be sent any more."""
    if not failover.is_untouched(payment, calls):
        return None
    if payment.cancel_code:
        return FailureCode(payment.cancel_code)
    # Nobody expects to be charged for what was asked for so long ago.
    return FailureCode.NEVER_SENT if now >= payment.expires_at else None


@dataclass(frozen=True, slots=True)
class _BreakerGate:
    """The gateway with its circuit breaker, which is asked once for a whole batch."""

    adapter: Gateway
    circuit_is_open: bool

    def allows(self, operation: Operation) -> bool:
        """Whether ``operation`` may go out now."""
        return not self.circuit_is_open or not self.adapter.needs_network(operation)


def _earlier_calls(rows: Sequence[Transaction]) -> Mapping[UUID, list[GatewayCall]]:
    """The operations of ``rows``, but for answered queries; a new payment can have none."""
    started = [payment.pk for payment in rows if payment.status != Status.PENDING]
    found: dict[UUID, list[GatewayCall]] = {}
    if started:
        of_interest = Q(answered_at__isnull=True) | ~Q(verb=Verb.QUERY)
        for call in GatewayCall.objects.filter(of_interest, transaction__in=started):
            found.setdefault(call.transaction_id, []).append(call)
    return found


def _job(
    payment: Transaction,
    order: Order,
    adapter: Gateway,
    calls: Sequence[GatewayCall],
    now: datetime,
) -> Job:
    details = payment_details(payment, order, adapter)
    verb, call = next_operation(payment, calls, adapter, now)
    # Only a creation spends it; a gateway refuses a question that carries what it did not ask for.
    token = encryption.unseal(payment.payment_token) if verb is Verb.CREATE else ""
    call = call or _new_call(payment, verb, adapter, details, now)
    operation = Operation(
        verb=verb, reference=call.reference, details=details, now=now,
        request=call.request, token=token, money=money_of(verb, payment),
    )  # fmt: skip
    return Job(payment, call, operation)


def _new_call(
    payment: Transaction, verb: Verb, adapter: Gateway, details: PaymentDetails, now: datetime
) -> GatewayCall:
    call_id = uuid7()
    # The first operation goes by the transaction's own reference: it is the one the gateway
    # shows to people.
    reference = payment.reference if verb is Verb.CREATE else call_id.hex
    operation = Operation(
        verb=verb, reference=reference, details=details, now=now, money=money_of(verb, payment)
    )
    return GatewayCall(
        id=call_id,
        transaction=payment,
        gateway=payment.gateway,
        verb=verb,
        reference=reference,
        request=adapter.freeze(operation),
    )


def _store(jobs: Sequence[Job], now: datetime) -> None:
    """Write the new operations, and count the sends that are about to happen."""
    fresh = [job.call for job in jobs if job.call._state.adding]
    for call in fresh:
        call.sends, call.first_sent_at, call.last_sent_at = 1, now, now
    again = [job.call for job in jobs if not job.call._state.adding]
    _forget_unanswered(fresh, now)
    bulk.insert(fresh)
    for call in again:
        call.sends += 1
    if again:
        same = GatewayCall.objects.filter(pk__in=[call.pk for call in again])
        same.update(sends=F("sends") + 1, last_sent_at=now)
    queried = [job.payment.pk for job in jobs if job.operation.verb is Verb.QUERY]
    if queried:
        Transaction.objects.filter(pk__in=queried).update(queries=F("queries") + 1, queried_at=now)


def _forget_unanswered(fresh: Sequence[GatewayCall], now: datetime) -> None:
    """What is never sent again makes room for what takes its place: one of a verb may be open.

    A query whose worker died taught us nothing; so did the end of a hold that was overtaken.
    """
    for verb in {call.verb for call in fresh} - {Verb.CREATE}:
        rows = [call.transaction_id for call in fresh if call.verb == verb]
        GatewayCall.objects.filter(
            transaction__in=rows, verb=verb, answered_at__isnull=True
        ).update(answered_at=now, outcome=OutcomeKind.UNKNOWN)


def _start(rows: Sequence[Transaction], jobs: Sequence[Job]) -> None:
    """PENDING → PROCESSING for the whole batch, with its audit."""
    if not rows:
        return
    calls = {job.payment.pk: job.call for job in jobs}
    Transaction.objects.filter(pk__in=[payment.pk for payment in rows]).update(
        status=Status.PROCESSING, version=F("version") + 1, updated_at=timezone.now()
    )
    for payment in rows:
        payment.status, payment.version = Status.PROCESSING, payment.version + 1
    audit.record([_started(payment, calls[payment.pk]) for payment in rows])


def _started(payment: Transaction, call: GatewayCall) -> AuditEvent:
    return audit.event(
        action="transaction.processing",
        subject_type="transaction",
        subject_id=payment.pk,
        version=payment.version,
        before={"status": Status.PENDING},
        after={"status": Status.PROCESSING, "gateway": payment.gateway},
        cause_type="gateway_call",
        cause_id=str(call.pk),
    )
