"""Calling the gateways and using what they answer.

Three steps, never mixed: ``planning`` writes the intent and commits; ``perform`` is the network,
outside of any transaction; ``settle`` applies what was heard.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction as db_transaction
from django.utils import timezone

from durable import bulk
from gateways.operation import Verb
from gateways.outcome import Outcome, OutcomeKind
from payments.cases import opening
from payments.cases.opening import CaseReport
from payments.models import CaseKind, GatewayCall, Transaction
from payments.outcomes.apply import Evidence, Source, apply_outcomes
from payments.processing.next_operation import is_expired_unanswered
from payments.processing.planning import FAILURES_BEFORE_A_CASE, Job, defer_failing
from payments.routing import breaker
from payments.routing.registry import gateway
from payments.states import Status

logger = logging.getLogger(__name__)

_ENDS_OF_A_HOLD: Final = frozenset({Verb.CAPTURE, Verb.VOID})


def perform(job: Job) -> Outcome:
    """Call the gateway. Runs beside others, in a thread without a database connection."""
    try:
        return gateway(job.payment.gateway).perform(job.operation)
    except Exception:
        # The adapter's bug, not the gateway's word: we do not know what happened out there.
        logger.exception("adapter_failed", extra={"transaction": str(job.payment.pk)})
        return Outcome(OutcomeKind.UNKNOWN)


def settle(*, results: Sequence[tuple[Job, Outcome]]) -> None:
    """Store the answers and apply them, as one commit; a row that fails is redone alone."""
    try:
        _record_together(results)
    except Exception:
        if len(results) == 1:
            job = results[0][0]
            ids = {"transaction": str(job.payment.pk), "call": str(job.call.pk)}
            logger.exception("outcome_not_applied", extra=ids)
            defer_failing(job.payment)
            return
        for result in results:
            settle(results=[result])


@db_transaction.atomic(durable=True)
def _record_together(results: Sequence[tuple[Job, Outcome]]) -> None:
    apply_outcomes([_evidence(job, outcome) for job, outcome in results])
    now = timezone.now()
    bulk.update(GatewayCall, _answers(results, now))
    _note_outages(results)
    opening.open_cases([_refused(job) for job, outcome in results if _is_stuck(job, outcome)])
    opening.open_cases(_still_held(results))
    opening.open_cases(_never_answered(results))


def _note_outages(results: Sequence[tuple[Job, Outcome]]) -> None:
    adapter = gateway(results[0][0].payment.gateway)
    sent = [out for job, out in results if adapter.needs_network(job.operation)]
    breaker.note(gateway_name=adapter.name, outcomes=sent)


def _evidence(job: Job, outcome: Outcome) -> Evidence:
    source = Source.QUERY if job.operation.verb is Verb.QUERY else Source.RESPONSE
    return Evidence(
        transaction_id=job.payment.pk,
        outcome=outcome,
        source=source,
        cause_id=str(job.call.pk),
        attempt=job.payment.attempt,
        gateway=job.payment.gateway,
        asked_at=job.operation.now,
    )


def _answers(
    results: Sequence[tuple[Job, Outcome]], now: datetime
) -> Mapping[UUID, Mapping[str, Any]]:
    """What to write to each call. Not knowing never hides what another worker has heard."""
    vague = [job.call.pk for job, outcome in results if not outcome.kind.is_answer]
    calls = GatewayCall.objects.filter(pk__in=vague, answered_at__isnull=False)
    known = set(calls.values_list("pk", flat=True)) if vague else set()
    return {
        job.call.pk: _answer(job, outcome, now)
        for job, outcome in results
        if job.call.pk not in known
    }


def _answer(job: Job, outcome: Outcome, now: datetime) -> Mapping[str, Any]:
    is_answered = outcome.kind.is_answer or job.operation.verb is Verb.QUERY
    changes: dict[str, Any] = {"outcome": outcome.kind}
    if is_answered:
        changes["answered_at"] = now
    if outcome.kind is OutcomeKind.NOT_DONE:
        changes["refusals"] = job.call.refusals + 1
    if outcome.exchange:
        changes |= {
            "http_status": outcome.exchange.http_status,
            "duration_ms": outcome.exchange.duration_ms,
            "sent": outcome.exchange.request,
            "received": outcome.exchange.response,
        }
        if earlier := job.call.with_last_send():
            changes["earlier"] = earlier
    return changes


def _still_held(results: Sequence[tuple[Job, Outcome]]) -> list[CaseReport]:
    """Holds that the gateway, asked to take or to release the money, has left as they were."""
    refused = {
        job.payment.pk: (job.operation.verb, outcome.failure)
        for job, outcome in results
        if job.operation.verb in _ENDS_OF_A_HOLD and outcome.kind.is_answer and outcome.failure
    }
    held = Transaction.objects.filter(pk__in=refused, status=Status.AUTHORIZED) if refused else []
    return [opening.still_held_case(row, *refused[row.pk]) for row in held]


def _never_answered(results: Sequence[tuple[Job, Outcome]]) -> list[CaseReport]:
    """Holds whose end was asked for, and forgotten by the gateway before we heard of it."""
    held = [
        job.payment.pk
        for job, outcome in results
        if job.operation.verb is Verb.QUERY and outcome.kind is OutcomeKind.AUTHORIZED
    ]
    ends = GatewayCall.objects.filter(
        transaction__in=held, transaction__status=Status.AUTHORIZED,
        verb__in=_ENDS_OF_A_HOLD, answered_at=None,
    ).select_related("transaction") if held else []  # fmt: skip
    return [
        opening.unanswered_hold_case(call.transaction, call.verb)
        for call in ends
        if is_expired_unanswered(call, call.transaction, gateway(call.gateway))
    ]


def _is_stuck(job: Job, outcome: Outcome) -> bool:
    """Whether a person should know of it by now, said once.

    The queries between the sends may be answered well, and begin the count of failures anew.
    """
    in_vain = {job.payment.failures + 1, job.call.sends}
    return not outcome.kind.is_answer and FAILURES_BEFORE_A_CASE in in_vain


def _refused(job: Job) -> CaseReport:
    return CaseReport(
        kind=CaseKind.REFUSED_CALLS,
        transaction=job.payment,
        money=job.payment.money,
        detail={"verb": job.operation.verb, "failures": FAILURES_BEFORE_A_CASE},
    )
