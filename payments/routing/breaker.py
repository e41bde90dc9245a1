"""A circuit breaker for each gateway: stop calling one that is down, and notice when it is back.

After ``FAILURES_TO_OPEN`` calls in a row without a usable answer nothing more is sent, except
one probe each ``PROBE_EVERY``: a query about a payment that does not exist (``health_probe.py``).
The first answer closes the circuit. Nothing is lost meanwhile: waiting payments stay due, and one
that was never sent stays PENDING and can be cancelled at once.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid5

from django.db import transaction as db_transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from audit import services as audit
from audit.actions import AuditAction
from audit.models import AuditEvent
from durable.wake import wake
from gateways.outcome import Outcome
from payments.models import GatewayBreaker, Transaction

FAILURES_TO_OPEN: Final = 10
PROBE_EVERY: Final = timedelta(seconds=15)

# Breakers have names and no ids; an audit event needs an id.
_NAMESPACE: Final = UUID("6d6f6e65-7920-5f62-8c72-65616b657273")
_SERVER_ERROR: Final = 500


def is_open(gateway_name: str) -> bool:
    """True while calls to this gateway are suspended."""
    return GatewayBreaker.objects.filter(gateway=gateway_name, opened_at__isnull=False).exists()


def is_probe_due(gateway_name: str) -> bool:
    """True when ``take_probe`` would return True now."""
    return _find_due_probe(gateway_name).exists()


def take_probe(gateway_name: str) -> bool:
    """True when the caller should probe the gateway of an open circuit: one caller per interval.

    The next interval begins now, so a caller that dies or hangs costs one probe only.
    """
    return _find_due_probe(gateway_name).update(probe_at=Now() + PROBE_EVERY) == 1


def _find_due_probe(gateway_name: str) -> QuerySet[GatewayBreaker]:
    return GatewayBreaker.objects.filter(gateway=gateway_name, probe_at__lte=Now())


@db_transaction.atomic(savepoint=False)
def note(*, gateway_name: str, outcomes: Sequence[Outcome]) -> None:
    """Count the outcomes of calls that used the network, in the caller's transaction if any."""
    failed = sum(map(_is_outage, outcomes))
    if failed < len(outcomes):
        _close(gateway_name)
    elif failed:
        _count(gateway_name, failed)


def _is_outage(outcome: Outcome) -> bool:
    """True for no answer or a server error. A decline and a rate limit are answers."""
    if outcome.kind.is_answer:
        return False
    status = outcome.exchange.http_status if outcome.exchange else None
    return status is None or status >= _SERVER_ERROR


def _close(gateway_name: str) -> None:
    counted = GatewayBreaker.objects.filter(gateway=gateway_name, failures__gt=0)
    breaker = counted.first()
    if breaker is None:
        return
    is_first = counted.update(failures=0, opened_at=None, probe_at=None) == 1
    if is_first and breaker.opened_at:
        audit.record([_event(gateway_name, AuditAction.CIRCUIT_CLOSED)])
        _release_waiting(gateway_name)


def _release_waiting(gateway_name: str) -> None:
    """Make the payments that wait for the circuit due now.

    Not those that were queried already or have a Retry-After: the gateway limits their queries.
    """
    waiting = Transaction.objects.filter(
        Q(retry_after_at__isnull=True) | Q(retry_after_at__lte=Now()),
        gateway=gateway_name,
        lease_until__isnull=True,
        due_at__gt=Now(),
        due_at__lte=Now() + PROBE_EVERY,
        queried_at__isnull=True,
    )
    # The caller holds locks of its own, so it must not wait for rows locked by another.
    free = waiting.select_for_update(skip_locked=True, no_key=True)
    Transaction.objects.filter(pk__in=free.values("pk")).update(due_at=Now())
    wake(f"gateway.{gateway_name}")


def _count(gateway_name: str, failed: int) -> None:
    GatewayBreaker.objects.get_or_create(gateway=gateway_name)
    breaker = GatewayBreaker.objects.filter(gateway=gateway_name)
    breaker.update(failures=F("failures") + failed)
    too_many = breaker.filter(failures__gte=FAILURES_TO_OPEN, opened_at__isnull=True)
    if too_many.update(opened_at=Now(), probe_at=Now() + PROBE_EVERY):
        audit.record([_event(gateway_name, AuditAction.CIRCUIT_OPENED)])


def _event(gateway_name: str, action: AuditAction) -> AuditEvent:
    return audit.event(
        action=action,
        subject_type="gateway",
        subject_id=uuid5(_NAMESPACE, gateway_name),
        after={"gateway": gateway_name},
    )
