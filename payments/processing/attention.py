"""Which answers of the gateways open a case, found after they were applied."""

from collections.abc import Sequence
from typing import Final

from gateways.operation import Verb
from gateways.outcome import Outcome, OutcomeKind
from payments.cases.opening import CaseReport, still_held_case, unanswered_hold_case
from payments.models import CaseKind, GatewayCall, Transaction
from payments.processing.next_operation import is_expired_unanswered
from payments.processing.planning import FAILURES_BEFORE_A_CASE, Job
from payments.routing.registry import gateway
from payments.states import Status

_ENDS_OF_A_HOLD: Final = frozenset({Verb.CAPTURE, Verb.VOID})


def find_cases(results: Sequence[tuple[Job, Outcome]]) -> list[CaseReport]:
    """The cases to open for ``results``, whose outcomes have been applied in this transaction."""
    return [
        *(_build_refused_case(job) for job, outcome in results if _is_stuck(job, outcome)),
        *_find_refused_ends(results),
        *_find_unanswered_ends(results),
    ]


def _is_stuck(job: Job, outcome: Outcome) -> bool:
    """True once, when an operation has failed ``FAILURES_BEFORE_A_CASE`` times.

    An answered query between two sends resets the payment's count of failures, so the sends of
    the operation are counted, too.
    """
    counts = {job.payment.failures + 1, job.call.sends}
    return not outcome.kind.is_answer and FAILURES_BEFORE_A_CASE in counts


def _build_refused_case(job: Job) -> CaseReport:
    return CaseReport(
        kind=CaseKind.REFUSED_CALLS,
        transaction=job.payment,
        money=job.payment.money,
        detail={"verb": job.operation.verb, "failures": FAILURES_BEFORE_A_CASE},
    )


def _find_refused_ends(results: Sequence[tuple[Job, Outcome]]) -> list[CaseReport]:
    """Cases for holds whose capture or void the gateway has refused, and that still exist."""
    refused = {
        job.payment.pk: (job.operation.verb, outcome.failure)
        for job, outcome in results
        if job.operation.verb in _ENDS_OF_A_HOLD and outcome.kind.is_answer and outcome.failure
    }
    if not refused:
        return []
    held = Transaction.objects.filter(pk__in=refused, status=Status.AUTHORIZED)
    return [still_held_case(payment, *refused[payment.pk]) for payment in held]


def _find_unanswered_ends(results: Sequence[tuple[Job, Outcome]]) -> list[CaseReport]:
    """Cases for holds whose capture or void got no answer before its idempotency key expired."""
    held = [
        job.payment.pk
        for job, outcome in results
        if job.operation.verb is Verb.QUERY and outcome.kind is OutcomeKind.AUTHORIZED
    ]
    if not held:
        return []
    ends = GatewayCall.objects.filter(
        transaction__in=held, transaction__status=Status.AUTHORIZED,
        verb__in=_ENDS_OF_A_HOLD, answered_at=None,
    ).select_related("transaction")  # fmt: skip
    return [
        unanswered_hold_case(call.transaction, call.verb)
        for call in ends
        if is_expired_unanswered(call, call.transaction, gateway(call.gateway))
    ]
