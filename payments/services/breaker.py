"""A circuit breaker for each gateway: stop calling one that is down, and notice when it is back.

After ``FAILURES_TO_OPEN`` calls in a row without a usable answer nothing more is sent, except
one probe each ``PROBE_EVERY``. The first answer closes it again. Nothing is lost meanwhile: what
waits stays due, and a payment that was never sent stays PENDING and can be cancelled at once.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid5

from django.db.models import F
from django.db.models.functions import Now

from audit import services as audit
from audit.models import AuditEvent
from payments.gateways.base import Outcome, OutcomeKind
from payments.models import GatewayBreaker, Transaction

FAILURES_TO_OPEN: Final = 10
PROBE_EVERY: Final = timedelta(seconds=15)

# Breakers have names and no ids; the audit trail wants one.
_NAMESPACE: Final = UUID("6d6f6e65-7920-5f62-8c72-65616b657273")
_NO_ANSWER: Final = frozenset({OutcomeKind.UNKNOWN, OutcomeKind.NOT_DONE})
_SERVER_ERROR: Final = 500


def is_open(gateway_name: str) -> bool:
    """Whether calls to this gateway are held back now."""
    return GatewayBreaker.objects.filter(gateway=gateway_name, opened_at__isnull=False).exists()


def is_avoided(gateway_name: str) -> bool:
    """Whether a new payment should rather go elsewhere.

    When a probe is due and nothing at the gateway will soon be it, the new payment is: a hold
    that nobody looks at for an hour must not keep the gateway avoided for so long.
    """
    if not is_open(gateway_name):
        return False
    due = GatewayBreaker.objects.filter(gateway=gateway_name, probe_at__lte=Now())
    soon = Transaction.objects.filter(gateway=gateway_name, due_at__lte=Now() + PROBE_EVERY)
    return not due.exists() or soon.exists()


def take_probe(gateway_name: str) -> bool:
    """Whether the caller may try one call of an open breaker: one caller in each interval."""
    due = GatewayBreaker.objects.filter(gateway=gateway_name, probe_at__lte=Now())
    return due.update(probe_at=Now() + PROBE_EVERY) == 1


def note(*, gateway_name: str, outcomes: Sequence[Outcome]) -> None:
    """Count what calls that went over the network brought, in the caller's transaction."""
    failed = sum(map(_is_outage, outcomes))
    if failed < len(outcomes):
        _close(gateway_name)
    elif failed:
        _count(gateway_name, failed)


def _is_outage(outcome: Outcome) -> bool:
    """No answer, or a server error. An answer that says no, or too much at once, is an answer."""
    if outcome.kind not in _NO_ANSWER:
        return False
    status = outcome.exchange.http_status if outcome.exchange else None
    return status is None or status >= _SERVER_ERROR


def _close(gateway_name: str) -> None:
    counted = GatewayBreaker.objects.filter(gateway=gateway_name, failures__gt=0)
    breaker = counted.first()
    if breaker is None:
        return
    counted.update(failures=0, opened_at=None, probe_at=None)
    if breaker.opened_at:
        audit.record([_event(gateway_name, "gateway.answers_again")])


def _count(gateway_name: str, failed: int) -> None:
    GatewayBreaker.objects.get_or_create(gateway=gateway_name)
    breaker = GatewayBreaker.objects.filter(gateway=gateway_name)
    breaker.update(failures=F("failures") + failed)
    too_many = breaker.filter(failures__gte=FAILURES_TO_OPEN, opened_at__isnull=True)
    if too_many.update(opened_at=Now(), probe_at=Now() + PROBE_EVERY):
        audit.record([_event(gateway_name, "gateway.held_back")])


def _event(gateway_name: str, action: str) -> AuditEvent:
    return audit.event(
        action=action,
        subject_type="gateway",
        subject_id=uuid5(_NAMESPACE, gateway_name),
        after={"gateway": gateway_name},
    )
