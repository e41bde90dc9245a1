"""Looking for offenders, in one snapshot, with what the queries take from the code."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import pgtrigger
from django.db import connection, transaction

from audit.actions import AuditAction
from notifications.models import Notification
from orders import states as order_states
from payments import states
from payments.invariants.invariant import Invariant
from payments.invariants.liveness import LIVENESS
from payments.invariants.money import MONEY
from payments.invariants.trace import TRACE
from payments.outcomes.query_schedule import scale_wait
from payments.routing.registry import gateways

# Of each invariant no more offenders than this are named; one is already too many.
OFFENDERS_MAX: Final = 100
# The whole check runs in one snapshot; a table of millions takes longer than a web request may.
STATEMENT_LIMIT_S: Final = 300
# A payment may be due this much later than its longest schedule says: jitter, and Retry-After.
SCHEDULE_SLACK: Final = timedelta(hours=1)

INVARIANTS: Final = (*MONEY, *TRACE, *LIVENESS)


@dataclass(frozen=True, slots=True)
class Violation:
    """One offender: the row's id, and what is wrong with it."""

    invariant: Invariant
    offender: str
    detail: str

    def __str__(self) -> str:
        return f"{self.invariant.id} {self.invariant.says} {self.offender}: {self.detail}"


def check(*, quiescent: bool = False) -> list[Violation]:
    """Every violation, seen in one snapshot that no writer disturbs.

    ``quiescent`` also checks what holds only at rest. Must not run inside a transaction.
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL statement_timeout = %s", [STATEMENT_LIMIT_S * 1000])
        return violations(quiescent=quiescent)


def violations(*, quiescent: bool) -> list[Violation]:
    """The same in the caller's transaction, with what it has not committed yet."""
    parameters = _parameters()
    chosen = [item for item in INVARIANTS if quiescent or not item.at_rest]
    return [found for item in chosen for found in _offenders(item, parameters)]


def _offenders(invariant: Invariant, parameters: Mapping[str, Any]) -> list[Violation]:
    with connection.cursor() as cursor:
        cursor.execute(invariant.query, parameters)
        rows = cursor.fetchmany(OFFENDERS_MAX)
    return [Violation(invariant, str(offender), str(detail)) for offender, detail in rows]


def _parameters() -> Mapping[str, Any]:
    """What the queries take from the code, so that no rule is written down twice."""
    triggers = pgtrigger.registered()
    return {
        **_moves("transaction", states.LEGAL_MOVES),
        **_moves("order", order_states.LEGAL_MOVES),
        "live": sorted(states.LIVE),
        "rerouted": AuditAction.TRANSACTION_REROUTED,
        "order_paid": list(order_states.PAID_STATUSES),
        "gateways": list(gateways()),
        "patience": [_patience(name) for name in gateways()],
        "unknown_gateway_patience": SCHEDULE_SLACK,
        "notification_tries": Notification.backoff.limit,
        "trigger_tables": [model._meta.db_table for model, _ in triggers],
        "trigger_names": [trigger.get_pgid(model) for model, trigger in triggers],
    }


def _moves(kind: str, table: Mapping[Any, frozenset[Any]]) -> dict[str, list[str]]:
    pairs = [(str(before), str(after)) for before in table for after in sorted(table[before])]
    return {
        f"{kind}_before": [before for before, _ in pairs],
        f"{kind}_after": [after for _, after in pairs],
    }


def _patience(gateway_name: str) -> timedelta:
    """How far away the next look at a live transaction may be booked.

    The longest step of the gateway's own schedule: VNPAY's is an hour, others wait longer for a
    bank, and every one of them is a booked look, so none of them is stuck.
    """
    longest = max(gateways()[gateway_name].query_schedule)
    return max(scale_wait(longest), longest) + SCHEDULE_SLACK
