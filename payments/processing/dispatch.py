"""Calling the gateways and recording what they answer.

Three steps, never mixed: ``planning`` records the request and commits; ``perform`` is the network,
outside of any transaction; ``record_results`` applies the answers.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction as db_transaction
from django.utils import timezone

from durable import bulk
from gateways.operation import Verb
from gateways.outcome import Outcome, OutcomeKind
from payments.cases.opening import open_cases
from payments.models import GatewayCall
from payments.outcomes.apply import apply_outcomes
from payments.outcomes.evidence import Evidence, Source
from payments.processing.attention import find_cases
from payments.processing.planning import Job, defer_failing
from payments.routing import breaker
from payments.routing.registry import gateway

logger = logging.getLogger(__name__)


def perform(job: Job) -> Outcome:
    """Call the gateway. Runs beside others, in a thread without a database connection."""
    try:
        return gateway(job.payment.gateway).perform(job.operation)
    except Exception:
        # A fault of the adapter, not an answer of the gateway: what happened there is unknown.
        logger.exception("adapter_failed", extra={"transaction": str(job.payment.pk)})
        return Outcome(OutcomeKind.UNKNOWN)


def record_results(*, results: Sequence[tuple[Job, Outcome]]) -> None:
    """Store the answers and apply them in one commit.

    When that fails, each is recorded in a commit of its own, and a payment that fails again is
    retried later.
    """
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
            record_results(results=[result])


@db_transaction.atomic(durable=True)
def _record_together(results: Sequence[tuple[Job, Outcome]]) -> None:
    apply_outcomes([_build_evidence(job, outcome) for job, outcome in results])
    bulk.update(GatewayCall, _build_answers(results, timezone.now()))
    _note_outages(results)
    open_cases(find_cases(results))


def _note_outages(results: Sequence[tuple[Job, Outcome]]) -> None:
    adapter = gateway(results[0][0].payment.gateway)
    sent = [out for job, out in results if adapter.needs_network(job.operation)]
    breaker.note(gateway_name=adapter.name, outcomes=sent)


def _build_evidence(job: Job, outcome: Outcome) -> Evidence:
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


def _build_answers(
    results: Sequence[tuple[Job, Outcome]], now: datetime
) -> Mapping[UUID, Mapping[str, Any]]:
    """The changes of each call. An unknown outcome never overwrites another worker's answer."""
    unknown = [job.call.pk for job, outcome in results if not outcome.kind.is_answer]
    answered = GatewayCall.objects.filter(pk__in=unknown, answered_at__isnull=False)
    kept = set(answered.values_list("pk", flat=True)) if unknown else set()
    return {
        job.call.pk: _build_answer(job, outcome, now)
        for job, outcome in results
        if job.call.pk not in kept
    }


def _build_answer(job: Job, outcome: Outcome, now: datetime) -> Mapping[str, Any]:
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
